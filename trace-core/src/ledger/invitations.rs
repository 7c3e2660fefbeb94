//! Invitations: how somebody who has no token yet is given one, once, in a file
//! that only grows.
//!
//! An authority makes an invitation for an entity and a role; its code, 80 random
//! bits, is printed or read out, and only its hash is stored. Whoever types it is
//! given a token within seven days, and nobody is a second time: that it was used
//! is durable before the token is made, so that a process killed between the two
//! has used an invitation up and given nothing, which another invitation mends.
//!
//! Not here: what the entity may do (the log says it) and its key.

use super::Failed;
use super::titled::{TitledFile, damaged};
use crate::error::{Invalid, Rule, Store};
use crate::ident::{Area, EntityId, InvitationCode};
use crate::record::wire::{AreaCode, TokenId};
use crate::record::{Hash, Role, encode};
use crate::store::disk::Disk;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Its file in a ledger's folder.
pub const INVITATIONS_FILE: &str = "invitations.log";

/// How long an invitation holds: a week, in which a letter arrives and a market day
/// falls.
pub const INVITATION_LIFE_MS: u64 = 7 * 24 * 3_600_000;

const TITLE: &[u8] = b"trace/invitations/v1\n";

/// To what somebody is invited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Invited {
    /// The entity that the token will act for.
    pub entity: EntityId,
    /// In what capacity.
    pub role: Role,
    /// Where: this area and everything below it.
    pub area: Option<Area>,
    /// The public id of the token that invited.
    pub by: TokenId,
}

/// What became of an invitation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// It was used, and the token of this id was made or was about to be.
    Used(TokenId),
    /// It was revoked.
    Revoked,
}

/// An invitation as it is known without its code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Invitation {
    /// How many were made before it.
    pub number: usize,
    /// To what.
    pub invited: Invited,
    /// When it was made, milliseconds since the epoch.
    pub made_ms: u64,
    /// The first moment at which it holds no more.
    pub expires_ms: u64,
    /// How and when it ended, where it did before that.
    pub ended: Option<(Ended, u64)>,
}

impl Invitation {
    /// Whether it can be used at a time.
    #[must_use]
    pub fn holds(&self, now_ms: u64) -> bool {
        self.ended.is_none() && now_ms < self.expires_ms
    }
}

/// A line of the file.
#[derive(Serialize, Deserialize)]
enum Line {
    Made {
        code_hash: Hash,
        entity: EntityId,
        role: Role,
        area: Option<AreaCode>,
        by: TokenId,
        made_ms: u64,
        expires_ms: u64,
    },
    Used {
        code_hash: Hash,
        token: TokenId,
        at_ms: u64,
    },
    Revoked {
        code_hash: Hash,
        at_ms: u64,
    },
}

type Rows = BTreeMap<Hash, Invitation>;

/// The invitations; shared by all threads of the one process that has the folder.
#[derive(Debug)]
pub struct Invitations {
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    file: TitledFile,
    rows: Rows,
}

impl Invitations {
    /// Makes a file without invitations.
    ///
    /// # Errors
    /// [`Store::Place`] when there is one already.
    pub fn create(disk: Arc<dyn Disk>, path: &Path) -> Result<Self, Store> {
        TitledFile::create(Arc::clone(&disk), path, TITLE, &[])?;
        Self::open(disk, path)
    }

    /// Opens the file, cutting a torn tail.
    ///
    /// # Errors
    /// [`Store::Place`] when there is none; [`Store::Damaged`].
    pub fn open(disk: Arc<dyn Disk>, path: &Path) -> Result<Self, Store> {
        let mut rows = Rows::new();
        let line = |line: &[u8]| read_line(&mut rows, path, line);
        let file = TitledFile::open(disk, path, TITLE, |_| Ok(()), line)?;
        Ok(Self {
            inner: Mutex::new(Inner { file, rows }),
        })
    }

    /// Makes an invitation that holds for [`INVITATION_LIFE_MS`]; durable when this
    /// returns. The code is for whoever is invited, and is stored nowhere.
    ///
    /// # Errors
    /// [`Store::Engine`] when the code is taken: it was not random; [`Store`].
    pub fn invite(
        &self,
        code: &InvitationCode,
        invited: Invited,
        now_ms: u64,
    ) -> Result<Invitation, Store> {
        let mut inner = self.lock();
        let code_hash = hash_of(code);
        if inner.rows.contains_key(&code_hash) {
            return Err(Store::Engine {
                what: "make an invitation",
                why: "its code is taken: it was not random".into(),
            });
        }
        let invitation = Invitation {
            number: inner.rows.len(),
            invited,
            made_ms: now_ms,
            expires_ms: now_ms.saturating_add(INVITATION_LIFE_MS),
            ended: None,
        };
        inner.append(&Line::Made {
            code_hash,
            entity: invited.entity,
            role: invited.role,
            area: invited.area.map(AreaCode::from),
            by: invited.by,
            made_ms: now_ms,
            expires_ms: invitation.expires_ms,
        })?;
        inner.rows.insert(code_hash, invitation);
        Ok(invitation)
    }

