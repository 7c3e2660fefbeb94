//! What the records of a bundle establish: governance, units, what bars them,
//! what each was made from and where it was kept cold, as far as a bundle's own
//! records tell.
//!
//! Of the rules of admission only those are held here on which rights rest: a
//! key, an entity and a unit begin once, a key's holder has it, and only the
//! maker of a unit certifies it. The rest is an audit's, which has the whole
//! log.

use super::cold::Cold;
use super::lineage::MadeFrom;
use crate::error::{Invalid, Rule};
use crate::ident::{EntityId, TraceCode};
use crate::record::claim::{Claim, Policy};
use crate::record::evidence::UnitEvidence;
use crate::record::kinds::key_enrolled::enrolment_message;
use crate::record::marks::{MarkKind, MarkState};
use crate::record::movement::RecallOutcome;
use crate::record::rights::{EntityState, Grant, KeyState, Registry, SignedAs, root_entity};
use crate::record::sign::{self, KeyId, PublicKey, Signature};
use crate::record::unit::{UnitState, units_of};
use crate::record::{Hash, Origin, Verified};
use std::collections::{BTreeMap, HashMap};

/// The state after some records.
pub(super) struct Established<'a> {
    code: TraceCode,
    origin: &'a Origin,
    policy: Option<Policy>,
    keys: HashMap<KeyId, KeyState>,
    entities: HashMap<EntityId, EntityState>,
    units: HashMap<TraceCode, UnitState>,
    marks: BTreeMap<Hash, MarkState>,
    /// Of each unit that came of others: the act's index and time, and those.
    made_from: HashMap<TraceCode, MadeFrom>,
    /// Of each unit that a certificate was replaced onto: the units of those.
    described_anew: HashMap<TraceCode, Vec<TraceCode>>,
    /// What tests say of the bundle's unit.
    evidence: UnitEvidence,
    cold: Cold,
}

impl<'a> Established<'a> {
    /// Nothing yet.
    pub(super) fn new(code: TraceCode, origin: &'a Origin) -> Self {
        Self {
            code,
            origin,
            policy: None,
            keys: HashMap::new(),
            entities: HashMap::new(),
            units: HashMap::new(),
            marks: BTreeMap::new(),
            made_from: HashMap::new(),
            described_anew: HashMap::new(),
            evidence: UnitEvidence::default(),
            cold: Cold::default(),
        }
    }

    pub(super) fn policy_in_force(&self) -> Option<Policy> {
        self.policy
    }

    pub(super) fn unit_state(&self) -> UnitState {
        self.units.get(&self.code).cloned().unwrap_or_default()
    }

    /// Whether a record here makes this unit.
    pub(super) fn is_made(&self, unit: &TraceCode) -> bool {
        self.units
            .get(unit)
            .is_some_and(|state| state.made.is_some())
    }

    /// The index of the record that makes a unit.
    pub(super) fn made_index(&self, unit: &TraceCode) -> Option<u64> {
        let made = self.units.get(unit)?.made.as_ref()?;
        Some(made.index)
    }

    /// What a unit came of.
    pub(super) fn made_from(&self, unit: &TraceCode) -> Option<&MadeFrom> {
        self.made_from.get(unit)
    }

    /// The holds and recalls that the records here make.
    pub(super) fn marks(&self) -> impl Iterator<Item = &MarkState> {
        self.marks.values()
    }

    /// Whether the record with this hash, which is here, holds or recalls.
    pub(super) fn is_mark(&self, record: &Hash) -> bool {
        self.marks.contains_key(record)
    }

    pub(super) fn evidence(&self) -> &UnitEvidence {
        &self.evidence
    }

    /// What is established of the cold chain.
    pub(super) fn cold(&self) -> &Cold {
        &self.cold
    }

    pub(super) fn key_state(&self, key: &KeyId) -> Option<&KeyState> {
        self.keys.get(key)
    }

