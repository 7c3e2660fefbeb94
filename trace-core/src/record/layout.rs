//! A record's bytes, version 1: what is signed, what is logged. Integers are
//! big-endian.
//!
//! | size | field |
//! |---|---|
//! | 16 | `trace/record/v1\n` |
//! | 1 + n | length, then the ledger's origin |
//! | 2 | kind |
//! | 32 | signer's key id |
//! | 8 | signer's sequence, from 0, without gaps |
//! | 32 | hash of the signer's previous record, zeros for the first: the hash link |
//! | 8 | `signed_at_ms`, the signer's own clock |
//! | 1 + 32 n | count, then the sorted, distinct subject ids |
//! | 4 + n | length, then the body |
//!
//! `record_hash = SHA-256(signed bytes)`; an entry is
//! `admitted_ms (8) ‖ signed bytes ‖ algorithm (1) ‖ signature (64)`.
//! The exact bytes are kept and signed; nothing is ever encoded again.

use super::hash::Hash;
use super::kinds::Body;
use super::origin::Origin;
use super::sign::{Algorithm, Key, KeyId, Signature, SigningKey};
use super::subject::{SUBJECTS_MAX, SubjectId};
use super::wire::Countersignature;
use crate::error::{Invalid, Rule, Verify};

/// Largest entry. Larger documents and raw readings are stored beside the log
/// and bound by hash.
pub const ENTRY_BYTES_MAX: usize = 16 * 1024;

const MAGIC: &[u8; 16] = b"trace/record/v1\n";
/// Algorithm byte and signature.
const SIGNATURE_BYTES: usize = 1 + 64;
/// `admitted_ms`.
const STAMP_BYTES: usize = 8;

/// What a signer says, before or after signing: the fields of the signed bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// The ledger it is said to.
    pub origin: Origin,
    /// Number of the kind.
    pub kind: u16,
    /// Who says it.
    pub key: KeyId,
    /// The signer's count of records.
    pub sequence: u64,
    /// Hash of the signer's previous record.
    pub link: Hash,
    /// The signer's own clock, milliseconds since the epoch.
    pub signed_at_ms: u64,
    /// What it is about: sorted, distinct.
    pub subjects: Vec<SubjectId>,
    /// The body's canonical bytes.
    pub body: Vec<u8>,
}

impl Statement {
    /// A statement of `body`, with the subjects that follow from it.
    #[must_use]
    pub fn new(
        origin: Origin,
        key: KeyId,
        sequence: u64,
        link: Hash,
        signed_at_ms: u64,
        body: &Body,
    ) -> Self {
        Self {
            origin,
            kind: body.kind().number,
            key,
            sequence,
            link,
            signed_at_ms,
            subjects: body.subjects(),
            body: body.encode(),
        }
    }

    /// The exact bytes to sign.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(192 + 32 * self.subjects.len() + self.body.len());
        bytes.extend_from_slice(MAGIC);
        // An origin has at most 64 bytes and a list at most SUBJECTS_MAX ids by
        // construction; saturating keeps a mistake from signing another length.
        bytes.push(u8::try_from(self.origin.as_str().len()).unwrap_or(u8::MAX));
        bytes.extend_from_slice(self.origin.as_str().as_bytes());
        bytes.extend_from_slice(&self.kind.to_be_bytes());
        bytes.extend_from_slice(self.key.as_bytes());
        bytes.extend_from_slice(&self.sequence.to_be_bytes());
        bytes.extend_from_slice(self.link.as_bytes());
        bytes.extend_from_slice(&self.signed_at_ms.to_be_bytes());
        bytes.push(u8::try_from(self.subjects.len()).unwrap_or(u8::MAX));
        for subject in &self.subjects {
            bytes.extend_from_slice(subject.as_ref());
        }
        bytes.extend_from_slice(
            &u32::try_from(self.body.len())
                .unwrap_or(u32::MAX)
                .to_be_bytes(),
        );
        bytes.extend_from_slice(&self.body);
        bytes
    }

    /// Reads exactly the bytes that [`encode`](Self::encode) makes. The body
    /// stays undecoded: a reader may not know its kind.
    ///
    /// # Errors
    /// [`Rule::Version`], [`Rule::Record`] or [`Rule::Subjects`].
    pub fn decode(bytes: &[u8]) -> Result<Self, Invalid> {
        let mut reader = Reader { rest: bytes };
        let statement = reader.statement()?;
        if !reader.rest.is_empty() {
            let left = reader.rest.len();
            return Err(Invalid::new(
                Rule::Record,
                format!("{left} bytes are left over of {}", bytes.len()),
            ));
        }
        Ok(statement)
    }

    /// Signs these bytes.
    #[must_use]
    pub fn sign(&self, key: &SigningKey) -> Signed {
        let bytes = self.encode();
        let signature = key.sign(&bytes);
        Signed {
            hash: Hash::of(&[&bytes]),
            statement: self.clone(),
            bytes,
            algorithm: Algorithm::Ed25519,
            signature,
        }
    }
}

