//! What an audit passes, and what it names: every edit here is made through the
//! engine, with checksums that hold.

use super::*;
use crate::ledger::job::Item;
use crate::ledger::log::{ANNEX, ENTRIES, REQUESTS, TREE, VAULT};
use crate::ledger::sequencer::Sequencer;
use crate::ledger::world::{Who, World};
use crate::proof::merkle::{Frontier, leaf_hash};
use crate::record::encode;
use crate::record::kinds::unit_created::UnitCreated;
use crate::record::section::{Opening, Openings};
use crate::store::table::{OrderedTable, SequenceTable, Tables};
use tempfile::TempDir;

mod edits;

/// Records of the world's genesis.
const GENESIS: u64 = 10;

struct Scene {
    world: World,
    folder: TempDir,
}

impl Scene {
    /// A closed ledger of 10 + 3 × `units` records.
    fn new(units: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut world = World::new(7);
        let mut sequencer = world.create(folder.path());
        let goods = world.goods(units);
        world.admit(&mut sequencer, goods);
        sequencer.close().unwrap();
        Self { world, folder }
    }

    fn options(&self, temporary: &TempDir) -> Options {
        Options {
            threads: NonZeroUsize::new(2).unwrap(),
            memory_bytes: 16 << 20,
            ..Options::new(self.world.key(), temporary.path().into())
        }
    }

    fn audit(&self) -> Result<AuditReport, AuditFailed> {
        self.audit_with(|_| {})
    }

    fn audit_with(&self, change: impl FnOnce(&mut Options)) -> Result<AuditReport, AuditFailed> {
        let temporary = tempfile::tempdir().unwrap();
        let mut options = self.options(&temporary);
        change(&mut options);
        let before = bytes_of(self.folder.path());
        let outcome = audit(self.folder.path(), &options, &mut |_, _| {});
        assert!(
            bytes_of(self.folder.path()) == before,
            "the ledger was touched"
        );
        outcome
    }

    fn damage(&self) -> Damage {
        match self.audit() {
            Err(AuditFailed::Damaged(damage)) => *damage,
            other => panic!("{other:?}"),
        }
    }

    fn edit(&self, edit: impl FnOnce(&Database)) {
        let path = self.folder.path().join(LOG);
        let database = Database::open(&path, log::TABLES, Check::Quick, 1 << 20).unwrap();
        edit(&database);
        database.close().unwrap();
    }

    fn put(&self, table: SequenceTable, key: u64, value: &[u8]) {
        self.edit(|database| {
            database
                .write(|batch| batch.put(table, key, value))
                .unwrap()
        });
    }

    fn get(&self, table: SequenceTable, key: u64) -> Vec<u8> {
        let mut found = None;
        self.edit(|database| found = database.snapshot().unwrap().get(table, key).unwrap());
        found.unwrap()
    }

    /// Puts other entries from `from` on, with the tree that follows from them:
    /// what an editor does who knows the layout but has no keys.
    fn rewrite(&self, from: u64, entries: Vec<Vec<u8>>) {
        self.edit(|database| {
            let log = LogView::new(database.snapshot().unwrap());
            let mut frontier = Frontier::from_nodes(&log, from).unwrap();
            let rows = entries.iter().zip(from..).map(|(entry, index)| {
                let nodes = frontier.push(leaf_hash(entry)).unwrap();
                let nodes: Vec<u8> = nodes.iter().flat_map(|node| *node.as_bytes()).collect();
                (index, entry, nodes)
            });
            let rows: Vec<_> = rows.collect();
            let write = database.write(|batch| {
                rows.iter().try_for_each(|(index, entry, nodes)| {
                    batch.put(ENTRIES, *index, entry)?;
                    batch.put(TREE, *index, nodes)
                })
            });
            write.unwrap();
        });
    }

    fn entries(&self, from: u64) -> Vec<Vec<u8>> {
        let mut found = Vec::new();
        self.edit(|database| {
            let log = LogView::new(database.snapshot().unwrap());
            for index in from..log.size().unwrap() {
                found.push(log.entry_bytes(index).unwrap().unwrap());
            }
        });
        found
    }

