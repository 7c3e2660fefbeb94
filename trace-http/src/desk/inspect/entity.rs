//! The answers about who and what is no trace unit: an entity, a piece of
//! equipment, a product's address without a trace code.

use std::sync::Arc;

use maud::{Markup, html};
use trace_core::{
    ident::{Area, DigitalLink, EntityId, EquipmentId},
    ledger::{
        View,
        lookup::{
            Audience, EntityAnswer, FindingsAnswer, FindingsAsked, PAGE_RECORDS_MAX, PartyAnswer,
            RecordsAnswer,
        },
    },
    record::{cold_chain::EquipmentKind, evidence::FindingStanding},
    rules::{
        ColdFacts,
        grading::{FORMULA_NEWEST, Grade},
    },
};

use super::{Answer, Reader, link, unit::not_overseen};
use crate::{
    api::{
        answer::not_on_ledger,
        certificates::elements_of,
        grade::{GradeAnswer, graded},
        office::beside,
        reading,
        sight::Sight,
    },
    desk::frame::role_words,
    language::Language,
    problem::Problem,
};

/// Certificates named of an entity: the newest are asked for by their number.
const CERTIFICATES_MAX: usize = 20;

/// Units listed of a GTIN with a lot.
const UNITS_MAX: usize = 50;

/// What is found of an entity.
struct Found {
    id: EntityId,
    entity: EntityAnswer,
    findings: FindingsAnswer,
    certificates: RecordsAnswer,
    /// Contacts and grades, for those who oversee it.
    full: Option<(Option<PartyAnswer>, GradeAnswer)>,
}

/// The answer about an entity: roles, grades, certificates, findings.
///
/// # Errors
/// [`Refusal::NotOnLedger`](crate::problem::Refusal::NotOnLedger); a store's
/// failure.
pub(super) async fn answer(reader: &Reader, id: EntityId) -> Result<Answer, Problem> {
    let (office, token) = (Arc::clone(&reader.office), reader.signed_in.0);
    let found = beside(move || -> Result<_, Problem> {
        let view = office.view();
        let mut lookup = office.lookup(&view, Audience::Public)?;
        let entity = lookup.entity(id)?.ok_or_else(|| not_on_ledger(id))?;
        let findings = lookup.findings(FindingsAsked {
            entity: Some(id),
            limit: PAGE_RECORDS_MAX,
            ..FindingsAsked::default()
        })?;
        let certificates = lookup.issued(id, 0, CERTIFICATES_MAX)?;
        let full = match Sight::new(&view, Some(&token)).oversees(&id)? {
            true => {
                let party = office.lookup(&view, Audience::Full)?.party(id)?;
                let today = office.today(&view)?;
                Some((party, graded(&view, id, today, FORMULA_NEWEST)?))
            }
            false => None,
        };
        Ok(Found {
            id,
            entity,
            findings,
            certificates,
            full,
        })
    });
    let found = found.await??;
    let looked_up = found.full.as_ref().map(|_| format!("entity {id}"));
    let name = name(reader.language, found.entity.name.as_deref());
    Ok(Answer {
        looked_up,
        ..Answer::public(name, told(reader.language, &found))
    })
}

/// A registered name, or that it is a natural person.
pub(super) fn name(language: Language, name: Option<&str>) -> &str {
    name.unwrap_or(language.of("a natural person", "自然人"))
}

/// An area by name and digits.
pub(super) fn area(language: Language, digits: &str) -> String {
    let known = digits.parse::<Area>().ok();
    let name = known.and_then(|area| language.of(area.name_en(), area.name_zh()));
    match name {
        Some(name) => format!("{name} ({digits})"),
        None => digits.to_owned(),
    }
}

