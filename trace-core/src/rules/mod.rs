//! What may be admitted. Pure.
//!
//! Rules read only the record, its sections, its admission time and the folded
//! state, so an old ledger replays to the same verdicts for ever. A set is
//! never edited: a change is a new set, adopted by a governance record and
//! judged by index.
//!
//! Set 1 knows certificates, cold stores and governance. Set 2 adds movement
//! and status; what it adds to the judging of set 1's kinds reacts only to state
//! that set 2's kinds alone can make, so one code holds both. Set 3 adds the
//! kinds of the cold chain, which change nothing for the others, and corrections
//! after receipt, which carry over what was spent. Set 4 marks what was made from
//! goods whose certificate is voided, and lets receivers hand on under what replaced
//! a certificate onto another unit.

mod cold_chain;
mod conservation;
pub mod corrections;
pub(crate) mod custody;
mod entities;
mod evidence;
mod facts;
pub mod forms;
pub mod grading;
pub(crate) mod halting;
pub mod movements;
pub mod official;
mod quantities;
pub(crate) mod replaced;
mod supervision;
mod times;
mod units;
pub mod voiding;

pub use cold_chain::ColdFacts;
pub use corrections::CorrectionFacts;
pub use evidence::EvidenceFacts;
pub use facts::{Facts, PersonState, StockState};
pub use halting::{REACH_MAX, failed_sample_holds};

use crate::error::{Invalid, Rule};
use crate::ident::{Area, CivilDate, EntityId};
use crate::record::claim::{Claim, Policy};
use crate::record::evidence::{Evidence, TestSource};
use crate::record::rights::{self, SignedAs};
use crate::record::section::{Opening, Openings};
use crate::record::{Origin, Verified};
use custody::Mover;
use halting::Way;

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
    policy.admits(record.body().kind())?;
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
        moves(facts, record, &signed_as, &at, claim, &claims)?;
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

    /// Whether movement can have happened: under rule set 1 it cannot, and its
    /// kinds are judged without a look at it.
    fn knows_movement(&self) -> bool {
        self.policy.rule_set >= 2
    }

    /// Whether what was spent under a certificate is carried over to what
    /// replaces it.
    fn knows_corrections(&self) -> bool {
        self.policy.rule_set >= 3
    }

    /// Whether what was made from goods is marked when their certificate is voided.
    fn marks_certificates(&self) -> bool {
        self.policy.rule_set >= 4
    }

    /// Whether receivers hand goods on under a certificate that was replaced onto
    /// another unit.
    fn hands_on_replaced(&self) -> bool {
        self.policy.rule_set >= 4
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
        Claim::AdoptsRuleSet { rule_set } => Ok(at.policy.may_adopt(*rule_set)?),
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
        Claim::GrantsRole { entity, role, area } => {
            entities::grants(facts, at, entity, *role, *area)
        }
        Claim::WithdrawsRole { entity, role, area } => {
            entities::withdraws(facts, entity, *role, *area)
        }
        Claim::CreatesUnit {
            unit,
            maker,
            produced_on,
            quantity,
            ..
        } => {
            units::creates(facts, signer, at, unit, *produced_on)?;
            let maker = maker.unwrap_or(signer.entity);
            corrections::begins(facts, at, unit, &maker, quantity.as_ref())
        }
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
            if at.knows_movement() {
                halting::may_go(facts, unit, Way::Onward)?;
            }
            times::issued(at, *form, *issued_on, *expires_on, &made)?;
            if times::is_late(at, *form, *issued_on)? {
                let area = area_of(facts, signer)?;
                let agreed = rights::countersigned_by_authority(facts, record, area)?;
                times::late_needs_authority(at, *issued_on, agreed)?;
            }
            corrections::issues(facts, record, number, quantity)?;
            quantities::certified(facts, at, unit, quantity, form.family())
        }
        Claim::EntersStore {
            unit,
            at_ms,
            quantity,
        } => {
            let made = units::movable(facts, unit)?;
            times::happened(at, *at_ms, &made)?;
            let room = match at.knows_movement() {
                true => {
                    halting::may_go(facts, unit, Way::Onward)?;
                    custody::balance(facts, unit, &made)?.held
                }
                false => made.base_amount,
            };
            quantities::enters(facts, unit, &made, room, quantity.as_ref())
        }
        Claim::LeavesStore {
            unit,
            at_ms,
            quantity,
        } => {
            let made = units::movable(facts, unit)?;
            times::happened(at, *at_ms, &made)?;
            if at.knows_movement() {
                halting::may_leave_store(facts, unit)?;
            }
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
        } => {
            let (new_unit, new_number) = (replacement_unit, replacement_number);
            if at.knows_movement() && !at.knows_corrections() {
                custody::unused(facts, unit, number)?;
            }
            units::supersedes(facts, signer, unit, number, new_unit, new_number)?;
            match at.knows_corrections() {
                true => corrections::replaces(facts, unit, number, new_unit, new_number),
                false => Ok(()),
            }
        }
        Claim::AgreesToCorrection {
            target,
            unit,
            number,
            replacement_unit,
            replacement_number,
            quantity,
            terms,
        } => {
            let agreed = corrections::Agreed {
                target,
                unit,
                number,
                replacement_unit,
                replacement_number,
                quantity,
                terms,
            };
            corrections::agrees(facts, signer, &agreed)
        }
        Claim::FillsIn(filled) => official::filled_in(facts, filled),
        Claim::Supervision(step) => supervision::step(facts, signer, at, step),
        Claim::Evidence(found) => evidence::found(facts, at, found),
        Claim::Document(claim) => evidence::document(facts, signer, claim),
        Claim::Cold(claim) => cold_chain::said(facts, signer, at, claim),
        Claim::RestrictsPerson { person, .. } => entities::person_known(facts, person).map(|_| ()),
        Claim::ErasesPerson { person } => entities::erases(facts, at, person),
        _ => Ok(()),
    }
}

