//! `trace entity`: registering whoever acts on the ledger, with a key and roles.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use serde_json::json;
use trace_core::{
    ident::{Area, EntityId},
    record::{
        Role,
        kinds::{
            entity_registered::{EntityCategory, EntityRegistered, StatedLicence, StatedUscc},
            key_enrolled::KeyEnrolled,
            role_granted::RoleGranted,
        },
        section::{Opening, Openings, Person},
        sign::{KeyId, SigningKey},
        text::normalise,
        wire::{PersonId, PersonRef},
    },
};
use zeroize::Zeroizing;

use super::{
    Failure, Manner, keyfile,
    local::Denied,
    manner::at,
    remote::Remote,
    voice::{Place, Said, Session, Speaking, Voice},
};
use crate::{api::entities::key_enrolled, machine};

/// Entities.
#[derive(Debug, Subcommand)]
pub enum EntityCommand {
    /// Register an entity, enrol its first key and grant its roles
    #[command(after_help = "\
Examples:
  trace entity add --key authority.key --name 永清绿野合作社 --category cooperative \\
    --area 131023 --role producer --own-key producer.key
  trace entity add --as AUTHORITY --kek-file kek --category household --area 131023 \\
    --contact-name 王某 --contact-phone 13800000000 --role producer --hosted

  trace entity add --server https://a.example --token-file token --name 安次冷库 \\
    --area 131002 --role cold_store --hosted

All of it is admitted or none. An authority registers within its own area; the root
authority signs with --key root-1.key --countersign root-2.key.")]
    Add(Box<AddEntity>),
}

impl EntityCommand {
    pub(super) fn run(self, manner: &Manner) -> Result<(), Failure> {
        let Self::Add(add) = self;
        add.run(manner)
    }
}

/// What kind of person an entity is, as it is named on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Category {
    /// 企业
    Enterprise,
    /// 农民专业合作社
    Cooperative,
    /// 个体工商户
    IndividualBusiness,
    /// 农户: a natural person, named by --contact-name
    Household,
    /// 行政机关
    PublicBody,
    /// 检验机构等
    Institution,
}

impl From<Category> for EntityCategory {
    fn from(category: Category) -> Self {
        match category {
            Category::Enterprise => Self::Enterprise,
            Category::Cooperative => Self::Cooperative,
            Category::IndividualBusiness => Self::IndividualBusiness,
            Category::Household => Self::Household,
            Category::PublicBody => Self::PublicBody,
            Category::Institution => Self::Institution,
        }
    }
}

/// Everything `trace entity add` can be told.
#[derive(Debug, Args)]
pub struct AddEntity {
    #[command(flatten)]
    speaking: Speaking,

    /// Registered name; not for a household
    #[arg(long, value_name = "TEXT")]
    name: Option<String>,

    /// What kind of person it is
    #[arg(long, value_enum, default_value = "enterprise")]
    category: Category,

    /// Where it is, six digits of GB/T 2260
    #[arg(long, value_name = "AREA")]
    area: Area,

    /// Address below the area; public
    #[arg(long, value_name = "TEXT")]
    place: Option<String>,

    /// Unified social credit code, 18 characters
    #[arg(long, value_name = "CODE")]
    uscc: Option<String>,

    /// Production (SC) or trading (JY) licence; may be given more than once
    #[arg(long, value_name = "NUMBER")]
    licence: Vec<String>,

    /// Contact, or the household itself; kept encrypted, shown masked
    #[arg(long, value_name = "TEXT")]
    contact_name: Option<String>,

    /// The contact's telephone number
    #[arg(long, value_name = "NUMBER", requires = "contact_name")]
    contact_phone: Option<String>,

    /// A role it gets, e.g. producer, buyer, cold_store; may be given more than once
    #[arg(long, value_name = "ROLE")]
    role: Vec<Role>,

    /// For which area it gets the roles [default: its own]
    #[arg(long, value_name = "AREA")]
    role_area: Option<Area>,

    /// The ledger keeps its key
    #[arg(long, conflicts_with = "own_key")]
    hosted: bool,

    /// File of its own key; made if it is not there
    #[arg(long, value_name = "FILE")]
    own_key: Option<PathBuf>,

