//! Corrections: a certificate under which goods went out is replaced with what
//! was spent carried over, and never alone once somebody received.
//!
//! What goods went under a certificate is kept by the first number of its line
//! of replacements, its account; so nothing is copied when one is replaced, and
//! nothing is spent twice. The table of who corrects what is
//! [`CORRECTIONS`](crate::record::correction::CORRECTIONS).

use super::movements::Balance;
use super::{At, Facts, custody, halting, quantities, units};
use crate::error::{Invalid, Rule};
use crate::ident::{Area, EntityId, TraceCode};
use crate::record::claim::FormFamily;
use crate::record::correction::terms;
use crate::record::quantity::Quantity;
use crate::record::rights::{self, Grant, Registry, SignedAs};
use crate::record::unit::{CertificateState, Made, Standing, UnitState};
use crate::record::{Hash, Verified};
use serde::{Deserialize, Serialize};

/// Most who agree to corrections of one certificate, and most receivers whose
/// agreement is asked; beyond that an inspector agrees. 64 rows of 150 bytes
/// stay within a few database pages.
pub const AGREEING_MAX: usize = 64;

/// The folded state about corrections.
pub trait CorrectionFacts: Registry {
    /// For what a superseding record reserved this number, under a set of rules
    /// that carries over.
    ///
    /// # Errors
    /// The reader's own.
    fn reservation(&self, number: &str) -> Result<Option<Reservation>, Self::Error>;

    /// Who agreed to which correction of the certificate that this record is.
    ///
    /// # Errors
    /// The reader's own.
    fn agreements(&self, certificate: &Hash) -> Result<Vec<Agreement>, Self::Error>;

    /// Who received goods under the certificates of this account, at most so
    /// many of them.
    ///
    /// # Errors
    /// The reader's own.
    fn receivers(&self, account: &str, limit: usize) -> Result<Vec<EntityId>, Self::Error>;
}

/// What a number is reserved for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reservation {
    /// Index of the superseding record.
    pub index: u64,
    /// Hash of that record.
    pub hash: Hash,
    /// The unit of the certificate that is replaced.
    pub unit: TraceCode,
    /// The number by which use of it is kept: the first of its line.
    pub account: String,
    /// Whose goods it covered first.
    pub holder: EntityId,
    /// How much it covered.
    pub base_amount: u64,
    /// What the replacing certificate was agreed to say.
    pub agreed: Option<Hash>,
}

/// Somebody's agreement to one correction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agreement {
    /// Whose.
    pub by: EntityId,
    /// Whether that is an inspector or authority, who agree for everybody.
    pub is_overseer: bool,
    /// Index of its record.
    pub index: u64,
    /// Hash of its record.
    pub hash: Hash,
    /// The unit of the replacing certificate.
    pub unit: TraceCode,
    /// Its number.
    pub number: String,
    /// How much it covers, in base units.
    pub base_amount: u64,
    /// What it says.
    pub terms: Hash,
}

impl Agreement {
    /// Whether it is to replacing by this certificate.
    #[must_use]
    pub fn is_to(&self, unit: &TraceCode, number: &str) -> bool {
        self.unit == *unit && self.number == number
    }
}

/// The number by which use of a certificate is kept.
pub(crate) fn account<F: Facts>(facts: &F, number: &str) -> Result<String, F::Error> {
    let reserved = facts.reservation(number)?;
    Ok(reserved.map_or_else(|| number.to_owned(), |reserved| reserved.account))
}

/// How much of a certificate's cover its first holder has given away.
pub(crate) fn spent<F: Facts>(
    facts: &F,
    account: &str,
    holder: &EntityId,
    base_amount: u64,
) -> Result<u64, F::Error> {
    let left = facts.cover(account, holder)?.unwrap_or(base_amount);
    Ok(base_amount.saturating_sub(left))
}

/// A correction that somebody would agree to.
pub(super) struct Agreed<'a> {
    pub target: &'a Hash,
    pub unit: &'a TraceCode,
    pub number: &'a str,
    pub replacement_unit: &'a TraceCode,
    pub replacement_number: &'a str,
    pub quantity: &'a Quantity,
    pub terms: &'a Hash,
}

