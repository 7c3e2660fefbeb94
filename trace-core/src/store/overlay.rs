//! Derived tables: the log first, the index behind.
//!
//! An index is one ordered map from byte keys to bytes. What the log's tail
//! changed in it lies in memory: what the writer's present group changes in an
//! [`Overlay`], which is then set aside as a [`Run`](run::Run) for readers to
//! share and the writer to leave alone. Now and then the runs are merged into
//! the index's own file in one large sorted write, together with the size of the
//! log up to which the file then is current. Nothing here is the truth: an index
//! can be wiped and folded anew from the log.
//!
//! [`Index`] belongs to the one writer; an [`IndexView`] is one moment of it for
//! any number of readers.

mod index;
mod run;
mod view;

pub use index::{Index, Mark, Merging, Settings};
pub use view::IndexView;

use imbl::OrdMap;
use std::borrow::Borrow;
use std::cmp::Ordering;
use std::ops::Bound;
use std::sync::Arc;

/// What the present group changed: a persistent ordered map, so that a clone
/// costs two counters and stays as it is.
#[derive(Debug, Clone, Default)]
pub struct Overlay {
    /// `None` is a deletion, which hides what lies beneath.
    changes: OrdMap<ShortBytes, Option<ShortBytes>>,
    bytes: usize,
}

/// What a change costs in memory beside what lies on the heap: key and value as
/// they lie in a run (48 each), and half as much again because runs being joined
/// are there twice: 96 × 3 / 2.
const CHANGE_BYTES: usize = 144;

/// About how much memory a change takes.
fn cost(key: &[u8], value: Option<&[u8]>) -> usize {
    CHANGE_BYTES + ShortBytes::heap_bytes(key) + value.map_or(0, ShortBytes::heap_bytes)
}

impl Overlay {
    /// About how much memory it takes, which is what merging goes by.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether nothing was changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    fn change(&mut self, key: &[u8], value: Option<&[u8]>) {
        let old = self
            .changes
            .insert(ShortBytes::new(key), value.map(ShortBytes::new));
        self.bytes += cost(key, value);
        if let Some(old) = old {
            self.bytes -= cost(key, old.as_ref().map(ShortBytes::as_bytes));
        }
    }

    /// The outer option: was the key changed; the inner: to what.
    #[expect(
        clippy::option_option,
        reason = "untouched, deleted and put are three cases"
    )]
    fn get(&self, key: &[u8]) -> Option<Option<&[u8]>> {
        self.changes
            .get(key)
            .map(|value| value.as_ref().map(ShortBytes::as_bytes))
    }

    fn range<'a>(
        &'a self,
        range: (Bound<&[u8]>, Bound<&[u8]>),
    ) -> impl DoubleEndedIterator<Item = (&'a [u8], Option<&'a [u8]>)> + use<'a> {
        let all = self.changes.range::<_, [u8]>(range);
        all.map(|(key, value)| (key.as_bytes(), value.as_ref().map(ShortBytes::as_bytes)))
    }
}

/// The longest bytes that lie in the leaf itself: with them they take 48, and a
/// tag, a hash and an index (1 + 32 + 8) fit. Joining runs then touches little
/// else.
const INLINE_BYTES: usize = 46;

/// A key or a value, ordered by its bytes.
#[derive(Debug, Clone)]
enum ShortBytes {
    Inline(u8, [u8; INLINE_BYTES]),
    Long(Arc<[u8]>),
}

impl ShortBytes {
    fn new(from: &[u8]) -> Self {
        let mut bytes = [0; INLINE_BYTES];
        match (bytes.get_mut(..from.len()), u8::try_from(from.len())) {
            (Some(start), Ok(length)) => {
                start.copy_from_slice(from);
                Self::Inline(length, bytes)
            }
            _ => Self::Long(from.into()),
        }
    }

    fn heap_bytes(bytes: &[u8]) -> usize {
        if bytes.len() > INLINE_BYTES {
            // with its two counters
            bytes.len() + 16
        } else {
            0
        }
    }

    fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Inline(length, bytes) => bytes.get(..usize::from(*length)).unwrap_or(bytes),
            Self::Long(bytes) => bytes,
        }
    }
}

impl Borrow<[u8]> for ShortBytes {
    fn borrow(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl Ord for ShortBytes {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_bytes().cmp(other.as_bytes())
    }
}

impl PartialOrd for ShortBytes {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for ShortBytes {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for ShortBytes {}

#[cfg(test)]
mod tests;
