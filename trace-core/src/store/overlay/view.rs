//! One moment of an index, as a reader sees it: several ordered maps as one.

use super::super::redb::{Rows, Snapshot};
use super::super::table::{Direction, OrderedTable};
use super::Overlay;
use super::run::{self, Run};
use crate::error::Store;
use std::cmp::Ordering;
use std::ops::{Bound, ControlFlow};
use std::sync::Arc;

/// Where the file keeps the merged rows.
pub(super) const ROWS: OrderedTable = OrderedTable("rows");

/// An index at one moment: what is active wins over the runs, a newer run over
/// an older one, and all over what the file holds. Cloning is cheap; nothing in
/// it ever moves.
#[derive(Clone)]
pub struct IndexView {
    pub(super) active: Overlay,
    /// The newest last.
    pub(super) runs: Arc<[Run]>,
    pub(super) merged: Snapshot,
}

impl std::fmt::Debug for IndexView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IndexView").finish_non_exhaustive()
    }
}

impl IndexView {
    /// How many bytes of changes are in memory, not merged yet.
    #[must_use]
    pub fn overlay_bytes(&self) -> usize {
        self.active.bytes().saturating_add(run::bytes(&self.runs))
    }

    /// The value of a key, copied.
    ///
    /// # Errors
    /// From the engine.
    pub fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Store> {
        self.get_with(key, <[u8]>::to_vec)
    }

    /// What `read` makes of the value of a key, in place.
    ///
    /// # Errors
    /// From the engine.
    pub fn get_with<R>(
        &self,
        key: &[u8],
        read: impl FnOnce(&[u8]) -> R,
    ) -> Result<Option<R>, Store> {
        if let Some(change) = self.active.get(key) {
            return Ok(change.map(read));
        }
        if let Some(change) = run::changed(&self.runs, key) {
            return Ok(change.map(read));
        }
        self.merged.get_with(ROWS, key, read)
    }

    /// Shows `visit` the rows whose keys begin with `prefix`, in order, until it
    /// breaks; what it broke with. Walking begins at `from`: forward with the
    /// first key not before it, in reverse with the last key not after it;
    /// unbounded is all that has the prefix.
    ///
    /// # Errors
    /// From the engine.
    pub fn scan<R>(
        &self,
        prefix: &[u8],
        from: Bound<&[u8]>,
        direction: Direction,
        mut visit: impl FnMut(&[u8], &[u8]) -> ControlFlow<R>,
    ) -> Result<Option<R>, Store> {
        let end = after_prefix(prefix);
        let Some(range) = narrowed(prefix, end.as_deref(), from, direction) else {
            return Ok(None);
        };
        // The newest first: of those that changed a key, the first knows.
        let active = Changes::of(self.active.range(range), direction);
        let runs = self.runs.iter().rev();
        let runs = runs.map(|run| Changes::of(run.range(range), direction));
        let changes = std::iter::once(active).chain(runs);
        let mut changes: Vec<_> = changes.filter(|it| it.head.is_some()).collect();
        let mut rows = self.merged.rows(ROWS, range, direction)?;
        let mut row = rows.next_row()?;
        let order = |a: &[u8], b: &[u8]| match direction {
            Direction::Forward => a.cmp(b),
            Direction::Reverse => b.cmp(a),
        };
        loop {
            let heads = changes.iter().filter_map(|it| it.head);
            let head = heads.reduce(|first, other| match order(other.0, first.0) {
                Ordering::Less => other,
                _ => first,
            });
            let (key, value) = match (head, &row) {
                (Some((key, value)), Some(row)) if order(key, row.key()).is_le() => (key, value),
                (_, Some(row)) => (row.key(), Some(row.value())),
                (Some(change), None) => change,
                (None, None) => return Ok(None),
            };
            if let Some(value) = value
                && let ControlFlow::Break(outcome) = visit(key, value)
            {
                return Ok(Some(outcome));
            }
            let in_row = row.as_ref().is_some_and(|row| row.key() == key);
            let passed = changes.iter_mut().filter(|it| it.key() == Some(key));
            passed.for_each(Changes::step);
            if in_row {
                row = rows.next_row()?;
            }
        }
    }
}

impl IndexView {
    /// The rows of the file alone whose keys begin with `prefix`, in order:
    /// what was merged, without what has gathered since.
    pub(crate) fn merged_rows(&self, prefix: &[u8]) -> Result<Rows<OrderedTable>, Store> {
        let end = after_prefix(prefix);
        let end = end.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
        let range = (Bound::Included(prefix), end);
        self.merged.rows(ROWS, range, Direction::Forward)
    }
}

/// From where to where in the order of keys.
type Bounds<'a> = (Bound<&'a [u8]>, Bound<&'a [u8]>);

/// A key, and what it was put to or `None` where it was deleted.
type Change<'a> = (&'a [u8], Option<&'a [u8]>);

/// An overlay being walked, with the change at which it stands.
struct Changes<'a> {
    rest: Box<dyn Iterator<Item = Change<'a>> + 'a>,
    head: Option<Change<'a>>,
}

impl<'a> Changes<'a> {
    fn of(range: impl DoubleEndedIterator<Item = Change<'a>> + 'a, direction: Direction) -> Self {
        let mut rest: Box<dyn Iterator<Item = Change<'a>>> = match direction {
            Direction::Forward => Box::new(range),
            Direction::Reverse => Box::new(range.rev()),
        };
        let head = rest.next();
        Self { rest, head }
    }

    fn key(&self) -> Option<&'a [u8]> {
        self.head.map(|(key, _)| key)
    }

    fn step(&mut self) {
        self.head = self.rest.next();
    }
}

/// The smallest key after all that begin with `prefix`; none when the prefix is
/// all 0xff, or empty.
fn after_prefix(prefix: &[u8]) -> Option<Vec<u8>> {
    let mut end = prefix.to_vec();
    while let Some(last) = end.pop() {
        if let Some(next) = last.checked_add(1) {
            end.push(next);
            return Some(end);
        }
    }
    None
}

/// The keys from `start` to before `end` that lie in `direction` from `from`;
/// `None` when there can be none, for ordered maps differ in what they make of
/// a range that ends before it begins.
fn narrowed<'a>(
    start: &'a [u8],
    end: Option<&'a [u8]>,
    from: Bound<&'a [u8]>,
    direction: Direction,
) -> Option<Bounds<'a>> {
    let (mut lower, mut upper) = (Bound::Included(start), Bound::Unbounded);
    if let Some(end) = end {
        upper = Bound::Excluded(end);
    }
    match (direction, from) {
        (_, Bound::Unbounded) => {}
        (Direction::Forward, Bound::Included(key) | Bound::Excluded(key)) => {
            if key >= start {
                lower = from;
            }
        }
        (Direction::Reverse, Bound::Included(key) | Bound::Excluded(key)) => {
            if end.is_none_or(|end| key < end) {
                upper = from;
            }
        }
    }
    let (
        Bound::Included(low) | Bound::Excluded(low),
        Bound::Included(high) | Bound::Excluded(high),
    ) = (lower, upper)
    else {
        return Some((lower, upper));
    };
    let both = matches!((lower, upper), (Bound::Included(_), Bound::Included(_)));
    match low.cmp(high) {
        Ordering::Less => Some((lower, upper)),
        Ordering::Equal if both => Some((lower, upper)),
        _ => None,
    }
}
