//! The cold chain over HTTP: equipment, what is placed in it, readings sealed, and
//! how a unit was kept. How readings get in is in `readings`.
//!
//! Readings lie beside the log until a segment of them is sealed by a record. How a
//! unit was kept is public: where it was cold and where not is what a shopper asks.

use std::{future::ready, sync::Arc};

use axum::{
    extract::{Path, State},
    response::Response,
};
use serde::{Deserialize, Serialize};
use trace_core::{
    error::{Invalid, Rule},
    ident::{Area, EntityId, EquipmentId, TraceCode, parse_ms},
    ledger::{
        View,
        cold_chain::{self, Kept},
        readings::Readings,
    },
    record::{
        Body,
        cold_chain::{Calibration, EquipmentKind, EquipmentState},
        kinds::{
            equipment_registered::EquipmentRegistered, placed::Placed,
            segment_sealed::SegmentSealed, taken_out::TakenOut,
        },
        movement::Moment,
        rights::Registry,
        section::Openings,
        wire::Day,
    },
    rules::ColdFacts,
};
use utoipa::ToSchema;

use super::{
    answer::{found, not_on_ledger},
    codes::parse,
    office::{Office, beside, civil_offset_minutes},
    orders::{Fulfilled, Given, Order, OrderRecord, made},
    readings::is_own,
};
use crate::{
    body::Parameters,
    machine,
    problem::{Problem, Refusal},
};

/// Most pieces of equipment on one page.
const PAGE_EQUIPMENT_MAX: usize = 100;

/// A piece of equipment to register.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EquipmentOrder {
    /// `cold_store`, `zone`, `vehicle`, `container` or `probe`.
    #[schema(value_type = String, example = "probe")]
    kind: EquipmentKind,
    /// What it is part of: a probe of a zone, a zone of a store.
    #[schema(example = "Q-0000-0000-0000-0000-0")]
    part_of: Option<String>,
    /// What people call it.
    #[schema(example = "1号库东侧探头")]
    name: String,
    /// Six digits of where it is; the entity's own where left out.
    #[schema(example = "131022")]
    area: Option<String>,
    /// The maker's serial number.
    serial: Option<String>,
    /// Of a probe: the day of its calibration.
    #[schema(value_type = Option<String>, example = "2026-03-01")]
    calibrated_on: Option<Day>,
    /// Of a probe: the last day on which that holds.
    #[schema(value_type = Option<String>, example = "2027-02-28")]
    calibration_due: Option<Day>,
}

/// A unit to be placed in a piece of equipment.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PlaceOrder {
    /// The trace code.
    #[schema(example = "000G-40R4-0M30-E209-P")]
    unit: String,
    /// The equipment's id.
    #[schema(example = "Q-0000-0000-0000-0000-0")]
    equipment: String,
    /// The code of the temperature policy.
    #[schema(example = "chilled-meat")]
    policy: String,
    /// When, with its offset (RFC 3339); now where left out.
    at: Option<String>,
}

/// A unit to be taken out of a piece of equipment.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TakeOutOrder {
    /// The trace code.
    #[schema(example = "000G-40R4-0M30-E209-P")]
    unit: String,
    /// The equipment's id.
    #[schema(example = "Q-0000-0000-0000-0000-0")]
    equipment: String,
    /// When, with its offset (RFC 3339); now where left out.
    at: Option<String>,
}

/// Readings of a probe to be sealed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SealOrder {
    /// Which probe.
    #[schema(example = "Q-0000-0000-0000-0000-0")]
    probe: String,
    /// The readings up to this time (RFC 3339); all where left out, at most
    /// 65,536 of them.
    until: Option<String>,
}

/// What was entered in the ledger.
#[derive(Debug, Serialize, ToSchema)]
pub struct ColdAnswer {
    /// The equipment.
    #[schema(value_type = String)]
    equipment: EquipmentId,
    /// What was made, with receipts.
    records: Vec<OrderRecord>,
}

/// An entity's equipment.
#[derive(Debug, Serialize, ToSchema)]
pub struct EquipmentAnswer {
    /// By id.
    equipment: Vec<EquipmentLine>,
    /// Give this as `after` for the next page, when there is one.
    #[schema(value_type = Option<String>)]
    next_after: Option<EquipmentId>,
}

/// A piece of equipment.
#[derive(Debug, Serialize, ToSchema)]
pub struct EquipmentLine {
    /// Its id.
    #[schema(value_type = String)]
    equipment: EquipmentId,
    /// What the ledger knows of it.
    #[serde(flatten)]
    #[schema(value_type = Object)]
    state: EquipmentState,
}

