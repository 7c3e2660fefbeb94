//! Who says something, and to which ledger: an own key in a file, a key that
//! the ledger keeps for its holder, or a token at a server.

use std::path::{Path, PathBuf};

use clap::Args;
use trace_core::{
    ident::EntityId,
    ledger::job::Item,
    record::{
        Body, Hash, Origin,
        chain::{Chain, countersign},
        rights::Registry,
        section::Openings,
        sign::SigningKey,
        submission::Submission,
        wire::Countersignature,
    },
};

use super::{
    Failure, Manner, keyfile,
    local::{DataFolder, Denied, Local, key_encryption_key},
    remote::Remote,
};
use crate::machine;

/// Where to say something, and as whom.
#[derive(Debug, Clone, Args)]
pub struct Speaking {
    #[command(flatten)]
    folder: DataFolder,

    /// Say it to the server at this address instead of a folder
    #[arg(long, env = "TRACE_SERVER", value_name = "URL")]
    server: Option<String>,

    /// File of the key that signs, as `trace key new` makes it
    #[arg(long, env = "TRACE_KEY", value_name = "FILE")]
    key: Option<PathBuf>,

    /// File of another key that agrees: a second root key, or an authority's for
    /// a late certificate; may be given more than once
    #[arg(long, value_name = "FILE", requires = "key")]
    countersign: Vec<PathBuf>,

    /// In whose name a key kept in the folder signs
    #[arg(long = "as", value_name = "ENTITY", conflicts_with_all = ["key", "server"])]
    entity: Option<EntityId>,

    /// File with the key-encryption key of the keys kept in the folder;
    /// TRACE_KEK may hold it instead
    #[arg(long, env = "TRACE_KEK_FILE", value_name = "FILE")]
    kek_file: Option<PathBuf>,

    /// File with the bearer token for the server; TRACE_TOKEN may hold it instead
    #[arg(long, value_name = "FILE", requires = "server", conflicts_with = "key")]
    token_file: Option<PathBuf>,

    /// Say that the machine's clock is right although it jumped
    #[arg(long, conflicts_with = "server")]
    confirm_clock: bool,
}

/// A body with what opens its sections.
#[derive(Debug, Clone)]
pub struct Said {
    /// What is said.
    pub body: Body,
    /// What opens its sections.
    pub openings: Openings,
}

impl Said {
    /// A body without sections.
    #[must_use]
    pub fn bare(body: impl Into<Body>) -> Self {
        Self {
            body: body.into(),
            openings: Openings::default(),
        }
    }
}

/// A record that stands in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stands {
    /// Its index.
    pub index: u64,
    /// Its hash.
    pub hash: Hash,
}

/// Who signs.
#[derive(Debug)]
pub enum Voice {
    /// A key at hand, and those that agree.
    Own {
        /// It signs.
        key: Box<SigningKey>,
        /// They countersign.
        agreeing: Vec<SigningKey>,
    },
    /// The newest key in force that the ledger keeps for this entity.
    Hosted(EntityId),
    /// Whoever the server's token stands for.
    Token,
}

/// To which ledger.
pub enum Place {
    /// In a folder, held by this process.
    Local(Box<Local>),
    /// Behind a server.
    Server(Box<Remote>),
}

/// A ledger that is being spoken to.
pub struct Session {
    /// Where it is.
    pub place: Place,
    /// Who speaks.
    pub voice: Voice,
}

impl Speaking {
    /// The folder of the ledger.
    #[must_use]
    pub fn folder(&self) -> &DataFolder {
        &self.folder
    }

    /// The server's address, where there is one.
    #[must_use]
    pub fn server(&self) -> Option<&str> {
        self.server.as_deref()
    }

    /// The file of the token.
    #[must_use]
    pub fn token_file(&self) -> Option<&Path> {
        self.token_file.as_deref()
    }

