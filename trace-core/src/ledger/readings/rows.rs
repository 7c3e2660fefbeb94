//! The tables of the readings' file, their keys and rows.
//!
//! | table | key | value |
//! |---|---|---|
//! | chunks | probe, shelf, first reading | sealed: a [`chunk`](crate::proof::readings::chunk); unsealed: [`packed`] |
//! | segments | probe, number | [`SegmentRow`] |
//! | spans | probe, first time, number | last time |
//! | waiting | probe, number | nothing: a draft |
//! | horizons | probe | latest time of any segment |
//!
//! A *shelf* is a segment's number, or [`UNSEALED`]. The chunks of one shelf never
//! overlap and stand in the order of their readings, which is the order of their
//! keys. Spans let a reader find the segments of a time without the others; a
//! pruned segment has none. Unsealed rows of older files are chunks too; they are
//! read, and packed when they are written again. Integers are big-endian.

use super::packed;
use crate::error::Store;
use crate::ident::EquipmentId;
use crate::proof::readings::chunk;
use crate::record::encode;
use crate::record::temperature::Reading;
use crate::record::{Hash, cold_chain};
use crate::store::redb::{Batch, Row, Rows, Snapshot};
use crate::store::table::{Direction, OrderedTable, Tables};
use serde::{Deserialize, Serialize};
use std::ops::Bound;

pub(super) const CHUNKS: OrderedTable = OrderedTable("chunks");
pub(super) const SEGMENTS: OrderedTable = OrderedTable("segments");
pub(super) const SPANS: OrderedTable = OrderedTable("spans");
pub(super) const WAITING: OrderedTable = OrderedTable("waiting");
pub(super) const HORIZONS: OrderedTable = OrderedTable("horizons");

pub(super) const TABLES: Tables = Tables {
    sequences: &[],
    ordered: &[CHUNKS, SEGMENTS, SPANS, WAITING, HORIZONS],
};

/// The shelf of what is not sealed.
pub(super) const UNSEALED: u64 = u64::MAX;

/// Most readings in an unsealed row. A live probe's row is written again with
/// every reading: at 512 it takes 0.01 ms to read and pack again and 0.7 to
/// 1.8 KB to write, and holds a day at three minutes.
pub(super) const ROW_MAX: usize = 512;

/// Most readings of a segment, as a record may say: 65,536 take 1 MiB of
/// memory and some 20 ms to hash.
pub(super) const SEGMENT_READINGS_MAX: usize = cold_chain::SEGMENT_READINGS_MAX as usize;

/// Longest time from a segment's first reading to its last, 31 days: to find the
/// segments that reach into a time, nobody looks back further than this.
pub(super) const SEGMENT_SPAN_MS_MAX: u64 = 31 * 86_400_000;

const LOWEST: Reading = Reading {
    at_ms: 0,
    temperature_milli_c: i32::MIN,
};
const HIGHEST: Reading = Reading {
    at_ms: u64::MAX,
    temperature_milli_c: i32::MAX,
};

/// The first reading that a moment can have.
pub(super) fn first_at(at_ms: u64) -> Reading {
    Reading { at_ms, ..LOWEST }
}

/// Probe, shelf, time and temperature; the sign's bit is turned, so that bytes
/// sort as temperatures do.
pub(super) fn chunk_key(probe: &EquipmentId, shelf: u64, first: Reading) -> [u8; 30] {
    let Reading {
        at_ms,
        temperature_milli_c,
    } = first;
    let [sign, rest @ ..] = temperature_milli_c.to_be_bytes();
    let mut key = [0; 30];
    let parts = probe.as_bytes().iter().copied();
    let parts = parts.chain(shelf.to_be_bytes()).chain(at_ms.to_be_bytes());
    let parts = parts.chain([sign ^ 0x80]).chain(rest);
    key.iter_mut().zip(parts).for_each(|(to, from)| *to = from);
    key
}

/// The probe, the shelf and the first reading that a chunk's key names.
pub(super) fn of_chunk_key(key: &[u8]) -> Result<(EquipmentId, u64, Reading), Store> {
    let read = || {
        let (probe, rest) = key.split_first_chunk()?;
        let (shelf, rest) = rest.split_first_chunk()?;
        let (at_ms, rest) = rest.split_first_chunk()?;
        let ([sign, rest @ ..], []) = rest.split_first_chunk::<4>()? else {
            return None;
        };
        let [a, b, c] = *rest;
        let first = Reading {
            at_ms: u64::from_be_bytes(*at_ms),
            temperature_milli_c: i32::from_be_bytes([sign ^ 0x80, a, b, c]),
        };
        let probe = EquipmentId::from_bytes(*probe);
        Some((probe, u64::from_be_bytes(*shelf), first))
    };
    read().ok_or_else(|| damaged(format!("a chunk's key of {} bytes", key.len())))
}

