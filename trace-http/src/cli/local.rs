//! A ledger in a folder, worked on by this very process: no server may have it
//! open meanwhile.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use clap::Args;
use trace_core::{
    ledger::{
        Ledger, Opened, Settings, View,
        hosted::Kek,
        job::{Admitted, Item, Job, Outcome},
        opening,
        sequencer::Sequencer,
        vault::{Vault, VaultReader},
    },
    proof::anchor::Anchor,
    store::disk::RealDisk,
};

use super::{Failure, Manner};
use crate::{
    home::{self, Home},
    machine,
    settings::{KEY_VARIABLE, Key, KeyError},
};

/// Which ledger.
#[derive(Debug, Clone, Args)]
pub struct DataFolder {
    /// Folder of the ledger
    #[arg(
        long,
        env = "TRACE_DATA",
        value_name = "FOLDER",
        default_value = "./ledger"
    )]
    pub data: PathBuf,

    /// Folder of the last signed checkpoint, where it is not the ledger's own
    #[arg(long, env = "TRACE_CHECKPOINTS", value_name = "FOLDER")]
    pub checkpoints: Option<PathBuf>,
}

impl DataFolder {
    /// How a ledger in this folder is opened.
    #[must_use]
    pub fn settings(&self) -> Settings {
        Settings {
            checkpoint_folder: self.checkpoints.clone(),
            ..Settings::default()
        }
    }
}

/// The key-encryption key, from a file or from the environment.
///
/// # Errors
/// [`KeyError`] when both are given, or what is given is no key.
pub fn key_encryption_key(file: Option<&Path>) -> Result<Option<Kek>, KeyError> {
    let key = Key::given(file, std::env::var_os(KEY_VARIABLE).as_deref())?;
    Ok(key.and_then(|key| key.kek()))
}

/// Why an item of a request was not admitted, and which.
#[derive(Debug)]
pub struct Denied {
    /// The item's place in the request, where one is to blame.
    pub place: Option<usize>,
    /// Why.
    pub failure: Failure,
}

impl<F: Into<Failure>> From<F> for Denied {
    fn from(failure: F) -> Self {
        Self {
            place: None,
            failure: failure.into(),
        }
    }
}

/// A ledger being written.
pub struct Local {
    home: Home,
    ledger: Ledger,
    fatal: Arc<Mutex<Option<String>>>,
}

impl Local {
    /// Opens the ledger in a folder and starts its writer.
    ///
    /// # Errors
    /// [`Failure::Machine`] when there is none, when it is in use, or when it
    /// opens read-only.
    pub fn open(folder: &DataFolder, kek: Option<Kek>) -> Result<Self, Failure> {
        let (home, opened) = Home::open(&folder.data, kek, folder.settings())?;
        match opened {
            Opened::Writable(sequencer) => Self::start(home, *sequencer, machine::clock()),
            Opened::ReadOnly { why, .. } => Err(Failure::Machine(format!("read-only: {why}"))),
        }
    }

    /// Starts the writer of a ledger that was just made or opened.
    ///
    /// # Errors
    /// [`Failure::Machine`].
    pub fn start(
        home: Home,
        sequencer: Sequencer,
        clock: trace_core::ledger::writer::Clock,
    ) -> Result<Self, Failure> {
        let fatal = Arc::new(Mutex::new(None));
        let told = Arc::clone(&fatal);
        let ledger = Ledger::start(sequencer, clock, move |why| {
            *told.lock().unwrap_or_else(PoisonError::into_inner) = Some(why);
        })?;
        Ok(Self {
            home,
            ledger,
            fatal,
        })
    }

    /// The ledger's folder and key.
    #[must_use]
    pub fn home(&self) -> &Home {
        &self.home
    }

    /// The ledger.
    #[must_use]
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// The trust anchor of readers.
    ///
    /// # Errors
    /// When there is no first record.
    pub fn anchor(&self) -> Result<Anchor, Failure> {
        Ok(self.home.anchor(home::leaf0(&self.ledger.view())?))
    }

    /// Admits items whole or not at all, and waits until they are durable.
    ///
    /// # Errors
    /// [`Denied`], naming the item.
    pub fn admit(&self, items: Vec<Item>) -> Result<Vec<Admitted>, Denied> {
        let job = Job {
            items,
            atomic: true,
            request: None,
        };
        let answered = match self.ledger.submit_and_wait(job) {
            Ok(answered) => answered,
            Err(error) => {
                let fatal = self.fatal.lock().unwrap_or_else(PoisonError::into_inner);
                return Err(match &*fatal {
                    Some(why) => Failure::Machine(why.clone()).into(),
                    None => error.into(),
                });
            }
        };
        admitted(answered.outcomes)
    }

    /// Closes the ledger, so that it opens quickly.
    ///
    /// # Errors
    /// [`Failure::Machine`]; what was admitted is safe.
    pub fn close(self) -> Result<(), Failure> {
        Ok(self.ledger.stop()?)
    }
}

/// What became of an atomic request: all places, or the one to blame.
pub fn admitted(outcomes: Vec<Outcome>) -> Result<Vec<Admitted>, Denied> {
    use trace_core::error::Rule;
    let mut places = Vec::with_capacity(outcomes.len());
    let mut blamed: Option<Denied> = None;
    for (place, outcome) in outcomes.into_iter().enumerate() {
        match outcome {
            Outcome::Admitted(admitted) => places.push(admitted),
            Outcome::Refused(refusal) => {
                let is_to_blame = refusal.invalid.rule != Rule::Group;
                if is_to_blame || blamed.is_none() {
                    blamed = Some(Denied {
                        place: Some(place),
                        failure: refusal.invalid.into(),
                    });
                    if is_to_blame {
                        break;
                    }
                }
            }
            Outcome::Unavailable(why) => {
                return Err(Failure::Machine(format!(
                    "{why}; if it is right, say so with --confirm-clock"
                ))
                .into());
            }
        }
    }
    match blamed {
        None => Ok(places),
        Some(denied) => Err(denied),
    }
}

/// A ledger being read: nothing is written but what opening it needs.
pub struct Reading {
    /// The ledger's folder and key.
    pub home: Home,
    /// What it holds.
    pub view: View,
    /// Opens personal sections.
    pub vault: VaultReader,
    /// Keeps the files open; dropped last.
    _sequencer: Option<Box<Sequencer>>,
}

impl Reading {
    /// Opens the ledger in a folder to be read, also one that cannot be written.
    ///
    /// # Errors
    /// [`Failure::Machine`] when there is none, it is in use, or not even
    /// readable.
    pub fn open(folder: &DataFolder, manner: &Manner) -> Result<Self, Failure> {
        let (home, opened) = Home::open(&folder.data, None, folder.settings())?;
        match opened {
            Opened::Writable(sequencer) => {
                let (view, vault) = (sequencer.view(), sequencer.vault_reader());
                Ok(Self {
                    home,
                    view,
                    vault,
                    _sequencer: Some(sequencer),
                })
            }
            Opened::ReadOnly {
                view: Some(view),
                why,
                ..
            } => {
                manner.remark(
                    &format!("This ledger opens read-only: {why}"),
                    &format!("账本只读:{why}"),
                );
                let vault = Vault::open(Arc::new(RealDisk), &folder.data.join(opening::VAULT))?;
                Ok(Self {
                    home,
                    view: *view,
                    vault: vault.reader(),
                    _sequencer: None,
                })
            }
            Opened::ReadOnly {
                view: None, why, ..
            } => Err(Failure::Machine(format!("nothing can be read: {why}"))),
        }
    }
}
