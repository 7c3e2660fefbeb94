//! What rules read of the folded state, beside what each family of rules reads by
//! a trait of its own, and the small states that belong to no family.

use super::cold_chain::ColdFacts;
use super::corrections::CorrectionFacts;
use super::evidence::EvidenceFacts;
use super::movements::{Balance, CertificateUse, Edge, Holding, PaperUse, Transfer};
use crate::ident::{EntityId, TraceCode};
use crate::record::Hash;
use crate::record::claim::Tolerance;
use crate::record::kinds::unit_created::ProductClass;
use crate::record::wire::PersonId;
use serde::{Deserialize, Serialize};

/// The folded state that rules read.
pub trait Facts: EvidenceFacts + CorrectionFacts + ColdFacts {
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

    /// Where all of a unit went; none while it never moved.
    ///
    /// # Errors
    /// The reader's own.
    fn balance(&self, unit: &TraceCode) -> Result<Option<Balance>, Self::Error>;

    /// What an entity has of a unit that moved; none where it never had any.
    ///
    /// # Errors
    /// The reader's own.
    fn holding(&self, unit: &TraceCode, entity: &EntityId) -> Result<Option<Holding>, Self::Error>;

    /// What a record handed over.
    ///
    /// # Errors
    /// The reader's own.
    fn transfer(&self, record: &Hash) -> Result<Option<Transfer>, Self::Error>;

    /// How a certificate was used.
    ///
    /// # Errors
    /// The reader's own.
    fn certificate_use(&self, number: &str) -> Result<CertificateUse, Self::Error>;

    /// How much of a certificate's cover an entity has; none where its part
    /// never changed.
    ///
    /// # Errors
    /// The reader's own.
    fn cover(&self, number: &str, entity: &EntityId) -> Result<Option<u64>, Self::Error>;

    /// How a paper was used.
    ///
    /// # Errors
    /// The reader's own.
    fn paper(&self, paper: &Hash) -> Result<Option<PaperUse>, Self::Error>;

    /// The holds and recalls that reach a unit, by their records, oldest first.
    ///
    /// # Errors
    /// The reader's own.
    fn marks(&self, unit: &TraceCode) -> Result<Vec<Hash>, Self::Error>;

    /// What is tolerated of a class; none where nothing was adopted.
    ///
    /// # Errors
    /// The reader's own.
    fn tolerance(&self, class: ProductClass) -> Result<Option<Tolerance>, Self::Error>;

    /// What a unit went into, by the index of the act, behind `after`.
    ///
    /// # Errors
    /// The reader's own.
    fn children(
        &self,
        unit: &TraceCode,
        after: Option<(u64, TraceCode)>,
        limit: usize,
    ) -> Result<Vec<(u64, TraceCode, Edge)>, Self::Error>;
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
