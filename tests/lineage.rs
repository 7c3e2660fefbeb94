//! What becomes of goods, against a plain model: thousands of random acts of
//! makers, buyers and authorities, of which the model says beforehand which are
//! admitted and by which rule the others are refused. It knows lists and
//! numbers, and nothing of tables, rows, marks that are written ahead, or bytes.
//!
//! | file | what it is |
//! |---|---|
//! | `acts` | what can be done, and the records that say it |
//! | `plain` | what the model holds, and how an act changes it |
//! | `verdict` | the model's word on an act |
//! | `chance` | which act comes next |
//! | `run` | acts against the ledger; balances, holders, graphs and statuses; then all again after reopening |
//! | `questions` | each sort of open question and of balance, once asked and once not |
//! | `edges` | several submitters for the last kilogram; a lineage a thousand deep |
//!
//! The seed is printed. `TRACE_LINEAGE_STEPS` sets how many acts are tried (20,000
//! unless told), `TRACE_LINEAGE_SEED` repeats a run, `TRACE_LINEAGE_DEPTH` sets how
//! deep the deep one is.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod lineage {
    mod acts;
    mod chance;
    mod edges;
    mod plain;
    mod questions;
    mod run;
    mod verdict;
}
