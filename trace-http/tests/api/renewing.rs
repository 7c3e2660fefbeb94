//! What is said again or taken out of use, as people meet it over HTTP: goods
//! sent back, a tolerance adopted anew, a probe calibrated again and retired, a
//! key revoked, a failed report answered by another laboratory report.

use serde_json::Value;
use trace_core::{
    ident::{EquipmentId, TraceCode},
    record::{
        Hash, Role,
        kinds::received::{Outcome, ReceivedTrade},
        quantity::Quantity,
        wire::Day,
    },
};
use trace_fixtures::{Who, official::residue};

use crate::{
    agreeing::{reason, send, send_with, shown},
    cold::store,
    town::Town,
};

fn quantity(text: &str) -> Option<Quantity> {
    Some(Quantity::parse(text).unwrap())
}

fn balance(town: &Town, code: TraceCode, token: &str) -> Value {
    let path = format!("/v1/codes/{code}/balance");
    let answer = town.get_with(&path, token).with(200).json();
    answer["balance"].clone()
}

#[test]
fn goods_that_the_receiver_refuses_are_the_givers_again() {
    let mut town = Town::new();
    let inspector = town.token(Who::Inspector, Role::Inspector);
    let (unit, _) = town.batch();
    let given = town.world.handed_over(unit.unit, Who::Buyer, "300 斤");
    let given = town.say(Who::Producer, given);
    let refusing = |text: &str| ReceivedTrade {
        accepted: None,
        missing: None,
        refused: quantity(text),
        excess: None,
    };
    let (trade, more) = (refusing("300 斤"), refusing("301 斤"));
    let as_refused = Outcome::Refused;
    let refused = town
        .world
        .received_as(unit.unit, given.hash(), as_refused, &trade);
    let other = town
        .world
        .received_as(unit.unit, given.hash(), as_refused, &more);
    // Only the named receiver sends them back, and all that came.
    let (body, openings) = refused.clone();
    send_with(&mut town, Who::ColdStore, body, openings).refused(422, "receiver_other");
    let answer = send_with(&mut town, Who::Buyer, other.0, other.1);
    assert_eq!(answer.status, 422, "{}", answer.text());
    assert_eq!(balance(&town, unit.unit, &inspector)["in_transit"], 150_000);
    let (body, openings) = refused.clone();
    send_with(&mut town, Who::Buyer, body, openings).with(201);
    let now = balance(&town, unit.unit, &inspector);
    assert_eq!(
        (&now["in_transit"], &now["held"]),
        (&0.into(), &500_000.into())
    );
    assert_eq!(now["adds_up"], true);
    let (body, openings) = refused;
    let again = send_with(&mut town, Who::Buyer, body, openings);
    again.refused(422, "transfer_received_already");
}

#[test]
fn a_tolerance_adopted_again_decides_what_is_received_from_then_on() {
    let mut town = Town::new();
    let inspector = town.token(Who::Inspector, Role::Inspector);
    let (unit, _) = town.batch();
    let mut adopted = town.world.tolerance_adopted(&unit);
    town.say_bare(Who::Root, adopted.clone());
    // Of 100 斤 ten are missing: first 1 % is tolerated, then 10 %.
    let short = |town: &mut Town| {
        let given = town.world.handed_over(unit.unit, Who::Buyer, "100 斤");
        let given = town.say(Who::Producer, given);
        let trade = ReceivedTrade {
            accepted: quantity("90 斤"),
            missing: quantity("10 斤"),
            refused: None,
            excess: None,
        };
        let world = &mut town.world;
        let received = world.received_as(unit.unit, given.hash(), Outcome::Short, &trade);
        town.say(Who::Buyer, received);
        let now = balance(town, unit.unit, &inspector);
        let amount = |name: &str| now[name].as_u64().unwrap();
        (amount("lost"), amount("unexplained"))
    };
    let first = short(&mut town);
    assert_eq!(first.0 + first.1, 5_000);
    assert!(first.1 > 0, "{first:?}");
    adopted.tolerance.shrinkage_per_mille = 100;
    send(&mut town, Who::CountyAuthority, adopted.clone()).refused(403, "right_missing");
    town.say_bare(Who::Root, adopted);
    let second = short(&mut town);
    assert_eq!(
        second,
        (first.0 + 5_000, first.1),
        "the first stays a question"
    );
}

