//! Centralised supervision warehouses: booked in time, nothing released without
//! its papers, nothing leaves that is not released.

use super::official::grant;
use super::scene::{Scene, scenarios};
use trace_core::error::Rule;
use trace_core::record::attachment::AttachmentKind;
use trace_core::record::kinds::unit_created::UnitCreated;
use trace_fixtures::Who;
use trace_fixtures::official::{BOOKING_LEAD_MS, attachment, papers};

/// Four tonnes of beef from abroad; everybody has their role.
fn beef(scene: &mut Scene) -> UnitCreated {
    grant(scene);
    more_beef(scene)
}

fn more_beef(scene: &mut Scene) -> UnitCreated {
    let unit = scene.world().imported_unit();
    assert_eq!(unit.quantity.base_amount(), 4_000_000);
    scene.admit_bare(Who::Importer, unit.clone());
    unit
}

fn booked(scene: &mut Scene, unit: &UnitCreated) {
    let (body, openings) = scene.world().warehouse_booked(unit);
    scene.admit(Who::Importer, body, openings);
}

/// So much entered under supervision, with all papers.
fn entered(scene: &mut Scene, unit: &UnitCreated, amount: &str) {
    booked(scene, unit);
    let (body, openings) = scene.world().warehouse_entered(unit, amount, papers());
    scene.admit(Who::ColdStore, body, openings);
}

