//! What the sequencer is asked and what it answers.

use super::Failed;
use super::folded::ChainState;
use crate::error::{Invalid, Store};
use crate::ident::EntityId;
use crate::record::section::Openings;
use crate::record::{Body, Hash, Verified};

/// Most records of one group: a transaction of at most 16 MiB, and a wait that
/// stays in the tens of milliseconds.
pub const GROUP_RECORDS_MAX: usize = 1024;

/// One thing to admit.
#[derive(Debug, Clone)]
pub enum Item {
    /// A record that its signer signed.
    Signed {
        /// The record.
        record: Box<Verified>,
        /// What opens its sections.
        openings: Openings,
    },
    /// A statement to be signed with a hosted key, in the sequencer's order.
    Hosted {
        /// In whose name; its newest hosted key that is in force signs.
        entity: EntityId,
        /// What to state.
        body: Box<Body>,
        /// What opens its sections.
        openings: Openings,
    },
}

/// A request: items that are admitted one by one, or whole or not at all.
#[derive(Debug, Clone)]
pub struct Job {
    /// What to admit, in order; at most [`GROUP_RECORDS_MAX`].
    pub items: Vec<Item>,
    /// Whether one refusal refuses all.
    pub atomic: bool,
    /// The request's own name, for hosted keys; it is then atomic.
    pub request: Option<JobRequest>,
}

/// Names a hosted request, so that a retry issues nothing twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobRequest {
    /// The entity in whose name it is made.
    pub entity: EntityId,
    /// The `Idempotency-Key`.
    pub key: String,
    /// Hash of what is asked.
    pub request_hash: Hash,
}

/// What became of an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It stands in the log, durably, under a signed checkpoint.
    Admitted(Admitted),
    /// A rule refused it; the ledger is as it was.
    Refused(Box<Refusal>),
    /// The writer does not write now, and why.
    Unavailable(String),
}

/// Where an admitted record stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Admitted {
    /// Its index, for ever.
    pub index: u64,
    /// Its hash.
    pub hash: Hash,
    /// Whether it stood there before this submission.
    pub is_duplicate: bool,
}

/// Why an item was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The rule, the record and the numbers.
    pub invalid: Invalid,
    /// Where the signer's chain stands, when that was the reason.
    pub expected: Option<ChainState>,
}

/// Why an item is not admitted: a rule, or the machine.
pub(crate) enum Refused {
    Rule(Box<Refusal>),
    Store(Store),
}

pub(crate) fn refuse(invalid: Invalid) -> Refused {
    Refused::Rule(Box::new(Refusal {
        invalid,
        expected: None,
    }))
}

impl From<Store> for Refused {
    fn from(error: Store) -> Self {
        Self::Store(error)
    }
}

impl From<Invalid> for Refused {
    fn from(invalid: Invalid) -> Self {
        refuse(invalid)
    }
}

impl From<Failed> for Refused {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::Invalid(invalid) => refuse(invalid),
            Failed::Store(store) => Self::Store(store),
        }
    }
}
