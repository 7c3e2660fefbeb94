//! Orders by tokens: each makes its records once, however often it comes.

use std::thread;

use serde_json::{Value, json};
use trace_core::{
    ident::{EntityId, parse_ms},
    proof::bundle::Bundle,
    record::Role,
};
use trace_fixtures::Who;

use crate::town::{PUBLIC_URL, Town, order_lines};

fn cucumbers(town: &Town) -> Value {
    json!({
        "product": "黄瓜", "product_class": "vegetable", "quantity": "12.5 斤",
        "origin": "河北省廊坊市", "produced_on": town.world.today().to_string(),
        "contact": {"name": "甲某某", "phone": "13800000000"},
    })
}

fn issued(town: &Town) -> usize {
    let id = town.world.id(Who::Producer);
    let answer = town
        .get(&format!("/v1/entities/{id}/certificates"))
        .with(200)
        .json();
    answer["records"].as_array().unwrap().len()
}

#[test]
fn a_certificate_is_issued_with_its_unit_and_verifies_like_any_other() {
    let town = Town::new();
    let token = town.token(Who::Producer, Role::Producer);
    let answer = town
        .order("/v1/certificates", &token, "a-1", &cucumbers(&town))
        .with(201)
        .json();
    let code = answer["trace_code"].as_str().unwrap();
    assert_eq!(answer["form"], "承诺达标合格证(样式一 生产者)");
    assert_eq!(answer["records"].as_array().unwrap().len(), 2);
    let page = answer["links"]["page"].as_str().unwrap();
    assert_eq!(page, format!("{PUBLIC_URL}/t/{}", code.replace('-', "")));
    let unit = town.get(&format!("/v1/codes/{code}")).with(200).json();
    assert_eq!(unit["status"], "valid");
    let certificate = &unit["records"][1]["statement"];
    assert_eq!(certificate["number"], answer["certificate_number"]);
    assert_eq!(certificate["quantity"], "12.5 斤");
    assert_eq!(certificate["issued_on"], town.world.today().to_string());
    assert_eq!(certificate["bases"], json!(["control_meets_requirements"]));
    assert_eq!(unit["records"][1]["persons"][0]["phone"], "138****0000");
    let token_id = town.office.tokens.list()[0].id.to_string();
    assert_eq!(certificate["acted_by"], token_id);
    let bundle = town.get(&format!("/v1/codes/{code}/bundle")).with(200).body;
    let bundle = Bundle::decode(&bundle).unwrap();
    bundle
        .verify(&town.anchor(), &[], town.world.today())
        .unwrap();
}

/// At four in the morning it is still yesterday in UTC, and the form hangs on it.
#[test]
fn a_certificate_without_a_date_is_of_the_ledgers_own_day_and_in_that_days_form() {
    let town = Town::opened_at("2026-01-31T12:00:00+08:00");
    let token = town.token(Who::Producer, Role::Producer);
    let (old, new) = (
        "承诺达标合格证(2021年样式)",
        "承诺达标合格证(样式一 生产者)",
    );
    for (time, date, form) in [
        ("2026-01-31T23:59:59+08:00", "2026-01-31", old),
        ("2026-02-01T00:00:00+08:00", "2026-02-01", new),
        ("2026-02-01T07:59:59+08:00", "2026-02-01", new),
        ("2026-02-01T08:00:00+08:00", "2026-02-01", new),
    ] {
        town.set_clock(parse_ms(time).unwrap());
        let mut order = cucumbers(&town);
        order["produced_on"] = json!(date);
        let made = town.order("/v1/certificates", &token, time, &order);
        let made = made.with(201).json();
        assert_eq!(made["form"], form, "{time}");
        let code = made["trace_code"].as_str().unwrap();
        let shown = town.get(&format!("/v1/codes/{code}")).with(200).json();
        let certificate = &shown["records"][1];
        assert_eq!(certificate["statement"]["issued_on"], date, "{time}");
        assert_eq!(shown["judged_on"], date, "{time}");
        let admitted = certificate["admitted_at"].as_str().unwrap();
        assert!(admitted.starts_with(&time[..19]), "{admitted}");
        let number = made["certificate_number"].as_str().unwrap();
        assert!(number.contains(&date.replace('-', "")), "{number}");
        // Tomorrow's is not issued today.
        let tomorrow = ["2026-02-01", "2026-02-02"][usize::from(date == "2026-02-01")];
        order["issued_on"] = json!(tomorrow);
        town.order("/v1/certificates", &token, "tomorrow", &order)
            .refused(422, "issued_in_the_future");
    }
}

