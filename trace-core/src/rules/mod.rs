//! What may be admitted: rule set 1. Pure.
//!
//! Rules read only the record, its sections, its admission time and the folded
//! state, so an old ledger replays to the same verdicts for ever. A set is
//! never edited: a change is a new set, adopted by a governance record and
//! judged by index.

mod entities;
mod evidence;
pub mod forms;
pub mod official;
mod quantities;
mod supervision;
mod times;
mod units;

pub use evidence::EvidenceFacts;

use crate::error::{Invalid, Rule};
use crate::ident::{Area, CivilDate, EntityId, TraceCode};
use crate::record::claim::{Claim, Policy};
use crate::record::rights::{self, SignedAs};
use crate::record::section::{Opening, Openings};
use crate::record::wire::PersonId;
use crate::record::{Origin, Verified};
use serde::{Deserialize, Serialize};

/// The folded state that rules read.
pub trait Facts: EvidenceFacts {
    /// The unit that holds, or for which is reserved, this certificate number.
    ///
    /// # Errors
    /// The reader's own.
    fn certificate_unit(&self, number: &str) -> Result<Option<TraceCode>, Self::Error>;

    /// The entity that has this unified social credit code.
    ///
    /// # Errors
    /// The reader's own.
    fn uscc_entity(&self, uscc: &str) -> Result<Option<EntityId>, Self::Error>;

    /// How much of a unit lies in cold stores.
    ///
    /// # Errors
    /// The reader's own.
    fn stock(&self, unit: &TraceCode) -> Result<StockState, Self::Error>;

    /// What is known of a person.
    ///
    /// # Errors
    /// The reader's own.
    fn person(&self, person: &PersonId) -> Result<Option<PersonState>, Self::Error>;
}

/// How much of a unit lies where, in its base unit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StockState {
    /// Amount in each store, by the store's entity; none is zero.
    pub held: Vec<(EntityId, u64)>,
}

impl StockState {
    /// In one store.
    #[must_use]
    pub fn in_store(&self, store: &EntityId) -> u64 {
        self.held
            .iter()
            .find(|(entity, _)| entity == store)
            .map_or(0, |(_, amount)| *amount)
    }

    /// In all stores.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.held
            .iter()
            .map(|(_, amount)| *amount)
            .fold(0, u64::saturating_add)
    }

    /// After `amount` more entered a store.
    pub fn enter(&mut self, store: EntityId, amount: u64) {
        match self.held.iter_mut().find(|(entity, _)| *entity == store) {
            Some((_, held)) => *held = held.saturating_add(amount),
            None => self.held.push((store, amount)),
        }
    }

    /// After `amount` left a store.
    pub fn leave(&mut self, store: EntityId, amount: u64) {
        if let Some((_, held)) = self.held.iter_mut().find(|(entity, _)| *entity == store) {
            *held = held.saturating_sub(amount);
        }
        self.held.retain(|(_, held)| *held > 0);
    }
}

/// What is known of a person: only whether their data may still be read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonState {
    /// From which day on the data are destroyed; set once they are locked away.
    pub destroy_on: Option<i32>,
    /// The index of the record that says they are destroyed.
    pub erased_index: Option<u64>,
}

/// A record that may be admitted: what it claims, and in what capacity.
#[derive(Debug, Clone)]
pub struct Admissible {
    /// What it asks the ledger to hold true.
    pub claims: Vec<Claim>,
    /// In what capacity it was signed.
    pub signed_as: SignedAs,
}

/// Judges a verified record, to be admitted at `admitted_ms` as entry `index`.
/// Sequence and link are the sequencer's: they are about order, not content.
///
/// # Errors
/// The first rule that refuses, or the reader's own failure.
pub fn admit<F: Facts>(
    facts: &F,
    origin: &Origin,
    record: &Verified,
    openings: &Openings,
    index: u64,
    admitted_ms: u64,
) -> Result<Admissible, F::Error> {
    is_of(origin, record)?;
    record.body().check_openings(openings)?;
    allowed(facts, origin, record, openings, index, admitted_ms)
}

/// Judges again a record that stands in the log, as [`admit`] did, but for its
/// personal sections: they may be erased, and no rule reads a personal value.
///
/// # Errors
/// As [`admit`].
pub fn readmit<F: Facts>(
    facts: &F,
    origin: &Origin,
    record: &Verified,
    trade: Option<Opening>,
    index: u64,
    admitted_ms: u64,
) -> Result<Admissible, F::Error> {
    is_of(origin, record)?;
    record.body().check_trade_opening(trade.as_ref())?;
    let openings = Openings {
        trade,
        persons: Vec::new(),
    };
    allowed(facts, origin, record, &openings, index, admitted_ms)
}

fn is_of(origin: &Origin, record: &Verified) -> Result<(), Invalid> {
    let found = &record.statement().origin;
    match found == origin {
        true => Ok(()),
        false => Err(Invalid::new(
            Rule::WrongOrigin,
            format!("the record names {found}, this ledger is {origin}"),
        )),
    }
}

