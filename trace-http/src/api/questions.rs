//! `GET /v1/questions`: what is open and wants an answer: quantities that no
//! policy covers, transfers not received in time, certificates about to be
//! overspent, issuers whose volume jumped, uses of expired certificates,
//! findings overdue.
//!
//! Shown to an inspector's or authority's token for the area that it reaches,
//! and to an entity's own token for what concerns that entity. A bounded part of
//! the ledger is looked through at a time; an empty answer with a `next_after`
//! is not the end. As a sheet all of them come at once.

use std::{io, sync::Arc};

use axum::{
    extract::State,
    http::{HeaderMap, HeaderValue, header::HeaderName},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use trace_core::{
    error::{Invalid, Rule},
    ident::{Area, CivilDate, EntityId, TraceCode, format_ms},
    ledger::{
        Failed, View,
        lookup::{Audience, Lookup},
        questions::{self, About, Asked, Question},
        tokens::TokenGrant,
    },
    record::{Hash, quantity::BaseUnit, rights::Registry},
};
use utoipa::ToSchema;

use super::{
    answer::{json_for, to_json},
    bearer::Bearer,
    office::{Office, beside, civil_offset_minutes},
    recall::sheet_headers,
    sight::{Sight, is_overseers},
};
use crate::{
    body::Parameters,
    language::Language,
    problem::{Problem, Refusal},
    sheet::{
        self,
        grid::{Cell, Grid, SheetFormat},
    },
};

/// Questions of one answer.
pub const QUESTIONS_MAX: usize = 100;

/// Questions of one sheet: more are read page by page.
const SHEET_QUESTIONS_MAX: usize = 10_000;

/// Which questions.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Page {
    #[serde(default)]
    about: About,
    after: Option<String>,
    limit: Option<usize>,
    purpose: Option<String>,
}

/// A page of questions.
#[derive(Debug, Serialize, ToSchema)]
pub struct QuestionsAnswer {
    /// The questions, in the order of the log; volumes and findings by entity.
    pub questions: Vec<OpenQuestion>,
    /// Give this as `after` for the rest, where there may be more.
    pub next_after: Option<String>,
    /// What the ledger showed when it answered, a signed note.
    pub checkpoint: String,
}

/// Something open.
#[derive(Debug, Serialize, ToSchema)]
pub struct OpenQuestion {
    /// About what.
    #[schema(value_type = String, example = "quantities")]
    pub about: About,
    /// In words, English.
    pub words: &'static str,
    /// In words, Chinese.
    pub words_zh: &'static str,
    /// What to do about it, English.
    pub remedy: &'static str,
    /// What to do about it, Chinese.
    pub remedy_zh: &'static str,
    /// Index of the record that raised it.
    pub index: Option<u64>,
    /// That record's hash.
    #[schema(value_type = Option<String>)]
    pub record: Option<Hash>,
    /// About which unit.
    #[schema(value_type = Option<String>)]
    pub unit: Option<TraceCode>,
    /// About which certificate.
    pub certificate: Option<String>,
    /// With whom; of a transfer, who handed over.
    #[schema(value_type = String)]
    pub entity: EntityId,
    /// Its registered name; none for natural persons.
    pub name: Option<String>,
    /// Of which measure the amounts are.
    #[schema(value_type = Option<String>)]
    pub base: Option<BaseUnit>,
    /// Missing or lost beyond the policy.
    pub missing: u64,
    /// Gained beyond it.
    pub gained: u64,
    /// Handed over and not received in time.
    pub overdue: u64,
    /// Every number it rests on, by name, amounts in base units.
    #[schema(value_type = Object)]
    pub numbers: serde_json::Map<String, serde_json::Value>,
    /// Every day it rests on, by name.
    #[schema(value_type = Object)]
    pub days: serde_json::Map<String, serde_json::Value>,
    /// What was found, of a finding.
    pub problem: Option<String>,
    /// To whom it was handed over.
    #[schema(value_type = Option<String>)]
    pub to: Option<EntityId>,
    /// When.
    pub handed_over_at: Option<String>,
}

