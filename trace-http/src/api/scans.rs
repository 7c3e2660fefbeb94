//! Scans of trace codes: counted when a page is opened, told by day and place.
//!
//! Of who opened it nothing is kept. Where, the proxy in front may say by an area's
//! code in a field that the operator names; what readers themselves send under that
//! name is the proxy's to remove.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    http::{HeaderMap, HeaderName},
    response::Response,
};
use serde::Serialize;
use trace_core::{
    error::Store,
    ident::{CivilDate, TraceCode},
    ledger::scans::{JUDGED_DAYS, Scanned, Scans, Sum, place},
    record::{quantity::BaseUnit, unit::Made},
};
use utoipa::ToSchema;

use super::{
    answer::found,
    office::{Office, beside},
    sight::made,
};
use crate::problem::{Problem, Refusal};

/// Days that are told: a season of fresh produce.
const TOLD_DAYS: i32 = 30;

/// Counts scans.
#[derive(Debug)]
pub struct ScanDesk {
    scans: Scans,
    place_header: Option<HeaderName>,
}

impl ScanDesk {
    /// A desk that goes on from what was counted; `place_header` is the field in
    /// which the proxy says from where a page is opened.
    #[must_use]
    pub fn new(scans: Scans, place_header: Option<HeaderName>) -> Self {
        Self {
            scans,
            place_header,
        }
    }

    /// Writes what was counted.
    ///
    /// # Errors
    /// [`Store`].
    pub fn write(&self) -> Result<(), Store> {
        self.scans.write()
    }

    /// Counts one opening of a page, and sums up what there is.
    ///
    /// # Errors
    /// [`Store`].
    pub fn count(
        &self,
        code: TraceCode,
        made: &Made,
        today: CivilDate,
        headers: &HeaderMap,
    ) -> Result<Sum, Store> {
        let said = self
            .place_header
            .as_ref()
            .and_then(|name| headers.get(name));
        let place = said.and_then(|value| place(value.to_str().ok()?));
        self.scans.count(code, today, place)?;
        self.sum(code, made, today)
    }

    /// Sums up what there is.
    ///
    /// # Errors
    /// [`Store`].
    pub fn sum(&self, code: TraceCode, made: &Made, today: CivilDate) -> Result<Sum, Store> {
        let since = days_before(today, JUDGED_DAYS);
        let scanned = self.scans.of(&code, since)?;
        Ok(Sum::of(&scanned, today, is_item(made)))
    }
}

/// Whether a code stands on one thing alone.
fn is_item(made: &Made) -> bool {
    made.base == BaseUnit::Piece && made.base_amount == 1
}

fn days_before(today: CivilDate, days: i32) -> CivilDate {
    CivilDate::from_days(today.days().saturating_sub(days - 1)).unwrap_or(today)
}

/// How often a code was scanned.
#[derive(Debug, Serialize, ToSchema)]
pub struct ScansAnswer {
    /// The code.
    #[schema(value_type = String)]
    code: TraceCode,
    /// Whether it stands on one thing alone; only then it can be suspicious.
    is_item: bool,
    /// It is one thing, and was scanned as only several can be.
    is_suspicious: bool,
    /// Scans today.
    today: u64,
    /// Scans in the last seven days.
    week: u64,
    /// In so many prefectures, where that is known.
    prefectures: usize,
    /// By day and area, the last thirty days.
    scans: Vec<ScanLine>,
}

/// Scans of one day at one place.
#[derive(Debug, Serialize, ToSchema)]
pub struct ScanLine {
    /// The civil date.
    #[schema(example = "2026-05-11")]
    day: String,
    /// The area's code; absent where nobody knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    area: Option<String>,
    /// How often.
    scans: u64,
}

/// `GET /v1/codes/{code}/scans`.
pub async fn scans(
    State(office): State<Arc<Office>>,
    Path(code): Path<String>,
) -> Result<Response, Problem> {
    let code = TraceCode::parse(&code)?;
    let view = office.readable()?;
    let made = made(&view, code)?;
    let today = office.today(&view)?;
    let Some(desk) = office.scans.clone() else {
        let what = "this server counts no scans";
        return Err(Problem::new(Refusal::NotOnLedger).detail(what));
    };
    let since = days_before(today, TOLD_DAYS);
    let scanned = beside(move || desk.scans.of(&code, since)).await??;
    let sum = Sum::of(&scanned, today, is_item(&made));
    let lines = scanned.iter().filter_map(line);
    found(&ScansAnswer {
        code,
        is_item: is_item(&made),
        is_suspicious: sum.is_suspicious,
        today: sum.today,
        week: sum.week,
        prefectures: sum.prefectures,
        scans: lines.collect(),
    })
}

fn line(scanned: &Scanned) -> Option<ScanLine> {
    Some(ScanLine {
        day: CivilDate::from_days(scanned.day).ok()?.to_string(),
        area: scanned
            .place
            .and_then(|area| Some(area.area().ok()?.to_string())),
        scans: scanned.count,
    })
}