    fn drop_from(&self, from: u64, to: u64) {
        self.edit(|database| {
            let write = database.write(|batch| {
                for index in from..to {
                    for table in [ENTRIES, TREE, ANNEX, REQUESTS] {
                        batch.delete(table, index)?;
                    }
                    batch.delete(VAULT, index * 8)?;
                }
                Ok(())
            });
            write.unwrap();
        });
    }
}

fn bytes_of(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.clone(), std::fs::read(path).unwrap()))
        .collect();
    files.sort();
    files
}

#[test]
fn a_sound_ledger_passes_and_is_left_byte_for_byte_as_it_was() {
    let scene = Scene::new(200);
    let temporary = tempfile::tempdir().unwrap();
    let mut seen = Vec::new();
    let before = bytes_of(scene.folder.path());
    let report = audit(
        scene.folder.path(),
        &scene.options(&temporary),
        &mut |done, total| seen.push((done, total)),
    )
    .unwrap();
    assert!(bytes_of(scene.folder.path()) == before);
    let size = GENESIS + 600;
    assert_eq!((report.size, report.last_checkpoint_size), (size, size));
    assert_eq!((report.signatures, report.keys), (size, 3 + 3));
    assert_eq!(report.kinds["warehouse_in"], 200);
    assert_eq!(report.kinds.values().sum::<u64>(), size);
    assert_eq!(
        (report.personal_sections, report.personal_sections_gone),
        (200, 0)
    );
    let DerivedTables::Agree { merged_to, rows } = report.derived else {
        panic!("{:?}", report.derived)
    };
    assert_eq!(merged_to, size);
    assert!(rows > 3 * 600, "{rows}");
    assert_eq!(seen.last(), Some(&(size, size)));
    assert!(seen.is_sorted());
}

#[test]
fn what_was_moved_out_voided_and_erased_replays_too() {
    let mut scene = Scene::new(0);
    let mut sequencer = scene.world.open_writable(scene.folder.path());
    let (unit, person) = (scene.world.unit(), scene.world.person());
    let created = scene.world.created(unit);
    let Item::Signed { record, .. } = &created else {
        panic!()
    };
    let target = record.hash();
    let items = vec![
        created,
        scene.world.certificate_of(unit, person),
        scene.world.warehouse(unit, true, "40 公斤"),
        scene.world.warehouse(unit, false, "15 公斤"),
        scene.world.voided(target, unit),
        scene.world.erased(person),
    ];
    scene.world.admit(&mut sequencer, items);
    sequencer.close().unwrap();
    let report = scene.audit().unwrap();
    assert_eq!(report.size, GENESIS + 6);
    assert_eq!(report.personal_sections_gone, 1);
    // more than lay there, signed by the store itself, with a tree that fits
    let item = scene.world.warehouse(unit, false, "1 公斤");
    let Item::Signed { record, openings } = item else {
        panic!()
    };
    scene.rewrite(GENESIS + 6, vec![record.entry(scene.world.now_ms)]);
    let trade = encode::encode(&openings.trade.unwrap());
    scene.put(ANNEX, GENESIS + 6, &trade);
    let damage = scene.damage();
    assert_eq!(damage.index, Some(GENESIS + 6));
    assert_eq!(damage.rule, Some(Rule::UnitVoided), "{damage}");
}

#[test]
fn an_empty_ledger_is_sound() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::new(7);
    let sequencer =
        crate::ledger::opening::create(folder.path(), World::settings(), world.parts()).unwrap();
    sequencer.close().unwrap();
    let scene = Scene { world, folder };
    assert_eq!(scene.audit().unwrap().size, 0);
}

#[test]
fn state_beyond_the_memory_given_goes_to_the_temporary_folder_and_still_agrees() {
    let scene = Scene::new(60);
    let report = scene
        .audit_with(|options| options.memory_bytes = 64 << 10)
        .unwrap();
    assert!(matches!(report.derived, DerivedTables::Agree { .. }));
}

