//! The one coding of the ledger's own codes: 80 bits as 16 characters of
//! Crockford's base 32 and a check character from the same 32, in fours.
//!
//! It is not encryption and hides nothing: a code is unguessable because its
//! 80 bits are random, and who draws them is not here. The check finds slips
//! of hand and eye, not forgeries.
//!
//! # The coding
//!
//! Alphabet: Crockford's base 32, `0123456789ABCDEFGHJKMNPQRSTVWXYZ`
//! (<https://www.crockford.com/base32.html>); its own check symbol (mod 37,
//! five more signs) is not used, so that a code stays within 32 characters.
//! The 80 bits are read as one big-endian number, five bits a character from
//! the top: `d₀ … d₁₅`. The check character is `d₁₆`.
//!
//! # The check
//!
//! The 17 characters are elements of GF(2⁵) = GF(2)\[x\]/(x⁵+x²+1), where bit
//! k is the coefficient of xᵏ. With α = x, a code is sound if
//!
//! ```text
//! α⁰·d₀ + α¹·d₁ + … + α¹⁶·d₁₆ = K,      K of the kind of code: 1 to 4
//! ```
//!
//! x⁵+x²+1 is primitive, so α has order 31 and, 17 being less than 31, the
//! weights α⁰ … α¹⁶ are distinct and none is zero. Therefore:
//!
//! - *One wrong character* at i changes the sum by αⁱ·(d−d′). Neither factor
//!   is zero and a field has no divisors of zero: it is always found.
//! - *Two characters exchanged*, at i and j, neighbours or not, change it by
//!   (αⁱ−αʲ)·(dᵢ−dⱼ). The weights differ, so this is zero only if the two
//!   characters are equal and nothing was exchanged: it is always found.
//! - *Another kind of code* with its prefix lost or added has the sum K′ ≠ K:
//!   it is always found.
//! - Of other slips, one in 32 is missed where they fall at random.
//!
//! No K is zero, so that a field of zeros left unfilled is never sound.
//!
//! Vectors (found by the formula apart from this code): see the tests.

use super::reading;
use crate::error::{Invalid, Rule};
use std::fmt::{self, Write};

const ALPHABET: [char; 32] = [
    '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'J',
    'K', 'M', 'N', 'P', 'Q', 'R', 'S', 'T', 'V', 'W', 'X', 'Y', 'Z',
];

/// 80 bits, five a character.
const DATA: usize = 16;
/// The data and one check character.
const LENGTH: usize = DATA + 1;

/// What tells one kind of code from another.
pub(super) struct Coding {
    /// The letter before the code, followed by a hyphen when shown.
    pub(super) prefix: Option<char>,
    /// `K`: the weighted sum of a sound code of this kind. Distinct, not 0.
    pub(super) sum: u8,
    /// The rule that refuses.
    pub(super) rule: Rule,
}

impl Coding {
    /// Writes the code, in fours with hyphens if `grouped`.
    pub(super) fn write(
        &self,
        bytes: &[u8; 10],
        grouped: bool,
        out: &mut impl Write,
    ) -> fmt::Result {
        if let Some(prefix) = self.prefix {
            out.write_char(prefix)?;
            if grouped {
                out.write_char('-')?;
            }
        }
        let data = split(bytes);
        let check = self.check(&data);
        for (index, digit) in data.iter().chain([&check]).enumerate() {
            if grouped && index > 0 && index % 4 == 0 {
                out.write_char('-')?;
            }
            out.write_char(character(*digit))?;
        }
        Ok(())
    }

    /// Reads a code, forgiving case, spaces, hyphens (of every kind that a
    /// word processor makes of them), O for 0, and I or L for 1.
    pub(super) fn read(&self, text: &str) -> Result<[u8; 10], Invalid> {
        reading::bounded(self.rule, text)?;
        let mut typed = text
            .chars()
            .enumerate()
            .map(|(index, found)| (index + 1, found))
            .filter(|(_, found)| !is_separator(*found));

        if let Some(prefix) = self.prefix {
            match typed.next() {
                Some((_, found)) if found.eq_ignore_ascii_case(&prefix) => {}
                Some((position, found)) => {
                    let wanted = format!("the prefix {prefix}");
                    return Err(reading::wrong(self.rule, position, found, &wanted));
                }
                None => return Err(reading::count(self.rule, 0, &self.wanted())),
            }
        }

        let mut digits = [0u8; LENGTH];
        let mut count = 0;
        let mut last = (0, ' ');
        for (position, found) in typed {
            let Some(digit) = value(found) else {
                let wanted = "a digit or a letter other than U";
                return Err(reading::wrong(self.rule, position, found, wanted));
            };
            if let Some(place) = digits.get_mut(count) {
                *place = digit;
                last = (position, found);
            }
            count += 1;
        }
        if count != LENGTH {
            let found = count + usize::from(self.prefix.is_some());
            return Err(reading::count(self.rule, found, &self.wanted()));
        }

        let [data @ .., check] = digits;
        if check != self.check(&data) {
            let (position, found) = last;
            return Err(Invalid::new(
                self.rule,
                format!(
                    "the check character {found:?} at position {position} does not fit the {DATA} \
                     before it: one of them was misread, or this is another kind of code"
                ),
            ));
        }
        Ok(join(&data))
    }

