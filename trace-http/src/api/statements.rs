//! `POST /v1/statements`: whatever a token's role may say, signed by its entity's
//! hosted key. The other orders fill in what can be filled in; this one states
//! what it is given.

use std::{future::ready, sync::Arc};

use axum::{extract::State, response::Response};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use trace_core::ledger::job::Item;
use utoipa::ToSchema;

use super::{
    office::Office,
    orders::{Given, Order, OrderRecord, made},
    prepare::{PersonOrder, assemble, place_token},
};
use crate::problem::Problem;

/// What to state.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StatementOrder {
    /// The kind's name, one of `/v1/kinds`.
    #[schema(example = "held")]
    kind: String,
    /// The body's fields by name, without `acted_by` and without the commitments
    /// `trade` and `persons`.
    #[schema(value_type = Object)]
    statement: Value,
    /// The trade section's fields by name, where the kind has one.
    #[schema(value_type = Option<Object>)]
    trade: Option<Value>,
    /// The persons named, in order.
    #[serde(default)]
    persons: Vec<PersonOrder>,
}

/// What was stated.
#[derive(Debug, Serialize, ToSchema)]
pub struct StatementAnswer {
    /// What was made, with receipts.
    records: Vec<OrderRecord>,
}

/// `POST /v1/statements`.
pub async fn state(
    State(office): State<Arc<Office>>,
    order: Order<StatementOrder>,
) -> Result<Response, Problem> {
    let fulfilled = office.carry_out(order, |_, given, wanted| ready(draft(&given, wanted)));
    let fulfilled = fulfilled.await?;
    let is_repeat = fulfilled.is_repeat;
    let records = fulfilled.into_records();
    made(is_repeat, &StatementAnswer { records })
}

/// The record of an order.
pub(crate) fn draft(given: &Given, order: StatementOrder) -> Result<Vec<Item>, Problem> {
    let mut statement = order.statement;
    place_token(&order.kind, &mut statement, given.token.id)?;
    let assembled = assemble(&order.kind, statement, order.trade, order.persons)?;
    Ok(vec![given.state(assembled.body, assembled.openings)])
}
