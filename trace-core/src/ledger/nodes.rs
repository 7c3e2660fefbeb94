//! Nodes of the tree that were read before: a proof takes one for each level,
//! and the upper ones are in most proofs.

use crate::error::Store;
use crate::record::Hash;
use quick_cache::sync::Cache;
use std::sync::Arc;

/// From which level on nodes are remembered: those below are an eighth as
/// likely to be wanted again, and seven times as many.
const LEVEL_MIN: u8 = 3;

/// Most nodes remembered: all above the lowest levels of half a million entries
/// and the upper half of any log's; of about 100 bytes each they take 13 MB.
const NODES_MAX: usize = 131_072;

/// Remembers complete nodes of one log, which never change. Cloning is cheap.
#[derive(Clone)]
pub(super) struct KnownNodes(Arc<Cache<(u8, u64), Hash>>);

impl Default for KnownNodes {
    fn default() -> Self {
        Self(Arc::new(Cache::new(NODES_MAX)))
    }
}

impl KnownNodes {
    /// The node at a place, by `read` where it is not known.
    pub(super) fn node(
        &self,
        level: u8,
        index: u64,
        read: impl FnOnce() -> Result<Hash, Store>,
    ) -> Result<Hash, Store> {
        if level < LEVEL_MIN {
            return read();
        }
        if let Some(known) = self.0.get(&(level, index)) {
            return Ok(known);
        }
        let node = read()?;
        self.0.insert((level, index), node);
        Ok(node)
    }
}
