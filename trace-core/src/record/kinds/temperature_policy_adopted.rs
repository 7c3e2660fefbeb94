//! 温度规则采用: how goods of some classes are to be kept cold, from the next
//! record on. A policy keeps its code; each change is its next version.

use crate::error::{Invalid, Rule};
use crate::record::claim::Claim;
use crate::record::cold_chain::{ColdClaim, TemperaturePolicy, check_policy_code};
use crate::record::kinds::Kind;
use crate::record::rights::root_entity;
use crate::record::subject::SubjectId;
use crate::record::text;
use crate::record::wire::Countersignature;
use postcard_schema::Schema;
use serde::{Deserialize, Serialize};

/// The body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Schema)]
#[serde(deny_unknown_fields)]
pub struct TemperaturePolicyAdopted {
    /// The policy's code, 1 to 32 of `a-z 0-9 -`.
    pub policy: String,
    /// 1 for a new policy, else one more than the version in force.
    pub version: u32,
    /// Its name in Chinese, 1 to 40 characters.
    pub name_zh: String,
    /// Its name in English, 1 to 40 characters.
    pub name: String,
    /// What it says.
    pub text: TemperaturePolicy,
    /// The other root keys' agreement.
    pub countersignatures: Vec<Countersignature>,
}

impl Kind for TemperaturePolicyAdopted {
    type Trade = ();

    fn check(&self) -> Result<(), Invalid> {
        check_policy_code(&self.policy)?;
        text::check("name_zh", &self.name_zh, 1, 40)?;
        text::check("name", &self.name, 1, 40)?;
        match self.version {
            0 => Err(Invalid::new(Rule::Policy, "version 0, the first is 1")),
            _ => self.text.check(),
        }
    }

    fn subjects(&self) -> Vec<SubjectId> {
        vec![SubjectId::signer(root_entity())]
    }

    fn claims(&self, _trade: Option<&()>) -> Result<Vec<Claim>, Invalid> {
        Ok(vec![Claim::Cold(ColdClaim::Adopts {
            policy: self.policy.clone(),
            version: self.version,
            text: self.text.clone(),
        })])
    }

    fn countersignatures(&self) -> &[Countersignature] {
        &self.countersignatures
    }

    fn without_countersignatures(&self) -> Self {
        Self { countersignatures: Vec::new(), ..self.clone() }
    }
}
