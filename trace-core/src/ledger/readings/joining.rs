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
use super::packed;
use super::range::Merge;
use super::rows::{
    CHUNKS, HORIZONS, Kept, ROW_MAX, UNSEALED, chunk_after, chunk_at, chunk_key, extent,
};
use super::taking::Call;
use crate::error::Store;
use crate::ident::EquipmentId;
use crate::record::temperature::Reading;
use crate::store::redb::{Batch, Snapshot};
use std::borrow::Cow;
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

/// A probe's readings, sorted, each once, with the calls that brought them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Arrivals<'a> {
    readings: &'a [Reading],
    /// The call of each, or the one call of all.
    calls: &'a [u32],
}

impl<'a> Arrivals<'a> {
    pub(super) fn of_one(readings: &'a [Reading], call: &'a u32) -> Self {
        let calls = std::slice::from_ref(call);
        Self { readings, calls }
    }

    fn len(&self) -> usize {
        self.readings.len()
    }

    fn first(&self) -> Option<Reading> {
        self.readings.first().copied()
    }

    /// How many are before another in order.
    fn before(&self, is_before: impl Fn(&Reading) -> bool) -> usize {
        self.readings.partition_point(is_before)
    }

    /// The first so many, and the others.
    fn split_at(self, count: usize) -> (Self, Self) {
        let split = self.readings.split_at_checked(count);
        let (first, rest) = split.unwrap_or((self.readings, &[]));
        let calls = match self.calls {
            [_] => (self.calls, self.calls),
            each => each.split_at_checked(count).unwrap_or((each, &[])),
        };
        let of = |readings, calls| Self { readings, calls };
        (of(first, calls.0), of(rest, calls.1))
    }

    fn iter(self) -> impl Iterator<Item = (&'a Reading, u32)> {
        let one = self.calls.first().copied().unwrap_or_default();
        let each = self.calls.iter().copied().chain(std::iter::repeat(one));
        self.readings.iter().zip(each)
    }
}

/// The same, kept.
#[derive(Debug, Default)]
struct Arrived {
    readings: Vec<Reading>,
    calls: Vec<u32>,
}

impl Arrived {
    /// Adds what another call brought, sorted, each once; what both did is the first's.
    fn add(&mut self, readings: Vec<Reading>, call: u32) {
        if self.readings.is_empty() {
            (self.readings, self.calls) = (readings, vec![call]);
            return;
        }
        let there = self.as_ref().iter().map(|(reading, call)| (*reading, call));
        let both = there.chain(readings.into_iter().map(|reading| (reading, call)));
        let mut both: Vec<_> = both.collect();
        both.sort(); // by reading, then by call
        both.dedup_by_key(|(reading, _)| *reading);
        (self.readings, self.calls) = both.into_iter().unzip();
    }

    fn extend(&mut self, arrivals: Arrivals<'_>) {
        for (reading, call) in arrivals.iter() {
            self.readings.push(*reading);
            self.calls.push(call);
        }
    }

