//! Requests that are good but for some bytes: of address, header lines and body.
//! Whatever they say, nothing fails inside and the server answers the next one.
//!
//! `TRACE_HTTP_INPUTS` sets how many (60,000 unless told); the seed is printed.

use std::{
    collections::BTreeMap,
    io::{Read, Write},
    net::Shutdown,
};

use trace_fixtures::draw::Draw;

use crate::{
    cases::{self, Case, What},
    town::Town,
};

const SEED: u64 = 20_260_511;

fn inputs() -> u64 {
    let told = std::env::var("TRACE_HTTP_INPUTS").ok();
    told.map_or(60_000, |told| told.parse().unwrap())
}

/// Pieces that decoders stumble over.
const PIECES: [&[u8]; 14] = [
    b"\"",
    b"{\"a\":",
    b"[[[[[[[[",
    b"null",
    b"-1",
    b"99999999999999999999999",
    b"1e308",
    b"\\u0000",
    b"\\ud800",
    b"%00",
    b"%ff",
    b"\xe2\x80\xae",
    b"..%2f",
    b"\xff\xfe",
];

/// One to three changes.
fn changed(draw: &mut Draw, sound: &[u8]) -> Vec<u8> {
    let mut bytes = sound.to_vec();
    for _ in 0..draw.between(1, 3) {
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
            4 => drop(bytes.splice(place..place, draw.pick(&PIECES).iter().copied())),
            _ if place < bytes.len() => bytes[place] ^= 1 << draw.below(8),
            _ => {}
        }
    }
    bytes
}

/// What may stand in the first line of a request: the rest is percent-encoded, as
/// any client would.
fn address(bytes: &[u8]) -> String {
    let mut text = String::from("/");
    for byte in bytes {
        match byte {
            b'!'..=b'~' if *byte != b'#' => text.push(char::from(*byte)),
            other => text.push_str(&format!("%{other:02X}")),
        }
    }
    text
}

/// The status of the answer to a request as changed; none where the server closed
/// without one.
fn ask(town: &Town, case: &Case, path: &str, lines: &[u8], body: &[u8]) -> Option<u16> {
    let mut stream = town.connect();
    let mut request = format!(
        "{} {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: {}\r\n",
        case.method,
        body.len()
    )
    .into_bytes();
    for part in [lines, b"\r\n", body] {
        request.extend_from_slice(part);
    }
    // A head that is refused is answered before the body has left.
    let _ = stream.write_all(&request);
    // Nothing more comes of a head without an end.
    let _ = stream.shutdown(Shutdown::Write);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let head = answer.get(..12)?;
    str::from_utf8(head).ok()?.get(9..)?.parse().ok()
}

#[test]
fn no_request_however_spoilt_fails_inside() {
    println!("seed {SEED}");
    let mut town = Town::new();
    let cases = cases::cases(&mut town);
    let cases: Vec<&Case> = cases.iter().filter(|it| it.what == What::Good).collect();
    let mut draw = Draw::new(SEED, "requests");
    let mut answered: BTreeMap<u16, u64> = BTreeMap::new();
    let mut closed = 0;
    for number in 0..inputs() {
        let case = draw.pick(&cases);
        let (mut path, mut lines, mut body) = (
            case.path.clone(),
            case.lines.clone().into_bytes(),
            case.body.clone(),
        );
        match draw.below(4) {
            0 if !lines.is_empty() => lines = changed(&mut draw, &lines),
            1 | 2 if !body.is_empty() => body = changed(&mut draw, &body),
            _ => path = address(&changed(&mut draw, &case.path.as_bytes()[1..])),
        }
        match ask(&town, case, &path, &lines, &body) {
            None => closed += 1,
            Some(status) => {
                assert!(
                    status < 500,
                    "input {number}: {status} to {} {path}\n{}\n{}",
                    case.method,
                    lines.escape_ascii(),
                    body.escape_ascii()
                );
                *answered.entry(status).or_default() += 1;
            }
        }
    }
    town.get("/checkpoint").with(200);
    println!("{answered:?}, {closed} closed without an answer");
    assert!(answered.len() > 8, "{answered:?}");
    assert!(answered.contains_key(&200) && answered.contains_key(&400));
}
