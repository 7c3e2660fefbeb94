//! 温度段封存: a run of readings of one of the signer's probes, bound for ever.
//!
//! The readings lie beside the log, sorted by time, then temperature, each once;
//! the root is RFC 6962's over their bytes
//! ([`Reading::to_bytes`](crate::record::temperature::Reading::to_bytes)). What
//! arrives late goes into a later segment, whose time may overlap.

use crate::error::Invalid;
use crate::ident::EquipmentId;
use crate::record::claim::Claim;
use crate::record::cold_chain::{ColdClaim, Segment};
use crate::record::hash::Hash;
use crate::record::kinds::Kind;
use crate::record::subject::SubjectId;
use crate::record::wire::TokenId;
use postcard_schema::Schema;
use serde::{Deserialize, Serialize};

/// The body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Schema)]
#[serde(deny_unknown_fields)]
pub struct SegmentSealed {
    /// Whose readings.
    pub probe: EquipmentId,
    /// The probe's segments are numbered from 0, without gaps.
    pub number: u64,
    /// How many distinct readings, 1 to 65,536.
    pub count: u32,
    /// The time of the first.
    pub first_ms: u64,
    /// The time of the last.
    pub last_ms: u64,
    /// The coldest.
    pub lowest_milli_c: i32,
    /// The warmest.
    pub highest_milli_c: i32,
    /// The Merkle root over the readings.
    pub root: Hash,
    /// The token that acted, for a hosted key.
    pub acted_by: Option<TokenId>,
}

impl SegmentSealed {
    /// The statement of a segment.
    #[must_use]
    pub fn of(segment: Segment, acted_by: Option<TokenId>) -> Self {
        Self {
            probe: segment.probe,
            number: segment.number,
            count: segment.count,
            first_ms: segment.first_ms,
            last_ms: segment.last_ms,
            lowest_milli_c: segment.lowest_milli_c,
            highest_milli_c: segment.highest_milli_c,
            root: segment.root,
            acted_by,
        }
    }

    /// What is sealed.
    #[must_use]
    pub fn segment(&self) -> Segment {
        Segment {
            probe: self.probe,
            number: self.number,
            count: self.count,
            first_ms: self.first_ms,
            last_ms: self.last_ms,
            lowest_milli_c: self.lowest_milli_c,
            highest_milli_c: self.highest_milli_c,
            root: self.root,
        }
    }
}

impl Kind for SegmentSealed {
    type Trade = ();

    fn check(&self) -> Result<(), Invalid> {
        self.segment().check()
    }

    fn subjects(&self) -> Vec<SubjectId> {
        vec![SubjectId::equipment(self.probe)]
    }

    fn claims(&self, _trade: Option<&()>) -> Result<Vec<Claim>, Invalid> {
        Ok(vec![Claim::Cold(ColdClaim::Seals(self.segment()))])
    }

    fn acted_by(&self) -> Option<TokenId> {
        self.acted_by
    }
}
