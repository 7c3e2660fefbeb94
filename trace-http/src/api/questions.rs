//! `GET /v1/questions`: what is open and wants an answer: quantities that no
//! policy covers, and transfers not received within the days of the policy.
//!
//! Shown to an inspector's or authority's token for the area that it reaches,
//! and to an entity's own token for what concerns that entity. Of transfers a
//! bounded part is looked through at a time; an empty answer with a
//! `next_after` is not the end.

use std::sync::Arc;

use axum::{extract::State, response::Response};
use serde::{Deserialize, Serialize};
use trace_core::{
    error::{Invalid, Rule},
    ident::{EntityId, TraceCode, format_ms},
    ledger::{
        Failed, View, lineage,
        lookup::{Audience, Lookup},
    },
    record::{Hash, Role, quantity::BaseUnit, rights::Registry},
};
use utoipa::ToSchema;

use super::{
    answer::{json_for, to_json},
    bearer::Bearer,
    office::{Office, beside, civil_offset_minutes},
    sight::Sight,
};
use crate::{body::Parameters, problem::Problem};

/// Questions of one answer.
const QUESTIONS_MAX: usize = 100;

/// Rows looked through for one answer: with a unit and a policy read for each,
/// about 50 ms.
const ROWS_MAX: usize = 2_000;

/// Which questions.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Page {
    #[serde(default)]
    about: About,
    after: Option<String>,
    limit: Option<usize>,
    purpose: Option<String>,
}

/// What is asked after.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum About {
    /// Quantities missing or gained beyond the policy.
    #[default]
    Quantities,
    /// Transfers not received in time.
    Transfers,
}

/// A page of questions.
#[derive(Debug, Serialize, ToSchema)]
pub struct QuestionsAnswer {
    /// The questions, in the order of the log; of transfers in none.
    questions: Vec<OpenQuestion>,
    /// Give this as `after` for the rest, where there may be more.
    next_after: Option<String>,
    /// What the ledger showed when it answered, a signed note.
    checkpoint: String,
}

/// Something open.
#[derive(Debug, Serialize, ToSchema)]
pub struct OpenQuestion {
    /// Index of the record that raised it.
    index: u64,
    /// About which unit.
    #[schema(value_type = String)]
    unit: TraceCode,
    /// With whom; of a transfer, who handed over.
    #[schema(value_type = String)]
    entity: EntityId,
    /// Its registered name; none for natural persons.
    name: Option<String>,
    /// Of which measure the amounts are.
    #[schema(value_type = String)]
    base: BaseUnit,
    /// Missing or lost beyond the policy.
    missing: u64,
    /// Gained beyond it.
    gained: u64,
    /// Handed over and not received in time.
    overdue: u64,
    /// To whom it was handed over.
    #[schema(value_type = Option<String>)]
    to: Option<EntityId>,
    /// When.
    handed_over_at: Option<String>,
}

/// `GET /v1/questions`.
pub async fn questions(
    State(office): State<Arc<Office>>,
    bearer: Bearer,
    Parameters(page): Parameters<Page>,
) -> Result<Response, Problem> {
    let Bearer(token) = bearer;
    let oversees = matches!(token.grant.role, Role::Inspector | Role::Authority);
    if !oversees && token.grant.entity.is_none() {
        let what = "wanted a token of an inspector, an authority or an entity";
        return Err(Invalid::new(Rule::Right, what).into());
    }
    let (asked, about, purpose) = (Arc::clone(&office), page.about, page.purpose.clone());
    let answered = beside(move || -> Result<_, Problem> {
        let view = asked.view();
        let mut desk = Desk {
            view: &view,
            lookup: asked.lookup(&view, Audience::Public)?,
            sight: Sight::new(&view, Some(&token)),
            own: token.grant.entity.filter(|_| !oversees),
            limit: page.limit.unwrap_or(QUESTIONS_MAX).clamp(1, QUESTIONS_MAX),
        };
        let answer = match page.about {
            About::Quantities => desk.quantities(page.after.as_deref())?,
            About::Transfers => desk.transfers(page.after.as_deref(), &asked)?,
        };
        Ok((to_json(&answer)?, answer.questions.len()))
    });
    let (bytes, count) = answered.await??;
    let about = match about {
        About::Quantities => "quantities",
        About::Transfers => "transfers",
    };
    let looked_up = format!("questions about {about}: {count}");
    office.log_lookup(&token, looked_up, purpose).await?;
    Ok(json_for(Audience::Full, bytes))
}

