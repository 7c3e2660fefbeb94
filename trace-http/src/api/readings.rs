//! How readings get in over HTTP: batches in JSON or binary, and files as loggers
//! export them, read by a mapping that is given or saved by equipment.
//!
//! Readings come from whoever owns the probe and are durable when they are
//! answered; sent again, they are counted once. When the disk is behind, a batch
//! is refused whole with 429 and a time to wait, and nothing is dropped.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    extract::{FromRequest, Path, Request, State},
    http::{HeaderMap, StatusCode, header},
    response::Response,
};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use trace_core::{
    error::{Invalid, Rule},
    ident::EquipmentId,
    ledger::{Failed, View, readings::Taken, tokens::TokenGrant},
    record::{cold_chain::EquipmentKind, readings, rights::Registry, temperature::Reading},
    rules::ColdFacts,
};
use utoipa::ToSchema;

use super::{
    answer::{found, json, to_json},
    bearer::Bearer,
    cold::readings_of,
    office::{Office, beside},
};
use crate::{
    body::{CsvBody, JsonBody, OctetBody, Parameters, parse_json},
    language::Language,
    loggers::{
        Mapping, Plan, Said,
        shelf::Shelf,
        table::{self, Complaint, Table},
    },
    problem::{Problem, Refusal},
};

/// Readings of several probes.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadingsOrder {
    /// By probe.
    probes: Vec<ProbeReadings>,
}

/// Readings of one probe.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProbeReadings {
    /// Which probe.
    #[schema(example = "Q-0000-0000-0000-0000-0")]
    probe: String,
    /// Time in milliseconds since the epoch, and thousandths of a degree
    /// Celsius, each.
    #[schema(value_type = Vec<Vec<i64>>, example = json!([[1_780_000_000_000_u64, -18_400]]))]
    readings: Vec<(u64, i32)>,
}

/// What became of readings.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReadingsTaken {
    /// Stored now.
    fresh: u64,
    /// Exact repeats of what was there already.
    known: u64,
    /// Of a logger's file: what was read of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<FileRead>,
}

/// What was read of a logger's file.
#[derive(Debug, Serialize, ToSchema)]
pub struct FileRead {
    /// Rows that held anything.
    rows: u64,
    /// Cells without a reading, by what stands there; none of them became one.
    no_reading: BTreeMap<String, u64>,
    /// Rows that were left out, the first of them; with `rows=valid` alone.
    complaints: Vec<Complaint>,
    /// How many there were.
    complaint_count: u64,
}

/// How a logger's file is read.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileQuery {
    equipment: Option<String>,
    mapping: Option<String>,
    #[serde(default)]
    rows: Rows,
}

/// Which rows of a file are taken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Rows {
    #[default]
    All,
    Valid,
}

/// Readings by probe.
type ByProbe = Vec<(EquipmentId, Vec<Reading>)>;

/// What was sent: a batch in JSON or in the binary form of
/// [`readings`](trace_core::record::readings), or a logger's file.
#[derive(Debug)]
pub enum Sent {
    /// Readings by probe.
    Batch(Vec<(EquipmentId, Vec<Reading>)>),
    /// A file of CSV.
    File(Bytes),
}

impl FromRequest<Arc<Office>> for Sent {
    type Rejection = Problem;

    async fn from_request(request: Request, office: &Arc<Office>) -> Result<Self, Problem> {
        let media = request.headers().get(header::CONTENT_TYPE);
        let is = |media_type: &[u8]| media.is_some_and(|it| it.as_bytes().starts_with(media_type));
        if is(b"application/octet-stream") {
            let OctetBody(bytes) = OctetBody::from_request(request, office).await?;
            return Ok(Self::Batch(readings::decode(&bytes)?));
        }
        if is(b"text/csv") {
            let CsvBody(bytes) = CsvBody::from_request(request, office).await?;
            return Ok(Self::File(bytes));
        }
        let JsonBody(order) = JsonBody::<ReadingsOrder>::from_request(request, office).await?;
        let mut batch = Vec::with_capacity(order.probes.len());
        for ProbeReadings { probe, readings } in order.probes {
            let readings = readings
                .into_iter()
                .map(|(at_ms, temperature_milli_c)| Reading {
                    at_ms,
                    temperature_milli_c,
                });
            batch.push((EquipmentId::parse(&probe)?, readings.collect()));
        }
        Ok(Self::Batch(batch))
    }
}

