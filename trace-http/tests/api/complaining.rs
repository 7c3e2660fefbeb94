//! Complaints and reports: written by anybody, seen by the area's inspectors,
//! committed to on the ledger, erased on demand.

use serde_json::{Value, json};
use trace_core::{
    ident::TraceCode,
    ledger::complaints::Complaint,
    record::{Body, Hash, Role, wire::AreaCode},
};
use trace_fixtures::Who;
use trace_http::api::complaints::record_rest;

use crate::{
    cases::{
        Case,
        What::{Absent, Bad, Forbidden, Good},
    },
    town::{Answer, JSON, Town, bearer},
};

const FORM: &str = "content-type: application/x-www-form-urlencoded\r\n";
const TEXT: &str = "标签上的产地与摊主所说不一致";

/// The routes of complaints in every case.
pub fn cases(town: &Town, code: &str, nothing: &str) -> Vec<Case> {
    let inspector = bearer(&town.token(Who::CountyAuthority, Role::Authority));
    let elsewhere = bearer(&town.token(Who::OtherCountyAuthority, Role::Authority));
    let area = town.world.entity(Who::Producer).area;
    let form = |code: &str| format!("/t/{code}/report");
    let list = "/v1/complaints".to_owned();
    let erased = |number: &str| format!("/v1/complaints/{number}/erased");
    let about = |code: &str| json!({"about": code, "text": TEXT}).to_string();
    let filled = "text=abcdef&contact=".to_owned();
    let none = String::new;
    let rows = [
        (Good, "GET", form(code), "", none(), 200, ""),
        (Bad, "GET", form("UUUU"), "", none(), 400, ""),
        (Absent, "GET", form(nothing), "", none(), 404, ""),
        (Good, "POST", form(code), FORM, filled.clone(), 201, ""),
        (Bad, "POST", form(code), FORM, "text=a".into(), 400, ""),
        (Absent, "POST", form(nothing), FORM, filled, 404, ""),
        (Good, "POST", list.clone(), JSON, about(code), 201, ""),
        (
            Bad,
            "POST",
            list.clone(),
            JSON,
            "{}".into(),
            400,
            "json_unexpected",
        ),
        (
            Absent,
            "POST",
            list.clone(),
            JSON,
            about(nothing),
            404,
            "not_on_ledger",
        ),
        (Good, "GET", list.clone(), &inspector, none(), 200, ""),
        (
            Bad,
            "GET",
            format!("{list}?area=131"),
            &inspector,
            none(),
            400,
            "area_malformed",
        ),
        (
            Forbidden,
            "GET",
            format!("{list}?area={area}"),
            &elsewhere,
            none(),
            403,
            "right_missing",
        ),
        (Good, "POST", erased("1"), &inspector, none(), 200, ""),
        (
            Bad,
            "POST",
            erased("x"),
            &inspector,
            none(),
            400,
            "request_malformed",
        ),
        (
            Absent,
            "POST",
            erased("99"),
            &inspector,
            none(),
            404,
            "not_on_ledger",
        ),
        (
            Forbidden,
            "POST",
            erased("1"),
            &elsewhere,
            none(),
            403,
            "right_missing",
        ),
    ];
    let case =
        |(what, method, path, lines, body, status, code): (_, _, _, &str, String, _, _)| Case {
            what,
            method,
            path,
            lines: lines.to_owned(),
            body: body.into_bytes(),
            status,
            code,
        };
    rows.into_iter().map(case).collect()
}

fn complain(town: &Town, body: &Value) -> Answer {
    town.ask("POST", "/v1/complaints", JSON, body.to_string().as_bytes())
}

/// A town whose operator's key is kept, with a unit.
fn town() -> (Town, TraceCode) {
    let mut town = Town::new();
    town.host(Who::Operator, Who::Root);
    let unit = town.batch().0.unit;
    (town, unit)
}

fn seen(town: &Town, who: Who, query: &str) -> Answer {
    let token = town.token(who, Role::Inspector);
    town.get_with(&format!("/v1/complaints?purpose=check{query}"), &token)
}

