//! Canonical body bytes: postcard, decoded strictly. The only file that knows
//! the crate `postcard`.
//!
//! postcard reads over-long integers and ignores trailing bytes, so two byte
//! strings could decode to one value. Decoding here refuses leftovers,
//! re-encodes and compares; what is not identical is refused, so a body has
//! exactly one encoding.

use crate::error::{Invalid, Rule};
use serde::{Serialize, de::DeserializeOwned};

/// The canonical bytes of a value made of plain integers, text, byte arrays,
/// options and lists.
///
/// # Panics
/// Never: every body type is a plain value, whose encoding into memory cannot
/// fail.
#[must_use]
pub fn encode<T: Serialize>(value: &T) -> Vec<u8> {
    #[expect(
        clippy::expect_used,
        reason = "plain values into a growing buffer cannot fail"
    )]
    postcard::to_allocvec(value).expect("plain values encode")
}

/// Reads exactly the bytes that [`encode`] makes, and no others.
///
/// # Errors
/// [`Rule::Record`] when the bytes are short, left over, or not canonical.
pub fn decode<T: Serialize + DeserializeOwned>(what: &str, bytes: &[u8]) -> Result<T, Invalid> {
    let malformed = |why: String| Invalid::new(Rule::Record, format!("{what}: {why}"));
    let (value, rest) =
        postcard::take_from_bytes::<T>(bytes).map_err(|error| malformed(error.to_string()))?;
    if !rest.is_empty() {
        return Err(malformed(format!(
            "{} bytes are left over of {}",
            rest.len(),
            bytes.len()
        )));
    }
    let again = postcard::to_allocvec(&value).map_err(|error| malformed(error.to_string()))?;
    if again != bytes {
        return Err(malformed(
            "the bytes are not the canonical encoding of their value".into(),
        ));
    }
    Ok(value)
}

/// Reads a value that this program wrote itself, as derived tables are: all
/// bytes, but without proving that they are the only spelling.
///
/// # Errors
/// [`Rule::Record`] when the bytes are short, left over, or not of the type.
pub fn decode_own<T: DeserializeOwned>(what: &str, bytes: &[u8]) -> Result<T, Invalid> {
    let malformed = |why: String| Invalid::new(Rule::Record, format!("{what}: {why}"));
    let (value, rest) =
        postcard::take_from_bytes::<T>(bytes).map_err(|error| malformed(error.to_string()))?;
    match rest {
        [] => Ok(value),
        _ => Err(malformed(format!("{} bytes are left over", rest.len()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn canonical_bytes_are_read_and_every_other_spelling_is_refused() {
        let value = (300u32, String::from("粮"), Some(7u8));
        let bytes = encode(&value);
        assert_eq!(decode::<(u32, String, Option<u8>)>("t", &bytes), Ok(value));
        for cut in 0..bytes.len() {
            assert!(
                decode::<(u32, String, Option<u8>)>("t", &bytes[..cut]).is_err(),
                "cut {cut}"
            );
        }
        let mut longer = bytes;
        longer.push(0);
        assert!(decode::<(u32, String, Option<u8>)>("t", &longer).is_err());
        // 1 spelt in two bytes: postcard alone would read it.
        assert!(decode::<u32>("t", &[0x81, 0x00]).is_err());
        assert_eq!(decode::<u32>("t", &[0x01]), Ok(1));
    }
}
