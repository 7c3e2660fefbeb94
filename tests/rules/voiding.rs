//! Certificates voided after something was made from their units: who says so,
//! and where nothing is to be said.

use super::custody::{certified, unit};
use super::lineage::{split, status};
use super::scene::{Scene, scenarios};
use super::sets::under_set;
use trace_core::error::Rule;
use trace_core::ledger::{audit, lineage};
use trace_core::record::kinds::unit_created::UnitCreated;
use trace_core::record::section::Openings;
use trace_core::record::{Signed, Status};
use trace_fixtures::Who;

/// A certificate for a part of a unit.
fn certified_part(scene: &mut Scene, unit: &UnitCreated, text: &str) -> (String, Signed) {
    let (mut body, openings) = scene.world().certificate(unit);
    body.0.quantity = text.parse().unwrap();
    let number = body.0.number.clone();
    (number, scene.record(Who::Producer, body, openings))
}

scenarios! {
    fn what_was_made_from_goods_whose_certificate_is_voided_says_so_before_and_after(scene) {
        let unit = unit(scene);
        let (number, certificate) = certified(scene, &unit);
        let child = split(scene, Who::Producer, &unit, "500 斤");
        let grandchild = split(scene, Who::Producer, &child, "200 斤");
        let other = self::unit(scene);
        let voided = scene.world().voided(&certificate);
        let refusal = scene.refuse_bare(Who::Producer, voided, Rule::DescendantsUnmarked);
        let said = &refusal.invalid.what;
        for named in [child.unit.to_string(), number, "certificate_voided".into()] {
            assert!(said.contains(&named), "{said}");
        }
        assert_eq!(refusal.invalid.record, Some(certificate.hash().into()));
        let voided = scene.world().certificate_voided(&certificate);
        scene.refuse_bare(Who::Buyer, voided.clone(), Rule::Right);
        scene.refuse_bare(Who::OtherCountyAuthority, voided.clone(), Rule::Right);
        scene.admit_bare(Who::CountyAuthority, voided.clone());
        scene.refuse_bare(Who::Producer, voided, Rule::TargetNotStanding);
        assert_eq!(status(scene, unit.unit), Status::Voided);
        for code in [child.unit, grandchild.unit] {
            assert_eq!(status(scene, code), Status::SourceVoided);
        }
        assert_eq!(status(scene, other.unit), Status::Valid);
        // Nothing is barred and nothing comes back; what is made later is marked,
        // of the unit itself and of what was made from it.
        for of in [&unit, &grandchild] {
            let later = split(scene, Who::Producer, of, "100 斤");
            assert_eq!(status(scene, later.unit), Status::SourceVoided);
        }
        let view = scene.stage.view();
        let old = lineage::balance(&view, unit.unit).unwrap().unwrap();
        assert_eq!((old.balance.held, old.balance.transformed), (200_000, 300_000));
    }

    fn both_voidings_are_told_of_what_was_made(scene) {
        let unit = unit(scene);
        let (_, certificate) = certified(scene, &unit);
        let child = split(scene, Who::Producer, &unit, "500 斤");
        let (_, own) = certified_part(scene, &child, "500 斤");
        let grandchild = split(scene, Who::Producer, &child, "200 斤");
        // Of the child's own, the child says so as voided, and not as its source.
        let voided = scene.world().certificate_voided(&own);
        scene.admit_bare(Who::Producer, voided);
        assert_eq!(status(scene, child.unit), Status::Voided);
        assert_eq!(status(scene, grandchild.unit), Status::SourceVoided);
        let voided = scene.world().certificate_voided(&certificate);
        scene.admit_bare(Who::Producer, voided);
        let later = split(scene, Who::Producer, &child, "10 斤");
        for code in [child.unit, unit.unit] {
            assert_eq!(status(scene, code), Status::Voided);
        }
        for code in [grandchild.unit, later.unit] {
            assert_eq!(status(scene, code), Status::SourceVoided);
        }
    }

    fn a_duplicate_that_nothing_went_under_marks_nothing_while_another_stands(scene) {
        let unit = unit(scene);
        let (number, used) = certified_part(scene, &unit, "400 斤");
        let (_, duplicate) = certified_part(scene, &unit, "400 斤");
        let (mut body, openings) = scene.world().handed_over(unit.unit, Who::Buyer, "100 斤");
        body.certificate = Some(number);
        let given = scene.record(Who::Producer, body, openings);
        let (body, openings) = scene.world().received(unit.unit, &given, "100 斤");
        scene.admit(Who::Buyer, body, openings);
        let child = split(scene, Who::Buyer, &unit, "50 斤");
        let voided = scene.world().certificate_voided(&duplicate);
        scene.refuse_bare(Who::Producer, voided, Rule::MarksNothing);
        let plain = scene.world().voided(&used);
        scene.refuse_bare(Who::Producer, plain, Rule::DescendantsUnmarked);
        let plain = scene.world().voided(&duplicate);
        scene.admit_bare(Who::Producer, plain);
        assert_eq!(status(scene, unit.unit), Status::Valid);
        assert_eq!(status(scene, child.unit), Status::Valid);
    }

    fn what_goods_went_under_marks_though_another_stands(scene) {
        let unit = unit(scene);
        let (number, used) = certified_part(scene, &unit, "400 斤");
        certified_part(scene, &unit, "400 斤");
        let (mut body, openings) = scene.world().handed_over(unit.unit, Who::Buyer, "100 斤");
        body.certificate = Some(number);
        let given = scene.record(Who::Producer, body, openings);
        let (body, openings) = scene.world().received(unit.unit, &given, "100 斤");
        scene.admit(Who::Buyer, body, openings);
        let child = split(scene, Who::Buyer, &unit, "50 斤");
        let voided = scene.world().certificate_voided(&used);
        scene.admit_bare(Who::Producer, voided);
        // The other still speaks for the unit; what was made may be of the first.
        assert_eq!(status(scene, unit.unit), Status::Valid);
        assert_eq!(status(scene, child.unit), Status::SourceVoided);
    }

    fn a_certificate_that_was_replaced_is_voided_no_more_and_the_new_one_marks(scene) {
        let unit = unit(scene);
        let (_, certificate) = certified(scene, &unit);
        let child = split(scene, Who::Producer, &unit, "50 斤");
        let right = scene.world().unit();
        let superseded = scene.world().superseded(&certificate, right.unit);
        let (mut body, openings) = scene.world().certificate(&right);
        body.0.number = superseded.replacement_number.clone();
        body.0.quantity = "900 斤".parse().unwrap();
        scene.admit_bare(Who::Producer, superseded);
        let mut right = right;
        right.quantity = "900 斤".parse().unwrap();
        scene.admit_bare(Who::Producer, right.clone());
        let new = scene.record(Who::Producer, body, openings);
        let later = split(scene, Who::Producer, &right, "50 斤");
        let voided = scene.world().certificate_voided(&certificate);
        scene.refuse_bare(Who::Producer, voided, Rule::TargetNotStanding);
        let voided = scene.world().voided(&new);
        scene.refuse_bare(Who::Producer, voided, Rule::DescendantsUnmarked);
        let voided = scene.world().certificate_voided(&new);
        scene.admit_bare(Who::Producer, voided);
        assert_eq!(status(scene, right.unit), Status::Voided);
        assert_eq!(status(scene, later.unit), Status::SourceVoided);
        // What was made before the correction came of the goods as they were.
        assert_eq!(status(scene, unit.unit), Status::Superseded);
        assert_eq!(status(scene, child.unit), Status::Valid);
    }

    fn under_set_3_a_certificate_is_voided_plainly_and_marks_nothing(scene) {
        *scene = under_set(3);
        let unit = unit(scene);
        let (_, certificate) = certified(scene, &unit);
        let child = split(scene, Who::Producer, &unit, "500 斤");
        let marking = scene.world().certificate_voided(&certificate);
        scene.refuse_bare(Who::Producer, marking, Rule::RuleSet);
        let voided = scene.world().voided(&certificate);
        scene.admit_bare(Who::Producer, voided);
        assert_eq!(status(scene, unit.unit), Status::Voided);
        assert_eq!(status(scene, child.unit), Status::Valid);
    }

    fn where_nothing_was_made_it_is_voided_either_way(scene) {
        for is_marking in [false, true] {
            let unit = unit(scene);
            let (_, certificate) = certified(scene, &unit);
            match is_marking {
                true => {
                    let voided = scene.world().certificate_voided(&certificate);
                    scene.admit_bare(Who::Producer, voided)
                }
                false => {
                    let voided = scene.world().voided(&certificate);
                    scene.admit_bare(Who::Producer, voided)
                }
            };
            assert_eq!(status(scene, unit.unit), Status::Voided);
        }
    }
}

/// What look-ups and audits rest on: the fold made again is the same.
#[test]
fn the_fold_of_a_voided_certificate_made_again_is_the_same() {
    let mut scene = Scene::new();
    let scene = &mut scene;
    let unit = scene.world().unit();
    scene.record(Who::Producer, unit.clone(), Openings::default());
    let (_, certificate) = certified(scene, &unit);
    let child = split(scene, Who::Producer, &unit, "10 斤");
    let voided = scene.world().certificate_voided(&certificate);
    scene.admit_bare(Who::Producer, voided);
    split(scene, Who::Producer, &unit, "10 斤");
    split(scene, Who::Producer, &child, "1 斤");
    let size = scene.stage.view().size();
    let copy = tempfile::TempDir::new().unwrap();
    let key = scene.stage.ledger.signer().verifier_key().clone();
    let folder = scene.stage.folder().to_path_buf();
    scene.stage.ledger.stop().unwrap();
    let options = audit::Options::new(key, copy.path().into());
    let report = audit::audit(&folder, &options, &mut |_, _| {}).unwrap();
    assert_eq!(report.size, size);
    assert!(
        matches!(report.derived, audit::DerivedTables::Agree { .. }),
        "{:?}",
        report.derived
    );
}
