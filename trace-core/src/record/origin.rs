//! The origin: the one name of a ledger, which every record and every
//! checkpoint carries, so that nothing said to one ledger can be shown to
//! another.
//!
//! Not an address: it looks like a URL without its scheme (as C2SP
//! `tlog-checkpoint` recommends) but nothing need answer there.

use crate::error::{Invalid, Rule};
use std::fmt;
use std::sync::Arc;

/// A ledger's name: 1 to 64 of `a-z`, `0-9`, `.`, `-`, `/`, e.g.
/// `langfang.example/trace`.
///
/// No capitals, no Unicode, no space, no plus: two names that look alike are
/// the same bytes, and each is also a key name in a signed note.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin(Arc<str>);

impl Origin {
    /// The longest origin. A record's layout gives its length one byte (255);
    /// 64 holds any host name of an administration and its path, and keeps the
    /// fixed part of a record within 16 + (1 + 64) + 2 + 32 + 8 + 32 + 8 = 163
    /// bytes.
    pub const MAX_BYTES: usize = 64;

    /// Reads an origin.
    ///
    /// # Errors
    /// `Rule::Origin` when it is empty, too long, or has another character.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        if text.is_empty() || text.len() > Self::MAX_BYTES {
            return Err(Invalid::new(
                Rule::Origin,
                format!(
                    "origin of {} bytes, wanted 1 to {}",
                    text.len(),
                    Self::MAX_BYTES
                ),
            ));
        }
        let other = |c: &char| !matches!(c, 'a'..='z' | '0'..='9' | '.' | '-' | '/');
        if let Some(found) = text.chars().find(other) {
            return Err(Invalid::new(
                Rule::Origin,
                format!("origin with {found:?}, wanted a-z, 0-9, '.', '-' and '/'"),
            ));
        }
        Ok(Self(text.into()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for Origin {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for Origin {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        Self::parse(text)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Origin({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_of_one_to_sixty_four_plain_characters_are_accepted() {
        let longest = "a".repeat(Origin::MAX_BYTES);
        for text in ["a", "langfang.example/trace", "0-9.z/", longest.as_str()] {
            let origin = Origin::parse(text).unwrap();
            assert_eq!(origin.as_str(), text);
            assert_eq!(origin.to_string().parse::<Origin>(), Ok(origin));
        }
    }

    #[test]
    fn every_other_character_and_length_is_refused() {
        assert_eq!(Origin::parse("").unwrap_err().rule, Rule::Origin);
        let over = "a".repeat(Origin::MAX_BYTES + 1);
        assert_eq!(Origin::parse(&over).unwrap_err().rule, Rule::Origin);
        for code in 0..=0x10_ffff {
            let Some(c) = char::from_u32(code) else {
                continue;
            };
            let plain = c.is_ascii_lowercase() || c.is_ascii_digit() || ".-/".contains(c);
            assert_eq!(Origin::parse(&format!("a{c}")).is_ok(), plain, "{c:?}");
        }
    }
}
