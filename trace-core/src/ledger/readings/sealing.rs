//! Segments: drafted, confirmed or put back, and read.
//!
//! A draft and everything that says so change in one transaction, so a crash
//! leaves a reading on exactly one shelf. If the power fails after the draft and
//! before the record, opening puts it back; after the record and before
//! [`confirm`](super::Readings::confirm), opening confirms it.

use super::Shelves;
use super::joining::{Arrivals, Plan, write};
use super::packed;
use super::rows::{
    CHUNKS, HORIZONS, Kept, SEGMENT_READINGS_MAX, SEGMENT_SPAN_MS_MAX, SEGMENTS, SPANS, SegmentRow,
    State, UNSEALED, WAITING, chunk_key, chunks_of, damaged, of_chunk_key, of_segment_key,
    segment_key, span_key,
};
use crate::error::{Invalid, Rule, Store};
use crate::ident::EquipmentId;
use crate::ledger::Failed;
use crate::proof::readings::chunk::{self, COUNT_MAX};
use crate::proof::readings::{segment_root, segment_root_of_parts, verify_order};
use crate::record::cold_chain;
use crate::record::temperature::Reading;
use crate::store::redb::Snapshot;
use crate::store::table::Direction;
use std::ops::Bound;

/// What is there of a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Segment {
    /// Its readings, sorted, each once; not hashed again.
    Readings(Vec<Reading>),
    /// They were taken away after their time; the record and its root stay.
    Pruned,
}

/// Drafts settled in one transaction on opening: 64 of the largest are 4.2 million
/// readings, 100 MB while they go back.
const SETTLED_AT_ONCE: usize = 64;

impl SegmentRow {
    /// What a signed record has to bind of it.
    fn draft(&self, probe: EquipmentId, number: u64) -> cold_chain::Segment {
        cold_chain::Segment {
            probe,
            number,
            count: self.count,
            first_ms: self.first_ms,
            last_ms: self.last_ms,
            lowest_milli_c: self.lowest_milli_c,
            highest_milli_c: self.highest_milli_c,
            root: self.root,
        }
    }
}

impl Shelves {
    pub(super) fn draft(
        &self,
        probe: &EquipmentId,
        expected: u64,
        until_ms: u64,
    ) -> Result<Option<cold_chain::Segment>, Failed> {
        let _writing = self.lock();
        let snapshot = self.database.snapshot()?;
        if let Some(number) = waiting(&snapshot, probe)? {
            if number == expected {
                let row = SegmentRow::get(&snapshot, probe, number)?;
                return Ok(row.map(|it| it.draft(*probe, number)));
            }
            self.settle_some(&snapshot, &[(*probe, number, number < expected)])?;
        }
        if expected == UNSEALED
            || SegmentRow::get(&snapshot, probe, expected)?
                .is_some_and(|it| it.state != State::Waiting)
        {
            let what = format!("probe {probe}: segment {expected} was sealed here before");
            return Err(Invalid::new(Rule::Sequence, what).into());
        }
        let snapshot = self.database.snapshot()?;
        let taken = Oldest::of(&snapshot, probe, until_ms)?;
        let row = match taken.readings.as_slice() {
            [] => return Ok(None),
            [first, ..] => self.take_out(&snapshot, probe, expected, first, &taken)?,
        };
        Ok(Some(row.draft(*probe, expected)))
    }

    fn take_out(
        &self,
        snapshot: &Snapshot,
        probe: &EquipmentId,
        number: u64,
        first: &Reading,
        taken: &Oldest,
    ) -> Result<SegmentRow, Store> {
        let readings = &taken.readings;
        let mut chunks = Vec::new();
        let mut parts = Vec::new();
        for part in readings.chunks(COUNT_MAX) {
            chunks.push((part.first(), chunk::encode(probe, part)?));
            parts.push(segment_root(part));
        }
        let temperatures = readings.iter().map(|it| it.temperature_milli_c);
        let last_ms = readings.last().map_or(first.at_ms, |it| it.at_ms);
        let root = segment_root_of_parts(&parts);
        if parts.len() == 1 {
            parts.clear();
        }
        let row = SegmentRow {
            state: State::Waiting,
            count: u32::try_from(readings.len()).unwrap_or(u32::MAX),
            first_ms: first.at_ms,
            last_ms,
            lowest_milli_c: temperatures.clone().min().unwrap_or_default(),
            highest_milli_c: temperatures.max().unwrap_or_default(),
            root,
            bytes: chunks.iter().map(|(_, bytes)| bytes.len() as u64).sum(),
            parts,
        };
        let rest = match taken.rest.first() {
            Some(first) => {
                let bytes = packed::encode(probe, &taken.rest)?;
                Some((chunk_key(probe, UNSEALED, *first), bytes))
            }
            None => None,
        };
        let horizon = snapshot.get_with(HORIZONS, probe.as_bytes(), |value| {
            value.first_chunk().map(|it| u64::from_be_bytes(*it))
        })?;
        let horizon = horizon.flatten().unwrap_or(0).max(last_ms);
        self.database.write(|batch| {
            for key in &taken.keys {
                batch.delete(CHUNKS, key)?;
            }
            if let Some((key, bytes)) = &rest {
                batch.put(CHUNKS, key, bytes)?;
            }
            for (first, bytes) in &chunks {
                if let Some(first) = first {
                    batch.put(CHUNKS, &chunk_key(probe, number, **first), bytes)?;
                }
            }
            row.put(batch, probe, number)?;
            let span = span_key(probe, row.first_ms, number);
            batch.put(SPANS, &span, &row.last_ms.to_be_bytes())?;
            batch.put(WAITING, &segment_key(probe, number), &[])?;
            batch.put(HORIZONS, probe.as_bytes(), &horizon.to_be_bytes())
        })?;
        Ok(row)
    }

