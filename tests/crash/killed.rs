//! A real process on the machine's own disk, killed again and again while it
//! appends, and held to every line that it printed.
//!
//! The process is this test program started once more, with a folder in its
//! environment. It prints what was acknowledged only after it was.

use super::{is_long, seed};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::ops::ControlFlow;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tempfile::tempdir;
use trace_core::ident::TraceCode;
use trace_core::ledger::audit::{self, Held, Options};
use trace_core::ledger::job::{Job, Outcome};
use trace_core::ledger::opening::{self, Opened, Settings, VAULT};
use trace_core::ledger::vault::Vault;
use trace_core::ledger::writer::{Answered, Reply};
use trace_core::ledger::{Ledger, View};
use trace_core::proof::checkpoint::SignedCheckpoint;
use trace_core::record::kinds::personal_data_erased::PersonalDataErased;
use trace_core::record::sign::KeyId;
use trace_core::record::wire::PersonId;
use trace_core::record::{Entry, Hash};
use trace_core::store::disk::RealDisk;
use trace_fixtures::draw::Draw;
use trace_fixtures::{Who, World, opening as acts, stage};

/// Names the folder to the process that is to be killed.
const FOLDER: &str = "TRACE_CRASH_FOLDER";
/// And its place in the order of those processes.
const CYCLE: &str = "TRACE_CRASH_CYCLE";

/// So many requests are under way at once: enough for groups to form.
const UNDER_WAY: usize = 24;

/// An audit verifies every signature again: not after every death.
const AUDIT_ONE_IN: usize = 6;

fn settings() -> Settings {
    Settings {
        cache_bytes: 4 << 20,
        // Small, so that many deaths fall into a merge.
        merge_threshold_bytes: 64 << 10,
        ..Settings::default()
    }
}

#[test]
fn a_process_killed_under_load_has_kept_every_line_that_it_printed() {
    let mut draw = Draw::new(seed(), "deaths");
    let cycles = if is_long() { 200 } else { 30 };
    let folder = tempdir().unwrap();
    begin(folder.path());
    let mut printed = Printed::default();
    for cycle in 0..cycles {
        let before = printed.acknowledged.len();
        // Some die before they have said anything: while they recover.
        let lines = match draw.chance(1, 4) {
            true => 0,
            false => draw.between(1, 250),
        };
        let patience = Duration::from_micros(draw.below(40_000));
        printed.read(run_and_kill(folder.path(), cycle, lines, patience));
        if cycle % AUDIT_ONE_IN == AUDIT_ONE_IN - 1 {
            audit_of(folder.path(), &printed);
        }
        let size = check(folder.path(), &printed);
        println!(
            "cycle {cycle}: {} acknowledged, {size} entries",
            printed.acknowledged.len() - before
        );
    }
    let (acknowledged, erased) = (printed.acknowledged.len(), printed.erased.len());
    println!("{acknowledged} acknowledged, {erased} erased");
    assert!(
        acknowledged > 40 * cycles && erased > cycles,
        "too little was said"
    );
}

/// All that the processes said before they died.
#[derive(Default)]
struct Printed {
    acknowledged: BTreeMap<u64, String>,
    erased: Vec<PersonId>,
    /// The last checkpoint of each process.
    checkpoints: Vec<String>,
}

impl Printed {
    fn read(&mut self, text: String) {
        let mut note = None;
        // What follows the last line's end was still being said.
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        for line in whole.lines() {
            let mut words = line.split(' ');
            match words.next() {
                Some("acknowledged") => {
                    let index = words.next().unwrap().parse().unwrap();
                    let hash = words.next().unwrap().to_owned();
                    let before = self.acknowledged.insert(index, hash.clone());
                    assert!(
                        before.is_none_or(|before| before == hash),
                        "{index} said twice"
                    );
                }
                Some("erased") => {
                    let bytes = words.next().unwrap();
                    let digit = |at: usize| u8::from_str_radix(&bytes[at..at + 2], 16).unwrap();
                    self.erased
                        .push(PersonId(std::array::from_fn(|at| digit(2 * at))));
                }
                Some("checkpoint") => note = Some(line["checkpoint ".len()..].replace('|', "\n")),
                _ => {}
            }
        }
        self.checkpoints.extend(note);
    }
}

