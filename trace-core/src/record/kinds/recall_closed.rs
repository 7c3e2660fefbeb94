//! 召回结束: it was carried out, or there was no ground for it.

use crate::ident::TraceCode;
use crate::record::claim::Claim;
use crate::record::hash::Hash;
use crate::record::marks::mark_kind;
use crate::record::movement::RecallOutcome;
use crate::record::wire::TokenId;
use postcard_schema::Schema;
use serde::{Deserialize, Serialize};

/// The body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Schema)]
#[serde(deny_unknown_fields)]
pub struct RecallClosed {
    /// Hash of the record that recalls.
    pub target: Hash,
    /// The unit that it names.
    pub unit: TraceCode,
    /// How it ends.
    pub outcome: RecallOutcome,
    /// Why, 1 to 100 characters, public.
    pub reason: String,
    /// The token that acted, for a hosted key.
    pub acted_by: Option<TokenId>,
}

mark_kind!(RecallClosed, |body| Claim::ClosesRecall { unit: body.unit, target: body.target, outcome: body.outcome });
