//! The log, on standard error: what happened, for the operator.
//!
//! A request's line has method, route, status and time. Never a path, header
//! or body: they hold trace codes, tokens and personal data.

use std::{
    io,
    panic::PanicHookInfo,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    extract::{MatchedPath, Request, State},
    http::{Method, StatusCode},
    middleware::Next,
    response::Response,
};
use tracing_subscriber::{EnvFilter, filter::ParseError, util::SubscriberInitExt};

use crate::metrics::Metrics;

/// How lines of the log are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum LogFormat {
    /// For people.
    #[default]
    Plain,
    /// One JSON object a line.
    Json,
}

/// Starts the log for this process, panics included.
///
/// # Errors
/// Where `filter` is no filter, or the log was started before.
pub fn start(format: LogFormat, filter: &str) -> io::Result<()> {
    let filter = parse_filter(filter).map_err(io::Error::other)?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr);
    match format {
        LogFormat::Plain => {
            let is_terminal = io::IsTerminal::is_terminal(&io::stderr());
            builder.with_ansi(is_terminal).finish().try_init()
        }
        LogFormat::Json => builder.json().flatten_event(true).finish().try_init(),
    }
    .map_err(io::Error::other)?;
    std::panic::set_hook(Box::new(log_panic));
    Ok(())
}

/// A filter as in `info,trace_http=debug`.
///
/// # Errors
/// Where a part of it is neither level nor target.
pub fn parse_filter(filter: &str) -> Result<EnvFilter, ParseError> {
    EnvFilter::builder().parse(filter)
}

/// A message made at run time may hold a value of a record; one written in the
/// source cannot.
fn log_panic(panic: &PanicHookInfo<'_>) {
    let message = panic.payload().downcast_ref::<&'static str>();
    let location = panic.location().map(ToString::to_string);
    tracing::error!(
        message = "panic",
        location = location.as_deref().unwrap_or_default(),
        why = message.copied().unwrap_or("not shown"),
    );
}

/// Middleware: one line and one count for every request.
pub async fn observe(
    State(metrics): State<Arc<Metrics>>,
    matched: Option<MatchedPath>,
    request: Request,
    next: Next,
) -> Response {
    let mut observed = Observed {
        metrics,
        method: request.method().clone(),
        route: matched.map_or_else(|| "unknown".into(), |it| it.as_str().into()),
        started: Instant::now(),
        status: None,
    };
    let response = next.run(request).await;
    observed.status = Some(response.status());
    response
}

/// A request under way; counted when it ends, also by a panic or a time limit.
struct Observed {
    metrics: Arc<Metrics>,
    method: Method,
    route: Arc<str>,
    started: Instant,
    status: Option<StatusCode>,
}

impl Drop for Observed {
    fn drop(&mut self) {
        let latency = self.started.elapsed();
        let class = match self.status.map(|it| it.as_u16() / 100) {
            Some(1) => "1xx",
            Some(2) => "2xx",
            Some(3) => "3xx",
            Some(4) => "4xx",
            Some(_) => "5xx",
            None => "abandoned",
        };
        tracing::info!(
            method = method_name(&self.method),
            route = &*self.route,
            status = self.status.map_or(0, |it| it.as_u16()),
            latency_ms = milliseconds(latency),
            "{class}"
        );
        self.metrics.count(Arc::clone(&self.route), class, latency);
    }
}

/// A method of the client's own making is text of the client's own making.
fn method_name(method: &Method) -> &str {
    let is_known = [
        Method::GET,
        Method::HEAD,
        Method::POST,
        Method::PUT,
        Method::PATCH,
        Method::DELETE,
        Method::OPTIONS,
    ]
    .contains(method);
    if is_known { method.as_str() } else { "other" }
}

fn milliseconds(latency: Duration) -> f64 {
    latency.as_secs_f64() * 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_is_levels_and_targets() {
        for filter in ["info", "warn,trace_http=debug", "off"] {
            assert!(parse_filter(filter).is_ok(), "{filter}");
        }
        for filter in ["trace_http=loud", "=", "a=b=c"] {
            assert!(parse_filter(filter).is_err(), "{filter}");
        }
    }

    #[test]
    fn an_invented_method_is_not_written_down() {
        assert_eq!(method_name(&Method::GET), "GET");
        assert_eq!(method_name(&Method::from_bytes(b"JOHN").unwrap()), "other");
    }
}
