//! What must be true of a world when it is calm again. It is told what every
//! client was told, and looks at the log, never at what the server thinks.

use super::plain::Plain;
use super::run::Run;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::ControlFlow;
use trace_core::ledger::View;
use trace_core::ledger::opening::{INDEX, Opened};
use trace_core::ledger::sequencer::Sequencer;
use trace_core::proof::checkpoint::VerifiedCheckpoint;
use trace_core::record::hash::Hasher;
use trace_core::record::{Body, Entry, Hash};
use trace_fixtures::disk::{Kept, SimulatedDisk};
use trace_fixtures::draw::Draw;
use trace_fixtures::ledger_on_disk::{self, path};

macro_rules! ensure {
    ($condition:expr, $($why:tt)+) => {
        if !$condition {
            return Err(format!($($why)+));
        }
    };
}

/// Checks all; the hash of the state.
pub fn check(
    run: &Run<'_>,
    seed: u64,
    sequencer: Box<Sequencer>,
    disk: &SimulatedDisk,
) -> Result<Hash, String> {
    let view = sequencer.view();
    let log = Log::read(&view)?;
    log.hold_receipts(run)?;
    log.hold_names(run)?;
    for (hash, size) in &run.absent {
        let index = log.places.get(hash);
        ensure!(
            index.is_none_or(|index| index >= size),
            "{hash} was reported absent at size {size} and stands at {index:?}"
        );
    }
    for (hash, index) in &run.found {
        let found = log.places.get(hash);
        ensure!(
            found == Some(index),
            "{hash} was shown at {index}, stands at {found:?}"
        );
    }
    hold_checkpoints(run, &view)?;
    let derived = view
        .folded()
        .derived_digest()
        .map_err(|error| error.to_string())?;
    let note = view.checkpoint().note().to_owned();
    drop(view);
    sequencer
        .close()
        .map_err(|error| format!("closing: {error}"))?;
    hold_derived(run, seed, disk, derived, &note)?;
    Ok(state(run, derived, &note))
}

/// What stands in the log.
struct Log {
    places: HashMap<Hash, u64>,
    /// Of hand-overs, by what only one of them can have: its trade section.
    commitments: BTreeMap<Hash, u64>,
    size: u64,
}

impl Log {
    fn read(view: &View) -> Result<Self, String> {
        let mut log = Self {
            places: HashMap::new(),
            commitments: BTreeMap::new(),
            size: 0,
        };
        let (mut plain, mut last_ms) = (Plain::default(), 0);
        let wrong = view.scan(0, |index, bytes| {
            let entry = Entry::decode(bytes).unwrap();
            let body = entry.signed.body().unwrap();
            let openings = view.trade_openings(index).unwrap();
            let hash = entry.signed.hash();
            let mut wrong = plain.admit(&body, &openings).err();
            if let Some(before) = log.places.insert(hash, index) {
                wrong = Some(format!("{hash} stands at {before} and at {index}"));
            }
            if let Body::HandedOver(body) = &body
                && let Some(before) = log.commitments.insert(body.trade, index)
            {
                wrong = Some(format!("one hand-over stands at {before} and at {index}"));
            }
            if entry.admitted_ms < last_ms {
                wrong = Some(format!("entry {index} goes back in time"));
            }
            last_ms = entry.admitted_ms;
            log.size = index + 1;
            match wrong {
                Some(why) => ControlFlow::Break(Some(why)),
                None => ControlFlow::Continue(()),
            }
        });
        match wrong.map_err(|error| error.to_string())? {
            Some(why) => Err(why),
            None if log.size != view.size() => {
                Err(format!("{} entries, size {}", log.size, view.size()))
            }
            None => Ok(log),
        }
    }

    /// Each acknowledged record stands once, where it was acknowledged.
    fn hold_receipts(&self, run: &Run<'_>) -> Result<(), String> {
        let of_devices = run
            .devices
            .iter()
            .flat_map(|device| device.receipts.values());
        let of_hosted = run
            .hosted
            .iter()
            .flat_map(|hosted| hosted.receipts.values().flatten());
        let mut indexes = BTreeSet::new();
        for (hash, index) in of_devices.chain(of_hosted) {
            let found = self.places.get(hash);
            ensure!(
                found == Some(index),
                "{hash} was acknowledged at {index}, stands at {found:?}"
            );
            ensure!(
                indexes.insert(index),
                "index {index} was acknowledged twice"
            );
        }
        Ok(())
    }

