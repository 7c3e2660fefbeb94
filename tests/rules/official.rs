//! Certificates of the official forms: filled in as their date demands, by who
//! may, each family of forms for no more than was made, each number once.

use super::scene::{Scene, scenarios};
use trace_core::error::Rule;
use trace_core::ident::parse_ms;
use trace_core::ledger::lookup::{Audience, Lookup};
use trace_core::record::claim::Form;
use trace_core::record::kinds::unit_created::UnitCreated;
use trace_core::record::quarantine::{QuarantineTrade, Reach};
use trace_core::record::section::{Opening, Openings};
use trace_core::record::wire::Day;
use trace_core::record::{Hash, Role, Status};
use trace_fixtures::stage::Stage;
use trace_fixtures::{Who, World};

/// The roles of this file, granted.
pub fn grant(scene: &mut Scene) {
    for (who, role) in scene.world().official_roles() {
        let granted = scene.world().role_granted(who, role);
        scene.admit_bare(Who::CountyAuthority, granted);
    }
}

fn pork(scene: &mut Scene) -> UnitCreated {
    let unit = scene.world().pork();
    scene.admit_bare(Who::Producer, unit.clone());
    unit
}

fn status(scene: &Scene, unit: &UnitCreated, now_ms: u64) -> (Status, Vec<&'static str>) {
    let view = scene.stage.view();
    let mut lookup =
        Lookup::new(&view, scene.stage.ledger.vault(), Audience::Public, now_ms).unwrap();
    let answer = lookup.unit(unit.unit, 0, 10).unwrap().unwrap();
    let failing = answer
        .reasons
        .iter()
        .filter(|reason| reason.holds == Some(false));
    (answer.status, failing.map(|reason| reason.check).collect())
}

fn with(trade: QuarantineTrade, openings: &Openings) -> (Hash, Openings) {
    let trade = Opening::new([5; 16], &trade);
    let commitment = trade.commitment();
    let openings = Openings {
        trade: Some(trade),
        persons: openings.persons.clone(),
    };
    (commitment, openings)
}

fn trade_of(openings: &Openings) -> QuarantineTrade {
    let opening = openings.trade.as_ref().unwrap();
    trace_core::record::encode::decode("trade", &opening.bytes).unwrap()
}

