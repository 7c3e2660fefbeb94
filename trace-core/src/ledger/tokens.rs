//! Bearer tokens: who may ask this server for what, in a file that only grows.
//!
//! A token's text is `trt_`, its public id (16 hexadecimal digits), `_` and 32
//! random bytes in base 64 for URLs (RFC 4648 section 5, unpadded, 43 characters).
//! Only the SHA-256 of the secret is stored. A right to sign is another thing:
//! records are signed by keys, and rights are judged from the log.
//!
//! The command line adds and revokes tokens while a server runs: writers take
//! turns by an advisory lock on a file beside, and [`Tokens::refresh`] takes in
//! what others wrote. A check answers the same for a text that is malformed,
//! unknown, expired or revoked.

use super::titled::{TitledFile, damaged};
use crate::error::{Invalid, Rule, Store};
use crate::ident::{Area, EntityId};
use crate::record::wire::{AreaCode, TokenId};
use crate::record::{Hash, Role, base64, encode};
use crate::store::disk::{Disk, DiskFile, beside};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use zeroize::Zeroizing;

const TITLE: &[u8] = b"trace/tokens/v1\n";
const PREFIX: &str = "trt_";
/// 32 bytes in base 64 without the one sign of padding.
const SECRET_LENGTH: usize = 43;

/// What a token is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grant {
    /// The entity that its bearer acts for.
    pub entity: Option<EntityId>,
    /// In what capacity.
    pub role: Role,
    /// Where: this area and everything below it.
    pub area: Option<Area>,
    /// The first moment at which it is no longer in force.
    pub expires_ms: u64,
}

impl Grant {
    /// Whether the token reaches into an area; without one of its own, nowhere.
    #[must_use]
    pub fn covers(&self, area: Area) -> bool {
        self.area.is_some_and(|own| own.covers(area))
    }

    /// Checks that an inspector's token, which reads in full, says where.
    ///
    /// # Errors
    /// [`Rule::Area`].
    pub fn check(&self) -> Result<(), Invalid> {
        if self.role == Role::Inspector && self.area.is_none() {
            let what = "a token for an inspector without an area, wanted one";
            return Err(Invalid::new(Rule::Area, what));
        }
        Ok(())
    }
}

/// A token as it is known by its public id; it is in force only as the answer
/// of [`Tokens::check`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenGrant {
    /// The public id, as records and logs name it.
    pub id: TokenId,
    /// What it was made for.
    pub grant: Grant,
    /// When it was made.
    pub made_ms: u64,
    /// When it was revoked.
    pub revoked_ms: Option<u64>,
}

/// A token's whole text: shown once, to whom it is made for, and stored nowhere.
pub struct TokenText(Zeroizing<String>);

impl TokenText {
    /// The text to hand over.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for TokenText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenText(..)")
    }
}

/// Whether other processes write the same file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sharing {
    /// This is the only one: no lock is taken.
    Alone,
    /// Writers take turns by a lock on the file with `.lock` after its name, on
    /// the machine's own disk.
    Locked,
}

/// A line of the file.
#[derive(Serialize, Deserialize)]
enum Line {
    Issued {
        id: TokenId,
        secret_hash: Hash,
        entity: Option<EntityId>,
        role: Role,
        area: Option<AreaCode>,
        made_ms: u64,
        expires_ms: u64,
    },
    Revoked {
        id: TokenId,
        at_ms: u64,
    },
}

type Rows = BTreeMap<TokenId, (Hash, TokenGrant)>;

/// The tokens; shared by all threads of a process.
#[derive(Debug)]
pub struct Tokens {
    path: PathBuf,
    sharing: Sharing,
    writer: Mutex<Writer>,
    rows: RwLock<Rows>,
}

#[derive(Debug)]
struct Writer {
    file: TitledFile,
    /// The same file, to look at its length.
    watched: Box<dyn DiskFile>,
}

impl Tokens {
    /// Makes a file without tokens.
    ///
    /// # Errors
    /// [`Store::Place`] when there is one already.
    pub fn create(disk: Arc<dyn Disk>, path: &Path, sharing: Sharing) -> Result<Self, Store> {
        {
            let _turn = take_turn(path, sharing)?;
            TitledFile::create(disk.clone(), path, TITLE, &[])?;
        }
        Self::open(disk, path, sharing)
    }

