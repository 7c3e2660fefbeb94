//! `POST /v1/hold`, `/v1/release`, `/v1/recall` and `/v1/recall-closed`: nothing of
//! a unit moves, nor of what was made from it, or all of it goes back; and the end
//! of either. Who may say which, and about what, the rules decide.

use std::{future::ready, sync::Arc};

use axum::{extract::State, response::Response};
use serde::{Deserialize, Serialize};
use trace_core::{
    error::{Invalid, Rule},
    ident::{TraceCode, parse_ms},
    ledger::{View, job::Item},
    record::{
        Body, Hash,
        kinds::{held::Held, recall_closed::RecallClosed, recalled::Recalled, released::Released},
        movement::RecallOutcome,
    },
};
use utoipa::ToSchema;

use super::{
    certificates::Links,
    cold::plain,
    office::Office,
    orders::{Fulfilled, Given, Order, OrderRecord, made},
};
use crate::problem::Problem;

/// A unit to hold.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HoldOrder {
    /// The unit's trace code.
    unit: String,
    /// Why, 1 to 100 characters; public.
    reason: String,
}

/// A hold to end.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReleaseOrder {
    /// The hash of the record that holds.
    record: String,
    /// Why, 1 to 100 characters; public.
    reason: String,
}

/// A unit to recall, with all that was made from it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RecallOrder {
    /// The unit's trace code.
    unit: String,
    /// It reaches what was made until then, with its offset (RFC 3339); without
    /// end where left out.
    until: Option<String>,
    /// Why, 1 to 100 characters; public.
    reason: String,
}

/// A recall to end.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RecallClosedOrder {
    /// The hash of the record that recalls.
    record: String,
    /// `completed` or `withdrawn`.
    #[schema(value_type = String, example = "completed")]
    outcome: RecallOutcome,
    /// Why, 1 to 100 characters; public.
    reason: String,
}

/// What now holds of a unit.
#[derive(Debug, Serialize, ToSchema)]
pub struct HaltAnswer {
    /// The unit.
    #[schema(value_type = String)]
    trace_code: TraceCode,
    /// What was made, with receipts.
    records: Vec<OrderRecord>,
    /// Where to look.
    links: Links,
}

/// `POST /v1/hold`.
pub async fn hold(
    State(office): State<Arc<Office>>,
    order: Order<HoldOrder>,
) -> Result<Response, Problem> {
    answer(&office, held(&office, order).await?)
}

/// `POST /v1/release`.
pub async fn release(
    State(office): State<Arc<Office>>,
    order: Order<ReleaseOrder>,
) -> Result<Response, Problem> {
    answer(&office, released(&office, order).await?)
}

/// `POST /v1/recall`.
pub async fn recall(
    State(office): State<Arc<Office>>,
    order: Order<RecallOrder>,
) -> Result<Response, Problem> {
    answer(&office, recalled(&office, order).await?)
}

/// `POST /v1/recall-closed`.
pub async fn close_recall(
    State(office): State<Arc<Office>>,
    order: Order<RecallClosedOrder>,
) -> Result<Response, Problem> {
    answer(&office, recall_closed(&office, order).await?)
}

/// Holds a unit.
///
/// # Errors
/// As of [`Office::carry_out`].
pub async fn held(office: &Office, order: Order<HoldOrder>) -> Result<Fulfilled, Problem> {
    let draft = |_: Arc<View>, given: Given, wanted: HoldOrder| -> Result<Vec<Item>, Problem> {
        let body = Held {
            unit: TraceCode::parse(&wanted.unit)?,
            reason: wanted.reason,
            acted_by: given.acted_by(),
        };
        Ok(vec![plain(&given, body)])
    };
    let carried = office.carry_out(order, |view, given, wanted| {
        ready(draft(view, given, wanted))
    });
    carried.await
}

/// Ends a hold.
///
/// # Errors
/// As of [`Office::carry_out`]; [`Rule::TargetUnknown`] for a record that holds
/// nothing.
pub async fn released(office: &Office, order: Order<ReleaseOrder>) -> Result<Fulfilled, Problem> {
    let draft = |view: Arc<View>, given: Given, wanted: ReleaseOrder| -> Result<_, Problem> {
        let target: Hash = wanted.record.parse()?;
        let Body::Held(hold) = recorded(&view, &target)? else {
            return Err(no_target(&target, "holds"));
        };
        let body = Released {
            target,
            unit: hold.unit,
            reason: wanted.reason,
            acted_by: given.acted_by(),
        };
        Ok(vec![plain(&given, body)])
    };
    let carried = office.carry_out(order, |view, given, wanted| {
        ready(draft(view, given, wanted))
    });
    carried.await
}

/// Recalls a unit.
///
/// # Errors
/// As of [`Office::carry_out`].
pub async fn recalled(office: &Office, order: Order<RecallOrder>) -> Result<Fulfilled, Problem> {
    let draft = |_: Arc<View>, given: Given, wanted: RecallOrder| -> Result<_, Problem> {
        let body = Recalled {
            unit: TraceCode::parse(&wanted.unit)?,
            until_ms: wanted.until.as_deref().map(parse_ms).transpose()?,
            reason: wanted.reason,
            acted_by: given.acted_by(),
        };
        Ok(vec![plain(&given, body)])
    };
    let carried = office.carry_out(order, |view, given, wanted| {
        ready(draft(view, given, wanted))
    });
    carried.await
}

/// Ends a recall.
///
/// # Errors
/// As of [`Office::carry_out`]; [`Rule::TargetUnknown`] for a record that recalls
/// nothing.
pub async fn recall_closed(
    office: &Office,
    order: Order<RecallClosedOrder>,
) -> Result<Fulfilled, Problem> {
    let draft = |view: Arc<View>, given: Given, wanted: RecallClosedOrder| -> Result<_, Problem> {
        let target: Hash = wanted.record.parse()?;
        let Body::Recalled(recall) = recorded(&view, &target)? else {
            return Err(no_target(&target, "recalls"));
        };
        let body = RecallClosed {
            target,
            unit: recall.unit,
            outcome: wanted.outcome,
            reason: wanted.reason,
            acted_by: given.acted_by(),
        };
        Ok(vec![plain(&given, body)])
    };
    let carried = office.carry_out(order, |view, given, wanted| {
        ready(draft(view, given, wanted))
    });
    carried.await
}

/// What a record on the ledger says.
///
/// # Errors
/// [`Rule::TargetUnknown`].
pub(super) fn recorded(view: &View, hash: &Hash) -> Result<Body, Problem> {
    let unknown = || {
        let what = format!("record {hash} is not on this ledger");
        Invalid::new(Rule::TargetUnknown, what)
    };
    let index = view.index_of(hash)?.ok_or_else(unknown)?;
    Ok(view.entry(index)?.signed.body()?)
}

fn no_target(hash: &Hash, does: &str) -> Problem {
    let what = format!("record {hash} is not one that {does}");
    Invalid::new(Rule::TargetUnknown, what).into()
}

fn answer(office: &Office, fulfilled: Fulfilled) -> Result<Response, Problem> {
    let trace_code = fulfilled.said("hold or recall", |body| match body {
        Body::Held(body) => Some(body.unit),
        Body::Released(body) => Some(body.unit),
        Body::Recalled(body) => Some(body.unit),
        Body::RecallClosed(body) => Some(body.unit),
        _ => None,
    })?;
    let is_repeat = fulfilled.is_repeat;
    let answer = HaltAnswer {
        trace_code,
        links: Links::of(office, trace_code),
        records: fulfilled.into_records(),
    };
    made(is_repeat, &answer)
}
