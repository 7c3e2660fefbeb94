//! Every parser against everything short: all strings of one and two ASCII
//! characters, and 100,000 pseudo-random inputs under a seed. None panics,
//! what is read is shown and read again alike, and what is refused says where.

use super::*;
use crate::error::{Invalid, Rule};
use std::fmt::Display;

type Parser = fn(&str) -> Result<String, Invalid>;

fn shown<T: Display>(read: Result<T, Invalid>) -> Result<String, Invalid> {
    read.map(|value| value.to_string())
}

/// Each parser, its rule, and a text that it reads.
const PARSERS: [(&str, Rule, &str, Parser); 13] = [
    (
        "trace code",
        Rule::TraceCode,
        "000G-40R4-0M30-E209-P",
        |text| shown(TraceCode::parse(text)),
    ),
    (
        "entity id",
        Rule::EntityId,
        "E-000G-40R4-0M30-E209-J",
        |text| shown(EntityId::parse(text)),
    ),
    (
        "equipment id",
        Rule::EquipmentId,
        "Q-000G-40R4-0M30-E209-D",
        |text| shown(EquipmentId::parse(text)),
    ),
    ("USCC", Rule::Uscc, "91350100M000100Y43", |text| {
        shown(Uscc::parse(text).inspect(|code| {
            let _ = (code.area(), code.check(), code.organisation_check());
        }))
    }),
    ("area", Rule::Area, "131082", |text| {
        shown(text.parse::<Area>().inspect(|area| {
            assert!(area.parent().is_none_or(|above| above.covers(*area)));
        }))
    }),
    ("licence", Rule::Licence, "SC10113102800017", |text| {
        shown(Licence::parse(text).inspect(|licence| {
            let _ = (licence.area(), licence.check(), licence.kind());
        }))
    }),
    ("GTIN", Rule::Gs1, "06901234567892", |text| {
        shown(Gtin::parse(text))
    }),
    ("GLN", Rule::Gs1, "0614141000012", |text| {
        shown(Gln::parse(text))
    }),
    ("SSCC", Rule::Gs1, "106141411234567897", |text| {
        shown(Sscc::parse(text))
    }),
    ("lot", Rule::Lot, "2026-02/A", |text| {
        shown(Lot::parse(text))
    }),
    ("serial", Rule::Serial, "A_0001", |text| {
        shown(Serial::parse(text))
    }),
    ("date", Rule::Date, "2026-02-01", |text| {
        shown(CivilDate::parse(text))
    }),
    (
        "instant",
        Rule::Instant,
        "2026-02-01T04:00:00.000+08:00",
        |text| parse_ms(text).map(|ms| format_ms(ms, LEDGER_OFFSET_MINUTES)),
    ),
];

/// Gives `text` to every parser; returns how many read it.
fn give(text: &str) -> usize {
    let mut read = 0;
    for (name, rule, _, parse) in PARSERS {
        match parse(text) {
            Ok(shown) => {
                let again = parse(&shown);
                assert_eq!(again.as_ref(), Ok(&shown), "{name}: {text:?}");
                read += 1;
            }
            Err(refused) => {
                let what = &refused.what;
                assert_eq!(refused.rule, rule, "{name}: {text:?}: {what}");
                let says_where = [
                    "position",
                    "characters, wanted",
                    "bytes, wanted",
                    "before 1970",
                ];
                assert!(
                    says_where.iter().any(|word| what.contains(word)),
                    "{name}: {text:?}: {what}"
                );
                assert!(what.len() < 200, "{name}: {text:?}: {what}");
                assert!(!what.contains(char::is_control), "{name}: {text:?}");
            }
        }
    }
    read
}

#[test]
fn every_parser_reads_its_example_and_shows_it_alike() {
    for (name, _, example, parse) in PARSERS {
        assert_eq!(parse(example).as_deref(), Ok(example), "{name}");
    }
}

#[test]
fn all_strings_of_up_to_two_ascii_characters_are_read_or_refused() {
    let mut read = give("");
    for first in 0..128u8 {
        read += give(&char::from(first).to_string());
        for second in 0..128u8 {
            read += give(&String::from_iter([char::from(first), char::from(second)]));
        }
    }
    // Lots and serials alone are that short.
    assert_eq!(read, 2 * (82 + 82 * 82));
}

#[test]
fn every_example_cut_or_with_one_character_changed_is_read_or_refused() {
    let mut tried = 0;
    for (_, _, example, _) in PARSERS {
        let sound: Vec<char> = example.chars().collect();
        for at in 0..sound.len() {
            give(&example[..at]);
            give(&example[at..]);
            for other in (' '..='~').chain(['\0', '\u{7f}', '０', '字', '\u{202e}', '\u{10ffff}'])
            {
                let mut wrong = sound.clone();
                wrong[at] = other;
                give(&String::from_iter(wrong));
                tried += 1;
            }
        }
    }
    assert!(tried > 20_000, "{tried}");
}

/// SplitMix64 (Steele, Lea, Flood 2014): small, and the same everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(limit).unwrap()).unwrap()
    }
}

#[test]
fn a_hundred_thousand_random_inputs_are_read_or_refused() {
    const SEED: u64 = 0x7261_6365;
    println!("seed {SEED:#x}");
    // What codes are made of, and what comes between by accident.
    let likely: Vec<char> = "0123456789 -ABCEQSJYTZoilu:+.批０\u{202e}\u{3000}"
        .chars()
        .collect();
    let mut random = Random(SEED);
    let mut read = 0;
    for turn in 0..100_000 {
        let text = match turn % 3 {
            0 => {
                let length = random.below(72);
                let bytes: Vec<u8> = (0..length)
                    .map(|_| random.next().to_le_bytes()[0])
                    .collect();
                String::from_utf8_lossy(&bytes).into_owned()
            }
            1 => {
                let length = random.below(40);
                (0..length)
                    .map(|_| likely[random.below(likely.len())])
                    .collect()
            }
            _ => {
                let (_, _, example, _) = PARSERS[random.below(PARSERS.len())];
                let mut wrong: Vec<char> = example.chars().collect();
                for _ in 0..random.below(4) {
                    let at = random.below(wrong.len());
                    match random.below(3) {
                        0 => wrong[at] = likely[random.below(likely.len())],
                        1 => wrong.insert(at, likely[random.below(likely.len())]),
                        _ if wrong.len() > 1 => drop(wrong.remove(at)),
                        _ => {}
                    }
                }
                String::from_iter(wrong)
            }
        };
        read += give(&text);
    }
    assert!(read > 10_000, "{read} read under seed {SEED:#x}");
}
