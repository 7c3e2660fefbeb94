//! The ledger: one sequencer, one log, and everything that can be read of it.
//!
//! Order of an append: parse and `verify_strict` (in parallel) → rules → one
//! two-phase transaction with entries and tree → sign the checkpoint → write
//! the last-checkpoint file → answer. Indexes follow behind the log. A store
//! error stops the writer for good; nothing is caught and gone on from.

pub mod alerts;
pub mod audit;
pub mod backup;
pub mod balances;
pub mod bundling;
mod checkpoints;
mod clock;
pub mod cold_chain;
pub mod complaints;
pub mod conduct;
mod corrections;
pub mod documents;
mod evidence;
pub mod flow;
mod fold;
mod fold_flow;
mod fold_movement;
mod folded;
pub mod hosted;
pub mod invitations;
pub mod job;
pub mod lineage;
mod log;
pub mod lookup;
pub mod lookups;
mod nodes;
pub mod opening;
pub mod oversight;
pub mod parties;
pub mod questions;
pub mod readings;
pub mod recall_sheet;
pub mod register;
mod rows;
pub mod scans;
pub mod seal;
pub mod sequencer;
mod stored;
pub mod supply;
mod titled;
pub mod tokens;

pub mod vault;
mod view;
mod working;
#[cfg(test)]
pub(crate) mod world;
pub mod writer;

pub use checkpoints::LAST_CHECKPOINT;
pub use folded::{ChainState, Folded, RequestState};
pub use log::LogView;
pub use opening::{Opened, Settings};
pub use view::View;
pub use writer::Ledger;

use crate::error::{Invalid, Store};

/// Why a question to the ledger got no answer: the caller, or the machine.
#[derive(Debug, thiserror::Error)]
pub enum Failed {
    /// The caller must act.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// The machine failed.
    #[error(transparent)]
    Store(#[from] Store),
}
