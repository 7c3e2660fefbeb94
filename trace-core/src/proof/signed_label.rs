//! The signed label 监管用: a certificate's record itself, small enough for a QR
//! code, for an inspector at a market gate without a network.
//!
//! What whoever checks it knows already is left out: the ledger's origin (it is
//! part of the trust anchor), the rest of the signer's key id (the key is at
//! hand), the subjects (they follow from the body). Integers are big-endian:
//!
//! | size | field |
//! |---|---|
//! | 2 | `T1` |
//! | 2 | kind |
//! | 8 | the first bytes of the signer's key id: which key to check with |
//! | 8 | signer's sequence |
//! | 32 | hash of the signer's previous record |
//! | 6 | `signed_at_ms`, until the year 10889 |
//! | 64 | Ed25519 signature over the record's signed bytes |
//! | n | the body |
//!
//! A pass shows that the key signed exactly this record for this ledger. It does
//! not show that the ledger ever admitted it, nor that it was not voided, replaced
//! or recalled since, nor that these goods are those goods: a copied code is as
//! genuine as its original. Whose key it is must be known from elsewhere, as from
//! a bundle of the same signer.

use crate::error::{Invalid, Rule, Verify};
use crate::record::layout::Unverified;
use crate::record::sign::{Key, KeyId, Signature};
use crate::record::{Body, Hash, Origin, Signed, Statement, Verified};

const MAGIC: &[u8; 2] = b"T1";

/// What stands before the body.
const HEAD_BYTES: usize = 2 + 2 + 8 + 8 + 32 + 6 + 64;

/// The largest QR code holds 2,953 bytes (version 40, level L).
pub const SIGNED_LABEL_BYTES_MAX: usize = 2_953;

/// A record as a label carries it: a claim, until verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedLabel {
    kind: u16,
    key_start: [u8; 8],
    sequence: u64,
    link: Hash,
    signed_at_ms: u64,
    signature: Signature,
    body: Vec<u8>,
}

impl SignedLabel {
    /// Of a record.
    ///
    /// # Errors
    /// [`Rule::TooLarge`] for what no code holds, [`Rule::Subjects`] for a
    /// record whose subjects do not follow from its body, [`Rule::Range`] for a
    /// time behind the year 10889.
    pub fn of(record: &Signed) -> Result<Self, Invalid> {
        record.body()?;
        let said = record.statement();
        let mut key_start = [0; 8];
        for (to, from) in key_start.iter_mut().zip(said.key.as_bytes()) {
            *to = *from;
        }
        let bytes = HEAD_BYTES + said.body.len();
        if bytes > SIGNED_LABEL_BYTES_MAX {
            let what = format!("{bytes} bytes, a code holds {SIGNED_LABEL_BYTES_MAX}");
            return Err(Invalid::new(Rule::TooLarge, what));
        }
        if said.signed_at_ms >= 1 << 48 {
            let what = format!("signed_at_ms {}, below 2^48", said.signed_at_ms);
            return Err(Invalid::new(Rule::Range, what));
        }
        Ok(Self {
            kind: said.kind,
            key_start,
            sequence: said.sequence,
            link: said.link,
            signed_at_ms: said.signed_at_ms,
            signature: *record.signature(),
            body: said.body.clone(),
        })
    }

