//! Trade and personal sections: what is bound by a record without standing in it.
//!
//! The signed bytes hold `SHA-256("trace/section/v1\n" ‖ salt(16) ‖ section)`;
//! the [`Opening`] (salt and section bytes) lies beside the log, trade openings
//! in the annex, personal ones encrypted in the vault. With the salt destroyed
//! the commitment says nothing about the section, and every proof still holds.

use super::encode;
use super::hash::Hash;
use super::text;
use crate::error::{Invalid, Rule};
use postcard_schema::Schema;
use serde::{Deserialize, Serialize};

/// Largest section: a trade section is a handful of short texts; 4 KiB leaves
/// room for a list of 64 certificate numbers.
pub const SECTION_BYTES_MAX: usize = 4096;

/// Most persons named by one record: a signer, a contact, a driver, a witness.
pub const PERSONS_MAX: usize = 4;

/// A section with the salt that opens its commitment.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opening {
    /// 16 random bytes, fresh for every section.
    pub salt: [u8; 16],
    /// The section's canonical bytes.
    pub bytes: Vec<u8>,
}

impl Opening {
    /// Seals a section under a fresh salt.
    #[must_use]
    pub fn new<T: Serialize>(salt: [u8; 16], section: &T) -> Self {
        Self {
            salt,
            bytes: encode::encode(section),
        }
    }

    /// The commitment that a record's body holds.
    #[must_use]
    pub fn commitment(&self) -> Hash {
        Hash::of(&[b"trace/section/v1\n", &self.salt, &self.bytes])
    }

    /// Checks this opening against the commitment in a record.
    ///
    /// # Errors
    /// [`Rule::Section`] when it opens another one, or is too long.
    pub fn check(&self, what: &str, commitment: &Hash) -> Result<(), Invalid> {
        if self.bytes.len() > SECTION_BYTES_MAX {
            let found = self.bytes.len();
            return refuse(format!(
                "{what} section of {found} bytes, at most {SECTION_BYTES_MAX}"
            ));
        }
        let found = self.commitment();
        if found != *commitment {
            return refuse(format!(
                "{what} section opens {found}, the record holds {commitment}"
            ));
        }
        Ok(())
    }
}

impl std::fmt::Debug for Opening {
    /// Never shows a section's content: openings must not reach a log line.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Opening({} bytes)", self.bytes.len())
    }
}

/// A natural person as a record names one: the personal section.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Schema)]
#[serde(deny_unknown_fields)]
pub struct Person {
    /// Name, 1 to 50 characters.
    pub name: String,
    /// Telephone number as dialled, 5 to 20 characters.
    pub phone: Option<String>,
    /// Identity document number, up to 30 characters.
    pub identity_number: Option<String>,
}

impl Person {
    /// Checks the texts.
    ///
    /// # Errors
    /// [`Rule::Text`] naming the field, never its content.
    pub fn check(&self) -> Result<(), Invalid> {
        text::check("name", &self.name, 1, 50)?;
        if let Some(phone) = &self.phone {
            text::check("phone", phone, 5, 20)?;
        }
        text::check_option("identity_number", self.identity_number.as_deref(), 30)
    }

    /// The name with all but its first character hidden.
    #[must_use]
    pub fn masked_name(&self) -> String {
        let hidden = self.name.chars().count().saturating_sub(1);
        self.name
            .chars()
            .take(1)
            .chain(std::iter::repeat_n('*', hidden.max(1)))
            .collect()
    }

    /// The phone with its middle digits hidden, as consumers see it while it
    /// exists: `138****0000`.
    #[must_use]
    pub fn masked_phone(&self) -> Option<String> {
        let phone: Vec<char> = self.phone.as_ref()?.chars().collect();
        let (head, tail) = if phone.len() >= 9 { (3, 4) } else { (1, 1) };
        let hidden = phone.len().saturating_sub(head + tail);
        let shown_head = phone.iter().take(head);
        let shown_tail = phone.iter().skip(head + hidden);
        Some(
            shown_head
                .copied()
                .chain(std::iter::repeat_n('*', hidden))
                .chain(shown_tail.copied())
                .collect(),
        )
    }
}

impl std::fmt::Debug for Person {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Person(..)")
    }
}

/// The openings that travel with a record.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Openings {
    /// The trade section, where the kind has one.
    pub trade: Option<Opening>,
    /// One personal section for each person that the body names, in its order.
    pub persons: Vec<Opening>,
}

/// Refuses with [`Rule::Section`].
pub(crate) fn refuse<T>(what: String) -> Result<T, Invalid> {
    Err(Invalid::new(Rule::Section, what))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person() -> Person {
        Person {
            name: "甲".into(),
            phone: Some("13800000000".into()),
            identity_number: None,
        }
    }

    #[test]
    fn an_opening_opens_its_own_commitment_and_no_other() {
        let opening = Opening::new([7; 16], &person());
        assert_eq!(opening.check("person", &opening.commitment()), Ok(()));
        let other = Opening::new([8; 16], &person());
        assert!(other.check("person", &opening.commitment()).is_err());
        let long = Opening {
            salt: [0; 16],
            bytes: vec![0; SECTION_BYTES_MAX + 1],
        };
        assert!(long.check("person", &long.commitment()).is_err());
    }

    #[test]
    fn phones_are_masked_and_persons_never_printed() {
        assert_eq!(person().masked_phone().as_deref(), Some("138****0000"));
        let short = Person {
            phone: Some("62015".into()),
            ..person()
        };
        assert_eq!(short.masked_phone().as_deref(), Some("6***5"));
        assert!(!format!("{:?}", person()).contains('甲'));
    }
}
