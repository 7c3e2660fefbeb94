//! How the tree grows, and where its nodes are kept.
//!
//! Node (level l, index i) covers the leaves from i·2^l to (i+1)·2^l - 1. Once
//! its last leaf is there it is *complete* and never changes again, so each
//! leaf brings a row of hashes that can be written once, in order: its own, and
//! those of the nodes it completes. Nothing else is stored; the few incomplete
//! nodes on the right edge are computed.

use super::{Hash, empty_root, node_hash};
use crate::error::{Invalid, Rule};

/// Reads complete nodes of a stored tree.
pub trait Nodes {
    /// Why a node could not be read.
    type Error;

    /// The hash of a complete node; level 0 are the leaf hashes. It is asked
    /// only for nodes that are complete at the size in question.
    ///
    /// # Errors
    /// When the node cannot be read.
    fn node(&self, level: u8, index: u64) -> Result<Hash, Self::Error>;
}

impl<N: Nodes + ?Sized> Nodes for &N {
    type Error = N::Error;

    fn node(&self, level: u8, index: u64) -> Result<Hash, Self::Error> {
        (**self).node(level, index)
    }
}

/// Where a complete node is kept: the leaf whose row it is in, and its place in
/// that row. `None` for a node that no tree of at most `u64::MAX` leaves holds.
#[must_use]
pub fn node_place(level: u8, index: u64) -> Option<(u64, usize)> {
    let span = 1u64.checked_shl(u32::from(level))?;
    let last_leaf = index.checked_add(1)?.checked_mul(span)?.checked_sub(1)?;
    Some((last_leaf, usize::from(level)))
}

/// Why a proof was not made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unproved<E> {
    /// No tree has such a proof: the caller asked for an index or a size beyond.
    #[error(transparent)]
    Range(Invalid),
    /// A node could not be read.
    #[error("{0}")]
    Nodes(E),
}

impl<E> Unproved<E> {
    pub(super) fn range(what: String) -> Self {
        Self::Range(Invalid::new(Rule::Range, what))
    }
}

/// The root of the first `size` leaves, from complete nodes: at most 64 reads.
///
/// # Errors
/// When a node cannot be read.
pub fn root<N: Nodes>(nodes: &N, size: u64) -> Result<Hash, N::Error> {
    let mut peaks = Vec::new();
    for (level, index) in peaks_of(0, size) {
        peaks.push(nodes.node(level, index)?);
    }
    Ok(fold(&peaks))
}

/// The root of the leaves from `begin` to `end` - 1, where `begin` is a place
/// at which RFC 9162 section 2.1.1 splits, hence a multiple of every power of
/// two up to the width.
pub(super) fn range_root<N: Nodes>(
    nodes: &N,
    begin: u64,
    end: u64,
) -> Result<Hash, Unproved<N::Error>> {
    let mut peaks = Vec::new();
    for (level, index) in peaks_of(begin, end) {
        peaks.push(nodes.node(level, index).map_err(Unproved::Nodes)?);
    }
    Ok(fold(&peaks))
}

/// The complete nodes that tile `begin..end`, widest first.
fn peaks_of(mut begin: u64, end: u64) -> impl Iterator<Item = (u8, u64)> {
    std::iter::from_fn(move || {
        let level = end.checked_sub(begin)?.checked_ilog2()?;
        let index = begin >> level;
        begin += 1 << level; // at most `end`, by the choice of level
        Some((u8::try_from(level).ok()?, index))
    })
}

/// The root over adjacent complete nodes, widest first: the last two are joined
/// first, since RFC 9162 splits off the widest complete part on the left.
fn fold(peaks: &[Hash]) -> Hash {
    let Some((last, rest)) = peaks.split_last() else {
        return empty_root();
    };
    rest.iter()
        .rev()
        .fold(*last, |right, left| node_hash(left, &right))
}

/// Where RFC 9162 section 2.1.1 splits `width` leaves: the largest power of two
/// below it. `None` when there is nothing to split.
pub(super) fn split(width: u64) -> Option<u64> {
    width
        .checked_sub(1)?
        .checked_ilog2()
        .map(|level| 1 << level)
}

/// The right edge of a growing tree: the roots of its widest complete parts,
/// one for each bit set in the size, hence at most 64 hashes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    /// Widest first.
    peaks: Vec<Hash>,
}

impl Frontier {
    /// The edge of a stored tree of `size` leaves.
    ///
    /// # Errors
    /// When a node cannot be read.
    pub fn from_nodes<N: Nodes>(nodes: &N, size: u64) -> Result<Self, N::Error> {
        let mut peaks = Vec::new();
        for (level, index) in peaks_of(0, size) {
            peaks.push(nodes.node(level, index)?);
        }
        Ok(Self { size, peaks })
    }

    /// How many leaves there are.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The root over all leaves.
    #[must_use]
    pub fn root(&self) -> Hash {
        fold(&self.peaks)
    }

    /// Appends a leaf and returns its row: its own hash, then that of each node
    /// it completes, level by level; as many as the old size has trailing ones,
    /// and one more.
    ///
    /// # Errors
    /// `Rule::Range` when the tree has `u64::MAX` leaves; it is left as it was.
    pub fn push(&mut self, leaf_hash: Hash) -> Result<Vec<Hash>, Invalid> {
        let Some(size) = self.size.checked_add(1) else {
            return Err(Invalid::new(
                Rule::Range,
                format!("a leaf after {} of them, the most there can be", self.size),
            ));
        };
        let mut node = leaf_hash;
        let mut row = vec![node];
        for _ in 0..self.size.trailing_ones() {
            let Some(left) = self.peaks.pop() else { break };
            node = node_hash(&left, &node);
            row.push(node);
        }
        self.peaks.push(node);
        self.size = size;
        Ok(row)
    }
}
