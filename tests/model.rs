//! A ledger against a plain model: thousands of random acts, of which the model
//! says beforehand which are admitted, where, and by which rule the others are
//! refused. The model knows lists and numbers, and nothing of tables, indexes,
//! groups or bytes.
//!
//! | file | what it is |
//! |---|---|
//! | `acts` | what can be done, and the records that say it |
//! | `plain` | the model: what it holds, and how an act changes it |
//! | `verdict` | the model's word on an act: admitted, or the rule that refuses |
//! | `chance` | which act comes next, sound or spoilt |
//! | `run` | acts against the ledger, one by one and in groups; then all of it again after reopening |
//! | `race` | several submitters for the last kilogram |
//!
//! The seed is printed. `TRACE_MODEL_STEPS` sets how many acts are tried (16,000
//! unless told, about 10 seconds); `TRACE_MODEL_SEED` repeats a run.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod model {
    mod acts;
    mod chance;
    mod plain;
    mod race;
    mod run;
    mod verdict;
}
