//! Errors as a client sees them: problem documents (RFC 9457).
//!
//! A client branches on `code`, a person reads `title`, `detail` and `remedy`.
//! Nothing internal is in them: what the operator has to know goes to the log.
//! `type` is `/problems#code`, a page that lists every code.

mod refusal;
mod status;

pub use refusal::Refusal;
pub use status::status_of;

use axum::{
    Json,
    extract::Request,
    http::{HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use serde_json::{Map, Value};
use trace_core::{
    error::{Invalid, Rule, Store},
    ledger::Failed,
    record::Hash,
};

use crate::language::Language;

/// The media type of RFC 9457.
pub const MEDIA_TYPE: &str = "application/problem+json";

/// One error, as it is told to the client.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    status: StatusCode,
    cause: Cause,
    detail: Option<String>,
    record: Option<[u8; 32]>,
    fields: Map<String, Value>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cause {
    Http(Refusal),
    Rule(Rule),
}

impl Problem {
    /// A refusal by HTTP's own rules.
    pub fn new(refusal: Refusal) -> Self {
        Self {
            status: refusal.status(),
            cause: Cause::Http(refusal),
            detail: None,
            record: None,
            fields: Map::new(),
        }
    }

    /// The same, with what was found and what was wanted.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// The same under another status: a rule alone does not say whether the
    /// request was wrong (422) or in conflict with what stands (409).
    #[must_use]
    pub fn with_status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// The same with one more field, e.g. the sequence that was expected. The
    /// fields of RFC 9457 and of this type are not replaced.
    #[must_use]
    pub fn field(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.fields.insert(name.to_owned(), value.into());
        self
    }

    /// The status it is answered with.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self.cause {
            Cause::Http(refusal) => refusal.code(),
            Cause::Rule(rule) => rule.code(),
        }
    }

    /// The document in one language.
    pub fn document(&self, language: Language) -> Value {
        let (title, remedy) = match self.cause {
            Cause::Http(refusal) => (refusal.title(language), refusal.remedy(language)),
            Cause::Rule(rule) => (
                language.of("The record is refused", "记录未被接受"),
                language.of(rule.remedy(), rule.remedy_zh()),
            ),
        };
        let mut document = self.fields.clone();
        let code = self.code();
        document.insert("type".into(), format!("/problems#{code}").into());
        document.insert("status".into(), self.status.as_u16().into());
        document.insert("code".into(), code.into());
        document.insert("title".into(), title.into());
        document.insert("remedy".into(), remedy.into());
        if let Some(detail) = &self.detail {
            document.insert("detail".into(), brief(detail).into());
        }
        if let Some(record) = &self.record {
            document.insert("record".into(), Hash::from(*record).to_string().into());
        }
        Value::Object(document)
    }

    /// When to try again: a queue empties in a fraction of a second, an
    /// operator who has to act takes minutes.
    fn retry_after_s(&self) -> Option<&'static str> {
        match (self.status, self.cause) {
            (
                StatusCode::SERVICE_UNAVAILABLE,
                Cause::Http(Refusal::ReadOnly | Refusal::ClockSuspect),
            ) => Some("60"),
            (StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS, _) => Some("1"),
            _ => None,
        }
    }

    /// The whole response in one language.
    pub fn into_response_in(self, language: Language) -> Response {
        let media_type = HeaderValue::from_static(MEDIA_TYPE);
        let tag = HeaderValue::from_static(language.tag());
        let mut response = (
            self.status,
            [
                (header::CONTENT_TYPE, media_type),
                (header::CONTENT_LANGUAGE, tag),
                (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
            ],
            Json(self.document(language)),
        )
            .into_response();
        let headers = response.headers_mut();
        if let Some(wait_s) = self.retry_after_s() {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static(wait_s));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            let scheme = HeaderValue::from_static("Bearer");
            headers.insert(header::WWW_AUTHENTICATE, scheme);
        }
        response.extensions_mut().insert(self);
        response
    }
}

impl IntoResponse for Problem {
    /// In Chinese; [`documents`] writes it again in the language asked for.
    fn into_response(self) -> Response {
        self.into_response_in(Language::default())
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        Self::new(refusal)
    }
}

impl From<Invalid> for Problem {
    fn from(invalid: Invalid) -> Self {
        Self {
            status: status_of(invalid.rule),
            cause: Cause::Rule(invalid.rule),
            detail: Some(invalid.what),
            record: invalid.record,
            fields: Map::new(),
        }
    }
}

impl From<Store> for Problem {
    /// The client learns that the machine failed, the log learns how.
    fn from(store: Store) -> Self {
        tracing::error!(error = %store, "storage failed");
        match store {
            Store::ReadOnly { why } => Self::new(Refusal::ReadOnly).detail(why),
            _ => Self::new(Refusal::Failed),
        }
    }
}

impl From<Failed> for Problem {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::Invalid(invalid) => invalid.into(),
            Failed::Store(store) => store.into(),
        }
    }
}

/// Marks a response that says for itself, as a page does, why it is an error:
/// [`documents`] leaves it as it is.
#[derive(Debug, Clone, Copy)]
pub struct SaysItself;

/// Middleware: every error leaves as a problem document, in the language that
/// the request prefers, a router's own bare 404 and 405 too.
pub async fn documents(request: Request, next: Next) -> Response {
    let language = Language::preferred(request.headers());
    in_documents(next.run(request).await, language)
}

