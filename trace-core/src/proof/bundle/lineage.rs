//! Which holds and recalls reach a bundle's unit: followed back from the unit
//! through the acts that made it, all of which must be at hand.
//!
//! The ledger follows them forward when a hold or recall is admitted. Both come
//! to the same: a mark reaches a unit by acts that stood in the log before it
//! and that were done until the time it names; a voiding, which bars nothing,
//! reaches by later acts too.
//!
//! Of what a unit was made from a bundle carries how each was made and its marks,
//! not its certificates, whose whole stories would come with them. So a dispute
//! reaches what was made from a unit by the record that makes the unit alone: a
//! certificate signed with a compromised key is disputed where it is looked up.

use super::established::Established;
use super::sources::Source;
use crate::error::Verify;
use crate::ident::TraceCode;
use crate::proof::completeness::VerifiedCompleteness;
use crate::record::marks::{Barred, MarkState};
use crate::record::subject::SubjectId;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// The first rule set under which anything can be held or recalled; bundles
/// made under an older one state nothing of it.
const MARKS_FROM_RULE_SET: u16 = 2;

/// How a unit came of others.
pub(super) struct MadeFrom {
    pub index: u64,
    pub at_ms: u64,
    pub units: Vec<TraceCode>,
}

/// What the unit was made from as far as the records tell, the nearest first.
pub(super) fn sources(code: TraceCode, established: &Established) -> Vec<Source> {
    let mut sources: Vec<Source> = Vec::new();
    let mut places = BTreeMap::<TraceCode, usize>::new();
    let mut waiting = VecDeque::from([code]);
    while let Some(unit) = waiting.pop_front() {
        let Some(from) = established.made_from(&unit) else {
            continue;
        };
        for parent in from.units.iter().filter(|parent| **parent != code) {
            let known = places.get(parent).and_then(|place| sources.get_mut(*place));
            if let Some(known) = known {
                let later = (from.at_ms, from.index).max((known.used_ms, known.used_index));
                (known.used_ms, known.used_index) = later;
                continue;
            }
            places.insert(*parent, sources.len());
            sources.push(Source {
                code: *parent,
                used_ms: from.at_ms,
                used_index: from.index,
                told: None,
            });
            waiting.push_back(*parent);
        }
    }
    sources
}

/// What bars the unit, once its whole lineage is at hand and something is
/// stated of the marks of each unit in it.
pub(super) fn barred(
    code: TraceCode,
    sources: &[Source],
    established: &Established,
    completeness: &VerifiedCompleteness,
    disputed: &BTreeSet<u64>,
) -> Result<Barred, Verify> {
    let rule_set = established
        .policy_in_force()
        .map_or(MARKS_FROM_RULE_SET, |policy| policy.rule_set);
    if rule_set < MARKS_FROM_RULE_SET {
        return Ok(Barred::default());
    }
    let incomplete = |what: String| Err(Verify::Incomplete { why: what });
    let mut disputed_source: Option<u64> = None;
    let units = sources.iter().map(|source| source.code);
    for unit in std::iter::once(code).chain(units) {
        if completeness.indexes(&SubjectId::marks(unit)).is_none() {
            return incomplete(format!(
                "nothing is stated about holds and recalls of {unit}"
            ));
        }
        if unit != code && !established.is_made(&unit) {
            return incomplete(format!(
                "the record that makes {unit}, of which {code} was made"
            ));
        }
        let made = established.made_index(&unit).filter(|_| unit != code);
        if let Some(made) = made.filter(|made| disputed.contains(made)) {
            disputed_source = Some(disputed_source.map_or(made, |known| known.min(made)));
        }
    }
    let reaching = established
        .marks()
        .filter(|mark| mark.is_in_force() && reaches(mark, code, established));
    Ok(Barred {
        disputed_source,
        ..Barred::by(reaching)
    })
}

/// Whether a mark's unit leads to `code`.
fn reaches(mark: &MarkState, code: TraceCode, established: &Established) -> bool {
    if !mark.speaks_of(&code) {
        return false;
    }
    let mut found = vec![code];
    let mut known = BTreeSet::from([code]);
    while let Some(unit) = found.pop() {
        if unit == mark.unit {
            return true;
        }
        let Some(from) = established.made_from(&unit) else {
            continue;
        };
        let is_before = from.index < mark.index && mark.reaches(from.at_ms);
        if mark.is_inherited() || is_before {
            found.extend(from.units.iter().filter(|parent| known.insert(**parent)));
        }
    }
    false
}
