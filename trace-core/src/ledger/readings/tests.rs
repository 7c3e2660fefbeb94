//! Nothing is lost, nothing counted twice, whatever the order; and what was sealed
//! is what was stored.

mod faults;
mod running;
mod sealed;

use super::rows::{CHUNKS, ROW_MAX, TABLES, UNSEALED, chunks_of};
use super::taking::{Call, take};
use super::*;
use crate::error::Rule;
use crate::store::redb::faults::FailingBackend;
use std::collections::BTreeSet;

/// A Saturday in 2026.
const BEGIN_MS: u64 = 1_790_000_000_000;
const NOW_MS: u64 = BEGIN_MS + 1_000 * 86_400_000;
const MINUTE_MS: u64 = 60_000;

pub(super) fn probe(number: u8) -> EquipmentId {
    EquipmentId::from_bytes([number; 10])
}

fn reading(minute: u64, temperature_milli_c: i32) -> Reading {
    Reading {
        at_ms: BEGIN_MS + minute * MINUTE_MS,
        temperature_milli_c,
    }
}

/// A reading a minute.
pub(super) fn minutes(minutes: std::ops::Range<u64>) -> Vec<Reading> {
    let temperature = |n: u64| -18_000 + i32::try_from(n * 7 % 31).unwrap() * 10;
    minutes.map(|n| reading(n, temperature(n))).collect()
}

fn call(batch: Vec<(EquipmentId, Vec<Reading>)>) -> Call {
    take(batch, NOW_MS).unwrap()
}

fn shelves_over(backend: FailingBackend) -> Shelves {
    let database = Database::create_with_backend(backend, TABLES, 4 << 20);
    Shelves::over(database.unwrap(), 2)
}

pub(super) fn shelves() -> Shelves {
    shelves_over(FailingBackend::default())
}

impl Shelves {
    pub(super) fn store(&self, batch: Vec<(EquipmentId, Vec<Reading>)>) -> Taken {
        self.commit(vec![call(batch)]).unwrap()[0]
    }

    fn range(&self, probe: EquipmentId, ms: RangeInclusive<u64>) -> Range {
        Range::open(&self.database.snapshot().unwrap(), probe, ms).unwrap()
    }

    pub(super) fn all(&self, probe: EquipmentId) -> Vec<Reading> {
        let all = self.range(probe, 0..=u64::MAX);
        all.collect::<Result<_, _>>().unwrap()
    }

    fn rows(&self, probe: EquipmentId, shelf: u64) -> usize {
        let snapshot = self.database.snapshot().unwrap();
        let mut rows = chunks_of(&snapshot, &probe, shelf).unwrap();
        std::iter::from_fn(|| rows.next_row().unwrap()).count()
    }
}

fn sorted(readings: &[Reading]) -> Vec<Reading> {
    let distinct: BTreeSet<_> = readings.iter().copied().collect();
    distinct.into_iter().collect()
}

/// Checks every answer of a range against all there is.
fn check_range(shelves: &Shelves, probe: EquipmentId, all: &[Reading], ms: RangeInclusive<u64>) {
    let (from_ms, until_ms) = (*ms.start(), *ms.end());
    let inside = |it: &&Reading| ms.contains(&it.at_ms);
    let wanted: Vec<_> = all.iter().filter(inside).copied().collect();
    let range = shelves.range(probe, ms.clone());
    let before = all.iter().rfind(|it| it.at_ms < from_ms);
    assert_eq!(range.before().as_ref(), before, "before {from_ms}");
    let after = all.iter().find(|it| it.at_ms > until_ms);
    assert_eq!(range.after().as_ref(), after, "after {until_ms}");
    assert_eq!(range.collect::<Result<Vec<_>, _>>().unwrap(), wanted);
    let mut range = shelves.range(probe, ms);
    let mut runs: Vec<Reading> = Vec::new();
    while let Some(run) = range.next_run().unwrap() {
        assert!(!run.is_empty());
        runs.extend(run);
    }
    assert_eq!(runs, wanted);
}

