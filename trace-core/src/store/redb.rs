//! The storage engine: tables of ordered keys, written one whole batch at a
//! time. The only file that knows the crate `redb`.
//!
//! Every write is durable when it returns and commits in two phases, so that no
//! order in which a disk keeps its sectors can leave half a batch. What is not
//! here: any meaning of keys and values. The engine's own checksums find
//! accidents, not editors; what leaves the process is proved elsewhere.

use super::disk::{Disk, RealDisk, beside, remove_if_there, settle_name};
use super::table::{Check, Direction, OrderedTable, SequenceTable, Tables};
use crate::error::Store;
use redb::{ReadableDatabase, ReadableTable, ReadableTableMetadata, TableDefinition};
use std::ops::{ControlFlow, RangeBounds};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock};

/// What the engine asks of a disk; the one seam for faults beneath it.
pub use redb::StorageBackend;

type Bytes = &'static [u8];
type ReadTable<E> = redb::ReadOnlyTable<E, Bytes>;
type WriteTable<'t, E> = redb::Table<'t, E, Bytes>;

/// Either form of table; there are no others.
pub trait Table: Copy + engine::Keyed {}
impl Table for SequenceTable {}
impl Table for OrderedTable {}

/// The key of a table: `u64` or `&[u8]`.
pub type Key<'k, T> = <<T as engine::Keyed>::Engine as redb::Value>::SelfType<'k>;

/// What ties a table to the engine's types; nobody outside can add a form.
mod engine {
    use super::{OrderedTable, ReadTable, ReadTables, SequenceTable, WriteTable, WriteTables};
    use std::sync::OnceLock;

    pub trait Keyed: PartialEq {
        type Engine: redb::Key + 'static;
        fn name(self) -> &'static str;
        fn read(self, tables: &ReadTables) -> Option<&OnceLock<ReadTable<Self::Engine>>>;
        fn write<'b, 't>(
            self,
            tables: &'b mut WriteTables<'t>,
        ) -> Option<&'b mut Option<WriteTable<'t, Self::Engine>>>;
    }

    /// The declared tables are few (about ten): walking them costs less than
    /// hashing a name would.
    macro_rules! keyed {
        ($table:ty, $engine:ty, $field:ident) => {
            impl Keyed for $table {
                type Engine = $engine;
                fn name(self) -> &'static str {
                    self.0
                }
                fn read(self, tables: &ReadTables) -> Option<&OnceLock<ReadTable<$engine>>> {
                    let mut all = tables.$field.iter();
                    all.find(|(table, _)| *table == self).map(|(_, it)| it)
                }
                fn write<'b, 't>(
                    self,
                    tables: &'b mut WriteTables<'t>,
                ) -> Option<&'b mut Option<WriteTable<'t, $engine>>> {
                    let mut all = tables.$field.iter_mut();
                    all.find(|(table, _)| *table == self).map(|(_, it)| it)
                }
            }
        };
    }
    keyed!(SequenceTable, u64, sequences);
    keyed!(OrderedTable, super::Bytes, ordered);
}

/// Tables a snapshot has opened: opening costs a look-up in the engine's table
/// of tables, so each is opened at its first use and kept.
pub struct ReadTables {
    sequences: Vec<(SequenceTable, OnceLock<ReadTable<u64>>)>,
    ordered: Vec<(OrderedTable, OnceLock<ReadTable<Bytes>>)>,
}

/// Tables a batch has opened, likewise.
pub struct WriteTables<'t> {
    sequences: Vec<(SequenceTable, Option<WriteTable<'t, u64>>)>,
    ordered: Vec<(OrderedTable, Option<WriteTable<'t, Bytes>>)>,
}

/// An open database: one writer at a time, readers through [`Snapshot`]s.
pub struct Database {
    engine: redb::Database,
    /// Why nothing may be written any more, once a write has failed. A panic
    /// inside a write poisons the mutex, which says the same.
    failed: Mutex<Option<String>>,
    tables: Tables,
}

impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Database")
            .field("tables", &self.tables)
            .finish_non_exhaustive()
    }
}

