//! Opening and creating a ledger on a simulated disk: the same steps in the
//! same order as `opening::open` and `opening::create` take on the machine's.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use trace_core::error::Store;
use trace_core::ledger::LAST_CHECKPOINT;
use trace_core::ledger::opening::{self, INDEX, LOG, LOG_TABLES, Opened, Parts, Settings, VAULT};
use trace_core::ledger::sequencer::Sequencer;
use trace_core::ledger::vault::Vault;
use trace_core::store::disk::{Disk, beside, folder_of, remove_if_there, settle_name};
use trace_core::store::overlay::{self, Index, Merging};
use trace_core::store::redb::Database;
use trace_core::store::table::Check;
use trace_fixtures::World;
use trace_fixtures::disk::{SimulatedDisk, SimulatedFile};
use trace_fixtures::draw::Draw;
use trace_fixtures::stage;

/// Half of it is the log's: small enough that pages are written before a commit.
const CACHE_BYTES: usize = 256 << 10;

/// Small enough that a history of some forty groups merges several times.
const MERGE_THRESHOLD_BYTES: usize = 12 << 10;

pub fn path(name: &str) -> PathBuf {
    Path::new("/ledger").join(name)
}

pub fn checkpoint_folder() -> &'static Path {
    Path::new("/kept")
}

pub fn checkpoint_path() -> PathBuf {
    checkpoint_folder().join(LAST_CHECKPOINT)
}

pub fn settings() -> Settings {
    Settings {
        cache_bytes: CACHE_BYTES,
        merge_threshold_bytes: MERGE_THRESHOLD_BYTES,
        merging: Merging::Inline,
        ..Settings::default()
    }
}

fn index_settings() -> overlay::Settings {
    overlay::Settings {
        cache_bytes: CACHE_BYTES / 2,
        merge_threshold_bytes: MERGE_THRESHOLD_BYTES,
        merging: Merging::Inline,
    }
}

/// Every opening draws other keys and nonces, as a machine does.
pub fn parts(world: &World) -> Parts {
    static OPENINGS: AtomicU64 = AtomicU64::new(0);
    let mut draw = Draw::new(OPENINGS.fetch_add(1, Ordering::Relaxed), "vault keys");
    Parts {
        entropy: Box::new(move |bytes| bytes.fill_with(|| draw.bytes::<1>()[0])),
        ..stage::parts(world)
    }
}

pub fn create(disk: &SimulatedDisk, world: &World) -> Result<Sequencer, Store> {
    let index = recreate_index(disk)?;
    let log = || {
        let engine = |file| Database::create_with_backend(file, LOG_TABLES, CACHE_BYTES / 2);
        build(disk, &path(LOG), |file| engine(file)?.close())?;
        open_log(disk)
    };
    opening::create_on(
        Arc::new(disk.clone()),
        checkpoint_folder(),
        log,
        index,
        &path(VAULT),
        settings(),
        parts(world),
    )
}

pub fn open(disk: &SimulatedDisk, world: &World) -> Result<Opened, Store> {
    let engines = open_engines(disk)?;
    resume(disk, world, engines)
}

pub type Engines = (Database, Index, Vault);

pub fn open_engines(disk: &SimulatedDisk) -> Result<Engines, Store> {
    let log = open_log(disk)?;
    let index = match open_index(disk) {
        Ok(index) => index,
        Err(Store::Damaged { .. } | Store::Place { .. } | Store::Engine { .. }) => {
            recreate_index(disk)?
        }
        Err(error) => return Err(error),
    };
    let vault = Vault::open(Arc::new(disk.clone()), &path(VAULT))?;
    Ok((log, index, vault))
}

pub fn resume(
    disk: &SimulatedDisk,
    world: &World,
    (log, index, vault): Engines,
) -> Result<Opened, Store> {
    opening::resume(
        Arc::new(disk.clone()),
        checkpoint_folder(),
        log,
        index,
        vault,
        settings(),
        parts(world),
    )
}

fn open_log(disk: &SimulatedDisk) -> Result<Database, Store> {
    let file = existing(disk, &path(LOG))?;
    Database::open_with_backend(file, LOG_TABLES, Check::Full, CACHE_BYTES / 2)
}

pub fn open_index(disk: &SimulatedDisk) -> Result<Index, Store> {
    let file = existing(disk, &path(INDEX))?;
    if disk
        .medium()
        .read(&path(INDEX))
        .is_some_and(<[u8]>::is_empty)
    {
        let what = "the index is empty".into();
        return Err(Store::Damaged { what });
    }
    Index::with_backend(file, Check::Full, index_settings())
}

fn recreate_index(disk: &SimulatedDisk) -> Result<Index, Store> {
    let path = path(INDEX);
    remove_if_there(disk, &path)?;
    let folder = folder_of(&path);
    disk.sync_folder(folder)
        .map_err(Store::io("sync", folder))?;
    build(disk, &path, |file| {
        Index::with_backend(file, Check::Quick, index_settings())?.close()
    })?;
    open_index(disk)
}

/// As `Database::create`: built under another name, synced, renamed.
fn build(
    disk: &SimulatedDisk,
    path: &Path,
    make: impl FnOnce(SimulatedFile) -> Result<(), Store>,
) -> Result<(), Store> {
    let building = beside(path, ".building");
    remove_if_there(disk, &building)?;
    let file = disk.backend(&building);
    make(file.map_err(Store::io("create", &building))?)?;
    let file = Disk::open(disk, &building);
    file.and_then(|file| file.sync())
        .map_err(Store::io("sync", &building))?;
    settle_name(disk, &building, path)
}

fn existing(disk: &SimulatedDisk, path: &Path) -> Result<SimulatedFile, Store> {
    if disk.medium().file(path).is_none() {
        return Err(Store::Place {
            path: path.into(),
            why: "there is no database here; create one first".into(),
        });
    }
    disk.backend(path).map_err(Store::io("open", path))
}
