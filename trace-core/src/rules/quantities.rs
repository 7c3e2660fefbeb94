//! Quantities are conserved: what is certified never exceeds what was made,
//! what lies in stores never exceeds what was made, and what leaves a store
//! never exceeds what lies in it. Integers in base units; no rounding.

use super::{At, Facts, corrections};
use crate::error::{Invalid, Rule};
use crate::ident::{EntityId, TraceCode};
use crate::record::claim::FormFamily;
use crate::record::quantity::Quantity;
use crate::record::unit::Made;

/// Certified in all forms that speak of the same, standing certificates only, at
/// most what was made; what was spent under voided ones counts on, from set 3. A
/// release is bounded by what entered, not here.
pub(super) fn certified<F: Facts>(
    facts: &F,
    at: &At,
    unit: &TraceCode,
    quantity: &Quantity,
    family: FormFamily,
) -> Result<(), F::Error> {
    let Some(state) = facts.unit(unit)? else {
        return Ok(());
    };
    let Some(made) = &state.made else {
        return Ok(());
    };
    same_unit(made, quantity)?;
    if family == FormFamily::Release {
        return Ok(());
    }
    let spent = match at.knows_corrections() {
        true => corrections::spent_voided(facts, &state, family)?,
        false => 0,
    };
    let already = state.certified(family).saturating_add(spent);
    let (there, more) = (made.base_amount, quantity.base_amount());
    fits("certified", unit, made, there, already, more).map_err(F::Error::from)
}

/// In all stores together at most what there is: all that was made, or what of
/// it is in somebody's hands.
pub(super) fn enters<F: Facts>(
    facts: &F,
    unit: &TraceCode,
    made: &Made,
    there: u64,
    quantity: Option<&Quantity>,
) -> Result<(), F::Error> {
    let quantity = stated(quantity)?;
    same_unit(made, quantity)?;
    let already = facts.stock(unit)?.total();
    let more = quantity.base_amount();
    fits("in cold stores", unit, made, there, already, more).map_err(F::Error::from)
}

/// Out of one store at most what lies in it.
pub(super) fn leaves<F: Facts>(
    facts: &F,
    unit: &TraceCode,
    made: &Made,
    store: &EntityId,
    quantity: Option<&Quantity>,
) -> Result<(), F::Error> {
    let quantity = stated(quantity)?;
    same_unit(made, quantity)?;
    let held = facts.stock(unit)?.in_store(store);
    if quantity.base_amount() > held {
        let what = format!(
            "{} {:?} of {unit} leave, {held} lie in {store}",
            quantity.base_amount(),
            made.base
        );
        return Err(Invalid::new(Rule::QuantityExceeded, what).into());
    }
    Ok(())
}

pub(super) fn stated(quantity: Option<&Quantity>) -> Result<&Quantity, Invalid> {
    quantity.ok_or_else(|| Invalid::new(Rule::Section, "the quantity's section is missing"))
}

pub(super) fn same_unit(made: &Made, quantity: &Quantity) -> Result<(), Invalid> {
    match quantity.base() == made.base {
        true => Ok(()),
        false => Err(Invalid::new(
            Rule::QuantityUnit,
            format!(
                "stated in {:?}, the unit is in {:?}",
                quantity.base(),
                made.base
            ),
        )
        .against(made.hash.into())),
    }
}

fn fits(
    what: &str,
    unit: &TraceCode,
    made: &Made,
    there: u64,
    already: u64,
    more: u64,
) -> Result<(), Invalid> {
    match already.checked_add(more) {
        Some(sum) if sum <= there => Ok(()),
        _ => Err(Invalid::new(
            Rule::QuantityExceeded,
            format!(
                "{already} {:?} of {unit} are {what} already, {more} more would pass the {there} \
                 there are",
                made.base
            ),
        )
        .against(made.hash.into())),
    }
}