    /// Each named request is there whole or not at all.
    fn hold_names(&self, run: &Run<'_>) -> Result<(), String> {
        for named in &run.named {
            let commitments = named.items.iter().filter_map(|(body, _)| match body {
                Body::HandedOver(body) => Some(body.trade),
                _ => None,
            });
            let there: Vec<bool> = commitments
                .map(|trade| self.commitments.contains_key(&trade))
                .collect();
            ensure!(
                there.iter().all(|is_there| *is_there == there[0]),
                "request {} is there in part: {there:?}",
                named.key
            );
        }
        Ok(())
    }
}

/// Every checkpoint that anybody saw extends every smaller one, and the last
/// extends all.
fn hold_checkpoints(run: &Run<'_>, view: &View) -> Result<(), String> {
    let first = (run.base.checkpoint.size(), *run.base.checkpoint.root());
    let last = view.checkpoint();
    let mut all: BTreeMap<(u64, Hash), &VerifiedCheckpoint> = run
        .seen
        .iter()
        .map(|(place, seen)| (*place, &**seen))
        .collect();
    all.insert(first, &run.base.checkpoint);
    all.insert((last.size(), *last.root()), last);
    let all: Vec<&VerifiedCheckpoint> = all.into_values().collect();
    for (at, newer) in all.iter().enumerate() {
        for older in &all[..at] {
            let said = || format!("checkpoints of {} and {}", older.size(), newer.size());
            let path = view.prove_consistency(older.size(), newer.size());
            let path = path.map_err(|error| format!("{}: {error}", said()))?;
            let extends = newer.verify_extends(older, &path);
            extends.map_err(|error| format!("{}: {error}", said()))?;
        }
    }
    Ok(())
}

/// The derived rows are what the log alone makes.
fn hold_derived(
    run: &Run<'_>,
    seed: u64,
    disk: &SimulatedDisk,
    derived: Hash,
    note: &str,
) -> Result<(), String> {
    for is_rebuilt in [false, true] {
        let mut medium = disk.medium().after_power_cut(Kept::Nothing);
        if is_rebuilt {
            medium.take(&path(INDEX));
        }
        let disk = SimulatedDisk::from(medium);
        let parts = run.base.parts(&disk, Draw::new(seed, "simulated end"));
        let opened = ledger_on_disk::open(&disk, parts);
        let Ok(Opened::Writable(sequencer)) = opened else {
            return Err("does not open after a clean stop".into());
        };
        let view = sequencer.view();
        let found = view
            .folded()
            .derived_digest()
            .map_err(|error| error.to_string())?;
        ensure!(
            view.checkpoint().note() == note,
            "another checkpoint after a clean stop"
        );
        ensure!(
            found == derived,
            "the derived rows are not the fold of the log (made anew: {is_rebuilt})"
        );
    }
    Ok(())
}

fn state(run: &Run<'_>, derived: Hash, note: &str) -> Hash {
    let mut hasher = Hasher::default();
    hasher.update(note.as_bytes());
    hasher.update(derived.as_bytes());
    for device in &run.devices {
        for (sequence, (hash, index)) in &device.receipts {
            hasher.update(&sequence.to_be_bytes());
            hasher.update(hash.as_bytes());
            hasher.update(&index.to_be_bytes());
        }
    }
    for (hash, index) in run
        .hosted
        .iter()
        .flat_map(|hosted| hosted.receipts.values().flatten())
    {
        hasher.update(hash.as_bytes());
        hasher.update(&index.to_be_bytes());
    }
    for (size, root) in run.seen.keys() {
        hasher.update(&size.to_be_bytes());
        hasher.update(root.as_bytes());
    }
    for (hash, size) in run.absent.iter().chain(&run.found) {
        hasher.update(hash.as_bytes());
        hasher.update(&size.to_be_bytes());
    }
    hasher.finish()
}
