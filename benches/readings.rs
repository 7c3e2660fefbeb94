//! Raw temperature readings: how many a second go through decoding a batch,
//! checking, joining, compressing and storing durably, against bare redb writing
//! as many rows of as many bytes durably in the same groups; how they are read
//! back; and how many bytes a stored reading takes.
//!
//! `cargo bench -p trace-fixtures --bench readings`. The data is made up as
//! loggers in cold stores give it: a reading a minute within 3 seconds, -18 °C
//! with day and night, noise of 0.1 °C and doors that open. Loggers keep whole
//! seconds and tenths of a degree; milliseconds and thousandths are the worst a
//! device can send, most of it noise that nothing can compress. Both are shown.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "a bench that cannot go on stops; its counts are small"
)]

mod measure;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

use measure::loggers::{self, DAY_MINUTES as MINUTES, GRAINS, Grain, Place};
use measure::{
    Draw, Figure, ROUNDS, head, line, rate, ratio_line, ratio_line_at_most, resident_mib,
};
use std::ops::Range;
use std::os::unix::fs::MetadataExt;
use tempfile::TempDir;
use trace_core::ident::EquipmentId;
use trace_core::ledger::readings::{READINGS_FILE, Readings, Settings};
use trace_core::record::readings::{decode, encode};
use trace_core::record::temperature::Reading;
use trace_core::store::redb::Database;
use trace_core::store::table::{SequenceTable, Tables};

const BEGIN_MS: u64 = 1_790_000_000_000;
const NOW_MS: u64 = BEGIN_MS + 1_000 * DAY_MS;
const DAY_MS: u64 = 86_400_000;
/// What 20,304 probes send at one reading a minute.
const CITY_A_SECOND: f64 = 338.4;
const CITY_PROBES: u32 = 20_304;
const ROWS: SequenceTable = SequenceTable("rows");

/// A freezer whose door opens every three hours.
const FREEZER: Place = Place {
    level_c: -19.5,
    door_one_in: 180,
};

fn main() {
    head("Readings");
    for grain in GRAINS {
        bursts(grain);
    }
    live(GRAINS[0]);
    for grain in GRAINS {
        stored(grain);
    }
    println!("resident at the end: {:.0} MiB", resident_mib());
}

fn probe(number: u32) -> EquipmentId {
    // Ids are random: spread them over the keys as those are.
    let mut draw = Draw(u64::from(number) + 1);
    EquipmentId::from_bytes([(); 10].map(|()| draw.below(256) as u8))
}

/// A probe's readings of some minutes.
fn readings(number: u32, minutes: Range<u64>, grain: Grain) -> Vec<Reading> {
    loggers::readings(number, FREEZER, BEGIN_MS, minutes, grain)
}

/// Batches as bytes, each of some probes over some minutes.
fn batches(probes: u32, each: u32, minutes: Range<u64>, grain: Grain) -> Vec<Vec<u8>> {
    let starts = (0..probes).step_by(each as usize);
    let batch = |start: u32| {
        let numbers = start..(start + each).min(probes);
        let batch: Vec<_> = numbers
            .map(|number| (probe(number), readings(number, minutes.clone(), grain)))
            .collect();
        encode(&batch).unwrap()
    };
    starts.map(batch).collect()
}

/// Sends batches from some callers at once; all are durable when this returns.
fn send(store: &Readings, batches: &[Vec<u8>], callers: usize) {
    std::thread::scope(|scope| {
        for part in batches.chunks(batches.len().div_ceil(callers)) {
            scope.spawn(move || {
                for bytes in part {
                    let batch = decode(bytes).unwrap();
                    let taken = store.append(batch, NOW_MS, 0).unwrap();
                    assert_eq!(taken.known, 0);
                }
            });
        }
    });
}

fn create(folder: &TempDir) -> Readings {
    Readings::create(&folder.path().join(READINGS_FILE), Settings::default()).unwrap()
}

