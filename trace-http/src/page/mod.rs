//! `GET /t/{code}`: a trace code as a page, what a QR code leads to.
//!
//! Plain HTML with its own style: reading needs no script, and nothing comes
//! from anywhere else. The HTTP status says the same as the words (`state`): 400
//! for a code that is none, 404 for one that is not on this ledger (never
//! "fake": another ledger may have it), 503 when it cannot be checked now.
//!
//! | file | what it is |
//! |---|---|
//! | `state` | picture, advice and HTTP status of every state |
//! | `template` | the page in its order |
//! | `goods`, `cold`, `papers`, `story` | its parts |
//! | `drafted` | the same parts of what is about to be signed |
//! | `style` | its style, and what a browser may load |
//! | `report` | the form to report something wrong |
//! | `script`, `check/` | the check in the reader's own browser |
//! | `tool` | the same check from saved files |

pub(crate) mod cold;
pub(crate) mod drafted;
pub(crate) mod goods;
pub(crate) mod papers;
pub mod report;
pub mod script;
pub(crate) mod state;
pub(crate) mod story;
pub(crate) mod style;
pub mod temperatures;
pub(crate) mod template;
pub mod tool;

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use maud::Markup;
use serde::Deserialize;
use trace_core::{
    error::{Invalid, Rule, Store},
    ident::TraceCode,
    ledger::{
        Failed, View,
        lineage::{self, Limits},
        lookup::{Audience, Lookup, RecordAnswer, UnitAnswer},
        scans::Sum,
    },
    record::{Status, SubjectId, rights::Registry, unit::UnitState},
    rules::ColdFacts,
};

use crate::{
    api::{
        Office,
        office::{beside, civil_offset_minutes},
    },
    body::Parameters,
    goods::Goods,
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
    /// In which language, where the reader chose one.
    lang: Option<Tongue>,
}

/// A language as an address names it.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Tongue {
    Zh,
    En,
}

impl Tongue {
    /// The language chosen, or the one that the browser prefers.
    pub(crate) fn or_preferred(chosen: Option<Self>, headers: &HeaderMap) -> Language {
        match chosen {
            Some(Self::Zh) => Language::Chinese,
            Some(Self::En) => Language::English,
            None => Language::preferred(headers),
        }
    }
}

/// Everything that a page about a unit shows.
pub(crate) struct Shown {
    pub(crate) code: TraceCode,
    pub(crate) answer: UnitAnswer,
    pub(crate) state: UnitState,
    /// The record that made the unit, and what it says of the goods.
    made: Option<RecordAnswer>,
    goods: Option<Goods>,
    /// Where older records begin to be left out.
    older_before: Option<u64>,
    anchor: String,
    /// Whether this is an older part of the story.
    is_older: bool,
    /// How many records the ledger held when this was read.
    size: u64,
    /// The temperature policy it was last placed under.
    pub(crate) limits: Option<cold::Limits>,
    /// What it was made of, twenty at most.
    parents: Vec<Parent>,
    /// Whether this server takes reports.
    takes_reports: bool,
    /// Minutes that local time is before UTC.
    pub(crate) offset_minutes: i32,
    /// How often its page was opened, where that is counted.
    pub(crate) scans: Option<Sum>,
}

