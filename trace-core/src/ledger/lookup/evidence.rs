//! Questions about an entity's conduct: the samples and inspections at it, and
//! how its findings stand on a day.

use super::{Lookup, PAGE_RECORDS_MAX, RecordsAnswer};
use crate::error::{Invalid, Store};
use crate::ident::{CivilDate, EntityId};
use crate::ledger::{Failed, rows};
use crate::record::evidence::{FindingStanding, FindingState};
use crate::record::kinds::inspection::Finding;
use crate::record::{Body, Hash, SubjectId};
use serde::Serialize;

/// Which findings are asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FindingsAsked {
    /// Whose; none asks for everybody's.
    pub entity: Option<EntityId>,
    /// As of which day; none asks for today.
    pub on: Option<CivilDate>,
    /// Only those that stand so.
    pub standing: Option<FindingStanding>,
    /// After this one: entity, index of the inspection and place in it.
    pub after: Option<(EntityId, u64, u16)>,
    /// At most so many of a page.
    pub limit: usize,
}

/// The answer about findings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FindingsAnswer {
    /// The day as of which they are told.
    pub on: String,
    /// How many stand how, in all of what was asked for whatever their standing.
    pub count: FindingsCount,
    /// The findings, by entity, and of each the oldest inspection first.
    pub findings: Vec<FindingAnswer>,
    /// Whether the page ends before the findings do; the next begins after the
    /// last finding here.
    pub has_more: bool,
}

/// How many findings stand how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct FindingsCount {
    /// Their day is ahead.
    pub open: u64,
    /// Their day is today.
    pub due: u64,
    /// Their day is past.
    pub overdue: u64,
    /// Put right.
    pub closed: u64,
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FindingAnswer {
    /// Whose.
    pub entity: EntityId,
    /// The record of the inspection.
    pub inspection: Hash,
    /// Its index in the log.
    pub index: u64,
    /// Which of its findings, from 0.
    pub position: u16,
    /// 检查项目.
    pub item: Option<String>,
    /// 发现的问题.
    pub problem: String,
    /// When it was found.
    pub found_on: String,
    /// By when it is to be put right.
    pub due_on: String,
    /// How it stands.
    pub standing: FindingStanding,
    /// The same in Chinese.
    pub standing_zh: &'static str,
    /// When it was put right, by that day.
    pub rectified_on: Option<String>,
    /// Index of the record that says so.
    pub rectified_index: Option<u64>,
}

type Place = (EntityId, u64, u16);

impl Lookup<'_> {
    /// The records about an entity's conduct: samples taken there, inspections
    /// and what was put right, from index `from` on.
    ///
    /// # Errors
    /// [`Store`].
    pub fn conduct(
        &mut self,
        entity: EntityId,
        from: u64,
        limit: usize,
    ) -> Result<RecordsAnswer, Failed> {
        let (indexes, next_index) = self.page(&SubjectId::conduct(entity), from, limit)?;
        self.answer(&indexes, next_index)
    }

    /// How findings stand at the end of a day. Reads every finding of the
    /// entity, or of everybody: a city has some hundreds a year.
    ///
    /// # Errors
    /// [`Store`].
    pub fn findings(&self, asked: FindingsAsked) -> Result<FindingsAnswer, Failed> {
        let on = asked.on.unwrap_or(self.today);
        let limit = asked.limit.clamp(1, PAGE_RECORDS_MAX);
        let mut count = FindingsCount::default();
        let mut page: Vec<(Place, FindingState, FindingStanding)> = Vec::new();
        let mut has_more = false;
        let mut broken = None;
        let prefix = match &asked.entity {
            Some(entity) => rows::findings(entity),
            None => rows::FINDINGS.to_vec(),
        };
        self.view.folded().visit(&prefix, &prefix, |key, value| {
            let state = match rows::decode::<FindingState>("finding", value) {
                Ok(state) => state,
                Err(error) => {
                    broken = Some(error);
                    return false;
                }
            };
            let (Some(place), Some(standing)) = (rows::finding_of(key), state.on(on)) else {
                return true;
            };
            match standing {
                FindingStanding::Open => count.open += 1,
                FindingStanding::Due => count.due += 1,
                FindingStanding::Overdue => count.overdue += 1,
                FindingStanding::Closed => count.closed += 1,
            }
            let is_asked = asked.standing.is_none_or(|wanted| wanted == standing)
                && asked.after.is_none_or(|after| place > after);
            match is_asked {
                true if page.len() < limit => page.push((place, state, standing)),
                true => has_more = true,
                false => {}
            }
            true
        })?;
        if let Some(error) = broken {
            return Err(error.into());
        }
        let findings = page
            .into_iter()
            .map(|(place, state, standing)| self.finding(place, state, standing));
        Ok(FindingsAnswer {
            on: on.to_string(),
            count,
            findings: findings.collect::<Result<_, _>>()?,
            has_more,
        })
    }

    fn finding(
        &self,
        (entity, index, position): Place,
        state: FindingState,
        standing: FindingStanding,
    ) -> Result<FindingAnswer, Failed> {
        let Finding { item, problem, .. } = self.finding_text(index, position)?;
        let closed = state
            .rectified
            .filter(|_| standing == FindingStanding::Closed);
        Ok(FindingAnswer {
            entity,
            inspection: state.inspection,
            index,
            position,
            item,
            problem,
            found_on: state.found_on.to_string(),
            due_on: state.due_on.to_string(),
            standing,
            standing_zh: standing.name_zh(),
            rectified_on: closed.map(|(day, _)| day.to_string()),
            rectified_index: closed.map(|(_, index)| index),
        })
    }

    /// What the record of the inspection says of it.
    fn finding_text(&self, index: u64, position: u16) -> Result<Finding, Failed> {
        let damaged = |why: String| Store::Damaged {
            what: format!("finding {position} of entry {index}: {why}"),
        };
        let entry = self.view.entry(index)?;
        let body = entry
            .signed
            .body()
            .map_err(|error: Invalid| damaged(error.to_string()))?;
        let found = match body {
            Body::Inspection(body) => body.findings.into_iter().nth(usize::from(position)),
            _ => None,
        };
        Ok(found.ok_or_else(|| damaged("is in no inspection".into()))?)
    }
}
