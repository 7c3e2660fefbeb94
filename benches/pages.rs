//! Pages: the shopper's page with verdict, story and chart against an axum
//! handler that returns 300 static bytes behind the same server; and how long the
//! first byte of a page takes while certificates are issued at half of the most
//! that the ledger takes.
//!
//! `cargo bench -p trace-fixtures --bench pages`. Codes are drawn uniformly from all
//! units; no page is cached. The load generator shares the machine with the server,
//! for ours and for the empty handler alike, so its cost is in both.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "a bench that cannot go on stops; its counts are small"
)]

mod measure;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

use measure::city::{Material, Site};
use measure::loggers::{self, DAY_MINUTES, GRAINS, MINUTE_MS, Place};
use measure::{Draw, Figure, ROUNDS, head, line, rate, ratio_line, ratio_line_at_most, web};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use trace_core::ident::{EquipmentId, TraceCode};
use trace_core::ledger::cold_chain::to_seal;
use trace_core::ledger::job::{Job, Outcome};
use trace_core::ledger::opening::Settings;
use trace_core::ledger::readings::{self, READINGS_FILE, Readings};
use trace_core::record::Body;
use trace_core::record::cold_chain::EquipmentKind;
use trace_core::record::kinds::segment_sealed::SegmentSealed;
use trace_core::record::submission::Submission;
use trace_fixtures::Who;
use trace_fixtures::stage::Stage;

/// Zones with a probe each, and units that lay in each for two days.
const ZONES: usize = 20;
const UNITS_A_ZONE: usize = 50;
const DAYS: u64 = 2;
/// A cold room whose door opens twice a day.
const COLD_ROOM: Place = Place {
    level_c: 2.0,
    door_one_in: 720,
};
/// Pages of one run.
const PAGES: usize = 2_000;
/// Records of one run while pages are opened, of which one is measured each 5 ms.
const ISSUED: usize = 8_000;
const GROUP: usize = 1_024;

fn main() {
    head("Pages");
    with_charts();
    while_issuing();
}

fn paths(codes: &[TraceCode], round: usize, count: usize) -> Vec<String> {
    let mut draw = Draw(0x10_0cab + round as u64);
    let drawn = (0..count).map(|_| codes[draw.below(codes.len())]);
    drawn.map(|code| format!("/t/{}", code.compact())).collect()
}

fn with_charts() {
    let mut stage = Stage::new();
    let readings = stage.folder().join(READINGS_FILE);
    let readings = Readings::create(&readings, readings::Settings::default()).unwrap();
    let policy = stage.world.temperature_policy("chilled");
    stage.say(Who::Root, policy);
    let store = stage.registered(EquipmentKind::ColdStore, None);
    let zones: Vec<_> = (0..ZONES)
        .map(|_| {
            let zone = stage.registered(EquipmentKind::Zone, Some(store));
            (zone, stage.registered(EquipmentKind::Probe, Some(zone)))
        })
        .collect();
    let mut codes = Vec::new();
    for (zone, _) in &zones {
        for _ in 0..UNITS_A_ZONE {
            codes.push(placed(&mut stage, *zone));
        }
    }
    let from_ms = stage.world.now_ms;
    stage.world.now_ms += DAYS * DAY_MINUTES * MINUTE_MS;
    stage.tick();
    for (number, (_, probe)) in (0..).zip(&zones) {
        seal(&mut stage, &readings, *probe, number, from_ms);
    }
    let folder = TempDir::new().unwrap();
    let office = web::office(&stage.ledger, folder.path(), stage.world.now_ms).reading(readings);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (ours, empty) = (
        web::served(&runtime, office),
        web::empty(&runtime, "/t/{code}"),
    );
    let longest = codes
        .iter()
        .map(|code| web::answer_length(ours, &format!("/t/{}", code.compact())));
    let longest = longest.max().unwrap();
    let (mut pages, mut without) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let paths = paths(&codes, round, PAGES);
        pages.push(rate(PAGES, || web::request_all(ours, &paths)));
        without.push(rate(PAGES, || web::request_all(empty, &paths)));
    }
    let all = |runs: &Vec<f64>| Figure::of(runs.clone());
    line("shopper's page with its chart", all(&pages), "pages/s");
    line("empty handler, 300 bytes", all(&without), "pages/s");
    ratio_line(
        "shopper's page / empty handler",
        Figure::ratio(&pages, &without),
        Some(0.25),
    );
    println!("the longest page of {} units: {longest} bytes", codes.len());
}

