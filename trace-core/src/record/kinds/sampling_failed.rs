//! 监督抽检不合格: an official sample of a unit failed, and by rule the unit and
//! everything made from it are on hold, where the area's policy says so. The
//! fields are those of `sampling_result`.

use crate::error::{Invalid, Rule};
use crate::ident::TraceCode;
use crate::record::claim::Claim;
use crate::record::kinds::Kind;
use crate::record::kinds::sampling_result::SamplingResult;
use crate::record::subject::SubjectId;
use crate::record::wire::TokenId;
use postcard_schema::Schema;
use serde::{Deserialize, Serialize};

/// The body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Schema)]
pub struct SamplingFailed(pub SamplingResult);

impl SamplingFailed {
    fn unit(&self) -> Result<TraceCode, Invalid> {
        let missing = || Invalid::new(Rule::Evidence, "a sample of no unit puts nothing on hold");
        self.0.unit.ok_or_else(missing)
    }
}

impl Kind for SamplingFailed {
    type Trade = ();

    fn check(&self) -> Result<(), Invalid> {
        self.0.check()?;
        self.unit()?;
        match self.0.passed {
            true => Err(Invalid::new(Rule::Evidence, "the sample passed: it puts nothing on hold")),
            false => Ok(()),
        }
    }

    fn subjects(&self) -> Vec<SubjectId> {
        let marks = self.0.unit.map(SubjectId::marks);
        self.0.subjects().into_iter().chain(marks).collect()
    }

    fn claims(&self, trade: Option<&()>) -> Result<Vec<Claim>, Invalid> {
        let holds = Claim::HoldsFailed { unit: self.unit()? };
        Ok(self.0.claims(trade)?.into_iter().chain([holds]).collect())
    }

    fn acted_by(&self) -> Option<TokenId> {
        self.0.acted_by
    }
}