/// The property the store stands for. Readings arrive in any order, cut into calls
/// in any way, some twice, some in conflict, with segments drafted, confirmed and
/// withdrawn in between.
#[test]
fn every_order_of_arrival_of_the_same_readings_gives_the_same_range() {
    let seed = 20_261_124;
    println!("seed {seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    for round in 0..40 {
        let many = if round % 4 == 0 { 2_500 } else { 300 };
        let mut sent: Vec<(EquipmentId, Reading)> = Vec::new();
        for it in [probe(1), probe(2)] {
            let readings = (0..random.u64(1..many)).map(|n| {
                let gap = if n % 50 == 0 { 3_000 } else { 0 };
                reading(2 * n + gap + random.u64(0..2), random.i32(-20..-18) * 1_000)
            });
            sent.extend(readings.map(|reading| (it, reading)));
        }
        for _ in 0..sent.len() / 3 {
            let (probe, again) = sent[random.usize(0..sent.len())];
            let temperature_milli_c = again.temperature_milli_c + random.i32(0..2);
            sent.push((
                probe,
                Reading {
                    temperature_milli_c,
                    ..again
                },
            ));
        }
        match round % 3 {
            0 => random.shuffle(&mut sent),
            1 => sent.sort_by_key(|(_, it)| u64::MAX - it.at_ms),
            _ => {}
        }
        let shelves = shelves();
        let mut next = [0, 0];
        let mut fresh = 0;
        let mut rest = &sent[..];
        while !rest.is_empty() {
            let mut calls = Vec::new();
            let mut count = 0;
            for _ in 0..random.usize(1..4) {
                let (now, later) = rest.split_at(random.usize(0..=rest.len().min(400)));
                rest = later;
                count += now.len() as u64;
                calls.push(call(
                    now.iter().map(|(probe, it)| (*probe, vec![*it])).collect(),
                ));
            }
            let taken = shelves.commit(calls).unwrap();
            let found: u64 = taken.iter().map(|it| it.fresh + it.known).sum();
            assert_eq!(found, count);
            fresh += taken.iter().map(|it| it.fresh).sum::<u64>();
            let at = random.usize(0..2);
            let it = [probe(1), probe(2)][at];
            let until_ms = BEGIN_MS + random.u64(0..4_000) * MINUTE_MS;
            if random.bool() && shelves.draft(&it, next[at], until_ms).unwrap().is_some() {
                match random.u8(0..3) {
                    0 => shelves.withdraw(&it, next[at]).unwrap(),
                    1 => {
                        shelves.confirm(&it, next[at]).unwrap();
                        next[at] += 1;
                    }
                    _ => {} // stays a draft
                }
            }
        }
        let mut distinct = 0;
        for it in [probe(1), probe(2)] {
            let of_probe = sent.iter().filter(|(probe, _)| *probe == it);
            let all = sorted(&of_probe.map(|(_, reading)| *reading).collect::<Vec<_>>());
            distinct += all.len() as u64;
            check_range(&shelves, it, &all, 0..=u64::MAX);
            for _ in 0..20 {
                let mut ends = [0, 0].map(|_| {
                    let at = all[random.usize(0..all.len())].at_ms;
                    at + random.u64(0..3) - 1
                });
                ends.sort_unstable();
                check_range(&shelves, it, &all, ends[0]..=ends[1]);
            }
        }
        assert_eq!(fresh, distinct, "round {round}");
    }
}

#[test]
fn conflicting_readings_are_kept_and_exact_repeats_counted_once() {
    let shelves = shelves();
    let (one, other) = (reading(5, -18_000), reading(5, -12_000));
    let taken = shelves.store(vec![(probe(1), vec![other, one, one, other])]);
    assert_eq!(taken, Taken { fresh: 2, known: 2 });
    let calls = vec![
        call(vec![(probe(1), vec![one]), (probe(1), vec![reading(6, 0)])]),
        call(vec![(probe(1), vec![reading(6, 0), reading(6, 1)])]),
    ];
    let taken = shelves.commit(calls).unwrap();
    assert_eq!(taken[0], Taken { fresh: 1, known: 1 });
    assert_eq!(taken[1], Taken { fresh: 1, known: 1 });
    let all = [one, other, reading(6, 0), reading(6, 1)];
    assert_eq!(shelves.all(probe(1)), all);
    assert_eq!(shelves.all(probe(2)), []);
    // and when the first of them are sealed
    let draft = shelves.draft(&probe(1), 0, one.at_ms).unwrap().unwrap();
    assert_eq!(draft.count, 2);
    let third = reading(5, -15_000);
    let taken = shelves.store(vec![(probe(1), vec![one, third, other, reading(6, 1)])]);
    assert_eq!(taken, Taken { fresh: 1, known: 3 });
    let all = sorted(&[&all[..], &[third]].concat());
    assert_eq!(shelves.all(probe(1)), all);
    check_range(&shelves, probe(1), &all, one.at_ms..=one.at_ms);
}

#[test]
fn single_readings_gather_in_full_rows_and_late_ones_split_them_evenly() {
    let shelves = shelves();
    let live = minutes(0..2 * ROW_MAX as u64 + 10);
    for reading in &live {
        shelves.store(vec![(probe(1), vec![*reading])]);
    }
    assert_eq!(shelves.all(probe(1)), live);
    assert_eq!(shelves.rows(probe(1), UNSEALED), 3);
    // a day that arrives late, between two readings of a full row
    let late: Vec<_> = (1..1_000)
        .map(|n| Reading {
            at_ms: live[100].at_ms + n,
            temperature_milli_c: 0,
        })
        .collect();
    shelves.store(vec![(probe(1), late.clone())]);
    assert_eq!(shelves.all(probe(1)), sorted(&[live, late].concat()));
    assert_eq!(shelves.rows(probe(1), UNSEALED), 5);
    // and one from before all
    shelves.store(vec![(
        probe(1),
        vec![Reading {
            at_ms: EARLIEST_MS,
            temperature_milli_c: 1,
        }],
    )]);
    assert_eq!(shelves.rows(probe(1), UNSEALED), 5);
    assert_eq!(shelves.all(probe(1))[0].at_ms, EARLIEST_MS);
}