/// What rule set 2 and those after it added.
fn moves<F: Facts>(
    facts: &F,
    record: &Verified,
    signer: &SignedAs,
    at: &At,
    claim: &Claim,
    claims: &[Claim],
) -> Result<(), F::Error> {
    let mover = |on_behalf_of: &Option<EntityId>, at_ms: u64| Mover {
        entity: on_behalf_of.unwrap_or(signer.entity),
        at_ms,
        record,
    };
    match claim {
        Claim::Transforms {
            process,
            at_ms,
            inputs,
            outputs,
            loss,
            conversions,
        } => {
            let said = conservation::Transformation {
                process: *process,
                inputs,
                outputs,
                loss: loss.as_ref(),
                conversions,
            };
            conservation::transforms(facts, at, &mover(&None, *at_ms), &said, claims)
        }
        Claim::HandsOver {
            unit,
            at_ms,
            certificate,
            on_behalf_of,
            handing,
        } => {
            let mover = mover(on_behalf_of, *at_ms);
            let (number, handing) = (certificate.as_deref(), handing.as_ref());
            custody::hands_over(facts, at, &mover, unit, number, handing)
        }
        Claim::Receives {
            unit,
            target,
            at_ms,
            on_behalf_of,
            receipt,
        } => {
            let mover = mover(on_behalf_of, *at_ms);
            custody::receives(facts, at, &mover, unit, target, receipt.as_ref())
        }
        Claim::ChecksIn {
            unit,
            at_ms,
            certificate,
            is_admitted,
            quantity,
        } => custody::checks_in(
            facts,
            at,
            *at_ms,
            unit,
            certificate.as_deref(),
            *is_admitted,
            quantity.as_ref(),
        ),
        Claim::Disposes {
            unit,
            at_ms,
            manner,
            on_behalf_of,
            quantity,
        } => {
            let mover = mover(on_behalf_of, *at_ms);
            custody::disposes(facts, at, &mover, unit, *manner, quantity.as_ref())
        }
        Claim::UsesPaper {
            paper,
            total,
            quantity,
        } => custody::paper(facts, paper, total.as_ref(), quantity),
        Claim::Holds { unit } => halting::holds(facts, signer, unit),
        Claim::Voids {
            unit, number: None, ..
        } if at.knows_corrections() => voiding::unit(facts, unit, claims),
        Claim::Voids {
            unit,
            number: Some(number),
            ..
        } if at.marks_certificates() => voiding::certificate(facts, unit, number, claims),
        Claim::Evidence(Evidence::Tests {
            source: TestSource::Sampling,
            unit: Some(unit),
            area: Some(area),
            passed: false,
            ..
        }) if at.knows_corrections() => {
            let holds = |claim: &Claim| matches!(claim, Claim::HoldsFailed { .. });
            halting::failed(facts, unit, *area, claims.iter().any(holds))
        }
        Claim::Recalls { unit, until_ms } => halting::recalls(facts, unit, *until_ms),
        Claim::Releases { unit, target } => {
            halting::ends(facts, target)?;
            halting::releases(facts, unit, target)
        }
        Claim::ClosesRecall { target, .. } => halting::ends(facts, target),
        _ => Ok(()),
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
