//! Food licence numbers 食品生产许可证 SC and 食品经营许可证 JY: two letters and
//! 14 digits.
//!
//! SC: category (3), area (6), serial (4), check (1). JY: type (1), area (6),
//! serial (6), check (1); JY's layout is unconfirmed. The check is MOD 11,10 of
//! GB/T 17710 (ISO/IEC 7064).
//!
//! It is not a proof that the licence was issued or still runs. The check
//! never refuses: of 15 published numbers looked at, 5 fail it.
//!
//! Vector: ISO/IEC 7064 MOD 11,10 gives `0794` the check digit 5.

use super::ascii::Ascii;
use super::{Area, Checked, reading};
use crate::error::{Invalid, Rule};

/// What a licence allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LicenceKind {
    /// SC: making food.
    Production,
    /// JY: selling or serving food.
    Business,
}

/// A food licence number.
///
/// ```
/// use trace_core::ident::{Area, Checked, Licence, LicenceKind};
///
/// let licence = Licence::parse("jy11310020000012")?;
/// assert_eq!(licence.as_str(), "JY11310020000012");
/// assert_eq!(licence.kind(), LicenceKind::Business);
/// assert_eq!(licence.area().and_then(Area::name_zh), Some("安次区"));
/// assert_eq!(licence.check(), Checked::Passed);
/// assert!(Licence::parse("SP11310020000012").is_err());
/// # Ok::<(), trace_core::error::Invalid>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Licence(Ascii<16>);

impl Licence {
    /// Reads SC or JY of either case and 14 digits, without the spaces around
    /// them.
    ///
    /// # Errors
    ///
    /// Names the first character that cannot stand where it stands, or the
    /// count of characters. A check digit that does not fit is no error.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        reading::bounded(Rule::Licence, text)?;
        let (before, text) = reading::trimmed(text);
        let business = text.starts_with(['J', 'j']);
        Ascii::read(Rule::Licence, (before, text), 16, |index, found| {
            match (index, found.to_ascii_uppercase()) {
                (0, letter @ ('S' | 'J')) => Ok(letter),
                (0, _) => Err("SC or JY"),
                (1, 'C') if !business => Ok('C'),
                (1, 'Y') if business => Ok('Y'),
                (1, _) if business => Err("Y after J"),
                (1, _) => Err("C after S"),
                (_, digit @ '0'..='9') => Ok(digit),
                _ => Err("a digit 0 to 9"),
            }
        })
        .map(Self)
    }

    /// The letters and digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// What the letters say that the licence allows.
    #[must_use]
    pub fn kind(&self) -> LicenceKind {
        if self.as_str().starts_with('J') {
            LicenceKind::Business
        } else {
            LicenceKind::Production
        }
    }

    /// The area of the issuer; `None` where the six digits are no area by form.
    #[must_use]
    pub fn area(&self) -> Option<Area> {
        let digits = match self.kind() {
            LicenceKind::Production => 5..11,
            LicenceKind::Business => 3..9,
        };
        self.as_str().get(digits)?.parse().ok()
    }

    /// The last digit against the 13 before it.
    pub fn check(&self) -> Checked {
        let (_, digits) = self.as_str().split_at_checked(2).unwrap_or_default();
        let (body, check) = digits.split_at_checked(13).unwrap_or_default();
        let wanted = char::from_digit(mod_11_10(body), 10);
        Checked::of(&check.chars().next(), &wanted)
    }
}

/// The check digit of GB/T 17710 MOD 11,10: from p = 10, for each digit d,
/// p = (p + d) mod 10, with 10 for 0, then p = 2p mod 11; check =
/// (11 − p) mod 10.
fn mod_11_10(digits: &str) -> u32 {
    let product =
        digits
            .chars()
            .filter_map(|digit| digit.to_digit(10))
            .fold(10, |product, digit| match (product + digit) % 10 {
                0 => 20 % 11,
                sum => sum * 2 % 11,
            });
    (11 - product) % 10
}

impl std::str::FromStr for Licence {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        Self::parse(text)
    }
}

impl std::fmt::Display for Licence {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_standards_example_has_its_check_digit() {
        assert_eq!(mod_11_10("0794"), 5);
    }

    /// Made up; the check digits were found by another program.
    #[test]
    fn sound_numbers_pass_and_every_other_last_digit_warns() {
        for (text, kind, county) in [
            ("SC10113102800017", LicenceKind::Production, 131_028),
            ("JY11310020000012", LicenceKind::Business, 131_002),
        ] {
            let sound = Licence::parse(text).unwrap();
            assert_eq!(sound.check(), Checked::Passed, "{text}");
            assert_eq!(sound.kind(), kind);
            assert_eq!(sound.area(), Area::try_from(county).ok());
            assert_eq!(sound.to_string(), text);
            for at in 2..16 {
                for other in '0'..='9' {
                    let mut wrong: Vec<char> = text.chars().collect();
                    if std::mem::replace(&mut wrong[at], other) != other {
                        let wrong: String = wrong.into_iter().collect();
                        let licence = Licence::parse(&wrong).unwrap();
                        assert_eq!(licence.check(), Checked::Failed, "{wrong}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_wrong_character_is_named_with_its_position_as_typed() {
        for (typed, wanted) in [
            ("QS10113102800017", "position 1 is 'Q', wanted SC or JY"),
            (" JC", "position 3 is 'C', wanted Y after J"),
            ("sy", "position 2 is 'y', wanted C after S"),
            ("SC1011310280001O", "position 16 is 'O', wanted a digit"),
            ("SC１", "position 3 is '１', wanted a digit"),
            ("SC1011310280001", "found 15 characters, wanted 16"),
            ("SC101131028000171", "found 17 characters, wanted 16"),
            ("", "found 0 characters, wanted 16"),
        ] {
            let refused = Licence::parse(typed).unwrap_err();
            assert!(refused.what.starts_with(wanted), "{typed}: {refused}");
        }
    }

    #[test]
    fn an_area_that_is_none_by_form_is_none() {
        let licence = Licence::parse("SC00000000000000").unwrap();
        assert_eq!(licence.area(), None);
    }
}
