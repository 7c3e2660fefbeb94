//! Documents that records name by their hash, and which of them are public.
//!
//! Until it is published a document is for inspectors alone. Not here: the
//! documents themselves, which lie beside the log.

use super::hash::Hash;
use crate::ident::{EntityId, TraceCode};
use serde::{Deserialize, Serialize};

/// What a record asks the ledger to hold true of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DocumentClaim {
    /// The record rests on it.
    Names {
        /// SHA-256 of the document.
        document: Hash,
    },
    /// The record shows a paper's photograph: named since rule set 3, and before
    /// that not.
    Photographs {
        /// SHA-256 of the photograph.
        document: Hash,
    },
    /// Anyone may see it.
    Publishes {
        /// SHA-256 of the document.
        document: Hash,
        /// The unit in whose story that belongs.
        unit: Option<TraceCode>,
    },
}

/// What the records say of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DocumentState {
    /// Index of the first record that names it.
    pub named_index: u64,
    /// Who signed that record, and therefore may publish.
    pub named_by: EntityId,
    /// Index of the record that made it public.
    pub published_index: Option<u64>,
}

impl DocumentClaim {
    /// The document's hash.
    #[must_use]
    pub fn document(&self) -> &Hash {
        match self {
            Self::Names { document }
            | Self::Photographs { document }
            | Self::Publishes { document, .. } => document,
        }
    }

    /// The state after this claim.
    #[must_use]
    pub fn apply(
        &self,
        before: Option<DocumentState>,
        index: u64,
        signer: EntityId,
    ) -> Option<DocumentState> {
        match (self, before) {
            (Self::Names { .. } | Self::Photographs { .. }, None) => Some(DocumentState {
                named_index: index,
                named_by: signer,
                published_index: None,
            }),
            (Self::Publishes { .. }, Some(state)) => Some(DocumentState {
                published_index: state.published_index.or(Some(index)),
                ..state
            }),
            (_, before) => before,
        }
    }
}
