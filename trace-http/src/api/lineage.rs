//! `GET /v1/codes/{code}/trace`: what a unit was made of, or what was made of
//! it.
//!
//! Which units became which, by what act and when is public, and so is what is
//! true of each and how it was kept; so many of those that were placed are judged
//! here, the nearest first, and of the others it says where to ask. How much, who
//! holds it and where the rest went is trade: shown with a token that sees the unit
//! in full, for a step the unit at either end, and logged. A graph ends at its
//! limits and says where to go on.

use std::{collections::HashMap, sync::Arc};

use axum::{
    extract::{Path, State},
    response::Response,
};
use serde::{Deserialize, Serialize};
use trace_core::{
    error::{Invalid, Rule},
    ident::{EntityId, TraceCode, format_ms},
    ledger::{
        Failed, View,
        lineage::{self, Direction, GraphEdge, GraphUnit, Limits, Open},
        lookup::{Audience, Lookup},
    },
    record::{
        Body, Status, evidence::UnitEvidence, movement::Process, quantity::BaseUnit,
        rights::Registry, status::ColdChain,
    },
    rules::EvidenceFacts,
};
use utoipa::ToSchema;

use super::{
    answer::{json_for, to_json},
    balance::{BalanceLine, HolderLine, holders},
    bearer::MaybeBearer,
    codes::parse,
    office::{Office, beside, civil_offset_minutes},
    sight::{Sight, made},
};
use crate::{body::Parameters, problem::Problem};

/// Units of one answer; a thousand with their status are about 400 kB.
pub const UNITS_MAX: usize = 1_000;

/// Units of one answer where nobody says how many.
const UNITS: usize = 100;

/// Edges of one answer, for each unit: a unit mixed of more goes on in the next.
const EDGES_FOR_A_UNIT: usize = 8;

/// Holders of a unit named in a graph; its balance names all, page by page.
const HOLDERS_MAX: usize = 20;

/// Which part of a graph.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TracePage {
    /// Which way.
    pub direction: Option<Way>,
    /// Steps at most.
    pub depth: Option<u32>,
    /// Units at most.
    pub limit: Option<usize>,
    /// Behind which edge of the first unit.
    pub after: Option<String>,
    /// What for.
    pub purpose: Option<String>,
}

/// Which way to follow.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// To what it was made of.
    Back,
    /// To what was made of it.
    #[default]
    Forward,
}

/// Part of a lineage.
#[derive(Debug, Serialize, ToSchema)]
pub struct TraceAnswer {
    /// From where it was followed.
    #[schema(value_type = String, example = "000G-40R4-0M30-E209-P")]
    pub code: TraceCode,
    /// Which way.
    pub direction: Way,
    /// The units, nearest first, each once.
    pub units: Vec<TracedUnit>,
    /// What went from which into which.
    pub edges: Vec<TracedEdge>,
    /// Where it goes on beyond the limits: ask the same of this code, with its
    /// `after`. A unit that was met before may be met again.
    pub open: Vec<TraceOpen>,
    /// What the ledger showed when it answered, a signed note.
    pub checkpoint: String,
}

/// A unit of a lineage.
#[derive(Debug, Serialize, ToSchema)]
pub struct TracedUnit {
    /// Its code.
    #[schema(value_type = String)]
    pub code: TraceCode,
    /// Steps from where it was followed.
    pub depth: u32,
    /// 产品名称.
    pub product: String,
    /// Day of harvest, slaughter, production or import.
    pub produced_on: String,
    /// Whether only a paper speaks for its origin.
    pub is_declared: bool,
    /// What is true now; nothing of the cold chain where `cold_chain` is absent.
    #[schema(value_type = String, example = "valid")]
    pub status: Status,
    /// In words, English.
    pub status_words: &'static str,
    /// In words, Chinese.
    pub status_words_zh: &'static str,
    /// How it was kept: kept, exceeded, gaps, not_monitored; absent where it was
    /// placed and this answer does not judge it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "kept")]
    pub cold_chain: Option<ColdChain>,
    /// Where to ask how it was kept, where this answer does not say it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperatures: Option<String>,
    /// The numbers of its certificates.
    pub certificates: Vec<String>,
    /// How it was tested; absent where it was not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tests: Option<TestsLine>,
    /// Where all of it is, for those with a right.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub balance: Option<BalanceLine>,
    /// Who holds most of it by id, twenty at most, for those with a right.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub holders: Vec<HolderLine>,
}

