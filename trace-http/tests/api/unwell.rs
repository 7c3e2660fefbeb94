//! When the ledger cannot write: what is read is read, what is sent is told to
//! come back.

use serde_json::json;
use trace_core::record::Role;
use trace_fixtures::Who;
use trace_http::api::{Book, Reading};

use crate::town::{Town, signer};

#[test]
fn a_clock_that_jumped_takes_no_record_and_says_when_to_come_back() {
    let mut town = Town::new();
    let unit = town.world.unit();
    let created = town.sign(Who::Producer, unit);
    let soon = town.world.now_ms + 40 * 86_400_000;
    town.set_clock(soon);
    let answer = town.post_records("/v1/records", std::slice::from_ref(&created));
    assert_eq!(answer.field("retry-after"), Some("60"));
    answer.refused(503, "clock_suspect");
    let token = town.token(Who::Producer, Role::Producer);
    let order = json!({
        "product": "黄瓜", "product_class": "vegetable", "quantity": "1 斤", "origin": "廊坊",
        "produced_on": town.world.today().to_string(),
    });
    town.order("/v1/certificates", &token, "k", &order)
        .refused(503, "clock_suspect");
    town.get("/v1/changes").with(200);
    // Once the operator has confirmed it, the same request is taken.
    town.ledger().confirm_clock().unwrap();
    town.post_records("/v1/records", &[created]).with(201);
}

#[test]
fn a_ledger_that_was_closed_takes_nothing_shows_nothing_and_blames_nobody() {
    let mut town = Town::new();
    let (unit, _) = town.batch();
    let next = town.world.unit();
    let created = town.sign(Who::Producer, next);
    let token = town.token(Who::Producer, Role::Producer);
    town.ledger().stop().unwrap();
    let answer = town.post_records("/v1/records", &[created]);
    assert_eq!(answer.field("retry-after"), Some("60"));
    answer.refused(503, "ledger_read_only");
    let order = json!({"unit": unit.unit.to_string(), "reason": "x"});
    town.order("/v1/void", &token, "k", &order)
        .refused(503, "ledger_read_only");
    // With the files closed nothing can be read either; that is no verdict, and
    // says nothing of the machine.
    let document = town
        .get(&format!("/v1/codes/{}", unit.unit))
        .refused(500, "failed");
    assert_eq!(document.get("detail"), None, "{document}");
    let page = town.get(&format!("/t/{}", unit.unit)).with(503).text();
    assert!(page.contains("data-status=\"cannot_check\""), "{page}");
    assert!(page.contains("says nothing about the goods") && !page.contains("redb"));
}

#[test]
fn a_read_only_ledger_is_looked_up_and_proved_and_shows_no_person() {
    let mut town = Town::new();
    let (unit, _) = town.batch();
    let next = town.world.unit();
    let created = town.sign(Who::Producer, next);
    let path = format!("/v1/codes/{}", unit.unit);
    assert!(town.get(&path).text().contains("****"));
    let token = town.token(Who::Producer, Role::Producer);
    let why = "the store is older than its last checkpoint";
    let town = town.reopened(|world, office| {
        let view = office.view();
        Book::Reading(Reading::new(view, signer(world), why.into()))
    });
    let answer = town.get(&path).with(200);
    assert!(!answer.text().contains("****"));
    town.get(&format!("{path}/bundle")).with(200);
    town.get("/checkpoint").with(200);
    let document = town
        .post_records("/v1/records", &[created])
        .refused(503, "ledger_read_only");
    assert_eq!(document["detail"], why);
    let order = json!({"unit": unit.unit.to_string(), "reason": "x"});
    town.order("/v1/void", &token, "k", &order)
        .refused(503, "ledger_read_only");
    // Nor does it say which sequence comes next: it may not know.
    let key = town.world.key_id(Who::Producer).to_string();
    let statement = serde_json::to_value(&unit).unwrap();
    let order = json!({"key": key, "kind": "unit_created", "statement": statement});
    town.post_json("/v1/prepare", &order)
        .refused(503, "ledger_read_only");
    let figures = town.get("/metrics").with(200).text();
    assert!(figures.contains("trace_ledger_writes 0"), "{figures}");
}

#[test]
fn an_operator_sees_how_the_ledger_stands() {
    let mut town = Town::new();
    town.batch();
    let size = town.office.view().size();
    let figures = town.get("/metrics").with(200).text();
    for line in [
        format!("trace_ledger_size {size}"),
        format!("trace_ledger_checkpoint_size {size}"),
        "trace_ledger_writes 1".into(),
        "trace_lookups 0".into(),
    ] {
        assert!(
            figures.lines().any(|found| found == line),
            "{line}\n{figures}"
        );
    }
    assert!(figures.contains("trace_ledger_overlay_bytes"));
}
