//! A ledger's folder: which files are in it, and how it is made and opened.
//!
//! | file | what it is | if lost | if stolen |
//! |---|---|---|---|
//! | `log.redb` | entries, tree, sealed sections | restore a backup and supply the rest | public, but for trade sections |
//! | `index.redb` | derived tables | made again from the log | as the log |
//! | `last-checkpoint` | the last signed checkpoint | the ledger opens read-only | public |
//! | `ledger.key` | signs checkpoints | the ledger ends; a new one continues it | others can sign forks |
//! | `vault.keys` | keys of personal data | personal data are erased | with the log: personal data |
//! | `hosted.keys` | private keys kept for holders, encrypted | holders enrol new keys | useless without the key-encryption key |
//! | `tokens.log` | hashes of bearer tokens | tokens are made anew | useless |
//! | `invitations.log` | hashes of invitations' codes | who was invited is invited anew | who was invited |
//! | `documents/` | documents that records name, each under its hash | restore a backup, or store them again | what is not published |
//! | `readings.redb` | temperature readings, each segment under a root on the log | restore a backup; else an audit says what is missing, and every verdict shows a gap | public |
//! | `complaints.redb` | complaints and reports, each committed to on the log | they are lost; the log shows how many there were | who complained of what |
//! | `scans.redb` | how often pages were opened, by day and area | counting begins anew | how often what was scanned where |
//! | `mappings/` | what stands where in the files of loggers, by equipment | made anew from a file | names of columns |
//! | `alerts.json` | what receivers of alerts were told, and what waits | what is on is told anew | which probes had alerts |
//! | `lookups.log` | who looked at what | the sealed heads on the ledger show it | who looked at what |

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use trace_core::{
    error::{Store, Verify},
    ledger::{
        Opened, Settings,
        hosted::{HostedKeys, Kek},
        opening::{self, Parts},
        sequencer::Sequencer,
    },
    proof::{
        anchor::Anchor,
        merkle::leaf_hash,
        note::{NoteSigner, VerifierKey},
    },
    record::{Hash, Origin, sign::SigningKey},
    store::{
        disk::{Access, Disk, RealDisk},
        files::{self, LockFile},
    },
};

use crate::machine;

/// The file of the key that signs checkpoints.
pub const LEDGER_KEY: &str = "ledger.key";
/// The file of bearer tokens.
pub const TOKENS: &str = "tokens.log";
/// The file of what receivers of alerts were told.
pub const ALERTS: &str = "alerts.json";
/// The file of full look-ups.
pub const LOOKUPS: &str = "lookups.log";

/// A ledger's folder, held by this process.
#[derive(Debug)]
pub struct Home {
    folder: PathBuf,
    origin: Origin,
    signer: Arc<NoteSigner>,
    _lock: LockFile,
}

