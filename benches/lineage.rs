//! Lineage: a batch with 10,000 descendants over 8 levels, followed forward; its
//! recall sheet of 10,000 rows; and appending with the rules of movement.
//!
//! `cargo bench -p trace-fixtures --bench lineage` compares ledgers of 10^4 and 10^5 records
//! beside the batch; `TRACE_LINEAGE=1000000` of 10^5 and 10^6, which takes some
//! minutes. What is compared, and why that is fair:
//!
//! - **Trace forward.** Every descendant was made by a record of its own, so that
//!   the graph's units and "the same records" are one to one: the limit is
//!   reading those 10,001 records from the log, each by its key (its index),
//!   held against the tree and decoded. Both ledgers were closed and opened
//!   again, so that neither is answered from memory alone, and are asked in turns.
//! - **Recall sheet.** 10,000 rows, holders and what is on its way, with names,
//!   areas and telephones, as CSV, the largest quantity first. The memory is the
//!   peak of what this process has resident over what it had before (Linux); its
//!   highest is the first round's, for which nothing was set aside yet.
//! - **Appending.** On one ledger under the newest rule set, with all its rules on,
//!   and on one under rule set 1, which knows no movement. Movement has kinds of its own, so the
//!   records cannot be the same; they are the same in number, in signers, in
//!   sections and, by the texts in them, in size (both sizes are printed, and the
//!   bench stops where they differ by more than a twentieth): for two that enter
//!   and leave a cold store, one handed over and one received; for one that
//!   begins a unit, one that makes a unit of another; for one more that enters,
//!   one sold. Besides, the very records of rule set 1 are appended under both.
//!   Signing is the clients' work; the rate counts verifying beside the writer,
//!   judging, committing and answering, in requests of 1,000. Verifying may be
//!   what takes longest and hide what the rules cost: so the writer is timed alone
//!   too, with requests that were verified beforehand.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    reason = "a bench that cannot go on stops"
)]

mod measure;

use measure::{
    Figure, ROUNDS, head, line, peak_resident_mib, rate, ratio_line, ratio_line_at_most,
    reset_peak_resident, resident_mib, seconds,
};
use std::collections::HashMap;
use std::hint::black_box;
use tempfile::TempDir;
use trace_core::ident::{LEDGER_OFFSET_MINUTES, TraceCode};
use trace_core::ledger::Ledger;
use trace_core::ledger::Settings;
use trace_core::ledger::job::{Item, Job, Outcome};
use trace_core::ledger::lineage::{Limits, trace_forward};
use trace_core::ledger::lookup::{Audience, Lookup};
use trace_core::ledger::opening::{self, Opened};
use trace_core::ledger::sequencer::Sequencer;
use trace_core::record::Body;
use trace_core::record::claim::RULE_SET_NEWEST;
use trace_core::record::kinds::unit_created::UnitCreated;
use trace_core::record::movement::{Manner, Process};
use trace_core::record::section::Openings;
use trace_core::record::submission::Submission;
use trace_fixtures::stage::{Stage, parts};
use trace_fixtures::{Who, World};
use trace_http::language::Language;
use trace_http::sheet::{self, Asked, grid::SheetFormat};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// All that comes of the batch.
const DESCENDANTS: usize = 10_000;
/// Over so many levels.
const LEVELS: u32 = 8;
/// Each unit goes into so many, and the first of the last level but one into one
/// more: 3 + 9 + … + 3^8 are 9,840, and 160 more.
const PARTS: usize = 3;
/// Records that are signed, and admitted, at a time.
const TOGETHER: usize = 1_000;
/// Units that move in half a round of appending; four records each.
const MOVED: usize = 1_000;
/// Half of them verified beside the writer, half beforehand.
const HALVES: usize = 2 * ROUNDS;

fn main() {
    let most: usize = std::env::var("TRACE_LINEAGE")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(100_000);
    let (small, large) = (Grown::new(most / 10), Grown::new(most));
    head(&format!(
        "Lineage, {} and {} records",
        small.sequencer.view().size(),
        large.sequencer.view().size()
    ));
    follow(&small, &large);
    for format in [SheetFormat::Csv, SheetFormat::Xlsx] {
        sheet(&large, format);
    }
    drop((small, large));
    append();
}

/// A ledger with a batch in the midst of other records, opened again.
struct Grown {
    sequencer: Box<Sequencer>,
    root: TraceCode,
    /// The indexes of all records that made a unit of the batch.
    made: Vec<u64>,
    now_ms: u64,
    _folder: TempDir,
}

