//! Entities, keys, roles and persons: each once, and what is taken away was
//! there.

use super::{At, Facts};
use crate::error::{Invalid, Rule};
use crate::ident::{Area, EntityId};
use crate::record::kinds::key_enrolled::enrolment_message;
use crate::record::rights::{EntityState, GRANTS_MAX};
use crate::record::sign::{self, KeyId, PublicKey, Signature};
use crate::record::wire::PersonId;
use crate::record::{Origin, Role};
use crate::rules::PersonState;

/// An id and a social credit code are registered once.
pub(super) fn registers<F: Facts>(
    facts: &F,
    entity: &EntityId,
    uscc: Option<&str>,
) -> Result<(), F::Error> {
    if let Some(state) = facts.entity(entity)? {
        let what = format!(
            "{entity} was registered at index {}",
            state.registered_index
        );
        return Err(Invalid::new(Rule::EntityKnown, what).into());
    }
    let Some(uscc) = uscc else { return Ok(()) };
    match facts.uscc_entity(uscc)? {
        Some(other) => Err(Invalid::new(
            Rule::EntityKnown,
            format!("{uscc} is registered as {other}"),
        )
        .into()),
        None => Ok(()),
    }
}

/// A key is enrolled once ever, and its holder has it.
pub(super) fn enrols<F: Facts>(
    facts: &F,
    origin: &Origin,
    entity: EntityId,
    key: &PublicKey,
    possession: &[u8; 64],
) -> Result<(), F::Error> {
    existing(facts, &entity)?;
    if let Some(state) = facts.key(&key.id())? {
        let what = format!(
            "key {} was enrolled for {} at index {}",
            key.id(),
            state.entity,
            state.enrolled_index
        );
        return Err(Invalid::new(Rule::KeyKnown, what).into());
    }
    let message = enrolment_message(origin, entity, key);
    sign::verify_strict(key, &message, &Signature::from_bytes(*possession)).map_err(|_| {
        let what = format!(
            "key {} did not sign `trace/enrol/v1`, {origin}, {entity} and itself",
            key.id()
        );
        F::Error::from(Invalid::new(Rule::Possession, what))
    })
}

/// A key is revoked once; it is disputed from no earlier than its enrolment.
pub(super) fn revokes<F: Facts>(
    facts: &F,
    entity: &EntityId,
    key: &KeyId,
    compromised_from: Option<u64>,
    index: u64,
) -> Result<(), F::Error> {
    let refuse = |rule, what: String| Err(F::Error::from(Invalid::new(rule, what)));
    let Some(state) = facts.key(key)? else {
        return refuse(Rule::KeyUnknown, format!("key {key} is not enrolled"));
    };
    if state.entity != *entity {
        return refuse(
            Rule::KeyUnknown,
            format!(
                "key {key} is enrolled for {}, not for {entity}",
                state.entity
            ),
        );
    }
    if let Some(revoked) = state.revoked_index {
        return refuse(
            Rule::KeyRevoked,
            format!("key {key} was revoked at index {revoked}"),
        );
    }
    match compromised_from {
        Some(from) if from < state.enrolled_index || from > index => refuse(
            Rule::TargetUnknown,
            format!(
                "compromised from index {from}; the key was enrolled at {}, this is {index}",
                state.enrolled_index
            ),
        ),
        _ => Ok(()),
    }
}

/// A role is granted where it is not held, under a set of rules that knows it.
pub(super) fn grants<F: Facts>(
    facts: &F,
    at: &At,
    entity: &EntityId,
    role: Role,
    area: Area,
) -> Result<(), F::Error> {
    let (wanted, found) = (role.rule_set(), at.policy.rule_set);
    if wanted > found {
        let what = format!("{role} is granted from rule set {wanted} on, in force is {found}");
        return Err(Invalid::new(Rule::RuleSet, what).into());
    }
    let state = existing(facts, entity)?;
    let code = area.code();
    if state
        .grants
        .iter()
        .any(|grant| grant.role == role && grant.area == code)
    {
        return Err(Invalid::new(Rule::RoleHeld, format!("{entity} is {role} for {area}")).into());
    }
    match state.grants.len() {
        held if held >= GRANTS_MAX => Err(Invalid::new(
            Rule::TooMany,
            format!("{entity} holds {held} roles, at most {GRANTS_MAX}"),
        )
        .into()),
        _ => Ok(()),
    }
}

/// A role is withdrawn where it is held.
pub(super) fn withdraws<F: Facts>(
    facts: &F,
    entity: &EntityId,
    role: Role,
    area: Area,
) -> Result<(), F::Error> {
    let state = existing(facts, entity)?;
    let code = area.code();
    match state
        .grants
        .iter()
        .any(|grant| grant.role == role && grant.area == code)
    {
        true => Ok(()),
        false => Err(Invalid::new(
            Rule::RoleNotHeld,
            format!("{entity} is not {role} for {area}"),
        )
        .into()),
    }
}

/// Some record names the person, whose data are not erased yet.
pub(super) fn person_known<F: Facts>(
    facts: &F,
    person: &PersonId,
) -> Result<PersonState, F::Error> {
    let Some(state) = facts.person(person)? else {
        return Err(Invalid::new(
            Rule::PersonUnknown,
            format!("no record names person {person}"),
        )
        .into());
    };
    match state.erased_index {
        Some(index) => Err(Invalid::new(
            Rule::PersonErased,
            format!("person {person} was erased at index {index}"),
        )
        .into()),
        None => Ok(state),
    }
}

/// Data that a statute still demands are not destroyed before their day.
pub(super) fn erases<F: Facts>(facts: &F, at: &At, person: &PersonId) -> Result<(), F::Error> {
    match person_known(facts, person)?.destroy_on {
        Some(day) if day > at.today.days() => {
            let days = day - at.today.days();
            Err(Invalid::new(
                Rule::RetentionRuns,
                format!("person {person}: {days} days of retention are left"),
            )
            .into())
        }
        _ => Ok(()),
    }
}

fn existing<F: Facts>(facts: &F, entity: &EntityId) -> Result<EntityState, F::Error> {
    match facts.entity(entity)? {
        Some(state) => Ok(state),
        None => Err(Invalid::new(
            Rule::EntityUnknown,
            format!("entity {entity} is not registered"),
        )
        .into()),
    }
}
