//! `POST /v1/void` and `POST /v1/supersede`: a certificate, or a whole unit, no
//! longer stands. It stays findable and says so.

use std::{future::ready, sync::Arc};

use axum::{extract::State, response::Response};
use serde::{Deserialize, Serialize};
use trace_core::{
    error::{Invalid, Rule},
    ident::TraceCode,
    ledger::{View, job::Item},
    record::{
        Body, Hash,
        kinds::{
            certificate_voided::CertificateVoided, superseded::Superseded, unit_voided::UnitVoided,
            voided::Voided,
        },
        rights::Registry,
        section::Openings,
    },
    rules::{Facts, voiding},
};
use utoipa::ToSchema;

use super::{
    certificates::{self, CertificateOrder, Links},
    office::Office,
    orders::{Given, Order, OrderRecord, made},
};
use crate::problem::Problem;

/// What to void: a certificate by its number, or a whole unit by its code.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VoidOrder {
    /// The certificate's number.
    number: Option<String>,
    /// The unit's trace code, where the whole unit is voided.
    unit: Option<String>,
    /// Why, 1 to 100 characters; public.
    reason: String,
}

/// What was voided.
#[derive(Debug, Serialize, ToSchema)]
pub struct VoidAnswer {
    /// The unit.
    #[schema(value_type = String)]
    trace_code: TraceCode,
    /// The certificate; none where the whole unit was voided.
    certificate_number: Option<String>,
    /// What was made, with receipts.
    records: Vec<OrderRecord>,
    /// Where to look.
    links: Links,
}

/// A certificate and what replaces it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SupersedeOrder {
    /// The number of the certificate that is replaced.
    number: String,
    /// What was wrong, 1 to 100 characters; public.
    reason: String,
    /// The certificate that replaces it: of the same unit where that is given
    /// as `unit`, else of a new one.
    pub(crate) replacement: CertificateOrder,
}

/// `POST /v1/void`.
pub async fn void(
    State(office): State<Arc<Office>>,
    order: Order<VoidOrder>,
) -> Result<Response, Problem> {
    let fulfilled = office.carry_out(order, |view, given, wanted| {
        ready(draft_voided(&view, &given, wanted))
    });
    let fulfilled = fulfilled.await?;
    let (trace_code, certificate_number) = fulfilled.said("voiding", |body| match body {
        Body::Voided(body) => Some((body.unit, body.number.clone())),
        Body::UnitVoided(body) => Some((body.unit, None)),
        Body::CertificateVoided(body) => Some((body.unit, Some(body.number.clone()))),
        _ => None,
    })?;
    let is_repeat = fulfilled.is_repeat;
    let answer = VoidAnswer {
        trace_code,
        certificate_number,
        links: Links::of(&office, trace_code),
        records: fulfilled.into_records(),
    };
    made(is_repeat, &answer)
}

pub(crate) fn draft_voided(
    view: &View,
    given: &Given,
    order: VoidOrder,
) -> Result<Vec<Item>, Problem> {
    let (unit, target) = match (&order.number, &order.unit) {
        (Some(number), None) => certificate_on_ledger(view, number)?,
        (None, Some(code)) => unit_on_ledger(view, TraceCode::parse(code)?)?,
        _ => {
            let what = "wanted either `number` or `unit`";
            return Err(Invalid::new(Rule::Statement, what).into());
        }
    };
    // Where something was made from it, voiding marks that.
    let is_marking = voiding::is_marking(view.folded(), &unit, order.number.as_deref())?;
    let (number, reason, acted_by) = (order.number, order.reason, given.acted_by());
    let body = match (is_marking, number) {
        (true, None) => Body::from(UnitVoided {
            target,
            unit,
            reason,
            acted_by,
        }),
        (true, Some(number)) => Body::from(CertificateVoided {
            target,
            unit,
            number,
            reason,
            acted_by,
        }),
        (false, number) => Body::from(Voided {
            target,
            unit,
            number,
            reason,
            acted_by,
        }),
    };
    Ok(vec![given.state(body, Openings::default())])
}

/// `POST /v1/supersede`: the old certificate is replaced and the new one issued
/// in one.
pub async fn supersede(
    State(office): State<Arc<Office>>,
    order: Order<SupersedeOrder>,
) -> Result<Response, Problem> {
    let made = office.carry_out(order, |view, given, wanted| {
        ready(draft_superseded(&office, &view, &given, wanted))
    });
    certificates::answer(&office, made.await?)
}

pub(crate) fn draft_superseded(
    office: &Office,
    view: &View,
    given: &Given,
    order: SupersedeOrder,
) -> Result<Vec<Item>, Problem> {
    let (unit, target) = certificate_on_ledger(view, &order.number)?;
    let drafted = certificates::draft(office, view, given, order.replacement)?;
    let body = Superseded {
        target,
        unit,
        number: order.number,
        replacement_unit: drafted.unit,
        replacement_number: drafted.number,
        reason: order.reason,
        acted_by: given.acted_by(),
    };
    let mut items = vec![given.state(body, Openings::default())];
    items.extend(drafted.items);
    Ok(items)
}

/// The unit of a certificate and the hash of its record.
fn certificate_on_ledger(view: &View, number: &str) -> Result<(TraceCode, Hash), Problem> {
    let unknown = || {
        let what = format!("certificate {number} is not on this ledger");
        Invalid::new(Rule::TargetUnknown, what)
    };
    trace_core::record::wire::check_number(number)?;
    let code = view
        .folded()
        .certificate_unit(number)?
        .ok_or_else(unknown)?;
    let unit = view.folded().unit(&code)?.ok_or_else(unknown)?;
    let held = unit.certificate(number).ok_or_else(unknown)?;
    Ok((code, held.hash))
}

fn unit_on_ledger(view: &View, code: TraceCode) -> Result<(TraceCode, Hash), Problem> {
    let unknown = || Invalid::new(Rule::TargetUnknown, format!("{code} is not on this ledger"));
    let made = view.folded().unit(&code)?.and_then(|unit| unit.made);
    Ok((code, made.ok_or_else(unknown)?.hash))
}
