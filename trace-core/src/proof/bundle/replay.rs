//! The governance that a bundle's own records establish: who holds which key
//! and role at which index, record by record, from leaf 0 on.
//!
//! The same judge as at admission (`record::rights`) decides over it. Of the
//! other rules only those are held here on which rights rest: a key, an entity
//! and a unit begin once, a key's holder has it, only the maker of a unit
//! certifies it, and a kind is admitted only under a rule set that knows it. The rest is an audit's, which has the whole log.

use super::lineage::MadeFrom;
use super::verdict::ProvedRecord;
use crate::error::{Invalid, Rule, Verify};
use crate::ident::{EntityId, TraceCode};
use crate::proof::completeness::VerifiedCompleteness;
use crate::record::claim::{Claim, Policy};
use crate::record::evidence::UnitEvidence;
use crate::record::kinds::Body;
use crate::record::kinds::key_enrolled::enrolment_message;
use crate::record::layout::Unverified;
use crate::record::marks::{MarkKind, MarkState};
use crate::record::movement::RecallOutcome;
use crate::record::rights::{self, EntityState, Grant, KeyState, Registry, SignedAs, root_entity};
use crate::record::section::Openings;
use crate::record::sign::{self, Key, KeyId, PublicKey, Signature};
use crate::record::subject::SubjectId;
use crate::record::unit::{UnitState, units_of};
use crate::record::{Entry, Hash, Origin, Signed, Verified};
use std::collections::{BTreeMap, HashMap, HashSet};

/// The state after the records so far.
pub(super) struct Replay<'a> {
    code: TraceCode,
    origin: &'a Origin,
    ledger_key: PublicKey,
    completeness: &'a VerifiedCompleteness,
    policy: Option<Policy>,
    keys: HashMap<KeyId, KeyState>,
    entities: HashMap<EntityId, EntityState>,
    units: HashMap<TraceCode, UnitState>,
    marks: BTreeMap<Hash, MarkState>,
    /// Of each unit that came of others: the act's index and time, and those.
    made_from: HashMap<TraceCode, MadeFrom>,
    /// What tests say of the bundle's unit.
    evidence: UnitEvidence,
    /// Of each key, the last record so far: sequence and hash.
    chains: HashMap<KeyId, (u64, Hash)>,
    hashes: HashSet<Hash>,
    records: Vec<ProvedRecord>,
    admitted_ms: u64,
}

impl<'a> Replay<'a> {
    pub(super) fn new(
        code: TraceCode,
        origin: &'a Origin,
        ledger_key: PublicKey,
        completeness: &'a VerifiedCompleteness,
    ) -> Self {
        Self {
            code,
            origin,
            ledger_key,
            completeness,
            policy: None,
            keys: HashMap::new(),
            entities: HashMap::new(),
            units: HashMap::new(),
            marks: BTreeMap::new(),
            made_from: HashMap::new(),
            evidence: UnitEvidence::default(),
            chains: HashMap::new(),
            hashes: HashSet::new(),
            records: Vec::new(),
            admitted_ms: 0,
        }
    }

    pub(super) fn policy_in_force(&self) -> Option<Policy> {
        self.policy
    }

