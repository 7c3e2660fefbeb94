//! Through whose hands a unit went: whoever holds or held some of it, to whom
//! some of it was handed, and in whose cold store it lies or lay.
//!
//! Not here: who made it, which the unit itself says, and who may see what
//! follows, which is for whoever answers.

use super::lineage::transfers_of_unit;
use super::view::View;
use super::{Failed, rows};
use crate::ident::{EntityId, TraceCode};
use crate::rules::movements::Holding;
use crate::rules::{ColdFacts, Facts};
use std::collections::BTreeSet;

/// The parties to a unit besides its maker, each once: of holders, and of
/// transfers in the order of the log, `limit` at most. Who has nothing left, or
/// refused what was handed to him, is one still.
///
/// # Errors
/// From the store.
pub fn parties(view: &View, unit: TraceCode, limit: usize) -> Result<BTreeSet<EntityId>, Failed> {
    let folded = view.folded();
    let stays = folded.stays(&unit)?.stays;
    let mut found: BTreeSet<EntityId> = stays.into_iter().map(|stay| stay.entity).collect();
    let stores = folded.stock(&unit)?.held;
    found.extend(stores.into_iter().map(|(store, _)| store));
    // What never moved has no rows to look through.
    if folded.balance(&unit)?.is_none() {
        return Ok(found);
    }
    let prefix = rows::holdings(&unit);
    folded.values(&prefix, &prefix, limit, "holding", |key, _: Holding| {
        found.extend(rows::entity_at_end(key));
    })?;
    for sent in transfers_of_unit(view, unit, 0, limit)? {
        found.insert(sent.transfer.to);
    }
    Ok(found)
}
