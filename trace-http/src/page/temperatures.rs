//! `GET /t/{code}/temperatures`: how a unit was kept, as a picture with the same
//! in numbers beneath.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    response::Response,
};
use maud::html;
use trace_core::{ident::TraceCode, record::Status};

use super::{respond, template};
use crate::{
    api::{Office, cold::kept_of, office::civil_offset_minutes},
    chart::{COLUMNS, Local, Size, chart, tables},
    language::Language,
    problem::Problem,
};

/// `GET /t/{code}/temperatures`.
pub async fn show(
    State(office): State<Arc<Office>>,
    Path(text): Path<String>,
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
    let kept = match kept_of(&office, code, COLUMNS).await {
        Ok(kept) => kept,
        Err(problem) if problem.status() == StatusCode::NOT_FOUND => {
            return respond(StatusCode::NOT_FOUND, language, bare(Status::Unknown, ""));
        }
        Err(_) => {
            let page = bare(Status::CannotCheck, "");
            return respond(StatusCode::SERVICE_UNAVAILABLE, language, page);
        }
    };
    let offset = civil_offset_minutes(&office.view()).map_err(Problem::from);
    let local = Local {
        language,
        offset_minutes: offset.unwrap_or_default(),
    };
    let title = language.of("How it was kept cold", "冷链温度");
    let body = html! {
        h1 { (title) }
        p.code { a href=(format!("/t/{}", code.compact())) { (code) } }
        (chart(&kept, Size::Full, local))
        (tables(&kept, local))
    };
    respond(
        StatusCode::OK,
        language,
        template::shell(language, title, &body),
    )
}