fn told(language: Language, found: &Found) -> Markup {
    let Found {
        id,
        entity,
        findings,
        certificates,
        full,
    } = found;
    html! {
        h1 { (name(language, entity.name.as_deref())) }
        p.code { (id) }
        @if full.is_none() { (not_overseen(language)) }
        dl {
            dt { (language.of("Area", "所在地")) } dd { (area(language, &entity.area)) }
            dt { (language.of("Roles", "角色")) }
            dd {
                @for held in &entity.roles {
                    (role_words(language, held.role)) " · " (area(language, &held.area)) br;
                }
                @if entity.roles.is_empty() { (language.of("none now", "目前没有")) }
            }
            @if let Some((party, grade)) = full {
                @for person in party.iter().flat_map(|party| &party.contacts) {
                    dt { (language.of("Contact", "联系人")) }
                    dd { (person.name) @if let Some(phone) = &person.phone { " " a href=(format!("tel:{phone}")) { (phone) } } }
                }
                dt { (language.of("Grades", "分级")) } dd { (grades(language, grade)) }
            }
        }
        @if full.is_some() {
            p.acts {
                a.act href=(format!("/inspect/acts/inspection?of={id}")) { (language.of("Record an inspection", "登记检查")) }
                a.act href=(format!("/inspect/entities/{id}/balance/csv")) { (language.of("Balance as CSV", "收支平衡表 CSV")) }
                a.act href=(format!("/inspect/entities/{id}/balance/xlsx")) { "XLSX" }
            }
        }
        h2 { (language.of("Findings", "检查发现的问题")) }
        (self::findings(language, findings, full.is_some()))
        h2 { (language.of("Certificates issued, the first of them", "开具的合格证(最早者)")) }
        (issued(language, certificates))
    }
}

fn grades(language: Language, grade: &GradeAnswer) -> Markup {
    let grading = &grade.grading;
    html! {
        (language.of("risk ", "风险 ")) strong { (letter(grading.risk)) }
        " (" (grading.risk_points) ") · "
        (language.of("credit ", "信用 ")) strong { (letter(grading.credit)) }
        " (" (grading.credit_points) ") · " (grade.first_day) " – " (grade.on)
    }
}

fn letter(grade: Grade) -> &'static str {
    match grade {
        Grade::A => "A",
        Grade::B => "B",
        Grade::C => "C",
        Grade::D => "D",
    }
}

/// Findings, those not put right first; to be closed by those who oversee them.
fn findings(language: Language, answer: &FindingsAnswer, is_full: bool) -> Markup {
    let count = &answer.count;
    let is_closed = |standing| standing == FindingStanding::Closed;
    let (closed, open): (Vec<_>, Vec<_>) =
        (answer.findings.iter()).partition(|finding| is_closed(finding.standing));
    html! {
        p { (match language {
            Language::Chinese => format!(
                "整改中 {},今日到期 {},逾期 {},已销号 {}。",
                count.open, count.due, count.overdue, count.closed
            ),
            Language::English => format!(
                "{} open, {} due today, {} overdue, {} closed.",
                count.open, count.due, count.overdue, count.closed
            ),
        }) }
        ul { @for finding in open.into_iter().chain(closed) { li {
            @if let Some(item) = &finding.item { (item) ": " }
            strong { (finding.problem) } " · "
            (language.of(standing(finding.standing), finding.standing_zh))
            br;
            (language.of("found ", "发现 ")) (finding.found_on) " · "
            (language.of("to be put right by ", "整改期限 ")) (finding.due_on)
            @if let Some(on) = &finding.rectified_on { " · " (language.of("put right on ", "销号 ")) (on) }
            @if is_full && !is_closed(finding.standing) {
                p.acts { a.act href=(format!(
                    "/inspect/acts/rectified?of={}&position={}",
                    finding.inspection, finding.position
                )) { (language.of("Close it", "销号")) } }
            }
        } } }
    }
}

fn standing(standing: FindingStanding) -> &'static str {
    match standing {
        FindingStanding::Open => "open",
        FindingStanding::Due => "due today",
        FindingStanding::Overdue => "overdue",
        FindingStanding::Closed => "closed",
    }
}

