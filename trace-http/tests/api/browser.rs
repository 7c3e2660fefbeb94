//! Pages in a real browser: headless Chromium, driven by the walks of
//! `tests/browser`, on a town served here; and the shopper's and the inspector's
//! pages so walked.
//!
//! Wants Debian's `chromium`, `nodejs` and `npm`, as `.ci/run` installs them. What
//! drives the browser is fetched here, as `tests/browser/package-lock.json` pins it.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::{Value, json};
use trace_core::{
    ident::TraceCode,
    proof::{completeness::Completeness, note::Note},
    record::{Role, Status, base64, movement::Process},
};
use trace_fixtures::{Who, world_cold::minutely};

use crate::{
    cold,
    town::{Town, signer},
};

/// A page to open: its state, and whether the check ends green on it.
fn page(name: &str, code: &str, status: Status, http: u16, green: bool) -> Value {
    json!({
        "name": name,
        "path": format!("/t/{code}"),
        "status": http,
        "state": status.name(),
        "words": [status.words(), status.words_zh()],
        "green": green,
    })
}

/// A unit with all that a page can show, one of its texts hostile.
fn shown(town: &mut Town) -> TraceCode {
    let mut unit = town.world.unit();
    unit.gtin = Some("6901234567892".parse().unwrap());
    unit.lot = Some("20260511-A".into());
    unit.specification = Some("<img src=x onerror=alert(1)>".into());
    let (unit, _) = town.batch_of(unit);
    town.store(&unit, "10 斤");
    unit.unit
}

/// A unit that was too warm in a zone for a quarter of an hour.
fn warmed(town: &mut Town) -> TraceCode {
    const MINUTE_MS: u64 = 60_000;
    let store = cold::store(town);
    let code = cold::placed(town, &store);
    let from_ms = town.world.now_ms;
    town.world.now_ms += 60 * MINUTE_MS;
    town.tick();
    let readings = [
        minutely(from_ms, 20, 2_000),
        minutely(from_ms + 20 * MINUTE_MS, 15, 6_000),
        minutely(from_ms + 35 * MINUTE_MS, 26, 2_000),
    ];
    cold::send(town, &store.token, &store.probe, &readings.concat()).with(201);
    let body = json!({"probe": store.probe});
    town.order("/v1/segments", &store.token, "sealed", &body)
        .with(201);
    code
}

/// What an operator that withholds the last void would show: the page from
/// before it, and a bundle whose signed statement denies it.
fn lie(town: &mut Town) -> Value {
    let (unit, certified) = town.batch();
    let path = format!("/t/{}", unit.unit.compact());
    let before = town.get(&path).with(200).text();
    let body = town.world.voided(&certified.signed);
    town.say_bare(Who::Producer, body);
    let address = format!("/v1/codes/{}/bundle", unit.unit.compact());
    let mut bundle = town.get(&address).with(200).json();
    let last = bundle["records"].as_array_mut().unwrap().pop().unwrap();
    let denied = last["index"].as_u64().unwrap();
    let signer = signer(&town.world);
    let note = bundle["completeness"].as_str().unwrap().to_owned();
    let known = [signer.verifier_key().clone()];
    let text = Note::parse(&note)
        .unwrap()
        .verify_all_known(&known)
        .unwrap();
    let mut statement = Completeness::parse_text(text.text()).unwrap();
    for list in statement.subjects.values_mut() {
        list.remove(&denied);
    }
    // Fields in the order of a bundle's one spelling.
    let records = bundle["records"].as_array().unwrap().iter().map(|record| {
        let (index, entry, path) = (&record["index"], &record["entry"], &record["path"]);
        format!("{{\"index\":{index},\"entry\":{entry},\"path\":{path}}}")
    });
    let spelt = format!(
        "{{\"version\":1,\"code\":{},\"checkpoint\":{},\"completeness\":{},\"records\":[{}]}}",
        bundle["code"],
        bundle["checkpoint"],
        Value::from(statement.sign(&signer).unwrap()),
        records.collect::<Vec<_>>().join(",")
    );
    json!({"path": path, "page": before, "bundle": spelt})
}

/// Fetches what drives the browser, where it is not there yet.
fn fetch_driver(root: &Path) {
    let folder = root.join("tests/browser");
    if folder.join("node_modules/playwright-core").exists() {
        return;
    }
    let fetched = Command::new("npm")
        .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
        .args(["--fetch-timeout=30000", "--fetch-retries=2"])
        .current_dir(&folder)
        .output()
        .unwrap_or_else(|error| panic!("npm, Debian's package: {error}"));
    assert!(
        fetched.status.success(),
        "{}",
        String::from_utf8_lossy(&fetched.stderr)
    );
}

