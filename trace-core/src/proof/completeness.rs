//! The completeness statement: the ledger's signed word that, under one root,
//! these are all the records about certain subjects.
//!
//! A signed note by the ledger's key, of which the text is
//!
//! ```text
//! trace/complete/v1
//! langfang.example/trace
//! 20852163
//! CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=
//! 0f3a…(64 hexadecimal digits) 3 17,1024,20852160
//! 9c41… 0
//! ```
//!
//! origin, size and root as in a checkpoint, then a line for each subject id in
//! ascending order: the id, how many records, and their indexes in ascending
//! order.
//!
//! What it is worth: that a record is *present* is proved by its inclusion;
//! that no other is there is *stated* by the operator. A false statement is
//! signed evidence against it: replaying the log up to that root shows the
//! record that was left out.
//!
//! No completeness statement is a checkpoint and no checkpoint one of these,
//! although one key signs both: a checkpoint of this ledger has three lines, a
//! statement at least five. A reader that takes C2SP's extension lines wants a
//! decimal size second and 32 bytes of base 64 third; here stand the origin and
//! a number of at most twenty digits.

use super::checkpoint::{Checkpoint, VerifiedCheckpoint};
use super::note::{Note, NoteSigner, VerifierKey};
use super::statement::{self, Sort, index_beyond, read_indexes, write_indexes};
use crate::error::{Invalid, Verify};
use crate::record::{Hash, SubjectId};
use std::collections::{BTreeMap, BTreeSet};

/// Most subjects of one statement: 4,096 lines of 64 digits, a count and a few
/// indexes are some 400 KiB, within a note's 1 MiB.
pub const STATED_SUBJECTS_MAX: usize = 4096;

const SORT: Sort = Sort {
    name: "completeness statement",
    first_line: "trace/complete/v1\n",
};

/// What a completeness statement says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completeness {
    /// Under which root.
    pub checkpoint: Checkpoint,
    /// For each subject the indexes of all records about it; none is said too.
    pub subjects: BTreeMap<SubjectId, BTreeSet<u64>>,
}

impl Completeness {
    /// The lines that are signed.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = format!("{}{}", SORT.first_line, self.checkpoint.text());
        for (subject, indexes) in &self.subjects {
            text.push_str(&subject.0.to_string());
            write_indexes(&mut text, indexes);
        }
        text
    }

    /// Reads the lines; there is one text for each statement.
    ///
    /// # Errors
    /// `Verify::Malformed` for anything else.
    pub fn parse_text(text: &str) -> Result<Self, Verify> {
        let (checkpoint, lines) = SORT.parse(text)?;
        let mut statement = Self {
            checkpoint,
            subjects: BTreeMap::new(),
        };
        for line in lines {
            let (subject, indexes) = subject_line(line).ok_or_else(|| {
                SORT.malformed(format!("{line:?}, wanted subject, count, indexes"))
            })?;
            statement.subjects.insert(subject, indexes);
        }
        if let Some(fault) = statement.fault() {
            return Err(SORT.malformed(fault));
        }
        SORT.check_spelling(text, &statement.text())?;
        Ok(statement)
    }

    /// Signs it as the ledger: the note.
    ///
    /// # Errors
    /// `Rule::Origin` when the signer's name is not the origin, `Rule::Range`
    /// for no subject, too many, or an index beyond the size, `Rule::Note` when
    /// it grows too long for one.
    pub fn sign(&self, signer: &NoteSigner) -> Result<String, Invalid> {
        statement::sign(&self.checkpoint, self.fault(), &self.text(), signer)
    }

    /// Reads and verifies a statement that carries the ledger's signature and
    /// no other.
    ///
    /// # Errors
    /// `Verify::Malformed`, `Verify::Signature`, or `Verify::WrongLedger` when
    /// another key signed it, or its origin is not the key's name.
    pub fn open(note: &str, key: &VerifierKey) -> Result<VerifiedCompleteness, Verify> {
        let parsed = Note::parse(note)?;
        let verified = parsed.verify_all_known(std::slice::from_ref(key))?;
        let statement = Self::parse_text(verified.text())?;
        let origin = &statement.checkpoint.origin;
        if origin.as_str() != key.name() {
            return Err(Verify::WrongLedger {
                found: origin.to_string(),
                wanted: key.name().to_owned(),
            });
        }
        Ok(VerifiedCompleteness { statement })
    }

    fn fault(&self) -> Option<String> {
        let (subjects, size) = (self.subjects.len(), self.checkpoint.size);
        if subjects == 0 || subjects > STATED_SUBJECTS_MAX {
            return Some(format!(
                "{subjects} subjects, wanted 1 to {STATED_SUBJECTS_MAX}"
            ));
        }
        index_beyond(self.subjects.values(), size)
    }
}

fn subject_line(line: &str) -> Option<(SubjectId, BTreeSet<u64>)> {
    let mut parts = line.split(' ');
    let subject = SubjectId(Hash::from_hex(parts.next()?)?);
    Some((subject, read_indexes(parts)?))
}

/// A statement whose signature was verified; only the verifier makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedCompleteness {
    statement: Completeness,
}

impl VerifiedCompleteness {
    /// What it says.
    #[must_use]
    pub fn statement(&self) -> &Completeness {
        &self.statement
    }

    /// All records about a subject; `None` when it says nothing of it.
    #[must_use]
    pub fn indexes(&self, subject: &SubjectId) -> Option<&BTreeSet<u64>> {
        self.statement.subjects.get(subject)
    }

    /// Checks that it speaks of the same log as `checkpoint`, at the same size.
    ///
    /// # Errors
    /// `Verify::WrongLedger` for another origin, `Verify::Malformed` for another
    /// size, and `Verify::Fork` for one size with two roots, which is proof
    /// against the ledger that signed both.
    pub fn verify_of(&self, checkpoint: &VerifiedCheckpoint) -> Result<(), Verify> {
        let own = &self.statement.checkpoint;
        own.verify_same(checkpoint.checkpoint(), "completeness statement")
    }
}

#[cfg(test)]
mod tests;
