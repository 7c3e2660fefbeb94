//! `/inspect`: an inspector's or authority's pages, at a desk or at a market's gate.
//!
//! One box takes anything; the answer says what is true and why, where the goods
//! went and with whom, and what can be done about it. Whoever signed in for
//! something else sees what everybody sees. Every look at what not everybody may
//! see is logged, durably, before it is shown.
//!
//! | file | what it is |
//! |---|---|
//! | `asked` | what a text typed or pasted asks for |
//! | `seen` | all that is known of a unit, gathered at one moment |
//! | `unit` | a unit on the page |
//! | `picture` | a lineage as a picture |
//! | `acting` | hold, release, recall, end of a recall |
//! | `files` | sheets and documents to take along |
//! | `board` | what is open in the area |
//! | `map` | the ten counties, drawn |

mod acting;
mod asked;
mod board;
pub mod files;
mod map;
mod picture;
mod seen;
mod unit;

pub use acting::act;

use std::sync::Arc;

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::Response,
};
use maud::{Markup, html};
use serde::Deserialize;
use trace_core::{
    error::Invalid,
    ident::{DigitalLink, EntityId, EquipmentId, TraceCode},
    ledger::lookup::Audience,
    record::{Status, rights::Registry},
};

use self::asked::{Asked, LENGTH_MAX};
use super::{frame, session::SignedIn};
use crate::{
    api::{Office, office::beside},
    body::Parameters,
    language::Language,
    page::{Tongue, template},
    problem::Problem,
};

/// Units listed of a GTIN with a lot: each may be a batch of its own.
const UNITS_LISTED_MAX: usize = 50;

/// What is asked.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// What was typed, pasted or scanned.
    ask: Option<String>,
    /// What for: into the log of look-ups.
    purpose: Option<String>,
    lang: Option<Tongue>,
}

/// `GET /inspect`.
pub async fn show(
    State(office): State<Arc<Office>>,
    signed_in: SignedIn,
    Parameters(question): Parameters<Question>,
    headers: HeaderMap,
) -> Response {
    let language = Tongue::or_preferred(question.lang, &headers);
    let typed = question.ask.as_deref().unwrap_or_default().trim();
    let purpose = question.purpose.filter(|text| !text.trim().is_empty());
    let answered = match typed {
        "" => board::show(&office, &signed_in, language, purpose).await,
        text => answer(&office, &signed_in, language, text, purpose).await,
    };
    let (status, body) = match answered {
        Ok(answered) => answered,
        Err(problem) => (problem.status(), frame::wrong(language, &problem)),
    };
    let title = language.of("Inspect", "监管查询");
    let body = html! {
        (template::tongues(language, &again(typed)))
        (asking(language, typed))
        (body)
    };
    frame::respond(
        status,
        language,
        frame::page(language, &signed_in, title, &body),
    )
}

/// What of the address a link to the same answer repeats.
fn again(typed: &str) -> String {
    let typed = super::session::encoded(typed);
    match typed.is_empty() {
        true => String::new(),
        false => format!("&ask={typed}"),
    }
}

/// The box.
fn asking(language: Language, typed: &str) -> Markup {
    html! {
        form.ask method="get" action="/inspect" role="search" {
            label for="ask" { (language.of(
                "Trace code, certificate number, address on a label, entity or equipment",
                "追溯码、合格证编号、标签网址、主体或设备编号",
            )) }
            input id="ask" name="ask" type="search" required maxlength=(LENGTH_MAX) value=(typed)
                autocomplete="off" autocapitalize="characters" spellcheck="false";
            label for="purpose" { (language.of("What for? (into the log of look-ups)", "查询事由(记入查询日志,可不填)")) }
            input id="purpose" name="purpose" type="text" maxlength="100" autocomplete="off";
            button type="submit" { (language.of("Look up", "查询")) }
        }
    }
}

type Answered = Result<(StatusCode, Markup), Problem>;

async fn answer(
    office: &Arc<Office>,
    signed_in: &SignedIn,
    language: Language,
    typed: &str,
    purpose: Option<String>,
) -> Answered {
    match Asked::parse(typed) {
        Ok(Asked::Code(code)) => unit(office, signed_in, language, code, purpose).await,
        Ok(Asked::Number(number, no_code)) => {
            let view = office.view();
            let code = office
                .lookup(&view, Audience::Public)?
                .certificate(&number)?;
            match code {
                Some(code) => unit(office, signed_in, language, code, purpose).await,
                None => Ok(no_number(language, &number, &no_code)),
            }
        }
        Ok(Asked::Link(link)) => listed(office, language, &link),
        Ok(Asked::Entity(entity)) => of_entity(office, language, entity),
        Ok(Asked::Equipment(equipment)) => of_equipment(office, language, equipment),
        Err(invalid) => Ok(malformed(language, typed, &invalid)),
    }
}

async fn unit(
    office: &Arc<Office>,
    signed_in: &SignedIn,
    language: Language,
    code: TraceCode,
    purpose: Option<String>,
) -> Answered {
    let (asked, token) = (Arc::clone(office), signed_in.0);
    let seen = beside(move || seen::gather(&asked, token, code)).await??;
    let Some(seen) = seen else {
        return Ok(unknown(language, &code.to_string()));
    };
    if seen.is_full {
        office
            .log_lookup(&token, format!("{code} inspected"), purpose)
            .await?;
    }
    Ok((StatusCode::OK, unit::page(language, signed_in, &seen)))
}

