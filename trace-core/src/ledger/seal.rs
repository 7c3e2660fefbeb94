//! Authenticated encryption: ChaCha20-Poly1305 (RFC 8439 section 2.8).
//!
//! The only file that knows the crate `chacha20poly1305`. Not here: where keys
//! and nonces come from, and where they are kept. Under one key a nonce must
//! never be used twice; random ones are safe for some 2^32 messages a key.

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{ChaCha20Poly1305, KeyInit};
use zeroize::Zeroizing;

/// A nonce's length in bytes.
pub const NONCE_BYTES: usize = 12;

/// How much longer the sealed bytes are than the plain ones: the tag.
pub const TAG_BYTES: usize = 16;

/// Encrypts `plain` and binds `aad` to it; the tag stands at the end.
///
/// # Panics
/// Never: only a message beyond 256 GiB cannot be sealed, and none fits in memory.
#[must_use]
pub fn seal(key: &[u8; 32], nonce: [u8; NONCE_BYTES], aad: &[u8], plain: &[u8]) -> Vec<u8> {
    let payload = Payload { msg: plain, aad };
    #[expect(
        clippy::expect_used,
        reason = "fails beyond 2^38 bytes only (RFC 8439 section 2.8), and callers seal less than 8 KiB"
    )]
    ChaCha20Poly1305::new(key.into())
        .encrypt(&nonce.into(), payload)
        .expect("short messages can be sealed")
}

/// Decrypts what [`seal`] made with the same key, nonce and `aad`; anything else
/// is `None`, with no word on what differs.
#[must_use]
pub fn unseal(
    key: &[u8; 32],
    nonce: [u8; NONCE_BYTES],
    aad: &[u8],
    sealed: &[u8],
) -> Option<Zeroizing<Vec<u8>>> {
    let payload = Payload { msg: sealed, aad };
    let plain = ChaCha20Poly1305::new(key.into()).decrypt(&nonce.into(), payload);
    plain.ok().map(Zeroizing::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> [u8; 32] {
        std::array::from_fn(|at| 0x80 + u8::try_from(at).unwrap())
    }

    /// RFC 8439 section 2.8.2.
    #[test]
    fn the_published_example_is_sealed_and_unsealed() {
        let nonce = [7, 0, 0, 0, 0x40, 0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47];
        let aad = [
            0x50, 0x51, 0x52, 0x53, 0xc0, 0xc1, 0xc2, 0xc3, 0xc4, 0xc5, 0xc6, 0xc7,
        ];
        let plain = b"Ladies and Gentlemen of the class of '99: If I could offer you \
            only one tip for the future, sunscreen would be it.";
        let sealed = seal(&key(), nonce, &aad, plain);
        assert_eq!(sealed.len(), plain.len() + TAG_BYTES);
        let hex = |bytes: &[u8]| bytes.iter().map(|b| format!("{b:02x}")).collect::<String>();
        assert_eq!(hex(&sealed[..16]), "d31a8d34648e60db7b86afbc53ef7ec2");
        assert_eq!(
            hex(&sealed[plain.len()..]),
            "1ae10b594f09e26a7e902ecbd0600691"
        );
        let opened = unseal(&key(), nonce, &aad, &sealed).unwrap();
        assert_eq!(opened.as_slice(), plain);
    }

    #[test]
    fn any_flipped_bit_of_key_nonce_aad_or_message_is_refused() {
        let (nonce, aad) = ([3; NONCE_BYTES], [4; 5]);
        let sealed = seal(&key(), nonce, &aad, b"short");
        for bit in 0..8 {
            for at in 0..32 {
                let mut other = key();
                other[at] ^= 1 << bit;
                assert_eq!(unseal(&other, nonce, &aad, &sealed), None);
            }
            for at in 0..NONCE_BYTES {
                let mut other = nonce;
                other[at] ^= 1 << bit;
                assert_eq!(unseal(&key(), other, &aad, &sealed), None);
            }
            for at in 0..aad.len() {
                let mut other = aad;
                other[at] ^= 1 << bit;
                assert_eq!(unseal(&key(), nonce, &other, &sealed), None);
            }
            for at in 0..sealed.len() {
                let mut other = sealed.clone();
                other[at] ^= 1 << bit;
                assert_eq!(unseal(&key(), nonce, &aad, &other), None);
            }
        }
        for length in 0..sealed.len() {
            assert_eq!(unseal(&key(), nonce, &aad, &sealed[..length]), None);
        }
    }
}
