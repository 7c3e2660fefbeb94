//! Overlays set aside: they change no more, and wait to be merged.

use super::{Overlay, ShortBytes, cost};
use fastbloom::BloomFilter;
use std::ops::{Bound, RangeBounds};
use std::sync::Arc;

/// One key in a hundred that is not in a run is looked for there all the same;
/// that takes ten bits a key.
const FALSE_POSITIVES: f64 = 0.01;

/// From how many changes on a run has a filter: fewer are searched about as
/// quickly as a filter answers, and are soon joined with others.
const FILTERED_MIN: usize = 1_024;

/// Runs of so many changes are joined no more: they take 3 MiB, so that the
/// 32 MiB of an ordinary merge are a dozen filters to ask, and copying stays
/// within what the caches hold.
const JOINED_MAX: usize = 32_768;

/// The same for all runs, so that a key is hashed once for all of them. What a
/// filter answers falsely costs time, never truth: it need not be secret.
const SEED: u128 = 0x7261_6365;

type Row = (ShortBytes, Option<ShortBytes>);

/// Sorted changes, the newest of each key, with a filter that knows most keys
/// that are not among them. Cloning is cheap.
#[derive(Debug, Clone)]
pub(super) struct Run(Arc<Rows>);

#[derive(Debug)]
struct Rows {
    rows: Vec<Row>,
    bytes: usize,
    filter: Option<BloomFilter>,
}

impl Run {
    fn new(rows: Vec<Row>) -> Self {
        let costs = rows
            .iter()
            .map(|(key, value)| cost(key.as_bytes(), value.as_ref().map(ShortBytes::as_bytes)));
        let bytes = costs.fold(0, usize::saturating_add);
        let filter = (rows.len() >= FILTERED_MIN).then(|| {
            let filter = BloomFilter::with_false_pos(FALSE_POSITIVES).seed(&SEED);
            let mut filter = filter.expected_items(rows.len());
            for (key, _) in &rows {
                filter.insert(key.as_bytes());
            }
            filter
        });
        Self(Arc::new(Rows {
            rows,
            bytes,
            filter,
        }))
    }

    pub(super) fn of(overlay: Overlay) -> Self {
        Self::new(overlay.changes.into_iter().collect())
    }

    /// An older and a newer run as one.
    fn joined(older: &Self, newer: &Self) -> Self {
        let (older, newer) = (&older.0.rows, &newer.0.rows);
        let mut rows = Vec::with_capacity(older.len().saturating_add(newer.len()));
        let (mut older, mut newer) = (older.iter().peekable(), newer.iter().peekable());
        while let (Some((old, _)), Some((new, _))) = (older.peek(), newer.peek()) {
            let order = old.cmp(new);
            if order.is_eq() {
                older.next();
            }
            let first = if order.is_lt() {
                older.next()
            } else {
                newer.next()
            };
            rows.extend(first.cloned());
        }
        rows.extend(older.chain(newer).cloned());
        Self::new(rows)
    }

    pub(super) fn bytes(&self) -> usize {
        self.0.bytes
    }

    #[expect(
        clippy::option_option,
        reason = "untouched, deleted and put are three cases"
    )]
    fn get(&self, key: &[u8]) -> Option<Option<&[u8]>> {
        let rows = &self.0.rows;
        let at = rows.binary_search_by(|(row, _)| row.as_bytes().cmp(key));
        let (_, value) = rows.get(at.ok()?)?;
        Some(value.as_ref().map(ShortBytes::as_bytes))
    }

    fn iter(&self) -> impl DoubleEndedIterator<Item = (&[u8], Option<&[u8]>)> {
        let rows = self.0.rows.iter();
        rows.map(|(key, value)| (key.as_bytes(), value.as_ref().map(ShortBytes::as_bytes)))
    }

    pub(super) fn range<'a>(
        &'a self,
        range: (Bound<&[u8]>, Bound<&[u8]>),
    ) -> impl DoubleEndedIterator<Item = (&'a [u8], Option<&'a [u8]>)> + use<'a> {
        let rows = &self.0.rows;
        let before = |(key, _): &Row| match range.0 {
            Bound::Included(from) => key.as_bytes() < from,
            Bound::Excluded(from) => key.as_bytes() <= from,
            Bound::Unbounded => false,
        };
        let from = rows.partition_point(before);
        let rest = rows.get(from..).unwrap_or_default();
        let within = |(key, _): &Row| (Bound::Unbounded, range.1).contains(key.as_bytes());
        let count = rest.partition_point(within);
        let rows = rest.get(..count).unwrap_or_default().iter();
        rows.map(|(key, value)| (key.as_bytes(), value.as_ref().map(ShortBytes::as_bytes)))
    }
}

/// What became of a key in the newest of these runs that changed it.
#[expect(
    clippy::option_option,
    reason = "untouched, deleted and put are three cases"
)]
pub(super) fn changed<'a>(runs: &'a [Run], key: &[u8]) -> Option<Option<&'a [u8]>> {
    let mut known = None;
    let mut newest_first = runs.iter().rev();
    newest_first.find_map(|run| {
        if let Some(filter) = &run.0.filter {
            let hash = *known.get_or_insert_with(|| filter.source_hash(key));
            if !filter.contains_hash(hash) {
                return None;
            }
        }
        run.get(key)
    })
}

/// The same changes in fewer runs: of those from `from` on, the newest are
/// joined until each is more than twice as long as the next or has
/// [`JOINED_MAX`], so that each change is copied at most log2 of that often.
pub(super) fn fewer(runs: &[Run], from: usize) -> Option<Arc<[Run]>> {
    let count = |run: &Run| run.0.rows.len();
    let mut fewer = runs.to_vec();
    while let Some([older, newer]) = fewer.get(from..).and_then(<[Run]>::last_chunk)
        && count(older) <= count(newer).saturating_mul(2).min(JOINED_MAX)
    {
        let joined = Run::joined(older, newer);
        fewer.truncate(fewer.len() - 2);
        fewer.push(joined);
    }
    (fewer.len() < runs.len()).then(|| fewer.into())
}

/// All changes of these runs in the order of their keys, the newest of each.
pub(super) fn sorted(runs: &[Run]) -> Vec<(&[u8], Option<&[u8]>)> {
    let mut all: Vec<_> = runs.iter().rev().flat_map(Run::iter).collect();
    // Stable, and quick on what is in order in parts: of equal keys the newest
    // stays first.
    all.sort_by_key(|(key, _)| *key);
    all.dedup_by(|(older, _), (newer, _)| older == newer);
    all
}

/// About how much memory these runs take.
pub(super) fn bytes(runs: &[Run]) -> usize {
    runs.iter().map(Run::bytes).fold(0, usize::saturating_add)
}
