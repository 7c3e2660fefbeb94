//! `POST /v1/records`: signed records, each answered in order.
//!
//! | what became of them | status | body |
//! |---|---|---|
//! | all new | 201 | `results` |
//! | some known before, or some refused and some not | 200 | `results` |
//! | a single record refused, or an atomic request | 400, 403, 409, 413 or 422 of the first rule broken | problem document, with `results` for an atomic one |
//! | the writer does not write now | 503 with `Retry-After` | problem document |
//!
//! The binary form is `record::submission`'s; JSON carries the same in base 64.

use std::sync::Arc;

use axum::{
    extract::{FromRequest, Request, State},
    http::{HeaderMap, StatusCode, header},
    response::Response,
};
use serde::{Deserialize, Serialize};
use trace_core::{
    error::{Invalid, Rule},
    ledger::{
        Failed, View,
        job::{Item, Job, Outcome, Refusal},
    },
    record::{
        Signed, base64,
        section::{Opening, Openings},
        submission::{REQUEST_RECORDS_MAX, Submission, decode_many},
    },
};
use utoipa::ToSchema;

use super::{
    answer::{json, to_json},
    office::{Office, beside},
    receipts::{RecordResult, of_group, problem_of, refusal},
};
use crate::{
    body::{JsonBody, OctetBody, Parameters},
    language::Language,
    problem::{self, Problem},
};

/// Up to so many signatures are checked where the request is answered: eight
/// take half a millisecond, less than handing them to another thread may.
const INLINE_RECORDS_MAX: usize = 8;

/// How a binary request is admitted.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct How {
    #[serde(default)]
    atomic: bool,
}

/// Signed records in JSON.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordsOrder {
    /// The records, in the order of their chains; at most 1,024.
    records: Vec<SignedRecord>,
    /// Whether one refusal refuses all.
    #[serde(default)]
    atomic: bool,
}

/// A signed record with what opens its sections.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignedRecord {
    /// `signed bytes ‖ 0x01 ‖ signature (64)`, base 64.
    record: String,
    /// What opens the trade section, where the kind has one.
    trade: Option<OpeningText>,
    /// What opens the personal sections, in the record's order.
    #[serde(default)]
    persons: Vec<OpeningText>,
}

/// What opens a section.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OpeningText {
    /// 16 random bytes, base 64.
    salt: String,
    /// The section's canonical bytes, base 64.
    bytes: String,
}

/// What became of each record, in order.
#[derive(Debug, Serialize, ToSchema)]
pub struct ResultsAnswer {
    results: Vec<RecordResult>,
}

impl OpeningText {
    fn read(self) -> Result<Opening, Invalid> {
        let wrong = |what: &str| Invalid::new(Rule::Section, format!("{what} is not base 64"));
        let salt = base64::decode(&self.salt).ok_or_else(|| wrong("a salt"))?;
        let salt = salt.try_into().map_err(|salt: Vec<u8>| {
            Invalid::new(
                Rule::Section,
                format!("a salt of {} bytes, wanted 16", salt.len()),
            )
        })?;
        let bytes = base64::decode(&self.bytes).ok_or_else(|| wrong("a section"))?;
        Ok(Opening { salt, bytes })
    }
}

impl From<&Opening> for OpeningText {
    fn from(opening: &Opening) -> Self {
        Self {
            salt: base64::encode(&opening.salt),
            bytes: base64::encode(&opening.bytes),
        }
    }
}

impl SignedRecord {
    fn read(self) -> Result<Submission, Invalid> {
        let bytes = base64::decode(&self.record)
            .ok_or_else(|| Invalid::new(Rule::Record, "the record is not base 64"))?;
        let signed = Signed::decode(&bytes)?;
        let persons = self.persons.into_iter().map(OpeningText::read);
        let openings = Openings {
            trade: self.trade.map(OpeningText::read).transpose()?,
            persons: persons.collect::<Result<_, _>>()?,
        };
        Ok(Submission { signed, openings })
    }
}

/// `POST /v1/records`.
pub async fn append(
    State(office): State<Arc<Office>>,
    Parameters(how): Parameters<How>,
    headers: HeaderMap,
    request: Request,
) -> Result<Response, Problem> {
    let language = Language::preferred(&headers);
    // Before a body is read and its signatures are checked for nothing.
    office.writer()?;
    let (read, atomic) = if is_json(&headers) {
        let JsonBody(order) = JsonBody::<RecordsOrder>::from_request(request, &office).await?;
        let found = order.records.len();
        if found > REQUEST_RECORDS_MAX {
            let what = format!("{found} records in one request, at most {REQUEST_RECORDS_MAX}");
            return Err(Invalid::new(Rule::TooLarge, what).into());
        }
        let read = order.records.into_iter().map(SignedRecord::read);
        (read.collect(), order.atomic || how.atomic)
    } else {
        let OctetBody(bytes) = OctetBody::from_request(request, &office).await?;
        (decode_many(&bytes)?, how.atomic)
    };
    if read.is_empty() {
        return Err(Invalid::new(Rule::Record, "no record was sent").into());
    }
    let many = read.len() > INLINE_RECORDS_MAX;
    let verifier = Arc::clone(&office);
    let checked = beside_if(many, move || verify(&verifier, read)).await??;
    let outcomes = admit(&office, checked, atomic).await?;
    beside_if(many, move || {
        answer(&outcomes.0, &outcomes.1, atomic, language)
    })
    .await?
}

