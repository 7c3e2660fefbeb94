//! Checkpoints: a ledger's signed word on its size and root, as C2SP
//! `tlog-checkpoint` (<https://c2sp.org/tlog-checkpoint>) writes them.
//!
//! ```text
//! langfang.example/trace
//! 20852163
//! CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=
//!
//! — langfang.example/trace Az3grl...
//! ```
//!
//! The name of the signing key is the origin. Extension lines are refused: this
//! ledger makes none, and what nobody checks must not stand under a signature.
//!
//! Not here: whether the ledger showed others the same checkpoint; for that,
//! readers compare theirs ([`VerifiedCheckpoint::verify_extends`]).

use super::merkle::{empty_root, verify_consistency};
use super::note::{Note, NoteSigner, VerifiedNote, VerifierKey, sign_note};
use crate::error::{Invalid, Rule, Verify};
use crate::record::origin::Origin;
use crate::record::{Hash, base64};
use std::fmt;

fn malformed(why: String) -> Verify {
    Verify::Malformed {
        what: "checkpoint",
        why,
    }
}

/// What a checkpoint says: this ledger has so many records, under this root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The ledger.
    pub origin: Origin,
    /// How many records.
    pub size: u64,
    /// The root of the Merkle tree over them.
    pub root: Hash,
}

impl Checkpoint {
    /// The three lines that are signed.
    #[must_use]
    pub fn text(&self) -> String {
        let root = base64::encode(self.root.as_bytes());
        format!("{}\n{}\n{root}\n", self.origin, self.size)
    }

    /// Reads the three lines; there is one text for each checkpoint.
    ///
    /// # Errors
    /// `Verify::Malformed` for anything else, and for an empty ledger whose
    /// root is not that of the empty tree.
    pub fn parse_text(text: &str) -> Result<Self, Verify> {
        let lines = text
            .strip_suffix('\n')
            .ok_or_else(|| malformed("the last line does not end in a newline".to_owned()))?;
        let mut lines = lines.split('\n');
        let (Some(origin), Some(size), Some(root), None) =
            (lines.next(), lines.next(), lines.next(), lines.next())
        else {
            return Err(malformed(format!(
                "{} lines, wanted 3: origin, size, root",
                text.matches('\n').count()
            )));
        };
        let origin = Origin::parse(origin).map_err(|invalid| malformed(invalid.what))?;
        let size = parse_size(size)
            .ok_or_else(|| malformed(format!("size {size:?}, wanted a plain decimal number")))?;
        let root = base64::decode(root)
            .and_then(|bytes| <[u8; 32]>::try_from(bytes).ok())
            .map(Hash::from)
            .ok_or_else(|| malformed(format!("root {root:?}, wanted 32 bytes in base 64")))?;
        let checkpoint = Self { origin, size, root };
        match checkpoint.fault() {
            Some(fault) => Err(malformed(fault)),
            None => Ok(checkpoint),
        }
    }

    /// Signs it as the ledger.
    ///
    /// That it does not contradict one signed before is the caller's to ensure.
    ///
    /// # Errors
    /// `Rule::Origin` when the signer's name is not the origin, `Rule::Range`
    /// when the ledger is empty and the root is not that of the empty tree.
    pub fn sign(&self, signer: &NoteSigner) -> Result<SignedCheckpoint, Invalid> {
        let name = signer.verifier_key().name();
        if name != self.origin.as_str() {
            return Err(Invalid::new(
                Rule::Origin,
                format!("checkpoint of {}, signer {name}", self.origin),
            ));
        }
        if let Some(fault) = self.fault() {
            return Err(Invalid::new(Rule::Range, fault));
        }
        let note = sign_note(&self.text(), &[signer])?;
        Ok(SignedCheckpoint { note })
    }

    /// Checks that something else the ledger signed, `what`, speaks of the same log
    /// at the same size.
    ///
    /// # Errors
    /// `Verify::WrongLedger` for another origin, `Verify::Malformed` for another
    /// size, and `Verify::Fork` for one size with two roots, which is proof
    /// against the ledger that signed both.
    pub(super) fn verify_same(&self, other: &Self, what: &'static str) -> Result<(), Verify> {
        if self.origin != other.origin {
            return Err(Verify::WrongLedger {
                found: self.origin.to_string(),
                wanted: other.origin.to_string(),
            });
        }
        if self.size != other.size {
            let (found, wanted) = (self.size, other.size);
            let why = format!("made at size {found}, the checkpoint has {wanted}");
            return Err(Verify::Malformed { what, why });
        }
        if self.root != other.root {
            let (size, root) = (self.size, self.root);
            let why = format!("size {size} with root {root} and with root {}", other.root);
            return Err(Verify::Fork { why });
        }
        Ok(())
    }

