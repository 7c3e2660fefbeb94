//! The model's word on an act: admitted, or the first rule that refuses it.
//!
//! The order is that of a record's way in: signature, place in its chain, key,
//! right, clock, and then what it says.

use super::acts::{Act, Amount};
use super::plain::{Fate, Made, Model, Unit, actor, day};
use trace_core::error::Rule;
use trace_core::ident::{Area, TraceCode};
use trace_core::record::sign::KeyId;
use trace_core::record::{Hash, Role};
use trace_fixtures::Who;

const AHEAD_MAX_MS: u64 = 5 * 60 * 1_000;
const BACKDATE_MAX_DAYS: i32 = 3;
const CERTIFICATES_MAX: usize = 64;

/// An act with the circumstances of its signing.
#[derive(Debug, Clone)]
pub struct Step {
    pub act: Act,
    pub key: KeyId,
    pub place: Place,
    pub signed_at_ms: u64,
    pub is_forged: bool,
}

/// Where in its chain a record claims to stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Next,
    Behind,
    Ahead,
    OtherLink,
}

type Verdict = Result<(), Rule>;

fn unless(holds: bool, rule: Rule) -> Verdict {
    match holds {
        true => Ok(()),
        false => Err(rule),
    }
}

impl Model {
    /// Whether a step is refused before it comes to its place in the log.
    pub fn is_refused_unread(&self, step: &Step) -> Verdict {
        unless(self.keys.contains_key(&step.key), Rule::KeyUnknown)?;
        unless(!step.is_forged, Rule::Signature)
    }

    /// The verdict on a step, here and now.
    pub fn judge(&self, step: &Step) -> Verdict {
        self.is_refused_unread(step)?;
        let key = &self.keys[&step.key];
        unless(step.place == Place::Next, Rule::Sequence)?;
        unless(!key.is_revoked, Rule::KeyRevoked)?;
        self.rights(key.owner, &step.act)?;
        self.not_ahead(step.signed_at_ms, Rule::SignedAhead)?;
        self.content(key.owner, &step.act)
    }

    fn not_ahead(&self, at_ms: u64, rule: Rule) -> Verdict {
        unless(at_ms <= self.now_ms + AHEAD_MAX_MS, rule)
    }

    fn rights(&self, by: Who, act: &Act) -> Verdict {
        let is_any = |roles: &[Role]| roles.iter().any(|role| self.holds(by, *role));
        match act {
            Act::Create { .. } => unless(
                is_any(&[Role::Producer, Role::Buyer, Role::Importer]),
                Rule::Right,
            ),
            Act::Certify { .. } => unless(is_any(&[Role::Producer, Role::Buyer]), Rule::Right),
            Act::Store { .. } => unless(is_any(&[Role::ColdStore]), Rule::Right),
            Act::Void {
                unit,
                number,
                target,
            } => {
                let trades = [Role::Producer, Role::Buyer, Role::Importer];
                let governs = self.holds(by, Role::Authority);
                unless(is_any(&trades) || governs, Rule::Right)?;
                let issuer = self.issuer(unit, number.as_deref(), target)?;
                unless(
                    issuer == by || self.governs(by, self.areas[&issuer]),
                    Rule::Right,
                )
            }
            Act::Supersede {
                unit,
                number,
                target,
                ..
            } => {
                let may = is_any(&[Role::Producer, Role::Buyer, Role::Authority]);
                unless(may, Rule::Right)?;
                let issuer = self.issuer(unit, Some(number), target)?;
                unless(issuer == by, Rule::Right)
            }
            Act::Enrol { owner, .. } => unless(self.governs(by, self.areas[owner]), Rule::Right),
            Act::Revoke { owner, from, .. } => {
                let own = by == *owner && from.is_none();
                let holds_any = self
                    .roles
                    .iter()
                    .any(|(held, role, _)| *held == actor(by) && *role != Role::Operator);
                let other = by != *owner && self.governs(by, self.areas[owner]);
                unless(holds_any && (own || other), Rule::Right)
            }
            Act::Grant { role, area, .. } | Act::Withdraw { role, area, .. } => {
                let is_named_above = [Role::Root, Role::Operator].contains(role);
                let is_peer =
                    *role == Role::Authority && self.roles.contains(&(actor(by), *role, *area));
                unless(
                    self.governs(by, *area) && !is_named_above && !is_peer,
                    Rule::Right,
                )
            }
        }
    }

    /// Whether somebody is an authority for an area or one above it.
    fn governs(&self, by: Who, area: Area) -> bool {
        let (own, code) = (actor(by), area.code());
        self.roles.iter().any(|(held, role, held_area)| {
            let above = held_area.code();
            let is_city = above % 100 == 0 && above / 100 == code / 100;
            *held == own && *role == Role::Authority && (above == code || is_city)
        })
    }

    fn issuer(&self, unit: &TraceCode, number: Option<&str>, target: &Hash) -> Result<Who, Rule> {
        let unit = self.units.get(unit).ok_or(Rule::TargetUnknown)?;
        let (by, hash) = match number {
            Some(number) => unit.certificate(number).map(|held| (held.by, held.hash)),
            None => unit.made.as_ref().map(|made| (made.by, made.hash)),
        }
        .ok_or(Rule::TargetUnknown)?;
        unless(hash == *target, Rule::TargetUnknown)?;
        Ok(by)
    }

