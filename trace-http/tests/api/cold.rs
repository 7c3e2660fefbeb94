//! The cold chain over HTTP: equipment, readings, segments, and what everybody
//! is told of how goods were kept.

use serde_json::{Value, json};
use trace_core::{
    ident::{EquipmentId, TraceCode},
    record::{Role, cold_chain::EquipmentKind, readings, temperature::Reading},
};
use trace_fixtures::{Who, world_cold::minutely};

use crate::{
    cases::{Case, What},
    town::{Answer, JSON, Town, bearer, order_lines},
};

const MINUTE_MS: u64 = 60_000;

/// A cold store with a zone and a probe, ordered by its token.
pub struct Store {
    pub token: String,
    pub zone: String,
    pub probe: String,
}

fn ordered(town: &Town, token: &str, key: &str, body: &Value) -> String {
    let answer = town
        .order("/v1/equipment", token, key, body)
        .with(201)
        .json();
    answer["equipment"].as_str().unwrap().to_owned()
}

pub fn store(town: &mut Town) -> Store {
    let policy = town.world.temperature_policy("chilled");
    town.say_bare(Who::Root, policy);
    let token = town.token(Who::ColdStore, Role::ColdStore);
    let whole = ordered(
        town,
        &token,
        "store",
        &json!({"kind": "cold_store", "name": "一号库"}),
    );
    let zone = json!({"kind": "zone", "name": "冷藏间", "part_of": whole});
    let zone = ordered(town, &token, "zone", &zone);
    let probe = json!({
        "kind": "probe", "name": "东侧探头", "part_of": zone, "serial": "TP-7",
        "calibrated_on": "2026-03-01", "calibration_due": "2027-02-28",
    });
    let probe = ordered(town, &token, "probe", &probe);
    Store { token, zone, probe }
}

/// A unit of which some lies in the zone since now, under the policy.
pub fn placed(town: &mut Town, store: &Store) -> TraceCode {
    let (unit, _) = town.batch();
    town.store(&unit, "10 斤");
    town.world.now_ms += MINUTE_MS;
    town.tick();
    let body = json!({"unit": unit.unit.to_string(), "equipment": store.zone, "policy": "chilled"});
    town.order("/v1/placed", &store.token, "placed", &body)
        .with(201);
    unit.unit
}

fn pairs(readings: &[Reading]) -> Vec<(u64, i32)> {
    readings
        .iter()
        .map(|it| (it.at_ms, it.temperature_milli_c))
        .collect()
}

pub fn send(town: &Town, token: &str, probe: &str, readings: &[Reading]) -> Answer {
    let body = json!({"probes": [{"probe": probe, "readings": pairs(readings)}]});
    let lines = format!("{JSON}{}", bearer(token));
    town.ask("POST", "/v1/readings", &lines, body.to_string().as_bytes())
}

fn kept(town: &Town, code: TraceCode) -> Value {
    town.get(&format!("/v1/codes/{code}/temperatures"))
        .with(200)
        .json()
}

/// What a look-up says: cold chain, status, and whether the checklist's line holds.
fn looked_up(town: &Town, code: TraceCode) -> (String, String, Value) {
    let answer = town.get(&format!("/v1/codes/{code}")).with(200).json();
    let reasons = answer["reasons"].as_array().unwrap();
    let line = reasons.iter().find(|line| line["check"] == "temperature");
    let text = |name: &str| answer[name].as_str().unwrap().to_owned();
    let holds = line.map_or(Value::Null, |line| line["holds"].clone());
    (text("cold_chain"), text("status"), holds)
}

