//! Unsealed readings as they lie in the store: packed to the bits they need, for
//! the writer must take them faster than a disk does. Sealing compresses them
//! ([`chunk`](crate::proof::readings::chunk)); only that form leaves the store.
//!
//! Integers are big-endian:
//!
//! | size | field |
//! |---|---|
//! | 1 | version, 2: a chunk begins with 1, and rows of older files are chunks |
//! | 2 | how many readings, 1 to [`COUNT_MAX`] |
//! | 8, 8 | time of the first and of the last |
//! | 2 | the unit of the steps from each time to the next, in ms |
//! | 8, 1 | the shortest step, and how many bits each takes beyond it, 0 to 64 |
//! | 4 | the lowest temperature |
//! | 2 | the unit of the temperatures above it |
//! | 1 | how many bits each takes, 0 to 32 |
//! | n, m | steps, temperatures: numbers of so many bits, the lowest bit first |
//! | 8 | the first bytes of SHA-256 over the probe's id and all before |
//!
//! Decoding believes nothing, as that of a chunk.

use super::rows::damaged;
use crate::error::Store;
use crate::ident::EquipmentId;
use crate::proof::readings::chunk::{COUNT_MAX, SUM_LENGTH, sum};
use crate::record::temperature::Reading;

pub(super) const VERSION: u8 = 2;

const HEADER_LENGTH: usize = 37;

/// Packs readings that are sorted, each once.
///
/// # Errors
/// [`Store::Engine`] when they are none, too many or not sorted, which is a
/// mistake of this program.
pub(super) fn encode(probe: &EquipmentId, readings: &[Reading]) -> Result<Vec<u8>, Store> {
    let refuse = |why: String| Store::Engine {
        what: "pack readings",
        why,
    };
    let (Some(first), Some(last)) = (readings.first(), readings.last()) else {
        return Err(refuse("there are none".into()));
    };
    let count = match u16::try_from(readings.len()) {
        Ok(count) if readings.len() <= COUNT_MAX => count,
        _ => return Err(refuse(format!("{} at once", readings.len()))),
    };
    if !readings.is_sorted_by(|one, next| one < next) {
        return Err(refuse("they are not sorted".into()));
    }
    let pairs = readings.iter().zip(readings.iter().skip(1));
    let mut steps: Vec<u64> = pairs.map(|(one, next)| next.at_ms - one.at_ms).collect();
    let step_unit_ms: u16 = if reduce::<1_000>(&mut steps) {
        1_000
    } else {
        1
    };
    let shortest = steps.iter().copied().min().unwrap_or(0);
    steps.iter_mut().for_each(|it| *it -= shortest);

    let temperatures = readings.iter().map(|it| it.temperature_milli_c);
    let lowest_milli_c = temperatures.clone().min().unwrap_or(0);
    let above = temperatures.map(|it| it.abs_diff(lowest_milli_c).into());
    let mut above: Vec<u64> = above.collect();
    let unit_milli_c: u16 = if reduce::<100>(&mut above) {
        100
    } else if reduce::<10>(&mut above) {
        10
    } else {
        1
    };

    let (step_bits, above_bits) = (bits_of(&steps), bits_of(&above));
    let columns = length(steps.len(), step_bits) + length(above.len(), above_bits);
    // With room for the whole word in which a column ends.
    let mut bytes = Vec::with_capacity(HEADER_LENGTH + columns + SUM_LENGTH + 8);
    bytes.push(VERSION);
    bytes.extend(count.to_be_bytes());
    bytes.extend(first.at_ms.to_be_bytes());
    bytes.extend(last.at_ms.to_be_bytes());
    bytes.extend(step_unit_ms.to_be_bytes());
    bytes.extend(shortest.to_be_bytes());
    bytes.push(step_bits);
    bytes.extend(lowest_milli_c.to_be_bytes());
    bytes.extend(unit_milli_c.to_be_bytes());
    bytes.push(above_bits);
    pack(&steps, step_bits, &mut bytes);
    pack(&above, above_bits, &mut bytes);
    bytes.extend(sum(probe, &bytes));
    Ok(bytes)
}

/// Divides all by what divides all; they stay as they are where it does not. The
/// unit is known when this is compiled: dividing by another takes ten times as long.
fn reduce<const UNIT: u64>(numbers: &mut [u64]) -> bool {
    let whole = numbers.iter().all(|it| it.is_multiple_of(UNIT));
    if whole {
        numbers.iter_mut().for_each(|it| *it /= UNIT);
    }
    whole
}

/// How many bits the largest takes.
fn bits_of(numbers: &[u64]) -> u8 {
    let all = numbers.iter().fold(0, |all, it| all | it);
    u8::try_from(u64::BITS - all.leading_zeros()).unwrap_or(64)
}

/// How many bytes so many numbers of so many bits take.
fn length(count: usize, bits: u8) -> usize {
    (count * usize::from(bits)).div_ceil(8)
}

