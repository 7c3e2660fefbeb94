//! What a packed row gives back, what it takes, and what it refuses.

use super::super::pruning::Checked;
use super::super::rows::{CHUNKS, UNSEALED, chunk_key, chunks_of};
use super::super::tests::{minutes, probe, shelves};
use super::*;
use crate::proof::readings::chunk;

fn reading(at_ms: u64, temperature_milli_c: i32) -> Reading {
    Reading {
        at_ms,
        temperature_milli_c,
    }
}

/// Steps and temperatures that take up to so many bits, in a unit.
fn readings(
    count: usize,
    random: &mut fastrand::Rng,
    [step_bits, above_bits]: [u32; 2],
    [step_unit, above_unit]: [u64; 2],
) -> Vec<Reading> {
    let mut below = |bits: u32| match bits {
        0 => 0,
        bits => random.u64(..) >> (64 - bits),
    };
    let mut at_ms = 1_790_000_000_437;
    let next = |_| {
        at_ms += step_unit * (1 + below(step_bits));
        let above = i32::try_from(above_unit * below(above_bits)).unwrap();
        reading(at_ms, -70_000 + above)
    };
    (0..count).map(next).collect()
}

fn comes_back(readings: &[Reading]) -> usize {
    let bytes = encode(&probe(1), readings).unwrap();
    assert_eq!(decode(&probe(1), &bytes).unwrap(), readings);
    bytes.len()
}

#[test]
fn readings_come_back_whatever_their_number_width_and_unit() {
    let mut random = fastrand::Rng::with_seed(1);
    for count in (1..20).chain([255, 256, 257, 512, COUNT_MAX]) {
        for step_bits in 0..=50 {
            let bits = [step_bits, step_bits % 18];
            comes_back(&readings(count, &mut random, bits, [1, 1]));
        }
        for units in [[1_000, 100], [1_000, 10], [1, 100]] {
            comes_back(&readings(count, &mut random, [6, 7], units));
        }
    }
}

/// 5 bits of time and 7 of temperature are 1.5 bytes, whatever the unit.
#[test]
fn a_reading_takes_the_bits_that_it_needs_in_the_unit_of_its_logger() {
    let mut random = fastrand::Rng::with_seed(2);
    for units in [[1, 1], [1_000, 100], [1_000, 10]] {
        let length = comes_back(&readings(512, &mut random, [5, 7], units));
        let columns = length - HEADER_LENGTH - SUM_LENGTH;
        assert_eq!(columns, (511 * 5usize).div_ceil(8) + 512 * 7 / 8);
    }
}

#[test]
fn the_ends_of_time_and_temperature_and_many_readings_of_one_moment_come_back() {
    comes_back(&[
        reading(0, i32::MIN),
        reading(0, i32::MAX),
        reading(u64::MAX, i32::MIN),
        reading(u64::MAX, 0),
        reading(u64::MAX, i32::MAX),
    ]);
    let conflicting: Vec<_> = (0..2_048).map(|n| reading(9, n * n - 5)).collect();
    comes_back(&conflicting);
    let spread: Vec<_> = (0..64).map(|n| reading(1 << n, -(n * 1_000))).collect();
    comes_back(&spread);
}

#[test]
fn none_too_many_and_unsorted_readings_are_not_packed() {
    let mut random = fastrand::Rng::with_seed(3);
    let mut readings = readings(COUNT_MAX + 1, &mut random, [6, 7], [1, 1]);
    assert!(encode(&probe(1), &[]).is_err());
    assert!(encode(&probe(1), &readings).is_err());
    readings.truncate(9);
    readings[4] = readings[3];
    assert!(encode(&probe(1), &readings).is_err());
}

/// A row as it was first written: it is read for ever.
#[test]
fn the_bytes_of_a_row_are_pinned() {
    let minute = |n: u64| {
        let temperature = -18_000 + 100 * i32::try_from(n * 5 % 11).unwrap();
        reading(
            1_790_000_000_000 + 60_000 * n + 1_000 * (n * n % 7),
            temperature,
        )
    };
    let readings: Vec<_> = (0..20).map(minute).collect();
    let bytes = encode(&probe(1), &readings).unwrap();
    assert_eq!(decode(&probe(1), &bytes).unwrap(), readings);
    let hex: String = bytes.iter().map(|it| format!("{it:02x}")).collect();
    assert_eq!(hex, PINNED.split_whitespace().collect::<String>());
}

const PINNED: &str = "
    020014000001a0c4506c00000001a0c461e0c003e8000000000000003903ffffb9b0006404745688
    ce0ad15901504a39281706a59483726a9416e6054d6047
";

/// The bytes with a sound checksum: what an editor would leave.
fn resealed(content: &[u8]) -> Vec<u8> {
    [content, &sum(&probe(1), content)].concat()
}