    pub(super) fn admitted_ms(&self) -> u64 {
        self.admitted_ms
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

    /// What a unit came of.
    pub(super) fn made_from(&self, unit: &TraceCode) -> Option<&MadeFrom> {
        self.made_from.get(unit)
    }

    /// The holds and recalls that the records here make.
    pub(super) fn marks(&self) -> impl Iterator<Item = &MarkState> {
        self.marks.values()
    }

    pub(super) fn evidence(&self) -> UnitEvidence {
        self.evidence.clone()
    }

    pub(super) fn key_state(&self, key: &KeyId) -> Option<&KeyState> {
        self.keys.get(key)
    }

    pub(super) fn records(&self) -> &[ProvedRecord] {
        &self.records
    }

    pub(super) fn into_records(self) -> Vec<ProvedRecord> {
        self.records
    }

    /// Judges the next record and adds what it says.
    pub(super) fn append(&mut self, index: u64, entry: Entry) -> Result<(), Verify> {
        let Entry {
            admitted_ms,
            signed,
        } = entry;
        let inadmissible = |why: String| Verify::Inadmissible { index, why };
        if admitted_ms < self.admitted_ms {
            return Err(inadmissible(format!(
                "admitted at {admitted_ms} ms, an earlier record at {}",
                self.admitted_ms
            )));
        }
        if signed.statement().origin != *self.origin {
            return Err(Verify::WrongLedger {
                found: format!("record {index} of {}", signed.statement().origin),
                wanted: self.origin.to_string(),
            });
        }
        let body = signed
            .body()
            .map_err(|invalid| unread(index, &signed, &invalid))?;
        self.follow_chain(&signed).map_err(inadmissible)?;
        let public = self.public_key(index, &signed, &body)?;
        let record = Key::parse(&public)
            .map_err(Unverified::from)
            .and_then(|key| signed.verify(&key))
            .map_err(|unverified| match unverified {
                Unverified::Form(invalid) => inadmissible(invalid.to_string()),
                Unverified::Evidence(evidence) => evidence,
            })?;
        let refused = |invalid: Invalid| Verify::Inadmissible {
            index,
            why: invalid.to_string(),
        };
        let claims = record
            .body()
            .claims(&Openings::default())
            .map_err(refused)?;
        self.check_at_hand(index, &claims)?;
        if let Some(policy) = self.policy {
            policy.admits(record.body().kind()).map_err(refused)?;
        }
        let signed_as = rights::authorise(self, &record, &claims).map_err(refused)?;
        for claim in &claims {
            self.apply(index, &record, &signed_as, claim)
                .map_err(refused)?;
        }
        self.chains.insert(
            record.statement().key,
            (record.statement().sequence, record.hash()),
        );
        self.hashes.insert(record.hash());
        self.admitted_ms = admitted_ms;
        let hosted = self
            .keys
            .get(&record.statement().key)
            .is_some_and(|key| key.hosted);
        self.records.push(ProvedRecord {
            index,
            hash: record.hash(),
            admitted_ms,
            signed_at_ms: record.statement().signed_at_ms,
            key: record.statement().key,
            signer: signed_as.entity,
            role: signed_as.role,
            hosted,
            disputed: false,
            subjects: record.statement().subjects.clone(),
            body,
        });
        Ok(())
    }

    /// A key's records stand in their order, and neighbours are linked.
    fn follow_chain(&self, signed: &Signed) -> Result<(), String> {
        let statement = signed.statement();
        let (key, sequence) = (statement.key, statement.sequence);
        let wanted_link = match self.chains.get(&key) {
            Some((last, _)) if sequence <= *last => {
                return Err(format!(
                    "sequence {sequence} of key {key} after its sequence {last}"
                ));
            }
            Some((last, hash)) if last.checked_add(1) == Some(sequence) => *hash,
            _ if sequence == 0 => Hash::ZERO,
            _ => return Ok(()),
        };
        match statement.link == wanted_link {
            true => Ok(()),
            false => Err(format!(
                "sequence {sequence} of key {key} is linked to {}, not to {wanted_link}",
                statement.link
            )),
        }
    }

    /// The signer's key: enrolled by an earlier record, and all about its
    /// holder stated; in leaf 0, one of the root keys that it names itself.
    fn public_key(&self, index: u64, signed: &Signed, body: &Body) -> Result<PublicKey, Verify> {
        let id = signed.statement().key;
        let inadmissible = |why: String| Verify::Inadmissible { index, why };
        match (body, index) {
            (Body::LedgerOpened(opened), 0) => {
                let ledger_key = PublicKey::from_bytes(opened.ledger_key.0);
                if ledger_key != self.ledger_key {
                    return Err(Verify::WrongLedger {
                        found: format!("leaf 0 naming ledger key {ledger_key}"),
                        wanted: self.ledger_key.to_string(),
                    });
                }
                let keys = opened.root_keys.iter();
                keys.map(|key| PublicKey::from_bytes(key.0))
                    .find(|key| key.id() == id)
                    .ok_or_else(|| inadmissible(format!("key {id} is not a root key")))
            }
            (_, 0) => Err(inadmissible("the first record opens no ledger".to_owned())),
            (Body::LedgerOpened(_), _) => Err(inadmissible("a ledger opens once".to_owned())),
            _ => {
                let state = self.keys.get(&id).ok_or_else(|| {
                    inadmissible(format!("key {id} is not enrolled by any earlier record"))
                })?;
                let signer = SubjectId::signer(state.entity);
                match self.completeness.indexes(&signer) {
                    Some(_) => Ok(state.public_key()),
                    None => Err(Verify::Incomplete {
                        why: format!(
                            "nothing is stated about {}, who signed record {index}",
                            state.entity
                        ),
                    }),
                }
            }
        }
    }

    /// What judging a record needs must be at hand, or the fault is the
    /// bundle's and not the ledger's: the governance of an entity that it is
    /// about, and the record that it voids or replaces. Of the bundle's own
    /// unit every record is at hand, if it exists.
    fn check_at_hand(&self, index: u64, claims: &[Claim]) -> Result<(), Verify> {
        let incomplete = |what: String| Verify::Incomplete {
            why: format!("{what}, which record {index} is about"),
        };
        for claim in claims {
            match claim {
                Claim::RegistersEntity { entity, .. }
                | Claim::EnrolsKey { entity, .. }
                | Claim::RevokesKey { entity, .. }
                | Claim::GrantsRole { entity, .. }
                | Claim::WithdrawsRole { entity, .. }
                    if self
                        .completeness
                        .indexes(&SubjectId::signer(*entity))
                        .is_none() =>
                {
                    return Err(incomplete(format!("nothing is stated about {entity}")));
                }
                Claim::Voids { target, unit, .. } | Claim::Supersedes { target, unit, .. }
                    if *unit != self.code && !self.hashes.contains(target) =>
                {
                    return Err(incomplete(format!("record {target} about {unit}")));
                }
                Claim::CreatesUnit {
                    maker: Some(other), ..
                }
                | Claim::HandsOver {
                    on_behalf_of: Some(other),
                    ..
                }
                | Claim::Receives {
                    on_behalf_of: Some(other),
                    ..
                }
                | Claim::Disposes {
                    on_behalf_of: Some(other),
                    ..
                } if self
                    .completeness
                    .indexes(&SubjectId::signer(*other))
                    .is_none() =>
                {
                    return Err(incomplete(format!("nothing is stated about {other}")));
                }
                Claim::Holds { unit } | Claim::Recalls { unit, .. } if !self.is_made(unit) => {
                    return Err(incomplete(format!("the record that makes {unit}")));
                }
                Claim::Releases { target, .. } | Claim::ClosesRecall { target, .. }
                    if !self.marks.contains_key(target) =>
                {
                    return Err(incomplete(format!("record {target}")));
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn apply(
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
            Claim::Recalls { unit, until_ms } => {
                self.bar(index, record, signed_as, MarkKind::Recall, unit, *until_ms);
            }
            Claim::Releases { target, .. } => self.lift(index, target, true)?,
            Claim::ClosesRecall {
                target, outcome, ..
            } => self.lift(index, target, *outcome == RecallOutcome::Withdrawn)?,
            Claim::Evidence(found) => {
                let hash = record.hash();
                self.evidence.apply(self.code, index, hash, found);
            }
            _ => {
                self.check_maker(signed_as.entity, claim)?;
                for unit in units_of(claim) {
                    let state = self.units.entry(unit).or_default();
                    state.apply(unit, index, record.hash(), signed_as.entity, claim);
                }
            }
        }
        Ok(())
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
        let mark = MarkState {
            kind,
            index,
            unit: *unit,
            by: signed_as.entity,
            maker: made.map_or(signed_as.entity, |made| made.entity),
            until_ms,
            lifted_index: None,
            completed_index: None,
        };
        self.marks.insert(record.hash(), mark);
    }

    fn lift(&mut self, index: u64, target: &Hash, is_lifted: bool) -> Result<(), Invalid> {
        let Some(mark) = self.marks.get_mut(target) else {
            return Err(Invalid::new(
                Rule::TargetUnknown,
                format!("record {target}"),
            ));
        };
        if let Some(ended) = mark.lifted_index.or(mark.completed_index) {
            let what = format!("record {target} was ended at index {ended}");
            return Err(Invalid::new(Rule::MarkEnded, what));
        }
        match is_lifted {
            true => mark.lifted_index = Some(index),
            false => mark.completed_index = Some(index),
        }
        Ok(())
    }

    fn enrol(&mut self, index: u64, entity: EntityId, key: &PublicKey, hosted: bool) {
        let state = KeyState {
            entity,
            public: *key.as_bytes(),
            enrolled_index: index,
            hosted,
            revoked_index: None,
            compromised_from: None,
        };
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
            Claim::CreatesUnit { unit, maker, .. } => {
                let signer = maker.unwrap_or(signer);
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

/// A body that cannot be read: of an unknown kind, or against its kind's form.
fn unread(index: u64, signed: &Signed, invalid: &Invalid) -> Verify {
    match invalid.rule {
        Rule::Kind => Verify::CannotCheck {
            why: format!(
                "record {index} is of kind {:#06x}, which is unknown here",
                signed.statement().kind
            ),
        },
        _ => Verify::Inadmissible {
            index,
            why: invalid.to_string(),
        },
    }
}

impl Registry for Replay<'_> {
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
