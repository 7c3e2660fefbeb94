//! What lets a reader check the ledger without it: the Merkle tree, signed
//! notes and checkpoints; receipts for those who write, bundles for those who
//! read, and the anchor from which all of it hangs.
//!
//! Pure: nothing here touches a disk, a clock or a random source, so that a
//! verifier can be built from this and `record` alone.

pub mod anchor;
mod base64_json;
pub mod bundle;
pub mod checkpoint;
pub mod completeness;
pub mod http_signature;
pub mod merkle;
pub mod note;
pub mod readings;
pub mod receipt;
pub mod signed_label;
pub mod temperatures;
