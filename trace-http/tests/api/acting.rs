//! What inspectors and authorities sign: holds, recalls, inspections, samples, and
//! findings put right; over the API, and by the pages' forms.

use serde_json::{Value, json};
use trace_core::{
    ident::TraceCode,
    record::{Hash, Role, kinds::held::Held},
};
use trace_fixtures::Who;

use crate::{
    cases::{
        Case,
        What::{self, Absent, Bad, Forbidden, Good},
    },
    signing_in::{FORM, cookie},
    town::{Answer, Town, order_lines},
};

fn hold(town: &mut Town, unit: TraceCode) -> Hash {
    let body = Held {
        unit,
        reason: "等待检验".into(),
        acted_by: None,
    };
    town.say_bare(Who::CountyAuthority, body).hash()
}

fn recall(town: &mut Town, unit: TraceCode) -> Hash {
    let body = town.world.recalled(unit);
    town.say_bare(Who::CountyAuthority, body).hash()
}

fn inspection(town: &mut Town) -> Hash {
    let inspected = town.world.inspection(Who::Producer, &[3]);
    town.say(Who::Inspector, inspected).hash()
}

fn item(passed: bool) -> Value {
    json!({
        "item": "毒死蜱", "found": {"amount": if passed { "0.01" } else { "0.05" }},
        "limit": {"at_most": "0.02"}, "unit": "mg/kg", "standard": null, "passed": passed,
    })
}