    /// The bytes of the code.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let [_, _, time @ ..] = self.signed_at_ms.to_be_bytes();
        [
            MAGIC.as_slice(),
            &self.kind.to_be_bytes(),
            &self.key_start,
            &self.sequence.to_be_bytes(),
            self.link.as_bytes(),
            &time,
            self.signature.as_bytes(),
            &self.body,
        ]
        .concat()
    }

    /// Reads exactly what [`encode`](Self::encode) writes; the body stays
    /// undecoded.
    ///
    /// # Errors
    /// `Verify::Malformed` for bytes that are no signed label, an ordinary
    /// address among them.
    pub fn decode(bytes: &[u8]) -> Result<Self, Verify> {
        let wrong = |why: String| Verify::Malformed {
            what: "signed label",
            why,
        };
        if bytes.len() > SIGNED_LABEL_BYTES_MAX {
            return Err(wrong(format!("{} bytes", bytes.len())));
        }
        let Some(rest) = bytes.strip_prefix(MAGIC) else {
            return Err(wrong(
                "it does not begin with T1: another kind of code".into(),
            ));
        };
        let mut rest = rest;
        let short = || wrong(format!("{} bytes, at least {HEAD_BYTES}", bytes.len()));
        let kind = take::<2>(&mut rest).ok_or_else(short)?;
        let key_start = take::<8>(&mut rest).ok_or_else(short)?;
        let sequence = take::<8>(&mut rest).ok_or_else(short)?;
        let link = take::<32>(&mut rest).ok_or_else(short)?;
        let [a, b, c, d, e, f] = take::<6>(&mut rest).ok_or_else(short)?;
        let signature = take::<64>(&mut rest).ok_or_else(short)?;
        Ok(Self {
            kind: u16::from_be_bytes(kind),
            key_start,
            sequence: u64::from_be_bytes(sequence),
            link: Hash::from(link),
            signed_at_ms: u64::from_be_bytes([0, 0, a, b, c, d, e, f]),
            signature: Signature::from_bytes(signature),
            body: rest.to_vec(),
        })
    }

    /// Whether a key is the one that the label names, as far as its id stands
    /// there.
    #[must_use]
    pub fn names(&self, key: &KeyId) -> bool {
        key.as_bytes().starts_with(&self.key_start)
    }

    /// Checks that `key` signed this record for the ledger `origin`.
    ///
    /// # Errors
    /// `Verify::WrongLedger` for another key than the one named,
    /// `Verify::CannotCheck` for a kind that is unknown here,
    /// `Verify::Malformed` for a body that is none, `Verify::Signature`.
    pub fn verify(&self, origin: &Origin, key: &Key) -> Result<Verified, Verify> {
        let id = key.public().id();
        if !self.names(&id) {
            let start = self.key_start.iter();
            return Err(Verify::WrongLedger {
                found: id.to_string(),
                wanted: start.map(|byte| format!("{byte:02x}")).collect(),
            });
        }
        let malformed = |invalid: &Invalid| Verify::Malformed {
            what: "signed label",
            why: invalid.to_string(),
        };
        let body = Body::decode(self.kind, &self.body).map_err(|invalid| match invalid.rule {
            Rule::Kind => Verify::CannotCheck {
                why: invalid.to_string(),
            },
            _ => malformed(&invalid),
        })?;
        let statement = Statement {
            origin: origin.clone(),
            kind: self.kind,
            key: id,
            sequence: self.sequence,
            link: self.link,
            signed_at_ms: self.signed_at_ms,
            subjects: body.subjects(),
            body: self.body.clone(),
        };
        let signed = Signed::from_parts(&statement.encode(), &self.signature);
        let signed = signed.map_err(|invalid| malformed(&invalid))?;
        signed.verify(key).map_err(|unverified| match unverified {
            Unverified::Form(invalid) => malformed(&invalid),
            Unverified::Evidence(evidence) => evidence,
        })
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (head, behind) = rest.split_first_chunk::<N>()?;
    *rest = behind;
    Some(*head)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::kinds::voided::Voided;
    use crate::record::sign::SigningKey;

    fn origin() -> Origin {
        Origin::parse("langfang.example/trace").unwrap()
    }

    fn record(key: &SigningKey) -> Signed {
        let body = Body::from(Voided {
            target: Hash::of(&[b"target"]),
            unit: crate::ident::TraceCode::from_bytes([7; 10]),
            number: Some("131023-20260301-7K3M".into()),
            reason: "重复开具".into(),
            acted_by: None,
        });
        let link = Hash::of(&[b"before"]);
        Statement::new(
            origin(),
            key.public().id(),
            5,
            link,
            1_772_000_000_000,
            &body,
        )
        .sign(key)
    }

    #[test]
    fn a_label_is_the_record_again_bit_by_bit() {
        let key = SigningKey::from_seed([1; 32]);
        let record = record(&key);
        let bytes = SignedLabel::of(&record).unwrap().encode();
        let label = SignedLabel::decode(&bytes).unwrap();
        let verified = label.verify(&origin(), &key.key()).unwrap();
        assert_eq!(verified.hash(), record.hash());
        assert_eq!(bytes.len(), HEAD_BYTES + record.statement().body.len());
        assert!(bytes.len() < record.encode().len() - 100);
    }

    #[test]
    fn any_bit_flipped_and_any_byte_missing_is_refused() {
        let key = SigningKey::from_seed([1; 32]);
        let bytes = SignedLabel::of(&record(&key)).unwrap().encode();
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let refused =
                SignedLabel::decode(&flipped).and_then(|label| label.verify(&origin(), &key.key()));
            assert!(refused.is_err(), "bit {bit}");
        }
        for length in 0..bytes.len() {
            let refused = SignedLabel::decode(&bytes[..length])
                .and_then(|label| label.verify(&origin(), &key.key()));
            assert!(refused.is_err(), "{length} bytes");
        }
        let longer = [&bytes[..], &[0]].concat();
        let refused = SignedLabel::decode(&longer)
            .unwrap()
            .verify(&origin(), &key.key());
        assert!(refused.is_err());
    }

    #[test]
    fn another_key_another_ledger_and_an_ordinary_address_are_refused_as_such() {
        let key = SigningKey::from_seed([1; 32]);
        let other = SigningKey::from_seed([2; 32]);
        let label = SignedLabel::of(&record(&key)).unwrap();
        let refused = label.verify(&origin(), &other.key()).unwrap_err();
        assert!(matches!(refused, Verify::WrongLedger { .. }), "{refused}");
        let elsewhere = Origin::parse("other.example/trace").unwrap();
        let refused = label.verify(&elsewhere, &key.key()).unwrap_err();
        assert!(matches!(refused, Verify::Signature { .. }), "{refused}");
        for ordinary in ["https://trace.example/t/000G40R40M30E209P", "", "T"] {
            let refused = SignedLabel::decode(ordinary.as_bytes()).unwrap_err();
            assert!(matches!(refused, Verify::Malformed { .. }), "{refused}");
        }
        let mut unknown = label.encode();
        unknown[2] = 0x7f;
        let unknown = SignedLabel::decode(&unknown).unwrap();
        let refused = unknown.verify(&origin(), &key.key()).unwrap_err();
        assert!(matches!(refused, Verify::CannotCheck { .. }), "{refused}");
    }
}
