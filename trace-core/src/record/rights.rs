//! Rights: may this key say this, at this index of the log?
//!
//! Judged from governance records alone, by log index and never by clock, so
//! that the ledger and an offline verifier reach the same answer from the same
//! records. The role × kind table is the column `by` in `kinds`; what a role may
//! do to whom stands in `claimed`, the quorum of the root authority in `agreed`.

mod agreed;
mod claimed;

pub use agreed::countersigned_by_authority;
pub(crate) use claimed::may_halt;

use super::claim::{Claim, Policy};
use super::hash::Hash;
use super::layout::Verified;
use super::marks::MarkState;
use super::role::Role;
use super::sign::{KeyId, PublicKey};
use super::unit::UnitState;
use crate::error::{Invalid, Rule};
use crate::ident::{Area, EntityId, TraceCode};
use agreed::{open, quorum};
use claimed::{Denied, permits};
use serde::{Deserialize, Serialize};

/// The id under which the root keys of the ledger's first record sign.
#[must_use]
pub fn root_entity() -> EntityId {
    EntityId::from_bytes([0; 10])
}

/// What the records say of a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyState {
    /// In whose name it signs.
    pub entity: EntityId,
    /// The public key.
    pub public: [u8; 32],
    /// The index of its enrolment.
    pub enrolled_index: u64,
    /// Whether the ledger's operator keeps the private key.
    pub hosted: bool,
    /// The index of its revocation.
    pub revoked_index: Option<u64>,
    /// From which index on what it signed is disputed.
    pub compromised_from: Option<u64>,
}

impl KeyState {
    /// That of a key which was just enrolled.
    #[must_use]
    pub fn enrolled(entity: EntityId, key: &PublicKey, hosted: bool, index: u64) -> Self {
        Self {
            entity,
            public: *key.as_bytes(),
            enrolled_index: index,
            hosted,
            revoked_index: None,
            compromised_from: None,
        }
    }

    /// The public key.
    #[must_use]
    pub fn public_key(&self) -> PublicKey {
        PublicKey::from_bytes(self.public)
    }

    /// Whether what it signed at `index` is disputed.
    #[must_use]
    pub fn is_disputed_at(&self, index: u64) -> bool {
        self.compromised_from.is_some_and(|from| from <= index)
    }
}

/// What the records say of an entity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntityState {
    /// Where it is: six digits.
    pub area: u32,
    /// The index of its registration.
    pub registered_index: u64,
    /// The roles it holds now.
    pub grants: Vec<Grant>,
}

/// A role held for an area.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// Which role.
    pub role: Role,
    /// For which area: six digits.
    pub area: u32,
    /// The index of the grant.
    pub granted_index: u64,
}

/// Most live grants of one entity: ten roles in a few areas each.
pub const GRANTS_MAX: usize = 32;

/// The governance that a reader knows.
pub trait Registry {
    /// How reading can fail; a refusal is one way.
    type Error: From<Invalid>;

    /// The ledger's policy; `None` before the first record.
    ///
    /// # Errors
    /// The reader's own.
    fn policy(&self) -> Result<Option<Policy>, Self::Error>;

    /// What is known of a key.
    ///
    /// # Errors
    /// The reader's own.
    fn key(&self, key: &KeyId) -> Result<Option<KeyState>, Self::Error>;

    /// What is known of an entity.
    ///
    /// # Errors
    /// The reader's own.
    fn entity(&self, entity: &EntityId) -> Result<Option<EntityState>, Self::Error>;

    /// What is known of a trace unit.
    ///
    /// # Errors
    /// The reader's own.
    fn unit(&self, unit: &TraceCode) -> Result<Option<UnitState>, Self::Error>;

    /// The hold or recall that a record with this hash makes.
    ///
    /// # Errors
    /// The reader's own.
    fn mark(&self, record: &Hash) -> Result<Option<MarkState>, Self::Error>;
}

/// In what capacity a record was signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignedAs {
    /// By whom.
    pub entity: EntityId,
    /// In which role.
    pub role: Role,
    /// For which area; none is everywhere.
    pub area: Option<Area>,
}

impl SignedAs {
    fn covers(&self, area: Area) -> bool {
        self.area.is_none_or(|own| own.covers(area))
    }
}

/// Decides whether `record` may stand where it does: its key is enrolled and
/// not revoked, its entity holds a role that may sign the kind and make each of
/// these claims, and a root act has its quorum.
///
/// # Errors
/// [`Rule::KeyUnknown`], [`Rule::KeyRevoked`], [`Rule::Right`],
/// [`Rule::Countersignature`], naming who, what and where.
pub fn authorise<R: Registry>(
    registry: &R,
    record: &Verified,
    claims: &[Claim],
) -> Result<SignedAs, R::Error> {
    let statement = record.statement();
    // Only where nothing stands yet: later, a record that names its own root
    // keys would make anybody the root authority.
    if let [Claim::OpensLedger { root_keys, policy }] = claims
        && registry.policy()?.is_none()
    {
        return open(record, root_keys, *policy).map_err(R::Error::from);
    }
    let Some(key) = registry.key(&statement.key)? else {
        return Err(Invalid::new(
            Rule::KeyUnknown,
            format!("key {} is not enrolled", statement.key),
        )
        .into());
    };
    if let Some(index) = key.revoked_index {
        return Err(Invalid::new(
            Rule::KeyRevoked,
            format!("key {} was revoked at index {index}", statement.key),
        )
        .into());
    }
    let capacities = capacities(registry, key.entity)?;
    let kind = record.body().kind();
    let mut nearest = Invalid::new(
        Rule::Right,
        format!(
            "{} may sign as {}, and {} needs {}",
            key.entity,
            list(&capacities),
            kind.name,
            names(kind.signers)
        ),
    );
    for capacity in capacities
        .iter()
        .filter(|capacity| kind.signers.contains(&capacity.role))
    {
        match claims
            .iter()
            .try_for_each(|claim| permits(registry, capacity, claim))
        {
            Ok(()) => {
                if capacity.role == Role::Root {
                    quorum(registry, record)?;
                }
                return Ok(*capacity);
            }
            Err(Denied::Here(why)) => nearest = why,
            Err(Denied::Reader(error)) => return Err(error),
        }
    }
    Err(nearest.into())
}

fn capacities<R: Registry>(registry: &R, entity: EntityId) -> Result<Vec<SignedAs>, R::Error> {
    if entity == root_entity() {
        return Ok(vec![SignedAs {
            entity,
            role: Role::Root,
            area: None,
        }]);
    }
    let grants = registry
        .entity(&entity)?
        .map(|state| state.grants)
        .unwrap_or_default();
    let held = grants.iter().filter_map(|grant| {
        Area::try_from(grant.area).ok().map(|area| SignedAs {
            entity,
            role: grant.role,
            area: Some(area),
        })
    });
    Ok(held.collect())
}

fn list(capacities: &[SignedAs]) -> String {
    match capacities {
        [] => "nothing".into(),
        some => some
            .iter()
            .map(|own| own.role.name())
            .collect::<Vec<_>>()
            .join(", "),
    }
}

fn names(roles: &[Role]) -> String {
    roles
        .iter()
        .map(|role| role.name())
        .collect::<Vec<_>>()
        .join(" or ")
}
