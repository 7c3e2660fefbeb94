//! The temperature statement: the ledger's signed word of which readings belong
//! to a unit's stays, and the readings themselves as a bundle carries them.
//!
//! A signed note by the ledger's key, of which the text is
//!
//! ```text
//! trace/temperatures/v1
//! langfang.example/trace
//! 20852163
//! CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=
//! 1798765432100
//! 7XdP0d6vXoq0uS5bB2V6kP2n6yqjG9YwMZ8qE1nJt3c=
//! 0A1B2C3D4E5F6G7H8 1796000000000 1798765432100 2 17,20852160
//! ```
//!
//! origin, size and root as in a checkpoint; until when a stay that lasts was
//! judged; SHA-256 over the readings carried, or `left out` and how many there
//! are; then a line for each probe and time in ascending order: the probe, from
//! when until when (both in it), how many segments of it reach into that time,
//! and the indexes of their records in ascending order.
//!
//! What it is worth: a sealed reading is *proved* by its segment's record, which
//! binds it whatever this says. Readings that are not sealed yet, that a
//! segment's were taken away after their time, and that no other segment reaches
//! into a time are *stated*: a false statement is signed evidence against the
//! operator. It has at least six lines and the origin second, so it is never
//! taken for a checkpoint, as it is of [`completeness`](super::completeness).

use super::checkpoint::{Checkpoint, VerifiedCheckpoint};
use super::note::{Note, NoteSigner, VerifierKey, sign_note};
use crate::error::{Invalid, Rule, Verify};
use crate::ident::EquipmentId;
use crate::record::hash::Hasher;
use crate::record::keeping::Run;
use crate::record::{Hash, base64};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// Most probes and times of one statement: 32 stays under 128 probes each; with
/// a few indexes a line they are 300 KiB, within a note's 1 MiB.
pub const WINDOWS_MAX: usize = 4096;

const FIRST_LINE: &str = "trace/temperatures/v1\n";

const LEFT_OUT: &str = "left out ";

fn malformed(why: String) -> Verify {
    Verify::Malformed {
        what: "temperature statement",
        why,
    }
}

/// Readings of one probe as they lie in a store: one segment's, or such as are
/// not sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shelf {
    /// Whose.
    pub probe: EquipmentId,
    /// Which segment; none are not sealed.
    pub segment: Option<u64>,
    /// Their [`chunks`](super::readings::chunk), in order; of a segment none when
    /// its readings were taken away after their time.
    pub chunks: Vec<Vec<u8>>,
}

impl Shelf {
    /// Where it stands among others: by probe and number, the unsealed last.
    #[must_use]
    pub fn place(&self) -> (EquipmentId, u64) {
        (self.probe, self.segment.unwrap_or(u64::MAX))
    }
}

/// What a bundle carries of temperatures: a claim, until verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Temperatures {
    /// The signed statement.
    pub statement: String,
    /// The readings, in the order of their [`place`](Shelf::place).
    pub readings: Vec<Shelf>,
}

/// SHA-256 over readings as they are carried: for each shelf its probe, its
/// number or 2^64 - 1, how many chunks, and each with its length before it;
/// integers big-endian.
#[must_use]
pub fn digest(readings: &[Shelf]) -> Hash {
    let mut hasher = Hasher::default();
    hasher.update(FIRST_LINE.as_bytes());
    let length = |length: usize| u64::try_from(length).unwrap_or(u64::MAX).to_be_bytes();
    for shelf in readings {
        let (probe, number) = shelf.place();
        hasher.update(probe.as_bytes());
        hasher.update(&number.to_be_bytes());
        hasher.update(&length(shelf.chunks.len()));
        for chunk in &shelf.chunks {
            hasher.update(&length(chunk.len()));
            hasher.update(chunk);
        }
    }
    hasher.finish()
}

/// What becomes of the readings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carried {
    /// They are carried, and this is their [`digest`].
    Whole(Hash),
    /// They are more than a bundle carries: at least so many.
    LeftOut(u64),
}

/// What a temperature statement says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemperatureStatement {
    /// Under which root.
    pub checkpoint: Checkpoint,
    /// Until when a stay that lasts was judged, in ms.
    pub until_ms: u64,
    /// What becomes of the readings.
    pub carried: Carried,
    /// For each probe and time, the indexes of the records of all its segments
    /// that reach into it.
    pub windows: BTreeMap<(EquipmentId, u64, u64), BTreeSet<u64>>,
}

