//! Raw temperature readings, beside the log: never edited, sealed into
//! segments that a signed record binds, and compressed then.
//!
//! What arrives is *unsealed*: packed rows of up to 512 readings
//! of one probe that never overlap, so that order of arrival leaves no trace and
//! a live probe's single readings gather in its last row. A **draft** takes the
//! oldest of them out as a segment with its root; once the ledger has admitted
//! the record, the segment is confirmed. A probe has at most one draft, and the
//! ledger alone decides its number: whoever asks says which number the ledger
//! expects, and a draft of a higher one goes back to being unsealed. If the power
//! fails between draft and record, that is what opening does.
//!
//! Every distinct reading is kept: late, overlapping, out of order, and other
//! temperatures of the same moment (a conflict, shown as both). An exact repeat
//! is counted once, against sealed readings too. What was pruned is not known any
//! more: sent again, it is new.
//!
//! Not here: whose probe it is, signing, verdicts, and any clock. The store
//! proves nothing: what leaves it is hashed again against the root of the record.

mod copying;
mod joining;
mod packed;
mod pruning;
mod range;
mod rows;
mod sealing;
mod taking;
mod writer;

#[cfg(test)]
mod tests;

pub use copying::Rows;
pub use joining::Taken;
pub use pruning::{Checked, Pruned, Stored};
pub use range::Range;
pub use sealing::Segment;
pub use taking::EARLIEST_MS;
pub use writer::Reply;

use super::Failed;
use crate::error::{Invalid, Store};
use crate::ident::EquipmentId;
use crate::record::Hash;
use crate::record::cold_chain;
use crate::record::readings::READINGS_MAX;
use crate::record::temperature::Reading;
use crate::store::redb::Database;
use crate::store::table::Check;
use quick_cache::sync::Cache;
use rows::TABLES;
use std::ops::RangeInclusive;
use std::path::Path;
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// The file's name in a ledger's folder.
pub const READINGS_FILE: &str = "readings.redb";

/// What the store may take of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// Of the engine's pages. The last rows of a city's 20,304 probes are 30 MB.
    pub cache_bytes: usize,
    /// Most readings that wait for the writer or are being written; 16 bytes each,
    /// and half as much again while they are written.
    pub waiting_readings_max: usize,
    /// Threads that join and pack a large group.
    pub threads: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            cache_bytes: 64 << 20,
            waiting_readings_max: 4 * READINGS_MAX,
            threads: std::thread::available_parallelism().map_or(1, usize::from),
        }
    }
}

/// The store; clones share it. The last one to be dropped waits until all that
/// was taken is durable.
#[derive(Clone)]
pub struct Readings(Arc<writer::Running>);

impl std::fmt::Debug for Readings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Readings")
    }
}

/// The database, and who may change it.
struct Shelves {
    database: Database,
    /// Whatever is written is planned from a snapshot, and nothing may come between
    /// that concerns the same probes: groups of different probes share it, all else
    /// has it alone. A panic in between has ended the database's writing too.
    writing: RwLock<()>,
    threads: usize,
    /// Segments that were found sound, by count and root.
    sound: Cache<(EquipmentId, u64), (u32, Hash)>,
}

/// Most segments that are remembered as sound: weeks of all probes of a city three
/// times over; of some 150 bytes each they take 10 MB.
const SOUND_MAX: usize = 65_536;

impl Shelves {
    fn over(database: Database, threads: usize) -> Self {
        Self {
            database,
            writing: RwLock::new(()),
            threads: threads.max(1),
            sound: Cache::new(SOUND_MAX),
        }
    }

