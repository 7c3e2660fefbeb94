//! Voidings: what was made from a unit is marked when the unit, or a certificate
//! of it, is voided.
//!
//! A record of what was made says of which units, not under which certificate.
//! So a certificate's voiding marks all that was made from its unit, whoever made
//! it, wherever it can matter to that: no other certificate of its family is
//! left, or goods went under it. A second certificate that nothing went under,
//! beside one that stands, is voided plainly, and marks nothing. What replaced a
//! certificate on another unit marks what was made from that unit, and a
//! certificate that was replaced is voided no more. Nothing ever lifts such a
//! mark; what is wrong on a certificate is put right by replacing it.

use super::{Facts, corrections, halting, units};
use crate::error::{Invalid, Rule};
use crate::ident::TraceCode;
use crate::record::claim::Claim;
use crate::record::unit::{Standing, UnitState};

/// The first set of rules under which a unit's voiding marks.
const UNIT_MARKS_FROM_RULE_SET: u16 = 3;

/// The first set of rules under which a certificate's voiding marks.
const CERTIFICATE_MARKS_FROM_RULE_SET: u16 = 4;

/// Whether voiding a unit, or the certificate of it with this number, takes a
/// record that marks what was made from it: of kind `unit_voided` or
/// `certificate_voided` in place of `voided`.
///
/// # Errors
/// The reader's own.
pub fn is_marking<F: Facts>(
    facts: &F,
    unit: &TraceCode,
    number: Option<&str>,
) -> Result<bool, F::Error> {
    let in_force = facts.policy()?.map_or(0, |policy| policy.rule_set);
    let (wanted, matters) = match number {
        None => (UNIT_MARKS_FROM_RULE_SET, true),
        Some(number) => {
            let state = facts.unit(unit)?.unwrap_or_default();
            let matters = beside(&state, number).is_none() || went_under(facts, number)?;
            (CERTIFICATE_MARKS_FROM_RULE_SET, matters)
        }
    };
    Ok(in_force >= wanted && matters && !facts.children(unit, None, 1)?.is_empty())
}

/// What a unit was voided for marks everything made from it; where there is
/// anything, a record that does not is refused.
pub(super) fn unit<F: Facts>(
    facts: &F,
    unit: &TraceCode,
    claims: &[Claim],
) -> Result<(), F::Error> {
    let marks = |claim: &Claim| matches!(claim, Claim::MarksVoided { .. });
    if claims.iter().any(marks) {
        return halting::reached(facts, unit, None);
    }
    match facts.children(unit, None, 1)?.first() {
        None => Ok(()),
        Some((index, child, _)) => {
            let what = format!("{child} was made from {unit} at index {index}: use unit_voided");
            Err(Invalid::new(Rule::DescendantsUnmarked, what).into())
        }
    }
}

/// A certificate's voiding marks what was made from its unit, where it can
/// matter to that, and only there.
pub(super) fn certificate<F: Facts>(
    facts: &F,
    unit: &TraceCode,
    number: &str,
    claims: &[Claim],
) -> Result<(), F::Error> {
    let (state, _) = units::existing(facts, unit)?;
    let certificate = units::standing(&state, number)?;
    let against = |refusal: Invalid| F::Error::from(refusal.against(certificate.hash.into()));
    let marks = |claim: &Claim| matches!(claim, Claim::MarksCertificateVoided { .. });
    if !claims.iter().any(marks) {
        let child = facts.children(unit, None, 1)?.into_iter().next();
        return match child {
            Some((index, child, _)) if is_marking(facts, unit, Some(number))? => {
                let what = format!(
                    "{child} was made at index {index} from {unit}, which {number} certifies: use \
                     certificate_voided"
                );
                Err(against(Invalid::new(Rule::DescendantsUnmarked, what)))
            }
            _ => Ok(()),
        };
    }
    match beside(&state, number) {
        Some(other) if !went_under(facts, number)? => {
            let what = format!(
                "nothing went under {number}, and {other} certifies {unit} beside it: use voided"
            );
            Err(against(Invalid::new(Rule::MarksNothing, what)))
        }
        _ => halting::reached(facts, unit, None),
    }
}

/// The number of another certificate of the same family that stands.
fn beside<'a>(state: &'a UnitState, number: &str) -> Option<&'a str> {
    let family = state.certificate(number)?.form.family();
    let mut others = state.certificates.iter().filter(|other| {
        other.number != number
            && other.form.family() == family
            && other.standing == Standing::InForce
    });
    others.next().map(|other| other.number.as_str())
}

/// Whether goods went under a certificate, or under one that it replaced.
fn went_under<F: Facts>(facts: &F, number: &str) -> Result<bool, F::Error> {
    let account = corrections::account(facts, number)?;
    Ok(!facts.certificate_use(&account)?.records.is_empty())
}