/// Which questions are asked, of one moment, by whom.
pub struct Desk<'a> {
    /// The moment.
    pub view: &'a View,
    /// Names entities.
    pub lookup: Lookup<'a>,
    /// The day.
    pub today: CivilDate,
    /// Who asks; none is whoever has the ledger's folder.
    pub token: Option<&'a TokenGrant>,
}

/// `GET /v1/questions`.
pub async fn questions(
    State(office): State<Arc<Office>>,
    Bearer(token): Bearer,
    Parameters(page): Parameters<Page>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    if !is_overseers(&token) && token.grant.entity.is_none() {
        let what = "wanted a token of an inspector, an authority or an entity";
        return Err(Invalid::new(Rule::Right, what).into());
    }
    let format = SheetFormat::accepted(&headers);
    let language = Language::preferred(&headers);
    let (asked, about, purpose) = (Arc::clone(&office), page.about, page.purpose);
    let answered = beside(move || -> Result<_, Problem> {
        let view = asked.view();
        let mut desk = Desk {
            view: &view,
            lookup: asked.lookup(&view, Audience::Public)?,
            today: asked.today(&view)?,
            token: Some(&token),
        };
        let Some(format) = format else {
            let limit = page.limit.unwrap_or(QUESTIONS_MAX);
            let answer = desk.page(about, page.after.as_deref(), limit)?;
            return Ok((to_json(&answer)?, answer.questions.len(), None));
        };
        let answer = desk.all(about, page.after)?;
        let mut bytes = Vec::new();
        write(&answer, (format, language), &mut bytes).map_err(|error| {
            tracing::error!(%error, "a sheet was not written");
            Problem::new(Refusal::Failed)
        })?;
        Ok((bytes, answer.questions.len(), answer.next_after))
    });
    let (bytes, count, next_after) = answered.await??;
    let looked_up = format!("questions about {}: {count}", about.name());
    office.log_lookup(&token, looked_up, purpose).await?;
    if format.is_none() {
        return Ok(json_for(Audience::Full, bytes));
    }
    let headers = sheet_headers(format, &format!("questions.{}", about.name()))?;
    let mut response = (headers, bytes).into_response();
    if let Some(next) = next_after.and_then(|next| HeaderValue::try_from(next).ok()) {
        let name = HeaderName::from_static("trace-next-after");
        response.headers_mut().insert(name, next);
    }
    Ok(response)
}

impl Desk<'_> {
    /// A page of questions, as far as they are seen.
    ///
    /// # Errors
    /// As of [`questions::page`].
    pub fn page(
        &mut self,
        about: About,
        after: Option<&str>,
        limit: usize,
    ) -> Result<QuestionsAnswer, Failed> {
        // Derived rows may be in memory alone: a log that cannot be read is said
        // to be so.
        self.view.entry(0)?;
        let own = self.token.filter(|token| !is_overseers(token));
        let own = own.and_then(|token| token.grant.entity);
        let asked = Asked {
            about,
            after,
            limit: limit.clamp(1, QUESTIONS_MAX),
            today: self.today,
            area: self.area(own)?,
        };
        let mut sight = Sight::new(self.view, self.token);
        let is_folder = self.token.is_none();
        let page = questions::page(self.view, asked, |entity| match own {
            Some(own) => Ok(*entity == own),
            None => Ok(is_folder || sight.oversees(entity)?),
        })?;
        let offset_minutes = civil_offset_minutes(self.view)?;
        let mut told = Vec::with_capacity(page.questions.len());
        for question in page.questions {
            let party = self.lookup.party(question.entity)?;
            let name = party.and_then(|party| party.name);
            told.push(OpenQuestion::of(question, name, offset_minutes));
        }
        Ok(QuestionsAnswer {
            questions: told,
            next_after: page.next_after,
            checkpoint: self.view.checkpoint().note().to_owned(),
        })
    }

    /// All of them, as many as a sheet takes.
    ///
    /// # Errors
    /// As of [`questions::page`].
    pub fn all(&mut self, about: About, after: Option<String>) -> Result<QuestionsAnswer, Failed> {
        let mut all = self.page(about, after.as_deref(), QUESTIONS_MAX)?;
        while let Some(after) = all.next_after.take() {
            if all.questions.len() >= SHEET_QUESTIONS_MAX {
                all.next_after = Some(after);
                break;
            }
            let next = self.page(about, Some(&after), QUESTIONS_MAX)?;
            all.questions.extend(next.questions);
            all.next_after = next.next_after;
        }
        Ok(all)
    }

    /// No further than whose area it is, or than a token reaches.
    fn area(&self, own: Option<EntityId>) -> Result<Option<Area>, Failed> {
        Ok(match own {
            Some(own) => {
                let state = self.view.folded().entity(&own)?;
                state.and_then(|state| Area::try_from(state.area).ok())
            }
            None => self.token.and_then(|token| token.grant.area),
        })
    }
}

