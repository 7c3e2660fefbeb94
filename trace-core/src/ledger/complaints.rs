//! Complaints and reports 投诉举报, beside the log: what somebody wrote, for the
//! inspectors of an area, of which the log holds a commitment.
//!
//! A complaint is durable when it is taken; that the log has its commitment is
//! noted afterwards, and what has none yet is found again
//! ([`unrecorded`](Complaints::unrecorded)). The commitment is SHA-256(
//! `trace/complaint/v1\n` ‖ salt ‖ the complaint's canonical bytes). Erasing
//! deletes text, contact and salt, and leaves the commitment.
//!
//! Not here: who may read them, how many one person may send, and any clock.

use crate::error::{Invalid, Store};
use crate::ident::TraceCode;
use crate::record::wire::AreaCode;
use crate::record::{Hash, encode, text};
use crate::store::redb::Database;
use crate::store::table::{Direction, SequenceTable, Tables};
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// The file's name in a ledger's folder.
pub const COMPLAINTS_FILE: &str = "complaints.redb";

/// Characters of a complaint: a word says nothing that anybody could look into.
pub const TEXT_LENGTH_MIN: usize = 5;
/// A page of handwriting.
pub const TEXT_LENGTH_MAX: usize = 1_000;
/// Characters of a name with a telephone number or an address.
pub const CONTACT_LENGTH_MAX: usize = 80;

const COMPLAINTS: SequenceTable = SequenceTable("complaints");
/// Numbers of those whose commitment the log does not have yet.
const UNRECORDED: SequenceTable = SequenceTable("unrecorded");
const TABLES: Tables = Tables {
    sequences: &[COMPLAINTS, UNRECORDED],
    ordered: &[],
};

/// Of the engine's pages: complaints are few and read seldom.
const CACHE_BYTES: usize = 1 << 20;

/// Rows looked through for one page.
const LOOKED_MAX: usize = 4_096;

/// What somebody wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Complaint {
    /// When it came.
    pub at_ms: u64,
    /// Whose inspectors see it.
    pub area: AreaCode,
    /// About which unit, where it is about one.
    pub about: Option<TraceCode>,
    /// What is wrong, in lines.
    pub text: String,
    /// How to reach whoever wrote it, where they want to be reached.
    pub contact: Option<String>,
}

impl Complaint {
    /// Checks the texts: of each line, and of all in all.
    ///
    /// # Errors
    /// [`Rule::Text`](crate::error::Rule::Text) naming the field and the lengths or
    /// the character.
    pub fn check(&self) -> Result<(), Invalid> {
        text::check_option("contact", self.contact.as_deref(), CONTACT_LENGTH_MAX)?;
        for line in self.text.split('\n') {
            text::check("text", line, 0, TEXT_LENGTH_MAX)?;
        }
        let without: String = self.text.split('\n').collect();
        text::check("text", &without, TEXT_LENGTH_MIN, TEXT_LENGTH_MAX)
    }

    /// The commitment with a salt.
    #[must_use]
    pub fn commitment(&self, salt: &[u8; 16]) -> Hash {
        Hash::of(&[b"trace/complaint/v1\n", salt, &encode::encode(self)])
    }
}

/// A complaint as it lies here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// Whose inspectors see it.
    pub area: AreaCode,
    /// The commitment.
    pub commitment: Hash,
    /// Where on the log, once it is there.
    pub index: Option<u64>,
    /// What it says, until it is erased.
    pub said: Option<Said>,
}

/// What opens the commitment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    /// The salt.
    pub salt: [u8; 16],
    /// The complaint.
    pub complaint: Complaint,
}

/// A page of complaints.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Page {
    /// With their numbers.
    pub complaints: Vec<(u64, Kept)>,
    /// Go on before this number, where there may be more.
    pub next_before: Option<u64>,
}

/// The store.
#[derive(Debug)]
pub struct Complaints {
    database: Database,
    /// Whoever gives a number.
    numbering: Mutex<()>,
}

impl Complaints {
    /// Opens the store, or makes an empty one where there is none.
    ///
    /// # Errors
    /// [`Store`].
    pub fn open(path: &Path) -> Result<Self, Store> {
        Ok(Self {
            database: Database::open_or_create(path, TABLES, CACHE_BYTES)?,
            numbering: Mutex::default(),
        })
    }