    /// Adds one claim of a record that may stand.
    pub(super) fn apply(
        &mut self,
        index: u64,
        record: &Verified,
        signed_as: &SignedAs,
        claim: &Claim,
    ) -> Result<(), Invalid> {
        match claim {
            Claim::OpensLedger { root_keys, policy } => {
                self.policy = Some(*policy);
                for key in root_keys {
                    self.enrol(index, root_entity(), key, false);
                }
            }
            Claim::AdoptsRuleSet { rule_set } => {
                if let Some(policy) = &mut self.policy {
                    policy.may_adopt(*rule_set)?;
                    policy.rule_set = *rule_set;
                }
            }
            Claim::RegistersEntity { entity, area, .. } => {
                let state = EntityState {
                    area: area.code(),
                    registered_index: index,
                    grants: Vec::new(),
                };
                if let Some(known) = self.entities.insert(*entity, state) {
                    let what = format!("{entity} at index {}", known.registered_index);
                    return Err(Invalid::new(Rule::EntityKnown, what));
                }
            }
            Claim::EnrolsKey {
                entity,
                key,
                possession,
                hosted,
            } => {
                if let Some(known) = self.keys.get(&key.id()) {
                    let what = format!("key {} at index {}", key.id(), known.enrolled_index);
                    return Err(Invalid::new(Rule::KeyKnown, what));
                }
                let message = enrolment_message(self.origin, *entity, key);
                sign::verify_strict(key, &message, &Signature::from_bytes(*possession)).map_err(
                    |_| Invalid::new(Rule::Possession, format!("key {} of {entity}", key.id())),
                )?;
                self.enrol(index, *entity, key, *hosted);
            }
            Claim::RevokesKey {
                entity,
                key,
                compromised_from,
            } => self.revoke(index, *entity, *key, *compromised_from)?,
            Claim::GrantsRole { entity, role, area } => {
                let grant = Grant {
                    role: *role,
                    area: area.code(),
                    granted_index: index,
                };
                self.entity_mut(entity)?.grants.push(grant);
            }
            Claim::WithdrawsRole { entity, role, area } => {
                let code = area.code();
                let grants = &mut self.entity_mut(entity)?.grants;
                grants.retain(|held| held.role != *role || held.area != code);
            }
            Claim::Transforms {
                at_ms,
                inputs,
                outputs,
                ..
            } => {
                for output in outputs {
                    let from = MadeFrom {
                        index,
                        at_ms: *at_ms,
                        units: inputs.iter().map(|input| input.unit).collect(),
                    };
                    self.made_from.insert(output.unit, from);
                }
            }
            Claim::Holds { unit } => {
                self.bar(index, record, signed_as, MarkKind::Hold, unit, None);
            }
            Claim::HoldsFailed { unit } => {
                self.bar(index, record, signed_as, MarkKind::FailedSample, unit, None);
            }
            Claim::MarksVoided { unit } => {
                self.bar(index, record, signed_as, MarkKind::SourceVoided, unit, None);
            }
            Claim::MarksCertificateVoided { unit } => {
                let kind = MarkKind::CertificateVoided;
                self.bar(index, record, signed_as, kind, unit, None);
            }
            Claim::Recalls { unit, until_ms } => {
                self.bar(index, record, signed_as, MarkKind::Recall, unit, *until_ms);
            }
            Claim::Releases { target, .. } => self.lift(index, target, true)?,
            Claim::ClosesRecall {
                target, outcome, ..
            } => self.lift(index, target, *outcome == RecallOutcome::Withdrawn)?,
            Claim::Cold(claim) => {
                let (code, signer) = (self.code, signed_as.entity);
                self.cold.apply(code, index, signer, claim)?;
            }
            Claim::Evidence(found) => {
                let hash = record.hash();
                self.evidence.apply(self.code, index, hash, found);
            }
            _ => {
                self.check_maker(signed_as.entity, claim)?;
                self.describe_anew(index, claim);
                for unit in units_of(claim) {
                    let state = self.units.entry(unit).or_default();
                    state.apply(unit, index, record.hash(), signed_as.entity, claim);
                }
            }
        }
        Ok(())
    }

    /// What a certificate is replaced onto begins with what is left of the unit
    /// before, and so comes of it.
    fn describe_anew(&mut self, index: u64, claim: &Claim) {
        let carries = self.policy.is_some_and(|policy| policy.rule_set >= 3);
        match claim {
            Claim::Supersedes {
                unit,
                replacement_unit,
                ..
            } if carries && unit != replacement_unit => {
                let before = self.described_anew.entry(*replacement_unit).or_default();
                before.push(*unit);
            }
            Claim::CreatesUnit { unit, .. } if carries => {
                let before = self.described_anew.get(unit);
                if let Some(before) = before.and_then(|units| units.first()) {
                    let from = MadeFrom {
                        index,
                        at_ms: 0,
                        units: vec![*before],
                    };
                    self.made_from.insert(*unit, from);
                }
            }
            _ => {}
        }
    }

    fn bar(
        &mut self,
        index: u64,
        record: &Verified,
        signed_as: &SignedAs,
        kind: MarkKind,
        unit: &TraceCode,
        until_ms: Option<u64>,
    ) {
        let made = self.units.get(unit).and_then(|state| state.made.as_ref());
        let maker = made.map_or(signed_as.entity, |made| made.entity);
        let mark = MarkState::begun(kind, index, *unit, signed_as.entity, maker, until_ms);
        self.marks.insert(record.hash(), mark);
    }

