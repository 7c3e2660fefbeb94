//! The owner of an index: takes changes, hands overlays to the merging thread,
//! and says how far the file has come.

use super::super::disk::{Disk, RealDisk, folder_of, remove_if_there};
use super::super::redb::{Database, Snapshot};
use super::super::table::{Check, SequenceTable, Tables};
use super::Overlay;
use super::run::{self, Run};
use super::view::{IndexView, ROWS};
use crate::error::Store;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;

/// Under key 0: log size (8) and binding (32) of the last merge.
const STATE: SequenceTable = SequenceTable("state");
const TABLES: Tables = Tables {
    sequences: &[STATE],
    ordered: &[ROWS],
};

/// Where merging is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Merging {
    /// By a thread of its own, so that the writer does not wait.
    OwnThread,
    /// In the call itself, so that a run under one seed repeats exactly.
    Inline,
}

/// How an index uses the machine.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// The engine's cache.
    pub cache_bytes: usize,
    /// When what has gathered is merged. It grows to twice this before it
    /// waits, and so may what is being merged before it: four times this is the
    /// most in memory, beside the changes of one group.
    pub merge_threshold_bytes: usize,
    /// Where merging is done.
    pub merging: Merging,
}

/// The index, in the hands of the one writer.
///
/// A merge that fails ends it: the error comes out of the next call, and every
/// later one is refused with [`Store::ReadOnly`].
pub struct Index {
    database: Arc<Database>,
    /// None over a backend, whose file is not known here.
    path: Option<PathBuf>,
    settings: Settings,
    active: Overlay,
    /// Set aside, the newest last.
    runs: Arc<[Run]>,
    /// How many of them, from the first, the running merge writes; they stay
    /// visible until they are in `merged`.
    merging_count: usize,
    merged: Merged,
    running: Option<Running>,
    /// How many overlays were set aside, by which a [`Mark`] is known to be old.
    run_count: u64,
    failed: Option<String>,
}

/// A state of the file.
struct Merged {
    snapshot: Snapshot,
    current_to: u64,
    binding: [u8; 32],
}

/// A merge under way; dropping waits for it, so that no thread outlives the
/// index and keeps its file open.
struct Running(Option<JoinHandle<Result<Merged, Store>>>);

impl Running {
    fn is_finished(&self) -> bool {
        self.0.as_ref().is_none_or(JoinHandle::is_finished)
    }

    fn finish(mut self) -> Result<Merged, Store> {
        let joined = self.0.take().map(JoinHandle::join);
        joined.and_then(Result::ok).unwrap_or_else(|| {
            let why = "the merging thread panicked".into();
            Err(Store::Engine { what: "merge", why })
        })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(thread) = self.0.take() {
            // only a finished merge counts; of any other the file tells on opening
            drop(thread.join());
        }
    }
}

/// A moment of the active overlay, to come back to when a group is refused.
#[derive(Debug, Clone)]
pub struct Mark {
    active: Overlay,
    run_count: u64,
}

impl std::fmt::Debug for Index {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Index")
            .field("path", &self.path)
            .field("current_to", &self.merged.current_to)
            .finish_non_exhaustive()
    }
}

impl Index {
    /// Makes a new, empty index, current to size 0 of any log.
    ///
    /// # Errors
    /// [`Store::Place`] when something is there already.
    pub fn create(path: &Path, settings: Settings) -> Result<Self, Store> {
        let database = Database::create(path, TABLES, settings.cache_bytes)?;
        Self::new(database, Some(path.into()), settings)
    }

    /// Opens an index that exists.
    ///
    /// # Errors
    /// [`Store::Place`] when there is none; [`Store::Damaged`], upon which it
    /// should be [made anew](Self::recreate).
    pub fn open(path: &Path, check: Check, settings: Settings) -> Result<Self, Store> {
        let database = Database::open(path, TABLES, check, settings.cache_bytes)?;
        Self::new(database, Some(path.into()), settings)
    }

    /// Removes whatever index is at `path`, sound or not, and makes an empty one.
    ///
    /// # Errors
    /// [`Store::Io`] when the old one stays; [`Store::Place`] when it is in use.
    pub fn recreate(path: &Path, settings: Settings) -> Result<Self, Store> {
        remove_if_there(&RealDisk, path)?;
        let folder = folder_of(path);
        let synced = RealDisk.sync_folder(folder);
        synced.map_err(Store::io("sync", folder))?;
        Self::create(path, settings)
    }

    /// An index on a backend: made if it holds nothing, else opened.
    ///
    /// # Errors
    /// As of [`create`](Self::create) and [`open`](Self::open).
    pub fn with_backend(
        backend: impl super::super::redb::StorageBackend,
        check: Check,
        settings: Settings,
    ) -> Result<Self, Store> {
        let length = backend.len().map_err(|error| Store::Engine {
            what: "open",
            why: error.to_string(),
        })?;
        let database = if length == 0 {
            Database::create_with_backend(backend, TABLES, settings.cache_bytes)?
        } else {
            Database::open_with_backend(backend, TABLES, check, settings.cache_bytes)?
        };
        Self::new(database, None, settings)
    }

