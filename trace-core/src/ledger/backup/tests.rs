//! A backup comes back as the ledger it was, or not at all.

use super::*;
use crate::error::Rule;
use crate::ledger::audit::{AuditFailed, AuditReport, Options, audit};
use crate::ledger::checkpoints::LAST_CHECKPOINT;
use crate::ledger::job::Item;
use crate::ledger::opening::{LOG, Opened, VAULT};
use crate::ledger::sequencer::Sequencer;
use crate::ledger::vault::SectionPlace;
use crate::ledger::world::World;
use crate::proof::checkpoint::{SignedCheckpoint, VerifiedCheckpoint};
use crate::proof::note::VerifierKey;
use crate::record::Body;
use tempfile::TempDir;

fn quiet(_: u64, _: u64) {}

fn sealed_backup(view: &View, world: &World) -> (Sealed, Vec<u8>) {
    let mut bytes = Vec::new();
    let sealed = backup(view, &world.signer(), &mut bytes, &mut quiet).unwrap();
    assert_eq!(sealed.length, bytes.len() as u64);
    (sealed, bytes)
}

fn last_of(sequencer: &Sequencer) -> VerifiedCheckpoint {
    sequencer.view().checkpoint().clone()
}

fn restored(
    bytes: &[u8],
    folder: &Path,
    key: &VerifierKey,
    last: Option<&VerifiedCheckpoint>,
) -> Result<Restored, RestoreFailed> {
    restore(&mut &*bytes, folder, None, key, last, &mut quiet)
}

fn audited(folder: &Path, key: VerifierKey) -> Result<AuditReport, AuditFailed> {
    let temporary = tempfile::tempdir().unwrap();
    let options = Options::new(key, temporary.path().into());
    audit(folder, &options, &mut quiet)
}

fn ledger(units: usize) -> (World, TempDir, Sequencer) {
    let folder = tempfile::tempdir().unwrap();
    let mut world = World::new(7);
    let mut sequencer = world.create(folder.path());
    let goods = world.goods(units);
    world.admit(&mut sequencer, goods);
    (world, folder, sequencer)
}

#[test]
fn a_backup_restores_to_a_ledger_that_opens_audits_and_goes_on() {
    let (mut world, _folder, sequencer) = ledger(5);
    let (sealed, bytes) = sealed_backup(&sequencer.view(), &world);
    assert_eq!(verify_backup(&mut &*bytes, &world.key()).unwrap(), sealed);
    let (again, same) = sealed_backup(&sequencer.view(), &world);
    assert!(
        again == sealed && same == bytes,
        "a backup is its view's alone"
    );
    let last = last_of(&sequencer);
    let to = tempfile::tempdir().unwrap();
    let mut seen = Vec::new();
    let restored = restore(
        &mut &*bytes,
        to.path(),
        None,
        &world.key(),
        Some(&last),
        &mut |done, total| seen.push((done, total)),
    )
    .unwrap();
    assert_eq!((restored.sealed, restored.missing), (sealed, Some(0)));
    assert_eq!(seen.last(), Some(&(25, 25)));
    let mut back = world.open_writable(to.path());
    for index in 0..25 {
        let (was, is) = (sequencer.view(), back.view());
        assert_eq!(was.entry(index).unwrap(), is.entry(index).unwrap());
        assert_eq!(
            was.trade_openings(index).unwrap(),
            is.trade_openings(index).unwrap()
        );
    }
    let goods = world.goods(1);
    world.admit(&mut back, goods);
    back.close().unwrap();
    let report = audited(to.path(), world.key()).unwrap();
    assert_eq!((report.size, report.personal_sections), (28, 6));
}

#[test]
fn an_empty_ledger_is_backed_up_and_restored_too() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::new(7);
    let sequencer =
        crate::ledger::opening::create(folder.path(), World::settings(), world.parts()).unwrap();
    let (_, bytes) = sealed_backup(&sequencer.view(), &world);
    let to = tempfile::tempdir().unwrap();
    restored(&bytes, to.path(), &world.key(), Some(&last_of(&sequencer))).unwrap();
    assert_eq!(world.open_writable(to.path()).view().size(), 0);
}

