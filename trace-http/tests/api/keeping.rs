//! How goods were kept, told where it is asked what they became or were made
//! from: each step of a lineage, and the checklist of what was made of them.

use serde_json::Value;
use trace_core::{
    error::Verify,
    ident::{EquipmentId, TraceCode},
    ledger::lookup::STEP_VERDICTS_MAX,
    proof::bundle::{Bundle, Told, Verdict},
    record::{
        Status, kinds::unit_created::UnitCreated, movement::Process, section::Openings,
        status::ColdChain,
    },
};
use trace_fixtures::{Who, world_cold::minutely};

use crate::{
    cold::{Store, send, store},
    town::Town,
};

const MINUTE_MS: u64 = 60_000;

/// A batch that lies in a cold store since `from_ms`.
struct Lying {
    town: Town,
    store: Store,
    unit: UnitCreated,
    from_ms: u64,
}

impl Lying {
    fn new() -> Self {
        let mut town = Town::new();
        let store = store(&mut town);
        let (unit, _) = town.batch();
        town.store(&unit, "10 斤");
        town.world.now_ms += MINUTE_MS;
        place(&mut town, &store, &[unit.unit]);
        let from_ms = town.world.now_ms;
        Self {
            town,
            store,
            unit,
            from_ms,
        }
    }

    /// So many minutes after it was placed.
    fn at(&mut self, minutes: u64) {
        self.town.world.now_ms = self.from_ms + minutes * MINUTE_MS;
        self.town.tick();
    }

    fn read(&self, from: u64, minutes: u64, temperature_milli_c: i32) {
        let from_ms = self.from_ms + from * MINUTE_MS;
        let readings = minutely(from_ms, minutes, temperature_milli_c);
        let (token, probe) = (&self.store.token, &self.store.probe);
        send(&self.town, token, probe, &readings).with(201);
    }

    /// Something made of 100 斤 of it now.
    fn made(&mut self) -> TraceCode {
        let output = self.town.world.output(&self.unit);
        let child = output.unit;
        let (inputs, outputs) = ([(self.unit.unit, "100 斤")], vec![(output, "100 斤")]);
        let process = Process::Repack;
        let world = &mut self.town.world;
        let said = world.transformed(process, &inputs, outputs, None);
        self.town.say(Who::Producer, said);
        child
    }

    fn bundle(&self, code: TraceCode) -> Bundle {
        let fetched = self.town.get(&format!("/v1/codes/{code}/bundle"));
        Bundle::decode(&fetched.with(200).body).unwrap()
    }

    /// Status, and the line about what it was made from.
    fn told(&self, code: TraceCode) -> (String, Value) {
        let path = format!("/v1/codes/{code}");
        let answer = self.town.get(&path).with(200).json();
        let reasons = answer["reasons"].as_array().unwrap();
        let mut lines = reasons.iter();
        let line = lines.find(|line| line["check"] == "source_temperature");
        let status = answer["status"].as_str().unwrap().to_owned();
        (status, line.cloned().unwrap_or_default())
    }
}

/// Places units in the store's zone, all in one request.
fn place(town: &mut Town, store: &Store, units: &[TraceCode]) {
    let zone = EquipmentId::parse(&store.zone).unwrap();
    let mut signed = Vec::new();
    for unit in units {
        let placed = town.world.placed(*unit, zone, "chilled");
        let world = &mut town.world;
        signed.push(world.sign(Who::ColdStore, placed, Openings::default()));
    }
    town.admit(signed);
}

fn traced(town: &Town, code: TraceCode, way: &str) -> Value {
    let path = format!("/v1/codes/{code}/trace?direction={way}");
    town.get(&path).with(200).json()
}

fn step(graph: &Value, code: TraceCode) -> (String, String) {
    let mut units = graph["units"].as_array().unwrap().iter();
    let unit = units.find(|unit| unit["code"] == code.to_string()).unwrap();
    let text = |name: &str| unit[name].as_str().unwrap_or("absent").to_owned();
    (text("cold_chain"), text("status"))
}

