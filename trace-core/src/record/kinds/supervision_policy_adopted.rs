//! 集中监管仓规则: what supervision warehouses of an area demand, from the next
//! record on. Adopting none leaves the ledger's default.

use crate::error::{Invalid, Rule};
use crate::record::claim::Claim;
use crate::record::kinds::Kind;
use crate::record::subject::SubjectId;
use crate::record::supervision::{Supervision, SupervisionPolicy};
use crate::record::wire::{AreaCode, Countersignature, TokenId};
use postcard_schema::Schema;
use serde::{Deserialize, Serialize};

/// Longest lead: four weeks.
const LEAD_HOURS_MAX: u16 = 28 * 24;

/// The body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Schema)]
#[serde(deny_unknown_fields)]
pub struct SupervisionPolicyAdopted {
    /// Where: this area, and those below that have no policy of their own.
    pub area: AreaCode,
    /// What is demanded.
    pub policy: SupervisionPolicy,
    /// The token that acted, for a hosted key.
    pub acted_by: Option<TokenId>,
    /// Other keys' agreement.
    pub countersignatures: Vec<Countersignature>,
}

impl Kind for SupervisionPolicyAdopted {
    type Trade = ();

    fn check(&self) -> Result<(), Invalid> {
        self.area.area()?;
        let lead = self.policy.booking_lead_hours;
        if lead > LEAD_HOURS_MAX {
            return Err(Invalid::new(Rule::Policy, format!("booking {lead} hours ahead, at most {LEAD_HOURS_MAX}")));
        }
        match self.policy.demanded.is_sorted_by(|a, b| a < b) {
            true => Ok(()),
            false => Err(Invalid::new(Rule::Policy, "the papers demanded must be sorted and distinct")),
        }
    }

    fn subjects(&self) -> Vec<SubjectId> {
        Vec::new()
    }

    fn claims(&self, _trade: Option<&()>) -> Result<Vec<Claim>, Invalid> {
        Ok(vec![Claim::Supervision(Supervision::Adopts { area: self.area.area()?, policy: self.policy.clone() })])
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