fn pack(numbers: &[u64], bits: u8, bytes: &mut Vec<u8>) {
    let end = bytes.len() + length(numbers.len(), bits);
    let bits = u32::from(bits);
    let (mut word, mut filled) = (0, 0);
    for number in numbers {
        word |= number << filled;
        filled += bits;
        if filled >= u64::BITS {
            bytes.extend_from_slice(&u64::to_le_bytes(word));
            filled -= u64::BITS;
            // What did not fit: nothing when the word came out even.
            word = number.checked_shr(bits - filled).unwrap_or(0);
        }
    }
    bytes.extend_from_slice(&word.to_le_bytes());
    // The last word's bytes that hold nothing; when none was begun, all of it.
    bytes.truncate(end);
}

/// So many numbers of so many bits; `None` when the column is not exactly theirs.
fn unpack(column: &[u8], count: usize, bits: u8) -> Option<Vec<u64>> {
    let used = count * usize::from(bits);
    let unused = column.last().is_some_and(|last| match used % 8 {
        0 => false,
        bits => last >> bits != 0,
    });
    if column.len() != length(count, bits) || unused {
        return None;
    }
    let bits_each = usize::from(bits);
    let mask = u128::from(u64::MAX.checked_shr(64 - u32::from(bits)).unwrap_or(0));
    // Any number lies within sixteen bytes from the one it begins in.
    let mut padded = Vec::with_capacity(column.len() + 16);
    padded.extend(column);
    padded.extend([0; 16]);
    let number = |place: usize| {
        let at = place * bits_each;
        let window = padded.get(at / 8..)?.first_chunk()?;
        u64::try_from((u128::from_le_bytes(*window) >> (at % 8)) & mask).ok()
    };
    (0..count).map(number).collect()
}

/// Reads what [`encode`] gave: at least one reading, sorted, each once.
///
/// # Errors
/// [`Store::Damaged`], saying what does not fit.
pub(super) fn decode(probe: &EquipmentId, bytes: &[u8]) -> Result<Vec<Reading>, Store> {
    let wrong = |why: &str| {
        let length = bytes.len();
        damaged(format!(
            "a row of {length} bytes of probe {probe}, not sealed: {why}"
        ))
    };
    let Some((content, found)) = bytes.split_last_chunk() else {
        return Err(wrong("it is cut short"));
    };
    if *found != sum(probe, content) {
        return Err(wrong("its checksum is wrong"));
    }
    let Some(packed) = Packed::read(content) else {
        return Err(wrong("its parts are not as long as it says"));
    };
    let readings = packed.readings();
    readings.ok_or_else(|| wrong("its readings are not sorted from the first time to the last"))
}

/// A row taken apart.
struct Packed {
    first_ms: u64,
    last_ms: u64,
    step_unit_ms: u16,
    shortest: u64,
    steps: Vec<u64>,
    lowest_milli_c: i32,
    unit_milli_c: u16,
    above: Vec<u64>,
}

impl Packed {
    fn read(content: &[u8]) -> Option<Self> {
        let (version, rest) = content.split_first()?;
        let (count, rest) = rest.split_first_chunk()?;
        let (first_ms, rest) = rest.split_first_chunk()?;
        let (last_ms, rest) = rest.split_first_chunk()?;
        let (step_unit_ms, rest) = rest.split_first_chunk()?;
        let (shortest, rest) = rest.split_first_chunk()?;
        let (step_bits, rest) = rest.split_first()?;
        let (lowest_milli_c, rest) = rest.split_first_chunk()?;
        let (unit_milli_c, rest) = rest.split_first_chunk()?;
        let (above_bits, rest) = rest.split_first()?;
        let count = usize::from(u16::from_be_bytes(*count));
        let fits = *version == VERSION && count <= COUNT_MAX && *step_bits <= 64;
        if !fits || *above_bits > 32 {
            return None;
        }
        let steps = count.checked_sub(1)?;
        let (packed_steps, above) = rest.split_at_checked(length(steps, *step_bits))?;
        Some(Self {
            first_ms: u64::from_be_bytes(*first_ms),
            last_ms: u64::from_be_bytes(*last_ms),
            step_unit_ms: u16::from_be_bytes(*step_unit_ms),
            shortest: u64::from_be_bytes(*shortest),
            steps: unpack(packed_steps, steps, *step_bits)?,
            lowest_milli_c: i32::from_be_bytes(*lowest_milli_c),
            unit_milli_c: u16::from_be_bytes(*unit_milli_c),
            above: unpack(above, count, *above_bits)?,
        })
    }

    /// `None` when a number is too large, a reading does not follow the one before
    /// it, or the last is not where it was said to be.
    fn readings(&self) -> Option<Vec<Reading>> {
        let mut readings = Vec::with_capacity(self.above.len());
        let mut at_ms = self.first_ms;
        let mut last = None;
        let steps = self.steps.iter().map(Some);
        for (step, above) in std::iter::once(None).chain(steps).zip(&self.above) {
            if let Some(step) = step {
                let step = step.checked_add(self.shortest)?;
                at_ms = at_ms.checked_add(step.checked_mul(self.step_unit_ms.into())?)?;
            }
            let above = above.checked_mul(self.unit_milli_c.into())?;
            let above = u32::try_from(above).ok()?;
            let reading = Reading {
                at_ms,
                temperature_milli_c: self.lowest_milli_c.checked_add_unsigned(above)?,
            };
            if last.replace(reading).is_some_and(|last| last >= reading) {
                return None;
            }
            readings.push(reading);
        }
        (at_ms == self.last_ms).then_some(readings)
    }
}

#[cfg(test)]
mod tests;
