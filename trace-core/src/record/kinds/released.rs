//! 解除暂停: a hold ends, for the unit and for all that it reached.

use crate::ident::TraceCode;
use crate::record::claim::Claim;
use crate::record::hash::Hash;
use crate::record::marks::mark_kind;
use crate::record::wire::TokenId;
use postcard_schema::Schema;
use serde::{Deserialize, Serialize};

/// The body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Schema)]
#[serde(deny_unknown_fields)]
pub struct Released {
    /// Hash of the record that holds.
    pub target: Hash,
    /// The unit that it names.
    pub unit: TraceCode,
    /// Why, 1 to 100 characters, public.
    pub reason: String,
    /// The token that acted, for a hosted key.
    pub acted_by: Option<TokenId>,
}

mark_kind!(Released, |body| Claim::Releases { unit: body.unit, target: body.target });
