//! What lets a reader check the ledger without it: the Merkle tree, signed
//! notes and checkpoints.
//!
//! Pure: nothing here touches a disk, a clock or a random source, so that a
//! verifier can be built from this and `record` alone.

pub mod checkpoint;
pub mod merkle;
pub mod note;
