//! The last checkpoint: signed, and kept in a file of its own, in a folder that
//! the operator can put on another disk.
//!
//! A database that lost its last writes reopens cleanly at an older state:
//! rollback is visible only from outside it. So the ledger holds its log
//! against this file before it writes, and signs nothing that does not extend it.

use super::log::LogView;
use crate::error::{Store, Verify};
use crate::proof::checkpoint::{Checkpoint, SignedCheckpoint, VerifiedCheckpoint};
use crate::proof::note::{NoteSigner, VerifierKey};
use crate::record::{Hash, Origin};
use crate::store::disk::{Access, Disk};
use crate::store::files::{self, Replacer};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The file's name within its folder.
pub const LAST_CHECKPOINT: &str = "last-checkpoint";

/// Longest note: three lines of 64, 20 and 44 characters and one signature.
const NOTE_BYTES: usize = 512;

/// Signs checkpoints and keeps the last one.
pub(crate) struct Checkpoints {
    signer: Arc<NoteSigner>,
    origin: Origin,
    file: Replacer,
}

impl Checkpoints {
    /// Keeps the last checkpoint in `folder`.
    pub(crate) fn new(
        disk: Arc<dyn Disk>,
        folder: &Path,
        origin: Origin,
        signer: Arc<NoteSigner>,
    ) -> Result<Self, Store> {
        let mut file = Replacer::new(disk, &folder.join(LAST_CHECKPOINT), Access::Ordinary)?;
        file.prepare(NOTE_BYTES)?;
        Ok(Self {
            signer,
            origin,
            file,
        })
    }

    /// Signs the checkpoint of `size` entries with this root and makes it the
    /// last one, durably.
    pub(crate) fn advance(&mut self, size: u64, root: Hash) -> Result<VerifiedCheckpoint, Store> {
        let checkpoint = Checkpoint {
            origin: self.origin.clone(),
            size,
            root,
        };
        let signed = checkpoint.sign(&self.signer).map_err(engine)?;
        let verified = signed.verify(self.signer.verifier_key()).map_err(engine)?;
        self.file.replace(signed.note().as_bytes())?;
        Ok(verified)
    }

    /// Makes ready for the next one, where nobody waits.
    pub(crate) fn prepare(&mut self) -> Result<(), Store> {
        self.file.prepare(NOTE_BYTES)
    }

    pub(crate) fn signer(&self) -> Arc<NoteSigner> {
        Arc::clone(&self.signer)
    }
}

fn engine(error: impl std::fmt::Display) -> Store {
    Store::Engine {
        what: "sign the checkpoint",
        why: error.to_string(),
    }
}

/// What the last-checkpoint file says of the log before it.
#[derive(Debug)]
pub(crate) enum Standing {
    /// The log extends it.
    Extends(VerifiedCheckpoint),
    /// The log does not, or there is none: read-only, and why.
    Broken {
        why: String,
        last: Option<VerifiedCheckpoint>,
    },
}

/// Refuses to begin a ledger where one has signed already: beginning again
/// under its key would be a fork. A checkpoint of nothing is left by a creation
/// that was cut off.
pub(crate) fn refuse_signed(
    disk: &dyn Disk,
    folder: &Path,
    key: &VerifierKey,
) -> Result<(), Store> {
    let path = folder.join(LAST_CHECKPOINT);
    let Some(bytes) = files::read(disk, &path)? else {
        return Ok(());
    };
    let note = String::from_utf8_lossy(&bytes);
    let why = match SignedCheckpoint::open(&note, key) {
        Ok(last) if last.size() == 0 => return Ok(()),
        Ok(last) => format!(
            "this ledger has signed {} entries; find its log, or begin one of another name and key",
            last.size()
        ),
        Err(error) => format!("the last checkpoint of something else is here: {error}"),
    };
    Err(Store::Place { path, why })
}

/// Holds the log against the last checkpoint.
pub(crate) fn compare(
    disk: &dyn Disk,
    folder: &Path,
    key: &VerifierKey,
    log: &LogView,
    size: u64,
) -> Result<Standing, Store> {
    let path: PathBuf = folder.join(LAST_CHECKPOINT);
    let broken = |why: String, last| Ok(Standing::Broken { why, last });
    let Some(bytes) = files::read(disk, &path)? else {
        return broken(
            format!(
                "{} is missing: supply the last checkpoint that this ledger signed",
                path.display()
            ),
            None,
        );
    };
    let note = match String::from_utf8(bytes) {
        Ok(note) => note,
        Err(_) => return broken(format!("{} is not text", path.display()), None),
    };
    let last = match SignedCheckpoint::open(&note, key) {
        Ok(last) => last,
        Err(error) => return broken(format!("{}: {error}", path.display()), None),
    };
    match contradiction("the last signed checkpoint", &last, log, size)? {
        Some(verdict) => broken(verdict.to_string(), Some(last)),
        None => Ok(Standing::Extends(last)),
    }
}

/// How a log of `size` entries contradicts a checkpoint of its ledger, if it
/// does: it is shorter (rollback), or begins otherwise (fork).
pub(crate) fn contradiction(
    name: &str,
    signed: &VerifiedCheckpoint,
    log: &LogView,
    size: u64,
) -> Result<Option<Verify>, Store> {
    let covered = signed.size();
    if let Some(lost) = covered.checked_sub(size).filter(|lost| *lost > 0) {
        let why = format!(
            "{name} covers {covered} entries, the log holds {size}; {lost} are missing. \
             Supply them from clients' records, a mirror or a backup"
        );
        return Ok(Some(Verify::Rollback { why }));
    }
    let (root, wanted) = (log.root(covered)?, signed.root());
    if root != *wanted {
        let why = format!("{name} of {covered} entries has root {wanted}, the log {root}");
        return Ok(Some(Verify::Fork { why }));
    }
    Ok(None)
}