/// Walks through pages by a script of `tests/browser`; gives where it put its
/// pictures.
pub fn walk(script: &str, plan: &Value) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap_or_else(|| panic!("the crate lies in the project"));
    fetch_driver(root);
    let shots = root.join("target/browser").join(script);
    std::fs::create_dir_all(&shots).unwrap_or_else(|error| panic!("{error}"));
    let file = shots.join("plan.json");
    std::fs::write(&file, plan.to_string()).unwrap_or_else(|error| panic!("{error}"));
    let output = Command::new("node")
        .arg(root.join(format!("tests/browser/{script}.mjs")))
        .args([&file, &shots])
        .output()
        .unwrap_or_else(|error| panic!("node, Debian's package nodejs: {error}"));
    assert!(
        output.status.success(),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    shots
}

#[test]
fn a_real_browser_reads_the_pages_and_checks_them() {
    let mut town = Town::new();
    let lie = lie(&mut town);
    let sound = shown(&mut town);
    let (voided, certified) = town.batch();
    let body = town.world.voided(&certified.signed);
    town.say_bare(Who::Producer, body);
    let recalled = town.batch().0.unit;
    let body = town.world.recalled(recalled);
    town.say_bare(Who::CountyAuthority, body);
    let (superseded, certified) = town.batch();
    let body = town.world.superseded(&certified.signed, superseded.unit);
    town.say_bare(Who::Producer, body);
    let warmed = warmed(&mut town);
    let nothing = TraceCode::from_bytes([9; 10]).compact();
    let plan = json!({
        "address": format!("http://{}", town.address),
        "sound": format!("/t/{}", sound.compact()),
        "bundle": format!("/v1/codes/{}/bundle", sound.compact()),
        "lie": lie,
        "pages": [
            page("valid", &sound.compact(), Status::Valid, 200, true),
            page("voided", &voided.unit.compact(), Status::Voided, 200, true),
            page("recalled", &recalled.compact(), Status::Recalled, 200, true),
            page("superseded", &superseded.unit.compact(), Status::Superseded, 200, true),
            page("temperature_alert", &warmed.compact(), Status::TemperatureAlert, 200, true),
            page("unknown", &nothing, Status::Unknown, 404, false),
            page("malformed", "UUUU", Status::Malformed, 400, false),
        ],
    });
    let shots = walk("shopper", &plan);
    // Pictures, for people to look at.
    let picture = std::fs::read(shots.join("valid-zh-phone.png")).unwrap();
    assert!(picture.len() > 10_000 && base64::encode(&picture).starts_with("iVBORw0KGgo"));
}

/// A unit that others were packed from, of which some went to a buyer.
fn packed(town: &mut Town) -> TraceCode {
    let (unit, _) = town.batch();
    let outputs = [town.world.output(&unit), town.world.output(&unit)];
    let part = outputs[0].unit;
    let outputs = outputs.map(|output| (output, "500 斤")).into();
    let inputs = [(unit.unit, "1000 斤")];
    let split = (town.world).transformed(Process::Split, &inputs, outputs, None);
    town.say(Who::Producer, split);
    let given = town.world.handed_over(part, Who::Buyer, "300 斤");
    let given = town.say(Who::Producer, given);
    let received = town.world.received(part, &given, "300 斤");
    town.say(Who::Buyer, received);
    unit.unit
}

#[test]
fn an_inspector_looks_up_and_acts_in_a_real_browser() {
    let mut town = Town::new();
    let code = packed(&mut town);
    let warmed = warmed(&mut town);
    let to_hold = shown(&mut town);
    let recalled = town.batch().0.unit;
    let body = town.world.recalled(recalled);
    town.say_bare(Who::CountyAuthority, body);
    let inspected = town.world.inspection(Who::Producer, &[3]);
    town.say(Who::Inspector, inspected);
    let answer = |name: &str, ask: &str, zh: &[&str], en: &[&str]| json!({"name": name, "ask": ask, "wanted": {"zh": zh, "en": en}});
    let entity = town.world.id(Who::Producer).to_string();
    let plan = json!({
        "address": format!("http://{}", town.address),
        "inspector": town.token(Who::Inspector, Role::Inspector),
        "authority": town.token(Who::CountyAuthority, Role::Authority),
        "code": code.compact(),
        "toHold": to_hold.to_string(),
        "answers": [
            answer("dashboard", "", &["每日开证", "召回", "待处理"], &["Issued per day", "recall", "open"]),
            answer("unit", &code.to_string(), &["核验项目", "数量平衡", "来源与去向"], &["Why", "quantities add up", "Lineage"]),
            answer("warm", &warmed.to_string(), &["超温", "冷链"], &["Cold chain", "Why"]),
            answer("entity", &entity, &["检查发现的问题", "登记检查"], &["Findings", "Record an inspection"]),
            answer("unknown", "NONE-0001", &["账本中没有此项"], &["not on this ledger"]),
        ],
    });
    let shots = walk("inspect", &plan);
    let picture = std::fs::read(shots.join("unit-zh-phone.png")).unwrap();
    assert!(picture.len() > 10_000 && base64::encode(&picture).starts_with("iVBORw0KGgo"));
}