/// Makes the ledger in which they append.
fn begin(folder: &Path) {
    let mut world = World::new(7);
    let sequencer = opening::create(folder, settings(), stage::parts(&world)).unwrap();
    let genesis = world.genesis();
    let now_ms = world.now_ms;
    let ledger = Ledger::start(sequencer, Arc::new(move || now_ms), |why| panic!("{why}")).unwrap();
    for submission in genesis {
        let items = ledger.verify(vec![submission]);
        let items = items.into_iter().map(|item| item.unwrap()).collect();
        let job = Job {
            items,
            atomic: false,
            request: None,
        };
        let answered = ledger.submit_and_wait(job).unwrap();
        assert!(matches!(answered.outcomes[..], [Outcome::Admitted(_)]));
    }
    ledger.stop().unwrap();
}

/// Starts a process, lets it say so many lines, or lets some time pass when it
/// is to say none, kills it, and gives all that it said.
fn run_and_kill(folder: &Path, cycle: usize, lines: u64, patience: Duration) -> String {
    let mut child: Child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "killed::appends_until_it_is_killed",
            "--ignored",
            "--nocapture",
        ])
        .env(FOLDER, folder)
        .env(CYCLE, cycle.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut said = String::new();
    if lines == 0 {
        std::thread::sleep(patience);
    }
    let mut heard = 0;
    while heard < lines {
        let start = said.len();
        assert!(
            output.read_line(&mut said).unwrap() > 0,
            "it ended by itself: {said}"
        );
        heard += u64::from(said[start..].starts_with("acknowledged "));
    }
    child.kill().unwrap();
    output.read_to_string(&mut said).unwrap();
    let status = child.wait().unwrap();
    assert!(
        status.code().is_none(),
        "it ended by itself with {status}: {said}"
    );
    said
}

/// Audits what the dead process left, with every checkpoint that was said.
fn audit_of(folder: &Path, printed: &Printed) {
    let world = World::new(7);
    let copy = tempdir().unwrap();
    let key = stage::parts(&world).signer.verifier_key().clone();
    let mut options = Options::new(key, copy.path().into());
    let said = printed.checkpoints.iter().zip(0..);
    options.held = said
        .map(|(note, at)| Held {
            name: format!("what process {at} said"),
            note: note.clone(),
        })
        .collect();
    let report = audit::audit(folder, &options, &mut |_, _| {}).unwrap();
    assert_eq!(report.held, printed.checkpoints.len());
}

/// Opens a copy of what the dead process left and compares; the folder itself is
/// for the next process to recover. How many entries there are.
fn check(folder: &Path, printed: &Printed) -> u64 {
    let world = World::new(7);
    let copy = tempdir().unwrap();
    for file in std::fs::read_dir(folder).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), copy.path().join(file.file_name())).unwrap();
    }
    let opened = opening::open(copy.path(), settings(), stage::parts(&world)).unwrap();
    let Opened::Writable(sequencer) = opened else {
        panic!("opened read-only")
    };
    let view = sequencer.view();
    if let Some(note) = printed.checkpoints.last() {
        let key = stage::parts(&world).signer.verifier_key().clone();
        let said = SignedCheckpoint::open(note, &key).unwrap();
        let path = view.prove_consistency(said.size(), view.size()).unwrap();
        view.checkpoint().verify_extends(&said, &path).unwrap();
    }
    let mut wanted = printed.acknowledged.iter().peekable();
    each_entry(&view, |index, entry| {
        if let Some((_, hash)) = wanted.next_if(|(at, _)| **at == index) {
            assert_eq!(entry.signed.hash().to_string(), *hash, "entry {index}");
        }
    });
    assert_eq!(
        wanted.next(),
        None,
        "acknowledged and lost; the log has {}",
        view.size()
    );
    drop(sequencer);
    let vault = Vault::open(Arc::new(RealDisk), &copy.path().join(VAULT)).unwrap();
    let persons = vault.persons();
    let back = printed
        .erased
        .iter()
        .find(|person| persons.contains(person));
    assert_eq!(back, None, "erased, and has a key");
    view.size()
}

fn each_entry(view: &View, mut visit: impl FnMut(u64, Entry)) {
    let scanned = view.scan(0, |index, bytes| {
        visit(index, Entry::decode(bytes).unwrap());
        ControlFlow::<Option<()>>::Continue(())
    });
    scanned.unwrap();
}