    fn fault(&self) -> Option<String> {
        (self.size == 0 && self.root != empty_root())
            .then(|| format!("size 0 with root {}, wanted {}", self.root, empty_root()))
    }
}

impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} size {} root {}", self.origin, self.size, self.root)
    }
}

/// A decimal number without sign, leading zero or anything else.
fn parse_size(digits: &str) -> Option<u64> {
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
    let leading_zero = digits.len() > 1 && digits.starts_with('0');
    if !plain || leading_zero {
        return None;
    }
    digits.parse().ok()
}

/// A checkpoint's note, byte for byte as it was signed or received: a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedCheckpoint {
    note: String,
}

impl SignedCheckpoint {
    /// A checkpoint as it was received; nothing is read yet.
    #[must_use]
    pub fn from_note(note: String) -> Self {
        Self { note }
    }

    /// The note, byte for byte.
    #[must_use]
    pub fn note(&self) -> &str {
        &self.note
    }

    /// Reads and verifies a checkpoint that carries the ledger's signature and
    /// no other, so that no byte of it could be another.
    ///
    /// It proves that the ledger's key said so; not that it told others the
    /// same.
    ///
    /// # Errors
    /// `Verify::Malformed`, `Verify::Signature`, or `Verify::WrongLedger` when
    /// another key signed it, or its origin is not the key's name.
    pub fn open(note: &str, key: &VerifierKey) -> Result<VerifiedCheckpoint, Verify> {
        let parsed = Note::parse(note)?;
        let verified = parsed.verify_all_known(std::slice::from_ref(key))?;
        VerifiedCheckpoint::of(&verified, note, key)
    }

    /// As [`open`](Self::open), but signatures by unknown keys are ignored, as
    /// C2SP asks of clients: witnesses may have added theirs.
    ///
    /// # Errors
    /// As `open`, except for lines of unknown keys.
    pub fn open_cosigned(note: &str, key: &VerifierKey) -> Result<VerifiedCheckpoint, Verify> {
        let parsed = Note::parse(note)?;
        let verified = parsed.verify(std::slice::from_ref(key))?;
        VerifiedCheckpoint::of(&verified, note, key)
    }

    /// Verifies this one, as [`open`](Self::open) does.
    ///
    /// # Errors
    /// As `open`.
    pub fn verify(&self, key: &VerifierKey) -> Result<VerifiedCheckpoint, Verify> {
        Self::open(&self.note, key)
    }
}

impl fmt::Display for SignedCheckpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.note)
    }
}

/// A checkpoint whose signature was verified; only the verifier makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedCheckpoint {
    checkpoint: Checkpoint,
    note: String,
}

impl VerifiedCheckpoint {
    fn of(verified: &VerifiedNote<'_, '_>, note: &str, key: &VerifierKey) -> Result<Self, Verify> {
        let checkpoint = Checkpoint::parse_text(verified.text())?;
        if checkpoint.origin.as_str() != key.name() {
            return Err(Verify::WrongLedger {
                found: checkpoint.origin.to_string(),
                wanted: key.name().to_owned(),
            });
        }
        Ok(Self {
            checkpoint,
            note: note.to_owned(),
        })
    }

    /// What it says.
    #[must_use]
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The ledger.
    #[must_use]
    pub fn origin(&self) -> &Origin {
        &self.checkpoint.origin
    }

    /// How many records.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.checkpoint.size
    }

    /// The root over them.
    #[must_use]
    pub fn root(&self) -> &Hash {
        &self.checkpoint.root
    }

    /// The note, byte for byte, to be kept or handed on.
    #[must_use]
    pub fn note(&self) -> &str {
        &self.note
    }

    /// Checks that the ledger has only grown since an older checkpoint.
    ///
    /// # Errors
    /// `Verify::WrongLedger` when they are of two ledgers, `Verify::Rollback`
    /// when the older one is the larger, `Verify::Fork` when both have one size
    /// and two roots (with both notes, that is proof against the ledger), and
    /// `Verify::Proof` when the path does not lead from one to the other (which
    /// proves nothing against it: the path may be at fault).
    pub fn verify_extends(&self, older: &Self, path: &[Hash]) -> Result<(), Verify> {
        let (now, then) = (&self.checkpoint, &older.checkpoint);
        if now.origin != then.origin {
            return Err(Verify::WrongLedger {
                found: now.origin.to_string(),
                wanted: then.origin.to_string(),
            });
        }
        if now.size < then.size {
            return Err(Verify::Rollback {
                why: format!("size {} after size {}", now.size, then.size),
            });
        }
        if now.size == then.size && now.root != then.root {
            return Err(Verify::Fork {
                why: format!(
                    "size {} with root {} and with root {}",
                    now.size, now.root, then.root
                ),
            });
        }
        verify_consistency(then.size, now.size, &then.root, &now.root, path)
    }
}

#[cfg(test)]
mod tests;
