//! The folded state as the writer sees it while it judges one record: the same
//! answers, remembered, because one record asks the same things several times
//! and the same signers come again and again.
//!
//! Nothing here is a source of truth: what is remembered is forgotten whenever
//! a record changes it.

use super::Failed;
use super::folded::{Behind, ChainState, Folded};
use crate::ident::{EntityId, TraceCode};
use crate::record::claim::{Claim, Policy, Tolerance};
use crate::record::kinds::unit_created::ProductClass;
use crate::record::marks::MarkState;
use crate::record::rights::{EntityState, KeyState, Registry};
use crate::record::sign::KeyId;
use crate::record::unit::UnitState;
use crate::record::wire::PersonId;
use crate::record::{Hash, Signed};
use crate::rules::movements::{Balance, CertificateUse, Edge, Holding, PaperUse, Transfer};
use crate::rules::{Facts, PersonState, StockState};
use std::cell::RefCell;
use std::collections::HashMap;

/// Most signers remembered: 8,192 keys, entities and chains of about 200 bytes
/// are 5 MB; a city has 5,779.
const SIGNERS_MAX: usize = 8_192;

/// What the writer remembers from record to record.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    policy: RefCell<Option<Policy>>,
    keys: RefCell<HashMap<KeyId, KeyState>>,
    entities: RefCell<HashMap<EntityId, EntityState>>,
    chains: RefCell<HashMap<KeyId, ChainState>>,
}

impl Memory {
    /// Forgets everything, as when a job was taken back.
    pub(crate) fn forget(&mut self) {
        *self = Self::default();
    }

    /// A record was admitted: its chain stands elsewhere, and what its claims
    /// change is forgotten.
    pub(crate) fn admitted(&mut self, record: &Signed, claims: &[Claim]) {
        put(
            &self.chains,
            record.statement().key,
            ChainState::after(record),
        );
        let is_governance = claims.iter().any(|claim| {
            matches!(
                claim,
                Claim::OpensLedger { .. }
                    | Claim::AdoptsRuleSet { .. }
                    | Claim::RegistersEntity { .. }
                    | Claim::EnrolsKey { .. }
                    | Claim::RevokesKey { .. }
                    | Claim::GrantsRole { .. }
                    | Claim::WithdrawsRole { .. }
            )
        });
        if is_governance {
            self.forget();
        }
    }
}

fn put<K: std::hash::Hash + Eq, V>(memory: &RefCell<HashMap<K, V>>, key: K, value: V) {
    let mut memory = memory.borrow_mut();
    if memory.len() >= SIGNERS_MAX {
        memory.clear();
    }
    memory.insert(key, value);
}

/// The folded state, for judging one record.
pub(crate) struct Working<'a> {
    folded: Folded,
    memory: &'a Memory,
    unit: RefCell<Option<(TraceCode, Option<UnitState>)>>,
}

impl<'a> Working<'a> {
    pub(crate) fn new(folded: Folded, memory: &'a Memory) -> Self {
        Self {
            folded,
            memory,
            unit: RefCell::default(),
        }
    }

    pub(crate) fn folded(&self) -> &Folded {
        &self.folded
    }

    /// Where a key's chain stands.
    pub(crate) fn chain(&self, key: &KeyId) -> Result<ChainState, Failed> {
        let read = || Ok(Some(self.folded.chain(key)?));
        Ok(remembered(&self.memory.chains, key, read)?.unwrap_or_default())
    }
}

/// What is remembered under a key, or what `read` finds, which is then
/// remembered; that there is nothing is not.
fn remembered<K: std::hash::Hash + Eq + Copy, V: Clone>(
    memory: &RefCell<HashMap<K, V>>,
    key: &K,
    read: impl FnOnce() -> Result<Option<V>, Failed>,
) -> Result<Option<V>, Failed> {
    if let Some(known) = memory.borrow().get(key) {
        return Ok(Some(known.clone()));
    }
    let found = read()?;
    if let Some(found) = &found {
        put(memory, *key, found.clone());
    }
    Ok(found)
}

impl Behind for Working<'_> {
    fn behind(&self) -> &Folded {
        &self.folded
    }
}

impl Registry for Working<'_> {
    type Error = Failed;

    fn policy(&self) -> Result<Option<Policy>, Failed> {
        if let Some(policy) = *self.memory.policy.borrow() {
            return Ok(Some(policy));
        }
        let policy = self.folded.policy()?;
        *self.memory.policy.borrow_mut() = policy;
        Ok(policy)
    }

    fn key(&self, key: &KeyId) -> Result<Option<KeyState>, Failed> {
        remembered(&self.memory.keys, key, || self.folded.key(key))
    }

    fn entity(&self, entity: &EntityId) -> Result<Option<EntityState>, Failed> {
        remembered(&self.memory.entities, entity, || self.folded.entity(entity))
    }

    fn unit(&self, unit: &TraceCode) -> Result<Option<UnitState>, Failed> {
        if let Some((code, state)) = &*self.unit.borrow()
            && code == unit
        {
            return Ok(state.clone());
        }
        let state = self.folded.unit(unit)?;
        *self.unit.borrow_mut() = Some((*unit, state.clone()));
        Ok(state)
    }

    fn mark(&self, record: &Hash) -> Result<Option<MarkState>, Failed> {
        self.folded.mark(record)
    }
}

impl Facts for Working<'_> {
    fn certificate_unit(&self, number: &str) -> Result<Option<TraceCode>, Failed> {
        self.folded.certificate_unit(number)
    }

    fn uscc_entity(&self, uscc: &str) -> Result<Option<EntityId>, Failed> {
        self.folded.uscc_entity(uscc)
    }

    fn stock(&self, unit: &TraceCode) -> Result<StockState, Failed> {
        self.folded.stock(unit)
    }

    fn person(&self, person: &PersonId) -> Result<Option<PersonState>, Failed> {
        self.folded.person(person)
    }
    fn balance(&self, unit: &TraceCode) -> Result<Option<Balance>, Failed> {
        self.folded.balance(unit)
    }

    fn holding(&self, unit: &TraceCode, entity: &EntityId) -> Result<Option<Holding>, Failed> {
        self.folded.holding(unit, entity)
    }

    fn transfer(&self, record: &Hash) -> Result<Option<Transfer>, Failed> {
        self.folded.transfer(record)
    }

    fn certificate_use(&self, number: &str) -> Result<CertificateUse, Failed> {
        self.folded.certificate_use(number)
    }

    fn cover(&self, number: &str, entity: &EntityId) -> Result<Option<u64>, Failed> {
        self.folded.cover(number, entity)
    }

    fn paper(&self, paper: &Hash) -> Result<Option<PaperUse>, Failed> {
        self.folded.paper(paper)
    }

    fn marks(&self, unit: &TraceCode) -> Result<Vec<Hash>, Failed> {
        self.folded.marks(unit)
    }

    fn tolerance(&self, class: ProductClass) -> Result<Option<Tolerance>, Failed> {
        self.folded.tolerance(class)
    }

    fn children(
        &self,
        unit: &TraceCode,
        after: Option<(u64, TraceCode)>,
        limit: usize,
    ) -> Result<Vec<(u64, TraceCode, Edge)>, Failed> {
        self.folded.children(unit, after, limit)
    }
}
