//! What is going on in the token's area and below: issued per day, who is there,
//! what is open, late, warm, held or recalled; on a map and in tables.
//!
//! From derived rows alone, a bounded part of each, and it says where that was not
//! all. It names entities and goods, so that it is logged like any look-up in full.

use std::{collections::BTreeMap, sync::Arc};

use maud::{Markup, html};
use trace_core::{
    error::{Invalid, Rule},
    ident::{Area, CivilDate},
    ledger::{
        View,
        alerts::{Alert, alerts},
        lookup::{Audience, FindingAnswer, FindingsAsked, PAGE_RECORDS_MAX},
        oversight::{self, Oversight},
        questions::About,
        tokens::TokenGrant,
    },
    record::{
        Role, alert::AlertSort, cold_chain::EquipmentState, evidence::FindingStanding,
        marks::MarkKind, rights::Registry,
    },
};

use super::{
    Answer, Reader, complaints, entity, link,
    map::{self, Tile},
};
use crate::{
    api::{
        Office,
        alerts::now,
        office::beside,
        questions::{Desk, OpenQuestion},
        sight::Sight,
    },
    desk::frame::role_words,
    language::Language,
    problem::Problem,
};

/// Days of issuing that are told.
const DAYS: i32 = 14;

/// Lines of one list.
const LINES_MAX: usize = 10;

/// Pages of findings of one standing that are read: 500 findings.
const FINDING_PAGES_MAX: usize = 5;

/// Excursions of one page of probes.
const EXCURSIONS_MAX: usize = 100;

/// What is open in one county.
#[derive(Debug, Clone, Copy, Default)]
struct Open {
    findings: u64,
    overdue: u64,
    holds: u64,
    recalls: u64,
    samples: u64,
    excursions: u64,
}

/// All that is told.
struct Told {
    area: Area,
    today: CivilDate,
    oversight: Oversight,
    open: BTreeMap<u32, Open>,
    /// Those not closed, the overdue first.
    findings: Vec<FindingAnswer>,
    /// Of each sort some questions, and whether there may be more.
    questions: Vec<(About, Vec<OpenQuestion>, bool)>,
    excursions: Vec<Alert>,
    is_whole: bool,
}

/// The dashboard.
///
/// # Errors
/// [`Rule::Right`] for a token that reaches no area; a store's failure.
pub(super) async fn answer(reader: &Reader) -> Result<Answer, Problem> {
    let (office, token) = (Arc::clone(&reader.office), reader.signed_in.0);
    let told = beside(move || gather(&office, &token)).await??;
    let language = reader.language;
    let title = language.of("Inspection", "监管查询");
    let complaints = complaints::section(reader).await?;
    let body = html! { (drawn(language, &told)) (complaints) };
    Ok(Answer {
        looked_up: Some(format!("dashboard of {}", told.area)),
        ..Answer::public(title, body)
    })
}

fn gather(office: &Office, token: &TokenGrant) -> Result<Told, Problem> {
    let view = office.view();
    let area = token.grant.area.unwrap_or(Area::HEBEI);
    if !Sight::new(&view, Some(token)).reaches(area)? {
        let what = "the token reaches no area any more";
        return Err(Invalid::new(Rule::Right, what).into());
    }
    let today = office.today(&view)?;
    let first = today.add_days(1 - DAYS)?;
    let oversight = oversight::of_area(&view, area, (first, today))?;
    let mut told = Told {
        area,
        today,
        is_whole: oversight.is_whole,
        oversight,
        open: BTreeMap::new(),
        findings: Vec::new(),
        questions: Vec::new(),
        excursions: Vec::new(),
    };
    for standing in &told.oversight.marks {
        let open = told.open.entry(standing.area).or_default();
        match standing.mark.kind {
            MarkKind::Hold => open.holds += 1,
            MarkKind::Recall => open.recalls += 1,
            MarkKind::FailedSample => open.samples += 1,
            MarkKind::SourceVoided | MarkKind::CertificateVoided => {}
        }
    }
    findings(office, &view, &mut told)?;
    excursions(office, &view, token, &mut told)?;
    let mut desk = Desk {
        view: &view,
        lookup: office.lookup(&view, Audience::Public)?,
        today,
        token: Some(token),
    };
    for about in [About::Transfers, About::Quantities, About::Volumes] {
        let page = desk.page(about, None, LINES_MAX)?;
        let has_more = page.next_after.is_some();
        told.questions.push((about, page.questions, has_more));
    }
    Ok(told)
}

