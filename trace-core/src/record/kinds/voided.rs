//! 作废: a certificate, or a whole unit, no longer stands. It stays findable
//! and says so; nothing that was spent comes back.

use crate::error::Invalid;
use crate::ident::TraceCode;
use crate::record::claim::Claim;
use crate::record::hash::Hash;
use crate::record::kinds::Kind;
use crate::record::subject::SubjectId;
use crate::record::text;
use crate::record::wire::{self, TokenId};
use postcard_schema::Schema;
use serde::{Deserialize, Serialize};

/// The body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Schema)]
#[serde(deny_unknown_fields)]
pub struct Voided {
    /// Hash of the record that is voided.
    pub target: Hash,
    /// The unit it is about.
    pub unit: TraceCode,
    /// The certificate's number; none voids the unit itself.
    pub number: Option<String>,
    /// Why, 1 to 100 characters, public.
    pub reason: String,
    /// The token that acted, for a hosted key.
    pub acted_by: Option<TokenId>,
}

impl Kind for Voided {
    type Trade = ();

    fn check(&self) -> Result<(), Invalid> {
        self.number.as_deref().map_or(Ok(()), wire::check_number)?;
        text::check("reason", &self.reason, 1, 100)
    }

    fn subjects(&self) -> Vec<SubjectId> {
        let certificate = self.number.as_deref().map(SubjectId::certificate);
        certificate.into_iter().chain([SubjectId::unit(self.unit)]).collect()
    }

    fn claims(&self, _trade: Option<&()>) -> Result<Vec<Claim>, Invalid> {
        Ok(vec![Claim::Voids { target: self.target, unit: self.unit, number: self.number.clone() }])
    }

    fn acted_by(&self) -> Option<TokenId> {
        self.acted_by
    }
}
