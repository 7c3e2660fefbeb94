//! The vault: one key for each natural person, under which what records say of
//! that person is encrypted. Destroying the key erases the person.
//!
//! Keys lie in a small file of their own, outside the database and outside
//! ordinary backups; the ciphertexts lie elsewhere, in a table of the log's
//! file. Not here: who may be erased and when (the rules decide), and that no
//! later record fills an erased person again (the fold knows who was erased).
//!
//! What [`Vault::erase`] promises when it answers: no open or later opened vault
//! has the key; the file under the vault's name does not hold it; the blocks of
//! the file before it were overwritten with zeros and synced. Where the file
//! system overwrites in place and journals metadata alone (ext4 and XFS as they
//! come) nothing of it can be read from the volume any more. A file system that
//! copies on write, a journal of data, a snapshot, or the spare blocks of a flash
//! drive may hold old bytes for whoever takes the medium apart: there the volume
//! must be encrypted. Copies that others made of the file are theirs to destroy,
//! and the process's own memory is wiped where keys are held, not wherever a
//! write has passed.
//!
//! Memory: 48 bytes and the map's own for each person, and none for each record.

use super::seal::{self, NONCE_BYTES};
use super::titled::TitledFile;
use crate::error::Store;
use crate::record::section::Opening;
use crate::record::wire::PersonId;
use crate::store::disk::Disk;
use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use zeroize::Zeroizing;

const TITLE: &[u8] = b"trace/vault/v1\n";

/// Where a personal section belongs: a ciphertext opens nowhere else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SectionPlace {
    /// The record's index in the log.
    pub index: u64,
    /// Which of the persons the record names, from 0.
    pub position: u8,
}

impl SectionPlace {
    fn bound_to(self, person: PersonId) -> Vec<u8> {
        let mut aad = TITLE.to_vec();
        aad.extend(person.0);
        aad.extend(self.index.to_be_bytes());
        aad.push(self.position);
        aad
    }
}

/// Boxed, so that the map moves pointers and leaves no copies of keys behind.
type Keys = BTreeMap<PersonId, Box<Zeroizing<[u8; 32]>>>;

/// The keys, in the hands of the one writer.
pub struct Vault {
    file: TitledFile,
    staged: Vec<PersonId>,
    reader: VaultReader,
}

/// Opens sections on other threads; an erasure reaches it at once.
#[derive(Clone, Default)]
pub struct VaultReader {
    keys: Arc<RwLock<Keys>>,
}

impl Vault {
    /// Makes an empty vault.
    ///
    /// # Errors
    /// [`Store::Place`] when there is a file already.
    pub fn create(disk: Arc<dyn Disk>, path: &Path) -> Result<Self, Store> {
        Ok(Self {
            file: TitledFile::create(disk, path, TITLE, &[])?,
            staged: Vec::new(),
            reader: VaultReader::default(),
        })
    }

    /// Opens a vault, cutting a torn tail: keys whose record was never committed.
    ///
    /// # Errors
    /// [`Store::Place`] when there is none; [`Store::Damaged`].
    pub fn open(disk: Arc<dyn Disk>, path: &Path) -> Result<Self, Store> {
        let mut keys = Keys::new();
        let line = |line: &[u8]| {
            let Some((person, key)) = split_line(line) else {
                let why = format!("a line of {} bytes, wanted a person and a key", line.len());
                return Err(super::titled::damaged(path, &why));
            };
            if keys.insert(person, key).is_some() {
                let why = format!("two keys for person {person}");
                return Err(super::titled::damaged(path, &why));
            }
            Ok(())
        };
        let file = TitledFile::open(disk, path, TITLE, |_| Ok(()), line)?;
        let keys = Arc::new(RwLock::new(keys));
        Ok(Self {
            file,
            staged: Vec::new(),
            reader: VaultReader { keys },
        })
    }

    /// Encrypts a section under its person's key; for a person not seen before,
    /// under `fresh_key`, which is then staged. [`sync`](Self::sync) must follow
    /// before the record is committed.
    ///
    /// `nonce` must be fresh; it stands before the ciphertext.
    ///
    /// # Errors
    /// [`Store::ReadOnly`] after a failed write.
    pub fn seal(
        &mut self,
        person: PersonId,
        fresh_key: Zeroizing<[u8; 32]>,
        nonce: [u8; NONCE_BYTES],
        opening: &Opening,
        place: SectionPlace,
    ) -> Result<Vec<u8>, Store> {
        self.file.refuse_failed()?;
        let mut plain =
            Zeroizing::new(Vec::with_capacity(opening.salt.len() + opening.bytes.len()));
        plain.extend_from_slice(&opening.salt);
        plain.extend_from_slice(&opening.bytes);
        let mut keys = self.reader.write();
        let key = keys.entry(person).or_insert_with(|| {
            self.staged.push(person);
            Box::new(fresh_key)
        });
        let mut sealed = nonce.to_vec();
        sealed.extend(seal::seal(key, nonce, &place.bound_to(person), &plain));
        Ok(sealed)
    }

