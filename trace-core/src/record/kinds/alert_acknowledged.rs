//! 报警确认: the owner of a probe has seen an alert about it. The alert goes on as
//! long as its cause does, and stays acknowledged until that ends.
//!
//! Who is the key that signed and the token that acted; no text, which could name
//! a person.

use crate::error::Invalid;
use crate::ident::EquipmentId;
use crate::record::alert::AlertSort;
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
pub struct AlertAcknowledged {
    /// About which probe.
    pub equipment: EquipmentId,
    /// Which alert about it.
    pub sort: AlertSort,
    /// When: an alert that began later is another.
    pub happened: Moment,
    /// The token that acted, for a hosted key.
    pub acted_by: Option<TokenId>,
}

impl Kind for AlertAcknowledged {
    type Trade = ();

    fn check(&self) -> Result<(), Invalid> {
        self.happened.check()
    }

    fn subjects(&self) -> Vec<SubjectId> {
        vec![SubjectId::equipment(self.equipment)]
    }

    fn claims(&self, _trade: Option<&()>) -> Result<Vec<Claim>, Invalid> {
        Ok(vec![Claim::Cold(ColdClaim::Acknowledges {
            equipment: self.equipment,
            sort: self.sort,
            at_ms: self.happened.at_ms,
        })])
    }

    fn acted_by(&self) -> Option<TokenId> {
        self.acted_by
    }
}
