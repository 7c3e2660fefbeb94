//! Errors, split by who must act: [`Invalid`] the caller, [`Verify`] the holder
//! of evidence, [`Store`] the operator of the machine.
//!
//! A refusal names the rule, the record and the numbers, and says what to do.
//! "Not there" is an `Option`, never an error.

mod rule;

pub use rule::Rule;

use std::path::PathBuf;

/// What a caller asked for cannot be admitted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {what}{}. {}", rule.code(), InRecord(.record), rule.remedy())]
pub struct Invalid {
    /// The rule that refused, with its stable code and what to do about it.
    pub rule: Rule,
    /// What was found and what was wanted, with the numbers.
    pub what: String,
    /// The hash of the record that stands against it, where there is one.
    pub record: Option<[u8; 32]>,
}

struct InRecord<'a>(&'a Option<[u8; 32]>);

impl std::fmt::Display for InRecord<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Some(hash) = self.0 else { return Ok(()) };
        f.write_str(" (record ")?;
        for byte in hash {
            write!(f, "{byte:02x}")?;
        }
        f.write_str(")")
    }
}

impl Invalid {
    /// A refusal by `rule`, with what was found and what was wanted.
    pub fn new(rule: Rule, what: impl Into<String>) -> Self {
        Self {
            rule,
            what: what.into(),
            record: None,
        }
    }

    /// The same refusal, naming the record that stands against it.
    #[must_use]
    pub fn against(mut self, record: [u8; 32]) -> Self {
        self.record = Some(record);
        self
    }
}

/// Evidence that does not prove what it claims. Nothing here can be mended by
/// trying again: the bytes are wrong, or they speak of another ledger.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Verify {
    /// The bytes are not of the form they should have.
    #[error("malformed {what}: {why}")]
    Malformed {
        /// What was being read, e.g. `"checkpoint"`.
        what: &'static str,
        /// What was found and what was wanted.
        why: String,
    },
    /// A signature does not verify under the key that it names.
    #[error("bad signature on {what}")]
    Signature {
        /// What was signed.
        what: String,
    },
    /// A Merkle proof does not lead to the root.
    #[error("proof does not lead to the root: {why}")]
    Proof {
        /// Which proof, and where it went wrong.
        why: String,
    },
    /// Sound by itself, but of another ledger or under another key.
    #[error("wrong ledger or key: found {found}, wanted {wanted}")]
    WrongLedger {
        /// Origin or key found.
        found: String,
        /// Origin or key wanted.
        wanted: String,
    },
    /// Two pieces of evidence that cannot both be true of one honest ledger.
    #[error("fork: {why}")]
    Fork {
        /// Which two, with sizes and roots.
        why: String,
    },
    /// The ledger is older than evidence that it signed itself.
    #[error("rollback: {why}")]
    Rollback {
        /// Sizes found and wanted.
        why: String,
    },
    /// Less is shown than the ledger itself says there is, or than the check
    /// needs; what is shown may be sound.
    #[error("incomplete: {why}")]
    Incomplete {
        /// What is left out, and what names it.
        why: String,
    },
    /// A record stands where the rules or the rights did not allow it.
    #[error("record {index} should not have been admitted: {why}")]
    Inadmissible {
        /// Index in the log.
        index: u64,
        /// The rule and the numbers.
        why: String,
    },
    /// Something is said that this verifier cannot read.
    #[error("cannot check: {why}")]
    CannotCheck {
        /// What is unknown.
        why: String,
    },
}

/// The machine failed: disk, engine, file. Fatal to the writer.
#[derive(Debug, thiserror::Error)]
pub enum Store {
    /// A system call failed.
    #[error("{what} {}: {source}", path.display())]
    Io {
        /// What was being done, e.g. `"sync"`.
        what: &'static str,
        /// On which file.
        path: PathBuf,
        /// The system's own word.
        source: std::io::Error,
    },
    /// The storage engine failed.
    #[error("{what}: {why}")]
    Engine {
        /// What was being done.
        what: &'static str,
        /// The engine's own word.
        why: String,
    },
    /// What is stored is not what was written.
    #[error("damaged: {what}")]
    Damaged {
        /// What, where, found and wanted.
        what: String,
    },
    /// The ledger may be read but not written; says why and what to do.
    #[error("read-only: {why}")]
    ReadOnly {
        /// Why, and what would make it writable again.
        why: String,
    },
    /// There is no ledger here, or there is one already.
    #[error("{}: {why}", path.display())]
    Place {
        /// The folder or file.
        path: PathBuf,
        /// What was found there.
        why: String,
    },
}

impl Store {
    /// An [`Io`](Store::Io) error, for use with `map_err`.
    pub fn io(what: &'static str, path: &std::path::Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::Io { what, path, source }
    }

    /// Whether there was no room on the disk, or none left for this user.
    #[must_use]
    pub fn is_without_room(&self) -> bool {
        use std::io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
        matches!(self, Self::Io { source, .. }
            if matches!(source.kind(), StorageFull | QuotaExceeded | FileTooLarge))
    }
}
