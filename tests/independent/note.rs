//! Signed notes, verifier keys and checkpoints, against `signed_note` and
//! `tlog_tiles`.

use signed_note::{
    Note as TheirNote, Signer as _, StandardSigner, StandardVerifier, Verifier as _, VerifierList,
};
use trace_core::proof::checkpoint::{Checkpoint, SignedCheckpoint};
use trace_core::proof::note::{Note, NoteSigner, VerifierKey, sign_note};
use trace_core::record::sign::SigningKey;
use trace_core::record::{Hash, Origin, base64};
use trace_fixtures::Who;
use trace_fixtures::stage::Stage;

const NAME: &str = "langfang.example/trace";

fn seed(number: u8) -> [u8; 32] {
    [number; 32]
}

fn own_signer(number: u8) -> NoteSigner {
    NoteSigner::new(NAME, SigningKey::from_seed(seed(number))).unwrap()
}

/// The same private key, written as the other crate reads it.
fn their_signer(number: u8) -> StandardSigner {
    let own = own_signer(number);
    let hash = u32::from_be_bytes(own.verifier_key().key_hash());
    let typed = [&[1], &seed(number)[..]].concat();
    let text = format!("PRIVATE+KEY+{NAME}+{hash:08x}+{}", base64::encode(&typed));
    StandardSigner::new(&text).unwrap()
}

fn their_verifiers(key: &VerifierKey) -> VerifierList {
    VerifierList::new(vec![Box::new(
        StandardVerifier::new(&key.to_string()).unwrap(),
    )])
}

fn they_verify(note: &[u8], key: &VerifierKey) -> bool {
    TheirNote::from_bytes(note).is_ok_and(|note| note.verify(&their_verifiers(key)).is_ok())
}

fn checkpoint(size: u64) -> Checkpoint {
    Checkpoint {
        origin: Origin::parse(NAME).unwrap(),
        size,
        root: match size {
            0 => Hash::of(&[]),
            _ => Hash::of(&[&size.to_be_bytes()]),
        },
    }
}

#[test]
fn verifier_keys_are_written_alike() {
    for number in 0..=255 {
        let (own, theirs) = (own_signer(number), their_signer(number));
        let written = own.verifier_key().to_string();
        let read = StandardVerifier::new(&written).unwrap();
        let hash = u32::from_be_bytes(own.verifier_key().key_hash());
        assert_eq!((read.name(), read.key_id()), (NAME, hash));
        assert_eq!((theirs.name(), theirs.key_id()), (NAME, hash));
        let mut wrong = written.into_bytes();
        wrong[NAME.len() + 1] ^= 1;
        let wrong = String::from_utf8(wrong).unwrap();
        assert!(StandardVerifier::new(&wrong).is_err() && VerifierKey::parse(&wrong).is_err());
    }
}

#[test]
fn notes_made_here_open_there_and_theirs_here() {
    for (number, text) in ["one line\n", "two\n\nblocks\n", "粮食 — 电子追溯\n"]
        .into_iter()
        .enumerate()
    {
        let number = number as u8;
        let (own, theirs) = (own_signer(number), their_signer(number));
        let key = own.verifier_key();
        let note = sign_note(text, &[&own]).unwrap();
        let mut made_there = TheirNote::new(text.as_bytes(), &[]).unwrap();
        made_there.add_sigs(&[&theirs]).unwrap();
        // Ed25519 is deterministic, so both are the same bytes.
        assert_eq!(String::from_utf8(made_there.to_bytes()).unwrap(), note);
        assert!(they_verify(note.as_bytes(), key));
        let parsed = Note::parse(&note).unwrap();
        let known = [key.clone()];
        assert_eq!(parsed.verify_all_known(&known).unwrap().text(), text);
        // Under another key neither opens it.
        let other = own_signer(200);
        assert!(!they_verify(note.as_bytes(), other.verifier_key()));
        assert!(parsed.verify(&[other.verifier_key().clone()]).is_err());
    }
}

