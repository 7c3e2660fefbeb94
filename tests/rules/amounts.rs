//! Quantities are conserved, to the gram: certified, stored, and taken out.

use super::scene::{Scene, scenarios};
use trace_core::error::Rule;
use trace_core::record::Quantity;
use trace_core::record::kinds::unit_created::UnitCreated;
use trace_core::record::quantity::BaseUnit;
use trace_core::record::section::{Opening, Openings};
use trace_core::record::warehouse::WarehouseTrade;
use trace_core::record::{Body, Hash};
use trace_fixtures::Who;

/// 1,000 斤 of leeks: 500,000 g.
fn unit(scene: &mut Scene) -> UnitCreated {
    let unit = scene.world().unit();
    assert_eq!(unit.quantity.base_amount(), 500_000);
    scene.admit_bare(Who::Producer, unit.clone());
    unit
}

fn certificate(scene: &mut Scene, unit: &UnitCreated, quantity: Quantity) -> (Body, Openings) {
    let (mut body, openings) = scene.world().certificate(unit);
    body.0.quantity = quantity;
    (body.into(), openings)
}

fn grams(amount: u64) -> Quantity {
    Quantity::of_base(amount, BaseUnit::Gram).unwrap()
}

scenarios! {
    fn no_more_is_certified_than_was_made(scene) {
        let unit = unit(scene);
        let (body, openings) = certificate(scene, &unit, grams(500_001));
        scene.refuse(Who::Producer, body, openings, Rule::QuantityExceeded);
        let (body, openings) = certificate(scene, &unit, grams(499_999));
        let most = scene.record(Who::Producer, body, openings);
        let (body, openings) = certificate(scene, &unit, grams(2));
        scene.refuse(Who::Producer, body, openings, Rule::QuantityExceeded);
        let (body, openings) = certificate(scene, &unit, grams(1));
        scene.admit(Who::Producer, body, openings);
        let (body, openings) = certificate(scene, &unit, grams(1));
        scene.refuse(Who::Producer, body, openings, Rule::QuantityExceeded);
        // What no longer stands certifies nothing.
        let voided = scene.world().voided(&most);
        scene.admit_bare(Who::Producer, voided);
        let (body, openings) = certificate(scene, &unit, grams(500_000));
        scene.refuse(Who::Producer, body, openings, Rule::QuantityExceeded);
        let (body, openings) = certificate(scene, &unit, grams(499_999));
        scene.admit(Who::Producer, body, openings);
    }

    fn a_quantity_is_stated_in_the_unit_s_own_measure(scene) {
        let unit = unit(scene);
        for text in ["3 件", "2 升", "1 箱×3 件"] {
            let quantity = Quantity::parse(text).unwrap();
            let (body, openings) = certificate(scene, &unit, quantity);
            scene.refuse(Who::Producer, body, openings, Rule::QuantityUnit);
            let (body, openings) = scene.world().warehouse_in(unit.unit, text);
            scene.refuse(Who::ColdStore, body, openings, Rule::QuantityUnit);
            let (body, openings) = scene.world().warehouse_out(unit.unit, text);
            scene.refuse(Who::ColdStore, body, openings, Rule::QuantityUnit);
        }
        // Other words for the same measure are the same.
        for text in ["3 公斤", "1 箱×3 斤", "0.01 吨"] {
            let (body, openings) = certificate(scene, &unit, Quantity::parse(text).unwrap());
            scene.admit(Who::Producer, body, openings);
            let (body, openings) = scene.world().warehouse_in(unit.unit, text);
            scene.admit(Who::ColdStore, body, openings);
        }
    }

    fn no_more_lies_in_stores_than_was_made_and_none_leaves_that_is_not_there(scene) {
        let unit = unit(scene);
        let enter = |scene: &mut Scene, text: &str| scene.world().warehouse_in(unit.unit, text);
        let leave = |scene: &mut Scene, text: &str| scene.world().warehouse_out(unit.unit, text);
        let (body, openings) = leave(scene, "1 克");
        scene.refuse(Who::ColdStore, body, openings, Rule::QuantityExceeded);
        let (body, openings) = enter(scene, "500001 克");
        scene.refuse(Who::ColdStore, body, openings, Rule::QuantityExceeded);
        let (body, openings) = enter(scene, "1000 斤");
        scene.admit(Who::ColdStore, body, openings);
        let (body, openings) = enter(scene, "1 克");
        scene.refuse(Who::ColdStore, body, openings, Rule::QuantityExceeded);
        let (body, openings) = leave(scene, "500001 克");
        scene.refuse(Who::ColdStore, body, openings, Rule::QuantityExceeded);
        let (body, openings) = leave(scene, "200 公斤");
        scene.admit(Who::ColdStore, body, openings);
        let (body, openings) = leave(scene, "300001 克");
        scene.refuse(Who::ColdStore, body, openings, Rule::QuantityExceeded);
        let (body, openings) = leave(scene, "300 公斤");
        scene.admit(Who::ColdStore, body, openings);
        let (body, openings) = leave(scene, "1 克");
        scene.refuse(Who::ColdStore, body, openings, Rule::QuantityExceeded);
        // What left may come back.
        let (body, openings) = enter(scene, "1 克");
        scene.admit(Who::ColdStore, body, openings);
    }

    fn one_store_does_not_let_out_what_lies_in_another(scene) {
        let unit = unit(scene);
        let (body, openings) = scene.world().warehouse_in(unit.unit, "10 斤");
        scene.admit(Who::ColdStore, body, openings);
        // The buyer keeps a cold store of its own.
        let granted = scene.world().role_granted(Who::Buyer, trace_core::record::Role::ColdStore);
        scene.admit_bare(Who::CountyAuthority, granted);
        let (body, openings) = scene.world().warehouse_out(unit.unit, "1 斤");
        scene.refuse(Who::Buyer, body.clone(), openings.clone(), Rule::QuantityExceeded);
        // Both together hold no more than was made.
        let (all, all_openings) = scene.world().warehouse_in(unit.unit, "991 斤");
        scene.refuse(Who::Buyer, all, all_openings, Rule::QuantityExceeded);
        let (rest, rest_openings) = scene.world().warehouse_in(unit.unit, "990 斤");
        scene.admit(Who::Buyer, rest, rest_openings);
        scene.admit(Who::Buyer, body, openings);
    }

    fn a_section_is_the_one_that_was_committed_to(scene) {
        let unit = unit(scene);
        let (body, openings) = scene.world().warehouse_in(unit.unit, "10 斤");
        let trade = openings.trade.clone().unwrap();
        let mut less: WarehouseTrade =
            trace_core::record::encode::decode("trade", &trade.bytes).unwrap();
        less.quantity = "1 克".parse().unwrap();
        let spoilt = Opening { salt: [0; 16], bytes: trade.bytes.clone() };
        for wrong in [None, Some(Opening::new(trade.salt, &less)), Some(spoilt)] {
            let wrong = Openings { trade: wrong, persons: Vec::new() };
            scene.refuse(Who::ColdStore, body.clone(), wrong, Rule::Section);
        }
        // A section that opens its commitment and is no trade section.
        let mut odd = body.clone();
        let opening = Opening { salt: trade.salt, bytes: vec![0xff; 40] };
        odd.0.trade = opening.commitment();
        let odd_openings = Openings { trade: Some(opening), persons: Vec::new() };
        scene.refuse(Who::ColdStore, odd, odd_openings, Rule::Record);
        let mut other = body.clone();
        other.0.trade = Hash::ZERO;
        scene.refuse(Who::ColdStore, other, openings.clone(), Rule::Section);
        scene.admit(Who::ColdStore, body, openings);

        // Nor one where there is none, nor one person's for another's.
        let fresh = scene.world().unit();
        let stray = Openings { trade: Some(trade), persons: Vec::new() };
        scene.refuse(Who::Producer, fresh.clone(), stray, Rule::Section);
        scene.admit_bare(Who::Producer, fresh);
        let (body, openings) = certificate(scene, &unit, grams(1));
        scene.refuse_bare(Who::Producer, body.clone(), Rule::Section);
        let twice = Openings {
            trade: None,
            persons: [openings.persons.clone(), openings.persons.clone()].concat(),
        };
        scene.refuse(Who::Producer, body.clone(), twice, Rule::Section);
        scene.admit(Who::Producer, body, openings);
    }
}
