//! The readings' file row by row, for a backup and for what is made of one. What a
//! row means is not looked at here: a backup is sealed, and an audit checks what
//! was restored.

use super::rows::{CHUNKS, HORIZONS, SEGMENTS, SPANS, TABLES, WAITING};
use super::{Readings, Shelves};
use crate::error::Store;
use crate::store::redb::Database;
use crate::store::table::{Direction, OrderedTable};
use std::path::Path;

/// The tables by their numbers in a backup, which are for ever.
const NUMBERED: [(u8, OrderedTable); 5] = [
    (1, CHUNKS),
    (2, SEGMENTS),
    (3, SPANS),
    (4, WAITING),
    (5, HORIZONS),
];

/// The engine's cache while rows are put back.
const CACHE_BYTES: usize = 32 << 20;

/// Bytes of rows in one transaction.
const BATCH_BYTES: usize = 16 << 20;

impl Readings {
    /// Shows `visit` every row as it is at this moment: which table, key, value.
    /// Later writes neither wait nor show.
    ///
    /// # Errors
    /// [`Store`], and whatever `visit` gives.
    pub fn visit_rows(
        &self,
        visit: impl FnMut(u8, &[u8], &[u8]) -> Result<(), Store>,
    ) -> Result<(), Store> {
        self.shelves().visit_rows(visit)
    }
}

impl Shelves {
    fn visit_rows(
        &self,
        mut visit: impl FnMut(u8, &[u8], &[u8]) -> Result<(), Store>,
    ) -> Result<(), Store> {
        let snapshot = self.database.snapshot()?;
        for (number, table) in NUMBERED {
            let mut rows = snapshot.rows(table, .., Direction::Forward)?;
            while let Some(row) = rows.next_row()? {
                visit(number, row.key(), row.value())?;
            }
        }
        Ok(())
    }
}

/// A readings' file being made of rows.
pub struct Rows {
    database: Database,
    waiting: Vec<(OrderedTable, Vec<u8>, Vec<u8>)>,
    waiting_bytes: usize,
}

impl Rows {
    /// An empty file.
    ///
    /// # Errors
    /// [`Store::Place`] when something is there already.
    pub fn create(path: &Path) -> Result<Self, Store> {
        Ok(Self {
            database: Database::create(path, TABLES, CACHE_BYTES)?,
            waiting: Vec::new(),
            waiting_bytes: 0,
        })
    }

    /// Puts a row; false when there is no such table.
    ///
    /// # Errors
    /// [`Store`].
    pub fn put(&mut self, table: u8, key: &[u8], value: &[u8]) -> Result<bool, Store> {
        let mut tables = NUMBERED.iter();
        let Some((_, table)) = tables.find(|(number, _)| *number == table) else {
            return Ok(false);
        };
        self.waiting_bytes += key.len() + value.len();
        self.waiting.push((*table, key.to_vec(), value.to_vec()));
        if self.waiting_bytes >= BATCH_BYTES {
            self.write()?;
        }
        Ok(true)
    }

    fn write(&mut self) -> Result<(), Store> {
        let rows = std::mem::take(&mut self.waiting);
        self.waiting_bytes = 0;
        self.database.write(|batch| {
            let mut rows = rows.iter();
            rows.try_for_each(|(table, key, value)| batch.put(*table, key, value))
        })
    }

    /// Writes what waits and closes the file.
    ///
    /// # Errors
    /// [`Store`].
    pub fn close(mut self) -> Result<(), Store> {
        self.write()?;
        self.database.close()
    }
}
