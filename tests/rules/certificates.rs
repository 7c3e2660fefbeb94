//! Trace units and certificates: each code and number once, forms filled in,
//! nothing voided or replaced twice, nothing done to what is not there.

use super::scene::{Scene, outcome, scenarios};
use trace_core::error::Rule;
use trace_core::record::claim::{Basis, Pledge};
use trace_core::record::kinds::unit_created::UnitCreated;
use trace_core::record::section::Openings;
use trace_core::record::unit::CERTIFICATES_MAX;
use trace_core::record::{Hash, Quantity, Signed};
use trace_fixtures::Who;

/// A unit, admitted.
fn unit(scene: &mut Scene) -> (UnitCreated, Signed) {
    let unit = scene.world().unit();
    let record = scene.record(Who::Producer, unit.clone(), Openings::default());
    (unit, record)
}

/// A certificate of 10 斤 of it, admitted.
fn certified(scene: &mut Scene, unit: &UnitCreated) -> (String, Signed) {
    let (mut body, openings) = scene.world().certificate(unit);
    body.0.quantity = "10 斤".parse().unwrap();
    let number = body.0.number.clone();
    (number, scene.record(Who::Producer, body, openings))
}

scenarios! {
    fn a_form_carries_exactly_its_bases_and_pledges(scene) {
        let (unit, _) = unit(scene);
        let (right, openings) = scene.world().certificate_2026_producer(&unit);
        for (bases, pledges) in [
            (vec![], right.0.pledges.clone()),
            (vec![Basis::SelfPromise], right.0.pledges.clone()),
            (vec![Basis::OwnTest, Basis::OwnTestPassed], right.0.pledges.clone()),
            (right.0.bases.clone(), vec![]),
            (right.0.bases.clone(), vec![Pledge::NoBannedCompounds]),
            (right.0.bases.clone(), vec![Pledge::CertificatesCollected, Pledge::NoMisusedAdditives]),
            (right.0.bases.clone(), [right.0.pledges.clone(), vec![Pledge::NoMisusedAdditives]].concat()),
        ] {
            let mut wrong = right.clone();
            (wrong.0.bases, wrong.0.pledges) = (bases, pledges);
            scene.refuse(Who::Producer, wrong, openings.clone(), Rule::FormFields);
        }
        scene.admit(Who::Producer, right, openings);
    }

    fn a_trace_code_is_used_once(scene) {
        let (unit, record) = unit(scene);
        let refusal = scene.refuse_bare(Who::Producer, unit.clone(), Rule::UnitKnown);
        assert_eq!(refusal.invalid.record, Some(record.hash().into()));
        scene.refuse_bare(Who::Cooperative, unit.clone(), Rule::UnitKnown);
        // Not even after it was voided.
        let voided = scene.world().voided(&record);
        scene.admit_bare(Who::Producer, voided);
        scene.refuse_bare(Who::Producer, unit, Rule::UnitKnown);
        let fresh = scene.world().unit();
        scene.admit_bare(Who::Producer, fresh);
    }

    fn a_certificate_number_is_used_once_in_the_ledger(scene) {
        let (first, _) = unit(scene);
        let (number, record) = certified(scene, &first);
        let other = scene.world().unit();
        scene.admit_bare(Who::Cooperative, other.clone());
        for (who, unit) in [(Who::Producer, &first), (Who::Cooperative, &other)] {
            let (mut body, openings) = scene.world().certificate(unit);
            let own = std::mem::replace(&mut body.0.number, number.clone());
            body.0.quantity = "10 斤".parse().unwrap();
            let refusal = scene.refuse(who, body.clone(), openings.clone(), Rule::NumberUsed);
            assert_eq!(refusal.invalid.record, Some(record.hash().into()));
            body.0.number = own;
            scene.admit(who, body, openings);
        }
    }

    fn what_is_not_there_is_neither_certified_nor_moved_nor_voided(scene) {
        let absent = scene.world().unit();
        let (body, openings) = scene.world().certificate(&absent);
        scene.refuse(Who::Producer, body.clone(), openings.clone(), Rule::UnitUnknown);
        let (stored, trade) = scene.world().warehouse_in(absent.unit, "10 斤");
        scene.refuse(Who::ColdStore, stored.clone(), trade.clone(), Rule::UnitUnknown);
        let (left, left_trade) = scene.world().warehouse_out(absent.unit, "4 斤");
        scene.refuse(Who::ColdStore, left.clone(), left_trade.clone(), Rule::UnitUnknown);
        let (_, present) = unit(scene);
        let mut voided = scene.world().voided(&present);
        voided.unit = absent.unit;
        scene.refuse_bare(Who::Producer, voided, Rule::TargetUnknown);

        scene.admit_bare(Who::Producer, absent);
        scene.admit(Who::Producer, body, openings);
        scene.admit(Who::ColdStore, stored, trade);
        scene.admit(Who::ColdStore, left, left_trade);
    }

    fn a_certificate_is_voided_once_and_by_its_own_record(scene) {
        let (unit, created) = unit(scene);
        let (_, first) = certified(scene, &unit);
        let (other_number, second) = certified(scene, &unit);
        let right = scene.world().voided(&first);
        let mut other_target = right.clone();
        other_target.target = second.hash();
        scene.refuse_bare(Who::Producer, other_target, Rule::TargetUnknown);
        let mut no_target = right.clone();
        no_target.target = Hash::of(&[b"nothing"]);
        scene.refuse_bare(Who::Producer, no_target, Rule::TargetUnknown);
        let mut no_number = right.clone();
        no_number.number = Some("131023-NONE".into());
        scene.refuse_bare(Who::Producer, no_number, Rule::TargetUnknown);
        // The unit's own record is no certificate's.
        let mut crossed = right.clone();
        crossed.target = created.hash();
        scene.refuse_bare(Who::Producer, crossed, Rule::TargetUnknown);

        scene.admit_bare(Who::Producer, right.clone());
        let refusal = scene.refuse_bare(Who::Producer, right, Rule::TargetNotStanding);
        assert_eq!(refusal.invalid.record, Some(first.hash().into()));
        // What is voided is not replaced, what is replaced not voided.
        let superseded = scene.world().superseded(&first, unit.unit);
        scene.refuse_bare(Who::Producer, superseded, Rule::TargetNotStanding);
        let superseded = scene.world().superseded(&second, unit.unit);
        assert_eq!(superseded.number, other_number);
        scene.admit_bare(Who::Producer, superseded);
        let voided = scene.world().voided(&second);
        scene.refuse_bare(Who::Producer, voided, Rule::TargetNotStanding);
    }

    fn of_a_voided_unit_nothing_more_is_said(scene) {
        let (unit, created) = unit(scene);
        let (_, certificate) = certified(scene, &unit);
        let (body, openings) = scene.world().certificate(&unit);
        let (stored, trade) = scene.world().warehouse_in(unit.unit, "10 斤");
        let voided = scene.world().voided(&created);
        scene.admit_bare(Who::Producer, voided.clone());
        scene.refuse_bare(Who::Producer, voided, Rule::UnitVoided);
        scene.refuse(Who::Producer, body, openings, Rule::UnitVoided);
        scene.refuse(Who::ColdStore, stored, trade, Rule::UnitVoided);
        let voided = scene.world().voided(&certificate);
        scene.refuse_bare(Who::Producer, voided, Rule::UnitVoided);
        let superseded = scene.world().superseded(&certificate, unit.unit);
        scene.refuse_bare(Who::Producer, superseded, Rule::UnitVoided);
        self::unit(scene);
    }

    fn a_reserved_number_is_for_its_unit_and_a_reserved_code_for_who_reserved_it(scene) {
        let (unit, _) = unit(scene);
        let (used, first) = certified(scene, &unit);
        let new_unit = scene.world().unit();
        let mut superseded = scene.world().superseded(&first, new_unit.unit);
        let reserved = superseded.replacement_number.clone();
        // A replacement has a number of its own.
        let (taken, _) = certified(scene, &unit);
        superseded.replacement_number = taken;
        scene.refuse_bare(Who::Producer, superseded.clone(), Rule::NumberUsed);
        superseded.replacement_number = reserved.clone();
        // Nor does it lie on a unit of somebody else.
        let others = scene.world().unit();
        scene.admit_bare(Who::Cooperative, others.clone());
        superseded.replacement_unit = others.unit;
        scene.refuse_bare(Who::Producer, superseded.clone(), Rule::UnitKnown);
        superseded.replacement_unit = new_unit.unit;
        assert_eq!(superseded.number, used);
        scene.admit_bare(Who::Producer, superseded);

        // Another neither takes the code nor the number.
        scene.refuse_bare(Who::Cooperative, new_unit.clone(), Rule::UnitKnown);
        let (mut stolen, openings) = scene.world().certificate(&others);
        stolen.0.number = reserved.clone();
        scene.refuse(Who::Cooperative, stolen, openings, Rule::NumberUsed);
        // Nor does its owner use it on another unit.
        let (mut elsewhere, openings) = scene.world().certificate(&unit);
        elsewhere.0.number = reserved.clone();
        elsewhere.0.quantity = "10 斤".parse().unwrap();
        scene.refuse(Who::Producer, elsewhere, openings, Rule::NumberUsed);
        // Nor reserves it a second time.
        let (_, second) = certified(scene, &unit);
        let mut again = scene.world().superseded(&second, new_unit.unit);
        again.replacement_number = reserved.clone();
        scene.refuse_bare(Who::Producer, again, Rule::NumberUsed);

        scene.admit_bare(Who::Producer, new_unit.clone());
        let (mut body, openings) = scene.world().certificate(&new_unit);
        body.0.number = reserved;
        scene.admit(Who::Producer, body, openings);
    }

    fn a_unit_has_a_most_of_certificates(scene) {
        let (unit, _) = unit(scene);
        let mut signed = Vec::new();
        for _ in 0..CERTIFICATES_MAX {
            let (mut body, openings) = scene.world().certificate(&unit);
            body.0.quantity = Quantity::parse("1 两").unwrap();
            signed.push(scene.world().sign(Who::Producer, body, openings));
        }
        let outcomes = scene.request(signed, true);
        assert!(outcomes.into_iter().all(|it| outcome(it).is_ok()));
        let (mut body, openings) = scene.world().certificate(&unit);
        body.0.quantity = Quantity::parse("1 两").unwrap();
        scene.refuse(Who::Producer, body, openings, Rule::TooMany);
        let (fresh, _) = self::unit(scene);
        certified(scene, &fresh);
    }
}
