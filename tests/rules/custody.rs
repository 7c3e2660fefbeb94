//! Custody: who holds goods, who may receive them, in which order, and under
//! which certificate.

use super::scene::{Scene, scenarios};
use super::sets::under_set_1;
use trace_core::error::Rule;
use trace_core::ledger::lineage;
use trace_core::record::kinds::received::{Outcome, ReceivedTrade};
use trace_core::record::kinds::unit_created::UnitCreated;
use trace_core::record::movement::{Manner, Party};
use trace_core::record::{Hash, Quantity, Role, Signed};
use trace_core::rules::movements::Balance;
use trace_fixtures::Who;

/// 1,000 斤 of leeks with their producer.
pub fn unit(scene: &mut Scene) -> UnitCreated {
    let unit = scene.world().unit();
    scene.admit_bare(Who::Producer, unit.clone());
    unit
}

/// So much goes from one to another and arrives whole.
pub fn pass(scene: &mut Scene, unit: &UnitCreated, from: Who, to: Who, text: &str) -> Signed {
    let given = give(scene, unit, from, to, text);
    let (body, openings) = scene.world().received(unit.unit, &given, text);
    scene.record(to, body, openings)
}

pub fn give(scene: &mut Scene, unit: &UnitCreated, from: Who, to: Who, text: &str) -> Signed {
    let (body, openings) = scene.world().handed_over(unit.unit, to, text);
    scene.record(from, body, openings)
}

fn balance(scene: &Scene, unit: &UnitCreated) -> Balance {
    let view = scene.stage.view();
    let found = lineage::balance(&view, unit.unit).unwrap().unwrap();
    assert!(found.balance.adds_up(found.made), "{found:?}");
    found.balance
}

fn holder(scene: &mut Scene, unit: &UnitCreated, who: Who) -> u64 {
    let id = scene.world().id(who);
    let view = scene.stage.view();
    let holders = lineage::holders(&view, unit.unit, None, 100).unwrap();
    holders
        .iter()
        .find(|(entity, _)| *entity == id)
        .map_or(0, |(_, amount)| *amount)
}

fn quantity(text: &str) -> Option<Quantity> {
    Some(Quantity::parse(text).unwrap())
}

/// A certificate for all of a unit; its number.
pub fn certified(scene: &mut Scene, unit: &UnitCreated) -> (String, Signed) {
    let (body, openings) = scene.world().certificate(unit);
    let number = body.0.number.clone();
    (number, scene.record(Who::Producer, body, openings))
}

fn market(scene: &mut Scene) {
    let granted = scene.world().role_granted(Who::ColdStore, Role::Market);
    scene.admit_bare(Who::CountyAuthority, granted);
}