    /// The unit, made and not voided.
    fn standing(&self, unit: &TraceCode) -> Result<(&Unit, &Made), Rule> {
        let unit = self.units.get(unit).ok_or(Rule::UnitUnknown)?;
        let made = unit.made.as_ref().ok_or(Rule::UnitUnknown)?;
        unless(!unit.is_voided(), Rule::UnitVoided)?;
        Ok((unit, made))
    }

    fn content(&self, by: Who, act: &Act) -> Verdict {
        match act {
            Act::Create {
                unit,
                produced,
                amount,
                ..
            } => {
                unless(*produced <= self.today(), Rule::EventAhead)?;
                let Some(unit) = self.units.get(unit) else {
                    return Ok(());
                };
                unless(
                    unit.made.is_none() && unit.reserver.is_none_or(|owner| owner == by),
                    Rule::UnitKnown,
                )?;
                let Some(before) = &unit.described else {
                    return Ok(());
                };
                // Taken from what it describes anew.
                let (before, made) = self.standing(before)?;
                unless(amount.measure == made.amount.measure, Rule::QuantityUnit)?;
                let left = made.amount.base - before.moved;
                unless(amount.base <= left, Rule::QuantityExceeded)?;
                unless(left - amount.base >= before.stored(), Rule::InColdStore)
            }
            Act::Certify {
                unit,
                number,
                amount,
                issued,
                expires,
                is_filled_in,
            } => {
                unless(*is_filled_in, Rule::FormFields)?;
                let (unit, made) = self.standing(unit)?;
                unless(made.by == by, Rule::Right)?;
                unless(unit.certificates.len() < CERTIFICATES_MAX, Rule::TooMany)?;
                let is_free = !self.numbers.contains_key(number);
                unless(is_free || unit.reserved.contains(number), Rule::NumberUsed)?;
                unless(*issued <= self.today(), Rule::IssueAhead)?;
                unless(*issued >= made.produced, Rule::BeforeProduction)?;
                unless(
                    expires.is_none_or(|last| last >= *issued),
                    Rule::DatesDisagree,
                )?;
                let is_late = self.today() - issued > BACKDATE_MAX_DAYS;
                unless(!is_late, Rule::IssueBackdated)?;
                fits(made, *amount, unit.certified())
            }
            Act::Void {
                unit: code, number, ..
            } => {
                let (unit, _) = self.standing(code)?;
                if let Some(number) = number {
                    stands(unit, number)?;
                    let mut others = unit.certificates.iter();
                    // All are of one family, and nothing ever went under any.
                    if others.any(|other| other.number != *number && other.fate == Fate::Stands) {
                        return Ok(());
                    }
                }
                let is_of_it = |other: &Unit| other.described == Some(*code);
                let mut made = self.units.values().filter(|other| other.made.is_some());
                unless(!made.any(is_of_it), Rule::DescendantsUnmarked)
            }
            Act::Supersede {
                unit,
                number,
                new_unit,
                new_number,
                ..
            } => {
                let (unit, _) = self.standing(unit)?;
                stands(unit, number)?;
                unless(!self.numbers.contains_key(new_number), Rule::NumberUsed)?;
                let Some(new_unit) = self.units.get(new_unit) else {
                    return Ok(());
                };
                let owner = new_unit.made.as_ref().map(|made| made.by);
                let owner = owner.or(new_unit.reserver);
                unless(owner.is_none_or(|owner| owner == by), Rule::UnitKnown)?;
                unless(new_unit.reserved.len() < CERTIFICATES_MAX, Rule::TooMany)
            }
            Act::Store {
                unit,
                amount,
                at_ms,
                enters,
            } => {
                let (unit, made) = self.standing(unit)?;
                self.not_ahead(*at_ms, Rule::EventAhead)?;
                unless(day(*at_ms) >= made.produced, Rule::BeforeProduction)?;
                if *enters {
                    return fits(made, *amount, unit.stored() + unit.moved);
                }
                unless(amount.measure == made.amount.measure, Rule::QuantityUnit)?;
                let held = unit.stock.get(&actor(by)).copied().unwrap_or(0);
                unless(amount.base <= held, Rule::QuantityExceeded)
            }
            Act::Enrol { key, is_proved, .. } => {
                unless(!self.keys.contains_key(key), Rule::KeyKnown)?;
                unless(*is_proved, Rule::Possession)
            }
            Act::Revoke { owner, key, from } => {
                let key = self.keys.get(key).ok_or(Rule::KeyUnknown)?;
                unless(key.owner == *owner, Rule::KeyUnknown)?;
                unless(!key.is_revoked, Rule::KeyRevoked)?;
                let is_sound = |from: u64| from >= key.enrolled && from <= self.size;
                unless(from.is_none_or(is_sound), Rule::TargetUnknown)
            }
            Act::Grant { owner, role, area } => {
                let held = self.roles.contains(&(actor(*owner), *role, *area));
                unless(!held, Rule::RoleHeld)
            }
            Act::Withdraw { owner, role, area } => {
                let held = self.roles.contains(&(actor(*owner), *role, *area));
                unless(held, Rule::RoleNotHeld)
            }
        }
    }
}

fn fits(made: &Made, more: Amount, already: u64) -> Verdict {
    unless(more.measure == made.amount.measure, Rule::QuantityUnit)?;
    unless(
        already + more.base <= made.amount.base,
        Rule::QuantityExceeded,
    )
}

fn stands(unit: &Unit, number: &str) -> Verdict {
    let held = unit.certificate(number).ok_or(Rule::TargetUnknown)?;
    unless(held.fate == Fate::Stands, Rule::TargetNotStanding)
}
