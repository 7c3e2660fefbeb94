//! What the official forms demand on their dates: one table, a line for each
//! form and time.
//!
//! 动物检疫合格证明: from 2026-01-01 product certificates have no destination,
//! and all are issued without paper and told from a copy by their QR. Validity:
//! B the same day, animal A at most 5 days, product A at most 7; days are counted
//! from the day after issue (民法典 art. 201). The field list of product A is
//! confirmed; of the others only owner and, where there is one, destination are
//! taken to be demanded, and what is unconfirmed is never demanded.

use super::Facts;
use crate::error::{Invalid, Rule};
use crate::ident::CivilDate;
use crate::record::claim::Form;
use crate::record::official::{Element, FilledIn};

/// 2026-01-01 as days since 1970-01-01: the first day of the forms without
/// paper.
const PAPERLESS_FROM_DAY: i32 = 20_454;

/// What a form demands in a time.
struct Demands {
    form: Form,
    /// The form before, or from 2026-01-01.
    is_paperless: bool,
    wanted: &'static [Element],
    refused: &'static [Element],
    /// The last day lies at most so many days after the issue.
    valid_days: i32,
}

const TABLE: &[Demands] = {
    use Element::{
        Carrier, Destination, Disinfection, LastDay, Owner, Transport, Vehicle, Verification,
    };
    use Form::{QuarantineAnimalA, QuarantineAnimalB, QuarantineProductA, QuarantineProductB};
    const fn line(
        form: Form,
        is_paperless: bool,
        valid_days: i32,
        wanted: &'static [Element],
        refused: &'static [Element],
    ) -> Demands {
        Demands {
            form,
            is_paperless,
            wanted,
            refused,
            valid_days,
        }
    }
    &[
        line(
            QuarantineAnimalA,
            false,
            5,
            &[Owner, Destination, LastDay],
            &[],
        ),
        line(
            QuarantineAnimalA,
            true,
            5,
            &[Owner, Destination, LastDay, Verification],
            &[],
        ),
        line(
            QuarantineAnimalB,
            false,
            0,
            &[Owner, Destination, LastDay],
            &[],
        ),
        line(
            QuarantineAnimalB,
            true,
            0,
            &[Owner, Destination, LastDay, Verification],
            &[],
        ),
        line(
            QuarantineProductA,
            false,
            7,
            &[
                Owner,
                Destination,
                Carrier,
                Transport,
                Vehicle,
                Disinfection,
                LastDay,
            ],
            &[],
        ),
        line(
            QuarantineProductA,
            true,
            7,
            &[
                Owner,
                Carrier,
                Transport,
                Vehicle,
                Disinfection,
                LastDay,
                Verification,
            ],
            &[Destination],
        ),
        line(
            QuarantineProductB,
            false,
            0,
            &[Owner, Destination, LastDay],
            &[],
        ),
        line(
            QuarantineProductB,
            true,
            0,
            &[Owner, LastDay, Verification],
            &[Destination],
        ),
    ]
};

fn demands(form: Form, issued_on: CivilDate) -> Option<&'static Demands> {
    let is_paperless = issued_on.days() >= PAPERLESS_FROM_DAY;
    TABLE
        .iter()
        .find(|line| line.form == form && line.is_paperless == is_paperless)
}

/// Which elements a form of this date demands and which it no longer has, for
/// those who fill it in.
#[must_use]
pub fn elements(form: Form, issued_on: CivilDate) -> (&'static [Element], &'static [Element]) {
    match demands(form, issued_on) {
        Some(line) => (line.wanted, line.refused),
        None => (&[], &[]),
    }
}

/// The last day on which a certificate of this form and date may be valid; none
/// where its form sets none.
#[must_use]
pub fn last_day(form: Form, issued_on: CivilDate) -> Option<CivilDate> {
    let line = demands(form, issued_on)?;
    issued_on.add_days(line.valid_days).ok()
}

/// Holds a form against what its date demands, and against the unit.
pub(super) fn filled_in<F: Facts>(facts: &F, filled: &FilledIn) -> Result<(), F::Error> {
    complete(filled)?;
    let made = facts.unit(&filled.unit)?.and_then(|state| state.made);
    let (Some(made), Some(stated)) = (made, filled.produced_on) else {
        return Ok(());
    };
    let produced_on = made.produced_on.date()?;
    match stated == produced_on {
        true => Ok(()),
        false => Err(Invalid::new(
            Rule::DatesDisagree,
            format!(
                "the form says produced on {stated}, {} was produced on {produced_on}",
                filled.unit
            ),
        )
        .against(made.hash.into())
        .into()),
    }
}

