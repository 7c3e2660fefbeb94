//! A whole world under one seed: the ledger on a simulated disk that is cut off
//! at any call, a clock that jumps, a network that loses three messages in ten,
//! doubles every second and reorders them, and clients who send again until they
//! are answered. Nothing in it reads a clock, a random source or a thread: a seed
//! is a history, and gives it again.
//!
//! | file | idea |
//! |---|---|
//! | `base` | what every seed begins with: a ledger with everybody registered |
//! | `network` | messages that are lost, doubled and overtaken |
//! | `messages` | what clients ask and are told |
//! | `device` | a client with a key of its own, who signs again what was refused |
//! | `hosted` | a client whose key the ledger keeps, who names each request |
//! | `server` | the ledger's process: faults, crashes, starts, the operator |
//! | `plain` | quantities as a plain list has them |
//! | `run` | one seed from its first message to its last answer |
//! | `oracle` | what must be true of it |
//! | `seeds` | many seeds: counts, and the same seed twice |
//! | `bugs` | ledgers and disks that are wrong on purpose: each is found |
//!
//! The suite runs as many of 4,000 seeds as fit in about a minute and says how
//! many. `TRACE_SIMULATION_SEEDS=n` runs exactly so many, however long it takes;
//! `TRACE_SIMULATION_FIRST=n` begins elsewhere; a failure prints the command that
//! replays its seed:
//! `TRACE_SIMULATION_FIRST=n TRACE_SIMULATION_SEEDS=1 cargo test -p trace-fixtures --test simulation seeds`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that fails may stop at once"
)]

mod base;
mod bugs;
mod device;
mod hosted;
mod messages;
mod network;
mod oracle;
mod plain;
mod run;
mod seeds;
mod server;