#[test]
fn readings_decide_what_everybody_is_told_of_a_batch() {
    let mut town = Town::new();
    let store = store(&mut town);
    let code = placed(&mut town, &store);
    let from_ms = town.world.now_ms;
    assert_eq!(kept(&town, code)["state"], "not_monitored");
    town.world.now_ms += 60 * MINUTE_MS;
    town.tick();
    assert_eq!(looked_up(&town, code).0, "not_monitored");

    let cold = minutely(from_ms - MINUTE_MS, 61, 2_000);
    let taken = send(&town, &store.token, &store.probe, &cold)
        .with(201)
        .json();
    assert_eq!((&taken["fresh"], &taken["known"]), (&json!(61), &json!(0)));
    let again = send(&town, &store.token, &store.probe, &cold)
        .with(201)
        .json();
    assert_eq!((&again["fresh"], &again["known"]), (&json!(0), &json!(61)));
    assert_eq!(
        looked_up(&town, code),
        ("kept".into(), "valid".into(), json!(true))
    );
    let answer = kept(&town, code);
    let stay = &answer["stays"][0];
    assert_eq!(
        (&stay["policy"], &stay["is_open"]),
        (&json!("chilled"), &json!(true))
    );
    assert_eq!(
        (&stay["sealed_until_ms"], &stay["probes"]),
        (&Value::Null, &json!([store.probe]))
    );

    // Eleven minutes at 5 °C, in the binary form: one more than is tolerated.
    let warm = minutely(from_ms + 60 * MINUTE_MS, 11, 5_000);
    let after = minutely(from_ms + 71 * MINUTE_MS, 20, 2_000);
    town.world.now_ms = from_ms + 90 * MINUTE_MS;
    town.tick();
    let probe = EquipmentId::parse(&store.probe).unwrap();
    let batch = readings::encode(&[(probe, [warm, after].concat())]).unwrap();
    let lines = format!(
        "content-type: application/octet-stream\r\n{}",
        bearer(&store.token)
    );
    town.ask("POST", "/v1/readings", &lines, &batch).with(201);
    assert_eq!(
        looked_up(&town, code),
        ("exceeded".into(), "temperature_alert".into(), json!(false))
    );
    let verdict = &kept(&town, code)["stays"][0]["verdict"];
    assert_eq!(
        verdict["excursions"][0]["from_ms"],
        json!(from_ms + 60 * MINUTE_MS)
    );
    assert_eq!(
        verdict["excursions"][0]["milli_degree_minutes"],
        json!(11_000)
    );
    assert_eq!(
        (&verdict["longest_outside_ms"], &verdict["gap_ms"]),
        (&json!(660_000), &json!(0))
    );

    // Two hours later nobody knows how it was since.
    town.world.now_ms += 120 * MINUTE_MS;
    town.tick();
    let verdict = &kept(&town, code)["stays"][0]["verdict"];
    assert_eq!(
        (&verdict["state"], &verdict["gap_count"]),
        (&json!("exceeded"), &json!(1))
    );
    let body = json!({"unit": code.to_string(), "equipment": store.zone});
    town.order("/v1/taken-out", &store.token, "out", &body)
        .with(201);
    let stay = &kept(&town, code)["stays"][0];
    assert_eq!(
        (&stay["is_open"], &stay["until_ms"]),
        (&json!(false), &json!(town.world.now_ms))
    );
}

#[test]
fn a_segment_binds_readings_once_however_often_it_is_ordered() {
    let mut town = Town::new();
    let store = store(&mut town);
    let from_ms = town.world.now_ms - 600 * MINUTE_MS;
    send(
        &town,
        &store.token,
        &store.probe,
        &minutely(from_ms, 300, -18_500),
    )
    .with(201);
    let body = json!({"probe": store.probe});
    let first = town
        .order("/v1/segments", &store.token, "s0", &body)
        .with(201)
        .json();
    let again = town
        .order("/v1/segments", &store.token, "s0", &body)
        .with(200)
        .json();
    assert_eq!(first["records"][0]["hash"], again["records"][0]["hash"]);
    town.order("/v1/segments", &store.token, "s1", &body)
        .refused(422, "nothing_to_seal");

    // Late readings go into the next segment, up to the time that was wanted.
    let late = minutely(from_ms + 150 * MINUTE_MS + 1, 200, -18_000);
    send(&town, &store.token, &store.probe, &late).with(201);
    let until = trace_core::ident::format_ms(late[99].at_ms, 480);
    let body = json!({"probe": store.probe, "until": until});
    let second = town
        .order("/v1/segments", &store.token, "s2", &body)
        .with(201)
        .json();
    let hash = second["records"][0]["hash"].as_str().unwrap();
    let record = town.get(&format!("/v1/records/{hash}")).with(200).json();
    let statement = &record["records"][0]["statement"];
    assert_eq!(
        (&statement["number"], &statement["count"]),
        (&json!(1), &json!(100))
    );
    assert_eq!(statement["highest_milli_c"], json!(-18_000));
    let owner = town.world.id(Who::ColdStore);
    let all = town
        .get(&format!("/v1/entities/{owner}/equipment"))
        .with(200)
        .json();
    let all = all["equipment"].as_array().unwrap();
    let probe = all
        .iter()
        .find(|line| line["equipment"] == json!(store.probe))
        .unwrap();
    assert_eq!(
        (&probe["next_segment"], &probe["kind"]),
        (&json!(2), &json!("probe"))
    );
}

