//! Reading what became of a unit: its balance, who holds it, what it was made of
//! and what was made of it.
//!
//! Everything is read from the folded state, in pages; a graph is followed
//! breadth first with an explicit list, so that its depth costs no stack, and
//! stops where the caller says, telling where to go on. Amounts are trade: they
//! are for the parties and for inspectors.
//!
//! Not here: whether a reader may see it, and a recall's rows, which are
//! [`recall_sheet`](super::recall_sheet)'s.

use super::view::View;
use super::{Failed, rows};
use crate::ident::{CivilDate, EntityId, TraceCode};
use crate::record::Hash;
use crate::record::marks::Barred;
use crate::record::quantity::BaseUnit;
use crate::record::rights::Registry;
use crate::record::unit::Made;
use crate::rules::movements::{Balance, Edge, Holding, Question, Transfer};
use crate::rules::{Facts, custody};
use std::collections::{HashSet, VecDeque};

/// Rows asked for at a time.
pub(super) const PAGE: usize = 256;

/// Most units of one graph: 65,536 of about 400 bytes are 26 MB.
pub const GRAPH_UNITS_MAX: usize = 1 << 16;

/// Most edges of one graph: 262,144 of 64 bytes are 16 MB.
pub const GRAPH_EDGES_MAX: usize = 1 << 18;

/// Which way to follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// To what it was made of.
    Back,
    /// To what was made of it.
    Forward,
}

/// Where all of a unit is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitBalance {
    /// The unit.
    pub unit: TraceCode,
    /// Who made it.
    pub maker: EntityId,
    /// How much was made, in base units.
    pub made: u64,
    /// Of which measure.
    pub base: BaseUnit,
    /// Where it went.
    pub balance: Balance,
    /// Of what is held, so much lies in cold stores.
    pub stored: u64,
}

/// A transfer with the record that made it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransferFound {
    /// The record.
    pub record: Hash,
    /// What it says.
    pub transfer: Transfer,
}

/// Where following goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Open {
    /// From which unit.
    pub unit: TraceCode,
    /// How many steps from the beginning.
    pub depth: u32,
    /// Behind which of its edges.
    pub after: Option<(u64, TraceCode)>,
}

/// How much of a graph is wanted.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Steps from the beginning.
    pub depth_max: u32,
    /// Units, at most [`GRAPH_UNITS_MAX`].
    pub units_max: usize,
    /// Edges, at most [`GRAPH_EDGES_MAX`].
    pub edges_max: usize,
}

/// Part of what a unit was made of, or of what was made of it.
#[derive(Debug, Clone, Default)]
pub struct Graph {
    /// The units, nearest first, each once.
    pub units: Vec<GraphUnit>,
    /// What went from which into which.
    pub edges: Vec<GraphEdge>,
    /// Where it goes on, beyond the limits; a unit met before may be met again.
    pub open: Vec<Open>,
}

/// A unit of a graph.
#[derive(Debug, Clone)]
pub struct GraphUnit {
    /// How many steps from the beginning.
    pub depth: u32,
    /// How it began.
    pub made: Made,
    /// Where it is.
    pub balance: UnitBalance,
    /// What bars it.
    pub barred: Barred,
    /// The numbers of its certificates.
    pub certificates: Vec<String>,
}

/// A step of a graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GraphEdge {
    /// What was used.
    pub from: TraceCode,
    /// What came of it.
    pub to: TraceCode,
    /// The index of the act.
    pub index: u64,
    /// When, and how much.
    pub edge: Edge,
}

impl GraphUnit {
    /// Nothing was made of it: no quantity is zero, so that what was used up for
    /// others shows in its balance.
    fn is_unused(&self) -> bool {
        self.balance.balance.transformed == 0
    }
}

impl Open {
    /// At the beginning.
    #[must_use]
    pub fn at(unit: TraceCode) -> Self {
        Self {
            unit,
            depth: 0,
            after: None,
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            depth_max: u32::MAX,
            units_max: GRAPH_UNITS_MAX,
            edges_max: GRAPH_EDGES_MAX,
        }
    }
}

/// Where all of a unit is; `None` when no record makes it.
///
/// # Errors
/// From the store.
pub fn balance(view: &View, unit: TraceCode) -> Result<Option<UnitBalance>, Failed> {
    Ok(graph_unit(view, unit, 0)?.map(|unit| unit.balance))
}