    /// Takes a complaint; it is durable when this returns. Its number, from 1, and
    /// its commitment.
    ///
    /// # Errors
    /// As of [`Complaint::check`]; [`Store`].
    pub fn take(&self, complaint: Complaint, salt: [u8; 16]) -> Result<(u64, Hash), super::Failed> {
        complaint.check()?;
        let commitment = complaint.commitment(&salt);
        let kept = Kept {
            area: complaint.area,
            commitment,
            index: None,
            said: Some(Said { salt, complaint }),
        };
        let bytes = encode::encode(&kept);
        // It guards nothing that could be half done.
        let _numbering = self
            .numbering
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let last = self.database.snapshot()?.last(COMPLAINTS)?;
        let number = last.map_or(1, |last| last.key().saturating_add(1));
        self.database.write(|batch| {
            batch.put(UNRECORDED, number, &[])?;
            batch.put(COMPLAINTS, number, &bytes)
        })?;
        Ok((number, commitment))
    }

    /// Notes where on the log a complaint's commitment stands.
    ///
    /// # Errors
    /// [`Store`].
    pub fn recorded(&self, number: u64, index: u64) -> Result<(), Store> {
        self.change(number, |kept| kept.index = Some(index))
    }

    /// Erases what a complaint says; whether there was anything to erase.
    ///
    /// # Errors
    /// [`Store`].
    pub fn erase(&self, number: u64) -> Result<bool, Store> {
        let mut was_there = false;
        self.change(number, |kept| was_there = kept.said.take().is_some())?;
        Ok(was_there)
    }

    fn change(&self, number: u64, change: impl FnOnce(&mut Kept)) -> Result<(), Store> {
        self.database.write(|batch| {
            let Some(bytes) = batch.get(COMPLAINTS, number)? else {
                return Ok(());
            };
            let mut kept = read(number, &bytes)?;
            change(&mut kept);
            if kept.index.is_some() {
                batch.delete(UNRECORDED, number)?;
            }
            batch.put(COMPLAINTS, number, &encode::encode(&kept))
        })
    }

    /// One complaint.
    ///
    /// # Errors
    /// [`Store`]; [`Store::Damaged`] when it is not what was committed to.
    pub fn get(&self, number: u64) -> Result<Option<Kept>, Store> {
        let bytes = self.database.snapshot()?.get(COMPLAINTS, number)?;
        bytes.map(|bytes| read(number, &bytes)).transpose()
    }

    /// Those that somebody sees, newest first, before a number.
    ///
    /// # Errors
    /// As of [`get`](Self::get).
    pub fn page(
        &self,
        before: u64,
        limit: usize,
        sees: impl Fn(AreaCode) -> bool,
    ) -> Result<Page, Store> {
        let snapshot = self.database.snapshot()?;
        let mut rows = snapshot.rows(COMPLAINTS, 0..before, Direction::Reverse)?;
        let mut page = Page::default();
        let mut looked = 0;
        while let Some(row) = rows.next_row()? {
            let number = row.key();
            if page.complaints.len() >= limit || looked >= LOOKED_MAX {
                page.next_before = Some(number.saturating_add(1));
                break;
            }
            looked += 1;
            let kept = read(number, row.value())?;
            if sees(kept.area) {
                page.complaints.push((number, kept));
            }
        }
        Ok(page)
    }

    /// Those whose commitment the log does not have yet, oldest first.
    ///
    /// # Errors
    /// As of [`get`](Self::get).
    pub fn unrecorded(&self, limit: usize) -> Result<Vec<(u64, Kept)>, Store> {
        let snapshot = self.database.snapshot()?;
        let mut rows = snapshot.rows(UNRECORDED, .., Direction::Forward)?;
        let mut found = Vec::new();
        while found.len() < limit
            && let Some(row) = rows.next_row()?
        {
            found.extend(self.get(row.key())?.map(|kept| (row.key(), kept)));
        }
        Ok(found)
    }
}

/// A row, held against its commitment.
fn read(number: u64, bytes: &[u8]) -> Result<Kept, Store> {
    let damaged = |why: String| Store::Damaged {
        what: format!("complaint {number}: {why}"),
    };
    let kept: Kept = encode::decode("complaint", bytes).map_err(|invalid| damaged(invalid.what))?;
    if let Some(said) = &kept.said {
        let made = said.complaint.commitment(&said.salt);
        if made != kept.commitment || said.complaint.area != kept.area {
            let why = format!("it leads to {made}, committed to was {}", kept.commitment);
            return Err(damaged(why));
        }
    }
    Ok(kept)
}

#[cfg(test)]
mod tests;
