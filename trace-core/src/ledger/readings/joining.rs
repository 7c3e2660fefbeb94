//! How new readings join the unsealed rows of their probe.
//!
//! A row's place is decided by its first reading, and every reading has exactly
//! one row that it belongs to: the last that begins at it or before it, or the
//! first of all. What grows beyond [`ROW_MAX`] is split: the last row into full
//! rows and a rest, since more will come behind it; any other evenly.
//!
//! Joining is planned from a snapshot and then written: planning a group is the
//! costly part and goes over all threads, probe by probe.

use super::Shelves;
use super::range::Merge;
use super::rows::{CHUNKS, HORIZONS, Kept, ROW_MAX, UNSEALED, chunk_after, chunk_at, chunk_key};
use super::taking::Call;
use crate::error::Store;
use crate::ident::EquipmentId;
use crate::proof::readings::chunk::{self, Effort};
use crate::record::temperature::Reading;
use crate::store::redb::{Batch, Snapshot};
use std::collections::BTreeMap;
use std::ops::Bound;

/// What became of a call's readings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Taken {
    /// Stored now.
    pub fresh: u64,
    /// Exact repeats, of each other or of what was there.
    pub known: u64,
}

/// A row to put, or to delete.
pub(super) type Write = ([u8; 30], Option<Vec<u8>>);

/// A reading and the call that brought it.
type Arrival = (Reading, u32);

/// Below this many readings another thread costs more than it saves: 8,192 take
/// about a millisecond to join.
const THREAD_READINGS_MIN: usize = 8_192;

impl Shelves {
    /// Stores a group of calls, durable when this returns. No other group that is
    /// being stored may have one of its probes.
    ///
    /// # Errors
    /// [`Store`]; then nothing more can be written.
    pub(super) fn commit(&self, calls: Vec<Call>) -> Result<Vec<Taken>, Store> {
        let sent: Vec<_> = calls.iter().map(|it| it.count + it.repeated).collect();
        let total = calls.iter().map(|it| it.count).sum::<usize>();
        let _writing = self.share();
        let snapshot = self.database.snapshot()?;
        let arrivals = by_probe(calls);
        let threads = self.threads.min(total / THREAD_READINGS_MIN).max(1);
        let width = arrivals.len().div_ceil(threads).max(1);
        let plan_part = |part: &[(EquipmentId, Vec<Arrival>)]| {
            let mut plan = Plan::new(&snapshot, sent.len());
            for (probe, arrivals) in part {
                plan.take(probe, arrivals)?;
            }
            Ok::<_, Store>((plan.writes, plan.fresh))
        };
        let plans = std::thread::scope(|scope| {
            let mut parts = arrivals.chunks(width);
            let first = parts.next().unwrap_or_default();
            let others: Vec<_> = parts
                .map(|part| scope.spawn(move || plan_part(part)))
                .collect();
            let mut plans = vec![plan_part(first)];
            plans.extend(others.into_iter().map(|it| {
                it.join().unwrap_or_else(|_| {
                    let why = "a thread panicked".into();
                    Err(Store::Engine {
                        what: "join readings",
                        why,
                    })
                })
            }));
            plans.into_iter().collect::<Result<Vec<_>, _>>()
        })?;
        drop(arrivals);
        if plans.iter().any(|(writes, _)| !writes.is_empty()) {
            self.database.write(|batch| {
                plans
                    .iter()
                    .try_for_each(|(writes, _)| write(batch, writes))
            })?;
        }
        let fresh = |call: usize| plans.iter().filter_map(|(_, fresh)| fresh.get(call)).sum();
        let taken = sent.into_iter().enumerate().map(|(call, sent)| {
            let fresh: u64 = fresh(call);
            let known = (sent as u64).saturating_sub(fresh);
            Taken { fresh, known }
        });
        Ok(taken.collect())
    }
}

/// The calls' readings of each probe, sorted, each once: the first call's.
fn by_probe(calls: Vec<Call>) -> Vec<(EquipmentId, Vec<Arrival>)> {
    let mut probes = BTreeMap::<EquipmentId, Vec<Arrival>>::new();
    for (call, it) in (0..).zip(calls) {
        for (probe, readings) in it.probes {
            let arrivals = probes.entry(probe).or_default();
            let several = !arrivals.is_empty();
            arrivals.extend(readings.into_iter().map(|reading| (reading, call)));
            if several {
                arrivals.sort(); // by reading, then by call
                arrivals.dedup_by_key(|(reading, _)| *reading);
            }
        }
    }
    probes.into_iter().collect()
}

pub(super) fn write(batch: &mut Batch<'_>, writes: &[Write]) -> Result<(), Store> {
    for (key, row) in writes {
        match row {
            Some(bytes) => batch.put(CHUNKS, key, bytes)?,
            None => drop(batch.delete(CHUNKS, key)?),
        }
    }
    Ok(())
}

/// What is to be written for the probes so far.
pub(super) struct Plan<'s> {
    snapshot: &'s Snapshot,
    pub(super) writes: Vec<Write>,
    /// How many readings each call brought that were not there.
    pub(super) fresh: Vec<u64>,
}

impl<'s> Plan<'s> {
    pub(super) fn new(snapshot: &'s Snapshot, calls: usize) -> Self {
        Self {
            snapshot,
            writes: Vec::new(),
            fresh: vec![0; calls],
        }
    }

