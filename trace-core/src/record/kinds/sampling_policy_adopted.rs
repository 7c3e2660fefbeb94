//! 抽检不合格处置规则: whether a failed official sample puts a unit and everything
//! made from it on hold, in an area, from the next record on. Where none was
//! adopted it does not.

use crate::error::Invalid;
use crate::record::claim::Claim;
use crate::record::kinds::Kind;
use crate::record::subject::SubjectId;
use crate::record::wire::{AreaCode, Countersignature, TokenId};
use postcard_schema::Schema;
use serde::{Deserialize, Serialize};

/// The body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Schema)]
#[serde(deny_unknown_fields)]
pub struct SamplingPolicyAdopted {
    /// Where samples are taken: this area, and those below that have no policy
    /// of their own.
    pub area: AreaCode,
    /// Whether a failed sample holds.
    pub holds: bool,
    /// The token that acted, for a hosted key.
    pub acted_by: Option<TokenId>,
    /// Other keys' agreement.
    pub countersignatures: Vec<Countersignature>,
}

impl Kind for SamplingPolicyAdopted {
    type Trade = ();

    fn check(&self) -> Result<(), Invalid> {
        self.area.area().map(drop)
    }

    fn subjects(&self) -> Vec<SubjectId> {
        Vec::new()
    }

    fn claims(&self, _trade: Option<&()>) -> Result<Vec<Claim>, Invalid> {
        Ok(vec![Claim::AdoptsSamplingPolicy { area: self.area.area()?, holds: self.holds }])
    }

    fn acted_by(&self) -> Option<TokenId> {
        self.acted_by
    }

    fn countersignatures(&self) -> &[Countersignature] {
        &self.countersignatures
    }

    fn without_countersignatures(&self) -> Self {
        Self { countersignatures: Vec::new(), ..self.clone() }
    }
}
