//! Readings of one probe, compressed: times and temperatures as two columns.
//! The only file that knows the crate `pco`.
//!
//! All integers big-endian:
//!
//! | size | field |
//! |---|---|
//! | 1 | version, 1 |
//! | 2 | how many readings, 1 to [`COUNT_MAX`] |
//! | 8, 8 | time of the first and of the last |
//! | 4 | the unit in which the times are whole numbers after the first, in ms |
//! | 4 | the lowest temperature |
//! | 2 | the unit in which the temperatures are whole numbers above the lowest |
//! | 2 | length of the column of times |
//! | n, m | times, temperatures: pco's chunk of numbers, each with one page |
//! | 8 | the first bytes of SHA-256 over the probe's id and all before |
//!
//! A logger that keeps whole seconds and tenths of a degree costs no more here
//! than its own resolution: the units are found, not set. Decoding believes
//! nothing: lengths, order and ends are checked, and pco is given only what it
//! reads with little memory. The checksum finds accidents, not editors: a sealed
//! reading is bound by its segment's root. So chunks lie in the ledger's store and
//! travel in bundles as they lie there.

use crate::error::Store;
use crate::ident::EquipmentId;
use crate::record::Hash;
use crate::record::temperature::Reading;
use pco::data_types::Number;
use pco::wrapped::{FileCompressor, FileDecompressor};
use pco::{ChunkConfig, DeltaSpec, ModeSpec};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Most readings in one chunk. Larger ones hardly get smaller by the reading
/// (2,048 take 2 to 6 % more than 16,384), and this many are 32 KiB of memory when
/// decoded, which is what a reader holds of a probe.
pub const COUNT_MAX: usize = 2_048;

const VERSION: u8 = 1;
const HEADER_LENGTH: usize = 31;
pub(crate) const SUM_LENGTH: usize = 8;

/// What a chunk says of itself before it is decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) count: usize,
    pub(crate) first_ms: u64,
    pub(crate) last_ms: u64,
    time_unit_ms: u32,
    lowest_milli_c: i32,
    unit_milli_c: u16,
    times_length: usize,
}

/// Compresses readings that are sorted, each once, as sealed ones lie in a store
/// and travel.
///
/// # Errors
/// [`Store::Engine`] when they are none, more than [`COUNT_MAX`] or not sorted,
/// which is a mistake of this program.
pub fn encode(probe: &EquipmentId, readings: &[Reading]) -> Result<Vec<u8>, Store> {
    let refuse = |why: String| Store::Engine {
        what: "compress readings",
        why,
    };
    let (Some(first), Some(last)) = (readings.first(), readings.last()) else {
        return Err(refuse("there are none".into()));
    };
    let (first_ms, last_ms) = (first.at_ms, last.at_ms);
    let count = match u16::try_from(readings.len()) {
        Ok(count) if readings.len() <= COUNT_MAX => count,
        _ => return Err(refuse(format!("{} at once", readings.len()))),
    };
    if readings
        .iter()
        .zip(readings.iter().skip(1))
        .any(|(one, next)| one >= next)
    {
        return Err(refuse("they are not sorted".into()));
    }
    let temperatures = readings.iter().map(|it| it.temperature_milli_c);
    let lowest_milli_c = temperatures.clone().min().unwrap_or(0);
    // Times are at least the first's, temperatures at least the lowest.
    let since = readings.iter().map(|it| it.at_ms - first_ms);
    let above = temperatures.map(|it| it.abs_diff(lowest_milli_c));
    let time_unit_ms = u32::try_from(divisor(since.clone())).unwrap_or(1);
    let unit_milli_c = u16::try_from(divisor(above.clone().map(u64::from))).unwrap_or(1);
    let times: Vec<u64> = since.map(|it| it / u64::from(time_unit_ms)).collect();
    let above: Vec<u32> = above.map(|it| it / u32::from(unit_milli_c)).collect();

    let config = ChunkConfig::default()
        .with_compression_level(8)
        .with_mode_spec(ModeSpec::Classic)
        .with_delta_spec(DeltaSpec::TryConsecutive(1));
    let pco = |error: pco::errors::PcoError| refuse(error.to_string());
    let times = column(&times, &config).map_err(pco)?;
    let above = column(&above, &config).map_err(pco)?;
    let times_length = u16::try_from(times.len())
        .map_err(|_| refuse(format!("times of {} bytes", times.len())))?;

    let mut bytes = Vec::with_capacity(HEADER_LENGTH + times.len() + above.len() + SUM_LENGTH);
    bytes.push(VERSION);
    bytes.extend(count.to_be_bytes());
    bytes.extend(first_ms.to_be_bytes());
    bytes.extend(last_ms.to_be_bytes());
    bytes.extend(time_unit_ms.to_be_bytes());
    bytes.extend(lowest_milli_c.to_be_bytes());
    bytes.extend(unit_milli_c.to_be_bytes());
    bytes.extend(times_length.to_be_bytes());
    bytes.extend(times);
    bytes.extend(above);
    bytes.extend(sum(probe, &bytes));
    Ok(bytes)
}

