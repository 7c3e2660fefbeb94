//! What a copy of a ledger's folder can do, and what somebody who kept one
//! checkpoint can show: a rollback, a fork, another key.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]
#![allow(dead_code, reason = "the city serves more tests than these")]

mod cli {
    pub mod city;
    pub mod program;
}

use std::fs;

use cli::city::{City, RIGHT, basis, text};

/// Copies the ledger's folder as it lies there.
fn copy(city: &City, to: &str) {
    let (from, to) = (city.place.path("ledger"), city.place.path(to));
    fs::create_dir(&to).unwrap();
    for file in fs::read_dir(from).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), to.join(file.file_name())).unwrap();
    }
}

/// The exit code of an audit of a folder against what somebody holds, and what
/// was said of it.
fn audit(city: &City, data: &str, against: &[&str]) -> (Option<i32>, String) {
    let mut arguments = vec!["audit", "--data", data];
    arguments.extend(against.iter().flat_map(|file| ["--against", *file]));
    let output = city.place.run(&arguments);
    (
        output.status.code(),
        String::from_utf8(output.stderr).unwrap(),
    )
}

fn issue_in(city: &City, data: &str, number: &str) -> (Option<i32>, String) {
    let mut arguments = vec!["issue", "--key", "producer.key", "--data", data];
    arguments.extend(RIGHT);
    arguments.extend(["--produced-on", &city.today, "--basis", basis()]);
    arguments.extend(["--number", number]);
    let output = city.place.run(&arguments);
    (
        output.status.code(),
        String::from_utf8(output.stderr).unwrap(),
    )
}

fn bundle(city: &City, data: &str, number: &str, out: &str) {
    let shown = city.place.json(&["show", number, "--data", data]);
    let code = text(&shown, "code");
    let arguments = ["bundle", code, "--data", data, "--out", out];
    city.place.json(&arguments);
}

#[test]
fn an_older_copy_is_a_rollback_to_whoever_holds_later_evidence_and_takes_nothing() {
    let city = City::new();
    city.issue(&["--number", "LF-FIRST-1"]);
    copy(&city, "old");
    city.issue(&["--number", "LF-SECOND-1"]);
    bundle(&city, "ledger", "LF-SECOND-1", "second.json");
    assert_eq!(audit(&city, "ledger", &["second.json"]).0, Some(0));

    // By itself the copy is sound: only what others hold shows it.
    assert_eq!(audit(&city, "old", &[]).0, Some(0));
    let (code, told) = audit(&city, "old", &["second.json"]);
    assert_eq!(code, Some(3), "{told}");
    assert!(told.contains("second.json"), "{told}");

    // With the last checkpoint kept elsewhere it shows itself.
    let last = city.place.path("ledger/last-checkpoint");
    fs::copy(last, city.place.path("old/last-checkpoint")).unwrap();
    assert_eq!(audit(&city, "old", &[]).0, Some(3));
    let before = fs::read(city.place.path("old/last-checkpoint")).unwrap();
    let (code, told) = issue_in(&city, "old", "LF-THIRD-1");
    assert!(!matches!(code, Some(0) | None), "{told}");
    assert!(
        told.contains("missing") || told.contains("behind"),
        "{told}"
    );
    let after = fs::read(city.place.path("old/last-checkpoint")).unwrap();
    assert_eq!(after, before);
}

#[test]
fn two_histories_under_one_key_are_a_fork_to_whoever_holds_a_bundle_of_the_other() {
    let city = City::new();
    city.issue(&["--number", "LF-FIRST-1"]);
    bundle(&city, "ledger", "LF-FIRST-1", "first.json");
    copy(&city, "other");
    city.issue(&["--number", "LF-SECOND-1"]);
    assert_eq!(issue_in(&city, "other", "LF-OTHER-1").0, Some(0));
    bundle(&city, "ledger", "LF-SECOND-1", "second.json");
    bundle(&city, "other", "LF-OTHER-1", "other.json");
    // Each is sound by itself and with what both have in common.
    for data in ["ledger", "other"] {
        assert_eq!(audit(&city, data, &["first.json"]).0, Some(0));
    }
    for (data, held) in [("ledger", "other.json"), ("other", "second.json")] {
        let (code, told) = audit(&city, data, &[held]);
        assert_eq!(code, Some(4), "{told}");
        assert!(told.contains(held), "{told}");
    }
    // It stays one however long either grows.
    city.issue(&["--number", "LF-FOURTH-1"]);
    assert_eq!(audit(&city, "ledger", &["other.json"]).0, Some(4));
}
