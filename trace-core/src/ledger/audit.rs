//! The audit: replays a ledger's log and checks everything again, on a copy.
//!
//! - every entry decodes, is of a known kind, in canonical bytes, about the
//!   subjects that follow from it; its leaf and the stored tree are what a tree
//!   grown anew makes;
//! - every signature verifies (`verify_strict`) under a key that the log itself
//!   enrolled before;
//! - sequences and hash links have no gap, admission times never go back, no
//!   record stands twice, no request was answered twice;
//! - every rule is judged again over the state before the entry, with the trade
//!   sections of the annex;
//! - the root is the last signed checkpoint's, and whatever checkpoint somebody
//!   outside holds is one that this log extends; whatever statement of
//!   completeness somebody holds names exactly the records that are there;
//! - the derived tables are what a fold made anew holds, byte for byte;
//! - the readings of every sealed segment are what its record binds: how many,
//!   first and last, coldest and warmest, and the root over all; what is not sealed
//!   can be read; every document is the one that its name says.
//!
//! Not checked: personal sections, whose openings are closed or gone (no rule
//! reads them; that they are *there* is counted), and files of keys, which are
//! not read. The folder of the ledger is only read: a checking engine writes,
//! so it works on a copy in a folder that the caller gives and takes away. A
//! ledger in use is refused: audit a backup of it.
//!
//! What passes proves nothing of records that were never admitted.

mod beside;
mod derived;
mod replay;
mod stated;
mod verifying;

pub use beside::{DocumentsAudited, ReadingsAudited};
pub use derived::DerivedTables;

use super::checkpoints::{LAST_CHECKPOINT, contradiction};
use super::folded::Folded;
use super::log::{self, LogView};
use super::opening::{INDEX, LOG};
use super::readings::READINGS_FILE;
use crate::error::{Rule, Store, Verify};
use crate::proof::checkpoint::{SignedCheckpoint, VerifiedCheckpoint};
use crate::proof::note::VerifierKey;
use crate::record::{Body, Entry, Hash, Origin};
use crate::store::overlay::{self, Index, Merging};
use crate::store::redb::Database;
use crate::store::table::Check;
use std::collections::BTreeMap;
use std::fs::{File, TryLockError};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

/// How to audit.
#[derive(Debug, Clone)]
pub struct Options {
    /// The ledger's key; its name is the origin.
    pub key: VerifierKey,
    /// Where the copy is made and checked: an empty folder with room for the
    /// ledger and its index twice. It is the caller's to remove.
    pub temporary: PathBuf,
    /// The folder of the last-checkpoint file; none is the ledger's own.
    pub checkpoint_folder: Option<PathBuf>,
    /// What others hold.
    pub held: Vec<Held>,
    /// How many threads verify signatures; one more replays.
    pub threads: NonZeroUsize,
    /// About how much memory the replayed state may take, in bytes; what is
    /// beyond goes to the temporary folder.
    pub memory_bytes: usize,
}

impl Options {
    /// An audit under this key, with a verifying thread for each core.
    #[must_use]
    pub fn new(key: VerifierKey, temporary: PathBuf) -> Self {
        Self {
            key,
            temporary,
            checkpoint_folder: None,
            held: Vec::new(),
            threads: std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
            memory_bytes: 512 << 20,
        }
    }
}

/// What somebody outside the ledger holds: a checkpoint by itself, or the one
/// within a receipt, or a bundle's with its statement of completeness.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// What to call it, e.g. the file it came from.
    pub name: String,
    /// The checkpoint's signed note.
    pub note: String,
    /// The signed note by which the ledger states that nothing was left out.
    pub statement: Option<String>,
}

/// What a sound ledger was found to hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditReport {
    /// The ledger.
    pub origin: Origin,
    /// How many entries.
    pub size: u64,
    /// The root over them, which the last checkpoint extends to.
    pub root: Hash,
    /// The size of the last signed checkpoint; a crash may leave it behind.
    pub last_checkpoint_size: u64,
    /// Signatures of records that verified.
    pub signatures: u64,
    /// Keys that the log enrolled, root keys among them.
    pub keys: u64,
    /// Records of each kind.
    pub kinds: BTreeMap<&'static str, u64>,
    /// Personal sections that are there, encrypted; they are not opened.
    pub personal_sections: u64,
    /// Personal sections that are gone: erased, or not re-supplied.
    pub personal_sections_gone: u64,
    /// How the derived tables compare.
    pub derived: DerivedTables,
    /// Checkpoints held by others that this log extends.
    pub held: usize,
    /// The readings beside the log.
    pub readings: ReadingsAudited,
    /// The documents beside the log.
    pub documents: DocumentsAudited,
}