/// Something that a unit was made of.
pub(crate) struct Parent {
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
    let language = Tongue::or_preferred(part.lang, &headers);
    let bare = |status, why: &str| {
        let page = template::bare(language, status, &text, why);
        respond(state::of(status).http, language, page)
    };
    let code = match TraceCode::parse(&text) {
        Ok(code) => code,
        Err(invalid) => return bare(Status::Malformed, &invalid.what),
    };
    let Ok(gathered) = gathered(&office, code, part.before).await else {
        return bare(Status::CannotCheck, "");
    };
    match gathered {
        Ok(Some(mut shown)) => {
            match scanned(&office, &shown, &headers) {
                Ok(scans) => shown.scans = scans,
                // How often it was opened decides nothing that the ledger says.
                Err(problem) => tracing::error!(code = problem.code(), "scans are not counted"),
            }
            if shown.scans.is_some_and(|scans| scans.is_suspicious)
                && shown.answer.status == Status::Valid
            {
                shown.answer.status = Status::SuspiciousScans;
            }
            let page = template::unit(language, &office.public_url, &shown);
            respond(state::of(shown.answer.status).http, language, page)
        }
        Ok(None) => bare(Status::Unknown, ""),
        Err(Failed::Invalid(Invalid {
            rule: Rule::NotOpen,
            ..
        })) => bare(Status::Unknown, ""),
        Err(failed) => {
            let status = match &failed {
                Failed::Store(Store::Damaged { .. }) => Status::IntegrityFailure,
                _ => Status::CannotCheck,
            };
            // Logged there; the reader learns that it was no verdict.
            let _ = Problem::from(failed);
            bare(status, "")
        }
    }
}

/// Counts that the page was opened, but for older parts of a story.
fn scanned(office: &Office, shown: &Shown, headers: &HeaderMap) -> Result<Option<Sum>, Problem> {
    let (Some(desk), Some(made)) = (&office.scans, &shown.state.made) else {
        return Ok(None);
    };
    let today = office.today(&office.view())?;
    let is_fetched_ahead = headers.contains_key("sec-purpose");
    let sum = match shown.is_older || is_fetched_ahead {
        true => desk.sum(shown.code, made, today)?,
        false => desk.count(shown.code, made, today, headers)?,
    };
    Ok(Some(sum))
}

/// Goes through all readings of the unit's stays, where it has any: not on a thread
/// that others are waiting for.
async fn gathered(
    office: &Arc<Office>,
    code: TraceCode,
    before: Option<u64>,
) -> Result<Result<Option<Shown>, Failed>, Problem> {
    let view = office.view();
    match view.folded().stays(&code) {
        Ok(placements) if !placements.stays.is_empty() => {
            let office = Arc::clone(office);
            beside(move || gather(&office, &view, Audience::Public, code, before)).await
        }
        // What cannot be read says so there.
        _ => Ok(gather(office, &view, Audience::Public, code, before)),
    }
}

/// What there is to show of a unit; `None` of one that is not on the ledger.
pub(crate) fn gather(
    office: &Office,
    view: &View,
    audience: Audience,
    code: TraceCode,
    before: Option<u64>,
) -> Result<Option<Shown>, Failed> {
    let is_older = before.is_some();
    let before = before.unwrap_or(u64::MAX);
    let lookup = office.lookup(view, audience)?;
    let mut lookup = lookup.drawing(cold::COLUMNS);
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
            .record(&made.hash)?
            .and_then(|mut answer| answer.records.pop()),
        None => None,
    };
    let goods = made.as_ref().map(|made| Goods::of(&made.statement, code));
    let parents = parents(view, &mut lookup, code)?;
    Ok(Some(Shown {
        is_older,
        size: view.size(),
        limits: cold::limits(view, &code)?,
        parents,
        takes_reports: office.complaints.is_some(),
        offset_minutes: civil_offset_minutes(view)?,
        scans: None,
        code,
        answer,
        state,
        made,
        goods: goods.transpose()?.flatten(),
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
    under(style::policy(), status, language, page)
}

pub(crate) fn under(
    policy: HeaderValue,
    status: StatusCode,
    language: Language,
    page: Markup,
) -> Response {
    let fixed = HeaderValue::from_static;
    let headers = [
        (header::CONTENT_TYPE, fixed("text/html; charset=utf-8")),
        (header::CONTENT_LANGUAGE, fixed(language.tag())),
        (header::VARY, fixed("accept-language")),
        (header::CACHE_CONTROL, fixed("no-cache")),
        (header::X_CONTENT_TYPE_OPTIONS, fixed("nosniff")),
        (header::REFERRER_POLICY, fixed("no-referrer")),
        (header::CONTENT_SECURITY_POLICY, policy),
    ];
    let mut response = (status, headers, page.into_string()).into_response();
    response.extensions_mut().insert(SaysItself);
    response
}