impl Database {
    /// Makes a new database with its tables, empty: built under a temporary
    /// name, synced, closed, renamed, the folder synced, then opened. A crash
    /// on the way leaves nothing under `path`.
    ///
    /// # Errors
    /// [`Store::Place`] when something is there already.
    pub fn create(path: &Path, tables: Tables, cache_bytes: usize) -> Result<Self, Store> {
        refuse_existing(path)?;
        let building = beside(path, ".building");
        remove_if_there(&RealDisk, &building)?;
        let engine = guarded("create", || {
            builder(cache_bytes, Check::Quick).create(&building)
        })?;
        Self::over(engine, tables).make_tables()?.close()?;
        let file = RealDisk.open(&building);
        file.and_then(|file| file.sync())
            .map_err(Store::io("sync", &building))?;
        refuse_existing(path)?;
        settle_name(&RealDisk, &building, path)?;
        Self::open(path, tables, Check::Quick, cache_bytes)
    }

    /// Opens a database, or makes one where there is none: what may begin anew.
    ///
    /// # Errors
    /// As of [`create`](Self::create) and [`open`](Self::open).
    pub fn open_or_create(path: &Path, tables: Tables, cache_bytes: usize) -> Result<Self, Store> {
        match path.exists() {
            true => Self::open(path, tables, Check::Quick, cache_bytes),
            false => Self::create(path, tables, cache_bytes),
        }
    }

