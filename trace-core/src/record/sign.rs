//! Ed25519 keys and signatures (RFC 8032), as strict as they can be.
//!
//! The only file that knows the crate `ed25519-dalek`. Everything is decided by
//! `verify_strict`: the plain and the batch verification of the same crate
//! accept other sets of signatures, and two readers of one ledger must never
//! disagree. Not here: who holds a key, and what a key may do.

use crate::error::{Invalid, Rule, Verify};
use crate::record::Hash;
use ed25519_dalek::Signer;
use std::fmt;
use zeroize::Zeroizing;

/// The algorithm of a key and its signatures: one byte in an entry and in a
/// key id.
///
/// 2 is kept for SM2 with SM3 (GB/T 32918, GB/T 32905), should a ledger be
/// required to use it; until then it is as unknown as any other byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Algorithm {
    /// Ed25519, RFC 8032.
    Ed25519 = 1,
}

impl Algorithm {
    /// The byte that stands for it.
    #[must_use]
    pub const fn byte(self) -> u8 {
        match self {
            Self::Ed25519 => 1,
        }
    }

    /// The algorithm that a byte stands for.
    ///
    /// # Errors
    /// `Rule::Algorithm`, naming the byte, when it stands for none.
    pub fn from_byte(byte: u8) -> Result<Self, Invalid> {
        match byte {
            1 => Ok(Self::Ed25519),
            other => Err(Invalid::new(
                Rule::Algorithm,
                format!("algorithm {other}, wanted 1 (Ed25519)"),
            )),
        }
    }
}

/// A key's id: SHA-256(`trace/key/v1\n` ‖ algorithm ‖ public key).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(Hash);

impl KeyId {
    /// The id of a public key.
    #[must_use]
    pub fn of(algorithm: Algorithm, public: &PublicKey) -> Self {
        Self(Hash::of(&[
            b"trace/key/v1\n",
            &[algorithm.byte()],
            public.as_bytes(),
        ]))
    }

    /// The hash that it is.
    #[must_use]
    pub fn hash(self) -> Hash {
        self.0
    }

    /// The 32 bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }
}

impl From<Hash> for KeyId {
    /// An id as it was read; whose it is, the enrolments say.
    fn from(hash: Hash) -> Self {
        Self(hash)
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

fn write_hex(bytes: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
}

/// The 32 bytes of a public key, as they were written: a claim, not yet a
/// point on the curve.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey([u8; 32]);

impl PublicKey {
    /// A public key as it was read.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The key's id, as an Ed25519 key.
    #[must_use]
    pub fn id(&self) -> KeyId {
        KeyId::of(Algorithm::Ed25519, self)
    }

    /// Checks that the key is fit to be enrolled: a point on the curve, in its
    /// one canonical encoding, not of small order, and free of torsion, so that
    /// no two keys are one and every verifier agrees on its signatures.
    ///
    /// It does not show that anybody holds the private key.
    ///
    /// # Errors
    /// `Rule::Key`, saying which of the four fails.
    pub fn accept(&self) -> Result<Key, Invalid> {
        let refuse = |why: &str| Invalid::new(Rule::Key, format!("public key {self} {why}"));
        let Ok(key) = ed25519_dalek::VerifyingKey::from_bytes(&self.0) else {
            return Err(refuse("is not a point on the curve"));
        };
        let point = key.to_edwards();
        // Decompression takes y modulo p and ignores the sign of x = 0 (RFC
        // 8032 section 5.1.3 refuses both): only re-encoding shows them.
        if point.compress().to_bytes() != self.0 {
            return Err(refuse("is not in its canonical encoding"));
        }
        if key.is_weak() {
            return Err(refuse("is a point of small order"));
        }
        if !point.is_torsion_free() {
            return Err(refuse("has a part of small order"));
        }
        Ok(Key(key))
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(&self.0, f)
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({self})")
    }
}

/// A public key whose point has been computed, which costs a square root in the
/// field: kept by whoever checks many signatures of one key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key(ed25519_dalek::VerifyingKey);

impl Key {
    /// Computes the point. For keys that were accepted once already;
    /// [`PublicKey::accept`] is for those that were not.
    ///
    /// # Errors
    /// `Verify::Malformed` when the bytes are not a point on the curve.
    pub fn parse(public: &PublicKey) -> Result<Self, Verify> {
        ed25519_dalek::VerifyingKey::from_bytes(&public.0)
            .map(Self)
            .map_err(|_| Verify::Malformed {
                what: "public key",
                why: format!("{public} is not a point on the curve"),
            })
    }

    /// The public key's bytes.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.to_bytes())
    }

    /// Checks a signature: canonical S, neither R nor the key of small order,
    /// and the equation without cofactor (RFC 8032 section 5.1.7).
    ///
    /// # Errors
    /// `Verify::Signature` when it does not verify.
    pub fn verify_strict(&self, message: &[u8], signature: &Signature) -> Result<(), Verify> {
        let signature = ed25519_dalek::Signature::from_bytes(&signature.0);
        self.0
            .verify_strict(message, &signature)
            .map_err(|_| Verify::Signature {
                what: format!("{} bytes by key {}", message.len(), self.public()),
            })
    }
}

/// Checks one signature under a public key; see [`Key::verify_strict`].
///
/// # Errors
/// `Verify::Malformed` when the key is not a point, `Verify::Signature` when
/// the signature does not verify.
pub fn verify_strict(
    public: &PublicKey,
    message: &[u8],
    signature: &Signature,
) -> Result<(), Verify> {
    Key::parse(public)?.verify_strict(message, signature)
}

/// The 64 bytes of a signature, as they were written: a claim.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Signature([u8; 64]);

impl Signature {
    /// A signature as it was read.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 64]) -> Self {
        Self(bytes)
    }

    /// The 64 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 64] {
        &self.0
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(&self.0, f)
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signature({self})")
    }
}

/// A private key: wiped from memory when dropped, never shown.
///
/// Not `Clone`: a second copy is made knowingly, from the seed.
pub struct SigningKey(ed25519_dalek::SigningKey);

impl SigningKey {
    /// The key of a seed of 32 random bytes (RFC 8032 section 5.1.5). The
    /// caller's own copy of the seed is the caller's to wipe.
    #[must_use]
    pub fn from_seed(seed: [u8; 32]) -> Self {
        let seed = Zeroizing::new(seed);
        Self(ed25519_dalek::SigningKey::from_bytes(&seed))
    }

    /// The public key.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key().to_bytes())
    }

    /// The public key with its point.
    #[must_use]
    pub fn key(&self) -> Key {
        Key(self.0.verifying_key())
    }

    /// Signs a message. The same message always gives the same signature.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> Signature {
        Signature(self.0.sign(message).to_bytes())
    }

    /// The seed, to be stored encrypted; wiped when dropped.
    #[must_use]
    pub fn seed(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.0.to_bytes())
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey(of {})", self.public())
    }
}

#[cfg(test)]
mod tests;
