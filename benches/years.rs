//! What years of a city's probes take, from what fewer readings take: 20,304 probes
//! that tell a temperature every five minutes for two years tell 4.3 billion.
//!
//! `cargo bench -p trace-fixtures --bench years` stores 10^6 and 10^7 readings, five
//! and 48 probes for two years; `TRACE_YEARS=100000000` 10^8 (476 probes), which
//! takes some minutes and 150 MB of disk. Whole seconds within 3 seconds of the
//! time, noise of 0.1 °C, a door. Each day comes in one batch, each week is sealed,
//! and the last one is not. What is measured is then multiplied to the city.

#![allow(
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    reason = "a bench that cannot go on stops; its counts are small"
)]

mod measure;

use measure::loggers::{self, GRAINS, Place};
use measure::{head, peak_resident_mib, reset_peak_resident, resident_mib, seconds};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use trace_core::ident::EquipmentId;
use trace_core::ledger::readings::{READINGS_FILE, Readings, Settings};
use trace_core::store::table::Check;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const BEGIN_MS: u64 = 1_790_000_000_000;
const DAY_MS: u64 = 86_400_000;
const DAYS: u64 = 730;
const NOW_MS: u64 = BEGIN_MS + (DAYS + 1) * DAY_MS;
/// Every five minutes.
const A_DAY: u64 = 288;
/// Of the 104: the last nine days are not sealed.
const WEEKS_SEALED: u64 = 103;
const CITY_PROBES: u64 = 20_304;
const CITY: f64 = (CITY_PROBES * DAYS * A_DAY) as f64;
/// Most readings of one batch.
const BATCH_PROBES: u64 = 512;

const COLD_ROOM: Place = Place {
    level_c: 2.0,
    door_one_in: 36,
};

fn main() {
    let most: u64 = std::env::var("TRACE_YEARS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(10_000_000);
    head("Two years of readings at five minutes (one run: a store is only once of a size)");
    for size in [1_000_000, 10_000_000, 100_000_000] {
        if size <= most {
            stored(size.div_ceil(DAYS * A_DAY));
        }
    }
}

fn probe(number: u64) -> EquipmentId {
    // Ids are random: spread them over the keys as those are.
    let mut bytes = [0; 10];
    let spread = number.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes();
    bytes
        .iter_mut()
        .zip(spread)
        .for_each(|(to, from)| *to = from);
    EquipmentId::from_bytes(bytes)
}

/// Two years of so many probes: stored, sealed, opened again.
fn stored(probes: u64) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(READINGS_FILE);
    let before = resident_mib();
    reset_peak_resident();
    let store = Readings::create(&path, Settings::default()).unwrap();
    let (mut taking, mut sealing, mut segments) = (0.0, 0.0, 0);
    let mut sealed = Share::default();
    for day in 0..DAYS {
        for first in (0..probes).step_by(BATCH_PROBES as usize) {
            let numbers = first..(first + BATCH_PROBES).min(probes);
            let batch = numbers.map(|it| (probe(it), a_day(it, day))).collect();
            taking += seconds(|| {
                store.append(batch, NOW_MS, 0).unwrap();
            });
        }
        if day % 7 == 6 && day / 7 < WEEKS_SEALED {
            segments += probes;
            sealing += seconds(|| seal(&store, probes, day / 7));
        }
        if day == WEEKS_SEALED * 7 - 1 {
            sealed = Share::of(&store, probes);
        }
    }
    let count = (probes * DAYS * A_DAY) as f64;
    let unsealed = Share::of(&store, probes).beyond(&sealed);
    let (peak, after) = (peak_resident_mib() - before, resident_mib() - before);
    let unclean = folder.path().join("as it lies");
    std::fs::copy(&path, &unclean).unwrap();
    drop(store);
    let file = std::fs::metadata(&path).unwrap().blocks() as f64 * 512.0;
    let (clean, unclean) = (opening(&path), opening(&unclean));
    println!(
        "{count:.0} readings of {probes} probes in {segments} segments and {:.0} rows: {:.3} bytes a reading sealed, {:.3} not, {:.3} in the file; taken {:.0} a second, sealed {:.0}; {peak:.0} MiB more resident at most, {after:.0} at the end; opened in {clean:.3} s, after a crash in {unclean:.3} s",
        sealed.rows + unsealed.rows,
        sealed.bytes / sealed.readings,
        unsealed.bytes / unsealed.readings,
        file / count,
        count / taking,
        sealed.readings / sealing,
    );
    println!(
        "    so {CITY:.0} readings: a file of {:.1} GB; a week not sealed {:.0} MB; {:.0} million rows; after a crash opened in {:.0} s",
        CITY * file / count / 1e9,
        (CITY_PROBES * 7 * A_DAY) as f64 * unsealed.bytes / unsealed.readings / 1e6,
        CITY * sealed.rows / sealed.readings / 1e6,
        CITY * unclean / count,
    );
}

/// What some of the readings take.
#[derive(Default)]
struct Share {
    readings: f64,
    rows: f64,
    bytes: f64,
}

impl Share {
    fn of(store: &Readings, probes: u64) -> Self {
        let mut share = Self::default();
        for it in 0..probes {
            let stored = store.stored(&probe(it)).unwrap();
            share.readings += stored.readings as f64;
            share.rows += stored.chunks as f64;
            share.bytes += stored.bytes as f64;
        }
        share
    }

    fn beyond(&self, other: &Self) -> Self {
        Self {
            readings: self.readings - other.readings,
            rows: self.rows - other.rows,
            bytes: self.bytes - other.bytes,
        }
    }
}

/// Seconds until a file can be read and written.
fn opening(path: &Path) -> f64 {
    let mut store = None;
    let took = seconds(|| {
        let opened = Readings::open(path, Settings::default(), Check::Quick, |_| Ok(u64::MAX));
        store = Some(opened.unwrap());
    });
    drop(store);
    took
}

/// A probe's readings of a day.
fn a_day(number: u64, day: u64) -> Vec<trace_core::record::temperature::Reading> {
    let minutes = day * 1_440..(day + 1) * 1_440;
    let number = u32::try_from(number).unwrap();
    loggers::readings_every(5, number, COLD_ROOM, BEGIN_MS, minutes, GRAINS[0])
}

fn seal(store: &Readings, probes: u64, number: u64) {
    for it in 0..probes {
        let draft = store.draft(&probe(it), number, u64::MAX).unwrap().unwrap();
        assert_eq!(u64::from(draft.count), 7 * A_DAY);
        store.confirm(&probe(it), number).unwrap();
    }
}