    /// Opens a database that exists; never makes one.
    ///
    /// # Errors
    /// [`Store::Place`] when there is none or another process has it open,
    /// [`Store::Damaged`] when it is not what was written.
    pub fn open(
        path: &Path,
        tables: Tables,
        check: Check,
        cache_bytes: usize,
    ) -> Result<Self, Store> {
        let length = match std::fs::metadata(path) {
            Ok(found) if found.is_file() => found.len(),
            Ok(_) => return Err(place(path, "this is not a file")),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(place(path, "there is no database here; create one first"));
            }
            Err(error) => return Err(Store::io("look at", path)(error)),
        };
        if length == 0 {
            return Err(damaged(format!("{} is empty", path.display())));
        }
        let opened = guarded("open", || match builder(cache_bytes, check).open(path) {
            Err(redb::DatabaseError::DatabaseAlreadyOpen) => Ok(None),
            opened => opened.map(Some),
        });
        match opened.and_then(|engine| {
            let engine = engine.ok_or_else(|| place(path, "this database is open already"))?;
            Self::over(engine, tables).check_tables()
        }) {
            Err(Store::Damaged { what }) => Err(damaged(format!("{}: {what}", path.display()))),
            outcome => outcome,
        }
    }

    /// Makes a new database on a backend that holds nothing yet.
    ///
    /// # Errors
    /// [`Store::Engine`] when the backend is not empty.
    pub fn create_with_backend(
        backend: impl StorageBackend,
        tables: Tables,
        cache_bytes: usize,
    ) -> Result<Self, Store> {
        let length = backend.len().map_err(|error| failed("create", error))?;
        if length != 0 {
            let why = format!("found {length} bytes, wanted an empty backend");
            return Err(failed("create", why));
        }
        Self::from_backend("create", backend, Check::Quick, tables, cache_bytes)?.make_tables()
    }

    /// Opens the database that a backend holds; never makes one.
    ///
    /// # Errors
    /// [`Store::Damaged`] when the backend is empty or not what was written.
    pub fn open_with_backend(
        backend: impl StorageBackend,
        tables: Tables,
        check: Check,
        cache_bytes: usize,
    ) -> Result<Self, Store> {
        let length = backend.len().map_err(|error| failed("open", error))?;
        if length == 0 {
            return Err(damaged("the backend is empty".into()));
        }
        Self::from_backend("open", backend, check, tables, cache_bytes)?.check_tables()
    }

    fn from_backend(
        what: &'static str,
        backend: impl StorageBackend,
        check: Check,
        tables: Tables,
        cache_bytes: usize,
    ) -> Result<Self, Store> {
        let build = || builder(cache_bytes, check).create_with_backend(backend);
        Ok(Self::over(guarded(what, build)?, tables))
    }

    fn over(engine: redb::Database, tables: Tables) -> Self {
        Self {
            engine,
            failed: Mutex::new(None),
            tables,
        }
    }

    fn make_tables(self) -> Result<Self, Store> {
        let tables = self.tables;
        self.write(|batch| {
            tables.sequences.iter().try_for_each(|it| batch.make(*it))?;
            tables.ordered.iter().try_for_each(|it| batch.make(*it))
        })?;
        Ok(self)
    }

    fn check_tables(self) -> Result<Self, Store> {
        let snapshot = self.snapshot()?;
        for table in self.tables.sequences {
            snapshot.table(*table)?;
        }
        for table in self.tables.ordered {
            snapshot.table(*table)?;
        }
        Ok(self)
    }

    /// Writes a batch: all of it is durable when this returns, or none of it
    /// ever was.
    ///
    /// # Errors
    /// Any error, the closure's own too, and any panic end writing: from then on
    /// every write is refused with [`Store::ReadOnly`] until the database is
    /// opened again. Nothing may go on behind a failed write, because what the
    /// disk kept of it is unknown. Snapshots read on, as far as the disk lets them.
    pub fn write<R>(
        &self,
        fill: impl FnOnce(&mut Batch<'_>) -> Result<R, Store>,
    ) -> Result<R, Store> {
        let read_only = |why: &str| Store::ReadOnly {
            why: format!("an earlier write failed ({why}); close the database and open it again"),
        };
        let mut failed = self.failed.lock().map_err(|_| read_only("a panic"))?;
        if let Some(why) = failed.as_deref() {
            return Err(read_only(why));
        }
        let written = self.commit(fill);
        if let Err(error) = &written {
            *failed = Some(error.to_string());
        }
        written
    }

    fn commit<R>(&self, fill: impl FnOnce(&mut Batch<'_>) -> Result<R, Store>) -> Result<R, Store> {
        let mut transaction = self
            .engine
            .begin_write()
            .map_err(of_engine("begin write"))?;
        transaction
            .set_durability(redb::Durability::Immediate)
            .map_err(of_engine("begin write"))?;
        transaction.set_two_phase_commit(true);
        let mut batch = Batch {
            transaction: &transaction,
            tables: WriteTables {
                sequences: self.tables.sequences.iter().map(|it| (*it, None)).collect(),
                ordered: self.tables.ordered.iter().map(|it| (*it, None)).collect(),
            },
        };
        let outcome = fill(&mut batch)?;
        drop(batch);
        transaction.commit().map_err(of_engine("commit"))?;
        Ok(outcome)
    }

    /// What is committed now, unmoved by later writes; never waits for a writer.
    ///
    /// # Errors
    /// [`Store::Engine`] or [`Store::Damaged`] from the engine.
    pub fn snapshot(&self) -> Result<Snapshot, Store> {
        let transaction = guarded("begin read", || self.engine.begin_read())?;
        let all = self.tables;
        let unopened = ReadTables {
            sequences: all
                .sequences
                .iter()
                .map(|it| (*it, OnceLock::new()))
                .collect(),
            ordered: all
                .ordered
                .iter()
                .map(|it| (*it, OnceLock::new()))
                .collect(),
        };
        Ok(Snapshot(Arc::new((transaction, unopened))))
    }

    /// Closes, reporting what a mere drop would swallow. Snapshots still alive
    /// can read no more.
    ///
    /// # Errors
    /// [`Store::Engine`] when the last state could not be put away; what was
    /// committed is safe all the same.
    pub fn close(self) -> Result<(), Store> {
        guarded("close", || self.engine.close())
    }
}

/// A write under way.
pub struct Batch<'t> {
    transaction: &'t redb::WriteTransaction,
    tables: WriteTables<'t>,
}

