//! What anyone may ask besides a trace code: records, entities, units by other
//! codes, the changes of the log, and what the ledger is.

use std::sync::{Arc, LazyLock};

use axum::{
    Extension,
    extract::{Path, State},
    response::Response,
};
use serde::{Deserialize, Serialize};
use trace_core::{
    ident::{EntityId, Gtin, Lot, TraceCode},
    ledger::{
        Failed, View,
        lookup::{Audience, Lookup, PAGE_RECORDS_MAX, RecordsAnswer},
        tokens::TokenGrant,
    },
    record::{Hash, Status, kinds, rights::Registry, text},
};
use utoipa::ToSchema;

use super::{
    answer::{fixed, found, json_for, not_on_ledger, to_json},
    bearer::MaybeBearer,
    office::Office,
    sight::Sight,
};
use crate::{body::Parameters, problem::Problem, server::Peer};

/// Where a page begins and how long it is.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Page {
    #[serde(default)]
    from: u64,
    #[serde(default = "all")]
    limit: usize,
}

/// Which codes.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CodesPage {
    after: Option<String>,
    #[serde(default = "all")]
    limit: usize,
}

/// Which part of the log.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangesPage {
    after: Option<u64>,
    #[serde(default = "all")]
    limit: usize,
    purpose: Option<String>,
}

/// As many as a page may hold, where nobody says how many.
pub(super) fn all() -> usize {
    PAGE_RECORDS_MAX
}

/// Units that another code means, each with what is true of it now.
#[derive(Debug, Serialize, ToSchema)]
pub struct UnitsAnswer {
    pub(crate) units: Vec<UnitLine>,
    /// Give this as `after` for the next page, when there is one.
    #[schema(value_type = Option<String>, example = "000G-40R4-0M30-E209-P")]
    next_after: Option<TraceCode>,
    /// What the ledger showed when it answered, a signed note.
    checkpoint: String,
}

/// One of several units.
#[derive(Debug, Serialize, ToSchema)]
pub struct UnitLine {
    /// Its trace code.
    #[schema(value_type = String, example = "000G-40R4-0M30-E209-P")]
    pub(crate) code: TraceCode,
    /// What is true now.
    #[schema(value_type = String, example = "valid")]
    status: Status,
    /// In words, English.
    pub(crate) status_words: &'static str,
    /// In words, Chinese.
    pub(crate) status_words_zh: &'static str,
}

/// What a reader must have to check everything else.
#[derive(Debug, Serialize, ToSchema)]
pub struct AnchorAnswer {
    /// The ledger's name.
    #[schema(example = "langfang.example/trace")]
    origin: String,
    /// Key and leaf 0 in one line, as the command line takes it.
    anchor: String,
    /// The key that signs checkpoints (C2SP signed-note).
    ledger_key: String,
    /// The leaf hash of the first record, hexadecimal.
    leaf0: String,
}

/// `GET /v1/records/{hash}`.
pub async fn record(
    State(office): State<Arc<Office>>,
    Path(hash): Path<String>,
) -> Result<Response, Problem> {
    let hash: Hash = hash.parse()?;
    let view = office.view();
    let answer = office.lookup(&view, Audience::Public)?.record(&hash)?;
    found(&answer.ok_or_else(|| not_on_ledger(format_args!("record {hash}")))?)
}

/// `GET /v1/entities/{id}`.
pub async fn entity(
    State(office): State<Arc<Office>>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let id = EntityId::parse(&id)?;
    let view = office.view();
    let answer = office.lookup(&view, Audience::Public)?.entity(id)?;
    found(&answer.ok_or_else(|| not_on_ledger(id))?)
}

/// `GET /v1/entities/{id}/certificates`.
pub async fn issued(
    State(office): State<Arc<Office>>,
    Path(id): Path<String>,
    Parameters(page): Parameters<Page>,
) -> Result<Response, Problem> {
    let id = EntityId::parse(&id)?;
    let view = office.view();
    if view.folded().entity(&id)?.is_none() {
        return Err(not_on_ledger(id));
    }
    let mut lookup = office.lookup(&view, Audience::Public)?;
    found(&lookup.issued(id, page.from, page.limit)?)
}

