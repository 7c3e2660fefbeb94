//! Nothing is answered before it is durable, nothing answered is lost, and no
//! line is changed, dropped or forged unnoticed.

use super::*;
use crate::store::disk::faults::{AFTERMATHS, FaultyDisk};
use crate::store::disk::{Access, DiskFile, RealDisk};
use std::io;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, TryRecvError, channel};

const PATH: &str = "folder/lookups.log";

fn lookup(n: u64) -> Lookup {
    Lookup {
        at_ms: 1_000 + n,
        token: TokenId([7; 8]),
        entity: n.is_multiple_of(2).then(|| EntityId::from_bytes([3; 10])),
        looked_up: format!("trace code {n}"),
        purpose: n.is_multiple_of(3).then(|| "抽检".into()),
    }
}

type Answers = Receiver<Result<u64, Store>>;

/// Queues look-ups; their answers come in the order they are given.
fn queue(lookups: &Lookups, numbers: impl IntoIterator<Item = u64>) -> Answers {
    let (sender, answers) = channel();
    for n in numbers {
        let sender = sender.clone();
        let call = move |answer| sender.send(answer).unwrap_or_default();
        lookups.append(lookup(n), Box::new(call)).unwrap();
    }
    answers
}

fn numbers(answers: Answers) -> Vec<u64> {
    answers.into_iter().map(Result::unwrap).collect()
}

fn found(lookups: &Lookups) -> Vec<Lookup> {
    let mut found = Vec::new();
    let head = lookups.scan(|line| {
        found.push(line.lookup.clone());
        Ok(())
    });
    assert_eq!(head.unwrap(), lookups.head());
    found
}

fn real() -> (tempfile::TempDir, Arc<dyn Disk>, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lookups.log");
    (folder, Arc::new(RealDisk), path)
}

/// A log of these look-ups, each committed by itself; the file's lengths.
fn written(disk: &Arc<dyn Disk>, path: &Path, count: u64) -> (Lookups, Vec<usize>) {
    let lookups = Lookups::create(disk.clone(), path, Committing::Inline).unwrap();
    let length = || usize::try_from(disk.open(path).unwrap().length().unwrap()).unwrap();
    let mut lengths = vec![length()];
    for n in 1..=count {
        let answers = queue(&lookups, [n]);
        assert_eq!(lookups.commit_pending().unwrap(), 1);
        assert_eq!(numbers(answers), [n]);
        lengths.push(length());
    }
    (lookups, lengths)
}

fn open(disk: &Arc<dyn Disk>, path: &Path) -> Result<Lookups, Store> {
    Lookups::open(disk.clone(), path, Committing::Inline)
}

/// A file with these lines, its checksums sound: what an editor would leave.
fn forged(lines: &[LookupLine]) -> Result<Lookups, Store> {
    let disk: Arc<dyn Disk> = Arc::new(FaultyDisk::default());
    let mut file = TitledFile::create(disk.clone(), Path::new(PATH), TITLE, &[]).unwrap();
    for line in lines {
        file.append(&encode::encode(line)).unwrap();
    }
    file.sync().unwrap();
    open(&disk, Path::new(PATH))
}

fn chain(count: u64) -> (Vec<LookupLine>, Vec<LookupsHead>) {
    let mut heads = vec![LookupsHead::default()];
    let mut lines = Vec::new();
    for n in 1..=count {
        let head = *heads.last().unwrap();
        let line = head.next(lookup(n));
        heads.push(head.after(&encode::encode(&line)));
        lines.push(line);
    }
    (lines, heads)
}

