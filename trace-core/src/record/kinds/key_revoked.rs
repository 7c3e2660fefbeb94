//! 密钥吊销: a key signs no more, from the next record on. Revocation never
//! changes the past: what the key signed from `compromised_from_index` on
//! becomes disputed, and stays on the ledger.

use crate::error::Invalid;
use crate::ident::EntityId;
use crate::record::claim::Claim;
use crate::record::kinds::Kind;
use crate::record::sign::KeyId;
use crate::record::subject::SubjectId;
use crate::record::wire::{Countersignature, TokenId};
use postcard_schema::Schema;
use serde::{Deserialize, Serialize};

/// Why a key signs no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Schema)]
#[serde(rename_all = "snake_case")]
pub enum RevocationReason {
    /// Replaced by another key.
    Replaced,
    /// The device is lost.
    Lost,
    /// Somebody else may have signed with it.
    Compromised,
    /// The entity ceased.
    Ceased,
}

/// The body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Schema)]
#[serde(deny_unknown_fields)]
pub struct KeyRevoked {
    /// Whose key it is.
    pub entity: EntityId,
    /// Which key.
    pub key: KeyId,
    /// Why.
    pub reason: RevocationReason,
    /// From which log index on what it signed is disputed; only an authority
    /// that does not hold the key may say.
    pub compromised_from_index: Option<u64>,
    /// The token that acted, for a hosted key.
    pub acted_by: Option<TokenId>,
    /// Other keys' agreement.
    pub countersignatures: Vec<Countersignature>,
}

impl Kind for KeyRevoked {
    type Trade = ();

    fn check(&self) -> Result<(), Invalid> {
        Ok(())
    }

    fn subjects(&self) -> Vec<SubjectId> {
        vec![SubjectId::signer(self.entity), SubjectId::key(self.key)]
    }

    fn claims(&self, _trade: Option<&()>) -> Result<Vec<Claim>, Invalid> {
        Ok(vec![Claim::RevokesKey {
            entity: self.entity,
            key: self.key,
            compromised_from: self.compromised_from_index,
        }])
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
