//! Proofs: making and checking inclusion and consistency at 10^4, 10^5 and
//! 10^6 leaves, against bare SHA-256 over as many nodes; and a whole bundle
//! against one `verify_strict` for each of its signatures.
//!
//! `cargo bench -p trace-fixtures --bench proof`. Indexes are drawn uniformly; nothing is cached.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    reason = "a bench that cannot go on stops"
)]

mod measure;

use measure::{Draw, Figure, ROUNDS, head, line, rate, ratio_line};
use std::convert::Infallible;
use std::hint::black_box;
use trace_core::ledger::bundling;
use trace_core::proof::bundle::Bundle;
use trace_core::proof::merkle::{
    Frontier, Nodes, leaf_hash, node_hash, node_place, prove_consistency, prove_inclusion,
    verify_consistency, verify_inclusion,
};
use trace_core::record::sign::Key;
use trace_core::record::{Entry, Hash};
use trace_fixtures::Who;
use trace_fixtures::stage::Stage;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Rows of finished nodes, as the ledger stores them.
struct Tree(Vec<Vec<Hash>>);

impl Nodes for Tree {
    type Error = Infallible;

    fn node(&self, level: u8, index: u64) -> Result<Hash, Infallible> {
        let (leaf, place) = node_place(level, index).unwrap();
        Ok(self.0[usize::try_from(leaf).unwrap()][place])
    }
}

fn main() {
    head("Proofs");
    let mut frontier = Frontier::default();
    let mut tree = Tree(Vec::new());
    for size in [10_000u64, 100_000, 1_000_000] {
        while frontier.size() < size {
            tree.0.push(
                frontier
                    .push(leaf_hash(&frontier.size().to_be_bytes()))
                    .unwrap(),
            );
        }
        at_size(&tree, size, &frontier.root());
    }
    bundle();
}

fn at_size(tree: &Tree, size: u64, root: &Hash) {
    const COUNT: usize = 5_000;
    let mut draw = Draw(0x5eed_0001 ^ size);
    let indexes: Vec<u64> = (0..COUNT)
        .map(|_| draw.below(usize::try_from(size).unwrap()) as u64)
        .collect();
    let paths: Vec<Vec<Hash>> = indexes
        .iter()
        .map(|index| prove_inclusion(tree, *index, size).unwrap())
        .collect();
    let nodes: usize = paths.iter().map(Vec::len).sum();
    let chains: Vec<(Hash, Vec<Hash>)> = indexes
        .iter()
        .map(|old| old + 1)
        .map(|old| {
            (
                frontier_root(tree, old),
                prove_consistency(tree, old, size).unwrap(),
            )
        })
        .collect();
    let (mut made, mut checked, mut bare, mut consistent) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        made.push(rate(COUNT, || {
            indexes
                .iter()
                .for_each(|index| drop(black_box(prove_inclusion(tree, *index, size).unwrap())))
        }));
        checked.push(rate(COUNT, || {
            for (index, path) in indexes.iter().zip(&paths) {
                verify_inclusion(
                    &tree.0[usize::try_from(*index).unwrap()][0],
                    *index,
                    size,
                    path,
                    root,
                )
                .unwrap();
            }
        }));
        bare.push(rate(COUNT, || {
            let mut hash = Hash::ZERO;
            for _ in 0..nodes {
                hash = black_box(node_hash(&hash, &hash));
            }
        }));
        consistent.push(rate(COUNT, || {
            for (index, (old_root, path)) in indexes.iter().zip(&chains) {
                verify_consistency(index + 1, size, old_root, root, path).unwrap();
            }
        }));
    }
    line(
        &format!("inclusion made, {size} leaves, nodes in memory"),
        Figure::of(made),
        "proofs/s",
    );
    line(
        &format!("inclusion checked, {size} leaves"),
        Figure::of(checked.clone()),
        "proofs/s",
    );
    line(
        &format!("consistency checked, {size} leaves"),
        Figure::of(consistent),
        "proofs/s",
    );
    ratio_line(
        &format!("inclusion checked / bare SHA-256 of its nodes, {size}"),
        Figure::ratio(&checked, &bare),
        None,
    );
}

fn frontier_root(tree: &Tree, size: u64) -> Hash {
    trace_core::proof::merkle::root(tree, size).unwrap()
}

/// A bundle of a unit with its certificate and two movements.
fn bundle() {
    const COUNT: usize = 100;
    let mut stage = Stage::new();
    let unit = stage.world.unit();
    let created = stage.world.sign_bare(Who::Producer, unit.clone());
    stage.admit(created);
    let (certificate, openings) = stage.world.certificate(&unit);
    let certified = stage.world.sign(Who::Producer, certificate, openings);
    stage.admit(certified);
    for entry in [true, false] {
        let submission = if entry {
            let (body, openings) = stage.world.warehouse_in(unit.unit, "4 斤");
            stage.world.sign(Who::ColdStore, body, openings)
        } else {
            let (body, openings) = stage.world.warehouse_out(unit.unit, "2 斤");
            stage.world.sign(Who::ColdStore, body, openings)
        };
        stage.admit(submission);
    }
    let view = stage.view();
    let bytes = bundling::bundle(&view, stage.ledger.signer(), unit.unit)
        .unwrap()
        .unwrap()
        .encode();
    let (anchor, today) = (stage.anchor(), stage.today());
    let bundle = Bundle::decode(&bytes).unwrap();
    let signed: Vec<(Key, Entry)> = bundle
        .records()
        .iter()
        .map(|record| {
            let entry = Entry::decode(&record.entry).unwrap();
            let state = view.key(&entry.signed.statement().key).unwrap().unwrap();
            (Key::parse(&state.public_key()).unwrap(), entry)
        })
        .collect();
    let (mut ours, mut bare) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        ours.push(rate(COUNT, || {
            for _ in 0..COUNT {
                black_box(
                    Bundle::decode(&bytes)
                        .unwrap()
                        .verify(&anchor, &[], today)
                        .unwrap(),
                );
            }
        }));
        bare.push(rate(COUNT, || {
            for _ in 0..COUNT {
                for ((key, entry), record) in signed.iter().zip(bundle.records()) {
                    key.verify_strict(entry.signed.signed_bytes(), entry.signed.signature())
                        .unwrap();
                    let mut hash = leaf_hash(&record.entry);
                    for step in &record.path {
                        hash = node_hash(&hash, step);
                    }
                    black_box(hash);
                }
            }
        }));
    }
    line(
        &format!(
            "bundle of {} records, {} bytes, verified",
            bundle.records().len(),
            bytes.len()
        ),
        Figure::of(ours.clone()),
        "bundles/s",
    );
    ratio_line(
        "bundle verified / one verify_strict and path a record",
        Figure::ratio(&ours, &bare),
        None,
    );
}