scenarios! {
    fn a_warehouse_is_booked_as_long_ahead_as_is_demanded(scene) {
        let unit = beef(scene);
        let (entry, entry_openings) = scene.world().warehouse_entered(&unit, "1 吨", papers());
        scene.refuse(Who::ColdStore, entry.clone(), entry_openings.clone(), Rule::BookingMissing);

        let (mut body, openings) = scene.world().warehouse_booked(&unit);
        // The clock goes on by a second while the record is signed.
        body.arrives_ms = scene.world().now_ms + 1_000 + BOOKING_LEAD_MS - 1;
        scene.refuse(Who::Importer, body.clone(), openings.clone(), Rule::BookingLate);
        body.arrives_ms = scene.world().now_ms + 1_000 + BOOKING_LEAD_MS;
        // By who made the unit, and where goods are supervised.
        let granted = scene.world().role_granted(Who::Buyer, trace_core::record::Role::Importer);
        scene.admit_bare(Who::CountyAuthority, granted);
        body.arrives_ms += 60_000;
        scene.refuse(Who::Buyer, body.clone(), openings.clone(), Rule::Right);
        let mut nowhere = body.clone();
        nowhere.warehouse = scene.world().id(Who::Producer);
        scene.refuse(Who::Importer, nowhere, openings.clone(), Rule::EntityUnknown);
        scene.admit(Who::Importer, body, openings);
        scene.admit(Who::ColdStore, entry.clone(), entry_openings.clone());
        // One booking is for one entry.
        scene.refuse(Who::ColdStore, entry, entry_openings, Rule::BookingMissing);
    }

    fn nothing_leaves_a_supervision_warehouse_that_it_has_not_released(scene) {
        let unit = beef(scene);
        entered(scene, &unit, "3 吨");
        let leave = |scene: &mut Scene, amount: &str| scene.world().warehouse_out(unit.unit, amount);
        let (body, openings) = leave(scene, "1 克");
        scene.refuse(Who::ColdStore, body, openings, Rule::Unreleased);
        let released = scene.world().warehouse_released(&unit, "1 吨", vec![]);
        let number = released.number.clone();
        let released = scene.record(Who::ColdStore, released, Default::default());
        let (body, openings) = leave(scene, "1000001 克");
        scene.refuse(Who::ColdStore, body, openings, Rule::Unreleased);
        let (body, openings) = leave(scene, "400 公斤");
        scene.admit(Who::ColdStore, body, openings);
        let (body, openings) = leave(scene, "600001 克");
        scene.refuse(Who::ColdStore, body, openings, Rule::Unreleased);
        // A release that is voided releases nothing, and what left is gone.
        let voided = scene.world().voided_number(&released, unit.unit, &number);
        scene.admit_bare(Who::ColdStore, voided);
        let (body, openings) = leave(scene, "1 克");
        scene.refuse(Who::ColdStore, body, openings, Rule::Unreleased);
        let released = scene.world().warehouse_released(&unit, "3 吨", vec![]);
        scene.admit_bare(Who::ColdStore, released);
        let (body, openings) = leave(scene, "2600001 克");
        scene.refuse(Who::ColdStore, body, openings, Rule::QuantityExceeded);
        let (body, openings) = leave(scene, "2600 公斤");
        scene.admit(Who::ColdStore, body, openings);
    }

    fn what_entered_without_supervision_is_not_held_by_it(scene) {
        let unit = beef(scene);
        let (body, openings) = scene.world().warehouse_in(unit.unit, "1 吨");
        scene.admit(Who::ColdStore, body, openings);
        entered(scene, &unit, "1 吨");
        let (body, openings) = scene.world().warehouse_out(unit.unit, "1000001 克");
        scene.refuse(Who::ColdStore, body, openings, Rule::Unreleased);
        let (body, openings) = scene.world().warehouse_out(unit.unit, "1 吨");
        scene.admit(Who::ColdStore, body, openings);
        let (body, openings) = scene.world().warehouse_out(unit.unit, "1 克");
        scene.refuse(Who::ColdStore, body, openings, Rule::Unreleased);
    }

    fn no_more_is_released_than_entered_and_only_where_it_did(scene) {
        let unit = beef(scene);
        let body = scene.world().warehouse_released(&unit, "1 克", vec![]);
        scene.refuse_bare(Who::ColdStore, body, Rule::QuantityExceeded);
        entered(scene, &unit, "2 吨");
        let mut body = scene.world().warehouse_released(&unit, "2 吨", vec![]);
        body.quantity = "3 件".parse().unwrap();
        scene.refuse_bare(Who::ColdStore, body, Rule::QuantityUnit);
        let body = scene.world().warehouse_released(&unit, "2000001 克", vec![]);
        scene.refuse_bare(Who::ColdStore, body, Rule::QuantityExceeded);
        let body = scene.world().warehouse_released(&unit, "2 吨", vec![]);
        // Another warehouse does not hold it.
        let granted = scene.world().role_granted(Who::Buyer, trace_core::record::Role::SupervisionWarehouse);
        scene.admit_bare(Who::CountyAuthority, granted);
        scene.refuse_bare(Who::Buyer, body.clone(), Rule::QuantityExceeded);
        scene.admit_bare(Who::ColdStore, body);
        // What left and came back is released again.
        let (out, openings) = scene.world().warehouse_out(unit.unit, "2 吨");
        scene.admit(Who::ColdStore, out, openings);
        entered(scene, &unit, "2 吨");
        let (out, openings) = scene.world().warehouse_out(unit.unit, "1 吨");
        scene.refuse(Who::ColdStore, out.clone(), openings.clone(), Rule::Unreleased);
        let body = scene.world().warehouse_released(&unit, "2 吨", vec![]);
        scene.admit_bare(Who::ColdStore, body);
        scene.admit(Who::ColdStore, out, openings);
    }

    fn nothing_is_released_without_the_papers_that_the_policy_demands(scene) {
        let unit = beef(scene);
        booked(scene, &unit);
        let declaration = vec![attachment(AttachmentKind::CustomsDeclaration)];
        let inspection = vec![attachment(AttachmentKind::InspectionCertificate)];
        let (body, openings) = scene.world().warehouse_entered(&unit, "1 吨", declaration);
        scene.admit(Who::ColdStore, body, openings);
        let body = scene.world().warehouse_released(&unit, "500 公斤", vec![]);
        scene.refuse_bare(Who::ColdStore, body, Rule::AttachmentMissing);
        // It may come with the release.
        let body = scene.world().warehouse_released(&unit, "500 公斤", inspection.clone());
        scene.admit_bare(Who::ColdStore, body);
        // The papers of one entry do not cover another.
        booked(scene, &unit);
        let (body, openings) = scene.world().warehouse_entered(&unit, "1 吨", inspection.clone());
        scene.admit(Who::ColdStore, body, openings);
        let body = scene.world().warehouse_released(&unit, "1 吨", inspection);
        scene.refuse_bare(Who::ColdStore, body, Rule::AttachmentMissing);
        let body = scene.world().warehouse_released(&unit, "1 吨", papers());
        scene.admit_bare(Who::ColdStore, body);
    }

    fn an_area_s_policy_holds_from_its_record_on_and_only_its_authority_adopts_it(scene) {
        let unit = beef(scene);
        let strict = vec![AttachmentKind::NucleicAcidTest, AttachmentKind::Disinfection];
        let body = scene.world().supervision_policy(0, strict.clone());
        scene.refuse_bare(Who::OtherCountyAuthority, body.clone(), Rule::Right);
        scene.refuse_bare(Who::ColdStore, body.clone(), Rule::Right);
        scene.admit_bare(Who::CountyAuthority, body);
        // No booking is demanded now, and other papers are.
        let (body, openings) = scene.world().warehouse_entered(&unit, "1 吨", papers());
        scene.admit(Who::ColdStore, body, openings);
        let body = scene.world().warehouse_released(&unit, "1 吨", vec![]);
        scene.refuse_bare(Who::ColdStore, body, Rule::AttachmentMissing);
        let added = strict.into_iter().map(attachment).collect();
        let body = scene.world().warehouse_released(&unit, "1 吨", added);
        scene.admit_bare(Who::ColdStore, body);
        // Of the city's policy a county with one of its own sees nothing.
        let mut city = scene.world().supervision_policy(400, vec![]);
        city.area = scene.world().entity(Who::CityAuthority).area.into();
        scene.admit_bare(Who::CityAuthority, city);
        let (body, openings) = scene.world().warehouse_entered(&unit, "1 吨", papers());
        scene.admit(Who::ColdStore, body, openings);
    }
}