/// A step of a lineage.
#[derive(Debug, Serialize, ToSchema)]
pub struct TracedEdge {
    /// What was used.
    #[schema(value_type = String)]
    pub from: TraceCode,
    /// What came of it.
    #[schema(value_type = String)]
    pub to: TraceCode,
    /// The index of the act's record.
    pub index: u64,
    /// The act's kind.
    pub act: &'static str,
    /// The same in Chinese.
    pub act_zh: &'static str,
    /// What was done, where the act is a transformation.
    #[schema(value_type = Option<String>, example = "split")]
    pub process: Option<Process>,
    /// When, by the clock of whoever did it.
    pub at: String,
    /// So much of the one was used in that act, for those with a right.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub used: Option<Amount>,
    /// So much of the other came of it, for those with a right.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub made: Option<Amount>,
}

/// Where a lineage goes on.
#[derive(Debug, Serialize, ToSchema)]
pub struct TraceOpen {
    /// From which unit.
    #[schema(value_type = String)]
    pub code: TraceCode,
    /// How many steps it is away.
    pub depth: u32,
    /// Give this as `after`; none begins with its first edge.
    pub after: Option<String>,
}

/// So much.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub struct Amount {
    /// In base units.
    pub amount: u64,
    /// Of which measure.
    #[schema(value_type = String, example = "gram")]
    pub base: BaseUnit,
}

impl Way {
    fn direction(self) -> Direction {
        match self {
            Self::Back => Direction::Back,
            Self::Forward => Direction::Forward,
        }
    }

    /// Its name in a query.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Back => "back",
            Self::Forward => "forward",
        }
    }
}

/// `GET /v1/codes/{code}/trace`.
pub async fn trace(
    State(office): State<Arc<Office>>,
    MaybeBearer(token): MaybeBearer,
    Path(code): Path<String>,
    Parameters(page): Parameters<TracePage>,
) -> Result<Response, Problem> {
    let code = parse(&code)?;
    let asked = Arc::clone(&office);
    let (way, purpose) = (page.direction.unwrap_or_default(), page.purpose.clone());
    // A thousand units are judged: not on a thread that others wait for.
    let traced = beside(move || -> Result<_, Problem> {
        let view = asked.view();
        made(&view, code)?;
        let mut lookup = asked.lookup(&view, Audience::Public)?;
        let offset = civil_offset_minutes(&view)?;
        let mut sight = Sight::new(&view, token.as_ref());
        let answer = traced(&view, &mut lookup, &mut sight, offset, code, &page)?;
        let shown = answer.units.iter().filter(|unit| unit.balance.is_some());
        let steps = answer.edges.iter().filter(|edge| edge.used.is_some());
        Ok((to_json(&answer)?, shown.count(), steps.count()))
    });
    let (bytes, units, steps) = traced.await??;
    let Some(token) = token.filter(|_| units + steps > 0) else {
        return Ok(json_for(Audience::Public, bytes));
    };
    let looked_up = format!("{code} traced {}: {units} units, {steps} steps", way.name());
    office.log_lookup(&token, looked_up, purpose).await?;
    Ok(json_for(Audience::Full, bytes))
}

/// Part of the lineage of a unit, as far as it is seen.
///
/// # Errors
/// [`Rule::Range`] for a place that is none; [`Store`](trace_core::error::Store).
pub fn traced(
    view: &View,
    lookup: &mut Lookup<'_>,
    sight: &mut Sight<'_>,
    offset_minutes: i32,
    code: TraceCode,
    page: &TracePage,
) -> Result<TraceAnswer, Failed> {
    let way = page.direction.unwrap_or_default();
    let units_max = page.limit.unwrap_or(UNITS).clamp(1, UNITS_MAX);
    let limits = Limits {
        depth_max: page.depth.unwrap_or(u32::MAX),
        units_max,
        edges_max: units_max * EDGES_FOR_A_UNIT,
    };
    let start = Open {
        after: page.after.as_deref().map(place).transpose()?,
        ..Open::at(code)
    };
    let graph = lineage::follow(view, way.direction(), vec![start], limits)?;
    let mut acts = Acts::new(view, offset_minutes);
    let mut edges = Vec::with_capacity(graph.edges.len());
    for edge in &graph.edges {
        edges.push(acts.step(sight, edge)?);
    }
    let mut units = Vec::with_capacity(graph.units.len());
    for unit in graph.units {
        units.extend(traced_unit(view, lookup, sight, unit)?);
    }
    let open = graph.open.into_iter().map(|open| TraceOpen {
        code: open.unit,
        depth: open.depth,
        after: open
            .after
            .map(|(index, code)| format!("{index}-{}", code.compact())),
    });
    Ok(TraceAnswer {
        code,
        direction: way,
        units,
        edges,
        open: open.collect(),
        checkpoint: view.checkpoint().note().to_owned(),
    })
}

/// Reads the place behind an edge: the act's index and the other unit.
fn place(text: &str) -> Result<(u64, TraceCode), Invalid> {
    let wrong = || Invalid::new(Rule::Range, format!("{text:.60} is no place in a graph"));
    let (index, code) = text.split_once('-').ok_or_else(wrong)?;
    let index = index.parse().map_err(|_| wrong())?;
    Ok((index, TraceCode::parse(code)?))
}

