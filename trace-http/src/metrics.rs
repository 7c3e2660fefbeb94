//! Figures for the operator, in the text format of Prometheus (OpenMetrics).
//!
//! Labels are routes, never paths: a trace code in a label would fill the
//! memory and tell who was looked up. Ledger figures are read when asked for.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric, text::encode},
    metrics::{
        counter::Counter,
        family::Family,
        gauge::ConstGauge,
        histogram::{Histogram, exponential_buckets},
    },
    registry::{Registry, Unit},
};

use crate::server::Load;

/// The media type that [`Metrics::text`] is in.
pub const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// A kind of request, as labels.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Requests {
    route: Arc<str>,
    class: &'static str,
}

/// What a figure of the ledger is called, what it says, and its value now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Figure {
    /// Name, e.g. `ledger_size`.
    pub name: &'static str,
    /// What it says, in one line.
    pub meaning: &'static str,
    /// The value now.
    pub value: i64,
}

/// The counts of this process.
#[derive(Debug)]
pub struct Metrics {
    registry: Mutex<Registry>,
    answered: Family<Requests, Counter>,
    latency: Family<Requests, Histogram, fn() -> Histogram>,
}

impl Metrics {
    /// Counts of requests, beside those of `load`.
    pub fn new(load: &Load) -> Self {
        // 0.25 ms (a look-up) to 8 s in 16 steps; above lies the answer limit.
        let histogram: fn() -> Histogram =
            || Histogram::new(exponential_buckets(0.000_25, 2.0, 16));
        let answered = Family::<Requests, Counter>::default();
        let latency = Family::new_with_constructor(histogram);
        let mut registry = Registry::with_prefix("trace");
        registry.register("http_requests", "Requests answered", answered.clone());
        registry.register_with_unit(
            "http_latency",
            "Time from a request's head to its answer",
            Unit::Seconds,
            latency.clone(),
        );
        registry.register(
            "http_connections",
            "Connections open now",
            load.connections.clone(),
        );
        registry.register(
            "http_connections_refused",
            "Connections turned away at the limit",
            load.connections_refused.clone(),
        );
        registry.register(
            "http_requests_refused",
            "Requests refused before routing",
            load.requests_refused.clone(),
        );
        registry.register("http_panics", "Handlers that panicked", load.panics.clone());
        Self {
            registry: Mutex::new(registry),
            answered,
            latency,
        }
    }

    /// Adds figures that are asked for at every scrape.
    pub fn add_figures(&self, figures: impl Fn() -> Vec<Figure> + Send + Sync + 'static) {
        let mut registry = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
        registry.register_collector(Box::new(Figures(figures)));
    }

    /// Counts one request; `class` is `2xx` and so on, or `abandoned`.
    pub fn count(&self, route: Arc<str>, class: &'static str, latency: Duration) {
        let labels = Requests { route, class };
        self.answered.get_or_create(&labels).inc();
        self.latency
            .get_or_create(&labels)
            .observe(latency.as_secs_f64());
    }

    /// Every figure, as text.
    ///
    /// # Errors
    /// Never in practice: writing to a `String` does not fail.
    pub fn text(&self) -> Result<String, fmt::Error> {
        let registry = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
        let mut text = String::new();
        encode(&mut text, &registry)?;
        Ok(text)
    }
}

struct Figures<F>(F);

impl<F> fmt::Debug for Figures<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Figures")
    }
}

impl<F: Fn() -> Vec<Figure> + Send + Sync + 'static> Collector for Figures<F> {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        for figure in (self.0)() {
            let gauge = ConstGauge::new(figure.value);
            let of_figure = encoder.encode_descriptor(
                figure.name,
                figure.meaning,
                None,
                gauge.metric_type(),
            )?;
            gauge.encode(of_figure)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_holds_what_was_counted_and_the_ledgers_figures_as_they_are_now() {
        use std::sync::atomic::{AtomicI64, Ordering};
        let load = Load::default();
        let metrics = Metrics::new(&load);
        let size = Arc::new(AtomicI64::new(41));
        let seen = Arc::clone(&size);
        metrics.add_figures(move || {
            vec![Figure {
                name: "ledger_size",
                meaning: "Entries in the log",
                value: seen.load(Ordering::Relaxed),
            }]
        });
        load.connections.inc();
        metrics.count("/trace/{code}".into(), "2xx", Duration::from_millis(3));
        metrics.count("/trace/{code}".into(), "2xx", Duration::from_millis(4));
        size.store(42, Ordering::Relaxed);
        let text = metrics.text().unwrap();
        for line in [
            "trace_http_requests_total{route=\"/trace/{code}\",class=\"2xx\"} 2",
            "trace_http_latency_seconds_count{route=\"/trace/{code}\",class=\"2xx\"} 2",
            "trace_http_connections 1",
            "trace_ledger_size 42",
            "# HELP trace_ledger_size Entries in the log",
            "# EOF",
        ] {
            assert!(text.lines().any(|it| it == line), "{line}\n{text}");
        }
    }
}
