//! `trace trace`: what a unit was made of, or what was made of it, as a tree.
//!
//! From a folder the public view, as `trace show`; from a server what the token
//! may see. A graph that the answer breaks off is asked for to its end.

use std::collections::{HashMap, HashSet, VecDeque};

use clap::Args;
use serde_json::{Value, json};
use trace_core::{
    error::{Invalid, Rule},
    ident::TraceCode,
    ledger::lookup::{Audience, Lookup},
    record::rights::Registry,
};

use super::{
    Failure, Manner,
    manner::{at, plain},
    source::{Asking, Source},
};
use crate::{
    api::{
        lineage::{TracePage, UNITS_MAX, Way, traced},
        office::civil_offset_minutes,
        sight::Sight,
    },
    machine, sheet,
};

/// Most units of one tree; whoever wants more has the recall sheet.
const TREE_UNITS_MAX: usize = 20_000;

/// Everything `trace trace` can be told.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  trace trace 7K3M-0Q2R-ZX9T-4B1C-8 --back
  trace trace 7K3M-0Q2R-ZX9T-4B1C-8 --forward --depth 3
  trace trace 7K3M-0Q2R-ZX9T-4B1C-8 --server http://127.0.0.1:8080 --token-file inspector.token

From a folder: public fields. From a server an inspector's token also shows quantities and
holders; each such look-up is logged there.")]
pub struct Trace {
    /// The trace code
    #[arg(value_name = "CODE")]
    code: TraceCode,

    /// To what it was made of
    #[arg(long, conflicts_with = "forward")]
    back: bool,

    /// To what was made of it, as where neither is said
    #[arg(long)]
    forward: bool,

    /// Steps at most
    #[arg(long, value_name = "STEPS")]
    depth: Option<u32>,

    #[command(flatten)]
    asking: Asking,
}

/// A lineage as it comes together.
#[derive(Default)]
struct Tree {
    units: Vec<Value>,
    edges: Vec<Value>,
    known: HashSet<String>,
    steps: HashSet<(String, String, u64)>,
    is_cut: bool,
}

impl Trace {
    pub(super) fn run(self, manner: &Manner) -> Result<(), Failure> {
        let way = match self.back {
            true => Way::Back,
            false => Way::Forward,
        };
        let source = self.asking.open(manner)?;
        let tree = self.gather(&source, way)?;
        let value = json!({
            "code": self.code.to_string(),
            "direction": way,
            "units": tree.units,
            "edges": tree.edges,
            "is_cut": tree.is_cut,
        });
        manner.tell(&value, || drawn(&tree, way, manner))
    }

    fn gather(&self, source: &Source, way: Way) -> Result<Tree, Failure> {
        let mut tree = Tree::default();
        let mut waiting = VecDeque::from([(self.code, 0u64, None::<String>)]);
        let mut asked = HashSet::new();
        while let Some((code, before, after)) = waiting.pop_front() {
            if !asked.insert((code, after.clone())) {
                continue;
            }
            if tree.units.len() >= TREE_UNITS_MAX {
                tree.is_cut = true;
                break;
            }
            let depth = self.depth.map(|depth| {
                let gone = u32::try_from(before).unwrap_or(u32::MAX);
                depth.saturating_sub(gone)
            });
            let answer = ask(source, code, way, depth, after)?;
            tree.take(&answer, before);
            for open in at(&answer, "/open").as_array().into_iter().flatten() {
                let code = at(open, "/code").as_str().unwrap_or_default();
                let gone = before + at(open, "/depth").as_u64().unwrap_or_default();
                if self.depth.is_some_and(|depth| gone >= u64::from(depth)) {
                    continue;
                }
                let after = at(open, "/after").as_str().map(str::to_owned);
                waiting.push_back((TraceCode::parse(code)?, gone, after));
            }
        }
        Ok(tree)
    }
}

/// Part of the lineage of a unit.
fn ask(
    source: &Source,
    code: TraceCode,
    way: Way,
    depth: Option<u32>,
    after: Option<String>,
) -> Result<Value, Failure> {
    let unknown = || {
        let what = format!("{code} is not on this ledger");
        Failure::from(Invalid::new(Rule::UnitUnknown, what))
    };
    match source {
        Source::Server(remote) => {
            let mut path = format!(
                "/v1/codes/{}/trace?direction={}&limit={UNITS_MAX}",
                code.compact(),
                way.name()
            );
            if let Some(depth) = depth {
                path.push_str(&format!("&depth={depth}"));
            }
            if let Some(after) = after {
                path.push_str(&format!("&after={after}"));
            }
            remote.json(&path)?.ok_or_else(unknown)
        }
        Source::Folder(reading) => {
            let view = &reading.view;
            let state = view.folded().unit(&code)?;
            if state.is_none_or(|state| state.made.is_none()) {
                return Err(unknown());
            }
            let now_ms = machine::now_ms();
            let mut lookup = Lookup::new(view, &reading.vault, Audience::Public, now_ms)?;
            let page = TracePage {
                direction: Some(way),
                depth,
                limit: Some(UNITS_MAX),
                after,
                purpose: None,
            };
            let offset = civil_offset_minutes(view)?;
            let mut sight = Sight::new(view, None);
            let answer = traced(view, &mut lookup, &mut sight, offset, code, &page)?;
            serde_json::to_value(answer).map_err(|error| Failure::Machine(error.to_string()))
        }
    }
}

