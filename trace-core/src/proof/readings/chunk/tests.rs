//! What a chunk gives back, what it refuses, and what it takes to be read.

use super::*;

fn probe() -> EquipmentId {
    EquipmentId::from_bytes([7; 10])
}

/// Readings of a cold store: one a minute, give or take seconds.
fn readings(count: usize, random: &mut fastrand::Rng, whole: bool) -> Vec<Reading> {
    let mut at_ms = 1_790_000_000_437;
    let mut next = || {
        at_ms += if whole {
            1_000 * random.u64(57..64)
        } else {
            random.u64(57_000..63_000)
        };
        let noise = if whole {
            100 * random.i32(-2..3)
        } else {
            random.i32(-200..200)
        };
        Reading {
            at_ms,
            temperature_milli_c: -18_300 + noise,
        }
    };
    (0..count).map(|_| next()).collect()
}

#[test]
fn readings_come_back_whatever_their_number_and_unit() {
    let mut random = fastrand::Rng::with_seed(1);
    for whole in [true, false] {
        for count in (1..70).chain([255, 256, 257, 512, 1_000, COUNT_MAX]) {
            let readings = readings(count, &mut random, whole);
            let bytes = encode(&probe(), &readings).unwrap();
            assert_eq!(decode(&probe(), &bytes).unwrap(), readings);
            let header = header(&bytes).unwrap();
            assert_eq!(header.count, count);
            assert_eq!(header.first_ms, readings[0].at_ms);
            assert_eq!(header.last_ms, readings[count - 1].at_ms);
            if whole && count > 200 {
                assert_eq!((header.time_unit_ms, header.unit_milli_c), (1_000, 100));
                assert!(bytes.len() < 2 * count, "{count} in {} bytes", bytes.len());
            }
        }
    }
}

#[test]
fn the_ends_of_time_and_temperature_and_many_readings_of_one_moment_come_back() {
    let reading = |at_ms, temperature_milli_c| Reading {
        at_ms,
        temperature_milli_c,
    };
    let extremes = vec![
        reading(0, i32::MIN),
        reading(0, i32::MAX),
        reading(u64::MAX, i32::MIN),
        reading(u64::MAX, 0),
        reading(u64::MAX, i32::MAX),
    ];
    let conflicting: Vec<_> = (0..2_048).map(|n| reading(9, n * n - 5)).collect();
    let spread: Vec<_> = (0..64).map(|n| reading(1 << n, -(n * 1_000))).collect();
    for readings in [extremes, conflicting, spread] {
        let bytes = encode(&probe(), &readings).unwrap();
        assert_eq!(decode(&probe(), &bytes).unwrap(), readings);
    }
}

#[test]
fn none_too_many_and_unsorted_readings_are_not_encoded() {
    let mut random = fastrand::Rng::with_seed(2);
    let mut readings = readings(COUNT_MAX + 1, &mut random, true);
    for wrong in [&readings[..0], &readings[..]] {
        assert!(encode(&probe(), wrong).is_err());
    }
    readings.truncate(9);
    readings[4] = readings[3];
    assert!(encode(&probe(), &readings).is_err());
}

/// A chunk as version 1 wrote it: it is read for ever.
#[test]
fn the_bytes_of_version_1_are_pinned() {
    let readings: Vec<_> = (0..300u64)
        .map(|n| Reading {
            at_ms: 1_790_000_000_000 + 60_000 * n + 1_000 * (n * n % 7),
            temperature_milli_c: -18_000 + 100 * i32::try_from(n * 5 % 11).unwrap(),
        })
        .collect();
    let pinned = PINNED.split_whitespace().collect::<String>();
    let bytes: Vec<u8> = (0..pinned.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&pinned[at..at + 2], 16).unwrap())
        .collect();
    assert!(decode(&probe(), &bytes).unwrap() == readings);
    let written = FileCompressor::default().write_header(Vec::new());
    assert_eq!(
        written.unwrap(),
        FORMAT,
        "another format needs another version"
    );
}

const PINNED: &str = "
    01012c000001a0c4506c00000001a0c56239c0000003e8ffffb9b000640086100101801c000000000000
    c0010000000000000000745688ce0ad159213a2b446785e8ac109d15a2b342745688ce0ad159213a2b44
    6785e8ac109d15a2b342745688ce0ad159213a2b446785e8ac109d15a2b342745688ce0ad159213a2b44
    6785e8ac109d15a2b342745688ce0ad159213a2b446785e8ac109d15a2b342745688ce0ad15901106102
    004effffff0f100b00000001000000002ee98314a000052840010a50800214a000053951001b5880120a
    e5a5186db0182599bba25a1f423a36a91285ebefca77
";

/// The bytes with a sound checksum: what an editor would leave.
fn resealed(mut bytes: Vec<u8>) -> Vec<u8> {
    let content = bytes.len() - SUM_LENGTH;
    bytes.truncate(content);
    let sum = sum(&probe(), &bytes);
    bytes.extend(sum);
    bytes
}

#[test]
fn every_cut_and_every_flipped_bit_is_damage() {
    let mut random = fastrand::Rng::with_seed(3);
    for count in [1, 2, 40, 300] {
        let bytes = encode(&probe(), &readings(count, &mut random, true)).unwrap();
        let refused = |bytes: &[u8]| {
            let read = decode(&probe(), bytes);
            assert!(matches!(read, Err(Store::Damaged { .. })), "{read:?}");
        };
        (0..bytes.len()).for_each(|cut| refused(&bytes[..cut]));
        refused(&[&bytes[..], &[0]].concat());
        for bit in 0..bytes.len() * 8 {
            let mut bytes = bytes.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            refused(&bytes);
        }
        assert!(decode(&EquipmentId::from_bytes([8; 10]), &bytes).is_err());
    }
}

/// Beneath the checksum: nothing panics, and what is read keeps what it promises.
#[test]
fn a_hostile_chunk_with_a_sound_checksum_is_refused_or_keeps_its_promises() {
    let seed = 4;
    println!("seed {seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let mut refused = 0;
    let mut try_it = |bytes: Vec<u8>| match decode(&probe(), &resealed(bytes)) {
        Err(Store::Damaged { what }) => {
            assert!(!what.contains("checksum"), "{what}");
            refused += 1;
        }
        Err(other) => panic!("{other}"),
        Ok(readings) => {
            assert!((1..=COUNT_MAX).contains(&readings.len()));
            assert!(readings.is_sorted_by(|one, next| one < next));
        }
    };
    for count in [1, 2, 40, 300] {
        let whole = encode(&probe(), &readings(count, &mut random, false)).unwrap();
        for cut in SUM_LENGTH..whole.len() {
            try_it(whole[..cut].to_vec());
        }
        for bit in 0..(whole.len() - SUM_LENGTH) * 8 {
            let mut bytes = whole.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            try_it(bytes);
        }
        for _ in 0..2_000 {
            let mut bytes = whole.clone();
            for _ in 0..random.usize(1..6) {
                let at = random.usize(0..bytes.len());
                bytes[at] = random.u8(..);
            }
            try_it(bytes);
        }
    }
    assert!(refused > 5_000, "only {refused} were refused");
}

#[test]
fn a_column_that_asks_for_a_dictionary_or_a_window_is_not_opened() {
    for first in 0..=u8::MAX {
        let column = [first, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0];
        let read = numbers::<u64>(&column, 5);
        if first != 0x00 && first != 0x10 {
            assert!(read.unwrap_err().contains("begins with"));
        }
    }
    assert!(numbers::<u64>(&[], 5).is_err());
}