#[test]
fn what_exceeded_shows_on_the_trace_and_on_what_was_made_of_it_afterwards() {
    let mut lying = Lying::new();
    let code = lying.unit.unit;
    lying.at(30);
    lying.read(0, 31, 2_000);
    let before = lying.made();
    lying.at(60);
    lying.read(31, 10, 2_000);
    lying.read(41, 11, 5_000);
    lying.read(52, 9, 2_000);
    let after = lying.made();

    let exceeded = ("exceeded".to_owned(), "temperature_alert".to_owned());
    let unplaced = ("not_monitored".to_owned(), "valid".to_owned());
    let back = traced(&lying.town, after, "back");
    assert_eq!(step(&back, code), exceeded);
    assert_eq!(step(&back, after), unplaced);
    let forward = traced(&lying.town, code, "forward");
    assert_eq!(step(&forward, code), exceeded);
    assert_eq!(step(&forward, before), unplaced);

    // What was made before is not touched by what came afterwards.
    assert_eq!(lying.told(before), ("valid".into(), Value::Null));
    let (status, line) = lying.told(after);
    assert_eq!((status.as_str(), &line["holds"]), ("valid", &false.into()));
    assert!(line["words"].as_str().unwrap().contains(&code.to_string()));
    let words_zh = line["words_zh"].as_str().unwrap();
    assert!(words_zh.contains("来源"), "{words_zh}");
    let index = line["index"].as_u64().unwrap();
    let entry = lying.town.office.view().entry(index).unwrap();
    assert_eq!(entry.signed.body().unwrap().kind().name, "placed");

    // A bundle carries no readings of its sources: it says nothing of them, and
    // comes to the same status.
    let bundle = lying.bundle(after);
    let (anchor, today) = (lying.town.anchor(), lying.town.world.today());
    let told = bundle.verify(&anchor, &[], today).unwrap();
    assert_eq!(told.judgement.status, Status::Valid);
    assert_eq!(offline(&told), None);

    // With its source's bundle it comes to the ledger's line, in the same words.
    let source = lying.bundle(code);
    let with = |of: &Bundle, sources: &[&Bundle]| {
        let sources = sources.iter().map(|it| Ok::<_, Verify>((*it).clone()));
        of.verify_with(&anchor, &[], today, sources)
    };
    let told = with(&bundle, &[&source]).unwrap();
    assert_eq!(told.judgement.status, Status::Valid);
    assert_eq!(offline(&told), Some(line));
    let before = lying.bundle(before);
    let told = with(&before, &[&source]).unwrap();
    assert_eq!(offline(&told), None, "kept until it was used");
    let Some(Told::Kept(kept)) = &told.sources[0].told else {
        panic!("{:?}", told.sources);
    };
    assert_eq!(kept.kept.state, ColdChain::Kept);
    let told = with(&bundle, &[]).unwrap();
    assert_eq!(offline(&told).unwrap()["holds"], Value::Null, "not at hand");

    // Neither another's bundle nor one twice passes for a source's.
    for sources in [&[&before][..], &[&bundle], &[&source, &source]] {
        let refused = with(&bundle, sources).unwrap_err();
        assert!(matches!(refused, Verify::Malformed { .. }), "{refused}");
    }
}

/// A source's bundle of before its use cannot tell how it was kept until then.
#[test]
fn the_bundle_of_a_source_that_is_older_than_its_use_is_not_enough() {
    let mut lying = Lying::new();
    lying.at(30);
    lying.read(0, 31, 2_000);
    let old = lying.bundle(lying.unit.unit);
    let child = lying.made();
    let bundle = lying.bundle(child);
    let (anchor, today) = (lying.town.anchor(), lying.town.world.today());
    let with = |source: &Bundle| {
        let sources = [Ok::<_, Verify>(source.clone())];
        bundle.verify_with(&anchor, &[], today, sources)
    };
    let refused = with(&old).unwrap_err();
    assert!(matches!(refused, Verify::Incomplete { .. }), "{refused}");
    assert_eq!(
        offline(&with(&lying.bundle(lying.unit.unit)).unwrap()),
        None
    );
}

/// The program, with files alone, comes to it too.
#[test]
fn the_program_judges_sources_by_their_own_bundles() {
    let mut lying = Lying::new();
    let code = lying.unit.unit;
    lying.at(60);
    lying.read(0, 30, 2_000);
    lying.read(30, 11, 5_000);
    lying.read(41, 20, 2_000);
    let child = lying.made();
    let folder = tempfile::tempdir().unwrap();
    for (file, code) in [("child.json", child), ("source.json", code)] {
        std::fs::write(folder.path().join(file), lying.bundle(code).encode()).unwrap();
    }
    let anchor = lying.town.anchor().to_string();
    let date = lying.town.world.today().to_string();
    let verify = |arguments: &[&str]| {
        let mut program = std::process::Command::new(env!("CARGO_BIN_EXE_trace"));
        program.current_dir(folder.path()).arg("verify");
        program.args(arguments).args(["--anchor", &anchor]);
        program.args(["--as-of", &date, "--json"]).output().unwrap()
    };
    let told = verify(&["child.json", "--source", "source.json"]);
    assert_eq!(told.status.code(), Some(0), "{told:?}");
    let told: Value = serde_json::from_slice(&told.stdout).unwrap();
    let source = &told["sources"][0];
    assert_eq!(source["code"], code.to_string());
    assert_eq!(source["cold_chain"]["state"], "exceeded", "{told}");
    assert!(
        told["reasons"]
            .as_array()
            .unwrap()
            .contains(&lying.told(child).1)
    );
    let alone: Value = serde_json::from_slice(&verify(&["child.json"]).stdout).unwrap();
    assert_eq!(alone["sources"][0]["has_bundle"], false);
    let refused = verify(&["source.json", "--source", "child.json"]);
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
}