/// Who received under a certificate, or oversees its issuer, agrees to one
/// correction of it that can be; all who agree agree to the same.
pub(super) fn agrees<F: Facts>(
    facts: &F,
    signer: &SignedAs,
    said: &Agreed,
) -> Result<(), F::Error> {
    let (state, made) = units::existing(facts, said.unit)?;
    let certificate = units::standing(&state, said.number)?;
    let against = |refusal: Invalid| F::Error::from(refusal.against(certificate.hash.into()));
    if certificate.hash != *said.target {
        let what = format!("{} is record {}", said.number, certificate.hash);
        return Err(against(Invalid::new(Rule::TargetUnknown, what)));
    }
    if let Some(other) = facts.certificate_unit(said.replacement_number)? {
        let what = format!("number {} is of {other}", said.replacement_number);
        return Err(against(Invalid::new(Rule::NumberUsed, what)));
    }
    if !oversees(facts, &signer.entity, &certificate.issuer)?
        && !received(facts, signer, said.number)?
    {
        let what = format!(
            "{} neither received under {} nor oversees its issuer",
            signer.entity, said.number
        );
        return Err(against(Invalid::new(Rule::Right, what)));
    }
    quantities::same_unit(&made, said.quantity)?;
    covers_spent(facts, certificate, said.quantity.base_amount())?;
    let others = facts.agreements(said.target)?;
    let amount = said.quantity.base_amount();
    let differs = others.iter().find(|other| {
        other.by != signer.entity
            && other.number == said.replacement_number
            && (other.unit != *said.replacement_unit
                || other.base_amount != amount
                || other.terms != *said.terms)
    });
    if let Some(other) = differs {
        let what = format!(
            "{} agreed to another certificate {} of {}, at index {}",
            other.by, other.number, other.unit, other.index
        );
        let refusal = Invalid::new(Rule::CorrectionDiffers, what);
        return Err(refusal.against(other.hash.into()).into());
    }
    let is_new = others.iter().all(|other| other.by != signer.entity);
    match is_new && others.len() >= AGREEING_MAX {
        true => Err(against(Invalid::new(
            Rule::TooMany,
            format!("{AGREEING_MAX} agreed to corrections of {}", said.number),
        ))),
        false => Ok(()),
    }
}

/// Whether somebody is an inspector or authority over an entity.
pub(crate) fn oversees<F: Facts>(
    facts: &F,
    who: &EntityId,
    entity: &EntityId,
) -> Result<bool, F::Error> {
    let (Some(own), Some(other)) = (facts.entity(who)?, facts.entity(entity)?) else {
        return Ok(false);
    };
    let area = Area::try_from(other.area)?;
    let covers = |grant: &Grant| Area::try_from(grant.area).is_ok_and(|held| held.covers(area));
    let mut grants = own.grants.iter();
    Ok(grants.any(|grant| rights::may_halt(grant.role) && covers(grant)))
}

fn received<F: Facts>(facts: &F, signer: &SignedAs, number: &str) -> Result<bool, F::Error> {
    let receivers = facts.receivers(&account(facts, number)?, AGREEING_MAX)?;
    Ok(receivers.contains(&signer.entity))
}

/// What replaces a certificate covers what was spent under it.
fn covers_spent<F: Facts>(
    facts: &F,
    certificate: &CertificateState,
    base_amount: u64,
) -> Result<(), F::Error> {
    let account = account(facts, &certificate.number)?;
    let Some(holder) = custody::first_holder(facts, certificate)? else {
        return Ok(());
    };
    let spent = spent(facts, &account, &holder, certificate.base_amount)?;
    let admitted = facts.certificate_use(&account)?.admitted;
    enough(facts, certificate, spent.max(admitted), base_amount)
}

fn enough<F: Facts>(
    facts: &F,
    certificate: &CertificateState,
    spent: u64,
    base_amount: u64,
) -> Result<(), F::Error> {
    match base_amount >= spent {
        true => Ok(()),
        false => {
            let what = format!(
                "{spent} went under {}, what replaces it would cover {base_amount}",
                certificate.number
            );
            Err(custody::spent(facts, certificate, what)?.into())
        }
    }
}

/// Before anybody received, a certificate is replaced by its issuer alone; then
/// only as every receiver, or an inspector, agreed.
pub(super) fn replaces<F: Facts>(
    facts: &F,
    unit: &TraceCode,
    number: &str,
    replacement_unit: &TraceCode,
    replacement_number: &str,
) -> Result<(), F::Error> {
    let state = facts.unit(unit)?.unwrap_or_default();
    let certificate = units::standing(&state, number)?;
    if replacement_unit != unit {
        // Goods on hold are not freed under another code.
        halting::may_go(facts, unit, halting::Way::Onward)?;
    }
    let receivers = facts.receivers(&account(facts, number)?, AGREEING_MAX + 1)?;
    if receivers.is_empty() {
        return Ok(());
    }
    let agreements = facts.agreements(&certificate.hash)?;
    let matching: Vec<&Agreement> = agreements
        .iter()
        .filter(|agreement| agreement.is_to(replacement_unit, replacement_number))
        .collect();
    let agreed = |who: &EntityId| matching.iter().any(|agreement| agreement.by == *who);
    let missing = receivers.iter().filter(|who| !agreed(who)).count();
    let is_by_overseer = matching.iter().any(|agreement| agreement.is_overseer);
    match is_by_overseer || (missing == 0 && receivers.len() <= AGREEING_MAX) {
        true => Ok(()),
        false => {
            let what = format!(
                "{} received under {number}, of whom {missing} did not agree to {replacement_number} \
                 of {replacement_unit} in its place; nor did an inspector",
                receivers.len()
            );
            let refusal = Invalid::new(Rule::AgreementMissing, what);
            Err(refusal.against(certificate.hash.into()).into())
        }
    }
}