    /// Opens the ledger and finds the voice.
    ///
    /// # Errors
    /// [`Failure::Usage`] when nobody is named to sign; otherwise as opening.
    pub fn open(&self, manner: &Manner) -> Result<Session, Failure> {
        let own = || -> Result<Option<Voice>, Failure> {
            let Some(path) = &self.key else {
                return Ok(None);
            };
            let agreeing = self.countersign.iter().map(|path| keyfile::read(path));
            Ok(Some(Voice::Own {
                key: Box::new(keyfile::read(path)?),
                agreeing: agreeing.collect::<Result<_, _>>()?,
            }))
        };
        if let Some(address) = &self.server {
            let token = super::token::text(self.token_file.as_deref())?;
            let voice = match own()? {
                Some(voice) => voice,
                None if token.is_some() => Voice::Token,
                None => {
                    return Err(Failure::usage(
                        manner,
                        "who signs? give --key FILE with your own key, or --token-file FILE",
                        "由谁签名?请用 --key FILE 给出自有密钥,或用 --token-file FILE 给出令牌",
                    ));
                }
            };
            let remote = Remote::new(address, token, manner.language())?;
            return Ok(Session {
                place: Place::Server(Box::new(remote)),
                voice,
            });
        }
        let voice = match (own()?, self.entity) {
            (Some(voice), _) => voice,
            (None, Some(entity)) => Voice::Hosted(entity),
            (None, None) => {
                return Err(Failure::usage(
                    manner,
                    "who signs? give --key FILE with your own key, or --as ENTITY for a key kept in the folder",
                    "由谁签名?请用 --key FILE 给出自有密钥,或用 --as ENTITY 使用账本代管的密钥",
                ));
            }
        };
        let kek = key_encryption_key(self.kek_file.as_deref())?;
        let local = Local::open(&self.folder, kek)?;
        if self.confirm_clock {
            local.ledger().confirm_clock()?;
        }
        Ok(Session {
            place: Place::Local(Box::new(local)),
            voice,
        })
    }
}

impl Session {
    /// A ledger in a folder that is open already.
    #[must_use]
    pub fn local(local: Local, voice: Voice) -> Self {
        Self {
            place: Place::Local(Box::new(local)),
            voice,
        }
    }

    /// The ledger's name.
    ///
    /// # Errors
    /// When the server does not say.
    pub fn origin(&mut self) -> Result<Origin, Failure> {
        match &mut self.place {
            Place::Local(local) => Ok(local.home().origin().clone()),
            Place::Server(remote) => remote.origin(),
        }
    }

    /// Who signs, and where that entity is; unknown to a client of a server.
    ///
    /// # Errors
    /// When the key is not enrolled.
    pub fn signer(&self) -> Result<Option<(EntityId, Option<u32>)>, Failure> {
        let Place::Local(local) = &self.place else {
            return Ok(None);
        };
        let view = local.ledger().view();
        let entity = match &self.voice {
            Voice::Hosted(entity) => *entity,
            Voice::Own { key, .. } => {
                let id = key.public().id();
                let state = view.key(&id)?.ok_or_else(|| {
                    trace_core::error::Invalid::new(
                        trace_core::error::Rule::KeyUnknown,
                        format!("key {id} is not enrolled"),
                    )
                })?;
                state.entity
            }
            Voice::Token => return Ok(None),
        };
        let state = view.folded().entity(&entity)?;
        Ok(Some((entity, state.map(|state| state.area))))
    }

