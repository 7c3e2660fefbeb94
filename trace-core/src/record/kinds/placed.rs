//! 存放: a unit is placed in a zone, store, vehicle or container of the
//! signer's, to be kept as a policy says. Its readings decide from now on.

use crate::error::Invalid;
use crate::ident::{EquipmentId, TraceCode};
use crate::record::claim::Claim;
use crate::record::cold_chain::{ColdClaim, check_policy_code};
use crate::record::kinds::Kind;
use crate::record::movement::Moment;
use crate::record::subject::SubjectId;
use crate::record::wire::TokenId;
use postcard_schema::Schema;
use serde::{Deserialize, Serialize};

/// The body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Schema)]
#[serde(deny_unknown_fields)]
pub struct Placed {
    /// Which unit.
    pub unit: TraceCode,
    /// Where.
    pub equipment: EquipmentId,
    /// From when on.
    pub happened: Moment,
    /// The code of the policy; its version is the one in force now.
    pub policy: String,
    /// The token that acted, for a hosted key.
    pub acted_by: Option<TokenId>,
}

impl Kind for Placed {
    type Trade = ();

    fn check(&self) -> Result<(), Invalid> {
        self.happened.check()?;
        check_policy_code(&self.policy)
    }

    fn subjects(&self) -> Vec<SubjectId> {
        vec![SubjectId::unit(self.unit), SubjectId::equipment(self.equipment)]
    }

    fn claims(&self, _trade: Option<&()>) -> Result<Vec<Claim>, Invalid> {
        Ok(vec![Claim::Cold(ColdClaim::Places {
            unit: self.unit,
            equipment: self.equipment,
            at_ms: self.happened.at_ms,
            policy: self.policy.clone(),
        })])
    }

    fn acted_by(&self) -> Option<TokenId> {
        self.acted_by
    }
}
