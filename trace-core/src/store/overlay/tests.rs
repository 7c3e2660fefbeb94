//! The index against an ordinary map, and against a disk that dies.

use super::super::redb::faults::{FailingBackend, Failure, KEPT};
use super::super::table::{Check, Direction};
use super::*;
use crate::error::Store;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;

type Model = BTreeMap<Vec<u8>, Vec<u8>>;

fn settings(merging: Merging) -> Settings {
    Settings {
        cache_bytes: 4 << 20,
        merge_threshold_bytes: 8 << 10,
        merging,
    }
}

/// Short keys that share prefixes, 0xff among them, and some too long to lie
/// inline.
fn random_key(random: &mut fastrand::Rng) -> Vec<u8> {
    let letters = [0, 1, 0x7f, 0xfe, 0xff];
    let length = match random.u8(0..10) {
        0 => random.usize(44..60),
        _ => random.usize(0..5),
    };
    let mut key = vec![0xff; length.saturating_sub(5)];
    key.extend((0..length.min(5)).map(|_| letters[random.usize(0..letters.len())]));
    key
}

fn random_bound(random: &mut fastrand::Rng) -> Bound<Vec<u8>> {
    match random.u8(0..4) {
        0 => Bound::Included(random_key(random)),
        1 => Bound::Excluded(random_key(random)),
        _ => Bound::Unbounded,
    }
}

fn borrowed(bound: &Bound<Vec<u8>>) -> Bound<&[u8]> {
    bound.as_ref().map(Vec::as_slice)
}

fn scanned(
    view: &IndexView,
    prefix: &[u8],
    from: Bound<&[u8]>,
    way: Direction,
    limit: usize,
) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut seen = Vec::new();
    let broke = view.scan(prefix, from, way, |key, value| {
        seen.push((key.to_vec(), value.to_vec()));
        if seen.len() == limit {
            return ControlFlow::Break(limit);
        }
        ControlFlow::Continue(())
    });
    assert_eq!(broke.unwrap().is_some(), seen.len() == limit);
    seen
}

/// What a scan is to show, by the plainest means.
fn wanted(
    model: &Model,
    prefix: &[u8],
    from: Bound<&[u8]>,
    way: Direction,
    limit: usize,
) -> Vec<(Vec<u8>, Vec<u8>)> {
    let in_reach = |key: &[u8]| match (way, from) {
        (_, Bound::Unbounded) => true,
        (Direction::Forward, Bound::Included(from)) => key >= from,
        (Direction::Forward, Bound::Excluded(from)) => key > from,
        (Direction::Reverse, Bound::Included(from)) => key <= from,
        (Direction::Reverse, Bound::Excluded(from)) => key < from,
    };
    let all = model
        .iter()
        .map(|(key, value)| (key.clone(), value.clone()));
    let mut rows: Vec<_> = all
        .filter(|(key, _)| key.starts_with(prefix) && in_reach(key))
        .collect();
    if way == Direction::Reverse {
        rows.reverse();
    }
    rows.truncate(limit);
    rows
}

fn assert_agrees(view: &IndexView, model: &Model, random: &mut fastrand::Rng) {
    for _ in 0..4 {
        let key = random_key(random);
        assert_eq!(view.get(&key).unwrap().as_ref(), model.get(&key), "{key:?}");
        let prefix = random_key(random);
        let prefix = &prefix[..random.usize(0..=prefix.len().min(3))];
        let from = random_bound(random);
        let limit = [1, 3, usize::MAX][random.usize(0..3)];
        for way in [Direction::Forward, Direction::Reverse] {
            assert_eq!(
                scanned(view, prefix, borrowed(&from), way, limit),
                wanted(model, prefix, borrowed(&from), way, limit),
                "prefix {prefix:?}, from {from:?}, {way:?}, limit {limit}"
            );
        }
    }
}

