//! One moment of the ledger: log, index and published checkpoint together.
//! Readers hold one and are never blocked by the writer.

use super::Failed;
use super::folded::{ChainState, Folded, RequestState};
use super::log::LogView;
use crate::error::{Invalid, Rule, Store};
use crate::ident::EntityId;
use crate::proof::checkpoint::VerifiedCheckpoint;
use crate::record::rights::{KeyState, Registry};
use crate::record::section::Openings;
use crate::record::{Entry, Hash, Origin, SubjectId};
use std::ops::ControlFlow;
use std::sync::Arc;

/// A moment of the ledger; cheap to clone.
#[derive(Clone)]
pub struct View {
    log: LogView,
    folded: Folded,
    checkpoint: Arc<VerifiedCheckpoint>,
}

impl View {
    pub(crate) fn new(log: LogView, folded: Folded, checkpoint: Arc<VerifiedCheckpoint>) -> Self {
        Self {
            log,
            folded,
            checkpoint,
        }
    }

    /// The checkpoint that covers all that this view shows.
    #[must_use]
    pub fn checkpoint(&self) -> &VerifiedCheckpoint {
        &self.checkpoint
    }

    /// The ledger's name.
    #[must_use]
    pub fn origin(&self) -> &Origin {
        self.checkpoint.origin()
    }

    /// How many entries there are.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.checkpoint.size()
    }

    /// The folded state.
    #[must_use]
    pub fn folded(&self) -> &Folded {
        &self.folded
    }

    pub(crate) fn log(&self) -> &LogView {
        &self.log
    }

    /// The entry at `index`, held against the tree.
    ///
    /// # Errors
    /// [`Rule::Range`] for an index that is not covered; [`Store`] for damage.
    pub fn entry(&self, index: u64) -> Result<Entry, Failed> {
        if index >= self.size() {
            return Err(Invalid::new(
                Rule::Range,
                format!("index {index}, the ledger has {} entries", self.size()),
            )
            .into());
        }
        Ok(self.log.entry(index)?)
    }

    /// The trade section of the record at `index`, for those with a right.
    ///
    /// # Errors
    /// [`Store`].
    pub fn trade_openings(&self, index: u64) -> Result<Openings, Store> {
        Ok(Openings {
            trade: self.log.trade(index)?,
            persons: Vec::new(),
        })
    }

    /// The index of the record with this hash.
    ///
    /// # Errors
    /// [`Store`].
    pub fn index_of(&self, hash: &Hash) -> Result<Option<u64>, Store> {
        let Some(index) = self.folded.index_of(hash)? else {
            return Ok(None);
        };
        let found = self.log.entry(index)?.signed.hash();
        Ok((found == *hash).then_some(index))
    }

    /// Indexes about a subject, from `from` on, at most `limit`.
    ///
    /// # Errors
    /// [`Store`].
    pub fn about(&self, subject: &SubjectId, from: u64, limit: usize) -> Result<Vec<u64>, Store> {
        self.folded.about(subject, from, limit)
    }

    /// Shows `visit` every entry's bytes from `from` on, until it breaks.
    ///
    /// # Errors
    /// [`Store`].
    pub fn scan<R>(
        &self,
        from: u64,
        mut visit: impl FnMut(u64, &[u8]) -> ControlFlow<Option<R>>,
    ) -> Result<Option<R>, Store> {
        let size = self.size();
        let outcome = self.log.scan(from, |index, bytes| match index < size {
            true => visit(index, bytes),
            false => ControlFlow::Break(None),
        })?;
        Ok(outcome.flatten())
    }

    /// The key that a record names.
    ///
    /// # Errors
    /// [`Store`].
    pub fn key(&self, key: &crate::record::sign::KeyId) -> Result<Option<KeyState>, Failed> {
        self.folded.key(key)
    }

    /// Where a key's chain stands: what its next record must state. A key that
    /// never signed stands at the beginning.
    ///
    /// # Errors
    /// [`Store`].
    pub fn chain(&self, key: &crate::record::sign::KeyId) -> Result<ChainState, Store> {
        self.folded.chain(key)
    }

    /// What a hosted request came to, by its own name.
    ///
    /// # Errors
    /// [`Store`].
    pub fn request(&self, entity: &EntityId, key: &str) -> Result<Option<RequestState>, Store> {
        self.folded.request(entity, key)
    }

    /// How many bytes of derived rows are in memory, not merged yet.
    #[must_use]
    pub fn overlay_bytes(&self) -> usize {
        self.folded.overlay_bytes()
    }

    /// Proof that entry `index` is among the first `size`.
    ///
    /// # Errors
    /// [`Rule::Range`] beyond what is published; [`Store`].
    pub fn prove_inclusion(&self, index: u64, size: u64) -> Result<Vec<Hash>, Failed> {
        self.within(size)?;
        self.log.prove_inclusion(index, size)
    }

    /// Proof that the first `size2` entries begin with the first `size1`.
    ///
    /// # Errors
    /// [`Rule::Range`] beyond what is published; [`Store`].
    pub fn prove_consistency(&self, size1: u64, size2: u64) -> Result<Vec<Hash>, Failed> {
        self.within(size2)?;
        self.log.prove_consistency(size1, size2)
    }

    fn within(&self, size: u64) -> Result<(), Invalid> {
        match size <= self.size() {
            true => Ok(()),
            false => Err(Invalid::new(
                Rule::Range,
                format!("size {size}, the ledger has {} entries", self.size()),
            )),
        }
    }
}
