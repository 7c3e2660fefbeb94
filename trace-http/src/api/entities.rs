//! `POST /v1/entities`: an authority registers an entity, has a key made and
//! kept for it where it cannot keep one itself, and grants it roles. All of it
//! or nothing.

use std::sync::Arc;

use axum::{extract::State, response::Response};
use serde::{Deserialize, Serialize};
use trace_core::{
    error::{Invalid, Rule},
    ident::EntityId,
    ledger::job::Item,
    record::{
        Body, Origin, Role,
        kinds::{
            entity_registered::{EntityCategory, EntityRegistered, StatedLicence, StatedUscc},
            key_enrolled::{KeyEnrolled, enrolment_message},
            role_granted::RoleGranted,
        },
        section::Openings,
        sign::{Algorithm, PublicKey, SigningKey},
        wire::{AreaCode, Bytes32},
    },
};
use utoipa::ToSchema;
use zeroize::Zeroizing;

use super::{
    office::{Office, beside},
    orders::{Given, Order, OrderRecord, made},
    prepare::PersonOrder,
};
use crate::{machine, problem::Problem};

/// An entity to register.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EntityOrder {
    /// `enterprise`, `cooperative`, `individual_business`, `household`,
    /// `public_body` or `institution`.
    #[schema(value_type = String, example = "household")]
    category: EntityCategory,
    /// Registered name; left out for a household, which `person` names.
    name: Option<String>,
    /// Six digits of its area.
    #[schema(example = "131022")]
    area: String,
    /// Address below the area; public.
    place: Option<String>,
    /// 统一社会信用代码.
    uscc: Option<String>,
    /// SC and JY licences.
    #[serde(default)]
    licences: Vec<String>,
    /// The natural person itself, or a contact.
    person: Option<PersonOrder>,
    /// The roles it gets.
    #[serde(default)]
    roles: Vec<RoleOrder>,
    /// Whether a key is made and kept here for it.
    #[serde(default)]
    hosted_key: bool,
}

/// A role to grant.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RoleOrder {
    /// Which.
    #[schema(value_type = String, example = "producer")]
    role: Role,
    /// Where: six digits; the entity's own area where left out.
    area: Option<String>,
}

/// An entity that was registered.
#[derive(Debug, Serialize, ToSchema)]
pub struct EntityMade {
    /// Its id.
    #[schema(value_type = String)]
    entity: EntityId,
    /// The id of the key kept here for it.
    key: Option<String>,
    /// What was made, with receipts.
    records: Vec<OrderRecord>,
    /// Where to look.
    link: String,
}

/// `POST /v1/entities`.
pub async fn register(
    State(office): State<Arc<Office>>,
    order: Order<EntityOrder>,
) -> Result<Response, Problem> {
    let fulfilled = office.carry_out(order, async |_, given, wanted| {
        draft(&office, &given, wanted).await
    });
    let fulfilled = fulfilled.await?;
    let entity = fulfilled.said("registration", |body| match body {
        Body::EntityRegistered(body) => Some(body.entity),
        _ => None,
    })?;
    let key = fulfilled.records.iter().find_map(|(body, _)| match body {
        Body::KeyEnrolled(body) => Some(PublicKey::from_bytes(body.public_key.0).id().to_string()),
        _ => None,
    });
    let is_repeat = fulfilled.is_repeat;
    let answer = EntityMade {
        entity,
        key,
        link: format!("{}/v1/entities/{}", office.public_url, entity.compact()),
        records: fulfilled.into_records(),
    };
    made(is_repeat, &answer)
}

pub(crate) async fn draft(
    office: &Arc<Office>,
    given: &Given,
    order: EntityOrder,
) -> Result<Vec<Item>, Problem> {
    let area: AreaCode = order.area.parse()?;
    let grant = &given.token.grant;
    if grant.role != Role::Authority
        || !grant
            .area
            .is_none_or(|own| own.covers(area.area().unwrap_or(own)))
    {
        let what = format!("the token is not made for an authority that covers {area}");
        return Err(Invalid::new(Rule::Right, what).into());
    }
    let entity = EntityId::from_bytes(machine::random());
    let (uscc, licences) = stated(&order)?;
    let mut openings = Openings::default();
    let mut persons = Vec::new();
    if let Some(person) = order.person {
        let (person, opening) = person.seal()?;
        persons.push(person);
        openings.persons.push(opening);
    }
    let registered = EntityRegistered {
        entity,
        category: order.category,
        name: order.name,
        area,
        place: order.place,
        uscc,
        licences,
        persons,
        acted_by: given.acted_by(),
        countersignatures: Vec::new(),
    };
    let mut granted = Vec::with_capacity(order.roles.len());
    for role in order.roles {
        let body = RoleGranted {
            entity,
            role: role.role,
            area: role.area.map_or(Ok(area), |text| text.parse())?,
            acted_by: given.acted_by(),
            countersignatures: Vec::new(),
        };
        granted.push(given.state(body, Openings::default()));
    }
    // A key is made only when everything that can be read has been.
    let mut items = vec![given.state(registered, openings)];
    if order.hosted_key {
        let body = host_key(office, given, entity).await?;
        items.push(given.state(body, Openings::default()));
    }
    items.extend(granted);
    Ok(items)
}

/// The numbers of registers that an order states.
fn stated(order: &EntityOrder) -> Result<(Option<StatedUscc>, Vec<StatedLicence>), Invalid> {
    let uscc = order.uscc.as_deref().map(StatedUscc::read).transpose()?;
    let licences = order.licences.iter();
    let licences = licences.map(|number| StatedLicence::read(number));
    Ok((uscc, licences.collect::<Result<_, _>>()?))
}

/// Checks what can be known of an order before it is given: areas and the numbers of
/// registers.
///
/// # Errors
/// The rule of the first field that is wrong.
pub(crate) fn check(order: &EntityOrder) -> Result<(), Problem> {
    let _: AreaCode = order.area.parse()?;
    stated(order)?;
    Ok(())
}

/// Makes a key, keeps it for the entity, and enrols it with proof that it is
/// here. Should the order then be refused, a key nobody enrolled is left: it
/// signs nothing.
pub(crate) async fn host_key(
    office: &Arc<Office>,
    given: &Given,
    entity: EntityId,
) -> Result<KeyEnrolled, Problem> {
    let seed = Zeroizing::new(machine::random::<32>());
    let key = SigningKey::from_seed(*seed);
    let enrolled = key_enrolled(office.writer()?.origin(), entity, &key, true);
    let keeper = Arc::clone(office);
    beside(move || {
        let kept = keeper.writer()?.host_key(entity, seed, machine::random());
        kept.map_err(Problem::from)
    })
    .await??;
    Ok(KeyEnrolled {
        acted_by: given.acted_by(),
        ..enrolled
    })
}

/// The enrolment of a key, with its proof of possession.
#[must_use]
pub fn key_enrolled(
    origin: &Origin,
    entity: EntityId,
    key: &SigningKey,
    hosted: bool,
) -> KeyEnrolled {
    let public = key.public();
    let possession = key.sign(&enrolment_message(origin, entity, &public));
    let (r, s) = possession.as_bytes().split_at(32);
    let half = |bytes: &[u8]| Bytes32(bytes.try_into().unwrap_or_default());
    KeyEnrolled {
        entity,
        algorithm: Algorithm::Ed25519.byte(),
        public_key: Bytes32(*public.as_bytes()),
        possession_r: half(r),
        possession_s: half(s),
        hosted,
        device: None,
        acted_by: None,
        countersignatures: Vec::new(),
    }
}
