//! Lineage over HTTP: the graph, balances, the recall sheet and open questions,
//! each as the public and as an inspector is shown them.

use serde_json::Value;
use trace_core::{
    ident::TraceCode,
    record::{
        Role,
        kinds::{
            received::{Outcome, ReceivedTrade},
            unit_created::UnitCreated,
        },
        movement::{Manner, Process},
        quantity::Quantity,
    },
};
use trace_fixtures::Who;

use crate::town::{Town, bearer};

/// 1,000 斤 split in two; one half goes to a buyer, who sells some of it, and
/// some of it is on its way to a co-operative.
struct Split {
    town: Town,
    unit: UnitCreated,
    halves: [TraceCode; 2],
    inspector: String,
}

impl Split {
    fn new() -> Self {
        let mut town = Town::new();
        let (unit, _) = town.batch();
        let outputs = [town.world.output(&unit), town.world.output(&unit)];
        let halves = [outputs[0].unit, outputs[1].unit];
        let outputs = outputs.map(|output| (output, "499 斤")).into();
        let inputs = [(unit.unit, "1000 斤")];
        let split = town
            .world
            .transformed(Process::Split, &inputs, outputs, Some("2 斤"));
        town.say(Who::Producer, split);
        let given = town.world.handed_over(halves[0], Who::Buyer, "300 斤");
        let given = town.say(Who::Producer, given);
        let received = town.world.received(halves[0], &given, "300 斤");
        town.say(Who::Buyer, received);
        let sold = town.world.disposed(halves[0], Manner::Sold, "41 斤");
        town.say(Who::Buyer, sold);
        let sent = town.world.handed_over(halves[0], Who::Cooperative, "17 斤");
        town.say(Who::Buyer, sent);
        let inspector = town.token(Who::Inspector, Role::Inspector);
        Self {
            town,
            unit,
            halves,
            inspector,
        }
    }

    fn full(&self, path: &str) -> Value {
        self.town.get_with(path, &self.inspector).with(200).json()
    }

    fn logged(&self) -> u64 {
        self.town.office.lookups.head().count
    }
}

#[test]
fn the_public_sees_what_became_of_what_and_no_quantity_and_no_party() {
    let split = Split::new();
    let code = split.unit.unit;
    let path = format!("/v1/codes/{code}/trace");
    let answer = split.town.get(&path).with(200);
    assert_eq!(answer.field("trace-audience"), Some("public"));
    let graph = answer.json();
    let units = graph["units"].as_array().unwrap();
    assert_eq!(units.len(), 3);
    assert_eq!(units[0]["code"], code.to_string());
    assert_eq!(units[0]["certificates"].as_array().unwrap().len(), 1);
    assert!(units.iter().all(|unit| unit["status"] == "valid"));
    let edges = graph["edges"].as_array().unwrap();
    assert_eq!(edges.len(), 2);
    for edge in edges {
        assert_eq!(edge["act"], "transformed");
        assert_eq!(edge["process"], "split");
        assert_eq!(edge["from"], code.to_string());
    }
    let text = answer.text();
    for secret in ["balance", "holders", "used", "made\"", "249500", "amount"] {
        assert!(!text.contains(secret), "{secret}: {text}");
    }
    for who in [Who::Producer, Who::Buyer, Who::Cooperative] {
        assert!(!text.contains(&split.town.world.id(who).to_string()));
    }
    let path = format!("/v1/codes/{}/trace?direction=back", split.halves[1]);
    let back = split.town.get(&path).with(200).json();
    assert_eq!(back["units"][1]["code"], code.to_string());
    assert_eq!(split.logged(), 0);
}

#[test]
fn an_inspector_of_the_area_sees_quantities_and_holders_and_is_logged() {
    let split = Split::new();
    let path = format!("/v1/codes/{}/trace?purpose=check", split.unit.unit);
    let graph = split.full(&path);
    assert_eq!(split.logged(), 1);
    let unit = |code: TraceCode| {
        let mut units = graph["units"].as_array().unwrap().iter();
        units.find(|unit| unit["code"] == code.to_string()).unwrap()
    };
    let half = unit(split.halves[0]);
    assert_eq!(half["balance"]["sold"], 20_500);
    assert_eq!(half["balance"]["in_transit"], 8_500);
    assert_eq!(half["balance"]["adds_up"], true);
    assert_eq!(half["holders"].as_array().unwrap().len(), 2);
    let edge = &graph["edges"][0];
    assert_eq!(edge["used"]["amount"], 500_000);
    assert_eq!(edge["made"]["amount"], 249_500);
    // Another county's authority is shown what the public is.
    let elsewhere = split.town.token(Who::OtherCountyAuthority, Role::Authority);
    let answer = split.town.get_with(&path, &elsewhere).with(200);
    assert_eq!(answer.field("trace-audience"), Some("public"));
    assert!(!answer.text().contains("balance"));
    assert_eq!(split.logged(), 1);

    let balance = split.full(&format!("/v1/codes/{}/balance", split.halves[0]));
    assert_eq!(balance["balance"]["made"], 249_500);
    assert_eq!(balance["balance"]["held"], 249_500 - 20_500 - 8_500);
    assert_eq!(balance["holders"].as_array().unwrap().len(), 2);
    assert_eq!(split.logged(), 2);
}

