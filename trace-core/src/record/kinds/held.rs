//! 暂停流通: nothing of a unit moves, nor of what was made from it, until a record
//! releases it.

use crate::error::Invalid;
use crate::ident::TraceCode;
use crate::record::claim::Claim;
use crate::record::kinds::Kind;
use crate::record::subject::SubjectId;
use crate::record::text;
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

impl Kind for Held {
    type Trade = ();

    fn check(&self) -> Result<(), Invalid> {
        text::check("reason", &self.reason, 1, 100)
    }

    fn subjects(&self) -> Vec<SubjectId> {
        vec![SubjectId::unit(self.unit), SubjectId::marks(self.unit)]
    }

    fn claims(&self, _trade: Option<&()>) -> Result<Vec<Claim>, Invalid> {
        Ok(vec![Claim::Holds { unit: self.unit }])
    }

    fn acted_by(&self) -> Option<TokenId> {
        self.acted_by
    }
}
