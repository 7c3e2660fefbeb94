//! 证明作废: a certificate no longer stands, and everything that was made from
//! its unit says so. Nothing that was spent comes back.
//!
//! `voided` says the same of a certificate of whose unit nothing was made, and
//! of one that nothing went under while another of its family stands; this one
//! is also about the unit's marks, so that bundles of what was made from it
//! state it.

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
pub struct CertificateVoided {
    /// Hash of the certificate's record.
    pub target: Hash,
    /// The unit it is about.
    pub unit: TraceCode,
    /// Its number.
    pub number: String,
    /// Why, 1 to 100 characters, public.
    pub reason: String,
    /// The token that acted, for a hosted key.
    pub acted_by: Option<TokenId>,
}

impl Kind for CertificateVoided {
    type Trade = ();

    fn check(&self) -> Result<(), Invalid> {
        wire::check_number(&self.number)?;
        text::check("reason", &self.reason, 1, 100)
    }

    fn subjects(&self) -> Vec<SubjectId> {
        vec![
            SubjectId::certificate(&self.number),
            SubjectId::unit(self.unit),
            SubjectId::marks(self.unit),
        ]
    }

    fn claims(&self, _trade: Option<&()>) -> Result<Vec<Claim>, Invalid> {
        let (target, unit, number) = (self.target, self.unit, Some(self.number.clone()));
        Ok(vec![
            Claim::Voids { target, unit, number },
            Claim::MarksCertificateVoided { unit },
        ])
    }

    fn acted_by(&self) -> Option<TokenId> {
        self.acted_by
    }
}