fn in_documents(mut response: Response, language: Language) -> Response {
    let status = response.status();
    let is_error = status.is_client_error() || status.is_server_error();
    if !is_error || response.extensions().get::<SaysItself>().is_some() {
        return response;
    }
    let problem = response
        .extensions_mut()
        .remove::<Problem>()
        .unwrap_or_else(|| Problem::new(Refusal::of_status(status)).with_status(status));
    // What a handler said beside its body, such as `Allow`, still holds.
    let mut written = problem.into_response_in(language);
    for (name, value) in response.headers() {
        let is_of_body = [
            header::CONTENT_TYPE,
            header::CONTENT_LENGTH,
            header::CONTENT_LANGUAGE,
            header::CACHE_CONTROL,
            header::RETRY_AFTER,
            header::WWW_AUTHENTICATE,
        ]
        .contains(name);
        if !is_of_body {
            written.headers_mut().append(name, value.clone());
        }
    }
    written
}

/// Most bytes of a detail: the longest of our own names every form's bases in
/// some 600; a reader of JSON repeats whatever the client wrote.
const DETAIL_BYTES_MAX: usize = 1_000;

/// The beginning of a text that is too long to be said.
fn brief(text: &str) -> String {
    if text.len() <= DETAIL_BYTES_MAX {
        return text.to_owned();
    }
    let (head, _) = text.split_at(text.floor_char_boundary(DETAIL_BYTES_MAX));
    format!("{head}…")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_record_names_rule_record_and_numbers() {
        let refused = Invalid::new(Rule::Lot, "21 characters, at most 20").against([0xab; 32]);
        let problem = Problem::from(refused).field("expected_sequence", 7);
        assert_eq!(problem.status(), StatusCode::BAD_REQUEST);
        let document = problem.document(Language::English);
        assert_eq!(document["type"], "/problems#lot_malformed");
        assert_eq!(document["code"], "lot_malformed");
        assert_eq!(document["status"], 400);
        assert_eq!(document["detail"], "21 characters, at most 20");
        assert_eq!(document["record"], "ab".repeat(32));
        assert_eq!(document["expected_sequence"], 7);
        assert_eq!(document["remedy"], Rule::Lot.remedy());
        let document = problem.document(Language::Chinese);
        assert_eq!(document["remedy"], Rule::Lot.remedy_zh());
        assert_eq!(document["title"], "记录未被接受");
    }

    #[test]
    fn extra_fields_do_not_replace_the_standard_ones() {
        let problem = Problem::new(Refusal::Busy)
            .field("status", 200)
            .field("code", "x");
        let document = problem.document(Language::English);
        assert_eq!(document["status"], 503);
        assert_eq!(document["code"], "busy");
    }

    #[test]
    fn a_failed_disk_tells_the_client_nothing_of_the_machine() {
        let failed = Store::io("sync", std::path::Path::new("/secret/place"))(
            std::io::Error::other("no space"),
        );
        let document = Problem::from(failed)
            .document(Language::English)
            .to_string();
        assert!(
            !document.contains("secret") && !document.contains("space"),
            "{document}"
        );
    }

    #[test]
    fn every_code_stands_once_among_refusals_and_rules() {
        let mut codes: Vec<_> = Refusal::ALL.iter().map(|it| it.code()).collect();
        // "busy" is one word, whether the server or the writer is.
        let rules = Rule::ALL.iter().filter(|rule| **rule != Rule::Busy);
        codes.extend(rules.map(|it| it.code()));
        let count = codes.len();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), count);
    }

    #[test]
    fn whoever_is_to_wait_is_told_how_long_and_whoever_needs_a_token_how() {
        for (problem, name, value) in [
            (Problem::new(Refusal::Busy), "retry-after", "1"),
            (Problem::new(Refusal::TooOften), "retry-after", "1"),
            (Problem::new(Refusal::ReadOnly), "retry-after", "60"),
            (
                Invalid::new(Rule::Token, "").into(),
                "www-authenticate",
                "Bearer",
            ),
        ] {
            let response = in_documents(problem.into_response(), Language::English);
            let values: Vec<_> = response.headers().get_all(name).iter().collect();
            assert_eq!(values, [value]);
        }
    }

    #[test]
    fn a_page_that_says_for_itself_what_is_wrong_stays_a_page() {
        let mut page = (StatusCode::NOT_FOUND, "a page").into_response();
        page.extensions_mut().insert(SaysItself);
        let response = in_documents(page, Language::English);
        assert_ne!(response.headers()[header::CONTENT_TYPE], MEDIA_TYPE);
    }

    #[test]
    fn a_bare_status_becomes_a_document_and_keeps_its_fields() {
        let bare = (
            StatusCode::METHOD_NOT_ALLOWED,
            [(header::ALLOW, "GET")],
            "text",
        );
        let response = in_documents(bare.into_response(), Language::English);
        assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(response.headers()[header::ALLOW], "GET");
        assert_eq!(response.headers()[header::CONTENT_TYPE], MEDIA_TYPE);
        assert_eq!(response.headers()[header::CONTENT_LANGUAGE], "en");
        assert_eq!(
            response
                .headers()
                .get_all(header::CONTENT_TYPE)
                .iter()
                .count(),
            1
        );
        let fine = in_documents("text".into_response(), Language::English);
        assert_ne!(fine.headers()[header::CONTENT_TYPE], MEDIA_TYPE);
    }
}
