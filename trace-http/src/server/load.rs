//! What the server carries and turns away, counted as it happens.

use prometheus_client::metrics::{counter::Counter, gauge::Gauge};

/// The counts of one server; `metrics` publishes them.
#[derive(Debug, Default)]
pub struct Load {
    /// Connections open now.
    pub connections: Gauge,
    /// Connections turned away because the limit was reached.
    pub connections_refused: Counter,
    /// Requests refused before routing.
    pub requests_refused: Counter,
    /// Handlers that panicked.
    pub panics: Counter,
}
