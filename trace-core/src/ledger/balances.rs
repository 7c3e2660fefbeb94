//! The balance of an entity, or of an area with all in it, over a period: what
//! came, went and ended, and what is held at its end, of each product in each
//! measure.
//!
//! Read from flows: an entity's are all its days; an area's are its total, and
//! the days since the period began of every entity in it, so that the cost is
//! the area's and the period's, not the ledger's. Amounts are trade: they are
//! for the entity itself and for inspectors.

use super::flow::Flow;
use super::view::View;
use super::{Failed, rows};
use crate::error::Store;
use crate::ident::{Area, CivilDate, EntityId};
use crate::record::quantity::BaseUnit;
use crate::record::rights::Registry;
use std::collections::BTreeMap;

/// From a day to a day, both with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    /// The first day; none begins with the ledger.
    pub first: Option<CivilDate>,
    /// The last day.
    pub last: CivilDate,
}

/// What became of one product in one measure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductBalance {
    /// 产品名称.
    pub product: String,
    /// Which measure.
    pub base: BaseUnit,
    /// What came, went and ended within the period.
    pub flow: Flow,
    /// Held when the period began. Below nothing where something is said to have
    /// left on a day before the one on which it is said to have come.
    pub held_before: i64,
    /// Held when it ended.
    pub held: i64,
}

/// What is added up for each product and measure.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    within: Flow,
    /// Net of all before the end.
    held: i128,
}

type Products = BTreeMap<(String, BaseUnit), Sums>;

impl Period {
    fn begins(&self) -> i32 {
        self.first.map_or(i32::MIN, CivilDate::days)
    }
}

/// The balance of an entity; nothing of one that is not registered.
///
/// # Errors
/// From the store.
pub fn of_entity(
    view: &View,
    entity: EntityId,
    period: Period,
) -> Result<Vec<ProductBalance>, Failed> {
    let Some(state) = view.folded().entity(&entity)? else {
        return Ok(Vec::new());
    };
    let mut products = Products::new();
    let prefix = rows::flows_of(state.area, &entity);
    days(view, &prefix, &prefix, |day, base, product, flow| {
        if day > period.last.days() {
            return;
        }
        let sums = products.entry((product.to_owned(), base)).or_default();
        sums.held += flow.net();
        if day >= period.begins() {
            sums.within.add(flow);
        }
    })?;
    Ok(told(products))
}

/// The balance of an area: of all entities registered in it.
///
/// # Errors
/// From the store.
pub fn of_area(view: &View, area: Area, period: Period) -> Result<Vec<ProductBalance>, Failed> {
    let mut products = Products::new();
    let mut broken = None;
    let from = rows::totals_of(area.code());
    view.folded().visit(rows::TOTALS, &from, |key, value| {
        let is_within = |code| Area::try_from(code).is_ok_and(|it| area.covers(it));
        match (rows::total_of(key), rows::decode::<Flow>("flow", value)) {
            (Some((code, base, product)), Ok(flow)) if is_within(code) => {
                let sums = products.entry((product.to_owned(), base)).or_default();
                sums.held += flow.net();
                true
            }
            (_, Err(error)) => {
                broken = Some(error);
                false
            }
            _ => false,
        }
    })?;
    if let Some(error) = broken {
        return Err(error.into());
    }
    let mut after = None;
    while let Some((code, entity)) = next_entity(view, area, after)? {
        let prefix = rows::flows_of(code, &entity);
        let from = rows::on_day(prefix.clone(), period.begins());
        days(view, &prefix, &from, |day, base, product, flow| {
            let sums = products.entry((product.to_owned(), base)).or_default();
            match day > period.last.days() {
                true => sums.held -= flow.net(),
                false => sums.within.add(flow),
            }
        })?;
        after = Some((code, entity));
    }
    Ok(told(products))
}

/// The next entity of an area that has flows, in the order of areas and ids.
pub(super) fn next_entity(
    view: &View,
    area: Area,
    after: Option<(u32, EntityId)>,
) -> Result<Option<(u32, EntityId)>, Store> {
    let from = match after {
        // Behind every day that a row of this entity could have.
        Some((code, entity)) => [rows::flows_of(code, &entity), vec![u8::MAX; 5]].concat(),
        None => [rows::FLOWS, &area.code().to_be_bytes()].concat(),
    };
    let mut next = None;
    view.folded().visit(rows::FLOWS, &from, |key, _| {
        next = rows::flow_of(key).map(|(code, entity, ..)| (code, entity));
        false
    })?;
    Ok(next.filter(|(code, _)| Area::try_from(*code).is_ok_and(|it| area.covers(it))))
}

/// Shows `take` an entity's flows from a key on: day, measure, product.
pub(super) fn days(
    view: &View,
    prefix: &[u8],
    from: &[u8],
    mut take: impl FnMut(i32, BaseUnit, &str, &Flow),
) -> Result<(), Store> {
    view.folded()
        .values(prefix, from, usize::MAX, "flow", |key, flow: Flow| {
            if let Some((_, _, day, base, product)) = rows::flow_of(key) {
                take(day, base, product, &flow);
            }
        })
}

fn told(products: Products) -> Vec<ProductBalance> {
    let narrow = |sum: i128| {
        let sum = sum.clamp(i64::MIN.into(), i64::MAX.into());
        i64::try_from(sum).unwrap_or_default()
    };
    // What came only after the period is none of it.
    let there = products
        .into_iter()
        .filter(|(_, sums)| sums.held != 0 || sums.within != Flow::default());
    let told = there.map(|((product, base), sums)| {
        let before = sums.held - sums.within.net();
        ProductBalance {
            product,
            base,
            flow: sums.within,
            held_before: narrow(before),
            held: narrow(sums.held),
        }
    });
    told.collect()
}
