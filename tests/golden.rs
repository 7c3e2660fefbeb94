//! Golden files: every kind's bytes, hash, signature and JSON, pinned for ever,
//! and records that are refused, each by the rule it names.
//!
//! A loop over `fixtures/golden`; its README says what a file holds. New files
//! are written with
//! `cargo test -p trace-fixtures --test golden -- --ignored`, which leaves every
//! file that exists as it is.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::PathBuf;
use trace_core::error::{Invalid, Rule, Verify};
use trace_core::proof::merkle::leaf_hash;
use trace_core::record::claim::Claim;
use trace_core::record::kinds::key_enrolled::enrolment_message;
use trace_core::record::kinds::{Body, KINDS};
use trace_core::record::layout::{Entry, Statement, Unverified};
use trace_core::record::section::Person;
use trace_core::record::sign::{Algorithm, Key, Signature, verify_strict};
use trace_core::record::{Signed, encode};
use trace_fixtures::golden::Golden;
use trace_fixtures::{golden_accepted, golden_refused};

/// The names of lines, in the order in which they stand.
const NAMES: [&str; 15] = [
    "expect",
    "rule",
    "why",
    "kind",
    "public_key",
    "countersigner",
    "signed",
    "signature",
    "hash",
    "admitted_ms",
    "leaf",
    "record",
    "trade",
    "person",
    "json",
];

/// Files of what was refused until a rule set admitted it, and the accepted file
/// that holds the same record: rule set 2 came, and ledgers open under it.
const LIFTED: [(&str, &str); 1] = [("refused_policy_rule_set", "ledger_opened_set_2")];

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/golden")
}

/// Name and content of every golden file, in order of name.
fn files() -> BTreeMap<String, Golden> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if name != "README" {
            let text = fs::read_to_string(&path).unwrap();
            let golden = Golden::parse(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(golden.to_string(), text, "{name}");
            files.insert(name, golden);
        }
    }
    files
}

#[test]
fn every_accepted_record_is_what_it_was_when_its_file_was_written() {
    let mut accepted = 0;
    for (name, golden) in files() {
        if golden.one("expect").unwrap() == "ok" {
            check_accepted(&golden).unwrap_or_else(|error| panic!("{name}: {error}"));
            accepted += 1;
        }
    }
    assert!(accepted >= KINDS.len(), "{accepted} files");
}

#[test]
fn every_refused_record_is_refused_by_the_rule_that_its_file_names() {
    let mut refused = 0;
    for (name, golden) in files() {
        let is_lifted = LIFTED.iter().any(|(lifted, _)| *lifted == name);
        if golden.one("expect").unwrap() == "refused" && !is_lifted {
            let wanted = golden.one("rule").unwrap().to_owned();
            assert!(golden.one("why").is_ok(), "{name}");
            assert_eq!(refusal(&golden), Some(wanted), "{name}");
            refused += 1;
        }
    }
    assert!(refused > 50, "{refused} files");
}

#[test]
fn what_a_later_rule_set_admits_is_the_very_record_that_was_refused() {
    let files = files();
    for (lifted, now) in LIFTED {
        let (before, now) = (&files[lifted], &files[now]);
        assert_eq!(before.one("expect"), Ok("refused"), "{lifted}");
        assert_eq!(refusal(before), None, "{lifted} is refused still");
        let record = [
            now.bytes("signed").unwrap(),
            vec![Algorithm::Ed25519.byte()],
            now.bytes("signature").unwrap(),
        ];
        assert_eq!(before.bytes("record"), Ok(record.concat()), "{lifted}");
    }
}

#[test]
fn every_kind_has_a_golden_file_and_every_file_says_what_it_expects() {
    let files = files();
    for kind in KINDS {
        let golden = files
            .get(kind.name)
            .unwrap_or_else(|| panic!("no golden file {}.txt", kind.name));
        assert_eq!(
            (golden.one("expect"), golden.one("kind")),
            (Ok("ok"), Ok(kind.name))
        );
    }
    for (name, golden) in &files {
        let expect = golden.one("expect").unwrap();
        assert_eq!(expect == "refused", name.starts_with("refused_"), "{name}");
        assert!(["ok", "refused"].contains(&expect), "{name}: {expect}");
        let places = golden
            .names()
            .map(|line| NAMES.iter().position(|known| *known == line));
        let places: Vec<usize> = places.map(|place| place.expect(name)).collect();
        assert!(places.is_sorted(), "{name}: lines out of order");
    }
}