    /// What a code invites to, while it can be used.
    ///
    /// # Errors
    /// [`Rule::Token`], in the same words whatever is wrong.
    pub fn look(&self, code: &InvitationCode, now_ms: u64) -> Result<Invitation, Invalid> {
        let inner = self.lock();
        let found = inner.rows.get(&hash_of(code)).copied();
        found
            .filter(|found| found.holds(now_ms))
            .ok_or_else(not_one)
    }

    /// Uses an invitation up for a token that is about to be made; nobody can use it
    /// again when this returns.
    ///
    /// # Errors
    /// As of [`look`](Self::look); [`Store`]: whether it was used up is known when
    /// the file is opened again.
    pub fn redeem(
        &self,
        code: &InvitationCode,
        token: TokenId,
        now_ms: u64,
    ) -> Result<Invited, Failed> {
        let mut inner = self.lock();
        let code_hash = hash_of(code);
        let found = inner.rows.get(&code_hash).copied();
        let Some(found) = found.filter(|found| found.holds(now_ms)) else {
            return Err(not_one().into());
        };
        inner.append(&Line::Used {
            code_hash,
            token,
            at_ms: now_ms,
        })?;
        end(&mut inner.rows, &code_hash, Ended::Used(token), now_ms);
        Ok(found.invited)
    }

    /// Ends every invitation of an entity that still holds; how many.
    ///
    /// # Errors
    /// [`Store`]; those ended so far stay so.
    pub fn revoke_of(&self, entity: &EntityId, now_ms: u64) -> Result<usize, Store> {
        let mut inner = self.lock();
        let of_entity = inner
            .rows
            .iter()
            .filter(|(_, found)| found.invited.entity == *entity && found.holds(now_ms));
        let hashes: Vec<Hash> = of_entity.map(|(hash, _)| *hash).collect();
        for code_hash in &hashes {
            inner.append(&Line::Revoked {
                code_hash: *code_hash,
                at_ms: now_ms,
            })?;
            end(&mut inner.rows, code_hash, Ended::Revoked, now_ms);
        }
        Ok(hashes.len())
    }

    /// The newest invitation of an entity.
    #[must_use]
    pub fn newest_of(&self, entity: &EntityId) -> Option<Invitation> {
        let inner = self.lock();
        let own = inner
            .rows
            .values()
            .filter(|it| it.invited.entity == *entity);
        own.max_by_key(|it| it.number).copied()
    }

    /// How many invitations were made and how many of them were used.
    #[must_use]
    pub fn counts(&self) -> (usize, usize) {
        let inner = self.lock();
        let is_used = |it: &&Invitation| matches!(it.ended, Some((Ended::Used(_), _)));
        (
            inner.rows.len(),
            inner.rows.values().filter(is_used).count(),
        )
    }

    /// Every change under this lock is one step, so a panic leaves none half done.
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn append(&mut self, line: &Line) -> Result<(), Store> {
        self.file.append(&encode::encode(line))?;
        self.file.sync()
    }
}

fn not_one() -> Invalid {
    let what = "this is not an invitation in force: used, expired, revoked or mistyped";
    Invalid::new(Rule::Token, what)
}

fn hash_of(code: &InvitationCode) -> Hash {
    Hash::of(&[b"trace/invitation/v1\n", code.as_bytes()])
}

/// False when there is none, or it ended before.
fn end(rows: &mut Rows, code_hash: &Hash, ended: Ended, at_ms: u64) -> bool {
    let found = rows.get_mut(code_hash).filter(|it| it.ended.is_none());
    found.map(|it| it.ended = Some((ended, at_ms))).is_some()
}

fn read_line(rows: &mut Rows, path: &Path, line: &[u8]) -> Result<(), Store> {
    let wrong = |invalid: Invalid| damaged(path, &invalid.what);
    let (code_hash, ended, at_ms) = match encode::decode("invitation", line).map_err(wrong)? {
        Line::Made {
            code_hash,
            entity,
            role,
            area,
            by,
            made_ms,
            expires_ms,
        } => {
            let area = area.map(AreaCode::area).transpose().map_err(wrong)?;
            let invitation = Invitation {
                number: rows.len(),
                invited: Invited {
                    entity,
                    role,
                    area,
                    by,
                },
                made_ms,
                expires_ms,
                ended: None,
            };
            return match rows.insert(code_hash, invitation) {
                None => Ok(()),
                Some(_) => Err(damaged(path, "an invitation stands twice")),
            };
        }
        Line::Used {
            code_hash,
            token,
            at_ms,
        } => (code_hash, Ended::Used(token), at_ms),
        Line::Revoked { code_hash, at_ms } => (code_hash, Ended::Revoked, at_ms),
    };
    match end(rows, &code_hash, ended, at_ms) {
        true => Ok(()),
        false => Err(damaged(path, "an invitation ends that did not stand")),
    }
}

#[cfg(test)]
mod tests;
