//! Random bytes, and sound bytes randomly cut, joined and overwritten: no
//! decoder panics or takes memory beyond measure, and whatever one accepts is in its
//! one spelling.

use super::decoders::{self, Decoder, Read};
use super::samples::beginnings;
use allocation_counter::measure;
use trace_fixtures::draw::Draw;

const SEED: u64 = 20_260_511;

/// Longest input: decoders cost by the byte, and faults sit in the first few.
const INPUT_BYTES_MAX: usize = 4_096;

/// The most that a decoder may hold at once while it reads such an input.
const HELD_BYTES_MAX: u64 = 1 << 20;

/// Decoders of files that people make take tens of microseconds for each: they get
/// one in so many.
const SLOWER: [(&str, u64); 4] = [
    ("sheet of certificates", 8),
    ("file of a logger", 8),
    ("guess at a file of a logger", 50),
    ("mapping of a logger", 4),
];

fn inputs_for(name: &str) -> u64 {
    let told = std::env::var("TRACE_HOSTILE_INPUTS").ok();
    let all = told.map_or(500_000, |told| told.parse().unwrap());
    let slower = SLOWER.iter().find(|(known, _)| *known == name);
    all / slower.map_or(1, |(_, times)| *times)
}

/// Says which input it was when the decoder panics.
struct Tried<'a>(&'static str, u64, &'a [u8]);

impl Drop for Tried<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let Self(name, number, bytes) = self;
            eprintln!("{name}, seed {SEED}, input {number}: {bytes:02x?}");
        }
    }
}

fn random(draw: &mut Draw) -> Vec<u8> {
    let mut bytes = Vec::new();
    let length = draw.place(97);
    while bytes.len() < length {
        bytes.extend(draw.bytes::<16>());
    }
    bytes.truncate(length);
    bytes
}

/// A sound input with one to four changes.
fn changed(draw: &mut Draw, own: &[Vec<u8>], beginnings: &[Vec<u8>]) -> Vec<u8> {
    let from = if draw.chance(3, 4) { own } else { beginnings };
    let mut bytes = draw.pick(from).clone();
    for _ in 0..draw.between(1, 4) {
        let (place, other) = (draw.place(bytes.len() + 1), draw.place(bytes.len() + 1));
        let (first, last) = (place.min(other), place.max(other));
        match draw.below(7) {
            0 => bytes.truncate(place),
            1 => bytes.insert(place, draw.bytes::<1>()[0]),
            2 => drop(bytes.drain(first..last.min(first + 8))),
            3 => {
                let twice = bytes[first..last.min(first + 32)].to_vec();
                bytes.splice(place..place, twice);
            }
            4 => {
                let from = draw.pick(beginnings);
                let start = draw.place(from.len());
                let end = from.len().min(start + 48);
                bytes.splice(place..place, from[start..end].iter().copied());
            }
            _ if place < bytes.len() => bytes[place] = draw.bytes::<1>()[0],
            _ => {}
        }
    }
    bytes.truncate(INPUT_BYTES_MAX);
    bytes
}

fn try_all(decoder: &Decoder, beginnings: &[Vec<u8>]) {
    let (name, decode) = *decoder;
    let mut draw = Draw::new(SEED, name);
    let read = |bytes: &&Vec<u8>| !matches!(decode(bytes), Read::Refused);
    let own: Vec<Vec<u8>> = beginnings.iter().filter(read).cloned().collect();
    assert!(!own.is_empty(), "{name} reads nothing");
    let (inputs, mut accepted, mut most) = (inputs_for(name), 0, 0);
    for number in 0..inputs {
        let bytes = match number % 2 {
            0 => random(&mut draw),
            _ => changed(&mut draw, &own, beginnings),
        };
        let tried = Tried(name, number, &bytes);
        let mut read = Read::Refused;
        let held = measure(|| read = decode(&bytes)).bytes_max;
        assert!(held <= HELD_BYTES_MAX, "{name} held {held} bytes");
        most = most.max(held);
        match read {
            Read::Refused => {}
            Read::Whole => accepted += 1,
            Read::As(again) => {
                accepted += 1;
                assert_eq!(again, bytes, "{name} reads two spellings");
            }
        }
        drop(tried);
    }
    println!("{name}: {inputs} inputs, {accepted} of them read, at most {most} bytes held");
}

#[test]
fn no_random_bytes_make_a_decoder_panic_or_accept_a_second_spelling() {
    println!("seed {SEED}");
    let beginnings = beginnings();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for first in 0..threads {
            let beginnings = &beginnings;
            scope.spawn(move || {
                let share = decoders::all().skip(first).step_by(threads);
                share.for_each(|decoder| try_all(decoder, beginnings));
            });
        }
    });
}
