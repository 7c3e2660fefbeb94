//! What a GS1 Digital Link on a package leads to: the page of its trace unit, or
//! the units that a bare GTIN and lot may mean.
//!
//! GS1-Conformant Resolver Standard 1.1: the default link is a redirect (307);
//! `linkType=linkset` or `Accept: application/linkset+json` asks for all links
//! (RFC 9264); `/.well-known/gs1resolver` says what is resolved here. A link type
//! that is not there is 404, as is a product that is not on this ledger. Any
//! page may ask (CORS): nothing here depends on who does.
//!
//! A bare GTIN and lot can be guessed, and what it lists cannot: it is answered
//! at a bounded pace, unlike a link with its trace code.

use std::sync::Arc;

use axum::{
    Extension,
    extract::{OriginalUri, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};
use trace_core::{
    ident::{DigitalLink, Lot, TraceCode, percent_decoded},
    ledger::lookup::{Audience, PAGE_RECORDS_MAX},
};

use super::{
    answer::{fixed, not_on_ledger, to_json},
    office::Office,
};
use crate::{
    language::parse_quality,
    problem::{Problem, Refusal},
    server::Peer,
};

const LINKSET: &str = "application/linkset+json";

/// Whoever asks may read it.
const ANYONE: HeaderValue = HeaderValue::from_static("*");

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
    peer: Option<Extension<Peer>>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let asked = uri.path_and_query().map_or("", |asked| asked.as_str());
    let link = DigitalLink::parse(asked)?;
    let link_type = link_type(uri.query().unwrap_or_default())?;
    if link.code.is_none() {
        let address = peer.map(|Extension(peer)| peer.0.ip());
        office.pace.take(address, office.now_ms())?;
    }
    let codes = meant(&office, &link)?;
    let wants_linkset = prefers_linkset(&headers);
    let public_url = &office.public_url;
    match (link_type.as_deref(), codes.as_slice()) {
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

/// Where GS1's link types are defined, as they are written whole.
const VOCABULARY: &str = "https://ref.gs1.org/voc/";

/// The same as older software writes it.
const VOCABULARY_OF_OLD: &str = "https://gs1.org/voc/";

/// The link type asked for, without GS1's prefix; none where it is the default.
///
/// # Errors
/// [`Refusal::QueryUnexpected`] when it stands twice or is no text.
fn link_type(query: &str) -> Result<Option<String>, Problem> {
    let wrong = |what: &str| Err(Problem::new(Refusal::QueryUnexpected).detail(what));
    let mut all = query
        .split('&')
        .filter_map(|attribute| attribute.strip_prefix("linkType="));
    let Some(asked) = all.next() else {
        return Ok(None);
    };
    if all.next().is_some() {
        return wrong("linkType stands twice");
    }
    let Ok(asked) = percent_decoded(asked) else {
        return wrong("linkType is not percent-encoded text");
    };
    let name = ["gs1:", VOCABULARY, VOCABULARY_OF_OLD]
        .iter()
        .find_map(|prefix| asked.strip_prefix(prefix));
    let name = name.unwrap_or(&asked);
    Ok((name != "defaultLink").then(|| name.to_owned()))
}

/// Whether `Accept` names the links, and names no page that it would rather
/// have (RFC 9110, 12.5.1). A wildcard is no wish for links.
fn prefers_linkset(headers: &HeaderMap) -> bool {
    let (mut links, mut page) = (0, 0);
    let ranges = headers
        .get_all(header::ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','));
    for range in ranges {
        let mut parts = range.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default().to_ascii_lowercase();
        let quality = parts.find_map(|it| it.strip_prefix("q=").or(it.strip_prefix("Q=")));
        let Some(quality) = quality.map_or(Some(1_000), parse_quality) else {
            continue;
        };
        match name.as_str() {
            LINKSET => links = quality.max(links),
            "text/html" | "application/xhtml+xml" => page = quality.max(page),
            _ => {}
        }
    }
    links > 0 && links >= page
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
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, ANYONE);
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
    if let ([code], Some((_, path, media_type))) = (codes, LINKS.first()) {
        let to = json!({"href": address(public_url, path, *code), "type": media_type});
        context.insert(format!("{VOCABULARY}defaultLink"), json!([to]));
    }
    for (name, path, media_type) in LINKS {
        let targets: Vec<Value> = codes
            .iter()
            .map(|code| {
                let mut target = json!({
                    "href": address(public_url, path, *code),
                    "title": code.to_string(),
                    "type": media_type,
                });
                if let (&"text/html", Some(target)) = (&media_type, target.as_object_mut()) {
                    target.insert("hreflang".into(), json!(["zh", "en"]));
                }
                target
            })
            .collect();
        context.insert(format!("{VOCABULARY}{name}"), json!(targets));
    }
    let bytes = to_json(&json!({"linkset": [context]}))?;
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(LINKSET)),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
        (header::VARY, HeaderValue::from_static("accept")),
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, ANYONE),
    ];
    Ok((headers, bytes).into_response())
}

/// `GET /.well-known/gs1resolver`.
pub async fn description(State(office): State<Arc<Office>>) -> Result<Response, Problem> {
    let types: Vec<Value> = LINKS
        .iter()
        .map(|(name, ..)| json!(format!("{VOCABULARY}{name}")))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_preferred_by_whoever_names_them_and_no_page_before_them() {
        for (accepts, prefers) in [
            ("application/linkset+json", true),
            ("Application/Linkset+JSON; q=0.5", true),
            ("application/linkset+json;profile=\"x\";q=0.1, */*", true),
            ("text/html, application/linkset+json", true),
            ("text/html, application/linkset+json;q=0.9", false),
            ("application/linkset+json;q=0", false),
            ("application/linkset+json;q=2", false),
            ("application/linkset+jsonx", false),
            ("text/html,application/xhtml+xml,*/*;q=0.8", false),
            ("*/*", false),
            ("application/*", false),
            ("", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT, accepts.parse().unwrap());
            assert_eq!(prefers_linkset(&headers), prefers, "{accepts}");
        }
        let mut two = HeaderMap::new();
        two.append(header::ACCEPT, "image/png".parse().unwrap());
        two.append(header::ACCEPT, LINKSET.parse().unwrap());
        assert!(prefers_linkset(&two));
        assert!(!prefers_linkset(&HeaderMap::new()));
    }

    #[test]
    fn a_link_type_is_read_however_it_is_written() {
        for (query, name) in [
            ("", None),
            ("t=1", None),
            ("linkType=gs1:defaultLink", None),
            ("linkType=all&t=1", Some("all")),
            ("t=1&linkType=gs1%3Atraceability", Some("traceability")),
            (
                "linkType=https%3A%2F%2Fref.gs1.org%2Fvoc%2Fpip",
                Some("pip"),
            ),
            ("linkType=https://gs1.org/voc/pip", Some("pip")),
            ("linkType=", Some("")),
        ] {
            let found = link_type(query).unwrap();
            assert_eq!(found.as_deref(), name, "{query}");
        }
        for query in ["linkType=a&linkType=b", "linkType=%zz", "linkType=%ff"] {
            assert!(link_type(query).is_err(), "{query}");
        }
    }
}
