//! The unified social credit code 统一社会信用代码 (GB 32100-2015).
//!
//! Eighteen characters: registering authority (1), category (1), area (6),
//! organisation code of GB 11714-1997 (8 and its check digit), check (1). The
//! alphabet is `0-9` and `A-Z` without I, O, S, V, Z.
//!
//! It is not a proof that the firm exists. Neither check digit refuses: some
//! codes issued early are in lawful use and fail (2 of 9 looked at), so a
//! misfit is for a person to look at.
//!
//! Vector: `91350100M000100Y43`, the standard's own example.

use super::ascii::Ascii;
use super::{Area, Checked, reading};
use crate::error::{Invalid, Rule};

/// GB 32100-2015, table of characters, in the order of their values 0 to 30.
const ALPHABET: [char; 31] = [
    '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'J',
    'K', 'L', 'M', 'N', 'P', 'Q', 'R', 'T', 'U', 'W', 'X', 'Y',
];

/// A unified social credit code: 18 characters of its alphabet, the area in
/// digits.
///
/// ```
/// use trace_core::ident::{Checked, Uscc};
///
/// let code = Uscc::parse(" 91350100m000100y43")?;
/// assert_eq!(code.as_str(), "91350100M000100Y43");
/// assert_eq!(code.check(), Checked::Passed);
/// assert_eq!(code.organisation_check(), Checked::Passed);
/// assert!(Uscc::parse("91350100M000100O43").is_err()); // no letter O
/// # Ok::<(), trace_core::error::Invalid>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uscc(Ascii<18>);

impl Uscc {
    /// Reads 18 characters of either case, without the spaces around them.
    ///
    /// # Errors
    ///
    /// Names the first character that cannot stand where it stands, or the
    /// count of characters. A check digit that does not fit is no error.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        reading::bounded(Rule::Uscc, text)?;
        Ascii::read(
            Rule::Uscc,
            reading::trimmed(text),
            18,
            |index, found| match found.to_ascii_uppercase() {
                digit @ '0'..='9' => Ok(digit),
                _ if (2..8).contains(&index) => Err("a digit of the area"),
                letter if ALPHABET.contains(&letter) => Ok(letter),
                _ => Err("a digit or a letter other than I, O, S, V, Z"),
            },
        )
        .map(Self)
    }

    /// The 18 characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The area of registration; `None` where the six digits are no area by
    /// form.
    #[must_use]
    pub fn area(&self) -> Option<Area> {
        self.as_str().get(2..8)?.parse().ok()
    }

    /// The last character against the 17 before it (GB 32100-2015): weights
    /// 3^i mod 31 from i = 0, check = (31 − Σ mod 31) mod 31.
    pub fn check(&self) -> Checked {
        let mut values = self.0.bytes().iter().map(|byte| {
            let found = char::from(*byte);
            let value = ALPHABET.iter().position(|known| *known == found);
            value.unwrap_or_default()
        });
        let (_, sum) = values
            .by_ref()
            .take(17)
            .fold((1, 0), |(weight, sum), value| {
                (weight * 3 % 31, sum + weight * value)
            });
        Checked::of(&values.next(), &Some((31 - sum % 31) % 31))
    }

    /// The organisation code's own check digit, the 17th character, against
    /// the eight before it (GB 11714-1997): A = 10 … Z = 35, weights
    /// 3 7 9 10 5 8 4 2, check = 11 − Σ mod 11, where 10 is X and 11 is 0.
    pub fn organisation_check(&self) -> Checked {
        const WEIGHTS: [u32; 8] = [3, 7, 9, 10, 5, 8, 4, 2];
        let mut code = self.0.bytes().iter().skip(8).map(|byte| char::from(*byte));
        let sum: u32 = WEIGHTS
            .iter()
            .zip(code.by_ref())
            .map(|(weight, found)| weight * found.to_digit(36).unwrap_or_default())
            .sum();
        let wanted = match 11 - sum % 11 {
            10 => Some('X'),
            11 => Some('0'),
            digit => char::from_digit(digit, 10),
        };
        Checked::of(&self.0.bytes().get(16).copied().map(char::from), &wanted)
    }
}

impl std::str::FromStr for Uscc {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        Self::parse(text)
    }
}

impl std::fmt::Display for Uscc {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The standard's example, and one made up for Langfang, whose check
    /// digits were found by another program.
    const SOUND: [&str; 2] = ["91350100M000100Y43", "91131000MA0000015N"];

    #[test]
    fn sound_codes_pass_both_checks() {
        for text in SOUND {
            let code = Uscc::parse(text).unwrap();
            assert_eq!(code.to_string(), text);
            assert_eq!(code.check(), Checked::Passed, "{text}");
            assert_eq!(code.organisation_check(), Checked::Passed, "{text}");
        }
        let area = Uscc::parse(SOUND[1]).unwrap().area();
        assert_eq!(area, Some(Area::LANGFANG));
    }

    /// Weights are powers of 3, which has order 30 mod 31, so that each of
    /// the 17 differs and none is zero.
    #[test]
    fn every_single_wrong_character_warns_and_is_not_refused() {
        for text in SOUND {
            for at in (0..2).chain(8..18) {
                for other in ALPHABET {
                    let mut wrong: Vec<char> = text.chars().collect();
                    if std::mem::replace(&mut wrong[at], other) != other {
                        let wrong: String = wrong.into_iter().collect();
                        let code = Uscc::parse(&wrong).unwrap();
                        assert_eq!(code.check(), Checked::Failed, "{wrong}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_wrong_organisation_code_warns() {
        for (text, wanted) in [
            ("91350100M000100Y53", Checked::Failed),
            ("91350100M000101Y43", Checked::Failed),
            ("91350100M000100YX3", Checked::Failed),
            // 3·1 + 2·4 = 11, so the check is 11, written 0.
            ("913501001000000400", Checked::Passed),
            // 2·6 = 12, so the check is 10, written X.
            ("9135010000000006X0", Checked::Passed),
        ] {
            let code = Uscc::parse(text).unwrap();
            assert_eq!(code.organisation_check(), wanted, "{text}");
        }
    }

    #[test]
    fn a_wrong_character_is_named_with_its_position_as_typed() {
        for (typed, wanted) in [
            (
                "9135010AM000100Y43",
                "position 8 is 'A', wanted a digit of the area",
            ),
            ("  9I", "position 4 is 'I', wanted a digit or a letter"),
            ("91350100M00010OY43", "position 15 is 'O'"),
            ("91350100M000100Y4３", "position 18 is '３'"),
            ("91350100M000100Y4", "found 17 characters, wanted 18"),
            ("91350100M000100Y431", "found 19 characters, wanted 18"),
            ("91350100 M000100Y43", "position 9 is ' '"),
            ("", "found 0 characters, wanted 18"),
        ] {
            let refused = Uscc::parse(typed).unwrap_err();
            assert!(refused.what.starts_with(wanted), "{typed}: {refused}");
        }
    }

    #[test]
    fn an_area_that_is_none_by_form_is_none() {
        let code = Uscc::parse("91990100M000100Y43").unwrap();
        assert_eq!(code.area(), None);
    }
}
