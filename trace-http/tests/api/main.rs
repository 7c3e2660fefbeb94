//! The API over real sockets, against a real ledger of a small made-up world.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod acting;
mod agreeing;
mod alerts;
mod bad_input;
mod browser;
mod cases;
mod changed;
mod changes;
mod cold;
mod complaining;
mod documents;
mod files;
mod inspecting;
mod inviting;
mod issuing;
mod keeping;
mod labels;
mod lineage;
mod orders;
mod pages;
mod passing;
mod reading;
mod renewing;
mod reporting;
mod resolving;
mod rights;
mod routes;
mod scanning;
mod signing_in;
mod stating;
mod submitting;
mod town;
mod unwell;
