//! The receipt 回执: what a submitter keeps to show, without the ledger, that
//! the ledger has its record.
//!
//! With the record's signed bytes it rebuilds the leaf, and from there the root
//! that the checkpoint signs. One compact JSON object, one spelling:
//!
//! ```text
//! {"admitted_ms":…,"algorithm":1,"signature":"base64","index":…,
//!  "path":["base64",…],"checkpoint":"signed note"}
//! ```
//!
//! A receipt does not show that the record was rightly admitted, nor that the
//! ledger shows others the same: for that, compare checkpoints.

use super::base64_json;
use super::checkpoint::{SignedCheckpoint, VerifiedCheckpoint};
use super::merkle::{Hash, leaf_hash, verify_inclusion};
use super::note::VerifierKey;
use crate::error::Verify;
use crate::record::Signed;
use crate::record::sign::{Algorithm, Signature};
use serde::{Deserialize, Serialize};

/// Largest receipt: a path of at most 64 hashes is 3 KiB in base 64, a
/// checkpoint with its signature 300 bytes, the rest 200.
pub const RECEIPT_BYTES_MAX: usize = 4 * 1024;

fn malformed(why: String) -> Verify {
    Verify::Malformed {
        what: "receipt",
        why,
    }
}

/// That the ledger admitted a record: a claim, until verified.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    /// When the ledger admitted the record, milliseconds since the epoch.
    pub admitted_ms: u64,
    /// The signature's algorithm: 1 is Ed25519.
    #[serde(with = "algorithm")]
    pub algorithm: Algorithm,
    /// The signer's signature over the signed bytes.
    #[serde(with = "signature")]
    pub signature: Signature,
    /// Where the record stands in the log.
    pub index: u64,
    /// From its leaf to the checkpoint's root.
    #[serde(with = "base64_json::hashes")]
    pub path: Vec<Hash>,
    /// The checkpoint, a signed note.
    pub checkpoint: String,
}

impl Receipt {
    /// The receipt's one spelling.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        #[expect(
            clippy::expect_used,
            reason = "numbers and text always have a JSON form"
        )]
        serde_json::to_vec(self).expect("plain values have a JSON form")
    }

    /// Reads exactly the bytes that [`encode`](Self::encode) makes.
    ///
    /// # Errors
    /// `Verify::Malformed` for any other bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, Verify> {
        if bytes.len() > RECEIPT_BYTES_MAX {
            let found = bytes.len();
            return Err(malformed(format!(
                "{found} bytes, at most {RECEIPT_BYTES_MAX}"
            )));
        }
        let receipt: Self =
            serde_json::from_slice(bytes).map_err(|error| malformed(error.to_string()))?;
        match receipt.encode() == bytes {
            true => Ok(receipt),
            false => Err(malformed("not in its one spelling".to_owned())),
        }
    }

    /// Checks that the ledger of `key` holds the record of these signed bytes,
    /// with this signature, where and since when the receipt says.
    ///
    /// That the signature is the signer's is not shown: a submitter knows its
    /// own, others check it under the key that the ledger enrolled.
    ///
    /// # Errors
    /// `Verify::Malformed`, `Verify::Signature` (the checkpoint's),
    /// `Verify::WrongLedger`, or `Verify::Proof` when the path does not lead
    /// from this record to the checkpoint's root.
    pub fn verify(
        &self,
        signed_bytes: &[u8],
        key: &VerifierKey,
    ) -> Result<VerifiedReceipt, Verify> {
        let checkpoint = SignedCheckpoint::open(&self.checkpoint, key)?;
        let record = Signed::from_parts(signed_bytes, &self.signature).map_err(|invalid| {
            Verify::Malformed {
                what: "record",
                why: invalid.what,
            }
        })?;
        let found = &record.statement().origin;
        if found != checkpoint.origin() {
            return Err(Verify::WrongLedger {
                found: found.to_string(),
                wanted: checkpoint.origin().to_string(),
            });
        }
        let leaf = leaf_hash(&record.entry(self.admitted_ms));
        let (size, root) = (checkpoint.size(), checkpoint.root());
        verify_inclusion(&leaf, self.index, size, &self.path, root)?;
        Ok(VerifiedReceipt {
            record: record.hash(),
            index: self.index,
            admitted_ms: self.admitted_ms,
            checkpoint,
        })
    }
}

/// A receipt that was verified against its record; only the verifier makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedReceipt {
    record: Hash,
    index: u64,
    admitted_ms: u64,
    checkpoint: VerifiedCheckpoint,
}

impl VerifiedReceipt {
    /// The record's hash.
    #[must_use]
    pub fn record(&self) -> Hash {
        self.record
    }

    /// Where it stands in the log.
    #[must_use]
    pub fn index(&self) -> u64 {
        self.index
    }

    /// When it was admitted, by the ledger's clock.
    #[must_use]
    pub fn admitted_ms(&self) -> u64 {
        self.admitted_ms
    }

    /// Under which checkpoint: to be kept, and compared with later ones.
    #[must_use]
    pub fn checkpoint(&self) -> &VerifiedCheckpoint {
        &self.checkpoint
    }
}

mod algorithm {
    use super::*;
    use serde::{Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(own: &Algorithm, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u8(own.byte())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Algorithm, D::Error> {
        Algorithm::from_byte(u8::deserialize(from)?).map_err(D::Error::custom)
    }
}

mod signature {
    use super::*;
    use serde::{Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(own: &Signature, to: S) -> Result<S::Ok, S::Error> {
        base64_json::bytes::serialize(own.as_bytes(), to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Signature, D::Error> {
        let bytes = base64_json::bytes::deserialize(from)?;
        let bytes = <[u8; 64]>::try_from(bytes)
            .map_err(|bytes| D::Error::custom(format!("a signature of {} bytes", bytes.len())))?;
        Ok(Signature::from_bytes(bytes))
    }
}

#[cfg(test)]
mod tests;
