//! `POST /v1/inspections`, `/v1/samples` and `/v1/rectified`: what an inspector or
//! an authority found at an entity, what came of a sample, and that a finding was
//! put right.
//!
//! Where they are follows from the entity, whether a sample passed from its items,
//! and whether a failed one holds the goods from the area's policy.

use std::{future::ready, sync::Arc};

use axum::{extract::State, response::Response};
use serde::{Deserialize, Serialize};
use trace_core::{
    error::{Invalid, Rule},
    ident::{Area, EntityId, TraceCode},
    ledger::View,
    record::{
        Body, Hash,
        kinds::{
            finding_rectified::FindingRectified,
            inspection::{Finding, Inspection},
            sampling_failed::SamplingFailed,
            sampling_result::SamplingResult,
        },
        measurement::TestItem,
        rights::Registry,
        wire::Day,
    },
    rules::failed_sample_holds,
};
use utoipa::ToSchema;

use super::{
    cold::plain,
    halting::recorded,
    office::Office,
    orders::{Fulfilled, Given, Order, OrderRecord, made, wanted},
};
use crate::problem::Problem;

/// An inspection.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InspectionOrder {
    /// 检查记录编号, 1 to 40 characters.
    number: String,
    /// Who was inspected.
    #[schema(example = "E-0000-0000-0000-0000-0")]
    entity: String,
    /// The day; today where left out.
    #[schema(value_type = Option<String>, example = "2026-05-11")]
    inspected_on: Option<Day>,
    /// What was found, 32 at most; empty when nothing was.
    #[serde(default)]
    #[schema(value_type = Vec<Object>)]
    findings: Vec<Finding>,
    /// SHA-256 of the record of inspection as a document.
    document: Option<String>,
}

/// What came of an official sample.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SampleOrder {
    /// 抽样单编号, 1 to 40 characters.
    number: String,
    /// The unit's trace code, where the goods are on this ledger.
    unit: Option<String>,
    /// At whose place it was taken; the unit's maker where left out.
    entity: Option<String>,
    /// 样品名称; the unit's product where left out.
    product: Option<String>,
    /// 生产批号 of goods that are not on this ledger.
    lot: Option<String>,
    /// The day; today where left out.
    #[schema(value_type = Option<String>, example = "2026-05-11")]
    sampled_on: Option<Day>,
    /// 检验机构.
    laboratory: Option<String>,
    /// What was tested, 1 to 48 items; the sample passed exactly when all did.
    #[schema(value_type = Vec<Object>)]
    items: Vec<TestItem>,
    /// The hash of the failed sample's record that this one repeats.
    retest_of: Option<String>,
    /// SHA-256 of the report as a document.
    document: Option<String>,
}

/// That a finding was put right.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RectifiedOrder {
    /// The hash of the inspection's record.
    inspection: String,
    /// Which of its findings, from 0.
    position: u16,
    /// The day; today where left out.
    #[schema(value_type = Option<String>, example = "2026-05-11")]
    rectified_on: Option<Day>,
    /// How, 1 to 100 characters.
    how: String,
    /// SHA-256 of a photo or paper that shows it.
    document: Option<String>,
}

/// What was recorded.
#[derive(Debug, Serialize, ToSchema)]
pub struct EvidenceAnswer {
    /// At whom.
    #[schema(value_type = String)]
    entity: EntityId,
    /// What was made, with receipts.
    records: Vec<OrderRecord>,
}

/// `POST /v1/inspections`.
pub async fn inspection(
    State(office): State<Arc<Office>>,
    order: Order<InspectionOrder>,
) -> Result<Response, Problem> {
    answer(inspected(&office, order).await?)
}

/// `POST /v1/samples`.
pub async fn sample(
    State(office): State<Arc<Office>>,
    order: Order<SampleOrder>,
) -> Result<Response, Problem> {
    answer(sampled(&office, order).await?)
}

/// `POST /v1/rectified`.
pub async fn rectified(
    State(office): State<Arc<Office>>,
    order: Order<RectifiedOrder>,
) -> Result<Response, Problem> {
    answer(put_right(&office, order).await?)
}

/// Records an inspection.
///
/// # Errors
/// As of [`Office::carry_out`].
pub async fn inspected(
    office: &Office,
    order: Order<InspectionOrder>,
) -> Result<Fulfilled, Problem> {
    let draft = |view: Arc<View>, given: Given, wanted: InspectionOrder| -> Result<_, Problem> {
        let entity = EntityId::parse(&wanted.entity)?;
        let body = Inspection {
            number: wanted.number,
            entity,
            area: area_of(&view, &entity)?.into(),
            inspected_on: day(office, &view, wanted.inspected_on)?,
            findings: wanted.findings,
            document: hash(wanted.document)?,
            persons: Vec::new(),
            acted_by: given.acted_by(),
        };
        Ok(vec![plain(&given, body)])
    };
    let carried = office.carry_out(order, |view, given, wanted| {
        ready(draft(view, given, wanted))
    });
    carried.await
}

