//! A batch of readings as bytes: what a gateway sends of its probes.
//!
//! It is not signed and not a record: who may speak for a probe is the door's to
//! know. Integers are big-endian, and nothing is left over:
//!
//! | size | batch | | size | probe | | size | reading |
//! |---|---|---|---|---|---|---|---|
//! | 18 | `trace/readings/v1\n` | | 10 | equipment id | | 8 | time in ms since the epoch |
//! | 4 | how many probes | | 4 | how many readings, at least 1 | | 4 | thousandths of a degree C, signed |
//! | | probes | | | readings | | | |
//!
//! Rows are of one size, so that the smallest device can write them; a batch of a
//! day compresses well on the way by itself. Probes and readings may be in any
//! order and repeated.

use super::temperature::Reading;
use crate::error::{Invalid, Rule};
use crate::ident::EquipmentId;

/// The first bytes.
pub const TITLE: &[u8; 18] = b"trace/readings/v1\n";

/// Most readings in one batch: a day at one a minute of 182 probes; 4 MiB of
/// memory, 3 MiB on the wire.
pub const READINGS_MAX: usize = 262_144;

/// Most probes in one batch: all 20,304 of a city at once.
pub const PROBES_MAX: usize = 32_768;

/// Most bytes of a batch: as many readings and probes as may be.
pub const LENGTH_MAX: usize = TITLE.len() + 4 + PROBES_MAX * PROBE_LENGTH + READINGS_MAX * 12;

const PROBE_LENGTH: usize = 10 + 4;

/// The bytes of a batch.
///
/// # Errors
/// [`Rule::TooLarge`]; [`Rule::Record`] for a probe without readings.
pub fn encode(batch: &[(EquipmentId, Vec<Reading>)]) -> Result<Vec<u8>, Invalid> {
    let readings = fits(batch.len(), batch.iter().map(|(_, it)| it.len()).sum())?;
    let length = TITLE.len() + 4 + batch.len() * PROBE_LENGTH + readings * 12;
    let mut bytes = Vec::with_capacity(length);
    bytes.extend(TITLE);
    // Both counts were found below their limits.
    bytes.extend(u32::try_from(batch.len()).unwrap_or(u32::MAX).to_be_bytes());
    for (probe, readings) in batch {
        if readings.is_empty() {
            return Err(wrong(format!("probe {probe} has no readings")));
        }
        bytes.extend(probe.as_bytes());
        bytes.extend(
            u32::try_from(readings.len())
                .unwrap_or(u32::MAX)
                .to_be_bytes(),
        );
        for reading in readings {
            bytes.extend(reading.to_bytes());
        }
    }
    Ok(bytes)
}

/// Reads a batch; memory is at most what the bytes hold.
///
/// # Errors
/// [`Rule::TooLarge`]; [`Rule::Record`] when the bytes are not exactly a batch.
/// Times and temperatures are anything: who stores them checks them.
pub fn decode(bytes: &[u8]) -> Result<Vec<(EquipmentId, Vec<Reading>)>, Invalid> {
    let Some(rest) = bytes.strip_prefix(TITLE) else {
        let wanted = TITLE.escape_ascii();
        return Err(wrong(format!("the bytes do not begin with {wanted}")));
    };
    let (probes, mut rest) = count(rest, "probes")?;
    fits(probes, 0)?;
    if probes > rest.len() / PROBE_LENGTH {
        return Err(wrong(format!("{probes} probes in {} bytes", rest.len())));
    }
    let mut batch = Vec::with_capacity(probes);
    let mut total = 0;
    for _ in 0..probes {
        let Some((probe, after)) = rest.split_first_chunk() else {
            return Err(wrong("the bytes end before a probe's id".into()));
        };
        let probe = EquipmentId::from_bytes(*probe);
        let (readings, after) = count(after, "readings")?;
        if readings == 0 {
            return Err(wrong(format!("probe {probe} has no readings")));
        }
        total = fits(probes, total + readings)?;
        // At most 262,144 times 12 here.
        let Some((rows, after)) = after.split_at_checked(readings * 12) else {
            let left = after.len();
            return Err(wrong(format!(
                "probe {probe} has {readings} readings of 12 bytes, found {left} bytes"
            )));
        };
        let (rows, _) = rows.as_chunks();
        batch.push((probe, rows.iter().map(reading).collect()));
        rest = after;
    }
    match rest {
        [] => Ok(batch),
        _ => Err(wrong(format!("{} bytes are left over", rest.len()))),
    }
}

fn reading(row: &[u8; 12]) -> Reading {
    let [a, b, c, d, e, f, g, h, temperature @ ..] = *row;
    Reading {
        at_ms: u64::from_be_bytes([a, b, c, d, e, f, g, h]),
        temperature_milli_c: i32::from_be_bytes(temperature),
    }
}

fn count<'b>(bytes: &'b [u8], of: &str) -> Result<(usize, &'b [u8]), Invalid> {
    match bytes.split_first_chunk() {
        Some((count, rest)) => {
            // A count beyond this machine's numbers is beyond every limit too.
            let count = usize::try_from(u32::from_be_bytes(*count)).unwrap_or(usize::MAX);
            Ok((count, rest))
        }
        None => Err(wrong(format!("the bytes end before the number of {of}"))),
    }
}

