//! Complaints and reports 投诉举报: taken from anybody, at a bounded pace; seen by
//! the inspectors of the area; committed to on the ledger by the operator's key.
//!
//! What is taken is durable when it is answered, whether or not the ledger can be
//! written to just now: what it does not have yet is recorded within the hour.

use std::sync::Arc;

use axum::{
    Extension,
    extract::{Path, State},
    http::StatusCode,
    response::Response,
};
use serde::{Deserialize, Serialize};
use trace_core::{
    error::Store,
    ident::{Area, EntityId, TraceCode, format_ms},
    ledger::{
        View,
        complaints::{Complaint, Complaints, Kept},
        job::{Item, Job, Outcome},
        lookup::Audience,
        tokens::TokenGrant,
    },
    record::{
        Body, Hash, kinds::complaint_received::ComplaintReceived, rights::Registry,
        section::Openings, text, wire::AreaCode,
    },
};
use utoipa::ToSchema;

use super::{
    answer::{json, json_for, not_on_ledger, to_json},
    bearer::Bearer,
    office::{Office, beside, civil_offset_minutes},
    pace::Pace,
    sight::{Sight, not_overseen},
};
use crate::{
    body::{JsonBody, Parameters},
    machine,
    problem::{Problem, Refusal},
    server::Peer,
};

/// Complaints of one page: each at most 4 kB.
const PAGE_COMPLAINTS_MAX: usize = 100;

/// Complaints taken into memory at a time to be recorded.
const RECORDED_AT_ONCE: usize = 256;

/// What one complaint of an address costs: five at once for a family at a market,
/// then one in ten minutes.
const COST_MS: u64 = 10 * 60 * 1000;
const AT_ONCE: u64 = 5;

/// The same of all addresses together: 8,640 a day are 35 MB at the most.
const COST_OF_ALL_MS: u64 = 10 * 1000;
const AT_ONCE_OF_ALL: u64 = 200;

/// Takes complaints for an operator.
#[derive(Debug)]
pub struct ComplaintDesk {
    complaints: Complaints,
    operator: EntityId,
    pace: Pace,
    pace_of_all: Pace,
}

impl ComplaintDesk {
    /// A desk over what was taken before; `operator` records what comes.
    #[must_use]
    pub fn new(complaints: Complaints, operator: EntityId) -> Self {
        Self {
            complaints,
            operator,
            pace: Pace::new(COST_MS, AT_ONCE),
            pace_of_all: Pace::new(COST_OF_ALL_MS, AT_ONCE_OF_ALL),
        }
    }
}

/// A complaint.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ComplaintOrder {
    /// The trace code it is about; one that is on the ledger.
    #[schema(example = "0000-0000-0000-0000-0")]
    about: Option<String>,
    /// What is wrong: 5 to 1,000 characters.
    #[schema(example = "标签上的产地与摊位所说不一致")]
    text: String,
    /// How to reach whoever writes, where they want to be reached.
    contact: Option<String>,
}

/// That a complaint was taken: what its writer keeps.
#[derive(Debug, Serialize, ToSchema)]
pub struct ComplaintTaken {
    /// Its number here.
    pub number: u64,
    /// The commitment to it.
    #[schema(value_type = String)]
    pub commitment: Hash,
    /// The index of the record that has the commitment; absent until the ledger
    /// has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub index: Option<u64>,
    /// What the commitment is made with, so that its writer can show what he wrote.
    #[schema(value_type = String)]
    pub salt: Salt,
}

/// A commitment's salt, shown hexadecimal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Salt(pub [u8; 16]);

