//! Checkpoints there and back, and every way in which one is not one.

use super::super::merkle::{Frontier, Nodes, leaf_hash, node_place, prove_consistency};
use super::*;
use crate::record::sign::SigningKey;
use std::convert::Infallible;

const ORIGIN: &str = "langfang.example/trace";

fn signer(name: &str, seed: u8) -> NoteSigner {
    NoteSigner::new(name, SigningKey::from_seed([seed; 32])).unwrap()
}

fn checkpoint(size: u64, root: Hash) -> Checkpoint {
    let origin = Origin::parse(ORIGIN).unwrap();
    Checkpoint { origin, size, root }
}

fn verified(size: u64, root: Hash) -> VerifiedCheckpoint {
    let signer = signer(ORIGIN, 7);
    let signed = checkpoint(size, root).sign(&signer).unwrap();
    signed.verify(signer.verifier_key()).unwrap()
}

#[test]
fn checkpoint_goes_there_and_back() {
    let signer = signer(ORIGIN, 7);
    let key = signer.verifier_key();
    for (size, root) in [
        (0, empty_root()),
        (1, leaf_hash(b"a")),
        (20_852_163, Hash::ZERO),
        (u64::MAX, leaf_hash(b"b")),
    ] {
        let checkpoint = checkpoint(size, root);
        assert_eq!(
            Checkpoint::parse_text(&checkpoint.text()).as_ref(),
            Ok(&checkpoint)
        );
        let signed = checkpoint.sign(&signer).unwrap();
        assert_eq!(signed, checkpoint.sign(&signer).unwrap());
        let opened = SignedCheckpoint::open(signed.note(), key).unwrap();
        assert_eq!(opened.checkpoint(), &checkpoint);
        assert_eq!(opened.note(), signed.note());
        assert_eq!(signed.verify(key).as_ref(), Ok(&opened));
        let received = SignedCheckpoint::from_note(signed.to_string());
        assert_eq!(received.verify(key), Ok(opened));
    }
}

/// The example in the specification, whose text is of the same shape.
#[test]
fn text_is_written_as_the_specification_writes_it() {
    let text =
        "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";
    let checkpoint = Checkpoint::parse_text(text).unwrap();
    assert_eq!(checkpoint.origin.as_str(), "example.com/behind-the-sofa");
    assert_eq!(checkpoint.size, 20_852_163);
    assert!(checkpoint.root.to_string().starts_with("0ac5186a91863e8e"));
    assert_eq!(checkpoint.text(), text);
}

#[test]
fn checkpoint_cut_short_or_with_any_bit_flipped_is_refused() {
    let signer = signer(ORIGIN, 7);
    let key = signer.verifier_key();
    let signed = checkpoint(300, leaf_hash(b"a")).sign(&signer).unwrap();
    let sound = signed.note().as_bytes();
    assert!(SignedCheckpoint::open(signed.note(), key).is_ok());
    for length in 0..sound.len() {
        if let Ok(cut) = std::str::from_utf8(&sound[..length]) {
            assert!(SignedCheckpoint::open(cut, key).is_err(), "{cut:?}");
            assert!(SignedCheckpoint::open_cosigned(cut, key).is_err());
        }
    }
    for bit in 0..sound.len() * 8 {
        let mut flipped = sound.to_vec();
        flipped[bit / 8] ^= 1 << (bit % 8);
        if let Ok(flipped) = std::str::from_utf8(&flipped) {
            assert!(SignedCheckpoint::open(flipped, key).is_err(), "{flipped:?}");
            assert!(SignedCheckpoint::open_cosigned(flipped, key).is_err());
        }
    }
}

#[test]
fn text_of_any_other_shape_is_refused() {
    let root = base64::encode(leaf_hash(b"a").as_bytes());
    let sound = format!("{ORIGIN}\n12\n{root}\n");
    assert!(Checkpoint::parse_text(&sound).is_ok());
    let short = base64::encode(&[0; 31]);
    let long = base64::encode(&[0; 33]);
    let unpadded = root.trim_end_matches('=');
    for text in [
        String::new(),
        "\n\n\n".to_owned(),
        sound.trim_end().to_owned(),
        format!("{sound}\n"),
        format!("{sound}an extension line\n"),
        format!("\n{sound}"),
        format!("{ORIGIN}\n12\n"),
        format!("\n12\n{root}\n"),
        format!("Langfang.example/trace\n12\n{root}\n"),
        format!("{ORIGIN} \n12\n{root}\n"),
        format!("{ORIGIN}\n\n{root}\n"),
        format!("{ORIGIN}\n012\n{root}\n"),
        format!("{ORIGIN}\n00\n{root}\n"),
        format!("{ORIGIN}\n+12\n{root}\n"),
        format!("{ORIGIN}\n-1\n{root}\n"),
        format!("{ORIGIN}\n 12\n{root}\n"),
        format!("{ORIGIN}\n0x12\n{root}\n"),
        format!("{ORIGIN}\n1٢\n{root}\n"),
        format!("{ORIGIN}\n18446744073709551616\n{root}\n"),
        format!("{ORIGIN}\n12\n{short}\n"),
        format!("{ORIGIN}\n12\n{long}\n"),
        format!("{ORIGIN}\n12\n{unpadded}\n"),
        format!("{ORIGIN}\n12\n {root}\n"),
        format!("{ORIGIN}\n12\n\n"),
        // An empty ledger has one root.
        format!("{ORIGIN}\n0\n{root}\n"),
    ] {
        let refused = Checkpoint::parse_text(&text);
        assert!(
            matches!(
                refused,
                Err(Verify::Malformed {
                    what: "checkpoint",
                    ..
                })
            ),
            "{text:?}"
        );
    }
    let largest = format!("{ORIGIN}\n18446744073709551615\n{root}\n");
    assert_eq!(Checkpoint::parse_text(&largest).unwrap().size, u64::MAX);
}

