//! What is open in the area that a token reaches: the desk's first page.
//!
//! Read from rows that the ledger keeps, at most a hundred of each sort, so that a
//! page costs the same on a large ledger; where there are more it says so, and the
//! sheets name them all.

use std::{collections::BTreeMap, sync::Arc};

use axum::http::StatusCode;
use maud::{Markup, html};
use trace_core::{
    ident::Area,
    ledger::{lookup::Audience, questions::About},
    record::rights::Registry,
};

use super::{Answered, lead, map};
use crate::{
    api::{
        Office,
        alerts::{self, AlertsAnswer, PAGE_ALERTS_MAX},
        complaints::{self, ComplaintsAnswer},
        office::beside,
        questions::{Desk, OpenQuestion, QUESTIONS_MAX},
    },
    desk::session::SignedIn,
    language::Language,
    problem::Problem,
};

/// Complaints on the page.
const COMPLAINTS_MAX: usize = 20;

/// Questions of a sort that are listed on the page.
const LISTED_MAX: usize = 10;

/// What is open.
struct Board {
    questions: Vec<(About, Vec<OpenQuestion>, bool)>,
    counties: Vec<(String, usize)>,
    alerts: Option<AlertsAnswer>,
}

pub(super) async fn show(
    office: &Arc<Office>,
    signed_in: &SignedIn,
    language: Language,
    purpose: Option<String>,
) -> Answered {
    let (asked, token) = (Arc::clone(office), *signed_in);
    let board = beside(move || gather(&asked, &token)).await??;
    let complaints = match signed_in.0.grant.area {
        Some(_) if office.complaints.is_some() => {
            let own = (None, purpose.clone());
            complaints::seen(office, &signed_in.0, own, u64::MAX, COMPLAINTS_MAX)
                .await
                .ok()
        }
        _ => None,
    };
    let open: usize = board.questions.iter().map(|(_, all, _)| all.len()).sum();
    let looked_up = format!("what is open: {open} questions");
    office.log_lookup(&signed_in.0, looked_up, purpose).await?;
    Ok((StatusCode::OK, page(language, &board, complaints.as_ref())))
}

fn gather(office: &Office, SignedIn(token): &SignedIn) -> Result<Board, Problem> {
    let view = office.view();
    let mut desk = Desk {
        view: &view,
        lookup: office.lookup(&view, Audience::Public)?,
        today: office.today(&view)?,
        token: Some(token),
    };
    let mut counties: BTreeMap<String, usize> = BTreeMap::new();
    if token
        .grant
        .area
        .is_none_or(|own| own.covers(Area::LANGFANG) || own == Area::LANGFANG)
    {
        counties.extend(Area::LANGFANG_COUNTIES.iter().map(|it| (it.to_string(), 0)));
    }
    let mut count = |area: u32| *counties.entry(format!("{area:06}")).or_insert(0) += 1;
    let mut questions = Vec::new();
    for about in About::ALL {
        let found = desk.page(about, None, QUESTIONS_MAX)?;
        for question in &found.questions {
            if let Some(state) = view.folded().entity(&question.entity)? {
                count(state.area);
            }
        }
        questions.push((about, found.questions, found.next_after.is_some()));
    }
    let alerts = match office.readings {
        Some(_) => Some(alerts::seen(office, token, (None, None), None, PAGE_ALERTS_MAX)?.0),
        None => None,
    };
    for line in alerts.iter().flat_map(|found| &found.alerts) {
        count(line.alert.area);
    }
    Ok(Board {
        questions,
        counties: counties.into_iter().collect(),
        alerts,
    })
}

fn page(language: Language, board: &Board, complaints: Option<&ComplaintsAnswer>) -> Markup {
    html! {
        h1 { (language.of("What is open in your area", "辖区待处理事项")) }
        @if board.counties.len() > 1 { (map::drawn(language, &board.counties)) }
        @if let Some(alerts) = &board.alerts { (cold(language, alerts)) }
        @for (about, questions, is_more) in board.questions.iter().filter(|it| !it.1.is_empty()) {
            (asked(language, *about, questions, *is_more))
        }
        (nothing(language, &board.questions))
        @if let Some(complaints) = complaints { (said(language, complaints)) }
    }
}

fn heading(text: &str, count: usize, is_more: bool) -> Markup {
    html! { h2 { (text) ": " (count) @if is_more { "+" } } }
}

/// The sorts of which nothing is open, in one line.
fn nothing(language: Language, all: &[(About, Vec<OpenQuestion>, bool)]) -> Markup {
    let none = all.iter().filter(|(_, questions, _)| questions.is_empty());
    let words: Vec<&str> = none
        .map(|(about, ..)| language.of(about.words().0, about.words().1))
        .collect();
    html! {
        @if !words.is_empty() {
            h2 { (language.of("Nothing open", "暂无")) }
            p data-nothing { (words.join(language.of(", ", "、"))) }
        }
    }
}

fn asked(language: Language, about: About, questions: &[OpenQuestion], is_more: bool) -> Markup {
    let (words, remedy) = (about.words(), about.remedy());
    html! {
        (heading(language.of(words.0, words.1), questions.len(), is_more))
        p.quiet { (language.of(remedy.0, remedy.1)) }
        ul {
            @for question in questions.iter().take(LISTED_MAX) {
                li {
                    a href=(format!("/inspect?ask={}", question.entity)) {
                        (question.name.as_deref().unwrap_or(language.of("a natural person", "自然人")))
                    }
                    @if let Some(unit) = question.unit { " · " (lead(unit)) }
                    @if let Some(problem) = &question.problem { " · " (problem) }
                    " · " span.quiet { (question.rests_on()) }
                }
            }
        }
        @if questions.len() > LISTED_MAX || is_more { p.quiet { (language.of(
            "All of them: trace questions --server, as a sheet.",
            "全部事项可用 trace questions --server 导出表格。",
        )) } }
    }
}

fn cold(language: Language, alerts: &AlertsAnswer) -> Markup {
    html! {
        (heading(language.of("Cold stores that need a look now", "冷链实时报警"), alerts.alerts.len(), alerts.next_after.is_some()))
        ul {
            @for line in alerts.alerts.iter().take(LISTED_MAX) {
                li {
                    (language.of(line.words, line.words_zh)) " · "
                    a.code href=(format!("/inspect?ask={}", line.alert.equipment)) { (line.alert.equipment) }
                    " · " (line.since.chars().take(16).collect::<String>().replace('T', " "))
                    @if line.alert.acknowledged.is_some() { " · " (language.of("acknowledged", "已确认")) }
                }
            }
        }
    }
}

fn said(language: Language, complaints: &ComplaintsAnswer) -> Markup {
    html! {
        (heading(language.of("Complaints and reports, newest first", "投诉举报(由近及远)"), complaints.complaints.len(), complaints.next_before.is_some()))
        ul {
            @for line in &complaints.complaints {
                li {
                    (language.of("No. ", "编号 ")) (line.number) " · "
                    @if let Some(code) = line.about { (lead(code)) " · " }
                    @match &line.text {
                        Some(text) => (text),
                        None => span.quiet { (language.of("deleted", "内容已删除")) },
                    }
                    @if let Some(contact) = &line.contact { " · " (contact) }
                }
            }
        }
    }
}