#[test]
fn readings_are_taken_from_the_probes_owner_alone_and_only_what_can_be() {
    let mut town = Town::new();
    let store = store(&mut town);
    let now_ms = town.world.now_ms;
    let other = town.token(Who::Producer, Role::Producer);
    let good = minutely(now_ms - 60 * MINUTE_MS, 3, 2_000);
    send(&town, &other, &store.probe, &good).refused(403, "right_missing");
    send(&town, &store.token, &store.zone, &good).refused(422, "equipment_unfit");
    let unknown = EquipmentId::from_bytes([9; 10]).to_string();
    send(&town, &store.token, &unknown, &good).refused(422, "equipment_unknown");
    send(&town, &store.token, "x", &good).refused(400, "equipment_id_malformed");
    let ahead = minutely(now_ms + 3_600_000, 1, 2_000);
    send(&town, &store.token, &store.probe, &ahead).refused(422, "event_in_the_future");
    let hot = minutely(now_ms - MINUTE_MS, 1, 100_001);
    send(&town, &store.token, &store.probe, &hot).refused(400, "temperature_malformed");
    // One bad probe refuses all: nothing of it was stored.
    let body = json!({"probe": store.probe});
    town.order("/v1/segments", &store.token, "s", &body)
        .refused(422, "nothing_to_seal");
    let octets = format!(
        "content-type: application/octet-stream\r\n{}",
        bearer(&store.token)
    );
    town.ask("POST", "/v1/readings", &octets, b"trace/readings/v1\n")
        .refused(400, "record_malformed");
}