    fn new(database: Database, path: Option<PathBuf>, settings: Settings) -> Result<Self, Store> {
        let snapshot = database.snapshot()?;
        let state = snapshot.get(STATE, 0)?;
        let (current_to, binding) = match state {
            Some(state) => decode_state(&state)?,
            // made, never merged: it must then hold nothing
            None if snapshot.len(ROWS)? == 0 => (0, [0; 32]),
            None => {
                let what = "the index has rows but no state".into();
                return Err(Store::Damaged { what });
            }
        };
        Ok(Self {
            database: Arc::new(database),
            path,
            settings,
            active: Overlay::default(),
            runs: Arc::default(),
            merging_count: 0,
            merged: Merged {
                snapshot,
                current_to,
                binding,
            },
            running: None,
            run_count: 0,
            failed: None,
        })
    }

    /// How many entries of the log the file holds, by the last merge seen; the
    /// log from there on has to be folded in again after opening.
    #[must_use]
    pub fn current_to(&self) -> u64 {
        self.merged.current_to
    }

    /// What the writer gave with that size: the root of its log, so that an
    /// index of another log is known for what it is. Zeros before any merge.
    #[must_use]
    pub fn binding(&self) -> [u8; 32] {
        self.merged.binding
    }

    /// About how much memory the changes not yet merged take.
    #[must_use]
    pub fn overlay_bytes(&self) -> usize {
        self.active.bytes().saturating_add(run::bytes(&self.runs))
    }

    /// Puts a value, over an older one if there is any.
    ///
    /// # Errors
    /// That of a failed merge.
    pub fn put(&mut self, key: &[u8], value: &[u8]) -> Result<(), Store> {
        self.adopt_finished()?;
        self.active.change(key, Some(value));
        Ok(())
    }

    /// Deletes a key, whether it is there or not.
    ///
    /// # Errors
    /// That of a failed merge.
    pub fn delete(&mut self, key: &[u8]) -> Result<(), Store> {
        self.adopt_finished()?;
        self.active.change(key, None);
        Ok(())
    }

    /// This moment, for readers.
    #[must_use]
    pub fn view(&self) -> IndexView {
        IndexView {
            active: self.active.clone(),
            runs: Arc::clone(&self.runs),
            merged: self.merged.snapshot.clone(),
        }
    }

    /// This moment, to come back to.
    #[must_use]
    pub fn mark(&self) -> Mark {
        Mark {
            active: self.active.clone(),
            run_count: self.run_count,
        }
    }

    /// Takes back all changes since `mark`.
    ///
    /// # Errors
    /// [`Store::Engine`] when some of them have been set aside since.
    pub fn rollback(&mut self, mark: Mark) -> Result<(), Store> {
        if mark.run_count != self.run_count {
            let why = format!(
                "the mark is from before run {}, wanted one made since",
                self.run_count
            );
            return Err(Store::Engine {
                what: "roll back",
                why,
            });
        }
        self.active = mark.active;
        Ok(())
    }

    /// Joins small runs, and begins a merge when enough has gathered. To be called only when the log is durable up to
    /// `log_size` and every change so far follows from it; `binding` is its root
    /// there. Waits for a running merge only when twice the threshold has
    /// gathered meanwhile.
    ///
    /// # Errors
    /// That of a failed merge.
    pub fn maybe_merge(&mut self, log_size: u64, binding: [u8; 32]) -> Result<(), Store> {
        self.adopt_finished()?;
        let threshold = self.settings.merge_threshold_bytes;
        if let Some(fewer) = run::fewer(&self.runs, self.merging_count) {
            self.runs = fewer;
        }
        let waiting = self.runs.get(self.merging_count..).map_or(0, run::bytes);
        let gathered = self.active.bytes().saturating_add(waiting);
        if gathered < threshold {
            return Ok(());
        }
        if self.running.is_some() {
            if gathered < threshold.saturating_mul(2) {
                return Ok(());
            }
            self.wait()?;
        }
        self.begin(log_size, binding, self.settings.merging)
    }

    /// Sets aside what has changed since the last time, so that views taken from
    /// now on share it with the writer and cost it no copies. A [`Mark`] from
    /// before is then old.
    pub fn set_aside(&mut self) {
        if self.active.is_empty() {
            return;
        }
        let run = Run::of(std::mem::take(&mut self.active));
        self.runs = self.runs.iter().cloned().chain([run]).collect();
        self.run_count += 1;
    }

    /// Merges everything and returns when it is durable, as on a clean stop.
    /// What is said of [`maybe_merge`](Self::maybe_merge) holds here too.
    ///
    /// # Errors
    /// That of this merge or an earlier one.
    pub fn flush(&mut self, log_size: u64, binding: [u8; 32]) -> Result<(), Store> {
        self.wait()?;
        let state = (self.merged.current_to, self.merged.binding);
        if self.active.is_empty() && self.runs.is_empty() && state == (log_size, binding) {
            return Ok(());
        }
        self.begin(log_size, binding, Merging::Inline)
    }

