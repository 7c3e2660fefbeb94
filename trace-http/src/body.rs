//! Extractors for what a request carries: bytes, JSON, a query.
//!
//! Each refuses with a problem document. JSON is read as exactly the type
//! wanted; types derive `deny_unknown_fields`, so that a misspelt field is
//! refused and not passed over.

use std::{error::Error, io};

use axum::{
    body::Body,
    extract::{FromRequest, FromRequestParts, Request, rejection::FormRejection},
    http::{HeaderMap, header, request::Parts},
};
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError};
use serde::de::DeserializeOwned;

use crate::problem::{Problem, Refusal};

/// A body of JSON, as a `T`.
#[derive(Debug, Clone, Copy, Default)]
pub struct JsonBody<T>(pub T);

/// A body of bytes: `application/octet-stream`.
#[derive(Debug, Clone, Default)]
pub struct OctetBody(pub Bytes);

/// A body of CSV: `text/csv`, in whatever character set.
#[derive(Debug, Clone, Default)]
pub struct CsvBody(pub Bytes);

/// A body that is a document: whatever of these types it is said to be, its
/// bytes decide.
#[derive(Debug, Clone, Default)]
pub struct DocumentBody(pub Bytes);

/// A body of JSON as its bytes, where they themselves matter.
#[derive(Debug, Clone, Default)]
pub struct JsonBytes(pub Bytes);

/// A body of a page's form, as a `T`: `application/x-www-form-urlencoded`.
#[derive(Debug, Clone, Copy, Default)]
pub struct FormBody<T>(pub T);

/// A query, as a `T`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Parameters<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for JsonBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let JsonBytes(bytes) = JsonBytes::from_request(request, &()).await?;
        parse_json(&bytes).map(Self)
    }
}

impl<S: Send + Sync> FromRequest<S> for JsonBytes {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        check_media_type(request.headers(), "application/json")?;
        read(request.into_body()).await.map(Self)
    }
}

impl<S: Send + Sync> FromRequest<S> for OctetBody {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        check_media_type(request.headers(), "application/octet-stream")?;
        read(request.into_body()).await.map(Self)
    }
}

impl<S: Send + Sync> FromRequest<S> for CsvBody {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        check_media_type(request.headers(), "text/csv")?;
        read(request.into_body()).await.map(Self)
    }
}

impl<S: Send + Sync> FromRequest<S> for DocumentBody {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        const TYPES: [&str; 3] = ["application/pdf", "image/jpeg", "image/png"];
        let headers = request.headers();
        if TYPES
            .iter()
            .all(|it| check_media_type(headers, it).is_err())
        {
            check_media_type(headers, "application/octet-stream")?;
        }
        read(request.into_body()).await.map(Self)
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for FormBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        check_media_type(request.headers(), "application/x-www-form-urlencoded")?;
        match axum::Form::from_request(request, &()).await {
            Ok(axum::Form(form)) => Ok(Self(form)),
            Err(FormRejection::BytesRejection(error)) => Err(refusal_of(&error)),
            Err(error) => Err(Problem::new(Refusal::FormUnexpected).detail(error.body_text())),
        }
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Parameters<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        axum::extract::Query::try_from_uri(&parts.uri)
            .map(|axum::extract::Query(parameters)| Self(parameters))
            .map_err(|error| Problem::new(Refusal::QueryUnexpected).detail(error.body_text()))
    }
}

/// Reads JSON as exactly a `T`.
///
/// # Errors
/// [`Refusal::TextMalformed`], [`Refusal::JsonMalformed`] or
/// [`Refusal::JsonUnexpected`], each with line and column.
pub fn parse_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        let column = before
            .iter()
            .rev()
            .take_while(|byte| **byte != b'\n')
            .count()
            + 1;
        place(Refusal::TextMalformed, "no UTF-8", line, column)
    })?;
    serde_json::from_str(text).map_err(|error| {
        let refusal = if error.is_data() {
            Refusal::JsonUnexpected
        } else {
            Refusal::JsonMalformed
        };
        let told = error.to_string();
        let what = told
            .rsplit_once(" at line ")
            .map_or(told.as_str(), |(what, _)| what);
        place(refusal, what, error.line(), error.column())
    })
}