/// Every case of these routes.
pub fn cases(town: &mut Town, code: &str, nothing: &str) -> Vec<Case> {
    let policy = town.world.temperature_policy("chilled");
    town.say_bare(Who::Root, policy);
    let body = town
        .world
        .equipment(Who::ColdStore, EquipmentKind::Vehicle, None);
    let vehicle = body.equipment;
    town.say_bare(Who::ColdStore, body);
    let body = town
        .world
        .equipment(Who::ColdStore, EquipmentKind::Probe, Some(vehicle));
    let probe = body.equipment.to_string();
    town.say_bare(Who::ColdStore, body);
    let unit = TraceCode::parse(code).unwrap();
    let body = town.world.placed(unit, vehicle, "chilled");
    town.say_bare(Who::ColdStore, body);
    let absent = EquipmentId::from_bytes([9; 10]).to_string();
    let (store, other) = (
        town.token(Who::ColdStore, Role::ColdStore),
        town.token(Who::Producer, Role::Producer),
    );
    let get = |what, path: String, status, refusal| Case {
        what,
        method: "GET",
        path,
        lines: String::new(),
        body: Vec::new(),
        status,
        code: refusal,
    };
    let owner = town.world.id(Who::ColdStore);
    let stranger = trace_core::ident::EntityId::from_bytes([9; 10]);
    let mut cases = vec![
        get(
            What::Good,
            format!("/v1/codes/{code}/temperatures"),
            200,
            "",
        ),
        get(
            What::Bad,
            "/v1/codes/UUUU/temperatures".into(),
            400,
            "trace_code_malformed",
        ),
        get(
            What::Absent,
            format!("/v1/codes/{nothing}/temperatures"),
            404,
            "not_on_ledger",
        ),
        get(
            What::Good,
            format!("/v1/entities/{owner}/equipment"),
            200,
            "",
        ),
        get(
            What::Bad,
            "/v1/entities/U/equipment".into(),
            400,
            "entity_id_malformed",
        ),
        get(
            What::Absent,
            format!("/v1/entities/{stranger}/equipment"),
            404,
            "not_on_ledger",
        ),
    ];
    let mapping = json!({
        "delimiter": "comma", "has_headers": true, "time": ["t"], "time_format": "iso8601",
        "temperatures": [{"column": 2}],
    });
    for (what, id, token, status, refusal) in [
        (What::Good, probe.as_str(), &store, 201, ""),
        (What::Bad, "x", &store, 400, "equipment_id_malformed"),
        (What::Absent, &absent, &store, 422, "equipment_unknown"),
        (What::Forbidden, &probe, &other, 403, "right_missing"),
    ] {
        for method in ["POST", "GET"] {
            let (status, code) = match (method, status) {
                ("GET", 201) => (200, ""),
                ("GET", 422) => (404, "not_on_ledger"),
                _ => (status, refusal),
            };
            cases.push(Case {
                what,
                method,
                path: format!("/v1/equipment/{id}/mapping"),
                lines: format!("{JSON}{}", bearer(token)),
                body: mapping.to_string().into_bytes(),
                status,
                code,
            });
        }
    }
    for (path, picture) in [("/t", "/temperatures"), ("/v1/codes", "/temperatures.svg")] {
        let code_of = |code| if path == "/t" { "" } else { code };
        for (what, of, status, refusal) in [
            (What::Good, code, 200, ""),
            (What::Bad, "UUUU", 400, "trace_code_malformed"),
            (What::Absent, nothing, 404, "not_on_ledger"),
        ] {
            let path = format!("{path}/{of}{picture}");
            cases.push(get(what, path, status, code_of(refusal)));
        }
    }
    let of = |id: &str| format!("/v1/equipment/{id}/temperatures.svg");
    for (what, path, token, status, refusal) in [
        (What::Good, of(&probe), &store, 200, ""),
        (What::Bad, of("U"), &store, 400, "equipment_id_malformed"),
        (What::Absent, of(&absent), &store, 404, "not_on_ledger"),
        (What::Forbidden, of(&probe), &other, 403, "right_missing"),
        (What::Good, "/v1/alerts".into(), &store, 200, ""),
        (
            What::Bad,
            "/v1/alerts?sort=x".into(),
            &store,
            400,
            "query_unexpected",
        ),
        (
            What::Forbidden,
            format!("/v1/alerts?entity={owner}"),
            &other,
            403,
            "right_missing",
        ),
    ] {
        cases.push(Case {
            lines: bearer(token),
            ..get(what, path, status, refusal)
        });
    }
    let at_ms = town.world.now_ms - 60 * MINUTE_MS;
    let readings =
        |probe: &str| json!({"probes": [{"probe": probe, "readings": [[at_ms, 2_000]]}]});
    let part = |whole: &str| json!({"kind": "probe", "name": "探头", "part_of": whole});
    let vehicle = vehicle.to_string();
    let out = |equipment: &str| json!({"unit": code, "equipment": equipment});
    let place =
        |equipment: &str| json!({"unit": code, "equipment": equipment, "policy": "chilled"});
    let seal = |probe: &str| json!({"probe": probe});
    let seen = |probe: &str| json!({"equipment": probe, "sort": "silent"});
    for (path, bad, bad_code, gone, gone_code, good) in [
        (
            "/v1/readings",
            readings("x"),
            "equipment_id_malformed",
            readings(&absent),
            "equipment_unknown",
            readings(&probe),
        ),
        (
            "/v1/segments",
            seal("x"),
            "equipment_id_malformed",
            seal(&absent),
            "equipment_unknown",
            seal(&probe),
        ),
        (
            "/v1/alerts/acknowledged",
            seen("x"),
            "equipment_id_malformed",
            seen(&absent),
            "equipment_unknown",
            seen(&probe),
        ),
        (
            "/v1/equipment",
            json!({"kind": "probe", "name": "探头"}),
            "equipment_unfit",
            part(&absent),
            "equipment_unknown",
            part(&vehicle),
        ),
        (
            "/v1/taken-out",
            out("x"),
            "equipment_id_malformed",
            out(&absent),
            "equipment_unknown",
            out(&vehicle),
        ),
        (
            "/v1/placed",
            place("x"),
            "equipment_id_malformed",
            place(&absent),
            "equipment_unknown",
            place(&vehicle),
        ),
    ] {
        let bad_status = if bad_code == "equipment_unfit" {
            422
        } else {
            400
        };
        for (what, token, body, status, refusal) in [
            (What::Bad, &store, &bad, bad_status, bad_code),
            (What::Absent, &store, &gone, 422, gone_code),
            (What::Forbidden, &other, &good, 403, "right_missing"),
            (What::Good, &store, &good, 201, ""),
        ] {
            let key = format!("{}-{what:?}", path.replace('/', "-"));
            cases.push(Case {
                what,
                method: "POST",
                path: path.into(),
                lines: match path {
                    "/v1/readings" => format!("{JSON}{}", bearer(token)),
                    _ => order_lines(token, &key),
                },
                body: body.to_string().into_bytes(),
                status,
                code: refusal,
            });
        }
    }
    cases
}
