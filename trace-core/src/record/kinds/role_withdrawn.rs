//! 撤销角色: an entity may no longer sign in a role, from the next record on.
//! What it signed before stands.

use crate::error::Invalid;
use crate::ident::EntityId;
use crate::record::claim::Claim;
use crate::record::kinds::Kind;
use crate::record::role::Role;
use crate::record::subject::SubjectId;
use crate::record::wire::{AreaCode, Countersignature, TokenId};
use postcard_schema::Schema;
use serde::{Deserialize, Serialize};

/// The body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Schema)]
#[serde(deny_unknown_fields)]
pub struct RoleWithdrawn {
    /// Who.
    pub entity: EntityId,
    /// In which role.
    pub role: Role,
    /// Where.
    pub area: AreaCode,
    /// The token that acted, for a hosted key.
    pub acted_by: Option<TokenId>,
    /// Other keys' agreement.
    pub countersignatures: Vec<Countersignature>,
}

impl Kind for RoleWithdrawn {
    type Trade = ();

    fn check(&self) -> Result<(), Invalid> {
        self.area.area().map(|_| ())
    }

    fn subjects(&self) -> Vec<SubjectId> {
        vec![SubjectId::signer(self.entity)]
    }

    fn claims(&self, _trade: Option<&()>) -> Result<Vec<Claim>, Invalid> {
        Ok(vec![Claim::WithdrawsRole { entity: self.entity, role: self.role, area: self.area.area()? }])
    }

    fn acted_by(&self) -> Option<TokenId> {
        self.acted_by
    }

    fn countersignatures(&self) -> &[Countersignature] {
        &self.countersignatures
    }

    fn without_countersignatures(&self) -> Self {
        Self { countersignatures: Vec::new(), ..self.clone() }
    }
}
