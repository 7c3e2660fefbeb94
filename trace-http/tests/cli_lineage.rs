//! Lineage, recall and documents on the command line, by the program itself, in
//! temporary folders.
#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]
#![allow(dead_code, reason = "the city serves more tests than these")]

mod cli {
    pub mod city;
    pub mod program;
    pub mod served;
}

use std::{fs, os::unix::fs::PermissionsExt};

use cli::{
    city::{City, text},
    served::Served,
};
use serde_json::Value;

/// A city that is served, with a token of an inspector of it and one of another
/// county's in files.
struct Seen {
    city: City,
    server: Served,
    code: String,
}

const INSPECTOR: [&str; 2] = ["--token-file", "inspector"];
const ELSEWHERE: [&str; 2] = ["--token-file", "elsewhere"];

impl Seen {
    fn new() -> Self {
        let city = City::new();
        let code = text(&city.issue(&[]), "code").to_owned();
        for (file, area) in [("inspector", "131023"), ("elsewhere", "131024")] {
            let make = ["token", "make", "--role", "inspector", "--area", area];
            let made = city.place.json(&make);
            fs::write(city.place.path(file), text(&made, "token")).unwrap();
        }
        let server = Served::start(&city.place, &[]);
        Self { city, server, code }
    }

    fn json(&self, arguments: &[&str], token: &[&str]) -> Value {
        let arguments = self.server.at(arguments);
        self.city.place.json(&[&arguments, token].concat())
    }

    /// It ends with this code and names the rule.
    #[track_caller]
    fn refuses(&self, arguments: &[&str], token: &[&str], code: i32, named: &str) {
        let arguments = [&self.server.at(arguments), token].concat();
        let output = self.city.place.run(&arguments);
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{told}");
        assert!(told.contains(named), "{told}");
    }
}

/// A code that is on no ledger.
const NOWHERE: &str = "000G-40R4-0M30-E209-P";

#[test]
fn a_lineage_is_shown_by_a_server_with_quantities_to_whom_they_may_be_shown() {
    let seen = Seen::new();
    let trace = ["trace", seen.code.as_str()];
    for token in [&[][..], &ELSEWHERE] {
        let public = seen.json(&trace, token);
        assert_eq!(public["units"][0]["code"], seen.code.as_str());
        assert!(public["units"][0].get("balance").is_none(), "{public}");
    }
    let full = seen.json(&trace, &INSPECTOR);
    assert_eq!(full["units"][0]["balance"]["held"], 6_250, "{full}");
    seen.refuses(&["trace", NOWHERE], &[], 1, "unit_unknown");
    fs::write(seen.city.place.path("forged"), "trt_x").unwrap();
    seen.refuses(&trace, &["--token-file", "forged"], 1, "token_wrong");
}

#[test]
fn a_recall_at_a_server_needs_a_key_to_record_and_a_token_to_see_the_sheet() {
    let seen = Seen::new();
    let dry = ["recall", seen.code.as_str(), "--dry-run"];
    seen.refuses(&dry, &[], 2, "token");
    seen.refuses(&dry, &ELSEWHERE, 1, "right_missing");
    let absent = ["recall", NOWHERE, "--dry-run"];
    seen.refuses(&absent, &INSPECTOR, 1, "unit_unknown");
    let rehearsed = [&dry[..], &["--out", "sheet.csv"]].concat();
    let rehearsed = seen.json(&rehearsed, &INSPECTOR);
    assert_eq!(rehearsed["totals"]["amounts"]["gram"]["held"], 6_250);
    assert!(rehearsed["index"].is_null(), "{rehearsed}");
    let sheet = fs::read_to_string(seen.city.place.path("sheet.csv")).unwrap();
    assert!(sheet.starts_with('\u{feff}') && sheet.contains(&seen.code));
    assert_eq!(seen.json(&["show", &seen.code], &[])["status"], "valid");

    let recall = ["recall", seen.code.as_str(), "--reason", "农药残留超标"];
    let recalled = seen.json(&recall, &["--key", "producer.key"]);
    assert!(recalled["index"].is_u64() && recalled["totals"].is_null());
    assert_eq!(seen.json(&["show", &seen.code], &[])["status"], "recalled");
}

