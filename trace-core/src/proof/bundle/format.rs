//! A bundle's bytes: one compact JSON object, one spelling.
//!
//! ```text
//! {"version":1,"code":"XXXX-XXXX-XXXX-XXXX-X",
//!  "checkpoint":"signed note","completeness":"signed note",
//!  "records":[{"index":0,"entry":"base64","path":["base64",…]},…]}
//! ```
//!
//! (without the line breaks shown), records by ascending index. A bundle that
//! carries temperatures is of version 2 and has at its end
//!
//! ```text
//! "temperatures":{"statement":"signed note",
//!  "readings":[{"probe":"XXXX-XXXX-XXXX-XXXX-X","segment":0,"chunks":["base64",…]},…]}
//! ```
//!
//! with `null` for the segment of what is not sealed; shelves by ascending probe
//! and number, the unsealed last. Whatever is
//! read is written again and compared, so that white space, the order of keys,
//! the case of a code, escapes and trailing bits of base 64 cannot vary: of
//! two files that say the same, one is refused.

use super::{Bundle, BundleRecord};
use crate::error::Verify;
use crate::ident::{EquipmentId, TraceCode};
use crate::proof::base64_json;
use crate::proof::merkle::Hash;
use crate::proof::temperatures::{Shelf, Temperatures};
use serde::{Deserialize, Serialize};

/// Most records of a bundle: a unit's story is tens of records, and the
/// governance of its signers hundreds.
pub const BUNDLE_RECORDS_MAX: usize = 4096;

/// Largest bundle: 4,096 records of 4 KiB, namely an entry of up to 2 KiB (2.7
/// in base 64) and, in a log of 10^7 records, a path of 24 hashes of 47
/// characters, which is 1.1 KiB. Two notes of 1 MiB fit where records are fewer.
pub const BUNDLE_BYTES_MAX: usize = 16 << 20;

/// Most readings of a bundle: 45 days of 16 probes at one a minute; 16 MiB of
/// memory while they are checked, and at three bytes each 4 MiB in base 64.
pub const BUNDLE_READINGS_MAX: u64 = 1 << 20;

/// Most bytes of compressed readings: in base 64 two thirds of the largest
/// bundle.
pub const BUNDLE_READINGS_BYTES_MAX: usize = 8 << 20;

/// The format's version.
const VERSION: u64 = 1;

/// Its version with temperatures.
const VERSION_WITH_TEMPERATURES: u64 = 2;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: u64,
    code: TraceCode,
    checkpoint: String,
    completeness: String,
    records: Vec<FileRecord>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    temperatures: Option<FileTemperatures>,
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

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileTemperatures {
    statement: String,
    readings: Vec<FileShelf>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileShelf {
    probe: EquipmentId,
    segment: Option<u64>,
    #[serde(with = "base64_json::byte_strings")]
    chunks: Vec<Vec<u8>>,
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
        let temperatures = self.temperatures.as_ref().map(|own| FileTemperatures {
            statement: own.statement.clone(),
            readings: own.readings.iter().map(FileShelf::of).collect(),
        });
        let file = File {
            version: version_with(temperatures.is_some()),
            code: self.code,
            checkpoint: self.checkpoint.clone(),
            completeness: self.completeness.clone(),
            records: records
                .map(|BundleRecord { index, entry, path }| FileRecord { index, entry, path })
                .collect(),
            temperatures,
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
                    Ok(other) if !is_known(other.version) => unknown(other.version),
                    _ => malformed(error.to_string()),
                }
            })?;
        if !is_known(file.version) {
            return Err(unknown(file.version));
        }
        if file.version != version_with(file.temperatures.is_some()) {
            return Err(malformed(format!(
                "version {VERSION_WITH_TEMPERATURES} has temperatures, version {VERSION} none"
            )));
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
            temperatures: file.temperatures.map(|file| Temperatures {
                statement: file.statement,
                readings: file.readings.into_iter().map(FileShelf::shelf).collect(),
            }),
        };
        match bundle.is_sorted() {
            true => Ok(bundle),
            false => Err(malformed(
                "records are not sorted by index and distinct, or shelves by probe and number"
                    .to_owned(),
            )),
        }
    }
}

impl FileShelf {
    fn of(shelf: &Shelf) -> Self {
        Self {
            probe: shelf.probe,
            segment: shelf.segment,
            chunks: shelf.chunks.clone(),
        }
    }

    fn shelf(self) -> Shelf {
        let Self {
            probe,
            segment,
            chunks,
        } = self;
        Shelf {
            probe,
            segment,
            chunks,
        }
    }
}

fn version_with(temperatures: bool) -> u64 {
    match temperatures {
        true => VERSION_WITH_TEMPERATURES,
        false => VERSION,
    }
}

fn is_known(version: u64) -> bool {
    [VERSION, VERSION_WITH_TEMPERATURES].contains(&version)
}

fn unknown(found: u64) -> Verify {
    Verify::CannotCheck {
        why: format!("a bundle of version {found}, at most {VERSION_WITH_TEMPERATURES} is known"),
    }
}
