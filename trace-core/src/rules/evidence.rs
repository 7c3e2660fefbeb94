//! Evidence and documents: of what exists, not in the future, each finding put
//! right once, each document published by who named it.
//!
//! Putting goods on hold after a failure is not here but with the other holds.

use super::{At, Facts, times, units};
use crate::error::{Invalid, Rule};
use crate::ident::{Area, EntityId, TraceCode};
use crate::record::Hash;
use crate::record::document::{DocumentClaim, DocumentState};
use crate::record::evidence::{Evidence, FAILURES_MAX, FindingState, UnitEvidence};
use crate::record::rights::{Registry, SignedAs};
use crate::record::role::Role;
use crate::record::supervision::{SupervisionPolicy, SupervisionState};
use crate::record::unit::Made;

/// The folded state about evidence, documents and supervised goods.
pub trait EvidenceFacts: Registry {
    /// What tests say of a unit.
    ///
    /// # Errors
    /// The reader's own.
    fn evidence(&self, unit: &TraceCode) -> Result<UnitEvidence, Self::Error>;

    /// A finding, by the record of its inspection and its place there; with that
    /// record's index.
    ///
    /// # Errors
    /// The reader's own.
    fn finding(
        &self,
        entity: &EntityId,
        inspection: &Hash,
        position: u16,
    ) -> Result<Option<(u64, FindingState)>, Self::Error>;

    /// What is known of a document.
    ///
    /// # Errors
    /// The reader's own.
    fn document(&self, hash: &Hash) -> Result<Option<DocumentState>, Self::Error>;

    /// A unit's bookings and entries of supervision warehouses.
    ///
    /// # Errors
    /// The reader's own.
    fn supervision(&self, unit: &TraceCode) -> Result<SupervisionState, Self::Error>;

    /// Whether this very area has adopted that a failed sample holds, or that it
    /// does not.
    ///
    /// # Errors
    /// The reader's own.
    fn sampling_policy(&self, area: Area) -> Result<Option<bool>, Self::Error>;

    /// What this very area has adopted for supervision warehouses.
    ///
    /// # Errors
    /// The reader's own.
    fn supervision_policy(&self, area: Area) -> Result<Option<SupervisionPolicy>, Self::Error>;
}

/// Judges what was found.
pub(super) fn found<F: Facts>(facts: &F, at: &At, found: &Evidence) -> Result<(), F::Error> {
    match found {
        Evidence::Tests {
            unit,
            entity,
            area,
            on,
            passed,
            retest_of,
            ..
        } => {
            let made = match unit {
                Some(unit) => Some(made(facts, unit)?),
                None => None,
            };
            times::seen(at, *on, made.as_ref())?;
            if let (Some(entity), Some(area)) = (entity, area) {
                is_at(facts, entity, *area)?;
            }
            tested(facts, unit.as_ref(), *passed, retest_of.as_ref())
        }
        Evidence::Inspects {
            entity, area, on, ..
        } => {
            times::seen(at, *on, None)?;
            is_at(facts, entity, *area)
        }
        Evidence::Rectifies {
            inspection,
            entity,
            area,
            position,
            on,
        } => {
            times::seen(at, *on, None)?;
            is_at(facts, entity, *area)?;
            let Some((_, finding)) = facts.finding(entity, inspection, *position)? else {
                let what = format!("finding {position} of {inspection} at {entity}");
                return Err(Invalid::new(Rule::TargetUnknown, what).into());
            };
            if let Some((day, index)) = finding.rectified {
                let what = format!("finding {position} was put right on {day}, record {index}");
                return Err(Invalid::new(Rule::TargetNotStanding, what)
                    .against((*inspection).into())
                    .into());
            }
            let found_on = finding.found_on.date()?;
            match *on < found_on {
                true => Err(Invalid::new(
                    Rule::DatesDisagree,
                    format!("found on {found_on}, put right on {on}"),
                )
                .against((*inspection).into())
                .into()),
                false => Ok(()),
            }
        }
    }
}

/// A document is published by who named it first, or by an authority; once.
pub(super) fn document<F: Facts>(
    facts: &F,
    signer: &SignedAs,
    claim: &DocumentClaim,
) -> Result<(), F::Error> {
    let DocumentClaim::Publishes { document, unit } = claim else {
        return Ok(());
    };
    let Some(state) = facts.document(document)? else {
        let what = format!("no record names document {document}");
        return Err(Invalid::new(Rule::DocumentUnknown, what).into());
    };
    if let Some(unit) = unit {
        made(facts, unit)?;
    }
    if state.named_by != signer.entity && signer.role != Role::Authority {
        let what = format!(
            "document {document} was named first by {}, at index {}",
            state.named_by, state.named_index
        );
        return Err(Invalid::new(Rule::Right, what).into());
    }
    match state.published_index {
        Some(index) => {
            let what = format!("document {document} was published at index {index}");
            Err(Invalid::new(Rule::TargetNotStanding, what).into())
        }
        None => Ok(()),
    }
}

/// A retest names a failure that stands; no unit has endless failures.
fn tested<F: Facts>(
    facts: &F,
    unit: Option<&TraceCode>,
    passed: bool,
    retest_of: Option<&Hash>,
) -> Result<(), F::Error> {
    let state = match unit {
        Some(unit) => facts.evidence(unit)?,
        None => UnitEvidence::default(),
    };
    if let Some(hash) = retest_of
        && state.failure(hash).is_none()
    {
        let what = format!("no failed test {hash} stands against the unit");
        return Err(Invalid::new(Rule::TargetUnknown, what).into());
    }
    match !passed && state.failures.len() >= FAILURES_MAX {
        true => Err(Invalid::new(
            Rule::TooMany,
            format!("{FAILURES_MAX} failed tests stand against the unit"),
        )
        .into()),
        false => Ok(()),
    }
}

/// The unit was made; whether it was voided since does not matter, for what was
/// found of it is true all the same.
fn made<F: Facts>(facts: &F, unit: &TraceCode) -> Result<Made, F::Error> {
    match facts.unit(unit)?.and_then(|state| state.made) {
        Some(made) => Ok(made),
        None => Err(units::unknown(unit).into()),
    }
}

/// The entity is registered, and within the area that the record names.
fn is_at<F: Facts>(facts: &F, entity: &EntityId, area: Area) -> Result<(), F::Error> {
    let Some(state) = facts.entity(entity)? else {
        let what = format!("entity {entity} is not registered");
        return Err(Invalid::new(Rule::EntityUnknown, what).into());
    };
    let own = Area::try_from(state.area)?;
    match area.covers(own) {
        true => Ok(()),
        false => Err(Invalid::new(
            Rule::Right,
            format!("{entity} is in {own}, the record says {area}"),
        )
        .into()),
    }
}
