//! 文件公开: a document that a record names may be seen by anyone. Until then it
//! is for inspectors alone.

use crate::error::Invalid;
use crate::ident::TraceCode;
use crate::record::claim::Claim;
use crate::record::document::DocumentClaim;
use crate::record::hash::Hash;
use crate::record::kinds::Kind;
use crate::record::subject::SubjectId;
use crate::record::wire::TokenId;
use postcard_schema::Schema;
use serde::{Deserialize, Serialize};

/// The body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Schema)]
#[serde(deny_unknown_fields)]
pub struct DocumentPublished {
    /// SHA-256 of the document.
    pub document: Hash,
    /// The unit in whose story this belongs, where it is about one.
    pub unit: Option<TraceCode>,
    /// The token that acted, for a hosted key.
    pub acted_by: Option<TokenId>,
}

impl Kind for DocumentPublished {
    type Trade = ();

    fn check(&self) -> Result<(), Invalid> {
        Ok(())
    }

    fn subjects(&self) -> Vec<SubjectId> {
        self.unit.map(SubjectId::unit).into_iter().collect()
    }

    fn claims(&self, _trade: Option<&()>) -> Result<Vec<Claim>, Invalid> {
        Ok(vec![Claim::Document(DocumentClaim::Publishes { document: self.document, unit: self.unit })])
    }

    fn acted_by(&self) -> Option<TokenId> {
        self.acted_by
    }
}
