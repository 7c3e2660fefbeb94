//! 密钥登记: a key signs in an entity's name from the next record on. Every
//! device has its own key; a key is enrolled once ever.

use crate::error::{Invalid, Rule};
use crate::ident::EntityId;
use crate::record::claim::Claim;
use crate::record::kinds::Kind;
use crate::record::origin::Origin;
use crate::record::sign::{Algorithm, PublicKey};
use crate::record::subject::SubjectId;
use crate::record::text;
use crate::record::wire::{Bytes32, Countersignature, TokenId};
use postcard_schema::Schema;
use serde::{Deserialize, Serialize};

/// The body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Schema)]
#[serde(deny_unknown_fields)]
pub struct KeyEnrolled {
    /// In whose name the key signs.
    pub entity: EntityId,
    /// Signature algorithm: 1 is Ed25519.
    pub algorithm: u8,
    /// The public key.
    pub public_key: Bytes32,
    /// First half of the key's own signature over [`enrolment_message`].
    pub possession_r: Bytes32,
    /// Second half of it.
    pub possession_s: Bytes32,
    /// Whether the ledger's operator keeps the private key for its holder.
    pub hosted: bool,
    /// Which device, for its holder, up to 30 characters; nothing personal.
    pub device: Option<String>,
    /// The token that acted, for a hosted key.
    pub acted_by: Option<TokenId>,
    /// Other keys' agreement.
    pub countersignatures: Vec<Countersignature>,
}

/// What a key signs to show that its holder has it:
/// `trace/enrol/v1\n` ‖ origin ‖ entity ‖ key.
#[must_use]
pub fn enrolment_message(origin: &Origin, entity: EntityId, key: &PublicKey) -> Vec<u8> {
    let parts: [&[u8]; 4] = [b"trace/enrol/v1\n", origin.as_str().as_bytes(), entity.as_bytes(), key.as_bytes()];
    parts.concat()
}

impl Kind for KeyEnrolled {
    type Trade = ();

    fn check(&self) -> Result<(), Invalid> {
        Algorithm::from_byte(self.algorithm)?;
        // Canonical, not of small order, torsion-free: checked once, here.
        PublicKey::from_bytes(self.public_key.0).accept()?;
        if self.entity.as_bytes() == &[0; 10] {
            return Err(Invalid::new(Rule::EntityId, "root keys stand in the ledger's first record only"));
        }
        text::check_option("device", self.device.as_deref(), 30)
    }

    fn subjects(&self) -> Vec<SubjectId> {
        let key = PublicKey::from_bytes(self.public_key.0).id();
        vec![SubjectId::signer(self.entity), SubjectId::key(key)]
    }

    fn claims(&self, _trade: Option<&()>) -> Result<Vec<Claim>, Invalid> {
        let mut possession = [0u8; 64];
        let halves = self.possession_r.0.iter().chain(&self.possession_s.0);
        possession.iter_mut().zip(halves).for_each(|(to, from)| *to = *from);
        Ok(vec![Claim::EnrolsKey {
            entity: self.entity,
            key: PublicKey::from_bytes(self.public_key.0),
            possession,
            hosted: self.hosted,
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
