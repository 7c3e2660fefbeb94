//! Rights: may this key say this, at this index of the log?
//!
//! Judged from governance records alone, by log index and never by clock, so
//! that the ledger and an offline verifier reach the same answer from the same
//! records. The role × kind table is the column `by` in `kinds`; here stands
//! what a role may do to whom, and the quorum of the root authority.

use super::claim::{Claim, Policy};
use super::cold_chain::ColdClaim;
use super::evidence::Evidence;
use super::hash::Hash;
use super::layout::Verified;
use super::marks::{MarkKind, MarkState};
use super::official::FilledIn;
use super::role::Role;
use super::sign::{KeyId, PublicKey};
use super::supervision::Supervision;
use super::unit::UnitState;
use crate::error::{Invalid, Rule};
use crate::ident::{Area, EntityId, TraceCode};
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

/// Whether an authority for `area` has countersigned `record`.
///
/// # Errors
/// [`Rule::Countersignature`] when one that is given does not hold.
pub fn countersigned_by_authority<R: Registry>(
    registry: &R,
    record: &Verified,
    area: Area,
) -> Result<bool, R::Error> {
    for given in record.body().countersignatures() {
        let Some(key) = registry.key(&given.key)? else {
            continue;
        };
        if key.revoked_index.is_some() {
            continue;
        }
        check_countersignature(record, given, &key.public_key())?;
        let capacities = capacities(registry, key.entity)?;
        if capacities
            .iter()
            .any(|own| matches!(own.role, Role::Authority | Role::Root) && own.covers(area))
        {
            return Ok(true);
        }
    }
    Ok(false)
}

enum Denied<E> {
    Here(Invalid),
    Reader(E),
}

