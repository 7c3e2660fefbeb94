//! Creating and opening a ledger: two different acts. A server only opens.
//!
//! Opening holds the log against the last signed checkpoint, replays the log's
//! tail into the index, and signs and saves a covering checkpoint before
//! anything is served. What does not extend the last checkpoint opens
//! read-only and says why.

use super::checkpoints::{self, Checkpoints, Standing};
use super::clock::ClockGuard;
use super::folded::Folded;
use super::hosted::HostedKeys;
use super::log::{self, LogView};
use super::sequencer::{Entropy, Sequencer};
use super::vault::Vault;
use super::view::View;
use super::{Failed, fold};
use crate::error::Store;
use crate::proof::checkpoint::VerifiedCheckpoint;
use crate::proof::merkle::Frontier;
use crate::proof::note::{NoteSigner, VerifierKey};
use crate::record::rights::{Registry, root_entity};
use crate::record::section::Openings;
use crate::record::{Entry, Origin};
use crate::store::disk::{Disk, RealDisk};
use crate::store::files;
use crate::store::overlay::{self, Index, Merging};
use crate::store::redb::Database;
use crate::store::table::{Check, Tables};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The log's file within the ledger's folder.
pub const LOG: &str = "log.redb";
/// The tables in the log's file, for an engine on a disk of the caller's own.
pub const LOG_TABLES: Tables = log::TABLES;
/// The derived index's file.
pub const INDEX: &str = "index.redb";
/// The file of personal data keys.
pub const VAULT: &str = "vault.keys";
/// The file of hosted keys.
pub const HOSTED: &str = "hosted.keys";

/// Up to this size a file's integrity is checked whole on every opening, also
/// after a clean stop, for pages rot: the check reads about 500 MB a second, so
/// this takes half a second for the log and as much for the index.
const FULL_CHECK_MAX_BYTES: u64 = 256 * 1024 * 1024;

/// For the pages of both engines, half each: the pages of a batch's 10,000
/// descendants in a ledger of a million records are 40 MB, and are read at random.
pub const CACHE_BYTES: usize = 128 << 20;

/// How a ledger uses the machine.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The engines' caches together, in bytes.
    pub cache_bytes: usize,
    /// When the index's overlay is merged, in bytes; bounds memory and opening.
    pub merge_threshold_bytes: usize,
    /// Where merging is done.
    pub merging: Merging,
    /// How far the clock may be ahead of the last admission without question.
    pub clock_jump_max_ms: u64,
    /// The folder of the last-checkpoint file; none is the ledger's own.
    pub checkpoint_folder: Option<PathBuf>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            cache_bytes: CACHE_BYTES,
            merge_threshold_bytes: 32 << 20,
            merging: Merging::OwnThread,
            // A ledger may rest over the longest holiday.
            clock_jump_max_ms: 30 * 24 * 60 * 60 * 1000,
            checkpoint_folder: None,
        }
    }
}

/// A ledger as it opened.
pub enum Opened {
    /// It reads and writes.
    Writable(Box<Sequencer>),
    /// It reads; why it does not write, and the last signed checkpoint if known.
    ReadOnly {
        /// What can be read; none when not even that.
        view: Option<Box<View>>,
        /// Why, and what would mend it.
        why: String,
        /// The last checkpoint that the ledger signed.
        last: Option<VerifiedCheckpoint>,
        /// To be held as long as the view is read.
        files: Box<Files>,
    },
}

/// The open files of a ledger that only reads: without them its view shows nothing.
#[derive(Debug)]
#[expect(dead_code, reason = "they are open as long as this lives")]
pub struct Files {
    log: Database,
    index: Index,
}

/// The parts that the caller brings.
pub struct Parts {
    /// The ledger's name.
    pub origin: Origin,
    /// Signs checkpoints.
    pub signer: Arc<NoteSigner>,
    /// Hosted keys.
    pub hosted: HostedKeys,
    /// Random bytes.
    pub entropy: Entropy,
}

