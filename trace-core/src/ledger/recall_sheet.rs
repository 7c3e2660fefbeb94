//! The rows of a recall: where everything is that was made of a unit, shown one
//! by one while they are found, so that a batch gone into ten thousand hands
//! costs no memory for its rows.
//!
//! Not here: the order in which people want them, and files.

use super::Failed;
use super::lineage::{
    Direction, Open, PAGE, TransferFound, graph_unit, held, page, transfers_of_unit,
};
use super::view::View;
use crate::ident::{EntityId, TraceCode};
use crate::record::quantity::BaseUnit;
use serde::Serialize;
use std::collections::{HashMap, VecDeque};
use std::ops::ControlFlow;

/// What a row of a recall sheet counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Whereabouts {
    /// In somebody's hands.
    Held,
    /// On its way to somebody.
    InTransit,
    /// Sold to those who eat it.
    Sold,
    /// Handed to somebody outside the ledger.
    Outside,
    /// Used.
    Consumed,
    /// Destroyed.
    Destroyed,
    /// Returned.
    Returned,
    /// Lost within the policy.
    Lost,
    /// Unexplained.
    Unexplained,
}

/// A row of a recall sheet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SheetRow {
    /// How many steps from what is recalled.
    pub depth: u32,
    /// Of which unit.
    pub unit: TraceCode,
    /// Its product.
    pub product: String,
    /// Where it is.
    pub whereabouts: Whereabouts,
    /// With whom, where it is with an entity; the giver of what is on its way.
    pub entity: Option<EntityId>,
    /// To whom, of what is on its way.
    pub to: Option<EntityId>,
    /// How much, in base units.
    pub amount: u64,
    /// Of which measure.
    pub base: BaseUnit,
    /// Since when, where that is known.
    pub since_ms: Option<u64>,
}

/// Shows `visit` where everything is that was made of a unit, until then, row by
/// row until it breaks: unit by unit, the nearest first; of each what is held, by
/// holder, what is on its way, and what is gone. Memory: the codes waiting and
/// known, 60 bytes for each unit, and one page of rows.
///
/// # Errors
/// From the store.
pub fn recall_sheet(
    view: &View,
    unit: TraceCode,
    until_ms: Option<u64>,
    mut visit: impl FnMut(SheetRow) -> ControlFlow<()>,
) -> Result<(), Failed> {
    let mut known: HashMap<TraceCode, u32> = HashMap::from([(unit, 0)]);
    let mut waiting = VecDeque::from([unit]);
    while let Some(unit) = waiting.pop_front() {
        let depth = known.get(&unit).copied().unwrap_or(0);
        if unit_rows(view, unit, depth, &mut visit)?.is_break() {
            return Ok(());
        }
        let mut open = Open::at(unit);
        loop {
            let page = page(view, Direction::Forward, &open, PAGE)?;
            let is_last = page.len() < PAGE;
            for (index, child, edge) in page {
                open.after = Some((index, child));
                let is_within = until_ms.is_none_or(|until_ms| edge.at_ms <= until_ms);
                if is_within && !known.contains_key(&child) {
                    known.insert(child, depth.saturating_add(1));
                    waiting.push_back(child);
                }
            }
            if is_last {
                break;
            }
        }
    }
    Ok(())
}

fn unit_rows(
    view: &View,
    unit: TraceCode,
    depth: u32,
    visit: &mut impl FnMut(SheetRow) -> ControlFlow<()>,
) -> Result<ControlFlow<()>, Failed> {
    let Some(found) = graph_unit(view, unit, depth)? else {
        return Ok(ControlFlow::Continue(()));
    };
    let row = |whereabouts, amount| SheetRow {
        depth,
        unit,
        product: found.made.product.clone(),
        whereabouts,
        entity: None,
        to: None,
        amount,
        base: found.made.base,
        since_ms: None,
    };
    let mut after = None;
    loop {
        let page = held(view, unit, after, PAGE)?;
        after = page.last().map(|(entity, _)| *entity);
        for (entity, holding) in &page {
            let row = SheetRow {
                entity: Some(*entity),
                since_ms: Some(holding.since_ms).filter(|since_ms| *since_ms > 0),
                ..row(Whereabouts::Held, holding.amount)
            };
            if visit(row).is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        if page.len() < PAGE {
            break;
        }
    }
    let balance = found.balance.balance;
    if balance.in_transit > 0 {
        let row = row(Whereabouts::InTransit, 0);
        if transit_rows(view, unit, &row, visit)?.is_break() {
            return Ok(ControlFlow::Break(()));
        }
    }
    let gone = [
        (Whereabouts::Sold, balance.sold),
        (Whereabouts::Outside, balance.outside),
        (Whereabouts::Consumed, balance.consumed),
        (Whereabouts::Destroyed, balance.destroyed),
        (Whereabouts::Returned, balance.returned),
        (Whereabouts::Lost, balance.lost),
        (Whereabouts::Unexplained, balance.unexplained),
    ];
    for (whereabouts, amount) in gone.into_iter().filter(|(_, amount)| *amount > 0) {
        if visit(row(whereabouts, amount)).is_break() {
            return Ok(ControlFlow::Break(()));
        }
    }
    Ok(ControlFlow::Continue(()))
}

fn transit_rows(
    view: &View,
    unit: TraceCode,
    row: &SheetRow,
    visit: &mut impl FnMut(SheetRow) -> ControlFlow<()>,
) -> Result<ControlFlow<()>, Failed> {
    let mut from = 0;
    loop {
        let page = transfers_of_unit(view, unit, from, PAGE)?;
        let is_last = page.len() < PAGE;
        for TransferFound { transfer, .. } in page {
            from = transfer.index.saturating_add(1);
            if transfer.arrival.is_some() {
                continue;
            }
            let row = SheetRow {
                entity: Some(transfer.from),
                to: Some(transfer.to),
                since_ms: Some(transfer.at_ms),
                amount: transfer.amount,
                ..row.clone()
            };
            if visit(row).is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        if is_last {
            return Ok(ControlFlow::Continue(()));
        }
    }
}