/// The largest number that divides all; 1 when they are all 0.
fn divisor(numbers: impl Iterator<Item = u64>) -> u64 {
    let mut divisor = 0;
    for mut number in numbers {
        // Narrow division is several times faster, and what divides all so far
        // mostly divides the next too.
        let fits = match (u32::try_from(number), u32::try_from(divisor)) {
            (Ok(number), Ok(divisor @ 1..)) => number.is_multiple_of(divisor),
            _ => false,
        };
        while !fits && number != 0 {
            (divisor, number) = (number, divisor % number);
        }
        if divisor == 1 {
            break;
        }
    }
    divisor.max(1)
}

fn column<T: Number>(numbers: &[T], config: &ChunkConfig) -> pco::errors::PcoResult<Vec<u8>> {
    let mut chunk = FileCompressor::default().chunk_compressor(numbers, config)?;
    let bytes = chunk.write_meta(Vec::with_capacity(chunk.meta_size_hint()))?;
    chunk.write_page(0, bytes)
}

/// pco's mark of its format, which a chunk does not repeat: a chunk of version 1
/// is of format 4.1 for ever. Refuses to write any other.
const FORMAT: [u8; 2] = [4, 1];

/// What tells a row that was damaged by accident, or is another probe's.
pub(crate) fn sum(probe: &EquipmentId, bytes: &[u8]) -> [u8; SUM_LENGTH] {
    let hash = Hash::of(&[probe.as_bytes(), bytes]);
    let mut sum = [0; SUM_LENGTH];
    sum.iter_mut()
        .zip(hash.as_bytes())
        .for_each(|(to, from)| *to = *from);
    sum
}

/// Reads what a chunk says of itself; nothing of it is verified.
///
/// # Errors
/// [`Store::Damaged`].
pub(crate) fn header(bytes: &[u8]) -> Result<Header, Store> {
    let read = || {
        let (version, rest) = bytes.split_first_chunk()?;
        let (count, rest) = rest.split_first_chunk()?;
        let (first_ms, rest) = rest.split_first_chunk()?;
        let (last_ms, rest) = rest.split_first_chunk()?;
        let (time_unit_ms, rest) = rest.split_first_chunk()?;
        let (lowest, rest) = rest.split_first_chunk()?;
        let (unit, rest) = rest.split_first_chunk()?;
        let (times_length, _) = rest.split_first_chunk()?;
        let header = Header {
            count: u16::from_be_bytes(*count).into(),
            first_ms: u64::from_be_bytes(*first_ms),
            last_ms: u64::from_be_bytes(*last_ms),
            time_unit_ms: u32::from_be_bytes(*time_unit_ms),
            lowest_milli_c: i32::from_be_bytes(*lowest),
            unit_milli_c: u16::from_be_bytes(*unit),
            times_length: u16::from_be_bytes(*times_length).into(),
        };
        Some((u8::from_be_bytes(*version), header))
    };
    let Some((version, header)) = read() else {
        return Err(damaged(format!("a chunk of {} bytes", bytes.len())));
    };
    if version != VERSION {
        return Err(damaged(format!(
            "a chunk of version {version}, wanted {VERSION}"
        )));
    }
    if header.count == 0 || header.count > COUNT_MAX {
        let found = header.count;
        return Err(damaged(format!(
            "a chunk of {found} readings, at most {COUNT_MAX}"
        )));
    }
    Ok(header)
}

