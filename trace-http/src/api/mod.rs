//! The HTTP API: parse, one call into core, answer.
//!
//! [`routes`] is the table of everything there is, read from top to bottom.
//! Nothing here decides what may be admitted or whether a proof holds.

pub mod alerts;
pub mod answer;
pub mod balance;
pub mod balances;
pub mod bearer;
pub mod certificates;
pub mod codes;
pub mod cold;
pub mod complaints;
pub mod conduct;
pub mod corrections;
pub mod documents;
pub mod entities;
pub mod evidence;
pub mod grade;
pub mod halting;
pub mod labels;
pub mod lineage;
pub mod office;
pub mod openapi;
pub mod orders;
pub mod pace;
pub mod pictures;
pub mod prepare;
pub mod proofs;
pub mod questions;
pub mod reading;
pub mod readings;
pub mod recall;
pub mod receipts;
pub mod resolver;
pub mod routes;
pub mod scans;
mod schemas;
pub mod sight;
pub mod statements;
pub mod submitting;
pub mod warehouse;

use std::sync::Arc;

use axum::Router;

pub use office::{Book, Office, Reading};

use crate::{
    metrics::Metrics,
    operations::{self, Readiness, observed},
};

/// Everything that is served, each request logged and counted.
pub fn router(office: Arc<Office>, metrics: Arc<Metrics>, readiness: Readiness) -> Router {
    let watched = Arc::clone(&office);
    metrics.add_figures(move || watched.figures());
    let served = routes::routes()
        .with_state(office)
        .merge(operations::routes(Arc::clone(&metrics), readiness));
    observed(served, metrics)
}