/// Gateways that were offline for a day and send it at once.
fn bursts(grain: Grain) {
    const PROBES: u32 = 900;
    const EACH: u32 = 45;
    let (folder, more, bare_folder) = (folder(), folder(), folder());
    let (store, shared) = (create(&folder), create(&more));
    let tables = Tables {
        sequences: &[ROWS],
        ordered: &[],
    };
    let bare = Database::create(&bare_folder.path().join("bare"), tables, 64 << 20).unwrap();
    let count = (u64::from(PROBES) * MINUTES) as usize;
    let [mut alone, mut together, mut limit, mut reading] = [const { Vec::new() }; 4];
    let mut next_row = 0;
    for day in 0..ROUNDS as u64 {
        let batches = batches(PROBES, EACH, day * MINUTES..(day + 1) * MINUTES, grain);
        alone.push(rate(count, || send(&store, &batches, 1)));
        together.push(rate(count, || send(&shared, &batches, 4)));
        let (rows, row) = rows_of_a_day(&store);
        limit.push(rate(count, || {
            for _ in &batches {
                let commit = bare.write(|batch| {
                    for _ in 0..rows * EACH as usize {
                        batch.put(ROWS, next_row, &row)?;
                        next_row += 1;
                    }
                    Ok(())
                });
                commit.unwrap();
            }
        }));
        let days = (day + 1) as usize;
        reading.push(rate(count * days / 9, || {
            for number in (0..PROBES).step_by(9) {
                let mut range = store.range(probe(number), 0..=u64::MAX).unwrap();
                let mut seen = 0;
                while let Some(run) = range.next_run().unwrap() {
                    seen += run.len();
                }
                assert_eq!(seen, days * MINUTES as usize);
            }
        }));
    }
    let name = |what: &str| format!("{what} ({})", grain.name);
    line(
        &name("bare redb, the same rows"),
        Figure::of(limit.clone()),
        "readings/s",
    );
    line(
        &name("a day at once, 1 caller"),
        Figure::of(alone.clone()),
        "readings/s",
    );
    line(
        &name("a day at once, 4 callers"),
        Figure::of(together.clone()),
        "readings/s",
    );
    line(
        &name("read back in order"),
        Figure::of(reading),
        "readings/s",
    );
    let goal = Some(0.5);
    ratio_line("1 caller / bare redb", Figure::ratio(&alone, &limit), goal);
    ratio_line(
        "4 callers / bare redb",
        Figure::ratio(&together, &limit),
        goal,
    );
    let times = |runs: &[f64]| runs.iter().map(|it| it / CITY_A_SECOND / 1_000.0).collect();
    let city = Figure::of(times(&together));
    ratio_line(
        "4 callers / 1,000 cities at a reading a minute",
        city,
        Some(1.0),
    );
}

/// Rows that a probe's day becomes, and one of their length.
fn rows_of_a_day(store: &Readings) -> (usize, Vec<u8>) {
    let stored = store.stored(&probe(0)).unwrap();
    let length = stored.bytes / stored.chunks;
    let mut draw = Draw(9);
    let row = (0..length).map(|_| draw.below(256) as u8).collect();
    let rows = (stored.chunks * MINUTES).div_ceil(stored.readings);
    (rows as usize, row)
}

/// Every probe of a city sends one reading at a time.
fn live(grain: Grain) {
    let folder = folder();
    let store = create(&folder);
    // their last rows as full as they are on average
    for batch in batches(CITY_PROBES, 1_000, 0..250, grain) {
        store.append(decode(&batch).unwrap(), NOW_MS, 0).unwrap();
    }
    let mut live = Vec::new();
    for minute in 250..250 + ROUNDS as u64 {
        let batches = batches(CITY_PROBES, CITY_PROBES, minute..minute + 1, grain);
        live.push(rate(CITY_PROBES as usize, || send(&store, &batches, 1)));
    }
    let times = live.iter().map(|it| it / CITY_A_SECOND).collect();
    line(
        "a minute of 20,304 probes in one call",
        Figure::of(live),
        "readings/s",
    );
    line("as many times what they send", Figure::of(times), "times");
}

/// A year, sealed weekly as it comes.
fn stored(grain: Grain) {
    const PROBES: u32 = 20;
    let folder = folder();
    let store = create(&folder);
    for day in 0..364 {
        let minutes = day * MINUTES..(day + 1) * MINUTES;
        for batch in batches(PROBES, PROBES, minutes, grain) {
            store.append(decode(&batch).unwrap(), NOW_MS, 0).unwrap();
        }
        if day == 6 {
            show_stored(&store, PROBES, "not sealed", grain);
        }
        if day % 7 == 6 {
            for number in 0..PROBES {
                let probe = probe(number);
                let draft = store.draft(&probe, day / 7, u64::MAX).unwrap().unwrap();
                assert_eq!(u64::from(draft.count), 7 * MINUTES);
                store.confirm(&probe, day / 7).unwrap();
            }
        }
    }
    let readings = show_stored(&store, PROBES, "sealed", grain);
    drop(store);
    // Its length doubles as it grows; what was never written takes no room.
    let file = std::fs::metadata(folder.path().join(READINGS_FILE)).unwrap();
    let disk = Figure::of(vec![file.blocks() as f64 * 512.0 / readings as f64]);
    let what = format!(
        "bytes a reading on the disk, pages and all ({})",
        grain.name
    );
    ratio_line_at_most(&what, disk, 3.0);
}

fn show_stored(store: &Readings, probes: u32, state: &str, grain: Grain) -> u64 {
    let mut total = (0, 0);
    for number in 0..probes {
        let stored = store.stored(&probe(number)).unwrap();
        total = (total.0 + stored.readings, total.1 + stored.bytes);
    }
    let bytes = Figure::of(vec![total.1 as f64 / total.0 as f64]);
    ratio_line_at_most(
        &format!("bytes a reading, {state} ({})", grain.name),
        bytes,
        3.0,
    );
    total.0
}

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}
