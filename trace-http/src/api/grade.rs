//! `GET /v1/entities/{id}/grade`: the risk grade 风险分级 and credit grade 信用分级 of
//! an entity, with every input; and `GET /v1/grading`: the formula they follow.
//!
//! The formula is public and so is each version of it; a grade rests on trade
//! too, so it is shown to a token that oversees the entity and to the entity's
//! own, and logged.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    response::Response,
};
use serde::{Deserialize, Serialize};
use trace_core::{
    ident::{CivilDate, EntityId},
    ledger::{Failed, View, conduct, lookup::Audience},
    record::rights::Registry,
    rules::grading::{FORMULA_NEWEST, Grading, formula},
};

use super::{
    answer::{found, json_for, not_on_ledger, to_json},
    bearer::Bearer,
    office::{Office, beside},
    sight::{Sight, not_overseen},
};
use crate::{body::Parameters, problem::Problem};

/// Which formula.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Which {
    version: Option<u16>,
}

/// On which day, by which formula.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GradePage {
    on: Option<String>,
    version: Option<u16>,
    purpose: Option<String>,
}

/// The grades of an entity on a day.
#[derive(Debug, Serialize)]
pub struct GradeAnswer {
    /// Whose.
    pub entity: EntityId,
    /// The day.
    pub on: String,
    /// The first day of what was counted.
    pub first_day: String,
    /// The grades and their inputs.
    #[serde(flatten)]
    pub grading: Grading,
    /// What the ledger showed when it answered, a signed note.
    pub checkpoint: String,
}

/// `GET /v1/grading`.
pub async fn formulas(Parameters(which): Parameters<Which>) -> Result<Response, Problem> {
    found(formula(which.version.unwrap_or(FORMULA_NEWEST))?)
}

/// `GET /v1/entities/{id}/grade`.
pub async fn grade(
    State(office): State<Arc<Office>>,
    Bearer(token): Bearer,
    Path(id): Path<String>,
    Parameters(page): Parameters<GradePage>,
) -> Result<Response, Problem> {
    let entity = EntityId::parse(&id)?;
    let on = page.on.as_deref().map(CivilDate::parse).transpose()?;
    let version = page.version.unwrap_or(FORMULA_NEWEST);
    let asked = Arc::clone(&office);
    let answered = beside(move || -> Result<_, Problem> {
        let view = asked.view();
        if view.folded().entity(&entity)?.is_none() {
            return Err(not_on_ledger(entity));
        }
        let is_own = token.grant.entity == Some(entity);
        if !is_own && !Sight::new(&view, Some(&token)).oversees(&entity)? {
            return Err(not_overseen());
        }
        let on = match on {
            Some(on) => on,
            None => asked.today(&view)?,
        };
        to_json(&graded(&view, entity, on, version)?)
    });
    let bytes = answered.await??;
    let looked_up = format!("grade of {entity}");
    office.log_lookup(&token, looked_up, page.purpose).await?;
    Ok(json_for(Audience::Full, bytes))
}

/// The grades of an entity on a day, by a formula.
///
/// # Errors
/// As of [`formula`] and [`conduct::counted`].
pub fn graded(
    view: &View,
    entity: EntityId,
    on: CivilDate,
    version: u16,
) -> Result<GradeAnswer, Failed> {
    let formula = formula(version)?;
    let counted = conduct::counted(view, entity, formula.days, on)?;
    Ok(GradeAnswer {
        entity,
        on: on.to_string(),
        first_day: on.add_days(1 - formula.days)?.to_string(),
        grading: formula.grade(&counted),
        checkpoint: view.checkpoint().note().to_owned(),
    })
}