    fn wanted(&self) -> String {
        match self.prefix {
            Some(prefix) => format!("{prefix} and {LENGTH} digits or letters"),
            None => format!("{LENGTH} digits or letters"),
        }
    }

    /// The `d₁₆` that makes the weighted sum `K`:
    /// α⁻¹⁶·(K + Σ αⁱ·dᵢ), and α⁻¹⁶ = α¹⁵ since α³¹ = 1.
    fn check(&self, data: &[u8; DATA]) -> u8 {
        // Horner from the last character; in GF(2ⁿ) adding is exclusive or.
        let sum = data.iter().rev().fold(0, |sum, d| times_alpha(sum) ^ d);
        (0..15).fold(sum ^ self.sum, |product, _| times_alpha(product))
    }
}

/// α·v in GF(2⁵): a shift, and x⁵ = x²+1.
fn times_alpha(v: u8) -> u8 {
    let shifted = v << 1;
    if shifted & 0b10_0000 == 0 {
        shifted
    } else {
        shifted ^ 0b10_0101
    }
}

fn split(bytes: &[u8; 10]) -> [u8; DATA] {
    let mut number = bytes.iter().fold(0u128, |n, b| n << 8 | u128::from(*b));
    let mut digits = [0u8; DATA];
    for digit in digits.iter_mut().rev() {
        let [low, ..] = number.to_le_bytes();
        *digit = low & 31;
        number >>= 5;
    }
    digits
}

fn join(digits: &[u8; DATA]) -> [u8; 10] {
    let number = digits.iter().fold(0u128, |n, d| n << 5 | u128::from(*d));
    let [_, _, _, _, _, _, bytes @ ..] = number.to_be_bytes();
    bytes
}

fn character(digit: u8) -> char {
    // Every digit is below 32: `split` and `times_alpha` keep five bits.
    ALPHABET.get(usize::from(digit)).copied().unwrap_or('?')
}

fn value(typed: char) -> Option<u8> {
    let meant = match typed.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    };
    let index = ALPHABET.iter().position(|known| *known == meant)?;
    u8::try_from(index).ok()
}

fn is_separator(typed: char) -> bool {
    // U+2010 to U+2015 are hyphens and dashes, U+2212 is minus, U+FF0D is what
    // a Chinese keyboard makes of a hyphen.
    typed.is_whitespace()
        || matches!(
            typed,
            '-' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{ff0d}'
        )
}

/// Makes a kind of code of the coding: a type of its own, so that one is never
/// taken for another.
macro_rules! code80 {
    ($(#[$doc:meta])* $name:ident, $coding:expr) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; 10]);

        impl $name {
            const CODING: $crate::ident::code80::Coding = $coding;

            /// The code of these 80 bits, which should be random.
            #[must_use]
            pub const fn from_bytes(bytes: [u8; 10]) -> Self {
                Self(bytes)
            }

            /// The 80 bits.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; 10] {
                &self.0
            }

            /// Without hyphens, for addresses and machine-read codes.
            #[must_use]
            pub fn compact(&self) -> String {
                let mut out = String::with_capacity(18);
                // Writing to a String cannot fail.
                let _ = Self::CODING.write(&self.0, false, &mut out);
                out
            }

            /// Reads the code, forgiving case, spaces, hyphens, O for 0, and
            /// I or L for 1.
            ///
            /// # Errors
            ///
            /// Names the character that cannot stand in a code and its
            /// position; or the count of characters; or the check character
            /// that does not fit.
            pub fn parse(text: &str) -> Result<Self, $crate::error::Invalid> {
                Self::CODING.read(text).map(Self)
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::error::Invalid;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::parse(text)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                Self::CODING.write(&self.0, true, f)
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{}({self})", stringify!($name))
            }
        }
    };
}
pub(super) use code80;

#[cfg(test)]
#[path = "code80_tests.rs"]
mod tests;
