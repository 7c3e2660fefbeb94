//! Lengths declared far beyond what is there: refused before memory is taken.
//!
//! The crate `allocation-counter` counts what a thread holds at most.

use super::decoders::{self, Decoder, Read};
use super::samples::{beginnings, of_a_ledger};
use allocation_counter::measure;
use trace_core::error::Rule;
use trace_core::record::encode;
use trace_core::record::submission::{REQUEST_RECORDS_MAX, decode_many};

/// The largest input tried here.
const INPUT_BYTES: usize = 64 * 1024;

/// The most that a decoder may hold at once while it reads such an input.
const HELD_BYTES_MAX: u64 = 1 << 20;

/// Lies about a length, as postcard and as a fixed width would write them.
const LIES: [&[u8]; 6] = [
    &[0xff, 0xff, 0xff, 0xff],
    &[0x7f, 0xff, 0xff, 0xff],
    &[0xff, 0xff, 0xff, 0xff, 0x0f],
    &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f],
    &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
    &[0x80, 0x80, 0x80, 0x80, 0x04],
];

/// JSON becomes a tree of values before this project sees it, and a sheet is cut into
/// cells, at some tens of bytes for each of two characters: whoever reads it bounds
/// the length of a body, and of a row.
const IN_PIECES: [&str; 3] = [
    "statement in JSON",
    "mapping of a logger",
    "sheet of certificates",
];

fn held(decoder: &Decoder, bytes: &[u8]) -> u64 {
    let (name, decode) = *decoder;
    let most = measure(|| drop(decode(bytes))).bytes_max;
    assert!(
        most <= HELD_BYTES_MAX,
        "{name} held {most} bytes for {} of {:02x?}…",
        bytes.len(),
        &bytes[..bytes.len().min(64)]
    );
    most
}

#[test]
fn a_length_that_lies_costs_no_memory_wherever_it_stands() {
    let (mut most, mut tried) = (0, 0);
    for beginning in beginnings() {
        for decoder in decoders::all() {
            if matches!((decoder.1)(&beginning), Read::Refused) {
                continue;
            }
            for place in 0..beginning.len() {
                for lie in LIES {
                    // Over what stands there, and instead of all that follows.
                    let (head, tail) = beginning.split_at(place);
                    let tail = tail.get(lie.len()..).unwrap_or_default();
                    most = most.max(held(decoder, &[head, lie, tail].concat()));
                    most = most.max(held(decoder, &[head, lie, &[0; 64]].concat()));
                    tried += 2;
                }
            }
        }
    }
    assert!(tried > 100_000, "{tried}");
    println!("{tried} lies, at most {most} bytes held");
}

#[test]
fn a_long_input_costs_a_few_times_its_length() {
    let mut inputs: Vec<Vec<u8>> = vec![vec![0; INPUT_BYTES], vec![0xff; INPUT_BYTES]];
    for unit in [
        "{\"index\":0,\"entry\":\"\",\"path\":[]},",
        "[",
        "{\"version\":1,\"code\":",
        "0,",
        "\n",
        "\n\n",
        "\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\",",
        "— a AAAAAAA=\n",
        "粮",
    ] {
        inputs.push(unit.repeat(INPUT_BYTES / unit.len()).into_bytes());
        // The same behind the head of each text that has one.
        for head in [
            "{\"version\":1,\"code\":\"0000-0000-0000-0000-0\",\"checkpoint\":\"\",\"completeness\":\"\",\"records\":[",
            "{\"admitted_ms\":0,\"algorithm\":1,\"signature\":\"",
            "a\n\n",
            "trace/complete/v1\na\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
            "trace/complete/v1\na\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n0000000000000000000000000000000000000000000000000000000000000000 1 ",
        ] {
            let room = INPUT_BYTES - head.len();
            inputs.push(
                [head, &unit.repeat(room / unit.len())]
                    .concat()
                    .into_bytes(),
            );
        }
    }
    for sample in of_a_ledger() {
        let times = INPUT_BYTES / sample.bytes.len();
        inputs.push(sample.bytes.repeat(times));
    }
    let mut most = 0;
    for decoder in decoders::all() {
        if IN_PIECES.contains(&decoder.0) {
            continue;
        }
        for input in &inputs {
            most = most.max(held(decoder, input));
        }
    }
    println!("at most {most} bytes held");
}

#[test]
fn more_records_or_longer_parts_than_a_request_may_have_are_refused() {
    let empty = [0, 0, 0, 0, 0, 0];
    let counted = |count: usize| decode_many(&empty.repeat(count));
    assert_eq!(
        counted(REQUEST_RECORDS_MAX).unwrap().len(),
        REQUEST_RECORDS_MAX
    );
    let refused = counted(REQUEST_RECORDS_MAX + 1).unwrap_err();
    assert_eq!(refused.rule, Rule::TooLarge);
    for length in [16 * 1024 + 1, 1 << 20, u32::MAX] {
        let refused = decode_many(&length.to_be_bytes()).unwrap_err();
        assert_eq!(refused.rule, Rule::TooLarge, "{length}");
    }
    let text = encode::encode(&u64::MAX);
    assert_eq!(
        encode::decode::<String>("text", &text).unwrap_err().rule,
        Rule::Record
    );
}