impl Grown {
    fn new(records: usize) -> Self {
        let mut stage = Stage::new();
        others(&mut stage, records / 2);
        let (root, made) = batch(&mut stage);
        others(&mut stage, records - records / 2);
        let now_ms = stage.world.now_ms;
        let (folder, world) = stage.close();
        let opened = opening::open(folder.path(), Settings::default(), parts(&world)).unwrap();
        let Opened::Writable(sequencer) = opened else {
            panic!("opened read-only")
        };
        Self {
            sequencer,
            root,
            made,
            now_ms,
            _folder: folder,
        }
    }
}

/// So many units that nothing comes of.
fn others(stage: &mut Stage, count: usize) {
    let mut left = count;
    while left > 0 {
        let some = left.min(TOGETHER);
        let records = (0..some).map(|_| {
            let unit = stage.world.unit();
            stage.world.sign_bare(Who::Producer, unit)
        });
        let records = records.collect();
        admit(stage, records);
        left -= some;
    }
}

/// 1,000 斤 and what comes of it, every unit by a record of its own; of some of
/// the last, half is on its way, so that the sheet has a row for each descendant.
fn batch(stage: &mut Stage) -> (TraceCode, Vec<u64>) {
    let root = stage.world.unit();
    let created = stage.world.sign_bare(Who::Producer, root.clone());
    let mut made = admit(stage, vec![created]);
    let mut level = vec![(root.clone(), 500_000u64)];
    let mut count = 0;
    for depth in 1..=LEVELS {
        let mut next = Vec::new();
        let extra = match depth == LEVELS {
            true => DESCENDANTS - count - PARTS * level.len(),
            false => 0,
        };
        let mut records = Vec::new();
        for (place, (unit, amount)) in level.iter().enumerate() {
            let parts = PARTS + usize::from(place < extra);
            let each = amount / parts as u64;
            for part in 0..parts {
                let own = match part + 1 == parts {
                    true => amount - each * (parts as u64 - 1),
                    false => each,
                };
                let output = stage.world.output(unit);
                let child = UnitCreated {
                    unit: output.unit,
                    ..unit.clone()
                };
                let text = format!("{own} 克");
                let (inputs, outputs) = ([(unit.unit, &*text)], vec![(output, &*text)]);
                let process = Process::Repack;
                let (body, openings) = stage.world.transformed(process, &inputs, outputs, None);
                records.push(stage.world.sign(Who::Producer, body, openings));
                next.push((child, own));
            }
        }
        count += next.len();
        for some in records.chunks(TOGETHER) {
            made.extend(admit(stage, some.to_vec()));
        }
        level = next;
    }
    assert_eq!(count, DESCENDANTS);
    // A row for what is held of each of the last, and one for what is on its way.
    let rows_missing = DESCENDANTS - level.len();
    let mut records = Vec::new();
    for (unit, amount) in level.iter().take(rows_missing) {
        let text = format!("{} 克", amount / 2);
        let (body, openings) = stage.world.handed_over(unit.unit, Who::Buyer, &text);
        records.push(stage.world.sign(Who::Producer, body, openings));
    }
    for some in records.chunks(TOGETHER) {
        admit(stage, some.to_vec());
    }
    (root.unit, made)
}

/// Admits records together; their indexes.
fn admit(stage: &Stage, records: Vec<Submission>) -> Vec<u64> {
    stage.tick();
    let items = stage.ledger.verify(records).into_iter();
    submit(&stage.ledger, items.map(Result::unwrap).collect())
}

fn submit(ledger: &Ledger, items: Vec<Item>) -> Vec<u64> {
    let job = Job {
        items,
        atomic: false,
        request: None,
    };
    let outcomes = ledger.submit_and_wait(job).unwrap().outcomes.into_iter();
    let index = |outcome| match outcome {
        Outcome::Admitted(admitted) => admitted.index,
        other => panic!("{other:?}"),
    };
    outcomes.map(index).collect()
}