/// Who holds some of a unit now and how much, by entity behind `after`.
///
/// # Errors
/// From the store.
pub fn holders(
    view: &View,
    unit: TraceCode,
    after: Option<EntityId>,
    limit: usize,
) -> Result<Vec<(EntityId, u64)>, Failed> {
    let found = held(view, unit, after, limit)?;
    let plain = found
        .into_iter()
        .map(|(entity, held)| (entity, held.amount));
    Ok(plain.collect())
}

pub(super) fn held(
    view: &View,
    unit: TraceCode,
    after: Option<EntityId>,
    limit: usize,
) -> Result<Vec<(EntityId, Holding)>, Failed> {
    let folded = view.folded();
    let Some(made) = folded.unit(&unit)?.and_then(|state| state.made) else {
        return Ok(Vec::new());
    };
    if folded.balance(&unit)?.is_none() {
        let is_first = after.is_none_or(|after| after < made.entity) && limit > 0;
        let own = is_first.then(|| (made.entity, Holding::of_maker(&made)));
        return Ok(own.into_iter().collect());
    }
    let prefix = rows::holdings(&unit);
    let mut from = after.map_or_else(
        || prefix.clone(),
        |entity| [rows::holding(&unit, &entity), vec![0]].concat(),
    );
    let mut found = Vec::new();
    // Rows of those who have nothing left are passed over.
    while found.len() < limit {
        let (mut count, mut last) = (0, None);
        folded.values(&prefix, &from, PAGE, "holding", |key, held: Holding| {
            count += 1;
            let entity = rows::entity_at_end(key);
            last = entity.or(last);
            if held.amount > 0 && found.len() < limit {
                found.extend(entity.map(|entity| (entity, held)));
            }
        })?;
        match last {
            Some(last) if count == PAGE => {
                from = [rows::holding(&unit, &last), vec![0]].concat();
            }
            _ => break,
        }
    }
    Ok(found)
}

/// Transfers of a unit, from log index `from` on.
///
/// # Errors
/// From the store.
pub fn transfers_of_unit(
    view: &View,
    unit: TraceCode,
    from: u64,
    limit: usize,
) -> Result<Vec<TransferFound>, Failed> {
    transfers(view, rows::transfers_of_unit(&unit), from, limit)
}

/// Transfers from and to an entity, from log index `from` on.
///
/// # Errors
/// From the store.
pub fn transfers_of_entity(
    view: &View,
    entity: EntityId,
    from: u64,
    limit: usize,
) -> Result<Vec<TransferFound>, Failed> {
    transfers(view, rows::transfers_of_entity(&entity), from, limit)
}

fn transfers(
    view: &View,
    prefix: Vec<u8>,
    from: u64,
    limit: usize,
) -> Result<Vec<TransferFound>, Failed> {
    let mut records: Vec<Hash> = Vec::new();
    let start = rows::at(prefix.clone(), from);
    view.folded()
        .values(&prefix, &start, limit, "transfer", |_, record| {
            records.push(record);
        })?;
    let mut found = Vec::with_capacity(records.len());
    for record in records {
        let transfer = view.folded().transfer(&record)?;
        found.extend(transfer.map(|transfer| TransferFound { record, transfer }));
    }
    Ok(found)
}

/// Whether a transfer is an open question on a day: not received within the
/// days that the policy of its class allows; none where it sets none.
///
/// # Errors
/// From the store.
pub fn is_overdue(
    view: &View,
    transfer: &Transfer,
    today: CivilDate,
) -> Result<Option<bool>, Failed> {
    let folded = view.folded();
    if transfer.arrival.is_some() {
        return Ok(Some(false));
    }
    let (Some(made), Some(policy)) = (
        folded.unit(&transfer.unit)?.and_then(|state| state.made),
        folded.policy()?,
    ) else {
        return Ok(None);
    };
    let tolerance = custody::tolerance(folded, &made)?;
    let Some(days) = tolerance.receive_within_days else {
        return Ok(None);
    };
    let since = CivilDate::from_ms(transfer.at_ms, policy.civil_offset_minutes.into())?;
    Ok(Some(today.days() - since.days() > i32::from(days)))
}

