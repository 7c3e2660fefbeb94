//! Documents beside the log: the power is cut after every call, and every call
//! fails, while two are stored and one of them again.

use super::seed;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;
use trace_core::ledger::Failed;
use trace_core::ledger::documents::{Documents, StoredDocument};
use trace_fixtures::disk::{Call, Fault, Kept, Medium, SimulatedDisk};
use trace_fixtures::draw::Draw;
use trace_fixtures::official::pdf;

const FOLDER: &str = "/ledger/documents";

/// What is stored, one after the other.
const TITLES: [&str; 3] = ["出仓证明", "检验报告", "出仓证明"];

fn open(disk: &SimulatedDisk) -> Documents {
    Documents::open(Arc::new(disk.clone()), Path::new(FOLDER)).unwrap()
}

/// Stores all; how many were answered before one failed.
fn store_all(disk: &SimulatedDisk) -> usize {
    let documents = open(disk);
    for (at, title) in TITLES.iter().enumerate() {
        let stored: Result<StoredDocument, Failed> = documents.put(&pdf(title));
        if stored.is_err() {
            return at;
        }
        disk.answered(at as u64);
    }
    TITLES.len()
}

/// Every document there is whole, and all that were answered are there.
fn check(image: Medium, answered: usize, what: &str) {
    let disk = SimulatedDisk::from(image);
    let documents = open(&disk);
    for (at, title) in TITLES.iter().enumerate() {
        let bytes = pdf(title);
        let hash = trace_core::record::Hash::of(&[&bytes]);
        let found = documents
            .read(&hash)
            .unwrap_or_else(|error| panic!("{what}: {error}"));
        match found {
            Some(found) => assert_eq!(found.bytes, bytes, "{what}: {title}"),
            None => assert!(at >= answered, "{what}: {title} was answered and is lost"),
        }
    }
    // Whatever was left half made is swept, and does not stand in the way.
    assert_eq!(store_all(&disk), TITLES.len(), "{what}");
    assert_eq!(documents.hashes().unwrap().len(), 2, "{what}");
}

#[test]
fn a_power_cut_at_any_call_leaves_every_document_whole_and_loses_none_that_was_answered() {
    let disk = SimulatedDisk::default();
    assert_eq!(store_all(&disk), TITLES.len());
    let mut draw = Draw::new(seed(), "documents");
    let (mut medium, mut answered, mut images) = (Medium::default(), 0, 0);
    for (at, call) in disk.trace().iter().enumerate() {
        medium.apply(call);
        if let Call::Answered(number) = call {
            answered = usize::try_from(*number).unwrap() + 1;
        }
        let what = format!("cut after call {at}");
        check(medium.after_power_cut(Kept::Nothing), answered, &what);
        check(medium.after_power_cut(Kept::Everything), answered, &what);
        for _ in 0..8 {
            check(
                medium.after_power_cut(Kept::Drawn(&mut draw)),
                answered,
                &what,
            );
            images += 1;
        }
    }
    assert!(answered == TITLES.len() && images > 100, "{images}");
}

#[test]
fn a_call_that_fails_is_told_and_what_was_answered_before_and_after_lasts() {
    let whole = SimulatedDisk::default();
    store_all(&whole);
    let mut failed = 0;
    for at in 0..whole.trace().len() {
        for (kind, persisted, for_good) in [
            (ErrorKind::StorageFull, false, false),
            (ErrorKind::Other, false, true),
            (ErrorKind::Other, true, false),
        ] {
            let disk = SimulatedDisk::default();
            disk.fail(Fault {
                at,
                kind,
                persisted,
                for_good,
            });
            let answered = store_all(&disk);
            let what =
                format!("call {at} failed, {kind}, persisted {persisted}, for good {for_good}");
            assert_eq!(answered < TITLES.len(), disk.has_failed(), "{what}");
            failed += usize::from(disk.has_failed());
            check(
                disk.medium().after_power_cut(Kept::Nothing),
                answered,
                &what,
            );
            check(
                disk.medium().after_power_cut(Kept::Everything),
                answered,
                &what,
            );
            if !for_good {
                // The same process stores on, and what it answers lasts.
                let again = store_all(&disk);
                assert_eq!(again, TITLES.len(), "{what}");
                check(disk.medium().after_power_cut(Kept::Nothing), again, &what);
            }
        }
    }
    assert!(failed > 20, "{failed}");
}