/// Makes an empty ledger in `folder`, whose first record is still to come. When
/// it is cut off, doing it again finishes it.
///
/// # Errors
/// [`Store::Place`] when there is one already, or the last checkpoint of one.
pub fn create(folder: &Path, settings: Settings, parts: Parts) -> Result<Sequencer, Store> {
    let disk: Arc<dyn Disk> = Arc::new(RealDisk);
    let path = folder.join(LOG);
    if is_ledger(folder) {
        let why = "a ledger is here already; create never replaces".into();
        return Err(Store::Place { path, why });
    }
    let checkpoint_folder = settings
        .checkpoint_folder
        .clone()
        .unwrap_or_else(|| folder.to_path_buf());
    let index = Index::recreate(&folder.join(INDEX), index_settings(&settings))?;
    let cache_bytes = settings.cache_bytes / 2;
    let log = || Database::create(&path, log::TABLES, cache_bytes);
    let vault = folder.join(VAULT);
    create_on(
        disk,
        &checkpoint_folder,
        log,
        index,
        &vault,
        settings,
        parts,
    )
}

/// Makes an empty ledger of engines on whatever disks: the counterpart of
/// [`resume`]. `log` makes the log's database and is called last, because the
/// name of its file is what makes a folder a ledger.
///
/// # Errors
/// As of [`create`].
pub fn create_on(
    disk: Arc<dyn Disk>,
    checkpoint_folder: &Path,
    log: impl FnOnce() -> Result<Database, Store>,
    index: Index,
    vault: &Path,
    settings: Settings,
    parts: Parts,
) -> Result<Sequencer, Store> {
    checkpoints::refuse_signed(&*disk, checkpoint_folder, parts.signer.verifier_key())?;
    let vault = create_vault(&disk, vault)?;
    let mut checkpoints =
        Checkpoints::new(disk, checkpoint_folder, parts.origin.clone(), parts.signer)?;
    let frontier = Frontier::default();
    let checkpoint = checkpoints.advance(0, frontier.root())?;
    checkpoints.prepare()?;
    assemble(
        log()?,
        index,
        vault,
        checkpoints,
        frontier,
        checkpoint,
        None,
        settings,
        parts.origin,
        parts.hosted,
        parts.entropy,
    )
}

/// An empty vault, which may be the one of a creation that was cut off.
fn create_vault(disk: &Arc<dyn Disk>, path: &Path) -> Result<Vault, Store> {
    let there = match Vault::create(Arc::clone(disk), path) {
        Err(Store::Place { .. }) => Vault::open(Arc::clone(disk), path)?,
        made => return made,
    };
    match there.persons().len() {
        0 => Ok(there),
        keys => Err(Store::Place {
            path: path.into(),
            why: format!("the keys of {keys} persons are here, and no log: a ledger lost it"),
        }),
    }
}

/// Opens the ledger in `folder`.
///
/// # Errors
/// [`Store::Place`] when there is none, [`Store::Damaged`] when it cannot be read.
pub fn open(folder: &Path, settings: Settings, parts: Parts) -> Result<Opened, Store> {
    let disk: Arc<dyn Disk> = Arc::new(RealDisk);
    let path = folder.join(LOG);
    let log = Database::open(
        &path,
        log::TABLES,
        affordable_check(&path),
        settings.cache_bytes / 2,
    )?;
    let index_path = folder.join(INDEX);
    let check = affordable_check(&index_path);
    let index = match Index::open(&index_path, check, index_settings(&settings)) {
        Ok(index) => index,
        // Derived: whatever is wrong with it, the log makes it again.
        Err(Store::Damaged { .. } | Store::Place { .. } | Store::Engine { .. }) => {
            Index::recreate(&index_path, index_settings(&settings))?
        }
        Err(error) => return Err(error),
    };
    let vault = Vault::open(Arc::clone(&disk), &folder.join(VAULT))?;
    let checkpoint_folder = settings
        .checkpoint_folder
        .clone()
        .unwrap_or_else(|| folder.to_path_buf());
    resume(disk, &checkpoint_folder, log, index, vault, settings, parts)
}

