//! Corrections as people meet them over HTTP: signed by their own devices, sent
//! to `/v1/records`, seen at once by whoever looks the codes up.

use serde_json::{Value, json};
use trace_core::{
    ident::TraceCode,
    record::{
        Body, Hash, Role,
        kinds::sampling_failed::SamplingFailed,
        movement::{Process, RecallOutcome},
        section::Openings,
    },
};
use trace_fixtures::{Who, official::residue};

use crate::town::{Answer, Town};

/// What is sent to `/v1/records` by one who signed it, alone.
pub fn send(town: &mut Town, who: Who, said: impl Into<Body>) -> Answer {
    send_with(town, who, said, Openings::default())
}

pub fn send_with(town: &mut Town, who: Who, said: impl Into<Body>, openings: Openings) -> Answer {
    let submission = town.world.sign(who, said, openings);
    town.tick();
    let answer = town.post_records("/v1/records", std::slice::from_ref(&submission));
    if answer.status != 201 {
        // The device signs its next record as if this one had never been.
        let statement = submission.signed.statement();
        town.world
            .chain(who)
            .resume(statement.sequence, statement.link);
    }
    answer
}

pub fn shown(town: &Town, code: TraceCode) -> Value {
    town.get(&format!("/v1/codes/{code}")).with(200).json()
}

pub fn reason(shown: &Value, check: &str) -> Value {
    let reasons = shown["reasons"].as_array().unwrap();
    let found = reasons.iter().find(|reason| reason["check"] == check);
    found.unwrap_or_else(|| panic!("{check}: {shown}")).clone()
}

#[test]
fn a_certificate_is_replaced_after_receipt_once_the_receiver_agreed() {
    let mut town = Town::new();
    let (unit, certified) = town.batch();
    let mut given = town.world.handed_over(unit.unit, Who::Buyer, "400 斤");
    let shown_before = shown(&town, unit.unit);
    let number = shown_before["records"][1]["statement"]["number"].clone();
    given.0.certificate = Some(number.as_str().unwrap().to_owned());
    let given = town.say(Who::Producer, given);
    let received = town.world.received(unit.unit, &given, "400 斤");
    town.say(Who::Buyer, received);

    let superseded = town.world.superseded(&certified.signed, unit.unit);
    let (mut body, openings) = town.world.certificate(&unit);
    body.0.number = superseded.replacement_number.clone();
    body.0.quantity = "800 斤".parse().unwrap();
    let agreed = town
        .world
        .correction_agreed(&superseded, &body.clone().into());
    let refused = send(&mut town, Who::Producer, superseded.clone());
    let document = refused.refused(422, "agreement_missing");
    let said = document["detail"].as_str().unwrap();
    assert!(said.starts_with("1 received under"), "{said}");
    // Who received nothing agrees to nothing.
    let stranger = send(&mut town, Who::ColdStore, agreed.clone());
    stranger.refused(403, "right_missing");
    send(&mut town, Who::Buyer, agreed).with(201);
    send(&mut town, Who::Producer, superseded.clone()).with(201);
    assert_eq!(shown(&town, unit.unit)["status"], "superseded");
    // Another amount than was agreed to is refused, what was agreed to stands.
    let mut other = body.clone();
    other.0.quantity = "801 斤".parse().unwrap();
    let refused = send_with(&mut town, Who::Producer, other, openings.clone());
    refused.refused(422, "correction_differs");
    send_with(&mut town, Who::Producer, body, openings).with(201);
    let now = shown(&town, unit.unit);
    assert_eq!(now["status"], "valid");
    let told = reason(&now, "correction");
    for words in ["1000 斤", "800 斤"] {
        assert!(told["words"].as_str().unwrap().contains(words), "{told}");
    }
    assert!(
        told["words_zh"].as_str().unwrap().contains("更正"),
        "{told}"
    );
}

#[test]
fn a_voided_unit_marks_what_was_made_of_it_for_everybody_who_looks() {
    let mut town = Town::new();
    let unit = town.world.unit();
    let made = town.say_bare(Who::Producer, unit.clone());
    let output = town.world.output(&unit);
    let child = output.unit;
    let (inputs, outputs) = ([(unit.unit, "500 斤")], vec![(output, "500 斤")]);
    let split = town
        .world
        .transformed(Process::Repack, &inputs, outputs, None);
    town.say(Who::Producer, split);
    assert_eq!(shown(&town, child)["status"], "valid");
    // The record that voids one nothing was made of says nothing of others.
    let voided = town.world.voided(&made);
    let refused = send(&mut town, Who::Producer, voided);
    assert_eq!(refused.status, 422, "{}", refused.text());
    let voided = town.world.unit_voided(&made);
    send(&mut town, Who::Buyer, voided.clone()).refused(403, "right_missing");
    send(&mut town, Who::Producer, voided).with(201);
    assert_eq!(shown(&town, unit.unit)["status"], "voided");
    assert_eq!(shown(&town, child)["status"], "source_voided");
}