#[test]
fn every_truncation_of_a_backup_is_reported() {
    let (world, _folder, sequencer) = ledger(1);
    let (_, bytes) = sealed_backup(&sequencer.view(), &world);
    let key = world.key();
    for length in 0..bytes.len() {
        let outcome = verify_backup(&mut &bytes[..length], &key);
        assert!(matches!(outcome, Err(RestoreFailed::Verify(_))), "{length}");
    }
    for extra in [0, b'\n'] {
        let longer = [bytes.as_slice(), &[extra]].concat();
        assert!(verify_backup(&mut &*longer, &key).is_err());
    }
}

#[test]
fn every_flipped_byte_of_a_backup_is_reported() {
    let (world, _folder, sequencer) = ledger(1);
    let (sealed, bytes) = sealed_backup(&sequencer.view(), &world);
    let key = world.key();
    let mut changed = bytes.clone();
    for at in 0..bytes.len() {
        for bit in [1 << (at % 8), 0xff] {
            changed[at] ^= bit;
            let outcome = verify_backup(&mut &*changed, &key);
            assert!(matches!(outcome, Err(RestoreFailed::Verify(_))), "{at}");
            changed[at] ^= bit;
        }
    }
    assert_eq!(verify_backup(&mut &*changed, &key).unwrap(), sealed);
}

#[test]
fn a_backup_resealed_by_another_key_or_of_another_ledger_is_refused() {
    let (world, _folder, sequencer) = ledger(1);
    let stranger = World::new(8);
    // the same name, another key: its seal is sound by itself
    let mut bytes = Vec::new();
    backup(
        &sequencer.view(),
        &stranger.signer(),
        &mut bytes,
        &mut quiet,
    )
    .unwrap();
    verify_backup(&mut &*bytes, &stranger.key()).unwrap();
    let failed = verify_backup(&mut &*bytes, &world.key()).unwrap_err();
    assert!(
        matches!(failed, RestoreFailed::Verify(Verify::WrongLedger { .. })),
        "{failed}"
    );
    let key = world.key().public();
    let elsewhere = VerifierKey::new("elsewhere.example/trace", &key).unwrap();
    let (_, bytes) = sealed_backup(&sequencer.view(), &world);
    let failed = verify_backup(&mut &*bytes, &elsewhere).unwrap_err();
    assert!(
        matches!(failed, RestoreFailed::Verify(Verify::WrongLedger { .. })),
        "{failed}"
    );
}

#[test]
fn a_refused_backup_leaves_no_ledger_behind_and_the_same_folder_takes_a_good_one() {
    let (world, _folder, sequencer) = ledger(1);
    let (_, bytes) = sealed_backup(&sequencer.view(), &world);
    let last = last_of(&sequencer);
    let to = tempfile::tempdir().unwrap();
    let mut changed = bytes.clone();
    let at = bytes.len() - 400;
    changed[at] ^= 1;
    for bad in [&changed[..], &bytes[..bytes.len() - 1]] {
        restored(bad, to.path(), &world.key(), Some(&last)).unwrap_err();
        assert_eq!(std::fs::read_dir(to.path()).unwrap().count(), 0);
    }
    // a restoring that was cut off left its file
    std::fs::write(to.path().join("log.redb.restoring"), b"torn").unwrap();
    restored(&bytes, to.path(), &world.key(), Some(&last)).unwrap();
    let failed = restored(&bytes, to.path(), &world.key(), Some(&last)).unwrap_err();
    assert!(
        matches!(failed, RestoreFailed::Store(Store::Place { .. })),
        "{failed}"
    );
    audited(to.path(), world.key()).unwrap();
}

#[test]
fn a_backup_is_made_while_the_ledger_is_written() {
    let (mut world, _folder, mut sequencer) = ledger(5);
    let view = sequencer.view();
    /// Admits something whenever the backup writes.
    struct Busy<'a> {
        world: &'a mut World,
        sequencer: &'a mut Sequencer,
        bytes: Vec<u8>,
    }
    impl Write for Busy<'_> {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            if self.bytes.len().is_multiple_of(3) && self.sequencer.view().size() < 60 {
                let goods = self.world.goods(1);
                self.world.admit(self.sequencer, goods);
            }
            self.bytes.extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let signer = world.signer();
    let mut busy = Busy {
        world: &mut world,
        sequencer: &mut sequencer,
        bytes: Vec::new(),
    };
    let sealed = backup(&view, &signer, &mut busy, &mut quiet).unwrap();
    let bytes = busy.bytes;
    assert!(sequencer.view().size() > 30, "{}", sequencer.view().size());
    assert_eq!((sealed.size, sealed.root), (25, *view.checkpoint().root()));
    assert_eq!(verify_backup(&mut &*bytes, &world.key()).unwrap(), sealed);
}

