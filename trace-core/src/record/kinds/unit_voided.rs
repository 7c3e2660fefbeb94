//! 追溯单元作废: a whole unit no longer stands, and everything that was made from
//! it says so. Nothing that was spent comes back.
//!
//! `voided` says the same of a certificate, and of a unit from which nothing was
//! made; this one is also about the unit's marks, so that bundles of what was
//! made from it state it.

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
pub struct UnitVoided {
    /// Hash of the record that makes the unit.
    pub target: Hash,
    /// The unit.
    pub unit: TraceCode,
    /// Why, 1 to 100 characters, public.
    pub reason: String,
    /// The token that acted, for a hosted key.
    pub acted_by: Option<TokenId>,
}

mark_kind!(
    UnitVoided,
    |body| Claim::Voids { target: body.target, unit: body.unit, number: None },
    Claim::MarksVoided { unit: body.unit }
);