    pub(super) fn confirm(&self, probe: &EquipmentId, number: u64) -> Result<(), Failed> {
        let _writing = self.lock();
        let snapshot = self.database.snapshot()?;
        match SegmentRow::get(&snapshot, probe, number)? {
            None => {
                let what = format!("probe {probe} has no segment {number}");
                Err(Invalid::new(Rule::Range, what).into())
            }
            Some(row) if row.state != State::Waiting => Ok(()),
            Some(_) => Ok(self.settle_some(&snapshot, &[(*probe, number, true)])?),
        }
    }

    pub(super) fn withdraw(&self, probe: &EquipmentId, number: u64) -> Result<(), Store> {
        let _writing = self.lock();
        let snapshot = self.database.snapshot()?;
        match waiting(&snapshot, probe)? {
            Some(found) if found == number => {
                self.settle_some(&snapshot, &[(*probe, number, false)])
            }
            _ => Ok(()),
        }
    }

    /// Confirms or puts back every draft, as the ledger's next numbers say.
    pub(super) fn settle(
        &self,
        mut expected: impl FnMut(&EquipmentId) -> Result<u64, Store>,
    ) -> Result<(), Store> {
        let _writing = self.lock();
        loop {
            let snapshot = self.database.snapshot()?;
            let mut rows = snapshot.rows(WAITING, .., Direction::Forward)?;
            let mut drafts = Vec::new();
            while drafts.len() < SETTLED_AT_ONCE
                && let Some(row) = rows.next_row()?
            {
                let (probe, number) = of_segment_key(row.key())?;
                drafts.push((probe, number, number < expected(&probe)?));
            }
            if drafts.is_empty() {
                return Ok(());
            }
            self.settle_some(&snapshot, &drafts)?;
        }
    }

    /// Confirms drafts, or puts their readings back, in one transaction. No two
    /// are of one probe.
    fn settle_some(
        &self,
        snapshot: &Snapshot,
        drafts: &[(EquipmentId, u64, bool)],
    ) -> Result<(), Store> {
        let mut plan = Plan::new(snapshot, 1);
        let mut rows = Vec::new();
        for (probe, number, admitted) in drafts {
            let row = SegmentRow::get(snapshot, probe, *number)?;
            let row = row.ok_or_else(|| missing(probe, *number))?;
            if !admitted {
                let readings = readings_of(snapshot, probe, *number)?;
                plan.join(probe, Arrivals::of_one(&readings, &0))?;
                remove_chunks(snapshot, probe, *number, &mut plan.writes)?;
            }
            rows.push((probe, *number, *admitted, row));
        }
        self.database.write(|batch| {
            write(batch, &plan.writes)?;
            for (probe, number, admitted, row) in rows {
                batch.delete(WAITING, &segment_key(probe, number))?;
                if admitted {
                    let state = State::Confirmed;
                    SegmentRow { state, ..row }.put(batch, probe, number)?;
                } else {
                    batch.delete(SEGMENTS, &segment_key(probe, number))?;
                    batch.delete(SPANS, &span_key(probe, row.first_ms, number))?;
                }
            }
            Ok(())
        })
    }

    pub(super) fn segment(
        &self,
        probe: &EquipmentId,
        number: u64,
    ) -> Result<Option<Segment>, Store> {
        let snapshot = self.database.snapshot()?;
        let Some(row) = SegmentRow::get(&snapshot, probe, number)? else {
            return Ok(None);
        };
        if row.state == State::Pruned {
            return Ok(Some(Segment::Pruned));
        }
        let readings = readings_of(&snapshot, probe, number)?;
        let found = readings.len();
        if u32::try_from(found) != Ok(row.count) {
            let wanted = row.count;
            let what = format!("segment {number} of probe {probe}: {found} readings of {wanted}");
            return Err(damaged(what));
        }
        verify_order(&readings)
            .map_err(|error| damaged(format!("segment {number} of probe {probe}: {error}")))?;
        Ok(Some(Segment::Readings(readings)))
    }

    pub(super) fn chunks(
        &self,
        probe: &EquipmentId,
        number: u64,
    ) -> Result<Option<Vec<Vec<u8>>>, Store> {
        let snapshot = self.database.snapshot()?;
        if SegmentRow::get(&snapshot, probe, number)?.is_none() {
            return Ok(None);
        }
        let mut rows = chunks_of(&snapshot, probe, number)?;
        let mut chunks = Vec::new();
        while let Some(row) = rows.next_row()? {
            chunks.push(row.value().to_vec());
        }
        Ok(Some(chunks))
    }