/// Answers for one token.
struct Desk<'a> {
    view: &'a View,
    lookup: Lookup<'a>,
    sight: Sight<'a>,
    /// Whose alone, where the token is no overseer's.
    own: Option<EntityId>,
    limit: usize,
}

impl Desk<'_> {
    fn is_shown(&mut self, entities: &[EntityId]) -> Result<bool, Failed> {
        if let Some(own) = self.own {
            return Ok(entities.contains(&own));
        }
        for entity in entities {
            if self.sight.oversees(entity)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn base(&self, unit: TraceCode) -> Result<BaseUnit, Failed> {
        let made = self.view.folded().unit(&unit)?.and_then(|unit| unit.made);
        Ok(made.map_or(BaseUnit::Piece, |made| made.base))
    }

    fn name(&mut self, entity: EntityId) -> Result<Option<String>, Failed> {
        Ok(self.lookup.party(entity)?.and_then(|party| party.name))
    }

    fn answer(&self, questions: Vec<OpenQuestion>, next_after: Option<String>) -> QuestionsAnswer {
        QuestionsAnswer {
            questions,
            next_after,
            checkpoint: self.view.checkpoint().note().to_owned(),
        }
    }

    fn quantities(&mut self, after: Option<&str>) -> Result<QuestionsAnswer, Failed> {
        let wrong = || Invalid::new(Rule::Range, "`after` is an index of the log here");
        let from = match after {
            Some(text) => text.parse::<u64>().map_err(|_| wrong())?.saturating_add(1),
            None => 0,
        };
        let rows = lineage::questions(self.view, from, ROWS_MAX)?;
        let is_whole = rows.len() < ROWS_MAX;
        let (mut found, mut last) = (Vec::new(), None);
        for (index, question) in rows {
            if found.len() == self.limit {
                return Ok(self.answer(found, last));
            }
            last = Some(index.to_string());
            if self.is_shown(&[question.entity])? {
                found.push(OpenQuestion {
                    index,
                    unit: question.unit,
                    entity: question.entity,
                    name: self.name(question.entity)?,
                    base: self.base(question.unit)?,
                    missing: question.missing,
                    gained: question.gained,
                    overdue: 0,
                    to: None,
                    handed_over_at: None,
                });
            }
        }
        let next_after = last.filter(|_| !is_whole);
        Ok(self.answer(found, next_after))
    }

    fn transfers(
        &mut self,
        after: Option<&str>,
        office: &Office,
    ) -> Result<QuestionsAnswer, Failed> {
        let wrong = || Invalid::new(Rule::Range, "`after` is the hash of a record here");
        let after = match after {
            Some(text) => Some(Hash::from_hex(text).ok_or_else(wrong)?),
            None => None,
        };
        let today = office.today(self.view)?;
        let offset_minutes = civil_offset_minutes(self.view)?;
        let rows = self.lookup.transfers(after, ROWS_MAX)?;
        let is_whole = rows.len() < ROWS_MAX;
        let (mut found, mut last) = (Vec::new(), None);
        for row in rows {
            if found.len() == self.limit {
                return Ok(self.answer(found, last));
            }
            last = Some(row.record.to_string());
            let transfer = row.transfer;
            let is_overdue = lineage::is_overdue(self.view, &transfer, today)? == Some(true);
            if is_overdue && self.is_shown(&[transfer.from, transfer.to])? {
                found.push(OpenQuestion {
                    index: transfer.index,
                    unit: transfer.unit,
                    entity: transfer.from,
                    name: self.name(transfer.from)?,
                    base: self.base(transfer.unit)?,
                    missing: 0,
                    gained: 0,
                    overdue: transfer.amount,
                    to: Some(transfer.to),
                    handed_over_at: Some(format_ms(transfer.at_ms, offset_minutes)),
                });
            }
        }
        let next_after = last.filter(|_| !is_whole);
        Ok(self.answer(found, next_after))
    }
}
