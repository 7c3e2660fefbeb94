//! Readings of a probe over a time, from wherever they are, in order.
//!
//! The unsealed shelf and each segment are sorted by themselves; here they are
//! merged, an exact repeat once, conflicting temperatures of one moment both. A
//! segment is opened when its time is reached and let go when it is read out, so
//! memory is one chunk of each segment that overlaps at one moment: one or two,
//! more only where late readings were sealed later.

use super::rows::{
    Kept, SEGMENT_SPAN_MS_MAX, SPANS, Span, UNSEALED, chunk_at, chunks_from, first_at, of_span,
    span_key,
};
use crate::error::Store;
use crate::ident::EquipmentId;
use crate::record::temperature::Reading;
use crate::store::redb::{Rows, Snapshot};
use crate::store::table::{Direction, OrderedTable};
use std::ops::{Bound, RangeInclusive};

/// One shelf, from some reading on.
struct Stream {
    rows: Rows<OrderedTable>,
    /// What is decoded and not passed on, last first taken off by `at`.
    chunk: Vec<Reading>,
    at: usize,
}

impl Stream {
    fn open(
        snapshot: &Snapshot,
        probe: &EquipmentId,
        shelf: u64,
        from: Reading,
    ) -> Result<Self, Store> {
        let mut stream = Self {
            rows: chunks_from(snapshot, probe, shelf, from)?,
            chunk: Vec::new(),
            at: 0,
        };
        stream.refill()?;
        stream.at = stream.chunk.partition_point(|it| *it < from);
        stream.refill()?;
        Ok(stream)
    }

    /// The next chunk, when this one is passed on.
    fn refill(&mut self) -> Result<(), Store> {
        if self.at == self.chunk.len() {
            self.at = 0;
            self.chunk = match self.rows.next_row()? {
                Some(row) => Kept::of(row)?.decode()?,
                None => Vec::new(),
            };
        }
        Ok(())
    }

    fn head(&self) -> Option<Reading> {
        self.chunk.get(self.at).copied()
    }
}

/// All shelves of a probe, or its segments alone, merged from a time on.
pub(super) struct Merge {
    snapshot: Snapshot,
    probe: EquipmentId,
    from: Reading,
    streams: Vec<Stream>,
    spans: Rows<OrderedTable>,
    /// The next segment whose time is not reached.
    next: Option<Span>,
    last: Option<Reading>,
}

impl Merge {
    fn of_all(snapshot: &Snapshot, probe: EquipmentId, from_ms: u64) -> Result<Self, Store> {
        let mut merge = Self::of_sealed(snapshot, probe, from_ms)?;
        let unsealed = Stream::open(snapshot, &probe, UNSEALED, merge.from)?;
        merge.streams.push(unsealed);
        Ok(merge)
    }

    pub(super) fn of_sealed(
        snapshot: &Snapshot,
        probe: EquipmentId,
        from_ms: u64,
    ) -> Result<Self, Store> {
        let first = span_key(&probe, from_ms.saturating_sub(SEGMENT_SPAN_MS_MAX), 0);
        let last = span_key(&probe, u64::MAX, u64::MAX);
        let mut merge = Self {
            snapshot: snapshot.clone(),
            probe,
            from: first_at(from_ms),
            streams: Vec::new(),
            spans: snapshot.rows(SPANS, &first[..]..=&last[..], Direction::Forward)?,
            next: None,
            last: None,
        };
        merge.find_next()?;
        Ok(merge)
    }

    fn find_next(&mut self) -> Result<(), Store> {
        self.next = None;
        while let Some(row) = self.spans.next_row()? {
            let span = of_span(&row)?;
            if span.last_ms >= self.from.at_ms {
                self.next = Some(span);
                break;
            }
        }
        Ok(())
    }

    /// The stream with the first reading, once all that may hold it are open.
    fn first(&mut self) -> Result<Option<usize>, Store> {
        loop {
            self.streams.retain(|it| it.head().is_some());
            let heads = self.streams.iter().map(Stream::head).enumerate();
            let first = heads.min_by_key(|(_, head)| *head);
            let reached = |span: Span| match first {
                Some((_, Some(head))) => span.first_ms <= head.at_ms,
                _ => true,
            };
            match self.next.filter(|it| reached(*it)) {
                None => return Ok(first.map(|(place, _)| place)),
                Some(span) => {
                    let (snapshot, probe) = (&self.snapshot, &self.probe);
                    let stream = Stream::open(snapshot, probe, span.number, self.from)?;
                    self.streams.push(stream);
                    self.find_next()?;
                }
            }
        }
    }