/// A signed record: a claim, until [`verify`](Signed::verify) made it
/// [`Verified`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    statement: Statement,
    bytes: Vec<u8>,
    algorithm: Algorithm,
    signature: Signature,
    hash: Hash,
}

impl Signed {
    /// Reads `signed bytes ‖ algorithm ‖ signature`.
    ///
    /// # Errors
    /// [`Rule::TooLarge`], [`Rule::Version`], [`Rule::Record`],
    /// [`Rule::Algorithm`] or [`Rule::Subjects`].
    pub fn decode(bytes: &[u8]) -> Result<Self, Invalid> {
        if bytes.len() + STAMP_BYTES > ENTRY_BYTES_MAX {
            let most = ENTRY_BYTES_MAX - STAMP_BYTES;
            return Err(Invalid::new(
                Rule::TooLarge,
                format!("a record of {} bytes, at most {most}", bytes.len()),
            ));
        }
        let split = bytes
            .len()
            .checked_sub(SIGNATURE_BYTES)
            .and_then(|at| bytes.split_at_checked(at));
        let Some((signed, [algorithm, signature @ ..])) = split else {
            return Err(short("a signature", SIGNATURE_BYTES, bytes.len()));
        };
        let statement = Statement::decode(signed)?;
        let algorithm = Algorithm::from_byte(*algorithm)?;
        let signature = <[u8; 64]>::try_from(signature)
            .map_err(|_| short("a signature", 64, signature.len()))?;
        let hash = Hash::of(&[signed]);
        Ok(Self {
            statement,
            bytes: signed.to_vec(),
            algorithm,
            signature: Signature::from_bytes(signature),
            hash,
        })
    }

    /// A record from its signed bytes and a signature made elsewhere.
    ///
    /// # Errors
    /// As [`decode`](Self::decode).
    pub fn from_parts(signed_bytes: &[u8], signature: &Signature) -> Result<Self, Invalid> {
        Self::decode(
            &[
                signed_bytes,
                &[Algorithm::Ed25519 as u8],
                signature.as_bytes(),
            ]
            .concat(),
        )
    }

