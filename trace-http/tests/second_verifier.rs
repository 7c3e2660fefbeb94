//! The second implementation of the verifier, the one in the reader's browser,
//! against the first: the same bundles, honest, damaged and forged by the
//! ledger's own key, verdict by verdict.
//!
//! The script is run under node (Debian's `nodejs`), once for all cases of a
//! test. What both must say alike: of a refusal its kind, and the record where
//! one is at fault; of a pass the status, every line of the checklist with its
//! record, which records are about the unit, and which are disputed.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod second_verifier {
    pub mod compared;
    mod damaged;
    mod forged;
    pub mod forger;
    mod golden;
}
