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
//! | `check` | what a ledger says of units, against the model |
//! | `run` | one long history: acts against the ledger; balances, holders, graphs and statuses; then all again after reopening |
//! | `many` | many short histories, each with several submitters at once |
//! | `race` | several submitters for the last kilogram |
//! | `deep` | a lineage so deep, and one so wide, that no stack or page could hold it |
//! | `questions` | each sort of open question and of balance, once asked and once not |
//!
//! The seed is printed. `TRACE_LINEAGE_STEPS` sets how many acts are tried (20,000
//! unless told), `TRACE_LINEAGE_SEED` repeats a run. `TRACE_LINEAGE_HISTORIES` sets
//! how many short histories there are: 1,600 in the suite; tens of thousands by
//! `TRACE_LINEAGE_HISTORIES=30000 cargo test --release -p trace-fixtures --test lineage many`.
//!
//! `TRACE_LINEAGE_DEPTH` sets how deep the deep one is, 20,000 unless told. A
//! million units in one line, on a real ledger:
//! `TRACE_LINEAGE_DEPTH=1000000 cargo test --release -p trace-fixtures --test lineage deep`.
//! What an answer holds at the most: a graph 65,536 units and 262,144 edges, and
//! it says where it goes on; a hold or recall reaches 262,144 units, beyond which
//! it is refused and what was made of the unit is recalled instead; a bundle holds
//! 4,096 records; a recall's sheet has as many rows as there are.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod lineage {
    mod acts;
    mod chance;
    mod check;
    mod deep;
    mod many;
    mod plain;
    mod questions;
    mod race;
    mod run;
    mod verdict;
}
