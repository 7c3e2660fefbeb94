//! What a GS1 Digital Link on a package leads to: the page of its trace unit, or
//! the units that a bare GTIN and lot may mean.
//!
//! GS1-Conformant Resolver Standard 1.1: the default link is a redirect (307);
//! `linkType=linkset` or `Accept: application/linkset+json` asks for all links
//! (RFC 9264); `/.well-known/gs1resolver` says what is resolved here. A link type
//! that is not there is 404, as is a product that is not on this ledger.

use std::sync::Arc;

use axum::{
    extract::{OriginalUri, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};
use trace_core::{
    ident::{DigitalLink, Lot, TraceCode},
    ledger::lookup::{Audience, PAGE_RECORDS_MAX},
};

use super::{
    answer::{fixed, not_on_ledger, to_json},
    office::Office,
};
use crate::problem::{Problem, Refusal};

const LINKSET: &str = "application/linkset+json";

/// What a unit has behind it: GS1's link type, the address behind the code, and
/// the media type there. The first is the default.
const LINKS: [(&str, &str, &str); 3] = [
    ("traceability", "/t/{code}", "text/html"),
    ("certificationInfo", "/v1/codes/{code}", "application/json"),
    (
        "verificationService",
        "/v1/codes/{code}/bundle",
        "application/json",
    ),
];

/// `GET /01/{gtin}/…`.
pub async fn resolve(
    State(office): State<Arc<Office>>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let asked = uri.path_and_query().map_or("", |asked| asked.as_str());
    let link = DigitalLink::parse(asked)?;
    let codes = meant(&office, &link)?;
    let link_type = link_type(uri.query().unwrap_or_default());
    let accepts = headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok());
    let wants_linkset = accepts.is_some_and(|accepts| accepts.contains(LINKSET));
    let public_url = &office.public_url;
    match (link_type, codes.as_slice()) {
        (Some("linkset" | "all"), codes) => linkset(public_url, &link, codes),
        (None, codes) if wants_linkset => linkset(public_url, &link, codes),
        (None, [code]) => Ok(redirect(public_url, &link, LINKS.first(), *code)),
        // A bare GTIN and lot that several units have: all of them, none first.
        (None, codes) => linkset(public_url, &link, codes),
        (Some(name), [code]) => {
            let found = LINKS.iter().find(|(known, ..)| *known == name);
            match found {
                Some(found) => Ok(redirect(public_url, &link, Some(found), *code)),
                None => Err(no_link(name)),
            }
        }
        (Some(name), _) => Err(no_link(name)),
    }
}

fn no_link(name: &str) -> Problem {
    Problem::new(Refusal::NotOnLedger).detail(format!(
        "link type {name:.40?} leads to nothing here; linkType=linkset lists what there is"
    ))
}

/// The units that a link means: the one whose code it carries, which has to be of
/// that product and batch, or all of the batch.
fn meant(office: &Office, link: &DigitalLink) -> Result<Vec<TraceCode>, Problem> {
    let view = office.view();
    // Derived rows may be in memory alone: a log that cannot be read is said to
    // be so.
    view.entry(0)?;
    let lookup = office.lookup(&view, Audience::Public)?;
    let gtin = link.gtin.as_u64();
    let lot = link.lot.as_ref().map(Lot::as_str);
    let found = match (link.code, lot) {
        (Some(code), Some(lot)) => match lookup.is_of(gtin, lot, code)? {
            true => vec![code],
            false => Vec::new(),
        },
        (None, Some(lot)) => lookup.gtin_lot(gtin, lot, None, PAGE_RECORDS_MAX)?,
        // Without a batch nothing is listed: a GTIN alone stands on every package.
        (_, None) => {
            let what = format!("GTIN {} without a batch (AI 10)", link.gtin);
            return Err(not_on_ledger(what));
        }
    };
    match found.is_empty() {
        true => Err(not_on_ledger(link)),
        false => Ok(found),
    }
}

/// The link type asked for, without GS1's prefix.
fn link_type(query: &str) -> Option<&str> {
    let asked = query
        .split('&')
        .find_map(|attribute| attribute.strip_prefix("linkType="))?;
    let asked = asked.strip_prefix("gs1:").unwrap_or(asked);
    (asked != "defaultLink").then_some(asked)
}

fn address(public_url: &str, path: &str, code: TraceCode) -> String {
    format!("{public_url}{}", path.replace("{code}", &code.compact()))
}

fn redirect(
    public_url: &str,
    link: &DigitalLink,
    to: Option<&(&str, &str, &str)>,
    code: TraceCode,
) -> Response {
    let path = to.map_or("/t/{code}", |(_, path, _)| path);
    let linkset = format!("<{public_url}{link}>; rel=\"linkset\"; type=\"{LINKSET}\"");
    let mut response = StatusCode::TEMPORARY_REDIRECT.into_response();
    let headers = response.headers_mut();
    for (name, value) in [
        (header::LOCATION, address(public_url, path, code)),
        (header::LINK, linkset),
    ] {
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.insert(name, value);
        }
    }
    headers.insert(header::VARY, HeaderValue::from_static("accept"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

/// All links of all units that are meant (RFC 9264, section 4.2).
fn linkset(public_url: &str, link: &DigitalLink, codes: &[TraceCode]) -> Result<Response, Problem> {
    let mut context = serde_json::Map::new();
    let anchor = DigitalLink {
        code: None,
        ..*link
    };
    context.insert("anchor".into(), json!(format!("{public_url}{anchor}")));
    for (name, path, media_type) in LINKS {
        let targets: Vec<Value> = codes
            .iter()
            .map(|code| {
                json!({
                    "href": address(public_url, path, *code),
                    "title": code.to_string(),
                    "type": media_type,
                    "hreflang": ["zh", "en"],
                })
            })
            .collect();
        context.insert(format!("https://ref.gs1.org/voc/{name}"), json!(targets));
    }
    let bytes = to_json(&json!({"linkset": [context]}))?;
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(LINKSET)),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
        (header::VARY, HeaderValue::from_static("accept")),
    ];
    Ok((headers, bytes).into_response())
}

/// `GET /.well-known/gs1resolver`.
pub async fn description(State(office): State<Arc<Office>>) -> Result<Response, Problem> {
    let types: Vec<Value> = LINKS
        .iter()
        .map(|(name, ..)| json!(format!("https://ref.gs1.org/voc/{name}")))
        .collect();
    let bytes = to_json(&json!({
        "name": "trace",
        "resolverRoot": office.public_url,
        "supportedPrimaryKeys": ["01"],
        "linkTypeDefaultCanBeLinkset": true,
        "supportedLinkTypes": types,
    }))?;
    Ok(fixed("application/json", bytes))
}
