//! Receipts there and back, and every way in which one is not one.

use super::*;
use crate::proof::checkpoint::Checkpoint;
use crate::proof::merkle::Frontier;
use crate::proof::note::NoteSigner;
use crate::record::chain::Chain;
use crate::record::kinds::lookups_sealed::LookupsSealed;
use crate::record::origin::Origin;
use crate::record::sign::SigningKey;

const ORIGIN: &str = "langfang.example/trace";

fn record(origin: &str) -> Signed {
    let origin = Origin::parse(origin).unwrap();
    let mut chain = Chain::new(origin, SigningKey::from_seed([3; 32]));
    let sealed = LookupsSealed {
        count: 5,
        head: Hash::ZERO,
    };
    chain.sign(&sealed.into(), 1_000)
}

fn ledger() -> NoteSigner {
    NoteSigner::new(ORIGIN, SigningKey::from_seed([7; 32])).unwrap()
}

/// The receipt of `record` as the third of three.
fn receipt(record: &Signed) -> Receipt {
    let (a, b) = (leaf_hash(b"a"), leaf_hash(b"b"));
    let mut frontier = Frontier::default();
    for leaf in [a, b, leaf_hash(&record.entry(2_000))] {
        frontier.push(leaf).unwrap();
    }
    let checkpoint = Checkpoint {
        origin: Origin::parse(ORIGIN).unwrap(),
        size: 3,
        root: frontier.root(),
    };
    Receipt {
        admitted_ms: 2_000,
        algorithm: record.algorithm(),
        signature: *record.signature(),
        index: 2,
        path: vec![crate::proof::merkle::node_hash(&a, &b)],
        checkpoint: checkpoint.sign(&ledger()).unwrap().note().to_owned(),
    }
}

#[test]
fn a_receipt_goes_there_and_back_and_proves_its_record() {
    let record = record(ORIGIN);
    let receipt = receipt(&record);
    assert_eq!(Receipt::decode(&receipt.encode()).as_ref(), Ok(&receipt));
    let verified = receipt
        .verify(record.signed_bytes(), ledger().verifier_key())
        .unwrap();
    assert_eq!(verified.record(), record.hash());
    assert_eq!((verified.index(), verified.admitted_ms()), (2, 2_000));
    assert_eq!(verified.checkpoint().size(), 3);
}

#[test]
fn a_receipt_cut_short_or_with_any_bit_flipped_is_refused() {
    let record = record(ORIGIN);
    let sound = receipt(&record).encode();
    let (ledger, bytes) = (ledger(), record.signed_bytes());
    let open = |given: &[u8]| Receipt::decode(given)?.verify(bytes, ledger.verifier_key());
    assert!(open(&sound).is_ok());
    for length in 0..sound.len() {
        assert!(open(&sound[..length]).is_err(), "cut at {length}");
    }
    for bit in 0..sound.len() * 8 {
        let mut flipped = sound.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(open(&flipped).is_err(), "bit {bit}");
    }
}

#[test]
fn any_other_spelling_of_a_receipt_is_refused() {
    let sound = String::from_utf8(receipt(&record(ORIGIN)).encode()).unwrap();
    for other in [
        format!("{sound}\n"),
        format!(" {sound}"),
        sound.replacen(':', ": ", 1),
        sound.replacen("\"index\":2", "\"index\":2,\"index\":2", 1),
        sound.replacen("\"index\":2", "\"index\":2.0", 1),
        sound.replacen("\"index\":2", "\"index\":2,\"note\":1", 1),
        sound.replacen("\"algorithm\":1", "\"algorithm\":2", 1),
    ] {
        let refused = Receipt::decode(other.as_bytes()).unwrap_err();
        assert!(matches!(refused, Verify::Malformed { .. }), "{other}");
    }
}

#[test]
fn a_receipt_for_other_bytes_another_ledger_or_another_key_is_refused() {
    let own = record(ORIGIN);
    let receipt_of_own = receipt(&own);
    let ledger = ledger();
    let key = ledger.verifier_key();
    for bit in 0..own.signed_bytes().len() * 8 {
        let mut flipped = own.signed_bytes().to_vec();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(receipt_of_own.verify(&flipped, key).is_err(), "bit {bit}");
    }
    let other_key = NoteSigner::new(ORIGIN, SigningKey::from_seed([8; 32])).unwrap();
    assert!(matches!(
        receipt_of_own.verify(own.signed_bytes(), other_key.verifier_key()),
        Err(Verify::WrongLedger { .. })
    ));
    // A record that names another ledger proves nothing here, even if it stands
    // in this log.
    let foreign = record("other.example/trace");
    assert!(matches!(
        receipt(&foreign).verify(foreign.signed_bytes(), key),
        Err(Verify::WrongLedger { .. })
    ));
}
