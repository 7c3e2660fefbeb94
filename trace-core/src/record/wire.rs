//! Field types of bodies: plain bytes and integers on the wire, text in JSON.
//!
//! Each is what it says and no more: decoding one never fails for its value, so
//! decoders stay frozen with their kind while the checks of `ident/` belong to
//! a rule set. `check` in each kind turns them into types that cannot be wrong.

use super::hash::Hash;
use super::sign::KeyId;
use crate::error::{Invalid, Rule};
use crate::ident::{Area, CivilDate, EntityId, EquipmentId, Gtin, TraceCode};
use postcard_schema::Schema;
use postcard_schema::schema::NamedType;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::str::FromStr;

/// Longest certificate number, in characters and bytes: fits the one length
/// byte of a subject id with room, and a line on a 40 mm label.
pub const NUMBER_LENGTH_MAX: usize = 32;

/// Gives a type plain bytes on the wire and its text in JSON.
macro_rules! text_in_json {
    ($type:ty, $plain:ty, $name:literal, |$this:ident| $to:expr, |$bytes:ident| $from:expr) => {
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                if serializer.is_human_readable() {
                    return serializer.collect_str(self);
                }
                let $this = self;
                let plain: $plain = $to;
                plain.serialize(serializer)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                if deserializer.is_human_readable() {
                    let text = String::deserialize(deserializer)?;
                    return <$type>::from_str(&text).map_err(serde::de::Error::custom);
                }
                let $bytes = <$plain>::deserialize(deserializer)?;
                Ok($from)
            }
        }

        impl Schema for $type {
            const SCHEMA: &'static NamedType = &NamedType {
                name: $name,
                ty: &postcard_schema::schema::DataModelType::NewtypeStruct(
                    <$plain as Schema>::SCHEMA,
                ),
            };
        }
    };
}

text_in_json!(
    TraceCode,
    [u8; 10],
    "TraceCode",
    |code| *code.as_bytes(),
    |bytes| TraceCode::from_bytes(bytes)
);
text_in_json!(
    EntityId,
    [u8; 10],
    "EntityId",
    |id| *id.as_bytes(),
    |bytes| EntityId::from_bytes(bytes)
);
text_in_json!(
    EquipmentId,
    [u8; 10],
    "EquipmentId",
    |id| *id.as_bytes(),
    |bytes| EquipmentId::from_bytes(bytes)
);
text_in_json!(Hash, [u8; 32], "Hash", |hash| *hash.as_bytes(), |bytes| {
    Hash::from(bytes)
});
text_in_json!(KeyId, [u8; 32], "KeyId", |key| *key.as_bytes(), |bytes| {
    KeyId::from(Hash::from(bytes))
});
text_in_json!(Day, i32, "Day", |day| day.0, |days| Day(days));
text_in_json!(AreaCode, u32, "AreaCode", |area| area.0, |digits| AreaCode(
    digits
));
text_in_json!(GtinNumber, u64, "GtinNumber", |gtin| gtin.0, |digits| {
    GtinNumber(digits)
});
text_in_json!(PersonId, [u8; 16], "PersonId", |id| id.0, |bytes| PersonId(
    bytes
));
text_in_json!(TokenId, [u8; 8], "TokenId", |id| id.0, |bytes| TokenId(
    bytes
));
text_in_json!(Bytes32, [u8; 32], "Bytes32", |bytes| bytes.0, |bytes| {
    Bytes32(bytes)
});

/// A civil date as days since 1970-01-01, at the ledger's offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(pub i32);

/// Six digits of an administrative area.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AreaCode(pub u32);

/// A GTIN as its number, shown with 14 digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GtinNumber(pub u64);

/// A random name for one natural person: says nothing about them, and is the
/// handle by which their data is erased.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PersonId(pub [u8; 16]);

/// The public id of a bearer token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TokenId(pub [u8; 8]);

/// 32 bytes that are no hash: a public key, half a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bytes32(pub [u8; 32]);

impl Day {
    /// The date, if it is within the calendar the ledger keeps.
    ///
    /// # Errors
    /// [`Rule::Date`] with the number of days.
    pub fn date(self) -> Result<CivilDate, Invalid> {
        CivilDate::from_days(self.0)
    }
}

impl From<CivilDate> for Day {
    fn from(date: CivilDate) -> Self {
        Self(date.days())
    }
}

impl AreaCode {
    /// The area, if the digits have its form.
    ///
    /// # Errors
    /// [`Rule::Area`] with the digits.
    pub fn area(self) -> Result<Area, Invalid> {
        Area::try_from(self.0)
    }
}

