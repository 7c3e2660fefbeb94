//! Look-ups by trace code: in core against a bare redb `get`, and over HTTP,
//! proof included, against an axum handler that returns 300 static bytes behind
//! the same server.
//!
//! `cargo bench -p trace-fixtures --bench lookup`. Codes are drawn uniformly from all units; no
//! result is cached. The load generator shares the machine with the server, for
//! ours and for the empty handler alike, so its cost is in both.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    reason = "a bench that cannot go on stops"
)]

mod measure;

use measure::city::{Material, Site};
use measure::{Draw, Figure, ROUNDS, head, line, rate, ratio_line, resident_mib, web};
use std::hint::black_box;
use tempfile::TempDir;
use trace_core::ident::TraceCode;
use trace_core::ledger::lookup::{Audience, Lookup};
use trace_core::ledger::opening::Settings;
use trace_core::record::Body;
use trace_core::store::redb::Database;
use trace_core::store::table::{OrderedTable, Tables};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Units on the ledger; each has two records.
const UNITS: usize = 30_000;
/// Look-ups of one run in core, and requests of one run over HTTP.
const LOOKUPS: usize = 10_000;
const ROWS: OrderedTable = OrderedTable("rows");

fn main() {
    let material = Material::new(17, UNITS * 2);
    let site = Site::new(&material, Settings::default());
    site.admit_all(&material.records);
    let codes: Vec<TraceCode> = material
        .records
        .iter()
        .filter_map(|record| match record.signed.body().unwrap() {
            Body::UnitCreated(body) => Some(body.unit),
            _ => None,
        })
        .collect();
    head(&format!(
        "Look-ups, {} units, {} records",
        codes.len(),
        site.ledger.view().size()
    ));
    in_core(&site, &codes, material.until_ms);
    over_http(&site, &codes, material.until_ms);
    println!(
        "{:.0} MiB resident, the bench's own material included",
        resident_mib()
    );
}

fn drawn(codes: &[TraceCode], round: usize) -> Vec<TraceCode> {
    let mut draw = Draw(0x10_0cab + round as u64);
    (0..LOOKUPS)
        .map(|_| codes[draw.below(codes.len())])
        .collect()
}

fn in_core(site: &Site, codes: &[TraceCode], now_ms: u64) {
    let folder = TempDir::new().unwrap();
    let bare = Database::create(
        &folder.path().join("bare"),
        Tables {
            sequences: &[],
            ordered: &[ROWS],
        },
        64 << 20,
    )
    .unwrap();
    let value = vec![7u8; 600];
    bare.write(|batch| {
        codes
            .iter()
            .try_for_each(|code| batch.put(ROWS, code.as_bytes(), &value))
    })
    .unwrap();
    let snapshot = bare.snapshot().unwrap();
    let (mut ours, mut gets) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let drawn = drawn(codes, round);
        ours.push(rate(LOOKUPS, || {
            for code in &drawn {
                let view = site.ledger.view();
                let mut lookup =
                    Lookup::new(&view, site.ledger.vault(), Audience::Public, now_ms).unwrap();
                black_box(lookup.unit(*code, 0, 50).unwrap().unwrap());
            }
        }));
        gets.push(rate(LOOKUPS, || {
            for code in &drawn {
                black_box(snapshot.get(ROWS, code.as_bytes()).unwrap().unwrap());
            }
        }));
    }
    line(
        "look-up in core, status, story and proofs",
        Figure::of(ours.clone()),
        "look-ups/s",
    );
    line(
        "redb, bare get of 600 bytes",
        Figure::of(gets.clone()),
        "gets/s",
    );
    ratio_line(
        "look-up in core / bare get",
        Figure::ratio(&ours, &gets),
        None,
    );
}

fn over_http(site: &Site, codes: &[TraceCode], now_ms: u64) {
    let folder = TempDir::new().unwrap();
    let office = web::office(&site.ledger, folder.path(), now_ms);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let ours = web::served(&runtime, office);
    let empty = web::empty(&runtime, "/v1/codes/{code}");
    let (mut with_proof, mut without) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let paths: Vec<String> = drawn(codes, round)
            .iter()
            .map(|code| format!("/v1/codes/{}", code.compact()))
            .collect();
        with_proof.push(rate(LOOKUPS, || web::request_all(ours, &paths)));
        without.push(rate(LOOKUPS, || web::request_all(empty, &paths)));
    }
    line(
        "look-up over HTTP, with proof",
        Figure::of(with_proof.clone()),
        "requests/s",
    );
    line(
        "empty handler over HTTP, 300 bytes",
        Figure::of(without.clone()),
        "requests/s",
    );
    ratio_line(
        "look-up over HTTP / empty handler",
        Figure::ratio(&with_proof, &without),
        Some(0.4),
    );
}