#[test]
fn a_note_with_any_bit_flipped_is_refused_here_and_there() {
    let own = own_signer(7);
    let key = own.verifier_key();
    let note = checkpoint(20_852_163).sign(&own).unwrap().note().to_owned();
    assert!(they_verify(note.as_bytes(), key));
    SignedCheckpoint::open(&note, key).unwrap();
    for bit in 0..note.len() * 8 {
        let mut flipped = note.clone().into_bytes();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(!they_verify(&flipped, key), "bit {bit}");
        if let Ok(text) = String::from_utf8(flipped) {
            assert!(SignedCheckpoint::open(&text, key).is_err(), "bit {bit}");
        }
    }
}

#[test]
fn checkpoints_made_here_are_read_there_and_theirs_here() {
    for size in [0, 1, 2, 381_382, u64::MAX] {
        let own = checkpoint(size);
        let text = own.text();
        let theirs = tlog_tiles::Checkpoint::from_bytes(text.as_bytes()).unwrap();
        assert_eq!((theirs.origin(), theirs.size()), (NAME, size));
        assert_eq!(theirs.hash().0, *own.root.as_bytes());
        assert_eq!(theirs.extension(), "");
        assert_eq!(theirs.to_bytes(), text.as_bytes());

        let root = tlog_tiles::Hash(*own.root.as_bytes());
        let made_there = tlog_tiles::Checkpoint::new(NAME, size, root, "").unwrap();
        let bytes = String::from_utf8(made_there.to_bytes()).unwrap();
        assert_eq!(Checkpoint::parse_text(&bytes), Ok(own));

        // Extension lines are read there; a ledger here never makes one.
        let extended = tlog_tiles::Checkpoint::new(NAME, size, root, "more\n").unwrap();
        let extended = String::from_utf8(extended.to_bytes()).unwrap();
        assert!(Checkpoint::parse_text(&extended).is_err());
    }
    for wrong in [
        "langfang.example/trace\n01\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
        "langfang.example/trace\n+1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
        "langfang.example/trace\n1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuF\n",
        "langfang.example/trace\n1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
        "\n1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
        "langfang.example/trace\n1\n",
    ] {
        assert!(Checkpoint::parse_text(wrong).is_err(), "{wrong:?}");
        let theirs = tlog_tiles::Checkpoint::from_bytes(wrong.as_bytes());
        assert!(theirs.is_err(), "{wrong:?}");
    }
}

/// A ledger in use, read with nothing of this project: its checkpoint opens,
/// and its proofs lead from its entries to that root.
#[test]
fn a_ledger_in_use_is_checked_by_the_other_crates_alone() {
    let mut stage = Stage::new();
    let older = stage.view().checkpoint().clone();
    let unit = stage.world.unit();
    let submission = stage.world.sign_bare(Who::Producer, unit);
    stage.admit(submission);
    let view = stage.view();
    let key = stage.ledger.signer().verifier_key();

    let note = TheirNote::from_bytes(view.checkpoint().note().as_bytes()).unwrap();
    let (verified, unknown) = note.verify(&their_verifiers(key)).unwrap();
    assert_eq!((verified.len(), unknown.len()), (1, 0));
    let theirs = tlog_tiles::Checkpoint::from_bytes(note.text()).unwrap();
    assert_eq!(theirs.size(), view.size());

    let path = |hashes: Vec<Hash>| -> Vec<_> {
        let hashes = hashes.into_iter();
        hashes.map(|hash| tlog_tiles::Hash(hash.into())).collect()
    };
    for index in 0..view.size() {
        let leaf = tlog_tiles::record_hash(&view.entry(index).unwrap().encode());
        let proof = path(view.prove_inclusion(index, view.size()).unwrap());
        tlog_tiles::check_record(&proof, theirs.size(), *theirs.hash(), index, leaf).unwrap();
        let other = tlog_tiles::record_hash(b"another entry");
        let refused = tlog_tiles::check_record(&proof, theirs.size(), *theirs.hash(), index, other);
        assert!(refused.is_err());
    }
    let proof = path(view.prove_consistency(older.size(), view.size()).unwrap());
    let root = tlog_tiles::Hash(*older.root().as_bytes());
    tlog_tiles::check_tree(&proof, theirs.size(), *theirs.hash(), older.size(), root).unwrap();
}