impl<'t> Batch<'t> {
    fn table<T: Table>(&mut self, table: T) -> Result<&mut WriteTable<'t, T::Engine>, Store> {
        let kept = table
            .write(&mut self.tables)
            .ok_or_else(|| undeclared(table.name()))?;
        match kept {
            Some(open) => Ok(open),
            None => {
                let definition = TableDefinition::new(table.name());
                let open = self.transaction.open_table(definition);
                Ok(kept.insert(open.map_err(of_engine("open table"))?))
            }
        }
    }

    fn make<T: Table>(&mut self, table: T) -> Result<(), Store> {
        self.table(table).map(|_| ())
    }

    /// Puts a value, over an older one if there is any.
    ///
    /// # Errors
    /// From the engine; fatal to the whole batch.
    pub fn put<T: Table>(&mut self, table: T, key: Key<'_, T>, value: &[u8]) -> Result<(), Store> {
        let old = self.table(table)?.insert(key, value);
        old.map(|_| ()).map_err(of_engine("put"))
    }

    /// Deletes a key; true when it was there.
    ///
    /// # Errors
    /// From the engine; fatal to the whole batch.
    pub fn delete<T: Table>(&mut self, table: T, key: Key<'_, T>) -> Result<bool, Store> {
        let old = self.table(table)?.remove(key);
        old.map(|old| old.is_some()).map_err(of_engine("delete"))
    }

    /// The value as this batch has it so far.
    ///
    /// # Errors
    /// From the engine; fatal to the whole batch.
    pub fn get<T: Table>(&mut self, table: T, key: Key<'_, T>) -> Result<Option<Vec<u8>>, Store> {
        let found = self.table(table)?.get(key).map_err(of_engine("get"))?;
        Ok(found.map(|value| value.value().to_vec()))
    }

    /// Empties a table.
    ///
    /// # Errors
    /// From the engine; fatal to the whole batch.
    pub fn clear<T: Table>(&mut self, table: T) -> Result<(), Store> {
        let open = self.table(table)?;
        open.retain(|_, _| false).map_err(of_engine("clear"))
    }
}

/// One committed state; clones share it, and with it the tables it has opened.
#[derive(Clone)]
pub struct Snapshot(Arc<(redb::ReadTransaction, ReadTables)>);

impl Snapshot {
    fn table<T: Table>(&self, table: T) -> Result<&ReadTable<T::Engine>, Store> {
        let (transaction, tables) = &*self.0;
        let kept = table.read(tables).ok_or_else(|| undeclared(table.name()))?;
        if let Some(open) = kept.get() {
            return Ok(open);
        }
        let definition = TableDefinition::new(table.name());
        let open = guarded("open table", || transaction.open_table(definition))?;
        Ok(kept.get_or_init(|| open))
    }

    /// The value of a key, copied.
    ///
    /// # Errors
    /// From the engine.
    pub fn get<T: Table>(&self, table: T, key: Key<'_, T>) -> Result<Option<Vec<u8>>, Store> {
        self.get_with(table, key, <[u8]>::to_vec)
    }

    /// What `read` makes of the value of a key, in place.
    ///
    /// # Errors
    /// From the engine.
    pub fn get_with<T: Table, R>(
        &self,
        table: T,
        key: Key<'_, T>,
        read: impl FnOnce(&[u8]) -> R,
    ) -> Result<Option<R>, Store> {
        let open = self.table(table)?;
        let found = guarded("get", || open.get(key))?;
        Ok(found.map(|value| read(value.value())))
    }

    /// The rows of a range of keys, one after the other.
    ///
    /// # Errors
    /// From the engine.
    pub fn rows<'k, T: Table>(
        &self,
        table: T,
        range: impl RangeBounds<Key<'k, T>>,
        direction: Direction,
    ) -> Result<Rows<T>, Store> {
        let open = self.table(table)?;
        let range = guarded("range", || open.range(range))?;
        Ok(Rows { range, direction })
    }

    /// Shows `visit` the rows of a range until it breaks; what it broke with.
    ///
    /// # Errors
    /// From the engine.
    pub fn scan<'k, T: Table, R>(
        &self,
        table: T,
        range: impl RangeBounds<Key<'k, T>>,
        direction: Direction,
        mut visit: impl FnMut(Key<'_, T>, &[u8]) -> ControlFlow<R>,
    ) -> Result<Option<R>, Store> {
        let mut rows = self.rows(table, range, direction)?;
        while let Some(row) = rows.next_row()? {
            if let ControlFlow::Break(outcome) = visit(row.key(), row.value()) {
                return Ok(Some(outcome));
            }
        }
        Ok(None)
    }

    /// The row with the largest key.
    ///
    /// # Errors
    /// From the engine.
    pub fn last<T: Table>(&self, table: T) -> Result<Option<Row<T>>, Store> {
        self.rows(table, .., Direction::Reverse)?.next_row()
    }

    /// How many rows a table has.
    ///
    /// # Errors
    /// From the engine.
    pub fn len<T: Table>(&self, table: T) -> Result<u64, Store> {
        let open = self.table(table)?;
        guarded("count", || open.len())
    }
}

