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
}

use std::{fs, os::unix::fs::PermissionsExt};

use cli::city::{City, text};

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