fn follow(small: &Grown, large: &Grown) {
    let (mut ours, mut keys) = ([Vec::new(), Vec::new()], [Vec::new(), Vec::new()]);
    for round in 0..=ROUNDS {
        for (place, grown) in [small, large].into_iter().enumerate() {
            let view = grown.sequencer.view();
            let graph_s = seconds(|| {
                let graph = trace_forward(&view, grown.root, Limits::default()).unwrap();
                assert_eq!(
                    (graph.units.len(), graph.edges.len()),
                    (1 + DESCENDANTS, DESCENDANTS)
                );
                assert_eq!(graph.units.last().unwrap().depth, LEVELS);
                black_box(graph);
            });
            let keys_s = seconds(|| {
                for index in &grown.made {
                    black_box(view.entry(*index).unwrap());
                }
            });
            // The first is not counted: nothing was read since opening.
            if round > 0 {
                ours[place].push(graph_s * 1e3);
                keys[place].push(keys_s * 1e3);
            }
        }
    }
    let names = ["smaller", "larger"];
    for place in 0..2 {
        let what = format!("trace forward, 10,000 descendants, {} ledger", names[place]);
        line(&what, Figure::of(ours[place].clone()), "ms");
        let what = format!("the same records by key, {} ledger", names[place]);
        line(&what, Figure::of(keys[place].clone()), "ms");
        ratio_line_at_most(
            &format!("trace forward / records by key, {} ledger", names[place]),
            Figure::ratio(&ours[place], &keys[place]),
            3.0,
        );
    }
    ratio_line_at_most(
        "trace forward, larger / smaller ledger",
        Figure::ratio(&ours[1], &ours[0]),
        1.3,
    );
}

fn sheet(grown: &Grown, format: SheetFormat) {
    let how = (format, Language::Chinese);
    let (view, vault) = (grown.sequencer.view(), grown.sequencer.vault_reader());
    let (mut took_ms, mut grew_mib, mut bytes) = (Vec::new(), Vec::new(), 0);
    for _ in 0..ROUNDS {
        let mut lookup = Lookup::new(&view, &vault, Audience::Full, grown.now_ms).unwrap();
        let asked = Asked {
            code: grown.root,
            until_ms: None,
            offset_minutes: LEDGER_OFFSET_MINUTES,
        };
        let mut out = Counted(0);
        reset_peak_resident();
        let before_mib = resident_mib();
        took_ms.push(
            1e3 * seconds(|| {
                let totals = sheet::write(&view, &mut lookup, asked, how, &mut out).unwrap();
                assert_eq!(totals.rows, DESCENDANTS as u64);
            }),
        );
        grew_mib.push(peak_resident_mib() - before_mib);
        bytes = out.0;
    }
    let ending = format.ending().to_uppercase();
    line(
        &format!("recall sheet of 10,000 rows, {ending}"),
        Figure::of(took_ms.clone()),
        "ms",
    );
    let seconds = took_ms.iter().map(|ms| ms / 1e3).collect();
    ratio_line_at_most("its time in seconds", Figure::of(seconds), 1.0);
    line(
        "peak resident memory over that before",
        Figure::of(grew_mib),
        "MiB",
    );
    println!(
        "the sheet has {bytes} bytes; CSV is written as it is made, XLSX to a temporary file first"
    );
}

/// Counts what is written to it.
struct Counted(u64);

impl std::io::Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A ledger, and records for it.
struct Appending {
    stage: Stage,
    records: Vec<Submission>,
    bytes: usize,
}

/// What moves.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Traffic {
    /// In and out of a cold store, another unit begun, in again: rule set 1.
    Stores,
    /// Handed over, received, re-packed, sold: since rule set 2.
    Movement,
}

impl Appending {
    /// A ledger under a rule set with all units on it, and four records yet to
    /// come for each.
    fn new(rule_set: u16, traffic: Traffic) -> Self {
        let mut stage = Stage::of(World::with_rule_set(7, rule_set));
        let units = (0..HALVES * MOVED).map(|_| stage.world.unit());
        let units: Vec<UnitCreated> = units.collect();
        for some in units.chunks(TOGETHER) {
            let created = some.iter();
            let created = created.map(|unit| stage.world.sign_bare(Who::Producer, unit.clone()));
            let created = created.collect();
            admit(&stage, created);
        }
        let records = units.iter();
        let records = records.flat_map(|unit| four(&mut stage.world, unit, traffic));
        let records: Vec<Submission> = records.collect();
        let mut bytes = Vec::new();
        for record in &records {
            record.encode_into(&mut bytes);
        }
        stage.tick();
        Self {
            stage,
            bytes: bytes.len() / records.len(),
            records,
        }
    }

    fn half(&self, half: usize) -> &[Submission] {
        let count = self.records.len() / HALVES;
        &self.records[half * count..][..count]
    }

    /// Records a second, verified beforehand.
    fn writing(&self, round: usize) -> f64 {
        let (records, ledger) = (self.half(2 * round), &self.stage.ledger);
        let requests = records.chunks(TOGETHER).map(|some| {
            let items = ledger.verify(some.to_vec()).into_iter();
            items.map(Result::unwrap).collect()
        });
        let requests: Vec<Vec<Item>> = requests.collect();
        rate(records.len(), || {
            for items in requests {
                submit(ledger, items);
            }
        })
    }