    /// For whoever sees to it that nobody else writes the same probes.
    fn share(&self) -> RwLockReadGuard<'_, ()> {
        self.writing.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> RwLockWriteGuard<'_, ()> {
        self.writing.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Readings {
    /// Makes an empty store.
    ///
    /// # Errors
    /// [`Store::Place`] when something is there already.
    pub fn create(path: &Path, settings: Settings) -> Result<Self, Store> {
        let database = Database::create(path, TABLES, settings.cache_bytes)?;
        writer::start(Shelves::over(database, settings.threads), settings)
    }

    /// Opens a store. `expected` says which segment of a probe the ledger expects
    /// next: a draft below it was admitted and is confirmed, any other goes back.
    /// It is asked only for probes with a draft.
    ///
    /// # Errors
    /// [`Store::Place`] when there is none, [`Store::Damaged`]; whatever
    /// `expected` gives.
    pub fn open(
        path: &Path,
        settings: Settings,
        check: Check,
        expected: impl FnMut(&EquipmentId) -> Result<u64, Store>,
    ) -> Result<Self, Store> {
        let database = Database::open(path, TABLES, check, settings.cache_bytes)?;
        let shelves = Shelves::over(database, settings.threads);
        shelves.settle(expected)?;
        writer::start(shelves, settings)
    }

    /// Stores readings and waits until they are durable. They may be in any order
    /// and repeated, and a probe may be named more than once; all are taken or
    /// none.
    ///
    /// # Errors
    /// [`Failed::Invalid`]: [`TooLarge`](crate::error::Rule::TooLarge),
    /// [`Temperature`](crate::error::Rule::Temperature),
    /// [`EventAhead`](crate::error::Rule::EventAhead) for a time after `now_ms` and
    /// `tolerance_ms`, [`Instant`](crate::error::Rule::Instant) for one before 2000,
    /// [`Busy`](crate::error::Rule::Busy) when too much waits. [`Failed::Store`] is
    /// final: nothing more is taken until the store is opened again.
    pub fn append(
        &self,
        batch: Vec<(EquipmentId, Vec<Reading>)>,
        now_ms: u64,
        tolerance_ms: u64,
    ) -> Result<Taken, Failed> {
        let (sender, receiver) = sync_channel(1);
        let reply: Reply = Box::new(move |outcome| {
            // A caller that stopped waiting needs no answer.
            let _ = sender.send(outcome);
        });
        self.append_then(batch, now_ms, tolerance_ms, reply)?;
        Ok(receiver.recv().map_err(|_| writer::ended())??)
    }

    /// As [`append`](Self::append), but does not wait: `reply` is called once, from
    /// the writer's thread, and must not block.
    ///
    /// # Errors
    /// As [`append`](Self::append)'s refusals; `reply` is then not called.
    pub fn append_then(
        &self,
        batch: Vec<(EquipmentId, Vec<Reading>)>,
        now_ms: u64,
        tolerance_ms: u64,
        reply: Reply,
    ) -> Result<(), Invalid> {
        self.0
            .append_then(batch, now_ms.saturating_add(tolerance_ms), reply)
    }

    /// The readings of a probe in a time, with the neighbours outside it, as they
    /// were when asked; later writes neither wait nor show.
    ///
    /// # Errors
    /// [`Store`].
    pub fn range(&self, probe: EquipmentId, ms: RangeInclusive<u64>) -> Result<Range, Store> {
        Range::open(&self.shelves().database.snapshot()?, probe, ms)
    }

    /// The last reading before a time; the last of all before `u64::MAX`.
    ///
    /// # Errors
    /// [`Store`].
    pub fn last_before(&self, probe: &EquipmentId, ms: u64) -> Result<Option<Reading>, Store> {
        range::last_before(&self.shelves().database.snapshot()?, probe, ms)
    }

    /// The probes that have unsealed readings, with the time of the first of
    /// them, after a probe in the order of their ids.
    ///
    /// # Errors
    /// [`Store`].
    pub fn unsealed(
        &self,
        after: Option<EquipmentId>,
        limit: usize,
    ) -> Result<Vec<(EquipmentId, u64)>, Store> {
        self.shelves().unsealed(after, limit)
    }

    /// What a probe's readings take, sealed or not.
    ///
    /// # Errors
    /// [`Store`].
    pub fn stored(&self, probe: &EquipmentId) -> Result<Stored, Store> {
        self.shelves().stored(probe)
    }

    /// Takes the oldest unsealed readings up to a time out as the segment that the
    /// ledger expects next. They stay readable. `None` when there are none. When
    /// that segment is drafted already, it is given again as it is.
    ///
    /// # Errors
    /// [`Sequence`](crate::error::Rule::Sequence) when a segment of that number was
    /// confirmed here; [`Failed::Store`].
    pub fn draft(
        &self,
        probe: &EquipmentId,
        expected: u64,
        until_ms: u64,
    ) -> Result<Option<cold_chain::Segment>, Failed> {
        self.shelves().draft(probe, expected, until_ms)
    }

    /// The ledger has admitted the record of a draft.
    ///
    /// # Errors
    /// [`Range`](crate::error::Rule::Range) when there is no such segment;
    /// [`Failed::Store`].
    pub fn confirm(&self, probe: &EquipmentId, number: u64) -> Result<(), Failed> {
        self.shelves().confirm(probe, number)
    }

    /// The record of a draft will not be: its readings are unsealed again. Nothing
    /// happens when it is not a draft (any more).
    ///
    /// # Errors
    /// [`Store`].
    pub fn withdraw(&self, probe: &EquipmentId, number: u64) -> Result<(), Store> {
        self.shelves().withdraw(probe, number)
    }

    /// A segment's readings, drafted or confirmed; `None` when there is none of
    /// that number.
    ///
    /// # Errors
    /// [`Store::Damaged`] when they are not as many as were sealed.
    pub fn segment(&self, probe: &EquipmentId, number: u64) -> Result<Option<Segment>, Store> {
        self.shelves().segment(probe, number)
    }

    /// A segment's [`chunks`](crate::proof::readings::chunk) as they lie here, in
    /// order, to be carried away and checked there; none of one that was pruned.
    /// `None` when there is none of that number.
    ///
    /// # Errors
    /// [`Store`].
    pub fn chunks(&self, probe: &EquipmentId, number: u64) -> Result<Option<Vec<Vec<u8>>>, Store> {
        self.shelves().chunks(probe, number)
    }

    /// Checks a segment against what the ledger's record says of it.
    ///
    /// # Errors
    /// [`Store::Damaged`] naming the first chunk or reading that does not fit.
    pub fn check(
        &self,
        probe: &EquipmentId,
        number: u64,
        count: u32,
        root: &Hash,
    ) -> Result<Checked, Store> {
        self.shelves().check(probe, number, count, root)
    }

    /// The same, unless it was found sound since the store was opened: nobody else
    /// writes the file meanwhile, and an audit looks again.
    ///
    /// # Errors
    /// As of [`Readings::check`].
    pub fn check_once(
        &self,
        probe: &EquipmentId,
        number: u64,
        count: u32,
        root: &Hash,
    ) -> Result<(), Store> {
        self.shelves().check_once(probe, number, count, root)
    }

    /// Reads all readings that are not sealed, from one end of the file to the
    /// other; how many there are.
    ///
    /// # Errors
    /// [`Store::Damaged`] naming the first that cannot be read.
    pub fn check_unsealed(&self) -> Result<u64, Store> {
        self.shelves().check_unsealed()
    }

    /// Takes away the readings of a probe's confirmed segments below a number, or
    /// only says what that would be.
    ///
    /// # Errors
    /// [`Store`].
    pub fn prune(
        &self,
        probe: &EquipmentId,
        before_number: u64,
        dry_run: bool,
    ) -> Result<Pruned, Store> {
        self.shelves().prune(probe, before_number, dry_run)
    }

    /// Stores what was taken and ends the writer; later appends are refused with
    /// [`Store::ReadOnly`].
    pub fn stop(&self) {
        self.0.stop();
    }

    fn shelves(&self) -> &Shelves {
        self.0.shelves()
    }
}
