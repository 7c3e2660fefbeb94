//! Holds and recalls: what is barred moves no further, but for a recall's own
//! way back.

use super::{Facts, units};
use crate::error::{Invalid, Rule};
use crate::ident::{Area, EntityId, TraceCode};
use crate::record::Hash;
use crate::record::marks::{MarkKind, MarkState};
use crate::record::movement::Manner;
use crate::record::rights::{self, SignedAs};
use std::collections::HashSet;

/// Most units that one hold or recall reaches: 262,144 rows of about 160 bytes,
/// the key and its place in the overlay included, are 42 MB, written at once.
/// What is larger is recalled part by part.
pub const REACH_MAX: usize = 1 << 18;

/// Units asked for at a time.
const PAGE: usize = 256;

/// Where goods would go.
#[derive(Debug, Clone, Copy)]
pub(super) enum Way {
    /// To anybody, or into something else.
    Onward,
    /// To this entity.
    To(EntityId),
    /// To their end.
    End(Manner),
}

/// Nothing moves while on hold; what is recalled is destroyed, returned, or
/// goes back to who recalled or made it, on hold or not.
pub(super) fn may_go<F: Facts>(facts: &F, unit: &TraceCode, way: Way) -> Result<(), F::Error> {
    let mut hold: Option<(Hash, MarkState)> = None;
    let mut recall: Option<(Hash, MarkState)> = None;
    let mut is_way_back = false;
    for record in facts.marks(unit)? {
        let Some(mark) = facts.mark(&record)?.filter(MarkState::is_in_force) else {
            continue;
        };
        match mark.kind {
            MarkKind::SourceVoided | MarkKind::CertificateVoided => {}
            MarkKind::Hold | MarkKind::FailedSample => hold = hold.or(Some((record, mark))),
            MarkKind::Recall => {
                is_way_back |= match way {
                    Way::Onward => false,
                    Way::To(to) => to == mark.by || to == mark.maker,
                    Way::End(manner) => manner.takes_recalled(),
                };
                recall = recall.or(Some((record, mark)));
            }
        }
    }
    let (rule, said, (record, mark)) = match (recall, hold) {
        (Some(_), _) if is_way_back => return Ok(()),
        (Some(recall), _) => (Rule::Recalled, "recalled", recall),
        (None, Some(hold)) => (Rule::OnHold, "on hold", hold),
        (None, None) => return Ok(()),
    };
    let what = match mark.unit == *unit {
        true => format!("{unit} is {said} by the record at index {}", mark.index),
        false => format!(
            "{unit} was made from {}, which is {said} by the record at index {}",
            mark.unit, mark.index
        ),
    };
    Err(Invalid::new(rule, what).against(record.into()).into())
}

/// What came out of a cold store: never on hold; recalled goods come out to go
/// back.
pub(super) fn may_leave_store<F: Facts>(facts: &F, unit: &TraceCode) -> Result<(), F::Error> {
    may_go(facts, unit, Way::End(Manner::Returned))
}

/// Authorities and inspectors hold what is in their area; a maker its own, where
/// the policy of its class lets the role.
pub(super) fn holds<F: Facts>(
    facts: &F,
    signer: &SignedAs,
    unit: &TraceCode,
) -> Result<(), F::Error> {
    let (_, made) = units::existing(facts, unit)?;
    if !rights::may_halt(signer.role) {
        let may = facts
            .tolerance(made.product_class)?
            .is_some_and(|tolerance| tolerance.holders.contains(&signer.role));
        if !may {
            let what = format!(
                "the policy of {:?} lets no {} hold",
                made.product_class, signer.role
            );
            return Err(Invalid::new(Rule::Right, what).into());
        }
    }
    reached(facts, unit, None)
}

/// A recall is of a unit that is there.
pub(super) fn recalls<F: Facts>(
    facts: &F,
    unit: &TraceCode,
    until_ms: Option<u64>,
) -> Result<(), F::Error> {
    units::existing(facts, unit)?;
    reached(facts, unit, until_ms)
}

