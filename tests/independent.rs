//! The tree, its proofs, notes and checkpoints against four implementations by
//! other people: what is made here verifies there, what is made there verifies
//! here, and what either refuses the other does not believe.
//!
//! | crate | what is compared |
//! |---|---|
//! | `ct-merkle` | roots, inclusion and consistency proofs (RFC 6962) |
//! | `tlog_tiles` | the same by C2SP's tlog, and checkpoints (`tlog-checkpoint`) |
//! | `sigsum` | inclusion proofs and Ed25519, through whole Sigsum signatures |
//! | `signed_note` | signed notes and verifier keys (C2SP `signed-note`) |
//!
//! Known and wanted differences: those crates verify Ed25519 without the strict
//! checks, take checkpoints with extension lines, and up to a hundred
//! signatures; here fewer are taken, never more.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "a test fails by panicking, and its numbers are small"
)]

mod independent {
    mod note;
    mod sigsum_signature;
    mod tree;
}
