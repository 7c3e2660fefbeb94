//! Sealed backups: one file that holds the whole log, made while the ledger
//! writes on, and that shows any flipped or missing byte when it is read.
//!
//! | size | field |
//! |---|---|
//! | 16 | `trace/backup/v1\n` |
//! | 1 + n | length, then the ledger's origin |
//! | 8 | size: how many entries |
//! | 32 | root over them |
//! | for each entry: 4 + n | length, then the entry's bytes |
//! | 1, 0 or 4 + n | 1 where a trade section's opening follows |
//! | 1, then 4 + n each | a bit for each personal section that follows, encrypted |
//! | 1, 0 or 4 + n | 1 where the hosted request follows |
//! | 32 | SHA-256 of everything before |
//! | 4 + n | length, then a signed note over `trace/backup/v1`, origin, size, root and that SHA-256, a line each |
//!
//! A backup of what lies beside the log too begins and is signed with
//! `trace/backup/v2`, and has between entries and hash:
//!
//! | size | field |
//! |---|---|
//! | 1 | what follows: 1 a row of readings, 2 a document, 0 the end |
//! | 1, 4 + n, 4 + m | a row: its table's number, key, value |
//! | 32, 4 + n | a document: SHA-256 of its bytes, the bytes |
//!
//! Integers are big-endian. The note's text has five lines, a checkpoint's
//! three, so neither is ever taken for the other.
//!
//! Not in it: the vault's keys and hosted keys. A backup alone therefore opens
//! no personal section, and an erasure stays one whatever is restored; whoever
//! needs personal sections after a loss keeps `vault.keys` by itself, where an
//! erasure reaches it. A document that was destroyed lies in older backups all the
//! same: who destroys one destroys those too. Not in it either: derived tables, which the
//! log makes again, and the last checkpoint, which the operator keeps elsewhere,
//! because only that shows how much a restored ledger has lost.

mod beside;
mod reading;
mod restoring;

pub use beside::{Beside, BesideCount, BesideRow};
pub use reading::{BackupReader, BackupRow, verify_backup};
pub(crate) use restoring::append_row;
pub use restoring::{Restored, restore};

use super::stored::StoredRows;
use super::view::View;
use crate::error::{Invalid, Store, Verify};
use crate::proof::merkle::{Frontier, leaf_hash};
use crate::proof::note::{NoteSigner, sign_note};
use crate::record::hash::Hasher;
use crate::record::{Hash, Origin, base64};
use std::io::Write;
use std::path::Path;

const MAGIC: &[u8; 16] = b"trace/backup/v1\n";

/// The first bytes of a backup of what lies beside the log too.
const MAGIC_BESIDE: &[u8; 16] = b"trace/backup/v2\n";

/// What a sealed backup holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// The ledger.
    pub origin: Origin,
    /// How many entries.
    pub size: u64,
    /// The root over them.
    pub root: Hash,
    /// SHA-256 of everything before the seal.
    pub sha256: Hash,
    /// The file's whole length in bytes.
    pub length: u64,
    /// What it holds beside the log; none where it is of the log alone.
    pub beside: Option<BesideCount>,
}

impl Sealed {
    /// The lines that the seal signs.
    fn text(&self) -> String {
        let line = |hash: &Hash| base64::encode(hash.as_bytes());
        format!(
            "trace/backup/v{}\n{}\n{}\n{}\n{}\n",
            if self.beside.is_some() { 2 } else { 1 },
            self.origin,
            self.size,
            line(&self.root),
            line(&self.sha256)
        )
    }
}

