//! 容差采用: how much a class of product may shrink or gain on its way, how long
//! a transfer may stay unreceived, and who besides authorities may hold it.

use crate::error::{Invalid, Rule};
use crate::record::claim::{Claim, Tolerance};
use crate::record::kinds::Kind;
use crate::record::kinds::unit_created::ProductClass;
use crate::record::rights::root_entity;
use crate::record::subject::SubjectId;
use crate::record::wire::Countersignature;
use postcard_schema::Schema;
use serde::{Deserialize, Serialize};

/// The body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Schema)]
#[serde(deny_unknown_fields)]
pub struct ToleranceAdopted {
    /// For which class.
    pub product_class: ProductClass,
    /// What is tolerated from the next record on.
    pub tolerance: Tolerance,
    /// The other root keys' agreement.
    pub countersignatures: Vec<Countersignature>,
}

impl Kind for ToleranceAdopted {
    type Trade = ();

    fn check(&self) -> Result<(), Invalid> {
        let tolerance = &self.tolerance;
        let wrong = |what: String| Err(Invalid::new(Rule::Policy, what));
        for (name, found) in [("shrinkage", tolerance.shrinkage_per_mille), ("gain", tolerance.gain_per_mille)] {
            if found > 1_000 {
                return wrong(format!("{name} {found} per mille, at most 1000"));
            }
        }
        match tolerance.holders.is_sorted_by(|a, b| a < b) {
            true => Ok(()),
            false => wrong("holders: not sorted and distinct".into()),
        }
    }

    fn subjects(&self) -> Vec<SubjectId> {
        vec![SubjectId::signer(root_entity())]
    }

    fn claims(&self, _trade: Option<&()>) -> Result<Vec<Claim>, Invalid> {
        Ok(vec![Claim::AdoptsTolerance { product_class: self.product_class, tolerance: self.tolerance.clone() }])
    }

    fn countersignatures(&self) -> &[Countersignature] {
        &self.countersignatures
    }

    fn without_countersignatures(&self) -> Self {
        Self { countersignatures: Vec::new(), ..self.clone() }
    }
}
