//! What an inspector reports from: open questions, balances over periods,
//! grades; each as JSON, and as a sheet where a person would open one.

use serde_json::Value;
use trace_core::record::{Role, kinds::unit_created::UnitCreated, movement::Manner};
use trace_fixtures::Who;

use crate::town::{Answer, Town, bearer};

const DAY_MS: u64 = 86_400_000;

/// A unit of which some was sold by a buyer, some under an expired certificate.
struct Told {
    town: Town,
    unit: UnitCreated,
    inspector: String,
}

impl Told {
    fn new() -> Self {
        let mut town = Town::new();
        let unit = town.world.unit();
        let created = town.world.sign_bare(Who::Producer, unit.clone());
        let (mut certificate, openings) = town.world.certificate(&unit);
        let number = certificate.0.number.clone();
        certificate.0.expires_on = Some(town.world.today().into());
        let certified = town.world.sign(Who::Producer, certificate, openings);
        town.admit(vec![created, certified]);
        town.world.now_ms += DAY_MS;
        let (mut given, openings) = town.world.handed_over(unit.unit, Who::Buyer, "300 斤");
        given.certificate = Some(number);
        let given = town.say(Who::Producer, (given, openings));
        let received = town.world.received(unit.unit, &given, "300 斤");
        town.say(Who::Buyer, received);
        let sold = town.world.disposed(unit.unit, Manner::Sold, "41 斤");
        town.say(Who::Buyer, sold);
        let inspected = town.world.inspection(Who::Producer, &[0, 5]);
        town.say(Who::Inspector, inspected);
        town.world.now_ms += 2 * DAY_MS;
        town.tick();
        let inspector = town.token(Who::Inspector, Role::Inspector);
        Self {
            town,
            unit,
            inspector,
        }
    }

    fn full(&self, path: &str) -> Value {
        self.town.get_with(path, &self.inspector).with(200).json()
    }

    /// The same as a sheet, in Chinese.
    fn sheet(&self, path: &str, media_type: &str) -> Answer {
        let own = bearer(&self.inspector);
        let lines = format!("accept: {media_type}\r\naccept-language: zh-CN\r\n{own}");
        self.town.ask("GET", path, &lines, b"").with(200)
    }

    fn logged(&self) -> u64 {
        self.town.office.lookups.head().count
    }
}

const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

#[test]
fn a_question_names_the_record_the_numbers_and_what_to_do_to_whom_it_concerns() {
    let told = Told::new();
    let path = "/v1/questions?about=expired";
    let answer = told.full(path);
    assert_eq!(told.logged(), 1);
    let question = &answer["questions"][0];
    assert_eq!(question["about"], "expired");
    assert_eq!(question["unit"], told.unit.unit.to_string());
    assert_eq!(question["numbers"]["amount"], 150_000);
    assert!(question["days"]["expired_on"].is_string(), "{question}");
    assert_eq!(question["record"].as_str().unwrap().len(), 64);
    for field in ["words", "words_zh", "remedy", "remedy_zh"] {
        assert!(!question[field].as_str().unwrap().is_empty(), "{question}");
    }
    let findings = told.full("/v1/questions?about=findings");
    let found = findings["questions"].as_array().unwrap();
    assert_eq!(found.len(), 1, "the other's day is ahead");
    assert!(found[0]["problem"].is_string());
    // The producer's own token is shown what concerns it, the buyer's nothing of
    // that, nor is an authority elsewhere.
    for (who, role, count) in [
        (Who::Producer, Role::Producer, 1),
        (Who::Buyer, Role::Buyer, 0),
        (Who::OtherCountyAuthority, Role::Authority, 0),
    ] {
        let token = told.town.token(who, role);
        let answer = told.town.get_with(path, &token).with(200).json();
        assert_eq!(answer["questions"].as_array().unwrap().len(), count);
    }
    for about in ["quantities", "transfers", "certificates", "volumes"] {
        let answer = told.full(&format!("/v1/questions?about={about}"));
        assert_eq!(answer["questions"], Value::Array(Vec::new()), "{about}");
        assert_eq!(answer["next_after"], Value::Null, "{about}");
    }
}

#[test]
fn questions_open_in_a_spreadsheet_in_the_language_asked_for() {
    let told = Told::new();
    let path = "/v1/questions?about=findings";
    let csv = told.sheet(path, "text/csv");
    assert_eq!(csv.field("content-type"), Some("text/csv; charset=utf-8"));
    assert_eq!(csv.field("cache-control"), Some("no-store"));
    let name = csv.field("content-disposition").unwrap();
    assert!(name.contains("questions.findings.csv"), "{name}");
    let text = csv.text();
    assert!(text.starts_with("\u{feff}问题,账本序号,"), "{text}");
    assert_eq!(text.lines().count(), 2, "{text}");
    assert!(
        text.contains("问题逾期未改") && text.contains("复查"),
        "{text}"
    );
    let xlsx = told.sheet(path, XLSX);
    assert_eq!(xlsx.field("content-type"), Some(XLSX));
    assert!(xlsx.body.starts_with(b"PK"), "a zip archive");
    assert_eq!(told.logged(), 2);
}

