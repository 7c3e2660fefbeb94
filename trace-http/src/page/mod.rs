//! `GET /t/{code}`: a trace code as a page, what a QR code leads to.
//!
//! Plain HTML with its own style, no script, nothing fetched from anywhere. The
//! HTTP status says the same as the words: 400 for a code that is none, 404 for
//! one that is not on this ledger (never "fake": another ledger may have it),
//! 503 when it cannot be checked now.

mod story;
mod style;
pub mod temperatures;
mod template;

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use maud::Markup;
use serde::Deserialize;
use trace_core::{
    error::{Invalid, Rule},
    ident::TraceCode,
    ledger::{
        Failed, View,
        lineage::{self, Limits},
        lookup::{Audience, Lookup, RecordAnswer, UnitAnswer},
    },
    record::{Status, SubjectId, rights::Registry, unit::UnitState},
};

use crate::{
    api::Office,
    body::Parameters,
    language::Language,
    problem::{Problem, SaysItself},
};

/// Records of the story on one page: forty of half a kilobyte are 20 kB, and
/// the whole page stays below 60.
const STORY_RECORDS_MAX: usize = 40;

/// Indexes looked through to find the newest; a unit that moves ten times a
/// day for two years has 7,300.
const INDEXES_MAX: usize = 10_000;

/// Which part of a story.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    before: Option<u64>,
}

/// Everything that a page about a unit shows.
struct Shown {
    code: TraceCode,
    answer: UnitAnswer,
    state: UnitState,
    /// The record that made the unit.
    made: Option<RecordAnswer>,
    /// Where older records begin to be left out.
    older_before: Option<u64>,
    anchor: String,
    /// What it was made of, twenty at most.
    parents: Vec<Parent>,
}

/// Something that a unit was made of.
struct Parent {
    code: TraceCode,
    product: String,
    /// Who made it: a firm's registered name, none of a natural person.
    maker: Option<String>,
    is_declared: bool,
}

/// Units named that a unit was made of; more are behind the trace itself.
const PARENTS_MAX: usize = 20;

/// `GET /t/{code}`.
pub async fn show(
    State(office): State<Arc<Office>>,
    Path(text): Path<String>,
    Parameters(part): Parameters<Part>,
    headers: HeaderMap,
) -> Response {
    let language = Language::preferred(&headers);
    let bare = |status, why: &str| template::bare(language, status, &text, why);
    let code = match TraceCode::parse(&text) {
        Ok(code) => code,
        Err(invalid) => {
            let page = bare(Status::Malformed, &invalid.what);
            return respond(StatusCode::BAD_REQUEST, language, page);
        }
    };
    match gather(&office, code, part.before.unwrap_or(u64::MAX)) {
        Ok(Some(shown)) => {
            let page = template::unit(language, &office.public_url, &shown);
            respond(StatusCode::OK, language, page)
        }
        Ok(None) => respond(StatusCode::NOT_FOUND, language, bare(Status::Unknown, "")),
        Err(Failed::Invalid(Invalid {
            rule: Rule::NotOpen,
            ..
        })) => respond(StatusCode::NOT_FOUND, language, bare(Status::Unknown, "")),
        Err(failed) => {
            // Logged there; the reader learns that it was no verdict.
            let _ = Problem::from(failed);
            let page = bare(Status::CannotCheck, "");
            respond(StatusCode::SERVICE_UNAVAILABLE, language, page)
        }
    }
}

fn gather(office: &Office, code: TraceCode, before: u64) -> Result<Option<Shown>, Failed> {
    let view = office.view();
    let mut lookup = office.lookup(&view, Audience::Public)?;
    let Some(state) = view.folded().unit(&code)? else {
        return Ok(None);
    };
    let mut indexes = view.about(&SubjectId::unit(code), 0, INDEXES_MAX)?;
    indexes.retain(|index| *index < before);
    let first_shown = indexes.len().saturating_sub(STORY_RECORDS_MAX);
    let from = indexes.get(first_shown).copied().unwrap_or(u64::MAX);
    let Some(mut answer) = lookup.unit(code, from, STORY_RECORDS_MAX)? else {
        return Ok(None);
    };
    answer.records.retain(|record| record.index < before);
    let made = match &state.made {
        Some(made) => lookup
            .unit(code, made.index, 1)?
            .and_then(|mut answer| answer.records.pop()),
        None => None,
    };
    let parents = parents(&view, &mut lookup, code)?;
    Ok(Some(Shown {
        parents,
        code,
        answer,
        state,
        made,
        older_before: (first_shown > 0).then_some(from),
        anchor: office.anchor()?.to_string(),
    }))
}

fn parents(view: &View, lookup: &mut Lookup<'_>, code: TraceCode) -> Result<Vec<Parent>, Failed> {
    let limits = Limits {
        depth_max: 1,
        units_max: PARENTS_MAX + 1,
        edges_max: PARENTS_MAX * 2,
    };
    let mut found = Vec::new();
    for unit in lineage::trace_back(view, code, limits)?.units {
        if unit.depth == 0 {
            continue;
        }
        found.push(Parent {
            code: unit.balance.unit,
            product: unit.made.product,
            maker: lookup.party(unit.made.entity)?.and_then(|party| party.name),
            is_declared: unit.made.is_declared,
        });
    }
    Ok(found)
}

fn respond(status: StatusCode, language: Language, page: Markup) -> Response {
    let fixed = HeaderValue::from_static;
    let headers = [
        (header::CONTENT_TYPE, fixed("text/html; charset=utf-8")),
        (header::CONTENT_LANGUAGE, fixed(language.tag())),
        (header::VARY, fixed("accept-language")),
        (header::CACHE_CONTROL, fixed("no-cache")),
        (header::X_CONTENT_TYPE_OPTIONS, fixed("nosniff")),
        (header::REFERRER_POLICY, fixed("no-referrer")),
        (header::CONTENT_SECURITY_POLICY, style::policy()),
    ];
    let mut response = (status, headers, page.into_string()).into_response();
    response.extensions_mut().insert(SaysItself);
    response
}
