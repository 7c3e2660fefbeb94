//! Text in a record: Unicode NFC, no control characters, nothing that changes
//! direction, invisible or unassigned, and never longer than declared.
//!
//! The Unicode tables are those of the pinned crate `unicode-normalization`;
//! they belong to rule set 1 and change only with a new rule set.

use crate::error::{Invalid, Rule};
use unicode_normalization::UnicodeNormalization;

/// Checks `text` for a field that takes `min..=max` characters.
///
/// # Errors
/// [`Rule::Text`] naming the field, and the character or the two lengths.
pub fn check(field: &str, text: &str, min: usize, max: usize) -> Result<(), Invalid> {
    // A character is at most four bytes: this bounds the work on hostile input.
    if text.len() > max.saturating_mul(4) {
        return refuse(
            field,
            format!("{} bytes for at most {max} characters", text.len()),
        );
    }
    let length = text.chars().count();
    if length < min || length > max {
        return refuse(
            field,
            format!("{length} characters where {min} to {max} are allowed"),
        );
    }
    for (place, character) in text.chars().enumerate() {
        if is_forbidden(character) {
            let place = place + 1;
            let code = u32::from(character);
            return refuse(
                field,
                format!("character {place} is U+{code:04X}, which is not plain text"),
            );
        }
    }
    if text.starts_with(char::is_whitespace) || text.ends_with(char::is_whitespace) {
        return refuse(field, "starts or ends with a space".into());
    }
    if !text.nfc().eq(text.chars()) {
        return refuse(field, "not in Unicode normal form C".into());
    }
    Ok(())
}

/// The same for a field that may be absent.
///
/// # Errors
/// As [`check`].
pub fn check_option(field: &str, text: Option<&str>, max: usize) -> Result<(), Invalid> {
    text.map_or(Ok(()), |text| check(field, text, 1, max))
}

/// Brings what a person typed into the form a record demands: NFC, trimmed.
#[must_use]
pub fn normalise(text: &str) -> String {
    text.trim().nfc().collect()
}

fn refuse(field: &str, why: String) -> Result<(), Invalid> {
    Err(Invalid::new(Rule::Text, format!("{field}: {why}")))
}

/// Control, direction, invisible and noncharacter code points. Bidirectional
/// controls: Unicode Standard Annex 9; zero-width and tag characters: UTS 39.
fn is_forbidden(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}'
            | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}'
            | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFF}' | '\u{E000}'..='\u{F8FF}'
            | '\u{FDD0}'..='\u{FDEF}' | '\u{E0000}'..='\u{10FFFF}')
        || (u32::from(character) & 0xFFFE) == 0xFFFE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_as_people_write_them_are_taken() {
        for text in ["韭菜", "Beef, chilled (前腿)", "é", "5 公斤装"] {
            assert_eq!(check("t", text, 1, 20), Ok(()), "{text}");
        }
    }

    #[test]
    fn hidden_and_disordered_text_is_refused() {
        for text in [
            "",
            " a",
            "a ",
            "a\nb",
            "a\u{202E}b",
            "a\u{200B}b",
            "e\u{301}",
            "\u{FEFF}a",
            "a\u{E0041}",
        ] {
            assert!(check("t", text, 1, 20).is_err(), "{text:?}");
        }
        assert!(check("t", &"长".repeat(21), 1, 20).is_err());
        assert_eq!(check("t", &normalise(" e\u{301} "), 1, 20), Ok(()));
    }
}