/// Which equipment.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EquipmentPage {
    after: Option<String>,
    #[serde(default = "all")]
    limit: usize,
}

fn all() -> usize {
    PAGE_EQUIPMENT_MAX
}

/// `POST /v1/equipment`.
pub async fn register(
    State(office): State<Arc<Office>>,
    order: Order<EquipmentOrder>,
) -> Result<Response, Problem> {
    let fulfilled = office.carry_out(order, |view, given, wanted| {
        ready(equipment(&view, &given, wanted).map(|body| vec![plain(&given, body)]))
    });
    let fulfilled = fulfilled.await?;
    let equipment = fulfilled.said("equipment", |body| match body {
        Body::EquipmentRegistered(body) => Some(body.equipment),
        _ => None,
    })?;
    answered(fulfilled, equipment)
}

fn equipment(
    view: &View,
    given: &Given,
    order: EquipmentOrder,
) -> Result<EquipmentRegistered, Problem> {
    let area = match order.area {
        Some(area) => area.parse::<Area>()?,
        None => {
            let entity = view.folded().entity(&given.entity)?;
            Area::try_from(entity.map_or(0, |entity| entity.area))?
        }
    };
    let calibration = match (order.calibrated_on, order.calibration_due) {
        (Some(on), Some(due)) => Some(Calibration { on, due }),
        (None, None) => None,
        _ => {
            let what = "calibrated_on and calibration_due belong together";
            return Err(Invalid::new(Rule::Statement, what).into());
        }
    };
    Ok(EquipmentRegistered {
        equipment: EquipmentId::from_bytes(machine::random()),
        kind: order.kind,
        part_of: order
            .part_of
            .as_deref()
            .map(EquipmentId::parse)
            .transpose()?,
        name: order.name,
        area: area.into(),
        serial: order.serial,
        calibration,
        acted_by: given.acted_by(),
    })
}

/// `POST /v1/placed`.
pub async fn place(
    State(office): State<Arc<Office>>,
    order: Order<PlaceOrder>,
) -> Result<Response, Problem> {
    let at = Arc::clone(&office);
    let fulfilled = office.carry_out(order, |view, given, wanted| {
        let body = || -> Result<Placed, Problem> {
            Ok(Placed {
                unit: TraceCode::parse(&wanted.unit)?,
                equipment: EquipmentId::parse(&wanted.equipment)?,
                happened: moment(&at, &view, wanted.at.as_deref())?,
                policy: wanted.policy.clone(),
                acted_by: given.acted_by(),
            })
        };
        ready(body().map(|body| vec![plain(&given, body)]))
    });
    let fulfilled = fulfilled.await?;
    let equipment = fulfilled.said("placing", |body| match body {
        Body::Placed(body) => Some(body.equipment),
        _ => None,
    })?;
    answered(fulfilled, equipment)
}

/// `POST /v1/taken-out`.
pub async fn take_out(
    State(office): State<Arc<Office>>,
    order: Order<TakeOutOrder>,
) -> Result<Response, Problem> {
    let at = Arc::clone(&office);
    let fulfilled = office.carry_out(order, |view, given, wanted| {
        let body = || -> Result<TakenOut, Problem> {
            Ok(TakenOut {
                unit: TraceCode::parse(&wanted.unit)?,
                equipment: EquipmentId::parse(&wanted.equipment)?,
                happened: moment(&at, &view, wanted.at.as_deref())?,
                acted_by: given.acted_by(),
            })
        };
        ready(body().map(|body| vec![plain(&given, body)]))
    });
    let fulfilled = fulfilled.await?;
    let equipment = fulfilled.said("taking out", |body| match body {
        Body::TakenOut(body) => Some(body.equipment),
        _ => None,
    })?;
    answered(fulfilled, equipment)
}

/// `POST /v1/segments`: the probe's oldest unsealed readings become its next
/// segment. Goes on to its end when the client leaves: a segment that the ledger
/// admitted is confirmed beside it too.
pub async fn seal(
    State(office): State<Arc<Office>>,
    order: Order<SealOrder>,
) -> Result<Response, Problem> {
    let sealing = tokio::spawn(async move { sealed(&office, order).await });
    sealing.await.map_err(|_| Problem::new(Refusal::Failed))?
}