pub(super) fn reached<F: Facts>(
    facts: &F,
    unit: &TraceCode,
    until_ms: Option<u64>,
) -> Result<(), F::Error> {
    let found = reach(facts, unit, until_ms)?.len();
    match found <= REACH_MAX {
        true => Ok(()),
        false => Err(Invalid::new(
            Rule::TooMany,
            format!("{unit} went into more than {REACH_MAX} units; name what was made of it"),
        )
        .into()),
    }
}

/// Whether a failed official sample puts goods on hold in an area, by its own policy
/// or that of the nearest area above.
///
/// # Errors
/// The reader's own failure.
pub fn failed_sample_holds<F: Facts>(facts: &F, area: Area) -> Result<bool, F::Error> {
    let mut here = Some(area);
    let mut holds = None;
    while let Some(area) = here.filter(|_| holds.is_none()) {
        holds = facts.sampling_policy(area)?;
        here = area.parent();
    }
    Ok(holds.unwrap_or(false))
}

/// A failed sample holds where the policy of the area says so, and is then
/// recorded as what holds.
pub(super) fn failed<F: Facts>(
    facts: &F,
    unit: &TraceCode,
    area: Area,
    is_holding: bool,
) -> Result<(), F::Error> {
    match (failed_sample_holds(facts, area)?, is_holding) {
        (true, true) => reached(facts, unit, None),
        (false, false) => Ok(()),
        (true, false) => Err(Invalid::new(
            Rule::HoldDemanded,
            format!("in {area} a failed sample puts {unit} on hold"),
        )
        .into()),
        (false, true) => Err(Invalid::new(
            Rule::Right,
            format!("no policy of {area} puts anything on hold for a failed sample"),
        )
        .into()),
    }
}

/// What a failed sample holds is not released while that failure stands.
pub(super) fn releases<F: Facts>(
    facts: &F,
    unit: &TraceCode,
    target: &Hash,
) -> Result<(), F::Error> {
    let is_by_sample = facts
        .mark(target)?
        .is_some_and(|mark| mark.kind == MarkKind::FailedSample);
    match facts.evidence(unit)?.failure(target) {
        Some(failure) if is_by_sample => {
            let what = format!(
                "the sample of {}, record {} at index {}, failed and no retest of it passed",
                failure.on, failure.hash, failure.index
            );
            let refusal = Invalid::new(Rule::FailureStands, what);
            Err(refusal.against(failure.hash.into()).into())
        }
        _ => Ok(()),
    }
}

/// A mark is lifted or closed once.
pub(super) fn ends<F: Facts>(facts: &F, target: &Hash) -> Result<(), F::Error> {
    let ended = facts.mark(target)?.and_then(|mark| mark.ended_index());
    match ended {
        None => Ok(()),
        Some(index) => Err(Invalid::new(
            Rule::MarkEnded,
            format!("record {target} was ended by the record at index {index}"),
        )
        .against((*target).into())
        .into()),
    }
}

/// A unit and everything made from it until then, breadth first: an explicit
/// list, so that no depth of making costs stack. Stops one past [`REACH_MAX`].
pub(crate) fn reach<F: Facts>(
    facts: &F,
    unit: &TraceCode,
    until_ms: Option<u64>,
) -> Result<Vec<TraceCode>, F::Error> {
    let mut reached = vec![*unit];
    let mut known = HashSet::from([*unit]);
    let mut place = 0;
    while let Some(next) = reached.get(place).copied() {
        place += 1;
        let mut after = None;
        loop {
            let page = facts.children(&next, after, PAGE)?;
            after = page.last().map(|(index, child, _)| (*index, *child));
            let is_last = page.len() < PAGE;
            for (_, child, edge) in page {
                let is_within = until_ms.is_none_or(|until_ms| edge.at_ms <= until_ms);
                if is_within && known.insert(child) {
                    reached.push(child);
                    if reached.len() > REACH_MAX {
                        return Ok(reached);
                    }
                }
            }
            if is_last {
                break;
            }
        }
    }
    Ok(reached)
}