#[test]
fn an_index_that_lags_is_compared_where_it_stands_and_one_that_is_missing_is_said_to_be() {
    let mut scene = Scene::new(5);
    let index = scene.folder.path().join(INDEX);
    let old = std::fs::read(&index).unwrap();
    let mut sequencer = scene.world.open_writable(scene.folder.path());
    let goods = scene.world.goods(5);
    scene.world.admit(&mut sequencer, goods);
    sequencer.close().unwrap();
    std::fs::write(&index, old).unwrap();
    let report = scene.audit().unwrap();
    let DerivedTables::Agree { merged_to, .. } = report.derived else {
        panic!("{:?}", report.derived)
    };
    assert_eq!((merged_to, report.size), (GENESIS + 15, GENESIS + 30));
    std::fs::remove_file(&index).unwrap();
    let report = scene.audit().unwrap();
    assert!(matches!(report.derived, DerivedTables::Absent { .. }));
}

#[test]
fn checkpoints_that_others_hold_must_be_extended() {
    let folder = tempfile::tempdir().unwrap();
    let mut world = World::new(7);
    let mut sequencer = world.create(folder.path());
    let note = |sequencer: &Sequencer| sequencer.view().checkpoint().note().to_owned();
    let early = note(&sequencer);
    let goods = world.goods(2);
    world.admit(&mut sequencer, goods);
    let late = note(&sequencer);
    sequencer.close().unwrap();
    // the same ledger's key on another story of the same length
    let elsewhere = tempfile::tempdir().unwrap();
    let mut other = World::new(7);
    let mut sequencer = other.create(elsewhere.path());
    other.unit();
    let goods = other.goods(2);
    other.admit(&mut sequencer, goods);
    let forked = note(&sequencer);
    let goods = other.goods(1);
    other.admit(&mut sequencer, goods);
    let longer = note(&sequencer);
    let strange = {
        let folder = tempfile::tempdir().unwrap();
        note(&World::new(8).create(folder.path()))
    };
    let scene = Scene { world, folder };
    let held = |note: &str| {
        let held = Held {
            name: "note.txt".into(),
            note: note.into(),
            statement: None,
        };
        scene.audit_with(|options| options.held = vec![held])
    };
    assert_eq!(held(&early).unwrap().held, 1);
    assert_eq!(held(&late).unwrap().held, 1);
    let failed = [
        (forked.as_str(), 4),
        (longer.as_str(), 3),
        (strange.as_str(), 5),
        ("no note", 6),
    ];
    for (note, code) in failed {
        let failed = held(note).unwrap_err();
        assert_eq!(failed.exit_code(), code, "{failed}");
        assert!(failed.to_string().contains("note.txt"), "{failed}");
    }
}

/// A bundle's statement was believed: an audit held its checkpoint alone against
/// the log, so that who left a record out of a bundle was found by nobody.
#[test]
fn a_statement_that_leaves_a_record_out_or_makes_one_up_is_a_fork_by_its_subject() {
    let folder = tempfile::tempdir().unwrap();
    let mut world = World::new(7);
    let mut sequencer = world.create(folder.path());
    let goods = world.goods(2);
    world.admit(&mut sequencer, goods);
    let (view, signer) = (sequencer.view(), sequencer.signer());
    let note = view.checkpoint().note().to_owned();
    let subjects: BTreeMap<_, _> = (GENESIS..view.size())
        .flat_map(|index| {
            view.entry(index)
                .unwrap()
                .signed
                .statement()
                .subjects
                .clone()
        })
        .map(|subject| {
            (
                subject,
                view.about(&subject, 0, 100).unwrap().into_iter().collect(),
            )
        })
        .collect();
    let honest = crate::proof::completeness::Completeness {
        checkpoint: view.checkpoint().checkpoint().clone(),
        subjects,
    };
    drop(view);
    let goods = world.goods(1);
    world.admit(&mut sequencer, goods);
    sequencer.close().unwrap();
    let scene = Scene { world, folder };
    let held = |statement: &crate::proof::completeness::Completeness| {
        let held = Held {
            name: "7K3M.bundle.json".into(),
            note: note.clone(),
            statement: Some(statement.sign(&signer).unwrap()),
        };
        scene.audit_with(|options| options.held = vec![held])
    };
    assert_eq!(held(&honest).unwrap().held, 1);
    let mut lies = 0;
    for subject in honest.subjects.keys() {
        for index in &honest.subjects[subject] {
            let mut lie = honest.clone();
            lie.subjects.get_mut(subject).unwrap().remove(index);
            let failed = held(&lie).unwrap_err();
            assert_eq!(failed.exit_code(), 4, "{failed}");
            let said = failed.to_string();
            assert!(
                said.contains(&format!("leaves out record {index}")),
                "{said}"
            );
            assert!(said.contains(&subject.0.to_string()), "{said}");
            lies += 1;
        }
    }
    assert!(lies > 6, "{lies}");
    let mut lie = honest.clone();
    let first = lie.subjects.values_mut().next().unwrap();
    let other = (0..honest.checkpoint.size).find(|index| !first.contains(index));
    first.insert(other.unwrap());
    let failed = held(&lie).unwrap_err();
    assert!(
        failed.to_string().contains("which is not about it"),
        "{failed}"
    );
    // Of another tree, or of more than there is.
    let mut lie = honest.clone();
    lie.checkpoint.root = Hash::of(&[b"another"]);
    assert_eq!(held(&lie).unwrap_err().exit_code(), 4);
    let mut lie = honest;
    lie.checkpoint.size += 100;
    assert_eq!(held(&lie).unwrap_err().exit_code(), 3);
}

