//! Signing in: a token is typed once and kept in a cookie of this site alone
//! (RFC 6265bis: `HttpOnly`, `SameSite=Strict`, `Secure` behind https).
//!
//! The cookie holds the token itself, so that whatever ends a token (its last
//! moment, a revocation) ends the session with it, and nothing is kept here.

use std::sync::Arc;

use axum::{
    extract::{FromRequestParts, OriginalUri, State},
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header, request::Parts},
    response::{IntoResponse, Response},
};
use cookie::{Cookie, SameSite};
use maud::{Markup, html};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use trace_core::{
    error::{Invalid, Rule},
    ident::EntityId,
    ledger::tokens::TokenGrant,
    record::{Hash, Role},
};

use super::frame;
use crate::{
    api::{Office, bearer::in_force},
    body::{FormBody, Parameters},
    language::Language,
    machine,
    page::Tongue,
    problem::{Problem, Refusal},
};

const COOKIE: &str = "trace_session";

/// The pages for those who signed in; after signing in nobody is sent elsewhere.
const DESKS: [&str; 3] = ["/inspect", "/issue", "/authority"];

/// Longest address to come back to: the box of an inspector takes a whole
/// pasted address.
const NEXT_LENGTH_MAX: usize = 1_024;

/// Who signed in; a request of somebody who did not is led to where one does.
///
/// A form is taken from this site's own pages alone.
#[derive(Debug, Clone, Copy)]
pub struct SignedIn(pub TokenGrant);

impl SignedIn {
    /// For whom the token acts.
    ///
    /// # Errors
    /// [`Rule::Right`] for a token that names no entity.
    pub fn entity(&self) -> Result<EntityId, Invalid> {
        self.0.grant.entity.ok_or_else(|| {
            Invalid::new(
                Rule::Right,
                "the token names no entity, so nothing is its own",
            )
        })
    }
}

impl FromRequestParts<Arc<Office>> for SignedIn {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, office: &Arc<Office>) -> Result<Self, Response> {
        let language = Language::preferred(&parts.headers);
        if !parts.method.is_safe() {
            check_site(&parts.headers)
                .map_err(|problem| frame::refused(language, None, &problem))?;
        }
        let asked = OriginalUri::from_request_parts(parts, office).await;
        let OriginalUri(asked) = asked.unwrap_or_else(|never| match never {});
        let Some(text) = kept(&parts.headers) else {
            return Err(lead_to_sign_in(&asked, parts.method.is_safe()));
        };
        match in_force(office, &text) {
            Ok(token) => Ok(Self(token)),
            Err(problem) if problem.code() == Rule::Token.code() => {
                Err(lead_to_sign_in(&asked, parts.method.is_safe()))
            }
            Err(problem) => Err(frame::refused(language, None, &problem)),
        }
    }
}

/// The token that the browser kept.
fn kept(headers: &HeaderMap) -> Option<String> {
    let lines = headers.get_all(header::COOKIE).iter();
    lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(Cookie::split_parse)
        .filter_map(Result::ok)
        .find(|cookie| cookie.name() == COOKIE)
        .map(|cookie| cookie.value().to_owned())
}

/// Refuses a form that another site's page sent (Fetch Metadata, `Sec-Fetch-Site`);
/// a browser too old to say so keeps the cookie to itself (`SameSite=Strict`).
pub(super) fn check_site(headers: &HeaderMap) -> Result<(), Problem> {
    match headers.get("sec-fetch-site").map(HeaderValue::as_bytes) {
        None | Some(b"same-origin" | b"none") => Ok(()),
        Some(_) => {
            let what = "the form was sent from another site's page";
            Err(Problem::new(Refusal::ForeignForm).detail(what))
        }
    }
}

fn lead_to_sign_in(asked: &Uri, is_reading: bool) -> Response {
    let back = match (is_reading, asked.path_and_query()) {
        (true, Some(address)) => address.as_str(),
        // What was filled in cannot be sent again by a link.
        _ => asked.path(),
    };
    see(&format!("/sign-in?next={}", encoded(back)), None)
}

/// A new name for an order, to stand in the form that gives it: sent twice, it is
/// carried out once.
#[must_use]
pub fn order_key() -> String {
    let bytes: [u8; 16] = machine::random();
    Hash::of(&[&bytes]).to_string()
}

/// A text as it may stand in a query.
pub(super) fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