    /// Records a second, the next request verified beside the writer that has one.
    fn appending(&self, round: usize) -> f64 {
        let (records, ledger) = (self.half(2 * round + 1), &self.stage.ledger);
        rate(records.len(), || {
            let (sender, requests) = std::sync::mpsc::sync_channel::<Vec<Item>>(2);
            std::thread::scope(|scope| {
                scope.spawn(move || {
                    for some in records.chunks(TOGETHER) {
                        let items = ledger.verify(some.to_vec()).into_iter();
                        sender.send(items.map(Result::unwrap).collect()).unwrap();
                    }
                });
                for items in requests {
                    submit(ledger, items);
                }
            });
        })
    }
}

/// Texts by which the records of both sorts have one size.
const PAD: &str = "自产自销,按批次单独存放,不与其他批次混放";

fn four(world: &mut World, unit: &UnitCreated, traffic: Traffic) -> Vec<Submission> {
    let code = unit.unit;
    let signed = |world: &mut World, who, (body, openings): (Body, Openings)| {
        let submission = world.sign(who, body, openings);
        world.now_ms -= 999; // A year of them is hours.
        submission
    };
    match traffic {
        Traffic::Stores => {
            let (entered, openings) = world.warehouse_in(code, "300 斤");
            let first = signed(world, Who::ColdStore, (entered.into(), openings));
            let (left, openings) = world.warehouse_out(code, "100 斤");
            let second = signed(world, Who::ColdStore, (left.into(), openings));
            let mut other = world.unit();
            other.storage = Some(PAD.into());
            let third = signed(world, Who::Producer, (other.into(), Openings::default()));
            let (entered, openings) = world.warehouse_in(code, "200 斤");
            let fourth = signed(world, Who::ColdStore, (entered.into(), openings));
            vec![first, second, third, fourth]
        }
        Traffic::Movement => {
            let (given, openings) = world.handed_over(code, Who::Buyer, "300 斤");
            let first = signed(world, Who::Producer, (given.into(), openings));
            let (received, openings) = world.received(code, &first.signed, "300 斤");
            let second = signed(world, Who::Buyer, (received.into(), openings));
            let output = world.output(unit);
            let inputs = [(code, "200 斤")];
            let made = vec![(output, "200 斤")];
            let (made, openings) = world.transformed(Process::Repack, &inputs, made, None);
            let third = signed(world, Who::Buyer, (made.into(), openings));
            let (sold, openings) = world.disposed(code, Manner::Sold, "100 斤");
            let fourth = signed(world, Who::Buyer, (sold.into(), openings));
            vec![first, second, third, fourth]
        }
    }
}

fn append() {
    let without = Appending::new(1, Traffic::Stores);
    let same = Appending::new(RULE_SET_NEWEST, Traffic::Stores);
    let moving = Appending::new(RULE_SET_NEWEST, Traffic::Movement);
    println!(
        "{} records at a time; {} bytes each without movement, {} with it",
        4 * MOVED,
        without.bytes,
        moving.bytes
    );
    let apart = without.bytes.abs_diff(moving.bytes);
    assert!(apart * 20 <= without.bytes, "records of different sizes");
    let ledgers = [
        ("rule set 1, stores and units", &without),
        ("all rules, the same records", &same),
        ("all rules, movements", &moving),
    ];
    let (mut writing, mut appending) = (HashMap::new(), HashMap::new());
    for round in 0..ROUNDS {
        for (name, ledger) in ledgers {
            let rates: &mut Vec<f64> = writing.entry(name).or_default();
            rates.push(ledger.writing(round));
        }
        for (name, ledger) in ledgers {
            let rates: &mut Vec<f64> = appending.entry(name).or_default();
            rates.push(ledger.appending(round));
        }
    }
    let [without, same, moving] = ledgers.map(|(name, _)| name);
    for (what, rates, goal) in [
        ("append", appending, Some(0.7)),
        ("the writer alone", writing, None),
    ] {
        for (name, _) in ledgers {
            let figure = Figure::of(rates[name].clone());
            line(&format!("{what}, {name}"), figure, "records/s");
        }
        let ratio = |name| Figure::ratio(&rates[name], &rates[without]);
        ratio_line(
            &format!("{what}, with movement / without"),
            ratio(moving),
            goal,
        );
        ratio_line(
            &format!("{what}, the same records, all rules / set 1"),
            ratio(same),
            None,
        );
    }
}
