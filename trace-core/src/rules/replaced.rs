//! Goods under an old code whose certificate was replaced onto another unit: who
//! received them before hands them on under the new number.
//!
//! The old number stands no more, and the new one is of another unit; but use of
//! both is kept in one account, so that what a receiver has of its cover is known
//! whichever is named. Whose goods the certificate covered first is left out: its
//! cover went with what is left of the goods to the new unit, and it hands that
//! over. A check-in at a market, which names no mover, knows a unit's own numbers
//! alone.

use super::{Facts, corrections, custody, units};
use crate::error::{Invalid, Rule};
use crate::ident::{EntityId, TraceCode};
use crate::record::unit::{CertificateState, Standing, UnitState};

/// The standing certificate of another unit with this number, where it took the
/// place of one of this unit and `mover` is not whose goods it covers first.
pub(super) fn certificate<F: Facts>(
    facts: &F,
    state: &UnitState,
    number: &str,
    mover: &EntityId,
) -> Result<CertificateState, F::Error> {
    let (Some(other), Some(before)) = (
        facts.certificate_unit(number)?,
        in_its_place(facts, state, number)?,
    ) else {
        // Of no unit, or of one that has nothing to do with this.
        return Ok(units::standing(state, number)?.clone());
    };
    let (there, _) = units::existing(facts, &other)?;
    let certificate = units::standing(&there, number)?;
    for covering in [before, certificate] {
        if custody::first_holder(facts, covering)? == Some(*mover) {
            let what = format!(
                "{number}, record {}, took the place of {}, record {}, with what was left of \
                 the goods; {mover} hands over {other} under it",
                certificate.hash, before.number, before.hash
            );
            let refusal = Invalid::new(Rule::TargetUnknown, what);
            return Err(refusal.against(certificate.hash.into()).into());
        }
    }
    Ok(certificate.clone())
}

/// The certificate of this unit in whose place that with this number came, at
/// once or by several replacements.
fn in_its_place<'a, F: Facts>(
    facts: &F,
    state: &'a UnitState,
    number: &str,
) -> Result<Option<&'a CertificateState>, F::Error> {
    let account = corrections::account(facts, number)?;
    for held in &state.certificates {
        let is_replaced = matches!(held.standing, Standing::Superseded { .. });
        if is_replaced && corrections::account(facts, &held.number)? == account {
            return Ok(Some(held));
        }
    }
    Ok(None)
}

/// The certificate with which goods of a unit were handed over: its own, or what
/// came in that one's place.
pub(crate) fn stated<F: Facts>(
    facts: &F,
    unit: &TraceCode,
    number: &str,
) -> Result<Option<CertificateState>, F::Error> {
    let named = |state: UnitState| state.certificate(number).cloned();
    if let Some(own) = facts.unit(unit)?.and_then(named) {
        return Ok(Some(own));
    }
    match facts.certificate_unit(number)? {
        Some(other) if other != *unit => Ok(facts.unit(&other)?.and_then(named)),
        _ => Ok(None),
    }
}