/// What came is what went, ended and is held.
fn adds_up(line: &Value) {
    let of = |name: &str| line[name].as_i64().unwrap();
    let sum = |names: &[&str]| names.iter().map(|name| of(name)).sum::<i64>();
    let came = ["held_before", "made", "received", "refused", "gained"];
    let went = [
        "handed_over",
        "outside",
        "transformed",
        "sold",
        "consumed",
        "destroyed",
        "returned",
        "lost",
        "unexplained",
        "withdrawn",
        "on_its_way_within",
        "held",
    ];
    assert_eq!(sum(&came), sum(&went), "{line}");
}

#[test]
fn a_balance_adds_up_for_an_entity_an_area_and_a_period() {
    let told = Told::new();
    let town = &told.town;
    let path = format!("/v1/entities/{}/balance", town.world.id(Who::Buyer));
    let buyer = told.full(&path);
    assert_eq!(told.logged(), 1);
    let line = &buyer["products"][0];
    assert_eq!(line["received"], 150_000);
    assert_eq!(line["sold"], 20_500);
    assert_eq!(line["held"], 129_500);
    adds_up(line);
    // Its own token is shown the same; without a record of that day nothing is.
    let own = town.token(Who::Buyer, Role::Buyer);
    let again = town.get_with(&path, &own).with(200).json();
    assert_eq!(again["products"], buyer["products"]);
    let today = town.world.today();
    let since = told.full(&format!("{path}?first_day={today}"));
    assert_eq!(since["products"][0]["held_before"], 129_500);
    assert_eq!(since["products"][0]["sold"], 0);
    adds_up(&since["products"][0]);

    let area = town.world.entity(Who::Producer).area;
    let county = told.full(&format!("/v1/areas/{area}/balance"));
    let line = &county["products"][0];
    assert_eq!(line["made"], 500_000);
    assert_eq!(line["certified"], 500_000);
    adds_up(line);
    let text = county.to_string();
    for who in [Who::Producer, Who::Buyer] {
        assert!(!text.contains(&town.world.id(who).to_string()), "{text}");
    }
    // Page by page, and past the end nothing.
    let path = format!("/v1/areas/{area}/balance");
    let rest = told.full(&format!("{path}?limit=1&after=piece/%E9%BE%99"));
    assert_eq!(rest["products"], Value::Array(Vec::new()));
    let refused = town.get_with(&format!("{path}?after=x"), &told.inspector);
    refused.refused(400, "range_wrong");

    let csv = told.sheet(&path, "text/csv").text();
    assert!(csv.starts_with("\u{feff}产品,计量,期初在手,产出,"), "{csv}");
    assert_eq!(csv.lines().count(), 2, "{csv}");
    assert!(told.sheet(&path, XLSX).body.starts_with(b"PK"));
}

#[test]
fn a_grade_is_counted_again_by_anybody_from_its_inputs_and_the_formula() {
    let told = Told::new();
    let producer = told.town.world.id(Who::Producer);
    let path = format!("/v1/entities/{producer}/grade");
    let grade = told.full(&path);
    assert_eq!(told.logged(), 1);
    let formula = told.town.get("/v1/grading").with(200).json();
    assert_eq!(formula["version"], grade["version"]);
    let (mut risk, mut credit) = (0, 100);
    let lines = grade["lines"].as_array().unwrap();
    for (line, term) in lines.iter().zip(formula["terms"].as_array().unwrap()) {
        assert_eq!(line["input"], term["input"]);
        let count = line["count"].as_u64().unwrap();
        let count = count.min(term["count_max"].as_u64().unwrap());
        risk += count * term["risk_each"].as_u64().unwrap();
        credit -= count * term["credit_each"].as_u64().unwrap();
    }
    assert_eq!(grade["risk_points"], risk);
    assert_eq!(grade["credit_points"], credit);
    // One finding is overdue, one is to be put right.
    assert_eq!((risk, credit), (12, 90));
    assert_eq!(
        (&grade["risk"], &grade["credit"]),
        (&"B".into(), &"A".into())
    );
    let before = told.full(&format!("{path}?on=2026-05-01&version=1"));
    assert_eq!(before["risk_points"], 0);
    let refused = told
        .town
        .get_with(&format!("{path}?version=9"), &told.inspector);
    refused.refused(400, "range_wrong");
    let own = told.town.token(Who::Producer, Role::Producer);
    assert_eq!(
        told.town.get_with(&path, &own).with(200).json()["risk"],
        "B"
    );
    told.town.get(&path).refused(401, "token_wrong");
}

#[test]
fn a_recall_sheet_is_one_for_a_spreadsheet_too() {
    let told = Told::new();
    let path = format!("/v1/codes/{}/recall", told.unit.unit);
    let xlsx = told.sheet(&path, XLSX);
    let name = xlsx.field("content-disposition").unwrap();
    assert!(name.contains(".recall.xlsx"), "{name}");
    assert!(xlsx.body.starts_with(b"PK"), "a zip archive");
}
