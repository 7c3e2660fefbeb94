//! Every slip of one character and every exchange of two, over several codes
//! of every kind; and the vectors.

use super::*;
use crate::ident::{EntityId, EquipmentId, TraceCode};

const SAMPLES: [[u8; 10]; 5] = [
    [0; 10],
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
    [0xff; 10],
    [0x9f, 0x3a, 0xc0, 0x55, 0x77, 0xe1, 0xd2, 0x0b, 0x6c, 0x48],
    [7; 10],
];

type Writer = fn([u8; 10]) -> String;
type Reader = fn(&str) -> bool;

/// Each kind: its prefix, its writer and whether a text reads as one.
const KINDS: [(&str, Writer, Reader); 3] = [
    (
        "",
        |bytes| TraceCode::from_bytes(bytes).compact(),
        |text| TraceCode::parse(text).is_ok(),
    ),
    (
        "E",
        |bytes| EntityId::from_bytes(bytes).compact(),
        |text| EntityId::parse(text).is_ok(),
    ),
    (
        "Q",
        |bytes| EquipmentId::from_bytes(bytes).compact(),
        |text| EquipmentId::parse(text).is_ok(),
    ),
];

/// Found by trying all 32 check characters with logarithm tables of GF(2⁵),
/// by another program.
#[test]
fn vectors_hold() {
    for (bytes, data, [trace, entity, equipment]) in [
        (SAMPLES[0], "0000-0000-0000-0000", ['Z', 'V', '4']),
        (SAMPLES[1], "000G-40R4-0M30-E209", ['P', 'J', 'D']),
        (SAMPLES[2], "ZZZZ-ZZZZ-ZZZZ-ZZZZ", ['7', '3', 'W']),
        (SAMPLES[3], "KWXC-0NBQ-W790-PV28", ['8', 'C', 'K']),
        (SAMPLES[4], "0W3G-E1R7-0W3G-E1R7", ['7', '3', 'W']),
    ] {
        let code = TraceCode::from_bytes(bytes);
        assert_eq!(code.to_string(), format!("{data}-{trace}"));
        let id = EntityId::from_bytes(bytes);
        assert_eq!(id.to_string(), format!("E-{data}-{entity}"));
        let probe = EquipmentId::from_bytes(bytes);
        assert_eq!(probe.to_string(), format!("Q-{data}-{equipment}"));
        assert_eq!(format!("{probe:?}"), format!("EquipmentId({probe})"));
    }
}

#[test]
fn written_and_read_again_is_the_same() {
    for bytes in SAMPLES {
        let code = TraceCode::from_bytes(bytes);
        assert_eq!(code.to_string().parse(), Ok(code));
        assert_eq!(TraceCode::parse(&code.compact()), Ok(code));
        assert_eq!(code.as_bytes(), &bytes);
        let id = EntityId::from_bytes(bytes);
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(EntityId::parse(&id.compact()), Ok(id));
        let probe = EquipmentId::from_bytes(bytes);
        assert_eq!(probe.to_string().parse(), Ok(probe));
        assert_eq!(EquipmentId::parse(&probe.compact()), Ok(probe));
    }
}

/// Each of the 80 bits alone, so that no bit is lost or moved.
#[test]
fn every_bit_is_carried() {
    for bit in 0..80 {
        let number = 1u128 << bit;
        let bytes: [u8; 10] = number.to_be_bytes()[6..].try_into().unwrap();
        let code = TraceCode::from_bytes(bytes);
        assert_eq!(TraceCode::parse(&code.compact()), Ok(code), "bit {bit}");
    }
}

#[test]
fn weights_are_distinct_and_not_zero() {
    let weights: Vec<u8> = std::iter::successors(Some(1), |v| Some(times_alpha(*v)))
        .take(31)
        .collect();
    let distinct: std::collections::BTreeSet<u8> = weights.iter().copied().collect();
    assert_eq!(distinct, (1..32).collect());
    assert_eq!(times_alpha(weights[30]), 1, "the order is 31");
}

/// 5 codes × 3 kinds × 17 positions × 31 other characters = 7,905.
#[test]
fn every_single_wrong_character_is_refused() {
    let mut tried = 0;
    for (prefix, write, reads) in KINDS {
        for bytes in SAMPLES {
            let sound: Vec<char> = write(bytes).chars().collect();
            for at in prefix.len()..sound.len() {
                for other in ALPHABET.into_iter().filter(|c| *c != sound[at]) {
                    let mut wrong = sound.clone();
                    wrong[at] = other;
                    let text: String = wrong.into_iter().collect();
                    assert!(!reads(&text), "{text} for {}", write(bytes));
                    tried += 1;
                }
            }
        }
    }
    assert_eq!(tried, 5 * 3 * 17 * 31);
}

