//! 同意更正: whoever received goods under a certificate, or an inspector, agrees
//! to one coming correction of it: which certificate, by which number of which
//! unit it is replaced, how much that covers, and by `terms` every other public
//! field of it. Goods being out, the issuer corrects no longer alone.
//!
//! An agreement is to one record, which is replaced once: so it is spent once.

use crate::error::{Invalid, Rule};
use crate::ident::TraceCode;
use crate::record::claim::Claim;
use crate::record::hash::Hash;
use crate::record::kinds::Kind;
use crate::record::quantity::Quantity;
use crate::record::subject::SubjectId;
use crate::record::text;
use crate::record::wire::{self, TokenId};
use postcard_schema::Schema;
use serde::{Deserialize, Serialize};

/// The body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Schema)]
#[serde(deny_unknown_fields)]
pub struct CorrectionAgreed {
    /// Hash of the certificate's record that is to be replaced.
    pub target: Hash,
    /// The unit it is about.
    pub unit: TraceCode,
    /// Its number.
    pub number: String,
    /// The unit of the replacing certificate.
    pub replacement_unit: TraceCode,
    /// The number of the replacing certificate.
    pub replacement_number: String,
    /// How much the replacing certificate covers.
    pub quantity: Quantity,
    /// What the replacing certificate says: SHA-256(`trace/terms/v1\n` ‖ kind (2,
    /// big-endian) ‖ its public fields as JSON, without spaces, keys in order of
    /// their bytes, and without `acted_by`, `countersignatures`, `persons` and
    /// `trade`).
    pub terms: Hash,
    /// Why it is right, 1 to 100 characters, public.
    pub reason: String,
    /// The token that acted, for a hosted key.
    pub acted_by: Option<TokenId>,
}

impl Kind for CorrectionAgreed {
    type Trade = ();

    fn check(&self) -> Result<(), Invalid> {
        wire::check_number(&self.number)?;
        wire::check_number(&self.replacement_number)?;
        if self.number == self.replacement_number {
            return Err(Invalid::new(Rule::Number, format!("{} cannot replace itself", self.number)));
        }
        self.quantity.check()?;
        text::check("reason", &self.reason, 1, 100)
    }

    fn subjects(&self) -> Vec<SubjectId> {
        vec![SubjectId::unit(self.unit), SubjectId::certificate(&self.number)]
    }

    fn claims(&self, _trade: Option<&()>) -> Result<Vec<Claim>, Invalid> {
        Ok(vec![Claim::AgreesToCorrection {
            target: self.target,
            unit: self.unit,
            number: self.number.clone(),
            replacement_unit: self.replacement_unit,
            replacement_number: self.replacement_number.clone(),
            quantity: self.quantity,
            terms: self.terms,
        }])
    }

    fn acted_by(&self) -> Option<TokenId> {
        self.acted_by
    }
}
