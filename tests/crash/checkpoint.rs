//! The last checkpoint is the one file that can say that the log is not what it
//! was: what a ledger makes of one that is lost, old, ahead, foreign or spoilt.

use super::history::History;
use super::ledger::{self, checkpoint_path};
use super::seed;
use super::survival::{Depth, Witness};
use trace_core::error::Store;
use trace_core::ledger::opening::{self, INDEX, LOG, Opened, Settings, VAULT};
use trace_core::proof::checkpoint::{Checkpoint, VerifiedCheckpoint};
use trace_core::proof::note::NoteSigner;
use trace_core::record::{Hash, Origin};
use trace_fixtures::World;
use trace_fixtures::disk::{Kept, Medium, SimulatedDisk};
use trace_fixtures::stage;

/// The ledger after so many groups, killed.
fn ledger_of(history: &History, groups: usize) -> Medium {
    let answer = &history.answers[groups - 1];
    answer.medium.after_power_cut(Kept::Everything)
}

/// Opens with this in the place of the last checkpoint; it must be read-only,
/// and leave the file as it is. Why, and the last checkpoint that is known.
fn read_only(
    history: &History,
    medium: &Medium,
    note: Option<&[u8]>,
) -> (String, Option<VerifiedCheckpoint>) {
    let mut medium = medium.clone();
    match note {
        Some(note) => medium.put(&checkpoint_path(), note),
        None => medium.take(&checkpoint_path()),
    }
    let disk = SimulatedDisk::from(medium);
    let opened = ledger::open(&disk, &history.world);
    assert_eq!(
        disk.medium().read(&checkpoint_path()),
        note,
        "the file was changed"
    );
    match opened.unwrap() {
        Opened::ReadOnly { why, last, .. } => (why, last),
        Opened::Writable(_) => panic!("writes behind {:?}", note.map(String::from_utf8_lossy)),
    }
}

fn sign(signer: &NoteSigner, origin: &Origin, size: u64, root: Hash) -> String {
    let checkpoint = Checkpoint {
        origin: origin.clone(),
        size,
        root,
    };
    checkpoint.sign(signer).unwrap().note().to_owned()
}

#[test]
fn a_lost_last_checkpoint_opens_read_only_and_says_what_to_supply() {
    let history = History::of(seed());
    let (why, last) = read_only(&history, &ledger_of(&history, 20), None);
    assert_eq!(
        why,
        "/kept/last-checkpoint is missing: supply the last checkpoint that this ledger signed"
    );
    assert_eq!(last, None);
}

#[test]
fn any_older_checkpoint_of_the_ledger_is_extended_and_signed_anew() {
    let history = History::of(seed());
    let medium = ledger_of(&history, 20);
    let newest = history.answers[19].checkpoint.note();
    for older in &history.answers[..20] {
        let mut medium = medium.clone();
        medium.put(&checkpoint_path(), older.checkpoint.note().as_bytes());
        let disk = SimulatedDisk::from(medium);
        let Opened::Writable(sequencer) = ledger::open(&disk, &history.world).unwrap() else {
            panic!(
                "read-only behind a checkpoint of {}",
                older.checkpoint.size()
            )
        };
        assert_eq!(sequencer.view().checkpoint().note(), newest);
        assert_eq!(
            disk.medium().read(&checkpoint_path()),
            Some(newest.as_bytes())
        );
    }
}

#[test]
fn a_log_that_is_behind_its_checkpoint_is_a_rollback_until_it_is_put_back() {
    let history = History::of(seed());
    let witness = Witness::of(&history);
    let then = ledger_of(&history, 20);
    for newer in 20..history.answers.len() {
        let last = &history.answers[newer].checkpoint;
        let (signed, held) = (last.size(), history.size(20));
        let (why, found) = read_only(&history, &then, Some(last.note().as_bytes()));
        let begins = format!(
            "rollback: the last signed checkpoint covers {signed} entries, the log holds {held}; {} are missing",
            signed - held
        );
        assert!(why.starts_with(&begins), "{why}");
        assert_eq!(found.as_ref(), Some(last));
    }
    // The log that was lost is found again, and the ledger goes on.
    let now = ledger_of(&history, 30);
    let mut mended = then;
    for name in [LOG, INDEX, VAULT] {
        mended.put(&ledger::path(name), now.read(&ledger::path(name)).unwrap());
    }
    mended.put(&checkpoint_path(), now.read(&checkpoint_path()).unwrap());
    assert_eq!(witness.check(&mended, 30, Depth::Deep), Ok(30));
}

#[test]
fn a_checkpoint_with_another_root_is_a_fork() {
    let history = History::of(seed());
    let parts = stage::parts(&history.world);
    let medium = ledger_of(&history, 20);
    for size in [1, history.size(10), history.size(20)] {
        let note = sign(&parts.signer, &parts.origin, size, Hash::of(&[b"another"]));
        let (why, last) = read_only(&history, &medium, Some(note.as_bytes()));
        let begins = format!("fork: the last signed checkpoint of {size} entries has root ");
        assert!(why.starts_with(&begins), "{why}");
        assert_eq!(last.unwrap().size(), size);
    }
}

