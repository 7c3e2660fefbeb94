//! The log's rows as they are stored, in order, its tables side by side: one
//! pass for those who read the whole log, which is what audits and backups do.
//!
//! It decodes nothing and holds nothing against the tree; what it does know is
//! that every row beside an entry belongs to one.

use super::log::{ANNEX, ENTRIES, LogView, PLACES, REQUESTS, TREE, VAULT};
use crate::error::Store;
use crate::store::redb::{Row, Rows};
use crate::store::table::{Direction, SequenceTable};

/// All that is stored of one entry.
#[derive(Debug)]
pub(crate) struct StoredRow {
    /// The entry's index.
    pub index: u64,
    /// Its bytes.
    pub entry: Vec<u8>,
    /// The tree's row.
    pub nodes: Option<Vec<u8>>,
    /// The trade section's opening, encoded.
    pub trade: Option<Vec<u8>>,
    /// Personal sections that are there, encrypted, by position.
    pub persons: Vec<(u8, Vec<u8>)>,
    /// The hosted request, encoded.
    pub request: Option<Vec<u8>>,
}

/// Goes through the log from its first entry on.
pub(crate) struct StoredRows {
    next: u64,
    entries: Cursor,
    nodes: Cursor,
    trades: Cursor,
    persons: Cursor,
    requests: Cursor,
}

impl StoredRows {
    pub(crate) fn new(log: &LogView) -> Result<Self, Store> {
        Ok(Self {
            next: 0,
            entries: Cursor::new(log, ENTRIES, "entries")?,
            nodes: Cursor::new(log, TREE, "tree")?,
            trades: Cursor::new(log, ANNEX, "annex")?,
            persons: Cursor::new(log, VAULT, "vault")?,
            requests: Cursor::new(log, REQUESTS, "requests")?,
        })
    }

    /// The index of the entry that comes next.
    pub(crate) fn position(&self) -> u64 {
        self.next
    }

    /// The next entry with what lies beside it; none after the last.
    ///
    /// # Errors
    /// [`Store::Damaged`] when an index is left out.
    pub(crate) fn next_row(&mut self) -> Result<Option<StoredRow>, Store> {
        let index = self.next;
        let Some(entry) = self.entries.take(index)? else {
            return match self.entries.key() {
                None => Ok(None),
                Some(key) => Err(damaged(format!("entry {index} is missing, {key} is next"))),
            };
        };
        let mut persons = Vec::new();
        let places = index.saturating_mul(PLACES);
        while let Some(key) = self.persons.key()
            && let Some(position) = key.checked_sub(places).filter(|place| *place < PLACES)
            && let Ok(position) = u8::try_from(position)
        {
            persons.extend(self.persons.take(key)?.map(|sealed| (position, sealed)));
        }
        let row = StoredRow {
            index,
            entry,
            nodes: self.nodes.take(index)?,
            trade: self.trades.take(index)?,
            persons,
            request: self.requests.take(index)?,
        };
        self.next = index.saturating_add(1);
        Ok(Some(row))
    }

    /// Refuses rows that belong to no entry; to be asked after the last one.
    ///
    /// # Errors
    /// [`Store::Damaged`] naming the table and the key.
    pub(crate) fn nothing_left(&self) -> Result<(), Store> {
        let all = [&self.nodes, &self.trades, &self.persons, &self.requests];
        for cursor in all {
            if let Some(key) = cursor.key() {
                let (table, size) = (cursor.name, self.next);
                return Err(damaged(format!(
                    "row {key} of table {table} belongs to none of the {size} entries"
                )));
            }
        }
        Ok(())
    }
}

/// A table being walked, with the row at which it stands.
struct Cursor {
    name: &'static str,
    rows: Rows<SequenceTable>,
    head: Option<Row<SequenceTable>>,
}

impl Cursor {
    fn new(log: &LogView, table: SequenceTable, name: &'static str) -> Result<Self, Store> {
        let mut rows = log.snapshot().rows(table, .., Direction::Forward)?;
        let head = rows.next_row()?;
        Ok(Self { name, rows, head })
    }

    fn key(&self) -> Option<u64> {
        self.head.as_ref().map(Row::key)
    }

    /// The value under `key`, when that is where it stands; it then steps on.
    fn take(&mut self, key: u64) -> Result<Option<Vec<u8>>, Store> {
        let value = match &self.head {
            Some(row) if row.key() == key => row.value().to_vec(),
            _ => return Ok(None),
        };
        self.head = self.rows.next_row()?;
        Ok(Some(value))
    }
}

fn damaged(what: String) -> Store {
    Store::Damaged { what }
}
