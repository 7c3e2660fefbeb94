//! 个人信息已删除: a person's key and values are destroyed. The fact is on the
//! ledger, the data are nowhere; every proof still holds.

use crate::error::Invalid;
use crate::record::claim::Claim;
use crate::record::kinds::Kind;
use crate::record::subject::SubjectId;
use crate::record::wire::{PersonId, TokenId};
use postcard_schema::Schema;
use serde::{Deserialize, Serialize};

/// The body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Schema)]
#[serde(deny_unknown_fields)]
pub struct PersonalDataErased {
    /// Whose, by the random id that records use.
    pub person: PersonId,
    /// The token that acted, for a hosted key.
    pub acted_by: Option<TokenId>,
}

impl Kind for PersonalDataErased {
    type Trade = ();

    fn check(&self) -> Result<(), Invalid> {
        Ok(())
    }

    fn subjects(&self) -> Vec<SubjectId> {
        Vec::new()
    }

    fn claims(&self, _trade: Option<&()>) -> Result<Vec<Claim>, Invalid> {
        Ok(vec![Claim::ErasesPerson { person: self.person }])
    }

    fn acted_by(&self) -> Option<TokenId> {
        self.acted_by
    }
}
