//! A statement has one text, and what is carried is what it speaks of.

use super::*;
use crate::proof::checkpoint::SignedCheckpoint;
use crate::proof::merkle::Hash;
use crate::record::Origin;
use crate::record::sign::SigningKey;

const ORIGIN: &str = "langfang.example/trace";

fn signer(seed: u8) -> NoteSigner {
    NoteSigner::new(ORIGIN, SigningKey::from_seed([seed; 32])).unwrap()
}

fn checkpoint(size: u64, root: u8) -> Checkpoint {
    Checkpoint {
        origin: Origin::parse(ORIGIN).unwrap(),
        size,
        root: Hash::from([root; 32]),
    }
}

fn verified(checkpoint: &Checkpoint) -> VerifiedCheckpoint {
    let signed: SignedCheckpoint = checkpoint.sign(&signer(1)).unwrap();
    signed.verify(signer(1).verifier_key()).unwrap()
}

fn probe(byte: u8) -> EquipmentId {
    EquipmentId::from_bytes([byte; 10])
}

fn shelves() -> Vec<Shelf> {
    let shelf = |byte, segment, chunks: &[&[u8]]| Shelf {
        probe: probe(byte),
        segment,
        chunks: chunks.iter().map(|bytes| bytes.to_vec()).collect(),
    };
    vec![
        shelf(1, Some(3), &[b"ab", b"c"]),
        shelf(1, Some(4), &[]),
        shelf(1, None, &[b"d"]),
        shelf(2, None, &[b""]),
    ]
}

fn statement() -> TemperatureStatement {
    TemperatureStatement {
        checkpoint: checkpoint(30, 7),
        until_ms: 1_798_765_432_100,
        carried: Carried::Whole(digest(&shelves())),
        windows: BTreeMap::from([
            ((probe(1), 5, 9), BTreeSet::from([17, 29])),
            ((probe(1), 5, 10), BTreeSet::new()),
            ((probe(2), 0, u64::MAX), BTreeSet::from([0])),
        ]),
    }
}

#[test]
fn every_statement_comes_back_from_its_one_text() {
    let left_out = TemperatureStatement {
        carried: Carried::LeftOut(2_000_000),
        windows: BTreeMap::new(),
        ..statement()
    };
    for statement in [statement(), left_out] {
        let text = statement.text();
        assert_eq!(TemperatureStatement::parse_text(&text), Ok(statement));
    }
}

#[test]
fn any_other_text_is_refused() {
    let text = statement().text();
    let lines: Vec<&str> = text.split_terminator('\n').collect();
    let mut others = vec![
        String::new(),
        text.trim_end().to_owned(),
        format!("{text}\n"),
        text.replacen("v1", "v2", 1),
        text.replacen("1798765432100", "+1798765432100", 1),
        text.replacen(" 2 17,29", " 3 17,29", 1),
        text.replacen("17,29", "29,17", 1),
        text.replacen("17,29", "17,30", 1),
        text.replacen("17,29", "17,029", 1),
        text.replacen(" 5 9 ", "  5 9 ", 1),
        text.replacen(&probe(1).compact(), &probe(1).to_string(), 1),
    ];
    // Each line missing, and each two neighbours swapped.
    for at in 0..lines.len() {
        let mut rest = lines.clone();
        rest.remove(at);
        // A statement may be of one window less.
        if at < 6 {
            others.push(rest.join("\n") + "\n");
        }
        let mut swapped = lines.clone();
        if at + 1 < lines.len() {
            swapped.swap(at, at + 1);
            others.push(swapped.join("\n") + "\n");
        }
    }
    for other in others {
        let refused = TemperatureStatement::parse_text(&other);
        assert!(matches!(refused, Err(Verify::Malformed { .. })), "{other}");
    }
}

#[test]
fn readings_other_than_the_stated_ones_are_refused() {
    let (key, checkpoint) = (signer(1), verified(&checkpoint(30, 7)));
    let sound = Temperatures {
        statement: statement().sign(&key).unwrap(),
        readings: shelves(),
    };
    let open = |own: &Temperatures| own.open(key.verifier_key(), &checkpoint);
    assert_eq!(open(&sound), Ok(statement()));
    let changes: [fn(&mut Vec<Shelf>); 9] = [
        |it| drop(it.pop()),
        |it| it.push(it[0].clone()),
        |it| it.swap(0, 1),
        |it| it[0].chunks[0][0] ^= 1,
        |it| it[0].chunks.swap(0, 1),
        // The same bytes, cut elsewhere.
        |it| it[0].chunks = vec![b"a".to_vec(), b"bc".to_vec()],
        |it| it[0].segment = Some(5),
        |it| it[0].segment = None,
        |it| it[0].probe = probe(9),
    ];
    for (place, change) in changes.into_iter().enumerate() {
        let mut other = sound.clone();
        change(&mut other.readings);
        let refused = open(&other);
        assert!(
            matches!(refused, Err(Verify::Malformed { .. })),
            "change {place}"
        );
    }
    let left_out = TemperatureStatement {
        carried: Carried::LeftOut(9),
        ..statement()
    };
    let mut other = sound.clone();
    other.statement = left_out.sign(&key).unwrap();
    assert!(open(&other).is_err(), "left out, and here");
    other.readings.clear();
    assert_eq!(open(&other), Ok(left_out));
}

#[test]
fn a_statement_of_another_key_log_or_size_is_refused() {
    let key = signer(1);
    let own = |statement: &TemperatureStatement, signer: &NoteSigner| Temperatures {
        statement: statement.sign(signer).unwrap(),
        readings: shelves(),
    };
    let open = |own: Temperatures, under: &Checkpoint| {
        own.open(key.verifier_key(), &verified(under)).unwrap_err()
    };
    let sound = statement();
    let refused = open(own(&sound, &signer(2)), &sound.checkpoint);
    assert!(matches!(refused, Verify::WrongLedger { .. }), "{refused}");
    let refused = open(own(&sound, &key), &checkpoint(31, 7));
    assert!(matches!(refused, Verify::Malformed { .. }), "{refused}");
    let refused = open(own(&sound, &key), &checkpoint(30, 8));
    assert!(matches!(refused, Verify::Fork { .. }), "{refused}");
    // Neither of the ledger's other words is one of these.
    let note = sound.checkpoint.sign(&key).unwrap().note().to_owned();
    let other = Temperatures {
        statement: note,
        readings: shelves(),
    };
    let refused = open(other, &sound.checkpoint);
    assert!(matches!(refused, Verify::Malformed { .. }), "{refused}");
}

#[test]
fn what_cannot_be_true_is_not_signed() {
    let key = signer(1);
    let mut beyond = statement();
    beyond.checkpoint.size = 29;
    assert_eq!(beyond.sign(&key).unwrap_err().rule, Rule::Range);
    let mut many = statement();
    for ms in 0..WINDOWS_MAX as u64 {
        many.windows.insert((probe(3), ms, ms), BTreeSet::new());
    }
    assert_eq!(many.sign(&key).unwrap_err().rule, Rule::Range);
    let mut foreign = statement();
    foreign.checkpoint.origin = Origin::parse("other.example/trace").unwrap();
    assert_eq!(foreign.sign(&key).unwrap_err().rule, Rule::Origin);
}