#[test]
fn a_graph_that_ends_at_its_limit_says_where_it_goes_on() {
    let split = Split::new();
    let code = split.unit.unit.to_string();
    let (mut met, mut after) = (Vec::new(), Some(String::new()));
    let mut asked = 0;
    while let Some(cursor) = after {
        asked += 1;
        assert!(asked < 10, "{met:?}");
        let path = format!("/v1/codes/{code}/trace?limit=2{cursor}");
        let graph = split.town.get(&path).with(200).json();
        for unit in graph["units"].as_array().unwrap() {
            met.push(unit["code"].as_str().unwrap().to_owned());
        }
        let open = graph["open"].as_array().unwrap();
        let own = open.iter().find(|open| open["code"] == code);
        after = own.map(|own| format!("&after={}", own["after"].as_str().unwrap()));
    }
    let mut wanted: Vec<_> = split.halves.iter().map(TraceCode::to_string).collect();
    wanted.push(code.clone());
    met.sort_unstable();
    wanted.sort_unstable();
    assert_eq!(met, wanted);
    let shallow = split.town.get(&format!("/v1/codes/{code}/trace?depth=0"));
    let shallow = shallow.with(200).json();
    assert_eq!(shallow["units"].as_array().unwrap().len(), 1);
    assert_eq!(shallow["open"][0]["code"], code);
    let path = format!("/v1/codes/{code}/trace");
    for (query, refusal) in [
        ("after=x", "range_wrong"),
        ("after=1-UUUU", "trace_code_malformed"),
        ("direction=up", "query_unexpected"),
        ("limit=-1", "query_unexpected"),
    ] {
        let answer = split.town.get(&format!("{path}?{query}"));
        answer.refused(400, refusal);
    }
}

#[test]
fn the_recall_sheet_says_where_everything_is_and_opens_in_a_spreadsheet() {
    let split = Split::new();
    let path = format!("/v1/codes/{}/recall", split.unit.unit);
    let sheet = split.full(&path);
    assert_eq!(split.logged(), 1);
    let rows = sheet["rows"].as_array().unwrap();
    let places: Vec<_> = rows
        .iter()
        .map(|row| {
            (
                row["whereabouts"].as_str().unwrap(),
                row["amount"].as_u64().unwrap(),
            )
        })
        .collect();
    let mut wanted = vec![
        ("held", 249_500),
        ("held", 99_500),
        ("held", 150_000 - 20_500 - 8_500),
        ("in_transit", 8_500),
        ("sold", 20_500),
    ];
    wanted.sort_by_key(|(_, amount)| std::cmp::Reverse(*amount));
    assert_eq!(places, wanted, "the largest first");
    assert_eq!(sheet["totals"]["rows"], 5);
    assert_eq!(sheet["totals"]["holders"], 2);
    assert_eq!(sheet["totals"]["amounts"]["gram"]["sold"], 20_500);
    assert!(rows[0]["entity"]["name"].is_string());

    let lines = format!("accept: text/csv\r\n{}", bearer(&split.inspector));
    let csv = split.town.ask("GET", &path, &lines, b"").with(200);
    assert_eq!(csv.field("content-type"), Some("text/csv; charset=utf-8"));
    assert_eq!(csv.field("cache-control"), Some("no-store"));
    let text = csv.text();
    let text = text.strip_prefix('\u{feff}').unwrap();
    assert_eq!(text.lines().count(), 6);
    assert!(text.starts_with("step,trace code,product,"), "{text}");
    split.town.get(&path).refused(401, "token_wrong");
    let producer = split.town.token(Who::Producer, Role::Producer);
    let refused = split.town.get_with(&path, &producer);
    refused.refused(403, "right_missing");
}

