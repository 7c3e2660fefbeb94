//! How answers are written: JSON straight from the answer's type, and what
//! caches may do with it.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use trace_core::ledger::lookup::Audience;

use crate::problem::{Problem, Refusal};

/// JSON of an answer.
///
/// # Errors
/// [`Refusal::Failed`]; plain answers always have a JSON form.
pub fn to_json<T: Serialize>(answer: &T) -> Result<Vec<u8>, Problem> {
    serde_json::to_vec(answer).map_err(|error| {
        tracing::error!(%error, "an answer has no JSON form");
        Problem::new(Refusal::Failed)
    })
}

/// An answer of JSON that is true now: to be asked for again next time.
pub fn json(status: StatusCode, bytes: Vec<u8>) -> Response {
    let headers = [
        (
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        ),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
    ];
    (status, headers, bytes).into_response()
}

/// An answer of JSON, as an `Ok`.
///
/// # Errors
/// As of [`to_json`].
pub fn found<T: Serialize>(answer: &T) -> Result<Response, Problem> {
    to_json(answer).map(|bytes| json(StatusCode::OK, bytes))
}

/// An answer for one audience: what is shown in full is kept by no cache.
pub fn json_for(audience: Audience, bytes: Vec<u8>) -> Response {
    let mut response = json(StatusCode::OK, bytes);
    let headers = response.headers_mut();
    headers.insert(header::VARY, HeaderValue::from_static("authorization"));
    let name = match audience {
        Audience::Public => "public",
        Audience::Full => {
            let nowhere = HeaderValue::from_static("no-store");
            headers.insert(header::CACHE_CONTROL, nowhere);
            "full"
        }
    };
    headers.insert("trace-audience", HeaderValue::from_static(name));
    response
}

/// A text that never changes in a running server.
pub fn fixed(media_type: &'static str, text: impl Into<axum::body::Body>) -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(media_type)),
        (
            header::CACHE_CONTROL,
            HeaderValue::from_static("public, max-age=3600"),
        ),
    ];
    (headers, text.into()).into_response()
}

/// That something is not on the ledger. Never "false": another ledger may
/// have it.
#[must_use]
pub fn not_on_ledger(what: impl std::fmt::Display) -> Problem {
    Problem::new(Refusal::NotOnLedger)
        .detail(format!("{what} is not on this ledger"))
        .field("trace_status", "unknown")
}
