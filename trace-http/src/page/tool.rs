//! `GET /check`: the check as a page to keep. Saved once, it checks a saved
//! bundle, and a saved page against it, with no server and no network: its
//! script and the kinds' schemas stand in it.
//!
//! Not the shopper's page, which is why it may be larger than 60 kB.

use std::sync::Arc;

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::Response,
};
use maud::{Markup, PreEscaped, html};
use serde::Deserialize;

use super::{Tongue, script, style, template, under};
use crate::{api::Office, body::Parameters, language::Language};

/// What the address may say.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    lang: Option<Tongue>,
}

/// `GET /check`.
pub async fn show(
    State(office): State<Arc<Office>>,
    Parameters(wanted): Parameters<Wanted>,
    headers: HeaderMap,
) -> Response {
    let language = Tongue::or_preferred(wanted.lang, &headers);
    // A reader brings an anchor from elsewhere; this one only saves typing.
    let anchor = office.anchor().map(ToString::to_string).unwrap_or_default();
    let title = language.of("Check saved evidence", "核验已保存的证据");
    let page = template::shell(language, title, &form(language, title, &anchor));
    under(style::policy_of_tool(), StatusCode::OK, language, page)
}

fn form(language: Language, title: &str, anchor: &str) -> Markup {
    html! {
        h1 { (title) }
        p {
            (language.of(
                "Save this page. It works without the network: choose a saved bundle, and a saved \
                 page with it if you like, and compare the anchor with one from a source you trust.",
                "请保存本页面。无需网络即可使用:选择已保存的证据包(可同时选择已保存的追溯页面),\
                 并将信任锚与可信来源公布的相对照。",
            ))
        }
        form id="tool" {
            label for="files" { (language.of("Saved bundle, and saved page", "证据包与已保存页面")) }
            input id="files" name="files" type="file" multiple required;
            label for="anchor" { (language.of("Trust anchor", "信任锚")) }
            input id="anchor" name="anchor" type="text" value=(anchor) autocomplete="off" spellcheck="false" required;
            button type="submit" { (language.of("Check", "核验")) }
        }
        div id="checked" class="checked" role="status" {
            noscript { p { (language.of("This needs JavaScript.", "此功能需要 JavaScript。")) } }
        }
        // JSON holds no `<` that could end the element: texts of schemas are names.
        script type="application/json" id="kinds" { (PreEscaped(script::schemas())) }
        script type="module" { (PreEscaped(&script::script().text)) }
    }
}