fn of_status(language: Language, status: Status, text: &str, more: &Markup) -> Markup {
    html! {
        (template::verdict(language, status, more))
        p.code { (text) }
    }
}

fn malformed(language: Language, typed: &str, invalid: &Invalid) -> (StatusCode, Markup) {
    let typed: String = typed.chars().take(64).collect();
    let more = html! { p { (invalid.what) } };
    let page = of_status(language, Status::Malformed, &typed, &more);
    (StatusCode::BAD_REQUEST, page)
}

fn unknown(language: Language, text: &str) -> (StatusCode, Markup) {
    let more = html! { p { (language.of(
        "It is not on this ledger. Another ledger may have it: that is no proof of anything wrong.",
        "本账本没有此记录。可能登记在其他账本,不能据此认定为假冒。",
    )) } };
    (
        StatusCode::NOT_FOUND,
        of_status(language, Status::Unknown, text, &more),
    )
}

/// No certificate has this number; perhaps a trace code with a slip was meant.
fn no_number(language: Language, number: &str, no_code: &Invalid) -> (StatusCode, Markup) {
    let (status, page) = unknown(language, number);
    let page = html! {
        (page)
        p { (language.of("Read as a trace code: ", "若为追溯码:")) (no_code.what) }
    };
    (status, page)
}

/// The units that a GTIN and a lot may mean.
fn listed(office: &Office, language: Language, link: &DigitalLink) -> Answered {
    let view = office.view();
    view.entry(0)?;
    let lookup = office.lookup(&view, Audience::Public)?;
    let codes = match &link.lot {
        Some(lot) => {
            let gtin = link.gtin.as_u64();
            lookup.gtin_lot(gtin, lot.as_str(), None, UNITS_LISTED_MAX)?
        }
        None => Vec::new(),
    };
    if codes.is_empty() {
        return Ok(unknown(language, &link.gtin.to_string()));
    }
    let page = html! {
        h1 { (language.of("These units have that product and batch", "该产品批次对应的追溯单元")) }
        ul { @for code in &codes { li { (lead(*code)) } } }
    };
    Ok((StatusCode::OK, page))
}

/// A link to the answer about a code.
fn lead(code: TraceCode) -> Markup {
    html! { a.code href=(format!("/inspect?ask={}", code.compact())) { (code) } }
}

fn of_entity(office: &Office, language: Language, id: EntityId) -> Answered {
    let view = office.view();
    view.entry(0)?;
    let Some(found) = office.lookup(&view, Audience::Public)?.entity(id)? else {
        return Ok(unknown(language, &id.to_string()));
    };
    let mut lookup = office.lookup(&view, Audience::Public)?;
    let issued = lookup.issued(id, 0, UNITS_LISTED_MAX)?;
    let page = html! {
        h1 { (found.name.as_deref().unwrap_or(language.of("A natural person", "自然人"))) }
        p.code { (id) }
        dl {
            dt { (language.of("Area", "所在地")) } dd { (frame::area_name(language, &found.area)) }
            @for held in &found.roles {
                dt { (language.of("Role", "角色")) }
                dd { (language.of(held.role.name(), held.role.name_zh())) " · " (frame::area_name(language, &held.area)) }
            }
        }
        h2 { (language.of("Certificates issued", "开具的合格证")) }
        @if issued.records.is_empty() { p { (language.of("None.", "暂无。")) } }
        ul {
            @for record in &issued.records {
                @if let Some((elements, _)) = crate::api::certificates::elements_of(&record.statement) {
                    li {
                        (elements.issued_on) " · " (elements.product) " · " (elements.quantity) " · "
                        (lead(elements.unit))
                    }
                }
            }
        }
        @if issued.next_index.is_some() { p.quiet { (language.of(
            "The first 50; the API gives the others.",
            "仅列前50份,其余可通过接口查询。",
        )) } }
        p { a.act href=(format!("/v1/entities/{id}")) { (language.of("All that is recorded, as JSON", "全部登记记录(JSON)")) } }
    };
    Ok((StatusCode::OK, page))
}

fn of_equipment(office: &Office, language: Language, id: EquipmentId) -> Answered {
    let view = office.view();
    view.entry(0)?;
    let found = trace_core::rules::ColdFacts::equipment(view.folded(), &id)?;
    let Some(found) = found else {
        return Ok(unknown(language, &id.to_string()));
    };
    let owner = view.folded().entity(&found.entity)?;
    let area = owner.map(|owner| format!("{:06}", owner.area));
    let page = html! {
        h1 { (language.of("Cold-chain equipment", "冷链设备")) }
        p.code { (id) }
        dl {
            dt { (language.of("Of", "所属主体")) }
            dd { a.code href=(format!("/inspect?ask={}", found.entity)) { (found.entity) } }
            @if let Some(area) = &area {
                dt { (language.of("Area", "所在地")) } dd { (frame::area_name(language, area)) }
            }
        }
        p { a.act href=(format!("/v1/entities/{}/equipment", found.entity)) {
            (language.of("All equipment of its owner, as JSON", "该主体全部设备(JSON)"))
        } }
    };
    Ok((StatusCode::OK, page))
}
