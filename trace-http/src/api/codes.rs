//! A trace code: what is true now, the story, the proofs; and the same as one
//! file. By code, or by the number of one of its certificates.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use trace_core::{
    ident::TraceCode,
    ledger::{Failed, View, bundling, lookup::Audience, tokens::TokenGrant},
    proof::bundle::Bundle,
    record::{rights::Registry, wire::check_number},
};

use super::{
    answer::{json_for, not_on_ledger, to_json},
    bearer::MaybeBearer,
    office::{Office, beside},
    reading::all,
    sight::Sight,
};
use crate::{
    body::Parameters,
    problem::{Problem, Refusal},
};

/// Which part of a story.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Page {
    #[serde(default)]
    from: u64,
    #[serde(default = "all")]
    limit: usize,
    purpose: Option<String>,
}

/// `GET /v1/codes/{code}`.
pub async fn unit(
    State(office): State<Arc<Office>>,
    MaybeBearer(token): MaybeBearer,
    Path(code): Path<String>,
    Parameters(page): Parameters<Page>,
) -> Result<Response, Problem> {
    let code = parse(&code)?;
    answer(&office, token, code, code.to_string(), page).await
}

/// `GET /v1/certificates/{number}`: the answer about its trace unit.
pub async fn certificate(
    State(office): State<Arc<Office>>,
    MaybeBearer(token): MaybeBearer,
    Path(number): Path<String>,
    Parameters(page): Parameters<Page>,
) -> Result<Response, Problem> {
    check_number(&number)?;
    let view = office.view();
    let code = office
        .lookup(&view, Audience::Public)?
        .certificate(&number)?;
    let Some(code) = code else {
        return Err(not_on_ledger(number));
    };
    answer(&office, token, code, format!("certificate {number}"), page).await
}

/// `GET /v1/codes/{code}/bundle`.
pub async fn bundle(
    State(office): State<Arc<Office>>,
    Path(code): Path<String>,
) -> Result<Response, Problem> {
    let code = parse(&code)?;
    // Reads and proves up to a thousand records and hashes up to a million
    // readings: not on a thread that others are waiting for.
    let made = beside(move || bundle_of(&office, &office.view(), code));
    let bundle = made.await??.ok_or_else(|| not_on_ledger(code))?;
    let name = format!("attachment; filename=\"{}.bundle.json\"", code.compact());
    let name = HeaderValue::try_from(name).map_err(|_| Problem::new(Refusal::Failed))?;
    let headers = [
        (
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        ),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
        (header::CONTENT_DISPOSITION, name),
    ];
    Ok((headers, bundle.encode()).into_response())
}

/// The bundle of a code at one moment, with readings where they are kept.
///
/// # Errors
/// As of [`bundling::bundle_with`].
pub(crate) fn bundle_of(
    office: &Office,
    view: &View,
    code: TraceCode,
) -> Result<Option<Bundle>, Failed> {
    let signer = office.signer();
    match &office.readings {
        Some(readings) => bundling::bundle_with(view, signer, code, readings, office.now_ms()),
        None => bundling::bundle(view, signer, code),
    }
}

/// Reads a code; a malformed one is named by its character.
pub(crate) fn parse(code: &str) -> Result<TraceCode, Problem> {
    TraceCode::parse(code)
        .map_err(|invalid| Problem::from(invalid).field("trace_status", "malformed"))
}

async fn answer(
    office: &Office,
    token: Option<TokenGrant>,
    code: TraceCode,
    looked_up: String,
    page: Page,
) -> Result<Response, Problem> {
    let view = office.view();
    let audience = audience(&view, token.as_ref(), code)?;
    let answer = office
        .lookup(&view, audience)?
        .unit(code, page.from, page.limit)?
        .ok_or_else(|| not_on_ledger(code))?;
    let bytes = to_json(&answer)?;
    if let (Audience::Full, Some(token)) = (audience, token) {
        office.log_lookup(&token, looked_up, page.purpose).await?;
    }
    Ok(json_for(audience, bytes))
}

/// In full for those who oversee the unit's maker, or through whose area it went.
pub(crate) fn audience(
    view: &View,
    token: Option<&TokenGrant>,
    code: TraceCode,
) -> Result<Audience, Failed> {
    let made = view.folded().unit(&code)?.and_then(|unit| unit.made);
    let oversees = match made {
        Some(made) => Sight::new(view, token).sees(code, &made.entity)?,
        None => false,
    };
    Ok(match oversees {
        true => Audience::Full,
        false => Audience::Public,
    })
}
