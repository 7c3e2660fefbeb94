//! `GET /v1/entities/{id}/findings`: what inspections found at an entity, and
//! how each finding stands on a day. Public, as inspections are.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    response::Response,
};
use serde::Deserialize;
use trace_core::{
    error::{Invalid, Rule},
    ident::{CivilDate, EntityId},
    ledger::lookup::{Audience, FindingsAsked, PAGE_RECORDS_MAX},
    record::{evidence::FindingStanding, rights::Registry},
};

use super::{
    answer::{found, not_on_ledger},
    office::Office,
};
use crate::{body::Parameters, problem::Problem};

/// Which findings.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Page {
    on: Option<String>,
    standing: Option<FindingStanding>,
    after: Option<String>,
    limit: Option<usize>,
}

/// `GET /v1/entities/{id}/findings`.
pub async fn findings(
    State(office): State<Arc<Office>>,
    Path(id): Path<String>,
    Parameters(page): Parameters<Page>,
) -> Result<Response, Problem> {
    let id = EntityId::parse(&id)?;
    let on = page.on.as_deref().map(CivilDate::parse).transpose()?;
    let after = page.after.as_deref().map(place).transpose()?;
    let view = office.view();
    if view.folded().entity(&id)?.is_none() {
        return Err(not_on_ledger(id));
    }
    let asked = FindingsAsked {
        entity: Some(id),
        on,
        standing: page.standing,
        after: after.map(|(index, position)| (id, index, position)),
        limit: page.limit.unwrap_or(PAGE_RECORDS_MAX),
    };
    found(&office.lookup(&view, Audience::Public)?.findings(asked)?)
}

/// Reads the place of a finding, as `17-0`: the inspection's index and which of
/// its findings.
fn place(text: &str) -> Result<(u64, u16), Invalid> {
    let wrong = || Invalid::new(Rule::Range, format!("{text:.60} is no place of a finding"));
    let (index, position) = text.split_once('-').ok_or_else(wrong)?;
    let index = index.parse().map_err(|_| wrong())?;
    Ok((index, position.parse().map_err(|_| wrong())?))
}
