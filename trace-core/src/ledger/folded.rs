//! The folded state, read: what rules, look-ups and offline-proof builders ask
//! of the derived index.

use super::rows::OneOfUnit;
use super::vault::SectionPlace;
use super::{Failed, rows};
use crate::error::Store;
use crate::ident::{EntityId, TraceCode};
use crate::record::claim::{Policy, Tolerance};
use crate::record::hash::Hasher;
use crate::record::kinds::unit_created::ProductClass;
use crate::record::marks::{Barred, MarkState};
use crate::record::rights::{EntityState, KeyState, Registry};
use crate::record::sign::KeyId;
use crate::record::unit::UnitState;
use crate::record::wire::PersonId;
use crate::record::{Hash, Signed, SubjectId};
use crate::rules::movements::{Balance, CertificateUse, Edge, Holding, PaperUse, Transfer};
use crate::rules::{Facts, PersonState, StockState};
use crate::store::overlay::IndexView;
use crate::store::table::Direction;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::ops::{Bound, ControlFlow};

/// Where a key's chain stands: what its next record must state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ChainState {
    /// The sequence of its next record.
    pub sequence: u64,
    /// The hash of its last record, zeros before the first.
    pub link: Hash,
}

impl ChainState {
    /// Where the chain stands after `record`.
    pub(crate) fn after(record: &Signed) -> Self {
        Self {
            sequence: record.statement().sequence.saturating_add(1),
            link: record.hash(),
        }
    }
}

/// Where a record stands; its whole hash, because the key cuts it short.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RecordPlace {
    pub index: u64,
    pub hash: Hash,
}

/// What a hosted request came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestState {
    /// What was asked.
    pub request_hash: Hash,
    /// Where the last of its records stands.
    pub last_index: u64,
    /// How many records it made.
    pub count: u32,
}

/// The folded state at one moment.
#[derive(Clone)]
pub struct Folded {
    view: IndexView,
}

impl RequestState {
    /// Where its records stand, the first to the last.
    #[must_use]
    pub fn indexes(&self) -> std::ops::RangeInclusive<u64> {
        let before_last = u64::from(self.count).saturating_sub(1);
        self.last_index.saturating_sub(before_last)..=self.last_index
    }
}

/// What is known of a unit, of which there is one row each.
#[derive(Default)]
pub(crate) struct AboutUnit {
    /// How it began, and its certificates.
    pub(crate) state: Option<UnitState>,
    /// Where it went, once it moved.
    pub(crate) balance: Option<Balance>,
    /// What lies in cold stores.
    pub(crate) stock: StockState,
    /// The records of the holds and recalls that reach it.
    pub(crate) marks: Vec<Hash>,
}

impl AboutUnit {
    fn take(&mut self, key: &[u8], row: &[u8]) -> Result<(), Store> {
        match rows::one_of_unit(key) {
            Some(OneOfUnit::State) => self.state = Some(rows::decode("unit", row)?),
            Some(OneOfUnit::Balance) => self.balance = Some(rows::decode("balance", row)?),
            Some(OneOfUnit::Stock) => self.stock = rows::decode("stock", row)?,
            Some(OneOfUnit::Marks) => self.marks = rows::decode("marks", row)?,
            None => {}
        }
        Ok(())
    }
}

impl Folded {
    pub(crate) fn new(view: IndexView) -> Self {
        Self { view }
    }

    pub(crate) fn overlay_bytes(&self) -> usize {
        self.view.overlay_bytes()
    }

    pub(super) fn read<T: DeserializeOwned>(
        &self,
        what: &str,
        key: &[u8],
    ) -> Result<Option<T>, Store> {
        self.view
            .get_with(key, |bytes| rows::decode(what, bytes))?
            .transpose()
    }

    /// The index of the record with this hash.
    pub(crate) fn index_of(&self, hash: &Hash) -> Result<Option<u64>, Store> {
        let found: Option<RecordPlace> = self.read("record", &rows::by_hash(hash))?;
        Ok(found
            .filter(|place| place.hash == *hash)
            .map(|place| place.index))
    }

    /// Where a key's chain stands.
    ///
    /// # Errors
    /// [`Store`].
    pub fn chain(&self, key: &KeyId) -> Result<ChainState, Store> {
        Ok(self.read("chain", &rows::chain(key))?.unwrap_or_default())
    }

