//! What is around every page for those who signed in: the three desks, who
//! signed in, the way out; and how a refusal looks on it.

use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};
use maud::{Markup, html};
use serde_json::Value;
use trace_core::{
    ident::Area,
    record::{Role, quantity::BaseUnit},
};

use super::session::{SignedIn, home};
use crate::{
    language::Language,
    page::{style, template, under},
    problem::Problem,
};

/// A page before anybody signed in.
#[must_use]
pub fn bare(language: Language, title: &str, body: &Markup) -> Markup {
    let body = html! { (template::tongues(language, "")) (body) };
    template::shell(language, title, &body)
}

/// A page of somebody who signed in.
#[must_use]
pub fn page(language: Language, SignedIn(token): &SignedIn, title: &str, body: &Markup) -> Markup {
    let grant = &token.grant;
    let role = role_words(language, grant.role);
    let body = html! {
        form.leave method="post" action="/sign-out" {
            a.act href=(home(grant.role)) { (language.of("Start", "首页")) }
            span.quiet { (role) @if let Some(area) = &grant.area { " · " (area_name(language, &area.to_string())) } }
            button type="submit" { (language.of("Sign out", "退出")) }
        }
        (body)
    };
    template::shell(language, title, &body)
}

/// A role as people read it.
#[must_use]
pub fn role_words(language: Language, role: Role) -> String {
    match language {
        Language::Chinese => role.name_zh().to_owned(),
        Language::English => role.name().replace('_', " "),
    }
}

/// An area's name, or its digits.
#[must_use]
pub fn area_name(language: Language, digits: &str) -> String {
    let area = digits.parse::<Area>().ok();
    let name = area.and_then(|area| language.of(area.name_en(), area.name_zh()));
    name.map_or_else(|| digits.to_owned(), str::to_owned)
}

/// An amount of a base unit as people say it: mass from a kilogram on in kilograms.
#[must_use]
pub fn measured(language: Language, amount: u64, base: BaseUnit) -> String {
    let (amount, unit) = match base {
        BaseUnit::Gram if amount >= 1_000 => {
            let (whole, rest) = (amount / 1_000, amount % 1_000);
            let decimals = format!("{rest:03}");
            let decimals = decimals.trim_end_matches('0');
            let point = if decimals.is_empty() { "" } else { "." };
            (format!("{whole}{point}{decimals}"), ("kg", "公斤"))
        }
        BaseUnit::Gram => (amount.to_string(), ("g", "克")),
        BaseUnit::Millilitre => (amount.to_string(), ("ml", "毫升")),
        BaseUnit::Piece => (amount.to_string(), ("pieces", "件")),
    };
    format!("{amount} {}", language.of(unit.0, unit.1))
}

/// Answers with a page that nobody else may keep.
pub fn respond(status: StatusCode, language: Language, page: Markup) -> Response {
    let mut response = under(style::policy_of_desk(), status, language, page);
    let private = axum::http::HeaderValue::from_static("no-store");
    let headers = response.headers_mut();
    headers.insert(axum::http::header::CACHE_CONTROL, private);
    response
}

/// What is wrong, what was found, and what to do: as an alert on a page.
#[must_use]
pub fn wrong(language: Language, problem: &Problem) -> Markup {
    let document = problem.document(language);
    let text = |name: &str| {
        document
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    html! {
        div.wrong role="alert" data-code=(problem.code()) {
            p { strong.bad { (text("title")) } }
            @if !text("detail").is_empty() { p { (text("detail")) } }
            p { (text("remedy")) }
        }
    }
}

/// A page that says nothing but what is wrong.
pub fn refused(language: Language, signed_in: Option<&SignedIn>, problem: &Problem) -> Response {
    let title = language.of("That did not work", "未能完成");
    let body = html! { h1 { (title) } (wrong(language, problem)) };
    let page = match signed_in {
        Some(signed_in) => page(language, signed_in, title, &body),
        None => bare(language, title, &body),
    };
    respond(problem.status(), language, page).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grams_are_said_in_kilograms_where_there_are_that_many() {
        for (amount, words) in [
            (1_000, "1 公斤"),
            (1_500, "1.5 公斤"),
            (12_050, "12.05 公斤"),
            (1_234_567, "1234.567 公斤"),
        ] {
            assert_eq!(measured(Language::Chinese, amount, BaseUnit::Gram), words);
        }
        assert_eq!(measured(Language::English, 1_500, BaseUnit::Gram), "1.5 kg");
        assert_eq!(measured(Language::Chinese, 999, BaseUnit::Gram), "999 克");
        assert_eq!(
            measured(Language::English, 12, BaseUnit::Piece),
            "12 pieces"
        );
    }
}