/// Why a backup was not verified, restored or supplied from.
#[derive(Debug, thiserror::Error)]
pub enum RestoreFailed {
    /// What was given is not what was sealed or signed.
    #[error(transparent)]
    Verify(#[from] Verify),
    /// The machine failed.
    #[error(transparent)]
    Store(#[from] Store),
}

/// Writes a sealed backup of the log alone: [`backup_with`] nothing beside it.
///
/// # Errors
/// As [`backup_with`].
pub fn backup(
    view: &View,
    signer: &NoteSigner,
    out: &mut dyn Write,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Sealed, Store> {
    backup_with(view, None, signer, out, progress)
}

/// Writes a sealed backup of what `view` shows to `out`; the ledger may be
/// written meanwhile. `progress` is told how many of how many entries are done.
/// Making `out` durable is the caller's.
///
/// # Errors
/// [`Store::Damaged`] when the log does not make the root that its checkpoint
/// has, or a document is not its name's (nothing is sealed then); [`Store::Io`] when `out` takes no more.
pub fn backup_with(
    view: &View,
    beside: Option<Beside<'_>>,
    signer: &NoteSigner,
    out: &mut dyn Write,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Sealed, Store> {
    let mut out = Hashed {
        out,
        hasher: Hasher::default(),
        length: 0,
    };
    let (origin, size) = (view.origin(), view.size());
    let wanted = *view.checkpoint().root();
    out.put(if beside.is_some() {
        MAGIC_BESIDE
    } else {
        MAGIC
    })?;
    out.put(&[u8::try_from(origin.as_str().len()).unwrap_or(u8::MAX)])?;
    out.put(origin.as_str().as_bytes())?;
    out.put(&size.to_be_bytes())?;
    out.put(wanted.as_bytes())?;
    let mut stored = StoredRows::new(view.log())?;
    let mut frontier = Frontier::default();
    while frontier.size() < size {
        let index = frontier.size();
        let row = stored.next_row()?.ok_or_else(|| Store::Damaged {
            what: format!("entry {index} is missing of {size}"),
        })?;
        frontier
            .push(leaf_hash(&row.entry))
            .map_err(|error| damaged(&error))?;
        out.framed(&row.entry)?;
        out.optional(row.trade.as_deref())?;
        let mask = row.persons.iter().fold(0u8, |mask, (position, _)| {
            mask | 1u8.checked_shl(u32::from(*position)).unwrap_or(0)
        });
        out.put(&[mask])?;
        for (_, sealed) in &row.persons {
            out.framed(sealed)?;
        }
        out.optional(row.request.as_deref())?;
        if frontier.size().is_multiple_of(PROGRESS_ENTRIES) || frontier.size() == size {
            progress(frontier.size(), size);
        }
    }
    if frontier.root() != wanted {
        return Err(Store::Damaged {
            what: format!(
                "the {size} entries have root {}, their checkpoint has {wanted}; audit the ledger",
                frontier.root()
            ),
        });
    }
    let beside = beside.map(|beside| beside::write(&mut out, view, beside));
    let beside = beside.transpose()?;
    let sha256 = out.hasher.finish();
    let mut sealed = Sealed {
        origin: origin.clone(),
        size,
        root: wanted,
        sha256,
        length: 0,
        beside,
    };
    let note = sign_note(&sealed.text(), &[signer]).map_err(|error| Store::Engine {
        what: "seal the backup",
        why: error.to_string(),
    })?;
    out.put(sha256.as_bytes())?;
    out.framed(note.as_bytes())?;
    out.out.flush().map_err(io("flush"))?;
    sealed.length = out.length;
    Ok(sealed)
}

/// How often progress is told: some twenty times a second at 20,000 a second.
const PROGRESS_ENTRIES: u64 = 1024;

fn malformed(why: String) -> Verify {
    Verify::Malformed {
        what: "backup",
        why,
    }
}

fn damaged(error: &Invalid) -> Store {
    Store::Damaged {
        what: error.to_string(),
    }
}

/// The caller brought a stream, whose path is not known here.
fn io(what: &'static str) -> impl FnOnce(std::io::Error) -> Store {
    Store::io(what, Path::new("the backup"))
}

/// Writes and hashes at once.
struct Hashed<'a> {
    out: &'a mut dyn Write,
    hasher: Hasher,
    length: u64,
}

impl Hashed<'_> {
    fn put(&mut self, bytes: &[u8]) -> Result<(), Store> {
        self.hasher.update(bytes);
        self.length += bytes.len() as u64;
        self.out.write_all(bytes).map_err(io("write"))
    }

    fn framed(&mut self, bytes: &[u8]) -> Result<(), Store> {
        let length = u32::try_from(bytes.len()).map_err(|_| Store::Damaged {
            what: format!("a row of {} bytes", bytes.len()),
        })?;
        self.put(&length.to_be_bytes())?;
        self.put(bytes)
    }

    fn optional(&mut self, bytes: Option<&[u8]>) -> Result<(), Store> {
        match bytes {
            None => self.put(&[0]),
            Some(bytes) => {
                self.put(&[1])?;
                self.framed(bytes)
            }
        }
    }
}

#[cfg(test)]
mod tests;