/// Fills index and model with random changes; returns the log's size after.
fn change_at_random(
    index: &mut Index,
    model: &mut Model,
    random: &mut fastrand::Rng,
    rounds: u64,
) -> u64 {
    let mut kept: Option<(IndexView, Model)> = None;
    let start = index.current_to();
    for size in start + 1..=start + rounds {
        let key = random_key(random);
        if random.u8(0..3) == 0 {
            index.delete(&key).unwrap();
            model.remove(&key);
        } else {
            let value: Vec<u8> = (0..random.usize(0..80)).map(|_| random.u8(..)).collect();
            index.put(&key, &value).unwrap();
            model.insert(key, value);
        }
        if random.u8(0..20) == 0 {
            let (mark, before) = (index.mark(), index.overlay_bytes());
            for _ in 0..10 {
                index.put(&random_key(random), b"refused").unwrap();
                index.delete(&random_key(random)).unwrap();
            }
            index.rollback(mark).unwrap();
            assert!(index.overlay_bytes() <= before);
        }
        if random.u8(0..4) == 0 {
            index.set_aside();
        }
        index.maybe_merge(size, [7; 32]).unwrap();
        if random.u16(0..300) == 0 {
            index.flush(size, [8; 32]).unwrap();
            assert_eq!((index.current_to(), index.binding()), (size, [8; 32]));
            assert_eq!(index.overlay_bytes(), 0);
        }
        assert_agrees(&index.view(), model, random);
        if let Some((view, then)) = &kept {
            assert_agrees(view, then, random);
        }
        if random.u8(0..50) == 0 {
            kept = Some((index.view(), model.clone()));
        }
    }
    start + rounds
}

#[test]
fn an_index_agrees_with_a_map_across_overlays_merges_and_reopening() {
    let seed = 20_260_902;
    println!("seed {seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    for merging in [Merging::OwnThread, Merging::Inline] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("index.redb");
        let mut index = Index::create(&path, settings(merging)).unwrap();
        assert_eq!((index.current_to(), index.binding()), (0, [0; 32]));
        let mut model = Model::new();
        for _ in 0..3 {
            let size = change_at_random(&mut index, &mut model, &mut random, 500);
            assert!(index.current_to() > 0, "nothing was merged on the way");
            index.flush(size, [9; 32]).unwrap();
            index.close().unwrap();
            index = Index::open(&path, Check::Full, settings(merging)).unwrap();
            assert_eq!((index.current_to(), index.binding()), (size, [9; 32]));
            assert_eq!(index.overlay_bytes(), 0);
            assert_agrees(&index.view(), &model, &mut random);
        }
    }
}

#[test]
fn readers_on_other_threads_see_their_own_moment_while_merges_run() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index.redb");
    let mut index = Index::create(&path, settings(Merging::OwnThread)).unwrap();
    let mut readers = Vec::new();
    for round in 0..50u64 {
        for key in 0..40u64 {
            index.put(&key.to_be_bytes(), &round.to_be_bytes()).unwrap();
        }
        index.maybe_merge(round + 1, [1; 32]).unwrap();
        let view = index.view();
        readers.push(std::thread::spawn(move || {
            let rows = scanned(&view, b"", Bound::Unbounded, Direction::Forward, usize::MAX);
            assert_eq!(rows.len(), 40);
            assert!(rows.iter().all(|(_, value)| *value == round.to_be_bytes()));
        }));
    }
    for reader in readers {
        reader.join().unwrap();
    }
    index.flush(50, [2; 32]).unwrap();
    assert_eq!(index.current_to(), 50);
}

#[test]
fn memory_is_bounded_by_waiting_for_the_running_merge() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index.redb");
    let mut index = Index::create(&path, settings(Merging::OwnThread)).unwrap();
    let threshold = settings(Merging::OwnThread).merge_threshold_bytes;
    for size in 1..=3_000u64 {
        index.put(&size.to_le_bytes(), &[3; 100]).unwrap();
        index.maybe_merge(size, [1; 32]).unwrap();
        let held = index.overlay_bytes();
        assert!(held <= 4 * threshold + 300, "{held} bytes at {size}");
    }
}

