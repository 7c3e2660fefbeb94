//! 暂停流通: nothing of a unit moves, nor of what was made from it, until a record
//! releases it.

use crate::ident::TraceCode;
use crate::record::claim::Claim;
use crate::record::marks::mark_kind;
use crate::record::wire::TokenId;
use postcard_schema::Schema;
use serde::{Deserialize, Serialize};

/// The body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Schema)]
#[serde(deny_unknown_fields)]
pub struct Held {
    /// Which unit.
    pub unit: TraceCode,
    /// Why, 1 to 100 characters, public.
    pub reason: String,
    /// The token that acted, for a hosted key.
    pub acted_by: Option<TokenId>,
}

mark_kind!(Held, |body| Claim::Holds { unit: body.unit });
