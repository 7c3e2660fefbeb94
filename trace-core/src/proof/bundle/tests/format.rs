//! A bundle's bytes: one spelling, limits, and nothing that makes it panic.

use super::*;

#[test]
fn every_truncation_and_every_flipped_bit_is_refused() {
    let world = World::voided();
    let (anchor, sound) = (world.anchor(), world.bundle().encode());
    let open = |bytes: &[u8]| Bundle::decode(bytes)?.verify(&anchor, &[], date(TODAY));
    assert!(open(&sound).is_ok());
    for length in 0..sound.len() {
        assert!(open(&sound[..length]).is_err(), "cut at {length}");
    }
    let mut flipped = sound.clone();
    for bit in 0..sound.len() * 8 {
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(open(&flipped).is_err(), "bit {bit}");
        flipped[bit / 8] ^= 1 << (bit % 8);
    }
    assert_eq!(flipped, sound);
}

#[test]
fn any_other_spelling_is_refused() {
    let sound = String::from_utf8(World::certified().bundle().encode()).unwrap();
    let code = unit(UNIT).to_string();
    for other in [
        format!("{sound}\n"),
        format!("{sound} "),
        sound.replacen(':', ": ", 1),
        sound.replacen(&code, &code.to_lowercase(), 1),
        sound.replacen(&code, &code.replace('-', ""), 1),
        sound.replacen("\\n", "\\u000a", 1),
        sound.replacen('—', "\\u2014", 1),
        sound.replacen("\"version\":1,", "", 1),
        sound.replacen("\"version\":1", "\"version\":1,\"version\":1", 1),
        sound.replacen("\"version\":1", "\"version\":1.0", 1),
        sound.replacen("\"version\":1", "\"version\":1,\"more\":[]", 1),
        sound.replacen("\"version\":1", "\"version\":2", 1),
        sound.replacen("\"version\":1", "\"version\":2,\"more\":[]", 1),
        sound.replacen("}]}", "}],\"temperatures\":null}", 1),
        sound.replacen("\"index\":0", "\"index\":00", 1),
        sound.replacen("\"index\":1,", "\"index\":0,", 1),
        sound.replacen("\"index\":1,", "\"index\":3,", 1),
        String::new(),
        "{}".into(),
        "[".repeat(100_000),
    ] {
        let refused = Bundle::decode(other.as_bytes()).unwrap_err();
        assert!(matches!(refused, Verify::Malformed { .. }), "{refused}");
    }
    let later = sound.replacen("\"version\":1", "\"version\":3,\"more\":[]", 1);
    let refused = Bundle::decode(later.as_bytes()).unwrap_err();
    assert!(matches!(refused, Verify::CannotCheck { .. }), "{refused}");
}

#[test]
fn what_is_too_large_is_neither_made_nor_read() {
    let record = |index, length| BundleRecord {
        index,
        entry: vec![0; length],
        path: Vec::new(),
    };
    let made = |records| Bundle::new(unit(UNIT), String::new(), String::new(), records, None);
    let rule = |records| made(records).unwrap_err().rule;
    let most = u64::try_from(BUNDLE_RECORDS_MAX).unwrap();
    assert!(made((0..most).map(|index| record(index, 1)).collect()).is_ok());
    assert_eq!(
        rule((0..=most).map(|index| record(index, 1)).collect()),
        Rule::TooLarge
    );
    assert_eq!(
        rule(vec![record(0, BUNDLE_BYTES_MAX / 4 * 3)]),
        Rule::TooLarge
    );
    assert_eq!(
        rule(vec![record(1, 1), record(0, 1), record(1, 2)]),
        Rule::Range
    );
    let refused = Bundle::decode(&vec![b' '; BUNDLE_BYTES_MAX + 1]).unwrap_err();
    assert!(matches!(refused, Verify::Malformed { .. }));
}

#[test]
fn no_input_makes_the_verifier_panic() {
    let seed_of_run = fastrand::u64(..);
    println!("seed {seed_of_run}");
    let mut random = fastrand::Rng::with_seed(seed_of_run);
    for _ in 0..2_000 {
        let length = random.usize(..200);
        let bytes: Vec<u8> = std::iter::repeat_with(|| random.u8(..))
            .take(length)
            .collect();
        assert!(Bundle::decode(&bytes).is_err());
    }
    // Entries of any bytes, which the ledger logged and signed: half of them a
    // real one with some bytes changed, cut or lengthened.
    let sound = World::voided();
    for _ in 0..300 {
        let mut world = World::certified();
        let mut entry = sound.entries[random.usize(..sound.entries.len())].clone();
        for _ in 0..random.usize(1..4) {
            let at = random.usize(..entry.len());
            match random.u8(..4) {
                0 => entry.truncate(at.max(1)),
                1 => entry.insert(at, random.u8(..)),
                _ => entry[at] = random.u8(..),
            }
        }
        let index = world.append_entry(entry.clone());
        let statement = world.completeness(&world.subjects());
        let listed = world.bundle_of(&statement);
        let mut records: Vec<u64> = listed.records.iter().map(|own| own.index).collect();
        if !records.contains(&index) {
            records.push(index);
        }
        // Only the admission time is not signed: at a later one the void stands.
        if check(&world, &world.bundle_with(&statement, records)).is_ok() {
            let hash = Entry::decode(&entry).unwrap().signed.hash();
            assert_eq!(hash, sound.hash(10), "seed {seed_of_run}");
        }
    }
}
