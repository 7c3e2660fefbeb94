//! Restoring: a log built anew from a backup under a temporary name, which gets
//! its own name only when the seal held for every byte.
//!
//! | if the power fails while | there is afterwards |
//! |---|---|
//! | rows are written | `log.redb.restoring` and others of that ending, that nothing opens and the next restoring removes |
//! | documents and readings get their names | no ledger; move `readings.redb` away and restore again |
//! | the log gets its name | no ledger, or a whole one without last checkpoint: it opens read-only |
//! | the last checkpoint is written | the same |
//!
//! A restored ledger is as old as its backup. What it signed since, only the
//! last checkpoint tells, which the operator keeps elsewhere: without it, or
//! with a later one, the ledger opens read-only and says what is missing. To
//! give an *older* checkpoint than the last signed one would let the ledger sign
//! a second story after it; anybody who holds the later one can prove that.

use super::super::checkpoints::LAST_CHECKPOINT;
use super::super::log::{self, TABLES};
use super::super::opening::{LOG, VAULT};
use super::super::vault::{SectionPlace, Vault};
use super::beside::Restoring;
use super::reading::{BackupReader, BackupRow};
use super::{RestoreFailed, Sealed};
use crate::error::{Store, Verify};
use crate::proof::checkpoint::{SignedCheckpoint, VerifiedCheckpoint};
use crate::proof::merkle::{Frontier, leaf_hash};
use crate::proof::note::VerifierKey;
use crate::store::disk::{Access, Disk, RealDisk, beside, remove_if_there, settle_name};
use crate::store::files;
use crate::store::redb::{Batch, Database};
use crate::store::table::Check;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

/// The engine's cache while restoring.
const CACHE_BYTES: usize = 32 << 20;

/// Rows of one transaction: 4,096 of at most 16 KiB are 64 MiB.
const BATCH_ROWS: usize = 4_096;

/// What was restored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// What the backup holds.
    pub sealed: Sealed,
    /// How many entries the last signed checkpoint covers beyond the backup:
    /// with any, the ledger opens read-only until they are supplied. Unknown
    /// without a last checkpoint, and then it opens read-only too.
    pub missing: Option<u64>,
}