#[test]
fn every_exchange_of_two_characters_is_refused() {
    let mut tried = 0;
    for (prefix, write, reads) in KINDS {
        for bytes in SAMPLES {
            let sound: Vec<char> = write(bytes).chars().collect();
            for first in prefix.len()..sound.len() {
                for second in first + 1..sound.len() {
                    let mut wrong = sound.clone();
                    wrong.swap(first, second);
                    if wrong != sound {
                        let text: String = wrong.into_iter().collect();
                        assert!(!reads(&text), "{text} for {}", write(bytes));
                        tried += 1;
                    }
                }
            }
        }
    }
    assert!(tried > 1_000, "{tried} exchanges");
}

#[test]
fn no_kind_reads_as_another_with_its_prefix_lost_added_or_changed() {
    for (from, write, _) in KINDS {
        for (to, _, reads) in KINDS {
            for bytes in SAMPLES {
                let text = write(bytes);
                let moved = format!("{to}{}", &text[from.len()..]);
                assert_eq!(reads(&moved), from == to, "{text} as {moved}");
                assert_eq!(reads(&text), from == to, "{text} read as {to:?}");
            }
        }
    }
}

#[test]
fn case_spaces_hyphens_and_letters_like_digits_are_forgiven() {
    let code = TraceCode::from_bytes([0x08, 0x42, 0x10, 0x84, 0x20, 0, 0, 0, 0, 0]);
    let shown = code.to_string();
    assert!(shown.starts_with("1111-1110-0000-0000-"), "{shown}");
    let check = &shown[20..];
    for typed in [
        format!("iLIl-1LlO-oooo-OOOO-{check}"),
        format!("  1111 1110\t0000 0000{check}\n"),
        format!("1-1-1-1-1-1-1-000000000{}", check.to_lowercase()),
        format!("1111–1110—0000－0000−{check}"),
        format!("1111\u{3000}1110\u{a0}00000000{check}"),
    ] {
        assert_eq!(TraceCode::parse(&typed), Ok(code), "{typed:?}");
    }
    let id = EntityId::from_bytes(*code.as_bytes());
    let typed = id.to_string().to_lowercase().replace('-', "");
    assert_eq!(EntityId::parse(&typed), Ok(id));
}

#[test]
fn a_character_outside_the_alphabet_is_named_with_its_position() {
    for (typed, wanted) in [
        ("000G-4U", "position 7 is 'U'"),
        ("000G u", "position 6 is 'u'"),
        ("批", "position 1 is '批'"),
        (" -0０", "position 4 is '０'"),
        ("00\u{202e}", r"position 3 is '\u{202e}'"),
        ("0*", "position 2 is '*'"),
        ("0=", "position 2 is '='"),
        ("00é", "position 3 is 'é'"),
    ] {
        let refused = TraceCode::parse(typed).unwrap_err();
        assert_eq!(refused.rule, Rule::TraceCode);
        assert!(refused.what.starts_with(wanted), "{refused}");
    }
    let refused = EntityId::parse("-X-000").unwrap_err();
    assert_eq!(refused.what, "position 2 is 'X', wanted the prefix E");
    assert_eq!(refused.rule, Rule::EntityId);
}

#[test]
fn a_wrong_count_or_check_says_so() {
    let shown = "000G-40R4-0M30-E209-P";
    for (typed, wanted) in [
        ("", "found 0 characters, wanted 17 digits or letters"),
        (
            &shown[..19],
            "found 16 characters, wanted 17 digits or letters",
        ),
        (
            "000G-40R4-0M30-E209-P0",
            "found 18 characters, wanted 17 digits or letters",
        ),
        (
            "000G-40R4-0M30-E209-Q",
            "the check character 'Q' at position 21 does not fit the 16 before it: one of them \
             was misread, or this is another kind of code",
        ),
    ] {
        assert_eq!(TraceCode::parse(typed).unwrap_err().what, wanted);
    }
    for (typed, found) in [("", 0), ("E-", 1), ("e-000g", 5)] {
        let refused = EntityId::parse(typed).unwrap_err();
        let wanted = format!("found {found} characters, wanted E and 17 digits or letters");
        assert_eq!(refused.what, wanted);
    }
    let long = format!("{shown}{}", " ".repeat(44));
    let refused = TraceCode::parse(&long).unwrap_err();
    assert_eq!(refused.what, "found 65 bytes, wanted at most 64");
    assert!(TraceCode::parse(&long[..64]).is_ok());
}
