//! Nothing that was answered is lost, whatever the disk does: power cuts at
//! every call, writes and syncs that fail, a recovery that is cut too, a last
//! checkpoint that is not the right one. And disks that lie, by which the
//! checks show that they can fail. What a killed process leaves is
//! `trace-http/tests/killed`.
//!
//! | file | idea |
//! |---|---|
//! | `history` | what is submitted, and one undisturbed run of it |
//! | `ledger` | a ledger on a simulated disk |
//! | `survival` | what must be true when the power is back |
//! | `power` | cuts at every call, also of the recovery |
//! | `failures` | the table of calls that fail, and a walk through it |
//! | `pairs` | two calls that fail, the second while the first is recovered from |
//! | `documents` | documents beside the log, under cuts and failing calls |
//! | `checkpoint` | a last checkpoint that is not the right one |
//! | `lies` | disks that break their promises |
//!
//! In the suite the tests run in a short form. `TRACE_CRASH=long` looks at
//! everything deeply; `TRACE_CRASH_SEED=n` draws other histories and other
//! remains. The seed is printed by every test that uses it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that fails may stop at once"
)]

mod checkpoint;
mod documents;
mod failures;
mod history;
mod ledger;
mod lies;
mod pairs;
mod power;
mod survival;

/// The seed of everything drawn; printed, so that a failure can be seen again.
fn seed() -> u64 {
    let given = std::env::var("TRACE_CRASH_SEED").ok();
    let seed = given.map_or(20_260_511, |text| text.parse().expect("a number"));
    println!("TRACE_CRASH_SEED={seed}");
    seed
}

/// Whether time is no matter.
fn is_long() -> bool {
    std::env::var("TRACE_CRASH").is_ok_and(|form| form == "long")
}
