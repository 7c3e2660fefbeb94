//! Custody: only who holds goods moves them, only the named receiver receives
//! them, and in an order that can have been.
//!
//! A certificate's cover travels with the goods: the issuer has all of it, and
//! hands on as much as goes under it. So a copy of it covers nothing, wherever
//! it is shown 一证多用.

use super::halting::{self, Way};
use super::movements::{Arrival, Balance, CertificateUse, Holding, Judged, Transfer, per_mille};
use super::{At, Facts, corrections, quantities, replaced, times, units};
use crate::error::{Invalid, Rule};
use crate::ident::{EntityId, TraceCode, format_ms};
use crate::record::claim::{Handing, Receipt, Tolerance};
use crate::record::movement::Manner;
use crate::record::unit::{CertificateState, Made, UnitState};
use crate::record::{Hash, Quantity, Verified};

/// Somebody who moves something, and when.
#[derive(Clone, Copy)]
pub(super) struct Mover<'a> {
    pub entity: EntityId,
    pub at_ms: u64,
    /// The record that says so, for refusals that name both.
    pub record: &'a Verified,
}

/// What an entity has of a unit; none where it never had any.
pub(crate) fn holding<F: Facts>(
    facts: &F,
    unit: &TraceCode,
    made: &Made,
    entity: &EntityId,
) -> Result<Option<Holding>, F::Error> {
    match facts.balance(unit)? {
        None if made.entity == *entity => Ok(Some(Holding::of_maker(made))),
        None => Ok(None),
        Some(_) => facts.holding(unit, entity),
    }
}

/// Where all of a unit is.
pub(crate) fn balance<F: Facts>(
    facts: &F,
    unit: &TraceCode,
    made: &Made,
) -> Result<Balance, F::Error> {
    Ok(facts.balance(unit)?.unwrap_or_else(|| Balance::begun(made)))
}

/// What is tolerated of a unit's class.
pub(crate) fn tolerance<F: Facts>(facts: &F, made: &Made) -> Result<Tolerance, F::Error> {
    Ok(facts.tolerance(made.product_class)?.unwrap_or_default())
}

/// So much may leave the mover's hands this way: nothing bars it, they hold it,
/// held it by then, and it lies in no cold store.
pub(super) fn leaves<F: Facts>(
    facts: &F,
    at: &At,
    mover: &Mover,
    unit: &TraceCode,
    made: &Made,
    quantity: Option<&Quantity>,
    way: Way,
) -> Result<u64, F::Error> {
    times::happened(at, mover.at_ms, made)?;
    halting::may_go(facts, unit, way)?;
    let quantity = quantities::stated(quantity)?;
    quantities::same_unit(made, quantity)?;
    let amount = quantity.base_amount();
    let entity = &mover.entity;
    let balance = balance(facts, unit, made)?;
    let refuse = |rule, what: String, against: Hash| -> Result<u64, F::Error> {
        Err(Invalid::new(rule, what).against(against.into()).into())
    };
    let held = match holding(facts, unit, made, entity)? {
        Some(held) if held.amount > 0 => held,
        _ if balance.is_gone() => {
            let what = format!("nothing is left of {unit}");
            return refuse(Rule::NothingLeft, what, made.hash);
        }
        _ => {
            let what = format!("{entity} holds nothing of {unit}");
            return refuse(Rule::NotHolder, what, made.hash);
        }
    };
    if mover.at_ms < held.since_ms {
        let offset = i32::from(at.policy.civil_offset_minutes);
        let what = format!(
            "record {} moves {unit} at {}, {entity} had it from {} on by record {}",
            mover.record.hash(),
            format_ms(mover.at_ms, offset),
            format_ms(held.since_ms, offset),
            held.since
        );
        return refuse(Rule::ImpossibleOrder, what, held.since);
    }
    if amount > held.amount {
        let what = format!(
            "{amount} {:?} of {unit} leave, {entity} holds {}",
            made.base, held.amount
        );
        return refuse(Rule::QuantityExceeded, what, held.since);
    }
    let stored = facts.stock(unit)?.total();
    if balance.held - amount < stored {
        let what = format!(
            "{amount} {:?} of {unit} leave; of {} held {stored} lie in cold stores",
            made.base, balance.held
        );
        return refuse(Rule::InColdStore, what, made.hash);
    }
    Ok(amount)
}