/// Rows under way; keeps its snapshot alive.
pub struct Rows<T: Table> {
    range: redb::Range<'static, T::Engine, Bytes>,
    direction: Direction,
}

impl<T: Table> Rows<T> {
    /// The next row, in the direction asked for.
    ///
    /// # Errors
    /// From the engine.
    pub fn next_row(&mut self) -> Result<Option<Row<T>>, Store> {
        let step = || match self.direction {
            Direction::Forward => self.range.next().transpose(),
            Direction::Reverse => self.range.next_back().transpose(),
        };
        let found = guarded("next", step)?;
        Ok(found.map(|(key, value)| Row { key, value }))
    }
}

/// One row, in place.
pub struct Row<T: Table> {
    key: redb::AccessGuard<'static, T::Engine>,
    value: redb::AccessGuard<'static, Bytes>,
}

impl<T: Table> Row<T> {
    /// Its key.
    #[must_use]
    pub fn key(&self) -> Key<'_, T> {
        self.key.value()
    }

    /// Its value.
    #[must_use]
    pub fn value(&self) -> &[u8] {
        self.value.value()
    }
}

fn builder(cache_bytes: usize, check: Check) -> redb::Builder {
    let mut builder = redb::Builder::new();
    builder.set_cache_size(cache_bytes);
    builder.set_check_integrity_on_open(check == Check::Full);
    builder
}

/// Runs one step of the engine; where it panics, which it does only over bytes
/// that it never wrote, that is damage and not a crash.
fn guarded<R, E: Into<redb::Error>>(
    what: &'static str,
    step: impl FnOnce() -> Result<R, E>,
) -> Result<R, Store> {
    match catch_unwind(AssertUnwindSafe(step)) {
        Ok(outcome) => outcome.map_err(of_engine(what)),
        Err(panic) => {
            let said = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
            let said = said.or_else(|| panic.downcast_ref::<String>().cloned());
            let said = said.unwrap_or_else(|| "no word".into());
            Err(damaged(format!("the engine stopped in {what}: {said}")))
        }
    }
}

/// Sorts the engine's errors: what is wrong with the bytes, and all the rest.
fn of_engine<E: Into<redb::Error>>(what: &'static str) -> impl FnOnce(E) -> Store {
    move |error| match error.into() {
        redb::Error::Corrupted(why) => damaged(format!("{what}: {why}")),
        redb::Error::Io(error)
            if matches!(
                error.kind(),
                std::io::ErrorKind::InvalidData | std::io::ErrorKind::UnexpectedEof
            ) =>
        {
            damaged(format!("{what}: {error}"))
        }
        redb::Error::TableDoesNotExist(name) => damaged(format!("{what}: no table {name}")),
        error @ (redb::Error::TableTypeMismatch { .. }
        | redb::Error::TypeDefinitionChanged { .. }
        | redb::Error::TableIsMultimap(_)
        | redb::Error::UpgradeRequired(_)) => damaged(format!("{what}: {error}")),
        error => failed(what, error),
    }
}

fn failed(what: &'static str, why: impl ToString) -> Store {
    let why = why.to_string();
    Store::Engine { what, why }
}

fn damaged(what: String) -> Store {
    Store::Damaged { what }
}

fn undeclared(name: &str) -> Store {
    failed("open table", format!("{name} was not declared on opening"))
}

fn place(path: &Path, why: &str) -> Store {
    Store::Place {
        path: path.to_path_buf(),
        why: why.into(),
    }
}

fn refuse_existing(path: &Path) -> Result<(), Store> {
    let why = "something is here already; create never replaces";
    match path.symlink_metadata() {
        Ok(_) => Err(place(path, why)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(Store::io("look at", path)(error)),
    }
}

#[cfg(test)]
pub(crate) mod faults;
#[cfg(test)]
mod tests;
