//! The cold chain: equipment is its owner's, policies and segments are numbered
//! without gaps, and a unit is placed by who has it, under a policy for its
//! class, in one place after the other.
//!
//! Whether it was kept cold there is not a matter of admission: see
//! [`keeping`](crate::record::keeping).

use super::{At, Facts, times, units};
use crate::error::{Invalid, Rule};
use crate::ident::{EquipmentId, TraceCode, format_ms};
use crate::record::alert::LyingState;
use crate::record::cold_chain::{
    ColdClaim, EquipmentKind, EquipmentState, STAYS_MAX, Segment, TemperaturePolicy, UnitStays,
};
use crate::record::rights::{Registry, SignedAs};

/// The folded state about the cold chain.
pub trait ColdFacts: Registry {
    /// What is known of a piece of equipment.
    ///
    /// # Errors
    /// The reader's own.
    fn equipment(&self, id: &EquipmentId) -> Result<Option<EquipmentState>, Self::Error>;

    /// The version of a policy that is in force, and what it says.
    ///
    /// # Errors
    /// The reader's own.
    fn temperature_policy(
        &self,
        code: &str,
    ) -> Result<Option<(u32, TemperaturePolicy)>, Self::Error>;

    /// Where a unit was kept cold.
    ///
    /// # Errors
    /// The reader's own.
    fn stays(&self, unit: &TraceCode) -> Result<UnitStays, Self::Error>;

    /// How much lies in a piece of equipment under a version of a policy.
    ///
    /// # Errors
    /// The reader's own.
    fn lying(
        &self,
        equipment: &EquipmentId,
        policy: &str,
        version: u32,
    ) -> Result<Option<LyingState>, Self::Error>;
}

/// Judges what a record says of the cold chain.
pub(super) fn said<F: Facts>(
    facts: &F,
    signer: &SignedAs,
    at: &At,
    claim: &ColdClaim,
) -> Result<(), F::Error> {
    match claim {
        ColdClaim::Adopts {
            policy, version, ..
        } => {
            let last = facts
                .temperature_policy(policy)?
                .map_or(0, |(last, _)| last);
            match last.checked_add(1) == Some(*version) {
                true => Ok(()),
                false => {
                    let what = format!("version {version} of {policy}, in force is {last}");
                    Err(Invalid::new(Rule::PolicyVersion, what).into())
                }
            }
        }
        ColdClaim::Registers {
            equipment,
            kind,
            part_of,
            ..
        } => registers(facts, signer, equipment, *kind, part_of.as_ref()),
        ColdClaim::Calibrates {
            equipment,
            calibration,
        } => {
            probe(facts, signer, equipment)?;
            Ok(times::seen(at, calibration.on.date()?, None)?)
        }
        ColdClaim::Retires { equipment, at_ms } => {
            own(facts, signer, equipment)?;
            Ok(times::not_ahead(at, *at_ms)?)
        }
        ColdClaim::Acknowledges {
            equipment, at_ms, ..
        } => {
            probe(facts, signer, equipment)?;
            Ok(times::not_ahead(at, *at_ms)?)
        }
        ColdClaim::Seals(segment) => seals(facts, signer, at, segment),
        ColdClaim::Places {
            unit,
            equipment,
            at_ms,
            policy,
        } => places(facts, signer, at, unit, equipment, *at_ms, policy),
        ColdClaim::TakesOut {
            unit,
            equipment,
            at_ms,
        } => takes_out(facts, signer, at, unit, equipment, *at_ms),
    }
}

/// New, and part only of the signer's own, where such a part can be.
fn registers<F: Facts>(
    facts: &F,
    signer: &SignedAs,
    equipment: &EquipmentId,
    kind: EquipmentKind,
    part_of: Option<&EquipmentId>,
) -> Result<(), F::Error> {
    if let Some(known) = facts.equipment(equipment)? {
        let what = format!(
            "{equipment} was registered by {} at index {}",
            known.entity, known.registered_index
        );
        return Err(Invalid::new(Rule::EquipmentKnown, what).into());
    }
    let Some(part_of) = part_of else {
        return Ok(());
    };
    let whole = own(facts, signer, part_of)?;
    match kind.fits_into(whole.kind) {
        true => Ok(()),
        false => {
            let what = format!("{kind:?} as a part of {part_of}, which is {:?}", whole.kind);
            Err(Invalid::new(Rule::EquipmentUnfit, what).into())
        }
    }
}

/// The signer's own, and in use.
fn own<F: Facts>(
    facts: &F,
    signer: &SignedAs,
    equipment: &EquipmentId,
) -> Result<EquipmentState, F::Error> {
    let state = owned(facts, signer, equipment)?;
    match state.retired {
        Some((_, index)) => {
            let what = format!("{equipment} was retired at index {index}");
            Err(Invalid::new(Rule::EquipmentRetired, what).into())
        }
        None => Ok(state),
    }
}