/// Differences that no policy covers, with their log indexes, from `from` on.
///
/// # Errors
/// From the store.
pub fn questions(view: &View, from: u64, limit: usize) -> Result<Vec<(u64, Question)>, Failed> {
    let mut found = Vec::new();
    let start = rows::at(rows::QUESTIONS.to_vec(), from);
    view.folded().values(
        rows::QUESTIONS,
        &start,
        limit,
        "question",
        |key, question| {
            found.extend(rows::index_at_end(key).map(|index| (index, question)));
        },
    )?;
    Ok(found)
}

/// What a unit was made of.
///
/// # Errors
/// From the store.
pub fn trace_back(view: &View, unit: TraceCode, limits: Limits) -> Result<Graph, Failed> {
    follow(view, Direction::Back, vec![Open::at(unit)], limits)
}

/// What was made of a unit.
///
/// # Errors
/// From the store.
pub fn trace_forward(view: &View, unit: TraceCode, limits: Limits) -> Result<Graph, Failed> {
    follow(view, Direction::Forward, vec![Open::at(unit)], limits)
}

/// Goes on where another graph left off.
///
/// # Errors
/// From the store.
pub fn follow(
    view: &View,
    direction: Direction,
    from: Vec<Open>,
    limits: Limits,
) -> Result<Graph, Failed> {
    let units_max = limits.units_max.min(GRAPH_UNITS_MAX);
    let edges_max = limits.edges_max.min(GRAPH_EDGES_MAX);
    let mut graph = Graph::default();
    let mut known = HashSet::new();
    let mut waiting: VecDeque<Open> = from.into();
    for open in &waiting {
        // Where it goes on, the unit itself was shown before.
        if known.insert(open.unit) && open.after.is_none() {
            graph.units.extend(graph_unit(view, open.unit, open.depth)?);
        }
    }
    while let Some(mut open) = waiting.pop_front() {
        if open.depth >= limits.depth_max {
            graph.open.push(open);
            continue;
        }
        loop {
            let room = edges_max.saturating_sub(graph.edges.len());
            if room == 0 || graph.units.len() >= units_max {
                graph.open.push(open);
                break;
            }
            let page = page(view, direction, &open, PAGE.min(room))?;
            let is_last = page.len() < PAGE.min(room);
            for (index, other, edge) in page {
                if graph.units.len() >= units_max && !known.contains(&other) {
                    graph.open.push(open);
                    graph.open.extend(waiting);
                    return Ok(graph);
                }
                open.after = Some((index, other));
                let (from, to) = match direction {
                    Direction::Forward => (open.unit, other),
                    Direction::Back => (other, open.unit),
                };
                graph.edges.push(GraphEdge {
                    from,
                    to,
                    index,
                    edge,
                });
                if known.insert(other) {
                    let depth = open.depth.saturating_add(1);
                    let unit = graph_unit(view, other, depth)?;
                    // Of what was never used up nothing was made: no need to look.
                    let is_end = direction == Direction::Forward
                        && depth < limits.depth_max
                        && unit.as_ref().is_some_and(GraphUnit::is_unused);
                    graph.units.extend(unit);
                    if !is_end {
                        waiting.push_back(Open {
                            depth,
                            ..Open::at(other)
                        });
                    }
                }
            }
            if is_last {
                break;
            }
        }
    }
    Ok(graph)
}

pub(super) fn page(
    view: &View,
    direction: Direction,
    open: &Open,
    limit: usize,
) -> Result<Vec<(u64, TraceCode, Edge)>, Failed> {
    match direction {
        Direction::Forward => view.folded().children(&open.unit, open.after, limit),
        Direction::Back => Ok(view.folded().parents(&open.unit, open.after, limit)?),
    }
}

pub(super) fn graph_unit(
    view: &View,
    unit: TraceCode,
    depth: u32,
) -> Result<Option<GraphUnit>, Failed> {
    let about = view.folded().about_unit(&unit)?;
    let Some(state) = about.state else {
        return Ok(None);
    };
    let Some(made) = state.made else {
        return Ok(None);
    };
    let moved = about.balance;
    let certificates = state.certificates.into_iter();
    Ok(Some(GraphUnit {
        depth,
        barred: view.folded().barred_by(&unit, &about.marks)?,
        certificates: certificates.map(|held| held.number).collect(),
        balance: UnitBalance {
            unit,
            maker: made.entity,
            made: made.base_amount,
            base: made.base,
            balance: moved.unwrap_or_else(|| Balance::begun(&made)),
            stored: about.stock.total(),
        },
        made,
    }))
}
