//! Every route in every case: good, bad, absent, forbidden, and with a store
//! that cannot be read. What each says in detail is in the other files; here
//! no route is forgotten, and none has a case without a row.

mod inspected;

use std::collections::BTreeSet;

use serde_json::{Value, json};
use trace_core::{
    ident::{EntityId, TraceCode},
    record::{Hash, Role, submission::Submission},
};
use trace_fixtures::Who;
use trace_http::{
    api::routes::{Caller, ROUTES, Route},
    page::script::script,
};

use crate::{
    acting, cold, complaining, inspecting, inviting, issuing, signing_in, stating,
    town::{Answer, JSON, Town, bearer, order_lines},
};

/// What a request is an example of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    Good,
    /// Written wrongly.
    Bad,
    /// About something that is not there.
    Absent,
    /// By somebody who may not.
    Forbidden,
}
use What::{Absent, Bad, Forbidden, Good};

/// A request and its answer.
pub struct Case {
    pub what: What,
    pub method: &'static str,
    pub path: String,
    pub lines: String,
    pub body: Vec<u8>,
    pub status: u16,
    /// Empty where the answer is no problem document.
    pub code: &'static str,
}

impl Case {
    fn ask(&self, town: &Town) -> Answer {
        println!("{:?}: {} {}", self.what, self.method, self.path);
        town.ask(self.method, &self.path, &self.lines, &self.body)
    }

    /// The route of the table that it goes to.
    pub fn route(&self) -> &'static Route {
        let path = self.path.split('?').next().unwrap();
        let fits = |route: &&Route| {
            if let Some((before, _)) = route.path.split_once("{*") {
                return route.method.eq_ignore_ascii_case(self.method) && path.starts_with(before);
            }
            let (own, asked) = (route.path.split('/'), path.split('/'));
            route.method.eq_ignore_ascii_case(self.method)
                && own.clone().count() == asked.clone().count()
                && own
                    .zip(asked)
                    .all(|(own, asked)| own.starts_with('{') || own == asked)
        };
        // A fixed address comes before one with a part to fill in.
        let mut routes: Vec<_> = ROUTES.iter().filter(fits).collect();
        routes.sort_by_key(|route| route.path.contains('{'));
        routes.first().unwrap_or_else(|| panic!("{path}"))
    }
}

/// Addresses that say the same whatever is asked: no parameter, no right.
const FIXED: [&str; 8] = [
    "/sign-in",
    "/sign-out",
    "/check",
    "/checkpoint",
    "/v1/anchor",
    "/v1/kinds",
    "/openapi.json",
    "/.well-known/gs1resolver",
];

/// Reading routes where a token makes a difference.
const SEEN_BY_RIGHT: [&str; 5] = [
    "/v1/codes/{code}",
    "/v1/codes/{code}/trace",
    "/v1/documents/{hash}",
    "/v1/certificates/{number}",
    "/v1/changes",
];

/// Which cases a route must have a row for.
fn wanted(route: &Route) -> BTreeSet<What> {
    let mut wanted = BTreeSet::from([Good]);
    if route.method == "post" && FIXED.contains(&route.path) {
        return BTreeSet::from([Good, Bad]);
    }
    if FIXED.contains(&route.path) {
        return wanted;
    }
    if route.path != "/check/{file}" {
        wanted.insert(Bad);
    }
    // A feed is never without an answer, and what is registered is new; a list
    // of units by another system's code may be empty, and so may an area be.
    let is_list = [
        "/issue",
        "/v1/questions",
        "/inspect/questions/{format}",
        "/v1/alerts",
        "/v1/complaints",
        "/v1/areas/{area}/balance",
        "/v1/grading",
        "/v1/changes",
        "/v1/units/{gtin}/{lot}",
        "/v1/foreign/{code}",
    ];
    let is_new = route.method == "post" && ["/v1/entities", "/v1/documents"].contains(&route.path);
    let is_list = route.method == "get" && is_list.contains(&route.path);
    if !is_list && !is_new {
        wanted.insert(Absent);
    }
    let is_for_all = route.caller == Caller::Anyone;
    let is_of_tokens = (route.method == "post" && !is_for_all) || route.caller == Caller::Token;
    if is_of_tokens || SEEN_BY_RIGHT.contains(&route.path) {
        wanted.insert(Forbidden);
    }
    wanted
}

