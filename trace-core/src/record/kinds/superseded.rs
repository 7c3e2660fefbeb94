//! 更正: a certificate is replaced by another, which its issuer then issues
//! under the number reserved here. The old code leads to the new certificate.

use crate::error::{Invalid, Rule};
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
pub struct Superseded {
    /// Hash of the certificate's record.
    pub target: Hash,
    /// The unit it is about.
    pub unit: TraceCode,
    /// The certificate's number.
    pub number: String,
    /// The unit of the replacing certificate: the same, or a new one where the
    /// unit itself was described wrongly.
    pub replacement_unit: TraceCode,
    /// The number of the replacing certificate, reserved by this record.
    pub replacement_number: String,
    /// What was wrong, 1 to 100 characters, public.
    pub reason: String,
    /// The token that acted, for a hosted key.
    pub acted_by: Option<TokenId>,
}

impl Kind for Superseded {
    type Trade = ();

    fn check(&self) -> Result<(), Invalid> {
        wire::check_number(&self.number)?;
        wire::check_number(&self.replacement_number)?;
        if self.number == self.replacement_number {
            return Err(Invalid::new(Rule::Number, format!("{} cannot replace itself", self.number)));
        }
        text::check("reason", &self.reason, 1, 100)
    }

    fn subjects(&self) -> Vec<SubjectId> {
        vec![
            SubjectId::unit(self.unit),
            SubjectId::certificate(&self.number),
            SubjectId::unit(self.replacement_unit),
            SubjectId::certificate(&self.replacement_number),
        ]
    }

    fn claims(&self, _trade: Option<&()>) -> Result<Vec<Claim>, Invalid> {
        Ok(vec![Claim::Supersedes {
            target: self.target,
            unit: self.unit,
            number: self.number.clone(),
            replacement_unit: self.replacement_unit,
            replacement_number: self.replacement_number.clone(),
        }])
    }

    fn acted_by(&self) -> Option<TokenId> {
        self.acted_by
    }
}