impl OpenQuestion {
    fn of(question: Question, name: Option<String>, offset_minutes: i32) -> Self {
        let about = question.about;
        let ((words, words_zh), (remedy, remedy_zh)) = (about.words(), about.remedy());
        let numbers = question.numbers.iter();
        let days = question.days.iter();
        Self {
            about,
            words,
            words_zh,
            remedy,
            remedy_zh,
            index: question.record.map(|(index, _)| index),
            record: question.record.map(|(_, hash)| hash),
            unit: question.unit,
            entity: question.entity,
            name,
            base: question.base,
            missing: question.number("missing"),
            gained: question.number("gained"),
            overdue: question.number("overdue"),
            numbers: numbers
                .map(|(name, number)| ((*name).to_owned(), (*number).into()))
                .collect(),
            days: days
                .map(|(name, day)| ((*name).to_owned(), day.to_string().into()))
                .collect(),
            to: question.to,
            handed_over_at: question.at_ms.map(|at_ms| format_ms(at_ms, offset_minutes)),
            certificate: question.certificate,
            problem: question.text,
        }
    }

    /// The numbers and days in one line, as a sheet and a terminal show them.
    #[must_use]
    pub fn rests_on(&self) -> String {
        let all = self.numbers.iter().chain(&self.days);
        let all = all.map(|(name, value)| match value.as_str() {
            Some(text) => format!("{name} {text}"),
            None => format!("{name} {value}"),
        });
        all.collect::<Vec<_>>().join("; ")
    }
}

/// Writes questions as a sheet, one row each.
///
/// # Errors
/// As `out` fails.
pub fn write(
    answer: &QuestionsAnswer,
    (format, language): (SheetFormat, Language),
    out: impl io::Write,
) -> io::Result<()> {
    let head = language.of(
        [
            "question",
            "record index",
            "trace code",
            "certificate",
            "entity",
            "name",
            "to entity",
            "measure",
            "numbers",
            "problem",
            "handed over at",
            "what to do",
        ],
        [
            "问题",
            "账本序号",
            "追溯码",
            "证号",
            "主体",
            "名称",
            "收货主体",
            "计量",
            "依据",
            "发现的问题",
            "交付时间",
            "处置建议",
        ],
    );
    let mut grid = Grid::begin(format, &head, out)?;
    for question in &answer.questions {
        let text = |text: &Option<String>| Cell::from(text.clone().unwrap_or_default());
        let index = question.index.map_or_else(|| Cell::from(""), Cell::number);
        let base = question.base;
        grid.row(&[
            language.of(question.words, question.words_zh).into(),
            index,
            question
                .unit
                .map_or_else(String::new, |it| it.to_string())
                .into(),
            text(&question.certificate),
            question.entity.to_string().into(),
            text(&question.name),
            question
                .to
                .map_or_else(String::new, |it| it.to_string())
                .into(),
            base.map_or("", |it| sheet::sign(language, sheet::measure(it)))
                .into(),
            question.rests_on().into(),
            text(&question.problem),
            text(&question.handed_over_at),
            language.of(question.remedy, question.remedy_zh).into(),
        ])?;
    }
    grid.finish()
}