#[test]
fn a_disk_that_fills_up_ends_the_backup_without_a_seal() {
    let (world, _folder, sequencer) = ledger(1);
    let mut room = [0; 3000];
    let mut out = &mut room[..];
    let failed = backup(&sequencer.view(), &world.signer(), &mut out, &mut quiet).unwrap_err();
    assert!(matches!(failed, Store::Io { .. }), "{failed}");
    verify_backup(&mut &room[..], &world.key()).unwrap_err();
}

#[test]
fn a_damaged_log_is_not_sealed() {
    let (world, folder, sequencer) = ledger(1);
    sequencer.close().unwrap();
    let path = folder.path().join(LOG);
    let tables = crate::ledger::log::TABLES;
    let check = crate::store::table::Check::Quick;
    let database = crate::store::redb::Database::open(&path, tables, check, 1 << 20).unwrap();
    let entries = crate::ledger::log::ENTRIES;
    let mut entry = database
        .snapshot()
        .unwrap()
        .get(entries, 11)
        .unwrap()
        .unwrap();
    entry[5] ^= 1;
    database
        .write(|batch| batch.put(entries, 11, &entry))
        .unwrap();
    database.close().unwrap();
    let sequencer = world.open_writable(folder.path());
    let mut bytes = Vec::new();
    let failed = backup(&sequencer.view(), &world.signer(), &mut bytes, &mut quiet).unwrap_err();
    assert!(matches!(failed, Store::Damaged { .. }), "{failed}");
}

#[test]
fn a_restored_ledger_without_its_last_checkpoint_opens_read_only_and_says_so() {
    let (mut world, _folder, mut sequencer) = ledger(2);
    let (_, bytes) = sealed_backup(&sequencer.view(), &world);
    let goods = world.goods(3);
    world.admit(&mut sequencer, goods);
    let last = last_of(&sequencer);
    let to = tempfile::tempdir().unwrap();
    let outcome = restored(&bytes, to.path(), &world.key(), None).unwrap();
    assert_eq!(outcome.missing, None);
    assert!(!to.path().join(LAST_CHECKPOINT).exists());
    let Opened::ReadOnly { why, .. } = world.open(to.path()) else {
        panic!("opened for writing")
    };
    assert!(why.contains("last-checkpoint is missing"), "{why}");
    // with the last one that the operator kept it says how much is missing
    let to = tempfile::tempdir().unwrap();
    let outcome = restored(&bytes, to.path(), &world.key(), Some(&last)).unwrap();
    assert_eq!(outcome.missing, Some(9));
    let Opened::ReadOnly {
        why, last: said, ..
    } = world.open(to.path())
    else {
        panic!("opened for writing")
    };
    assert!(
        why.contains("covers 25") && why.contains("holds 16; 9 are missing"),
        "{why}"
    );
    assert_eq!(said, Some(last));
    assert_eq!(audited(to.path(), world.key()).unwrap_err().exit_code(), 3);
}

#[test]
fn an_older_checkpoint_never_replaces_a_later_one_and_a_fork_restores_nothing() {
    let (mut world, _folder, mut sequencer) = ledger(2);
    let early = last_of(&sequencer);
    let (_, bytes) = sealed_backup(&sequencer.view(), &world);
    let goods = world.goods(1);
    world.admit(&mut sequencer, goods);
    let late = last_of(&sequencer);
    let (to, keep) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let kept = keep.path().join(LAST_CHECKPOINT);
    std::fs::write(&kept, late.note()).unwrap();
    let outcome = restore(
        &mut &*bytes,
        to.path(),
        Some(keep.path()),
        &world.key(),
        Some(&early),
        &mut quiet,
    );
    assert_eq!(outcome.unwrap().missing, Some(3));
    assert_eq!(std::fs::read_to_string(&kept).unwrap(), late.note());
    // the same key signed another story of the same length
    let (mut other, _elsewhere, mut forked) = ledger(1);
    other.unit();
    let goods = other.goods(1);
    other.admit(&mut forked, goods);
    let fork = last_of(&forked);
    assert_eq!(fork.size(), early.size());
    let to = tempfile::tempdir().unwrap();
    let failed = restored(&bytes, to.path(), &world.key(), Some(&fork)).unwrap_err();
    assert!(
        matches!(failed, RestoreFailed::Verify(Verify::Fork { .. })),
        "{failed}"
    );
    assert_eq!(std::fs::read_dir(to.path()).unwrap().count(), 0);
    let note = SignedCheckpoint::from_note(fork.note().into());
    assert!(note.verify(&world.key()).is_ok());
}