/// The line about its sources that a bundle's verdict has.
fn offline(verdict: &Verdict) -> Option<Value> {
    let mut lines = verdict.judgement.reasons.iter();
    let line = lines.find(|line| line.check == "source_temperature")?;
    Some(serde_json::to_value(line).unwrap())
}

#[test]
fn what_was_made_after_a_gap_is_not_shown_to_come_of_goods_kept_cold() {
    let mut lying = Lying::new();
    let code = lying.unit.unit;
    lying.at(30);
    lying.read(0, 31, 2_000);
    assert_eq!(step(&traced(&lying.town, code, "back"), code).0, "kept");
    lying.at(150);
    let child = lying.made();
    // What is made of that stands behind it.
    let back = traced(&lying.town, child, "back");
    let gaps = ("gaps".to_owned(), "valid".to_owned());
    assert_eq!(step(&back, code), gaps);
    let (status, line) = lying.told(child);
    assert_eq!((status.as_str(), &line["holds"]), ("valid", &Value::Null));
    assert!(
        line["words"]
            .as_str()
            .unwrap()
            .contains("readings are missing")
    );
}

#[test]
fn a_lineage_judges_so_many_and_says_where_to_ask_of_the_others() {
    let mut lying = Lying::new();
    lying.at(1);
    // Split in half of them, and the first of those in the other half.
    const HALF: usize = STEP_VERDICTS_MAX / 2;
    let town = &mut lying.town;
    let (source, split) = (lying.unit.clone(), Process::Split);
    let mut units = Vec::new();
    let mut from = (source.unit, "71 斤");
    for first in ["40 斤", "1 斤"] {
        let outputs: Vec<_> = (0..HALF)
            .map(|at| (town.world.output(&source), at))
            .collect();
        let outputs = outputs.into_iter();
        let outputs = outputs.map(|(output, at)| (output, if at == 0 { first } else { "1 斤" }));
        let outputs: Vec<_> = outputs.collect();
        let made = outputs.iter().map(|(output, _)| output.unit);
        units.extend(made);
        let said = town.world.transformed(split, &[from], outputs, None);
        town.say(Who::Producer, said);
        from = (units[0], "32 斤");
    }
    let mut entered = Vec::new();
    for unit in &units {
        let (body, openings) = town.world.warehouse_in(*unit, "1 斤");
        entered.push(town.world.sign(Who::ColdStore, body, openings));
    }
    town.admit(entered);
    place(town, &lying.store, &units);
    lying.at(31);
    lying.read(0, 32, 2_000);

    let graph = traced(&lying.town, lying.unit.unit, "forward");
    let all = graph["units"].as_array().unwrap();
    assert_eq!(all.len(), STEP_VERDICTS_MAX + 1);
    let (last, judged) = all.split_last().unwrap();
    assert!(judged.iter().all(|unit| unit["cold_chain"] == "kept"));
    assert!(judged.iter().all(|unit| unit.get("temperatures").is_none()));
    assert!(last.get("cold_chain").is_none(), "{last}");
    let path = last["temperatures"].as_str().unwrap();
    let asked = lying.town.get(path).with(200).json();
    assert_eq!(asked["state"], "kept");
}

/// The picture stands on the shopper's page, is told to those who cannot see it,
/// and is left to its own page where it would be too much.
#[test]
fn the_page_shows_how_it_was_kept_in_a_small_picture_and_stays_small() {
    let mut lying = Lying::new();
    let path = format!("/t/{}", lying.unit.unit.compact());
    lying.at(60);
    lying.read(0, 40, 2_000);
    lying.read(40, 11, 5_000);
    lying.read(51, 9, 2_000);
    let page = lying.town.get(&path).with(200).text();
    let (_, chart) = page.split_once("<svg xmlns").unwrap();
    let (chart, _) = chart.split_once("</svg>").unwrap();
    assert!(chart.contains("viewBox=\"0 0 3600 1900\""), "{chart}");
    assert!(
        chart.contains("<desc") && chart.contains("highest 5 °C"),
        "{chart}"
    );
    let chinese = lying.town.get(&format!("{path}?lang=zh")).text();
    assert!(chinese.contains("<desc") && chinese.contains("超温"));

    // Out and in again every few minutes for most of a day.
    let rest = 20 * 60;
    lying.at(60 + rest);
    for minute in (0..rest).step_by(6) {
        lying.read(60 + minute, 3, 2_000);
        let peak = 4_100 + i32::try_from(minute % 900).unwrap();
        lying.read(63 + minute, 3, peak);
    }
    let page = lying.town.get(&path).with(200).text();
    assert!(page.len() < 60_000, "{} bytes", page.len());
    assert!(page.contains(&format!("{path}/temperatures")));
}