scenarios! {
    fn roles_and_forms_of_set_2_wait_for_it(scene) {
        *scene = Scene::on(Stage::of(World::with_rule_set(7, 1)));
        let unit = pork(scene);
        let granted = scene.world().role_granted(Who::Producer, Role::Slaughterhouse);
        scene.refuse_bare(Who::CountyAuthority, granted.clone(), Rule::RuleSet);
        let body = scene.world().meat_quality(&unit);
        scene.refuse_bare(Who::Producer, body.clone(), Rule::RuleSet);
        let adopted = scene.world().rule_set_adopted(2);
        scene.admit_bare(Who::Root, adopted);
        scene.admit_bare(Who::CountyAuthority, granted);
        scene.admit_bare(Who::Producer, body);
    }

    fn goods_go_under_a_certificate_that_an_authority_gave_their_maker(scene) {
        grant(scene);
        let unit = pork(scene);
        let mut part = unit.clone();
        part.quantity = "400 公斤".parse().unwrap();
        let (body, openings) = scene.world().quarantine_product(&part, Reach::WithinProvince);
        let number = body.elements.number.clone();
        scene.admit(Who::Inspector, body, openings);
        let under = |scene: &mut Scene, amount: &str| {
            let (mut body, openings) = scene.world().handed_over(unit.unit, Who::Buyer, amount);
            body.certificate = Some(number.clone());
            (body, openings)
        };
        let (body, openings) = under(scene, "401 公斤");
        scene.refuse(Who::Producer, body, openings, Rule::CertificateSpent);
        let (body, openings) = under(scene, "300 公斤");
        scene.admit(Who::Producer, body, openings);
        let (body, openings) = under(scene, "101 公斤");
        scene.refuse(Who::Producer, body, openings, Rule::CertificateSpent);
        let (body, openings) = under(scene, "100 公斤");
        scene.admit(Who::Producer, body, openings);
    }

    fn the_quarantine_forms_change_at_local_midnight_of_the_new_year(scene) {
        *scene = Scene::on(Stage::opened_at(parse_ms("2025-12-30T12:00:00+08:00").unwrap()));
        grant(scene);
        let first = trace_core::ident::CivilDate::parse("2026-01-01").unwrap();
        let last = first.add_days(-1).unwrap();
        for (time, today) in [
            ("2025-12-31T23:59:59+08:00", last),
            ("2026-01-01T00:00:00+08:00", first),
            ("2026-01-01T07:59:59+08:00", first),
            ("2026-01-01T08:00:00+08:00", first),
        ] {
            // Signing takes a second of the world's clock, and admission is
            // judged behind it: so the record is signed a second before.
            let at_ms = parse_ms(time).unwrap();
            scene.world().now_ms = at_ms - 1_000;
            let mut unit = scene.world().pork();
            unit.produced_on = Day(last.days() - 1);
            unit.durability = None;
            scene.admit_bare(Who::Producer, unit.clone());
            unit.quantity = "10 公斤".parse().unwrap();
            for issued_on in [last, first] {
                let is_new = issued_on == first;
                for reach in [Reach::AcrossProvinces, Reach::WithinProvince] {
                    scene.world().now_ms = issued_on.start_ms(480).unwrap() + 43_200_000;
                    let (right, openings) = scene.world().quarantine_product(&unit, reach);
                    let trade = trade_of(&openings);
                    assert_eq!(trade.destination.is_some(), !is_new);
                    assert_eq!(right.elements.verification.is_some(), is_new);
                    // The other year's form: with a destination where there is
                    // none any more, without where there must be.
                    let mut wrong = right.clone();
                    let destination = is_new.then(|| "天津市".into());
                    let (commitment, other) = with(QuarantineTrade { destination, ..trade }, &openings);
                    wrong.elements.trade = commitment;
                    println!("{reach:?} of {issued_on} at {time}");
                    scene.world().now_ms = at_ms - 1_000;
                    scene.refuse(Who::Inspector, wrong, other, Rule::FormFields);
                    let mut copied = right.clone();
                    copied.elements.verification = None;
                    scene.world().now_ms = at_ms - 1_000;
                    if is_new {
                        scene.refuse(Who::Inspector, copied, openings.clone(), Rule::FormFields);
                    }
                    scene.world().now_ms = at_ms - 1_000;
                    if issued_on > today {
                        scene.refuse(Who::Inspector, right, openings, Rule::IssueAhead);
                    } else {
                        scene.admit(Who::Inspector, right, openings);
                    }
                    assert_eq!(scene.world().now_ms, at_ms);
                }
            }
        }
    }

    fn each_quarantine_form_is_valid_for_its_days(scene) {
        grant(scene);
        let (pigs, pork) = (scene.world().pigs(), pork(scene));
        scene.admit_bare(Who::Producer, pigs.clone());
        for (form, days) in [(Form::QuarantineAnimalA, 5), (Form::QuarantineAnimalB, 0)] {
            let mut part = pigs.clone();
            part.quantity = "10 头".parse().unwrap();
            let (mut body, openings) = scene.world().quarantine_animal(&part);
            body.elements.reach = match form {
                Form::QuarantineAnimalA => Reach::AcrossProvinces,
                _ => Reach::WithinProvince,
            };
            for (last, is_valid) in [(None, false), (Some(days + 1), false), (Some(-1), false), (Some(days), true)] {
                body.elements.expires_on = last.map(|last| Day(body.elements.issued_on.0 + last));
                match (is_valid, last) {
                    (true, _) => { scene.admit(Who::Inspector, body.clone(), openings.clone()); }
                    (false, Some(-1)) => { scene.refuse(Who::Inspector, body.clone(), openings.clone(), Rule::DatesDisagree); }
                    (false, _) => { scene.refuse(Who::Inspector, body.clone(), openings.clone(), Rule::FormFields); }
                }
            }
        }
        for (reach, days) in [(Reach::AcrossProvinces, 7), (Reach::WithinProvince, 0)] {
            let mut part = pork.clone();
            part.quantity = "10 公斤".parse().unwrap();
            let (mut body, openings) = scene.world().quarantine_product(&part, reach);
            body.elements.expires_on = Some(Day(body.elements.issued_on.0 + days + 1));
            scene.refuse(Who::Inspector, body.clone(), openings.clone(), Rule::FormFields);
            body.elements.expires_on = Some(Day(body.elements.issued_on.0 + days));
            scene.admit(Who::Inspector, body, openings);
        }
    }

    fn quarantine_is_certified_by_the_office_of_the_area_and_of_what_others_made(scene) {
        let unit = pork(scene);
        let (body, openings) = scene.world().quarantine_product(&unit, Reach::WithinProvince);
        // Nobody holds the role yet.
        scene.refuse(Who::Inspector, body.clone(), openings.clone(), Rule::Right);
        grant(scene);
        scene.refuse(Who::Producer, body.clone(), openings.clone(), Rule::Right);
        // The office is for its county.
        let mut elsewhere = body.clone();
        let other = scene.world().entity(Who::OtherCountyAuthority).area;
        elsewhere.elements.origin_area = other.into();
        scene.refuse(Who::Inspector, elsewhere, openings.clone(), Rule::Right);
        // Of what is not there, nothing.
        let absent = scene.world().pork();
        let (missing, missing_openings) = scene.world().quarantine_product(&absent, Reach::WithinProvince);
        scene.refuse(Who::Inspector, missing, missing_openings, Rule::UnitUnknown);
        scene.admit(Who::Inspector, body, openings);
    }

    fn a_unit_is_certified_whole_in_each_family_of_forms_and_in_none_twice(scene) {
        grant(scene);
        let unit = pork(scene);
        let quality = scene.world().meat_quality(&unit);
        let (quarantine, openings) = scene.world().quarantine_product(&unit, Reach::AcrossProvinces);
        let (promise, promised) = scene.world().certificate(&unit);
        scene.admit_bare(Who::Producer, quality.clone());
        scene.admit(Who::Inspector, quarantine.clone(), openings.clone());
        scene.admit(Who::Producer, promise, promised);
        // One kilogram more in any of them is one too many.
        let mut part = unit.clone();
        part.quantity = "1 公斤".parse().unwrap();
        let more = scene.world().meat_quality(&part);
        scene.refuse_bare(Who::Producer, more, Rule::QuantityExceeded);
        let (more, opened) = scene.world().quarantine_product(&part, Reach::WithinProvince);
        scene.refuse(Who::Inspector, more, opened, Rule::QuantityExceeded);
        // A number is used once, whatever the form.
        let other = pork(scene);
        let mut same = scene.world().meat_quality(&other);
        same.number = quarantine.elements.number.clone();
        scene.refuse_bare(Who::Producer, same, Rule::NumberUsed);
        let (mut same, opened) = scene.world().certificate(&other);
        same.0.number = quality.number;
        scene.refuse(Who::Producer, same, opened, Rule::NumberUsed);
        // The end of its days ends the moving, not what is certified.
        let now_ms = scene.world().now_ms;
        let before = status(scene, &unit, now_ms);
        assert_eq!(before, (Status::Valid, vec![]));
        let month_ms = 30 * 86_400_000;
        let (_, failing) = status(scene, &unit, now_ms + month_ms);
        assert!(!failing.contains(&"validity"), "{failing:?}");
    }

    fn meat_quality_is_certified_by_the_slaughterhouse_of_its_own_meat(scene) {
        let unit = pork(scene);
        let body = scene.world().meat_quality(&unit);
        scene.refuse_bare(Who::Producer, body.clone(), Rule::Right);
        grant(scene);
        let mut other_day = body.clone();
        other_day.produced_on = Day(body.produced_on.0 - 1);
        scene.refuse_bare(Who::Producer, other_day, Rule::DatesDisagree);
        let other = scene.world().pork();
        scene.admit_bare(Who::Cooperative, other.clone());
        let others = scene.world().meat_quality(&other);
        scene.refuse_bare(Who::Producer, others, Rule::Right);
        scene.admit_bare(Who::Producer, body);
    }

    fn customs_paper_is_recorded_by_the_importer_however_old_it_is(scene) {
        let unit = scene.world().imported_unit();
        scene.admit_bare(Who::Importer, unit.clone());
        let (body, openings) = scene.world().inbound_inspection(&unit);
        scene.refuse(Who::Producer, body.clone(), openings.clone(), Rule::Right);
        let mut tomorrow = body.clone();
        tomorrow.issued_on = Day::from(scene.world().today().add_days(1).unwrap());
        scene.refuse(Who::Importer, tomorrow, openings.clone(), Rule::IssueAhead);
        assert!(body.issued_on < unit.produced_on);
        scene.admit(Who::Importer, body, openings);
    }

    fn an_official_certificate_is_voided_or_replaced_by_who_issued_it(scene) {
        grant(scene);
        let unit = pork(scene);
        let (body, openings) = scene.world().quarantine_product(&unit, Reach::WithinProvince);
        let number = body.elements.number.clone();
        let issued = scene.record(Who::Inspector, body, openings);
        let mut superseded = scene.world().superseded_number(&issued, unit.unit, &number);
        scene.refuse_bare(Who::Producer, superseded.clone(), Rule::Right);
        // Not by one of a unit that only its maker will create.
        let absent = scene.world().pork();
        superseded.replacement_unit = absent.unit;
        scene.refuse_bare(Who::Inspector, superseded.clone(), Rule::UnitUnknown);
        superseded.replacement_unit = unit.unit;
        scene.admit_bare(Who::Inspector, superseded.clone());
        let now_ms = scene.world().now_ms;
        assert_eq!(status(scene, &unit, now_ms), (Status::Superseded, vec!["quarantine_certificate"]));
        let (mut body, openings) = scene.world().quarantine_product(&unit, Reach::WithinProvince);
        body.elements.number = superseded.replacement_number.clone();
        let replacing = scene.record(Who::Inspector, body, openings);
        assert_eq!(status(scene, &unit, now_ms).0, Status::Valid);
        let mut voided = scene.world().voided_number(&replacing, unit.unit, &superseded.replacement_number);
        voided.reason = "产品未出场".into();
        scene.refuse_bare(Who::Producer, voided.clone(), Rule::Right);
        scene.admit_bare(Who::Inspector, voided);
        assert_eq!(status(scene, &unit, now_ms), (Status::Voided, vec!["quarantine_certificate"]));
    }
}
