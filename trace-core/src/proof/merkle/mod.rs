//! The Merkle tree of the log: RFC 6962 section 2.1, as restated by RFC 9162
//! section 2.1, over SHA-256.
//!
//! Three parts: what one node is (here), how the tree grows and where its nodes
//! are kept ([`Frontier`], [`Nodes`]), and the two proofs, each prover beside
//! its verifier. Verifiers take any input, of any size up to `u64::MAX`, and
//! refuse it or accept it; they never panic.
//!
//! Not here: what a leaf holds, who signs a root, where nodes are stored. A
//! proof says something about a root only; that the root is the ledger's is
//! said by a checkpoint.

mod consistency;
mod inclusion;
mod tree;

pub use crate::record::Hash;
pub use consistency::{prove_consistency, verify_consistency};
pub use inclusion::{prove_inclusion, verify_inclusion};
pub use tree::{Frontier, Nodes, Unproved, node_place, root};

/// The hash of a leaf: SHA-256(0x00 ‖ entry).
#[must_use]
pub fn leaf_hash(entry: &[u8]) -> Hash {
    Hash::of(&[&[0x00], entry])
}

/// The hash of a node: SHA-256(0x01 ‖ left ‖ right). The first byte keeps a
/// node from ever being read as a leaf.
#[must_use]
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    Hash::of(&[&[0x01], left.as_bytes(), right.as_bytes()])
}

/// The root of the tree without leaves: SHA-256 of nothing.
#[must_use]
pub fn empty_root() -> Hash {
    Hash::of(&[])
}

#[cfg(test)]
mod tests;