impl std::fmt::Display for Salt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl Serialize for Salt {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Which complaints.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Page {
    area: Option<String>,
    before: Option<u64>,
    limit: Option<usize>,
    purpose: Option<String>,
}

/// A page of complaints.
#[derive(Debug, Serialize, ToSchema)]
pub struct ComplaintsAnswer {
    /// The newest first.
    pub complaints: Vec<ComplaintLine>,
    /// Give this as `before` for the rest, where there may be more.
    pub next_before: Option<u64>,
}

/// A complaint, for an inspector.
#[derive(Debug, Serialize, ToSchema)]
pub struct ComplaintLine {
    /// Its number.
    pub number: u64,
    /// The area.
    #[schema(value_type = String, example = "131023")]
    pub area: String,
    /// The commitment to it.
    #[schema(value_type = String)]
    pub commitment: Hash,
    /// The index of the record that has it.
    pub index: Option<u64>,
    /// When it came; absent, as all that follows, once it was erased.
    pub at: Option<String>,
    /// The trace code it is about.
    #[schema(value_type = Option<String>)]
    pub about: Option<TraceCode>,
    /// What it says.
    pub text: Option<String>,
    /// How to reach its writer.
    pub contact: Option<String>,
}

/// What somebody wants to complain of, read and bounded.
#[derive(Debug)]
pub struct Written {
    about: Option<TraceCode>,
    text: String,
    contact: Option<String>,
}

impl Written {
    /// Reads what was typed: line breaks of whatever kind, and an empty contact is
    /// none.
    #[must_use]
    pub fn typed(about: Option<TraceCode>, typed: &str, contact: Option<&str>) -> Self {
        let lines = typed.lines().map(|line| text::normalise(line.trim_end()));
        let lines: Vec<String> = lines.collect();
        let contact = contact.map(|it| text::normalise(it.trim()));
        Self {
            about,
            text: lines.join("\n").trim().to_owned(),
            contact: contact.filter(|it| !it.is_empty()),
        }
    }
}

/// `POST /v1/complaints`.
pub async fn complain(
    State(office): State<Arc<Office>>,
    peer: Option<Extension<Peer>>,
    JsonBody(order): JsonBody<ComplaintOrder>,
) -> Result<Response, Problem> {
    let about = order.about.as_deref().map(TraceCode::parse).transpose()?;
    let written = Written::typed(about, &order.text, order.contact.as_deref());
    let taken = take(&office, peer.map(|Extension(peer)| peer), written).await?;
    Ok(json(StatusCode::CREATED, to_json(&taken)?))
}

/// Takes a complaint and records it where the ledger can be written to.
///
/// # Errors
/// [`Refusal::ReadOnly`] where this server takes none; [`Refusal::TooOften`];
/// [`Refusal::NotOnLedger`] for a code that is not; the texts' own.
pub async fn take(
    office: &Arc<Office>,
    peer: Option<Peer>,
    written: Written,
) -> Result<ComplaintTaken, Problem> {
    let desk = desk(office)?;
    let (view, now_ms) = (office.readable()?, office.now_ms());
    let complaint = Complaint {
        at_ms: now_ms,
        area: area_of(&view, written.about)?,
        about: written.about,
        text: written.text,
        contact: written.contact,
    };
    complaint.check()?;
    // What is wrong costs nothing of it.
    desk.pace.take(peer.map(|peer| peer.0.ip()), now_ms)?;
    desk.pace_of_all.take(None, now_ms)?;
    let (area, salt) = (complaint.area, machine::random());
    let kept = Arc::clone(&desk);
    let taken = beside(move || kept.complaints.take(complaint, salt)).await?;
    let (number, commitment) = taken?;
    tracing::info!(number, "a complaint was taken");
    let index = record(office, &desk, number, area, commitment).await;
    let index = index.unwrap_or_else(|problem| {
        let code = problem.code();
        tracing::warn!(number, code, "a complaint is recorded later");
        None
    });
    Ok(ComplaintTaken {
        number,
        commitment,
        index,
        salt: Salt(salt),
    })
}

/// Where those are who look after a unit: its maker's area, or the ledger's own.
fn area_of(view: &View, about: Option<TraceCode>) -> Result<AreaCode, Problem> {
    let Some(code) = about else {
        let Body::LedgerOpened(opened) = view.entry(0)?.signed.body()? else {
            return Err(Problem::new(Refusal::Failed));
        };
        return Ok(opened.area);
    };
    let made = view.folded().unit(&code)?.and_then(|state| state.made);
    let made = made.ok_or_else(|| not_on_ledger(code))?;
    let maker = view.folded().entity(&made.entity)?;
    maker
        .map(|maker| AreaCode(maker.area))
        .ok_or_else(|| not_on_ledger(code))
}

/// The commitment goes onto the ledger; its index, where it was admitted.
async fn record(
    office: &Office,
    desk: &Arc<ComplaintDesk>,
    number: u64,
    area: AreaCode,
    commitment: Hash,
) -> Result<Option<u64>, Problem> {
    let body = ComplaintReceived {
        area,
        complaint: commitment,
    };
    let job = Job {
        items: vec![Item::Hosted {
            entity: desk.operator,
            body: Box::new(body.into()),
            openings: Openings::default(),
        }],
        atomic: false,
        request: None,
    };
    let answered = office.submit(job).await?;
    match answered.outcomes.first() {
        Some(Outcome::Admitted(admitted)) => {
            let (index, desk) = (admitted.index, Arc::clone(desk));
            beside(move || desk.complaints.recorded(number, index)).await??;
            Ok(Some(index))
        }
        Some(Outcome::Refused(refusal)) => Err(refusal.invalid.clone().into()),
        Some(Outcome::Unavailable(why)) => {
            tracing::warn!(%why, "a complaint could not be recorded");
            Ok(None)
        }
        None => Ok(None),
    }
}

/// Records those that the ledger does not have yet, until one cannot be.
pub async fn record_rest(office: &Office) {
    let Ok(desk) = desk(office) else {
        return;
    };
    loop {
        let kept = Arc::clone(&desk);
        let unrecorded = beside(move || kept.complaints.unrecorded(RECORDED_AT_ONCE)).await;
        let unrecorded: Vec<(u64, Kept)> = match unrecorded {
            Ok(Ok(unrecorded)) if unrecorded.is_empty() => return,
            Ok(Ok(unrecorded)) => unrecorded,
            Ok(Err(error)) => {
                tracing::error!(%error, "complaints cannot be read");
                return;
            }
            Err(_) => return,
        };
        for (number, kept) in unrecorded {
            match record(office, &desk, number, kept.area, kept.commitment).await {
                Ok(Some(_)) => {}
                Ok(None) => return,
                Err(problem) => {
                    let code = problem.code();
                    tracing::error!(number, code, "a complaint is not recorded");
                    return;
                }
            }
        }
    }
}

/// `GET /v1/complaints`.
pub async fn list(
    State(office): State<Arc<Office>>,
    Bearer(token): Bearer,
    Parameters(page): Parameters<Page>,
) -> Result<Response, Problem> {
    let asked = page.area.as_deref().map(str::parse::<Area>).transpose()?;
    let limit = page.limit.unwrap_or(PAGE_COMPLAINTS_MAX);
    let before = page.before.unwrap_or(u64::MAX);
    let answer = seen(&office, &token, (asked, page.purpose), before, limit).await?;
    Ok(json_for(Audience::Full, to_json(&answer)?))
}

/// Complaints of an area, the token's own where none is asked for: logged, and so
/// to be shown.
///
/// # Errors
/// [`Rule::Right`](trace_core::error::Rule) for an area that the token does not
/// reach; [`Refusal::ReadOnly`] where this server takes none.
pub(crate) async fn seen(
    office: &Office,
    token: &TokenGrant,
    (asked, purpose): (Option<Area>, Option<String>),
    before: u64,
    limit: usize,
) -> Result<ComplaintsAnswer, Problem> {
    let desk = desk(office)?;
    let Some(area) = asked.or(token.grant.area) else {
        return Err(not_overseen());
    };
    let view = office.readable()?;
    if !Sight::new(&view, Some(token)).reaches(area)? {
        return Err(not_overseen());
    }
    let limit = limit.clamp(1, PAGE_COMPLAINTS_MAX);
    let sees = move |own: AreaCode| own.area().is_ok_and(|own| area.covers(own));
    let found = beside(move || desk.complaints.page(before, limit, sees)).await??;
    let looked_up = format!("complaints of {area}");
    office.log_lookup(token, looked_up, purpose).await?;
    let offset_minutes = civil_offset_minutes(&view)?;
    let lines = found.complaints.into_iter();
    Ok(ComplaintsAnswer {
        complaints: lines
            .map(|(number, kept)| line(number, kept, offset_minutes))
            .collect(),
        next_before: found.next_before,
    })
}

fn line(number: u64, kept: Kept, offset_minutes: i32) -> ComplaintLine {
    let said = kept.said.map(|said| said.complaint);
    ComplaintLine {
        number,
        area: kept
            .area
            .area()
            .map_or_else(|_| String::new(), |area| area.to_string()),
        commitment: kept.commitment,
        index: kept.index,
        at: said
            .as_ref()
            .map(|said| format_ms(said.at_ms, offset_minutes)),
        about: said.as_ref().and_then(|said| said.about),
        contact: said.as_ref().and_then(|said| said.contact.clone()),
        text: said.map(|said| said.text),
    }
}

/// `POST /v1/complaints/{number}/erased`: what it says is deleted; that there was
/// one stays.
pub async fn erase(
    State(office): State<Arc<Office>>,
    Bearer(token): Bearer,
    Path(number): Path<u64>,
) -> Result<Response, Problem> {
    let (desk, view) = (desk(&office)?, office.readable()?);
    let absent = || not_on_ledger(format!("complaint {number}"));
    let looking = Arc::clone(&desk);
    let kept = beside(move || looking.complaints.get(number)).await??;
    let kept = kept.ok_or_else(absent)?;
    let area = kept.area.area()?;
    if !Sight::new(&view, Some(&token)).reaches(area)? {
        return Err(not_overseen());
    }
    let looked_up = format!("complaint {number} erased");
    office.log_lookup(&token, looked_up, None).await?;
    let erasing = beside(move || -> Result<Option<Kept>, Store> {
        desk.complaints.erase(number)?;
        desk.complaints.get(number)
    });
    let kept = erasing.await??.ok_or_else(absent)?;
    let answer = line(number, kept, civil_offset_minutes(&view)?);
    Ok(json_for(Audience::Full, to_json(&answer)?))
}

fn desk(office: &Office) -> Result<Arc<ComplaintDesk>, Problem> {
    office.complaints.clone().ok_or_else(|| {
        let what = "this server takes no complaints: telephone 12315";
        Problem::new(Refusal::ReadOnly).detail(what)
    })
}
