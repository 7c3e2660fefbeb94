//! GS1 numbers: GTIN (of a product), GLN (of a place or party), SSCC (of a
//! logistic unit). GS1 General Specifications, section 7.9: check digits.
//!
//! They are not looked up: whether GS1 issued the prefix is unknown here. The
//! check digit refuses, since scanners check it and no lawful number fails.
//! Only ASCII digits are read: no spaces, no full-width digits.
//!
//! The check digit makes the sum of all digits, weighted 1, 3, 1, 3, … from
//! the last, a multiple of 10. Weights 1 and 3 have no common divisor with 10,
//! so any single wrong digit is found; an exchange of neighbours is, unless
//! they differ by 5.
//!
//! Vectors: GTIN-13 `6901234567892`, GTIN-14 `09521234543213`, GTIN-12
//! `614141000036`, GTIN-8 `40170725`, SSCC `106141411234567897`.

use super::reading;
use crate::error::{Invalid, Rule};

/// The number that these digits make, if their count is one of `lengths`.
fn read(text: &str, lengths: &[usize], wanted: &str) -> Result<u64, Invalid> {
    reading::bounded(Rule::Gs1, text)?;
    let mut number = 0u64;
    let mut count = 0;
    for found in text.chars() {
        count += 1;
        let Some(digit) = found.to_digit(10) else {
            return Err(reading::wrong(Rule::Gs1, count, found, "a digit 0 to 9"));
        };
        // Wraps only past 19 digits, which no length allows.
        number = number.wrapping_mul(10).wrapping_add(digit.into());
    }
    if !lengths.contains(&count) {
        return Err(reading::count(Rule::Gs1, count, wanted));
    }
    checked(number, count)
}

/// The number itself, if its check digit fits and it is not all zeros.
fn checked(number: u64, length: usize) -> Result<u64, Invalid> {
    if number == 0 {
        return Err(Invalid::new(
            Rule::Gs1,
            format!("positions 1 to {length} are all '0', wanted a number that can be issued"),
        ));
    }
    let (found, wanted) = (number % 10, check_digit(number / 10));
    if found != wanted {
        return Err(Invalid::new(
            Rule::Gs1,
            format!("the check digit at position {length} is {found}, wanted {wanted}"),
        ));
    }
    Ok(number)
}

/// The check digit after `body`: weights 3, 1, 3, … from its last digit.
fn check_digit(mut body: u64) -> u64 {
    let mut sum = 0;
    let mut weight = 3;
    while body > 0 {
        sum += body % 10 * weight;
        weight = 4 - weight;
        body /= 10;
    }
    (10 - sum % 10) % 10
}