fn findings(office: &Office, view: &View, told: &mut Told) -> Result<(), Problem> {
    let lookup = office.lookup(view, Audience::Public)?;
    for standing in [
        FindingStanding::Overdue,
        FindingStanding::Due,
        FindingStanding::Open,
    ] {
        let mut after = None;
        let mut has_more = true;
        for _ in 0..FINDING_PAGES_MAX {
            let page = lookup.findings(FindingsAsked {
                standing: Some(standing),
                after,
                limit: PAGE_RECORDS_MAX,
                ..FindingsAsked::default()
            })?;
            has_more = page.has_more;
            let last = page.findings.last();
            after = last.map(|last| (last.entity, last.index, last.position));
            for finding in page.findings {
                let state = view.folded().entity(&finding.entity)?;
                let Some(state) = state.filter(|it| is_in(told.area, it.area)) else {
                    continue;
                };
                let open = told.open.entry(state.area).or_default();
                open.findings += 1;
                open.overdue += u64::from(standing == FindingStanding::Overdue);
                if told.findings.len() < LINES_MAX {
                    told.findings.push(finding);
                }
            }
            if !has_more {
                break;
            }
        }
        told.is_whole &= !has_more;
    }
    Ok(())
}

fn excursions(
    office: &Office,
    view: &View,
    token: &TokenGrant,
    told: &mut Told,
) -> Result<(), Problem> {
    let Some(readings) = &office.readings else {
        return Ok(());
    };
    let mut sight = Sight::new(view, Some(token));
    let area = told.area;
    let sees = |state: &EquipmentState| -> Result<bool, Problem> {
        Ok(is_in(area, state.area) && sight.oversees(&state.entity)?)
    };
    let found = alerts(
        view,
        readings,
        now(office, view)?,
        None,
        EXCURSIONS_MAX,
        sees,
    )?;
    told.is_whole &= found.next_after.is_none();
    for alert in found.alerts {
        if alert.sort == AlertSort::Excursion {
            told.open.entry(alert.area).or_default().excursions += 1;
            told.excursions.push(alert);
        }
    }
    Ok(())
}

fn is_in(area: Area, digits: u32) -> bool {
    Area::try_from(digits).is_ok_and(|it| area.covers(it))
}

impl Told {
    fn issued_in(&self, digits: u32) -> u64 {
        let all = self.oversight.issued.iter();
        let own = all.filter(|((area, _), _)| *area == digits);
        own.map(|(_, count)| count).sum()
    }

    fn issued_on(&self, day: CivilDate) -> u64 {
        let all = self.oversight.issued.iter();
        let own = all.filter(|((_, on), _)| *on == day);
        own.map(|(_, count)| count).sum()
    }

    fn days(&self) -> Vec<(CivilDate, u64)> {
        let all = (0..DAYS)
            .rev()
            .filter_map(|back| self.today.add_days(-back).ok());
        all.map(|day| (day, self.issued_on(day))).collect()
    }

    fn entities_in(&self, digits: u32) -> u64 {
        let all = self.oversight.entities.iter();
        let own = all.filter(|((area, _), _)| *area == digits);
        own.map(|(_, count)| count).sum()
    }

    fn by_role(&self) -> BTreeMap<Role, u64> {
        let mut roles = BTreeMap::new();
        for ((_, role), count) in &self.oversight.entities {
            *roles.entry(*role).or_default() += count;
        }
        roles
    }

    /// Every area of which there is anything to say, by code.
    fn areas(&self) -> Vec<u32> {
        let mut all: Vec<u32> = self.open.keys().copied().collect();
        all.extend(self.oversight.issued.keys().map(|(area, _)| *area));
        all.extend(self.oversight.entities.keys().map(|(area, _)| *area));
        all.extend(
            Area::LANGFANG_COUNTIES
                .iter()
                .filter(|county| self.area.covers(**county))
                .map(|county| county.code()),
        );
        all.sort_unstable();
        all.dedup();
        all
    }

    fn tile(&self, county: Area) -> Option<Tile> {
        let open = self.open.get(&county.code()).copied().unwrap_or_default();
        self.area.covers(county).then(|| Tile {
            issued: self.issued_in(county.code()),
            open: open.findings + open.holds + open.recalls + open.samples + open.excursions,
        })
    }
}

fn drawn(language: Language, told: &Told) -> Markup {
    let digits = format!("{:06}", told.area.code());
    html! {
        h1 { (entity::area(language, &digits)) }
        p.quiet {
            (told.today) " · "
            (match language {
                Language::Chinese => format!("开证数为近 {DAYS} 日"),
                Language::English => format!("certificates of {DAYS} days"),
            })
            @if !told.is_whole {
                " · " strong { (language.of(
                    "not all was looked through: there may be more",
                    "未能全部统计:实际可能更多",
                )) }
            }
        }
        (map::counties(language, |county| told.tile(county)))
        (areas(language, told))
        h2 { (language.of("Issued per day", "每日开证")) }
        (issued(language, told))
        h2 { (language.of("Entities by role", "各类主体")) }
        table {
            tbody { @for (role, count) in told.by_role() { tr {
                th scope="row" { (role_words(language, role)) }
                td { (count) }
            } } }
        }
        (halted(language, told))
        (open_findings(language, told))
        (warm(language, told))
        @for (about, questions, has_more) in &told.questions { (asked(language, *about, questions, *has_more)) }
    }
}