fn issued(language: Language, answer: &RecordsAnswer) -> Markup {
    html! {
        @if answer.records.is_empty() { p { (language.of("None.", "无。")) } }
        ul {
            @for record in &answer.records {
                @if let Some((elements, _)) = elements_of(&record.statement) {
                    li {
                        a href=(link(elements.unit)) { (elements.number) }
                        " · " (elements.quantity) " · " (record.admitted_at.get(..10).unwrap_or_default())
                        @if record.is_disputed { " · " strong { (language.of("disputed", "存疑")) } }
                    }
                }
            }
        }
        @if answer.next_index.is_some() {
            p.quiet { (language.of("There are more.", "还有更多。")) }
        }
    }
}

/// The answer about a piece of equipment.
///
/// # Errors
/// [`Refusal::NotOnLedger`](crate::problem::Refusal::NotOnLedger); a store's
/// failure.
pub(super) fn equipment(reader: &Reader, id: EquipmentId) -> Result<Answer, Problem> {
    let language = reader.language;
    let view = reader.office.view();
    let state = view.folded().equipment(&id)?;
    let state = state.ok_or_else(|| not_on_ledger(id))?;
    let owner = named(reader, &view, state.entity)?;
    let kind = language.of(kind_name(state.kind), state.kind.name_zh());
    let body = html! {
        h1 { (kind) }
        p.code { (id) }
        dl {
            dt { (language.of("Owner", "所有者")) } dd { a href=(link(state.entity)) { (owner) } }
            dt { (language.of("Area", "所在地")) } dd { (area(language, &format!("{:06}", state.area))) }
            @if let Some(whole) = state.part_of {
                dt { (language.of("Part of", "所属设备")) } dd { a href=(link(whole)) { (whole) } }
            }
            @if let Some(calibration) = state.calibration {
                dt { (language.of("Calibration holds until", "校准有效期至")) }
                dd { (calibration.due.date()?) }
            }
            dt { (language.of("Registered by record", "登记记录")) } dd { (state.registered_index) }
            @if let Some((_, index)) = state.retired {
                dt { (language.of("Retired by record", "停用记录")) } dd { (index) }
            }
        }
    };
    Ok(Answer::public(kind, body))
}

fn kind_name(kind: EquipmentKind) -> &'static str {
    match kind {
        EquipmentKind::ColdStore => "Cold store",
        EquipmentKind::Zone => "Zone",
        EquipmentKind::Vehicle => "Refrigerated vehicle",
        EquipmentKind::Container => "Refrigerated container",
        EquipmentKind::Probe => "Probe",
    }
}

fn named(reader: &Reader, view: &View, entity: EntityId) -> Result<String, Problem> {
    let mut lookup = reader.office.lookup(view, Audience::Public)?;
    let party = lookup.party(entity)?.and_then(|party| party.name);
    Ok(name(reader.language, party.as_deref()).to_owned())
}

/// The units that a product's address may mean.
///
/// # Errors
/// A store's failure.
pub(super) fn product(reader: &Reader, product: &DigitalLink) -> Result<Answer, Problem> {
    let language = reader.language;
    let Some(lot) = &product.lot else {
        let what = format!(
            "a batch of GTIN {}: the address names none, so it",
            product.gtin
        );
        return Err(not_on_ledger(what));
    };
    let view = reader.office.view();
    let lookup = reader.office.lookup(&view, Audience::Public)?;
    let codes = lookup.gtin_lot(product.gtin.as_u64(), lot.as_str(), None, UNITS_MAX)?;
    if codes.is_empty() {
        return Err(not_on_ledger(format!("GTIN {} lot {lot}", product.gtin)));
    }
    let found = reading::lines(&view, lookup, &codes, None)?;
    let title = format!("GTIN {} · {lot}", product.gtin);
    let body = html! {
        h1 { (title) }
        p { (language.of(
            "The address names no trace code. It may mean:",
            "该网址未含追溯码,可能指:",
        )) }
        ul { @for unit in &found.units { li {
            a.act.code href=(link(unit.code)) { (unit.code) }
            " · " (language.of(unit.status_words, unit.status_words_zh))
        } } }
        @if codes.len() == UNITS_MAX {
            p.quiet { (language.of("There may be more.", "可能还有更多。")) }
        }
    };
    Ok(Answer::public(title, body))
}