impl From<Area> for AreaCode {
    fn from(area: Area) -> Self {
        Self(area.code())
    }
}

impl GtinNumber {
    /// The GTIN, if its check digit holds.
    ///
    /// # Errors
    /// [`Rule::Gs1`] with both check digits.
    pub fn gtin(self) -> Result<Gtin, Invalid> {
        Gtin::try_from(self.0)
    }
}

impl From<Gtin> for GtinNumber {
    fn from(gtin: Gtin) -> Self {
        Self(gtin.as_u64())
    }
}

impl std::fmt::Display for Day {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.date() {
            Ok(date) => date.fmt(f),
            Err(_) => write!(f, "day {}", self.0),
        }
    }
}

impl FromStr for Day {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        CivilDate::from_str(text).map(Self::from)
    }
}

impl std::fmt::Display for AreaCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:06}", self.0)
    }
}

impl FromStr for AreaCode {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        Area::from_str(text).map(Self::from)
    }
}

impl std::fmt::Display for GtinNumber {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:014}", self.0)
    }
}

impl FromStr for GtinNumber {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        Gtin::from_str(text).map(Self::from)
    }
}

impl FromStr for Hash {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        Hash::from_hex(text).ok_or_else(|| {
            Invalid::new(
                Rule::Record,
                format!(
                    "{} characters where a hash has 64 hexadecimal digits",
                    text.len()
                ),
            )
        })
    }
}

impl FromStr for KeyId {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        Hash::from_str(text).map(Self::from)
    }
}

impl std::fmt::Display for Bytes32 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        Hash::from(self.0).fmt(f)
    }
}

impl FromStr for Bytes32 {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        Hash::from_str(text).map(|hash| Self(hash.into()))
    }
}

/// Hexadecimal text of the short random ids.
macro_rules! hex_id {
    ($type:ident, $length:literal) => {
        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl FromStr for $type {
            type Err = Invalid;

            fn from_str(text: &str) -> Result<Self, Invalid> {
                let wrong = || {
                    let found = text.len();
                    Invalid::new(Rule::Record, format!("{found} characters where {} lower-case hexadecimal digits are wanted", $length * 2))
                };
                let mut bytes = [0u8; $length];
                if text.len() != $length * 2 || text.bytes().any(|digit| !matches!(digit, b'0'..=b'9' | b'a'..=b'f')) {
                    return Err(wrong());
                }
                for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
                    let pair = std::str::from_utf8(pair).map_err(|_| wrong())?;
                    *byte = u8::from_str_radix(pair, 16).map_err(|_| wrong())?;
                }
                Ok(Self(bytes))
            }
        }
    };
}

hex_id!(PersonId, 16);
hex_id!(TokenId, 8);

/// A person named by a record: who (a random id), and the commitment to what
/// is said of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Schema)]
#[serde(deny_unknown_fields)]
pub struct PersonRef {
    /// The handle under which the person's key and data can be erased.
    pub person: PersonId,
    /// Commitment to the personal section.
    pub commitment: Hash,
}

/// Another key's agreement with a record: an Ed25519 signature over
/// `trace/countersign/v1\n` ‖ the record's signed bytes with the list of
/// countersignatures empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Schema)]
#[serde(deny_unknown_fields)]
pub struct Countersignature {
    /// Who agrees.
    pub key: KeyId,
    /// First half of the signature.
    pub r: Bytes32,
    /// Second half of the signature.
    pub s: Bytes32,
}

/// Most countersignatures on one record: root authorities are three; eight
/// leaves room for a larger quorum.
pub const COUNTERSIGNATURES_MAX: usize = 8;

/// Checks a certificate number: 4 to 32 of `0-9 A-Z -`, as printed.
///
/// # Errors
/// [`Rule::Number`] naming the character or the length.
pub fn check_number(number: &str) -> Result<(), Invalid> {
    let length = number.chars().count();
    if !(4..=NUMBER_LENGTH_MAX).contains(&length) {
        return Err(Invalid::new(
            Rule::Number,
            format!("{length} characters where 4 to {NUMBER_LENGTH_MAX} are allowed"),
        ));
    }
    match number
        .char_indices()
        .find(|(_, c)| !matches!(c, '0'..='9' | 'A'..='Z' | '-'))
    {
        Some((place, found)) => Err(Invalid::new(
            Rule::Number,
            format!("character {} is {found:?}, not 0-9, A-Z or -", place + 1),
        )),
        None => Ok(()),
    }
}
