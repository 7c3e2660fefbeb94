//! Goods under an old code whose certificate was replaced onto another unit: who
//! received them hands them on under the new number, as much as it covers there.

use super::corrections::{arrives, correction, refuse_under, under};
use super::custody::{certified, pass, unit};
use super::lineage::status;
use super::scene::{Scene, scenarios};
use super::sets::under_set;
use trace_core::error::Rule;
use trace_core::record::Status;
use trace_core::record::kinds::unit_created::UnitCreated;
use trace_fixtures::Who;

/// A buyer has 450 斤 of a unit, 400 of it under a certificate that was then
/// replaced onto another unit; both units and both numbers.
fn replaced(scene: &mut Scene) -> (UnitCreated, String, UnitCreated, String) {
    let old = unit(scene);
    let (number, certificate) = certified(scene, &old);
    pass(scene, &old, Who::Producer, Who::Buyer, "50 斤");
    let given = under(scene, &old, &number, Who::Producer, Who::Buyer, "400 斤");
    arrives(scene, &old, &given, Who::Buyer, "400 斤");
    let mut new = scene.world().unit();
    new.quantity = "900 斤".parse().unwrap();
    let (superseded, body, openings) = correction(scene, &certificate, &new, "900 斤");
    let agreed = scene
        .world()
        .correction_agreed(&superseded, &body.clone().into());
    scene.admit_bare(Who::Buyer, agreed);
    scene.admit_bare(Who::Producer, superseded);
    scene.admit_bare(Who::Producer, new.clone());
    let replacement = body.0.number.clone();
    scene.admit(Who::Producer, body, openings);
    (old, number, new, replacement)
}

scenarios! {
    fn who_received_before_a_correction_hands_on_under_what_came_in_its_place(scene) {
        let (old, number, new, replacement) = replaced(scene);
        refuse_under(scene, &old, &number, Who::Buyer, "1 斤", Rule::TargetNotStanding);
        // 450 are there, 400 came under it.
        refuse_under(scene, &old, &replacement, Who::Buyer, "401 斤", Rule::CertificateSpent);
        let given = under(scene, &old, &replacement, Who::Buyer, Who::Cooperative, "300 斤");
        refuse_under(scene, &old, &replacement, Who::Buyer, "101 斤", Rule::CertificateSpent);
        under(scene, &old, &replacement, Who::Buyer, Who::Household, "100 斤");
        refuse_under(scene, &old, &replacement, Who::Buyer, "1 斤", Rule::CertificateSpent);
        // Its cover goes with the goods, and comes to no more than they are.
        arrives(scene, &old, &given, Who::Cooperative, "300 斤");
        refuse_under(scene, &old, &replacement, Who::Cooperative, "301 斤", Rule::QuantityExceeded);
        under(scene, &old, &replacement, Who::Cooperative, Who::Household, "300 斤");
        // What the issuer has left of it is for the unit that it is on.
        refuse_under(scene, &new, &replacement, Who::Producer, "501 斤", Rule::QuantityExceeded);
        under(scene, &new, &replacement, Who::Producer, Who::Household, "500 斤");
        assert_eq!(status(scene, old.unit), Status::Superseded);
        assert_eq!(status(scene, new.unit), Status::Valid);
    }

    fn whose_goods_it_covers_first_hands_the_new_unit_over_under_it(scene) {
        let (old, _, _, replacement) = replaced(scene);
        let (mut body, openings) = scene.world().handed_over(old.unit, Who::Household, "1 斤");
        body.certificate = Some(replacement.clone());
        let refusal = scene.refuse(Who::Producer, body, openings, Rule::TargetUnknown);
        assert!(refusal.invalid.what.contains(&replacement), "{}", refusal.invalid);
        // Nobody hands over under a number that has nothing to do with the unit.
        let other = unit(scene);
        let (foreign, _) = certified(scene, &other);
        refuse_under(scene, &old, &foreign, Who::Buyer, "1 斤", Rule::TargetUnknown);
        refuse_under(scene, &other, &replacement, Who::Producer, "1 斤", Rule::TargetUnknown);
        refuse_under(scene, &old, "131023-20260511-NOSUCH00", Who::Buyer, "1 斤", Rule::TargetUnknown);
    }

    fn under_set_3_it_is_no_number_of_the_old_unit(scene) {
        *scene = under_set(3);
        let (old, _, _, replacement) = replaced(scene);
        refuse_under(scene, &old, &replacement, Who::Buyer, "1 斤", Rule::TargetUnknown);
        let adopted = scene.world().rule_set_adopted(4);
        scene.admit_bare(Who::Root, adopted);
        under(scene, &old, &replacement, Who::Buyer, Who::Household, "1 斤");
    }
}
