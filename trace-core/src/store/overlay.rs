//! Derived tables: the log first, the index behind.
//!
//! An index is one ordered map from byte keys to bytes. What the log's tail
//! changed in it lies in an [`Overlay`] in memory; now and then the overlay is
//! merged into the index's own file in one large sorted write, together with the
//! size of the log up to which the file then is current. Nothing here is the
//! truth: an index can be wiped and folded anew from the log.
//!
//! [`Index`] belongs to the one writer; an [`IndexView`] is one moment of it for
//! any number of readers.

mod index;
mod view;

pub use index::{Index, Mark, Merging, Settings};
pub use view::IndexView;

use imbl::OrdMap;
use std::borrow::Borrow;
use std::cmp::Ordering;
use std::ops::Bound;
use std::sync::Arc;

/// What a log's tail changed: a persistent ordered map, so that a clone costs
/// two counters and stays as it is.
#[derive(Debug, Clone, Default)]
pub struct Overlay {
    /// `None` is a deletion, which hides what lies beneath.
    changes: OrdMap<OverlayKey, Option<Arc<[u8]>>>,
    bytes: usize,
}

/// What a change costs in memory beside its value: the key as it lies in a leaf
/// (48), the value's pointer (16), its counters (16), and half as much again
/// because leaves are two thirds full on average: 80 × 3 / 2.
const CHANGE_BYTES: usize = 120;

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
        let cost = |value: Option<&[u8]>| {
            CHANGE_BYTES + OverlayKey::heap_bytes(key) + value.map_or(0, <[u8]>::len)
        };
        let old = self
            .changes
            .insert(OverlayKey::new(key), value.map(Arc::from));
        self.bytes += cost(value);
        if let Some(old) = old {
            self.bytes -= cost(old.as_deref());
        }
    }

    /// The outer option: was the key changed; the inner: to what.
    #[expect(
        clippy::option_option,
        reason = "untouched, deleted and put are three cases"
    )]
    fn get(&self, key: &[u8]) -> Option<Option<&[u8]>> {
        self.changes.get(key).map(Option::as_deref)
    }

    fn iter(&self) -> impl Iterator<Item = (&[u8], Option<&[u8]>)> {
        let all = self.changes.iter();
        all.map(|(key, value)| (key.as_bytes(), value.as_deref()))
    }

    fn range<'a>(
        &'a self,
        range: (Bound<&[u8]>, Bound<&[u8]>),
    ) -> impl DoubleEndedIterator<Item = (&'a [u8], Option<&'a [u8]>)> + use<'a> {
        let all = self.changes.range::<_, [u8]>(range);
        all.map(|(key, value)| (key.as_bytes(), value.as_deref()))
    }
}

/// The longest key that lies in the leaf itself: with it a key takes 48 bytes,
/// and a tag, a hash and an index (1 + 32 + 8) fit. Copying a leaf, which the
/// first change behind a clone does, then allocates nothing.
const INLINE_BYTES: usize = 46;

/// A key, ordered by its bytes.
#[derive(Debug, Clone)]
enum OverlayKey {
    Inline(u8, [u8; INLINE_BYTES]),
    Long(Arc<[u8]>),
}

impl OverlayKey {
    fn new(key: &[u8]) -> Self {
        let mut bytes = [0; INLINE_BYTES];
        match (bytes.get_mut(..key.len()), u8::try_from(key.len())) {
            (Some(start), Ok(length)) => {
                start.copy_from_slice(key);
                Self::Inline(length, bytes)
            }
            _ => Self::Long(key.into()),
        }
    }

    fn heap_bytes(key: &[u8]) -> usize {
        if key.len() > INLINE_BYTES {
            key.len()
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

impl Borrow<[u8]> for OverlayKey {
    fn borrow(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl Ord for OverlayKey {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_bytes().cmp(other.as_bytes())
    }
}

impl PartialOrd for OverlayKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for OverlayKey {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for OverlayKey {}

#[cfg(test)]
mod tests;
