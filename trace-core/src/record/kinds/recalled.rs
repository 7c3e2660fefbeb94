//! 召回: a unit and everything made from it, up to a time, goes back or is
//! destroyed. Every later look-up of any of it says so.

use crate::ident::TraceCode;
use crate::record::claim::Claim;
use crate::record::marks::mark_kind;
use crate::record::wire::TokenId;
use postcard_schema::Schema;
use serde::{Deserialize, Serialize};

/// The body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Schema)]
#[serde(deny_unknown_fields)]
pub struct Recalled {
    /// Which unit.
    pub unit: TraceCode,
    /// It reaches what was made until then, milliseconds since the epoch; none
    /// is without end.
    pub until_ms: Option<u64>,
    /// Why, 1 to 100 characters, public.
    pub reason: String,
    /// The token that acted, for a hosted key.
    pub acted_by: Option<TokenId>,
}

mark_kind!(Recalled, |body| Claim::Recalls { unit: body.unit, until_ms: body.until_ms });
