//! A producer's first page: certificates with what is left of each, goods that wait
//! to be confirmed, what the cold stores say.

use std::sync::Arc;

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::Response,
};
use maud::{Markup, html};
use serde::Deserialize;
use trace_core::{
    ident::{EntityId, TraceCode, format_ms},
    ledger::{
        View,
        lineage::{self, TransferFound},
        lookup::{Audience, PartyAnswer},
    },
    record::{claim::Form, quantity::BaseUnit, rights::Registry, unit::Standing},
};

use crate::{
    api::{
        Office,
        alerts::{self, AlertsAnswer, PAGE_ALERTS_MAX},
        certificates::elements_of,
        office::{beside, civil_offset_minutes},
    },
    body::Parameters,
    desk::{
        frame::{self, measured},
        session::{SignedIn, order_key},
    },
    language::Language,
    page::{Tongue, template},
    problem::Problem,
};

/// Certificates of one page.
const LISTED_MAX: usize = 20;

/// Transfers looked through for those that wait: a wholesaler's month.
const TRANSFERS_MAX: usize = 1_000;

/// Holders looked through for what is left in one's own hands.
const HOLDERS_MAX: usize = 1_000;

/// Which part.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    before: Option<u64>,
    /// The unit that was made just now.
    made: Option<String>,
    lang: Option<Tongue>,
}

/// A certificate of one's own.
struct Own {
    index: u64,
    number: String,
    code: TraceCode,
    product: String,
    quantity: String,
    issued_on: String,
    form: Form,
    /// What is left in one's own hands.
    left: (u64, BaseUnit),
    standing: Standing,
}

struct Home {
    party: Option<PartyAnswer>,
    own: Vec<Own>,
    waiting: Vec<(TransferFound, Option<String>, BaseUnit)>,
    alerts: Option<AlertsAnswer>,
    offset_minutes: i32,
}

/// `GET /issue`.
pub async fn show(
    State(office): State<Arc<Office>>,
    signed_in: SignedIn,
    Parameters(part): Parameters<Part>,
    headers: HeaderMap,
) -> Response {
    let language = Tongue::or_preferred(part.lang, &headers);
    let asked = Arc::clone(&office);
    let before = part.before.unwrap_or(u64::MAX);
    let gathered = beside(move || gather(&asked, &signed_in, before)).await;
    let home = match gathered.and_then(|it| it) {
        Ok(home) => home,
        Err(problem) => return frame::refused(language, Some(&signed_in), &problem),
    };
    let made = part
        .made
        .as_deref()
        .and_then(|text| TraceCode::parse(text).ok());
    let title = language.of("Certificates", "合格证开具");
    let body = page(language, &home, made);
    frame::respond(
        StatusCode::OK,
        language,
        frame::page(language, &signed_in, title, &body),
    )
}

fn gather(office: &Office, signed_in: &SignedIn, before: u64) -> Result<Home, Problem> {
    let entity = signed_in.entity()?;
    let view = office.readable()?;
    let mut lookup = office.lookup(&view, Audience::Public)?;
    let mut own = Vec::new();
    for record in lookup.issued_before(entity, before, LISTED_MAX)? {
        let Some((elements, form)) = elements_of(&record.statement) else {
            continue;
        };
        let Some(state) = view.folded().unit(&elements.unit)? else {
            continue;
        };
        let standing = state
            .certificate(&elements.number)
            .map(|held| held.standing.clone());
        let base = elements.quantity.base();
        own.push(Own {
            index: record.index,
            number: elements.number.clone(),
            code: elements.unit,
            product: elements.product.clone(),
            quantity: elements.quantity.to_string(),
            issued_on: elements.issued_on.to_string(),
            form,
            left: (left(&view, elements.unit, entity)?, base),
            standing: standing.unwrap_or(Standing::InForce),
        });
    }
    let mut waiting = Vec::new();
    for found in lineage::transfers_of_entity(&view, entity, 0, TRANSFERS_MAX)? {
        if found.transfer.to != entity || found.transfer.arrival.is_some() {
            continue;
        }
        let from = lookup
            .party(found.transfer.from)?
            .and_then(|party| party.name);
        let base = view
            .folded()
            .unit(&found.transfer.unit)?
            .and_then(|unit| unit.made);
        waiting.push((found, from, base.map_or(BaseUnit::Piece, |made| made.base)));
    }
    let alerts = match office.readings {
        Some(_) => {
            let own = (Some(entity), None);
            Some(alerts::seen(office, &signed_in.0, own, None, PAGE_ALERTS_MAX)?.0)
        }
        None => None,
    };
    Ok(Home {
        party: lookup.party(entity)?,
        own,
        waiting,
        alerts,
        offset_minutes: civil_offset_minutes(&view)?,
    })
}

/// How much of a unit an entity has in its hands, in base units.
fn left(view: &View, unit: TraceCode, entity: EntityId) -> Result<u64, Problem> {
    let holders = lineage::holders(view, unit, None, HOLDERS_MAX)?;
    let own = holders.into_iter().find(|(holder, _)| *holder == entity);
    Ok(own.map_or(0, |(_, amount)| amount))
}

