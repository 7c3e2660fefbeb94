//! Readings from files as loggers export them: CSV of many shapes.
//!
//! | file | what it is |
//! |---|---|
//! | `mapping` | what stands where: saved by equipment, checked before use |
//! | `instant`, `cell` | a time; a temperature, or a word that means no reading |
//! | `table` | a whole file, row by row, with what is wrong by row and column |
//! | `guess` | what a mapping may be, from the file's first rows |
//! | `shelf` | mappings saved beside the ledger |
//!
//! Pure but for `shelf`: no clock, no ledger. Whose probe it is, and storing, are
//! the caller's.

mod cell;
pub mod guess;
mod instant;
pub mod mapping;
pub mod shelf;
pub mod table;

pub use mapping::{Mapping, Plan};

/// The same sentence in both languages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// In English.
    pub english: String,
    /// In Chinese.
    pub chinese: String,
}

impl Said {
    /// Of two texts.
    pub fn new(english: impl Into<String>, chinese: impl Into<String>) -> Self {
        Self {
            english: english.into(),
            chinese: chinese.into(),
        }
    }

    /// The one in a language.
    #[must_use]
    pub fn of(&self, language: crate::language::Language) -> &str {
        language.of(&self.english, &self.chinese)
    }
}
