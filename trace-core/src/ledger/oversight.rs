//! What is going on in an area: what was issued day by day, who is there in which
//! role, and what is held or recalled; for those who oversee it.
//!
//! Read from derived rows, a bounded number of each: [`Oversight::is_whole`] says
//! whether that was all. Nothing reads the log.

use super::view::View;
use super::{Failed, balances, rows};
use crate::ident::{Area, CivilDate, EntityId};
use crate::record::Role;
use crate::record::marks::{MarkKind, MarkState};
use crate::record::rights::{EntityState, Registry};
use std::collections::BTreeMap;

/// Entities looked at: a city has some six thousand.
const ENTITIES_MAX: usize = 20_000;

/// Issuers looked at, with a row for each product and day that is told.
const ISSUERS_MAX: usize = 8_000;

/// Holds and recalls looked at, those that ended too.
const MARKS_MAX: usize = 20_000;

/// What is going on in an area.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Oversight {
    /// Certificates issued, by six digits of the issuer's area and day.
    pub issued: BTreeMap<(u32, CivilDate), u64>,
    /// Entities that hold a role now, by six digits of their area and role.
    pub entities: BTreeMap<(u32, Role), u64>,
    /// What stands, the newest first: holds, recalls, and failed samples that hold.
    pub marks: Vec<Standing>,
    /// Whether all of it was looked at.
    pub is_whole: bool,
}

/// A hold or a recall that stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// What it is, of which unit, by which record.
    pub mark: MarkState,
    /// Six digits of where the unit was made.
    pub area: u32,
}

/// What is going on in an area and below, issued from a day to a day, both with it.
///
/// # Errors
/// From the store.
pub fn of_area(
    view: &View,
    area: Area,
    (first, last): (CivilDate, CivilDate),
) -> Result<Oversight, Failed> {
    let mut found = Oversight {
        is_whole: true,
        ..Oversight::default()
    };
    issued(view, area, (first, last), &mut found)?;
    let mut seen = 0;
    view.folded().values(
        rows::ENTITIES,
        rows::ENTITIES,
        ENTITIES_MAX,
        "entity",
        |_, state: EntityState| {
            seen += 1;
            if !is_in(area, state.area) {
                return;
            }
            for grant in &state.grants {
                *found.entities.entry((state.area, grant.role)).or_default() += 1;
            }
        },
    )?;
    found.is_whole &= seen < ENTITIES_MAX;
    marks(view, area, &mut found)?;
    Ok(found)
}

fn is_in(area: Area, digits: u32) -> bool {
    Area::try_from(digits).is_ok_and(|it| area.covers(it))
}

fn issued(
    view: &View,
    area: Area,
    (first, last): (CivilDate, CivilDate),
    found: &mut Oversight,
) -> Result<(), Failed> {
    let mut after: Option<(u32, EntityId)> = None;
    for _ in 0..ISSUERS_MAX {
        let Some((code, entity)) = balances::next_entity(view, area, after)? else {
            return Ok(());
        };
        let prefix = rows::flows_of(code, &entity);
        let from = rows::on_day(prefix.clone(), first.days());
        balances::days(view, &prefix, &from, |day, _, _, flow| {
            let day = CivilDate::from_days(day).ok().filter(|day| *day <= last);
            if let Some(day) = day.filter(|_| flow.certificates > 0) {
                *found.issued.entry((code, day)).or_default() += flow.certificates;
            }
        })?;
        after = Some((code, entity));
    }
    found.is_whole = false;
    Ok(())
}

fn marks(view: &View, area: Area, found: &mut Oversight) -> Result<(), Failed> {
    let mut standing: Vec<MarkState> = Vec::new();
    let mut seen = 0;
    view.folded().values(
        rows::MARKS,
        rows::MARKS,
        MARKS_MAX,
        "hold or recall",
        |_, mark: MarkState| {
            seen += 1;
            let ended = mark.lifted_index.or(mark.completed_index);
            let is_told = match mark.kind {
                MarkKind::Hold | MarkKind::Recall | MarkKind::FailedSample => ended.is_none(),
                MarkKind::SourceVoided | MarkKind::CertificateVoided => false,
            };
            if is_told {
                standing.push(mark);
            }
        },
    )?;
    found.is_whole &= seen < MARKS_MAX;
    for mark in standing {
        let maker = view.folded().entity(&mark.maker)?;
        if let Some(area) = maker.map(|it| it.area).filter(|it| is_in(area, *it)) {
            found.marks.push(Standing { mark, area });
        }
    }
    found
        .marks
        .sort_by_key(|it| std::cmp::Reverse(it.mark.index));
    Ok(())
}
