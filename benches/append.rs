//! Appending: records a second at 1, 16, 256 and 1,024 in flight, against bare
//! `verify_strict` on all cores and against bare redb committing the same bytes
//! under sequential keys in groups of the same size; and a lone record's
//! latency against one bare two-phase commit.
//!
//! `cargo bench --bench append`. Every record is verified, judged, committed,
//! covered by a signed checkpoint in its file, and answered. Signing is the
//! clients' work and done beforehand.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    reason = "a bench that cannot go on stops"
)]

mod measure;

use measure::city::{Material, Site};
use measure::{Figure, ROUNDS, head, line, rate, ratio_line, ratio_line_at_most};
use std::collections::HashMap;
use std::sync::mpsc::sync_channel;
use tempfile::TempDir;
use trace_core::ledger::job::{Job, Outcome};
use trace_core::ledger::opening::Settings;
use trace_core::record::sign::{Key, KeyId};
use trace_core::record::submission::Submission;
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
    for _ in 0..ROUNDS {
        for (place, (in_flight, count)) in FLIGHTS.iter().enumerate() {
            let (now, later) = rest.split_at(*count);
            rest = later;
            ours[place].push(rate(*count, || append(&site, now, *in_flight)));
            committing[place].push(rate(*count, || {
                commit_bare(&bare, now, *in_flight, &mut next_row)
            }));
        }
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
    ratio_line_at_most(
        "lone record / bare commit",
        Figure::ratio(&inverse(&ours[0]), &inverse(&committing[0])),
        2.0,
    );
    site.ledger.stop().unwrap();
}

/// Submits records with at most `in_flight` unanswered, verifying on two
/// threads beside the writer, each signer's records in order.
fn append(site: &Site, records: &[Submission], in_flight: usize) {
    let (sender, answers) = sync_channel(in_flight);
    let (done, mut waiting) = (records.len(), 0);
    let mut answered = 0;
    let check = |outcomes: Vec<Outcome>| {
        for outcome in outcomes {
            assert!(matches!(outcome, Outcome::Admitted(_)), "{outcome:?}");
        }
    };
    // Parsed and verified in parallel, handed over in order.
    let chunk = (in_flight / 4).clamp(1, 64);
    let (items, mut chunks) = (sync_channel(4), records.chunks(chunk));
    let (verified, to_submit) = items;
    std::thread::scope(|scope| {
        if in_flight == 1 {
            drop(verified);
            for record in records {
                let item = site.verify(std::slice::from_ref(record)).pop().unwrap();
                check(
                    site.ledger
                        .submit_and_wait(Job {
                            items: vec![item],
                            atomic: false,
                            request: None,
                        })
                        .unwrap()
                        .outcomes,
                );
            }
            return;
        }
        scope.spawn(move || {
            loop {
                let (Some(first), second) = (chunks.next(), chunks.next()) else {
                    return;
                };
                let (first, second) = std::thread::scope(|pair| {
                    let other = second.map(|second| pair.spawn(|| site.verify(second)));
                    (site.verify(first), other.map(|other| other.join().unwrap()))
                });
                for items in [Some(first), second].into_iter().flatten() {
                    verified.send(items).unwrap();
                }
            }
        });
        for items in to_submit {
            for item in items {
                while waiting >= in_flight {
                    check(answers.recv().unwrap());
                    waiting -= 1;
                    answered += 1;
                }
                let sender = sender.clone();
                let reply = Box::new(move |answer: trace_core::ledger::writer::Answered| {
                    sender.send(answer.outcomes).unwrap()
                });
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
        }
        while answered < done {
            check(answers.recv().unwrap());
            answered += 1;
        }
    });
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