/// A holder hands over to an entity that is registered, or to somebody outside;
/// a certificate covers what goes under it.
pub(super) fn hands_over<F: Facts>(
    facts: &F,
    at: &At,
    mover: &Mover,
    unit: &TraceCode,
    certificate: Option<&str>,
    handing: Option<&Handing>,
) -> Result<(), F::Error> {
    let (state, made) = units::existing(facts, unit)?;
    let handing = handing
        .ok_or_else(|| Invalid::new(Rule::Section, "the other side's section is missing"))?;
    let way = handing.to.map_or(Way::Onward, Way::To);
    let amount = leaves(facts, at, mover, unit, &made, Some(&handing.quantity), way)?;
    if let Some(to) = handing.to {
        let refuse = |what: String| Err(Invalid::new(Rule::Counterparty, what).into());
        if to == mover.entity {
            return refuse(format!("{to} hands over to itself"));
        }
        if facts.entity(&to)?.is_none() {
            return refuse(format!("entity {to} is not registered"));
        }
    }
    match certificate {
        Some(number) => covers(facts, at, &state, number, &mover.entity, amount),
        None => Ok(()),
    }
}

/// How much of a certificate's cover an entity has.
pub(crate) fn cover<F: Facts>(
    facts: &F,
    certificate: &CertificateState,
    entity: &EntityId,
) -> Result<u64, F::Error> {
    let account = corrections::account(facts, &certificate.number)?;
    match facts.cover(&account, entity)? {
        Some(left) => Ok(left),
        None if first_holder(facts, certificate)? == Some(*entity) => Ok(certificate.base_amount),
        None => Ok(0),
    }
}

/// Whose goods a certificate covers first: its issuer's, or where an authority
/// certifies what others made, the maker's.
pub(crate) fn first_holder<F: Facts>(
    facts: &F,
    certificate: &CertificateState,
) -> Result<Option<EntityId>, F::Error> {
    if certificate.form.is_by_maker() {
        return Ok(Some(certificate.issuer));
    }
    let Some(unit) = facts.certificate_unit(&certificate.number)? else {
        return Ok(None);
    };
    let made = facts.unit(&unit)?.and_then(|state| state.made);
    Ok(made.map(|made| made.entity))
}

fn covers<F: Facts>(
    facts: &F,
    at: &At,
    state: &UnitState,
    number: &str,
    entity: &EntityId,
    amount: u64,
) -> Result<(), F::Error> {
    let certificate = match state.certificate(number) {
        None if at.hands_on_replaced() => replaced::certificate(facts, state, number, entity)?,
        _ => units::standing(state, number)?.clone(),
    };
    let left = cover(facts, &certificate, entity)?;
    match amount <= left {
        true => Ok(()),
        false => {
            let what = format!("{number} covers {left} with {entity}, {amount} go under it");
            Err(spent(facts, &certificate, what)?.into())
        }
    }
}

/// A certificate that goods went under is not replaced by its issuer alone.
pub(super) fn unused<F: Facts>(facts: &F, unit: &TraceCode, number: &str) -> Result<(), F::Error> {
    if facts.certificate_use(number)?.records.is_empty() {
        return Ok(());
    }
    let state = facts.unit(unit)?.unwrap_or_default();
    match state.certificate(number) {
        None => Ok(()),
        Some(certificate) => {
            let what = format!("goods went under {number}, so that it is not replaced");
            Err(spent(facts, certificate, what)?.into())
        }
    }
}