impl Tree {
    /// Takes in part of the graph that begins `before` steps away; what was met
    /// before is passed over.
    fn take(&mut self, answer: &Value, before: u64) {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        for unit in at(answer, "/units").as_array().into_iter().flatten() {
            if self.known.insert(text(at(unit, "/code"))) {
                let mut unit = unit.clone();
                let depth = before + at(&unit, "/depth").as_u64().unwrap_or_default();
                if let Some(fields) = unit.as_object_mut() {
                    fields.insert("depth".into(), json!(depth));
                }
                self.units.push(unit);
            }
        }
        for edge in at(answer, "/edges").as_array().into_iter().flatten() {
            let index = at(edge, "/index").as_u64().unwrap_or_default();
            let step = (text(at(edge, "/from")), text(at(edge, "/to")), index);
            if self.steps.insert(step) {
                self.edges.push(edge.clone());
            }
        }
    }
}

/// The tree for people, one line for each unit under what it hangs on; what
/// hangs in several places is followed at the first.
fn drawn(tree: &Tree, way: Way, manner: &Manner) -> String {
    let text = |value: &Value| plain(value.as_str().unwrap_or_default());
    let (near, far) = match way {
        Way::Back => ("/to", "/from"),
        Way::Forward => ("/from", "/to"),
    };
    let units: HashMap<String, &Value> = tree
        .units
        .iter()
        .map(|unit| (text(at(unit, "/code")), unit))
        .collect();
    let mut steps: HashMap<String, Vec<&Value>> = HashMap::new();
    for edge in &tree.edges {
        steps.entry(text(at(edge, near))).or_default().push(edge);
    }
    let mut lines = Vec::new();
    let mut followed = HashSet::new();
    let first = tree.units.first().map(|unit| text(at(unit, "/code")));
    // A list instead of recursion: a lineage may be deeper than a stack.
    let mut waiting: Vec<(usize, String, Option<&Value>)> = Vec::new();
    waiting.extend(first.map(|code| (0, code, None)));
    while let Some((depth, code, step)) = waiting.pop() {
        let is_new = followed.insert(code.clone());
        let unit = units.get(&code).copied().unwrap_or(&Value::Null);
        lines.push(line(depth, &code, unit, step, is_new, manner));
        let next = steps.get(&code).filter(|_| is_new);
        for edge in next.into_iter().flatten().rev() {
            waiting.push((depth + 1, text(at(edge, far)), Some(edge)));
        }
    }
    if tree.is_cut {
        lines.push(manner.of(
            format!("... and more: {TREE_UNITS_MAX} units are shown"),
            format!("……仅显示 {TREE_UNITS_MAX} 个追溯单元"),
        ));
    }
    lines.join("\n")
}

/// How a unit was kept; nothing of what was never placed where it is measured.
fn kept(unit: &Value, manner: &Manner) -> &'static str {
    if unit.get("temperatures").is_some() {
        return manner.of("temperatures not judged here", "此处未判定温度");
    }
    match at(unit, "/cold_chain").as_str() {
        Some("kept") => manner.of("kept cold", "温度符合规则"),
        Some("exceeded") => manner.of("temperature exceeded", "曾超温"),
        Some("gaps") => manner.of("temperature gaps", "温度记录有缺失"),
        _ => "",
    }
}

/// How a unit was tested; nothing of what was not.
fn tested(unit: &Value, manner: &Manner) -> String {
    let count = |name: &str| at(unit, name).as_u64();
    let (Some(passed), Some(failed)) = (count("/tests/passed"), count("/tests/failed")) else {
        return String::new();
    };
    manner.of(
        format!("tests: {passed} passed, {failed} failed"),
        format!("检验:合格 {passed},不合格 {failed}"),
    )
}

fn line(
    depth: usize,
    code: &str,
    unit: &Value,
    step: Option<&Value>,
    is_new: bool,
    manner: &Manner,
) -> String {
    let text = |value: &Value| plain(value.as_str().unwrap_or_default());
    let mut parts = vec![format!("{}{code}", "  ".repeat(depth.min(40)))];
    if depth > 40 {
        parts.push(format!("({depth})"));
    }
    parts.push(text(at(unit, "/product")));
    parts.push(text(at(
        unit,
        manner.of("/status_words", "/status_words_zh"),
    )));
    parts.push(kept(unit, manner).to_owned());
    parts.push(tested(unit, manner));
    if at(unit, "/is_declared").as_bool() == Some(true) {
        parts.push(
            manner
                .of("origin not proved on this ledger", "来源未在本账本证明")
                .to_owned(),
        );
    }
    let amount = |of: &Value| -> Option<String> {
        let base = at(of, "/base").as_str()?;
        let sign = sheet::sign(manner.language(), base);
        Some(format!("{} {sign}", at(of, "/amount").as_u64()?))
    };
    if let Some(step) = step {
        parts.push(
            text(at(step, "/at"))
                .get(..10)
                .unwrap_or_default()
                .to_owned(),
        );
        parts.push(text(at(step, manner.of("/act", "/act_zh"))));
        let (used, made) = (amount(at(step, "/used")), amount(at(step, "/made")));
        if let (Some(used), Some(made)) = (used, made) {
            parts.push(format!("{used} → {made}"));
        }
    }
    let base = at(unit, "/balance/base").as_str().unwrap_or_default();
    if let Some(held) = at(unit, "/balance/held").as_u64() {
        let sign = sheet::sign(manner.language(), base);
        parts.push(manner.of(format!("held {held} {sign}"), format!("在手 {held} {sign}")));
    }
    if !is_new {
        parts.push(manner.of("(above)", "(见上)").to_owned());
    }
    parts.retain(|part| !part.is_empty());
    parts.join("  ")
}