#[test]
fn lines_get_numbers_and_a_chain_that_holds_after_reopening() {
    let (_folder, disk, path) = real();
    let lookups = Lookups::create(disk.clone(), &path, Committing::Inline).unwrap();
    assert_eq!(lookups.head(), LookupsHead::default());
    assert_eq!(lookups.verify(None).unwrap(), LookupsHead::default());
    let answers = queue(&lookups, 1..=3);
    assert!(matches!(answers.try_recv(), Err(TryRecvError::Empty)));
    assert_eq!(lookups.head().count, 0);
    assert_eq!(lookups.commit_pending().unwrap(), 3);
    assert_eq!(numbers(answers), [1, 2, 3]);
    assert_eq!(lookups.commit_pending().unwrap(), 0);
    let mut hash = Hash::ZERO;
    for (number, n) in (1u64..).zip(1..=3) {
        let line = encode::encode(&(hash, number, lookup(n)));
        hash = Hash::of(&[b"trace/lookup/v1\n", hash.as_bytes(), &line]);
    }
    assert_eq!(lookups.head(), LookupsHead { count: 3, hash });
    drop(lookups);
    let lookups = open(&disk, &path).unwrap();
    assert_eq!(lookups.head(), LookupsHead { count: 3, hash });
    assert_eq!(found(&lookups), [lookup(1), lookup(2), lookup(3)]);
    let answers = queue(&lookups, [4]);
    lookups.commit_pending().unwrap();
    assert_eq!(numbers(answers), [4]);
    assert_eq!(lookups.verify(None).unwrap(), lookups.head());
}

#[test]
fn texts_that_are_too_long_or_not_plain_are_refused_and_not_queued() {
    let (_folder, disk, path) = real();
    let lookups = Lookups::create(disk, &path, Committing::Inline).unwrap();
    let longest = "长".repeat(LOOKED_UP_LENGTH_MAX);
    for (looked_up, purpose, fits) in [
        (longest.clone(), Some(longest.clone()), true),
        (format!("{longest}长"), None, false),
        (String::new(), None, false),
        ("a\nb".into(), None, false),
        ("a".into(), Some(format!("{longest}长")), false),
        ("a".into(), Some(String::new()), false),
    ] {
        let stated = Lookup {
            looked_up,
            purpose,
            ..lookup(1)
        };
        let refused = lookups.append(stated, Box::new(|_| {}));
        assert_eq!(refused.is_ok(), fits);
        if let Err(refused) = refused {
            assert_eq!(refused.rule, Rule::Text);
        }
    }
    assert_eq!(lookups.commit_pending().unwrap(), 1);
}

#[test]
fn a_full_queue_refuses_and_takes_again_once_committed() {
    let disk: Arc<dyn Disk> = Arc::new(FaultyDisk::default());
    let lookups = Lookups::create(disk, Path::new(PATH), Committing::Inline).unwrap();
    let answers = queue(&lookups, 0..QUEUE_LENGTH_MAX as u64);
    let refused = lookups.append(lookup(0), Box::new(|_| panic!("it was not queued")));
    assert_eq!(refused.unwrap_err().rule, Rule::Busy);
    assert_eq!(lookups.commit_pending().unwrap(), QUEUE_LENGTH_MAX);
    assert_eq!(numbers(answers).len(), QUEUE_LENGTH_MAX);
    queue(&lookups, [1]);
    assert_eq!(lookups.commit_pending().unwrap(), 1);
}

/// A disk whose syncs can be held, and are counted.
#[derive(Debug, Clone, Default)]
struct GatedDisk {
    disk: FaultyDisk,
    gate: Arc<(Mutex<Gate>, Condvar)>,
}

#[derive(Debug, Default)]
struct Gate {
    closed: bool,
    arrived: u64,
}

impl GatedDisk {
    fn set_closed(&self, closed: bool) {
        lock(&self.gate.0).closed = closed;
        self.gate.1.notify_all();
    }

    fn syncs(&self) -> u64 {
        lock(&self.gate.0).arrived
    }

    fn wait_for_sync(&self, wanted: u64) {
        let gate = lock(&self.gate.0);
        drop(self.gate.1.wait_while(gate, |gate| gate.arrived < wanted));
    }
}

#[derive(Debug)]
struct GatedFile(Box<dyn DiskFile>, GatedDisk);

