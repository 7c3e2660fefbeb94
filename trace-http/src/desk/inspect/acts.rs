//! What an inspector does from the page: hold, release, recall, end a recall,
//! record an inspection, a sample, a finding put right.
//!
//! A form is filled in, shown again to be confirmed, and only then signed, with the
//! hosted key of the token's entity. What was filled in becomes the JSON of the
//! API's own order and goes the same way; the form carries the order's name
//! (`Idempotency-Key`), so that sending it twice records it once.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    response::Response,
};
use maud::{Markup, html};
use serde::Deserialize;
use trace_core::record::kinds::kind_by_name;

use super::{
    check_overseer, link,
    order::{Act, Asked, Field, Filled, ROWS_MAX},
};
use crate::{
    api::{Office, orders::Fulfilled},
    body::{FormBody, Parameters},
    desk::{frame, session::SignedIn},
    language::Language,
    machine,
    page::{Tongue, template},
    problem::{Problem, Refusal},
};

/// Most fields of a form: those of four items, and a dozen.
const FIELDS_MAX: usize = 40;

/// Which form, filled in with what.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Begun {
    of: Option<String>,
    position: Option<String>,
    lang: Option<Tongue>,
}

/// `GET /inspect/acts/{act}`: the form.
pub async fn form(
    State(office): State<Arc<Office>>,
    signed_in: SignedIn,
    Path(act): Path<String>,
    headers: HeaderMap,
    begun: Result<Parameters<Begun>, Problem>,
) -> Response {
    let (begun, misread) = match begun {
        Ok(Parameters(begun)) => (begun, None),
        Err(problem) => (Begun::default(), Some(problem)),
    };
    let language = Tongue::or_preferred(begun.lang, &headers);
    let act = match (misread, begin(&office, &signed_in, &act)) {
        (None, Ok(act)) => act,
        (Some(problem), _) | (None, Err(problem)) => {
            return frame::refused(language, Some(&signed_in), &problem);
        }
    };
    let mut filled = Filled::new();
    let today = office.today(&office.view());
    let today = today.map(|day| day.to_string()).unwrap_or_default();
    for name in ["inspected_on", "sampled_on", "rectified_on"] {
        filled.insert(name.into(), today.clone());
    }
    filled.insert("of".into(), begun.of.unwrap_or_default());
    filled.insert("position".into(), begun.position.unwrap_or_default());
    filled.insert("key".into(), fresh_key());
    let body = asked(language, act, &filled, None);
    respond(StatusCode::OK, language, &signed_in, act, &body)
}

/// `POST /inspect/acts/{act}`: what was filled in, to be confirmed; once confirmed,
/// signed.
pub async fn send(
    State(office): State<Arc<Office>>,
    signed_in: SignedIn,
    Path(act): Path<String>,
    headers: HeaderMap,
    filled: Result<FormBody<Filled>, Problem>,
) -> Response {
    let mut language = Language::preferred(&headers);
    let begun = begin(&office, &signed_in, &act);
    let (act, filled) = match (begun, filled) {
        (Ok(act), Ok(FormBody(filled))) if filled.len() <= FIELDS_MAX => (act, filled),
        (Ok(_), Ok(FormBody(filled))) => {
            let what = format!("{} fields, at most {FIELDS_MAX}", filled.len());
            let problem = Problem::new(Refusal::FormUnexpected).detail(what);
            return frame::refused(language, Some(&signed_in), &problem);
        }
        (Err(problem), _) | (_, Err(problem)) => {
            return frame::refused(language, Some(&signed_in), &problem);
        }
    };
    language = match filled.get("lang").map(String::as_str) {
        Some("zh") => Language::Chinese,
        Some("en") => Language::English,
        _ => language,
    };
    let again = |problem: &Problem| {
        let body = asked(language, act, &filled, Some(problem));
        respond(problem.status(), language, &signed_in, act, &body)
    };
    let order = match act.to_order(&filled) {
        Ok(order) => order,
        Err(problem) => return again(&problem),
    };
    if filled.get("confirmed").map(String::as_str) != Some("yes") {
        let body = to_confirm(language, act, &filled);
        return respond(StatusCode::OK, language, &signed_in, act, &body);
    }
    let key = filled.get("key").map(String::as_str).unwrap_or_default();
    match act.carry_out(&office, &signed_in, key, &order).await {
        Ok(done) => {
            let status = match done.is_repeat {
                true => StatusCode::OK,
                false => StatusCode::CREATED,
            };
            let body = recorded(language, act, &filled, done);
            respond(status, language, &signed_in, act, &body)
        }
        Err(problem) => again(&problem),
    }
}

/// Which act, for one who may have the form.
fn begin(office: &Office, signed_in: &SignedIn, act: &str) -> Result<Act, Problem> {
    check_overseer(signed_in)?;
    let act = Act::named(act)?;
    office.writer()?;
    office.readable()?;
    Ok(act)
}

fn fresh_key() -> String {
    let bytes: [u8; 16] = machine::random();
    bytes.iter().fold(String::from("page-"), |mut key, byte| {
        key.push_str(&format!("{byte:02x}"));
        key
    })
}

