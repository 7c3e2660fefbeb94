//! The ledger itself: what turns admitted records into answers, and the files
//! beside the log that hold what must not stand in it.

pub mod hosted;
pub mod lookups;
pub mod seal;
mod titled;
pub mod tokens;
pub mod vault;
