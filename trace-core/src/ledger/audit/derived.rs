//! The derived tables against a fold made anew: both walked in the order of
//! their keys, each byte compared, the first difference named.

use crate::error::Store;
use crate::store::overlay::IndexView;
use crate::store::table::Direction;
use std::num::NonZeroUsize;
use std::ops::{Bound, ControlFlow};
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// How the derived tables compare with the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DerivedTables {
    /// All of them are what the log's first entries fold into; what came after
    /// is folded in on every opening.
    Agree {
        /// Up to which size they were merged.
        merged_to: u64,
        /// How many rows.
        rows: u64,
    },
    /// There are none to compare: opening the ledger makes them anew.
    Absent {
        /// Why not.
        why: String,
    },
}

/// Compares a fold with what a file holds; how many rows, or the first that
/// differs as [`Store::Damaged`].
pub(super) fn compare(
    fresh: &IndexView,
    kept: &IndexView,
    threads: NonZeroUsize,
) -> Result<u64, Store> {
    if kept.get(&[])?.is_some() {
        return Err(difference(
            &[],
            "is in the derived tables and follows from no record",
        ));
    }
    let (rows, next) = (AtomicU64::new(0), AtomicUsize::new(0));
    let first: Mutex<Option<(u8, Store)>> = Mutex::new(None);
    // A table is a first byte: threads take tables, and the lowest difference wins.
    let work = || {
        while let Ok(table) = u8::try_from(next.fetch_add(1, Ordering::Relaxed)) {
            match compare_table(fresh, kept, table) {
                Ok(count) => drop(rows.fetch_add(count, Ordering::Relaxed)),
                Err(error) => {
                    let mut first = first.lock().unwrap_or_else(PoisonError::into_inner);
                    if first.as_ref().is_none_or(|(lowest, _)| table < *lowest) {
                        *first = Some((table, error));
                    }
                    return;
                }
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..threads.get() {
            scope.spawn(work);
        }
        work();
    });
    match first.into_inner().unwrap_or_else(PoisonError::into_inner) {
        Some((_, error)) => Err(error),
        None => Ok(rows.into_inner()),
    }
}

fn compare_table(fresh: &IndexView, kept: &IndexView, table: u8) -> Result<u64, Store> {
    const MISSING: &str = "follows from the records and is missing in the derived tables";
    const EXTRA: &str = "is in the derived tables and follows from no record";
    let mut rows = kept.merged_rows(&[table])?;
    let mut row = rows.next_row()?;
    let mut count = 0;
    let outcome = fresh.scan(
        &[table],
        Bound::Unbounded,
        Direction::Forward,
        |key, value| {
            let Some(found) = &row else {
                return ControlFlow::Break(difference(key, MISSING));
            };
            if found.key() < key {
                return ControlFlow::Break(difference(found.key(), EXTRA));
            }
            if found.key() > key {
                return ControlFlow::Break(difference(key, MISSING));
            }
            if found.value() != value {
                let why = "holds another value in the derived tables than follows from the records";
                return ControlFlow::Break(difference(key, why));
            }
            count += 1;
            match rows.next_row() {
                Ok(next) => {
                    row = next;
                    ControlFlow::Continue(())
                }
                Err(error) => ControlFlow::Break(error),
            }
        },
    )?;
    match (outcome, row) {
        (Some(error), _) => Err(error),
        (None, Some(row)) => Err(difference(row.key(), EXTRA)),
        (None, None) => Ok(count),
    }
}

/// A key is shown as its table's letter and the rest in hexadecimal.
fn difference(key: &[u8], why: &str) -> Store {
    let shown = match key.split_first() {
        None => "the empty key".into(),
        Some((table, rest)) => {
            let rest: String = rest.iter().map(|byte| format!("{byte:02x}")).collect();
            format!("key {}:{rest}", char::from(*table).escape_default())
        }
    };
    Store::Damaged {
        what: format!("{shown} {why}; the index can be removed, and opening makes it anew"),
    }
}
