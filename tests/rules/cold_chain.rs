//! The cold chain: equipment is its owner's, policies and segments are numbered
//! without gaps, and goods are placed by who has them, in one place at a time.

use super::scene::{Scene, scenarios};
use super::sets::under_set_1;
use trace_core::error::Rule;
use trace_core::ident::EquipmentId;
use trace_core::ledger::cold_chain::{equipment_of, probes_of, segments_of};
use trace_core::record::cold_chain::{EquipmentKind, STAYS_MAX};
use trace_core::record::kinds::unit_created::{ProductClass, UnitCreated};
use trace_core::record::section::Openings;
use trace_core::rules::ColdFacts;
use trace_fixtures::Who;
use trace_fixtures::world_cold::{minutely, segment};

const MINUTE_MS: u64 = 60_000;

fn registered(
    scene: &mut Scene,
    who: Who,
    kind: EquipmentKind,
    part_of: Option<EquipmentId>,
) -> EquipmentId {
    let body = scene.world().equipment(who, kind, part_of);
    scene.admit_bare(who, body.clone());
    body.equipment
}

/// A cold store with a zone and a probe in it, and the policy "chilled".
fn store(scene: &mut Scene) -> (EquipmentId, EquipmentId, EquipmentId) {
    let policy = scene.world().temperature_policy("chilled");
    scene.admit_bare(Who::Root, policy);
    let store = registered(scene, Who::ColdStore, EquipmentKind::ColdStore, None);
    let zone = registered(scene, Who::ColdStore, EquipmentKind::Zone, Some(store));
    let probe = registered(scene, Who::ColdStore, EquipmentKind::Probe, Some(zone));
    (store, zone, probe)
}

/// A unit, some of it in the cold store.
fn stored(scene: &mut Scene) -> UnitCreated {
    let unit = scene.world().unit();
    scene.admit_bare(Who::Producer, unit.clone());
    let (body, openings) = scene.world().warehouse_in(unit.unit, "100 斤");
    scene.admit(Who::ColdStore, body, openings);
    unit
}