#[test]
fn large_runs_are_joined_and_know_what_is_in_them_and_what_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index.redb");
    let large = Settings {
        merge_threshold_bytes: 64 << 20,
        ..settings(Merging::Inline)
    };
    let mut index = Index::create(&path, large).unwrap();
    let mut random = fastrand::Rng::with_seed(20_261_123);
    let mut model = Model::new();
    let mut runs_most = 0;
    for size in 0..200u64 {
        for _ in 0..300 {
            let key = random.u64(0..40_000).to_be_bytes().to_vec();
            if random.u8(0..8) == 0 {
                index.delete(&key).unwrap();
                model.remove(&key);
            } else {
                index.put(&key, &size.to_be_bytes()).unwrap();
                model.insert(key, size.to_be_bytes().to_vec());
            }
        }
        index.set_aside();
        index.maybe_merge(size, [1; 32]).unwrap();
        runs_most = runs_most.max(index.view().runs.len());
    }
    assert_eq!(index.current_to(), 0, "nothing was merged into the file");
    assert!(index.overlay_bytes() > 30_000 * CHANGE_BYTES);
    // 60,000 changes in groups of 300: at most log2 of 200.
    assert!((2..=8).contains(&runs_most), "{runs_most} runs");
    let view = index.view();
    for key in 0..40_000u64 {
        let key = key.to_be_bytes();
        assert_eq!(view.get(&key).unwrap().as_ref(), model.get(&key[..]));
        let absent = [&key[..], &[0]].concat();
        assert_eq!(view.get(&absent).unwrap(), None);
    }
    assert_agrees(&view, &model, &mut random);
    index.flush(200, [2; 32]).unwrap();
    assert_agrees(&index.view(), &model, &mut random);
    assert_agrees(&view, &model, &mut random);
}

#[test]
fn a_mark_from_before_a_merge_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index.redb");
    let mut index = Index::create(&path, settings(Merging::Inline)).unwrap();
    index.put(b"a", b"1").unwrap();
    let mark = index.mark();
    index.flush(1, [1; 32]).unwrap();
    let refused = index.rollback(mark);
    assert!(matches!(refused, Err(Store::Engine { .. })), "{refused:?}");
    assert_eq!(index.view().get(b"a").unwrap(), Some(b"1".to_vec()));
    let mark = index.mark();
    index.delete(b"a").unwrap();
    index.rollback(mark).unwrap();
    assert_eq!(index.view().get(b"a").unwrap(), Some(b"1".to_vec()));
}

#[test]
fn an_index_does_not_go_back_below_the_log_it_is_current_to() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index.redb");
    let mut index = Index::create(&path, settings(Merging::Inline)).unwrap();
    index.put(b"a", b"1").unwrap();
    index.flush(10, [1; 32]).unwrap();
    index.put(b"b", b"2").unwrap();
    let refused = index.flush(9, [1; 32]);
    assert!(matches!(refused, Err(Store::Engine { .. })), "{refused:?}");
}

#[test]
fn a_wiped_index_is_empty_and_takes_changes_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index.redb");
    let on_file = Index::create(&path, settings(Merging::OwnThread)).unwrap();
    let backend = FailingBackend::default();
    let on_backend = Index::with_backend(backend.clone(), Check::Full, settings(Merging::Inline));
    for mut index in [on_file, on_backend.unwrap()] {
        for key in 0..500u64 {
            index.put(&key.to_be_bytes(), &[1; 100]).unwrap();
            index.maybe_merge(key + 1, [1; 32]).unwrap();
        }
        let mut index = index.wipe().unwrap();
        assert_eq!((index.current_to(), index.binding()), (0, [0; 32]));
        let all = scanned(&index.view(), b"", Bound::Unbounded, Direction::Forward, 1);
        assert_eq!(all, []);
        index.put(b"a", b"1").unwrap();
        index.flush(1, [2; 32]).unwrap();
        assert_eq!(index.view().get(b"a").unwrap(), Some(b"1".to_vec()));
        index.close().unwrap();
    }
    assert_eq!(
        Index::open(&path, Check::Full, settings(Merging::Inline))
            .unwrap()
            .current_to(),
        1
    );
    std::fs::write(&path, b"no index at all").unwrap();
    let damaged = Index::open(&path, Check::Quick, settings(Merging::Inline));
    assert!(matches!(damaged, Err(Store::Damaged { .. })), "{damaged:?}");
    let index = Index::recreate(&path, settings(Merging::Inline)).unwrap();
    assert_eq!(index.current_to(), 0);
    let missing = Index::open(
        Path::new("nowhere"),
        Check::Quick,
        settings(Merging::Inline),
    );
    assert!(matches!(missing, Err(Store::Place { .. })), "{missing:?}");
}

