//! What the engine's wrapper keeps and refuses, on real files and on a backend
//! that fails where it is told to.

use super::faults::{FailingBackend, Failure, KEPT};
use super::*;
use std::collections::BTreeMap;

const LOG: SequenceTable = SequenceTable("log");
const NAMES: OrderedTable = OrderedTable("names");
const TABLES: Tables = Tables {
    sequences: &[LOG],
    ordered: &[NAMES],
};
const CACHE_BYTES: usize = 4 << 20;

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

fn create(path: &Path) -> Database {
    Database::create(path, TABLES, CACHE_BYTES).unwrap()
}

/// Batch `n` holds ten rows in both tables; reading finds how many whole
/// batches are there and fails on a part of one.
fn write_batch(database: &Database, n: u64) -> Result<(), Store> {
    database.write(|batch| {
        for row in n * 10..n * 10 + 10 {
            batch.put(LOG, row, &row.to_be_bytes())?;
            batch.put(NAMES, &(row ^ 0x5a5a).to_le_bytes(), &row.to_be_bytes())?;
        }
        Ok(())
    })
}

fn whole_batches(database: &Database) -> u64 {
    let snapshot = database.snapshot().unwrap();
    let rows = snapshot.len(LOG).unwrap();
    assert_eq!(rows % 10, 0, "part of a batch is there");
    assert_eq!(snapshot.len(NAMES).unwrap(), rows);
    for row in 0..rows {
        let wanted = Some(row.to_be_bytes().to_vec());
        assert_eq!(snapshot.get(LOG, row).unwrap(), wanted);
        let name = (row ^ 0x5a5a).to_le_bytes();
        assert_eq!(snapshot.get(NAMES, &name).unwrap(), wanted);
    }
    rows / 10
}

#[test]
fn what_is_written_is_read_back_after_closing_and_opening() {
    let folder = folder();
    let path = folder.path().join("log.redb");
    let database = create(&path);
    (0..5).for_each(|n| write_batch(&database, n).unwrap());
    database.close().unwrap();
    for check in [Check::Quick, Check::Full] {
        let database = Database::open(&path, TABLES, check, CACHE_BYTES).unwrap();
        assert_eq!(whole_batches(&database), 5);
    }
    let names: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
    assert_eq!(names.len(), 1, "a temporary file was left: {names:?}");
}

#[test]
fn create_refuses_what_exists_and_open_refuses_what_does_not() {
    let folder = folder();
    let path = folder.path().join("log.redb");
    let missing = Database::open(&path, TABLES, Check::Quick, CACHE_BYTES);
    assert!(matches!(missing, Err(Store::Place { .. })), "{missing:?}");
    assert!(!path.exists(), "open made a file");
    std::fs::write(path.with_extension("redb.building"), b"left by a crash").unwrap();
    let database = create(&path);
    let twice = Database::open(&path, TABLES, Check::Quick, CACHE_BYTES);
    assert!(matches!(twice, Err(Store::Place { .. })), "{twice:?}");
    write_batch(&database, 0).unwrap();
    drop(database);
    let again = Database::create(&path, TABLES, CACHE_BYTES);
    assert!(matches!(again, Err(Store::Place { .. })), "{again:?}");
    let database = Database::open(&path, TABLES, Check::Full, CACHE_BYTES).unwrap();
    assert_eq!(whole_batches(&database), 1);

    let held = FailingBackend::default();
    let wanted = Database::open_with_backend(held.clone(), TABLES, Check::Quick, CACHE_BYTES);
    assert!(matches!(wanted, Err(Store::Damaged { .. })), "{wanted:?}");
    drop(Database::create_with_backend(held.clone(), TABLES, CACHE_BYTES).unwrap());
    let again = Database::create_with_backend(held, TABLES, CACHE_BYTES);
    assert!(matches!(again, Err(Store::Engine { .. })), "{again:?}");
}