fn permits<R: Registry>(
    registry: &R,
    own: &SignedAs,
    claim: &Claim,
) -> Result<(), Denied<R::Error>> {
    let deny = |what: String| Err(Denied::Here(Invalid::new(Rule::Right, what)));
    let within = |area: Area, what: &str| match own.covers(area) {
        true => Ok(()),
        false => deny(format!(
            "{} holds {} for {}, {what} is in {area}",
            own.entity,
            own.role,
            own.area.map_or("everywhere".into(), |a| a.to_string())
        )),
    };
    let area_of = |entity: &EntityId| -> Result<Area, Denied<R::Error>> {
        let state = registry.entity(entity).map_err(Denied::Reader)?;
        let unknown = || {
            Denied::Here(Invalid::new(
                Rule::EntityUnknown,
                format!("entity {entity} is not registered"),
            ))
        };
        Area::try_from(state.ok_or_else(unknown)?.area).map_err(Denied::Here)
    };
    let governs = matches!(own.role, Role::Root | Role::Authority);
    match claim {
        Claim::RegistersEntity { area, .. } => within(*area, "the entity"),
        Claim::EnrolsKey { entity, .. } => within(area_of(entity)?, "the entity"),
        Claim::RevokesKey {
            entity,
            compromised_from: Some(_),
            ..
        } if own.entity == *entity || !governs => deny(format!(
            "{} may not say from when on keys of {entity} were compromised: another authority may",
            own.entity
        )),
        Claim::RevokesKey { entity, .. } if own.entity == *entity => Ok(()),
        Claim::RevokesKey { entity, .. } if governs => within(area_of(entity)?, "the key's entity"),
        Claim::RevokesKey { entity, .. } => deny(format!(
            "the key belongs to {entity}, not to {}",
            own.entity
        )),
        Claim::GrantsRole {
            role: Role::Root, ..
        }
        | Claim::WithdrawsRole {
            role: Role::Root, ..
        } => deny("the root authority is fixed by the ledger's first record".into()),
        Claim::GrantsRole {
            role: Role::Operator,
            ..
        }
        | Claim::WithdrawsRole {
            role: Role::Operator,
            ..
        } if own.role != Role::Root => deny("the operator is named by the root authority".into()),
        Claim::GrantsRole { entity, role, area } | Claim::WithdrawsRole { entity, role, area } => {
            area_of(entity)?;
            within(*area, "the role")?;
            match own.area {
                Some(own_area) if *role == Role::Authority && own_area == *area => deny(format!(
                    "an authority for {own_area} delegates to areas below it, not to its own"
                )),
                _ => Ok(()),
            }
        }
        Claim::Voids {
            unit,
            number,
            target,
        } => {
            let issuer = issuer(registry, unit, number.as_deref(), target)?;
            match own.entity == issuer {
                true => Ok(()),
                false if governs => within(area_of(&issuer)?, "the issuer"),
                false => deny(format!("issued by {issuer}, not by {}", own.entity)),
            }
        }
        Claim::Supersedes {
            unit,
            number,
            target,
            ..
        } => {
            let issuer = issuer(registry, unit, Some(number), target)?;
            match own.entity == issuer {
                true => Ok(()),
                false => deny(format!(
                    "issued by {issuer}; only it replaces its certificate, {} may void it",
                    own.entity
                )),
            }
        }
        Claim::FillsIn(FilledIn {
            area: Some(area), ..
        })
        | Claim::Supervision(Supervision::Adopts { area, .. })
        | Claim::Cold(ColdClaim::Registers { area, .. })
        | Claim::Evidence(
            Evidence::Tests {
                area: Some(area), ..
            }
            | Evidence::Inspects { area, .. }
            | Evidence::Rectifies { area, .. },
        ) => within(*area, "what is recorded"),
        Claim::OpensLedger { .. } => deny("a ledger opens once".into()),
        Claim::CreatesUnit {
            maker: Some(other), ..
        }
        | Claim::HandsOver {
            on_behalf_of: Some(other),
            ..
        }
        | Claim::Receives {
            on_behalf_of: Some(other),
            ..
        }
        | Claim::Disposes {
            on_behalf_of: Some(other),
            ..
        } if *other != own.entity => match may_assist(own.role) {
            true => within(area_of(other)?, "the one acted for"),
            false => deny(format!("a {} acts for nobody but itself", own.role)),
        },
        Claim::Holds { unit } => {
            let maker = maker(registry, unit)?;
            match own.entity == maker {
                true => Ok(()),
                false if may_halt(own.role) => within(area_of(&maker)?, "the maker"),
                false => deny(format!("{unit} was made by {maker}, not by {}", own.entity)),
            }
        }
        Claim::Recalls { unit, .. } => {
            let maker = maker(registry, unit)?;
            match own.entity == maker {
                true => Ok(()),
                false if governs => within(area_of(&maker)?, "the maker"),
                false => deny(format!("{unit} was made by {maker}, not by {}", own.entity)),
            }
        }
        Claim::Releases { unit, target } => {
            let mark = marked(registry, unit, target, MarkKind::Hold)?;
            match own.entity == mark.by {
                true => Ok(()),
                false if may_halt(own.role) => within(area_of(&mark.maker)?, "the maker"),
                false => deny(format!("held by {}, not by {}", mark.by, own.entity)),
            }
        }
        Claim::ClosesRecall { unit, target, .. } => {
            let mark = marked(registry, unit, target, MarkKind::Recall)?;
            match own.entity == mark.by {
                true => Ok(()),
                false if governs => within(area_of(&mark.maker)?, "the maker"),
                false => deny(format!("recalled by {}, not by {}", mark.by, own.entity)),
            }
        }
        Claim::AdoptsRuleSet { .. }
        | Claim::AdoptsTolerance { .. }
        | Claim::Transforms { .. }
        | Claim::HandsOver { .. }
        | Claim::Receives { .. }
        | Claim::ChecksIn { .. }
        | Claim::Disposes { .. }
        | Claim::UsesPaper { .. }
        | Claim::CreatesUnit { .. }
        | Claim::Certifies { .. }
        | Claim::EntersStore { .. }
        | Claim::LeavesStore { .. }
        | Claim::RestrictsPerson { .. }
        | Claim::ErasesPerson { .. }
        | Claim::FillsIn(_)
        | Claim::Supervision(_)
        | Claim::Evidence(_)
        | Claim::Document(_)
        | Claim::Cold(_)
        | Claim::SealsLookups { .. } => Ok(()),
    }
}

/// Who may sign for another, both being named: a market for its sellers, and
/// those whom an authority or inspection lets help in the villages.
fn may_assist(role: Role) -> bool {
    matches!(role, Role::Market | Role::Authority | Role::Inspector)
}

fn may_halt(role: Role) -> bool {
    matches!(role, Role::Root | Role::Authority | Role::Inspector)
}