/// How many readings, when neither they nor the probes are too many.
///
/// # Errors
/// [`Rule::TooLarge`] with the numbers.
pub fn fits(probes: usize, readings: usize) -> Result<usize, Invalid> {
    let too_large = |found: usize, what: &str, most: usize| {
        let what = format!("{found} {what} at once, at most {most}");
        Err(Invalid::new(Rule::TooLarge, what))
    };
    if probes > PROBES_MAX {
        return too_large(probes, "probes", PROBES_MAX);
    }
    if readings > READINGS_MAX {
        return too_large(readings, "readings", READINGS_MAX);
    }
    Ok(readings)
}

fn wrong(why: String) -> Invalid {
    Invalid::new(Rule::Record, format!("readings: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(probes: u8, readings: u64) -> Vec<(EquipmentId, Vec<Reading>)> {
        let reading = |n: u64| Reading {
            at_ms: u64::MAX / (n + 1),
            temperature_milli_c: i32::MIN + i32::try_from(n).unwrap(),
        };
        let of = |probe| {
            let readings = (0..readings + u64::from(probe)).map(reading).collect();
            (EquipmentId::from_bytes([probe; 10]), readings)
        };
        (0..probes).map(of).collect()
    }

    #[test]
    fn batches_come_back_and_no_batch_is_the_empty_one() {
        for (probes, readings) in [(0, 1), (1, 1), (3, 5), (200, 40)] {
            let batch = batch(probes, readings);
            let bytes = encode(&batch).unwrap();
            assert!(bytes.len() <= LENGTH_MAX);
            assert_eq!(decode(&bytes).unwrap(), batch);
        }
        assert!(decode(&[]).is_err());
        assert!(encode(&batch(1, 0)).is_err());
    }

    #[test]
    fn the_layout_is_the_documented_one() {
        let reading = Reading {
            at_ms: 0x0102,
            temperature_milli_c: -1,
        };
        let mut wanted = b"trace/readings/v1\n\0\0\0\x01".to_vec();
        wanted.extend([9; 10]);
        wanted.extend(b"\0\0\0\x01\0\0\0\0\0\0\x01\x02\xff\xff\xff\xff");
        let batch = vec![(EquipmentId::from_bytes([9; 10]), vec![reading])];
        assert_eq!(encode(&batch).unwrap(), wanted);
        assert_eq!(decode(&wanted).unwrap(), batch);
    }

    #[test]
    fn every_cut_and_every_byte_more_is_refused() {
        let bytes = encode(&batch(3, 2)).unwrap();
        for cut in 0..bytes.len() {
            assert_eq!(
                decode(&bytes[..cut]).unwrap_err().rule,
                Rule::Record,
                "{cut}"
            );
        }
        assert!(decode(&[&bytes[..], &[0]].concat()).is_err());
    }

    /// Whatever comes in, what is read is the only meaning of its bytes.
    #[test]
    fn flipped_bits_and_noise_are_refused_or_read_as_they_stand() {
        let sound = encode(&batch(3, 2)).unwrap();
        let read = |bytes: &[u8]| {
            if let Ok(batch) = decode(bytes) {
                assert_eq!(encode(&batch).unwrap(), bytes);
            }
        };
        for bit in 0..sound.len() * 8 {
            let mut bytes = sound.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            read(&bytes);
        }
        let seed = 6;
        println!("seed {seed}");
        let mut random = fastrand::Rng::with_seed(seed);
        for _ in 0..20_000 {
            let mut bytes = TITLE.to_vec();
            bytes.extend((0..random.usize(0..80)).map(|_| random.u8(..) & random.u8(..)));
            read(&bytes);
        }
    }

    #[test]
    fn numbers_beyond_the_limits_are_refused_before_memory_is_taken() {
        let begun = |probes: u32, readings: u32| {
            let mut bytes = TITLE.to_vec();
            bytes.extend(probes.to_be_bytes());
            bytes.extend([0; 10]);
            bytes.extend(readings.to_be_bytes());
            decode(&bytes).unwrap_err().rule
        };
        assert_eq!(begun(u32::MAX, 1), Rule::TooLarge);
        assert_eq!(begun(32_769, 1), Rule::TooLarge);
        assert_eq!(begun(32_768, 1), Rule::Record);
        assert_eq!(begun(1, u32::MAX), Rule::TooLarge);
        assert_eq!(begun(1, 262_145), Rule::TooLarge);
        assert_eq!(begun(1, 262_144), Rule::Record);
        assert_eq!(begun(1, 0), Rule::Record);
        let probe = |count| {
            (
                EquipmentId::from_bytes([1; 10]),
                vec![Reading::default(); count],
            )
        };
        assert!(encode(&[probe(READINGS_MAX)]).is_ok());
        let refused = encode(&[probe(READINGS_MAX), probe(1)]).unwrap_err();
        assert_eq!(refused.rule, Rule::TooLarge);
    }
}