/// `GET /v1/units/{gtin}/{lot}`.
pub async fn units(
    State(office): State<Arc<Office>>,
    peer: Option<Extension<Peer>>,
    Path((gtin, lot)): Path<(String, String)>,
    Parameters(page): Parameters<CodesPage>,
) -> Result<Response, Problem> {
    let address = peer.map(|Extension(peer)| peer.0.ip());
    office.pace.take(address, office.now_ms())?;
    let (gtin, lot) = (Gtin::parse(&gtin)?, Lot::parse(&lot)?);
    let after = page.after.as_deref().map(TraceCode::parse).transpose()?;
    let limit = page.limit.clamp(1, PAGE_RECORDS_MAX);
    let view = office.view();
    let lookup = office.lookup(&view, Audience::Public)?;
    let codes = lookup.gtin_lot(gtin.as_u64(), lot.as_str(), after, limit)?;
    let next_after = (codes.len() == limit)
        .then(|| codes.last().copied())
        .flatten();
    found(&lines(&view, lookup, &codes, next_after)?)
}

/// `GET /v1/foreign/{code}`.
pub async fn foreign(
    State(office): State<Arc<Office>>,
    Path(code): Path<String>,
) -> Result<Response, Problem> {
    text::check("code", &code, 4, 80)?;
    let view = office.view();
    let lookup = office.lookup(&view, Audience::Public)?;
    let codes = lookup.foreign(&code)?;
    found(&lines(&view, lookup, &codes, None)?)
}

/// Each of these units with what is true of it now.
///
/// # Errors
/// [`Store`](trace_core::error::Store).
pub(crate) fn lines(
    view: &View,
    mut lookup: Lookup<'_>,
    codes: &[TraceCode],
    next_after: Option<TraceCode>,
) -> Result<UnitsAnswer, Failed> {
    let mut units = Vec::with_capacity(codes.len());
    for code in codes {
        if let Some(answer) = lookup.unit(*code, 0, 1)? {
            units.push(UnitLine {
                code: *code,
                status: answer.status,
                status_words: answer.status_words,
                status_words_zh: answer.status_words_zh,
            });
        }
    }
    Ok(UnitsAnswer {
        units,
        next_after,
        checkpoint: view.checkpoint().note().to_owned(),
    })
}

/// `GET /v1/changes`: the log behind an index, to be asked for again from the
/// last index that came.
pub async fn changes(
    State(office): State<Arc<Office>>,
    MaybeBearer(token): MaybeBearer,
    Parameters(page): Parameters<ChangesPage>,
) -> Result<Response, Problem> {
    let from = page.after.map_or(0, |after| after.saturating_add(1));
    let view = office.view();
    let mut answer = office
        .lookup(&view, Audience::Public)?
        .changes(from, page.limit)?;
    let Some(token) = token else {
        return Ok(json_for(Audience::Public, to_json(&answer)?));
    };
    let opened = open_within(&office, &view, &token, &mut answer)?;
    let bytes = to_json(&answer)?;
    let (Some(first), Some(last)) = (opened.first(), opened.last()) else {
        return Ok(json_for(Audience::Public, bytes));
    };
    let looked_up = format!("changes {first}-{last}: {} records", opened.len());
    office.log_lookup(&token, looked_up, page.purpose).await?;
    Ok(json_for(Audience::Full, bytes))
}

/// Shows in full what was signed by entities whom the token oversees; the
/// indexes of these.
fn open_within(
    office: &Office,
    view: &View,
    token: &TokenGrant,
    answer: &mut RecordsAnswer,
) -> Result<Vec<u64>, Failed> {
    let mut full = office.lookup(view, Audience::Full)?;
    let mut sight = Sight::new(view, Some(token));
    let mut opened = Vec::new();
    for record in &mut answer.records {
        if !sight.oversees(&record.signer.entity)? {
            continue;
        }
        if let Some(whole) = full.changes(record.index, 1)?.records.pop() {
            opened.push(record.index);
            *record = whole;
        }
    }
    Ok(opened)
}

/// `GET /v1/anchor`.
pub async fn anchor(State(office): State<Arc<Office>>) -> Result<Response, Problem> {
    let anchor = office.anchor()?;
    found(&AnchorAnswer {
        origin: anchor.ledger_key.name().to_owned(),
        anchor: anchor.to_string(),
        ledger_key: anchor.ledger_key.to_string(),
        leaf0: anchor.leaf0.to_string(),
    })
}

/// `GET /v1/kinds`.
pub async fn kinds() -> Response {
    static KINDS: LazyLock<String> = LazyLock::new(|| kinds::schemas().to_string());
    fixed("application/json", KINDS.as_str())
}
