//! 设备停用: a piece of equipment is used no more. What was recorded stays.

use crate::error::Invalid;
use crate::ident::EquipmentId;
use crate::record::claim::Claim;
use crate::record::cold_chain::ColdClaim;
use crate::record::kinds::Kind;
use crate::record::movement::Moment;
use crate::record::subject::SubjectId;
use crate::record::wire::TokenId;
use postcard_schema::Schema;
use serde::{Deserialize, Serialize};

/// The body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Schema)]
#[serde(deny_unknown_fields)]
pub struct EquipmentRetired {
    /// Which.
    pub equipment: EquipmentId,
    /// From when on.
    pub happened: Moment,
    /// The token that acted, for a hosted key.
    pub acted_by: Option<TokenId>,
}

impl Kind for EquipmentRetired {
    type Trade = ();

    fn check(&self) -> Result<(), Invalid> {
        self.happened.check()
    }

    fn subjects(&self) -> Vec<SubjectId> {
        vec![SubjectId::equipment(self.equipment)]
    }

    fn claims(&self, _trade: Option<&()>) -> Result<Vec<Claim>, Invalid> {
        Ok(vec![Claim::Cold(ColdClaim::Retires { equipment: self.equipment, at_ms: self.happened.at_ms })])
    }

    fn acted_by(&self) -> Option<TokenId> {
        self.acted_by
    }
}