#[test]
fn another_key_a_missing_ledger_or_checkpoint_and_a_ledger_in_use_are_told_apart() {
    let scene = Scene::new(1);
    let stranger = World::new(8).key();
    let failed = scene
        .audit_with(|options| options.key = stranger)
        .unwrap_err();
    assert_eq!(failed.exit_code(), 5, "{failed}");
    let last = scene.folder.path().join(LAST_CHECKPOINT);
    let note = std::fs::read(&last).unwrap();
    // without the file, the first record still tells the key
    std::fs::remove_file(&last).unwrap();
    let stranger = World::new(8).key();
    let failed = scene
        .audit_with(|options| options.key = stranger)
        .unwrap_err();
    assert_eq!(failed.exit_code(), 5, "{failed}");
    let failed = scene.audit().unwrap_err();
    assert_eq!(failed.exit_code(), 6, "{failed}");
    assert!(
        failed.to_string().contains("13 entries are sound"),
        "{failed}"
    );
    let mut changed = note.clone();
    changed[30] ^= 1;
    std::fs::write(&last, changed).unwrap();
    assert_eq!(scene.audit().unwrap_err().exit_code(), 1);
    std::fs::write(&last, note).unwrap();
    let sequencer = scene.world.open_writable(scene.folder.path());
    let temporary = tempfile::tempdir().unwrap();
    let options = scene.options(&temporary);
    let failed = audit(scene.folder.path(), &options, &mut |_, _| {}).unwrap_err();
    assert_eq!(failed.exit_code(), 6, "{failed}");
    assert!(failed.to_string().contains("another process"), "{failed}");
    sequencer.close().unwrap();
    let nowhere = tempfile::tempdir().unwrap();
    let failed = audit(nowhere.path(), &options, &mut |_, _| {}).unwrap_err();
    assert_eq!(failed.exit_code(), 6, "{failed}");
    scene.audit().unwrap();
}

#[test]
fn every_flipped_page_of_the_log_is_reported_and_never_a_crash() {
    let scene = Scene::new(2);
    let path = scene.folder.path().join(LOG);
    let sound = std::fs::read(&path).unwrap();
    let (mut reported, mut harmless) = (0, 0);
    for at in (0..sound.len()).step_by(sound.len() / 60) {
        let mut changed = sound.clone();
        changed[at] ^= 0xff;
        std::fs::write(&path, changed).unwrap();
        match scene.audit() {
            Ok(report) => {
                // a byte of a free page: what is in use is all there
                assert_eq!(report.size, GENESIS + 6);
                harmless += 1;
            }
            Err(failed) => {
                assert!(!matches!(failed, AuditFailed::WrongLedger(_)), "{failed}");
                reported += 1;
            }
        }
    }
    println!("{reported} reported, {harmless} in free pages");
    assert!(reported > 0);
}