    /// Makes staged keys durable; costs nothing when there are none.
    ///
    /// # Errors
    /// [`Store`]; from then on every change is refused: the records whose keys
    /// were staged must not be committed.
    pub fn sync(&mut self) -> Result<(), Store> {
        let keys = self.reader.read();
        for person in &self.staged {
            if let Some(key) = keys.get(person) {
                self.file.append(&line(*person, key))?;
            }
        }
        self.file.sync()?;
        self.staged.clear();
        Ok(())
    }

    /// The opening of a section; `None` once its person is erased.
    ///
    /// # Errors
    /// [`Store::Damaged`] when the key is there and does not open the bytes.
    pub fn open_section(
        &self,
        person: PersonId,
        sealed: &[u8],
        place: SectionPlace,
    ) -> Result<Option<Opening>, Store> {
        self.reader.open_section(person, sealed, place)
    }

    /// Destroys the keys of these persons and answers when they are gone from
    /// memory and from the disk (the file's own words say how far); how many
    /// there were. Costs a rewriting of the file, however many are named, and
    /// nothing when none of them has a key.
    ///
    /// # Errors
    /// [`Store`]: nothing opens under the keys any more, but the disk may still
    /// hold them. Open again and erase again.
    pub fn erase(&mut self, persons: &[PersonId]) -> Result<usize, Store> {
        let erased = {
            let mut keys = self.reader.write();
            let known = persons
                .iter()
                .filter(|person| keys.remove(person).is_some());
            known.count()
        };
        // also when there are none: an erasure that failed before did not count
        self.file.refuse_failed()?;
        if erased == 0 {
            return Ok(0);
        }
        let keys = self.reader.read();
        let lines = keys.iter().map(|(person, key)| line(*person, key));
        self.file.rewrite(&[], lines)?;
        self.staged.clear();
        Ok(erased)
    }

    /// Everybody who has a key, staged ones too, so that those whom no record
    /// names can be swept with [`erase`](Self::erase), and those whom a record
    /// names can be missed.
    #[must_use]
    pub fn persons(&self) -> Vec<PersonId> {
        self.reader.read().keys().copied().collect()
    }

    /// For opening sections on other threads.
    #[must_use]
    pub fn reader(&self) -> VaultReader {
        self.reader.clone()
    }

    /// How many bytes of a torn tail were cut on opening. When it is not 0 and a
    /// person of a committed record has no key, the last keys rotted.
    #[must_use]
    pub fn cut_bytes(&self) -> u64 {
        self.file.cut_bytes()
    }
}

impl VaultReader {
    /// As [`Vault::open_section`].
    ///
    /// # Errors
    /// [`Store::Damaged`] when the key is there and does not open the bytes.
    pub fn open_section(
        &self,
        person: PersonId,
        sealed: &[u8],
        place: SectionPlace,
    ) -> Result<Option<Opening>, Store> {
        let keys = self.read();
        let Some(key) = keys.get(&person) else {
            return Ok(None);
        };
        let opening = sealed.split_first_chunk().and_then(|(nonce, sealed)| {
            let plain = seal::unseal(key, *nonce, &place.bound_to(person), sealed)?;
            let (salt, bytes) = plain.split_first_chunk()?;
            Some(Opening {
                salt: *salt,
                bytes: bytes.to_vec(),
            })
        });
        opening.map(Some).ok_or_else(|| Store::Damaged {
            what: format!(
                "personal section {} of record {}: its person's key does not open it",
                place.position, place.index
            ),
        })
    }

    /// Nothing that holds the lock can leave the map half changed.
    fn read(&self) -> RwLockReadGuard<'_, Keys> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Keys> {
        self.keys.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Vault({:?}, {:?})", self.file, self.reader)
    }
}

impl fmt::Debug for VaultReader {
    /// How many, never whose or what.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VaultReader({} keys)", self.read().len())
    }
}

/// A line of the file: person (16) ‖ key (32).
fn line(person: PersonId, key: &[u8; 32]) -> Zeroizing<Vec<u8>> {
    let mut line = Zeroizing::new(Vec::with_capacity(person.0.len() + key.len()));
    line.extend_from_slice(&person.0);
    line.extend_from_slice(key);
    line
}

fn split_line(line: &[u8]) -> Option<(PersonId, Box<Zeroizing<[u8; 32]>>)> {
    let (person, key) = line.split_first_chunk()?;
    let key = <&[u8; 32]>::try_from(key).ok()?;
    Some((PersonId(*person), Box::new(Zeroizing::new(*key))))
}

#[cfg(test)]
mod tests;