scenarios! {
    fn no_kind_of_set_2_is_admitted_under_set_1(scene) {
        *scene = under_set_1();
        let unit = unit(scene);
        let (body, openings) = scene.world().handed_over(unit.unit, Who::Buyer, "1 斤");
        scene.refuse(Who::Producer, body.clone(), openings.clone(), Rule::RuleSet);
        let recalled = scene.world().recalled(unit.unit);
        scene.refuse_bare(Who::Producer, recalled, Rule::RuleSet);
        let adopted = scene.world().rule_set_adopted(2);
        scene.admit_bare(Who::Root, adopted);
        scene.admit(Who::Producer, body, openings);
    }

    fn only_the_holder_hands_over_and_no_more_than_is_there(scene) {
        let unit = unit(scene);
        let (body, openings) = scene.world().handed_over(unit.unit, Who::Cooperative, "1 斤");
        scene.refuse(Who::Buyer, body, openings, Rule::NotHolder);
        let (body, openings) = scene.world().handed_over(unit.unit, Who::Buyer, "1000.002 斤");
        scene.refuse(Who::Producer, body, openings, Rule::QuantityExceeded);
        let given = give(scene, &unit, Who::Producer, Who::Buyer, "600 斤");
        // On its way it is nobody's.
        let (body, openings) = scene.world().handed_over(unit.unit, Who::Cooperative, "1 斤");
        scene.refuse(Who::Buyer, body, openings, Rule::NotHolder);
        let (body, openings) = scene.world().received(unit.unit, &given, "600 斤");
        scene.admit(Who::Buyer, body, openings);
        assert_eq!(holder(scene, &unit, Who::Buyer), 300_000);
        assert_eq!(holder(scene, &unit, Who::Producer), 200_000);
        let (body, openings) = scene.world().handed_over(unit.unit, Who::Cooperative, "400.002 斤");
        scene.refuse(Who::Producer, body, openings, Rule::QuantityExceeded);
        pass(scene, &unit, Who::Buyer, Who::Cooperative, "600 斤");
        assert_eq!(balance(scene, &unit).held, 500_000);
        let (body, openings) = scene.world().disposed(unit.unit, Manner::Sold, "1 斤");
        scene.refuse(Who::Buyer, body, openings, Rule::NotHolder);
    }

    fn goods_go_to_a_registered_entity_or_outside_and_never_to_oneself(scene) {
        let unit = unit(scene);
        let (body, openings) = scene.world().handed_over(unit.unit, Who::Producer, "1 斤");
        scene.refuse(Who::Producer, body, openings, Rule::Counterparty);
        let stranger = Party::Entity(scene.world().stranger());
        let (body, openings) = scene.world().handed_to(unit.unit, stranger, "1 斤");
        scene.refuse(Who::Producer, body, openings, Rule::Counterparty);
        let outside = Party::Outside("某食堂(示例)".into());
        let (body, openings) = scene.world().handed_to(unit.unit, outside.clone(), "1000 斤");
        scene.admit(Who::Producer, body, openings);
        assert_eq!(balance(scene, &unit).outside, 500_000);
        let (body, openings) = scene.world().handed_to(unit.unit, outside, "1 斤");
        scene.refuse(Who::Producer, body, openings, Rule::NothingLeft);
    }

    fn only_the_named_receiver_receives_once_and_what_adds_up(scene) {
        let unit = unit(scene);
        let given = give(scene, &unit, Who::Producer, Who::Buyer, "600 斤");
        let (body, openings) = scene.world().received(unit.unit, &given, "600 斤");
        let refusal = scene.refuse(Who::Cooperative, body.clone(), openings.clone(), Rule::NotReceiver);
        assert_eq!(refusal.invalid.record, Some(given.hash().into()));
        for wrong in ["599 斤", "601 斤"] {
            let (body, openings) = scene.world().received(unit.unit, &given, wrong);
            scene.refuse(Who::Buyer, body, openings, Rule::DoesNotAddUp);
        }
        let mut other = body.clone();
        other.handed_over = Hash::of(&[b"nothing"]);
        scene.refuse(Who::Buyer, other, openings.clone(), Rule::TargetUnknown);
        let mut short = body.clone();
        short.outcome = Outcome::Short;
        scene.refuse(Who::Buyer, short, openings.clone(), Rule::Section);
        scene.admit(Who::Buyer, body.clone(), openings.clone());
        scene.refuse(Who::Buyer, body, openings, Rule::TransferReceived);
    }

    fn what_is_refused_goes_back_and_differences_are_split_by_the_policy(scene) {
        let unit = unit(scene);
        let adopted = scene.world().tolerance_adopted(&unit);
        scene.refuse_bare(Who::CityAuthority, adopted.clone(), Rule::Right);
        scene.admit_bare(Who::Root, adopted);
        let given = give(scene, &unit, Who::Producer, Who::Buyer, "600 斤");
        let trade = ReceivedTrade {
            accepted: quantity("580 斤"),
            missing: quantity("10 斤"),
            refused: quantity("10 斤"),
            excess: None,
        };
        let (body, openings) =
            scene.world().received_as(unit.unit, given.hash(), Outcome::Short, &trade);
        let index = scene.admit(Who::Buyer, body, openings);
        // A hundredth of 300 kg is tolerated, the other 2 kg are a question.
        let now = balance(scene, &unit);
        assert_eq!((now.lost, now.unexplained), (3_000, 2_000));
        assert_eq!(holder(scene, &unit, Who::Producer), 205_000);
        let view = scene.stage.view();
        let questions = lineage::questions(&view, 0, 10).unwrap();
        assert_eq!(questions.len(), 1);
        assert_eq!((questions[0].0, questions[0].1.missing), (index, 2_000));

        // A gain: half a hundredth counts, the rest is a question and moves nowhere.
        let given = give(scene, &unit, Who::Buyer, Who::Cooperative, "400 斤");
        let trade = ReceivedTrade {
            accepted: quantity("400 斤"),
            missing: None,
            refused: None,
            excess: quantity("4 斤"),
        };
        let (body, openings) =
            scene.world().received_as(unit.unit, given.hash(), Outcome::Accepted, &trade);
        scene.admit(Who::Cooperative, body, openings);
        let now = balance(scene, &unit);
        assert_eq!((now.gained, now.questioned_gain), (1_000, 1_000));
        assert_eq!(holder(scene, &unit, Who::Cooperative), 201_000);
        let (body, openings) = scene.world().disposed(unit.unit, Manner::Sold, "402.002 斤");
        scene.refuse(Who::Cooperative, body, openings, Rule::QuantityExceeded);
        let (body, openings) = scene.world().disposed(unit.unit, Manner::Sold, "402 斤");
        scene.admit(Who::Cooperative, body, openings);
        assert_eq!(balance(scene, &unit).sold, 201_000);

        // More than was handed over cannot be where less was accepted.
        let given = give(scene, &unit, Who::Buyer, Who::Cooperative, "10 斤");
        let trade = ReceivedTrade {
            accepted: quantity("9 斤"),
            missing: None,
            refused: quantity("1 斤"),
            excess: quantity("1 斤"),
        };
        let (body, openings) =
            scene.world().received_as(unit.unit, given.hash(), Outcome::Short, &trade);
        scene.refuse(Who::Cooperative, body, openings, Rule::DoesNotAddUp);
    }

    fn claimed_times_that_cannot_have_been_are_refused_with_both_records(scene) {
        let unit = unit(scene);
        let given = give(scene, &unit, Who::Producer, Who::Buyer, "600 斤");
        let (mut early, openings) = scene.world().received(unit.unit, &given, "600 斤");
        early.happened.at_ms -= 60_000;
        let refusal = scene.refuse(Who::Buyer, early.clone(), openings.clone(), Rule::ImpossibleOrder);
        assert_eq!(refusal.invalid.record, Some(given.hash().into()));
        early.happened.at_ms += 60_000;
        let received = scene.record(Who::Buyer, early, openings);
        // Said late but earlier in time: before the buyer had any of it.
        let (mut body, openings) = scene.world().handed_over(unit.unit, Who::Cooperative, "1 斤");
        body.happened.at_ms -= 600_000;
        let refusal = scene.refuse(Who::Buyer, body.clone(), openings.clone(), Rule::ImpossibleOrder);
        assert_eq!(refusal.invalid.record, Some(received.hash().into()));
        assert!(refusal.invalid.what.contains("moves"), "{}", refusal.invalid);
        scene.admit(Who::Producer, body, openings);
        let (mut body, openings) = scene.world().handed_over(unit.unit, Who::Cooperative, "1 斤");
        body.happened.at_ms -= 24 * 3_600_000;
        scene.refuse(Who::Producer, body.clone(), openings.clone(), Rule::BeforeProduction);
        body.happened.at_ms += 48 * 3_600_000;
        scene.refuse(Who::Producer, body, openings, Rule::EventAhead);
    }

    fn a_certificate_covers_its_quantity_once_wherever_its_copy_is_shown(scene) {
        let unit = unit(scene);
        let (mut elements, openings) = scene.world().certificate(&unit);
        elements.0.quantity = "500 斤".parse().unwrap();
        let number = elements.0.number.clone();
        let certificate = scene.record(Who::Producer, elements, openings);
        let under = |scene: &mut Scene, to, text: &str| {
            let (mut body, openings) = scene.world().handed_over(unit.unit, to, text);
            body.certificate = Some(number.clone());
            (body, openings)
        };
        let (body, openings) = under(scene, Who::Buyer, "501 斤");
        scene.refuse(Who::Producer, body, openings, Rule::CertificateSpent);
        let (body, openings) = under(scene, Who::Buyer, "400 斤");
        let used = scene.record(Who::Producer, body, openings);
        let (body, openings) = scene.world().received(unit.unit, &used, "400 斤");
        scene.admit(Who::Buyer, body, openings);
        // The other 100 of it, and no more, whatever else is there.
        let (body, openings) = under(scene, Who::Cooperative, "101 斤");
        let refusal = scene.refuse(Who::Producer, body, openings, Rule::CertificateSpent);
        assert_eq!(refusal.invalid.record, Some(used.hash().into()));
        assert!(refusal.invalid.what.contains(&used.hash().to_string()), "{}", refusal.invalid);
        // It goes on with the goods that came under it.
        let (body, openings) = under(scene, Who::Household, "400.002 斤");
        scene.refuse(Who::Buyer, body, openings, Rule::QuantityExceeded);
        let (body, openings) = under(scene, Who::Household, "300 斤");
        scene.admit(Who::Buyer, body, openings);
        // A copy of it covers nothing of what came without.
        pass(scene, &unit, Who::Producer, Who::Cooperative, "200 斤");
        let (body, openings) = under(scene, Who::Household, "1 斤");
        scene.refuse(Who::Cooperative, body, openings, Rule::CertificateSpent);
        // What goods went under is not replaced by the issuer alone; one that
        // is voided covers nothing.
        let replaced = scene.world().superseded(&certificate, unit.unit);
        scene.refuse_bare(Who::Producer, replaced, Rule::AgreementMissing);
        let voided = scene.world().voided(&certificate);
        scene.admit_bare(Who::Producer, voided);
        let (body, openings) = under(scene, Who::Household, "1 斤");
        scene.refuse(Who::Buyer, body, openings, Rule::TargetNotStanding);
    }

    fn markets_let_in_no_more_than_a_certificate_covers_all_together(scene) {
        let unit = unit(scene);
        let (number, _) = certified(scene, &unit);
        let (body, openings) = scene.world().checked_in(unit.unit, Some(number.clone()), "700 斤");
        scene.refuse(Who::ColdStore, body.clone(), openings.clone(), Rule::Right);
        market(scene);
        let first = scene.record(Who::ColdStore, body, openings);
        let (mut body, openings) =
            scene.world().checked_in(unit.unit, Some(number.clone()), "301 斤");
        let refusal = scene.refuse(Who::ColdStore, body.clone(), openings.clone(), Rule::CertificateSpent);
        assert_eq!(refusal.invalid.record, Some(first.hash().into()));
        body.admission = trace_core::record::kinds::checked_in::Admission::TurnedAway;
        scene.admit(Who::ColdStore, body, openings);
        let (body, openings) = scene.world().checked_in(unit.unit, Some(number), "300 斤");
        scene.admit(Who::ColdStore, body, openings);
        // Without a certificate only what is there.
        let (body, openings) = scene.world().checked_in(unit.unit, None, "1001 斤");
        scene.refuse(Who::ColdStore, body, openings, Rule::QuantityExceeded);
    }

    fn what_lies_in_cold_stores_is_not_elsewhere(scene) {
        let unit = unit(scene);
        let (body, openings) = scene.world().warehouse_in(unit.unit, "700 斤");
        scene.admit(Who::ColdStore, body, openings);
        let (body, openings) = scene.world().handed_over(unit.unit, Who::Buyer, "301 斤");
        scene.refuse(Who::Producer, body, openings, Rule::InColdStore);
        let (body, openings) = scene.world().disposed(unit.unit, Manner::Sold, "300 斤");
        scene.admit(Who::Producer, body, openings);
        // And what is gone enters none.
        let (body, openings) = scene.world().warehouse_in(unit.unit, "1 斤");
        scene.refuse(Who::ColdStore, body, openings, Rule::QuantityExceeded);
        let (body, openings) = scene.world().warehouse_out(unit.unit, "700 斤");
        scene.admit(Who::ColdStore, body, openings);
        pass(scene, &unit, Who::Producer, Who::Buyer, "700 斤");
    }

    fn an_assistant_signs_for_another_in_its_area_and_both_are_named(scene) {
        let unit = unit(scene);
        let producer = scene.world().id(Who::Producer);
        let (mut body, openings) = scene.world().handed_over(unit.unit, Who::Buyer, "10 斤");
        body.on_behalf_of = Some(producer);
        for who in [Who::Cooperative, Who::Buyer, Who::OtherCountyAuthority] {
            scene.refuse(who, body.clone(), openings.clone(), Rule::Right);
        }
        let given = scene.record(Who::CountyAuthority, body, openings);
        assert_eq!(holder(scene, &unit, Who::Producer), 495_000);
        let (mut body, openings) = scene.world().received(unit.unit, &given, "10 斤");
        scene.refuse(Who::CountyAuthority, body.clone(), openings.clone(), Rule::NotReceiver);
        body.on_behalf_of = Some(scene.world().id(Who::Buyer));
        scene.admit(Who::CountyAuthority, body, openings);
        assert_eq!(holder(scene, &unit, Who::Buyer), 5_000);
    }

    fn a_paper_covers_what_is_declared_under_it(scene) {
        let first = scene.world().unit_declared();
        scene.admit_bare(Who::Buyer, first.clone());
        let mut second = scene.world().unit_declared();
        second.paper = first.paper.clone();
        let refusal = scene.refuse_bare(Who::Cooperative, second.clone(), Rule::PaperSpent);
        assert!(refusal.invalid.record.is_some());
        second.quantity = "300 斤".parse().unwrap();
        let mut other = second.clone();
        other.paper.quantity = quantity("900 斤");
        scene.refuse_bare(Who::Cooperative, other, Rule::PaperSpent);
        scene.admit_bare(Who::Cooperative, second);
        // A paper that says no quantity is used once.
        let mut first = scene.world().unit_declared();
        first.paper.quantity = None;
        let mut second = scene.world().unit_declared();
        second.paper = first.paper.clone();
        scene.admit_bare(Who::Buyer, first.clone());
        scene.refuse_bare(Who::Buyer, second, Rule::PaperSpent);
        // It is the declarer's, who moves it as any other.
        let (body, openings) = scene.world().handed_over(first.unit, Who::Cooperative, "500 斤");
        scene.admit(Who::Buyer, body, openings);
    }

    fn what_is_lost_with_its_holder_is_covered_once_for_the_whole_unit(scene) {
        let unit = unit(scene);
        let adopted = scene.world().tolerance_adopted(&unit);
        scene.admit_bare(Who::Root, adopted);
        for (text, lost, unexplained) in
            [("8 斤", 4_000, 0), ("8 斤", 5_000, 3_000), ("1 斤", 5_000, 3_500)]
        {
            let (body, openings) = scene.world().disposed(unit.unit, Manner::Lost, text);
            scene.admit(Who::Producer, body, openings);
            let now = balance(scene, &unit);
            assert_eq!((now.lost, now.unexplained), (lost, unexplained));
        }
        assert_eq!(balance(scene, &unit).held, 491_500);
    }
}