/// Why a ledger's folder was not made or opened.
#[derive(Debug, thiserror::Error)]
pub enum HomeError {
    /// The machine, or what lies in the folder.
    #[error(transparent)]
    Store(#[from] Store),
    /// What lies in the folder is of another ledger.
    #[error(transparent)]
    Verify(#[from] Verify),
}

impl Home {
    /// Makes the folder of a new ledger with a fresh signing key, and its empty
    /// log; the first record is still to be admitted.
    ///
    /// # Errors
    /// [`Store::Place`] when there is a ledger already.
    pub fn create(
        folder: &Path,
        origin: Origin,
        key: SigningKey,
        kek: Option<Kek>,
        settings: Settings,
    ) -> Result<(Self, Sequencer), HomeError> {
        std::fs::create_dir_all(folder).map_err(Store::io("create", folder))?;
        let lock = LockFile::acquire(folder)?;
        let path = folder.join(LEDGER_KEY);
        if opening::is_ledger(folder) || path.exists() {
            return Err(Store::Place {
                path: folder.into(),
                why: "there is a ledger already; choose another folder".into(),
            }
            .into());
        }
        let text = key_text(&origin, &key);
        files::replace(&RealDisk, &path, text.as_bytes(), Access::Secret)?;
        let home = Self {
            folder: folder.into(),
            signer: signer(&origin, key)?,
            origin,
            _lock: lock,
        };
        let hosted = home.hosted(kek)?;
        let sequencer = opening::create(folder, settings, home.parts(hosted))?;
        Ok((home, sequencer))
    }

    /// Opens the ledger in `folder`; never makes one.
    ///
    /// # Errors
    /// [`Store::Place`] when there is none or another process holds it,
    /// [`Store::Damaged`] when it cannot be read.
    pub fn open(
        folder: &Path,
        kek: Option<Kek>,
        settings: Settings,
    ) -> Result<(Self, Opened), HomeError> {
        if !opening::is_ledger(folder) {
            let why =
                "there is no ledger here; make one with `trace init`, or see `trace demo`".into();
            return Err(Store::Place {
                path: folder.into(),
                why,
            }
            .into());
        }
        let lock = LockFile::acquire(folder)?;
        let (origin, key) = read_key(&folder.join(LEDGER_KEY))?;
        let home = Self {
            folder: folder.into(),
            signer: signer(&origin, key)?,
            origin,
            _lock: lock,
        };
        let hosted = home.hosted(kek)?;
        let opened = opening::open(folder, settings, home.parts(hosted))?;
        Ok((home, opened))
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The ledger's name.
    #[must_use]
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Signs what the ledger states.
    #[must_use]
    pub fn signer(&self) -> &NoteSigner {
        &self.signer
    }

    /// The same, to be kept beside the folder.
    #[must_use]
    pub fn shared_signer(&self) -> Arc<NoteSigner> {
        Arc::clone(&self.signer)
    }

    fn hosted(&self, kek: Option<Kek>) -> Result<HostedKeys, Store> {
        let Some(kek) = kek else {
            return Ok(HostedKeys::absent());
        };
        let disk: Arc<dyn Disk> = Arc::new(RealDisk);
        let path = self.folder.join(opening::HOSTED);
        match path.exists() {
            true => HostedKeys::open(disk, &path, kek),
            false => HostedKeys::create(disk, &path, kek, machine::random()),
        }
    }

    fn parts(&self, hosted: HostedKeys) -> Parts {
        Parts {
            origin: self.origin.clone(),
            signer: Arc::clone(&self.signer),
            hosted,
            entropy: Box::new(machine::fill_random),
        }
    }

    /// The trust anchor of readers, once the first record is admitted.
    #[must_use]
    pub fn anchor(&self, leaf0: Hash) -> Anchor {
        Anchor {
            ledger_key: self.signer.verifier_key().clone(),
            leaf0,
        }
    }
}

/// The leaf hash of the first entry: half of the trust anchor.
///
/// # Errors
/// When the ledger has no first record, or the store fails.
pub fn leaf0(view: &trace_core::ledger::View) -> Result<Hash, trace_core::ledger::Failed> {
    Ok(leaf_hash(&view.entry(0)?.encode()))
}

/// The verifier key of the ledger whose signing key lies in this file.
///
/// # Errors
/// [`Store::Place`] when it is not there or is no such file.
pub fn verifier_key(path: &Path) -> Result<VerifierKey, Store> {
    let (origin, key) = read_key(path)?;
    Ok(signer(&origin, key)?.verifier_key().clone())
}

fn signer(origin: &Origin, key: SigningKey) -> Result<Arc<NoteSigner>, Store> {
    let signer = NoteSigner::new(origin.as_str(), key);
    signer.map(Arc::new).map_err(|error| Store::Engine {
        what: "read the ledger's key",
        why: error.to_string(),
    })
}

fn key_text(origin: &Origin, key: &SigningKey) -> zeroize::Zeroizing<String> {
    let seed = Hash::from(*key.seed());
    zeroize::Zeroizing::new(format!("trace/ledger-key/v1 {origin} {seed}\n"))
}

fn read_key(path: &Path) -> Result<(Origin, SigningKey), Store> {
    let place = |why: &str| Store::Place {
        path: path.into(),
        why: why.into(),
    };
    let bytes =
        files::read(&RealDisk, path)?.ok_or_else(|| place("the ledger's key is missing"))?;
    let text = zeroize::Zeroizing::new(String::from_utf8(bytes).map_err(|_| place("not text"))?);
    let mut words = text.split_whitespace();
    let (Some("trace/ledger-key/v1"), Some(origin), Some(seed), None) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return Err(place(
            "not a ledger's key: one line `trace/ledger-key/v1 ORIGIN SEED` is wanted",
        ));
    };
    let origin = Origin::parse(origin).map_err(|error| place(&error.to_string()))?;
    let seed =
        Hash::from_hex(seed).ok_or_else(|| place("the seed is not 64 hexadecimal digits"))?;
    Ok((origin, SigningKey::from_seed(seed.into())))
}
