//! The log: entries, the tree's rows, and what lies beside each entry, all
//! under sequential keys, because that is what commits fast.

use super::nodes::KnownNodes;
use super::vault::SectionPlace;
use crate::error::{Invalid, Store};
use crate::proof::merkle::{Nodes, Unproved, node_place, prove_consistency, prove_inclusion, root};
use crate::record::section::Opening;
use crate::record::{Entry, Hash, encode};
use crate::store::redb::{Batch, Snapshot};
use crate::store::table::{Direction, SequenceTable, Tables};
use std::ops::ControlFlow;

/// Index → entry bytes.
pub(crate) const ENTRIES: SequenceTable = SequenceTable("entries");
/// Index → the leaf's hash and those of the nodes that it completes.
pub(crate) const TREE: SequenceTable = SequenceTable("tree");
/// Index → the trade section's opening: the annex.
pub(crate) const ANNEX: SequenceTable = SequenceTable("annex");
/// Index × 8 + place → a personal section's opening, encrypted.
pub(crate) const VAULT: SequenceTable = SequenceTable("vault");
/// Index → the hosted request that made the record.
pub(crate) const REQUESTS: SequenceTable = SequenceTable("requests");

/// The tables of the log's file.
pub(crate) const TABLES: Tables = Tables {
    sequences: &[ENTRIES, TREE, ANNEX, VAULT, REQUESTS],
    ordered: &[],
};

/// Personal sections of one record are numbered below this; a record names at
/// most `PERSONS_MAX` persons.
pub(crate) const PLACES: u64 = 8;
const _: () = assert!(crate::record::section::PERSONS_MAX as u64 <= PLACES);

/// All that one admitted record adds to the log.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub index: u64,
    pub entry: Vec<u8>,
    pub nodes: Vec<Hash>,
    pub trade: Option<Opening>,
    pub persons: Vec<Vec<u8>>,
    pub request: Option<Request>,
}

/// A hosted request, as it commits with its record.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Request {
    /// The entity in whose name it was made.
    pub entity: crate::ident::EntityId,
    /// The `Idempotency-Key`.
    pub key: String,
    /// What was asked.
    pub request_hash: Hash,
    /// How many records it made; this is the last of them.
    pub count: u32,
}

/// Writes one row into a batch.
pub(crate) fn append(batch: &mut Batch<'_>, row: &Row) -> Result<(), Store> {
    batch.put(ENTRIES, row.index, &row.entry)?;
    let mut nodes = Vec::with_capacity(row.nodes.len() * 32);
    row.nodes
        .iter()
        .for_each(|node| nodes.extend_from_slice(node.as_bytes()));
    batch.put(TREE, row.index, &nodes)?;
    if let Some(trade) = &row.trade {
        batch.put(ANNEX, row.index, &encode::encode(trade))?;
    }
    for (position, sealed) in (0u8..).zip(&row.persons) {
        let index = row.index;
        put_person(batch, SectionPlace { index, position }, sealed)?;
    }
    if let Some(request) = &row.request {
        batch.put(REQUESTS, row.index, &encode::encode(request))?;
    }
    Ok(())
}

/// Puts an encrypted personal section at its place.
pub(crate) fn put_person(
    batch: &mut Batch<'_>,
    place: SectionPlace,
    sealed: &[u8],
) -> Result<(), Store> {
    batch.put(VAULT, vault_key(place), sealed)
}

/// Destroys an encrypted personal section.
pub(crate) fn destroy_person(batch: &mut Batch<'_>, place: SectionPlace) -> Result<(), Store> {
    batch.delete(VAULT, vault_key(place)).map(|_| ())
}

fn vault_key(place: SectionPlace) -> u64 {
    place
        .index
        .saturating_mul(PLACES)
        .saturating_add(u64::from(place.position))
}

/// The log as one moment shows it.
#[derive(Clone)]
pub struct LogView {
    snapshot: Snapshot,
    nodes: KnownNodes,
}

impl LogView {
    pub(crate) fn new(snapshot: Snapshot) -> Self {
        let nodes = KnownNodes::default();
        Self { snapshot, nodes }
    }

    /// The same log at a later moment.
    pub(crate) fn later(&self, snapshot: Snapshot) -> Self {
        let nodes = self.nodes.clone();
        Self { snapshot, nodes }
    }

    /// The tables themselves, for those who go through all of them.
    pub(crate) fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// How many entries there are: one past the last key.
    pub(crate) fn size(&self) -> Result<u64, Store> {
        Ok(self
            .snapshot
            .last(ENTRIES)?
            .map_or(0, |row| row.key().saturating_add(1)))
    }