#[test]
fn a_document_goes_to_a_server_by_a_token_and_comes_back_to_whom_it_is_shown() {
    let seen = Seen::new();
    let bytes = b"%PDF-1.7\n%%EOF\n";
    fs::write(seen.city.place.path("report.pdf"), bytes).unwrap();
    let put = ["document", "put", "report.pdf"];
    seen.refuses(&put, &[], 1, "token_wrong");
    let stored = seen.json(&put, &INSPECTOR);
    assert_eq!(stored["media_type"], "application/pdf");
    // No record names it yet, so that it is shown to nobody.
    let get = ["document", "get", text(&stored, "hash"), "--out", "x.pdf"];
    seen.refuses(&get, &INSPECTOR, 1, "not for everybody");
    assert!(!seen.city.place.path("x.pdf").exists());
    fs::write(seen.city.place.path("page.html"), "<html>").unwrap();
    let put = ["document", "put", "page.html"];
    seen.refuses(&put, &INSPECTOR, 1, "document_malformed");
}

#[test]
fn a_recall_is_rehearsed_then_recorded_and_every_look_says_so() {
    let city = City::new();
    let issued = city.issue(&[]);
    let code = text(&issued, "code");
    let rehearsed = city.place.json(&["recall", code, "--dry-run"]);
    assert_eq!(rehearsed["totals"]["units"], 1);
    assert_eq!(rehearsed["totals"]["amounts"]["gram"]["held"], 6_250);
    assert!(rehearsed["took_ms"].is_u64() && rehearsed["index"].is_null());
    assert_eq!(city.place.json(&["show", code])["status"], "valid");
    let traced = city.place.text(&["trace", code, "--forward"]);
    assert!(traced.contains(code) && traced.contains("韭菜"), "{traced}");

    let unsaid = city.place.run(&["recall", code, "--key", "producer.key"]);
    assert_eq!(unsaid.status.code(), Some(2), "no reason is given");
    let recall = ["recall", code, "--key", "producer.key", "--reason"];
    let recalled = [&recall[..], &["农药残留超标", "--out", "sheet.csv"]].concat();
    let recalled = city.place.json(&recalled);
    assert!(recalled["index"].is_u64(), "{recalled}");
    assert_eq!(city.place.json(&["show", code])["status"], "recalled");
    let traced = city
        .place
        .text(&["trace", code, "--back", "--language", "zh"]);
    assert!(traced.contains("已召回"), "{traced}");
    let sheet = city.place.path("sheet.csv");
    let mode = fs::metadata(&sheet).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let sheet = fs::read_to_string(sheet).unwrap();
    assert!(sheet.starts_with('\u{feff}'), "{sheet}");
    assert_eq!(sheet.lines().count(), 2, "{sheet}");
    assert!(sheet.contains(code) && sheet.contains("合作社"), "{sheet}");

    let nothing = city.place.run(&["trace", "000G-40R4-0M30-E209-P"]);
    assert_eq!(nothing.status.code(), Some(1));
}