/// What is issued under a reserved number covers what was spent under the
/// certificate that it replaces, and says what was agreed.
pub(super) fn issues<F: Facts>(
    facts: &F,
    record: &Verified,
    number: &str,
    quantity: &Quantity,
) -> Result<(), F::Error> {
    let Some(reserved) = facts.reservation(number)? else {
        return Ok(());
    };
    let against = |refusal: Invalid| F::Error::from(refusal.against(reserved.hash.into()));
    if let Some(agreed) = reserved.agreed {
        let found = terms(record.body());
        if found != agreed {
            let what = format!("{number} has terms {found}, {agreed} were agreed to");
            return Err(against(Invalid::new(Rule::CorrectionDiffers, what)));
        }
    }
    let used = facts.certificate_use(&reserved.account)?;
    let given = spent(
        facts,
        &reserved.account,
        &reserved.holder,
        reserved.base_amount,
    )?;
    let (least, amount) = (given.max(used.admitted), quantity.base_amount());
    match amount >= least {
        true => Ok(()),
        false => {
            let uses = custody::uses(&used);
            let what = format!(
                "{number} would cover {amount}, {least} went under what it replaces, by {uses}"
            );
            Err(against(Invalid::new(Rule::CertificateSpent, what)))
        }
    }
}

/// Spent under voided certificates of this family: it is not certified anew.
pub(super) fn spent_voided<F: Facts>(
    facts: &F,
    state: &UnitState,
    family: FormFamily,
) -> Result<u64, F::Error> {
    let mut sum: u64 = 0;
    for voided in &state.certificates {
        let is_voided = matches!(voided.standing, Standing::Voided { .. });
        if !is_voided || voided.form.family() != family {
            continue;
        }
        if let Some(holder) = custody::first_holder(facts, voided)? {
            let account = account(facts, &voided.number)?;
            let spent = spent(facts, &account, &holder, voided.base_amount)?;
            sum = sum.saturating_add(spent);
        }
    }
    Ok(sum)
}

/// A unit of which a part is described anew by another: how it began, what is
/// left of it with its maker, and what went under the certificate that covered
/// that part.
pub(crate) struct Described {
    pub unit: TraceCode,
    pub made: Made,
    pub balance: Balance,
    pub left: u64,
    pub spent: u64,
}

/// The unit whose certificate was replaced by one of the unit `state`, which
/// begins now.
pub(crate) fn described_anew<F: Facts>(
    facts: &F,
    unit: &TraceCode,
    state: &UnitState,
) -> Result<Option<Described>, F::Error> {
    for (number, _) in &state.reserved {
        let Some(reserved) = facts.reservation(number)? else {
            continue;
        };
        if reserved.unit == *unit {
            continue;
        }
        let Some(made) = facts.unit(&reserved.unit)?.and_then(|other| other.made) else {
            continue;
        };
        let held = custody::holding(facts, &reserved.unit, &made, &made.entity)?;
        return Ok(Some(Described {
            unit: reserved.unit,
            balance: custody::balance(facts, &reserved.unit, &made)?,
            left: held.map_or(0, |held| held.amount),
            spent: spent(
                facts,
                &reserved.account,
                &reserved.holder,
                reserved.base_amount,
            )?,
            made,
        }));
    }
    Ok(None)
}

/// A unit that describes another anew is what went under the certificate that
/// was replaced, which is gone of it, and the rest, which is taken from what is
/// left of the other with its maker.
pub(super) fn begins<F: Facts>(
    facts: &F,
    at: &At,
    unit: &TraceCode,
    maker: &EntityId,
    quantity: Option<&Quantity>,
) -> Result<(), F::Error> {
    if !at.knows_corrections() {
        return Ok(());
    }
    let Some(state) = facts.unit(unit)? else {
        return Ok(());
    };
    let Some(before) = described_anew(facts, unit, &state)? else {
        return Ok(());
    };
    let against = |refusal: Invalid| F::Error::from(refusal.against(before.made.hash.into()));
    units::existing(facts, &before.unit)?;
    halting::may_go(facts, &before.unit, halting::Way::Onward)?;
    if before.made.entity != *maker {
        let what = format!("{} was made by {}", before.unit, before.made.entity);
        return Err(against(Invalid::new(Rule::NotHolder, what)));
    }
    let quantity = quantities::stated(quantity)?;
    quantities::same_unit(&before.made, quantity)?;
    let (amount, spent, left) = (quantity.base_amount(), before.spent, before.left);
    let moved = match amount.checked_sub(spent) {
        Some(moved) if moved <= left => moved,
        _ => {
            let what = format!(
                "{unit} describes {} anew, of which {spent} {:?} went under the certificate \
                 replaced and {left} are left; {amount} is said",
                before.unit, before.made.base
            );
            return Err(against(Invalid::new(Rule::QuantityExceeded, what)));
        }
    };
    let stored = facts.stock(&before.unit)?.total();
    match before.balance.held.saturating_sub(moved) < stored {
        true => {
            let what = format!("{stored} of {} lie in cold stores", before.unit);
            Err(against(Invalid::new(Rule::InColdStore, what)))
        }
        false => Ok(()),
    }
}