    /// Says all of it or nothing; where it then stands.
    ///
    /// # Errors
    /// [`Denied`], naming the place of what was refused.
    pub fn admit(&mut self, said: Vec<Said>) -> Result<Vec<Stands>, Denied> {
        match (&mut self.place, &self.voice) {
            (Place::Local(local), Voice::Own { key, agreeing }) => {
                let id = key.public().id();
                let state = local.ledger().view().folded().chain(&id)?;
                let mut chain = chain(local.home().origin().clone(), key);
                chain.resume(state.sequence, state.link);
                let submissions = sign(&mut chain, agreeing, said);
                let verified = local.ledger().verify(submissions);
                let items = verified.into_iter().enumerate().map(|(place, item)| {
                    item.map_err(|refusal| Denied {
                        place: Some(place),
                        failure: refusal.invalid.into(),
                    })
                });
                let items = items.collect::<Result<Vec<_>, _>>()?;
                stands(local, items)
            }
            (Place::Local(local), Voice::Hosted(entity)) => {
                let items = said.into_iter().map(|said| Item::Hosted {
                    entity: *entity,
                    body: Box::new(said.body),
                    openings: said.openings,
                });
                stands(local, items.collect())
            }
            (Place::Server(remote), Voice::Own { key, agreeing }) => {
                let (sequence, link) = remote.chain_state(&key.public().id())?;
                let mut chain = chain(remote.origin()?, key);
                chain.resume(sequence, link);
                remote.send(&sign(&mut chain, agreeing, said))
            }
            (Place::Server(_) | Place::Local(_), _) => Err(Failure::Usage(
                "this needs a key of your own: give --key FILE".to_owned(),
            )
            .into()),
        }
    }

    /// Ends the session.
    ///
    /// # Errors
    /// [`Failure::Machine`]; what was admitted is safe.
    pub fn close(self) -> Result<(), Failure> {
        match self.place {
            Place::Local(local) => local.close(),
            Place::Server(_) => Ok(()),
        }
    }
}

fn stands(local: &Local, items: Vec<Item>) -> Result<Vec<Stands>, Denied> {
    let admitted = local.admit(items)?;
    Ok(admitted
        .into_iter()
        .map(|admitted| Stands {
            index: admitted.index,
            hash: admitted.hash,
        })
        .collect())
}

fn chain(origin: Origin, key: &SigningKey) -> Chain {
    Chain::new(origin, SigningKey::from_seed(*key.seed()))
}

fn sign(chain: &mut Chain, agreeing: &[SigningKey], said: Vec<Said>) -> Vec<Submission> {
    let now_ms = machine::now_ms();
    let sign = |Said { body, openings }| {
        let body = agreed(chain, agreeing, body, now_ms);
        Submission {
            signed: chain.sign(&body, now_ms),
            openings,
        }
    };
    said.into_iter().map(sign).collect()
}

/// The body with the agreement of these keys to what `chain` signs next.
#[must_use]
pub fn agreed(chain: &Chain, agreeing: &[SigningKey], body: Body, now_ms: u64) -> Body {
    if agreeing.is_empty() {
        return body;
    }
    let statement = chain.state(&body, now_ms);
    let given = agreeing
        .iter()
        .map(|key| countersign(key, &statement, &body))
        .collect();
    with_countersignatures(body, given)
}

/// Kinds without a list of countersignatures stay as they are.
fn with_countersignatures(mut body: Body, given: Vec<Countersignature>) -> Body {
    match &mut body {
        Body::LedgerOpened(body) => body.countersignatures = given,
        Body::EntityRegistered(body) => body.countersignatures = given,
        Body::KeyEnrolled(body) => body.countersignatures = given,
        Body::KeyRevoked(body) => body.countersignatures = given,
        Body::RoleGranted(body) => body.countersignatures = given,
        Body::RoleWithdrawn(body) => body.countersignatures = given,
        Body::TemperaturePolicyAdopted(body) => body.countersignatures = given,
        Body::ElectronicTraceabilityCertificate(body) => body.0.countersignatures = given,
        Body::ConformityCertificate2021(body) => body.0.countersignatures = given,
        Body::ConformityCertificate2026Producer(body) => body.0.countersignatures = given,
        Body::ConformityCertificate2026Buyer(body) => body.certificate.countersignatures = given,
        _ => {}
    }
    body
}
