//! One moment of an index, as a reader sees it: three ordered maps as one.

use super::super::redb::{Rows, Snapshot};
use super::super::table::{Direction, OrderedTable};
use super::Overlay;
use crate::error::Store;
use std::cmp::Ordering;
use std::ops::{Bound, ControlFlow};

/// Where the file keeps the merged rows.
pub(super) const ROWS: OrderedTable = OrderedTable("rows");

/// An index at one moment: what is active wins over what is being merged, and
/// that over what the file holds. Cloning is cheap; nothing in it ever moves.
#[derive(Clone)]
pub struct IndexView {
    pub(super) active: Overlay,
    pub(super) merging: Option<Overlay>,
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
        let merging = self.merging.as_ref().map_or(0, Overlay::bytes);
        self.active.bytes().saturating_add(merging)
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
        if let Some(change) = self.merging.as_ref().and_then(|it| it.get(key)) {
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
        let nothing = Overlay::default();
        let mut active = Changes::of(&self.active, range, direction);
        let merging = self.merging.as_ref().unwrap_or(&nothing);
        let mut merging = Changes::of(merging, range, direction);
        let mut rows = self.merged.rows(ROWS, range, direction)?;
        let mut row = rows.next_row()?;
        loop {
            let heads = [active.key(), merging.key(), row.as_ref().map(|it| it.key())];
            let next = heads.into_iter().flatten();
            let next = match direction {
                Direction::Forward => next.min(),
                Direction::Reverse => next.max(),
            };
            let Some(next) = next else { return Ok(None) };
            let [in_active, in_merging, in_rows] = heads.map(|head| head == Some(next));
            let value = if in_active {
                active.value()
            } else if in_merging {
                merging.value()
            } else {
                row.as_ref().map(|it| it.value())
            };
            if let Some(value) = value
                && let ControlFlow::Break(outcome) = visit(next, value)
            {
                return Ok(Some(outcome));
            }
            if in_active {
                active.step();
            }
            if in_merging {
                merging.step();
            }
            if in_rows {
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
    fn of(overlay: &'a Overlay, range: Bounds<'_>, direction: Direction) -> Self {
        let range = overlay.range(range);
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

    fn value(&self) -> Option<&'a [u8]> {
        self.head.and_then(|(_, value)| value)
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