fn traced_unit(
    view: &View,
    lookup: &mut Lookup<'_>,
    sight: &mut Sight<'_>,
    unit: GraphUnit,
) -> Result<Option<TracedUnit>, Failed> {
    let code = unit.balance.unit;
    let Some(mut judgement) = lookup.judged(code)? else {
        return Ok(None);
    };
    let cold_chain = lookup.step_kept(&code, &mut judgement)?;
    let temperatures = match cold_chain {
        Some(_) => None,
        None => Some(format!("/v1/codes/{}/temperatures", code.compact())),
    };
    let is_full = sight.sees(code, &unit.made.entity)?;
    let holders = match is_full {
        true => holders(view, lookup, code, None, HOLDERS_MAX)?,
        false => Vec::new(),
    };
    Ok(Some(TracedUnit {
        code,
        depth: unit.depth,
        produced_on: unit.made.produced_on.to_string(),
        is_declared: unit.made.is_declared,
        product: unit.made.product,
        status: judgement.status,
        status_words: judgement.status.words(),
        status_words_zh: judgement.status.words_zh(),
        cold_chain,
        temperatures,
        certificates: unit.certificates,
        tests: TestsLine::of(&view.folded().evidence(&code)?),
        balance: is_full.then(|| BalanceLine::of(&unit.balance)),
        holders,
    }))
}

/// How a unit was tested, by laboratories and by authorities.
#[derive(Debug, Serialize, ToSchema)]
pub struct TestsLine {
    /// Tests passed.
    pub passed: u32,
    /// Tests failed, those that a retest cleared too.
    pub failed: u32,
    /// The indexes of the failures that nothing cleared.
    pub standing_failures: Vec<u64>,
}

impl TestsLine {
    fn of(evidence: &UnitEvidence) -> Option<Self> {
        let UnitEvidence {
            laboratory,
            sampling,
            failures,
        } = evidence;
        let passed = laboratory.passed.saturating_add(sampling.passed);
        let failed = laboratory.failed.saturating_add(sampling.failed);
        (passed > 0 || failed > 0).then(|| Self {
            passed,
            failed,
            standing_failures: failures.iter().map(|failure| failure.index).collect(),
        })
    }
}

/// The acts of a graph, each read once.
struct Acts<'a> {
    view: &'a View,
    offset_minutes: i32,
    known: HashMap<u64, (&'static str, &'static str, Option<Process>)>,
    measures: HashMap<TraceCode, Option<(BaseUnit, EntityId)>>,
}

impl<'a> Acts<'a> {
    fn new(view: &'a View, offset_minutes: i32) -> Self {
        Self {
            view,
            offset_minutes,
            known: HashMap::new(),
            measures: HashMap::new(),
        }
    }

    fn step(&mut self, sight: &mut Sight<'_>, edge: &GraphEdge) -> Result<TracedEdge, Failed> {
        let (act, act_zh, process) = self.act(edge.index)?;
        let (from, to) = (self.measure(edge.from)?, self.measure(edge.to)?);
        let mut is_full = false;
        for (unit, end) in [(edge.from, &from), (edge.to, &to)] {
            if let Some((_, maker)) = end {
                is_full = is_full || sight.sees(unit, maker)?;
            }
        }
        let amount = |amount, of: Option<(BaseUnit, EntityId)>| {
            let of = of.filter(|_| is_full);
            of.map(|(base, _)| Amount { amount, base })
        };
        Ok(TracedEdge {
            from: edge.from,
            to: edge.to,
            index: edge.index,
            act,
            act_zh,
            process,
            at: format_ms(edge.edge.at_ms, self.offset_minutes),
            used: amount(edge.edge.used, from),
            made: amount(edge.edge.made, to),
        })
    }

    fn act(&mut self, index: u64) -> Result<(&'static str, &'static str, Option<Process>), Failed> {
        if let Some(known) = self.known.get(&index) {
            return Ok(*known);
        }
        let body = self.view.entry(index)?.signed.body()?;
        let process = match &body {
            Body::Transformed(body) => Some(body.process),
            _ => None,
        };
        let act = (body.kind().name, body.kind().name_zh, process);
        self.known.insert(index, act);
        Ok(act)
    }

    fn measure(&mut self, unit: TraceCode) -> Result<Option<(BaseUnit, EntityId)>, Failed> {
        if let Some(known) = self.measures.get(&unit) {
            return Ok(*known);
        }
        let made = self.view.folded().unit(&unit)?.and_then(|unit| unit.made);
        let measure = made.map(|made| (made.base, made.entity));
        self.measures.insert(unit, measure);
        Ok(measure)
    }
}