    /// Joins readings that may be in a segment already.
    fn take(&mut self, probe: &EquipmentId, arrivals: &[Arrival]) -> Result<(), Store> {
        let horizon = self
            .snapshot
            .get_with(HORIZONS, probe.as_bytes(), |value| {
                value.first_chunk().map(|it| u64::from_be_bytes(*it))
            })?;
        match (horizon.flatten(), arrivals.first()) {
            (Some(horizon), Some((first, _))) if first.at_ms <= horizon => {
                let late = arrivals.partition_point(|(it, _)| it.at_ms <= horizon);
                let (late, later) = arrivals.split_at_checked(late).unwrap_or((arrivals, &[]));
                let mut unknown = self.unsealed_of(probe, first.at_ms, late)?;
                unknown.extend(later);
                self.join(probe, &unknown)
            }
            _ => self.join(probe, arrivals),
        }
    }

    /// Those of the arrivals that no segment holds.
    fn unsealed_of(
        &self,
        probe: &EquipmentId,
        first_ms: u64,
        late: &[Arrival],
    ) -> Result<Vec<Arrival>, Store> {
        let mut sealed = Merge::of_sealed(self.snapshot, *probe, first_ms)?;
        let mut run = Vec::new();
        let mut unknown = Vec::new();
        let mut rest = late;
        while !rest.is_empty() && sealed.next_run(&mut run)? {
            for reading in &run {
                let (before, from) = rest
                    .split_at_checked(rest.partition_point(|(it, _)| it < reading))
                    .unwrap_or((rest, &[]));
                unknown.extend(before);
                rest = match from.split_first() {
                    Some(((it, _), after)) if it == reading => after,
                    _ => from,
                };
            }
        }
        unknown.extend(rest);
        Ok(unknown)
    }

    /// Joins readings, sorted and each once, to the unsealed rows.
    pub(super) fn join(&mut self, probe: &EquipmentId, arrivals: &[Arrival]) -> Result<(), Store> {
        let mut rest = arrivals;
        while let Some((first, _)) = rest.first() {
            let (home, until) = self.home(probe, *first)?;
            let here = match until {
                Some(until) => rest.partition_point(|(it, _)| *it < until).max(1),
                None => rest.len(),
            };
            let (here, later) = rest.split_at_checked(here).unwrap_or((rest, &[]));
            rest = later;
            self.join_here(probe, home.as_ref(), until.is_none(), here)?;
        }
        Ok(())
    }

    /// The row that a reading belongs to, and where the next one begins.
    fn home(
        &self,
        probe: &EquipmentId,
        reading: Reading,
    ) -> Result<(Option<Kept>, Option<Reading>), Store> {
        let at = |bound| chunk_at(self.snapshot, probe, UNSEALED, bound);
        let after = |reading| chunk_after(self.snapshot, probe, UNSEALED, reading);
        match at(Bound::Unbounded)? {
            None => return Ok((None, None)),
            Some(last) if last.first <= reading => return Ok((Some(last), None)),
            Some(_) => {}
        }
        let home = match at(Bound::Included(reading))? {
            Some(home) => Some(home),
            None => after(reading)?,
        };
        let next = match &home {
            Some(home) => after(home.first)?,
            None => None,
        };
        Ok((home, next.map(|it| it.first)))
    }

    fn join_here(
        &mut self,
        probe: &EquipmentId,
        home: Option<&Kept>,
        is_last: bool,
        arrivals: &[Arrival],
    ) -> Result<(), Store> {
        let mut old = Vec::new();
        let mut replaced = None;
        if let Some(home) = home {
            let header = chunk::header(home.bytes())?;
            let behind = arrivals
                .first()
                .is_some_and(|(it, _)| it.at_ms > header.last_ms);
            // A row that is full enough is left as it is: one that is full, or half
            // full when as much comes behind it as fills rows by itself.
            let enough = match arrivals.len() >= ROW_MAX {
                true => ROW_MAX / 2,
                false => ROW_MAX,
            };
            if !(is_last && behind && header.count >= enough) {
                old = home.decode()?;
                replaced = Some(home.first);
            }
        }
        let there = old.len();
        let merged = self.merge(old, arrivals);
        if merged.len() == there {
            return Ok(());
        }
        if replaced.is_some_and(|first| merged.first() != Some(&first)) {
            self.writes
                .extend(replaced.map(|first| (chunk_key(probe, UNSEALED, first), None)));
        }
        let width = match is_last {
            true => ROW_MAX,
            false => merged.len().div_ceil(merged.len().div_ceil(ROW_MAX)),
        };
        for row in merged.chunks(width) {
            if let Some(first) = row.first() {
                let bytes = chunk::encode(probe, row, Effort::Quick)?;
                self.writes
                    .push((chunk_key(probe, UNSEALED, *first), Some(bytes)));
            }
        }
        Ok(())
    }

    /// Both, sorted, each once; counts what was not in `old`.
    fn merge(&mut self, old: Vec<Reading>, arrivals: &[Arrival]) -> Vec<Reading> {
        let mut merged = Vec::with_capacity(old.len() + arrivals.len());
        let mut old = old.into_iter().peekable();
        for (reading, call) in arrivals {
            while let Some(earlier) = old.next_if(|it| it < reading) {
                merged.push(earlier);
            }
            merged.push(*reading);
            if old.next_if_eq(reading).is_none()
                && let Some(fresh) = usize::try_from(*call)
                    .ok()
                    .and_then(|it| self.fresh.get_mut(it))
            {
                *fresh += 1;
            }
        }
        merged.extend(old);
        merged
    }
}
