//! How what was typed is read, and how a refusal names the character at fault.
//!
//! It is not a parser of anything: each code says in its own file which
//! characters it wants where. Positions are in characters, not bytes, from 1,
//! counted in what was typed, spaces and hyphens included.

use crate::error::{Invalid, Rule};
use std::str::Chars;

/// No written code is longer: a time with nanoseconds and offset is 35, and an
/// id's 18 letters and digits with a space after each are 36; the rest is room
/// for dashes of three bytes. Longer input is refused before it is looked at.
pub(super) const LIMIT_BYTES: usize = 64;

/// Refuses what is longer than any code, before reading it.
pub(super) fn bounded(rule: Rule, text: &str) -> Result<(), Invalid> {
    if text.len() > LIMIT_BYTES {
        let found = text.len();
        return Err(Invalid::new(
            rule,
            format!("found {found} bytes, wanted at most {LIMIT_BYTES}"),
        ));
    }
    Ok(())
}

/// The refusal of one character. What is not printable is shown escaped, so
/// that a message never carries a control or direction character.
pub(super) fn wrong(rule: Rule, position: usize, found: char, wanted: &str) -> Invalid {
    Invalid::new(
        rule,
        format!("position {position} is {found:?}, wanted {wanted}"),
    )
}

/// The refusal of a length.
pub(super) fn count(rule: Rule, found: usize, wanted: &str) -> Invalid {
    Invalid::new(rule, format!("found {found} characters, wanted {wanted}"))
}

/// Without the spaces around it, and how many stood before it.
pub(super) fn trimmed(text: &str) -> (usize, &str) {
    let rest = text.trim_start();
    let before = text.chars().count() - rest.chars().count();
    (before, rest.trim_end())
}

/// Reads text of a fixed pattern from left to right.
#[derive(Clone)]
pub(super) struct Cursor<'a> {
    rule: Rule,
    rest: Chars<'a>,
    position: usize,
}

impl<'a> Cursor<'a> {
    /// At the first character of `text`.
    pub(super) fn new(rule: Rule, text: &'a str) -> Result<Self, Invalid> {
        bounded(rule, text)?;
        Ok(Self {
            rule,
            rest: text.chars(),
            position: 1,
        })
    }

    /// The position of the next character.
    pub(super) fn position(&self) -> usize {
        self.position
    }

    /// The next character, without passing it.
    pub(super) fn peek(&self) -> Option<char> {
        self.rest.clone().next()
    }

    /// The next character if `accept` makes something of it.
    pub(super) fn take<T>(
        &mut self,
        wanted: &str,
        accept: impl FnOnce(char) -> Option<T>,
    ) -> Result<T, Invalid> {
        let Some(found) = self.peek() else {
            let last = self.position - 1;
            return Err(Invalid::new(
                self.rule,
                format!("the text ends after position {last}, wanted {wanted}"),
            ));
        };
        let Some(taken) = accept(found) else {
            return Err(wrong(self.rule, self.position, found, wanted));
        };
        self.rest.next();
        self.position += 1;
        Ok(taken)
    }

    /// The next `length` ASCII digits as a number; `length` is at most 9.
    pub(super) fn digits(&mut self, length: usize) -> Result<u32, Invalid> {
        debug_assert!(length <= 9, "nine digits fit 32 bits");
        (0..length).try_fold(0u32, |number, _| {
            let digit = self.take("a digit 0 to 9", |found| found.to_digit(10))?;
            Ok(number * 10 + digit)
        })
    }

    /// Like [`digits`](Self::digits), refusing what lies outside the range.
    pub(super) fn number(
        &mut self,
        length: usize,
        noun: &str,
        range: std::ops::RangeInclusive<u32>,
    ) -> Result<u32, Invalid> {
        let position = self.position;
        let found = self.digits(length)?;
        if !range.contains(&found) {
            let (first, last) = (range.start(), range.end());
            return Err(Invalid::new(
                self.rule,
                format!("the {noun} at position {position} is {found}, wanted {first} to {last}"),
            ));
        }
        Ok(found)
    }

    /// The refusal of a part that was read but that there is not.
    pub(super) fn absent(&self, noun: &str, position: usize) -> Invalid {
        Invalid::new(
            self.rule,
            format!("there is no such {noun} as the one at position {position}"),
        )
    }

    /// Refuses anything left over.
    pub(super) fn end(&self) -> Result<(), Invalid> {
        match self.peek() {
            None => Ok(()),
            Some(found) => Err(wrong(self.rule, self.position, found, "nothing more")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_width_digits_are_no_digits() {
        let refused = Cursor::new(Rule::Area, "1３")
            .and_then(|mut cursor| cursor.digits(2))
            .unwrap_err();
        assert_eq!(refused.what, "position 2 is '３', wanted a digit 0 to 9");
    }

    #[test]
    fn direction_characters_are_shown_escaped() {
        let refused = wrong(Rule::Area, 1, '\u{202e}', "a digit");
        assert_eq!(refused.what, r"position 1 is '\u{202e}', wanted a digit");
    }

    #[test]
    fn text_that_ends_early_or_late_says_where() {
        let mut cursor = Cursor::new(Rule::Area, "123").unwrap();
        let refused = cursor.clone().digits(4).unwrap_err();
        assert!(refused.what.contains("ends after position 3"), "{refused}");
        assert_eq!(cursor.digits(2), Ok(12));
        assert!(cursor.end().unwrap_err().what.starts_with("position 3"));
        assert_eq!(cursor.number(1, "month", 3..=4), Ok(3));
        assert_eq!(cursor.end(), Ok(()));
    }

    #[test]
    fn what_is_longer_than_any_code_is_refused_unread() {
        assert_eq!(bounded(Rule::Area, &"字".repeat(21)), Ok(()));
        let refused = bounded(Rule::Area, &"字".repeat(22)).unwrap_err();
        assert_eq!(refused.what, "found 66 bytes, wanted at most 64");
    }
}
