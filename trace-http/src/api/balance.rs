//! `GET /v1/codes/{code}/balance`: where all of a unit is, and with whom.
//!
//! It is trade: shown with a token that sees the unit in full, and logged.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    response::Response,
};
use serde::{Deserialize, Serialize};
use trace_core::{
    ident::{EntityId, TraceCode},
    ledger::{
        Failed, View,
        lineage::{self, UnitBalance},
        lookup::{Audience, Lookup},
    },
    record::quantity::BaseUnit,
};
use utoipa::ToSchema;

use super::{
    answer::{json_for, to_json},
    bearer::Bearer,
    codes::parse,
    office::Office,
    sight::check_sees,
};
use crate::{body::Parameters, problem::Problem};

/// Holders of one page.
const HOLDERS_PAGE_MAX: usize = 100;

/// Which part of the holders.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BalancePage {
    after: Option<String>,
    purpose: Option<String>,
}

/// Where all of a unit is, in base units.
#[derive(Debug, Serialize, ToSchema)]
pub struct BalanceLine {
    /// Of which measure.
    #[schema(value_type = String, example = "gram")]
    pub base: BaseUnit,
    /// Made.
    pub made: u64,
    /// Weighed beyond what was handed over, within the policy.
    pub gained: u64,
    /// Weighed beyond that: an open question.
    pub questioned_gain: u64,
    /// In somebody's hands.
    pub held: u64,
    /// Of that, in cold stores.
    pub stored: u64,
    /// Handed over, not yet received.
    pub in_transit: u64,
    /// Used up for other units.
    pub transformed: u64,
    /// Sold to those who eat it.
    pub sold: u64,
    /// Used.
    pub consumed: u64,
    /// Destroyed.
    pub destroyed: u64,
    /// Returned to somebody outside.
    pub returned: u64,
    /// Handed to somebody outside.
    pub outside: u64,
    /// Missing or lost, within the policy.
    pub lost: u64,
    /// Missing or lost beyond that: an open question.
    pub unexplained: u64,
    /// Whether what came in is what went out, is lost, or is held.
    pub adds_up: bool,
}

/// Who holds how much.
#[derive(Debug, Serialize, ToSchema)]
pub struct HolderLine {
    /// Who.
    #[schema(value_type = String)]
    pub entity: EntityId,
    /// Registered name; none for natural persons.
    pub name: Option<String>,
    /// How much, in base units.
    pub amount: u64,
}

/// The balance of a unit.
#[derive(Debug, Serialize, ToSchema)]
pub struct BalanceAnswer {
    /// Its code.
    #[schema(value_type = String)]
    code: TraceCode,
    /// Who made it.
    #[schema(value_type = String)]
    maker: EntityId,
    /// Where all of it is.
    balance: BalanceLine,
    /// Who holds it, by id.
    holders: Vec<HolderLine>,
    /// Give this as `after` for more holders, where there are more.
    #[schema(value_type = Option<String>)]
    next_after: Option<EntityId>,
    /// What the ledger showed when it answered, a signed note.
    checkpoint: String,
}

impl BalanceLine {
    /// Of what the ledger found.
    #[must_use]
    pub fn of(found: &UnitBalance) -> Self {
        let balance = &found.balance;
        Self {
            base: found.base,
            made: found.made,
            gained: balance.gained,
            questioned_gain: balance.questioned_gain,
            held: balance.held,
            stored: found.stored,
            in_transit: balance.in_transit,
            transformed: balance.transformed,
            sold: balance.sold,
            consumed: balance.consumed,
            destroyed: balance.destroyed,
            returned: balance.returned,
            outside: balance.outside,
            lost: balance.lost,
            unexplained: balance.unexplained,
            adds_up: balance.adds_up(found.made),
        }
    }
}

/// Who holds some of a unit and how much, by id behind `after`.
///
/// # Errors
/// [`Store`](trace_core::error::Store).
pub fn holders(
    view: &View,
    lookup: &mut Lookup<'_>,
    code: TraceCode,
    after: Option<EntityId>,
    limit: usize,
) -> Result<Vec<HolderLine>, Failed> {
    let mut lines = Vec::new();
    for (entity, amount) in lineage::holders(view, code, after, limit)? {
        let name = lookup.party(entity)?.and_then(|party| party.name);
        lines.push(HolderLine {
            entity,
            name,
            amount,
        });
    }
    Ok(lines)
}

/// `GET /v1/codes/{code}/balance`.
pub async fn unit(
    State(office): State<Arc<Office>>,
    bearer: Bearer,
    Path(code): Path<String>,
    Parameters(page): Parameters<BalancePage>,
) -> Result<Response, Problem> {
    let code = parse(&code)?;
    let after = page.after.as_deref().map(EntityId::parse).transpose()?;
    let bytes = {
        let view = office.view();
        let maker = check_sees(&view, &bearer, code)?.entity;
        let found = lineage::balance(&view, code)?;
        let found = found.ok_or_else(|| super::answer::not_on_ledger(code))?;
        let mut lookup = office.lookup(&view, Audience::Public)?;
        let holders = holders(&view, &mut lookup, code, after, HOLDERS_PAGE_MAX)?;
        let last = holders.last().map(|holder| holder.entity);
        to_json(&BalanceAnswer {
            code,
            maker,
            balance: BalanceLine::of(&found),
            next_after: last.filter(|_| holders.len() == HOLDERS_PAGE_MAX),
            holders,
            checkpoint: view.checkpoint().note().to_owned(),
        })?
    };
    let looked_up = format!("balance of {code}");
    office
        .log_lookup(&bearer.0, looked_up, page.purpose)
        .await?;
    Ok(json_for(Audience::Full, bytes))
}
