//! `GET /inspect`: the inspector's page. One box takes anything, and the answer
//! says what is true and why; without a question it shows what is going on in the
//! token's area.
//!
//! For inspectors and authorities. What the token oversees is shown in full, and
//! that look-up is logged before the page leaves; of all else it shows what anyone
//! is shown, and says so.
//!
//! | file | what it is |
//! |---|---|
//! | `asked` | what was asked for in the box |
//! | `unit`, `checks` | the answer about a trace unit, and why |
//! | `lineage`, `parties` | where it came from and went, who received it, documents |
//! | `entity` | the answers about an entity, a piece of equipment, a product's address |
//! | `dashboard`, `map` | what is going on in the area |
//! | `complaints` | what people complained of there |
//! | `files` | sheets and documents |
//! | `acts`, `order` | what is signed from here: holds, recalls, inspections, samples |

pub mod acts;
mod asked;
mod checks;
mod complaints;
mod dashboard;
mod entity;
pub mod files;
mod lineage;
mod map;
mod order;
mod parties;
mod unit;

use std::sync::Arc;

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::Response,
};
use maud::{Markup, html};
use serde::Deserialize;
use trace_core::{
    error::{Invalid, Rule},
    ledger::lookup::Audience,
};

use self::asked::{Asked, LENGTH_MAX};
use super::{
    frame,
    session::{SignedIn, encoded},
};
use crate::{
    api::{Office, answer::not_on_ledger, sight::is_overseers},
    body::Parameters,
    language::Language,
    page::{Tongue, script::camera, template},
    problem::Problem,
};

/// What is asked for, and what for.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    ask: Option<String>,
    /// What for: it stands in the log of look-ups.
    purpose: Option<String>,
    /// The story's older part, before this index.
    before: Option<u64>,
    lang: Option<Tongue>,
}

/// Who asks, in which language, what for.
pub struct Reader {
    office: Arc<Office>,
    signed_in: SignedIn,
    language: Language,
    purpose: Option<String>,
}

/// What is answered: a title, what stands under the box, and what was shown in
/// full, to be logged before it is shown.
struct Answer {
    status: StatusCode,
    title: String,
    body: Markup,
    looked_up: Option<String>,
}

impl Answer {
    fn public(title: impl Into<String>, body: Markup) -> Self {
        Self {
            status: StatusCode::OK,
            title: title.into(),
            body,
            looked_up: None,
        }
    }
}

/// `GET /inspect`.
pub async fn show(
    State(office): State<Arc<Office>>,
    signed_in: SignedIn,
    headers: HeaderMap,
    question: Result<Parameters<Question>, Problem>,
) -> Response {
    let (question, misread) = match question {
        Ok(Parameters(question)) => (question, None),
        Err(problem) => (Question::default(), Some(problem)),
    };
    let language = Tongue::or_preferred(question.lang, &headers);
    let purpose = question
        .purpose
        .filter(|purpose| !purpose.trim().is_empty());
    let reader = Reader {
        office,
        signed_in,
        language,
        purpose,
    };
    let text = question.ask.unwrap_or_default();
    let answered = match misread {
        Some(problem) => Err(problem),
        None => reader.answer(&text, question.before).await,
    };
    let (status, title, answer) = match answered {
        Ok(answer) => (answer.status, answer.title, answer.body),
        Err(problem) => {
            let title = language.of("Not answered", "未能回答");
            let body = html! { h1 { (title) } (frame::wrong(language, &problem)) };
            (problem.status(), title.to_owned(), body)
        }
    };
    let body = html! {
        (template::tongues(language, &rest(&text)))
        (reader.question(&text))
        (answer)
    };
    let page = frame::page(language, &signed_in, &title, &body);
    frame::respond(status, language, page)
}

/// What of the address a link to the other language repeats.
fn rest(text: &str) -> String {
    match text.is_empty() || text.len() > LENGTH_MAX {
        true => String::new(),
        false => format!("&ask={}", encoded(text)),
    }
}

/// The address at which something is asked for here.
fn link(of: impl ToString) -> String {
    format!("/inspect?ask={}", encoded(&of.to_string()))
}

/// Refuses a token that was made for nobody who oversees others.
///
/// # Errors
/// [`Rule::Right`].
fn check_overseer(signed_in: &SignedIn) -> Result<(), Invalid> {
    match is_overseers(&signed_in.0) {
        true => Ok(()),
        false => {
            let what = "wanted an inspector's or authority's token";
            Err(Invalid::new(Rule::Right, what))
        }
    }
}

impl Reader {
    async fn answer(&self, text: &str, before: Option<u64>) -> Result<Answer, Problem> {
        check_overseer(&self.signed_in)?;
        self.office.readable()?;
        if text.trim().is_empty() {
            return self.logged(dashboard::answer(self).await?).await;
        }
        let answer = match Asked::parse(text)? {
            Asked::Code(code) => unit::answer(self, code, before).await?,
            Asked::Number(number, no_code) => {
                let view = self.office.view();
                let lookup = self.office.lookup(&view, Audience::Public)?;
                let Some(code) = lookup.certificate(&number)? else {
                    let no_code = no_code.what;
                    let what = format!("certificate {number} (as a trace code: {no_code})");
                    return Err(not_on_ledger(what));
                };
                unit::answer(self, code, before).await?
            }
            Asked::Link(product) => entity::product(self, &product)?,
            Asked::Entity(id) => entity::answer(self, id).await?,
            Asked::Equipment(id) => entity::equipment(self, id)?,
        };
        self.logged(answer).await
    }

    /// An answer that may be shown: what it shows in full is logged.
    async fn logged(&self, answer: Answer) -> Result<Answer, Problem> {
        if let Some(looked_up) = &answer.looked_up {
            let (token, purpose) = (&self.signed_in.0, self.purpose.clone());
            self.office
                .log_lookup(token, looked_up.clone(), purpose)
                .await?;
        }
        Ok(answer)
    }

    /// The box.
    fn question(&self, text: &str) -> Markup {
        let language = self.language;
        let camera = camera();
        let label = language.of(
            "Trace code, certificate number, address, entity or equipment",
            "追溯码、合格证编号、网址、主体或设备编号",
        );
        html! {
            form.ask method="get" action="/inspect" role="search" {
                label for="ask" { (label) }
                input id="ask" name="ask" type="text" value=(text) maxlength=(LENGTH_MAX)
                    autocomplete="off" autocapitalize="characters" spellcheck="false";
                label for="purpose" { (language.of("Purpose (kept in the log of look-ups)", "查询目的(记入查询日志)")) }
                input id="purpose" name="purpose" type="text" maxlength="100"
                    value=(self.purpose.as_deref().unwrap_or_default());
                button type="submit" { (language.of("Look up", "查询")) }
            }
            script type="module" src=(camera.path) integrity=(format!("sha256-{}", camera.hash)) {}
        }
    }
}
