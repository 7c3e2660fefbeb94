//! What ends something from a producer's page: a certificate is voided, goods on
//! their way are confirmed or refused. The API's own orders.

use std::{future::ready, sync::Arc};

use axum::{extract::State, http::HeaderMap, response::Response};
use serde::Deserialize;
use serde_json::json;
use trace_core::{
    error::{Invalid, Rule},
    record::{Hash, Quantity, rights::Registry},
    rules::Facts,
};

use crate::{
    api::{
        Office,
        corrections::{self, VoidOrder},
        office::civil_offset_minutes,
        orders::Order,
        statements,
    },
    body::FormBody,
    desk::{
        frame,
        session::{SignedIn, see},
    },
    language::Language,
    problem::Problem,
};

/// A certificate to void.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Voiding {
    number: String,
    reason: String,
    key: String,
}

/// `POST /issue/void`.
pub async fn void(
    State(office): State<Arc<Office>>,
    signed_in: SignedIn,
    headers: HeaderMap,
    filled: Result<FormBody<Voiding>, Problem>,
) -> Response {
    let done = match filled {
        Ok(FormBody(filled)) => voided(&office, &signed_in, filled).await,
        Err(problem) => Err(problem),
    };
    home_or(done, &signed_in, &headers)
}

fn home_or(done: Result<(), Problem>, signed_in: &SignedIn, headers: &HeaderMap) -> Response {
    match done {
        Ok(()) => see("/issue", None),
        Err(problem) => frame::refused(Language::preferred(headers), Some(signed_in), &problem),
    }
}

async fn voided(office: &Office, signed_in: &SignedIn, filled: Voiding) -> Result<(), Problem> {
    let order = json!({"number": filled.number, "reason": filled.reason.trim()}).to_string();
    let named = ("POST", "/v1/void");
    let order: Order<VoidOrder> = Order::read(signed_in.0, filled.key, named, order.as_bytes())?;
    let done = office.carry_out(order, |view, given, wanted| {
        ready(corrections::draft_voided(&view, &given, wanted))
    });
    done.await.map(drop)
}

/// Goods that arrived, or not.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Arriving {
    handed_over: String,
    accepted: String,
    outcome: Arrived,
    key: String,
}

/// How it turned out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Arrived {
    Accepted,
    Refused,
}

/// `POST /issue/receive`.
pub async fn receive(
    State(office): State<Arc<Office>>,
    signed_in: SignedIn,
    headers: HeaderMap,
    filled: Result<FormBody<Arriving>, Problem>,
) -> Response {
    let done = match filled {
        Ok(FormBody(filled)) => received(&office, &signed_in, filled).await,
        Err(problem) => Err(problem),
    };
    home_or(done, &signed_in, &headers)
}

async fn received(office: &Office, signed_in: &SignedIn, filled: Arriving) -> Result<(), Problem> {
    let record: Hash = filled.handed_over.parse()?;
    let view = office.readable()?;
    let unknown = || {
        let what = format!("no goods were handed over by record {record}");
        Invalid::new(Rule::TargetUnknown, what)
    };
    let transfer = view.folded().transfer(&record)?.ok_or_else(unknown)?;
    let made = view
        .folded()
        .unit(&transfer.unit)?
        .and_then(|unit| unit.made);
    let base = made.ok_or_else(unknown)?.base;
    let of_base = |amount| Quantity::of_base(amount, base);
    let sent = of_base(transfer.amount)?;
    let typed = filled.accepted.trim();
    let accepted = match (filled.outcome, typed.is_empty()) {
        (Arrived::Refused, _) => None,
        (Arrived::Accepted, true) => Some(sent),
        (Arrived::Accepted, false) => Some(Quantity::parse(typed)?),
    };
    let trade = match accepted {
        None => json!({"accepted": null, "missing": null, "refused": sent, "excess": null}),
        Some(accepted) => {
            let (came, gone) = (accepted.base_amount(), transfer.amount);
            let missing = gone.checked_sub(came).filter(|it| *it > 0);
            let excess = came.checked_sub(gone).filter(|it| *it > 0);
            // Of what was handed over no more can be accepted than that.
            let accepted = if excess.is_some() { sent } else { accepted };
            json!({
                "accepted": accepted,
                "missing": missing.map(of_base).transpose()?,
                "refused": null,
                "excess": excess.map(of_base).transpose()?,
            })
        }
    };
    let outcome = match (accepted, trade.get("missing")) {
        (None, _) => "refused",
        (Some(_), Some(missing)) if !missing.is_null() => "short",
        _ => "accepted",
    };
    let order = json!({
        "kind": "received",
        "statement": {
            "unit": transfer.unit,
            "handed_over": record,
            "outcome": outcome,
            "happened": {"at_ms": office.now_ms(), "offset_minutes": civil_offset_minutes(&view)?},
            "on_behalf_of": null,
        },
        "trade": trade,
    });
    let named = ("POST", "/v1/statements");
    let bytes = order.to_string();
    let order = Order::read(signed_in.0, filled.key, named, bytes.as_bytes())?;
    let done = office.carry_out(order, |_, given, wanted| {
        ready(statements::draft(&given, wanted))
    });
    done.await.map(drop)
}
