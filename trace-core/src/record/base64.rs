//! Base 64 as signed notes write it: RFC 4648 section 4, padded, canonical.
//!
//! The only file that knows the crate `base64`. There is exactly one text for
//! any bytes: a decoder that forgave trailing bits or missing padding would let
//! a note be changed without its signature noticing.

use ::base64::Engine;
use ::base64::engine::general_purpose::STANDARD;

/// The one canonical text of these bytes, with padding.
#[must_use]
pub fn encode(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// The bytes of a canonical, padded text; anything else is `None`.
#[must_use]
pub fn decode(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4648 section 10.
    #[test]
    fn published_examples_go_both_ways() {
        for (bytes, text) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(encode(bytes.as_bytes()), text);
            assert_eq!(decode(text).as_deref(), Some(bytes.as_bytes()));
        }
    }

    #[test]
    fn any_other_spelling_is_refused() {
        for text in [
            "Zg", "Zg=", "Zg===", "Zh==", "Zm9=", "Zm8", "Zm8=\n", " Zm8=", "Zm-_", "Zm8=Zm8=", "=",
        ] {
            assert_eq!(decode(text), None, "{text:?}");
        }
    }
}