fn respond(
    status: StatusCode,
    language: Language,
    signed_in: &SignedIn,
    act: Act,
    body: &Markup,
) -> Response {
    let (english, chinese) = act.title();
    let title = language.of(english, chinese);
    let body = html! { h1 { (title) } (body) };
    let page = frame::page(language, signed_in, title, &body);
    frame::respond(status, language, page)
}

fn tag(language: Language) -> &'static str {
    language.of("en", "zh")
}

fn warned(language: Language, act: Act) -> Markup {
    let (english, chinese) = act.warning();
    html! { p.checked { (language.of(english, chinese)) } }
}

/// What was filled in, as fields that nobody sees.
fn kept(filled: &Filled) -> Markup {
    html! {
        @for (name, value) in filled {
            @if !["confirmed", "lang"].contains(&name.as_str()) {
                input type="hidden" name=(name) value=(value);
            }
        }
    }
}

fn asked(language: Language, act: Act, filled: &Filled, problem: Option<&Problem>) -> Markup {
    let value = |name: &str| filled.get(name).map(String::as_str).unwrap_or_default();
    html! {
        (template::tongues(language, &format!("&of={}", super::encoded(value("of")))))
        @if let Some(problem) = problem { (frame::wrong(language, problem)) }
        (warned(language, act))
        form method="post" action=(format!("/inspect/acts/{}", act.name())) {
            input type="hidden" name="lang" value=(tag(language));
            input type="hidden" name="key" value=(value("key"));
            @let fields = act.fields();
            @for asked in fields.iter().filter(|asked| asked.row() < 2) { (field(language, asked, filled)) }
            @for row in 2..=ROWS_MAX {
                @let mut of_row = fields.iter().filter(|asked| asked.row() == row).peekable();
                @if of_row.peek().is_some() {
                    details {
                        summary { (language.of("One more", "再加一项")) " (" (row) ")" }
                        @for asked in of_row { (field(language, asked, filled)) }
                    }
                }
            }
            button type="submit" { (language.of("Check and go on", "下一步:核对")) }
        }
    }
}

fn field(language: Language, asked: &Asked, filled: &Filled) -> Markup {
    let name = asked.name.as_str();
    let value = filled.get(name).map(String::as_str).unwrap_or_default();
    html! {
        label for=(name) {
            (language.of(asked.label.0.as_str(), asked.label.1.as_str()))
            @if asked.is_optional { span.quiet { (language.of(" (may be left empty)", "(可不填)")) } }
        }
        @match asked.field {
            Field::Line(length_max) => {
                input id=(name) name=(name) type="text" maxlength=(length_max)
                    value=(value) required[!asked.is_optional];
            }
            Field::Day => {
                input id=(name) name=(name) type="date" value=(value) required[!asked.is_optional];
            }
            Field::Choice(choices) => {
                select id=(name) name=(name) {
                    @for (choice, english, chinese) in choices {
                        option value=(choice) selected[value == *choice] { (language.of(*english, *chinese)) }
                    }
                }
            }
        }
    }
}

fn to_confirm(language: Language, act: Act, filled: &Filled) -> Markup {
    html! {
        p { strong { (language.of(
            "Check it once more. It is signed in your entity's name.",
            "请核对以下内容。将以您所属主体的名义签署。",
        )) } }
        (warned(language, act))
        dl {
            @for asked in act.fields() {
                @if let Some(value) = filled.get(&asked.name).filter(|value| !value.is_empty()) {
                    dt { (language.of(asked.label.0.as_str(), asked.label.1.as_str())) }
                    dd { @match asked.field {
                        Field::Choice(choices) => @for (choice, english, chinese) in choices {
                            @if choice == value { (language.of(*english, *chinese)) }
                        },
                        Field::Line(_) | Field::Day => (value),
                    } }
                }
            }
        }
        form method="post" action=(format!("/inspect/acts/{}", act.name())) {
            (kept(filled))
            input type="hidden" name="lang" value=(tag(language));
            input type="hidden" name="confirmed" value="yes";
            button type="submit" { (language.of("Sign it", "确认签署")) }
        }
        p { a.act href="/inspect" { (language.of("Do not sign it", "取消")) } }
    }
}

fn recorded(language: Language, act: Act, filled: &Filled, done: Fulfilled) -> Markup {
    let is_repeat = done.is_repeat;
    let of = filled.get("of").map(String::as_str).unwrap_or_default();
    let is_asked_by_id = matches!(act, Act::Hold | Act::Recall | Act::Inspection | Act::Sample);
    html! {
        p role="status" { strong.good { @match is_repeat {
            true => (language.of("It was recorded before.", "此前已登记。")),
            false => (language.of("Recorded.", "已登记。")),
        } } }
        dl { @for record in done.into_records() {
            @let kind_zh = kind_by_name(record.kind).map_or(record.kind, |kind| kind.name_zh);
            dt { (language.of(record.kind.replace('_', " ").as_str(), kind_zh)) }
            dd {
                (language.of("record ", "记录序号 ")) (record.index) br;
                span.code.quiet { (record.hash) }
            }
        } }
        p { a.act href=(if is_asked_by_id { link(of) } else { "/inspect".to_owned() }) {
            (language.of("Go on", "继续"))
        } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_names_one_form() {
        assert_ne!(fresh_key(), fresh_key());
        assert_eq!(fresh_key().len(), 37);
    }
}