/// Makes a number of `$length` digits, also read with the lengths `$also`.
macro_rules! number {
    ($(#[$doc:meta])* $name:ident, $length:literal, $limit:literal, [$($also:literal),*], $wanted:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(u64);

        impl $name {
            #[doc = concat!("Reads ", $wanted, " digits.")]
            ///
            /// # Errors
            ///
            /// Names the character that is no digit, or the count of
            /// characters, or the check digit found and the one wanted.
            pub fn parse(text: &str) -> Result<Self, Invalid> {
                read(text, &[$($also,)* $length], $wanted).map(Self)
            }

            /// The digits as a number, without the zeros before them.
            #[must_use]
            pub const fn as_u64(self) -> u64 {
                self.0
            }
        }

        impl TryFrom<u64> for $name {
            type Error = Invalid;

            /// The same checks, on a number that has lost its leading zeros.
            fn try_from(number: u64) -> Result<Self, Invalid> {
                if number >= $limit {
                    let what = format!("found {number}, wanted at most {} digits", $length);
                    return Err(Invalid::new(Rule::Gs1, what));
                }
                checked(number, $length).map(Self)
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
                write!(f, "{:0width$}", self.0, width = $length)
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{}({self})", stringify!($name))
            }
        }
    };
}

number! {
    /// A product's number, GTIN-8, -12, -13 or -14. One product has one value:
    /// it is held, compared and shown as 14 digits, with zeros before a
    /// shorter one, as GS1 has it in AI (01).
    ///
    /// ```
    /// use trace_core::ident::Gtin;
    ///
    /// let gtin = Gtin::parse("6901234567892")?;
    /// assert_eq!(gtin.to_string(), "06901234567892");
    /// assert_eq!(Gtin::parse("06901234567892"), Ok(gtin));
    /// assert!(Gtin::parse("6901234567893").is_err());
    /// # Ok::<(), trace_core::error::Invalid>(())
    /// ```
    Gtin, 14, 100_000_000_000_000, [8, 12, 13], "8, 12, 13 or 14"
}

number! {
    /// A place's or party's number, 13 digits.
    Gln, 13, 10_000_000_000_000, [], "13"
}

number! {
    /// A logistic unit's number (a pallet, a case), 18 digits.
    Sscc, 18, 1_000_000_000_000_000_000, [], "18"
}

#[cfg(test)]
mod tests {
    use super::*;

    const GTINS: [&str; 5] = [
        "6901234567892",
        "09521234543213",
        "614141000036",
        "40170725",
        "95012346",
    ];

    #[test]
    fn published_numbers_are_read_and_shown() {
        for text in GTINS {
            let gtin = Gtin::parse(text).unwrap();
            assert_eq!(gtin.to_string(), format!("{text:0>14}"));
            assert_eq!(Gtin::parse(&gtin.to_string()), Ok(gtin));
            assert_eq!(Gtin::try_from(gtin.as_u64()), Ok(gtin));
        }
        let gln = Gln::parse("0614141000012").unwrap();
        assert_eq!(gln.to_string(), "0614141000012");
        assert_eq!(Gln::try_from(614_141_000_012), Ok(gln));
        let sscc = Sscc::parse("106141411234567897").unwrap();
        assert_eq!(sscc.to_string(), "106141411234567897");
        assert_eq!(format!("{sscc:?}"), "Sscc(106141411234567897)");
        assert_eq!(Sscc::try_from(106_141_411_234_567_897), Ok(sscc));
    }

    fn every_single_wrong_digit(text: &str, reads: impl Fn(&str) -> bool) {
        assert!(reads(text), "{text}");
        for at in 0..text.len() {
            for other in '0'..='9' {
                let mut wrong: Vec<char> = text.chars().collect();
                if std::mem::replace(&mut wrong[at], other) != other {
                    let wrong: String = wrong.into_iter().collect();
                    assert!(!reads(&wrong), "{wrong}");
                }
            }
        }
    }

    #[test]
    fn every_single_wrong_digit_is_refused() {
        for text in GTINS {
            every_single_wrong_digit(text, |text| Gtin::parse(text).is_ok());
        }
        every_single_wrong_digit("0614141000012", |text| Gln::parse(text).is_ok());
        every_single_wrong_digit("106141411234567897", |text| Sscc::parse(text).is_ok());
    }

    #[test]
    fn a_refusal_says_what_and_where() {
        for (typed, wanted) in [
            (
                "6901234567893",
                "the check digit at position 13 is 3, wanted 2",
            ),
            (
                "69012345678９2",
                "position 12 is '９', wanted a digit 0 to 9",
            ),
            (" 6901234567892", "position 1 is ' ', wanted a digit 0 to 9"),
            (
                "690123456789",
                "the check digit at position 12 is 9, wanted 7",
            ),
            ("690123456", "found 9 characters, wanted 8, 12, 13 or 14"),
            ("", "found 0 characters, wanted 8, 12, 13 or 14"),
            (
                "00000000",
                "positions 1 to 8 are all '0', wanted a number that can be issued",
            ),
        ] {
            assert_eq!(Gtin::parse(typed).unwrap_err().what, wanted, "{typed:?}");
        }
        let long = "9".repeat(64);
        let refused = Sscc::parse(&long).unwrap_err();
        assert_eq!(refused.what, "found 64 characters, wanted 18");
        let refused = Gln::parse("06901234567892").unwrap_err();
        assert_eq!(refused.what, "found 14 characters, wanted 13");
    }

    #[test]
    fn numbers_too_long_or_zero_are_refused() {
        assert!(Gtin::try_from(100_000_000_000_000).is_err());
        assert!(Gln::try_from(10_000_000_000_000).is_err());
        assert!(Sscc::try_from(1_000_000_000_000_000_000).is_err());
        assert!(Sscc::try_from(u64::MAX).is_err());
        assert!(Gtin::try_from(0).is_err());
    }
}