#[test]
fn the_same_order_again_is_the_same_certificate_and_another_under_its_name_is_refused() {
    let mut town = Town::new();
    let token = town.token(Who::Producer, Role::Producer);
    let order = cucumbers(&town);
    let first = town
        .order("/v1/certificates", &token, "same", &order)
        .with(201)
        .json();
    // The next day, with another token of the same entity.
    town.world.now_ms += 86_400_000;
    town.tick();
    let other = town.token(Who::Producer, Role::Producer);
    let again = town
        .order("/v1/certificates", &other, "same", &order)
        .with(200)
        .json();
    for field in ["trace_code", "certificate_number", "form", "links"] {
        assert_eq!(again[field], first[field], "{field}");
    }
    for place in 0..2 {
        assert_eq!(
            again["records"][place]["hash"],
            first["records"][place]["hash"]
        );
    }
    assert_eq!(issued(&town), 1);
    let mut changed = order.clone();
    changed["quantity"] = json!("13 斤");
    town.order("/v1/certificates", &token, "same", &changed)
        .refused(401, "token_wrong");
    town.order("/v1/certificates", &other, "same", &changed)
        .refused(409, "idempotency_key_reused");
    let void = json!({"number": first["certificate_number"], "reason": "x"});
    town.order("/v1/void", &other, "same", &void)
        .refused(409, "idempotency_key_reused");
    assert_eq!(issued(&town), 1);
    // Another entity's names are its own.
    let buyer = town.token(Who::Buyer, Role::Buyer);
    let mut mixed = cucumbers(&town);
    mixed["collected"] = json!(["PAPER-1"]);
    let answer = town
        .order("/v1/certificates", &buyer, "same", &mixed)
        .with(201)
        .json();
    assert_eq!(answer["form"], "承诺达标合格证(样式二 收购者)");
}

#[test]
fn a_connection_that_drops_before_the_answer_and_retries_issue_exactly_one() {
    let town = Town::new();
    let token = town.token(Who::Producer, Role::Producer);
    let body = cucumbers(&town).to_string();
    let lines = order_lines(&token, "dropped");
    // Sent whole, and gone before the answer.
    drop(town.send("POST", "/v1/certificates", &lines, body.as_bytes()));
    // Sent in half, and gone.
    let half = body.len() / 2;
    let cut = format!("{lines}x-half: 1\r\n");
    let mut stream = town.connect();
    std::io::Write::write_all(
        &mut stream,
        format!(
            "POST /v1/certificates HTTP/1.1\r\nhost: a\r\n{cut}content-length: {}\r\n\r\n{}",
            body.len(),
            body.get(..half).unwrap_or_default()
        )
        .as_bytes(),
    )
    .unwrap();
    drop(stream);
    // Many at once, each the same.
    let codes: Vec<Value> = thread::scope(|scope| {
        let asked: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    let answer = town.ask("POST", "/v1/certificates", &lines, body.as_bytes());
                    assert!(matches!(answer.status, 200 | 201), "{}", answer.text());
                    answer.json()["certificate_number"].clone()
                })
            })
            .collect();
        asked
            .into_iter()
            .map(|asked| asked.join().unwrap())
            .collect()
    });
    assert!(codes.iter().all(|code| *code == codes[0]), "{codes:?}");
    assert_eq!(issued(&town), 1);
}