/// Restores a backup into `folder`, which must hold no ledger. A vault that the
/// operator put there stays; without one an empty vault is made, and no
/// personal section opens. `last` is the last signed checkpoint that the
/// operator kept; it goes to `checkpoint_folder`, unless a later one lies there.
/// `progress` is told how many of how many entries are done.
///
/// # Errors
/// [`Verify`] when a byte is not what was sealed, or `last` is a fork of the
/// backup: nothing is then restored. [`Store::Place`] when there is a ledger.
pub fn restore(
    source: &mut dyn Read,
    folder: &Path,
    checkpoint_folder: Option<&Path>,
    key: &VerifierKey,
    last: Option<&VerifiedCheckpoint>,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Restored, RestoreFailed> {
    let disk: Arc<dyn Disk> = Arc::new(RealDisk);
    let path = folder.join(LOG);
    if path.symlink_metadata().is_ok() {
        return Err(Store::Place {
            path: folder.into(),
            why: "a ledger is here already; restoring never replaces one".into(),
        }
        .into());
    }
    std::fs::create_dir_all(folder).map_err(Store::io("make the folder", folder))?;
    let checkpoint_path = checkpoint_folder.unwrap_or(folder).join(LAST_CHECKPOINT);
    let last = latest(&*disk, &checkpoint_path, key, last)?;
    let building = beside(&path, ".restoring");
    remove_if_there(&*disk, &building)?;
    let mut aside = Restoring::begin(folder)?;
    let built = build(source, &building, key, last.as_ref(), &mut aside, progress);
    let sealed = match built {
        Ok(sealed) => sealed,
        Err(error) => {
            // what is left of it is removed by the next restoring at the latest
            drop(remove_if_there(&*disk, &building));
            aside.give_up();
            return Err(error);
        }
    };
    aside.settle(folder)?;
    let vault = folder.join(VAULT);
    if vault.symlink_metadata().is_err() {
        Vault::create(Arc::clone(&disk), &vault)?;
    }
    settle_name(&*disk, &building, &path)?;
    if let Some(last) = &last {
        let note = last.note().as_bytes();
        files::replace(&*disk, &checkpoint_path, note, Access::Ordinary)?;
    }
    Ok(Restored {
        missing: last.map(|last| last.size().saturating_sub(sealed.size)),
        sealed,
    })
}

/// The later of the checkpoint given and the one that lies there: an older one
/// never takes its place.
fn latest(
    disk: &dyn Disk,
    path: &Path,
    key: &VerifierKey,
    given: Option<&VerifiedCheckpoint>,
) -> Result<Option<VerifiedCheckpoint>, RestoreFailed> {
    let there = match files::read(disk, path)? {
        None => return Ok(given.cloned()),
        Some(bytes) => String::from_utf8(bytes).map_err(|_| Store::Damaged {
            what: format!("{} is not text", path.display()),
        })?,
    };
    let there = SignedCheckpoint::open(&there, key)?;
    Ok(Some(match given {
        Some(given) if given.size() > there.size() => given.clone(),
        Some(given) if given.size() == there.size() && given.root() != there.root() => {
            let why = format!(
                "{} and the checkpoint given: size {} with two roots",
                path.display(),
                given.size()
            );
            return Err(Verify::Fork { why }.into());
        }
        _ => there,
    }))
}

fn build(
    source: &mut dyn Read,
    building: &Path,
    key: &VerifierKey,
    last: Option<&VerifiedCheckpoint>,
    aside: &mut Restoring,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Sealed, RestoreFailed> {
    let mut reader = BackupReader::open(source, key)?;
    let size = reader.size();
    let database = Database::create(building, TABLES, CACHE_BYTES)?;
    let mut frontier = Frontier::default();
    let mut covered = None;
    let mut is_over = false;
    while !is_over {
        let mut rows = Vec::new();
        while rows.len() < BATCH_ROWS && !is_over {
            match reader.next_row_with(&mut |row| aside.take(row))? {
                Some(row) => rows.push(row),
                None => is_over = true,
            }
        }
        database.write(|batch| {
            for row in &rows {
                append_row(batch, &mut frontier, row)?;
                if last.is_some_and(|last| last.size() == frontier.size()) {
                    covered = Some(frontier.root());
                }
            }
            Ok(())
        })?;
        progress(frontier.size(), size);
    }
    let sealed = reader.sealed().cloned().ok_or_else(|| Verify::Malformed {
        what: "backup",
        why: "it has no seal".into(),
    })?;
    if let (Some(last), Some(found)) = (last, covered)
        && found != *last.root()
    {
        let why = format!(
            "the last signed checkpoint of {} entries has root {}, the backup {found}",
            last.size(),
            last.root()
        );
        return Err(Verify::Fork { why }.into());
    }
    database.close()?;
    // read again before it gets its name: what the disk kept is what counts
    let again = Database::open(building, TABLES, Check::Full, CACHE_BYTES)?;
    let log = log::LogView::new(again.snapshot()?);
    let (found_size, found_root) = (log.size()?, log.root(sealed.size)?);
    if (found_size, found_root) != (sealed.size, sealed.root) {
        return Err(Store::Damaged {
            what: format!(
                "{} holds {found_size} entries with root {found_root}, wanted {} with {}",
                building.display(),
                sealed.size,
                sealed.root
            ),
        }
        .into());
    }
    drop(log);
    again.close()?;
    Ok(sealed)
}

/// Appends an entry as it was, with its row of the tree and what lay beside it.
pub(crate) fn append_row(
    batch: &mut Batch<'_>,
    frontier: &mut Frontier,
    row: &BackupRow,
) -> Result<(), Store> {
    let index = frontier.size();
    let nodes = frontier
        .push(leaf_hash(&row.entry))
        .map_err(|error| super::damaged(&error))?;
    let nodes: Vec<u8> = nodes.iter().flat_map(|node| *node.as_bytes()).collect();
    batch.put(log::ENTRIES, index, &row.entry)?;
    batch.put(log::TREE, index, &nodes)?;
    if let Some(trade) = &row.trade {
        batch.put(log::ANNEX, index, trade)?;
    }
    for (position, sealed) in &row.persons {
        let position = *position;
        log::put_person(batch, SectionPlace { index, position }, sealed)?;
    }
    if let Some(request) = &row.request {
        batch.put(log::REQUESTS, index, request)?;
    }
    Ok(())
}