/// A town with something to ask for, and every case.
pub fn cases(town: &mut Town) -> Vec<Case> {
    let mut unit = town.world.unit();
    unit.gtin = Some("6901234567892".parse().unwrap());
    unit.lot = Some("A".into());
    unit.foreign_codes = vec!["ABCD-1".into()];
    let (unit, certified) = town.batch_of(unit);
    town.store(&unit, "10 斤");
    let code = unit.unit.to_string();
    let nothing = TraceCode::from_bytes([9; 10]).to_string();
    let number = number_of(town, &code);
    let hash = certified.signed.hash();
    let nobody = Hash::of(&[b"nobody"]);
    let producer = town.world.id(Who::Producer);
    let stranger = EntityId::from_bytes([9; 10]);
    let mut cases = Vec::new();
    let mut get = |what, path: String, status, code| {
        cases.push(Case {
            what,
            method: "GET",
            path,
            lines: String::new(),
            body: Vec::new(),
            status,
            code,
        });
    };
    get(Good, format!("/t/{code}"), 200, "");
    get(Bad, "/t/UUUU".into(), 400, "");
    get(Absent, format!("/t/{nothing}"), 404, "");
    get(Good, "/check".into(), 200, "");
    get(Good, script().path.clone(), 200, "");
    let outdated = format!("/check/{nobody}.js");
    get(Absent, outdated, 404, "script_outdated");
    for more in ["", "/bundle", "/trace", "/scans"] {
        get(Good, format!("/v1/codes/{code}{more}"), 200, "");
        let wrong = format!("/v1/codes/UUUU{more}");
        get(Bad, wrong, 400, "trace_code_malformed");
        let absent = format!("/v1/codes/{nothing}{more}");
        get(Absent, absent, 404, "not_on_ledger");
    }
    for form in ["svg", "pdf", "png", "tspl"] {
        let of = |code: &str| format!("/v1/codes/{code}/label.{form}");
        get(Good, of(&code), 200, "");
        get(Bad, of("UUUU"), 400, "trace_code_malformed");
        let wrong = format!("{}?size=40x61", of(&code));
        get(Bad, wrong, 400, "label_unknown");
        get(Absent, of(&nothing), 404, "not_on_ledger");
    }
    let by = |number: &str| format!("/v1/certificates/{number}");
    get(Good, by(&number), 200, "");
    get(Bad, by("x"), 400, "certificate_number_malformed");
    get(Absent, by("NONE-0001"), 404, "not_on_ledger");
    get(Good, format!("/v1/records/{hash}"), 200, "");
    get(Bad, "/v1/records/00".into(), 400, "record_malformed");
    get(
        Absent,
        format!("/v1/records/{nobody}"),
        404,
        "not_on_ledger",
    );
    for more in ["", "/certificates", "/findings"] {
        get(Good, format!("/v1/entities/{producer}{more}"), 200, "");
        let wrong = format!("/v1/entities/U{more}");
        get(Bad, wrong, 400, "entity_id_malformed");
        let absent = format!("/v1/entities/{stranger}{more}");
        get(Absent, absent, 404, "not_on_ledger");
    }
    get(Good, "/v1/units/6901234567892/A".into(), 200, "");
    get(
        Bad,
        "/v1/units/6901234567893/A".into(),
        400,
        "gs1_malformed",
    );
    get(Good, "/01/6901234567892/10/A".into(), 307, "");
    get(Bad, "/01/6901234567893/10/A".into(), 400, "gs1_malformed");
    get(
        Absent,
        "/01/6901234567892/10/B".into(),
        404,
        "not_on_ledger",
    );
    get(Good, "/v1/foreign/ABCD-1".into(), 200, "");
    get(Bad, "/v1/foreign/x".into(), 400, "text_malformed");
    get(Good, "/v1/changes?after=3&limit=2".into(), 200, "");
    get(Bad, "/v1/changes?after=x".into(), 400, "query_unexpected");
    for path in FIXED.iter().filter(|path| **path != "/sign-out") {
        get(Good, (*path).into(), 200, "");
    }
    get(Good, "/v1/grading".into(), 200, "");
    get(Bad, "/v1/grading?version=0".into(), 400, "range_wrong");
    get(Good, "/v1/proof/inclusion?index=0".into(), 200, "");
    let path = "/v1/proof/inclusion".to_owned();
    get(Bad, path.clone(), 400, "query_unexpected");
    get(
        Absent,
        format!("{path}?hash={nobody}"),
        404,
        "not_on_ledger",
    );
    get(Good, "/v1/proof/consistency?from=1".into(), 200, "");
    let path = "/v1/proof/consistency".to_owned();
    get(Bad, format!("{path}?from=-1"), 400, "query_unexpected");
    get(
        Absent,
        format!("{path}?from=1&to=99999"),
        400,
        "range_wrong",
    );
    for path in [
        format!("/v1/codes/{code}"),
        format!("/v1/codes/{code}/trace"),
        format!("/v1/documents/{nobody}"),
        by(&number),
        "/v1/changes".into(),
    ] {
        cases.push(Case {
            what: Forbidden,
            method: "GET",
            path,
            lines: bearer("trt_0123456789abcdef_x"),
            body: Vec::new(),
            status: 401,
            code: "token_wrong",
        });
    }
    cases.extend(inspected::cases(town, &code, &nothing));
    cases.extend(labels(town, &code, &nothing));
    cases.extend(cold::cases(town, &code, &nothing));
    cases.extend(complaining::cases(town, &code, &nothing));
    cases.extend(signing_in::cases(town));
    cases.extend(inspecting::cases(town, &code, &nothing));
    cases.extend(issuing::cases(town));
    cases.extend(inviting::cases(town));
    cases.extend(stating::cases(town, &nothing));
    cases.extend(acting::cases(town, &nothing));
    cases.extend(signed(town));
    cases.extend(ordered(town, &code, &nothing, &number));
    cases
}

