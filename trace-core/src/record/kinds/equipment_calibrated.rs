//! 设备校准: a probe was compared with a standard again.

use crate::error::Invalid;
use crate::ident::EquipmentId;
use crate::record::claim::Claim;
use crate::record::cold_chain::{Calibration, ColdClaim};
use crate::record::document::DocumentClaim;
use crate::record::hash::Hash;
use crate::record::kinds::Kind;
use crate::record::subject::SubjectId;
use crate::record::wire::TokenId;
use postcard_schema::Schema;
use serde::{Deserialize, Serialize};

/// The body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Schema)]
#[serde(deny_unknown_fields)]
pub struct EquipmentCalibrated {
    /// Which probe.
    pub equipment: EquipmentId,
    /// When, and until when that holds.
    pub calibration: Calibration,
    /// SHA-256 of the calibration's certificate as a document.
    pub document: Option<Hash>,
    /// The token that acted, for a hosted key.
    pub acted_by: Option<TokenId>,
}

impl Kind for EquipmentCalibrated {
    type Trade = ();

    fn check(&self) -> Result<(), Invalid> {
        self.calibration.check()
    }

    fn subjects(&self) -> Vec<SubjectId> {
        vec![SubjectId::equipment(self.equipment)]
    }

    fn claims(&self, _trade: Option<&()>) -> Result<Vec<Claim>, Invalid> {
        let calibrates = Claim::Cold(ColdClaim::Calibrates {
            equipment: self.equipment,
            calibration: self.calibration,
        });
        let named = self.document.map(|document| Claim::Document(DocumentClaim::Names { document }));
        Ok([calibrates].into_iter().chain(named).collect())
    }

    fn acted_by(&self) -> Option<TokenId> {
        self.acted_by
    }
}
