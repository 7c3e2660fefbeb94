//! A signer's own side of its chain: one key in one ledger, each record linked
//! to the one before.

use super::hash::Hash;
use super::kinds::Body;
use super::layout::{Signed, Statement};
use super::origin::Origin;
use super::sign::{KeyId, Signature, SigningKey};
use super::wire::{Bytes32, Countersignature};

/// A key and where its chain stands.
///
/// After a refusal, [`resume`](Self::resume) from the last acknowledged record
/// and sign the tail again; never sign again a sequence for which there is a
/// receipt: there, send the old bytes.
#[derive(Debug)]
pub struct Chain {
    origin: Origin,
    key: SigningKey,
    id: KeyId,
    sequence: u64,
    link: Hash,
}

impl Chain {
    /// A chain that has not begun.
    #[must_use]
    pub fn new(origin: Origin, key: SigningKey) -> Self {
        let id = key.public().id();
        Self {
            origin,
            key,
            id,
            sequence: 0,
            link: Hash::ZERO,
        }
    }

    /// Stands at the sequence to sign next, after the record with this hash.
    pub fn resume(&mut self, sequence: u64, link: Hash) {
        (self.sequence, self.link) = (sequence, link);
    }

    /// The key's id.
    #[must_use]
    pub fn id(&self) -> KeyId {
        self.id
    }

    /// The private key.
    #[must_use]
    pub fn key(&self) -> &SigningKey {
        &self.key
    }

    /// The sequence and link of the record to sign next.
    #[must_use]
    pub fn next(&self) -> (u64, Hash) {
        (self.sequence, self.link)
    }

    /// The statement of `body` that would be signed next.
    #[must_use]
    pub fn state(&self, body: &Body, signed_at_ms: u64) -> Statement {
        Statement::new(
            self.origin.clone(),
            self.id,
            self.sequence,
            self.link,
            signed_at_ms,
            body,
        )
    }

    /// Signs `body` as the next record.
    #[must_use]
    pub fn sign(&mut self, body: &Body, signed_at_ms: u64) -> Signed {
        let signed = self.state(body, signed_at_ms).sign(&self.key);
        (self.sequence, self.link) = (self.sequence.saturating_add(1), signed.hash());
        signed
    }
}

/// Agrees with a statement: the countersignature to put into its body.
#[must_use]
pub fn countersign(key: &SigningKey, statement: &Statement, body: &Body) -> Countersignature {
    let signature: Signature = key.sign(&super::layout::countersigned_message(statement, body));
    let mut halves = [[0u8; 32]; 2];
    for (half, bytes) in halves.iter_mut().zip(signature.as_bytes().chunks_exact(32)) {
        half.iter_mut()
            .zip(bytes)
            .for_each(|(to, from)| *to = *from);
    }
    let [r, s] = halves;
    Countersignature {
        key: key.public().id(),
        r: Bytes32(r),
        s: Bytes32(s),
    }
}
