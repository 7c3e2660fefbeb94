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
use super::note::{Note, NoteSigner, VerifierKey, sign_note};
use crate::error::{Invalid, Rule, Verify};
use crate::record::{Hash, SubjectId};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// Most subjects of one statement: 4,096 lines of 64 digits, a count and a few
/// indexes are some 400 KiB, within a note's 1 MiB.
pub const STATED_SUBJECTS_MAX: usize = 4096;

const FIRST_LINE: &str = "trace/complete/v1\n";

fn malformed(why: String) -> Verify {
    Verify::Malformed {
        what: "completeness statement",
        why,
    }
}

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
        let mut text = format!("{FIRST_LINE}{}", self.checkpoint.text());
        for (subject, indexes) in &self.subjects {
            // Writing to a String cannot fail.
            let _ = write!(text, "{} {}", subject.0, indexes.len());
            for (place, index) in indexes.iter().enumerate() {
                let sign = if place == 0 { ' ' } else { ',' };
                let _ = write!(text, "{sign}{index}");
            }
            text.push('\n');
        }
        text
    }

    /// Reads the lines; there is one text for each statement.
    ///
    /// # Errors
    /// `Verify::Malformed` for anything else.
    pub fn parse_text(text: &str) -> Result<Self, Verify> {
        let rest = text
            .strip_prefix(FIRST_LINE)
            .ok_or_else(|| malformed("the first line is not trace/complete/v1".to_owned()))?;
        let after = rest.match_indices('\n').nth(2).map(|(at, _)| at + 1);
        let (head, lines) = after
            .and_then(|after| rest.split_at_checked(after))
            .ok_or_else(|| malformed("no origin, size and root".to_owned()))?;
        let mut statement = Self {
            checkpoint: Checkpoint::parse_text(head)?,
            subjects: BTreeMap::new(),
        };
        for line in lines.split_terminator('\n') {
            let (subject, indexes) = subject_line(line)
                .ok_or_else(|| malformed(format!("{line:?}, wanted subject, count, indexes")))?;
            statement.subjects.insert(subject, indexes);
        }
        if let Some(fault) = statement.fault() {
            return Err(malformed(fault));
        }
        // What was read loosely (order, counts, digits) is held to its one text.
        match statement.text() == text {
            true => Ok(statement),
            false => Err(malformed(
                "not in its one spelling: sorted, distinct, counted, plain numbers".to_owned(),
            )),
        }
    }

    /// Signs it as the ledger: the note.
    ///
    /// # Errors
    /// `Rule::Origin` when the signer's name is not the origin, `Rule::Range`
    /// for no subject, too many, or an index beyond the size, `Rule::Note` when
    /// it grows too long for one.
    pub fn sign(&self, signer: &NoteSigner) -> Result<String, Invalid> {
        let name = signer.verifier_key().name();
        if name != self.checkpoint.origin.as_str() {
            let what = format!("statement about {}, signer {name}", self.checkpoint.origin);
            return Err(Invalid::new(Rule::Origin, what));
        }
        if let Some(fault) = self.fault() {
            return Err(Invalid::new(Rule::Range, fault));
        }
        sign_note(&self.text(), &[signer])
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
        let mut highest = self.subjects.values().filter_map(BTreeSet::last);
        let beyond = highest.find(|index| **index >= size)?;
        Some(format!("index {beyond} in size {size}"))
    }
}

fn subject_line(line: &str) -> Option<(SubjectId, BTreeSet<u64>)> {
    let mut parts = line.split(' ');
    let subject = SubjectId(Hash::from_hex(parts.next()?)?);
    let _count = parts.next()?;
    let mut indexes = BTreeSet::new();
    if let Some(list) = parts.next() {
        for index in list.split(',') {
            indexes.insert(index.parse().ok()?);
        }
    }
    parts.next().is_none().then_some((subject, indexes))
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