    /// The next readings, at least one, in place of what `run` held; false when
    /// there are no more.
    pub(super) fn next_run(&mut self, run: &mut Vec<Reading>) -> Result<bool, Store> {
        run.clear();
        while run.is_empty() {
            let Some(first) = self.first()? else {
                return Ok(false);
            };
            let others = self
                .streams
                .iter()
                .enumerate()
                .filter(|(it, _)| *it != first);
            let others = others.filter_map(|(_, stream)| stream.head());
            let closed = self.next.map(|span| first_at(span.first_ms));
            let bound = others.chain(closed).min();
            let Some(stream) = self.streams.get_mut(first) else {
                return Ok(false);
            };
            let rest = stream.chunk.get(stream.at..).unwrap_or_default();
            // The head itself is always next, also where another has it too.
            let count = match bound {
                Some(bound) => rest.partition_point(|it| *it < bound).max(1),
                None => rest.len(),
            };
            let taken = rest.get(..count).unwrap_or(rest);
            let last = self.last;
            let again = taken.first().is_some_and(|it| Some(*it) == last);
            run.extend(taken.get(usize::from(again)..).unwrap_or_default());
            self.last = taken.last().copied().or(last);
            stream.at += taken.len();
            stream.refill()?;
        }
        Ok(true)
    }
}

/// The readings of a probe in a time: an iterator, or whole runs at once, which is
/// faster by the reading.
pub struct Range {
    merge: Merge,
    until_ms: u64,
    run: Vec<Reading>,
    at: usize,
    before: Option<Reading>,
    after: Option<Reading>,
    ended: bool,
}

impl Range {
    pub(super) fn open(
        snapshot: &Snapshot,
        probe: EquipmentId,
        ms: RangeInclusive<u64>,
    ) -> Result<Self, Store> {
        let (from_ms, until_ms) = ms.into_inner();
        let after = match until_ms.checked_add(1) {
            None => None,
            Some(next_ms) => {
                let mut run = Vec::new();
                Merge::of_all(snapshot, probe, next_ms)?.next_run(&mut run)?;
                run.first().copied()
            }
        };
        Ok(Self {
            merge: Merge::of_all(snapshot, probe, from_ms)?,
            until_ms,
            run: Vec::new(),
            at: 0,
            before: last_before(snapshot, &probe, from_ms)?,
            after,
            ended: from_ms > until_ms,
        })
    }

    /// The last reading before the time; of several at one moment the warmest.
    #[must_use]
    pub fn before(&self) -> Option<Reading> {
        self.before
    }

    /// The first reading after the time; of several at one moment the coldest.
    #[must_use]
    pub fn after(&self) -> Option<Reading> {
        self.after
    }

    /// The next readings: sorted, each once, at least one and at most a chunk's.
    /// Leaves out what the iterator gave.
    ///
    /// # Errors
    /// [`Store`].
    pub fn next_run(&mut self) -> Result<Option<&[Reading]>, Store> {
        if self.at == self.run.len() {
            self.refill()?;
        }
        let run = self.run.get(self.at..).unwrap_or_default();
        self.at = self.run.len();
        Ok((!run.is_empty()).then_some(run))
    }

    fn refill(&mut self) -> Result<(), Store> {
        self.at = 0;
        self.run.clear();
        if !self.ended && self.merge.next_run(&mut self.run)? {
            let inside = self.run.partition_point(|it| it.at_ms <= self.until_ms);
            self.ended = inside < self.run.len();
            self.run.truncate(inside);
        }
        Ok(())
    }
}

impl Iterator for Range {
    type Item = Result<Reading, Store>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.at == self.run.len()
            && let Err(error) = self.refill()
        {
            self.ended = true;
            return Some(Err(error));
        }
        let reading = self.run.get(self.at).copied();
        self.at += usize::from(reading.is_some());
        reading.map(Ok)
    }
}

/// The last reading of a probe before a time.
pub(super) fn last_before(
    snapshot: &Snapshot,
    probe: &EquipmentId,
    ms: u64,
) -> Result<Option<Reading>, Store> {
    let on = |shelf| {
        let before = Bound::Excluded(first_at(ms));
        let Some(kept) = chunk_at(snapshot, probe, shelf, before)? else {
            return Ok(None);
        };
        let readings = kept.decode()?;
        let count = readings.partition_point(|it| it.at_ms < ms);
        Ok::<_, Store>(readings.get(..count).and_then(|it| it.last().copied()))
    };
    let mut best: Option<Reading> = on(UNSEALED)?;
    let (first, last) = (span_key(probe, 0, 0), span_key(probe, ms, 0));
    let mut spans = snapshot.rows(SPANS, &first[..]..&last[..], Direction::Reverse)?;
    while let Some(row) = spans.next_row()? {
        let span = of_span(&row)?;
        let beaten = |by_ms: u64| best.is_some_and(|best| best.at_ms > by_ms);
        if beaten(span.first_ms.saturating_add(SEGMENT_SPAN_MS_MAX)) {
            break; // this one and all that begin earlier have ended by then
        }
        if !beaten(span.last_ms) {
            best = best.max(on(span.number)?);
        }
    }
    Ok(best)
}