    /// Closes the file; changes not merged are left to be folded in again.
    ///
    /// # Errors
    /// That of a failed merge, or the engine's on closing.
    pub fn close(mut self) -> Result<(), Store> {
        self.wait()?;
        Arc::into_inner(self.database).map_or(Ok(()), Database::close)
    }

    /// The same index, empty: for one that does not match its log. Views taken
    /// earlier may stop reading.
    ///
    /// # Errors
    /// [`Store::Io`] or [`Store::Engine`]; the index is then gone.
    pub fn wipe(self) -> Result<Self, Store> {
        let Self {
            database,
            path,
            settings,
            running,
            merged,
            ..
        } = self;
        drop((running, merged));
        let Some(path) = path else {
            database.write(|batch| {
                batch.clear(STATE)?;
                batch.clear(ROWS)
            })?;
            let alone = Arc::into_inner(database).ok_or_else(|| Store::Engine {
                what: "wipe",
                why: "the index is still in use".into(),
            })?;
            return Self::new(alone, None, settings);
        };
        drop(database);
        Self::recreate(&path, settings)
    }

    fn begin(&mut self, log_size: u64, binding: [u8; 32], merging: Merging) -> Result<(), Store> {
        if log_size < self.merged.current_to {
            let what = self.merged.current_to;
            return Err(Store::Engine {
                what: "merge",
                why: format!("the index is current to {what}, the log has only {log_size}"),
            });
        }
        self.set_aside();
        self.merging_count = self.runs.len();
        let (database, runs) = (Arc::clone(&self.database), Arc::clone(&self.runs));
        let merge = move || write(&database, &runs, log_size, binding);
        match merging {
            Merging::Inline => {
                let merged = merge();
                self.adopt(merged)
            }
            Merging::OwnThread => {
                let thread = std::thread::Builder::new().name("index merge".into());
                match thread.spawn(merge) {
                    Ok(thread) => {
                        self.running = Some(Running(Some(thread)));
                        Ok(())
                    }
                    Err(error) => self.adopt(Err(Store::Engine {
                        what: "start the merging thread",
                        why: error.to_string(),
                    })),
                }
            }
        }
    }

    /// Whether a merge is under way, or has ended and nobody has asked how.
    #[must_use]
    pub fn is_merging(&self) -> bool {
        self.running.is_some()
    }

    /// Takes over a merge that has ended. Of one that failed nobody can read any
    /// more: whoever has nothing else to do asks soon.
    ///
    /// # Errors
    /// The merge's own; [`Store::ReadOnly`] ever after.
    pub fn adopt_finished(&mut self) -> Result<(), Store> {
        if let Some(why) = &self.failed {
            let why = format!("an earlier merge failed ({why}); open the index again");
            return Err(Store::ReadOnly { why });
        }
        match self.running.take_if(|running| running.is_finished()) {
            Some(running) => self.adopt(running.finish()),
            None => Ok(()),
        }
    }

    /// Waits for the end of a merge under way and takes it over.
    ///
    /// # Errors
    /// As of [`adopt_finished`](Self::adopt_finished).
    pub fn wait(&mut self) -> Result<(), Store> {
        self.adopt_finished()?;
        match self.running.take() {
            Some(running) => self.adopt(running.finish()),
            None => Ok(()),
        }
    }

    /// A failed merge leaves its runs in sight: what readers saw stays true.
    fn adopt(&mut self, merged: Result<Merged, Store>) -> Result<(), Store> {
        match merged {
            Ok(merged) => {
                self.merged = merged;
                let rest = self.runs.get(self.merging_count..);
                let rest = rest.unwrap_or_default().iter().cloned().collect();
                let written = std::mem::replace(&mut self.runs, rest);
                self.merging_count = 0;
                if self.settings.merging == Merging::OwnThread {
                    // freeing some 100,000 changes takes milliseconds that the
                    // writer has better use for; without a thread it is done here
                    let thread = std::thread::Builder::new().name("index free".into());
                    drop(thread.spawn(move || drop(written)));
                }
                Ok(())
            }
            Err(error) => {
                self.failed = Some(error.to_string());
                Err(error)
            }
        }
    }
}

/// Writes runs and what they make the file current to, in one batch.
fn write(
    database: &Database,
    runs: &[Run],
    current_to: u64,
    binding: [u8; 32],
) -> Result<Merged, Store> {
    let mut state = current_to.to_be_bytes().to_vec();
    state.extend(binding);
    database.write(|batch| {
        for (key, value) in run::sorted(runs) {
            match value {
                Some(value) => batch.put(ROWS, key, value)?,
                None => drop(batch.delete(ROWS, key)?),
            }
        }
        batch.put(STATE, 0, &state)
    })?;
    Ok(Merged {
        snapshot: database.snapshot()?,
        current_to,
        binding,
    })
}

fn decode_state(state: &[u8]) -> Result<(u64, [u8; 32]), Store> {
    let parts = state.split_first_chunk::<8>();
    let parts = parts.and_then(|(size, rest)| Some((size, rest.try_into().ok()?)));
    let (size, binding) = parts.ok_or_else(|| Store::Damaged {
        what: format!("the index's state has {} bytes, wanted 40", state.len()),
    })?;
    Ok((u64::from_be_bytes(*size), binding))
}