    /// Opens the file, cutting a torn tail.
    ///
    /// # Errors
    /// [`Store::Place`] when there is none; [`Store::Damaged`].
    pub fn open(disk: Arc<dyn Disk>, path: &Path, sharing: Sharing) -> Result<Self, Store> {
        let _turn = take_turn(path, sharing)?;
        let mut rows = Rows::new();
        let line = |line: &[u8]| read_line(&mut rows, path, line);
        let file = TitledFile::open(disk.clone(), path, TITLE, |_| Ok(()), line)?;
        let watched = disk.open(path).map_err(Store::io("open", path))?;
        Ok(Self {
            path: path.into(),
            sharing,
            writer: Mutex::new(Writer { file, watched }),
            rows: RwLock::new(rows),
        })
    }

    /// Makes a token from random bytes; durable, and in force, when this returns.
    /// An expiry that has passed makes a token that is never in force.
    ///
    /// # Errors
    /// [`Store::Engine`] when the id is taken: it was not random; otherwise
    /// [`Store`], and the token is not in force.
    pub fn issue(
        &self,
        id: TokenId,
        secret: &Zeroizing<[u8; 32]>,
        grant: Grant,
        now_ms: u64,
    ) -> Result<TokenText, Store> {
        let mut writer = self.lock_writer();
        let _turn = take_turn(&self.path, self.sharing)?;
        self.take_in(&mut writer)?;
        if self.read().contains_key(&id) {
            return Err(Store::Engine {
                what: "make a token",
                why: format!("the id {id} is taken: it was not random"),
            });
        }
        let secret_hash = hash_secret(id, secret);
        let line = Line::Issued {
            id,
            secret_hash,
            entity: grant.entity,
            role: grant.role,
            area: grant.area.map(AreaCode::from),
            made_ms: now_ms,
            expires_ms: grant.expires_ms,
        };
        writer.append(&line)?;
        let made = TokenGrant {
            id,
            grant,
            made_ms: now_ms,
            revoked_ms: None,
        };
        self.write().insert(id, (secret_hash, made));
        Ok(TokenText(write_text(id, secret)))
    }

    /// What a token in force was made for.
    ///
    /// # Errors
    /// [`Rule::Token`], in the same words whatever is wrong.
    pub fn check(&self, text: &str, now_ms: u64) -> Result<TokenGrant, Invalid> {
        self.find(text, now_ms)
            .ok_or_else(|| Invalid::new(Rule::Token, "this is not a token in force"))
    }

    fn find(&self, text: &str, now_ms: u64) -> Option<TokenGrant> {
        let (id, secret) = read_text(text)?;
        let found = hash_secret(id, &secret);
        let (wanted, token) = *self.read().get(&id)?;
        let in_force = token.revoked_ms.is_none() && now_ms < token.grant.expires_ms;
        (same(&found, &wanted) && in_force).then_some(token)
    }

    /// Ends a token; false when there is none with this id. It is refused here
    /// from this moment, and elsewhere from the next [`refresh`](Self::refresh).
    ///
    /// # Errors
    /// [`Store`]: it is refused by this process for now; revoke it again.
    pub fn revoke(&self, id: TokenId, now_ms: u64) -> Result<bool, Store> {
        let mut writer = self.lock_writer();
        // in memory first: it is to end whether or not the disk obeys
        revoke_row(&mut self.write(), id, now_ms);
        let _turn = take_turn(&self.path, self.sharing)?;
        self.take_in(&mut writer)?;
        if !self.read().contains_key(&id) {
            return Ok(false);
        }
        // also when it is revoked already: perhaps only in memory
        writer.append(&Line::Revoked { id, at_ms: now_ms })?;
        revoke_row(&mut self.write(), id, now_ms);
        Ok(true)
    }

    /// Takes in what other processes wrote; costs a look at the file's length
    /// when there is nothing new. True when there was.
    ///
    /// # Errors
    /// [`Store`]; the tokens known so far stay as they are.
    pub fn refresh(&self) -> Result<bool, Store> {
        let mut writer = self.lock_writer();
        if !self.has_grown(&writer)? {
            return Ok(false);
        }
        let _turn = take_turn(&self.path, self.sharing)?;
        self.take_in(&mut writer)
    }

    /// Every token ever made, by id, also those no longer in force.
    #[must_use]
    pub fn list(&self) -> Vec<TokenGrant> {
        self.read().values().map(|(_, token)| *token).collect()
    }

    fn has_grown(&self, writer: &Writer) -> Result<bool, Store> {
        let length = writer.watched.length();
        let length = length.map_err(Store::io("look at", &self.path))?;
        Ok(length != writer.file.durable_to())
    }

    /// Only in one's turn: a torn tail of a writer that died is cut.
    fn take_in(&self, writer: &mut Writer) -> Result<bool, Store> {
        if !self.has_grown(writer)? {
            return Ok(false);
        }
        writer.file.catch_up()?;
        let mut rows = Rows::new();
        let line = |line: &[u8]| read_line(&mut rows, &self.path, line);
        writer.file.scan(|_| Ok(()), line)?;
        *self.write() = rows;
        Ok(true)
    }