async fn sealed(office: &Arc<Office>, order: Order<SealOrder>) -> Result<Response, Problem> {
    let store = readings_of(office)?;
    let fulfilled = office.carry_out(order, |view, given, wanted| {
        let store = store.clone();
        async move {
            let probe = EquipmentId::parse(&wanted.probe)?;
            is_own(&view, &given.token, &probe)?;
            let until_ms = wanted.until.as_deref().map(parse_ms).transpose()?;
            let until_ms = until_ms.unwrap_or(u64::MAX);
            let next = view
                .folded()
                .equipment(&probe)?
                .map_or(0, |state| state.next_segment);
            let sealing = move || cold_chain::to_seal(&store, &probe, next, until_ms);
            let body = SegmentSealed::of(beside(sealing).await??, given.acted_by());
            Ok(vec![plain(&given, body)])
        }
    });
    let fulfilled = fulfilled.await?;
    let (equipment, number) = fulfilled.said("segment", |body| match body {
        Body::SegmentSealed(body) => Some((body.probe, body.number)),
        _ => None,
    })?;
    beside(move || store.confirm(&equipment, number)).await??;
    answered(fulfilled, equipment)
}

/// `GET /v1/codes/{code}/temperatures`.
pub async fn temperatures(
    State(office): State<Arc<Office>>,
    Path(code): Path<String>,
) -> Result<Response, Problem> {
    found(&kept_of(&office, parse(&code)?, 0).await?)
}

/// How a unit was kept, with its course in so many columns.
///
/// # Errors
/// [`Refusal::NotOnLedger`], also for a unit that was placed nowhere.
pub(crate) async fn kept_of(
    office: &Office,
    code: TraceCode,
    columns: u32,
) -> Result<Kept, Problem> {
    let (store, view, now_ms) = (readings_of(office)?, office.view(), office.now_ms());
    if view
        .folded()
        .unit(&code)?
        .is_none_or(|unit| unit.made.is_none())
    {
        return Err(not_on_ledger(code));
    }
    // Goes through all readings of its stays.
    let judging = move || cold_chain::kept_and_drawn(&view, &store, &code, now_ms, columns);
    beside(judging).await??.ok_or_else(|| {
        Problem::new(Refusal::NotOnLedger).detail(format!("{code} was placed in no equipment"))
    })
}

/// `GET /v1/entities/{id}/equipment`.
pub async fn equipment_of(
    State(office): State<Arc<Office>>,
    Path(id): Path<String>,
    Parameters(page): Parameters<EquipmentPage>,
) -> Result<Response, Problem> {
    let id = EntityId::parse(&id)?;
    let after = page.after.as_deref().map(EquipmentId::parse).transpose()?;
    let limit = page.limit.clamp(1, PAGE_EQUIPMENT_MAX);
    let view = office.view();
    // Of a log that cannot be read, its index says nothing either.
    view.entry(0)?;
    if view.folded().entity(&id)?.is_none() {
        return Err(not_on_ledger(id));
    }
    let all = cold_chain::equipment_of(&view, &id, after, limit)?;
    let last = all.last().map(|(id, _)| *id);
    let next_after = last.filter(|_| all.len() == limit);
    let lines = all
        .into_iter()
        .map(|(equipment, state)| EquipmentLine { equipment, state });
    found(&EquipmentAnswer {
        equipment: lines.collect(),
        next_after,
    })
}

pub(super) fn answered(fulfilled: Fulfilled, equipment: EquipmentId) -> Result<Response, Problem> {
    let is_repeat = fulfilled.is_repeat;
    let records = fulfilled.into_records();
    made(is_repeat, &ColdAnswer { equipment, records })
}

pub(super) fn plain(given: &Given, body: impl Into<Body>) -> trace_core::ledger::job::Item {
    given.state(body, Openings::default())
}

pub(super) fn moment(office: &Office, view: &View, at: Option<&str>) -> Result<Moment, Problem> {
    let offset_minutes = civil_offset_minutes(view)?;
    Ok(Moment {
        at_ms: at
            .map(parse_ms)
            .transpose()?
            .unwrap_or_else(|| office.now_ms()),
        offset_minutes: i16::try_from(offset_minutes).unwrap_or_default(),
    })
}

/// The readings of a ledger that can be read: of one that cannot, nobody knows
/// whose a probe is.
pub(crate) fn readings_of(office: &Office) -> Result<Readings, Problem> {
    office.view().entry(0)?;
    let readings = office.readings.clone();
    readings.ok_or_else(|| Problem::new(Refusal::ReadOnly).detail("this server keeps no readings"))
}