#[test]
fn what_is_missing_or_overdue_is_a_question_to_inspectors_and_both_sides() {
    let mut split = Split::new();
    let town = &mut split.town;
    let adopted = town.world.tolerance_adopted(&split.unit);
    town.say_bare(Who::Root, adopted);
    let given = town
        .world
        .handed_over(split.halves[1], Who::Buyer, "200 斤");
    let given = town.say(Who::Producer, given);
    let trade = ReceivedTrade {
        accepted: Some(Quantity::parse("100 斤").unwrap()),
        missing: Some(Quantity::parse("100 斤").unwrap()),
        refused: None,
        excess: None,
    };
    let short = town
        .world
        .received_as(split.halves[1], given.hash(), Outcome::Short, &trade);
    town.say(Who::Buyer, short);
    let questions = split.full("/v1/questions");
    let missing = &questions["questions"][0];
    assert_eq!(missing["unit"], split.halves[1].to_string());
    assert!(missing["missing"].as_u64().unwrap() > 40_000, "{missing}");
    assert_eq!(split.logged(), 1);

    let overdue = split.full("/v1/questions?about=transfers");
    assert_eq!(overdue["questions"].as_array().unwrap().len(), 0);
    let now_ms = split.town.world.now_ms + 4 * 86_400_000;
    let of_cooperative = split.town.world.id(Who::Cooperative);
    split.town.set_clock(now_ms);
    let tokens = [
        (split.town.token(Who::Inspector, Role::Inspector), 1),
        (split.town.token(Who::Cooperative, Role::Producer), 1),
        (split.town.token(Who::Buyer, Role::Buyer), 1),
        (split.town.token(Who::Household, Role::Producer), 0),
        (
            split.town.token(Who::OtherCountyAuthority, Role::Authority),
            0,
        ),
    ];
    for (token, count) in tokens {
        let answer = split.town.get_with("/v1/questions?about=transfers", &token);
        let answer = answer.with(200).json();
        let questions = answer["questions"].as_array().unwrap();
        assert_eq!(questions.len(), count, "{answer}");
        for question in questions {
            assert_eq!(question["overdue"], 8_500);
            assert_eq!(question["to"], of_cooperative.to_string());
        }
    }
}

#[test]
fn findings_stand_as_of_the_day_asked_for() {
    let mut town = Town::new();
    let inspected = town.world.inspection(Who::Producer, &[0, 3, 10]);
    let inspection = town.say(Who::Inspector, inspected);
    let rectified = town
        .world
        .finding_rectified(Who::Producer, inspection.hash(), 2);
    town.say_bare(Who::Inspector, rectified);
    let path = format!("/v1/entities/{}/findings", town.world.id(Who::Producer));
    let today = town.get(&path).with(200).json();
    assert_eq!(today["count"]["due"], 1, "{today}");
    assert_eq!(today["count"]["open"], 1);
    assert_eq!(today["count"]["closed"], 1);
    let later = town.world.today().add_days(5).unwrap();
    let later = town.get(&format!("{path}?on={later}&standing=overdue"));
    let later = later.with(200).json();
    assert_eq!(later["findings"].as_array().unwrap().len(), 2);
    let first = format!(
        "{}-{}",
        later["findings"][0]["index"], later["findings"][0]["position"]
    );
    let rest = town.get(&format!("{path}?after={first}")).with(200).json();
    assert_eq!(rest["findings"].as_array().unwrap().len(), 2);
    for query in ["on=yesterday", "after=x", "standing=lost"] {
        assert_eq!(town.get(&format!("{path}?{query}")).status, 400, "{query}");
    }
}

#[test]
fn the_page_says_recall_first_and_what_it_was_made_from() {
    let mut split = Split::new();
    let recalled = split.town.world.recalled(split.unit.unit);
    split.town.say_bare(Who::Producer, recalled);
    let page = split.town.get(&format!("/t/{}", split.halves[0])).with(200);
    let page = page.text();
    let place = |part: &str| page.find(part).unwrap_or_else(|| panic!("{part}\n{page}"));
    assert!(page.contains("data-status=\"recalled\""));
    let first = place("what it was made from was");
    assert!(first < place("class=\"product\"") && first < place("Made from"));
    place(&format!("href=\"/t/{}\"", split.unit.unit.compact()));
    assert!(!page.contains("249.5") && !page.contains("249500"), "trade");

    let declared = split.town.world.unit_declared();
    let code = declared.unit;
    split.town.say_bare(Who::Buyer, declared);
    let chinese = "accept-language: zh-CN\r\n";
    let page = split.town.ask("GET", &format!("/t/{code}"), chinese, b"");
    assert!(page.with(200).text().contains("来源未在本账本证明"));
}