    /// Which device the key is on; public, nothing personal
    #[arg(long, value_name = "TEXT")]
    device: Option<String>,
}

/// Somebody to be registered.
#[derive(Debug, Clone)]
pub struct Newcomer {
    /// What kind of person.
    pub category: EntityCategory,
    /// Registered name; none for a household.
    pub name: Option<String>,
    /// Where.
    pub area: Area,
    /// Address below the area.
    pub place: Option<String>,
    /// Unified social credit code.
    pub uscc: Option<String>,
    /// Licences.
    pub licences: Vec<String>,
    /// The contact, or the household itself.
    pub contact: Option<Person>,
    /// Roles, each for an area.
    pub roles: Vec<(Role, Area)>,
    /// Which device the key is on.
    pub device: Option<String>,
}

/// Where the first key comes from.
#[derive(Debug, Clone)]
pub enum Enrolment {
    /// The ledger keeps a fresh one.
    Hosted,
    /// It lies in this file, or is made there.
    Own(PathBuf),
    /// There is none yet.
    None,
}

/// Who was registered.
#[derive(Debug, Clone)]
pub struct Registered {
    /// The entity's id.
    pub entity: EntityId,
    /// Its key.
    pub key: Option<KeyId>,
    /// The person named.
    pub person: Option<PersonId>,
    /// Index of the registration.
    pub index: Option<u64>,
}

impl AddEntity {
    fn run(self, manner: &Manner) -> Result<(), Failure> {
        let role_area = self.role_area.unwrap_or(self.area);
        let newcomer = Newcomer {
            category: self.category.into(),
            name: self.name.as_deref().map(normalise),
            area: self.area,
            place: self.place.as_deref().map(normalise),
            uscc: self.uscc,
            licences: self.licence,
            contact: self.contact_name.as_deref().map(|name| Person {
                name: normalise(name),
                phone: self.contact_phone.clone(),
                identity_number: None,
            }),
            roles: self.role.iter().map(|role| (*role, role_area)).collect(),
            device: self.device,
        };
        let enrolment = match (self.hosted, self.own_key) {
            (true, _) => Enrolment::Hosted,
            (false, Some(path)) => Enrolment::Own(path),
            (false, None) => Enrolment::None,
        };
        let mut session = self.speaking.open(manner)?;
        let outcome = newcomer.register(&mut session, &enrolment);
        session.close()?;
        let made = outcome?;
        let value = json!({
            "entity": made.entity.to_string(),
            "key_id": made.key.map(|key| key.to_string()),
            "person": made.person.map(|person| person.to_string()),
            "index": made.index,
        });
        manner.tell(&value, || {
            let mut rows = vec![vec![
                manner.of("entity", "主体编号").to_owned(),
                made.entity.to_string(),
            ]];
            if let Some(key) = made.key {
                rows.push(vec![
                    manner.of("key id", "密钥编号").to_owned(),
                    key.to_string(),
                ]);
            }
            if let Some(person) = made.person {
                rows.push(vec![
                    manner.of("person", "个人编号").to_owned(),
                    person.to_string(),
                ]);
            }
            super::manner::table(&rows)
        })
    }
}

