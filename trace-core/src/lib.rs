//! A ledger of food records that nobody has to take on trust.
//!
//! Every record is signed by whoever says it, linked to that signer's previous
//! record, and sequenced into one Merkle log. Imports run one way:
//! `ledger -> store, rules, proof -> record -> ident -> error`.
//! `proof` and `record` never touch a disk, so a verifier can be built from
//! them alone. Nothing here reads a clock or a random source by itself, speaks
//! HTTP, is asynchronous, or prints.

pub mod error;
pub mod ident;
pub mod ledger;
pub mod proof;
pub mod record;
pub mod rules;
pub mod store;
