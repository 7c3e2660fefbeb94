//! Honest bundles damaged on the way: bytes flipped, records left out,
//! exchanged, repeated, paths and notes altered.

use super::compared::{Case, agreed};
use super::forger::Forger;
use serde_json::Value;
use std::collections::BTreeSet;
use trace_core::record::SubjectId;

/// Flips tried; the long form takes them all.
const FLIPS: usize = 400;

/// Every this many bits one is flipped: a prime, so that all places of a byte
/// and of a base 64 group are met.
fn flips(bundle: &[u8], count: usize) -> impl Iterator<Item = usize> {
    let bits = bundle.len() * 8;
    let step = (bits / count).max(1) | 1;
    (0..bits).step_by(step)
}

fn spoilt(forger: &Forger, bundle: &[u8], count: usize) -> Vec<Case> {
    let case = |name: String, bundle: Vec<u8>| Case {
        name,
        bundle,
        anchor: forger.anchor(),
        as_of: forger.world.today(),
    };
    let mut cases = vec![case("honest".into(), bundle.to_vec())];
    for bit in flips(bundle, count) {
        let mut other = bundle.to_vec();
        other[bit / 8] ^= 1 << (bit % 8);
        cases.push(case(format!("bit {bit}"), other));
    }
    for cut in [0, 1, bundle.len() / 2, bundle.len() - 1] {
        cases.push(case(format!("cut to {cut}"), bundle[..cut].to_vec()));
    }
    let file: Value = serde_json::from_slice(bundle).unwrap();
    let records = file["records"].as_array().unwrap().clone();
    let mut with = |name: String, change: &dyn Fn(&mut Vec<Value>)| {
        let mut records = records.clone();
        change(&mut records);
        let entries: Vec<String> = records.iter().map(spelt).collect();
        let text = format!(
            "{{\"version\":1,\"code\":{},\"checkpoint\":{},\"completeness\":{},\"records\":[{}]}}",
            file["code"],
            file["checkpoint"],
            file["completeness"],
            entries.join(",")
        );
        cases.push(case(name, text.into_bytes()));
    };
    with("as it was".into(), &|_| {});
    for place in 0..records.len() {
        with(format!("without {place}"), &|all| drop(all.remove(place)));
        with(format!("{place} twice"), &|all| {
            all.insert(place, all[place].clone())
        });
        with(format!("{place} without path"), &|all| {
            all[place]["path"] = Value::Array(vec![])
        });
        with(format!("{place} with a longer path"), &|all| {
            let path = all[place]["path"].as_array_mut().unwrap();
            path.extend(path.last().cloned());
        });
        with(format!("{place} and the next exchanged"), &|all| {
            let next = (place + 1) % all.len();
            let (one, other) = (all[place]["entry"].clone(), all[next]["entry"].clone());
            (all[place]["entry"], all[next]["entry"]) = (other, one);
        });
        with(format!("{place} elsewhere"), &|all| {
            let index = all[place]["index"].as_u64().unwrap();
            all[place]["index"] = (index + 1_000_000).into();
        });
    }
    cases
}

/// A record as a bundle spells it: its fields in their order.
fn spelt(record: &Value) -> String {
    let (index, entry, path) = (&record["index"], &record["entry"], &record["path"]);
    format!("{{\"index\":{index},\"entry\":{entry},\"path\":{path}}}")
}

fn honest() -> (Forger, Vec<u8>) {
    let (mut forger, unit, ..) = Forger::certified();
    forger.stated.insert(SubjectId::marks(unit.unit));
    let bundle = forger.bundle(unit.unit);
    (forger, bundle)
}

#[test]
fn both_verifiers_say_the_same_of_every_damaged_bundle() {
    let (forger, bundle) = honest();
    let cases = spoilt(&forger, &bundle, FLIPS);
    assert!(cases.len() > 500, "{} cases", cases.len());
    let found = agreed(&cases, None);
    assert!(found[0].starts_with("valid about "), "{}", found[0]);
    let kinds: BTreeSet<_> = found
        .iter()
        .map(|it| it.split(' ').next().unwrap())
        .collect();
    for kind in [
        "malformed",
        "signature",
        "proof",
        "wrong_ledger",
        "incomplete",
        "cannot_check",
    ] {
        assert!(kinds.contains(kind), "no case was {kind}: {kinds:?}");
    }
}

/// By the library alone, as where a browser has no Ed25519.
#[test]
fn without_webcrypto_the_verdicts_are_the_same() {
    let (forger, bundle) = honest();
    agreed(&spoilt(&forger, &bundle, 40), Some("noble"));
}

/// The long form: `cargo test -p trace-http --test second_verifier --
/// --ignored`, some minutes.
#[test]
#[ignore = "long"]
fn both_verifiers_say_the_same_of_fifty_thousand_flips() {
    let (forger, bundle) = honest();
    agreed(&spoilt(&forger, &bundle, 50_000), None);
}
