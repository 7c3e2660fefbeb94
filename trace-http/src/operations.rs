//! What the operator's machinery asks: is it up, is it ready, what are the
//! figures; and the page that explains every problem code.

use std::{fmt::Write, sync::Arc};

use axum::{
    Router,
    extract::State,
    http::{HeaderMap, header},
    middleware::{from_fn, from_fn_with_state},
    response::{Html, IntoResponse},
    routing::get,
};
use trace_core::error::Rule;

use crate::{
    language::Language,
    logging::observe,
    metrics::{self, Metrics},
    problem::{Problem, Refusal, documents},
};

/// Whether requests can be answered now; if not, why.
pub type Readiness = Arc<dyn Fn() -> Result<(), String> + Send + Sync>;

#[derive(Clone)]
struct Operations {
    metrics: Arc<Metrics>,
    readiness: Readiness,
}

/// The routes for operators: `/healthz`, `/readyz`, `/metrics`, `/problems`.
pub fn routes(metrics: Arc<Metrics>, readiness: Readiness) -> Router {
    Router::new()
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(ready))
        .route("/metrics", get(figures))
        .route("/problems", get(problems))
        .with_state(Operations { metrics, readiness })
}

/// `routes` as they are served: every request logged and counted, every error
/// a problem document.
pub fn observed(routes: Router, metrics: Arc<Metrics>) -> Router {
    routes
        .layer(from_fn(documents))
        .layer(from_fn_with_state(metrics, observe))
}

async fn ready(State(operations): State<Operations>) -> Result<&'static str, Problem> {
    match (operations.readiness)() {
        Ok(()) => Ok("ready\n"),
        Err(why) => Err(Problem::new(Refusal::Busy).detail(why)),
    }
}

async fn figures(State(operations): State<Operations>) -> Result<impl IntoResponse, Problem> {
    let text = operations
        .metrics
        .text()
        .map_err(|_| Problem::new(Refusal::Failed))?;
    Ok(([(header::CONTENT_TYPE, metrics::MEDIA_TYPE)], text))
}

async fn problems(headers: HeaderMap) -> Html<String> {
    Html(problem_page(Language::preferred(&headers)))
}

/// Every code with what to do about it. The texts are the tables' own, so
/// nothing in them needs escaping; a test looks.
fn problem_page(language: Language) -> String {
    let title = language.of("Problems", "问题代码");
    let mut page = format!(
        "<!doctype html>\n<html lang=\"{}\"><meta charset=\"utf-8\"><title>{title}</title>\n\
         <h1>{title}</h1>\n<dl>\n",
        language.tag()
    );
    let refusals = Refusal::ALL.iter().map(|it| {
        let remedy = format!("{}. {}", it.title(language), it.remedy(language));
        (it.code(), remedy)
    });
    // The writer's "busy" is the server's, and stands there.
    let rules = Rule::ALL.iter().filter(|rule| **rule != Rule::Busy);
    let rules = rules.map(|it| {
        let remedy = language.of(it.remedy(), it.remedy_zh());
        (it.code(), remedy.to_owned())
    });
    for (code, remedy) in refusals.chain(rules) {
        // Writing to a String cannot fail.
        let _ = writeln!(page, "<dt id=\"{code}\"><code>{code}</code><dd>{remedy}");
    }
    page.push_str("</dl>\n</html>\n");
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_explains_every_code_and_needs_no_escaping() {
        for language in [Language::Chinese, Language::English] {
            let page = problem_page(language);
            for code in Refusal::ALL.iter().map(|it| it.code()) {
                assert!(page.contains(&format!("<dt id=\"{code}\">")), "{code}");
            }
            for rule in Rule::ALL {
                assert!(page.contains(&format!("<dt id=\"{}\">", rule.code())));
            }
            let texts = Refusal::ALL
                .iter()
                .flat_map(|it| [it.code(), it.title(language), it.remedy(language)])
                .chain(
                    Rule::ALL
                        .iter()
                        .flat_map(|it| [it.code(), it.remedy(), it.remedy_zh()]),
                );
            for text in texts {
                assert!(!text.contains(['<', '>', '&', '"']), "{text}");
            }
        }
    }
}