/// The refusal that names the records which used a certificate.
pub(super) fn spent<F: Facts>(
    facts: &F,
    certificate: &CertificateState,
    what: String,
) -> Result<Invalid, F::Error> {
    let account = corrections::account(facts, &certificate.number)?;
    let used = facts.certificate_use(&account)?;
    let last = used.records.last();
    let against = last.map_or(certificate.hash, |(_, hash)| *hash);
    let what = format!("{what}; it was used by {}", uses(&used));
    Ok(Invalid::new(Rule::CertificateSpent, what).against(against.into()))
}

/// The records that used a certificate, in words.
pub(super) fn uses(used: &CertificateUse) -> String {
    let named: Vec<String> = used
        .records
        .iter()
        .map(|(index, hash)| format!("{hash} at index {index}"))
        .collect();
    match named.is_empty() {
        true => "no record".to_owned(),
        false => named.join(", "),
    }
}

/// The named receiver receives once, not before it was handed over, and what
/// arrived is what was handed over.
///
/// Goods on their way arrive whatever was said of them meanwhile: a hold, a
/// recall or a voiding bars what comes next.
pub(super) fn receives<F: Facts>(
    facts: &F,
    at: &At,
    mover: &Mover,
    unit: &TraceCode,
    target: &Hash,
    receipt: Option<&Receipt>,
) -> Result<(), F::Error> {
    let refuse = |rule, what: String| -> Result<(), F::Error> {
        Err(Invalid::new(rule, what).against((*target).into()).into())
    };
    let transfer = match facts.transfer(target)? {
        Some(transfer) if transfer.unit == *unit => transfer,
        _ => {
            let what = format!("record {target} hands over nothing of {unit}");
            return Err(Invalid::new(Rule::TargetUnknown, what).into());
        }
    };
    if let Some(arrival) = &transfer.arrival {
        let what = format!("received at index {}", arrival.index);
        return refuse(Rule::TransferReceived, what);
    }
    if transfer.to != mover.entity {
        let what = format!("handed over to another than {}", mover.entity);
        return refuse(Rule::NotReceiver, what);
    }
    let Some(made) = facts.unit(unit)?.and_then(|state| state.made) else {
        return refuse(Rule::UnitUnknown, format!("{unit} is not on this ledger"));
    };
    times::happened(at, mover.at_ms, &made)?;
    if mover.at_ms < transfer.at_ms {
        let offset = i32::from(at.policy.civil_offset_minutes);
        let what = format!(
            "record {} receives at {}, record {target} handed over at {}",
            mover.record.hash(),
            format_ms(mover.at_ms, offset),
            format_ms(transfer.at_ms, offset)
        );
        return refuse(Rule::ImpossibleOrder, what);
    }
    let receipt =
        receipt.ok_or_else(|| Invalid::new(Rule::Section, "the quantities' section is missing"))?;
    let stated = [
        receipt.accepted,
        receipt.missing,
        receipt.refused,
        receipt.excess,
    ];
    stated
        .iter()
        .flatten()
        .try_for_each(|quantity| quantities::same_unit(&made, quantity))?;
    let arrival = arrival(receipt, at.index);
    let sum =
        u128::from(arrival.accepted) + u128::from(arrival.missing) + u128::from(arrival.refused);
    if sum != u128::from(transfer.amount) {
        let what = format!(
            "{} accepted, {} missing and {} refused of {} handed over",
            arrival.accepted, arrival.missing, arrival.refused, transfer.amount
        );
        return refuse(Rule::DoesNotAddUp, what);
    }
    if arrival.excess > 0 && arrival.accepted != transfer.amount {
        let what = format!("{} too much where not all was accepted", arrival.excess);
        return refuse(Rule::DoesNotAddUp, what);
    }
    Ok(())
}

/// What a receipt says, in base units.
pub(crate) fn arrival(receipt: &Receipt, index: u64) -> Arrival {
    let amount = |quantity: Option<Quantity>| quantity.map_or(0, |it| it.base_amount());
    Arrival {
        index,
        accepted: amount(receipt.accepted),
        missing: amount(receipt.missing),
        refused: amount(receipt.refused),
        excess: amount(receipt.excess),
    }
}

