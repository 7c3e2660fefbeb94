//! Centralised supervision warehouses: booked in time, nothing released without
//! its papers, nothing leaves that is not released.

use super::{At, Facts, quantities, units};
use crate::error::{Invalid, Rule};
use crate::ident::{Area, EntityId, TraceCode, format_ms};
use crate::record::attachment::AttachmentKind;
use crate::record::quantity::Quantity;
use crate::record::rights::SignedAs;
use crate::record::role::Role;
use crate::record::supervision::{self, BOOKINGS_MAX, Supervision, SupervisionPolicy};

const HOUR_MS: u64 = 3_600_000;

/// Judges one step through a warehouse.
pub(super) fn step<F: Facts>(
    facts: &F,
    signer: &SignedAs,
    at: &At,
    step: &Supervision,
) -> Result<(), F::Error> {
    match step {
        Supervision::Adopts { .. } => Ok(()),
        Supervision::Books {
            unit,
            warehouse,
            arrives_ms,
        } => books(facts, signer, at, unit, warehouse, *arrives_ms),
        Supervision::Enters { unit, quantity, .. } => {
            quantities::stated(quantity.as_ref())?;
            enters(facts, signer, unit)
        }
        Supervision::Releases {
            unit,
            quantity,
            attached,
        } => releases(facts, signer, unit, quantity, attached),
    }
}

/// What a store holds under supervision may leave only as far as it is released.
/// `store` is whoever has the goods in its keeping.
pub(super) fn may_leave<F: Facts>(
    facts: &F,
    unit: &TraceCode,
    store: &EntityId,
    quantity: Option<&Quantity>,
) -> Result<(), F::Error> {
    let state = facts.supervision(unit)?;
    if state.entered(store).is_none() {
        return Ok(());
    }
    let unreleased = state.unreleased(store, &facts.unit(unit)?.unwrap_or_default());
    let held = facts.stock(unit)?.in_store(store);
    let amount = quantities::stated(quantity)?.base_amount();
    // More than lies there is another rule's matter.
    if amount > held || amount <= held.saturating_sub(unreleased) {
        return Ok(());
    }
    let what = format!(
        "{amount} of {unit} leave {store}, which holds {held}; {unreleased} are not released"
    );
    Err(Invalid::new(Rule::Unreleased, what).into())
}

/// The policy in force where a warehouse is: its area's, or the nearest above.
fn policy<F: Facts>(facts: &F, warehouse: &EntityId) -> Result<SupervisionPolicy, F::Error> {
    let mut area = match facts.entity(warehouse)? {
        Some(state) => Some(Area::try_from(state.area)?),
        None => None,
    };
    while let Some(here) = area {
        if let Some(policy) = facts.supervision_policy(here)? {
            return Ok(policy);
        }
        area = here.parent();
    }
    Ok(SupervisionPolicy::default())
}

/// Who made a unit books, for a warehouse, as long ahead as is demanded.
fn books<F: Facts>(
    facts: &F,
    signer: &SignedAs,
    at: &At,
    unit: &TraceCode,
    warehouse: &EntityId,
    arrives_ms: u64,
) -> Result<(), F::Error> {
    let made = units::movable(facts, unit)?;
    if made.entity != signer.entity {
        let what = format!(
            "{unit} was created by {}, not by {}",
            made.entity, signer.entity
        );
        return Err(Invalid::new(Rule::Right, what)
            .against(made.hash.into())
            .into());
    }
    let keeps = facts.entity(warehouse)?.is_some_and(|state| {
        let mut grants = state.grants.iter();
        grants.any(|grant| grant.role == Role::SupervisionWarehouse)
    });
    if !keeps {
        let what = format!("{warehouse} is no supervision warehouse");
        return Err(Invalid::new(Rule::EntityUnknown, what).into());
    }
    let lead_hours = policy(facts, warehouse)?.booking_lead_hours;
    let earliest_ms = at
        .admitted_ms
        .saturating_add(u64::from(lead_hours) * HOUR_MS);
    if arrives_ms < earliest_ms {
        let offset = i32::from(at.policy.civil_offset_minutes);
        let what = format!(
            "to arrive at {}, now is {}; {lead_hours} hours ahead are demanded",
            format_ms(arrives_ms, offset),
            format_ms(at.admitted_ms, offset)
        );
        return Err(Invalid::new(Rule::BookingLate, what).into());
    }
    let state = facts.supervision(unit)?;
    match state.booking(warehouse).is_none() && state.bookings.len() >= BOOKINGS_MAX {
        true => Err(Invalid::new(
            Rule::TooMany,
            format!("{unit} has {BOOKINGS_MAX} bookings open"),
        )
        .into()),
        false => Ok(()),
    }
}

/// Goods enter where they are booked, if a booking is demanded.
fn enters<F: Facts>(facts: &F, signer: &SignedAs, unit: &TraceCode) -> Result<(), F::Error> {
    let lead_hours = policy(facts, &signer.entity)?.booking_lead_hours;
    let state = facts.supervision(unit)?;
    match lead_hours > 0 && state.booking(&signer.entity).is_none() {
        true => Err(Invalid::new(
            Rule::BookingMissing,
            format!("no booking of {} for {unit} is open", signer.entity),
        )
        .into()),
        false => Ok(()),
    }
}

/// No more is released than entered, and nothing without the papers demanded.
fn releases<F: Facts>(
    facts: &F,
    signer: &SignedAs,
    unit: &TraceCode,
    quantity: &Quantity,
    attached: &[AttachmentKind],
) -> Result<(), F::Error> {
    let (unit_state, made) = units::existing(facts, unit)?;
    quantities::same_unit(&made, quantity)?;
    let state = facts.supervision(unit)?;
    let entered = state.entered(&signer.entity);
    let amount = entered.map_or(0, |entered| entered.base_amount);
    let released = supervision::released(&unit_state, &signer.entity);
    let is_there = released
        .checked_add(quantity.base_amount())
        .is_some_and(|sum| sum <= amount);
    if !is_there {
        let what = format!(
            "{} of {unit} are released, {amount} entered {} and {released} are released already",
            quantity.base_amount(),
            signer.entity
        );
        return Err(Invalid::new(Rule::QuantityExceeded, what).into());
    }
    let brought = entered.map_or(&[][..], |entered| &entered.attached);
    let demanded = policy(facts, &signer.entity)?.demanded;
    let missing = demanded
        .iter()
        .find(|kind| !attached.contains(kind) && !brought.contains(kind));
    match missing {
        Some(missing) => Err(Invalid::new(
            Rule::AttachmentMissing,
            format!(
                "{} ({missing:?}) came neither with every entry nor with the release",
                missing.name_zh()
            ),
        )
        .into()),
        None => Ok(()),
    }
}