/// A day at once does not read the day before again, unless too little was left.
#[test]
fn a_burst_leaves_a_row_that_is_half_full_and_fills_one_that_is_not() {
    let shelves = shelves();
    for (until, rows) in [(1_440, 3), (2_880, 6), (3_072, 7), (3_080, 7), (4_520, 10)] {
        let from = shelves.all(probe(1)).len() as u64;
        shelves.store(vec![(probe(1), minutes(from..until))]);
        assert_eq!(shelves.all(probe(1)), minutes(0..until));
        assert_eq!(shelves.rows(probe(1), UNSEALED), rows, "after {until}");
    }
}

#[test]
fn a_group_s_probes_keep_to_themselves_over_all_threads() {
    let shelves = shelves();
    let batch: Vec<_> = (0..50)
        .map(|n| (probe(n), minutes(0..600 + u64::from(n))))
        .collect();
    let taken = shelves.store(batch.clone());
    assert_eq!(taken.known, 0);
    for (probe, readings) in batch {
        assert_eq!(shelves.all(probe), readings);
    }
}

#[test]
fn a_row_that_was_changed_in_the_store_is_damage_and_names_its_probe() {
    let shelves = shelves();
    shelves.store(vec![(probe(1), minutes(0..600)), (probe(2), minutes(0..9))]);
    let snapshot = shelves.database.snapshot().unwrap();
    let mut rows = chunks_of(&snapshot, &probe(1), UNSEALED).unwrap();
    let row = rows.next_row().unwrap().unwrap();
    let mut bytes = row.value().to_vec();
    bytes[60] ^= 1;
    let put = |key: &[u8], bytes: &[u8]| {
        shelves
            .database
            .write(|batch| batch.put(CHUNKS, key, bytes))
            .unwrap();
    };
    put(row.key(), &bytes);
    let read = || {
        let snapshot = shelves.database.snapshot()?;
        Range::open(&snapshot, probe(1), BEGIN_MS..=BEGIN_MS)?.collect::<Result<Vec<_>, _>>()
    };
    let named = |outcome: Result<Vec<Reading>, Store>| match outcome {
        Err(Store::Damaged { what }) => assert!(what.contains(&probe(1).to_string()), "{what}"),
        other => panic!("{other:?}"),
    };
    named(read());
    // another row of the same probe in its place
    let other = rows.next_row().unwrap().unwrap();
    put(row.key(), other.value());
    named(read());
    assert_eq!(shelves.all(probe(2)), minutes(0..9));
}

#[test]
fn what_cannot_be_is_refused_whole_and_what_just_can_is_taken() {
    let latest_ms = NOW_MS;
    let one = |at_ms, temperature_milli_c| {
        let reading = Reading {
            at_ms,
            temperature_milli_c,
        };
        vec![(probe(1), vec![reading])]
    };
    for (batch, refused) in [
        (one(latest_ms, 0), None),
        (one(latest_ms + 1, 0), Some(Rule::EventAhead)),
        (one(EARLIEST_MS, 0), None),
        (one(EARLIEST_MS - 1, 0), Some(Rule::Instant)),
        (one(BEGIN_MS / 1_000, 0), Some(Rule::Instant)),
        (one(BEGIN_MS, -200_000), None),
        (one(BEGIN_MS, -200_001), Some(Rule::Temperature)),
        (one(BEGIN_MS, 100_000), None),
        (one(BEGIN_MS, 100_001), Some(Rule::Temperature)),
    ] {
        let taken = take(batch.clone(), latest_ms);
        assert_eq!(taken.as_ref().err().map(|it| it.rule), refused, "{batch:?}");
        let mixed = [one(BEGIN_MS, 5), batch].concat();
        assert_eq!(take(mixed, latest_ms).is_err(), refused.is_some());
        if let Err(invalid) = taken {
            assert!(invalid.what.contains(&probe(1).to_string()), "{invalid}");
        }
    }
    let many = vec![reading(0, 0); READINGS_MAX];
    assert_eq!(
        take(vec![(probe(1), many.clone())], latest_ms)
            .unwrap()
            .count,
        1
    );
    let more = vec![(probe(1), many), (probe(2), vec![reading(0, 0)])];
    assert_eq!(take(more, latest_ms).err().unwrap().rule, Rule::TooLarge);
    let most = crate::record::readings::PROBES_MAX;
    assert_eq!(
        take(vec![(probe(1), vec![]); most], latest_ms)
            .unwrap()
            .count,
        0
    );
    let more = vec![(probe(1), vec![]); most + 1];
    assert_eq!(take(more, latest_ms).err().unwrap().rule, Rule::TooLarge);
}
