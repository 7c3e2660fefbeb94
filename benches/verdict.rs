//! How fast a batch is judged: the verdict over its stay in a zone with four
//! probes that read every minute, against reading the same readings once from the
//! store and summing them up; the same over four times as long.
//!
//! `cargo bench -p trace-fixtures --bench verdict`. The readings are made up: at
//! 2 °C with day and night, noise of 0.1 °C and 3 seconds, and doors that open, so
//! that some are outside the band. They are sealed weekly; what is sealed is held
//! against its record when a verdict first rests on it after opening, which is a
//! figure of its own.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "a bench that cannot go on stops; its counts are small"
)]

mod measure;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

use measure::loggers::{self, DAY_MINUTES, GRAINS, MINUTE_MS, Place};
use measure::{Figure, ROUNDS, head, line, rate, ratio_line};
use std::hint::black_box;
use tempfile::TempDir;
use trace_core::ident::{EquipmentId, TraceCode};
use trace_core::ledger::cold_chain::{kept, to_seal};
use trace_core::ledger::readings::{READINGS_FILE, Readings, Settings};
use trace_core::record::cold_chain::EquipmentKind;
use trace_core::record::kinds::segment_sealed::SegmentSealed;
use trace_core::store::table::Check;
use trace_fixtures::Who;
use trace_fixtures::stage::Stage;

const DAY_MS: u64 = DAY_MINUTES * MINUTE_MS;
const PROBES: usize = 4;
/// A cold room whose door opens twice a day.
const COLD_ROOM: Place = Place {
    level_c: 2.0,
    door_one_in: 720,
};
const SEALED_EVERY_DAYS: u64 = 7;

fn main() {
    head("Verdicts");
    let [month, longer] = [30, 120].map(Kept::new);
    let [mut scanned, mut judged, mut longer_judged, mut first] = [const { Vec::new() }; 4];
    for _ in 0..ROUNDS {
        let (_folder, fresh) = month.reopened();
        first.push(rate(month.count, || month.judge(&fresh)));
        scanned.push(rate(month.count, || month.scan()));
        judged.push(rate(month.count, || month.judge(&month.readings)));
        longer_judged.push(rate(longer.count, || longer.judge(&longer.readings)));
    }
    let all = |runs: &Vec<f64>| Figure::of(runs.clone());
    line(
        "30 days of 4 probes, read and summed",
        all(&scanned),
        "readings/s",
    );
    line("the verdict over them", all(&judged), "readings/s");
    line("the first verdict after opening", all(&first), "readings/s");
    ratio_line(
        "verdict / read and summed",
        Figure::ratio(&judged, &scanned),
        Some(0.5),
    );
    ratio_line(
        "a reading's cost over 120 days / over 30 days, inverse",
        Figure::ratio(&longer_judged, &judged),
        Some(0.8),
    );
}

/// A unit that has lain in a zone for some days.
struct Kept {
    stage: Stage,
    readings: Readings,
    probes: Vec<EquipmentId>,
    unit: TraceCode,
    count: usize,
}

impl Kept {
    fn new(days: u64) -> Self {
        let mut stage = Stage::new();
        let path = stage.folder().join(READINGS_FILE);
        let readings = Readings::create(&path, Settings::default()).unwrap();
        let policy = stage.world.temperature_policy("chilled");
        stage.say(Who::Root, policy);
        let store = stage.registered(EquipmentKind::ColdStore, None);
        let zone = stage.registered(EquipmentKind::Zone, Some(store));
        let probe = |_| stage.registered(EquipmentKind::Probe, Some(zone));
        let probes: Vec<_> = (0..PROBES).map(probe).collect();
        let unit = stage.world.unit();
        stage.say(Who::Producer, unit.clone());
        let (body, openings) = stage.world.warehouse_in(unit.unit, "100 斤");
        let entered = stage.world.sign(Who::ColdStore, body, openings);
        stage.admit(entered);
        let placed = stage.world.placed(unit.unit, zone, "chilled");
        stage.say(Who::ColdStore, placed);
        let mut kept = Self {
            stage,
            readings,
            probes,
            unit: unit.unit,
            count: 0,
        };
        for day in 0..days {
            kept.day(day);
            if day % SEALED_EVERY_DAYS == SEALED_EVERY_DAYS - 1 {
                kept.seal(day / SEALED_EVERY_DAYS);
            }
        }
        let verdict = kept.verdict(&kept.readings);
        assert_eq!(
            verdict.0 as usize, kept.count,
            "some readings were not seen"
        );
        assert!(verdict.1 > 0, "no door was opened");
        kept
    }

    fn day(&mut self, day: u64) {
        let from_ms = self.stage.world.now_ms;
        // Each day of each probe is a draw of its own.
        let numbers = (day as u32 * PROBES as u32)..;
        let read =
            |number| loggers::readings(number, COLD_ROOM, from_ms, 0..DAY_MINUTES, GRAINS[0]);
        let probes = self.probes.iter().zip(numbers);
        let batch = probes
            .map(|(probe, number)| (*probe, read(number)))
            .collect::<Vec<_>>();
        self.count += batch
            .iter()
            .map(|(_, readings)| readings.len())
            .sum::<usize>();
        self.readings.append(batch, u64::MAX, 0).unwrap();
        self.stage.world.now_ms += DAY_MS;
        self.stage.tick();
    }

    fn seal(&mut self, number: u64) {
        for probe in self.probes.clone() {
            let until_ms = self.stage.world.now_ms;
            let segment = to_seal(&self.readings, &probe, number, until_ms).unwrap();
            self.stage
                .say(Who::ColdStore, SegmentSealed::of(segment, None));
            self.readings.confirm(&probe, number).unwrap();
        }
    }

    /// The same readings in a store that was opened just now.
    fn reopened(&self) -> (TempDir, Readings) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(READINGS_FILE);
        std::fs::copy(self.stage.folder().join(READINGS_FILE), &path).unwrap();
        let none = |probe: &EquipmentId| panic!("{probe} has a draft");
        let fresh = Readings::open(&path, Settings::default(), Check::Quick, none);
        (folder, fresh.unwrap())
    }

    /// Readings seen and excursions, by the verdict.
    fn verdict(&self, readings: &Readings) -> (u64, u64) {
        let now_ms = self.stage.world.now_ms;
        let kept = kept(&self.stage.view(), readings, &self.unit, now_ms);
        let verdict = &kept.unwrap().unwrap().stays[0].verdict;
        (verdict.readings, verdict.excursion_count)
    }

    fn judge(&self, readings: &Readings) {
        black_box(self.verdict(readings));
    }

    fn scan(&self) {
        for probe in &self.probes {
            let mut range = self.readings.range(*probe, 0..=u64::MAX).unwrap();
            let mut sum = 0;
            while let Some(run) = range.next_run().unwrap() {
                sum += run
                    .iter()
                    .map(|it| i64::from(it.temperature_milli_c))
                    .sum::<i64>();
            }
            black_box(sum);
        }
    }
}