fn is_json(headers: &HeaderMap) -> bool {
    let media_type = headers.get(header::CONTENT_TYPE);
    let media_type = media_type.and_then(|value| value.to_str().ok());
    media_type
        .and_then(|value| value.split(';').next())
        .is_some_and(|value| value.trim().eq_ignore_ascii_case("application/json"))
}

async fn beside_if<T: Send + 'static>(
    is_long: bool,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Problem> {
    match is_long {
        true => beside(work).await,
        false => Ok(work()),
    }
}

/// One result a record: what reads badly and what is signed wrongly is known
/// before the writer is asked.
fn verify(
    office: &Office,
    read: Vec<Result<Submission, Invalid>>,
) -> Result<Vec<Result<Item, Refusal>>, Problem> {
    let ledger = office.writer()?;
    let mut checked: Vec<Option<Refusal>> = Vec::with_capacity(read.len());
    let mut sound = Vec::with_capacity(read.len());
    for submission in read {
        match submission {
            Ok(submission) => {
                checked.push(None);
                sound.push(submission);
            }
            Err(invalid) => checked.push(Some(refusal(invalid))),
        }
    }
    let mut verified = ledger.verify(sound).into_iter();
    let missing = || Err(refusal(Invalid::new(Rule::Record, "it was not verified")));
    let merged = checked.into_iter().map(|refused| match refused {
        Some(refusal) => Err(refusal),
        None => verified.next().unwrap_or_else(missing),
    });
    Ok(merged.collect())
}

/// What became of every record, with the moment that covers it.
async fn admit(
    office: &Office,
    checked: Vec<Result<Item, Refusal>>,
    atomic: bool,
) -> Result<(Vec<Outcome>, Arc<View>), Problem> {
    let count = checked.len();
    if atomic {
        let wrong = checked.iter().position(Result::is_err);
        if let Some((place, Err(cause))) = wrong.and_then(|at| checked.iter().enumerate().nth(at)) {
            let outcomes = (0..count).map(|at| {
                let refused = if at == place {
                    cause.clone()
                } else {
                    of_group(place, count, cause)
                };
                Outcome::Refused(Box::new(refused))
            });
            return Ok((outcomes.collect(), office.view()));
        }
    }
    let mut items = Vec::with_capacity(count);
    let refused: Vec<Option<Refusal>> = checked
        .into_iter()
        .map(|result| result.map(|item| items.push(item)).err())
        .collect();
    if items.is_empty() {
        let outcomes = refused.into_iter().flatten();
        let outcomes = outcomes.map(|refusal| Outcome::Refused(Box::new(refusal)));
        return Ok((outcomes.collect(), office.view()));
    }
    let job = Job {
        items,
        atomic,
        request: None,
    };
    let answered = office.submit(job).await?;
    let mut decided = answered.outcomes.into_iter();
    let merged = refused.into_iter().filter_map(|refused| match refused {
        Some(refusal) => Some(Outcome::Refused(Box::new(refusal))),
        None => decided.next(),
    });
    Ok((merged.collect(), answered.view))
}

fn answer(
    outcomes: &[Outcome],
    view: &View,
    atomic: bool,
    language: Language,
) -> Result<Response, Problem> {
    let mut results = Vec::with_capacity(outcomes.len());
    let mut first_refusal = None;
    for outcome in outcomes {
        let result: Result<RecordResult, Failed> = match outcome {
            Outcome::Admitted(admitted) => RecordResult::admitted(view, admitted),
            Outcome::Refused(refusal) => {
                let is_cause = refusal.invalid.rule != Rule::Group;
                if is_cause && first_refusal.is_none() {
                    first_refusal = Some(problem_of(refusal));
                }
                Ok(RecordResult::refused(refusal, language))
            }
            Outcome::Unavailable(why) => return Err(unavailable(why)),
        };
        results.push(result?);
    }
    let is_whole_refusal = atomic || outcomes.len() == 1;
    if let (true, Some(problem)) = (is_whole_refusal, first_refusal) {
        return match outcomes.len() {
            1 => Err(problem),
            _ => {
                let results = serde_json::to_value(&results).unwrap_or_default();
                Err(problem.field("results", results))
            }
        };
    }
    let status = match results.iter().all(RecordResult::is_new) {
        true => StatusCode::CREATED,
        false => StatusCode::OK,
    };
    Ok(json(status, to_json(&ResultsAnswer { results })?))
}

/// The writer takes nothing because it does not trust its clock.
#[must_use]
pub fn unavailable(why: &str) -> Problem {
    tracing::warn!(
        why,
        "nothing is written; if the clock is right, start again with --confirm-clock"
    );
    Problem::new(problem::Refusal::ClockSuspect).detail(why)
}