    /// `signed bytes ‖ algorithm ‖ signature`.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        [
            self.bytes.as_slice(),
            &[self.algorithm as u8],
            self.signature.as_bytes(),
        ]
        .concat()
    }

    /// The entry that the log holds for this record, admitted then.
    #[must_use]
    pub fn entry(&self, admitted_ms: u64) -> Vec<u8> {
        [
            &admitted_ms.to_be_bytes(),
            self.bytes.as_slice(),
            &[self.algorithm as u8],
            self.signature.as_bytes(),
        ]
        .concat()
    }

    /// What is said.
    #[must_use]
    pub fn statement(&self) -> &Statement {
        &self.statement
    }

    /// The exact bytes that were signed.
    #[must_use]
    pub fn signed_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The signature.
    #[must_use]
    pub fn signature(&self) -> &Signature {
        &self.signature
    }

    /// Its algorithm.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// SHA-256 of the signed bytes.
    #[must_use]
    pub fn hash(&self) -> Hash {
        self.hash
    }

    /// Decodes the body and holds the stated subjects against it.
    ///
    /// # Errors
    /// [`Rule::Kind`] for an unknown kind, [`Rule::Subjects`], or a rule of form.
    pub fn body(&self) -> Result<Body, Invalid> {
        let body = Body::decode(self.statement.kind, &self.statement.body)?;
        let wanted = body.subjects();
        if wanted != self.statement.subjects {
            let found = self.statement.subjects.len();
            return Err(Invalid::new(
                Rule::Subjects,
                format!(
                    "{found} subjects stated; {} other ones follow from the body",
                    wanted.len()
                ),
            ));
        }
        Ok(body)
    }

    /// Checks the signature under `key`, which must be the one named, and
    /// decodes the body. Says nothing of the signer's right, nor of the log.
    ///
    /// # Errors
    /// The reason why it is no record of that key.
    pub fn verify(self, key: &Key) -> Result<Verified, Unverified> {
        let found = key.public().id();
        if found != self.statement.key {
            let wanted = self.statement.key.to_string();
            return Err(Unverified::Evidence(Verify::WrongLedger {
                found: found.to_string(),
                wanted,
            }));
        }
        let body = self.body()?;
        key.verify_strict(&self.bytes, &self.signature)
            .map_err(|_| Verify::Signature {
                what: format!("record {} under key {}", self.hash, self.statement.key),
            })?;
        Ok(Verified { signed: self, body })
    }
}

/// Why a signed record was not verified.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unverified {
    /// Its form is wrong.
    #[error(transparent)]
    Form(#[from] Invalid),
    /// Its signature is.
    #[error(transparent)]
    Evidence(#[from] Verify),
}

/// A record whose signature was checked and whose body was decoded. Only
/// [`Signed::verify`] makes one, so skipping the check does not compile.
#[derive(Debug, Clone, PartialEq)]
pub struct Verified {
    signed: Signed,
    body: Body,
}

impl Verified {
    /// What it says.
    #[must_use]
    pub fn body(&self) -> &Body {
        &self.body
    }

    /// Checks one countersignature against the key that it names. Says nothing
    /// of that key's right.
    ///
    /// # Errors
    /// [`Verify::Signature`] when that key did not sign this record's bytes
    /// with the list of countersignatures empty.
    pub fn verify_countersignature(
        &self,
        given: &Countersignature,
        key: &Key,
    ) -> Result<(), Verify> {
        let mut signature = [0u8; 64];
        let halves = given.r.0.iter().chain(&given.s.0);
        signature
            .iter_mut()
            .zip(halves)
            .for_each(|(to, from)| *to = *from);
        let message = countersigned_message(&self.signed.statement, &self.body);
        let what = || {
            format!(
                "countersignature of {} on record {}",
                given.key, self.signed.hash
            )
        };
        if key.public().id() != given.key {
            return Err(Verify::Signature { what: what() });
        }
        key.verify_strict(&message, &Signature::from_bytes(signature))
            .map_err(|_| Verify::Signature { what: what() })
    }
}

impl std::ops::Deref for Verified {
    type Target = Signed;

    fn deref(&self) -> &Signed {
        &self.signed
    }
}

/// What another key signs to agree with a statement:
/// `trace/countersign/v1\n` ‖ its signed bytes with no countersignature.
#[must_use]
pub fn countersigned_message(statement: &Statement, body: &Body) -> Vec<u8> {
    let bare = Statement {
        body: body.without_countersignatures().encode(),
        ..statement.clone()
    };
    [b"trace/countersign/v1\n", bare.encode().as_slice()].concat()
}

/// An entry of the log: a signed record and when it was admitted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// When the ledger admitted it, milliseconds since the epoch.
    pub admitted_ms: u64,
    /// The record.
    pub signed: Signed,
}