fn affordable_check(path: &Path) -> Check {
    let length = std::fs::metadata(path).map_or(0, |metadata| metadata.len());
    match length <= FULL_CHECK_MAX_BYTES {
        true => Check::Full,
        false => Check::Quick,
    }
}

/// Opens a ledger from engines that are open already, on whatever disks.
///
/// # Errors
/// As of [`open`].
pub fn resume(
    disk: Arc<dyn Disk>,
    checkpoint_folder: &Path,
    log: Database,
    index: Index,
    mut vault: Vault,
    settings: Settings,
    parts: Parts,
) -> Result<Opened, Store> {
    let Parts {
        origin,
        signer,
        hosted,
        entropy,
    } = parts;
    let key: VerifierKey = signer.verifier_key().clone();
    let log_view = LogView::new(log.snapshot()?);
    let size = log_view.size()?;
    let frontier = Frontier::from_nodes(&log_view, size)?;
    let root = frontier.root();
    let standing = checkpoints::compare(&*disk, checkpoint_folder, &key, &log_view, size)?;
    let last_ms = match size.checked_sub(1) {
        Some(last) => Some(log_view.entry(last)?.admitted_ms),
        None => None,
    };
    let mut index = catch_up(index, &log_view, size)?;
    match standing {
        Standing::Broken { why, last } => {
            let view = last.clone().filter(|last| last.size() <= size).map(|last| {
                Box::new(View::new(
                    log_view,
                    Folded::new(index.view()),
                    Arc::new(last),
                ))
            });
            Ok(Opened::ReadOnly {
                view,
                why,
                last,
                files: Box::new(Files { log, index }),
            })
        }
        Standing::Extends(last) => {
            let mut checkpoint = last;
            let ready = || -> Result<Checkpoints, Store> {
                let mut checkpoints =
                    Checkpoints::new(disk, checkpoint_folder, origin.clone(), signer)?;
                // A crash between commit and checkpoint leaves entries that nobody
                // was told of: they are covered before anything is served.
                if checkpoint.size() != size {
                    checkpoint = checkpoints.advance(size, root)?;
                }
                checkpoints.prepare()?;
                forget_erased(&index, &mut vault)?;
                Ok(checkpoints)
            };
            match ready() {
                Ok(checkpoints) => assemble(
                    log,
                    index,
                    vault,
                    checkpoints,
                    frontier,
                    checkpoint,
                    last_ms,
                    settings,
                    origin,
                    hosted,
                    entropy,
                )
                .map(|sequencer| Opened::Writable(Box::new(sequencer))),
                // Nothing is written any more; what is there can be looked up.
                Err(error) if error.is_without_room() => {
                    // One that fails leaves an index that nobody can read.
                    index.wait()?;
                    let shown = Arc::new(checkpoint.clone());
                    let view = View::new(log_view, Folded::new(index.view()), shown);
                    Ok(Opened::ReadOnly {
                        view: Some(Box::new(view)),
                        why: format!("{error}; make room on the disk and start again"),
                        last: Some(checkpoint),
                        files: Box::new(Files { log, index }),
                    })
                }
                Err(error) => Err(error),
            }
        }
    }
}

/// Replays all erasures, so that a vault put back from elsewhere holds nothing
/// that the log says is gone; and drops keys that no record needs.
fn forget_erased(index: &Index, vault: &mut Vault) -> Result<(), Store> {
    let folded = Folded::new(index.view());
    let mut gone = folded.persons_gone_by(i32::MIN)?;
    for person in vault.persons() {
        if folded.person_state(&person)?.is_none() {
            gone.push(person);
        }
    }
    vault.erase(&gone).map(|_| ())
}

#[expect(
    clippy::too_many_arguments,
    reason = "the parts of one struct, each made elsewhere"
)]
fn assemble(
    log: Database,
    index: Index,
    vault: Vault,
    checkpoints: Checkpoints,
    frontier: Frontier,
    checkpoint: VerifiedCheckpoint,
    last_ms: Option<u64>,
    settings: Settings,
    origin: Origin,
    hosted: HostedKeys,
    entropy: Entropy,
) -> Result<Sequencer, Store> {
    let view = View::new(
        LogView::new(log.snapshot()?),
        Folded::new(index.view()),
        Arc::new(checkpoint),
    );
    let clock = ClockGuard::new(last_ms, settings.clock_jump_max_ms);
    Ok(Sequencer {
        origin,
        log,
        index,
        frontier,
        checkpoints,
        clock,
        vault,
        hosted,
        entropy,
        view,
        memory: super::working::Memory::default(),
        stopped: None,
    })
}