#[test]
fn a_checkpoint_of_another_ledger_or_key_is_not_this_ledgers() {
    let history = History::of(seed());
    let medium = ledger_of(&history, 20);
    let own = &history.answers[19].checkpoint;
    // Of the same name under another key, and of another name under the same.
    let origin = history.world.origin();
    let other = Origin::parse("elsewhere.example/trace").unwrap();
    let stranger = World::new(8);
    for (name, key) in [
        (origin, stranger.ledger_key()),
        (&other, history.world.ledger_key()),
    ] {
        let signer = NoteSigner::new(name.as_str(), key).unwrap();
        let note = sign(&signer, name, own.size(), *own.root());
        let (why, last) = read_only(&history, &medium, Some(note.as_bytes()));
        assert!(why.starts_with("/kept/last-checkpoint: "), "{why}");
        assert!(why.contains("wrong ledger or key"), "{why}");
        assert_eq!(last, None);
    }
}

#[test]
fn every_truncation_and_every_flipped_bit_of_the_last_checkpoint_is_refused() {
    let history = History::of(seed());
    let medium = ledger_of(&history, 20);
    let note = history.answers[19].checkpoint.note().as_bytes();
    let truncations = (0..note.len()).map(|length| note[..length].to_vec());
    let flips = (0..8 * note.len()).map(|bit| {
        let mut flipped = note.to_vec();
        flipped[bit / 8] ^= 1 << (bit % 8);
        flipped
    });
    let garbage = [vec![0; 512], vec![0xff; 193], [note, note].concat()];
    for spoilt in truncations.chain(flips).chain(garbage) {
        let (why, last) = read_only(&history, &medium, Some(&spoilt));
        assert!(why.starts_with("/kept/last-checkpoint"), "{why}");
        assert_eq!(last, None);
    }
}

/// Beginning a ledger wrote a checkpoint of nothing over whatever was kept, so
/// that a ledger which had lost its folder, but not the other disk with its last
/// checkpoint, began anew under the same key: a fork that it signed itself.
#[test]
fn a_ledger_is_never_begun_where_its_key_has_signed_entries() {
    let history = History::of(seed());
    let mut medium = Medium::default();
    let last = history.answers[19].checkpoint.note().as_bytes();
    medium.put(&checkpoint_path(), last);
    let disk = SimulatedDisk::from(medium);
    let Err(Store::Place { path, why }) = ledger::create(&disk, &history.world) else {
        panic!("began anew")
    };
    assert_eq!(path, checkpoint_path());
    assert!(why.starts_with("this ledger has signed "), "{why}");
    assert_eq!(disk.medium().read(&checkpoint_path()), Some(last));
    assert_eq!(disk.medium().file(&ledger::path(LOG)), None);

    // Nor over what cannot be read.
    let mut medium = Medium::default();
    medium.put(&checkpoint_path(), b"something else");
    let disk = SimulatedDisk::from(medium);
    let refused = ledger::create(&disk, &history.world).map(|_| ());
    assert!(matches!(refused, Err(Store::Place { .. })), "{refused:?}");

    // Nor where persons' keys lie without their log.
    let mut medium = Medium::default();
    let vault = ledger_of(&history, 20);
    medium.put(
        &ledger::path(VAULT),
        vault.read(&ledger::path(VAULT)).unwrap(),
    );
    let disk = SimulatedDisk::from(medium);
    let refused = ledger::create(&disk, &history.world).map(|_| ());
    assert!(matches!(refused, Err(Store::Place { .. })), "{refused:?}");
}

/// A creation that was cut off between its files could neither be opened, for
/// the vault was missing, nor made again, for the log was there.
#[test]
fn a_creation_that_was_cut_off_is_finished_by_doing_it_again() {
    let world = World::new(7);
    let files = [
        LOG,
        INDEX,
        VAULT,
        "last-checkpoint",
        "last-checkpoint.spare",
    ];
    let whole = tempfile::tempdir().unwrap();
    let parts = || stage::parts(&world);
    drop(opening::create(whole.path(), Settings::default(), parts()).unwrap());
    // The log comes last: every set of the other files may have been left.
    for left in 0..16 {
        let folder = tempfile::tempdir().unwrap();
        for (place, name) in files[1..].iter().enumerate() {
            if left & (1 << place) != 0 {
                std::fs::copy(whole.path().join(name), folder.path().join(name)).unwrap();
            }
        }
        assert!(!opening::is_ledger(folder.path()));
        let made = opening::create(folder.path(), Settings::default(), parts()).unwrap();
        made.close().unwrap();
        let opened = opening::open(folder.path(), Settings::default(), parts()).unwrap();
        assert!(matches!(opened, Opened::Writable(_)));
        drop(opened);
        let again = opening::create(folder.path(), Settings::default(), parts()).map(|_| ());
        assert!(matches!(again, Err(Store::Place { .. })), "{again:?}");
    }
}
