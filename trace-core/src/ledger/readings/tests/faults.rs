//! A disk that fails at any call: what was answered is there when the power is
//! back, in whichever state of sealing.

use super::*;
use crate::store::redb::faults::{Failure, KEPT};

/// A segment's life, one durable act after the other; how many were answered.
fn live(shelves: &Shelves) -> usize {
    let append = |readings: Vec<Reading>| {
        let calls = vec![call(vec![(probe(1), readings)])];
        shelves.commit(calls).is_ok()
    };
    let draft = |number| shelves.draft(&probe(1), number, u64::MAX).is_ok();
    let acts: [&dyn Fn() -> bool; 9] = [
        &|| append(minutes(0..5)),
        &|| append(minutes(5..700)),
        &|| draft(0),
        &|| append(vec![reading(2, 0)]),
        &|| shelves.confirm(&probe(1), 0).is_ok(),
        &|| draft(1),
        &|| shelves.withdraw(&probe(1), 1).is_ok(),
        &|| append(minutes(690..720)),
        &|| shelves.prune(&probe(1), 1, false).is_ok(),
    ];
    acts.iter().take_while(|act| act()).count()
}

/// What a range shows after so many acts.
fn there_after(acts: usize) -> Vec<Reading> {
    let late = reading(2, 0);
    match acts {
        0 => Vec::new(),
        1 => minutes(0..5),
        2 | 3 => minutes(0..700),
        4..=7 => sorted(&[minutes(0..700), vec![late]].concat()),
        8 => sorted(&[minutes(0..720), vec![late]].concat()),
        _ => sorted(&[vec![late], minutes(700..720)].concat()),
    }
}

#[test]
fn a_disk_that_fails_at_any_call_loses_nothing_that_was_answered() {
    for failure in [Failure::Once, Failure::ForGood] {
        for calls in 1.. {
            let backend = FailingBackend::default();
            let shelves = shelves_over(backend.clone());
            backend.fail_after(calls, failure);
            let done = live(&shelves);
            if done < 9 {
                let after = shelves.commit(vec![call(vec![(probe(1), vec![reading(1, 1)])])]);
                assert!(matches!(after, Err(Store::ReadOnly { .. })), "{after:?}");
            }
            for kept in KEPT {
                let disk = backend.after_power_cut(kept);
                let opened = Database::open_with_backend(disk, TABLES, Check::Full, 4 << 20);
                let shelves = Shelves::over(opened.unwrap(), 1);
                for settled in [false, true] {
                    let there = shelves.all(probe(1));
                    let fits = there == there_after(done) || there == there_after(done + 1);
                    assert!(
                        fits,
                        "{failure:?} at call {calls}, {kept:?}, settled {settled}: {done} acts, {} \
                         readings",
                        there.len()
                    );
                    if !settled {
                        // the record was admitted once it was confirmed, not before
                        let expected = u64::from(done >= 5);
                        shelves.settle(|_| Ok(expected)).unwrap();
                    }
                }
                // a confirmed segment stays, as itself or pruned
                let segment = shelves.segment(&probe(1), 0).unwrap();
                assert!(done < 5 || segment.is_some(), "{failure:?} at call {calls}");
            }
            if done == 9 {
                assert!(calls > 40, "only {calls} calls were tried");
                break;
            }
        }
    }
}