/// `POST /v1/readings`.
pub async fn append(
    State(office): State<Arc<Office>>,
    Bearer(token): Bearer,
    Parameters(query): Parameters<FileQuery>,
    headers: HeaderMap,
    sent: Sent,
) -> Result<Response, Problem> {
    let store = readings_of(&office)?;
    let view = office.view();
    let now_ms = office.now_ms();
    let ahead_ms = view
        .folded()
        .policy()?
        .map_or(0, |policy| policy.signed_ahead_max_ms);
    let (batch, file) = match sent {
        Sent::Batch(_) if query.equipment.is_some() || query.mapping.is_some() => {
            let what = "equipment and mapping are of a logger's file: send it as text/csv";
            return Err(Problem::new(Refusal::QueryUnexpected).detail(what));
        }
        Sent::Batch(batch) => (batch, None),
        Sent::File(bytes) => {
            let plan = plan(&office, &view, &token, &query, &headers)?;
            let language = Language::preferred(&headers);
            let latest_ms = now_ms.saturating_add(ahead_ms);
            let read = move || table::read(&bytes, &plan, latest_ms, language);
            let table = beside(read)
                .await?
                .map_err(|said| malformed(&said, language))?;
            let (batch, file) = taken_of(table, query.rows)?;
            (batch, Some(file))
        }
    };
    for (probe, _) in &batch {
        is_own(&view, &token, probe)?;
    }
    let stored = beside(move || store.append(batch, now_ms, ahead_ms)).await?;
    let Taken { fresh, known } = stored.map_err(not_now)?;
    Ok(json(
        StatusCode::CREATED,
        to_json(&ReadingsTaken { fresh, known, file })?,
    ))
}

/// A queue that is full is said as such, with how long to wait.
fn not_now(failed: Failed) -> Problem {
    match failed {
        Failed::Invalid(invalid) if invalid.rule == Rule::Busy => {
            Problem::new(Refusal::ReadingsBusy).detail(invalid.what)
        }
        other => other.into(),
    }
}

/// The readings of a file, unless some of it is wrong and all of it is wanted.
fn taken_of(table: Table, rows: Rows) -> Result<(ByProbe, FileRead), Problem> {
    if table.complaint_count > 0 && rows == Rows::All {
        let count = table.complaint_count;
        let first = table.complaints.first();
        let first = first
            .map(|it| format!("{}: {}", it.row, it.why))
            .unwrap_or_default();
        let complaints = serde_json::to_value(&table.complaints).unwrap_or_default();
        return Err(Problem::new(Refusal::TableMalformed)
            .detail(first)
            .field("complaint_count", count)
            .field("complaints", complaints));
    }
    let file = FileRead {
        rows: table.rows,
        no_reading: table.no_reading,
        complaints: table.complaints,
        complaint_count: table.complaint_count,
    };
    Ok((table.probes.into_iter().collect(), file))
}

/// The mapping that is given, or that is saved for the equipment named.
fn plan(
    office: &Office,
    view: &View,
    token: &TokenGrant,
    query: &FileQuery,
    headers: &HeaderMap,
) -> Result<Plan, Problem> {
    let Some(equipment) = &query.equipment else {
        let what = "of which equipment? wanted equipment= and its id";
        return Err(Problem::new(Refusal::QueryUnexpected).detail(what));
    };
    let equipment = EquipmentId::parse(equipment)?;
    let kind = owned(view, token, &equipment)?;
    let mapping = match &query.mapping {
        Some(given) => parse_json(given.as_bytes())?,
        None => shelf(office)?.get(&equipment)?.ok_or_else(|| {
            Problem::new(Refusal::MappingAbsent).detail(format!("none is saved for {equipment}"))
        })?,
    };
    let probe = (kind == EquipmentKind::Probe).then_some(equipment);
    let language = Language::preferred(headers);
    Plan::new(mapping, probe).map_err(|said| malformed(&said, language))
}