#[test]
fn an_order_needs_a_token_a_name_and_exactly_the_fields_wanted() {
    let town = Town::new();
    let token = town.token(Who::Producer, Role::Producer);
    let order = cucumbers(&town);
    let json = "content-type: application/json\r\n";
    let text = order.to_string();
    let ask =
        |lines: &str, body: &str| town.ask("POST", "/v1/certificates", lines, body.as_bytes());
    ask(&format!("{json}idempotency-key: a\r\n"), &text).refused(401, "token_wrong");
    let bearer = crate::town::bearer(&token);
    ask(&format!("{json}{bearer}"), &text).refused(400, "idempotency_key_wanted");
    for key in ["", &"x".repeat(65), "é"] {
        ask(&format!("{json}{bearer}idempotency-key: {key}\r\n"), &text)
            .refused(400, "idempotency_key_wanted");
    }
    let twice = format!("{json}{bearer}idempotency-key: a\r\nidempotency-key: a\r\n");
    ask(&twice, &text).refused(400, "idempotency_key_wanted");
    ask(&format!("{bearer}idempotency-key: a\r\n"), &text).refused(415, "media_type_unsupported");
    for (field, value, code) in [
        ("prodct", json!("x"), "json_unexpected"),
        ("product", Value::Null, "statement_malformed"),
        ("quantity", json!("12.5"), "quantity_malformed"),
        ("quantity", json!("0.3 克"), "quantity_malformed"),
        ("produced_on", json!("2026-02-30"), "date_malformed"),
        ("gtin", json!("1"), "gs1_malformed"),
        ("lot", json!("批"), "lot_malformed"),
        ("unit", json!("UUUU"), "trace_code_malformed"),
        ("product", json!("x\u{202e}"), "text_malformed"),
        ("contact", json!({"name": ""}), "text_malformed"),
    ] {
        let mut wrong = order.clone();
        wrong[field] = value;
        let document = town
            .order("/v1/certificates", &token, "wrong", &wrong)
            .refused(400, code);
        assert!(document["detail"].is_string(), "{document}");
    }
    let mut late = order.clone();
    late["issued_on"] = json!("2026-01-31");
    town.order("/v1/certificates", &token, "late", &late)
        .refused(422, "before_production");
    // None of these used the name up.
    town.order("/v1/certificates", &token, "wrong", &order)
        .with(201);
}

#[test]
fn a_token_acts_in_the_role_it_was_made_for_and_for_its_entity_alone() {
    let town = Town::new();
    let order = cucumbers(&town);
    let ask = |token: &str, body: &Value| town.order("/v1/certificates", token, "k", body);
    let nobody = town.token_of(None, Role::Producer, None);
    ask(&nobody, &order).refused(403, "right_missing");
    let store = town.token(Who::ColdStore, Role::ColdStore);
    ask(&store, &order).refused(403, "right_missing");
    // Made for a role that the entity does not hold on the ledger.
    let pretended = town.token(Who::ColdStore, Role::Producer);
    ask(&pretended, &order).refused(403, "right_missing");
    // No key of it is hosted here.
    let unhosted = town.token(Who::Cooperative, Role::Producer);
    ask(&unhosted, &order).refused(403, "key_unknown");
    assert_eq!(issued(&town), 0);
}