fn areas(language: Language, told: &Told) -> Markup {
    let title = language.of("By area", "分地区");
    let heads = language.of(
        [
            "Area",
            "Issued",
            "Roles held",
            "Findings open",
            "of these overdue",
            "Holds",
            "Recalls",
            "Failed samples that hold",
            "Outside the band now",
        ],
        [
            "地区",
            "开证",
            "主体角色",
            "未销号问题",
            "其中逾期",
            "暂停",
            "召回",
            "抽检不合格暂停",
            "正在超温",
        ],
    );
    html! {
        div.wide tabindex="0" role="region" aria-label=(title) {
            table {
                caption { (title) }
                thead { tr { @for head in heads { th scope="col" { (head) } } } }
                tbody { @for digits in told.areas() {
                    @let open = told.open.get(&digits).copied().unwrap_or_default();
                    tr {
                        th scope="row" { (entity::area(language, &format!("{digits:06}"))) }
                        @for number in [
                            told.issued_in(digits), told.entities_in(digits), open.findings, open.overdue,
                            open.holds, open.recalls, open.samples, open.excursions,
                        ] { td { (number) } }
                    }
                } }
            }
        }
    }
}

fn issued(language: Language, told: &Told) -> Markup {
    let days = told.days();
    html! {
        (map::bars(language, &days))
        details {
            summary { (language.of("In numbers", "数据表")) }
            table { tbody { @for (day, count) in &days { tr {
                th scope="row" { (day) } td { (count) }
            } } } }
        }
    }
}

fn halted(language: Language, told: &Told) -> Markup {
    let marks = &told.oversight.marks;
    let word = |kind| match kind {
        MarkKind::Hold => language.of("hold", "暂停流通"),
        MarkKind::Recall => language.of("recall", "召回"),
        _ => language.of("failed sample", "监督抽检不合格"),
    };
    html! {
        h2 { (language.of("Holds and recalls", "暂停与召回")) }
        @if marks.is_empty() { p { (language.of("None stands.", "目前没有。")) } }
        ul { @for standing in marks.iter().take(LINES_MAX) { li {
            strong { (word(standing.mark.kind)) } " · "
            a.code href=(link(standing.mark.unit)) { (standing.mark.unit) }
            " · " (entity::area(language, &format!("{:06}", standing.area)))
            " · " (language.of("record ", "记录 ")) (standing.mark.index)
        } } }
        (more(language, marks.len().saturating_sub(LINES_MAX)))
    }
}

fn open_findings(language: Language, told: &Told) -> Markup {
    let all: u64 = told.open.values().map(|open| open.findings).sum();
    let shown = u64::try_from(told.findings.len()).unwrap_or(u64::MAX);
    html! {
        h2 { (language.of("Findings not closed", "未销号问题")) }
        @if told.findings.is_empty() { p { (language.of("None.", "没有。")) } }
        ul { @for finding in &told.findings { li {
            (finding.problem) " · "
            (language.of("to be put right by ", "整改期限 ")) (finding.due_on)
            @if finding.standing == FindingStanding::Overdue { " · " strong { (language.of("overdue", "逾期")) } }
            " · " a href=(link(finding.entity)) { (finding.entity) }
        } } }
        (more(language, usize::try_from(all.saturating_sub(shown)).unwrap_or(usize::MAX)))
    }
}

fn warm(language: Language, told: &Told) -> Markup {
    html! {
        h2 { (language.of("Outside the band now", "正在超温")) }
        @if told.excursions.is_empty() { p { (language.of("None.", "没有。")) } }
        ul { @for alert in told.excursions.iter().take(LINES_MAX) { li {
            a.code href=(link(alert.equipment)) { (alert.equipment) }
            " · " (language.of("units there: ", "涉及单元 ")) (alert.units)
            " · " a href=(link(alert.entity)) { (alert.entity) }
        } } }
        (more(language, told.excursions.len().saturating_sub(LINES_MAX)))
    }
}

fn asked(language: Language, about: About, questions: &[OpenQuestion], has_more: bool) -> Markup {
    let (words, words_zh) = about.words();
    let (remedy, remedy_zh) = about.remedy();
    let sheet = |format: &str| format!("/inspect/questions/{format}?about={}", about.name());
    html! {
        h2 { (language.of(words, words_zh)) }
        @match questions.is_empty() {
            true => p { (language.of("None.", "没有。")) },
            false => p.quiet { (language.of(remedy, remedy_zh)) },
        }
        ul { @for question in questions { li {
            @if let Some(unit) = question.unit { a.code href=(link(unit)) { (unit) } " · " }
            a href=(link(question.entity)) { (entity::name(language, question.name.as_deref())) }
            " · " (question.rests_on())
        } } }
        p {
            @if has_more { (language.of("There may be more. ", "可能还有更多。")) }
            a.act href=(sheet("csv")) { (language.of("All as CSV", "全部 CSV")) }
            a.act href=(sheet("xlsx")) { "XLSX" }
        }
    }
}

fn more(language: Language, count: usize) -> Markup {
    html! {
        @if count > 0 {
            p.quiet { (match language {
                Language::Chinese => format!("另有 {count} 项。"),
                Language::English => format!("{count} more."),
            }) }
        }
    }
}
