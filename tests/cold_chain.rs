//! The cold chain as evidence: what a bundle proves of it without the ledger,
//! and what every way in which readings can come leads to.
//!
//! | file | what is tried |
//! |---|---|
//! | `store` | a ledger with a cold store, its probes and their readings |
//! | `offline` | a bundle comes to the ledger's own verdict |
//! | `forged` | by whom a bundle can be altered, and what a reader then says |
//! | `arrival` | orders of arrival, clocks that leap, zones, handovers |
//! | `audited` | an audit, a backup and a restoring with readings |

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod cold_chain {
    mod arrival;
    mod audited;
    mod forged;
    mod offline;
    pub mod store;
}
