//! A bundle's bytes: one compact JSON object, one spelling.
//!
//! ```text
//! {"version":1,"code":"XXXX-XXXX-XXXX-XXXX-X",
//!  "checkpoint":"signed note","completeness":"signed note",
//!  "records":[{"index":0,"entry":"base64","path":["base64",…]},…]}
//! ```
//!
//! (without the line breaks shown), records by ascending index. Whatever is
//! read is written again and compared, so that white space, the order of keys,
//! the case of a code, escapes and trailing bits of base 64 cannot vary: of
//! two files that say the same, one is refused.

use super::{Bundle, BundleRecord};
use crate::error::Verify;
use crate::ident::TraceCode;
use crate::proof::base64_json;
use crate::proof::merkle::Hash;
use serde::{Deserialize, Serialize};

/// Most records of a bundle: a unit's story is tens of records, and the
/// governance of its signers hundreds.
pub const BUNDLE_RECORDS_MAX: usize = 4096;

/// Largest bundle: 4,096 records of 4 KiB, namely an entry of up to 2 KiB (2.7
/// in base 64) and, in a log of 10^7 records, a path of 24 hashes of 47
/// characters, which is 1.1 KiB. Two notes of 1 MiB fit where records are fewer.
pub const BUNDLE_BYTES_MAX: usize = 16 << 20;

/// The format's version.
const VERSION: u64 = 1;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: u64,
    code: TraceCode,
    checkpoint: String,
    completeness: String,
    records: Vec<FileRecord>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileRecord {
    index: u64,
    #[serde(with = "base64_json::bytes")]
    entry: Vec<u8>,
    #[serde(with = "base64_json::hashes")]
    path: Vec<Hash>,
}

/// As much as every version has, to tell a later one from damage.
#[derive(Deserialize)]
struct AnyVersion {
    version: u64,
}

fn malformed(why: String) -> Verify {
    Verify::Malformed {
        what: "bundle",
        why,
    }
}

impl File {
    fn encode(&self) -> Vec<u8> {
        #[expect(
            clippy::expect_used,
            reason = "numbers and text always have a JSON form"
        )]
        serde_json::to_vec(self).expect("plain values have a JSON form")
    }
}

impl Bundle {
    /// The bundle's one spelling.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let records = self.records.iter().cloned();
        let file = File {
            version: VERSION,
            code: self.code,
            checkpoint: self.checkpoint.clone(),
            completeness: self.completeness.clone(),
            records: records
                .map(|BundleRecord { index, entry, path }| FileRecord { index, entry, path })
                .collect(),
        };
        file.encode()
    }

    /// Reads exactly the bytes that [`encode`](Self::encode) makes; nothing is
    /// verified yet.
    ///
    /// # Errors
    /// `Verify::Malformed` for any other bytes or beyond the limits,
    /// `Verify::CannotCheck` for another version.
    pub fn decode(bytes: &[u8]) -> Result<Self, Verify> {
        let found = bytes.len();
        if found > BUNDLE_BYTES_MAX {
            return Err(malformed(format!(
                "{found} bytes, at most {BUNDLE_BYTES_MAX}"
            )));
        }
        let file: File =
            serde_json::from_slice(bytes).map_err(|error| {
                match serde_json::from_slice::<AnyVersion>(bytes) {
                    Ok(other) if other.version != VERSION => unknown(other.version),
                    _ => malformed(error.to_string()),
                }
            })?;
        if file.version != VERSION {
            return Err(unknown(file.version));
        }
        let records = file.records.len();
        if records > BUNDLE_RECORDS_MAX {
            return Err(malformed(format!(
                "{records} records, at most {BUNDLE_RECORDS_MAX}"
            )));
        }
        if file.encode() != bytes {
            return Err(malformed("not in its one spelling".to_owned()));
        }
        let records = file.records.into_iter();
        let bundle = Self {
            code: file.code,
            checkpoint: file.checkpoint,
            completeness: file.completeness,
            records: records
                .map(|FileRecord { index, entry, path }| BundleRecord { index, entry, path })
                .collect(),
        };
        match bundle.is_sorted() {
            true => Ok(bundle),
            false => Err(malformed(
                "records are not sorted by index and distinct".to_owned(),
            )),
        }
    }
}

fn unknown(found: u64) -> Verify {
    Verify::CannotCheck {
        why: format!("a bundle of version {found}, wanted {VERSION}"),
    }
}