#[test]
fn extension_line_is_refused_though_it_is_signed() {
    let signer = signer(ORIGIN, 7);
    let text = format!("{}more\n", checkpoint(1, Hash::ZERO).text());
    let note = sign_note(&text, &[&signer]).unwrap();
    assert!(matches!(
        SignedCheckpoint::open(&note, signer.verifier_key()),
        Err(Verify::Malformed {
            what: "checkpoint",
            ..
        })
    ));
}

#[test]
fn checkpoint_of_another_ledger_or_key_is_refused() {
    let ours = signer(ORIGIN, 7);
    let theirs = signer("sanhe.example/trace", 7);
    let stolen_name = signer(ORIGIN, 8);
    let signed = checkpoint(1, Hash::ZERO).sign(&ours).unwrap();
    for other in [&theirs, &stolen_name] {
        assert!(matches!(
            SignedCheckpoint::open(signed.note(), other.verifier_key()),
            Err(Verify::WrongLedger { .. })
        ));
    }
    // A key says something of another ledger than its own.
    let note = sign_note(&checkpoint(1, Hash::ZERO).text(), &[&theirs]).unwrap();
    match SignedCheckpoint::open(&note, theirs.verifier_key()) {
        Err(Verify::WrongLedger { found, wanted }) => {
            assert_eq!(
                (found.as_str(), wanted.as_str()),
                (ORIGIN, "sanhe.example/trace")
            );
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn checkpoint_is_only_signed_by_its_own_ledger_and_with_a_possible_root() {
    let refusal = checkpoint(1, Hash::ZERO).sign(&signer("sanhe.example/trace", 7));
    assert_eq!(refusal.unwrap_err().rule, Rule::Origin);
    let refusal = checkpoint(0, Hash::ZERO).sign(&signer(ORIGIN, 7));
    assert_eq!(refusal.unwrap_err().rule, Rule::Range);
}

#[test]
fn cosigned_checkpoint_is_opened_only_where_others_are_ignored() {
    let (ours, witness) = (signer(ORIGIN, 7), signer("witness.example", 9));
    let text = checkpoint(1, Hash::ZERO).text();
    let note = sign_note(&text, &[&ours, &witness]).unwrap();
    let key = ours.verifier_key();
    assert!(matches!(
        SignedCheckpoint::open(&note, key),
        Err(Verify::WrongLedger { .. })
    ));
    let opened = SignedCheckpoint::open_cosigned(&note, key).unwrap();
    assert_eq!((opened.size(), opened.root()), (1, &Hash::ZERO));
    assert_eq!(opened.note(), note);
    let only_witness = sign_note(&text, &[&witness]).unwrap();
    assert!(matches!(
        SignedCheckpoint::open_cosigned(&only_witness, key),
        Err(Verify::WrongLedger { .. })
    ));
}

struct Rows(Vec<Vec<Hash>>);

impl Nodes for Rows {
    type Error = Infallible;

    fn node(&self, level: u8, index: u64) -> Result<Hash, Infallible> {
        let (leaf, place) = node_place(level, index).unwrap();
        Ok(self.0[usize::try_from(leaf).unwrap()][place])
    }
}

#[test]
fn ledger_that_only_grew_extends_its_older_checkpoints_and_no_other() {
    let mut frontier = Frontier::default();
    let mut checkpoints = vec![verified(0, frontier.root())];
    let mut rows = Vec::new();
    for n in 0..20u64 {
        rows.push(frontier.push(leaf_hash(&n.to_be_bytes())).unwrap());
        checkpoints.push(verified(frontier.size(), frontier.root()));
    }
    let rows = Rows(rows);
    for newer in &checkpoints {
        for older in checkpoints.iter().filter(|c| c.size() <= newer.size()) {
            let path = prove_consistency(&rows, older.size(), newer.size()).unwrap();
            assert_eq!(newer.verify_extends(older, &path), Ok(()));
            if older.size() < newer.size() {
                assert!(matches!(
                    older.verify_extends(newer, &path),
                    Err(Verify::Rollback { .. })
                ));
            }
            if older.size() == 0 {
                continue;
            }
            let rewritten = verified(older.size(), Hash::ZERO);
            let verdict = newer.verify_extends(&rewritten, &path);
            if older.size() == newer.size() {
                assert!(matches!(verdict, Err(Verify::Fork { .. })));
            } else {
                assert!(matches!(verdict, Err(Verify::Proof { .. })));
            }
        }
    }
}

#[test]
fn checkpoints_of_two_ledgers_do_not_extend_each_other() {
    let theirs = signer("sanhe.example/trace", 7);
    let origin = Origin::parse("sanhe.example/trace").unwrap();
    let (size, root) = (1, Hash::ZERO);
    let other = Checkpoint { origin, size, root }.sign(&theirs).unwrap();
    let other = other.verify(theirs.verifier_key()).unwrap();
    assert!(matches!(
        verified(size, root).verify_extends(&other, &[]),
        Err(Verify::WrongLedger { .. })
    ));
    assert_eq!(
        verified(size, root).verify_extends(&verified(size, root), &[]),
        Ok(())
    );
}