impl Newcomer {
    /// Registers, enrols and grants, all or nothing.
    ///
    /// # Errors
    /// As a rule or the machine refuses.
    pub fn register(
        &self,
        session: &mut Session,
        enrolment: &Enrolment,
    ) -> Result<Registered, Failure> {
        if let (Place::Server(remote), Voice::Token) = (&session.place, &session.voice) {
            return self.register_by_token(remote, enrolment);
        }
        let entity = EntityId::from_bytes(machine::random());
        let (registration, person) = self.registration(entity)?;
        let mut said = vec![registration];
        let mut key = None;
        match enrolment {
            Enrolment::None => {}
            Enrolment::Own(path) => {
                let own = match path.exists() {
                    true => keyfile::read(path)?,
                    false => keyfile::make(path)?,
                };
                let origin = session.origin()?;
                key = Some(own.public().id());
                said.push(Said::bare(KeyEnrolled {
                    device: self.device.clone(),
                    ..key_enrolled(&origin, entity, &own, false)
                }));
            }
            Enrolment::Hosted => {
                let origin = session.origin()?;
                let Place::Local(local) = &session.place else {
                    return Err(Failure::Usage(
                        "a server keeps keys by its token: give --token-file FILE".to_owned(),
                    ));
                };
                let seed = Zeroizing::new(machine::random::<32>());
                let own = SigningKey::from_seed(*seed);
                // Kept first: were it enrolled first and then lost, the entity
                // would have a key that nobody holds.
                let hosted = local.ledger().host_key(entity, seed, machine::random());
                key = Some(hosted.map_err(|error| {
                    Failure::Machine(format!(
                        "{error}; hosting keys needs --kek-file or TRACE_KEK"
                    ))
                })?);
                said.push(Said::bare(KeyEnrolled {
                    device: self.device.clone(),
                    ..key_enrolled(&origin, entity, &own, true)
                }));
            }
        }
        for (role, area) in &self.roles {
            said.push(Said::bare(RoleGranted {
                entity,
                role: *role,
                area: (*area).into(),
                acted_by: None,
                countersignatures: Vec::new(),
            }));
        }
        let stands = session
            .admit(said)
            .map_err(|Denied { failure, .. }| failure)?;
        Ok(Registered {
            entity,
            key,
            person,
            index: stands.first().map(|first| first.index),
        })
    }

    /// By an authority's token: the server draws the id, and keeps the key where
    /// one is wanted.
    fn register_by_token(
        &self,
        remote: &Remote,
        enrolment: &Enrolment,
    ) -> Result<Registered, Failure> {
        if let Enrolment::Own(_) = enrolment {
            let why = "a token enrols no --own-key: give --key FILE with the authority's own key";
            return Err(Failure::Usage(why.to_owned()));
        }
        let person = self.contact.as_ref().map(|contact| {
            let person = PersonId(machine::random());
            let order = json!({
                "person": person.to_string(),
                "name": contact.name,
                "phone": contact.phone,
                "identity_number": contact.identity_number,
            });
            (person, order)
        });
        let role = |(role, area): &(Role, Area)| json!({"role": role, "area": area.to_string()});
        let order = json!({
            "category": self.category,
            "name": self.name,
            "area": self.area.to_string(),
            "place": self.place,
            "uscc": self.uscc,
            "licences": self.licences,
            "person": person.as_ref().map(|(_, order)| order),
            "roles": self.roles.iter().map(role).collect::<Vec<_>>(),
            "hosted_key": matches!(enrolment, Enrolment::Hosted),
        });
        let made = remote.register(&order);
        let (answer, stands) = made.map_err(|Denied { failure, .. }| failure)?;
        let text = |name| at(&answer, name).as_str();
        Ok(Registered {
            entity: EntityId::parse(text("/entity").unwrap_or_default())?,
            key: text("/key").map(str::parse).transpose()?,
            person: person.map(|(person, _)| person),
            index: stands.first().map(|first| first.index),
        })
    }

    fn registration(&self, entity: EntityId) -> Result<(Said, Option<PersonId>), Failure> {
        let mut openings = Openings::default();
        let mut persons = Vec::new();
        if let Some(contact) = &self.contact {
            let (person, opening) = named(contact)?;
            persons.push(person);
            openings.persons.push(opening);
        }
        let person = persons.first().map(|person| person.person);
        let body = EntityRegistered {
            entity,
            category: self.category,
            name: self.name.clone(),
            area: self.area.into(),
            place: self.place.clone(),
            uscc: self.uscc.as_deref().map(StatedUscc::read).transpose()?,
            licences: self
                .licences
                .iter()
                .map(|number| StatedLicence::read(number))
                .collect::<Result<_, _>>()?,
            persons,
            acted_by: None,
            countersignatures: Vec::new(),
        };
        let said = Said {
            body: body.into(),
            openings,
        };
        Ok((said, person))
    }
}

/// A person under a fresh random id, with the section that opens it.
///
/// # Errors
/// When a text is not plain; its content is not told.
pub fn named(person: &Person) -> Result<(PersonRef, Opening), Failure> {
    person.check()?;
    let opening = Opening::new(machine::random(), person);
    let named = PersonRef {
        person: PersonId(machine::random()),
        commitment: opening.commitment(),
    };
    Ok((named, opening))
}