    /// What a hosted request came to.
    pub(crate) fn request(
        &self,
        entity: &EntityId,
        key: &str,
    ) -> Result<Option<RequestState>, Store> {
        self.read("request", &rows::request(entity, key))
    }

    /// Indexes about a subject, from `from` on, at most `limit`.
    pub(crate) fn about(
        &self,
        subject: &SubjectId,
        from: u64,
        limit: usize,
    ) -> Result<Vec<u64>, Store> {
        self.indexes(rows::by_subject(subject), from, limit)
    }

    /// Indexes of the certificates an entity issued, from `from` on.
    pub(crate) fn issued(
        &self,
        entity: &EntityId,
        from: u64,
        limit: usize,
    ) -> Result<Vec<u64>, Store> {
        self.indexes(rows::issued(entity), from, limit)
    }

    /// Indexes of the certificates an entity issued before one, the newest first.
    pub(crate) fn issued_before(
        &self,
        entity: &EntityId,
        before: u64,
        limit: usize,
    ) -> Result<Vec<u64>, Store> {
        let prefix = rows::issued(entity);
        let end = rows::at(prefix.clone(), before);
        let mut found = Vec::new();
        let end = Bound::Excluded(end.as_slice());
        self.view.scan(&prefix, end, Direction::Reverse, |key, _| {
            found.extend(rows::index_at_end(key));
            match found.len() < limit {
                true => ControlFlow::Continue(()),
                false => ControlFlow::Break(()),
            }
        })?;
        Ok(found)
    }

    fn indexes(&self, prefix: Vec<u8>, from: u64, limit: usize) -> Result<Vec<u64>, Store> {
        let mut found = Vec::new();
        self.visit(&prefix, &rows::at(prefix.clone(), from), |key, _| {
            found.extend(rows::index_at_end(key));
            found.len() < limit
        })?;
        Ok(found)
    }

    /// Whether a unit is of a GTIN with a lot.
    pub(crate) fn is_of_gtin_lot(
        &self,
        gtin: u64,
        lot: &str,
        code: TraceCode,
    ) -> Result<bool, Store> {
        let key = rows::with_code(rows::gtin_lot(gtin, lot), &code);
        Ok(self.read::<()>("gtin and lot", &key)?.is_some())
    }

    /// Trace codes of a GTIN with a lot, after `after`, at most `limit`.
    pub(crate) fn by_gtin_lot(
        &self,
        gtin: u64,
        lot: &str,
        after: Option<TraceCode>,
        limit: usize,
    ) -> Result<Vec<TraceCode>, Store> {
        self.codes(rows::gtin_lot(gtin, lot), after, limit)
    }

    /// Trace codes that another system's code means.
    pub(crate) fn by_foreign(&self, code: &str, limit: usize) -> Result<Vec<TraceCode>, Store> {
        self.codes(rows::foreign(code), None, limit)
    }

    fn codes(
        &self,
        prefix: Vec<u8>,
        after: Option<TraceCode>,
        limit: usize,
    ) -> Result<Vec<TraceCode>, Store> {
        let mut found = Vec::new();
        let from = after.map_or_else(
            || prefix.clone(),
            |code| [rows::with_code(prefix.clone(), &code), vec![0]].concat(),
        );
        self.visit(&prefix, &from, |key, _| {
            found.extend(rows::code_at_end(key));
            found.len() < limit
        })?;
        Ok(found)
    }

    /// What is known of a person.
    pub(crate) fn person_state(&self, person: &PersonId) -> Result<Option<PersonState>, Store> {
        self.read("person", &rows::person(person))
    }

    /// Every section about a person: index and place.
    ///
    /// # Errors
    /// [`Store`].
    pub fn sections_of(&self, person: &PersonId) -> Result<Vec<SectionPlace>, Store> {
        let prefix = rows::person_sections(person);
        let mut found = Vec::new();
        self.visit(&prefix, &prefix, |key, _| {
            if let Some((head, [place])) = key
                .split_last_chunk::<1>()
                .map(|(head, tail)| (head, *tail))
            {
                found.extend(rows::index_at_end(head).map(|index| SectionPlace {
                    index,
                    position: place,
                }));
            }
            true
        })?;
        Ok(found)
    }