    pub(super) fn unsealed(
        &self,
        after: Option<EquipmentId>,
        limit: usize,
    ) -> Result<Vec<(EquipmentId, u64)>, Store> {
        let snapshot = self.database.snapshot()?;
        let highest = Reading {
            at_ms: u64::MAX,
            temperature_milli_c: i32::MAX,
        };
        let mut found = Vec::new();
        let mut after = after;
        while found.len() < limit {
            let begin = after.map(|probe| chunk_key(&probe, UNSEALED, highest));
            let begin = match &begin {
                Some(key) => Bound::Excluded(&key[..]),
                None => Bound::Unbounded,
            };
            // The first chunk of the next probe names it; its unsealed ones are
            // behind those of its segments.
            let range = (begin, Bound::Unbounded);
            let next = snapshot
                .rows(CHUNKS, range, Direction::Forward)?
                .next_row()?;
            let Some(row) = next else { break };
            let (probe, ..) = of_chunk_key(row.key())?;
            if let Some(row) = chunks_of(&snapshot, &probe, UNSEALED)?.next_row()? {
                found.push((probe, of_chunk_key(row.key())?.2.at_ms));
            }
            after = Some(probe);
        }
        Ok(found)
    }
}

impl Shelves {
    /// Reads all that is not sealed; how many readings there are.
    pub(super) fn check_unsealed(&self) -> Result<u64, Store> {
        let snapshot = self.database.snapshot()?;
        let mut rows = snapshot.rows(CHUNKS, .., Direction::Forward)?;
        let mut count = 0;
        while let Some(row) = rows.next_row()? {
            let (_, shelf, _) = of_chunk_key(row.key())?;
            if shelf == UNSEALED {
                count += Kept::of(row)?.decode()?.len() as u64;
            }
        }
        Ok(count)
    }
}

/// The oldest unsealed readings that one segment may hold.
struct Oldest {
    readings: Vec<Reading>,
    /// The rows they are in.
    keys: Vec<Vec<u8>>,
    /// What stays of the last of those rows.
    rest: Vec<Reading>,
}

impl Oldest {
    fn of(snapshot: &Snapshot, probe: &EquipmentId, until_ms: u64) -> Result<Self, Store> {
        let mut oldest = Self {
            readings: Vec::new(),
            keys: Vec::new(),
            rest: Vec::new(),
        };
        let mut rows = chunks_of(snapshot, probe, UNSEALED)?;
        while let Some(row) = rows.next_row()? {
            let kept = Kept::of(row)?;
            let first_ms = oldest.readings.first().unwrap_or(&kept.first).at_ms;
            let until_ms = until_ms.min(first_ms.saturating_add(SEGMENT_SPAN_MS_MAX));
            let room = SEGMENT_READINGS_MAX - oldest.readings.len();
            if kept.first.at_ms > until_ms || room == 0 {
                break;
            }
            let mut readings = kept.decode()?;
            let count = readings
                .partition_point(|it| it.at_ms <= until_ms)
                .min(room);
            oldest.rest = readings.split_off(count);
            oldest.readings.extend(readings);
            oldest.keys.push(kept.key().to_vec());
            if !oldest.rest.is_empty() {
                break;
            }
        }
        Ok(oldest)
    }
}

/// The number of a probe's draft.
fn waiting(snapshot: &Snapshot, probe: &EquipmentId) -> Result<Option<u64>, Store> {
    let (first, last) = (segment_key(probe, 0), segment_key(probe, u64::MAX));
    let mut rows = snapshot.rows(WAITING, &first[..]..=&last[..], Direction::Forward)?;
    let row = rows.next_row()?;
    row.map(|it| Ok(of_segment_key(it.key())?.1)).transpose()
}

fn readings_of(
    snapshot: &Snapshot,
    probe: &EquipmentId,
    number: u64,
) -> Result<Vec<Reading>, Store> {
    let mut rows = chunks_of(snapshot, probe, number)?;
    let mut readings = Vec::new();
    while let Some(row) = rows.next_row()? {
        readings.extend(Kept::of(row)?.decode()?);
        if readings.len() > SEGMENT_READINGS_MAX {
            let what =
                format!("segment {number} of probe {probe}: more readings than one can have");
            return Err(damaged(what));
        }
    }
    Ok(readings)
}

/// Plans that a shelf's chunks are deleted.
pub(super) fn remove_chunks(
    snapshot: &Snapshot,
    probe: &EquipmentId,
    number: u64,
    writes: &mut Vec<super::joining::Write>,
) -> Result<(), Store> {
    let mut rows = chunks_of(snapshot, probe, number)?;
    while let Some(row) = rows.next_row()? {
        let (.., first) = of_chunk_key(row.key())?;
        writes.push((chunk_key(probe, number, first), None));
    }
    Ok(())
}

pub(super) fn missing(probe: &EquipmentId, number: u64) -> Store {
    damaged(format!("segment {number} of probe {probe} is missing"))
}