/// Leads on by GET (303, RFC 9110, 15.4.4), perhaps with a cookie.
pub(super) fn see(address: &str, cookie: Option<&Cookie<'_>>) -> Response {
    let mut response = StatusCode::SEE_OTHER.into_response();
    let headers = response.headers_mut();
    let text = |text: &str| HeaderValue::try_from(text).ok();
    if let Some(address) = text(address) {
        headers.insert(header::LOCATION, address);
    }
    if let Some(cookie) = cookie.and_then(|cookie| text(&cookie.to_string())) {
        headers.insert(header::SET_COOKIE, cookie);
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

pub(super) fn cookie(office: &Office, text: String) -> Cookie<'static> {
    Cookie::build((COOKIE, text))
        .path("/")
        .http_only(true)
        .same_site(SameSite::Strict)
        .secure(office.public_url.starts_with("https:"))
        .build()
}

/// Where to go on.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Going {
    next: Option<String>,
    lang: Option<Tongue>,
}

/// What the form holds.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entered {
    token: String,
    next: Option<String>,
}

/// `GET /sign-in`.
pub async fn form(Parameters(going): Parameters<Going>, headers: HeaderMap) -> Response {
    let language = Tongue::or_preferred(going.lang, &headers);
    let page = asked(language, going.next.as_deref(), None);
    frame::respond(StatusCode::OK, language, page)
}

/// `POST /sign-in`.
pub async fn enter(
    State(office): State<Arc<Office>>,
    headers: HeaderMap,
    entered: Result<FormBody<Entered>, Problem>,
) -> Response {
    let language = Language::preferred(&headers);
    let refuse = |next: Option<&str>, problem: &Problem| {
        let page = asked(language, next, Some(problem));
        frame::respond(problem.status(), language, page)
    };
    let entered = match check_site(&headers).and(entered) {
        Ok(FormBody(entered)) => entered,
        Err(problem) => return refuse(None, &problem),
    };
    let (next, text) = (entered.next.as_deref(), entered.token.trim());
    match in_force(&office, text) {
        Ok(token) => {
            let home = home(token.grant.role);
            let address = next.filter(|next| is_desk(next)).unwrap_or(home);
            see(address, Some(&cookie(&office, text.to_owned())))
        }
        Err(problem) => refuse(next, &problem),
    }
}

/// `POST /sign-out`.
pub async fn leave(State(office): State<Arc<Office>>, headers: HeaderMap) -> Response {
    if let Err(problem) = check_site(&headers) {
        return frame::refused(Language::preferred(&headers), None, &problem);
    }
    let mut ended = cookie(&office, String::new());
    ended.make_removal();
    see("/sign-in", Some(&ended))
}

/// Whose page is whose.
#[must_use]
pub fn home(role: Role) -> &'static str {
    match role {
        Role::Inspector => "/inspect",
        Role::Authority | Role::Root => "/authority",
        _ => "/issue",
    }
}

/// Whether an address is one of these pages: never another host's.
fn is_desk(address: &str) -> bool {
    address.len() <= NEXT_LENGTH_MAX
        && DESKS.iter().any(|desk| {
            let rest = address.strip_prefix(desk);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']))
        })
}

fn asked(language: Language, next: Option<&str>, problem: Option<&Problem>) -> Markup {
    let title = language.of("Sign in", "登录");
    let body = html! {
        h1 { (title) }
        @if let Some(problem) = problem { (frame::wrong(language, problem)) }
        p { (language.of(
            "With the token that the authority or the operator of this ledger gave you. Reading what a code says needs none.",
            "请使用主管部门或账本运营方发放的令牌登录。查询追溯码无需登录。",
        )) }
        form method="post" action="/sign-in" {
            label for="token" { (language.of("Token", "令牌")) }
            input id="token" name="token" type="password" required autocomplete="current-password"
                autocapitalize="off" spellcheck="false";
            @if let Some(next) = next { input type="hidden" name="next" value=(next); }
            button type="submit" { (title) }
        }
    };
    frame::bare(language, title, &body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_led_to_another_host_or_to_what_is_no_desk() {
        for address in ["/inspect", "/inspect?ask=1", "/issue/new", "/authority/"] {
            assert!(is_desk(address), "{address}");
        }
        let long = format!("/inspect?{}", "a".repeat(NEXT_LENGTH_MAX));
        for address in [
            "",
            "/",
            "//evil.example/inspect",
            "https://evil.example/",
            "/inspector",
            "/inspect\\x",
            "/issue.evil.example",
            "/t/ABC",
            &long,
        ] {
            assert!(!is_desk(address), "{address}");
        }
    }
}