    /// Every person whose data are erased or due to be on `day`.
    pub(crate) fn persons_gone_by(&self, day: i32) -> Result<Vec<PersonId>, Store> {
        let mut found = Ok(Vec::new());
        self.visit(rows::PERSONS, rows::PERSONS, |key, value| {
            let state: Result<PersonState, Store> = rows::decode("person", value);
            match (state, &mut found) {
                (Ok(state), Ok(found)) => {
                    let is_due = state.destroy_on.is_some_and(|due| due <= day);
                    if state.erased_index.is_some() || is_due {
                        found.extend(key.last_chunk::<16>().map(|id| PersonId(*id)));
                    }
                    true
                }
                (Err(error), _) => {
                    found = Err(error);
                    false
                }
                (_, Err(_)) => false,
            }
        })?;
        found
    }

    /// A hash over every derived row in order of key, each key and value behind
    /// its length: two indexes with one digest are the same, byte for byte.
    /// Reads the whole index, so it is for audits and tests.
    ///
    /// # Errors
    /// From the engine.
    pub fn derived_digest(&self) -> Result<Hash, Store> {
        let mut hasher = Hasher::default();
        self.visit(&[], &[], |key, value| {
            for part in [key, value] {
                hasher.update(&(part.len() as u64).to_be_bytes());
                hasher.update(part);
            }
            true
        })?;
        Ok(hasher.finish())
    }

    /// What is known of a unit, read at once.
    pub(crate) fn about_unit(&self, unit: &TraceCode) -> Result<AboutUnit, Store> {
        let mut found = AboutUnit::default();
        let mut outcome = Ok(());
        let last = rows::unit(unit);
        self.visit(
            &rows::all_of_unit(unit),
            &rows::balance(unit),
            |key, row| {
                outcome = found.take(key, row);
                outcome.is_ok() && key < last.as_slice()
            },
        )?;
        outcome.map(|()| found)
    }

    /// What bars a unit now.
    pub(crate) fn barred(&self, unit: &TraceCode) -> Result<Barred, Failed> {
        self.barred_by(unit, &self.marks(unit)?)
    }

    /// The same, by the records of the holds and recalls that reach it.
    pub(crate) fn barred_by(&self, unit: &TraceCode, records: &[Hash]) -> Result<Barred, Failed> {
        let mut marks = Vec::new();
        for record in records {
            marks.extend(self.mark(record)?.filter(|mark| mark.speaks_of(unit)));
        }
        Ok(Barred::by(&marks))
    }

    /// What went into a unit, by the index of the act, behind `after`.
    pub(crate) fn parents(
        &self,
        unit: &TraceCode,
        after: Option<(u64, TraceCode)>,
        limit: usize,
    ) -> Result<Vec<(u64, TraceCode, Edge)>, Store> {
        self.edges(rows::parents(unit), after, limit)
    }

    fn edges(
        &self,
        prefix: Vec<u8>,
        after: Option<(u64, TraceCode)>,
        limit: usize,
    ) -> Result<Vec<(u64, TraceCode, Edge)>, Store> {
        let from = after.map_or_else(
            || prefix.clone(),
            |(index, code)| {
                let key = rows::with_code(rows::at(prefix.clone(), index), &code);
                [key, vec![0]].concat()
            },
        );
        let mut found = Vec::new();
        self.values(&prefix, &from, limit, "edge", |key, edge| {
            found.extend(rows::index_and_code_at_end(key).map(|(at, code)| (at, code, edge)));
        })?;
        Ok(found)
    }

    /// Shows `take` at most `limit` decoded rows under `prefix` from key `from` on.
    pub(crate) fn values<T: DeserializeOwned>(
        &self,
        prefix: &[u8],
        from: &[u8],
        limit: usize,
        what: &str,
        mut take: impl FnMut(&[u8], T),
    ) -> Result<(), Store> {
        let (mut failure, mut count) = (None, 0);
        self.visit(prefix, from, |key, value| {
            if count >= limit {
                return false;
            }
            match rows::decode(what, value) {
                Ok(value) => take(key, value),
                Err(error) => failure = Some(error),
            }
            count += 1;
            failure.is_none() && count < limit
        })?;
        failure.map_or(Ok(()), Err)
    }

