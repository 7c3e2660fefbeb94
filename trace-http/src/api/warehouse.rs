//! `POST /v1/warehouse/in` and `POST /v1/warehouse/out`: goods enter or leave
//! the cold store of the token's entity.

use std::{future::ready, sync::Arc};

use axum::{extract::State, response::Response};
use serde::{Deserialize, Serialize};
use trace_core::{
    ident::{EntityId, TraceCode, parse_ms},
    ledger::View,
    record::{
        Body, Quantity,
        kinds::{warehouse_in::WarehouseIn, warehouse_out::WarehouseOut},
        section::{Opening, Openings},
        warehouse::{WarehouseEntry, WarehouseTrade},
    },
};
use utoipa::ToSchema;

use super::{
    certificates::Links,
    office::{Office, civil_offset_minutes},
    orders::{Given, Order, OrderRecord, made},
};
use crate::{machine, problem::Problem};

/// Goods that enter or leave a cold store. When and at what temperature is
/// public; how much, for whom, where and by which vehicle is not.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MoveOrder {
    /// The trace code.
    #[schema(example = "000G-40R4-0M30-E209-P")]
    unit: String,
    /// How much, with its unit.
    #[schema(example = "20 箱×5 公斤")]
    quantity: String,
    /// When, with its offset (RFC 3339); now where left out.
    #[schema(example = "2026-05-11T04:00:00+08:00")]
    at: Option<String>,
    /// Temperature of the goods in thousandths of a degree Celsius.
    #[schema(example = -18_000)]
    temperature_milli_c: Option<i32>,
    /// The other side, where it is an entity of this ledger.
    counterparty: Option<String>,
    /// The other side, where it is a firm outside it.
    counterparty_name: Option<String>,
    /// Position in the store.
    position: Option<String>,
    /// Vehicle plate.
    vehicle: Option<String>,
}

/// What was entered in the ledger.
#[derive(Debug, Serialize, ToSchema)]
pub struct MoveAnswer {
    /// The unit.
    #[schema(value_type = String)]
    trace_code: TraceCode,
    /// What was made, with receipts.
    records: Vec<OrderRecord>,
    /// Where to look.
    links: Links,
}

/// `POST /v1/warehouse/in`.
pub async fn enter(
    State(office): State<Arc<Office>>,
    order: Order<MoveOrder>,
) -> Result<Response, Problem> {
    record(&office, order, |entry| WarehouseIn(entry).into()).await
}

/// `POST /v1/warehouse/out`.
pub async fn leave(
    State(office): State<Arc<Office>>,
    order: Order<MoveOrder>,
) -> Result<Response, Problem> {
    record(&office, order, |entry| WarehouseOut(entry).into()).await
}

async fn record(
    office: &Office,
    order: Order<MoveOrder>,
    kind: fn(WarehouseEntry) -> Body,
) -> Result<Response, Problem> {
    let fulfilled = office.carry_out(order, |view, given, wanted| {
        ready(entry(office, &view, &given, wanted).map(|(entry, trade)| {
            let openings = Openings {
                trade: Some(trade),
                persons: Vec::new(),
            };
            vec![given.state(kind(entry), openings)]
        }))
    });
    let fulfilled = fulfilled.await?;
    let trace_code = fulfilled.said("movement", |body| match body {
        Body::WarehouseIn(body) => Some(body.0.unit),
        Body::WarehouseOut(body) => Some(body.0.unit),
        _ => None,
    })?;
    let is_repeat = fulfilled.is_repeat;
    let answer = MoveAnswer {
        trace_code,
        links: Links::of(office, trace_code),
        records: fulfilled.into_records(),
    };
    made(is_repeat, &answer)
}

fn entry(
    office: &Office,
    view: &View,
    given: &Given,
    order: MoveOrder,
) -> Result<(WarehouseEntry, Opening), Problem> {
    let counterparty = order.counterparty.as_deref().map(EntityId::parse);
    let trade = WarehouseTrade {
        quantity: Quantity::parse(&order.quantity)?,
        counterparty: counterparty.transpose()?,
        counterparty_name: order.counterparty_name,
        position: order.position,
        vehicle: order.vehicle,
    };
    let trade = Opening::new(machine::random(), &trade);
    let offset_minutes = civil_offset_minutes(view)?;
    let entry = WarehouseEntry {
        unit: TraceCode::parse(&order.unit)?,
        at_ms: match &order.at {
            Some(text) => parse_ms(text)?,
            None => office.now_ms(),
        },
        offset_minutes: i16::try_from(offset_minutes).unwrap_or_default(),
        temperature_milli_c: order.temperature_milli_c,
        trade: trade.commitment(),
        acted_by: given.acted_by(),
    };
    Ok((entry, trade))
}