    fn as_ref(&self) -> Arrivals<'_> {
        let Self { readings, calls } = self;
        Arrivals { readings, calls }
    }
}

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
        let plan_part = |part: &[(EquipmentId, Arrived)]| {
            let mut plan = Plan::new(&snapshot, sent.len());
            for (probe, arrived) in part {
                plan.take(probe, arrived.as_ref())?;
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
fn by_probe(calls: Vec<Call>) -> Vec<(EquipmentId, Arrived)> {
    let mut probes = BTreeMap::<EquipmentId, Arrived>::new();
    for (call, it) in (0..).zip(calls) {
        for (probe, readings) in it.probes {
            probes.entry(probe).or_default().add(readings, call);
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
    fn take(&mut self, probe: &EquipmentId, arrivals: Arrivals<'_>) -> Result<(), Store> {
        let horizon = self
            .snapshot
            .get_with(HORIZONS, probe.as_bytes(), |value| {
                value.first_chunk().map(|it| u64::from_be_bytes(*it))
            })?;
        match (horizon.flatten(), arrivals.first()) {
            (Some(horizon), Some(first)) if first.at_ms <= horizon => {
                let late = arrivals.before(|it| it.at_ms <= horizon);
                let (late, later) = arrivals.split_at(late);
                let mut unknown = self.unsealed_of(probe, first.at_ms, late)?;
                unknown.extend(later);
                self.join(probe, unknown.as_ref())
            }
            _ => self.join(probe, arrivals),
        }
    }

    /// Those of the arrivals that no segment holds.
    fn unsealed_of(
        &self,
        probe: &EquipmentId,
        first_ms: u64,
        late: Arrivals<'_>,
    ) -> Result<Arrived, Store> {
        let mut sealed = Merge::of_sealed(self.snapshot, *probe, first_ms)?;
        let mut run = Vec::new();
        let mut unknown = Arrived::default();
        let mut rest = late;
        while rest.len() > 0 && sealed.next_run(&mut run)? {
            for reading in &run {
                let (before, from) = rest.split_at(rest.before(|it| it < reading));
                unknown.extend(before);
                rest = match from.first() {
                    Some(it) if it == *reading => from.split_at(1).1,
                    _ => from,
                };
            }
        }
        unknown.extend(rest);
        Ok(unknown)
    }

    /// Joins readings, sorted and each once, to the unsealed rows.
    pub(super) fn join(
        &mut self,
        probe: &EquipmentId,
        arrivals: Arrivals<'_>,
    ) -> Result<(), Store> {
        let mut rest = arrivals;
        while let Some(first) = rest.first() {
            let (home, until) = self.home(probe, first)?;
            let here = match until {
                Some(until) => rest.before(|it| *it < until).max(1),
                None => rest.len(),
            };
            let (here, later) = rest.split_at(here);
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
        arrivals: Arrivals<'_>,
    ) -> Result<(), Store> {
        let mut old = Vec::new();
        let mut replaced = None;
        if let Some(home) = home {
            let extent = extent(home.bytes())?;
            let first = arrivals.first();
            let behind = first.is_some_and(|it| it.at_ms > extent.last_ms);
            // A row that is full enough is left as it is: one that is full, or half
            // full when as much comes behind it as fills rows by itself.
            let enough = match arrivals.len() >= ROW_MAX {
                true => ROW_MAX / 2,
                false => ROW_MAX,
            };
            if !(is_last && behind && usize::from(extent.count) >= enough) {
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
                let bytes = packed::encode(probe, row)?;
                self.writes
                    .push((chunk_key(probe, UNSEALED, *first), Some(bytes)));
            }
        }
        Ok(())
    }

    /// Both, sorted, each once; counts what was not in `old`.
    fn merge<'a>(&mut self, old: Vec<Reading>, arrivals: Arrivals<'a>) -> Cow<'a, [Reading]> {
        let mut count = |call: u32, more: u64| {
            let place = usize::try_from(call).ok();
            if let Some(fresh) = place.and_then(|it| self.fresh.get_mut(it)) {
                *fresh += more;
            }
        };
        // Nearly always: what comes lies behind what is there, and one call brought it.
        if let (true, [call]) = (old.is_empty(), arrivals.calls) {
            count(*call, arrivals.len() as u64);
            return Cow::Borrowed(arrivals.readings);
        }
        let mut merged = Vec::with_capacity(old.len() + arrivals.len());
        let mut old = old.into_iter().peekable();
        for (reading, call) in arrivals.iter() {
            while let Some(earlier) = old.next_if(|it| it < reading) {
                merged.push(earlier);
            }
            merged.push(*reading);
            if old.next_if_eq(reading).is_none() {
                count(call, 1);
            }
        }
        merged.extend(old);
        Cow::Owned(merged)
    }
}
