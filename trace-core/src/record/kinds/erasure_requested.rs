//! 个人信息限制处理: a person asked for erasure while a statute still demands
//! that the data be kept (food safety law art. 50: at least two years, or six
//! months past shelf life). They are locked away at once and destroyed on the
//! computed date.

use crate::error::Invalid;
use crate::record::claim::Claim;
use crate::record::kinds::Kind;
use crate::record::subject::SubjectId;
use crate::record::wire::{Day, PersonId, TokenId};
use postcard_schema::Schema;
use serde::{Deserialize, Serialize};

/// The body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Schema)]
#[serde(deny_unknown_fields)]
pub struct ErasureRequested {
    /// Whose, by the random id that records use.
    pub person: PersonId,
    /// The day on which the last retention period ends.
    pub destroy_on: Day,
    /// The token that acted, for a hosted key.
    pub acted_by: Option<TokenId>,
}

impl Kind for ErasureRequested {
    type Trade = ();

    fn check(&self) -> Result<(), Invalid> {
        self.destroy_on.date().map(|_| ())
    }

    fn subjects(&self) -> Vec<SubjectId> {
        Vec::new()
    }

    fn claims(&self, _trade: Option<&()>) -> Result<Vec<Claim>, Invalid> {
        Ok(vec![Claim::RestrictsPerson { person: self.person, destroy_on: self.destroy_on.date()? }])
    }

    fn acted_by(&self) -> Option<TokenId> {
        self.acted_by
    }
}
