//! Reading a backup: row by row, in bounded memory. Rows come before the seal
//! that vouches for them, so nothing may be kept of what they say until the
//! reader has given its last one and the seal with it.

use super::beside::{DOCUMENT, DOCUMENT_MAX, END, KEY_BYTES_MAX, READING, VALUE_BYTES_MAX};
use super::{BesideCount, BesideRow, MAGIC, MAGIC_BESIDE, RestoreFailed, Sealed, io, malformed};
use crate::error::Verify;
use crate::proof::merkle::{Frontier, leaf_hash};
use crate::proof::note::{Note, VerifierKey};
use crate::record::hash::Hasher;
use crate::record::layout::ENTRY_BYTES_MAX;
use crate::record::section::SECTION_BYTES_MAX;
use crate::record::{Hash, Origin};
use std::io::Read;

/// A section with what encloses it: salt (16), length (3), nonce (12), tag (16).
const SEALED_BYTES_MAX: usize = SECTION_BYTES_MAX + 64;

/// A request: entity, hash, count and an `Idempotency-Key` of what a header holds.
const REQUEST_BYTES_MAX: usize = 1024;

/// The seal's note: five lines of 15, 64, 20, 44 and 44 characters and one signature.
const NOTE_BYTES_MAX: usize = 1024;

/// One entry of a backup with what lay beside it; a claim until the seal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupRow {
    /// Its index.
    pub index: u64,
    /// The entry's bytes.
    pub entry: Vec<u8>,
    /// The trade section's opening, as the annex encodes it.
    pub(crate) trade: Option<Vec<u8>>,
    /// Personal sections, encrypted, by position.
    pub(crate) persons: Vec<(u8, Vec<u8>)>,
    /// The hosted request, as the log encodes it.
    pub(crate) request: Option<Vec<u8>>,
}

/// A backup being read.
pub struct BackupReader<'a> {
    source: &'a mut dyn Read,
    key: &'a VerifierKey,
    hasher: Hasher,
    length: u64,
    origin: Origin,
    size: u64,
    root: Hash,
    frontier: Frontier,
    /// What was read beside the log, where the head says that there is any.
    beside: Option<BesideCount>,
    sealed: Option<Sealed>,
}

impl<'a> BackupReader<'a> {
    /// Reads the head.
    ///
    /// # Errors
    /// [`Verify::Malformed`] when it is no backup, [`Verify::WrongLedger`] when
    /// it names another ledger than the key, [`Store::Io`](crate::error::Store::Io).
    pub fn open(source: &'a mut dyn Read, key: &'a VerifierKey) -> Result<Self, RestoreFailed> {
        let mut head = Source {
            source,
            hasher: Hasher::default(),
            length: 0,
        };
        let beside = match &head.array::<16>("the head")? {
            found if found == MAGIC => None,
            found if found == MAGIC_BESIDE => Some(BesideCount::default()),
            _ => {
                let why = "it does not begin with `trace/backup/v1` or `v2`";
                return Err(malformed(why.into()).into());
            }
        };
        let [length] = head.array("the origin")?;
        let origin = head.bytes(usize::from(length), "the origin")?;
        let origin = std::str::from_utf8(&origin)
            .ok()
            .and_then(|text| Origin::parse(text).ok())
            .ok_or_else(|| malformed("the origin is none".into()))?;
        if origin.as_str() != key.name() {
            return Err(Verify::WrongLedger {
                found: origin.to_string(),
                wanted: key.name().into(),
            }
            .into());
        }
        let size = u64::from_be_bytes(head.array("the size")?);
        let root = Hash::from(head.array::<32>("the root")?);
        let Source {
            source,
            hasher,
            length,
        } = head;
        Ok(Self {
            source,
            key,
            hasher,
            length,
            origin,
            size,
            root,
            frontier: Frontier::default(),
            beside,
            sealed: None,
        })
    }

    /// How many entries the head says there are.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// What was sealed; there once the last row was given and the seal held.
    #[must_use]
    pub fn sealed(&self) -> Option<&Sealed> {
        self.sealed.as_ref()
    }

    /// The next row, as [`next_row_with`](Self::next_row_with); what lies beside
    /// the log is read and let go.
    ///
    /// # Errors
    /// As `next_row_with`.
    pub fn next_row(&mut self) -> Result<Option<BackupRow>, RestoreFailed> {
        self.next_row_with(&mut |_| Ok(()))
    }

    /// The next row; after the last, `take` is given what lies beside the log, one
    /// after the other, and then `None` says that the seal was checked and holds
    /// for all that was given.
    ///
    /// # Errors
    /// [`Verify`] when it is not what was sealed, [`Store::Io`](crate::error::Store::Io);
    /// whatever `take` gives.
    pub fn next_row_with(
        &mut self,
        take: &mut dyn FnMut(BesideRow) -> Result<(), RestoreFailed>,
    ) -> Result<Option<BackupRow>, RestoreFailed> {
        if self.sealed.is_some() {
            return Ok(None);
        }
        if self.frontier.size() == self.size {
            while let Some(row) = self.next_beside()? {
                take(row)?;
            }
            self.sealed = Some(self.seal()?);
            return Ok(None);
        }
        let index = self.frontier.size();
        let mut source = self.source();
        let entry = source.framed(ENTRY_BYTES_MAX, "an entry")?;
        let trade = source.optional(SEALED_BYTES_MAX, "a trade section")?;
        let [mask] = source.array("the personal sections' mark")?;
        let mut persons = Vec::new();
        for position in (0u8..8).filter(|position| mask >> position & 1 == 1) {
            persons.push((
                position,
                source.framed(SEALED_BYTES_MAX, "a personal section")?,
            ));
        }
        let request = source.optional(REQUEST_BYTES_MAX, "a request")?;
        (self.hasher, self.length) = (source.hasher, source.length);
        self.frontier
            .push(leaf_hash(&entry))
            .map_err(|error| malformed(error.what))?;
        Ok(Some(BackupRow {
            index,
            entry,
            trade,
            persons,
            request,
        }))
    }

