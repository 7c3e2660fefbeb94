//! Private keys that the ledger keeps for their holders, for households and
//! small sellers who cannot keep one themselves.
//!
//! Each seed lies encrypted under one key-encryption key, the [`Kek`], which the
//! operator gives at start and which is stored nowhere here. Without it hosting
//! is off, and says so. Not here: whether a key is enrolled or revoked (the fold
//! knows), and who may have something signed (the token says).
//!
//! A seed is decrypted when it signs and wiped after: one secret stays in memory,
//! the key-encryption key, instead of as many as there are holders. It costs
//! some microseconds a signature.

use super::seal::{self, NONCE_BYTES};
use super::titled::{TitledFile, damaged};
use crate::error::Store;
use crate::ident::EntityId;
use crate::record::encode;
use crate::record::sign::{KeyId, SigningKey};
use crate::store::disk::Disk;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;
use zeroize::Zeroizing;

const TITLE: &[u8] = b"trace/hosted/v1\n";
/// What the file's note seals: it opens under the right key-encryption key.
const CHECK: &[u8] = b"trace/hosted/check/v1\n";

/// The key-encryption key: wiped when dropped, never shown, boxed so that moving
/// it leaves no copy behind.
pub struct Kek(Box<Zeroizing<[u8; 32]>>);

impl Kek {
    /// Reads 64 hexadecimal digits of either case, with or without white space
    /// around them, as a file or a setting holds them; anything else is `None`.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        let digits = text.trim().as_bytes();
        let mut key = Box::new(Zeroizing::new([0; 32]));
        if digits.len() != 2 * key.len() {
            return None;
        }
        let value = |digit: u8| char::from(digit).to_digit(16);
        for (byte, pair) in key.iter_mut().zip(digits.chunks_exact(2)) {
            let [high, low] = pair else { return None };
            *byte = u8::try_from(value(*high)? * 16 + value(*low)?).ok()?;
        }
        Some(Self(key))
    }

    fn check(&self, nonce: [u8; NONCE_BYTES]) -> Vec<u8> {
        let mut note = nonce.to_vec();
        note.extend(seal::seal(&self.0, nonce, TITLE, CHECK));
        note
    }

    fn sealed_check(&self, note: &[u8]) -> bool {
        let check = note
            .split_first_chunk()
            .and_then(|(nonce, sealed)| seal::unseal(&self.0, *nonce, TITLE, sealed));
        check.is_some_and(|found| found.as_slice() == CHECK)
    }
}

impl fmt::Debug for Kek {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Kek(..)")
    }
}

/// A line of the file; also what is held in memory.
#[derive(Clone, Serialize, Deserialize)]
struct Hosted {
    entity: EntityId,
    key: KeyId,
    nonce: [u8; NONCE_BYTES],
    sealed_seed: Vec<u8>,
}

impl Hosted {
    fn bound_to(entity: EntityId, key: KeyId) -> Vec<u8> {
        [TITLE, entity.as_bytes(), key.as_bytes()].concat()
    }

    fn seal(kek: &Kek, entity: EntityId, key: &SigningKey, nonce: [u8; NONCE_BYTES]) -> Self {
        let id = key.public().id();
        let aad = Self::bound_to(entity, id);
        Self {
            entity,
            key: id,
            nonce,
            sealed_seed: seal::seal(&kek.0, nonce, &aad, &*key.seed()),
        }
    }

    /// `None` when it does not open, or holds another key than it says.
    fn unseal(&self, kek: &Kek) -> Option<SigningKey> {
        let aad = Self::bound_to(self.entity, self.key);
        let seed = seal::unseal(&kek.0, self.nonce, &aad, &self.sealed_seed)?;
        let key = SigningKey::from_seed(*seed.first_chunk()?);
        (seed.len() == 32 && key.public().id() == self.key).then_some(key)
    }
}

/// The hosted keys, or the word that there are none.
pub struct HostedKeys(Option<Present>);

struct Present {
    file: TitledFile,
    kek: Kek,
    keys: BTreeMap<KeyId, Hosted>,
    /// In the order they were added, so that rewriting keeps who is latest.
    order: Vec<KeyId>,
    of_entity: BTreeMap<EntityId, Vec<KeyId>>,
}

impl HostedKeys {
    /// Makes an empty file; `nonce` must be fresh.
    ///
    /// # Errors
    /// [`Store::Place`] when there is one already.
    pub fn create(
        disk: Arc<dyn Disk>,
        path: &Path,
        kek: Kek,
        nonce: [u8; NONCE_BYTES],
    ) -> Result<Self, Store> {
        Ok(Self(Some(Present {
            file: TitledFile::create(disk, path, TITLE, &kek.check(nonce))?,
            kek,
            keys: BTreeMap::new(),
            order: Vec::new(),
            of_entity: BTreeMap::new(),
        })))
    }