    /// The bytes of an entry.
    pub(crate) fn entry_bytes(&self, index: u64) -> Result<Option<Vec<u8>>, Store> {
        self.snapshot.get(ENTRIES, index)
    }

    /// An entry, whose bytes are held against its leaf in the tree: what leaves
    /// the process is re-hashed, because the engine's checksum is no defence
    /// against an editor.
    pub(crate) fn entry(&self, index: u64) -> Result<Entry, Store> {
        let damaged = |what: String| Store::Damaged {
            what: format!("entry {index}: {what}"),
        };
        let bytes = self
            .entry_bytes(index)?
            .ok_or_else(|| damaged("missing".into()))?;
        let (found, wanted) = (
            crate::proof::merkle::leaf_hash(&bytes),
            self.node(0, index)?,
        );
        if found != wanted {
            return Err(damaged(format!(
                "its leaf is {found}, the tree holds {wanted}"
            )));
        }
        Entry::decode(&bytes).map_err(|error| damaged(error.to_string()))
    }

    /// The opening of an entry's trade section.
    pub(crate) fn trade(&self, index: u64) -> Result<Option<Opening>, Store> {
        match self.snapshot.get(ANNEX, index)? {
            None => Ok(None),
            Some(bytes) => decode("annex", index, &bytes).map(Some),
        }
    }

    /// A personal section's opening, encrypted.
    pub(crate) fn sealed_person(&self, place: SectionPlace) -> Result<Option<Vec<u8>>, Store> {
        self.snapshot.get(VAULT, vault_key(place))
    }

    /// The hosted request that made an entry.
    pub(crate) fn request(&self, index: u64) -> Result<Option<Request>, Store> {
        match self.snapshot.get(REQUESTS, index)? {
            None => Ok(None),
            Some(bytes) => decode("request", index, &bytes).map(Some),
        }
    }

    /// Shows `visit` the entries from `from` on, in order, until it breaks.
    pub(crate) fn scan<R>(
        &self,
        from: u64,
        mut visit: impl FnMut(u64, &[u8]) -> ControlFlow<R>,
    ) -> Result<Option<R>, Store> {
        self.snapshot
            .scan(ENTRIES, from.., Direction::Forward, |index, bytes| {
                visit(index, bytes)
            })
    }

    /// The root of the first `size` entries.
    pub(crate) fn root(&self, size: u64) -> Result<Hash, Store> {
        root(self, size)
    }

    /// Proof that entry `index` is among the first `size`.
    pub(crate) fn prove_inclusion(
        &self,
        index: u64,
        size: u64,
    ) -> Result<Vec<Hash>, super::Failed> {
        prove_inclusion(self, index, size).map_err(unproved)
    }

    /// Proof that the first `size2` entries begin with the first `size1`.
    pub(crate) fn prove_consistency(
        &self,
        size1: u64,
        size2: u64,
    ) -> Result<Vec<Hash>, super::Failed> {
        prove_consistency(self, size1, size2).map_err(unproved)
    }
}

fn unproved(error: Unproved<Store>) -> super::Failed {
    match error {
        Unproved::Range(invalid) => super::Failed::Invalid(invalid),
        Unproved::Nodes(store) => super::Failed::Store(store),
    }
}

pub(crate) fn decode<T: serde::Serialize + serde::de::DeserializeOwned>(
    what: &str,
    index: u64,
    bytes: &[u8],
) -> Result<T, Store> {
    encode::decode(what, bytes).map_err(|error: Invalid| Store::Damaged {
        what: format!("{what} of entry {index}: {error}"),
    })
}

impl Nodes for LogView {
    type Error = Store;

    fn node(&self, level: u8, index: u64) -> Result<Hash, Store> {
        self.nodes
            .node(level, index, || self.stored_node(level, index))
    }
}

impl LogView {
    fn stored_node(&self, level: u8, index: u64) -> Result<Hash, Store> {
        let missing = || Store::Damaged {
            what: format!("tree node {index} of level {level} is missing"),
        };
        let (leaf, place) = node_place(level, index).ok_or_else(missing)?;
        let found = self.snapshot.get_with(TREE, leaf, |row| {
            let (_, rest) = row.split_at_checked(place * 32)?;
            rest.first_chunk::<32>().map(|bytes| Hash::from(*bytes))
        })?;
        found.flatten().ok_or_else(missing)
    }
}