#[test]
fn a_table_that_was_not_declared_or_is_not_in_the_file_is_an_error() {
    let folder = folder();
    let path = folder.path().join("log.redb");
    let database = create(&path);
    let snapshot = database.snapshot().unwrap();
    let other = snapshot.get(OrderedTable("other"), b"a");
    assert!(matches!(other, Err(Store::Engine { .. })), "{other:?}");
    drop((snapshot, database));
    let more = Tables {
        ordered: &[NAMES, OrderedTable("other")],
        ..TABLES
    };
    let opened = Database::open(&path, more, Check::Quick, CACHE_BYTES);
    assert!(matches!(opened, Err(Store::Damaged { .. })), "{opened:?}");
    let other_kind = Tables {
        sequences: &[],
        ordered: &[OrderedTable("log")],
    };
    let opened = Database::open(&path, other_kind, Check::Quick, CACHE_BYTES);
    assert!(matches!(opened, Err(Store::Damaged { .. })), "{opened:?}");
}

#[test]
fn ranges_and_the_last_row_agree_with_a_map_both_ways() {
    let folder = folder();
    let database = create(&folder.path().join("log.redb"));
    let mut model = BTreeMap::new();
    let mut random = fastrand::Rng::with_seed(7);
    database
        .write(|batch| {
            for _ in 0..500 {
                let key: Vec<u8> = (0..random.usize(0..4)).map(|_| random.u8(0..8)).collect();
                if random.u8(0..4) == 0 {
                    let was = batch.delete(NAMES, &key)?;
                    assert_eq!(was, model.remove(&key).is_some());
                } else {
                    let value = random.u32(..).to_be_bytes().to_vec();
                    batch.put(NAMES, &key, &value)?;
                    assert_eq!(batch.get(NAMES, &key)?.as_ref(), Some(&value));
                    model.insert(key, value);
                }
            }
            Ok(())
        })
        .unwrap();
    let snapshot = database.snapshot().unwrap();
    let all: Vec<_> = model.clone().into_iter().collect();
    for start in 0..all.len() {
        for direction in [Direction::Forward, Direction::Reverse] {
            let mut seen = Vec::new();
            let from = all[start].0.as_slice();
            let broke = snapshot.scan(NAMES, from.., direction, |key, value| {
                seen.push((key.to_vec(), value.to_vec()));
                ControlFlow::<()>::Continue(())
            });
            assert_eq!(broke.unwrap(), None);
            if direction == Direction::Reverse {
                seen.reverse();
            }
            assert_eq!(seen, all[start..]);
        }
    }
    let last = snapshot.last(NAMES).unwrap().unwrap();
    assert_eq!(
        (last.key(), last.value()),
        (&all.last().unwrap().0[..], &all.last().unwrap().1[..])
    );
    assert!(snapshot.last(LOG).unwrap().is_none());
    let first = snapshot.scan(NAMES, .., Direction::Forward, |key, _| {
        ControlFlow::Break(key.to_vec())
    });
    assert_eq!(first.unwrap().as_ref(), Some(&all[0].0));
    database.write(|batch| batch.clear(NAMES)).unwrap();
    assert_eq!(database.snapshot().unwrap().len(NAMES).unwrap(), 0);
    assert_eq!(snapshot.len(NAMES).unwrap(), all.len() as u64);
}

#[test]
fn a_snapshot_is_unmoved_by_later_writes_and_crosses_threads() {
    let folder = folder();
    let database = create(&folder.path().join("log.redb"));
    write_batch(&database, 0).unwrap();
    let before = database.snapshot().unwrap();
    write_batch(&database, 1).unwrap();
    let reader = before.clone();
    let seen = std::thread::spawn(move || reader.len(LOG).unwrap()).join();
    assert_eq!(seen.unwrap(), 10);
    assert_eq!(before.get(LOG, 15).unwrap(), None);
    assert_eq!(whole_batches(&database), 2);
}

#[test]
fn an_error_or_a_panic_in_a_write_ends_writing_but_not_reading() {
    let folder = folder();
    for panics in [false, true] {
        let path = folder.path().join(format!("{panics}.redb"));
        let database = create(&path);
        write_batch(&database, 0).unwrap();
        let attempt = catch_unwind(AssertUnwindSafe(|| {
            database.write(|batch| {
                batch.put(LOG, 10, b"half a batch")?;
                assert!(!panics, "the writer stops here");
                Err::<(), _>(failed("test", "the writer refuses here"))
            })
        }));
        assert_eq!(attempt.is_err(), panics);
        let after = write_batch(&database, 1);
        assert!(matches!(after, Err(Store::ReadOnly { .. })), "{after:?}");
        assert_eq!(whole_batches(&database), 1);
        drop(database);
        let database = Database::open(&path, TABLES, Check::Full, CACHE_BYTES).unwrap();
        assert_eq!(whole_batches(&database), 1);
        write_batch(&database, 1).unwrap();
    }
}

