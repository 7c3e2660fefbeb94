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
use measure::{Draw, Figure, ROUNDS, head, line, rate, ratio_line, resident_mib};
use std::hint::black_box;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use tempfile::TempDir;
use trace_core::ident::TraceCode;
use trace_core::ledger::lookup::{Audience, Lookup};
use trace_core::ledger::lookups::{self, Lookups};
use trace_core::ledger::opening::Settings;
use trace_core::ledger::tokens::{Sharing, Tokens};
use trace_core::record::Body;
use trace_core::store::disk::{Disk, RealDisk};
use trace_core::store::redb::Database;
use trace_core::store::table::{OrderedTable, Tables};
use trace_http::api::office::{Book, Office};
use trace_http::metrics::Metrics;
use trace_http::server::{Limits, Load, serve};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Units on the ledger; each has two records.
const UNITS: usize = 30_000;
/// Look-ups of one run in core, and requests of one run over HTTP.
const LOOKUPS: usize = 10_000;
/// Keep-alive connections of the load generator.
const CONNECTIONS: usize = 16;
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
    let disk: Arc<dyn Disk> = Arc::new(RealDisk);
    let office = Arc::new(Office::new(
        Book::Writing(site.ledger.clone()),
        Tokens::create(
            Arc::clone(&disk),
            &folder.path().join("tokens"),
            Sharing::Alone,
        )
        .unwrap(),
        Lookups::create(
            disk,
            &folder.path().join("lookups"),
            lookups::Committing::Thread,
        )
        .unwrap(),
        Arc::new(move || now_ms),
        "http://127.0.0.1".to_owned(),
    ));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let load = Arc::new(Load::default());
    let metrics = Arc::new(Metrics::new(&load));
    let ours = runtime.block_on(start(trace_http::api::router(
        office,
        metrics,
        Arc::new(|| Ok(())),
    )));
    const STATIC: &[u8] = &[b'x'; 300];
    let empty = runtime.block_on(start(
        axum::Router::new().route("/v1/codes/{code}", axum::routing::get(async || STATIC)),
    ));
    let (mut with_proof, mut without) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let drawn = drawn(codes, round);
        with_proof.push(rate(LOOKUPS, || request_all(ours, &drawn)));
        without.push(rate(LOOKUPS, || request_all(empty, &drawn)));
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

async fn start(router: axum::Router) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(serve(
        listener,
        router,
        Limits::default(),
        Arc::new(Load::default()),
        std::future::pending(),
    ));
    address
}

/// Requests every code once, over a few connections that stay open.
fn request_all(address: SocketAddr, codes: &[TraceCode]) {
    std::thread::scope(|scope| {
        for part in codes.chunks(codes.len().div_ceil(CONNECTIONS)) {
            scope.spawn(move || {
                let mut stream = TcpStream::connect(address).unwrap();
                stream.set_nodelay(true).unwrap();
                stream.set_read_timeout(Some(measure::WAIT_MAX)).unwrap();
                let mut buffer = vec![0u8; 64 * 1024];
                for code in part {
                    let request = format!(
                        "GET /v1/codes/{} HTTP/1.1\r\nHost: bench\r\n\r\n",
                        code.compact()
                    );
                    stream.write_all(request.as_bytes()).unwrap();
                    read_answer(&mut stream, &mut buffer);
                }
            });
        }
    });
}

fn read_answer(stream: &mut TcpStream, buffer: &mut [u8]) {
    let mut filled = 0;
    loop {
        let count = stream.read(&mut buffer[filled..]).unwrap();
        assert!(count > 0, "the server closed");
        filled += count;
        let Some(end) = buffer[..filled]
            .windows(4)
            .position(|window| window == b"\r\n\r\n")
        else {
            continue;
        };
        let head = std::str::from_utf8(&buffer[..end])
            .unwrap()
            .to_ascii_lowercase();
        assert!(head.starts_with("http/1.1 200"), "{head}");
        let length: usize = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "))
            .unwrap()
            .parse()
            .unwrap();
        if filled >= end + 4 + length {
            return;
        }
    }
}