fn page(language: Language, home: &Home, made: Option<TraceCode>) -> Markup {
    let name = home.party.as_ref().and_then(|party| party.name.as_deref());
    html! {
        (template::tongues(language, ""))
        h1 { (name.unwrap_or(language.of("Your certificates", "我的合格证"))) }
        @if let Some(code) = made { (issued(language, code)) }
        p { a.big href="/issue/new" { (language.of("Issue a certificate", "开具合格证")) } }
        @if !home.waiting.is_empty() { (waiting(language, home)) }
        @if let Some(alerts) = home.alerts.as_ref().filter(|it| !it.alerts.is_empty()) {
            h2 { (language.of("Your cold stores need a look now", "冷链报警")) }
            ul { @for line in &alerts.alerts {
                li { (language.of(line.words, line.words_zh)) " · " span.code { (line.alert.equipment) } }
            } }
        }
        h2 { (language.of("Your certificates, newest first", "已开具的合格证(由近及远)")) }
        @if home.own.is_empty() { p { (language.of("None.", "暂无。")) } }
        @for own in &home.own { (certificate(language, own)) }
        @if home.own.len() == LISTED_MAX && let Some(last) = home.own.last() {
            p { a.act href=(format!("/issue?before={}", last.index)) { (language.of("Older ones", "更早的合格证")) } }
        }
    }
}

/// What was made just now, and its labels.
fn issued(language: Language, code: TraceCode) -> Markup {
    let label =
        |form: &str, size: &str| format!("/v1/codes/{}/label.{form}?size={size}", code.compact());
    html! {
        div.checked.green role="status" {
            p.head { (language.of("Issued. Its trace code is ", "已开具,追溯码 ")) span.code { (code) } }
            p {
                a.act href=(format!("/t/{}", code.compact())) { (language.of("The page that shoppers see", "查看消费者页面")) }
                a.act href=(label("pdf", "40x60")) { (language.of("Label 40 × 60 mm", "标签 40×60 毫米")) }
                a.act href=(label("pdf", "58")) { (language.of("58 mm roll", "58 毫米卷纸")) }
                a.act href=(label("pdf", "80")) { (language.of("80 mm roll", "80 毫米卷纸")) }
                a.act href=(label("tspl", "40x60")) { "TSPL" }
            }
        }
    }
}

fn certificate(language: Language, own: &Own) -> Markup {
    let words = match own.standing {
        Standing::InForce => language.of("stands", "有效"),
        Standing::Voided { .. } => language.of("voided", "已作废"),
        Standing::Superseded { .. } => language.of("replaced", "已更正"),
    };
    let (amount, base) = own.left;
    let number = &own.number;
    html! {
        details data-number=(number) {
            summary { (own.issued_on) " · " (own.product) " · " (own.quantity) " · " (words) }
            dl {
                dt { (language.of("Form", "样式")) } dd { (language.of(own.form.name(), own.form.name_zh())) }
                dt { (language.of("Number", "证号")) } dd.code { (number) }
                dt { (language.of("Trace code", "追溯码")) }
                dd { a.code href=(format!("/t/{}", own.code.compact())) { (own.code) } }
                dt { (language.of("Left in your hands", "剩余数量")) } dd { (measured(language, amount, base)) }
            }
            p {
                a.act href=(format!("/v1/codes/{}/label.pdf?size=40x60", own.code.compact())) { (language.of("Label", "标签")) }
                a.act href=(format!("/issue/new?copy={number}")) { (language.of("Another like it", "再开一张")) }
                @if own.standing == Standing::InForce {
                    a.act href=(format!("/issue/new?corrects={number}")) { (language.of("Correct", "更正")) }
                }
            }
            @if own.standing == Standing::InForce {
                form method="post" action="/issue/void" {
                    input type="hidden" name="number" value=(number);
                    input type="hidden" name="key" value=(order_key());
                    @let id = format!("void-{number}");
                    label for=(id) { (language.of("Void it: why? Public", "作废原因(公开)")) }
                    input id=(id) name="reason" required maxlength="100";
                    button type="submit" { (language.of("Void", "作废")) }
                }
            }
        }
    }
}

/// Goods on their way here.
fn waiting(language: Language, home: &Home) -> Markup {
    html! {
        h2 { (language.of("Goods to confirm", "待确认收货")) }
        @for (found, from, base) in &home.waiting {
            @let transfer = &found.transfer;
            @let at = format_ms(transfer.at_ms, home.offset_minutes);
            details {
                summary {
                    (from.as_deref().unwrap_or(language.of("a natural person", "自然人"))) " · "
                    (measured(language, transfer.amount, *base)) " · "
                    (at.chars().take(16).collect::<String>().replace('T', " "))
                }
                p { a.code href=(format!("/t/{}", transfer.unit.compact())) { (transfer.unit) } }
                form method="post" action="/issue/receive" {
                    input type="hidden" name="handed_over" value=(found.record);
                    input type="hidden" name="key" value=(order_key());
                    @let id = format!("accepted-{}", transfer.index);
                    label for=(id) { (language.of("How much arrived (empty: all)", "实收数量(留空为全部)")) }
                    input id=(id) name="accepted" maxlength="30" placeholder="12.5 公斤";
                    button type="submit" name="outcome" value="accepted" { (language.of("It arrived", "确认收货")) }
                    button.plain type="submit" name="outcome" value="refused" { (language.of("Refuse all of it", "全部拒收")) }
                }
            }
        }
    }
}