/// The first record that is not as it should be, or the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// Its index; none when the damage is in no record.
    pub index: Option<u64>,
    /// Its hash, where its bytes can be read.
    pub hash: Option<Hash>,
    /// The rule it breaks, where it is one.
    pub rule: Option<Rule>,
    /// What was found and what was wanted.
    pub why: String,
}

impl std::fmt::Display for Damage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(index) = self.index {
            write!(f, "record {index}")?;
            if let Some(hash) = self.hash {
                write!(f, " ({hash})")?;
            }
            f.write_str(": ")?;
        }
        match self.rule {
            Some(rule) => write!(f, "{}: {}", rule.code(), self.why),
            None => f.write_str(&self.why),
        }
    }
}

/// Why a ledger did not pass.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuditFailed {
    /// Something stored is not what was admitted, or should not have been.
    #[error("damaged: {0}")]
    Damaged(Box<Damage>),
    /// The log is older than what it signed.
    #[error("rollback: {0}")]
    Rollback(String),
    /// The log is another one than what it signed, or holds what it signed to be
    /// absent.
    #[error("fork: {0}")]
    Fork(String),
    /// This is another ledger, or the key is another's.
    #[error("wrong ledger or key: {0}")]
    WrongLedger(String),
    /// Something needed cannot be read; says nothing of the ledger.
    #[error("cannot read: {0}")]
    CannotRead(String),
}

impl AuditFailed {
    /// The exit code that stands for it; 0 is a sound ledger, 2 a wrong usage.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Damaged(_) => 1,
            Self::Rollback(_) => 3,
            Self::Fork(_) => 4,
            Self::WrongLedger(_) => 5,
            Self::CannotRead(_) => 6,
        }
    }

    fn damaged(why: String) -> Self {
        Self::Damaged(Box::new(Damage {
            index: None,
            hash: None,
            rule: None,
            why,
        }))
    }

    /// What a piece of evidence says that is not `Ok`.
    fn of_evidence(name: &str, error: Verify) -> Self {
        match error {
            Verify::Rollback { why } => Self::Rollback(why),
            Verify::Fork { why } => Self::Fork(why),
            Verify::WrongLedger { found, wanted } => {
                Self::WrongLedger(format!("{name}: found {found}, wanted {wanted}"))
            }
            other => Self::CannotRead(format!("{name}: {other}")),
        }
    }
}

impl From<Store> for AuditFailed {
    fn from(error: Store) -> Self {
        match error {
            Store::Damaged { what } => Self::damaged(what),
            other => Self::CannotRead(other.to_string()),
        }
    }
}

/// Audits the ledger in `folder`, which is left as it is. `progress` is told
/// how many of how many entries are done.
///
/// # Errors
/// [`AuditFailed`], naming the first bad record.
pub fn audit(
    folder: &Path,
    options: &Options,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<AuditReport, AuditFailed> {
    let key = &options.key;
    let origin = Origin::parse(key.name())
        .map_err(|error| AuditFailed::WrongLedger(format!("the key's name: {}", error.what)))?;
    let last_path = options
        .checkpoint_folder
        .as_deref()
        .unwrap_or(folder)
        .join(LAST_CHECKPOINT);
    let last = last_checkpoint(&last_path, key)?;
    let held = options.held.iter().map(|held| {
        let opened = SignedCheckpoint::open_cosigned(&held.note, key);
        opened
            .map(|checkpoint| (held.name.as_str(), checkpoint))
            .map_err(|error| AuditFailed::of_evidence(&held.name, error))
    });
    let held = held.collect::<Result<Vec<_>, _>>()?;
    let stated = options.held.iter().map(|held| {
        let opened = stated::opened(held, key)?;
        Ok(opened.map(|statement| (held.name.as_str(), statement)))
    });
    let stated = stated.collect::<Result<Vec<_>, AuditFailed>>()?;
    let copied = copy(folder, &options.temporary)?;

    let cache_bytes = (options.memory_bytes / 4).max(1 << 20);
    let database = Database::open(
        &options.temporary.join(LOG),
        log::TABLES,
        Check::Full,
        cache_bytes,
    )?;
    let log = LogView::new(database.snapshot()?);
    let size = log.size()?;
    is_of_this_ledger(&log, size, &origin, key)?;
    let settings = overlay::Settings {
        cache_bytes,
        merge_threshold_bytes: options.memory_bytes / 4,
        merging: Merging::OwnThread,
    };
    let kept = copied.index.then(|| {
        let path = options.temporary.join(INDEX);
        // each of its rows is compared anyway
        Index::open(&path, Check::Quick, settings)
    });
    let fresh = Index::create(&options.temporary.join("fresh.redb"), settings)?;
    let mut found = replay::Replay::new(&origin, &log, fresh, kept).run(size, options, progress)?;
    found.report.last_checkpoint_size = match &last {
        Some(last) => last.size(),
        None => {
            return Err(AuditFailed::CannotRead(format!(
                "{}: missing; the {size} entries are sound, but nothing here says that they are all: \
                 supply the last checkpoint that this ledger signed",
                last_path.display()
            )));
        }
    };
    let last = last
        .iter()
        .map(|last| ("the last signed checkpoint", last))
        .chain(held.iter().map(|(name, held)| (*name, held)));
    for (name, checkpoint) in last {
        if let Some(verdict) = contradiction(name, checkpoint, &log, size)? {
            return Err(AuditFailed::of_evidence(name, verdict));
        }
    }
    for (name, statement) in stated.iter().flatten() {
        let contradiction = stated::contradiction(name, statement.statement(), &log, size)?;
        if let Some(verdict) = contradiction {
            return Err(AuditFailed::of_evidence(name, verdict));
        }
    }
    found.report.held = held.len();
    found.report.derived = found.derived?;
    let readings = copied
        .readings
        .then(|| options.temporary.join(READINGS_FILE));
    let folded = Folded::new(found.fresh.view());
    found.report.readings = beside::readings(&folded, readings.as_deref())?;
    found.report.documents = beside::documents(&folded, folder)?;
    Ok(found.report)
}

/// The last-checkpoint file, which must be of this ledger where it is there.
fn last_checkpoint(
    path: &Path,
    key: &VerifierKey,
) -> Result<Option<VerifiedCheckpoint>, AuditFailed> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Store::io("read", path)(error).into()),
    };
    let name = path.display().to_string();
    let note = String::from_utf8(bytes)
        .map_err(|_| AuditFailed::damaged(format!("{name} is not text")))?;
    SignedCheckpoint::open(&note, key)
        .map(Some)
        .map_err(|error| match error {
            Verify::WrongLedger { .. } => AuditFailed::of_evidence(&name, error),
            // the ledger wrote this file itself
            other => AuditFailed::damaged(format!("{name}: {other}")),
        })
}