    /// Shows `visit` the rows under `prefix` from key `from` on, while it says so.
    pub(crate) fn visit(
        &self,
        prefix: &[u8],
        from: &[u8],
        mut visit: impl FnMut(&[u8], &[u8]) -> bool,
    ) -> Result<(), Store> {
        let stopped = self.view.scan(
            prefix,
            Bound::Included(from),
            Direction::Forward,
            |key, value| match visit(key, value) {
                true => ControlFlow::Continue(()),
                false => ControlFlow::Break(()),
            },
        );
        stopped.map(|_| ())
    }
}

/// Whatever stands before the folded state and answers for it.
pub(crate) trait Behind {
    /// The folded state itself.
    fn behind(&self) -> &Folded;
}

impl Behind for Folded {
    fn behind(&self) -> &Folded {
        self
    }
}

impl Registry for Folded {
    type Error = Failed;

    fn policy(&self) -> Result<Option<Policy>, Failed> {
        Ok(self.read("policy", rows::POLICY)?)
    }

    fn key(&self, key: &KeyId) -> Result<Option<KeyState>, Failed> {
        Ok(self.read("key", &rows::signer_key(key))?)
    }

    fn entity(&self, entity: &EntityId) -> Result<Option<EntityState>, Failed> {
        Ok(self.read("entity", &rows::entity(entity))?)
    }

    fn unit(&self, unit: &TraceCode) -> Result<Option<UnitState>, Failed> {
        Ok(self.read("unit", &rows::unit(unit))?)
    }

    fn mark(&self, record: &Hash) -> Result<Option<MarkState>, Failed> {
        Ok(self.read("mark", &rows::mark(record))?)
    }
}

impl Facts for Folded {
    fn certificate_unit(&self, number: &str) -> Result<Option<TraceCode>, Failed> {
        Ok(self.read("number", &rows::number(number))?)
    }

    fn uscc_entity(&self, uscc: &str) -> Result<Option<EntityId>, Failed> {
        Ok(self.read("uscc", &rows::uscc(uscc))?)
    }

    fn stock(&self, unit: &TraceCode) -> Result<StockState, Failed> {
        Ok(self.read("stock", &rows::stock(unit))?.unwrap_or_default())
    }

    fn person(&self, person: &PersonId) -> Result<Option<PersonState>, Failed> {
        Ok(self.person_state(person)?)
    }
    fn balance(&self, unit: &TraceCode) -> Result<Option<Balance>, Failed> {
        Ok(self.read("balance", &rows::balance(unit))?)
    }

    fn holding(&self, unit: &TraceCode, entity: &EntityId) -> Result<Option<Holding>, Failed> {
        Ok(self.read("holding", &rows::holding(unit, entity))?)
    }

    fn transfer(&self, record: &Hash) -> Result<Option<Transfer>, Failed> {
        Ok(self.read("transfer", &rows::transfer(record))?)
    }

    fn certificate_use(&self, number: &str) -> Result<CertificateUse, Failed> {
        let found = self.read("certificate use", &rows::certificate_use(number))?;
        Ok(found.unwrap_or_default())
    }

    fn cover(&self, number: &str, entity: &EntityId) -> Result<Option<u64>, Failed> {
        Ok(self.read("cover", &rows::cover(number, entity))?)
    }

    fn paper(&self, paper: &Hash) -> Result<Option<PaperUse>, Failed> {
        Ok(self.read("paper", &rows::paper(paper))?)
    }

    fn marks(&self, unit: &TraceCode) -> Result<Vec<Hash>, Failed> {
        Ok(self.read("marks", &rows::marks(unit))?.unwrap_or_default())
    }

    fn tolerance(&self, class: ProductClass) -> Result<Option<Tolerance>, Failed> {
        Ok(self.read("tolerance", &rows::tolerance(class))?)
    }

    fn children(
        &self,
        unit: &TraceCode,
        after: Option<(u64, TraceCode)>,
        limit: usize,
    ) -> Result<Vec<(u64, TraceCode, Edge)>, Failed> {
        Ok(self.edges(rows::children(unit), after, limit)?)
    }
}