/// Of one order: a bad one; one of nothing, with what it is answered; one by a token
/// without the right; a good one.
type Row<'a> = (
    &'static str,
    Value,
    (Value, &'static str),
    (Value, &'a str),
    Value,
);

/// Each order in each case, and the pages' form.
pub fn cases(town: &mut Town, nothing: &str) -> Vec<Case> {
    let authority = town.token(Who::CountyAuthority, Role::Authority);
    let producer = town.token(Who::Producer, Role::Producer);
    let store = town.token(Who::ColdStore, Role::ColdStore);
    let nobody = Hash::of(&[b"nobody"]).to_string();
    let mut unit = || town.batch().0.unit;
    let (to_hold, to_recall, to_sample, by_form) = (unit(), unit(), unit(), unit());
    let (held, recalled) = (unit(), unit());
    let (held, recalled) = (hold(town, held), recall(town, recalled));
    let (finding, entity) = (inspection(town), town.world.id(Who::Producer));
    let halt = |unit: &str| json!({"unit": unit, "reason": "农残超标"});
    let end = |record: &str| json!({"record": record, "reason": "复检合格"});
    let close =
        |record: &str| json!({"record": record, "reason": "已召回", "outcome": "completed"});
    let inspected = |entity: &str| json!({"number": "JC-1", "entity": entity, "findings": []});
    let sampled = |unit: &str| json!({"number": "CJ-1", "unit": unit, "items": [item(true)]});
    let closed = |record: &str| json!({"inspection": record, "position": 0, "how": "已补台账"});
    let stranger = trace_core::ident::EntityId::from_bytes([3; 10]).to_string();
    let text = TraceCode::to_string;
    let rows: [Row; 7] = [
        (
            "/v1/hold",
            json!({"unit": "UUUU", "reason": "x"}),
            (halt(nothing), "unit_unknown"),
            (halt(&text(&to_hold)), &store),
            halt(&text(&to_hold)),
        ),
        (
            "/v1/release",
            end("00"),
            (end(&nobody), "target_unknown"),
            (end(&held.to_string()), &store),
            end(&held.to_string()),
        ),
        (
            "/v1/recall",
            json!({"unit": text(&to_recall), "reason": "x", "until": "soon"}),
            (halt(nothing), "unit_unknown"),
            (halt(&text(&to_recall)), &store),
            halt(&text(&to_recall)),
        ),
        (
            "/v1/recall-closed",
            end(&recalled.to_string()),
            (close(&nobody), "target_unknown"),
            (close(&recalled.to_string()), &store),
            close(&recalled.to_string()),
        ),
        (
            "/v1/inspections",
            inspected("E-1"),
            (inspected(&stranger), "entity_unknown"),
            (inspected(&entity.to_string()), &producer),
            inspected(&entity.to_string()),
        ),
        (
            "/v1/samples",
            json!({"number": "CJ-1", "unit": text(&to_sample), "items": [{"item": "x"}]}),
            (sampled(nothing), "unit_unknown"),
            (sampled(&text(&to_sample)), &producer),
            sampled(&text(&to_sample)),
        ),
        (
            "/v1/rectified",
            closed("00"),
            (closed(&nobody), "target_unknown"),
            (closed(&finding.to_string()), &producer),
            closed(&finding.to_string()),
        ),
    ];
    let mut cases = Vec::new();
    for (path, bad, (absent, unknown), (forbidden, without_right), good) in rows {
        for (what, token, body, status, code) in [
            (Bad, authority.as_str(), bad, 400, ""),
            (Absent, &authority, absent, 422, unknown),
            (Forbidden, without_right, forbidden, 403, "right_missing"),
            (Good, &authority, good, 201, ""),
        ] {
            cases.push(Case {
                what,
                method: "POST",
                path: path.into(),
                lines: order_lines(token, &format!("{what:?}{path}")),
                body: body.to_string().into_bytes(),
                status,
                code,
            });
        }
    }
    let form = |what: What, token: &str, act: &str, fields: String, status| Case {
        what,
        method: "POST",
        path: format!("/inspect/acts/{act}"),
        lines: format!("{FORM}{}", cookie(token)),
        body: format!("{fields}&reason=x&key=case-{what:?}&confirmed=yes").into_bytes(),
        status,
        code: "",
    };
    let of = |of: &str| format!("of={of}");
    cases.extend([
        form(Good, &authority, "hold", of(&text(&by_form)), 201),
        form(Bad, &authority, "hold", of("UUUU"), 400),
        form(
            Bad,
            &authority,
            "rectified",
            of(&nobody) + "&position=x",
            400,
        ),
        form(Absent, &authority, "hold", of(nothing), 422),
        form(Absent, &authority, "dance", of(nothing), 404),
        form(Forbidden, &producer, "hold", of(&text(&by_form)), 403),
    ]);
    cases
}

fn send(town: &Town, token: &str, act: &str, form: &str) -> Answer {
    let lines = format!("{FORM}{}accept-language: en\r\n", cookie(token));
    town.ask(
        "POST",
        &format!("/inspect/acts/{act}"),
        &lines,
        form.as_bytes(),
    )
}

fn status_of(town: &Town, unit: TraceCode) -> Value {
    let path = format!("/v1/codes/{unit}");
    town.get(&path).with(200).json()["status"].clone()
}

#[test]
fn a_hold_is_signed_only_when_confirmed_and_once_however_often_it_is_sent() {
    let mut town = Town::new();
    let unit = town.batch().0.unit;
    let token = town.token(Who::CountyAuthority, Role::Authority);
    let page = town.ask(
        "GET",
        &format!("/inspect/acts/hold?of={unit}"),
        &format!("{}accept-language: en\r\n", cookie(&token)),
        b"",
    );
    let page = page.with(200).text();
    let key = page.split_once("name=\"key\" value=\"").unwrap().1;
    let key = key.split_once('"').unwrap().0;
    let form = format!("of={unit}&reason=residue&key={key}&lang=en");
    let size = town.office.view().size();
    let page = send(&town, &token, "hold", &form).with(200).text();
    assert!(
        page.contains("Sign it") && page.contains("residue"),
        "{page}"
    );
    assert_eq!(town.office.view().size(), size);
    let form = format!("{form}&confirmed=yes");
    let page = send(&town, &token, "hold", &form).with(201).text();
    assert!(page.contains("Recorded."), "{page}");
    assert_eq!(status_of(&town, unit), "on_hold");
    let page = send(&town, &token, "hold", &form).with(200).text();
    assert!(page.contains("recorded before"), "{page}");
    assert_eq!(town.office.view().size(), size + 1);
    // The same name for something else is refused.
    let other = form.replace("residue", "smell");
    let page = send(&town, &token, "hold", &other).with(409).text();
    assert!(
        page.contains("data-code=\"idempotency_key_reused\""),
        "{page}"
    );
    assert!(page.contains("value=\"smell\""), "{page}");
}

#[test]
fn a_recall_is_the_authoritys_and_stands_until_it_ends() {
    let mut town = Town::new();
    let unit = town.batch().0.unit;
    let inspector = town.token(Who::Inspector, Role::Inspector);
    let form = format!("of={unit}&reason=residue&key=a&confirmed=yes");
    let page = send(&town, &inspector, "recall", &form).with(403).text();
    assert!(page.contains("data-code=\"right_missing\""), "{page}");
    let authority = town.token(Who::CountyAuthority, Role::Authority);
    send(&town, &authority, "recall", &form).with(201);
    assert_eq!(status_of(&town, unit), "recalled");
    let lines = format!("{}accept-language: en\r\n", cookie(&authority));
    let page = town.ask("GET", &format!("/inspect?ask={unit}"), &lines, b"");
    let page = page.with(200).text();
    let (_, rest) = page.split_once("/inspect/acts/recall-closed?of=").unwrap();
    let record = rest.split_once('"').unwrap().0;
    let form = format!("of={record}&reason=none&outcome=withdrawn&key=b&confirmed=yes");
    send(&town, &authority, "recall-closed", &form).with(201);
    assert_eq!(status_of(&town, unit), "valid");
}

#[test]
fn a_failed_sample_holds_where_the_policy_says_so() {
    let mut town = Town::new();
    let token = town.token(Who::CountyAuthority, Role::Authority);
    let (free, held) = (town.batch().0.unit, town.batch().0.unit);
    let order = |unit: TraceCode| json!({"number": "CJ-7", "unit": unit, "items": [item(false)]});
    let made = town.order("/v1/samples", &token, "first", &order(free));
    assert_eq!(
        made.with(201).json()["records"][0]["kind"],
        "sampling_result"
    );
    assert_eq!(status_of(&town, free), "test_failed");
    let policy = town.world.sampling_policy_adopted(true);
    town.say_bare(Who::CountyAuthority, policy);
    let form = format!(
        "of={held}&number=CJ-8&sampled_on={}&item_1=%E6%AF%92%E6%AD%BB%E8%9C%B1&found_1=0.05&limit_1=0.02\
         &unit_1=mg%2Fkg&passed_1=false&key=second&confirmed=yes",
        town.world.today()
    );
    let page = send(&town, &token, "sample", &form).with(201).text();
    assert!(page.contains("sampling failed"), "{page}");
    assert_eq!(status_of(&town, held), "on_hold");
}

#[test]
fn an_inspection_with_a_finding_is_recorded_and_the_finding_closed() {
    let town = Town::new();
    let token = town.token(Who::CountyAuthority, Role::Authority);
    let entity = town.world.id(Who::Producer);
    let today = town.world.today();
    let form = format!(
        "of={entity}&number=JC-9&inspected_on={today}&problem_1=no+ledger&due_1={}\
         &key=a&confirmed=yes",
        today.add_days(7).unwrap()
    );
    send(&town, &token, "inspection", &form).with(201);
    let lines = format!("{}accept-language: en\r\n", cookie(&token));
    let path = format!("/inspect?ask={entity}");
    let page = town.ask("GET", &path, &lines, b"").with(200).text();
    assert!(
        page.contains("1 open") && page.contains("no ledger"),
        "{page}"
    );
    let (_, rest) = page.split_once("/inspect/acts/rectified?of=").unwrap();
    let (hash, rest) = rest.split_once("&amp;position=").unwrap();
    let position = rest.split_once('"').unwrap().0;
    let form = format!(
        "of={hash}&position={position}&rectified_on={today}&how=ledger+kept&key=b&confirmed=yes"
    );
    send(&town, &token, "rectified", &form).with(201);
    let page = town.ask("GET", &path, &lines, b"").with(200).text();
    assert!(
        page.contains("0 open") && page.contains("1 closed"),
        "{page}"
    );
}
