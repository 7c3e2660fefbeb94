//! The ledger on a simulated disk that these tests act upon: the world's, with
//! other keys and nonces at every opening, as a machine draws them.

use std::sync::atomic::{AtomicU64, Ordering};
use trace_core::error::Store;
use trace_core::ledger::opening::{Opened, Parts};
use trace_core::ledger::sequencer::Sequencer;
use trace_fixtures::World;
use trace_fixtures::disk::SimulatedDisk;
use trace_fixtures::draw::Draw;
use trace_fixtures::ledger_on_disk::{self, Engines};
use trace_fixtures::stage;

pub use trace_fixtures::ledger_on_disk::{checkpoint_path, open_engines, open_index, path};

fn parts(world: &World) -> Parts {
    static OPENINGS: AtomicU64 = AtomicU64::new(0);
    let mut draw = Draw::new(OPENINGS.fetch_add(1, Ordering::Relaxed), "vault keys");
    Parts {
        entropy: Box::new(move |bytes| bytes.fill_with(|| draw.bytes::<1>()[0])),
        ..stage::parts(world)
    }
}

pub fn create(disk: &SimulatedDisk, world: &World) -> Result<Sequencer, Store> {
    ledger_on_disk::create(disk, parts(world))
}

pub fn open(disk: &SimulatedDisk, world: &World) -> Result<Opened, Store> {
    ledger_on_disk::open(disk, parts(world))
}

pub fn resume(disk: &SimulatedDisk, world: &World, engines: Engines) -> Result<Opened, Store> {
    ledger_on_disk::resume(disk, parts(world), engines)
}