/// Which files there are beside the log.
struct Copied {
    index: bool,
    readings: bool,
}

/// Copies log, index and readings, all held still meanwhile.
fn copy(folder: &Path, temporary: &Path) -> Result<Copied, AuditFailed> {
    let log = hold_still(&folder.join(LOG))?.ok_or_else(|| Store::Place {
        path: folder.into(),
        why: "there is no ledger here".into(),
    })?;
    let index = hold_still(&folder.join(INDEX))?;
    let readings = hold_still(&folder.join(READINGS_FILE))?;
    copy_file(folder, temporary, LOG)?;
    for (held, name) in [(&index, INDEX), (&readings, READINGS_FILE)] {
        if held.is_some() {
            copy_file(folder, temporary, name)?;
        }
    }
    drop(log);
    Ok(Copied {
        index: index.is_some(),
        readings: readings.is_some(),
    })
}

/// Takes the engine's own lock, so that no writer moves the file while it is
/// copied; that neither writes to it nor makes another file.
fn hold_still(path: &Path) -> Result<Option<File>, Store> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Store::io("open", path)(error)),
    };
    match file.try_lock_shared() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Err(Store::Place {
            path: path.into(),
            why:
                "another process has this ledger open; stop it, or restore a backup and audit that"
                    .into(),
        }),
        Err(TryLockError::Error(error)) => Err(Store::io("lock", path)(error)),
    }
}

fn copy_file(from: &Path, to: &Path, name: &str) -> Result<(), Store> {
    let (from, to) = (from.join(name), to.join(name));
    if to.symlink_metadata().is_ok() {
        return Err(Store::Place {
            path: to,
            why: "something is here already; give an empty folder".into(),
        });
    }
    std::fs::copy(&from, &to)
        .map(|_| ())
        .map_err(Store::io("copy to", &to))
}

/// The first record says whose ledger this is; what cannot be read of it is
/// left to the replay, which names it.
fn is_of_this_ledger(
    log: &LogView,
    size: u64,
    origin: &Origin,
    key: &VerifierKey,
) -> Result<(), AuditFailed> {
    let first = match size {
        0 => None,
        _ => log.entry_bytes(0)?,
    };
    let Some(first) = first.and_then(|bytes| Entry::decode(&bytes).ok()) else {
        return Ok(());
    };
    let found = &first.signed.statement().origin;
    if found != origin {
        return Err(AuditFailed::WrongLedger(format!(
            "the first record is of {found}, the key of {origin}"
        )));
    }
    match first.signed.body() {
        Ok(Body::LedgerOpened(body)) if body.ledger_key.0 != *key.public().as_bytes() => {
            Err(AuditFailed::WrongLedger(format!(
                "the first record names ledger key {}, wanted {}",
                body.ledger_key,
                key.public()
            )))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
