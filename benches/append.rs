//! Appending: records a second at 1, 16, 256 and 1,024 in flight, against bare
//! `verify_strict` on all cores and against bare redb committing the same bytes
//! under sequential keys in groups of the same size; and a lone record's
//! latency against one bare two-phase commit, and against such a commit with a
//! note of 200 bytes put durably in its place, which is all that the order of an
//! append makes a lone record wait for.
//!
//! `cargo bench -p trace-fixtures --bench append`. Every record is verified, judged, committed,
//! covered by a signed checkpoint in its file, and answered. Signing is the
//! clients' work and done beforehand.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    reason = "a bench that cannot go on stops"
)]

mod measure;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

use measure::city::{Material, Site};
use measure::{Figure, ROUNDS, head, line, rate, ratio_line, ratio_line_at_most};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use tempfile::TempDir;
use trace_core::ledger::job::{Job, Outcome};
use trace_core::ledger::opening::Settings;
use trace_core::ledger::writer::Answered;
use trace_core::record::sign::{Key, KeyId};
use trace_core::record::submission::{Submission, decode_many};
use trace_core::store::disk::{Access, Disk, RealDisk};
use trace_core::store::files::Replacer;
use trace_core::store::redb::Database;
use trace_core::store::table::{SequenceTable, Tables};

const FLIGHTS: [(usize, usize); 4] = [(1, 150), (16, 1_500), (256, 5_000), (1_024, 10_000)];
const ROWS: SequenceTable = SequenceTable("rows");

fn main() {
    let per_round: usize = FLIGHTS.iter().map(|(_, count)| count).sum();
    let material = Material::new(11, per_round * ROUNDS);
    assert!(
        material.records.len() >= per_round * ROUNDS,
        "only {} records",
        material.records.len()
    );
    let site = Site::new(&material, Settings::default());
    head("Appending");
    let mut ours = vec![Vec::new(); FLIGHTS.len()];
    let mut verifying = Vec::new();
    let mut committing = vec![Vec::new(); FLIGHTS.len()];
    let mut rest = &material.records[..];
    let keys = keys(&site, &material);
    let folder = TempDir::new().unwrap();
    let bare = Database::create(
        &folder.path().join("bare"),
        Tables {
            sequences: &[ROWS],
            ordered: &[],
        },
        32 << 20,
    )
    .unwrap();
    let mut next_row = 0;
    let mut noted = Vec::new();
    let disk: Arc<dyn Disk> = Arc::new(RealDisk);
    let path = folder.path().join("note");
    let mut note = Replacer::new(disk, &path, Access::Ordinary).unwrap();
    for _ in 0..ROUNDS {
        for (place, (in_flight, count)) in FLIGHTS.iter().enumerate() {
            let (now, later) = rest.split_at(*count);
            rest = later;
            let sent = by_signer(now);
            ours[place].push(rate(*count, || append(&site, &sent, *in_flight)));
            committing[place].push(rate(*count, || {
                commit_bare(&bare, now, *in_flight, &mut next_row)
            }));
        }
        let lone = &material.records[..FLIGHTS[0].1];
        noted.push(rate(lone.len(), || {
            for record in lone.chunks(1) {
                commit_bare(&bare, record, 1, &mut next_row);
                note.replace(&[b'x'; 200]).unwrap();
                note.prepare(512).unwrap();
            }
        }));
        let sample = &material.records[..8_000];
        verifying.push(rate(sample.len(), || verify_bare(sample, &keys)));
    }
    line(
        "verify_strict, bare, all cores",
        Figure::of(verifying.clone()),
        "records/s",
    );
    for (place, (in_flight, _)) in FLIGHTS.iter().enumerate() {
        line(
            &format!("redb, bare, two-phase, groups of {in_flight}"),
            Figure::of(committing[place].clone()),
            "records/s",
        );
        line(
            &format!("append, {in_flight} in flight"),
            Figure::of(ours[place].clone()),
            "records/s",
        );
        let smaller: Vec<f64> = committing[place]
            .iter()
            .zip(&verifying)
            .map(|(a, b)| a.min(*b))
            .collect();
        let goal = (*in_flight == 1_024).then_some(0.6);
        ratio_line(
            &format!("append / smaller of the two, {in_flight} in flight"),
            Figure::ratio(&ours[place], &smaller),
            goal,
        );
    }
    let inverse = |rates: &[f64]| rates.iter().map(|rate| 1e6 / rate).collect::<Vec<_>>();
    line(
        "a lone record's latency",
        Figure::of(inverse(&ours[0])),
        "µs",
    );
    line(
        "one bare two-phase commit",
        Figure::of(inverse(&committing[0])),
        "µs",
    );
    line(
        "one bare commit and a note put in its place",
        Figure::of(inverse(&noted)),
        "µs",
    );
    ratio_line_at_most(
        "lone record / bare commit",
        Figure::ratio(&inverse(&ours[0]), &inverse(&committing[0])),
        2.0,
    );
    ratio_line(
        "commit and note / bare commit",
        Figure::ratio(&inverse(&noted), &inverse(&committing[0])),
        None,
    );
    site.ledger.stop().unwrap();
}

