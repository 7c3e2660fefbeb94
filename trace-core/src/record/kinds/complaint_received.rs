//! 投诉举报登记: the operator has a complaint or report. Of what it says the log
//! holds a commitment alone: whoever made it can show that it came in and when, the
//! operator cannot deny or change it, and it can be erased all the same.
//!
//! It belongs to no unit's story: anybody can complain of anything.

use crate::error::Invalid;
use crate::record::claim::Claim;
use crate::record::hash::Hash;
use crate::record::kinds::Kind;
use crate::record::subject::SubjectId;
use crate::record::wire::AreaCode;
use postcard_schema::Schema;
use serde::{Deserialize, Serialize};

/// The body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Schema)]
#[serde(deny_unknown_fields)]
pub struct ComplaintReceived {
    /// Whose inspectors see it.
    pub area: AreaCode,
    /// Commitment to the complaint, with its salt.
    pub complaint: Hash,
}

impl Kind for ComplaintReceived {
    type Trade = ();

    fn check(&self) -> Result<(), Invalid> {
        self.area.area().map(drop)
    }

    fn subjects(&self) -> Vec<SubjectId> {
        Vec::new()
    }

    fn claims(&self, _trade: Option<&()>) -> Result<Vec<Claim>, Invalid> {
        Ok(Vec::new())
    }
}