/// Folds entries `from..to` of a made-up log: entry n sets its own key, moves a
/// shared counter, and deletes the key of entry n - 5.
fn fold(index: &mut Index, from: u64, to: u64) -> Result<(), Store> {
    for n in from..to {
        index.put(&n.to_be_bytes(), &[5; 60])?;
        index.put(b"count", &(n + 1).to_be_bytes())?;
        if let Some(old) = n.checked_sub(5) {
            index.delete(&old.to_be_bytes())?;
        }
        let binding = [u8::try_from((n + 1) % 251).unwrap(); 32];
        index.maybe_merge(n + 1, binding)?;
    }
    Ok(())
}

/// The loss that must not happen: rows of one moment with the size of another,
/// so that folding the log's tail into them gives a wrong index.
#[test]
fn a_disk_that_dies_in_any_merge_leaves_an_index_that_folds_to_the_same() {
    const SIZE: u64 = 300;
    for merging in [Merging::Inline, Merging::OwnThread] {
        for call in 1.. {
            let backend = FailingBackend::default();
            let mut index =
                Index::with_backend(backend.clone(), Check::Full, settings(merging)).unwrap();
            backend.fail_after(call, Failure::ForGood);
            let folded = fold(&mut index, 0, SIZE);
            let outcome = folded.and_then(|()| index.flush(SIZE, [99; 32]));
            if outcome.is_err() {
                let after = index.put(b"a", b"1");
                assert!(matches!(after, Err(Store::ReadOnly { .. })), "{after:?}");
                let after = index.flush(SIZE, [99; 32]);
                assert!(matches!(after, Err(Store::ReadOnly { .. })), "{after:?}");
            }
            drop(index);
            for kept in KEPT {
                let disk = backend.after_power_cut(kept);
                let mut index = Index::with_backend(disk, Check::Full, settings(merging)).unwrap();
                let current_to = index.current_to();
                let binding = match current_to {
                    0 => 0,
                    SIZE => 99,
                    n => u8::try_from(n % 251).unwrap(),
                };
                assert_eq!(index.binding(), [binding; 32]);
                fold(&mut index, current_to, SIZE).unwrap();
                let rows = scanned(
                    &index.view(),
                    b"",
                    Bound::Unbounded,
                    Direction::Forward,
                    usize::MAX,
                );
                let keys: Vec<_> = rows.iter().map(|(key, _)| key.clone()).collect();
                let mut wanted: Vec<_> =
                    (SIZE - 5..SIZE).map(|n| n.to_be_bytes().to_vec()).collect();
                wanted.push(b"count".to_vec());
                assert_eq!(keys, wanted, "call {call}, current to {current_to}");
                assert_eq!(rows.last().unwrap().1, SIZE.to_be_bytes());
            }
            if outcome.is_ok() {
                assert!(call > 20, "only {call} calls were tried");
                break;
            }
        }
    }
}

/// A disk that was full as the index merged left readers with errors and a writer
/// that knew of nothing until the next record came.
#[test]
fn a_merge_that_fails_is_told_of_though_nothing_more_is_written() {
    let backend = FailingBackend::default();
    let own_thread = settings(Merging::OwnThread);
    let mut index = Index::with_backend(backend.clone(), Check::Full, own_thread).unwrap();
    backend.fail_after(1, Failure::ForGood);
    let mut size = 0;
    while !index.is_merging() {
        fold(&mut index, size, size + 1).unwrap();
        size += 1;
    }
    let told = loop {
        match index.adopt_finished() {
            Ok(()) => std::thread::yield_now(),
            Err(error) => break error,
        }
        assert!(index.is_merging(), "a merge on a dead disk succeeded");
    };
    assert!(!index.is_merging(), "{told}");
    let after = index.adopt_finished();
    assert!(matches!(after, Err(Store::ReadOnly { .. })), "{after:?}");
}