/// Submits records with at most `in_flight` unanswered: each core parses and
/// verifies the records of half of the signers, in each signer's order, beside
/// the writer's thread.
fn append(site: &Site, records: &[Vec<Sent>], in_flight: usize) {
    let windows = records.len().min(in_flight);
    std::thread::scope(|scope| {
        if windows == 1 {
            return records.iter().for_each(|part| submit(site, part, 1));
        }
        for part in records {
            scope.spawn(move || submit(site, part, in_flight / windows));
        }
    });
}

/// A record as it comes from a client: in its binary form.
type Sent = Vec<u8>;

fn submit(site: &Site, records: &[Sent], window: usize) {
    let (sender, answers) = sync_channel(window);
    let mut waiting = 0;
    let check = |outcomes: Vec<Outcome>| {
        let mut all = outcomes.iter();
        assert!(
            all.all(|outcome| matches!(outcome, Outcome::Admitted(_))),
            "{outcomes:?}"
        );
    };
    for bytes in records {
        let submission = decode_many(bytes).unwrap().pop().unwrap().unwrap();
        let item = site.ledger.verify(vec![submission]).pop().unwrap().unwrap();
        while waiting >= window {
            check(answers.recv().unwrap());
            waiting -= 1;
        }
        let sender = sender.clone();
        let reply = Box::new(move |answer: Answered| sender.send(answer.outcomes).unwrap());
        site.ledger
            .submit(
                Job {
                    items: vec![item],
                    atomic: false,
                    request: None,
                },
                reply,
            )
            .unwrap();
        waiting += 1;
    }
    for _ in 0..waiting {
        check(answers.recv().unwrap());
    }
}

/// The records as two clients send them, each signer's by one of them.
fn by_signer(records: &[Submission]) -> Vec<Vec<Sent>> {
    let mut parts = vec![Vec::new(), Vec::new()];
    for record in records {
        let part = usize::from(record.signed.statement().key.as_bytes()[0] & 1);
        let mut bytes = Vec::new();
        record.encode_into(&mut bytes);
        parts[part].push(bytes);
    }
    parts
}

fn keys(site: &Site, material: &Material) -> HashMap<KeyId, Key> {
    let view = site.ledger.view();
    let ids = material
        .records
        .iter()
        .map(|record| record.signed.statement().key);
    let mut keys = HashMap::new();
    for id in ids {
        keys.entry(id)
            .or_insert_with(|| Key::parse(&view.key(&id).unwrap().unwrap().public_key()).unwrap());
    }
    keys
}

fn verify_bare(records: &[Submission], keys: &HashMap<KeyId, Key>) {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for part in records.chunks(records.len().div_ceil(cores)) {
            scope.spawn(move || {
                for record in part {
                    let key = &keys[&record.signed.statement().key];
                    key.verify_strict(record.signed.signed_bytes(), record.signed.signature())
                        .unwrap();
                }
            });
        }
    });
}

fn commit_bare(bare: &Database, records: &[Submission], group: usize, next_row: &mut u64) {
    for records in records.chunks(group) {
        bare.write(|batch| {
            for record in records {
                batch.put(ROWS, *next_row, &record.signed.entry(0))?;
                *next_row += 1;
            }
            Ok(())
        })
        .unwrap();
    }
}
