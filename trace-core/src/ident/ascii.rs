//! A short ASCII text held in place: what a register's code is made of.
//!
//! It is not a code: which characters stand where is said by the type that
//! holds it. Order is that of the characters.

use super::reading;
use crate::error::{Invalid, Rule};
use std::fmt;

/// At most `N` ASCII characters, in place and without an allocation.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Ascii<const N: usize> {
    /// Zeros after the text; no text has a zero byte, so this orders as text.
    bytes: [u8; N],
    length: usize,
}

impl<const N: usize> Ascii<N> {
    /// Reads `least..=N` characters. `accept` is given each with its index
    /// from 0 and returns the one to keep, or what was wanted there.
    /// `before` characters were typed before `text`.
    pub(super) fn read(
        rule: Rule,
        (before, text): (usize, &str),
        least: usize,
        accept: impl Fn(usize, char) -> Result<char, &'static str>,
    ) -> Result<Self, Invalid> {
        reading::bounded(rule, text)?;
        let mut bytes = [0u8; N];
        let mut characters = text.chars().enumerate();
        let mut length = 0;
        for (place, (index, found)) in bytes.iter_mut().zip(&mut characters) {
            let refusal = |wanted| reading::wrong(rule, before + index + 1, found, wanted);
            let kept = accept(index, found).map_err(refusal)?;
            *place = match u8::try_from(kept) {
                Ok(byte @ 1..=127) => byte,
                _ => return Err(refusal("an ASCII character")),
            };
            length = index + 1;
        }
        let found = text.chars().count();
        if found != length || length < least {
            let wanted = if least == N {
                format!("{N}")
            } else {
                format!("{least} to {N}")
            };
            return Err(reading::count(rule, found, &wanted));
        }
        Ok(Self { bytes, length })
    }

    /// The characters' bytes.
    pub(super) fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or(&self.bytes)
    }

    /// The text.
    #[expect(
        clippy::expect_used,
        reason = "`read`, the only maker, keeps bytes 1 to 127 alone"
    )]
    pub(super) fn as_str(&self) -> &str {
        std::str::from_utf8(self.bytes()).expect("ASCII by construction")
    }
}

impl<const N: usize> fmt::Debug for Ascii<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Ascii<3>, Invalid> {
        Ascii::read(Rule::Lot, (0, text), 1, |_, found| match found {
            '!' => Err("anything but that"),
            other => Ok(other),
        })
    }

    #[test]
    fn order_is_that_of_the_text() {
        let sorted = ["A", "A0", "AA", "B", "BAA"];
        let read: Vec<_> = sorted.iter().map(|text| read(text).unwrap()).collect();
        assert!(read.is_sorted());
        assert!(sorted.iter().zip(&read).all(|(a, b)| *a == b.as_str()));
    }

    #[test]
    fn length_and_character_are_refused_by_number() {
        for (text, wanted) in [
            ("", "found 0 characters, wanted 1 to 3"),
            ("ABCD", "found 4 characters, wanted 1 to 3"),
            ("A!", "position 2 is '!', wanted anything but that"),
            ("AB批", "position 3 is '批', wanted an ASCII character"),
            ("\0", r"position 1 is '\0', wanted an ASCII character"),
        ] {
            assert_eq!(read(text).unwrap_err().what, wanted, "{text:?}");
        }
    }
}