#[test]
fn a_certificate_of_a_known_unit_takes_from_it_what_it_does_not_say() {
    let town = Town::new();
    let token = town.token(Who::Producer, Role::Producer);
    let first = town
        .order("/v1/certificates", &token, "one", &cucumbers(&town))
        .with(201)
        .json();
    let void = json!({"number": first["certificate_number"], "reason": "重复开具"});
    let voided = town
        .order("/v1/void", &token, "void", &void)
        .with(201)
        .json();
    assert_eq!(voided["trace_code"], first["trace_code"]);
    assert_eq!(voided["certificate_number"], first["certificate_number"]);
    let code = first["trace_code"].as_str().unwrap();
    let unit = town.get(&format!("/v1/codes/{code}")).with(200).json();
    assert_eq!(unit["status"], "voided");
    let again = town
        .order("/v1/void", &token, "void", &void)
        .with(200)
        .json();
    assert_eq!(again["records"][0]["hash"], voided["records"][0]["hash"]);
    town.order("/v1/void", &token, "void-2", &void)
        .refused(409, "target_not_standing");

    let order = json!({"unit": code, "quantity": "2 斤", "form": "electronic_traceability"});
    let second = town
        .order("/v1/certificates", &token, "two", &order)
        .with(201)
        .json();
    assert_eq!(second["records"].as_array().unwrap().len(), 1);
    assert_eq!(second["form"], "电子追溯合格证");
    let order = json!({"unit": code, "quantity": "20 斤"});
    town.order("/v1/certificates", &token, "three", &order)
        .refused(422, "quantity_exceeded");
    let order = json!({"unit": code, "lot": "X"});
    town.order("/v1/certificates", &token, "four", &order)
        .refused(400, "statement_malformed");

    let order = json!({"unit": code, "reason": "全部作废"});
    let voided = town
        .order("/v1/void", &token, "unit", &order)
        .with(201)
        .json();
    assert_eq!(voided["certificate_number"], Value::Null);
    for (wrong, status, named) in [
        (json!({"reason": "x"}), 400, "statement_malformed"),
        (
            json!({"number": "NONE-0001", "reason": "x"}),
            422,
            "target_unknown",
        ),
        (json!({"unit": code, "reason": ""}), 400, "text_malformed"),
    ] {
        town.order("/v1/void", &token, "w", &wrong)
            .refused(status, named);
    }
}

#[test]
fn a_certificate_is_replaced_in_one_and_the_old_code_leads_to_the_new() {
    let town = Town::new();
    let token = town.token(Who::Producer, Role::Producer);
    let first = town
        .order("/v1/certificates", &token, "one", &cucumbers(&town))
        .with(201)
        .json();
    let mut right = cucumbers(&town);
    right["product"] = json!("西红柿");
    let order =
        json!({"number": first["certificate_number"], "reason": "品名有误", "replacement": right});
    let second = town
        .order("/v1/supersede", &token, "two", &order)
        .with(201)
        .json();
    assert_eq!(second["records"].as_array().unwrap().len(), 3);
    let again = town
        .order("/v1/supersede", &token, "two", &order)
        .with(200)
        .json();
    assert_eq!(again["certificate_number"], second["certificate_number"]);
    let path = format!("/v1/codes/{}", first["trace_code"].as_str().unwrap());
    let old = town.get(&path).with(200).json();
    assert_eq!(old["status"], "superseded");
    assert_eq!(old["replaced_by"]["code"], second["trace_code"]);
    let path = format!("/v1/codes/{}", second["trace_code"].as_str().unwrap());
    assert_eq!(town.get(&path).with(200).json()["status"], "valid");
    // Refused as a whole: a replacement of nothing, or by what is refused.
    let size = town.office.view().size();
    town.order("/v1/supersede", &token, "three", &order)
        .refused(409, "target_not_standing");
    let mut wrong = cucumbers(&town);
    wrong["produced_on"] = json!("2030-01-01");
    let order =
        json!({"number": second["certificate_number"], "reason": "x", "replacement": wrong});
    town.order("/v1/supersede", &token, "four", &order)
        .refused(422, "event_in_the_future");
    assert_eq!(town.office.view().size(), size);
}

