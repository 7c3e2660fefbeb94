//! Other keys' agreement with a record: the quorum of the root authority, and
//! an authority's word where a rule asks for it.

use super::{Registry, SignedAs, capacities, root_entity};
use crate::error::{Invalid, Rule, Verify};
use crate::ident::Area;
use crate::record::claim::Policy;
use crate::record::layout::Verified;
use crate::record::role::Role;
use crate::record::sign::{Key, KeyId, PublicKey};
use crate::record::wire::Countersignature;

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

/// A ledger's first record: signed by one of its root keys, agreed by enough.
pub(super) fn open(
    record: &Verified,
    root_keys: &[PublicKey],
    policy: Policy,
) -> Result<SignedAs, Invalid> {
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

/// An act of the root authority: its own key and enough others.
pub(super) fn quorum<R: Registry>(registry: &R, record: &Verified) -> Result<(), R::Error> {
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
    given: &Countersignature,
    public: &PublicKey,
) -> Result<(), Invalid> {
    let refuse = |error: Verify| Invalid::new(Rule::Countersignature, error.to_string());
    let key = Key::parse(public).map_err(refuse)?;
    record.verify_countersignature(given, &key).map_err(refuse)
}
