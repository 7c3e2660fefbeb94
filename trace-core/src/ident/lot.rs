//! Lot 批号 and serial number: 1 to 20 characters of GS1's character set 82
//! (GS1 General Specifications, figure 7.11-1; AI (10) and AI (21)).
//!
//! They are not normalised: `a1` and `A1` are two lots, and a space is no
//! character of the set. Chinese text in a batch name belongs to the product's
//! description.

use super::ascii::Ascii;
use crate::error::{Invalid, Rule};

/// Set 82: the invariant characters of ISO/IEC 646 but the space.
fn is_set_82(found: char) -> bool {
    found.is_ascii_alphanumeric() || matches!(found, '!' | '"' | '%'..='/' | ':'..='?' | '_')
}

macro_rules! lot {
    ($(#[$doc:meta])* $name:ident, $rule:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Ascii<20>);

        impl $name {
            /// Reads 1 to 20 characters, exactly as they stand.
            ///
            /// # Errors
            ///
            /// Names the first character outside the set and its position, or
            /// the count of characters.
            pub fn parse(text: &str) -> Result<Self, Invalid> {
                Ascii::read($rule, (0, text), 1, |_, found| {
                    if is_set_82(found) {
                        Ok(found)
                    } else {
                        Err("a letter, a digit or one of !\"%&'()*+,-./:;<=>?_")
                    }
                })
                .map(Self)
            }

            /// The characters.
            #[must_use]
            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }
        }

        impl std::str::FromStr for $name {
            type Err = Invalid;

            fn from_str(text: &str) -> Result<Self, Invalid> {
                Self::parse(text)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

lot! {
    /// A batch as its maker marks it, AI (10).
    ///
    /// ```
    /// use trace_core::ident::Lot;
    ///
    /// assert_eq!(Lot::parse("2026-02/A").map(|lot| lot.to_string()), Ok("2026-02/A".into()));
    /// assert!(Lot::parse("2026 02").is_err());
    /// ```
    Lot, Rule::Lot
}

lot! {
    /// One piece of a product as its maker marks it, AI (21).
    Serial, Rule::Serial
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The figure, written out.
    const SET_82: &str = "!\"%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_\
                          abcdefghijklmnopqrstuvwxyz";

    #[test]
    fn the_set_has_82_characters_and_no_other_is_read() {
        assert_eq!(SET_82.len(), 82);
        for found in '\0'..='\u{ffff}' {
            let text = found.to_string();
            assert_eq!(
                Lot::parse(&text).is_ok(),
                SET_82.contains(found),
                "{found:?}"
            );
            assert_eq!(Serial::parse(&text).is_ok(), SET_82.contains(found));
        }
    }

    #[test]
    fn every_length_to_20_is_read_and_no_other() {
        for length in 0..=70 {
            let text = "x".repeat(length);
            let read = Lot::parse(&text);
            if (1..=20).contains(&length) {
                assert_eq!(read.unwrap().as_str(), text);
            } else {
                assert_eq!(read.unwrap_err().rule, Rule::Lot);
            }
        }
        let refused = Lot::parse("").unwrap_err();
        assert_eq!(refused.what, "found 0 characters, wanted 1 to 20");
    }

    #[test]
    fn a_refusal_names_the_character() {
        let refused = Serial::parse("A1批").unwrap_err();
        assert_eq!(refused.rule, Rule::Serial);
        assert!(
            refused.what.starts_with("position 3 is '批', wanted"),
            "{refused}"
        );
    }
}