fn malformed(said: &Said, language: Language) -> Problem {
    Problem::new(Refusal::MappingMalformed).detail(said.of(language))
}

/// `POST /v1/equipment/{id}/mapping`.
pub async fn save_mapping(
    State(office): State<Arc<Office>>,
    Bearer(token): Bearer,
    Path(id): Path<String>,
    headers: HeaderMap,
    JsonBody(mapping): JsonBody<Mapping>,
) -> Result<Response, Problem> {
    let view = office.readable()?;
    let equipment = EquipmentId::parse(&id)?;
    let kind = owned(&view, &token, &equipment)?;
    let probe = (kind == EquipmentKind::Probe).then_some(equipment);
    let language = Language::preferred(&headers);
    let plan = Plan::new(mapping.clone(), probe).map_err(|said| malformed(&said, language))?;
    for probe in plan.probes() {
        is_own(&view, &token, &probe)?;
    }
    let shelf = shelf(&office)?.clone();
    let saved = mapping.clone();
    beside(move || shelf.put(&equipment, &saved)).await??;
    Ok(json(StatusCode::CREATED, to_json(&mapping)?))
}

/// `GET /v1/equipment/{id}/mapping`.
pub async fn mapping(
    State(office): State<Arc<Office>>,
    Bearer(token): Bearer,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let view = office.readable()?;
    let equipment = EquipmentId::parse(&id)?;
    if view.folded().equipment(&equipment)?.is_none() {
        let what = format!("equipment {equipment} is not registered");
        return Err(Problem::new(Refusal::NotOnLedger).detail(what));
    }
    owned(&view, &token, &equipment)?;
    let shelf = shelf(&office)?.clone();
    match beside(move || shelf.get(&equipment)).await?? {
        Some(mapping) => found(&mapping),
        None => Err(Problem::new(Refusal::NotOnLedger)
            .detail(format!("no mapping is saved for {equipment}"))),
    }
}

fn shelf(office: &Office) -> Result<&Shelf, Problem> {
    office
        .mappings
        .as_ref()
        .ok_or_else(|| Problem::new(Refusal::ReadOnly).detail("this server keeps no mappings"))
}

/// What kind of equipment it is, when the token's entity owns it.
fn owned(
    view: &View,
    token: &TokenGrant,
    equipment: &EquipmentId,
) -> Result<EquipmentKind, Problem> {
    let Some(state) = view.folded().equipment(equipment)? else {
        let what = format!("equipment {equipment} is not registered");
        return Err(Invalid::new(Rule::EquipmentUnknown, what).into());
    };
    match token.grant.entity == Some(state.entity) {
        true => Ok(state.kind),
        false => {
            let what = format!("{equipment} belongs to another than the token's entity");
            Err(Invalid::new(Rule::Right, what).into())
        }
    }
}

/// The token's entity owns the probe.
///
/// # Errors
/// [`Rule::EquipmentUnknown`], [`Rule::EquipmentUnfit`] or [`Rule::Right`].
pub(super) fn is_own(view: &View, token: &TokenGrant, probe: &EquipmentId) -> Result<(), Problem> {
    let state = view.folded().equipment(probe)?;
    if state.is_some_and(|state| state.kind != EquipmentKind::Probe) {
        let what = format!("{probe} is no probe");
        return Err(Invalid::new(Rule::EquipmentUnfit, what).into());
    }
    owned(view, token, probe).map(drop)
}
