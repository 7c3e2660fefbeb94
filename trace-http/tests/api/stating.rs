//! Anything that a token's role may say, stated in its entity's name.

use serde_json::{Value, json};
use trace_core::{
    ident::TraceCode,
    record::{Body, Role},
};
use trace_fixtures::Who;

use crate::{
    cases::{
        Case,
        What::{Absent, Bad, Forbidden, Good},
    },
    town::{JSON, Town, bearer},
};

const PATH: &str = "/v1/statements";

fn held(unit: &str) -> Value {
    json!({"kind": "held", "statement": {"unit": unit, "reason": "监督抽检不合格"}})
}

pub fn cases(town: &mut Town, nothing: &str) -> Vec<Case> {
    // A unit of its own: what is held moves nowhere.
    let code = &town.batch().0.unit.to_string();
    let authority = town.token(Who::CountyAuthority, Role::Authority);
    let producer = town.token(Who::Household, Role::Producer);
    [
        (Good, &authority, held(code), 201, ""),
        (
            Bad,
            &authority,
            json!({"kind": "wish", "statement": {}}),
            400,
            "kind_unknown",
        ),
        (Absent, &authority, held(nothing), 422, "unit_unknown"),
        (Forbidden, &producer, held(code), 403, "right_missing"),
    ]
    .into_iter()
    .enumerate()
    .map(|(place, (what, token, body, status, code))| Case {
        what,
        method: "POST",
        path: PATH.into(),
        lines: format!("{JSON}{}idempotency-key: state-{place}\r\n", bearer(token)),
        body: body.to_string().into_bytes(),
        status,
        code,
    })
    .collect()
}

#[test]
fn a_hold_and_its_release_by_a_hosted_key_name_the_token_and_change_the_verdict() {
    let mut town = Town::new();
    let code = town.batch().0.unit;
    let token = town.token(Who::CountyAuthority, Role::Authority);
    let status = |town: &Town| {
        let path = format!("/v1/codes/{}", code.compact());
        town.get(&path).with(200).json()["status"].clone()
    };
    assert_eq!(status(&town), "valid");
    let order = held(&code.to_string());
    let made = town.order(PATH, &token, "hold", &order).with(201).json();
    assert_eq!(status(&town), "on_hold");
    let index = made["records"][0]["index"].as_u64().unwrap();
    let Body::Held(body) = town
        .office
        .view()
        .entry(index)
        .unwrap()
        .signed
        .body()
        .unwrap()
    else {
        panic!("{made}");
    };
    let (_, public_id) = token.split_once('_').unwrap();
    let acted_by = body.acted_by.unwrap().to_string();
    assert!(public_id.starts_with(&acted_by), "{acted_by}");
    // The same order again is the same record.
    let again = town.order(PATH, &token, "hold", &order).with(200).json();
    assert_eq!(again["records"][0]["index"], index);
    let release = json!({"kind": "released", "statement": {
        "unit": code.to_string(), "target": made["records"][0]["hash"], "reason": "复检合格",
    }});
    town.order(PATH, &token, "release", &release).with(201);
    assert_eq!(status(&town), "valid");
}

#[test]
fn persons_and_trade_sections_are_sealed_here_and_opened_to_whom_they_concern() {
    let mut town = Town::new();
    let code = town.batch().0.unit;
    let body = town.world.inspection(Who::Producer, &[5]).0;
    let mut statement = serde_json::to_value(&body).unwrap();
    let fields = statement.as_object_mut().unwrap();
    fields.remove("persons");
    fields.remove("acted_by");
    town.host(Who::Inspector, Who::CountyAuthority);
    let token = town.token(Who::Inspector, Role::Inspector);
    let order = json!({
        "kind": "inspection", "statement": statement, "persons": [{"name": "甲某", "phone": "0316-0000001"}],
    });
    let made = town
        .order(PATH, &token, "inspected", &order)
        .with(201)
        .json();
    let path = format!(
        "/v1/records/{}",
        made["records"][0]["hash"].as_str().unwrap()
    );
    let shown = town.get(&path).with(200).text();
    assert!(!shown.contains("甲某") && shown.contains("甲*"), "{shown}");
    assert!(!shown.contains(&TraceCode::to_string(&code)));
}

#[test]
fn what_is_filled_in_here_or_is_no_field_is_refused_and_nothing_is_made() {
    let mut town = Town::new();
    let code = town.batch().0.unit.to_string();
    let token = town.token(Who::CountyAuthority, Role::Authority);
    let size = town.office.view().size();
    let mut own = held(&code);
    own["statement"]["acted_by"] = json!("00".repeat(8));
    let mut persons = held(&code);
    persons["persons"] = json!([{"name": "甲某"}]);
    let mut misspelt = held(&code);
    misspelt["statement"]["reasons"] = json!("x");
    for (place, order) in [own, persons, misspelt].into_iter().enumerate() {
        let answer = town.order(PATH, &token, &format!("wrong-{place}"), &order);
        answer.refused(400, "statement_malformed");
    }
    assert_eq!(town.office.view().size(), size);
}