impl Entry {
    /// Reads an entry's bytes.
    ///
    /// # Errors
    /// As [`Signed::decode`].
    pub fn decode(bytes: &[u8]) -> Result<Self, Invalid> {
        let Some((stamp, record)) = bytes.split_first_chunk::<STAMP_BYTES>() else {
            return Err(short("an admission time", STAMP_BYTES, bytes.len()));
        };
        Ok(Self {
            admitted_ms: u64::from_be_bytes(*stamp),
            signed: Signed::decode(record)?,
        })
    }

    /// The kind and the signer's key id that an entry's bytes state, for those
    /// who sort entries before they read them; `None` where there is no room.
    #[must_use]
    pub fn peek(bytes: &[u8]) -> Option<(u16, KeyId)> {
        let (_, rest) = bytes.split_at_checked(STAMP_BYTES + MAGIC.len())?;
        let (origin, rest) = rest.split_first()?;
        let (_, rest) = rest.split_at_checked(usize::from(*origin))?;
        let (kind, rest) = rest.split_first_chunk::<2>()?;
        let (key, _) = rest.split_first_chunk::<32>()?;
        Some((u16::from_be_bytes(*kind), KeyId::from(Hash::from(*key))))
    }

    /// The entry's bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        self.signed.entry(self.admitted_ms)
    }
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn statement(&mut self) -> Result<Statement, Invalid> {
        if self.take::<16>("the version line")? != *MAGIC {
            return Err(Invalid::new(
                Rule::Version,
                "the bytes do not begin with `trace/record/v1`",
            ));
        }
        let [length] = self.take::<1>("the origin's length")?;
        let origin = self.slice("the origin", usize::from(length))?;
        let origin =
            std::str::from_utf8(origin).map_err(|_| Invalid::new(Rule::Origin, "not text"))?;
        let origin = Origin::parse(origin)?;
        let kind = u16::from_be_bytes(self.take("the kind")?);
        let key = KeyId::from(Hash::from(self.take::<32>("the key id")?));
        let sequence = u64::from_be_bytes(self.take("the sequence")?);
        let link = Hash::from(self.take::<32>("the hash link")?);
        let signed_at_ms = u64::from_be_bytes(self.take("the signing time")?);
        let [count] = self.take::<1>("the count of subjects")?;
        if usize::from(count) > SUBJECTS_MAX {
            return Err(Invalid::new(
                Rule::Subjects,
                format!("{count} subjects, at most {SUBJECTS_MAX}"),
            ));
        }
        let mut subjects = Vec::with_capacity(usize::from(count));
        for _ in 0..count {
            subjects.push(SubjectId(Hash::from(self.take::<32>("a subject id")?)));
        }
        if !subjects.is_sorted_by(|a, b| a < b) {
            return Err(Invalid::new(
                Rule::Subjects,
                "subject ids are not sorted and distinct",
            ));
        }
        let length = u32::from_be_bytes(self.take("the body's length")?);
        let body = self
            .slice("the body", usize::try_from(length).unwrap_or(usize::MAX))?
            .to_vec();
        Ok(Statement {
            origin,
            kind,
            key,
            sequence,
            link,
            signed_at_ms,
            subjects,
            body,
        })
    }

    fn take<const N: usize>(&mut self, what: &str) -> Result<[u8; N], Invalid> {
        let (taken, rest) = self
            .rest
            .split_first_chunk::<N>()
            .ok_or_else(|| short(what, N, self.rest.len()))?;
        self.rest = rest;
        Ok(*taken)
    }

    fn slice(&mut self, what: &str, length: usize) -> Result<&'a [u8], Invalid> {
        let (taken, rest) = self
            .rest
            .split_at_checked(length)
            .ok_or_else(|| short(what, length, self.rest.len()))?;
        self.rest = rest;
        Ok(taken)
    }
}

fn short(what: &str, wanted: usize, found: usize) -> Invalid {
    Invalid::new(
        Rule::Record,
        format!("the bytes end within {what}: {wanted} wanted, {found} left"),
    )
}