    /// Every change under these locks is one step, so a panic leaves none half
    /// done.
    fn lock_writer(&self) -> std::sync::MutexGuard<'_, Writer> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read(&self) -> RwLockReadGuard<'_, Rows> {
        self.rows.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Rows> {
        self.rows.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Writer {
    fn append(&mut self, line: &Line) -> Result<(), Store> {
        self.file.append(&encode::encode(line))?;
        self.file.sync()
    }
}

fn read_line(rows: &mut Rows, path: &Path, line: &[u8]) -> Result<(), Store> {
    let wrong = |invalid: Invalid| damaged(path, &invalid.what);
    match encode::decode("token", line).map_err(wrong)? {
        Line::Issued {
            id,
            secret_hash,
            entity,
            role,
            area,
            made_ms,
            expires_ms,
        } => {
            let area = area.map(AreaCode::area).transpose().map_err(wrong)?;
            let grant = Grant {
                entity,
                role,
                area,
                expires_ms,
            };
            let token = TokenGrant {
                id,
                grant,
                made_ms,
                revoked_ms: None,
            };
            if rows.insert(id, (secret_hash, token)).is_some() {
                return Err(damaged(path, &format!("token {id} stands twice")));
            }
        }
        Line::Revoked { id, at_ms } => {
            if !revoke_row(rows, id, at_ms) {
                let why = format!("token {id} is revoked before it is made");
                return Err(damaged(path, &why));
            }
        }
    }
    Ok(())
}

/// False when there is none. The first revocation is the one that counts.
fn revoke_row(rows: &mut Rows, id: TokenId, at_ms: u64) -> bool {
    let token = rows.get_mut(&id).map(|(_, token)| token);
    token
        .map(|token| token.revoked_ms.get_or_insert(at_ms))
        .is_some()
}

/// Held while one process reads the end of the file and writes after it; the
/// system lets it go when the process ends, however it ends.
fn take_turn(path: &Path, sharing: Sharing) -> Result<Option<File>, Store> {
    if sharing == Sharing::Alone {
        return Ok(None);
    }
    let path = beside(path, ".lock");
    let mut options = OpenOptions::new();
    let options = options.create(true).truncate(false).write(true);
    let file = options.open(&path).map_err(Store::io("open", &path))?;
    file.lock().map_err(Store::io("lock", &path))?;
    Ok(Some(file))
}

fn hash_secret(id: TokenId, secret: &[u8; 32]) -> Hash {
    Hash::of(&[b"trace/token/v1\n", &id.0, secret])
}

/// Looks at every byte, so that the time it takes does not depend on where two
/// hashes part. Were a compiler to undo that, little is lost: the time would tell
/// of a stored hash, and 32 random bytes cannot be found from their hash.
fn same(a: &Hash, b: &Hash) -> bool {
    let pairs = a.as_bytes().iter().zip(b.as_bytes());
    pairs.fold(0, |differing, (a, b)| differing | (a ^ b)) == 0
}

fn write_text(id: TokenId, secret: &[u8; 32]) -> Zeroizing<String> {
    let secret = Zeroizing::new(base64::encode(secret));
    let secret = secret.trim_end_matches('=').chars().map(|c| match c {
        '+' => '-',
        '/' => '_',
        other => other,
    });
    let length = PREFIX.len() + 2 * id.0.len() + 1 + SECRET_LENGTH;
    let mut text = Zeroizing::new(String::with_capacity(length));
    text.push_str(PREFIX);
    text.push_str(&id.to_string());
    text.push('_');
    text.extend(secret);
    text
}

/// Reads exactly the texts that [`write_text`] makes.
fn read_text(text: &str) -> Option<(TokenId, Zeroizing<[u8; 32]>)> {
    let (id, secret) = text.strip_prefix(PREFIX)?.split_at_checked(16)?;
    let id = id.parse().ok()?;
    let secret = secret.strip_prefix('_')?;
    if secret.len() != SECRET_LENGTH || secret.contains(['+', '/']) {
        return None;
    }
    let mut padded = Zeroizing::new(String::with_capacity(SECRET_LENGTH + 1));
    padded.extend(secret.chars().map(|c| match c {
        '-' => '+',
        '_' => '/',
        other => other,
    }));
    padded.push('=');
    let bytes = Zeroizing::new(base64::decode(&padded)?);
    let secret = <&[u8; 32]>::try_from(bytes.as_slice()).ok()?;
    Some((id, Zeroizing::new(*secret)))
}

#[cfg(test)]
mod tests;
