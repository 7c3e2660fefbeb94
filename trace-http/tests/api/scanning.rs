//! Scans: counted when a page is opened, by day and place, and of one thing alone a
//! reason to suspect that its code was copied.

use serde_json::{Value, json};
use trace_core::{ident::TraceCode, record::Quantity};

use crate::town::{PLACE, Town};

const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

fn open(town: &Town, code: TraceCode, more: &str, lines: &str) -> String {
    let path = format!("/t/{}{more}", code.compact());
    town.ask("GET", &path, lines, b"").with(200).text()
}

fn at(area: &str) -> String {
    format!("{PLACE}: {area}\r\n")
}

fn scans(town: &Town, code: TraceCode) -> Value {
    let path = format!("/v1/codes/{code}/scans");
    town.get(&path).with(200).json()
}

/// One thing with a code of its own.
fn item(town: &mut Town) -> TraceCode {
    let mut unit = town.world.unit();
    unit.quantity = Quantity::parse("1 件").unwrap();
    town.batch_of(unit).0.unit
}

#[test]
fn an_opened_page_counts_and_nothing_else_does() {
    let mut town = Town::new();
    let (code, other) = (town.batch().0.unit, town.batch().0.unit);
    assert!(open(&town, code, "", "").contains("Opened once today"));
    open(&town, code, "", &at("131023"));
    open(&town, code, "?lang=zh", &at("131023"));
    // Further back in the story, fetched ahead, asked for by a program.
    open(&town, code, "?before=5", "");
    open(&town, code, "", "sec-purpose: prefetch\r\n");
    town.get(&format!("/v1/codes/{code}")).with(200);
    town.get(&format!("/t/{}/report", code.compact())).with(200);
    let found = scans(&town, code);
    assert_eq!((&found["today"], &found["week"]), (&json!(3), &json!(3)));
    assert_eq!(
        (&found["prefectures"], &found["is_item"]),
        (&json!(1), &json!(false))
    );
    let lines = found["scans"].as_array().unwrap();
    assert_eq!(lines.len(), 2);
    assert_eq!(
        (&lines[1]["area"], &lines[1]["scans"]),
        (&json!("131023"), &json!(2))
    );
    assert!(lines[0].get("area").is_none());
    assert_eq!(scans(&town, other)["week"], 0);

    town.world.now_ms += DAY_MS;
    town.tick();
    let page = open(&town, code, "", "");
    assert!(page.contains("Opened once today, 4 times in seven days, in one prefecture"));
    town.world.now_ms += 8 * DAY_MS;
    town.tick();
    let found = scans(&town, code);
    assert_eq!((&found["today"], &found["week"]), (&json!(0), &json!(0)));
    assert_eq!(found["scans"].as_array().unwrap().len(), 3);
}

#[test]
fn one_thing_scanned_far_apart_is_suspicious_and_a_batch_is_not() {
    let mut town = Town::new();
    let (item, batch) = (item(&mut town), town.batch().0.unit);
    for code in [item, batch] {
        for area in ["131023", "110101", "120101"] {
            for _ in 0..3 {
                let page = open(&town, code, "", &at(area));
                assert!(page.contains("data-status=\"valid\""), "{area}");
            }
        }
    }
    // The tenth, wherever it is.
    let page = open(&town, item, "?lang=en", "");
    assert!(page.contains("data-status=\"suspicious_scans\""), "{page}");
    assert!(page.contains("10 times in seven days, in 3 prefectures: more than one thing"));
    assert_eq!(scans(&town, item)["is_suspicious"], true);
    let page = open(&town, batch, "", "");
    assert!(page.contains("data-status=\"valid\""));
    assert!(page.contains("in 3 prefectures."), "{page}");
    // What the ledger says of the goods stands over it, and the ledger is not asked
    // about scans.
    assert_eq!(
        town.get(&format!("/v1/codes/{item}")).json()["status"],
        "valid"
    );
}

#[test]
fn what_is_no_area_is_nowhere_and_is_shown_to_nobody() {
    let mut town = Town::new();
    let code = town.batch().0.unit;
    for place in ["131", "<script>", "000000", "13102300", "京"] {
        let page = open(&town, code, "", &at(place));
        assert!(!page.contains("<script>alert"));
    }
    let found = scans(&town, code);
    assert_eq!(found["scans"].as_array().unwrap().len(), 1, "{found}");
    assert_eq!(
        (&found["week"], &found["prefectures"]),
        (&json!(5), &json!(0))
    );
}
