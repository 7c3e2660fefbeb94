//! Each sample cut at every place, with every bit flipped, with a byte more:
//! all refused, while the sample itself is accepted.

use super::samples::{Sample, of_a_ledger, of_every_kind};

/// How many threads share the work.
fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn refuses_what_is_spoilt(sample: &Sample) {
    let Sample {
        name,
        bytes,
        accepts,
    } = sample;
    assert!(accepts(bytes), "{name} itself is refused");
    for cut in 0..bytes.len() {
        assert!(
            !accepts(&bytes[..cut]),
            "{name} cut to {cut} of {}",
            bytes.len()
        );
    }
    for more in [0, 1, b' ', b'\n', b'}', 0xff] {
        let longer = [bytes.as_slice(), &[more]].concat();
        assert!(!accepts(&longer), "{name} with {more:#04x} behind it");
        let longer = [&[more], bytes.as_slice()].concat();
        assert!(!accepts(&longer), "{name} with {more:#04x} before it");
    }
    let (bits, threads) = (bytes.len() * 8, threads());
    std::thread::scope(|scope| {
        for first in 0..threads {
            scope.spawn(move || {
                let mut flipped = bytes.clone();
                for bit in (first..bits).step_by(threads) {
                    flipped[bit / 8] ^= 1 << (bit % 8);
                    assert!(!accepts(&flipped), "{name} with bit {bit} flipped");
                    flipped[bit / 8] ^= 1 << (bit % 8);
                }
                assert_eq!(flipped, *bytes, "{name}: a flip was not taken back");
            });
        }
    });
    println!("{name}: {} cuts and {bits} flips refused", bytes.len());
}

#[test]
fn what_a_ledger_hands_out_or_takes_in_is_refused_with_any_bit_another() {
    of_a_ledger().iter().for_each(refuses_what_is_spoilt);
}

#[test]
fn a_record_of_every_kind_is_refused_with_any_bit_another() {
    of_every_kind().iter().for_each(refuses_what_is_spoilt);
}
