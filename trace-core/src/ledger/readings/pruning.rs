//! Segments checked against the ledger, and taken away after their time.

use super::Shelves;
use super::joining::write;
use super::rows::{
    Kept, SEGMENTS, SPANS, SegmentRow, State, chunks_of, chunks_of_all, damaged, extent,
    of_segment_key, segment_key, span_key,
};
use super::sealing::{missing, remove_chunks};
use crate::error::Store;
use crate::ident::EquipmentId;
use crate::proof::readings::chunk::COUNT_MAX;
use crate::proof::readings::{segment_root, segment_root_of_parts, verify_order};
use crate::record::Hash;
use crate::record::temperature::Reading;
use crate::store::table::Direction;

/// A segment that was checked and nothing found against it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Checked {
    /// Every reading is there and under the root.
    Sound,
    /// Its readings were taken away after their time: nothing is left to check.
    Pruned,
}

/// What was taken away, or would be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Pruned {
    /// Segments.
    pub segments: u64,
    /// Their readings.
    pub readings: u64,
    /// Their compressed bytes; the file keeps its length and uses them again.
    pub bytes: u64,
}

/// What a probe's readings take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stored {
    /// How many there are.
    pub readings: u64,
    /// In how many chunks.
    pub chunks: u64,
    /// Their compressed bytes.
    pub bytes: u64,
}

/// Segments pruned in one transaction: 64 of a month are 1,400 rows.
const PRUNED_AT_ONCE: usize = 64;

impl Shelves {
    pub(super) fn check(
        &self,
        probe: &EquipmentId,
        number: u64,
        count: u32,
        root: &Hash,
    ) -> Result<Checked, Store> {
        let snapshot = self.database.snapshot()?;
        let named = |what: String| damaged(format!("segment {number} of probe {probe}: {what}"));
        let row = SegmentRow::get(&snapshot, probe, number)?;
        let row = row.ok_or_else(|| missing(probe, number))?;
        if row.state == State::Pruned {
            return Ok(Checked::Pruned);
        }
        // Kept roots of chunks that lead to the ledger's root are as good as it.
        let kept = match row.parts.as_slice() {
            [] => vec![row.root],
            parts => parts.to_vec(),
        };
        let trusted = segment_root_of_parts(&kept) == *root;
        let mut rows = chunks_of(&snapshot, probe, number)?;
        let (mut found, mut parts): (u64, Vec<Hash>) = (0, Vec::new());
        let mut before: Option<Reading> = None;
        while let Some(row) = rows.next_row()? {
            let chunk = parts.len();
            let readings = Kept::of(row)
                .and_then(|it| it.decode())
                .map_err(|error| named(format!("chunk {chunk}: {error}")))?;
            let first = readings.first().copied();
            let ends = before.into_iter().chain(first).collect::<Vec<_>>();
            verify_order(&ends).map_err(|error| named(format!("reading {found}: {error}")))?;
            before = readings.last().copied();
            let part = segment_root(&readings);
            let beyond = found + readings.len() as u64;
            if trusted && kept.get(chunk) != Some(&part) {
                let from_ms = first.map_or(0, |it| it.at_ms);
                let until_ms = before.map_or(0, |it| it.at_ms);
                return Err(named(format!(
                    "chunk {chunk}, readings {found} to {} from {from_ms} to {until_ms} ms: one \
                     was altered, added or left out",
                    beyond - 1
                )));
            }
            found = beyond;
            parts.push(part);
        }
        if found != u64::from(count) {
            return Err(named(format!("found {found} readings, wanted {count}")));
        }
        let made = segment_root_of_parts(&parts);
        match made == *root {
            // Only what was sealed in chunks of full width has such a root.
            true => Ok(Checked::Sound),
            false => Err(named(format!(
                "its readings lead to {made}, wanted {root}; which of its chunks of {COUNT_MAX} \
                 was altered cannot be told"
            ))),
        }
    }

    /// What was pruned after it was found sound is still said to be: it leaves a gap.
    pub(super) fn check_once(
        &self,
        probe: &EquipmentId,
        number: u64,
        count: u32,
        root: &Hash,
    ) -> Result<(), Store> {
        let (segment, said) = ((*probe, number), (count, *root));
        if self.sound.get(&segment) == Some(said) {
            return Ok(());
        }
        if self.check(probe, number, count, root)? == Checked::Sound {
            self.sound.insert(segment, said);
        }
        Ok(())
    }

    pub(super) fn stored(&self, probe: &EquipmentId) -> Result<Stored, Store> {
        let snapshot = self.database.snapshot()?;
        let mut rows = chunks_of_all(&snapshot, probe)?;
        let mut stored = Stored::default();
        while let Some(row) = rows.next_row()? {
            stored.readings += u64::from(extent(row.value())?.count);
            stored.chunks += 1;
            stored.bytes += row.value().len() as u64;
        }
        Ok(stored)
    }

    pub(super) fn prune(
        &self,
        probe: &EquipmentId,
        before_number: u64,
        dry_run: bool,
    ) -> Result<Pruned, Store> {
        let mut pruned = Pruned::default();
        let mut from = 0;
        loop {
            let _writing = (!dry_run).then(|| self.lock());
            let snapshot = self.database.snapshot()?;
            let first = segment_key(probe, from);
            let last = segment_key(probe, before_number.max(from));
            let mut rows = snapshot.rows(SEGMENTS, &first[..]..&last[..], Direction::Forward)?;
            let mut segments = Vec::new();
            let mut writes = Vec::new();
            while segments.len() < PRUNED_AT_ONCE
                && let Some(row) = rows.next_row()?
            {
                let (_, number) = of_segment_key(row.key())?;
                let row = SegmentRow::decode(row.value())?;
                from = number.saturating_add(1);
                if row.state == State::Confirmed {
                    pruned.segments += 1;
                    pruned.readings += u64::from(row.count);
                    pruned.bytes += row.bytes;
                    if !dry_run {
                        remove_chunks(&snapshot, probe, number, &mut writes)?;
                    }
                    segments.push((number, row));
                }
            }
            if segments.is_empty() {
                return Ok(pruned);
            }
            if dry_run {
                continue;
            }
            self.database.write(|batch| {
                write(batch, &writes)?;
                for (number, row) in segments {
                    batch.delete(SPANS, &span_key(probe, row.first_ms, number))?;
                    let (state, parts) = (State::Pruned, Vec::new());
                    let row = SegmentRow {
                        state,
                        parts,
                        ..row
                    };
                    row.put(batch, probe, number)?;
                }
                Ok(())
            })?;
        }
    }
}