#[test]
fn balances_questions_and_grades_are_told_from_a_folder_and_open_in_a_spreadsheet() {
    let city = City::new();
    let issued = city.issue(&[]);
    let shown = city.place.json(&["show", text(&issued, "code")]);
    let producer = text(&shown["records"][0]["signer"], "entity");
    let balance = ["balance", "--entity", producer];
    let told = city.place.json(&balance);
    assert_eq!(told["products"][0]["held"], 6_250, "{told}");
    let people = city
        .place
        .text(&[&balance[..], &["--language", "zh"]].concat());
    assert!(
        people.contains("韭菜") && people.contains("期末在手 6250"),
        "{people}"
    );
    for (file, head) in [("b.csv", "\u{feff}product,".as_bytes()), ("b.xlsx", b"PK")] {
        let out = ["balance", "--area", "131023", "--out", file];
        city.place.json(&out);
        let path = city.place.path(file);
        assert!(fs::read(&path).unwrap().starts_with(head), "{file}");
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    let grade = city.place.json(&["grade", producer]);
    assert_eq!(
        (&grade["risk"], &grade["credit"]),
        (&"A".into(), &"A".into())
    );
    let people = city.place.text(&["grade", producer, "--language", "zh"]);
    assert!(people.contains("风险分级 A"), "{people}");
    let none = city
        .place
        .json(&["questions", "--about", "volumes", "--out", "q.xlsx"]);
    assert_eq!(none, Value::Array(Vec::new()));
    assert!(
        fs::read(city.place.path("q.xlsx"))
            .unwrap()
            .starts_with(b"PK")
    );
    let recall = [
        "recall",
        text(&issued, "code"),
        "--dry-run",
        "--out",
        "r.xlsx",
    ];
    city.place.json(&recall);
    assert!(
        fs::read(city.place.path("r.xlsx"))
            .unwrap()
            .starts_with(b"PK")
    );

    let nobody = trace_core::ident::EntityId::from_bytes([7; 10]).to_string();
    for (arguments, code) in [
        (&["balance", "--entity", &nobody][..], 1),
        (&["grade", &nobody], 1),
        (&["grade", producer, "--formula", "9"], 1),
        (&["balance"], 2),
        (&["balance", "--area", "131"], 2),
        (&["balance", "--area", "131023", "--entity", producer], 2),
        (&["questions", "--about", "weather"], 2),
    ] {
        let output = city.place.run(arguments);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}");
    }
}

#[test]
fn balances_questions_and_grades_are_told_by_a_server_to_whom_they_may_be_told() {
    let seen = Seen::new();
    let shown = seen.json(&["show", &seen.code], &[]);
    let producer = text(&shown["records"][0]["signer"], "entity");
    let balance = ["balance", "--entity", producer, "--out", "b.xlsx"];
    let area = ["balance", "--area", "131023"];
    let grade = ["grade", producer];
    let questions = ["questions", "--about", "findings", "--out", "q.csv"];
    assert_eq!(
        seen.json(&balance, &INSPECTOR)["products"][0]["held"],
        6_250
    );
    assert!(
        fs::read(seen.city.place.path("b.xlsx"))
            .unwrap()
            .starts_with(b"PK")
    );
    assert_eq!(seen.json(&area, &INSPECTOR)["area"], "131023");
    assert_eq!(seen.json(&grade, &INSPECTOR)["risk"], "A");
    assert_eq!(seen.json(&questions, &INSPECTOR), Value::Array(Vec::new()));
    let sheet = fs::read_to_string(seen.city.place.path("q.csv")).unwrap();
    assert_eq!(sheet.lines().count(), 1, "{sheet}");
    for arguments in [&balance[..], &area, &grade] {
        seen.refuses(arguments, &ELSEWHERE, 1, "right_missing");
        seen.refuses(arguments, &[], 1, "token_wrong");
    }
    seen.refuses(&questions, &[], 1, "token_wrong");
    let nobody = trace_core::ident::EntityId::from_bytes([7; 10]).to_string();
    seen.refuses(&["grade", &nobody], &INSPECTOR, 1, "entity_unknown");
}

#[test]
fn a_document_is_stored_and_fetched_by_its_hash() {
    let city = City::new();
    let bytes = b"%PDF-1.7\n%%EOF\n";
    fs::write(city.place.path("report.pdf"), bytes).unwrap();
    let stored = city.place.json(&["document", "put", "report.pdf"]);
    assert_eq!(stored["media_type"], "application/pdf");
    let hash = text(&stored, "hash");
    city.place
        .json(&["document", "get", hash, "--out", "again.pdf"]);
    assert_eq!(fs::read(city.place.path("again.pdf")).unwrap(), bytes);
    fs::write(city.place.path("page.html"), "<html>").unwrap();
    let refused = city.place.run(&["document", "put", "page.html"]);
    assert_eq!(refused.status.code(), Some(1));
    let absent = "00".repeat(32);
    let absent = ["document", "get", &absent, "--out", "x.pdf"];
    assert_eq!(city.place.run(&absent).status.code(), Some(1));
}
