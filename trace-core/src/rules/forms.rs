//! Which form is in force on a date, and what it demands.
//!
//! 管理办法 (农业农村部令2025年第4号) is in force from 2026-02-01: forms 1 and 2
//! with three bases. Before it the form of 2021 with four. Hebei's electronic
//! certificate has no published field list and follows the form of its date
//! (unconfirmed); its promises are those of the producer's form.

use crate::error::{Invalid, Rule};
use crate::ident::CivilDate;
use crate::record::claim::{Basis, Form, Pledge};
use crate::record::role::Role;

/// 2026-02-01 as days since 1970-01-01: the first day of the forms of 2026.
const FORMS_2026_FROM_DAY: i32 = 20_485;

const NO_BASES: &[Basis] = &[];
const NO_PLEDGES: &[Pledge] = &[];
const BASES_2021: &[Basis] = &[
    Basis::EntrustedTest,
    Basis::OwnTest,
    Basis::InternalControl,
    Basis::SelfPromise,
];
const BASES_2026: &[Basis] = &[
    Basis::ControlMeetsRequirements,
    Basis::OwnTestPassed,
    Basis::EntrustedTestPassed,
];
const PLEDGES_2021: &[Pledge] = &[
    Pledge::NoForbiddenSubstances,
    Pledge::ResiduesWithinLimits,
    Pledge::TruthOfPromise,
];
const PLEDGES_2026_PRODUCER: &[Pledge] =
    &[Pledge::NoBannedCompounds, Pledge::UsedResiduesWithinLimits];
const PLEDGES_2026_BUYER: &[Pledge] = &[Pledge::CertificatesCollected, Pledge::NoMisusedAdditives];

/// Whether `form` may be issued on a date, and the bases and pledges it has.
fn demands(form: Form, issued_on: CivilDate) -> (bool, &'static [Basis], &'static [Pledge]) {
    let is_2026 = issued_on.days() >= FORMS_2026_FROM_DAY;
    match (form, is_2026) {
        (Form::Conformity2021, _) => (!is_2026, BASES_2021, PLEDGES_2021),
        (Form::Conformity2026Producer, _) => (is_2026, BASES_2026, PLEDGES_2026_PRODUCER),
        (Form::Conformity2026Buyer, _) => (is_2026, BASES_2026, PLEDGES_2026_BUYER),
        (Form::ElectronicTraceability, false) => (true, BASES_2021, PLEDGES_2021),
        (Form::ElectronicTraceability, true) => (true, BASES_2026, PLEDGES_2026_PRODUCER),
        // An official form promises nothing; its elements are held elsewhere.
        (
            Form::QuarantineAnimalA
            | Form::QuarantineAnimalB
            | Form::QuarantineProductA
            | Form::QuarantineProductB
            | Form::MeatQuality
            | Form::InboundInspection
            | Form::WarehouseRelease,
            _,
        ) => (true, NO_BASES, NO_PLEDGES),
    }
}

/// Checks a certificate's form against its issue date.
pub(super) fn filled_in(
    form: Form,
    issued_on: CivilDate,
    bases: &[Basis],
    pledges: &[Pledge],
) -> Result<(), Invalid> {
    let refuse = |what: String| Err(Invalid::new(Rule::FormFields, what));
    let (in_force, wanted_bases, wanted_pledges) = demands(form, issued_on);
    if !in_force {
        return refuse(format!(
            "{} is not in force on {issued_on}; the forms changed on 2026-02-01",
            form.name()
        ));
    }
    if bases.is_empty() && !wanted_bases.is_empty() {
        return refuse(format!(
            "no basis is ticked; {} has {wanted_bases:?}",
            form.name()
        ));
    }
    if let Some(other) = bases.iter().find(|basis| !wanted_bases.contains(basis)) {
        return refuse(format!(
            "{other:?} ({}) is not a basis of {} on {issued_on}",
            other.name_zh(),
            form.name()
        ));
    }
    if pledges != wanted_pledges {
        return refuse(format!(
            "promises {pledges:?}, the form has exactly {wanted_pledges:?}"
        ));
    }
    Ok(())
}

/// The bases and pledges that a form of this date has, for those who fill it in.
#[must_use]
pub fn choices(form: Form, issued_on: CivilDate) -> (&'static [Basis], &'static [Pledge]) {
    let (_, bases, pledges) = demands(form, issued_on);
    (bases, pledges)
}

/// The promise of conformity that a producer or buyer issues on a date; none
/// for any other role.
#[must_use]
pub fn form_of(role: Role, issued_on: CivilDate) -> Option<Form> {
    let is_2026 = issued_on.days() >= FORMS_2026_FROM_DAY;
    match (role, is_2026) {
        (Role::Producer | Role::Buyer, false) => Some(Form::Conformity2021),
        (Role::Producer, true) => Some(Form::Conformity2026Producer),
        (Role::Buyer, true) => Some(Form::Conformity2026Buyer),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_is_in_force_on_its_own_side_of_the_change_and_nowhere_else() {
        let before = CivilDate::parse("2026-01-31").unwrap();
        let after = CivilDate::parse("2026-02-01").unwrap();
        assert_eq!(after.days(), FORMS_2026_FROM_DAY);
        for (form, date, allowed) in [
            (Form::Conformity2021, before, true),
            (Form::Conformity2021, after, false),
            (Form::Conformity2026Producer, before, false),
            (Form::Conformity2026Producer, after, true),
            (Form::Conformity2026Buyer, before, false),
            (Form::Conformity2026Buyer, after, true),
            (Form::ElectronicTraceability, before, true),
            (Form::ElectronicTraceability, after, true),
        ] {
            let (bases, pledges) = choices(form, date);
            assert_eq!(
                filled_in(form, date, bases, pledges).is_ok(),
                allowed,
                "{form:?} {date}"
            );
        }
    }

    #[test]
    fn the_form_of_a_role_is_in_force_on_the_date() {
        for date in ["2026-01-31", "2026-02-01"] {
            let date = CivilDate::parse(date).unwrap();
            for role in Role::ALL {
                let issues = matches!(role, Role::Producer | Role::Buyer);
                let form = form_of(*role, date);
                assert_eq!(form.is_some(), issues, "{role}");
                if let Some(form) = form {
                    assert!(demands(form, date).0, "{role} {date}");
                }
            }
        }
    }

    #[test]
    fn a_basis_or_promise_of_the_other_form_is_refused_and_named() {
        let after = CivilDate::parse("2026-02-01").unwrap();
        let refused = |bases: &[Basis], pledges: &[Pledge]| {
            filled_in(Form::Conformity2026Producer, after, bases, pledges)
                .unwrap_err()
                .what
        };
        assert!(refused(&[Basis::SelfPromise], PLEDGES_2026_PRODUCER).contains("自我承诺"));
        assert!(refused(&[], PLEDGES_2026_PRODUCER).contains("no basis"));
        assert!(refused(BASES_2026, &[Pledge::NoBannedCompounds]).contains("exactly"));
        assert!(refused(BASES_2026, PLEDGES_2026_BUYER).contains("exactly"));
    }
}
