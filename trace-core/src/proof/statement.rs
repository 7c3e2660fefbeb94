//! What the ledger's signed statements have in common: a first line that names
//! the sort, origin, size and root as in a checkpoint, lines with lists of
//! indexes below that size, and one text for each statement.
//!
//! Not here: what a statement says.

use super::checkpoint::Checkpoint;
use super::note::{NoteSigner, sign_note};
use crate::error::{Invalid, Rule, Verify};
use std::collections::BTreeSet;
use std::fmt::Write;
use std::str::{Split, SplitTerminator};

/// A sort of statement.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sort {
    /// What it is called where it is refused.
    pub name: &'static str,
    /// The first line, with its end.
    pub first_line: &'static str,
}

impl Sort {
    /// That a text is none of this sort.
    pub fn malformed(self, why: impl Into<String>) -> Verify {
        Verify::Malformed {
            what: self.name,
            why: why.into(),
        }
    }

    /// The checkpoint that a text is about, and the lines behind it.
    ///
    /// # Errors
    /// `Verify::Malformed`.
    pub fn parse(self, text: &str) -> Result<(Checkpoint, SplitTerminator<'_, char>), Verify> {
        let rest = text.strip_prefix(self.first_line).ok_or_else(|| {
            let wanted = self.first_line.trim_end();
            self.malformed(format!("the first line is not {wanted}"))
        })?;
        let after = rest.match_indices('\n').nth(2).map(|(at, _)| at + 1);
        let (head, lines) = after
            .and_then(|after| rest.split_at_checked(after))
            .ok_or_else(|| self.malformed("no origin, size and root"))?;
        Ok((Checkpoint::parse_text(head)?, lines.split_terminator('\n')))
    }

    /// Holds what was read loosely (order, counts, digits) to its one text.
    ///
    /// # Errors
    /// `Verify::Malformed`.
    pub fn check_spelling(self, read: &str, written: &str) -> Result<(), Verify> {
        match read == written {
            true => Ok(()),
            false => {
                Err(self
                    .malformed("not in its one spelling: sorted, distinct, counted, plain numbers"))
            }
        }
    }
}

/// Signs a statement's text as the ledger: the note.
///
/// # Errors
/// `Rule::Origin` when the signer's name is not the origin, `Rule::Range` for
/// the statement's own fault, `Rule::Note` when it grows too long for one.
pub(super) fn sign(
    checkpoint: &Checkpoint,
    fault: Option<String>,
    text: &str,
    signer: &NoteSigner,
) -> Result<String, Invalid> {
    let name = signer.verifier_key().name();
    if name != checkpoint.origin.as_str() {
        let what = format!("statement about {}, signer {name}", checkpoint.origin);
        return Err(Invalid::new(Rule::Origin, what));
    }
    match fault {
        Some(fault) => Err(Invalid::new(Rule::Range, fault)),
        None => sign_note(text, &[signer]),
    }
}

/// Writes how many indexes there are, and which, behind what a line names.
pub(super) fn write_indexes(text: &mut String, indexes: &BTreeSet<u64>) {
    // Writing to a String cannot fail.
    let _ = write!(text, " {}", indexes.len());
    for (place, index) in indexes.iter().enumerate() {
        let sign = if place == 0 { ' ' } else { ',' };
        let _ = write!(text, "{sign}{index}");
    }
    text.push('\n');
}

/// Reads them from the rest of a line; the count is held to the one spelling.
pub(super) fn read_indexes(mut parts: Split<'_, char>) -> Option<BTreeSet<u64>> {
    let _count = parts.next()?;
    let mut indexes = BTreeSet::new();
    if let Some(list) = parts.next() {
        for index in list.split(',') {
            indexes.insert(index.parse().ok()?);
        }
    }
    parts.next().is_none().then_some(indexes)
}

/// An index that the log of this size does not have.
pub(super) fn index_beyond<'a>(
    mut all: impl Iterator<Item = &'a BTreeSet<u64>>,
    size: u64,
) -> Option<String> {
    let beyond = all.find_map(|indexes| indexes.last().filter(|index| **index >= size))?;
    Some(format!("index {beyond} in size {size}"))
}
