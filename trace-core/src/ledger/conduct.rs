//! Counting an entity's conduct for its grade: what inspections found, what
//! samples showed, what was recalled, what did not arrive or add up, in the days
//! up to a day.
//!
//! Read from the entity's own rows and records; nobody else's are looked at.
//! Overdue transfers and unexplained quantities are trade: the counts are for
//! the entity itself and for inspectors.

use super::flow::Flow;
use super::lineage::{PAGE, is_overdue, transfers_of_entity};
use super::view::View;
use super::{Failed, balances, rows};
use crate::ident::{CivilDate, EntityId, LEDGER_OFFSET_MINUTES};
use crate::record::claim::Claim;
use crate::record::evidence::{Evidence, FindingStanding, FindingState};
use crate::record::quantity::BaseUnit;
use crate::record::rights::Registry;
use crate::record::section::Openings;
use crate::record::{Hash, SubjectId};
use crate::rules::EvidenceFacts;
use crate::rules::grading::Conduct;
use std::collections::BTreeMap;

/// What is counted of an entity in the `days` up to `today`, that day with them.
///
/// # Errors
/// From the store.
pub fn counted(
    view: &View,
    entity: EntityId,
    days: i32,
    today: CivilDate,
) -> Result<Conduct, Failed> {
    let first = today.add_days(1 - days)?;
    let policy = view.folded().policy()?;
    let offset_minutes = policy.map_or(LEDGER_OFFSET_MINUTES, |policy| {
        i32::from(policy.civil_offset_minutes)
    });
    let from = first_since(view, first.start_ms(offset_minutes)?)?;
    let mut conduct = Conduct::default();
    findings(view, &entity, first, today, &mut conduct)?;
    failures(view, &entity, from, &mut conduct)?;
    conduct.recalls = recalls(view, &entity, from)?;
    conduct.transfers_overdue = overdue(view, entity, from, today)?;
    conduct.unexplained_per_mille = unexplained(view, &entity, first, today)?;
    Ok(conduct)
}

/// The first index admitted at this time or later: the ledger's clock goes one
/// way.
fn first_since(view: &View, ms: u64) -> Result<u64, Failed> {
    let (mut low, mut high) = (0, view.size());
    while low < high {
        let middle = low + (high - low) / 2;
        match view.entry(middle)?.admitted_ms < ms {
            true => low = middle + 1,
            false => high = middle,
        }
    }
    Ok(low)
}

/// What still stands counts whenever it was found; what was put right, if that
/// was within the days.
fn findings(
    view: &View,
    entity: &EntityId,
    first: CivilDate,
    today: CivilDate,
    conduct: &mut Conduct,
) -> Result<(), Failed> {
    let prefix = rows::findings(entity);
    let folded = view.folded();
    folded.values(
        &prefix,
        &prefix,
        usize::MAX,
        "finding",
        |_, state: FindingState| match state.on(today) {
            Some(FindingStanding::Open | FindingStanding::Due) => conduct.findings_open += 1,
            Some(FindingStanding::Overdue) => conduct.findings_overdue += 1,
            Some(FindingStanding::Closed) => {
                let late = state
                    .rectified
                    .filter(|(on, _)| *on > state.due_on && on.0 >= first.days());
                conduct.findings_late += u64::from(late.is_some());
            }
            None => {}
        },
    )?;
    Ok(())
}

/// Failed samples taken at the entity's place.
fn failures(
    view: &View,
    entity: &EntityId,
    from: u64,
    conduct: &mut Conduct,
) -> Result<(), Failed> {
    for index in view.about(&SubjectId::conduct(*entity), from, usize::MAX)? {
        let signed = view.entry(index)?.signed;
        for claim in signed.body()?.claims(&Openings::default())? {
            let Claim::Evidence(Evidence::Tests {
                unit,
                passed: false,
                ..
            }) = claim
            else {
                continue;
            };
            let stands = match unit {
                Some(unit) => {
                    let evidence = view.folded().evidence(&unit)?;
                    evidence.failure(&signed.hash()).is_some()
                }
                None => true,
            };
            match stands {
                true => conduct.failures_standing += 1,
                false => conduct.failures_cleared += 1,
            }
        }
    }
    Ok(())
}

fn recalls(view: &View, entity: &EntityId, from: u64) -> Result<u64, Failed> {
    let prefix = rows::recalls_of(entity);
    let mut records: Vec<Hash> = Vec::new();
    let start = rows::at(prefix.clone(), from);
    let folded = view.folded();
    folded.values(&prefix, &start, usize::MAX, "recall", |_, record| {
        records.push(record);
    })?;
    let mut count = 0;
    for record in records {
        let mark = folded.mark(&record)?;
        count += u64::from(mark.is_some_and(|mark| mark.lifted_index.is_none()));
    }
    Ok(count)
}

fn overdue(view: &View, entity: EntityId, mut from: u64, today: CivilDate) -> Result<u64, Failed> {
    let mut count = 0;
    loop {
        let page = transfers_of_entity(view, entity, from, PAGE)?;
        let is_last = page.len() < PAGE;
        for found in page {
            let transfer = found.transfer;
            from = transfer.index.saturating_add(1);
            if transfer.to == entity && is_overdue(view, &transfer, today)? == Some(true) {
                count += 1;
            }
        }
        if is_last {
            return Ok(count);
        }
    }
}

/// In the measure in which most is unexplained, in thousandths of what came.
fn unexplained(
    view: &View,
    entity: &EntityId,
    first: CivilDate,
    today: CivilDate,
) -> Result<u64, Failed> {
    let Some(state) = view.folded().entity(entity)? else {
        return Ok(0);
    };
    let prefix = rows::flows_of(state.area, entity);
    let from = rows::on_day(prefix.clone(), first.days());
    let mut sums: BTreeMap<BaseUnit, Flow> = BTreeMap::new();
    balances::days(view, &prefix, &from, |day, base, _, flow| {
        if day <= today.days() {
            sums.entry(base).or_default().add(flow);
        }
    })?;
    let share = |flow: &Flow| {
        let came = u128::from(flow.made) + u128::from(flow.received.all());
        match (u128::from(flow.unexplained) * 1_000, came) {
            (0, _) => 0,
            (_, 0) => 1_000,
            (unexplained, came) => u64::try_from(unexplained / came).unwrap_or(1_000),
        }
    };
    Ok(sums.values().map(share).max().unwrap_or(0))
}