/// The process: opens the ledger in the folder and appends for ever.
#[test]
#[ignore = "the process that the test above starts and kills; by itself it would never end"]
fn appends_until_it_is_killed() {
    let folder = std::env::var_os(FOLDER).expect("started by the test above");
    let cycle: u64 = std::env::var(CYCLE).unwrap().parse().unwrap();
    let mut world = World::new(7);
    let opened = opening::open(Path::new(&folder), settings(), parts(&world, cycle)).unwrap();
    let Opened::Writable(sequencer) = opened else {
        panic!("opened read-only")
    };
    let mut draw = Draw::new(cycle, "appending");
    world.now_ms = take_up(&mut world, &sequencer.view());
    let clock = Arc::new(AtomicU64::new(world.now_ms));
    let now = Arc::clone(&clock);
    let ledger = Ledger::start(
        *sequencer,
        Arc::new(move || now.load(Ordering::Relaxed)),
        |why| panic!("{why}"),
    )
    .unwrap();
    // Holds a token for each request under way; the reply takes it out.
    let (tokens, answered) = sync_channel(UNDER_WAY);
    let answered_tokens = Arc::new(Mutex::new(answered));
    for step in 0u64.. {
        let entity = world.entity(Who::Producer).clone();
        let (mut named, openings) = acts::contact(&entity, &mut draw);
        named.person = draw.person_id();
        let mut unit = world.unit();
        unit.unit = TraceCode::from_bytes(draw.bytes());
        let (mut certificate, _) = world.certificate(&unit);
        certificate.0.persons = vec![named];
        certificate.0.number = format!("{cycle}-{step}-{}", draw.crockford(8));
        let mut request = vec![
            world.sign_bare(Who::Producer, unit),
            world.sign(Who::Producer, certificate, openings),
        ];
        let erased = draw.chance(1, 8).then_some(named.person);
        if let Some(person) = erased {
            let body = PersonalDataErased {
                person,
                acted_by: None,
            };
            request.push(world.sign_bare(Who::CountyAuthority, body));
        }
        clock.store(world.now_ms, Ordering::Relaxed);
        let items = ledger.verify(request).into_iter();
        let items = items.map(|item| item.unwrap()).collect();
        tokens.send(()).unwrap();
        let taken = Arc::clone(&answered_tokens);
        let reply: Reply = Box::new(move |answered| {
            say(&answered, erased);
            taken.lock().unwrap().recv().unwrap();
        });
        let atomic = draw.chance(1, 2);
        ledger
            .submit(
                Job {
                    items,
                    atomic,
                    request: None,
                },
                reply,
            )
            .unwrap();
    }
}

fn parts(world: &World, cycle: u64) -> opening::Parts {
    let mut draw = Draw::new(cycle, "vault keys of a process");
    opening::Parts {
        entropy: Box::new(move |bytes| bytes.fill_with(|| draw.bytes::<1>()[0])),
        ..stage::parts(world)
    }
}

/// Chains go on where the log has them; the time of the next record.
fn take_up(world: &mut World, view: &View) -> u64 {
    let mut chains: BTreeMap<KeyId, (u64, Hash)> = BTreeMap::new();
    let mut last_ms = world.now_ms;
    each_entry(view, |_, entry| {
        let statement = entry.signed.statement();
        chains.insert(statement.key, (statement.sequence + 1, entry.signed.hash()));
        last_ms = entry.admitted_ms;
    });
    for who in [Who::Producer, Who::CountyAuthority] {
        if let Some((sequence, link)) = chains.get(&world.key_id(who)).copied() {
            world.chain(who).resume(sequence, link);
        }
    }
    last_ms + 1_000
}

/// One write a request, so that what is read of it is whole lines.
fn say(answered: &Answered, erased: Option<PersonId>) {
    let mut lines = String::new();
    for outcome in &answered.outcomes {
        let Outcome::Admitted(admitted) = outcome else {
            panic!("{outcome:?}")
        };
        lines += &format!("acknowledged {} {}\n", admitted.index, admitted.hash);
    }
    if let Some(person) = erased {
        lines += &format!("erased {person}\n");
    }
    let note = answered.view.checkpoint().note().replace('\n', "|");
    lines += &format!("checkpoint {note}\n");
    let mut out = std::io::stdout().lock();
    out.write_all(lines.as_bytes()).unwrap();
    out.flush().unwrap();
}