/// The loss that must not happen: batch 2 answered as durable, the disk fails in
/// batch 3, and after the restart batch 2 is gone or half of batch 3 is there.
#[test]
fn a_disk_that_fails_at_any_call_leaves_a_prefix_of_whole_batches() {
    for failure in [Failure::Once, Failure::ForGood] {
        for call in 1.. {
            let backend = FailingBackend::default();
            let created = Database::create_with_backend(backend.clone(), TABLES, CACHE_BYTES);
            let database = created.unwrap();
            backend.fail_after(call, failure);
            let done = (0..4)
                .take_while(|n| write_batch(&database, *n).is_ok())
                .count() as u64;
            if done < 4 {
                let after = write_batch(&database, 9);
                assert!(matches!(after, Err(Store::ReadOnly { .. })), "{after:?}");
            }
            let at_once = KEPT.map(|kept| (kept, backend.after_power_cut(kept)));
            drop(database);
            let after_drop = KEPT.map(|kept| (kept, backend.after_power_cut(kept)));
            for (kept, disk) in at_once.into_iter().chain(after_drop) {
                let opened = Database::open_with_backend(disk, TABLES, Check::Full, CACHE_BYTES);
                let there = whole_batches(&opened.unwrap());
                assert!(
                    there == done || there == done + 1,
                    "{failure:?} at call {call}, {kept:?}: {done} answered, {there} there"
                );
            }
            if done == 4 {
                assert!(call > 20, "only {call} calls were tried");
                break;
            }
        }
    }
}

/// Opens, and reads all there is: the outcome, never a panic.
fn open_and_read(path: &Path, check: Check) -> Result<u64, Store> {
    let database = Database::open(path, TABLES, check, CACHE_BYTES)?;
    let snapshot = database.snapshot()?;
    let mut rows = 0;
    snapshot.scan(LOG, .., Direction::Forward, |key, value| {
        assert_eq!(value, key.to_be_bytes(), "a damaged row was shown as sound");
        rows += 1;
        ControlFlow::<()>::Continue(())
    })?;
    Ok(rows)
}

#[test]
fn a_cut_or_flipped_file_is_reported_as_damage() {
    let folder = folder();
    let path = folder.path().join("log.redb");
    let database = create(&path);
    (0..40).for_each(|n| write_batch(&database, n).unwrap());
    database.close().unwrap();
    let sound = std::fs::read(&path).unwrap();
    let bad = folder.path().join("bad.redb");

    for length in [
        0,
        1,
        63,
        64,
        320,
        4096,
        8192,
        sound.len() / 2,
        sound.len() - 4096,
    ] {
        std::fs::write(&bad, &sound[..length]).unwrap();
        for check in [Check::Quick, Check::Full] {
            let outcome = open_and_read(&bad, check);
            assert!(
                matches!(outcome, Err(Store::Damaged { .. })),
                "cut to {length} bytes, {check:?}: {outcome:?}"
            );
        }
    }

    let seed = 20_260_901;
    println!("seed {seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let mut found = 0;
    for round in 0..200 {
        let mut bytes = sound.clone();
        // the first round hits a row for certain; the others anywhere
        let at = match round {
            0 => bytes
                .windows(8)
                .rposition(|it| it == 399u64.to_be_bytes())
                .unwrap(),
            _ => random.usize(0..bytes.len()),
        };
        bytes[at] ^= 1 << random.u8(0..8);
        std::fs::write(&bad, &bytes).unwrap();
        match open_and_read(&bad, Check::Full) {
            // a page that nothing refers to, or an older copy of one
            Ok(rows) => assert_eq!(rows, 400, "byte {at}"),
            Err(Store::Damaged { .. }) => found += 1,
            Err(other) => panic!("byte {at}: {other}"),
        }
    }
    assert!(found > 0, "no flip was found");
}
