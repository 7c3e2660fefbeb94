//! 规则集采用: from the next record on, records are judged by a higher numbered
//! set of rules. Never by a lower one, and what stands stays as it was judged.
//!
//! Admissible under every set, since it is the door to the next.

use crate::error::Invalid;
use crate::record::claim::{Claim, check_rule_set};
use crate::record::kinds::Kind;
use crate::record::rights::root_entity;
use crate::record::subject::SubjectId;
use crate::record::wire::Countersignature;
use postcard_schema::Schema;
use serde::{Deserialize, Serialize};

/// The body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Schema)]
#[serde(deny_unknown_fields)]
pub struct RuleSetAdopted {
    /// The set's number.
    pub rule_set: u16,
    /// The other root keys' agreement.
    pub countersignatures: Vec<Countersignature>,
}

impl Kind for RuleSetAdopted {
    type Trade = ();

    fn check(&self) -> Result<(), Invalid> {
        check_rule_set(self.rule_set)
    }

    /// It is about the root authority, of which every bundle states all there
    /// is: so a verifier knows which set judged each record.
    fn subjects(&self) -> Vec<SubjectId> {
        vec![SubjectId::signer(root_entity())]
    }

    fn claims(&self, _trade: Option<&()>) -> Result<Vec<Claim>, Invalid> {
        Ok(vec![Claim::AdoptsRuleSet { rule_set: self.rule_set }])
    }

    fn countersignatures(&self) -> &[Countersignature] {
        &self.countersignatures
    }

    fn without_countersignatures(&self) -> Self {
        Self { countersignatures: Vec::new(), ..self.clone() }
    }
}