/// Records what came of a sample.
///
/// # Errors
/// As of [`Office::carry_out`]; [`Rule::UnitUnknown`]; [`Rule::Statement`] where
/// neither a unit nor what stands for one is named.
pub async fn sampled(office: &Office, order: Order<SampleOrder>) -> Result<Fulfilled, Problem> {
    let draft = |view: Arc<View>, given: Given, order: SampleOrder| -> Result<_, Problem> {
        let unit = order.unit.as_deref().map(TraceCode::parse).transpose()?;
        let made = match unit {
            Some(code) => {
                let state = view.folded().unit(&code)?.and_then(|state| state.made);
                let what = format!("{code} is not on this ledger");
                Some(state.ok_or_else(|| Invalid::new(Rule::UnitUnknown, what))?)
            }
            None => None,
        };
        let entity = match order.entity.as_deref() {
            Some(entity) => EntityId::parse(entity)?,
            None => wanted("entity", made.as_ref().map(|made| made.entity))?,
        };
        let area = area_of(&view, &entity)?;
        let product = order.product.or(made.map(|made| made.product));
        let passed = order.items.iter().all(|item| item.passed);
        let body = SamplingResult {
            number: order.number,
            unit,
            entity,
            area: area.into(),
            product: wanted("product", product)?,
            lot: order.lot,
            sampled_on: day(office, &view, order.sampled_on)?,
            laboratory: order.laboratory,
            items: order.items,
            passed,
            retest_of: hash(order.retest_of)?,
            document: hash(order.document)?,
            acted_by: given.acted_by(),
        };
        let is_holding = !passed && unit.is_some() && failed_sample_holds(view.folded(), area)?;
        let body = match is_holding {
            true => Body::from(SamplingFailed(body)),
            false => Body::from(body),
        };
        Ok(vec![plain(&given, body)])
    };
    let carried = office.carry_out(order, |view, given, wanted| {
        ready(draft(view, given, wanted))
    });
    carried.await
}

/// Records that a finding was put right.
///
/// # Errors
/// As of [`Office::carry_out`]; [`Rule::TargetUnknown`] for a record that is no
/// inspection.
pub async fn put_right(
    office: &Office,
    order: Order<RectifiedOrder>,
) -> Result<Fulfilled, Problem> {
    let draft = |view: Arc<View>, given: Given, wanted: RectifiedOrder| -> Result<_, Problem> {
        let target: Hash = wanted.inspection.parse()?;
        let Body::Inspection(inspection) = recorded(&view, &target)? else {
            let what = format!("record {target} is no inspection");
            return Err(Invalid::new(Rule::TargetUnknown, what).into());
        };
        let body = FindingRectified {
            inspection: target,
            entity: inspection.entity,
            area: area_of(&view, &inspection.entity)?.into(),
            position: wanted.position,
            rectified_on: day(office, &view, wanted.rectified_on)?,
            how: wanted.how,
            document: hash(wanted.document)?,
            acted_by: given.acted_by(),
        };
        Ok(vec![plain(&given, body)])
    };
    let carried = office.carry_out(order, |view, given, wanted| {
        ready(draft(view, given, wanted))
    });
    carried.await
}

/// Where an entity is.
fn area_of(view: &View, entity: &EntityId) -> Result<Area, Problem> {
    let state = view.folded().entity(entity)?;
    let state = state.ok_or_else(|| {
        let what = format!("entity {entity} is not registered");
        Invalid::new(Rule::EntityUnknown, what)
    })?;
    Ok(Area::try_from(state.area)?)
}

fn day(office: &Office, view: &View, given: Option<Day>) -> Result<Day, Problem> {
    Ok(match given {
        Some(day) => day,
        None => office.today(view)?.into(),
    })
}

fn hash(text: Option<String>) -> Result<Option<Hash>, Invalid> {
    text.map(|text| text.parse()).transpose()
}

fn answer(fulfilled: Fulfilled) -> Result<Response, Problem> {
    let entity = fulfilled.said("inspection, sample or finding", |body| match body {
        Body::Inspection(body) => Some(body.entity),
        Body::SamplingResult(body) => Some(body.entity),
        Body::SamplingFailed(body) => Some(body.0.entity),
        Body::FindingRectified(body) => Some(body.entity),
        _ => None,
    })?;
    let is_repeat = fulfilled.is_repeat;
    let records = fulfilled.into_records();
    made(is_repeat, &EvidenceAnswer { entity, records })
}
