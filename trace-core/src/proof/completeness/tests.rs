//! Completeness statements there and back, and every way in which one is not
//! one, a checkpoint among them.

use super::*;
use crate::error::Rule;
use crate::ident::TraceCode;
use crate::proof::checkpoint::SignedCheckpoint;
use crate::proof::note::sign_note;
use crate::record::Origin;
use crate::record::sign::SigningKey;

const ORIGIN: &str = "langfang.example/trace";

fn signer(name: &str) -> NoteSigner {
    NoteSigner::new(name, SigningKey::from_seed([7; 32])).unwrap()
}

fn statement(origin: &str, lists: &[&[u64]]) -> Completeness {
    let unit = |place: usize| {
        let place = u8::try_from(place).unwrap();
        SubjectId::unit(TraceCode::from_bytes([place; 10]))
    };
    let lists = lists.iter().enumerate();
    Completeness {
        checkpoint: Checkpoint {
            origin: Origin::parse(origin).unwrap(),
            size: 12,
            root: Hash::of(&[b"root"]),
        },
        subjects: lists
            .map(|(place, list)| (unit(place), list.iter().copied().collect()))
            .collect(),
    }
}

#[test]
fn a_statement_goes_there_and_back() {
    let signer = signer(ORIGIN);
    for lists in [
        &[&[][..]][..],
        &[&[0], &[0, 1, 11], &[]],
        &[&[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]],
    ] {
        let statement = statement(ORIGIN, lists);
        assert_eq!(
            Completeness::parse_text(&statement.text()).as_ref(),
            Ok(&statement)
        );
        let note = statement.sign(&signer).unwrap();
        let opened = Completeness::open(&note, signer.verifier_key()).unwrap();
        assert_eq!(opened.statement(), &statement);
        for (subject, indexes) in &statement.subjects {
            assert_eq!(opened.indexes(subject), Some(indexes));
        }
        let other = SubjectId::certificate("OTHER");
        assert_eq!(opened.indexes(&other), None);
    }
}

#[test]
fn a_statement_cut_short_or_with_any_bit_flipped_is_refused() {
    let signer = signer(ORIGIN);
    let key = signer.verifier_key();
    let sound = statement(ORIGIN, &[&[0], &[3, 11]]).sign(&signer).unwrap();
    assert!(Completeness::open(&sound, key).is_ok());
    for length in 0..sound.len() {
        if let Some(cut) = sound.get(..length) {
            assert!(Completeness::open(cut, key).is_err(), "{cut:?}");
        }
    }
    for bit in 0..sound.len() * 8 {
        let mut flipped = sound.clone().into_bytes();
        flipped[bit / 8] ^= 1 << (bit % 8);
        if let Ok(flipped) = String::from_utf8(flipped) {
            assert!(Completeness::open(&flipped, key).is_err(), "{flipped:?}");
        }
    }
}

#[test]
fn any_other_spelling_is_refused_even_under_a_signature() {
    let signer = signer(ORIGIN);
    let sound = statement(ORIGIN, &[&[3, 11]]).text();
    assert!(sound.ends_with(" 2 3,11\n"), "{sound}");
    let with = |list: &str| sound.replace(" 2 3,11\n", list);
    let (head, line) = sound.split_at(sound.trim_end().rfind('\n').unwrap() + 1);
    for other in [
        with(" 2 11,3\n"),
        with(" 2 3,3,11\n"),
        with(" 3 3,11\n"),
        with(" 02 3,11\n"),
        with(" 2 03,11\n"),
        with(" 2 +3,11\n"),
        with(" 2 3,12\n"),
        with(" 2 3, 11\n"),
        with(" 2 3,11 \n"),
        with(" 2 3,11,\n"),
        with(" 2\n"),
        with(" 0 \n"),
        with("\n"),
        with(" 2 3,11\n\n"),
        format!("{head}{line}{line}"),
        format!("{head}{}", line.to_uppercase()),
        head.to_owned(),
        SORT.first_line.to_owned(),
        sound.replace("/v1", "/v2"),
    ] {
        let refused = Completeness::parse_text(&other).unwrap_err();
        assert!(matches!(refused, Verify::Malformed { .. }), "{other:?}");
        let note = sign_note(&other, &[&signer]).unwrap();
        assert!(Completeness::open(&note, signer.verifier_key()).is_err());
    }
    let swapped = statement(ORIGIN, &[&[1], &[2]]).text();
    let mut lines: Vec<_> = swapped.lines().collect();
    lines.swap(4, 5);
    assert!(Completeness::parse_text(&format!("{}\n", lines.join("\n"))).is_err());
}

/// Not even for a ledger that is called like the first line, or like a size.
#[test]
fn no_statement_is_a_checkpoint_and_no_checkpoint_a_statement() {
    for origin in [ORIGIN, "trace/complete/v1", "12"] {
        let signer = signer(origin);
        let key = signer.verifier_key();
        let statement = statement(origin, &[&[0], &[]]);
        let note = statement.sign(&signer).unwrap();
        assert!(Completeness::open(&note, key).is_ok());
        for refused in [
            SignedCheckpoint::open(&note, key),
            SignedCheckpoint::open_cosigned(&note, key),
        ] {
            assert!(matches!(refused, Err(Verify::Malformed { .. })));
        }
        let checkpoint = statement.checkpoint.sign(&signer).unwrap();
        assert!(SignedCheckpoint::open(checkpoint.note(), key).is_ok());
        let refused = Completeness::open(checkpoint.note(), key);
        assert!(matches!(refused, Err(Verify::Malformed { .. })));
    }
}

#[test]
fn a_statement_that_cannot_be_true_is_not_signed() {
    let rule = |statement: Completeness, name| statement.sign(&signer(name)).unwrap_err().rule;
    assert_eq!(rule(statement(ORIGIN, &[]), ORIGIN), Rule::Range);
    assert_eq!(rule(statement(ORIGIN, &[&[12]]), ORIGIN), Rule::Range);
    assert_eq!(rule(statement(ORIGIN, &[&[1]]), "other"), Rule::Origin);
}

#[test]
fn a_statement_of_another_log_size_or_root_is_told_apart() {
    let signer = signer(ORIGIN);
    let key = signer.verifier_key();
    let statement = statement(ORIGIN, &[&[1]]);
    let opened = Completeness::open(&statement.sign(&signer).unwrap(), key).unwrap();
    let against = |checkpoint: &Checkpoint, signer: &NoteSigner| {
        let signed = checkpoint.sign(signer).unwrap();
        opened.verify_of(&signed.verify(signer.verifier_key()).unwrap())
    };
    let own = &statement.checkpoint;
    assert_eq!(against(own, &signer), Ok(()));
    let other_size = Checkpoint {
        size: 13,
        ..own.clone()
    };
    assert!(matches!(
        against(&other_size, &signer),
        Err(Verify::Malformed { .. })
    ));
    let other_root = Checkpoint {
        root: Hash::of(&[b"other"]),
        ..own.clone()
    };
    assert!(matches!(
        against(&other_root, &signer),
        Err(Verify::Fork { .. })
    ));
    let origin = Origin::parse("other").unwrap();
    let other_origin = Checkpoint {
        origin,
        ..own.clone()
    };
    let other = NoteSigner::new("other", SigningKey::from_seed([7; 32])).unwrap();
    assert!(matches!(
        against(&other_origin, &other),
        Err(Verify::WrongLedger { .. })
    ));
}