#[test]
fn goods_enter_and_leave_a_cold_store_and_no_more_leave_than_entered() {
    let mut town = Town::new();
    let (unit, _) = town.batch();
    let code = unit.unit.to_string();
    let token = town.token(Who::ColdStore, Role::ColdStore);
    let enter = json!({
        "unit": code, "quantity": "10 斤", "temperature_milli_c": 2_000,
        "counterparty": town.world.id(Who::Producer).to_string(), "vehicle": "冀R00000",
    });
    let answer = town
        .order("/v1/warehouse/in", &token, "in", &enter)
        .with(201)
        .json();
    assert_eq!(answer["trace_code"], code);
    let again = town
        .order("/v1/warehouse/in", &token, "in", &enter)
        .with(200)
        .json();
    assert_eq!(again["records"][0]["index"], answer["records"][0]["index"]);
    let leave = json!({"unit": code, "quantity": "7 斤"});
    town.order("/v1/warehouse/out", &token, "out-1", &leave)
        .with(201);
    town.order("/v1/warehouse/out", &token, "out-2", &leave)
        .refused(422, "quantity_exceeded");
    // The same name at another address is another request.
    town.order("/v1/warehouse/out", &token, "in", &enter)
        .refused(409, "idempotency_key_reused");
    let public = town.get(&format!("/v1/codes/{code}")).with(200).text();
    assert!(!public.contains("冀R00000") && !public.contains("\"trade\":{"));
    let wrong = json!({"unit": code, "quantity": "1 斤", "at": "2026-05-11"});
    town.order("/v1/warehouse/in", &token, "w", &wrong)
        .refused(400, "instant_malformed");
    let producer = town.token(Who::Producer, Role::Producer);
    town.order("/v1/warehouse/in", &producer, "p", &enter)
        .refused(403, "right_missing");
}

#[test]
fn an_authority_registers_a_household_whose_key_is_kept_and_it_can_issue_at_once() {
    let town = Town::new();
    let token = town.token(Who::CountyAuthority, Role::Authority);
    let area = town.world.entity(Who::Producer).area;
    let order = json!({
        "category": "household", "area": area.to_string(),
        "person": {"name": "乙某", "phone": "13900000000"},
        "roles": [{"role": "producer"}], "hosted_key": true,
    });
    let made = town
        .order("/v1/entities", &token, "e-1", &order)
        .with(201)
        .json();
    assert_eq!(made["records"].as_array().unwrap().len(), 3);
    assert_eq!(made["key"].as_str().unwrap().len(), 64);
    let again = town
        .order("/v1/entities", &token, "e-1", &order)
        .with(200)
        .json();
    assert_eq!(
        (&again["entity"], &again["key"]),
        (&made["entity"], &made["key"])
    );
    let id: EntityId = made["entity"].as_str().unwrap().parse().unwrap();
    let shown = town.get(&format!("/v1/entities/{id}")).with(200);
    assert!(!shown.text().contains("乙某") && !shown.text().contains("13900000000"));
    assert_eq!(shown.json()["name"], Value::Null);
    let own = town.token_of(Some(id), Role::Producer, Some(area));
    town.order("/v1/certificates", &own, "c-1", &cucumbers(&town))
        .with(201);

    // Only an authority, only within its area, all or nothing.
    let size = town.office.view().size();
    let producer = town.token(Who::Producer, Role::Producer);
    town.order("/v1/entities", &producer, "e-2", &order)
        .refused(403, "right_missing");
    let elsewhere = town.token(Who::OtherCountyAuthority, Role::Authority);
    town.order("/v1/entities", &elsewhere, "e-2", &order)
        .refused(403, "right_missing");
    let mut named = order.clone();
    named["name"] = json!("乙某");
    town.order("/v1/entities", &token, "e-2", &named)
        .refused(400, "entity_name_wrong");
    let mut operator = order.clone();
    operator["roles"] = json!([{"role": "operator"}]);
    town.order("/v1/entities", &token, "e-2", &operator)
        .refused(403, "right_missing");
    let mut role = order.clone();
    role["roles"] = json!([{"role": "king"}]);
    town.order("/v1/entities", &token, "e-2", &role)
        .refused(400, "json_unexpected");
    assert_eq!(town.office.view().size(), size);
}
