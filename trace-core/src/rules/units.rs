//! Trace units and certificates: each code and number once, nothing certified
//! or moved that does not exist, nothing voided twice.

use super::{At, Facts};
use crate::error::{Invalid, Rule};
use crate::ident::{CivilDate, TraceCode};
use crate::record::claim::Form;
use crate::record::rights::SignedAs;
use crate::record::unit::{CERTIFICATES_MAX, CertificateState, Made, Standing, UnitState};

/// A unit begins once, not in the future; a reserved code only by its reserver.
pub(super) fn creates<F: Facts>(
    facts: &F,
    signer: &SignedAs,
    at: &At,
    unit: &TraceCode,
    produced_on: CivilDate,
) -> Result<(), F::Error> {
    if produced_on > at.today {
        return Err(Invalid::new(
            Rule::EventAhead,
            format!("produced on {produced_on}, today is {}", at.today),
        )
        .into());
    }
    let Some(state) = facts.unit(unit)? else {
        return Ok(());
    };
    if let Some(made) = &state.made {
        let what = format!("{unit} was created at index {}", made.index);
        return Err(Invalid::new(Rule::UnitKnown, what)
            .against(made.hash.into())
            .into());
    }
    match state.reserver {
        Some(reserver) if reserver != signer.entity => Err(Invalid::new(
            Rule::UnitKnown,
            format!("{unit} is reserved for a replacement by {reserver}"),
        )
        .into()),
        _ => Ok(()),
    }
}

/// The unit exists, stands, was made by the signer where the form is for makers,
/// and the number is free or reserved for this very unit.
pub(super) fn certifiable<F: Facts>(
    facts: &F,
    signer: &SignedAs,
    unit: &TraceCode,
    number: &str,
    form: Form,
) -> Result<Made, F::Error> {
    let (state, made) = existing(facts, unit)?;
    if form.is_by_maker() && made.entity != signer.entity {
        let what = format!(
            "{unit} was created by {}; {} certifies only its own",
            made.entity, signer.entity
        );
        return Err(Invalid::new(Rule::Right, what)
            .against(made.hash.into())
            .into());
    }
    if state.certificates.len() >= CERTIFICATES_MAX {
        let what = format!(
            "{unit} has {} certificates, at most {CERTIFICATES_MAX}",
            state.certificates.len()
        );
        return Err(Invalid::new(Rule::TooMany, what).into());
    }
    match facts.certificate_unit(number)? {
        None => Ok(made),
        Some(_)
            if state
                .reserved
                .iter()
                .any(|(reserved, _)| reserved == number) =>
        {
            Ok(made)
        }
        Some(other) => Err(used(facts, number, &other)?.into()),
    }
}

/// The unit exists and stands.
pub(super) fn movable<F: Facts>(facts: &F, unit: &TraceCode) -> Result<Made, F::Error> {
    existing(facts, unit).map(|(_, made)| made)
}

/// What is voided stands.
pub(super) fn voids<F: Facts>(
    facts: &F,
    unit: &TraceCode,
    number: Option<&str>,
) -> Result<(), F::Error> {
    let (state, _) = existing(facts, unit)?;
    match number {
        Some(number) => Ok(standing(&state, number).map(drop)?),
        None => Ok(()),
    }
}

/// What is replaced stands; the new number is free; the new unit is the same,
/// not there yet, or the signer's own.
pub(super) fn supersedes<F: Facts>(
    facts: &F,
    signer: &SignedAs,
    unit: &TraceCode,
    number: &str,
    replacement_unit: &TraceCode,
    replacement_number: &str,
) -> Result<(), F::Error> {
    let (state, _) = existing(facts, unit)?;
    let is_by_maker = standing(&state, number)?.form.is_by_maker();
    if let Some(other) = facts.certificate_unit(replacement_number)? {
        return Err(used(facts, replacement_number, &other)?.into());
    }
    let Some(replacement) = facts.unit(replacement_unit)? else {
        return match is_by_maker {
            true => Ok(()),
            // Only its maker will create it, who must not find it reserved.
            false => Err(unknown(replacement_unit).into()),
        };
    };
    // Who certifies what others made has only their units to name.
    if !is_by_maker && replacement.made.is_some() {
        return room_for_reservation(&replacement, replacement_unit).map_err(F::Error::from);
    }
    let owner = replacement
        .made
        .as_ref()
        .map(|made| made.entity)
        .or(replacement.reserver);
    if owner.is_some_and(|owner| owner != signer.entity) {
        let what = format!(
            "{replacement_unit} belongs to another issuer than {}",
            signer.entity
        );
        return Err(Invalid::new(Rule::UnitKnown, what).into());
    }
    room_for_reservation(&replacement, replacement_unit).map_err(F::Error::from)
}

fn room_for_reservation(replacement: &UnitState, unit: &TraceCode) -> Result<(), Invalid> {
    match replacement.reserved.len() >= CERTIFICATES_MAX {
        true => Err(Invalid::new(
            Rule::TooMany,
            format!("{unit} has {CERTIFICATES_MAX} numbers reserved"),
        )),
        false => Ok(()),
    }
}

pub(super) fn existing<F: Facts>(
    facts: &F,
    unit: &TraceCode,
) -> Result<(UnitState, Made), F::Error> {
    let state = facts.unit(unit)?.unwrap_or_default();
    let Some(made) = state.made.clone() else {
        return Err(unknown(unit).into());
    };
    match state.voided_index {
        Some(index) => Err(Invalid::new(
            Rule::UnitVoided,
            format!("{unit} was voided at index {index}"),
        )
        .into()),
        None => Ok((state, made)),
    }
}

/// The refusal of a unit that no record makes.
pub(super) fn unknown(unit: &TraceCode) -> Invalid {
    Invalid::new(Rule::UnitUnknown, format!("{unit} is not on this ledger"))
}

/// The certificate of this unit with this number, which stands.
pub(super) fn standing<'a>(
    state: &'a UnitState,
    number: &str,
) -> Result<&'a CertificateState, Invalid> {
    let Some(held) = state.certificate(number) else {
        return Err(Invalid::new(
            Rule::TargetUnknown,
            format!("certificate {number} is not of this unit"),
        ));
    };
    let what = match &held.standing {
        Standing::InForce => return Ok(held),
        Standing::Voided { index } => format!("certificate {number} was voided at index {index}"),
        Standing::Superseded {
            index, number: new, ..
        } => {
            format!("certificate {number} was replaced by {new} at index {index}")
        }
    };
    Err(Invalid::new(Rule::TargetNotStanding, what).against(held.hash.into()))
}

fn used<F: Facts>(facts: &F, number: &str, unit: &TraceCode) -> Result<Invalid, F::Error> {
    let state = facts.unit(unit)?.unwrap_or_default();
    let refusal = Invalid::new(
        Rule::NumberUsed,
        format!("number {number} is used or reserved for {unit}"),
    );
    Ok(match state.certificate(number) {
        Some(held) => refusal.against(held.hash.into()),
        None => refusal,
    })
}