    /// Opens the file and every seed in it once, cutting a torn tail.
    ///
    /// # Errors
    /// [`Store::Place`] when there is no file, or its keys are sealed under
    /// another key-encryption key; [`Store::Damaged`] when the key-encryption key
    /// is right and something else is wrong.
    pub fn open(disk: Arc<dyn Disk>, path: &Path, kek: Kek) -> Result<Self, Store> {
        let check = |note: &[u8]| {
            if kek.sealed_check(note) {
                return Ok(());
            }
            Err(Store::Place {
                path: path.into(),
                why: "these keys are sealed under another key-encryption key; give that one".into(),
            })
        };
        let mut found: Vec<Hosted> = Vec::new();
        let file = TitledFile::open(disk, path, TITLE, check, |line| {
            let hosted: Hosted = encode::decode("hosted key", line)
                .map_err(|invalid| damaged(path, &invalid.what))?;
            if hosted.unseal(&kek).is_none() {
                let why = format!("the seed of key {} does not open", hosted.key);
                return Err(damaged(path, &why));
            }
            found.push(hosted);
            Ok(())
        })?;
        let mut present = Present {
            file,
            kek,
            keys: BTreeMap::new(),
            order: Vec::new(),
            of_entity: BTreeMap::new(),
        };
        for hosted in found {
            let key = hosted.key;
            if !present.know(hosted) {
                return Err(present.file.damaged(&format!("key {key} stands twice")));
            }
        }
        Ok(Self(Some(present)))
    }

    /// Hosting without a key-encryption key: off.
    #[must_use]
    pub fn absent() -> Self {
        Self(None)
    }

    /// Whether a key-encryption key was given.
    #[must_use]
    pub fn is_present(&self) -> bool {
        self.0.is_some()
    }

    /// Keeps a seed for an entity; durable when this returns. The key becomes
    /// the entity's latest. `nonce` must be fresh.
    ///
    /// # Errors
    /// [`Store::ReadOnly`] when hosting is off or after a failed write;
    /// [`Store::Engine`] when the key is kept already: the seed was not random.
    pub fn add(
        &mut self,
        entity: EntityId,
        seed: Zeroizing<[u8; 32]>,
        nonce: [u8; NONCE_BYTES],
    ) -> Result<KeyId, Store> {
        let present = self.0.as_mut().ok_or_else(off)?;
        present.file.refuse_failed()?;
        let key = SigningKey::from_seed(*seed);
        let hosted = Hosted::seal(&present.kek, entity, &key, nonce);
        let id = hosted.key;
        if present.keys.contains_key(&id) {
            return Err(Store::Engine {
                what: "keep a key",
                why: format!("key {id} is kept already: the seed was not random"),
            });
        }
        present.file.append(&encode::encode(&hosted))?;
        present.file.sync()?;
        present.know(hosted);
        Ok(id)
    }

    /// The private key with this id, `None` when it is not kept here.
    ///
    /// # Errors
    /// [`Store::ReadOnly`] when hosting is off.
    pub fn signing_key(&self, key: &KeyId) -> Result<Option<SigningKey>, Store> {
        let present = self.0.as_ref().ok_or_else(off)?;
        let Some(hosted) = present.keys.get(key) else {
            return Ok(None);
        };
        let why = || format!("the seed of key {key} does not open");
        let opened = hosted.unseal(&present.kek);
        opened.map(Some).ok_or_else(|| present.file.damaged(&why()))
    }

    /// The keys of an entity, the newest first. Whether one is enrolled and in
    /// force, the fold knows.
    pub fn keys_of(&self, entity: &EntityId) -> impl Iterator<Item = KeyId> {
        let keys = self
            .0
            .as_ref()
            .and_then(|present| present.of_entity.get(entity));
        keys.into_iter().flatten().rev().copied()
    }

    /// Seals every seed anew under another key-encryption key and wipes the old
    /// file; until this returns both keys are to be kept. Asks `nonce` for a
    /// fresh one for each seed, and one more.
    ///
    /// # Errors
    /// [`Store`]; the file is then sealed under the old or the new key, whole.
    pub fn rotate(
        &mut self,
        kek: Kek,
        nonce: &mut dyn FnMut() -> [u8; NONCE_BYTES],
    ) -> Result<(), Store> {
        let present = self.0.as_mut().ok_or_else(off)?;
        let mut resealed = Vec::with_capacity(present.order.len());
        for hosted in present.order.iter().filter_map(|id| present.keys.get(id)) {
            let why = || format!("the seed of key {} does not open", hosted.key);
            let key = hosted.unseal(&present.kek);
            let key = key.ok_or_else(|| present.file.damaged(&why()))?;
            resealed.push(Hosted::seal(&kek, hosted.entity, &key, nonce()));
        }
        let lines = resealed.iter().map(encode::encode).map(Zeroizing::new);
        present.file.rewrite(&kek.check(nonce()), lines)?;
        present.kek = kek;
        present.keys = resealed.into_iter().map(|it| (it.key, it)).collect();
        Ok(())
    }

    /// How many bytes of a torn tail were cut on opening. When it is not 0 and
    /// an enrolled hosted key is missing, the last keys rotted.
    #[must_use]
    pub fn cut_bytes(&self) -> u64 {
        self.0
            .as_ref()
            .map_or(0, |present| present.file.cut_bytes())
    }
}

impl Present {
    /// False when the key was known.
    fn know(&mut self, hosted: Hosted) -> bool {
        let (entity, key) = (hosted.entity, hosted.key);
        if self.keys.insert(key, hosted).is_some() {
            return false;
        }
        self.order.push(key);
        self.of_entity.entry(entity).or_default().push(key);
        true
    }
}

impl fmt::Debug for HostedKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(present) => write!(f, "HostedKeys({} keys)", present.keys.len()),
            None => f.write_str("HostedKeys(off)"),
        }
    }
}

fn off() -> Store {
    Store::ReadOnly {
        why: "keys are not hosted here: no key-encryption key was given at start".into(),
    }
}

#[cfg(test)]
mod tests;
