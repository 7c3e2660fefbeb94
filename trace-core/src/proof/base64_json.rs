//! Bytes and hashes as JSON text: the one spelling that receipts and bundles
//! use, canonical base 64 (a hash is 44 characters against 64 in hexadecimal).
//!
//! For `#[serde(with = …)]`. Not a format of its own.

use crate::record::{Hash, base64};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serializer};

fn decode<'de, D: Deserializer<'de>>(text: &str) -> Result<Vec<u8>, D::Error> {
    base64::decode(text).ok_or_else(|| D::Error::custom("not canonical, padded base 64"))
}

/// A string of bytes.
pub(super) mod bytes {
    use super::*;

    pub(crate) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&base64::encode(bytes))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<u8>, D::Error> {
        decode::<D>(&String::deserialize(deserializer)?)
    }
}

/// A list of strings of bytes.
pub(super) mod byte_strings {
    use super::*;

    pub(crate) fn serialize<S: Serializer>(
        all: &[Vec<u8>],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(all.iter().map(|bytes| base64::encode(bytes)))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<Vec<u8>>, D::Error> {
        let texts = Vec::<String>::deserialize(deserializer)?;
        texts.iter().map(|text| decode::<D>(text)).collect()
    }
}

/// A list of hashes.
pub(super) mod hashes {
    use super::*;

    pub(crate) fn serialize<S: Serializer>(
        hashes: &[Hash],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(hashes.iter().map(|hash| base64::encode(hash.as_bytes())))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<Hash>, D::Error> {
        let texts = Vec::<String>::deserialize(deserializer)?;
        let mut hashes = Vec::with_capacity(texts.len());
        for text in &texts {
            let bytes = <[u8; 32]>::try_from(decode::<D>(text)?)
                .map_err(|bytes| D::Error::custom(format!("a hash of {} bytes", bytes.len())))?;
            hashes.push(Hash::from(bytes));
        }
        Ok(hashes)
    }
}