#[test]
fn a_probe_is_calibrated_again_and_retired_once_by_its_owner() {
    let mut town = Town::new();
    let store = store(&mut town);
    let probe = EquipmentId::parse(&store.probe).unwrap();
    let path = format!("/v1/entities/{}/equipment", town.world.id(Who::ColdStore));
    let line = |town: &Town| -> Value {
        let all = town.get(&path).with(200).json();
        let mut all = all["equipment"].as_array().unwrap().iter();
        let own = |line: &&Value| line["equipment"] == store.probe.as_str();
        all.find(own).unwrap().clone()
    };
    let before = line(&town);
    let calibrated = town.world.calibrated(probe);
    send(&mut town, Who::Producer, calibrated.clone()).refused(403, "right_missing");
    let zone = EquipmentId::parse(&store.zone).unwrap();
    let of_zone = town.world.calibrated(zone);
    send(&mut town, Who::ColdStore, of_zone).refused(422, "equipment_unfit");
    let mut ahead = calibrated.clone();
    ahead.calibration.on = Day(ahead.calibration.on.0 + 2);
    let refused = send(&mut town, Who::ColdStore, ahead);
    assert_eq!(refused.status, 422, "{}", refused.text());
    assert_eq!(line(&town), before);
    send(&mut town, Who::ColdStore, calibrated).with(201);
    assert_ne!(line(&town), before);

    let retired = town.world.retired(probe);
    send(&mut town, Who::Producer, retired.clone()).refused(403, "right_missing");
    send(&mut town, Who::ColdStore, retired.clone()).with(201);
    let refused = send(&mut town, Who::ColdStore, retired);
    refused.refused(422, "equipment_retired");
}

#[test]
fn a_revoked_key_says_nothing_more_and_what_it_said_stands() {
    let mut town = Town::new();
    let (unit, _) = town.batch();
    let key = town.world.key_id(Who::Producer);
    let revoked = town.world.key_revoked(Who::Producer, key);
    send(&mut town, Who::Buyer, revoked.clone()).refused(403, "right_missing");
    let more = town.world.unit();
    send(&mut town, Who::Producer, more).with(201);
    send(&mut town, Who::CountyAuthority, revoked.clone()).with(201);
    let late = town.world.unit();
    let code = late.unit;
    send(&mut town, Who::Producer, late).refused(403, "key_revoked");
    town.get(&format!("/v1/codes/{code}"))
        .refused(404, "not_on_ledger");
    let now = shown(&town, unit.unit);
    assert_eq!(now["status"], "valid");
    assert_eq!(reason(&now, "issuer_key")["holds"], true);
    let again = send(&mut town, Who::CountyAuthority, revoked);
    again.refused(403, "key_revoked");
}

#[test]
fn a_failed_report_is_answered_by_the_laboratory_report_that_names_it() {
    let mut town = Town::new();
    let granted = town.world.role_granted(Who::Cooperative, Role::Laboratory);
    town.say_bare(Who::CountyAuthority, granted);
    let (unit, _) = town.batch();
    let bad = vec![residue("毒死蜱", "0.05", "0.02")];
    let failed = town.world.laboratory_report(&unit, bad);
    let failed = town.say(Who::Cooperative, failed);
    assert_eq!(shown(&town, unit.unit)["status"], "test_failed");
    let good = vec![residue("毒死蜱", "0.01", "0.02")];
    let (mut retest, openings) = town.world.laboratory_report(&unit, good);
    retest.retest_of = Some(Hash::of(&[b"none"]));
    let refused = send_with(
        &mut town,
        Who::Cooperative,
        retest.clone(),
        openings.clone(),
    );
    refused.refused(422, "target_unknown");
    retest.retest_of = Some(failed.hash());
    let refused = send_with(&mut town, Who::Producer, retest.clone(), openings.clone());
    refused.refused(403, "right_missing");
    send_with(&mut town, Who::Cooperative, retest.clone(), openings).with(201);
    let now = shown(&town, unit.unit);
    assert_eq!(now["status"], "valid");
    assert_eq!(reason(&now, "laboratory")["holds"], true);
}
