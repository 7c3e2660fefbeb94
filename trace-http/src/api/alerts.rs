//! Alerts over HTTP: what is on now, by the token's right, and that its owner has
//! seen one.
//!
//! An entity's token sees the alerts about its own probes; an inspector's or
//! authority's those of the area that it reaches, and that look-up is logged. A
//! bounded part of the probes is looked at for each page: an empty answer with a
//! `next_after` is not the end.

use std::{future::ready, sync::Arc};

use axum::{extract::State, response::Response};
use serde::{Deserialize, Serialize};
use trace_core::{
    ident::{Area, EntityId, EquipmentId, format_ms},
    ledger::{
        View,
        alerts::{self, Alert, Now},
        lookup::Audience,
        tokens::TokenGrant,
    },
    record::{
        Body, alert::AlertSort, cold_chain::EquipmentState,
        kinds::alert_acknowledged::AlertAcknowledged,
    },
};
use utoipa::ToSchema;

use super::{
    answer::{json_for, to_json},
    bearer::Bearer,
    cold::{answered, moment, plain, readings_of},
    office::{Office, beside, civil_offset_minutes},
    orders::Order,
    sight::{Sight, not_overseen},
};
use crate::{body::Parameters, problem::Problem};

/// Alerts of one page.
pub(crate) const PAGE_ALERTS_MAX: usize = 100;

/// Which alerts.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Page {
    entity: Option<String>,
    area: Option<String>,
    sort: Option<AlertSort>,
    after: Option<String>,
    limit: Option<usize>,
    purpose: Option<String>,
}

/// An alert to be acknowledged.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AcknowledgeOrder {
    /// Which probe.
    #[schema(example = "Q-0000-0000-0000-0000-0")]
    equipment: String,
    /// `excursion`, `silent` or `calibration_overdue`.
    #[schema(value_type = String, example = "silent")]
    sort: AlertSort,
    /// When, with its offset (RFC 3339); now where left out.
    at: Option<String>,
}

/// A page of alerts.
#[derive(Debug, Serialize, ToSchema)]
pub struct AlertsAnswer {
    /// By probe.
    pub alerts: Vec<AlertLine>,
    /// Give this as `after` for the rest, where there may be more.
    #[schema(value_type = Option<String>)]
    pub next_after: Option<EquipmentId>,
    /// For when this was derived.
    pub as_of: String,
}

/// Something to look after.
#[derive(Debug, Serialize, ToSchema)]
pub struct AlertLine {
    /// In words, English.
    pub words: &'static str,
    /// In words, Chinese.
    pub words_zh: &'static str,
    /// Since when, in local time.
    pub since: String,
    /// What it is.
    #[serde(flatten)]
    #[schema(value_type = Object)]
    pub alert: Alert,
}

impl AlertLine {
    /// An alert in words.
    #[must_use]
    pub fn of(alert: Alert, offset_minutes: i32) -> Self {
        let (words, words_zh) = alert.sort.words();
        Self {
            words,
            words_zh,
            since: format_ms(alert.since_ms, offset_minutes),
            alert,
        }
    }
}

/// The time of an office.
///
/// # Errors
/// [`Problem`] when the ledger cannot be read.
pub fn now(office: &Office, view: &View) -> Result<Now, Problem> {
    Ok(Now {
        ms: office.now_ms(),
        offset_minutes: civil_offset_minutes(view)?,
    })
}

/// `GET /v1/alerts`.
pub async fn list(
    State(office): State<Arc<Office>>,
    Bearer(token): Bearer,
    Parameters(page): Parameters<Page>,
) -> Result<Response, Problem> {
    let entity = page.entity.as_deref().map(EntityId::parse).transpose()?;
    let area = page.area.as_deref().map(str::parse::<Area>).transpose()?;
    let after = page.after.as_deref().map(EquipmentId::parse).transpose()?;
    let limit = page.limit.unwrap_or(PAGE_ALERTS_MAX);
    let limit = limit.clamp(1, PAGE_ALERTS_MAX);
    let asked = Arc::clone(&office);
    let listing = move || -> Result<_, Problem> {
        let (mut answer, is_full) = seen(&asked, &token, (entity, area), after, limit)?;
        answer
            .alerts
            .retain(|line| page.sort.is_none_or(|sort| sort == line.alert.sort));
        Ok((to_json(&answer)?, is_full))
    };
    let (bytes, is_full) = beside(listing).await??;
    if is_full {
        let looked_up = match entity {
            Some(entity) => format!("alerts of {entity}"),
            None => "alerts".to_owned(),
        };
        office.log_lookup(&token, looked_up, page.purpose).await?;
    }
    Ok(json_for(Audience::Full, bytes))
}

/// Alerts that a token sees, of one entity or area where that is asked for; and
/// whether some are another's, so that they may be shown only once it is logged.
///
/// # Errors
/// [`Rule::Right`](trace_core::error::Rule) for an entity that it does not oversee;
/// a server without readings.
pub(crate) fn seen(
    office: &Office,
    token: &TokenGrant,
    (entity, area): (Option<EntityId>, Option<Area>),
    after: Option<EquipmentId>,
    limit: usize,
) -> Result<(AlertsAnswer, bool), Problem> {
    let readings = readings_of(office)?;
    let view = office.view();
    let now = now(office, &view)?;
    let mut sight = Sight::new(&view, Some(token));
    let is_own = |of: &EntityId| token.grant.entity == Some(*of);
    if let Some(entity) = entity
        && !is_own(&entity)
        && !sight.oversees(&entity)?
    {
        return Err(not_overseen());
    }
    let mut is_full = false;
    let sees = |state: &EquipmentState| -> Result<bool, Problem> {
        let own = Area::try_from(state.area).ok();
        let is_asked = entity.is_none_or(|it| it == state.entity)
            && area.is_none_or(|area| own.is_some_and(|own| area.covers(own)));
        if !is_asked || is_own(&state.entity) {
            return Ok(is_asked);
        }
        let oversees = sight.oversees(&state.entity)?;
        is_full |= oversees;
        Ok(oversees)
    };
    let found = alerts::alerts(&view, &readings, now, after, limit, sees)?;
    let lines = found.alerts.into_iter();
    let answer = AlertsAnswer {
        alerts: lines
            .map(|alert| AlertLine::of(alert, now.offset_minutes))
            .collect(),
        next_after: found.next_after,
        as_of: format_ms(now.ms, now.offset_minutes),
    };
    Ok((answer, is_full))
}

/// `POST /v1/alerts/acknowledged`.
pub async fn acknowledge(
    State(office): State<Arc<Office>>,
    order: Order<AcknowledgeOrder>,
) -> Result<Response, Problem> {
    let at = Arc::clone(&office);
    let fulfilled = office.carry_out(order, |view, given, wanted| {
        let body = || -> Result<AlertAcknowledged, Problem> {
            Ok(AlertAcknowledged {
                equipment: EquipmentId::parse(&wanted.equipment)?,
                sort: wanted.sort,
                happened: moment(&at, &view, wanted.at.as_deref())?,
                acted_by: given.acted_by(),
            })
        };
        ready(body().map(|body| vec![plain(&given, body)]))
    });
    let fulfilled = fulfilled.await?;
    let equipment = fulfilled.said("acknowledgement", |body| match body {
        Body::AlertAcknowledged(body) => Some(body.equipment),
        _ => None,
    })?;
    answered(fulfilled, equipment)
}