/// A unit with its certificate, placed in a zone.
fn placed(stage: &mut Stage, zone: EquipmentId) -> TraceCode {
    let unit = stage.world.unit();
    stage.say(Who::Producer, unit.clone());
    let (body, openings) = stage.world.certificate(&unit);
    let certified = stage.world.sign(Who::Producer, body, openings);
    stage.admit(certified);
    let (body, openings) = stage.world.warehouse_in(unit.unit, "100 斤");
    let entered = stage.world.sign(Who::ColdStore, body, openings);
    stage.admit(entered);
    let placed = stage.world.placed(unit.unit, zone, "chilled");
    stage.say(Who::ColdStore, placed);
    unit.unit
}

/// What a probe read since a time, sealed.
fn seal(stage: &mut Stage, readings: &Readings, probe: EquipmentId, number: u32, from_ms: u64) {
    let minutes = 0..DAYS * DAY_MINUTES;
    let read = loggers::readings(number, COLD_ROOM, from_ms, minutes, GRAINS[0]);
    readings.append(vec![(probe, read)], u64::MAX, 0).unwrap();
    let segment = to_seal(readings, &probe, 0, stage.world.now_ms).unwrap();
    stage.say(Who::ColdStore, SegmentSealed::of(segment, None));
    readings.confirm(&probe, 0).unwrap();
}

fn while_issuing() {
    // Half are on the ledger before; each round adds at full pace, then at half.
    let issued = ISSUED * 2 * ROUNDS;
    let material = Material::new(19, issued * 2);
    let site = Site::new(&material, Settings::default());
    let (before, mut later) = material.records.split_at(issued);
    site.admit_all(before);
    let codes: Vec<TraceCode> = before
        .iter()
        .filter_map(|record| match record.signed.body().unwrap() {
            Body::UnitCreated(body) => Some(body.unit),
            _ => None,
        })
        .collect();
    let folder = TempDir::new().unwrap();
    let office = web::office(&site.ledger, folder.path(), material.until_ms);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let address = web::served(&runtime, office);
    let (mut peaks, mut medians, mut slow) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let (at_peak, rest) = later.split_at(ISSUED);
        let (at_half, rest) = rest.split_at(ISSUED);
        later = rest;
        let peak = rate(ISSUED, || issue(&site, at_peak, None));
        let is_over = AtomicBool::new(false);
        let mut took = std::thread::scope(|scope| {
            scope.spawn(|| {
                issue(&site, at_half, Some(peak / 2.0));
                is_over.store(true, Ordering::Release);
            });
            let mut took = Vec::new();
            let pause = Duration::from_millis(5);
            for part in paths(&codes, round, ISSUED).chunks(8) {
                if is_over.load(Ordering::Acquire) {
                    break;
                }
                took.extend(web::first_bytes(address, part, pause));
            }
            took
        });
        assert!(took.len() >= 50, "only {} pages were opened", took.len());
        took.sort_unstable();
        let ms = |at: usize| took[at].as_secs_f64() * 1e3;
        medians.push(ms(took.len() / 2));
        slow.push(ms(took.len() * 99 / 100));
        peaks.push(peak);
    }
    line("issuing at its peak", Figure::of(peaks), "records/s");
    line(
        "first byte of a page at half of it, 99 of 100 within",
        Figure::of(slow),
        "ms",
    );
    ratio_line_at_most(
        "first byte of a page at half of it, median / 5 ms",
        Figure::of(medians.into_iter().map(|ms| ms / 5.0).collect()),
        1.0,
    );
    site.ledger.stop().unwrap();
}

/// Verifies and admits records in groups, at most so many a second.
fn issue(site: &Site, records: &[Submission], pace: Option<f64>) {
    let began = Instant::now();
    let group = if pace.is_some() { GROUP / 16 } else { GROUP };
    for (at, records) in records.chunks(group).enumerate() {
        if let Some(pace) = pace {
            let due = Duration::from_secs_f64((at * group) as f64 / pace);
            std::thread::sleep(due.saturating_sub(began.elapsed()));
        }
        let job = Job {
            items: site.verify(records),
            atomic: false,
            request: None,
        };
        let answered = site.ledger.submit_and_wait(job).unwrap();
        let is_admitted = |outcome: &Outcome| matches!(outcome, Outcome::Admitted(_));
        assert!(answered.outcomes.iter().all(is_admitted));
    }
}