/// Probe and number.
pub(super) fn segment_key(probe: &EquipmentId, number: u64) -> [u8; 18] {
    let mut key = [0; 18];
    let parts = probe.as_bytes().iter().copied().chain(number.to_be_bytes());
    key.iter_mut().zip(parts).for_each(|(to, from)| *to = from);
    key
}

/// Probe and number of a key of segments or of waiting drafts.
pub(super) fn of_segment_key(key: &[u8]) -> Result<(EquipmentId, u64), Store> {
    let read = || {
        let (probe, rest) = key.split_first_chunk()?;
        let number = rest.first_chunk().filter(|_| rest.len() == 8)?;
        Some((EquipmentId::from_bytes(*probe), u64::from_be_bytes(*number)))
    };
    read().ok_or_else(|| damaged(format!("a segment's key of {} bytes", key.len())))
}

/// Probe, first time, number.
pub(super) fn span_key(probe: &EquipmentId, first_ms: u64, number: u64) -> [u8; 26] {
    let mut key = [0; 26];
    let parts = probe.as_bytes().iter().copied();
    let parts = parts
        .chain(first_ms.to_be_bytes())
        .chain(number.to_be_bytes());
    key.iter_mut().zip(parts).for_each(|(to, from)| *to = from);
    key
}

/// A segment's time, as a row of spans has it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    pub(super) first_ms: u64,
    pub(super) last_ms: u64,
    pub(super) number: u64,
}

pub(super) fn of_span(row: &Row<OrderedTable>) -> Result<Span, Store> {
    let read = || {
        let (_, rest) = row.key().split_first_chunk::<10>()?;
        let (first_ms, rest) = rest.split_first_chunk()?;
        Some(Span {
            first_ms: u64::from_be_bytes(*first_ms),
            number: u64::from_be_bytes(*rest.first_chunk()?),
            last_ms: u64::from_be_bytes(*row.value().first_chunk()?),
        })
    };
    read().ok_or_else(|| damaged("a row of spans".into()))
}

/// How far a segment has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum State {
    /// Drafted; its record is not known to be admitted.
    Waiting,
    /// Its record is on the ledger.
    Confirmed,
    /// Confirmed, and its readings were taken away.
    Pruned,
}

/// What is kept of a segment beside its chunks.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct SegmentRow {
    pub(super) state: State,
    pub(super) count: u32,
    pub(super) first_ms: u64,
    pub(super) last_ms: u64,
    pub(super) lowest_milli_c: i32,
    pub(super) highest_milli_c: i32,
    pub(super) root: Hash,
    /// Of its chunks.
    pub(super) bytes: u64,
    /// The roots of its chunks where they are more than one: nodes of its tree, so
    /// that a check can name the chunk.
    pub(super) parts: Vec<Hash>,
}

impl SegmentRow {
    pub(super) fn get(
        snapshot: &Snapshot,
        probe: &EquipmentId,
        number: u64,
    ) -> Result<Option<Self>, Store> {
        let key = segment_key(probe, number);
        let row = snapshot.get_with(SEGMENTS, &key, Self::decode)?;
        row.transpose()
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, Store> {
        encode::decode_own("segment", bytes).map_err(|error| damaged(error.what))
    }

    pub(super) fn put(
        &self,
        batch: &mut Batch<'_>,
        probe: &EquipmentId,
        number: u64,
    ) -> Result<(), Store> {
        batch.put(SEGMENTS, &segment_key(probe, number), &encode::encode(self))
    }
}

/// What a row says of itself before it is decoded; nothing of it is verified.
#[derive(Debug, Clone, Copy)]
pub(super) struct Extent {
    pub(super) count: u16,
    pub(super) last_ms: u64,
}

/// Chunks and packed rows begin alike: version, count, first and last time.
pub(super) fn extent(bytes: &[u8]) -> Result<Extent, Store> {
    let read = || {
        let (_, rest) = bytes.split_first()?;
        let (count, rest) = rest.split_first_chunk()?;
        let (_, rest) = rest.split_first_chunk::<8>()?;
        Some(Extent {
            count: u16::from_be_bytes(*count),
            last_ms: u64::from_be_bytes(*rest.first_chunk()?),
        })
    };
    read().ok_or_else(|| damaged(format!("a row of {} bytes", bytes.len())))
}

/// A stored chunk, not decoded.
pub(super) struct Kept {
    pub(super) probe: EquipmentId,
    pub(super) first: Reading,
    shelf: u64,
    row: Row<OrderedTable>,
}

impl Kept {
    pub(super) fn of(row: Row<OrderedTable>) -> Result<Self, Store> {
        let (probe, shelf, first) = of_chunk_key(row.key())?;
        Ok(Self {
            probe,
            first,
            shelf,
            row,
        })
    }

    pub(super) fn key(&self) -> &[u8] {
        self.row.key()
    }

    pub(super) fn bytes(&self) -> &[u8] {
        self.row.value()
    }