fn complete(filled: &FilledIn) -> Result<(), Invalid> {
    let Some(line) = demands(filled.form, filled.issued_on) else {
        return Ok(());
    };
    let (name, issued_on) = (filled.form.name(), filled.issued_on);
    let refuse = |what: String| Err(Invalid::new(Rule::FormFields, what));
    let missing = line
        .wanted
        .iter()
        .find(|one| !filled.present.contains(*one));
    if let Some(missing) = missing {
        return refuse(format!(
            "{name} of {issued_on} has no {missing:?} ({})",
            missing.name_zh()
        ));
    }
    let surplus = line
        .refused
        .iter()
        .find(|one| filled.present.contains(*one));
    if let Some(surplus) = surplus {
        return refuse(format!(
            "{name} has had no {surplus:?} ({}) since 2026-01-01, it is of {issued_on}",
            surplus.name_zh()
        ));
    }
    match filled.expires_on {
        Some(last) if last.days().saturating_sub(issued_on.days()) > line.valid_days => {
            refuse(format!(
                "{name} of {issued_on} is valid until {last}, at most {} days are allowed",
                line.valid_days
            ))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ident::TraceCode;

    const QUARANTINE: [Form; 4] = [
        Form::QuarantineAnimalA,
        Form::QuarantineAnimalB,
        Form::QuarantineProductA,
        Form::QuarantineProductB,
    ];

    fn date(text: &str) -> CivilDate {
        CivilDate::parse(text).unwrap()
    }

    fn filled(form: Form, issued_on: CivilDate) -> FilledIn {
        FilledIn {
            unit: TraceCode::from_bytes([7; 10]),
            form,
            issued_on,
            expires_on: last_day(form, issued_on),
            area: None,
            produced_on: None,
            present: elements(form, issued_on).0.to_vec(),
        }
    }

    #[test]
    fn every_form_has_one_line_on_each_side_of_the_new_year() {
        let (before, after) = (date("2025-12-31"), date("2026-01-01"));
        assert_eq!(after.days(), PAPERLESS_FROM_DAY);
        for form in QUARANTINE {
            for day in [before, after] {
                let lines = TABLE.iter().filter(|line| {
                    line.form == form && line.is_paperless == (day.days() >= PAPERLESS_FROM_DAY)
                });
                assert_eq!(lines.count(), 1, "{form:?} {day}");
                assert_eq!(complete(&filled(form, day)), Ok(()), "{form:?} {day}");
            }
        }
        assert_eq!(TABLE.len(), 2 * QUARANTINE.len());
    }

    #[test]
    fn each_element_that_is_demanded_is_missed_and_each_that_is_gone_is_refused() {
        for form in QUARANTINE {
            for day in [date("2025-12-31"), date("2026-01-01")] {
                let (wanted, refused) = elements(form, day);
                for one in wanted {
                    let mut wrong = filled(form, day);
                    wrong.present.retain(|present| present != one);
                    let refusal = complete(&wrong).unwrap_err();
                    assert!(refusal.what.contains(one.name_zh()), "{refusal}");
                }
                for one in refused {
                    let mut wrong = filled(form, day);
                    wrong.present.push(*one);
                    let refusal = complete(&wrong).unwrap_err();
                    assert!(refusal.what.contains(one.name_zh()), "{refusal}");
                }
            }
        }
    }

    #[test]
    fn each_form_is_valid_for_its_days_and_not_one_more() {
        let day = date("2026-03-01");
        for (form, days) in [
            (Form::QuarantineAnimalA, 5),
            (Form::QuarantineAnimalB, 0),
            (Form::QuarantineProductA, 7),
            (Form::QuarantineProductB, 0),
        ] {
            let mut form = filled(form, day);
            form.expires_on = Some(day.add_days(days).unwrap());
            assert_eq!(complete(&form), Ok(()));
            form.expires_on = Some(day.add_days(days + 1).unwrap());
            assert_eq!(complete(&form).unwrap_err().rule, Rule::FormFields);
        }
        assert_eq!(last_day(Form::MeatQuality, day), None);
    }
}
