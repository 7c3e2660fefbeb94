//! Goods that pass through another county: its inspector sees in full what is or
//! was there, every look-up logged, and a third county's sees what everybody sees.

use trace_core::{
    ident::{Area, TraceCode},
    record::{
        Role, Signed,
        kinds::received::{Outcome, ReceivedTrade},
        movement::Process,
        quantity::Quantity,
    },
};
use trace_fixtures::Who;

use crate::town::Town;

/// Who runs the other county's market here.
const MARKET: Who = Who::OtherCountyAuthority;

struct Counties {
    town: Town,
    /// An inspector of the market's county.
    there: String,
    /// An inspector of a county through which nothing goes.
    elsewhere: String,
}

impl Counties {
    fn new() -> Self {
        let mut town = Town::new();
        let granted = town.world.role_granted(MARKET, Role::Buyer);
        town.say_bare(Who::CityAuthority, granted);
        let own = town.world.entity(Who::Producer).area;
        let there = town.world.entity(MARKET).area;
        let mut counties = Area::LANGFANG_COUNTIES.into_iter();
        let third = counties.find(|area| *area != own && *area != there);
        town.tick();
        let token = |area| town.token_of(None, Role::Inspector, Some(area));
        let (there, elsewhere) = (token(there), token(third.unwrap()));
        Self {
            town,
            there,
            elsewhere,
        }
    }

    fn give(&mut self, from: Who, unit: TraceCode, to: Who, quantity: &str) -> Signed {
        let given = self.town.world.handed_over(unit, to, quantity);
        self.town.say(from, given)
    }

    fn take(&mut self, who: Who, unit: TraceCode, given: &Signed, quantity: &str) {
        let received = self.town.world.received(unit, given, quantity);
        self.town.say(who, received);
    }

    fn logged(&self) -> u64 {
        self.town.office.lookups.head().count
    }

    /// Everything about a unit is shown in full, and each time that is logged.
    #[track_caller]
    fn is_seen(&self, token: &str, unit: TraceCode) {
        for (part, shown) in [("", "trade"), ("/trace", "balance"), ("/balance", "held")] {
            let before = self.logged();
            let path = format!("/v1/codes/{unit}{part}");
            let answer = self.town.get_with(&path, token).with(200);
            assert_eq!(answer.field("trace-audience"), Some("full"), "{path}");
            assert!(answer.text().contains(shown), "{path}: {}", answer.text());
            assert_eq!(self.logged(), before + 1, "{path}");
        }
        let before = self.logged();
        let path = format!("/v1/codes/{unit}/recall");
        self.town.get_with(&path, token).with(200);
        assert_eq!(self.logged(), before + 1);
    }

    /// It is shown as to everybody, what is trade is refused, nothing is logged.
    #[track_caller]
    fn is_hidden(&self, token: &str, unit: TraceCode) {
        let before = self.logged();
        for part in ["", "/trace"] {
            let path = format!("/v1/codes/{unit}{part}");
            let answer = self.town.get_with(&path, token).with(200);
            assert_eq!(answer.field("trace-audience"), Some("public"), "{path}");
        }
        for part in ["/balance", "/recall"] {
            let path = format!("/v1/codes/{unit}{part}");
            let answer = self.town.get_with(&path, token);
            answer.refused(403, "right_missing");
        }
        assert_eq!(self.logged(), before);
    }
}

#[test]
fn an_inspector_sees_in_full_what_is_on_its_way_to_is_in_or_was_in_his_county() {
    let mut counties = Counties::new();
    let (unit, _) = counties.town.batch();
    let code = unit.unit;
    counties.is_hidden(&counties.there, code);
    let given = counties.give(Who::Producer, code, MARKET, "300 斤");
    counties.is_seen(&counties.there, code);
    counties.take(MARKET, code, &given, "300 斤");
    counties.is_seen(&counties.there, code);
    counties.is_hidden(&counties.elsewhere, code);
    // All of it goes on; that it was there stays.
    let given = counties.give(MARKET, code, Who::Buyer, "300 斤");
    counties.take(Who::Buyer, code, &given, "300 斤");
    counties.is_seen(&counties.there, code);
    counties.is_hidden(&counties.elsewhere, code);
    // Who trades there sees no more than before.
    let buyer = counties.town.token(MARKET, Role::Buyer);
    counties.is_hidden(&buyer, code);
}

#[test]
fn what_was_made_at_home_of_goods_that_were_elsewhere_stays_hidden_there() {
    let mut counties = Counties::new();
    let (unit, _) = counties.town.batch();
    let output = counties.town.world.output(&unit);
    let child = output.unit;
    let (inputs, outputs) = ([(unit.unit, "500 斤")], vec![(output, "500 斤")]);
    let world = &mut counties.town.world;
    let repacked = world.transformed(Process::Repack, &inputs, outputs, None);
    counties.town.say(Who::Producer, repacked);
    let given = counties.give(Who::Producer, unit.unit, MARKET, "300 斤");
    counties.take(MARKET, unit.unit, &given, "300 斤");
    counties.is_hidden(&counties.there, child);
    let path = format!("/v1/codes/{}/trace", unit.unit);
    let graph = counties.town.get_with(&path, &counties.there);
    let graph = graph.with(200).json();
    let balances = graph["units"].as_array().unwrap().iter();
    let balances: Vec<_> = balances.map(|unit| unit.get("balance").is_some()).collect();
    assert_eq!(balances, [true, false]);
    // The step begins with what was there.
    assert_eq!(graph["edges"][0]["used"]["amount"], 250_000);
}

#[test]
fn goods_that_a_market_turned_away_are_seen_in_its_county() {
    let mut counties = Counties::new();
    let (unit, _) = counties.town.batch();
    let given = counties.give(Who::Producer, unit.unit, MARKET, "300 斤");
    let trade = ReceivedTrade {
        accepted: None,
        missing: None,
        refused: Some(Quantity::parse("300 斤").unwrap()),
        excess: None,
    };
    let world = &mut counties.town.world;
    let refused = world.received_as(unit.unit, given.hash(), Outcome::Refused, &trade);
    counties.town.say(MARKET, refused);
    counties.is_seen(&counties.there, unit.unit);
    counties.is_hidden(&counties.elsewhere, unit.unit);
}
