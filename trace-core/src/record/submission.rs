//! What a client sends: signed records with the openings that travel with them.
//!
//! Binary form, for one record or many, integers big-endian: for each record
//! `length (4) ‖ signed bytes ‖ algorithm ‖ signature`, then one byte that says
//! whether a trade opening follows (0 or 1), then one byte that counts personal
//! openings, and each opening as `salt (16) ‖ length (4) ‖ section`.

use super::layout::Signed;
use super::section::{Opening, Openings, PERSONS_MAX, SECTION_BYTES_MAX};
use crate::error::{Invalid, Rule};

/// Most records of one request: at 16 KiB each 1,024 are 16 MiB, and a group
/// commit takes no more.
pub const REQUEST_RECORDS_MAX: usize = 1024;

/// A record to be admitted, with its openings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submission {
    /// The record.
    pub signed: Signed,
    /// What opens its sections.
    pub openings: Openings,
}

impl Submission {
    /// A record without sections.
    #[must_use]
    pub fn bare(signed: Signed) -> Self {
        Self {
            signed,
            openings: Openings::default(),
        }
    }

    /// Appends the binary form.
    pub fn encode_into(&self, bytes: &mut Vec<u8>) {
        let record = self.signed.encode();
        put(bytes, &record);
        bytes.push(u8::from(self.openings.trade.is_some()));
        bytes.push(u8::try_from(self.openings.persons.len()).unwrap_or(u8::MAX));
        for opening in self.openings.trade.iter().chain(&self.openings.persons) {
            bytes.extend_from_slice(&opening.salt);
            put(bytes, &opening.bytes);
        }
    }
}

fn put(bytes: &mut Vec<u8>, part: &[u8]) {
    bytes.extend_from_slice(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
    bytes.extend_from_slice(part);
}

/// Reads a request's binary form: one result a record, so that one malformed
/// record does not hide the others.
///
/// # Errors
/// [`Rule::Record`] when the framing itself breaks, [`Rule::TooLarge`] for more
/// than [`REQUEST_RECORDS_MAX`] records.
pub fn decode_many(mut bytes: &[u8]) -> Result<Vec<Result<Submission, Invalid>>, Invalid> {
    let mut records = Vec::new();
    while !bytes.is_empty() {
        if records.len() == REQUEST_RECORDS_MAX {
            return Err(Invalid::new(
                Rule::TooLarge,
                format!("more than {REQUEST_RECORDS_MAX} records in one request"),
            ));
        }
        let (record, trade_follows, person_count);
        (record, bytes) = frame(bytes, super::layout::ENTRY_BYTES_MAX)?;
        ([trade_follows, person_count], bytes) = chunk::<2>(bytes)?;
        if trade_follows > 1 || usize::from(person_count) > PERSONS_MAX {
            return Err(malformed("openings are counted wrongly"));
        }
        let mut openings = Openings::default();
        for place in 0..trade_follows + person_count {
            let (salt, section);
            (salt, bytes) = chunk::<16>(bytes)?;
            (section, bytes) = frame(bytes, SECTION_BYTES_MAX)?;
            let opening = Opening {
                salt,
                bytes: section.to_vec(),
            };
            if place < trade_follows {
                openings.trade = Some(opening);
            } else {
                openings.persons.push(opening);
            }
        }
        records.push(Signed::decode(record).map(|signed| Submission { signed, openings }));
    }
    Ok(records)
}

fn chunk<const N: usize>(bytes: &[u8]) -> Result<([u8; N], &[u8]), Invalid> {
    bytes
        .split_first_chunk::<N>()
        .map(|(chunk, rest)| (*chunk, rest))
        .ok_or_else(|| malformed("the request is cut short"))
}

fn frame(bytes: &[u8], most: usize) -> Result<(&[u8], &[u8]), Invalid> {
    let (length, rest) = chunk::<4>(bytes)?;
    let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
    if length > most {
        return Err(Invalid::new(
            Rule::TooLarge,
            format!("a part of {length} bytes, at most {most}"),
        ));
    }
    rest.split_at_checked(length)
        .ok_or_else(|| malformed("the request is cut short"))
}

fn malformed(why: &str) -> Invalid {
    Invalid::new(Rule::Record, why)
}