/// Reads a chunk: at least one reading, sorted, each once. Memory is what the
/// readings take (at most [`COUNT_MAX`]) and at most about a mebibyte that pco
/// takes and gives back.
///
/// # Errors
/// [`Store::Damaged`], saying what does not fit.
pub fn decode(probe: &EquipmentId, bytes: &[u8]) -> Result<Vec<Reading>, Store> {
    let header = header(bytes)?;
    let named = |why: &str| {
        let Header {
            count, first_ms, ..
        } = header;
        damaged(format!(
            "a chunk of {count} readings of probe {probe} from {first_ms} ms: {why}"
        ))
    };
    let Some((content, found)) = bytes.split_last_chunk() else {
        return Err(named("it is cut short"));
    };
    if *found != sum(probe, content) {
        return Err(named("its checksum is wrong"));
    }
    let columns = content.get(HEADER_LENGTH..);
    let columns = columns.and_then(|it| it.split_at_checked(header.times_length));
    let (times, above) = columns.ok_or_else(|| named("it is cut short"))?;
    let times: Vec<u64> = numbers(times, header.count).map_err(|why| named(&why))?;
    let above: Vec<u32> = numbers(above, header.count).map_err(|why| named(&why))?;

    let mut readings = Vec::with_capacity(header.count);
    for (time, above) in times.into_iter().zip(above) {
        let since = time.checked_mul(header.time_unit_ms.into());
        let at_ms = since.and_then(|it| it.checked_add(header.first_ms));
        let above = above.checked_mul(header.unit_milli_c.into());
        let temperature = above.and_then(|it| header.lowest_milli_c.checked_add_unsigned(it));
        let (Some(at_ms), Some(temperature_milli_c)) = (at_ms, temperature) else {
            return Err(named("a number is too large"));
        };
        let reading = Reading {
            at_ms,
            temperature_milli_c,
        };
        if readings.last().is_some_and(|last| *last >= reading) {
            return Err(named("its readings are not sorted"));
        }
        readings.push(reading);
    }
    let ends = [readings.first(), readings.last()].map(|it| it.map(|it| it.at_ms));
    if ends != [Some(header.first_ms), Some(header.last_ms)] {
        return Err(named("its first or last time is not the one it says"));
    }
    Ok(readings)
}

/// Exactly `count` numbers of one column, and nothing left over.
fn numbers<T: Number>(column: &[u8], count: usize) -> Result<Vec<T>, String> {
    // Of pco's modes and deltas only those written here: the others take memory
    // that the bytes have not earned (a dictionary, a window of 2^24 numbers).
    // The low half of the first byte is the mode, the high half the delta.
    match column.first() {
        Some(0x00 | 0x10) => {}
        found => return Err(format!("a column begins with {found:02x?}")),
    }
    let read = || {
        let (format, _) = FileDecompressor::new(FORMAT.as_slice())?;
        let (mut chunk, rest) = format.chunk_decompressor::<T, _>(column)?;
        let mut page = chunk.page_decompressor(rest, count)?;
        let mut numbers = vec![T::default(); count];
        let progress = page.read(&mut numbers)?;
        let whole = progress.finished && progress.n_processed == count;
        Ok((numbers, whole, page.into_src().len()))
    };
    // It promises to refuse whatever it is given; should it stop over bytes that
    // it never wrote, that is damage and not a crash.
    match catch_unwind(AssertUnwindSafe(read)) {
        Ok(Ok((numbers, true, 0))) => Ok(numbers),
        Ok(Ok((_, _, left))) => Err(format!("a column has other numbers, {left} bytes left")),
        Ok(Err(error)) => {
            let error: pco::errors::PcoError = error;
            Err(error.to_string())
        }
        Err(_) => Err("the decompressor stopped".into()),
    }
}

fn damaged(what: String) -> Store {
    Store::Damaged { what }
}

#[cfg(test)]
mod tests;