#[test]
fn no_key_is_in_a_backup_and_an_erasure_outlives_its_restoring() {
    let folder = tempfile::tempdir().unwrap();
    let mut world = World::new(7);
    let mut sequencer = world.create(folder.path());
    let (person, unit) = (world.person(), world.unit());
    let items = vec![world.created(unit), world.certificate_of(unit, person)];
    world.admit(&mut sequencer, items);
    let place = SectionPlace {
        index: 11,
        position: 0,
    };
    let (_, before) = sealed_backup(&sequencer.view(), &world);
    let keys = std::fs::read(folder.path().join(VAULT)).unwrap();
    // a line of the vault's file ends in a key: none of its parts is in the backup
    let key = keys
        .windows(16)
        .position(|window| window == person.0)
        .map(|at| &keys[at + 16..at + 48])
        .unwrap();
    assert!(!before.windows(16).any(|window| window == &key[..16]));
    for clear in ["张三", "13800000000"] {
        assert!(
            !before
                .windows(clear.len())
                .any(|window| window == clear.as_bytes())
        );
    }
    let erased = world.erased(person);
    world.admit(&mut sequencer, vec![erased]);
    let last = last_of(&sequencer);
    let (_, after) = sealed_backup(&sequencer.view(), &world);
    let to = tempfile::tempdir().unwrap();
    // the operator kept a copy of the vault from before the erasure
    std::fs::write(to.path().join(VAULT), &keys).unwrap();
    restored(&after, to.path(), &world.key(), Some(&last)).unwrap();
    let back = world.open_writable(to.path());
    let sealed = back.view().log().sealed_person(place).unwrap();
    assert_eq!(sealed, None, "the section was destroyed with its key");
    let reader = back.vault_reader();
    assert_eq!(reader.open_section(person, &[0; 64], place).unwrap(), None);
    back.close().unwrap();
    let report = audited(to.path(), world.key()).unwrap();
    assert_eq!(
        (report.personal_sections, report.personal_sections_gone),
        (0, 1)
    );
}

#[test]
fn a_hosted_request_comes_back_with_its_record() {
    let (mut world, _folder, mut sequencer) = ledger(1);
    let unit = world.unit();
    let item = world.created(unit);
    let Item::Signed { record, .. } = &item else {
        panic!()
    };
    assert!(matches!(record.body(), Body::UnitCreated(_)));
    let request = crate::ledger::job::JobRequest {
        entity: world.entity(crate::ledger::world::Who::Producer),
        key: "key-1".into(),
        request_hash: Hash::of(&[b"what was asked"]),
    };
    let job = crate::ledger::job::Job {
        items: vec![item.clone()],
        atomic: true,
        request: Some(request.clone()),
    };
    sequencer.admit(vec![job.clone()], world.now_ms).unwrap();
    let (_, bytes) = sealed_backup(&sequencer.view(), &world);
    let to = tempfile::tempdir().unwrap();
    restored(&bytes, to.path(), &world.key(), Some(&last_of(&sequencer))).unwrap();
    let mut back = world.open_writable(to.path());
    let mut other = job.clone();
    other.request = Some(crate::ledger::job::JobRequest {
        request_hash: Hash::of(&[b"something else"]),
        ..request
    });
    let outcomes = back.admit(vec![job, other], world.now_ms).unwrap();
    use crate::ledger::job::Outcome;
    assert!(matches!(&outcomes[0][0], Outcome::Admitted(admitted) if admitted.is_duplicate));
    assert!(
        matches!(&outcomes[1][0], Outcome::Refused(why) if why.invalid.rule == Rule::IdempotencyReused)
    );
    back.close().unwrap();
    audited(to.path(), world.key()).unwrap();
}