#[test]
fn a_voided_certificate_marks_what_was_made_of_its_unit_for_everybody_who_looks() {
    let mut town = Town::new();
    let (unit, certified) = town.batch();
    let output = town.world.output(&unit);
    let child = output.unit;
    let (inputs, outputs) = ([(unit.unit, "100 斤")], vec![(output, "100 斤")]);
    let split = town
        .world
        .transformed(Process::Repack, &inputs, outputs, None);
    town.say(Who::Producer, split);
    assert_eq!(shown(&town, child)["status"], "valid");
    // The record that voids one under which nothing was made.
    let plain = town.world.voided(&certified.signed);
    let document = send(&mut town, Who::Producer, plain).refused(422, "descendants_unmarked");
    let said = document["detail"].as_str().unwrap();
    assert!(said.contains(&child.to_string()), "{said}");
    assert!(said.contains("certificate_voided"), "{said}");
    let voided = town.world.certificate_voided(&certified.signed);
    let mut other = voided.clone();
    other.target = Hash::of(&[b"none"]);
    send(&mut town, Who::Producer, other).refused(422, "target_unknown");
    send(&mut town, Who::Buyer, voided.clone()).refused(403, "right_missing");
    send(&mut town, Who::Producer, voided.clone()).with(201);
    send(&mut town, Who::Producer, voided).refused(409, "target_not_standing");
    assert_eq!(shown(&town, unit.unit)["status"], "voided");
    let now = shown(&town, child);
    assert_eq!(now["status"], "source_voided");
    assert_eq!(reason(&now, "source_certificate")["holds"], false);
}

#[test]
fn an_order_to_void_a_certificate_marks_where_something_was_made() {
    let mut town = Town::new();
    let (unit, certified) = town.batch();
    let number = town.world.certificate_voided(&certified.signed).number;
    let output = town.world.output(&unit);
    let child = output.unit;
    let (inputs, outputs) = ([(unit.unit, "100 斤")], vec![(output, "100 斤")]);
    let split = town
        .world
        .transformed(Process::Repack, &inputs, outputs, None);
    town.say(Who::Producer, split);
    let token = town.token(Who::Producer, Role::Producer);
    let order = json!({"number": number, "reason": "检测报告系伪造"});
    let answer = town.order("/v1/void", &token, "void", &order).with(201);
    assert_eq!(answer.json()["certificate_number"], number);
    town.order("/v1/void", &token, "again", &order)
        .refused(409, "target_not_standing");
    assert_eq!(shown(&town, unit.unit)["status"], "voided");
    assert_eq!(shown(&town, child)["status"], "source_voided");
}

#[test]
fn a_failed_sample_holds_where_the_county_adopted_that() {
    let mut town = Town::new();
    let (unit, _) = town.batch();
    let bad = || vec![residue("腐霉利", "0.21", "0.2")];
    let failed = SamplingFailed(town.world.sampling_result(&unit, bad()));
    send(&mut town, Who::Inspector, failed.clone()).refused(403, "right_missing");
    let adopted = town.world.sampling_policy_adopted(true);
    send(&mut town, Who::Producer, adopted.clone()).refused(403, "right_missing");
    send(&mut town, Who::CountyAuthority, adopted).with(201);
    let plain = town.world.sampling_result(&unit, bad());
    send(&mut town, Who::Inspector, plain).refused(422, "hold_demanded");
    send(&mut town, Who::Inspector, failed).with(201);
    let now = shown(&town, unit.unit);
    assert_eq!(now["status"], "on_hold");
    assert_eq!(reason(&now, "hold")["holds"], false);
}

#[test]
fn a_hold_is_released_once_by_who_may() {
    let mut town = Town::new();
    let (unit, _) = town.batch();
    let held = town.world.held(unit.unit);
    let held = town.say_bare(Who::CountyAuthority, held);
    assert_eq!(shown(&town, unit.unit)["status"], "on_hold");
    let released = town.world.released(unit.unit, held.hash());
    send(&mut town, Who::Producer, released.clone()).refused(403, "right_missing");
    let mut other = released.clone();
    other.target = Hash::of(&[b"none"]);
    send(&mut town, Who::CountyAuthority, other).refused(422, "target_unknown");
    assert_eq!(shown(&town, unit.unit)["status"], "on_hold");
    send(&mut town, Who::CountyAuthority, released.clone()).with(201);
    assert_eq!(shown(&town, unit.unit)["status"], "valid");
    send(&mut town, Who::CountyAuthority, released).refused(422, "mark_ended");
}