/// The signer's own, in use or not.
fn owned<F: Facts>(
    facts: &F,
    signer: &SignedAs,
    equipment: &EquipmentId,
) -> Result<EquipmentState, F::Error> {
    let Some(state) = facts.equipment(equipment)? else {
        let what = format!("equipment {equipment} is not registered");
        return Err(Invalid::new(Rule::EquipmentUnknown, what).into());
    };
    match state.entity == signer.entity {
        true => Ok(state),
        false => {
            let what = format!(
                "{equipment} belongs to {}, not to {}",
                state.entity, signer.entity
            );
            Err(Invalid::new(Rule::Right, what).into())
        }
    }
}

/// The signer's own probe, in use or not: what it measured may be sealed later.
fn probe<F: Facts>(
    facts: &F,
    signer: &SignedAs,
    equipment: &EquipmentId,
) -> Result<EquipmentState, F::Error> {
    let state = owned(facts, signer, equipment)?;
    match state.kind {
        EquipmentKind::Probe => Ok(state),
        other => {
            let what = format!("{equipment} is {other:?}, not a probe");
            Err(Invalid::new(Rule::EquipmentUnfit, what).into())
        }
    }
}

/// The next of its probe, and not of the future.
fn seals<F: Facts>(
    facts: &F,
    signer: &SignedAs,
    at: &At,
    segment: &Segment,
) -> Result<(), F::Error> {
    let state = probe(facts, signer, &segment.probe)?;
    if segment.number != state.next_segment {
        let what = format!(
            "segment {} of {}, expected {}",
            segment.number, segment.probe, state.next_segment
        );
        return Err(Invalid::new(Rule::SegmentNumber, what).into());
    }
    Ok(times::not_ahead(at, segment.last_ms)?)
}

/// By who has some of it, where it does not lie already, under a policy for its
/// class.
fn places<F: Facts>(
    facts: &F,
    signer: &SignedAs,
    at: &At,
    unit: &TraceCode,
    equipment: &EquipmentId,
    at_ms: u64,
    policy: &str,
) -> Result<(), F::Error> {
    let made = units::movable(facts, unit)?;
    times::happened(at, at_ms, &made)?;
    let state = own(facts, signer, equipment)?;
    if state.kind == EquipmentKind::Probe {
        let what = format!("{equipment} is a probe: goods are placed where it measures");
        return Err(Invalid::new(Rule::EquipmentUnfit, what).into());
    }
    let in_custody = match facts.holding(unit, &signer.entity)? {
        Some(holding) => holding.amount,
        None if made.entity == signer.entity => made.base_amount,
        None => 0,
    };
    if in_custody == 0 && facts.stock(unit)?.in_store(&signer.entity) == 0 {
        let what = format!("{} has none of {unit} in hand or in store", signer.entity);
        return Err(Invalid::new(Rule::NotHolder, what).into());
    }
    let Some((version, text)) = facts.temperature_policy(policy)? else {
        let what = format!("no policy {policy:?} was adopted");
        return Err(Invalid::new(Rule::PolicyUnknown, what).into());
    };
    if !text.product_classes.contains(&made.product_class) {
        let what = format!(
            "version {version} of {policy} is for {:?}, {unit} is {:?}",
            text.product_classes, made.product_class
        );
        return Err(Invalid::new(Rule::PolicyUnknown, what)
            .against(made.hash.into())
            .into());
    }
    let stays = facts.stays(unit)?;
    if let Some(open) = stays.open(equipment) {
        let what = format!(
            "{unit} lies in {equipment} since record {}",
            open.placed_index
        );
        return Err(Invalid::new(Rule::StayOpen, what).into());
    }
    match stays.stays.len() >= STAYS_MAX {
        true => {
            let what = format!("{unit} was placed {STAYS_MAX} times");
            Err(Invalid::new(Rule::TooMany, what).into())
        }
        false => Ok(()),
    }
}

/// Out of where it lies, not before it was placed there. A unit that was voided
/// or recalled is taken out all the same.
fn takes_out<F: Facts>(
    facts: &F,
    signer: &SignedAs,
    at: &At,
    unit: &TraceCode,
    equipment: &EquipmentId,
    at_ms: u64,
) -> Result<(), F::Error> {
    owned(facts, signer, equipment)?;
    times::not_ahead(at, at_ms)?;
    let stays = facts.stays(unit)?;
    let Some(open) = stays.open(equipment) else {
        let what = format!("{unit} does not lie in {equipment}");
        return Err(Invalid::new(Rule::StayMissing, what).into());
    };
    if at_ms < open.from_ms {
        let offset = i32::from(at.policy.civil_offset_minutes);
        let what = format!(
            "taken out at {}, placed at {} by record {}",
            format_ms(at_ms, offset),
            format_ms(open.from_ms, offset),
            open.placed_index
        );
        return Err(Invalid::new(Rule::ImpossibleOrder, what).into());
    }
    Ok(())
}
