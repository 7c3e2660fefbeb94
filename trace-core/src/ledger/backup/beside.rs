//! What a backup holds beside the log: the rows of the readings' file as they were
//! at one moment, and every document that a record names.
//!
//! Readings are taken row by row out of a snapshot, for the file itself is
//! written all the while; what was drafted is settled when the restored store
//! opens, by what the restored log admitted. A document that no record names is
//! left out and counted: it is what an interrupted request left.

use super::{Hashed, RestoreFailed, io, malformed};
use crate::error::Store;
use crate::ledger::documents::{DOCUMENT_BYTES_MAX, DOCUMENTS, Documents};
use crate::ledger::readings::{READINGS_FILE, Readings, Rows};
use crate::ledger::{Failed, View};
use crate::record::Hash;
use crate::rules::EvidenceFacts;
use crate::store::disk::{Access, Disk, RealDisk, beside, remove_if_there, settle_name};
use crate::store::files;
use std::path::{Path, PathBuf};

/// What lies beside a log and is backed up with it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Beside<'a> {
    /// The readings, where the ledger keeps any.
    pub readings: Option<&'a Readings>,
    /// The documents, where the ledger keeps any.
    pub documents: Option<&'a Documents>,
}

/// How much of it a backup holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BesideCount {
    /// Rows of the readings' file.
    pub reading_rows: u64,
    /// Documents.
    pub documents: u64,
    /// Documents that were there but that no record names; they are left out. Known
    /// only to who makes the backup.
    pub unnamed: u64,
}

/// One thing beside the log, as a backup has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BesideRow {
    /// A row of the readings' file: which of its tables, key and value.
    Reading(u8, Vec<u8>, Vec<u8>),
    /// A document, under its hash.
    Document(Hash, Vec<u8>),
}

/// Marks what follows.
pub(super) const READING: u8 = 1;
pub(super) const DOCUMENT: u8 = 2;
pub(super) const END: u8 = 0;

/// Longest key and longest value of the readings' file: 30 bytes, and a chunk of
/// 2,048 readings of 12 bytes with as much again for what does not compress.
pub(super) const KEY_BYTES_MAX: usize = 64;
pub(super) const VALUE_BYTES_MAX: usize = 64 << 10;

pub(super) const DOCUMENT_MAX: usize = DOCUMENT_BYTES_MAX;

/// Writes what lies beside the log.
pub(super) fn write(
    out: &mut Hashed<'_>,
    view: &View,
    beside: Beside<'_>,
) -> Result<BesideCount, Store> {
    let mut count = BesideCount::default();
    if let Some(readings) = beside.readings {
        readings.visit_rows(|table, key, value| {
            out.put(&[READING, table])?;
            out.framed(key)?;
            out.framed(value)?;
            count.reading_rows += 1;
            Ok(())
        })?;
    }
    if let Some(documents) = beside.documents {
        for hash in documents.hashes()? {
            let named = view
                .folded()
                .document(&hash)
                .map_err(|failed| match failed {
                    Failed::Store(error) => error,
                    Failed::Invalid(why) => super::damaged(&why),
                })?;
            if named.is_none() {
                count.unnamed += 1;
                continue;
            }
            let Some(document) = documents.read(&hash)? else {
                continue; // destroyed meanwhile
            };
            out.put(&[DOCUMENT])?;
            out.put(hash.as_bytes())?;
            out.framed(&document.bytes)?;
            count.documents += 1;
        }
    }
    out.put(&[END])?;
    Ok(count)
}

/// What is restored beside a log, under temporary names until the seal held.
pub(super) struct Restoring {
    readings_path: PathBuf,
    readings: Option<Rows>,
    documents: PathBuf,
    restored: Vec<Hash>,
    count: BesideCount,
}

impl Restoring {
    /// Removes what a restoring that was cut off left.
    pub(super) fn begin(folder: &Path) -> Result<Self, Store> {
        let readings_path = folder.join(READINGS_FILE);
        let documents = folder.join(format!("{DOCUMENTS}.restoring"));
        let restoring = Self {
            readings_path,
            readings: None,
            documents,
            restored: Vec::new(),
            count: BesideCount::default(),
        };
        restoring.remove()?;
        Ok(restoring)
    }

    /// Keeps one thing. A document is held against its name.
    ///
    /// # Errors
    /// [`Store::Place`] when readings are in the folder already.
    pub(super) fn take(&mut self, row: BesideRow) -> Result<(), RestoreFailed> {
        match row {
            BesideRow::Reading(table, key, value) => {
                let rows = match &mut self.readings {
                    Some(rows) => rows,
                    none => none.insert(begin_readings(&self.readings_path)?),
                };
                if !rows.put(table, &key, &value)? {
                    return Err(malformed(format!("a row of readings' table {table}")).into());
                }
                self.count.reading_rows += 1;
            }
            BesideRow::Document(hash, bytes) => {
                let found = Hash::of(&[&bytes]);
                if found != hash {
                    let why = format!("document {hash}: its bytes hash to {found}");
                    return Err(malformed(why).into());
                }
                RealDisk
                    .make_folder(&self.documents)
                    .map_err(Store::io("make the folder", &self.documents))?;
                let path = self.documents.join(hash.to_string());
                files::replace(&RealDisk, &path, &bytes, Access::Ordinary)?;
                self.restored.push(hash);
                self.count.documents += 1;
            }
        }
        Ok(())
    }

    /// Gives everything its name, documents first: only the log's name makes a
    /// ledger of the folder, and that comes last.
    pub(super) fn settle(mut self, folder: &Path) -> Result<BesideCount, Store> {
        let documents = folder.join(DOCUMENTS);
        if !self.restored.is_empty() {
            RealDisk
                .make_folder(&documents)
                .map_err(Store::io("make the folder", &documents))?;
        }
        for hash in std::mem::take(&mut self.restored) {
            let name = hash.to_string();
            settle_name(
                &RealDisk,
                &self.documents.join(&name),
                &documents.join(&name),
            )?;
        }
        if let Some(rows) = self.readings.take() {
            rows.close()?;
            settle_name(
                &RealDisk,
                &beside(&self.readings_path, ".restoring"),
                &self.readings_path,
            )?;
        }
        self.remove()?;
        Ok(self.count)
    }

    /// Takes away what has no name of its own.
    pub(super) fn remove(&self) -> Result<(), Store> {
        remove_if_there(&RealDisk, &beside(&self.readings_path, ".restoring"))?;
        match std::fs::remove_dir_all(&self.documents) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(io("remove the folder of documents")(error))
            }
            _ => Ok(()),
        }
    }

    /// Drops the open file first, so that it can be taken away.
    pub(super) fn give_up(mut self) {
        self.readings = None;
        // What is left is removed by the next restoring at the latest.
        drop(self.remove());
    }
}

fn begin_readings(path: &Path) -> Result<Rows, Store> {
    if path.symlink_metadata().is_ok() {
        return Err(Store::Place {
            path: path.into(),
            why: "readings are here already; restoring never replaces any: move them away".into(),
        });
    }
    Rows::create(&beside(path, ".restoring"))
}
