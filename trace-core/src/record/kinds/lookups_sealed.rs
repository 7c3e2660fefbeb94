//! 查询日志封存: the length and head of the log of look-ups, so that the
//! operator cannot later shorten or rewrite who looked at what.

use crate::error::Invalid;
use crate::record::claim::Claim;
use crate::record::hash::Hash;
use crate::record::kinds::Kind;
use crate::record::subject::SubjectId;
use postcard_schema::Schema;
use serde::{Deserialize, Serialize};

/// The body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Schema)]
#[serde(deny_unknown_fields)]
pub struct LookupsSealed {
    /// How many look-ups the log holds.
    pub count: u64,
    /// The hash of its last line.
    pub head: Hash,
}

impl Kind for LookupsSealed {
    type Trade = ();

    fn check(&self) -> Result<(), Invalid> {
        Ok(())
    }

    fn subjects(&self) -> Vec<SubjectId> {
        Vec::new()
    }

    fn claims(&self, _trade: Option<&()>) -> Result<Vec<Claim>, Invalid> {
        Ok(vec![Claim::SealsLookups { count: self.count, head: self.head }])
    }
}