impl Disk for GatedDisk {
    fn create(&self, path: &Path, access: Access) -> io::Result<Box<dyn DiskFile>> {
        let file = self.disk.create(path, access)?;
        Ok(Box::new(GatedFile(file, self.clone())))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        Ok(Box::new(GatedFile(self.disk.open(path)?, self.clone())))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.disk.rename(from, to)
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        self.disk.sync_folder(folder)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.disk.remove(path)
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<PathBuf>> {
        self.disk.list(folder)
    }
}

impl DiskFile for GatedFile {
    fn length(&self) -> io::Result<u64> {
        self.0.length()
    }

    fn set_length(&self, length: u64) -> io::Result<()> {
        self.0.set_length(length)
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.0.write_at(offset, bytes)
    }

    fn read_at(&self, offset: u64, bytes: &mut [u8]) -> io::Result<()> {
        self.0.read_at(offset, bytes)
    }

    fn sync(&self) -> io::Result<()> {
        let (gate, stirred) = &*self.1.gate;
        let mut gate = lock(gate);
        gate.arrived += 1;
        stirred.notify_all();
        drop(stirred.wait_while(gate, |gate| gate.closed));
        self.0.sync()
    }
}

#[test]
fn what_queues_while_a_sync_runs_is_committed_by_one_more_and_no_answer_comes_early() {
    let disk = GatedDisk::default();
    let shared: Arc<dyn Disk> = Arc::new(disk.clone());
    let lookups = Lookups::create(shared, Path::new(PATH), Committing::Thread).unwrap();
    disk.set_closed(true);
    let before = disk.syncs();
    let lone = queue(&lookups, [1]);
    disk.wait_for_sync(before + 1);
    let many = queue(&lookups, 2..=500);
    assert!(matches!(lone.try_recv(), Err(TryRecvError::Empty)));
    assert!(matches!(many.try_recv(), Err(TryRecvError::Empty)));
    assert_eq!(lookups.head().count, 0);
    disk.set_closed(false);
    assert_eq!(numbers(lone), [1]);
    assert_eq!(numbers(many), (2..=500).collect::<Vec<_>>());
    assert_eq!(disk.syncs(), before + 2);
    assert_eq!(lookups.verify(None).unwrap().count, 500);
}

#[test]
fn a_failed_sync_answers_every_line_with_the_failure_on_a_thread_too() {
    let disk = GatedDisk::default();
    let shared: Arc<dyn Disk> = Arc::new(disk.clone());
    let lookups = Lookups::create(shared, Path::new(PATH), Committing::Thread).unwrap();
    assert_eq!(numbers(queue(&lookups, 1..=2)), [1, 2]);
    disk.set_closed(true);
    let before = disk.syncs();
    let in_sync = queue(&lookups, [3]);
    disk.wait_for_sync(before + 1);
    let queued = queue(&lookups, 4..=5);
    disk.disk.cut_after(1);
    disk.set_closed(false);
    let later = || queue(&lookups, [6]);
    for answers in [in_sync, queued, later()] {
        for answer in answers {
            assert!(matches!(answer, Err(Store::ReadOnly { .. })), "{answer:?}");
        }
    }
    assert_eq!(lookups.head().count, 2);
    assert!(lookups.commit_pending().is_err());
}

#[test]
fn dropping_commits_what_is_queued_and_waits_for_the_thread() {
    let (_folder, disk, path) = real();
    let lookups = Lookups::create(disk.clone(), &path, Committing::Thread).unwrap();
    let answers = queue(&lookups, 1..=100);
    drop(lookups);
    assert_eq!(numbers(answers).len(), 100);
    assert_eq!(open(&disk, &path).unwrap().head().count, 100);
}

#[test]
fn a_line_may_hold_the_log_itself_and_drop_it_last() {
    let (_folder, disk, path) = real();
    let lookups = Arc::new(Lookups::create(disk.clone(), &path, Committing::Thread).unwrap());
    let (sender, done) = channel();
    let held = lookups.clone();
    let gate = Arc::new(Mutex::new(()));
    let closed = lock(&gate);
    let waits = gate.clone();
    let call = move |answer: Result<u64, Store>| {
        drop(lock(&waits));
        assert_eq!(held.head().count, answer.unwrap());
        drop(held);
        sender.send(()).unwrap();
    };
    lookups.append(lookup(1), Box::new(call)).unwrap();
    drop(lookups);
    drop(closed);
    done.recv().unwrap();
}

#[test]
fn dropping_a_log_without_a_thread_refuses_what_nobody_committed() {
    let (_folder, disk, path) = real();
    let lookups = Lookups::create(disk.clone(), &path, Committing::Inline).unwrap();
    let answers = queue(&lookups, 1..=2);
    drop(lookups);
    let answers: Vec<_> = answers.into_iter().collect();
    assert!(matches!(
        answers.as_slice(),
        [Err(Store::ReadOnly { .. }), Err(Store::ReadOnly { .. })]
    ));
    assert_eq!(open(&disk, &path).unwrap().head().count, 0);
}

#[test]
fn a_tail_torn_at_any_byte_loses_only_what_was_not_answered() {
    let (_folder, disk, path) = real();
    let (lookups, lengths) = written(&disk, &path, 3);
    drop(lookups);
    let whole = std::fs::read(&path).unwrap();
    for length in lengths[0]..whole.len() {
        std::fs::write(&path, &whole[..length]).unwrap();
        let kept = lengths.iter().filter(|end| **end <= length).count() - 1;
        let lookups = open(&disk, &path).unwrap();
        assert_eq!(found(&lookups).len(), kept, "cut at {length}");
        let answers = queue(&lookups, [9]);
        lookups.commit_pending().unwrap();
        assert_eq!(numbers(answers), [kept as u64 + 1]);
    }
}

#[test]
fn a_flipped_byte_is_named_on_opening_and_by_verify() {
    let (_folder, disk, path) = real();
    let (lookups, lengths) = written(&disk, &path, 3);
    let whole = std::fs::read(&path).unwrap();
    for at in 0..whole.len() {
        let mut flipped = whole.clone();
        flipped[at] ^= 0x20;
        std::fs::write(&path, &flipped).unwrap();
        // the file's own 16 bytes say only what kind of file it is
        if at >= 16 {
            let verified = lookups.verify(None);
            assert!(matches!(verified, Err(Store::Damaged { .. })), "byte {at}");
        }
        // opening cannot tell the last group from a torn tail
        if at < lengths[2] {
            let opened = open(&disk, &path);
            assert!(matches!(opened, Err(Store::Damaged { .. })), "byte {at}");
        }
    }
    std::fs::write(&path, &whole).unwrap();
    assert_eq!(lookups.verify(None).unwrap().count, 3);
}

#[test]
fn a_line_edited_dropped_swapped_or_put_between_is_named() {
    let (lines, heads) = chain(4);
    let whole = forged(&lines).unwrap();
    assert_eq!(whole.head(), heads[4]);
    let edited = |at: usize, edit: fn(&mut LookupLine)| {
        let mut lines = lines.clone();
        edit(&mut lines[at]);
        lines
    };
    let moved = |from: usize, to: usize| {
        let mut lines = lines.clone();
        lines.swap(from, to);
        lines
    };
    let mut dropped = lines.clone();
    dropped.remove(1);
    let mut doubled = lines.clone();
    doubled.insert(2, lines[1].clone());
    for (lines, wrong) in [
        (edited(1, |line| line.lookup.at_ms += 1), 3),
        (edited(1, |line| line.lookup.token.0[0] ^= 1), 3),
        (edited(0, |line| line.lookup.looked_up.push('x')), 2),
        (edited(2, |line| line.number = 9), 3),
        (edited(2, |line| line.previous = Hash::ZERO), 3),
        (edited(0, |line| line.previous = Hash::of(&[])), 1),
        (moved(1, 2), 2),
        (moved(0, 3), 1),
        (dropped, 2),
        (doubled, 3),
    ] {
        let error = forged(&lines).unwrap_err();
        assert!(matches!(error, Store::Damaged { .. }), "{error}");
        let named = format!("lookups.log: line {wrong}: ");
        assert!(error.to_string().contains(&named), "{error}, not {wrong}");
    }
}

#[test]
fn a_chain_made_anew_shows_against_the_head_that_was_recorded() {
    let (lines, heads) = chain(4);
    let honest = forged(&lines).unwrap();
    for recorded in &heads {
        assert_eq!(honest.verify(Some(*recorded)).unwrap(), heads[4]);
    }
    assert_eq!(honest.verify(None).unwrap(), heads[4]);
    // the last line edited, or dropped, with all after it: the chain holds
    let mut edited = lines.clone();
    edited[3].lookup.at_ms += 1;
    for lines in [&edited[..], &lines[..3]] {
        let forged = forged(lines).unwrap();
        assert!(forged.verify(None).is_ok());
        assert!(forged.verify(Some(heads[3])).is_ok());
        let error = forged.verify(Some(heads[4])).unwrap_err();
        assert!(matches!(error, Store::Damaged { .. }), "{error}");
        assert!(error.to_string().contains("line 4: the ledger"), "{error}");
    }
}

/// Someone edits the last line under a running log, checksums and all.
#[test]
fn an_edit_behind_a_running_log_shows_against_what_it_answered() {
    let (_folder, disk, path) = real();
    let (lookups, _) = written(&disk, &path, 2);
    let other = path.with_extension("other");
    let forger = Lookups::create(disk.clone(), &other, Committing::Inline).unwrap();
    for n in [1, 4] {
        queue(&forger, [n]);
        forger.commit_pending().unwrap();
    }
    let forged = std::fs::read(&other).unwrap();
    assert_eq!(forged.len(), std::fs::read(&path).unwrap().len());
    std::fs::write(&path, &forged).unwrap();
    let error = lookups.verify(None).unwrap_err();
    assert!(matches!(error, Store::Damaged { .. }), "{error}");
    assert!(error.to_string().contains("line 2: this log"), "{error}");
}

#[test]
fn a_power_cut_at_any_call_loses_no_answered_line() {
    for call in 1.. {
        let disk = FaultyDisk::default();
        let shared: Arc<dyn Disk> = Arc::new(disk.clone());
        let lookups = Lookups::create(shared, Path::new(PATH), Committing::Inline).unwrap();
        disk.cut_after(call);
        let mut answered = 0;
        let mut failed = false;
        for group in 0..4u64 {
            let answers = queue(&lookups, group * 3 + 1..=group * 3 + 3);
            let committed = lookups.commit_pending();
            let answers: Vec<_> = answers.into_iter().collect();
            assert_eq!(answers.len(), 3);
            assert!(!(failed && committed.is_ok()), "it was mended by itself");
            failed = committed.is_err();
            for answer in answers {
                match answer {
                    Ok(number) => {
                        answered += 1;
                        assert_eq!(number, answered);
                    }
                    Err(error) => {
                        assert!(failed && matches!(error, Store::ReadOnly { .. }));
                    }
                }
            }
            assert_eq!(lookups.head().count, answered);
        }
        for aftermath in AFTERMATHS {
            let disk: Arc<dyn Disk> = Arc::new(disk.after_power_cut(aftermath));
            let reopened = open(&disk, Path::new(PATH)).unwrap();
            let kept = found(&reopened).len() as u64;
            assert!(kept == answered || kept == answered + 3, "{kept}");
            reopened.verify(Some(lookups.head())).unwrap();
        }
        if !failed {
            assert!(call > 8, "only {call} calls were cut");
            break;
        }
    }
}