fn index_settings(settings: &Settings) -> overlay::Settings {
    overlay::Settings {
        cache_bytes: settings.cache_bytes / 2,
        merge_threshold_bytes: settings.merge_threshold_bytes,
        merging: settings.merging,
    }
}

/// Brings the index up to the log: an index that is ahead of the log, or of
/// another one, is dropped and made again.
fn catch_up(index: Index, log: &LogView, size: u64) -> Result<Index, Store> {
    let current_to = index.current_to();
    let wanted: [u8; 32] = match current_to {
        0 => [0; 32],
        some if some <= size => fold::binding(log.root(some)?),
        _ => [0; 32],
    };
    let matches = current_to <= size && (index.binding() == wanted || current_to == 0);
    let mut index = if matches { index } else { index.wipe()? };
    let from = index.current_to();
    replay(&mut index, log, from, size)?;
    Ok(index)
}

/// Folds the entries `from..to` into an index that stands at `from`.
pub(crate) fn replay(index: &mut Index, log: &LogView, from: u64, to: u64) -> Result<(), Store> {
    let mut frontier = Frontier::from_nodes(log, from)?;
    let mut outcome = Ok(());
    log.scan(from, |at, bytes| {
        if at >= to {
            return ControlFlow::Break(());
        }
        outcome = replay_one(index, log, &mut frontier, at, bytes);
        match outcome {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        }
    })?;
    outcome
}

fn replay_one(
    index: &mut Index,
    log: &LogView,
    frontier: &mut Frontier,
    at: u64,
    bytes: &[u8],
) -> Result<(), Store> {
    let damaged = |what: String| Store::Damaged {
        what: format!("entry {at}: {what}"),
    };
    let entry = Entry::decode(bytes).map_err(|error| damaged(error.to_string()))?;
    let body = entry
        .signed
        .body()
        .map_err(|error| damaged(error.to_string()))?;
    let openings = Openings {
        trade: log.trade(at)?,
        persons: Vec::new(),
    };
    let claims = body
        .claims(&openings)
        .map_err(|error| damaged(error.to_string()))?;
    let request = log.request(at)?;
    let folded = Folded::new(index.view());
    let signer = match folded.key(&entry.signed.statement().key) {
        Ok(Some(key)) => key.entity,
        Ok(None) if at == 0 => root_entity(),
        Ok(None) => {
            return Err(damaged(
                "signed by a key that no earlier record enrols".into(),
            ));
        }
        Err(failed) => return Err(damaged(failed.to_string())),
    };
    let changes = fold::changes(
        &folded,
        &entry.signed,
        &body,
        &claims,
        signer,
        at,
        request.as_ref(),
    )
    .map_err(|failed| match failed {
        Failed::Store(store) => store,
        Failed::Invalid(invalid) => damaged(invalid.to_string()),
    })?;
    drop(folded);
    for (key, value) in &changes {
        index.put(key, value)?;
    }
    frontier
        .push(crate::proof::merkle::leaf_hash(bytes))
        .map_err(|error| damaged(error.to_string()))?;
    index.maybe_merge(at + 1, fold::binding(frontier.root()))
}

/// Whether `folder` holds a ledger's log.
#[must_use]
pub fn is_ledger(folder: &Path) -> bool {
    folder.join(LOG).exists()
}

/// Reads the last-checkpoint file without opening the ledger.
///
/// # Errors
/// [`Store::Io`].
pub fn last_checkpoint_note(folder: &Path) -> Result<Option<String>, Store> {
    let bytes = files::read(&RealDisk, &folder.join(super::LAST_CHECKPOINT))?;
    Ok(bytes.and_then(|bytes| String::from_utf8(bytes).ok()))
}