    fn next_beside(&mut self) -> Result<Option<BesideRow>, RestoreFailed> {
        let Some(mut count) = self.beside else {
            return Ok(None);
        };
        let mut source = self.source();
        let row = match source.array("what lies beside the log")? {
            [END] => None,
            [READING] => {
                let [table] = source.array("a table's number")?;
                let key = source.framed(KEY_BYTES_MAX, "a key of readings")?;
                let value = source.framed(VALUE_BYTES_MAX, "a row of readings")?;
                count.reading_rows += 1;
                Some(BesideRow::Reading(table, key, value))
            }
            [DOCUMENT] => {
                let hash = Hash::from(source.array::<32>("a document's hash")?);
                let bytes = source.framed(DOCUMENT_MAX, "a document")?;
                count.documents += 1;
                Some(BesideRow::Document(hash, bytes))
            }
            [other] => {
                let why = format!("marked {other} beside the log, wanted 0, 1 or 2");
                return Err(malformed(why).into());
            }
        };
        (self.hasher, self.length) = (source.hasher, source.length);
        self.beside = Some(count);
        Ok(row)
    }

    fn source(&mut self) -> Source<'_> {
        Source {
            source: &mut *self.source,
            hasher: std::mem::take(&mut self.hasher),
            length: self.length,
        }
    }

    fn seal(&mut self) -> Result<Sealed, RestoreFailed> {
        let (sha256, found) = (self.hasher.finish(), self.frontier.root());
        if found != self.root {
            let why = format!("its entries have root {found}, its head says {}", self.root);
            return Err(Verify::Proof { why }.into());
        }
        let mut source = self.source();
        let stated = Hash::from(source.array::<32>("the hash")?);
        let note = source.framed(NOTE_BYTES_MAX, "the seal")?;
        if source.source.read(&mut [0]).map_err(io("read"))? != 0 {
            return Err(malformed("bytes are left over behind the seal".into()).into());
        }
        let length = source.length;
        if stated != sha256 {
            let why = format!("its content has SHA-256 {sha256}, its end says {stated}");
            return Err(malformed(why).into());
        }
        let sealed = Sealed {
            origin: self.origin.clone(),
            size: self.size,
            root: self.root,
            sha256,
            length,
            beside: self.beside,
        };
        let note =
            std::str::from_utf8(&note).map_err(|_| malformed("the seal is not text".to_owned()))?;
        let note = Note::parse(note)?;
        let verified = note.verify_all_known(std::slice::from_ref(self.key))?;
        if verified.text() != sealed.text() {
            return Err(malformed("the seal is of another backup".into()).into());
        }
        Ok(sealed)
    }
}

/// Checks a whole backup: its seal, its hash, and that its entries make its root.
/// Says nothing of the rules: restore it and audit what was restored.
///
/// # Errors
/// [`Verify`] when a byte is not what was sealed under `key`, [`Store::Io`](crate::error::Store::Io).
pub fn verify_backup(source: &mut dyn Read, key: &VerifierKey) -> Result<Sealed, RestoreFailed> {
    let mut reader = BackupReader::open(source, key)?;
    while reader.next_row()?.is_some() {}
    match reader.sealed {
        Some(sealed) => Ok(sealed),
        None => Err(malformed("it has no seal".into()).into()),
    }
}

/// Reads and hashes at once.
struct Source<'a> {
    source: &'a mut dyn Read,
    hasher: Hasher,
    length: u64,
}

impl Source<'_> {
    fn fill(&mut self, bytes: &mut [u8], what: &str) -> Result<(), RestoreFailed> {
        match self.source.read_exact(bytes) {
            Ok(()) => {
                self.hasher.update(bytes);
                self.length += bytes.len() as u64;
                Ok(())
            }
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                Err(malformed(format!("cut off within {what}, after byte {}", self.length)).into())
            }
            Err(error) => Err(io("read")(error).into()),
        }
    }

    fn array<const N: usize>(&mut self, what: &str) -> Result<[u8; N], RestoreFailed> {
        let mut bytes = [0; N];
        self.fill(&mut bytes, what)?;
        Ok(bytes)
    }

    fn bytes(&mut self, length: usize, what: &str) -> Result<Vec<u8>, RestoreFailed> {
        let mut bytes = vec![0; length];
        self.fill(&mut bytes, what)?;
        Ok(bytes)
    }

    fn framed(&mut self, most: usize, what: &str) -> Result<Vec<u8>, RestoreFailed> {
        let length = u32::from_be_bytes(self.array(what)?);
        match usize::try_from(length) {
            Ok(length) if length <= most => self.bytes(length, what),
            _ => Err(malformed(format!("{what} of {length} bytes, at most {most} can be")).into()),
        }
    }

    fn optional(&mut self, most: usize, what: &str) -> Result<Option<Vec<u8>>, RestoreFailed> {
        match self.array(what)? {
            [0] => Ok(None),
            [1] => self.framed(most, what).map(Some),
            [other] => Err(malformed(format!("{what} marked {other}, wanted 0 or 1")).into()),
        }
    }
}