impl TemperatureStatement {
    /// The lines that are signed.
    #[must_use]
    pub fn text(&self) -> String {
        let carried = match &self.carried {
            Carried::Whole(digest) => base64::encode(digest.as_bytes()),
            Carried::LeftOut(readings) => format!("{LEFT_OUT}{readings}"),
        };
        let (checkpoint, until_ms) = (self.checkpoint.text(), self.until_ms);
        let mut text = format!("{FIRST_LINE}{checkpoint}{until_ms}\n{carried}\n");
        for ((probe, from_ms, until_ms), indexes) in &self.windows {
            let count = indexes.len();
            // Writing to a String cannot fail.
            let _ = write!(text, "{} {from_ms} {until_ms} {count}", probe.compact());
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
            .ok_or_else(|| malformed("the first line is not trace/temperatures/v1".to_owned()))?;
        let after = rest.match_indices('\n').nth(2).map(|(at, _)| at + 1);
        let (head, lines) = after
            .and_then(|after| rest.split_at_checked(after))
            .ok_or_else(|| malformed("no origin, size and root".to_owned()))?;
        let mut lines = lines.split_terminator('\n');
        let until_ms = lines.next().and_then(|line| line.parse().ok());
        let carried = lines.next().and_then(carried);
        let (Some(until_ms), Some(carried)) = (until_ms, carried) else {
            return Err(malformed("no time, or no hash of the readings".to_owned()));
        };
        let mut statement = Self {
            checkpoint: Checkpoint::parse_text(head)?,
            until_ms,
            carried,
            windows: BTreeMap::new(),
        };
        for line in lines {
            let (window, indexes) = window_line(line).ok_or_else(|| {
                malformed(format!(
                    "{line:?}, wanted probe, from, until, count, indexes"
                ))
            })?;
            statement.windows.insert(window, indexes);
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
    /// for too many times or an index beyond the size, `Rule::Note` when it
    /// grows too long for one.
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

    /// What the ledger stated of a probe and a time; none when nothing.
    #[must_use]
    pub fn segments(&self, probe: &EquipmentId, time: Run) -> Option<&BTreeSet<u64>> {
        self.windows.get(&(*probe, time.from_ms, time.until_ms))
    }

    fn fault(&self) -> Option<String> {
        let (windows, size) = (self.windows.len(), self.checkpoint.size);
        if windows > WINDOWS_MAX {
            return Some(format!("{windows} probes and times, at most {WINDOWS_MAX}"));
        }
        let mut highest = self.windows.values().filter_map(BTreeSet::last);
        let beyond = highest.find(|index| **index >= size)?;
        Some(format!("index {beyond} in size {size}"))
    }
}

fn carried(line: &str) -> Option<Carried> {
    if let Some(readings) = line.strip_prefix(LEFT_OUT) {
        return readings.parse().ok().map(Carried::LeftOut);
    }
    let bytes = <[u8; 32]>::try_from(base64::decode(line)?).ok()?;
    Some(Carried::Whole(Hash::from(bytes)))
}

type Window = ((EquipmentId, u64, u64), BTreeSet<u64>);

fn window_line(line: &str) -> Option<Window> {
    let mut parts = line.split(' ');
    let probe = EquipmentId::parse(parts.next()?).ok()?;
    let (from_ms, until_ms) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    let _count = parts.next()?;
    let mut indexes = BTreeSet::new();
    if let Some(list) = parts.next() {
        for index in list.split(',') {
            indexes.insert(index.parse().ok()?);
        }
    }
    let window = (probe, from_ms, until_ms);
    parts.next().is_none().then_some((window, indexes))
}

impl Temperatures {
    /// Reads and verifies the statement, which must be the ledger's own, about the
    /// log under `checkpoint`, and of exactly the readings here.
    ///
    /// # Errors
    /// `Verify::Malformed`, `Verify::Signature`, `Verify::WrongLedger`, and
    /// `Verify::Fork` for one size with two roots.
    pub fn open(
        &self,
        key: &VerifierKey,
        checkpoint: &VerifiedCheckpoint,
    ) -> Result<TemperatureStatement, Verify> {
        let parsed = Note::parse(&self.statement)?;
        let verified = parsed.verify_all_known(std::slice::from_ref(key))?;
        let statement = TemperatureStatement::parse_text(verified.text())?;
        let what = "temperature statement";
        statement
            .checkpoint
            .verify_same(checkpoint.checkpoint(), what)?;
        let found = digest(&self.readings);
        match statement.carried {
            Carried::Whole(stated) if stated != found => Err(malformed(format!(
                "the readings here have SHA-256 {found}, stated is {stated}: one was altered, \
                 added or left out"
            ))),
            Carried::LeftOut(_) if !self.readings.is_empty() => Err(malformed(
                "readings are here that are stated to be left out".to_owned(),
            )),
            _ => Ok(statement),
        }
    }
}

#[cfg(test)]
mod tests;