fn maker<R: Registry>(registry: &R, unit: &TraceCode) -> Result<EntityId, Denied<R::Error>> {
    let state = registry.unit(unit).map_err(Denied::Reader)?;
    match state.and_then(|state| state.made) {
        Some(made) => Ok(made.entity),
        None => Err(Denied::Here(Invalid::new(
            Rule::UnitUnknown,
            format!("{unit} is not on this ledger"),
        ))),
    }
}

fn marked<R: Registry>(
    registry: &R,
    unit: &TraceCode,
    target: &Hash,
    kind: MarkKind,
) -> Result<MarkState, Denied<R::Error>> {
    match registry.mark(target).map_err(Denied::Reader)? {
        Some(mark) if mark.unit == *unit && mark.kind == kind => Ok(mark),
        _ => Err(Denied::Here(Invalid::new(
            Rule::TargetUnknown,
            format!("record {target} is no {kind:?} of {unit}"),
        ))),
    }
}

fn issuer<R: Registry>(
    registry: &R,
    unit: &TraceCode,
    number: Option<&str>,
    target: &Hash,
) -> Result<EntityId, Denied<R::Error>> {
    let state = registry.unit(unit).map_err(Denied::Reader)?;
    let found = state.as_ref().and_then(|state| match number {
        Some(number) => state
            .certificate(number)
            .map(|held| (held.issuer, held.hash)),
        None => state.made.as_ref().map(|made| (made.entity, made.hash)),
    });
    match found {
        Some((issuer, hash)) if hash == *target => Ok(issuer),
        Some((_, hash)) => Err(Denied::Here(
            Invalid::new(
                Rule::TargetUnknown,
                format!(
                    "{unit} {} is record {hash}, not {target}",
                    number.unwrap_or("")
                ),
            )
            .against(hash.into()),
        )),
        None => Err(Denied::Here(Invalid::new(
            Rule::TargetUnknown,
            format!("{unit} {} is not on this ledger", number.unwrap_or("")),
        ))),
    }
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

/// A ledger's first record: signed by one of its root keys, agreed by enough.
fn open(record: &Verified, root_keys: &[PublicKey], policy: Policy) -> Result<SignedAs, Invalid> {
    let ids: Vec<KeyId> = root_keys.iter().map(PublicKey::id).collect();
    let signer = record.statement().key;
    if !ids.contains(&signer) {
        return Err(Invalid::new(
            Rule::Right,
            format!("key {signer} is not among the root keys it names"),
        ));
    }
    for key in root_keys {
        key.accept()?;
    }
    let mut agreed = vec![signer];
    for given in record.body().countersignatures() {
        let Some(key) = root_keys.iter().find(|key| key.id() == given.key) else {
            continue;
        };
        check_countersignature(record, given, key)?;
        if !agreed.contains(&given.key) {
            agreed.push(given.key);
        }
    }
    enough(agreed.len(), policy)?;
    Ok(SignedAs {
        entity: root_entity(),
        role: Role::Root,
        area: None,
    })
}

fn quorum<R: Registry>(registry: &R, record: &Verified) -> Result<(), R::Error> {
    let Some(policy) = registry.policy()? else {
        return Err(Invalid::new(Rule::Right, "the ledger is not open yet").into());
    };
    let mut agreed = vec![record.statement().key];
    for given in record.body().countersignatures() {
        let Some(key) = registry.key(&given.key)? else {
            continue;
        };
        if key.entity != root_entity() || key.revoked_index.is_some() || agreed.contains(&given.key)
        {
            continue;
        }
        check_countersignature(record, given, &key.public_key())?;
        agreed.push(given.key);
    }
    enough(agreed.len(), policy).map_err(R::Error::from)
}

fn enough(found: usize, policy: Policy) -> Result<(), Invalid> {
    match found >= usize::from(policy.root_quorum) {
        true => Ok(()),
        false => Err(Invalid::new(
            Rule::Countersignature,
            format!("{found} root keys agree, {} are wanted", policy.root_quorum),
        )),
    }
}

fn check_countersignature(
    record: &Verified,
    given: &super::wire::Countersignature,
    public: &PublicKey,
) -> Result<(), Invalid> {
    let refuse =
        |error: crate::error::Verify| Invalid::new(Rule::Countersignature, error.to_string());
    let key = super::sign::Key::parse(public).map_err(refuse)?;
    record.verify_countersignature(given, &key).map_err(refuse)
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