/// Files of labels, which any token in force is given.
fn labels(town: &Town, code: &str, nothing: &str) -> Vec<Case> {
    let own = bearer(&town.token(Who::Producer, Role::Producer));
    let forged = bearer("trt_0123456789abcdef_x");
    let order = |code: &str, form: &str| json!({"codes": [code], "form": form, "size": "58"});
    let none = json!({"codes": [], "form": "pdf", "size": "58"});
    [
        (Good, &own, order(code, "tspl"), 200, ""),
        (Bad, &own, order(code, "gif"), 400, "label_unknown"),
        (Bad, &own, order("UUUU", "pdf"), 400, "trace_code_malformed"),
        (Bad, &own, none, 413, "label_count"),
        (Absent, &own, order(nothing, "pdf"), 404, "not_on_ledger"),
        (Forbidden, &forged, order(code, "pdf"), 401, "token_wrong"),
    ]
    .into_iter()
    .map(|(what, lines, order, status, code)| Case {
        what,
        method: "POST",
        path: "/v1/labels".into(),
        lines: format!("{JSON}{lines}"),
        body: order.to_string().into_bytes(),
        status,
        code,
    })
    .collect()
}

/// Records and what is signed by a key of one's own.
fn signed(town: &mut Town) -> Vec<Case> {
    let unit = town.world.unit();
    let prepared = json!({
        "key": town.world.key_id(Who::Producer).to_string(), "kind": "unit_created",
        "statement": serde_json::to_value(&unit).unwrap(),
    });
    let of_nobody = json!({
        "key": "00".repeat(32), "kind": "unit_created",
        "statement": serde_json::to_value(&unit).unwrap(),
    });
    let unknown = json!({
        "key": town.world.key_id(Who::Producer).to_string(), "kind": "wish", "statement": {},
    });
    let mut cases = Vec::new();
    for (what, body, status, code) in [
        (Good, prepared, 200, ""),
        (Bad, json!({"kind": 1}), 400, "json_unexpected"),
        (Absent, unknown, 400, "kind_unknown"),
        (Forbidden, of_nobody, 403, "key_unknown"),
    ] {
        cases.push(Case {
            what,
            method: "POST",
            path: "/v1/prepare".into(),
            lines: JSON.into(),
            body: body.to_string().into_bytes(),
            status,
            code,
        });
    }
    // What is refused consumes no sequence, but the world goes on: so it is
    // signed by others than the good record.
    let good = town.sign(Who::Producer, unit.clone());
    let by_a_store = town.sign(Who::ColdStore, unit);
    let absent = TraceCode::from_bytes([9; 10]);
    let (body, openings) = town.world.warehouse_in(absent, "1 斤");
    let of_nothing = town.world.sign(Who::Buyer, body, openings);
    town.tick();
    let bytes = |submission: Option<&Submission>| {
        let mut bytes = Vec::new();
        if let Some(submission) = submission {
            submission.encode_into(&mut bytes);
        }
        bytes
    };
    for (what, body, status, code) in [
        (Bad, bytes(None), 400, "record_malformed"),
        (Forbidden, bytes(Some(&by_a_store)), 403, "right_missing"),
        (Absent, bytes(Some(&of_nothing)), 403, "right_missing"),
        (Good, bytes(Some(&good)), 201, ""),
    ] {
        cases.push(Case {
            what,
            method: "POST",
            path: "/v1/records".into(),
            lines: "content-type: application/octet-stream\r\n".into(),
            body,
            status,
            code,
        });
    }
    cases
}

