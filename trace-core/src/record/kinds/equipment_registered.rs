//! 设备登记: a cold store, zone, vehicle, container or probe of the signer's.

use crate::error::{Invalid, Rule};
use crate::ident::EquipmentId;
use crate::record::claim::Claim;
use crate::record::cold_chain::{Calibration, ColdClaim, EquipmentKind};
use crate::record::kinds::Kind;
use crate::record::subject::SubjectId;
use crate::record::text;
use crate::record::wire::{AreaCode, TokenId};
use postcard_schema::Schema;
use serde::{Deserialize, Serialize};

/// The body. A vehicle's plate is no name for it: plates are trade.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Schema)]
#[serde(deny_unknown_fields)]
pub struct EquipmentRegistered {
    /// Its id, 80 random bits.
    pub equipment: EquipmentId,
    /// What it is.
    pub kind: EquipmentKind,
    /// What it is part of: a probe of a zone, a zone of a store. A probe is part
    /// of something.
    pub part_of: Option<EquipmentId>,
    /// What people call it, 1 to 40 characters.
    pub name: String,
    /// Where it is, or where it is kept.
    pub area: AreaCode,
    /// The maker's serial number, up to 40 characters.
    pub serial: Option<String>,
    /// A probe's calibration.
    pub calibration: Option<Calibration>,
    /// The token that acted, for a hosted key.
    pub acted_by: Option<TokenId>,
}

impl Kind for EquipmentRegistered {
    type Trade = ();

    fn check(&self) -> Result<(), Invalid> {
        text::check("name", &self.name, 1, 40)?;
        text::check_option("serial", self.serial.as_deref(), 40)?;
        self.area.area()?;
        let wrong = |what: &str| Err(Invalid::new(Rule::EquipmentUnfit, what));
        match (self.kind, self.part_of, &self.calibration) {
            (EquipmentKind::Probe | EquipmentKind::Zone, None, _) => {
                wrong("a zone or a probe is part of something; part_of is none")
            }
            (EquipmentKind::ColdStore | EquipmentKind::Vehicle | EquipmentKind::Container, Some(_), _) => {
                wrong("a store, a vehicle or a container is part of nothing")
            }
            (EquipmentKind::Probe, _, Some(calibration)) => calibration.check(),
            (_, _, Some(_)) => wrong("only a probe is calibrated"),
            (_, _, None) => Ok(()),
        }
    }

    fn subjects(&self) -> Vec<SubjectId> {
        vec![SubjectId::equipment(self.equipment)]
    }

    fn claims(&self, _trade: Option<&()>) -> Result<Vec<Claim>, Invalid> {
        Ok(vec![Claim::Cold(ColdClaim::Registers {
            equipment: self.equipment,
            kind: self.kind,
            part_of: self.part_of,
            area: self.area.area()?,
            calibration: self.calibration,
        })])
    }

    fn acted_by(&self) -> Option<TokenId> {
        self.acted_by
    }
}
