//! Every rule that a submission can break, through a real ledger: the refusal
//! beside the acceptance, and after each refusal the ledger as it was, its
//! checkpoint and every derived row byte for byte.
//!
//! | file | rules about |
//! |---|---|
//! | `rights` | who may say it: keys, roles, areas, quorums |
//! | `compromise` | revoked and compromised keys, and what they leave disputed |
//! | `place` | where it stands: ledger, sequence, link, first record, groups |
//! | `time` | when it is said: clocks, dates, the change of forms |
//! | `certificates` | trace units, certificates, numbers, voiding, replacing |
//! | `amounts` | quantities and stock |
//! | `corrections` | replacing after receipt, and what was spent |
//! | `voiding` | certificates voided after something was made |
//! | `sets` | sets of rules, and which is in force |
//! | `custody` | who holds goods, who receives them, under which certificate |
//! | `lineage` | what becomes of what, holds and recalls |
//! | `official` | certificates of the official forms |
//! | `supervision` | centralised supervision warehouses |
//! | `evidence` | tests, inspections, findings, documents |
//! | `cold_chain` | equipment, temperature policies, segments, where goods are kept |
//! | `register` | entities, keys, roles and persons: each once |
//!
//! The last test demands that every [`Rule`] is refused here, in the golden
//! files, or stands in a list with the reason why it cannot be.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod rules {
    pub mod amounts;
    pub mod certificates;
    pub mod cold_chain;
    pub mod compromise;
    pub mod corrections;
    pub mod custody;
    pub mod evidence;
    pub mod lineage;
    pub mod official;
    pub mod place;
    pub mod register;
    pub mod replaced;
    pub mod rights;
    pub mod scene;
    pub mod sets;
    pub mod supervision;
    pub mod time;
    pub mod voiding;
}

use rules::scene::{Scenario, Seen};
use std::collections::BTreeSet;
use std::sync::Arc;
use trace_core::error::{Invalid, Rule};
use trace_core::ident::{DigitalLink, EquipmentId, Serial, TraceCode, parse_ms};
use trace_core::ledger::Failed;
use trace_core::ledger::cold_chain::to_seal;
use trace_core::ledger::documents::DocumentType;
use trace_core::ledger::readings::Readings;
use trace_core::ledger::tokens::{Sharing, Tokens};
use trace_core::proof::note::VerifierKey;
use trace_core::record::Role;
use trace_core::record::sign::SigningKey;
use trace_core::store::disk::RealDisk;

/// A rule that no record breaks at the ledger's door: why it cannot, and what
/// breaks it where it belongs.
type Elsewhere = (Rule, &'static str, fn() -> Invalid);

const ELSEWHERE: &[Elsewhere] = &[
    (
        Rule::TraceCode,
        "reading: any ten bytes are a code, and its text in JSON is a field of the statement",
        || "not a code".parse::<TraceCode>().unwrap_err(),
    ),
    (Rule::EquipmentId, "reading: as a trace code", || {
        "not an id".parse::<EquipmentId>().unwrap_err()
    }),
    (
        Rule::Serial,
        "reading: a serial number stands in a Digital Link, in no record",
        || "no space".parse::<Serial>().unwrap_err(),
    ),
    (Rule::Instant, "reading: records hold milliseconds", || {
        parse_ms("2026-02-01T04:00:00").unwrap_err()
    }),
    (
        Rule::Role,
        "reading: on the wire a role is a variant, in JSON a field of the statement",
        || "wizard".parse::<Role>().unwrap_err(),
    ),
    (
        Rule::Note,
        "signing: notes are what the ledger itself signs",
        || VerifierKey::new("two words", &SigningKey::from_seed([1; 32]).public()).unwrap_err(),
    ),
    (
        Rule::DigitalLink,
        "resolving: an address on a package leads to a page, and stands in no record",
        || DigitalLink::parse("/02/09521234543213").unwrap_err(),
    ),
    (
        Rule::Document,
        "storing: documents lie beside the log, and records hold their hashes alone",
        || DocumentType::of(b"<html>").unwrap_err(),
    ),
    (
        Rule::NothingToSeal,
        "sealing: readings lie beside the log, and a segment is made of them first",
        || {
            let folder = tempfile::TempDir::new().unwrap();
            let path = folder.path().join("readings");
            let readings = Readings::create(&path, Default::default()).unwrap();
            let probe = EquipmentId::from_bytes([1; 10]);
            match to_seal(&readings, &probe, 0, u64::MAX) {
                Err(Failed::Invalid(invalid)) => invalid,
                other => panic!("{other:?}"),
            }
        },
    ),
    (
        Rule::Token,
        "HTTP: a token comes with a request, before any record is read",
        || {
            let folder = tempfile::TempDir::new().unwrap();
            let path = folder.path().join("tokens");
            let tokens = Tokens::create(Arc::new(RealDisk), &path, Sharing::Alone).unwrap();
            tokens.check("trace_nonsense", 0).unwrap_err()
        },
    ),
];

/// Rules that golden files show: a record or a statement that is refused for
/// its form before any ledger sees it (tests/golden.rs checks each).
fn golden() -> BTreeSet<&'static str> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/golden");
    let mut codes = BTreeSet::new();
    for file in std::fs::read_dir(folder).unwrap() {
        let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
        let rule = text.lines().find_map(|line| line.strip_prefix("rule: "));
        codes.extend(
            Rule::ALL
                .iter()
                .map(|rule| rule.code())
                .find(|code| Some(*code) == rule),
        );
    }
    codes
}

#[test]
fn every_rule_is_refused_here_or_in_a_golden_file_or_belongs_elsewhere() {
    let all: [&[Scenario]; 17] = [
        rules::rights::SCENARIOS,
        rules::compromise::SCENARIOS,
        rules::place::SCENARIOS,
        rules::time::SCENARIOS,
        rules::certificates::SCENARIOS,
        rules::amounts::SCENARIOS,
        rules::corrections::SCENARIOS,
        rules::voiding::SCENARIOS,
        rules::replaced::SCENARIOS,
        rules::custody::SCENARIOS,
        rules::lineage::SCENARIOS,
        rules::register::SCENARIOS,
        rules::sets::SCENARIOS,
        rules::official::SCENARIOS,
        rules::supervision::SCENARIOS,
        rules::evidence::SCENARIOS,
        rules::cold_chain::SCENARIOS,
    ];
    let mut seen = Seen::new();
    for scenario in all.concat() {
        scenario(&mut seen);
    }
    let golden = golden();
    println!(
        "refused by a ledger: {}, by a golden file: {}",
        seen.len(),
        golden.len()
    );
    let mut wrong = Vec::new();
    for rule in Rule::ALL {
        let shown = seen.contains(rule) || golden.contains(rule.code());
        let elsewhere = ELSEWHERE.iter().any(|(listed, ..)| listed == rule);
        match (shown, elsewhere) {
            (false, false) => wrong.push(format!("{rule:?} is refused nowhere")),
            (true, true) => wrong.push(format!("{rule:?} is refused here: unlist it")),
            _ => {}
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    for (rule, why, broken) in ELSEWHERE {
        assert_eq!(broken().rule, *rule, "{why}");
    }
}