#[test]
fn a_recall_without_ground_is_withdrawn_and_one_carried_out_stays() {
    for (outcome, after) in [
        (RecallOutcome::Withdrawn, "valid"),
        (RecallOutcome::Completed, "recalled"),
    ] {
        let mut town = Town::new();
        let (unit, _) = town.batch();
        let recalled = town.world.recalled(unit.unit);
        let recalled = town.say_bare(Who::CountyAuthority, recalled);
        assert_eq!(shown(&town, unit.unit)["status"], "recalled");
        let closed = town
            .world
            .recall_closed(unit.unit, recalled.hash(), outcome);
        send(&mut town, Who::Buyer, closed.clone()).refused(403, "right_missing");
        send(&mut town, Who::CountyAuthority, closed.clone()).with(201);
        assert_eq!(shown(&town, unit.unit)["status"], after);
        send(&mut town, Who::CountyAuthority, closed).refused(422, "mark_ended");
    }
}

#[test]
fn a_failure_is_taken_back_by_its_own_retest_alone() {
    let mut town = Town::new();
    let (unit, _) = town.batch();
    let bad = vec![residue("腐霉利", "0.21", "0.2")];
    let failed = town.world.sampling_result(&unit, bad);
    let failed = town.say_bare(Who::Inspector, failed);
    assert_eq!(shown(&town, unit.unit)["status"], "test_failed");
    // Each step of a lineage says how it was tested.
    let tests = |town: &Town| {
        let path = format!("/v1/codes/{}/trace", unit.unit);
        town.get(&path).with(200).json()["units"][0]["tests"].clone()
    };
    let index = town.office.view().size() - 1;
    assert_eq!(
        tests(&town),
        json!({"passed": 0, "failed": 1, "standing_failures": [index]})
    );
    let good = vec![residue("腐霉利", "0.2", "0.2")];
    let passed = town.world.sampling_result(&unit, good);
    send(&mut town, Who::Inspector, passed.clone()).with(201);
    assert_eq!(shown(&town, unit.unit)["status"], "test_failed");
    let mut retest = passed;
    retest.retest_of = Some(failed.hash());
    send(&mut town, Who::Producer, retest.clone()).refused(403, "right_missing");
    send(&mut town, Who::Inspector, retest.clone()).with(201);
    assert_eq!(shown(&town, unit.unit)["status"], "valid");
    assert_eq!(
        tests(&town),
        json!({"passed": 2, "failed": 1, "standing_failures": []})
    );
    send(&mut town, Who::Inspector, retest).refused(422, "target_unknown");
}

#[test]
fn a_finding_is_put_right_once_by_an_inspector() {
    let mut town = Town::new();
    let inspected = town.world.inspection(Who::Producer, &[0, 1]);
    let inspection = town.say(Who::Inspector, inspected);
    let right = town
        .world
        .finding_rectified(Who::Producer, inspection.hash(), 1);
    send(&mut town, Who::Producer, right.clone()).refused(403, "right_missing");
    let absent = town
        .world
        .finding_rectified(Who::Producer, inspection.hash(), 2);
    send(&mut town, Who::Inspector, absent).refused(422, "target_unknown");
    send(&mut town, Who::Inspector, right.clone()).with(201);
    let path = format!("/v1/entities/{}/findings", town.world.id(Who::Producer));
    let now = town.get(&path).with(200).json();
    assert_eq!(now["count"]["closed"], 1, "{now}");
    send(&mut town, Who::Inspector, right).refused(409, "target_not_standing");
}

#[test]
fn a_role_is_withdrawn_and_granted_again_and_the_right_goes_and_comes_with_it() {
    let mut town = Town::new();
    let withdrawn = town.world.role_withdrawn(Who::Producer, Role::Producer);
    send(&mut town, Who::Producer, withdrawn.clone()).refused(403, "right_missing");
    send(&mut town, Who::CountyAuthority, withdrawn.clone()).with(201);
    send(&mut town, Who::CountyAuthority, withdrawn).refused(409, "role_not_held");
    let unit = town.world.unit();
    send(&mut town, Who::Producer, unit.clone()).refused(403, "right_missing");
    let granted = town.world.role_granted(Who::Producer, Role::Producer);
    send(&mut town, Who::CountyAuthority, granted).with(201);
    send(&mut town, Who::Producer, unit.clone()).with(201);
    assert_eq!(shown(&town, unit.unit)["status"], "valid");
}