/// What of a transfer's difference the policy covers.
pub(crate) fn judged(transfer: &Transfer, arrival: &Arrival, tolerance: &Tolerance) -> Judged {
    let covered = |thousandths| per_mille(transfer.amount, thousandths);
    Judged::loss(arrival.missing, covered(tolerance.shrinkage_per_mille))
        .and_gain(arrival.excess, covered(tolerance.gain_per_mille))
}

/// What of a holder's loss the policy covers: of the whole unit once, however
/// many lose of it.
pub(crate) fn judged_loss(
    made: &Made,
    balance: &Balance,
    amount: u64,
    tolerance: &Tolerance,
) -> Judged {
    let all = per_mille(made.base_amount, tolerance.shrinkage_per_mille);
    Judged::loss(amount, all.saturating_sub(balance.lost))
}

/// A holder's goods end this way.
pub(super) fn disposes<F: Facts>(
    facts: &F,
    at: &At,
    mover: &Mover,
    unit: &TraceCode,
    manner: Manner,
    quantity: Option<&Quantity>,
) -> Result<(), F::Error> {
    let (_, made) = units::existing(facts, unit)?;
    let way = Way::End(manner);
    leaves(facts, at, mover, unit, &made, quantity, way).map(drop)
}

/// A market lets in no more under a certificate than it covers, at all markets
/// together, and nothing that is barred; it may turn anything away.
pub(super) fn checks_in<F: Facts>(
    facts: &F,
    at: &At,
    at_ms: u64,
    unit: &TraceCode,
    certificate: Option<&str>,
    is_admitted: bool,
    quantity: Option<&Quantity>,
) -> Result<(), F::Error> {
    let (state, made) = units::existing(facts, unit)?;
    times::happened(at, at_ms, &made)?;
    let quantity = quantities::stated(quantity)?;
    quantities::same_unit(&made, quantity)?;
    if !is_admitted {
        return Ok(());
    }
    halting::may_go(facts, unit, Way::Onward)?;
    let amount = quantity.base_amount();
    let balance = balance(facts, unit, &made)?;
    let there = balance.held.saturating_add(balance.in_transit);
    if amount > there {
        let what = format!(
            "{amount} {:?} of {unit} brought, {there} are left",
            made.base
        );
        let refusal = Invalid::new(Rule::QuantityExceeded, what);
        return Err(refusal.against(made.hash.into()).into());
    }
    let Some(number) = certificate else {
        return Ok(());
    };
    let certificate = units::standing(&state, number)?;
    let account = corrections::account(facts, number)?;
    let already = facts.certificate_use(&account)?.admitted;
    match already.checked_add(amount) {
        Some(sum) if sum <= certificate.base_amount => Ok(()),
        _ => {
            let what = format!(
                "{number} covers {}, {already} were let in under it, {amount} more are brought",
                certificate.base_amount
            );
            Err(spent(facts, certificate, what)?.into())
        }
    }
}

/// A paper covers what is declared under it; one that says no quantity is used
/// once.
pub(super) fn paper<F: Facts>(
    facts: &F,
    paper: &Hash,
    total: Option<&Quantity>,
    quantity: &Quantity,
) -> Result<(), F::Error> {
    let total = total.map(Quantity::base_amount);
    let known = facts.paper(paper)?;
    let refuse = |what: String| -> Result<(), F::Error> {
        let refusal = Invalid::new(Rule::PaperSpent, what);
        Err(match &known {
            Some(known) => refusal.against(known.last.1.into()).into(),
            None => refusal.into(),
        })
    };
    let already = known.as_ref().map_or(0, |known| known.declared);
    match (&known, total) {
        (Some(known), total) if known.total != total || total.is_none() => {
            let wanted = known
                .total
                .map_or("no quantity".to_owned(), |total| total.to_string());
            refuse(format!(
                "used at index {}, where it was said to cover {wanted}",
                known.last.0
            ))
        }
        (_, Some(total)) if already.saturating_add(quantity.base_amount()) > total => {
            refuse(format!(
                "covers {total}, {already} were declared, {} more are",
                quantity.base_amount()
            ))
        }
        _ => Ok(()),
    }
}