fn place(refusal: Refusal, what: &str, line: usize, column: usize) -> Problem {
    Problem::new(refusal)
        .detail(format!("line {line}, column {column}: {what}"))
        .field("line", line)
        .field("column", column)
}

/// The type alone decides; parameters such as `charset=utf-8` may follow.
fn check_media_type(headers: &HeaderMap, wanted: &str) -> Result<(), Problem> {
    let found = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .unwrap_or_default()
        .trim();
    if found.eq_ignore_ascii_case(wanted) {
        return Ok(());
    }
    let detail = if found.is_empty() {
        format!("no Content-Type, wanted {wanted}")
    } else {
        format!("wanted {wanted}")
    };
    Err(Problem::new(Refusal::MediaType).detail(detail))
}

async fn read(body: Body) -> Result<Bytes, Problem> {
    let collected = body.collect().await.map_err(|error| refusal_of(&error))?;
    Ok(collected.to_bytes())
}

/// Why a body could not be read, found among the causes of an error.
fn refusal_of(error: &(dyn Error + 'static)) -> Problem {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if error.is::<LengthLimitError>() {
            return Refusal::BodyTooLarge.into();
        }
        let kind = error.downcast_ref::<io::Error>().map(io::Error::kind);
        if kind == Some(io::ErrorKind::TimedOut) {
            return Refusal::BodyTooSlow.into();
        }
        cause = error.source();
    }
    Refusal::BodyMalformed.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::Language;

    #[derive(Debug, PartialEq, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Wanted {
        number: u8,
    }

    fn refused(bytes: &[u8]) -> (&'static str, String) {
        let problem = parse_json::<Wanted>(bytes).unwrap_err();
        let document = problem.document(Language::English);
        (
            problem.code(),
            document["detail"].as_str().unwrap().to_owned(),
        )
    }

    #[test]
    fn json_is_read_as_exactly_what_is_wanted() {
        assert_eq!(parse_json(b" {\"number\": 7}\n"), Ok(Wanted { number: 7 }));
        for (bytes, code, detail) in [
            (
                &b"{\"number\": 7"[..],
                "json_malformed",
                "line 1, column 12: EOF",
            ),
            (
                b"{\"number\": 7} x",
                "json_malformed",
                "line 1, column 15: trailing",
            ),
            (b"", "json_malformed", "line 1, column 0: EOF"),
            (
                b"{\n\"numbr\": 7}",
                "json_unexpected",
                "line 2, column 7: unknown field `numbr`",
            ),
            (
                b"{\"number\": 7, \"number\": 7}",
                "json_unexpected",
                "line 1, column 22: duplicate",
            ),
            (
                b"{\"number\": 256}",
                "json_unexpected",
                "line 1, column 14: invalid value",
            ),
            (
                b"{}",
                "json_unexpected",
                "line 1, column 2: missing field `number`",
            ),
            (
                b"{\"number\":\n \xff}",
                "text_malformed_utf8",
                "line 2, column 2: no UTF-8",
            ),
        ] {
            let (found_code, found_detail) = refused(bytes);
            assert_eq!(found_code, code, "{found_detail}");
            assert!(found_detail.starts_with(detail), "{found_detail}");
        }
    }

    #[test]
    fn a_media_type_may_have_parameters_but_not_be_another() {
        let mut headers = HeaderMap::new();
        assert!(check_media_type(&headers, "application/json").is_err());
        for (value, is_fine) in [
            ("application/json", true),
            ("Application/JSON; charset=utf-8", true),
            ("text/json", false),
            ("application/jsonx", false),
            ("application/json, text/plain", false),
        ] {
            headers.insert(header::CONTENT_TYPE, value.parse().unwrap());
            assert_eq!(
                check_media_type(&headers, "application/json").is_ok(),
                is_fine,
                "{value}"
            );
        }
    }
}
