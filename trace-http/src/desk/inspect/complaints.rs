//! What people complained of in the area, the newest first: text and contact are for
//! its inspectors, and that they were read is logged.

use maud::{Markup, html};

use super::{Reader, link};
use crate::{
    api::complaints::{self, ComplaintsAnswer},
    language::Language,
    problem::Problem,
};

/// Complaints on the page; the API has them all.
const SHOWN_MAX: usize = 20;

/// The section; nothing where this server takes no complaints.
///
/// # Errors
/// As of [`complaints::seen`].
pub(super) async fn section(reader: &Reader) -> Result<Markup, Problem> {
    if reader.office.complaints.is_none() || reader.signed_in.0.grant.area.is_none() {
        return Ok(html! {});
    }
    let (token, language) = (&reader.signed_in.0, reader.language);
    let own = (None, reader.purpose.clone());
    let found = complaints::seen(&reader.office, token, own, u64::MAX, SHOWN_MAX).await?;
    Ok(told(language, &found))
}

fn told(language: Language, found: &ComplaintsAnswer) -> Markup {
    html! {
        h2 { (language.of("Complaints and reports, the newest first", "投诉举报(由近及远)")) }
        @if found.complaints.is_empty() { p { (language.of("None.", "没有。")) } }
        ul {
            @for line in &found.complaints {
                li {
                    (language.of("No. ", "编号 ")) (line.number)
                    @if let Some(at) = &line.at { " · " (at.chars().take(16).collect::<String>().replace('T', " ")) }
                    @if let Some(code) = line.about { " · " a.code href=(link(code)) { (code) } }
                    br;
                    @match &line.text {
                        Some(text) => (text),
                        None => span.quiet { (language.of("deleted", "内容已删除")) },
                    }
                    @if let Some(contact) = &line.contact { " · " (contact) }
                }
            }
        }
        @if found.next_before.is_some() { p.quiet { (language.of(
            "The newest 20; the API has them all.",
            "仅列最近20条,其余可通过接口查询。",
        )) } }
    }
}