/// Writes the files that are not there yet. Run by hand, after a kind or a case
/// was added; the diff is then for a person to read.
#[test]
#[ignore = "writes files: run by hand when a kind or a case is new"]
fn new_golden_files_are_written_and_old_ones_left_as_they_are() {
    let accepted = golden_accepted::accepted();
    for (name, golden) in accepted.into_iter().chain(golden_refused::refused()) {
        let path = folder().join(format!("{name}.txt"));
        match OpenOptions::new().write(true).create_new(true).open(&path) {
            Ok(mut file) => file.write_all(golden.to_string().as_bytes()).unwrap(),
            Err(error) => assert_eq!(error.kind(), ErrorKind::AlreadyExists, "{name}"),
        }
    }
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, found: T, wanted: T) -> Result<(), String> {
    match found == wanted {
        true => Ok(()),
        false => Err(format!("{what}: found {found:?}, wanted {wanted:?}")),
    }
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

fn check_accepted(golden: &Golden) -> Result<(), String> {
    let bytes = golden.bytes("signed")?;
    let signature = golden.bytes("signature")?;
    let signature: [u8; 64] = signature
        .try_into()
        .map_err(|_| "signature: not 64 bytes")?;
    let [public] = golden.keys("public_key")?[..] else {
        return Err("one public key is wanted".into());
    };
    let key = public.accept().map_err(text)?;

    // Bytes: read, and written again the same.
    let statement = Statement::decode(&bytes).map_err(text)?;
    same("signed", statement.encode(), bytes.clone())?;
    let signature = Signature::from_bytes(signature);
    let signed = Signed::from_parts(&bytes, &signature).map_err(text)?;
    same("hash", signed.hash(), golden.hash("hash")?)?;
    let admitted_ms = golden
        .one("admitted_ms")?
        .parse()
        .map_err(|_| "admitted_ms")?;
    let entry = signed.entry(admitted_ms);
    same("leaf", leaf_hash(&entry), golden.hash("leaf")?)?;
    let again = Entry::decode(&entry).map_err(text)?;
    same(
        "entry",
        (again.admitted_ms, again.encode()),
        (admitted_ms, entry),
    )?;

    // Signature, and those of others within it.
    let record = signed.verify(&key).map_err(text)?;
    let body = record.body();
    let given = body.countersignatures();
    let countersigners = golden.keys("countersigner")?;
    same("countersigners", countersigners.len(), given.len())?;
    for (given, public) in given.iter().zip(countersigners) {
        let key = Key::parse(&public).map_err(text)?;
        record.verify_countersignature(given, &key).map_err(text)?;
    }

    // The body: read, and written again the same, in bytes and in JSON.
    let kind = golden.one("kind")?;
    same("kind", body.kind().name, kind)?;
    same("body", body.encode(), statement.body.clone())?;
    same("json", body.to_json(), golden.json("json")?)?;
    let from_json = Body::from_json(kind, golden.json("json")?).map_err(text)?;
    same("body from json", from_json.encode(), statement.body)?;

    // Sections: they open, and are the same in bytes and in JSON.
    let (openings, json) = golden.openings()?;
    body.check_openings(&openings).map_err(text)?;
    let sections = usize::from(openings.trade.is_some()) + openings.persons.len();
    same("sections with json", json.len(), sections)?;
    let mut json = json.into_iter();
    if let Some(trade) = &openings.trade {
        let json = json.next().ok_or("trade without json")?;
        let shown = body.trade_to_json(&trade.bytes).map_err(text)?;
        same("trade", shown, json.clone())?;
        let read = Body::trade_from_json(kind, json).map_err(text)?;
        same("trade from json", read, trade.bytes.clone())?;
    }
    for (opening, json) in openings.persons.iter().zip(json) {
        let person: Person = serde_json::from_value(json.clone()).map_err(text)?;
        same(
            "person from json",
            encode::encode(&person),
            opening.bytes.clone(),
        )?;
        same("person", serde_json::to_value(&person).map_err(text)?, json)?;
    }
    for claim in body.claims(&openings).map_err(text)? {
        if let Claim::EnrolsKey {
            entity,
            key,
            possession,
            ..
        } = claim
        {
            let message = enrolment_message(&statement.origin, entity, &key);
            let possession = Signature::from_bytes(possession);
            verify_strict(&key, &message, &possession).map_err(text)?;
        }
    }
    Ok(())
}

/// The code of the rule that refuses; none when nothing does.
fn refusal(golden: &Golden) -> Option<String> {
    let refused: Result<(), Unverified> = match golden.all("record")[..] {
        [_] => check_record(golden),
        _ => {
            let (kind, json) = (golden.one("kind").unwrap(), golden.json("json").unwrap());
            Body::from_json(kind, json)
                .map(drop)
                .map_err(Unverified::from)
        }
    };
    match refused {
        Ok(()) => None,
        Err(Unverified::Form(Invalid { rule, .. })) => Some(rule.code().into()),
        Err(Unverified::Evidence(Verify::Signature { .. })) => Some(Rule::Signature.code().into()),
        Err(Unverified::Evidence(other)) => Some(other.to_string()),
    }
}

fn check_record(golden: &Golden) -> Result<(), Unverified> {
    let public = golden.keys("public_key").unwrap();
    let key = Key::parse(&public[0])?;
    let record = Signed::decode(&golden.bytes("record").unwrap())?.verify(&key)?;
    let (openings, _) = golden.openings().unwrap();
    Ok(record.body().check_openings(&openings)?)
}