/// The rules proper: all but where the record was said and what its sections hold.
fn allowed<F: Facts>(
    facts: &F,
    origin: &Origin,
    record: &Verified,
    openings: &Openings,
    index: u64,
    admitted_ms: u64,
) -> Result<Admissible, F::Error> {
    let statement = record.statement();
    let claims = record.body().claims(openings)?;
    let policy = match (&*claims, facts.policy()?) {
        ([Claim::OpensLedger { policy, .. }], None) if index == 0 => *policy,
        (_, None) => return Err(Invalid::new(Rule::NotOpen, "no first record yet").into()),
        (_, Some(policy)) => policy,
    };
    let signed_as = rights::authorise(facts, record, &claims)?;
    let at = At::new(policy, index, admitted_ms)?;
    times::signed(&at, statement.signed_at_ms)?;
    for person in record.body().persons() {
        if let Some(PersonState {
            erased_index: Some(erased),
            ..
        }) = facts.person(&person.person)?
        {
            let what = format!(
                "the data of person {} were erased at index {erased}",
                person.person
            );
            return Err(Invalid::new(Rule::PersonErased, what).into());
        }
    }
    for claim in &claims {
        judge(facts, origin, record, &signed_as, &at, claim)?;
    }
    Ok(Admissible { claims, signed_as })
}

/// When and where a record would stand.
struct At {
    policy: Policy,
    index: u64,
    admitted_ms: u64,
    /// The civil date of admission.
    today: CivilDate,
}

impl At {
    fn new(policy: Policy, index: u64, admitted_ms: u64) -> Result<Self, Invalid> {
        let today = CivilDate::from_ms(admitted_ms, i32::from(policy.civil_offset_minutes))?;
        Ok(Self {
            policy,
            index,
            admitted_ms,
            today,
        })
    }

    fn date(&self, at_ms: u64) -> Result<CivilDate, Invalid> {
        CivilDate::from_ms(at_ms, i32::from(self.policy.civil_offset_minutes))
    }
}

fn judge<F: Facts>(
    facts: &F,
    origin: &Origin,
    record: &Verified,
    signer: &SignedAs,
    at: &At,
    claim: &Claim,
) -> Result<(), F::Error> {
    match claim {
        Claim::OpensLedger { .. } | Claim::SealsLookups { .. } => Ok(()),
        Claim::RegistersEntity { entity, uscc, .. } => {
            entities::registers(facts, entity, uscc.as_deref())
        }
        Claim::EnrolsKey {
            entity,
            key,
            possession,
            ..
        } => entities::enrols(facts, origin, *entity, key, possession),
        Claim::RevokesKey {
            entity,
            key,
            compromised_from,
        } => entities::revokes(facts, entity, key, *compromised_from, at.index),
        Claim::GrantsRole { entity, role, area } => entities::grants(facts, entity, *role, *area),
        Claim::WithdrawsRole { entity, role, area } => {
            entities::withdraws(facts, entity, *role, *area)
        }
        Claim::CreatesUnit {
            unit, produced_on, ..
        } => units::creates(facts, signer, at, unit, *produced_on),
        Claim::Certifies {
            number,
            unit,
            quantity,
            form,
            issued_on,
            expires_on,
            bases,
            pledges,
        } => {
            forms::filled_in(*form, *issued_on, bases, pledges)?;
            let made = units::certifiable(facts, signer, unit, number, *form)?;
            times::issued(at, *form, *issued_on, *expires_on, &made)?;
            if times::is_late(at, *form, *issued_on)? {
                let area = area_of(facts, signer)?;
                let agreed = rights::countersigned_by_authority(facts, record, area)?;
                times::late_needs_authority(at, *issued_on, agreed)?;
            }
            quantities::certified(facts, unit, quantity, form.family())
        }
        Claim::EntersStore {
            unit,
            at_ms,
            quantity,
        } => {
            let made = units::movable(facts, unit)?;
            times::happened(at, *at_ms, &made)?;
            quantities::enters(facts, unit, &made, quantity.as_ref())
        }
        Claim::LeavesStore {
            unit,
            at_ms,
            quantity,
        } => {
            let made = units::movable(facts, unit)?;
            times::happened(at, *at_ms, &made)?;
            supervision::may_leave(facts, unit, &signer.entity, quantity.as_ref())?;
            quantities::leaves(facts, unit, &made, &signer.entity, quantity.as_ref())
        }
        Claim::Voids { unit, number, .. } => units::voids(facts, unit, number.as_deref()),
        Claim::Supersedes {
            unit,
            number,
            replacement_unit,
            replacement_number,
            ..
        } => units::supersedes(
            facts,
            signer,
            unit,
            number,
            replacement_unit,
            replacement_number,
        ),
        Claim::FillsIn(filled) => official::filled_in(facts, filled),
        Claim::Supervision(step) => supervision::step(facts, signer, at, step),
        Claim::Evidence(found) => evidence::found(facts, at, found),
        Claim::Document(claim) => evidence::document(facts, signer, claim),
        Claim::RestrictsPerson { person, .. } => entities::person_known(facts, person).map(|_| ()),
        Claim::ErasesPerson { person } => entities::erases(facts, at, person),
    }
}

fn area_of<F: Facts>(facts: &F, signer: &SignedAs) -> Result<Area, F::Error> {
    match facts.entity(&signer.entity)? {
        Some(state) => Ok(Area::try_from(state.area)?),
        None => Err(Invalid::new(
            Rule::EntityUnknown,
            format!("entity {} is not registered", signer.entity),
        )
        .into()),
    }
}
