//! The trust anchor: all that a reader must have from a source it trusts, and
//! all that it needs, to check everything else a ledger shows.
//!
//! ```text
//! langfang.example/trace+3f2a9c10+Adr0…=+9b1c…(64 hexadecimal digits)
//! ```
//!
//! The ledger's verifier key, then the hash of its first leaf. The key says who
//! signs checkpoints; the leaf says by whose authority everyone else signs, so
//! that a ledger begun anew under the same key is another ledger. Not here: how
//! a reader comes by it, and whether to believe it.

use super::merkle::Hash;
use super::note::VerifierKey;
use crate::error::Verify;
use std::fmt;
use std::str::FromStr;

/// The ledger's key and the hash of its leaf 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anchor {
    /// The key that signs the ledger's checkpoints; its name is the origin.
    pub ledger_key: VerifierKey,
    /// The leaf hash of the ledger's first record.
    pub leaf0: Hash,
}

impl Anchor {
    /// Reads a written anchor; there is one way to write each.
    ///
    /// # Errors
    /// `Verify::Malformed`, or `Verify::CannotCheck` for a key of another type.
    pub fn parse(text: &str) -> Result<Self, Verify> {
        let refuse = |why: &str| Verify::Malformed {
            what: "trust anchor",
            why: why.to_owned(),
        };
        // The key's base 64 may hold a plus; the hash never does.
        let (key, digits) = text
            .rsplit_once('+')
            .ok_or_else(|| refuse("wanted the ledger's key, a plus and the hash of leaf 0"))?;
        let leaf0 = Hash::from_hex(digits)
            .filter(|hash| hash.to_string() == digits)
            .ok_or_else(|| refuse("the hash of leaf 0 has 64 lower-case hexadecimal digits"))?;
        let ledger_key = VerifierKey::parse(key)?;
        Ok(Self { ledger_key, leaf0 })
    }
}

impl FromStr for Anchor {
    type Err = Verify;

    fn from_str(text: &str) -> Result<Self, Verify> {
        Self::parse(text)
    }
}

impl fmt::Display for Anchor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}+{}", self.ledger_key, self.leaf0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::sign::SigningKey;

    fn anchor(seed: u8) -> Anchor {
        let public = SigningKey::from_seed([seed; 32]).public();
        Anchor {
            ledger_key: VerifierKey::new("langfang.example/trace", &public).unwrap(),
            leaf0: Hash::of(&[&[seed]]),
        }
    }

    #[test]
    fn every_anchor_goes_there_and_back_a_plus_within_the_key_included() {
        let mut with_plus = 0;
        for seed in 0..=255 {
            let anchor = anchor(seed);
            let text = anchor.to_string();
            with_plus += usize::from(text.matches('+').count() > 3);
            assert_eq!(text.parse::<Anchor>(), Ok(anchor));
        }
        assert!(with_plus > 0, "no key with a plus was tried");
    }

    #[test]
    fn an_anchor_cut_short_or_with_any_bit_flipped_is_refused_or_another() {
        let sound = anchor(1);
        let text = sound.to_string();
        for length in 0..text.len() {
            assert!(Anchor::parse(&text[..length]).is_err(), "{length}");
        }
        for bit in 0..text.len() * 8 {
            let mut flipped = text.clone().into_bytes();
            flipped[bit / 8] ^= 1 << (bit % 8);
            if let Ok(flipped) = String::from_utf8(flipped) {
                assert_ne!(Anchor::parse(&flipped), Ok(sound.clone()), "{flipped}");
            }
        }
        let (key, hash) = text.rsplit_once('+').unwrap();
        for other in [
            format!("{key}+{}", hash.to_uppercase()),
            format!("{key}{hash}"),
            format!("{key}+{hash}\n"),
            format!(" {text}"),
            format!("{text}+{hash}"),
        ] {
            let refused = Anchor::parse(&other).unwrap_err();
            assert!(matches!(refused, Verify::Malformed { .. }), "{other}");
        }
    }
}
