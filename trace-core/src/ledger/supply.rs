//! Catching up a ledger that lost its last entries: exact entries, re-supplied
//! from clients' receipts and signed bytes, a mirror or a newer backup, are
//! appended if and only if they make the root that the ledger itself signed
//! last. Then it extends that checkpoint again and opens for writing.
//!
//! Nobody needs to be believed: the signed root says which bytes they were. What
//! the root does not cover is checked otherwise or cannot be: a trade section by
//! its commitment; an encrypted personal section only by its vault's key, when
//! it is opened; a hosted request by the seal of the backup it comes from.
//!
//! Not here: judging rules again. These entries were admitted once; an audit
//! judges them with the rest.

use super::backup::append_row;
use super::backup::{BackupReader, BackupRow, RestoreFailed};
use super::log::{self, LogView, TABLES};
use super::opening::LOG;
use crate::error::{Store, Verify};
use crate::proof::checkpoint::VerifiedCheckpoint;
use crate::proof::merkle::Frontier;
use crate::record::Entry;
use crate::record::encode;
use crate::record::section::Opening;
use crate::store::redb::{Batch, Database};
use crate::store::table::Check;
use std::path::Path;

/// The engine's cache meanwhile.
const CACHE_BYTES: usize = 32 << 20;

/// An entry to put back, at its index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SuppliedRow(BackupRow);

impl SuppliedRow {
    /// An entry as a receipt, a bundle or a mirror holds it: its exact bytes
    /// (admission time, signed bytes, algorithm, signature), with the opening of
    /// its trade section where it has one. Personal sections and hosted requests
    /// come only from backups.
    #[must_use]
    pub fn new(index: u64, entry: Vec<u8>, trade: Option<&Opening>) -> Self {
        Self(BackupRow {
            index,
            entry,
            trade: trade.map(encode::encode),
            persons: Vec::new(),
            request: None,
        })
    }
}

/// The rows of a backup, as rows to supply; the seal is checked behind the last.
pub fn rows_of_backup(
    mut reader: BackupReader<'_>,
) -> impl Iterator<Item = Result<SuppliedRow, RestoreFailed>> {
    let mut is_over = false;
    std::iter::from_fn(move || {
        if is_over {
            return None;
        }
        let row = reader.next_row();
        is_over = !matches!(row, Ok(Some(_)));
        row.transpose().map(|row| row.map(SuppliedRow))
    })
}

/// What a supply came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Supplied {
    /// How many entries the log had.
    pub from: u64,
    /// How many it has: what the last signed checkpoint covers.
    pub to: u64,
}

/// Appends `rows`, sorted by index, to the log in `folder` so that it extends
/// `last`, the last checkpoint that it signed, in one transaction. Rows that the
/// log already has are passed over. The ledger must not be open.
///
/// # Errors
/// Whatever it is, nothing was written: [`Verify::Fork`] when the entries do not
/// make the signed root, [`Verify::Rollback`] when some are still missing
/// (naming the first), [`Verify::Malformed`] for a row that cannot be one,
/// [`Store::ReadOnly`] when nothing is missing.
pub fn supply(
    folder: &Path,
    last: &VerifiedCheckpoint,
    rows: impl IntoIterator<Item = Result<SuppliedRow, RestoreFailed>>,
) -> Result<Supplied, RestoreFailed> {
    let database = Database::open(&folder.join(LOG), TABLES, Check::Full, CACHE_BYTES)?;
    let log = LogView::new(database.snapshot()?);
    let from = log.size()?;
    let to = last.size();
    if from >= to {
        let why = format!(
            "the log holds {from} entries, the last signed checkpoint covers {to}: nothing is missing"
        );
        return Err(Store::ReadOnly { why }.into());
    }
    let mut frontier = Frontier::from_nodes(&log, from)?;
    drop(log);
    let mut refused = None;
    let written = database.write(|batch| {
        append_all(batch, &mut frontier, last, rows).map_err(|error| match error {
            RestoreFailed::Store(error) => error,
            // any error takes the whole transaction back
            RestoreFailed::Verify(error) => {
                let what = error.to_string();
                refused = Some(error);
                Store::Damaged { what }
            }
        })
    });
    match (written, refused) {
        (Err(_), Some(refused)) => Err(refused.into()),
        (Err(error), None) => Err(error.into()),
        (Ok(()), _) => {
            database.close()?;
            Ok(Supplied { from, to })
        }
    }
}

fn append_all(
    batch: &mut Batch<'_>,
    frontier: &mut Frontier,
    last: &VerifiedCheckpoint,
    rows: impl IntoIterator<Item = Result<SuppliedRow, RestoreFailed>>,
) -> Result<(), RestoreFailed> {
    let to = last.size();
    // To the end, beyond what is needed: behind the last row stands a seal.
    for row in rows {
        let SuppliedRow(row) = row?;
        let next = frontier.size();
        if row.index < next || next == to {
            continue;
        }
        if row.index > next {
            return Err(missing(next, to).into());
        }
        check(&row)?;
        append_row(batch, frontier, &row)?;
    }
    if frontier.size() < to {
        return Err(missing(frontier.size(), to).into());
    }
    let (found, wanted) = (frontier.root(), last.root());
    if found != *wanted {
        let why = format!(
            "the last signed checkpoint of {to} entries has root {wanted}, with what was supplied the log has {found}"
        );
        return Err(Verify::Fork { why }.into());
    }
    Ok(())
}

fn missing(next: u64, to: u64) -> Verify {
    Verify::Rollback {
        why: format!("entry {next} of the {to} that were signed was not supplied"),
    }
}

/// What lies beside the entry must fit it: the root says nothing of that.
fn check(row: &BackupRow) -> Result<(), Verify> {
    let malformed = |why: String| Verify::Malformed {
        what: "supplied entry",
        why: format!("{}: {why}", row.index),
    };
    let entry = Entry::decode(&row.entry).map_err(|error| malformed(error.to_string()))?;
    let body = entry
        .signed
        .body()
        .map_err(|error| malformed(error.to_string()))?;
    let trade = row.trade.as_deref();
    let trade = trade.map(|bytes| log::decode::<Opening>("annex", row.index, bytes));
    let trade = trade
        .transpose()
        .map_err(|error| malformed(error.to_string()))?;
    body.check_trade_opening(trade.as_ref())
        .map_err(|error| malformed(error.to_string()))?;
    let named = body.persons().len();
    match row
        .persons
        .iter()
        .find(|(position, _)| usize::from(*position) >= named)
    {
        Some((position, _)) => Err(malformed(format!(
            "personal section {position} of {named} persons"
        ))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