scenarios! {
    fn equipment_is_registered_once_as_a_part_of_the_owners_own(scene) {
        let (store, zone, probe) = store(scene);
        let mut again = scene.world().equipment(Who::ColdStore, EquipmentKind::Vehicle, None);
        again.equipment = store;
        scene.refuse_bare(Who::ColdStore, again, Rule::EquipmentKnown);
        let in_probe = scene.world().equipment(Who::ColdStore, EquipmentKind::Probe, Some(probe));
        scene.refuse_bare(Who::ColdStore, in_probe, Rule::EquipmentUnfit);
        let in_zone = scene.world().equipment(Who::ColdStore, EquipmentKind::Zone, Some(zone));
        scene.refuse_bare(Who::ColdStore, in_zone, Rule::EquipmentUnfit);
        let nowhere = EquipmentId::from_bytes([9; 10]);
        let lost = scene.world().equipment(Who::ColdStore, EquipmentKind::Zone, Some(nowhere));
        scene.refuse_bare(Who::ColdStore, lost, Rule::EquipmentUnknown);
        let foreign = scene.world().equipment(Who::Producer, EquipmentKind::Probe, Some(zone));
        scene.refuse_bare(Who::Producer, foreign, Rule::Right);
        let mut elsewhere = scene.world().equipment(Who::ColdStore, EquipmentKind::Vehicle, None);
        elsewhere.area = scene.world().entity(Who::OtherCountyAuthority).area.into();
        scene.refuse_bare(Who::ColdStore, elsewhere, Rule::Right);
        let by_none = scene.world().equipment(Who::Inspector, EquipmentKind::Vehicle, None);
        scene.refuse_bare(Who::Inspector, by_none, Rule::Right);

        let view = scene.stage.view();
        let owner = scene.world().id(Who::ColdStore);
        let own = equipment_of(&view, &owner, None, 10).unwrap();
        assert_eq!(own.len(), 3);
        let rest = equipment_of(&view, &owner, Some(own[0].0), 10).unwrap();
        assert_eq!(rest, own[1..]);
        for whole in [store, zone] {
            let probes = probes_of(&view, &whole).unwrap();
            assert_eq!(probes.iter().map(|(id, _)| *id).collect::<Vec<_>>(), [probe]);
        }
    }

    fn a_probe_is_calibrated_by_its_owner_and_retired_equipment_is_used_no_more(scene) {
        let (store, zone, probe) = store(scene);
        let calibrated = scene.world().calibrated(probe);
        scene.refuse_bare(Who::Producer, calibrated.clone(), Rule::Right);
        let of_store = scene.world().calibrated(store);
        scene.refuse_bare(Who::ColdStore, of_store, Rule::EquipmentUnfit);
        let mut tomorrow = calibrated.clone();
        tomorrow.calibration.on.0 += 1;
        scene.refuse_bare(Who::ColdStore, tomorrow, Rule::EventAhead);
        scene.admit_bare(Who::ColdStore, calibrated);

        let mut later = scene.world().retired(zone);
        later.happened.at_ms += 86_400_000;
        scene.refuse_bare(Who::ColdStore, later, Rule::EventAhead);
        let retired = scene.world().retired(zone);
        scene.admit_bare(Who::ColdStore, retired.clone());
        scene.refuse_bare(Who::ColdStore, retired, Rule::EquipmentRetired);
        let part = scene.world().equipment(Who::ColdStore, EquipmentKind::Probe, Some(zone));
        scene.refuse_bare(Who::ColdStore, part, Rule::EquipmentRetired);
        let unit = stored(scene);
        let placed = scene.world().placed(unit.unit, zone, "chilled");
        scene.refuse_bare(Who::ColdStore, placed, Rule::EquipmentRetired);
    }

    fn a_policy_is_adopted_version_by_version_by_the_root_authority(scene) {
        let mut body = scene.world().temperature_policy("chilled");
        scene.refuse_bare(Who::CityAuthority, body.clone(), Rule::Right);
        body.version = 2;
        scene.refuse_bare(Who::Root, body.clone(), Rule::PolicyVersion);
        body.version = 1;
        scene.admit_bare(Who::Root, body.clone());
        scene.refuse_bare(Who::Root, body.clone(), Rule::PolicyVersion);
        body.version = 2;
        body.text.high_milli_c = Some(5_000);
        scene.admit_bare(Who::Root, body.clone());
        let view = scene.stage.view();
        let found = view.folded().temperature_policy("chilled").unwrap();
        assert_eq!(found, Some((2, body.text)));
        assert_eq!(view.folded().temperature_policy("chill").unwrap(), None);
    }

    fn segments_are_sealed_in_order_by_the_probes_owner(scene) {
        let (_, zone, probe) = store(scene);
        let from_ms = scene.world().now_ms - 60 * MINUTE_MS;
        let first = segment(probe, 0, &minutely(from_ms, 30, 3_000));
        let second = segment(probe, 1, &minutely(from_ms + 20 * MINUTE_MS, 30, 3_100));
        scene.refuse_bare(Who::ColdStore, second.clone(), Rule::SegmentNumber);
        scene.refuse_bare(Who::Producer, first.clone(), Rule::Right);
        scene.refuse_bare(Who::ColdStore, segment(zone, 0, &minutely(from_ms, 2, 0)), Rule::EquipmentUnfit);
        let unknown = EquipmentId::from_bytes([9; 10]);
        scene.refuse_bare(Who::ColdStore, segment(unknown, 0, &minutely(from_ms, 2, 0)), Rule::EquipmentUnknown);
        let future = segment(probe, 0, &minutely(from_ms + 86_400_000, 2, 0));
        scene.refuse_bare(Who::ColdStore, future, Rule::EventAhead);
        scene.admit_bare(Who::ColdStore, first.clone());
        scene.refuse_bare(Who::ColdStore, first.clone(), Rule::SegmentNumber);
        // Its time overlaps the first's: that is how late readings come.
        scene.admit_bare(Who::ColdStore, second.clone());
        let view = scene.stage.view();
        let found = segments_of(&view, &probe, 0, 10).unwrap();
        let found: Vec<_> = found.into_iter().map(|state| state.segment).collect();
        assert_eq!(found, [first.segment(), second.segment()]);
        assert_eq!(segments_of(&view, &probe, 1, 10).unwrap().len(), 1);
        let state = view.folded().equipment(&probe).unwrap().unwrap();
        assert_eq!((state.next_segment, state.sealed_until_ms), (2, Some(second.last_ms)));
    }

    fn goods_are_placed_by_who_has_them_under_a_policy_for_their_class(scene) {
        let (store, zone, probe) = store(scene);
        let unit = scene.world().unit();
        let body = scene.world().placed(unit.unit, zone, "chilled");
        scene.refuse_bare(Who::ColdStore, body.clone(), Rule::UnitUnknown);
        scene.admit_bare(Who::Producer, unit.clone());
        // Nothing of it is in the store yet.
        scene.refuse_bare(Who::ColdStore, body, Rule::NotHolder);
        let (entered, openings) = scene.world().warehouse_in(unit.unit, "100 斤");
        scene.admit(Who::ColdStore, entered, openings);
        let mut body = scene.world().placed(unit.unit, zone, "chilled");
        body.policy = "frozen".into();
        scene.refuse_bare(Who::ColdStore, body.clone(), Rule::PolicyUnknown);
        let mut frozen = scene.world().temperature_policy("frozen");
        let others = [ProductClass::TeaLeaf, ProductClass::Other];
        frozen.text.product_classes = others.into_iter().filter(|class| *class != unit.product_class).collect();
        scene.admit_bare(Who::Root, frozen);
        scene.refuse_bare(Who::ColdStore, body.clone(), Rule::PolicyUnknown);
        body.policy = "chilled".into();
        let mut in_probe = body.clone();
        in_probe.equipment = probe;
        scene.refuse_bare(Who::ColdStore, in_probe, Rule::EquipmentUnfit);
        let mut early = body.clone();
        early.happened.at_ms -= 3 * 86_400_000;
        scene.refuse_bare(Who::ColdStore, early, Rule::BeforeProduction);
        let mut ahead = body.clone();
        ahead.happened.at_ms += 86_400_000;
        scene.refuse_bare(Who::ColdStore, ahead, Rule::EventAhead);
        scene.refuse_bare(Who::Producer, body.clone(), Rule::Right);
        let index = scene.admit_bare(Who::ColdStore, body.clone());
        scene.refuse_bare(Who::ColdStore, body, Rule::StayOpen);
        // The producer has the rest in hand, and a vehicle of its own.
        let vehicle = registered(scene, Who::Producer, EquipmentKind::Vehicle, None);
        let own = scene.world().placed(unit.unit, vehicle, "chilled");
        scene.admit_bare(Who::Producer, own);

        let out = scene.world().taken_out(unit.unit, store);
        scene.refuse_bare(Who::ColdStore, out.clone(), Rule::StayMissing);
        let mut out = scene.world().taken_out(unit.unit, zone);
        scene.refuse_bare(Who::Producer, out.clone(), Rule::Right);
        out.happened.at_ms -= 3_600_000;
        scene.refuse_bare(Who::ColdStore, out.clone(), Rule::ImpossibleOrder);
        out.happened.at_ms += 86_400_000;
        scene.refuse_bare(Who::ColdStore, out, Rule::EventAhead);
        let out = scene.world().taken_out(unit.unit, zone);
        let end = scene.admit_bare(Who::ColdStore, out.clone());
        scene.refuse_bare(Who::ColdStore, out.clone(), Rule::StayMissing);
        let stays = scene.stage.view().folded().stays(&unit.unit).unwrap();
        assert_eq!((stays.stays[0].placed_index, stays.stays[0].version), (index, 1));
        assert_eq!(stays.stays[0].taken_out, Some((out.happened.at_ms, end)));
        assert!(stays.open(&vehicle).is_some() && stays.open(&zone).is_none());
    }

    fn a_unit_is_placed_a_bounded_number_of_times(scene) {
        let (_, zone, _) = store(scene);
        let unit = stored(scene);
        for _ in 0..STAYS_MAX {
            let placed = scene.world().placed(unit.unit, zone, "chilled");
            scene.admit_bare(Who::ColdStore, placed);
            let out = scene.world().taken_out(unit.unit, zone);
            scene.admit_bare(Who::ColdStore, out);
        }
        let placed = scene.world().placed(unit.unit, zone, "chilled");
        scene.refuse_bare(Who::ColdStore, placed, Rule::TooMany);
    }

    fn a_ledger_under_an_older_set_knows_no_equipment(scene) {
        *scene = under_set_1();
        let adopted = scene.world().rule_set_adopted(2);
        scene.admit(Who::Root, adopted, Openings::default());
        let body = scene.world().equipment(Who::ColdStore, EquipmentKind::ColdStore, None);
        scene.refuse_bare(Who::ColdStore, body.clone(), Rule::RuleSet);
        let adopted = scene.world().rule_set_adopted(3);
        scene.admit(Who::Root, adopted, Openings::default());
        scene.admit_bare(Who::ColdStore, body);
    }
}