/// Of one route: a token with the right and what it is answered to a bad, an
/// absent and a good order; a token without the right, and what it orders.
type Row<'a> = (
    &'static str,
    &'a str,
    [(Value, u16, &'static str); 3],
    &'a str,
    Value,
);

/// Orders by tokens.
fn ordered(town: &Town, code: &str, nothing: &str, number: &str) -> Vec<Case> {
    let producer = town.token(Who::Producer, Role::Producer);
    let store = town.token(Who::ColdStore, Role::ColdStore);
    let authority = town.token(Who::CountyAuthority, Role::Authority);
    let new =
        |unit: &str| json!({"unit": unit, "quantity": "1 斤", "form": "electronic_traceability"});
    let first = json!({
        "product": "黄瓜", "product_class": "vegetable", "quantity": "1 斤", "origin": "廊坊",
        "produced_on": town.world.today().to_string(),
    });
    let moved = |unit: &str, quantity: &str| json!({"unit": unit, "quantity": quantity});
    let entity = |area: &str| {
        json!({
            "category": "household", "area": area, "person": {"name": "乙某"},
            "roles": [{"role": "producer"}],
        })
    };
    let void = |number: &str| json!({"number": number, "reason": "重复开具"});
    let replaced = |number: &str, unit: &str| json!({"number": number, "reason": "品名有误", "replacement": new(unit)});
    let own = town.world.entity(Who::Producer).area.to_string();
    let other = town
        .world
        .entity(Who::OtherCountyAuthority)
        .area
        .to_string();
    let none = "NONE-0001";
    let rows: Vec<Row> = vec![
        (
            "/v1/certificates",
            &producer,
            [
                (
                    json!({"unit": code, "quantity": "x"}),
                    400,
                    "quantity_malformed",
                ),
                (new(nothing), 422, "unit_unknown"),
                (first, 201, ""),
            ],
            &store,
            new(code),
        ),
        (
            "/v1/warehouse/in",
            &store,
            [
                (moved("UUUU", "1 斤"), 400, "trace_code_malformed"),
                (moved(nothing, "1 斤"), 422, "unit_unknown"),
                (moved(code, "2 斤"), 201, ""),
            ],
            &producer,
            moved(code, "2 斤"),
        ),
        (
            "/v1/warehouse/out",
            &store,
            [
                (moved(code, ""), 400, "quantity_malformed"),
                (moved(nothing, "1 斤"), 422, "unit_unknown"),
                (moved(code, "1 斤"), 201, ""),
            ],
            &producer,
            moved(code, "1 斤"),
        ),
        (
            "/v1/entities",
            &authority,
            [
                (entity("131"), 400, "area_malformed"),
                (entity("000000"), 400, "area_malformed"),
                (entity(&own), 201, ""),
            ],
            &authority,
            entity(&other),
        ),
        (
            "/v1/supersede",
            &producer,
            [
                (json!({"number": number}), 400, "json_unexpected"),
                (replaced(none, code), 422, "target_unknown"),
                (replaced(number, code), 201, ""),
            ],
            &store,
            replaced(number, code),
        ),
        (
            "/v1/void",
            &producer,
            [
                (json!({"reason": "x"}), 400, "statement_malformed"),
                (void(none), 422, "target_unknown"),
                (json!({"unit": code, "reason": "全部作废"}), 201, ""),
            ],
            &store,
            json!({"unit": code, "reason": "x"}),
        ),
    ];
    let mut cases = Vec::new();
    for (path, token, [bad, absent, good], without_right, forbidden) in rows {
        for (what, token, (body, status, code)) in [
            (Bad, token, bad),
            (Absent, token, absent),
            (Forbidden, without_right, (forbidden, 403, "right_missing")),
            (Good, token, good),
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
    cases
}

fn number_of(town: &Town, code: &str) -> String {
    let answer = town.get(&format!("/v1/codes/{code}")).with(200).json();
    let records = answer["records"].as_array().unwrap().iter();
    let mut numbers = records.filter_map(|record| record["statement"]["number"].as_str());
    numbers.next().unwrap().to_owned()
}

#[test]
fn every_route_has_its_answer_in_every_case() {
    let mut town = Town::new();
    let cases = cases(&mut town);
    for case in &cases {
        println!("{} {}", case.method, case.path);
        let answer = case.ask(&town);
        match case.code {
            "" => drop(answer.with(case.status)),
            code => drop(answer.refused(case.status, code)),
        }
    }
    for route in ROUTES {
        let rows = cases
            .iter()
            .filter(|case| std::ptr::eq(case.route(), route));
        let found: BTreeSet<What> = rows.map(|case| case.what).collect();
        let missing: Vec<_> = wanted(route).difference(&found).copied().collect();
        assert!(missing.is_empty(), "{}: {missing:?}", route.path);
    }
}

/// What is in memory: the program's own, tokens, the last signed checkpoint, where a
/// chain stands. None of it says anything of goods.
const WITHOUT_STORE: [&str; 10] = [
    "/sign-in",
    "/sign-out",
    "/.well-known/gs1resolver",
    "/check",
    "/check/{file}",
    "/checkpoint",
    "/v1/kinds",
    "/v1/grading",
    "/openapi.json",
    "/v1/prepare",
];

#[test]
fn with_a_store_that_cannot_be_read_no_route_says_anything_of_the_goods_or_the_machine() {
    let mut town = Town::new();
    let cases = cases(&mut town);
    town.ledger().stop().unwrap();
    let mut asked = BTreeSet::new();
    for case in cases.iter().filter(|case| case.what == Good) {
        let route = case.route();
        asked.insert(route.path);
        let answer = case.ask(&town);
        if WITHOUT_STORE.contains(&route.path) {
            answer.with(case.status);
            continue;
        }
        assert!(matches!(answer.status, 500 | 503), "{}", answer.text());
        let (head, text) = (&answer.head, answer.text());
        for inner in ["redb", "log.redb", "panicked", "/tmp"] {
            assert!(!text.contains(inner) && !head.contains(inner), "{text}");
        }
        match route.path {
            "/t/{code}" | "/t/{code}/temperatures" => {
                assert!(text.contains("data-status=\"cannot_check\""))
            }
            path if ["/t/{code}/report", "/join"].contains(&path)
                || route.caller == Caller::SignedIn =>
            {
                assert!(text.contains("role=\"alert\""))
            }
            _ => {
                let code = answer.json()["code"].clone();
                assert!(code == "failed" || code == "ledger_read_only", "{text}");
            }
        }
    }
    let all: BTreeSet<_> = ROUTES.iter().map(|route| route.path).collect();
    assert_eq!(asked, all);
}
