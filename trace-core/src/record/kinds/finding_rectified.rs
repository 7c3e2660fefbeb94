//! 问题销号: a finding was put right, and somebody with the right to inspect saw
//! it.

use crate::error::Invalid;
use crate::ident::EntityId;
use crate::record::claim::Claim;
use crate::record::document::DocumentClaim;
use crate::record::evidence::Evidence;
use crate::record::hash::Hash;
use crate::record::kinds::Kind;
use crate::record::subject::SubjectId;
use crate::record::text;
use crate::record::wire::{AreaCode, Day, TokenId};
use postcard_schema::Schema;
use serde::{Deserialize, Serialize};

/// The body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Schema)]
#[serde(deny_unknown_fields)]
pub struct FindingRectified {
    /// Hash of the inspection's record.
    pub inspection: Hash,
    /// Who was inspected.
    pub entity: EntityId,
    /// Where.
    pub area: AreaCode,
    /// Which of the findings, from 0.
    pub position: u16,
    /// 销号日期.
    pub rectified_on: Day,
    /// 整改情况, 1 to 100 characters.
    pub how: String,
    /// SHA-256 of a photo or paper that shows it.
    pub document: Option<Hash>,
    /// The token that acted, for a hosted key.
    pub acted_by: Option<TokenId>,
}

impl Kind for FindingRectified {
    type Trade = ();

    fn check(&self) -> Result<(), Invalid> {
        self.area.area()?;
        self.rectified_on.date()?;
        text::check("how", &self.how, 1, 100)
    }

    fn subjects(&self) -> Vec<SubjectId> {
        vec![SubjectId::conduct(self.entity)]
    }

    fn claims(&self, _trade: Option<&()>) -> Result<Vec<Claim>, Invalid> {
        let rectifies = Claim::Evidence(Evidence::Rectifies {
            inspection: self.inspection,
            entity: self.entity,
            area: self.area.area()?,
            position: self.position,
            on: self.rectified_on.date()?,
        });
        let named = self.document.map(|document| Claim::Document(DocumentClaim::Names { document }));
        Ok([rectifies].into_iter().chain(named).collect())
    }

    fn acted_by(&self) -> Option<TokenId> {
        self.acted_by
    }
}