    /// # Errors
    /// [`Store::Damaged`], also when it stands under another reading's key.
    pub(super) fn decode(&self) -> Result<Vec<Reading>, Store> {
        let readings = match (self.shelf, self.bytes()) {
            (UNSEALED, bytes @ [packed::VERSION, ..]) => packed::decode(&self.probe, bytes)?,
            (_, bytes) => chunk::decode(&self.probe, bytes)?,
        };
        if readings.first() != Some(&self.first) {
            let Self { probe, first, .. } = self;
            let what = format!("the chunk of probe {probe} under {first:?} begins with another");
            return Err(damaged(what));
        }
        Ok(readings)
    }
}

/// The chunks of a shelf from the one that may hold a reading.
pub(super) fn chunks_from(
    snapshot: &Snapshot,
    probe: &EquipmentId,
    shelf: u64,
    from: Reading,
) -> Result<Rows<OrderedTable>, Store> {
    let begin = match chunk_at(snapshot, probe, shelf, Bound::Included(from))? {
        Some(kept) => kept.first,
        None => from,
    };
    let first = chunk_key(probe, shelf, begin);
    let last = chunk_key(probe, shelf, HIGHEST);
    snapshot.rows(CHUNKS, &first[..]..=&last[..], Direction::Forward)
}

/// All chunks of a shelf.
pub(super) fn chunks_of(
    snapshot: &Snapshot,
    probe: &EquipmentId,
    shelf: u64,
) -> Result<Rows<OrderedTable>, Store> {
    let first = chunk_key(probe, shelf, LOWEST);
    let last = chunk_key(probe, shelf, HIGHEST);
    snapshot.rows(CHUNKS, &first[..]..=&last[..], Direction::Forward)
}

/// All chunks of a probe.
pub(super) fn chunks_of_all(
    snapshot: &Snapshot,
    probe: &EquipmentId,
) -> Result<Rows<OrderedTable>, Store> {
    let first = chunk_key(probe, 0, LOWEST);
    let last = chunk_key(probe, UNSEALED, HIGHEST);
    snapshot.rows(CHUNKS, &first[..]..=&last[..], Direction::Forward)
}

/// The last chunk of a shelf that begins at a reading or before it.
pub(super) fn chunk_at(
    snapshot: &Snapshot,
    probe: &EquipmentId,
    shelf: u64,
    bound: Bound<Reading>,
) -> Result<Option<Kept>, Store> {
    let first = chunk_key(probe, shelf, LOWEST);
    let last = bound.map(|it| chunk_key(probe, shelf, it));
    let highest = chunk_key(probe, shelf, HIGHEST);
    let last = match &last {
        Bound::Included(key) => Bound::Included(&key[..]),
        Bound::Excluded(key) => Bound::Excluded(&key[..]),
        Bound::Unbounded => Bound::Included(&highest[..]),
    };
    let range = (Bound::Included(&first[..]), last);
    let row = snapshot
        .rows(CHUNKS, range, Direction::Reverse)?
        .next_row()?;
    row.map(Kept::of).transpose()
}

/// The first chunk of a shelf that begins after a reading.
pub(super) fn chunk_after(
    snapshot: &Snapshot,
    probe: &EquipmentId,
    shelf: u64,
    reading: Reading,
) -> Result<Option<Kept>, Store> {
    let first = chunk_key(probe, shelf, reading);
    let last = chunk_key(probe, shelf, HIGHEST);
    let range = (Bound::Excluded(&first[..]), Bound::Included(&last[..]));
    let row = snapshot
        .rows(CHUNKS, range, Direction::Forward)?
        .next_row()?;
    row.map(Kept::of).transpose()
}

pub(super) fn damaged(what: String) -> Store {
    Store::Damaged { what }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_sort_as_readings_do_and_are_read_back() {
        let probe = EquipmentId::from_bytes([3; 10]);
        let mut readings = Vec::new();
        for at_ms in [0, 1, 255, 256, 1 << 40, u64::MAX] {
            for temperature_milli_c in [i32::MIN, -70_000, -1, 0, 1, 70_000, i32::MAX] {
                readings.push(Reading {
                    at_ms,
                    temperature_milli_c,
                });
            }
        }
        assert!(readings.is_sorted());
        let keys: Vec<_> = readings
            .iter()
            .map(|it| chunk_key(&probe, 5, *it))
            .collect();
        assert!(keys.is_sorted_by(|one, next| one < next));
        for (key, reading) in keys.iter().zip(readings) {
            assert_eq!(of_chunk_key(key).unwrap(), (probe, 5, reading));
            assert!(of_chunk_key(&key[1..]).is_err());
            assert!(of_chunk_key(&[&key[..], &[0]].concat()).is_err());
        }
        let key = segment_key(&probe, 9);
        assert_eq!(of_segment_key(&key).unwrap(), (probe, 9));
        assert!(of_segment_key(&key[1..]).is_err());
    }
}