    fn lift(&mut self, index: u64, target: &Hash, is_lifted: bool) -> Result<(), Invalid> {
        let Some(mark) = self.marks.get_mut(target) else {
            return Err(Invalid::new(
                Rule::TargetUnknown,
                format!("record {target}"),
            ));
        };
        if let Some(ended) = mark.ended_index() {
            let what = format!("record {target} was ended at index {ended}");
            return Err(Invalid::new(Rule::MarkEnded, what));
        }
        mark.end(index, is_lifted);
        Ok(())
    }

    fn enrol(&mut self, index: u64, entity: EntityId, key: &PublicKey, hosted: bool) {
        let state = KeyState::enrolled(entity, key, hosted, index);
        self.keys.insert(key.id(), state);
    }

    fn revoke(
        &mut self,
        index: u64,
        entity: EntityId,
        key: KeyId,
        compromised_from: Option<u64>,
    ) -> Result<(), Invalid> {
        let refuse = |rule, what: String| Err(Invalid::new(rule, what));
        let state = match self.keys.get_mut(&key) {
            Some(state) if state.entity == entity => state,
            _ => return refuse(Rule::KeyUnknown, format!("no key {key} of {entity}")),
        };
        if let Some(revoked) = state.revoked_index {
            return refuse(Rule::KeyRevoked, format!("key {key} at index {revoked}"));
        }
        if let Some(from) = compromised_from
            && !(state.enrolled_index..=index).contains(&from)
        {
            let enrolled = state.enrolled_index;
            let what = format!("compromised from {from}, enrolled at {enrolled}, this is {index}");
            return refuse(Rule::TargetUnknown, what);
        }
        state.revoked_index = Some(index);
        state.compromised_from = compromised_from;
        Ok(())
    }

    fn entity_mut(&mut self, entity: &EntityId) -> Result<&mut EntityState, Invalid> {
        self.entities
            .get_mut(entity)
            .ok_or_else(|| Invalid::new(Rule::EntityUnknown, format!("entity {entity}")))
    }

    /// A unit begins once, where it was reserved by whoever reserved it, and
    /// only who made it certifies it, once by each number.
    fn check_maker(&self, signer: EntityId, claim: &Claim) -> Result<(), Invalid> {
        match claim {
            Claim::CreatesUnit { unit, .. } => {
                let Some(state) = self.units.get(unit) else {
                    return Ok(());
                };
                if let Some(made) = &state.made {
                    let what = format!("{unit} at index {}", made.index);
                    return Err(Invalid::new(Rule::UnitKnown, what));
                }
                match state.reserver {
                    Some(reserver) if reserver != signer => {
                        let what = format!("{unit} is reserved by {reserver}");
                        Err(Invalid::new(Rule::UnitKnown, what))
                    }
                    _ => Ok(()),
                }
            }
            Claim::Certifies {
                unit, number, form, ..
            } => {
                let state = self.units.get(unit);
                match state.and_then(|state| state.made.as_ref()) {
                    Some(made) if form.is_by_maker() && made.entity != signer => {
                        let what = format!("{unit} was created by {}, not {signer}", made.entity);
                        return Err(Invalid::new(Rule::Right, what));
                    }
                    // Of another unit the beginning may not be at hand.
                    None if *unit == self.code => {
                        return Err(Invalid::new(Rule::UnitUnknown, unit.to_string()));
                    }
                    _ => {}
                }
                match state.and_then(|state| state.certificate(number)) {
                    Some(held) => {
                        let what = format!("{number} at index {}", held.index);
                        Err(Invalid::new(Rule::NumberUsed, what))
                    }
                    None => Ok(()),
                }
            }
            _ => Ok(()),
        }
    }
}

impl Registry for Established<'_> {
    type Error = Invalid;

    fn policy(&self) -> Result<Option<Policy>, Invalid> {
        Ok(self.policy)
    }

    fn key(&self, key: &KeyId) -> Result<Option<KeyState>, Invalid> {
        Ok(self.keys.get(key).cloned())
    }

    fn entity(&self, entity: &EntityId) -> Result<Option<EntityState>, Invalid> {
        Ok(self.entities.get(entity).cloned())
    }

    fn unit(&self, unit: &TraceCode) -> Result<Option<UnitState>, Invalid> {
        Ok(self.units.get(unit).cloned())
    }

    fn mark(&self, record: &Hash) -> Result<Option<MarkState>, Invalid> {
        Ok(self.marks.get(record).copied())
    }
}