#[test]
fn every_cut_and_every_flipped_bit_is_damage() {
    let mut random = fastrand::Rng::with_seed(4);
    for count in [1, 2, 40, 300] {
        let bytes = encode(
            &probe(1),
            &readings(count, &mut random, [5, 7], [1_000, 100]),
        )
        .unwrap();
        let refused = |bytes: &[u8]| {
            let read = decode(&probe(1), bytes);
            assert!(matches!(read, Err(Store::Damaged { .. })), "{read:?}");
        };
        (0..bytes.len()).for_each(|cut| refused(&bytes[..cut]));
        refused(&[&bytes[..], &[0]].concat());
        for bit in 0..bytes.len() * 8 {
            let mut bytes = bytes.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            refused(&bytes);
        }
        assert!(decode(&probe(2), &bytes).is_err());
    }
}

/// Beneath the checksum: nothing panics, no length is believed, and what is read
/// keeps what it promises.
#[test]
fn a_hostile_row_with_a_sound_checksum_is_refused_or_keeps_its_promises() {
    let seed = 5;
    println!("seed {seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let [mut refused, mut read] = [0, 0];
    let mut try_it = |content: &[u8]| match decode(&probe(1), &resealed(content)) {
        Err(Store::Damaged { what }) => {
            assert!(!what.contains("checksum"), "{what}");
            refused += 1;
        }
        Err(other) => panic!("{other}"),
        Ok(readings) => {
            assert!((1..=COUNT_MAX).contains(&readings.len()));
            assert!(readings.is_sorted_by(|one, next| one < next));
            read += 1;
        }
    };
    for count in [1, 2, 40, 300] {
        let readings = readings(count, &mut random, [5, 7], [1, 10]);
        let whole = encode(&probe(1), &readings).unwrap();
        let content = &whole[..whole.len() - SUM_LENGTH];
        (0..content.len()).for_each(|cut| try_it(&content[..cut]));
        for bit in 0..content.len() * 8 {
            let mut bytes = content.to_vec();
            bytes[bit / 8] ^= 1 << (bit % 8);
            try_it(&bytes);
        }
        for _ in 0..2_000 {
            let mut bytes = content.to_vec();
            for _ in 0..random.usize(1..6) {
                let at = random.usize(0..bytes.len());
                bytes[at] = random.u8(..);
            }
            try_it(&bytes);
        }
    }
    assert!(refused > 5_000, "only {refused} were refused");
    assert!(read > 1_000, "only {read} were read");
}

/// Files of before: their unsealed rows are chunks. They are read as they lie, what
/// is written again is packed, and they are sealed like any other.
#[test]
fn chunks_that_older_files_hold_unsealed_are_read_joined_and_sealed() {
    let shelves = shelves();
    let all = minutes(0..1_300);
    let put = shelves.database.write(|batch| {
        for row in all[..1_200].chunks(512) {
            let key = chunk_key(&probe(1), UNSEALED, row[0]);
            batch.put(CHUNKS, &key, &chunk::encode(&probe(1), row)?)?;
        }
        Ok(())
    });
    put.unwrap();
    assert_eq!(shelves.all(probe(1)), all[..1_200]);
    assert_eq!(shelves.stored(&probe(1)).unwrap().readings, 1_200);
    let taken = shelves.store(vec![(probe(1), all[1_100..].to_vec())]);
    assert_eq!((taken.fresh, taken.known), (100, 100));
    assert_eq!(shelves.all(probe(1)), all);
    let snapshot = shelves.database.snapshot().unwrap();
    let mut rows = chunks_of(&snapshot, &probe(1), UNSEALED).unwrap();
    let versions = std::iter::from_fn(|| rows.next_row().unwrap().map(|it| it.value()[0]));
    assert_eq!(versions.collect::<Vec<_>>(), [1, 1, VERSION]);
    let draft = shelves
        .draft(&probe(1), 0, all[1_249].at_ms)
        .unwrap()
        .unwrap();
    assert_eq!(draft.count, 1_250);
    let checked = shelves.check(&probe(1), 0, draft.count, &draft.root);
    assert_eq!(checked.unwrap(), Checked::Sound);
    assert_eq!(shelves.all(probe(1)), all);
}

/// What is sealed travels as it lies, so that only chunks may lie there.
#[test]
fn a_packed_row_in_a_segment_s_place_is_damage() {
    let shelves = shelves();
    shelves.store(vec![(probe(1), minutes(0..40))]);
    let draft = shelves.draft(&probe(1), 0, u64::MAX).unwrap().unwrap();
    let check = || shelves.check(&probe(1), 0, draft.count, &draft.root);
    assert_eq!(check().unwrap(), Checked::Sound);
    let key = chunk_key(&probe(1), 0, minutes(0..1)[0]);
    let row = encode(&probe(1), &minutes(0..40)).unwrap();
    let put = shelves
        .database
        .write(|batch| batch.put(CHUNKS, &key, &row));
    put.unwrap();
    let found = check().unwrap_err().to_string();
    assert!(found.contains("version 2"), "{found}");
}
