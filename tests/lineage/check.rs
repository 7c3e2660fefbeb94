//! What a ledger says of units, against the model: where all of each is, who
//! holds it, and what bars it.

use super::plain::Model;
use std::collections::BTreeMap;
use trace_core::ident::{Area, TraceCode};
use trace_core::ledger::View;
use trace_core::ledger::balances::{self, Period, ProductBalance};
use trace_core::ledger::lineage;
use trace_core::ledger::lookup::Lookup;
use trace_core::record::Status;
use trace_core::record::movement::Manner;
use trace_core::record::quantity::BaseUnit;
use trace_core::record::status::Reason;
use trace_fixtures::{Who, World};

/// The model's units, in order.
pub fn codes(model: &Model) -> Vec<TraceCode> {
    let mut codes: Vec<TraceCode> = model.units.keys().copied().collect();
    codes.sort_unstable();
    codes
}

/// Where all of every unit is, and with whom.
pub fn balances(view: &View, model: &Model, world: &World) {
    for code in codes(model) {
        let unit = &model.units[&code];
        let found = lineage::balance(view, code).unwrap().unwrap();
        let balance = found.balance;
        assert!(balance.adds_up(found.made), "{found:?}");
        let gone = |manner| unit.disposed.get(&manner).copied().unwrap_or(0);
        let wanted = [
            (found.made, unit.amount),
            (balance.held, unit.held()),
            (balance.in_transit, model.in_transit(&code)),
            (balance.gained, unit.gained),
            (balance.lost, unit.lost),
            (balance.unexplained, unit.unexplained),
            (balance.outside, unit.outside),
            (balance.transformed, unit.used),
            (balance.sold, gone(Manner::Sold)),
            (balance.consumed, gone(Manner::Consumed)),
            (balance.destroyed, gone(Manner::Destroyed)),
            (balance.returned, gone(Manner::Returned)),
            (found.stored, unit.stored),
        ];
        for (found, wanted) in wanted {
            assert_eq!(found, wanted, "{code} {balance:?}");
        }
        let mut found = lineage::holders(view, code, None, 100).unwrap();
        found.sort_unstable();
        let lots = unit.lots.iter().filter(|(_, lot)| lot.amount > 0);
        let mut wanted: Vec<_> = lots
            .map(|(place, lot)| (world.id(Who::ALL[*place]), lot.amount))
            .collect();
        wanted.sort_unstable();
        assert_eq!(found, wanted, "{code}");
    }
}

/// What each entity holds in all, and its area, against what the model's lots
/// add up to.
pub fn entities(view: &View, model: &Model, world: &World) {
    let period = Period {
        first: None,
        last: world.today().add_days(400).unwrap(),
    };
    let held = |found: Vec<ProductBalance>| {
        let mut sums: BTreeMap<BaseUnit, i64> = BTreeMap::new();
        for product in found {
            assert!(product.held >= 0 && product.held_before == 0, "{product:?}");
            *sums.entry(product.base).or_default() += product.held;
        }
        sums.retain(|_, sum| *sum != 0);
        sums
    };
    let mut all: BTreeMap<BaseUnit, i64> = BTreeMap::new();
    for (place, who) in Who::ALL.iter().enumerate() {
        let mut wanted: BTreeMap<BaseUnit, i64> = BTreeMap::new();
        for unit in model.units.values() {
            let lot = unit.lots.get(&place).map_or(0, |lot| lot.amount);
            for sums in [&mut wanted, &mut all] {
                *sums.entry(unit.measure).or_default() += i64::try_from(lot).unwrap();
            }
        }
        wanted.retain(|_, sum| *sum != 0);
        let found = balances::of_entity(view, world.id(*who), period).unwrap();
        assert_eq!(held(found), wanted, "{who:?}");
    }
    all.retain(|_, sum| *sum != 0);
    let found = balances::of_area(view, Area::HEBEI, period).unwrap();
    assert_eq!(held(found), all);
}

/// What bars a unit, by look-up; its status.
pub fn barred(lookup: &mut Lookup<'_>, model: &Model, code: TraceCode) -> Status {
    let (hold, recall) = model.barred(&code);
    let answer = lookup.unit(code, 0, 1).unwrap().unwrap();
    let marked = [(Status::Recalled, recall), (Status::OnHold, hold)];
    let wanted = marked.iter().find(|(_, index)| index.is_some());
    let is_barred = [Status::Recalled, Status::OnHold].contains(&answer.status);
    match wanted {
        Some((status, _)) => assert_eq!(answer.status, *status, "{code}"),
        None => assert!(!is_barred, "{code}: {:?}", answer.status),
    }
    assert_eq!(index_of(&answer.reasons, "recall"), recall, "{code}");
    assert_eq!(index_of(&answer.reasons, "hold"), hold, "{code}");
    answer.status
}

/// The record that decides a check.
pub fn index_of(reasons: &[Reason], check: &str) -> Option<u64> {
    let mut reasons = reasons.iter();
    reasons.find(|reason| reason.check == check).unwrap().index
}