fn on_ledger(town: &Town, index: u64) -> (AreaCode, Hash) {
    let entry = town.office.view().entry(index).unwrap();
    match entry.signed.body().unwrap() {
        Body::ComplaintReceived(body) => (body.area, body.complaint),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_complaint_is_on_the_ledger_as_a_commitment_and_its_words_are_the_inspectors() {
    let (town, unit) = town();
    let body = json!({"about": unit.to_string(), "text": TEXT, "contact": "王某 13800000000"});
    let taken = complain(&town, &body).with(201).json();
    let (area, commitment) = on_ledger(&town, taken["index"].as_u64().unwrap());
    assert_eq!(taken["commitment"], commitment.to_string());
    // Whoever wrote it can show so with what they were given.
    let salt = taken["salt"].as_str().unwrap();
    let mut bytes = [0; 16];
    for (place, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&salt[2 * place..2 * place + 2], 16).unwrap();
    }
    let written = Complaint {
        at_ms: town.office.now_ms(),
        area,
        about: Some(unit),
        text: TEXT.into(),
        contact: Some("王某 13800000000".into()),
    };
    assert_eq!(written.commitment(&bytes), commitment);

    let before = town.office.lookups.head().count;
    let answer = seen(&town, Who::Inspector, "").with(200);
    assert_eq!(answer.field("cache-control"), Some("no-store"));
    let line = &answer.json()["complaints"][0];
    assert_eq!(
        (&line["text"], &line["about"]),
        (&json!(TEXT), &json!(unit))
    );
    assert_eq!(line["contact"], "王某 13800000000");
    assert_eq!(town.office.lookups.head().count, before + 1);
    // Nothing of it is in what anybody reads.
    for path in [
        format!("/v1/codes/{unit}"),
        format!("/t/{unit}"),
        "/v1/changes?after=0&limit=100".into(),
    ] {
        let text = town.get(&path).text();
        assert!(
            !text.contains("摊主") && !text.contains("13800000000"),
            "{path}"
        );
    }
}

#[test]
fn an_inspector_sees_his_own_area_and_nobody_else_sees_any() {
    let (town, unit) = town();
    let about = json!({"about": unit.to_string(), "text": TEXT});
    complain(&town, &about).with(201);
    let general = json!({"text": "市场入口无人查验"});
    complain(&town, &general).with(201);
    let texts = |answer: Answer| {
        let answer = answer.with(200).json();
        let lines = answer["complaints"].as_array().unwrap().iter();
        lines
            .map(|line| line["number"].as_u64().unwrap())
            .collect::<Vec<_>>()
    };
    let city = town.world.entity(Who::CityAuthority);
    let city = town.token_of(Some(city.id), Role::Authority, Some(city.area));
    let all = town.get_with("/v1/complaints", &city);
    // Of the city itself an inspector of a county sees nothing.
    assert_eq!(texts(all), [2, 1]);
    assert_eq!(texts(seen(&town, Who::Inspector, "")), [1]);
    let other = town.token(Who::OtherCountyAuthority, Role::Authority);
    assert!(texts(town.get_with("/v1/complaints", &other)).is_empty());
    let county = town.world.entity(Who::Producer).area;
    town.get_with(&format!("/v1/complaints?area={county}"), &other)
        .refused(403, "right_missing");
    town.get_with("/v1/complaints", &town.token(Who::Producer, Role::Producer))
        .refused(403, "right_missing");
    town.get("/v1/complaints").refused(401, "token_wrong");
    let page = town
        .get_with("/v1/complaints?limit=1", &city)
        .with(200)
        .json();
    let before = page["next_before"].as_u64().unwrap();
    let rest = town.get_with(&format!("/v1/complaints?before={before}"), &city);
    assert_eq!(texts(rest), [1]);
}

#[test]
fn what_is_no_complaint_is_refused_and_costs_nothing_and_too_many_are_put_off() {
    let (town, unit) = town();
    let about = unit.to_string();
    for (body, status, code) in [
        (json!({"text": "坏"}), 400, "text_malformed"),
        (json!({"text": "长".repeat(1_001)}), 400, "text_malformed"),
        (json!({"text": "bidi \u{202e} here"}), 400, "text_malformed"),
        (
            json!({"text": TEXT, "contact": "1".repeat(81)}),
            400,
            "text_malformed",
        ),
        (
            json!({"text": TEXT, "about": "UUUU"}),
            400,
            "trace_code_malformed",
        ),
        (json!({"text": TEXT, "name": "x"}), 400, "json_unexpected"),
        (
            json!({"text": TEXT, "about": TraceCode::from_bytes([9; 10]).to_string()}),
            404,
            "not_on_ledger",
        ),
    ] {
        complain(&town, &body).refused(status, code);
    }
    let body = json!({"about": about, "text": "第一行\r\n第二行 <script>"});
    for _ in 0..5 {
        complain(&town, &body).with(201);
    }
    let refused = complain(&town, &body);
    assert!(refused.field("retry-after").is_some());
    refused.refused(429, "too_often");
    let shown = seen(&town, Who::Inspector, "").with(200).json();
    assert_eq!(shown["complaints"].as_array().unwrap().len(), 5);
    assert_eq!(shown["complaints"][0]["text"], "第一行\n第二行 <script>");
}

#[test]
fn what_is_erased_is_gone_and_the_ledger_still_shows_that_there_was_one() {
    let (town, unit) = town();
    let body = json!({"about": unit.to_string(), "text": TEXT, "contact": "某人"});
    let taken = complain(&town, &body).with(201).json();
    let erase = |number: u64, token: &str| {
        let path = format!("/v1/complaints/{number}/erased");
        town.ask("POST", &path, &bearer(token), b"")
    };
    let other = town.token(Who::OtherCountyAuthority, Role::Authority);
    erase(1, &other).refused(403, "right_missing");
    let own = town.token(Who::CountyAuthority, Role::Authority);
    erase(2, &own).refused(404, "not_on_ledger");
    let erased = erase(1, &own).with(200).json();
    assert_eq!(erased["commitment"], taken["commitment"]);
    assert!(erased["text"].is_null() && erased["contact"].is_null());
    let line = seen(&town, Who::Inspector, "").with(200).json();
    assert!(line["complaints"][0]["text"].is_null(), "{line}");
    on_ledger(&town, taken["index"].as_u64().unwrap());
}

/// Whoever answers for the ledger cannot write to it just now: the complaint is
/// taken, and recorded when that is mended.
#[test]
fn a_complaint_that_cannot_be_recorded_is_kept_and_recorded_later() {
    let mut town = Town::new();
    let unit = town.batch().0.unit;
    let body = json!({"about": unit.to_string(), "text": TEXT});
    let taken = complain(&town, &body).with(201).json();
    assert!(taken["index"].is_null(), "{taken}");
    let size = town.office.view().size();
    town.host(Who::Operator, Who::Root);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(record_rest(&town.office));
    let (_, commitment) = on_ledger(&town, size + 1);
    assert_eq!(taken["commitment"], commitment.to_string());
    let line = seen(&town, Who::Inspector, "").with(200).json();
    assert_eq!(line["complaints"][0]["index"], size + 1);
    // Once is enough.
    runtime.block_on(record_rest(&town.office));
    assert_eq!(town.office.view().size(), size + 2);
}

#[test]
fn the_form_takes_what_is_typed_and_gives_it_back_where_it_is_wrong() {
    let (town, unit) = town();
    let code = unit.compact();
    let path = format!("/t/{code}/report");
    let page = town.get(&format!("/t/{code}")).with(200).text();
    assert!(page.contains(&format!("href=\"{path}\"")));
    let form = town.get(&path).with(200);
    let policy = form.field("content-security-policy").unwrap().to_owned();
    assert!(policy.contains("form-action 'self'") && policy.contains("default-src 'none'"));
    assert!(form.text().contains("<textarea"));
    let send = |body: &str| town.ask("POST", &path, FORM, body.as_bytes());
    let wrong = send("text=%3Cb%3E&contact=%22me").with(400).text();
    assert!(
        wrong.contains("&lt;b&gt;") && wrong.contains("&quot;me"),
        "{wrong}"
    );
    assert!(wrong.contains("role=\"alert\"") && !wrong.contains("<b>"));
    for body in [
        "",
        "text=abcdef",
        "text=abcdef&contact=&more=1",
        "text=%ff%fe&contact=",
    ] {
        send(body).with(400);
    }
    let typed = "text=Dirty+leeks%2C%0D%0Aand+old&contact=";
    let thanks = send(typed).with(201).text();
    assert!(thanks.contains("Its number is 1"), "{thanks}");
    let line = seen(&town, Who::Inspector, "").with(200).json();
    assert_eq!(line["complaints"][0]["text"], "Dirty leeks,\nand old");
    assert!(line["complaints"][0]["contact"].is_null());
    let chinese = town.get(&format!("{path}?lang=zh")).with(200).text();
    assert!(chinese.contains("投诉举报"));
    town.get("/t/UUUU/report").with(400);
    let nothing = TraceCode::from_bytes([9; 10]).compact();
    let lost = town.ask(
        "POST",
        &format!("/t/{nothing}/report"),
        FORM,
        typed.as_bytes(),
    );
    lost.with(404);
}

#[test]
fn the_areas_inspectors_read_complaints_on_their_first_page_and_others_do_not() {
    let mut town = Town::new();
    let code = town.batch().0.unit;
    let body = json!({"about": code.to_string(), "text": TEXT}).to_string();
    town.ask("POST", "/v1/complaints", JSON, body.as_bytes())
        .with(201);
    let page = |who, role| {
        let token = town.token(who, role);
        let lines = crate::signing_in::cookie(&token);
        town.ask("GET", "/inspect", &lines, b"").with(200).text()
    };
    let own = page(Who::CountyAuthority, Role::Authority);
    assert!(
        own.contains(TEXT) && own.contains(&code.to_string()),
        "{own}"
    );
    let other = page(Who::OtherCountyAuthority, Role::Authority);
    assert!(!other.contains(TEXT), "{other}");
}
