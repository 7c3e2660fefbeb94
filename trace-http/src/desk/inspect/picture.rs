//! A lineage as a picture: a column for each step, what it was made of on the left,
//! what was made of it on the right; a table beneath says the same.
//!
//! Presentation attributes alone (SVG 2, 6.6), in the reader's own colours.

use std::collections::{BTreeMap, HashMap};

use maud::{Markup, html};
use trace_core::ident::TraceCode;

use super::lead;
use crate::{
    api::lineage::{Amount, TraceAnswer, TracedUnit, Way},
    desk::frame::measured,
    language::Language,
};

/// Steps drawn each way; what lies beyond is in the table's link.
const STEPS_MAX: i64 = 4;

const WIDTH: i64 = 190;
const HEIGHT: i64 = 58;
const GAP: i64 = 46;

/// Both ways of a unit's lineage, drawn and as a table.
pub(super) fn lineage(language: Language, back: &TraceAnswer, forward: &TraceAnswer) -> Markup {
    let units = units(back, forward);
    html! {
        h2 { (language.of("Where it comes from and where it went", "来源与去向")) }
        @if units.len() <= 1 {
            p { (language.of(
                "It was made of nothing on this ledger, and nothing was made of it.",
                "本账本中没有其来源单元,也没有由其制成的单元。",
            )) }
        } @else {
            (drawn(language, &units, back, forward))
            (table(language, back, forward))
        }
    }
}

/// Each unit with its step: negative is before, positive after.
fn units<'a>(back: &'a TraceAnswer, forward: &'a TraceAnswer) -> Vec<(i64, &'a TracedUnit)> {
    let mut found: Vec<(i64, &TracedUnit)> = Vec::new();
    let before = back.units.iter().map(|unit| (-i64::from(unit.depth), unit));
    let after = forward
        .units
        .iter()
        .map(|unit| (i64::from(unit.depth), unit));
    for (step, unit) in before.chain(after) {
        let is_known = found.iter().any(|(_, known)| known.code == unit.code);
        if step.abs() <= STEPS_MAX && !is_known {
            found.push((step, unit));
        }
    }
    found
}

fn drawn(
    language: Language,
    units: &[(i64, &TracedUnit)],
    back: &TraceAnswer,
    forward: &TraceAnswer,
) -> Markup {
    let first = units.iter().map(|(step, _)| *step).min().unwrap_or(0);
    let mut rows: BTreeMap<i64, i64> = BTreeMap::new();
    let mut places: HashMap<TraceCode, (i64, i64)> = HashMap::new();
    for (step, unit) in units {
        let row = rows.entry(*step).or_insert(0);
        let place = ((step - first) * (WIDTH + GAP) + 4, *row * (HEIGHT + 14) + 4);
        places.insert(unit.code, place);
        *row += 1;
    }
    let columns = i64::try_from(rows.len()).unwrap_or(1);
    let width = columns * (WIDTH + GAP) - GAP + 8;
    let height = rows.values().max().unwrap_or(&1) * (HEIGHT + 14);
    let edges = back.edges.iter().chain(&forward.edges);
    let lines = edges.filter_map(|edge| Some((*places.get(&edge.from)?, *places.get(&edge.to)?)));
    html! {
        div.wide tabindex="0" role="group" aria-label=(language.of("Lineage, drawn", "追溯图")) {
            svg role="img" aria-labelledby="lineage-title" width=(width) height=(height)
                viewBox=(format!("0 0 {width} {height}")) {
                title id="lineage-title" {
                    (language.of("Lineage: the table beneath says the same", "追溯图,内容同下表"))
                }
                @for ((x1, y1), (x2, y2)) in lines {
                    path fill="none" stroke="currentColor" stroke-width="2"
                        d=(path((x1 + WIDTH, y1 + HEIGHT / 2), (x2, y2 + HEIGHT / 2))) {}
                }
                @for (step, unit) in units {
                    @if let Some((x, y)) = places.get(&unit.code) {
                        rect x=(x) y=(y) width=(WIDTH) height=(HEIGHT) rx="8" stroke="currentColor"
                            stroke-width=(if *step == 0 { "4" } else { "1.5" })
                            fill="currentColor" fill-opacity="0.05" {}
                        text x=(x + 10) y=(y + 22) font-size="15" font-weight="700" fill="currentColor" {
                            (brief(&unit.product))
                        }
                        text x=(x + 10) y=(y + 42) font-size="13" fill="currentColor" {
                            (language.of(unit.status_words, unit.status_words_zh)) " · …" (last(unit.code))
                        }
                    }
                }
            }
        }
    }
}

/// A line with its arrow's head.
fn path((x1, y1): (i64, i64), (x2, y2): (i64, i64)) -> String {
    let middle = (x1 + x2) / 2;
    format!(
        "M{x1} {y1}C{middle} {y1} {middle} {y2} {x2} {y2}M{} {}L{x2} {y2}L{} {}",
        x2 - 8,
        y2 - 5,
        x2 - 8,
        y2 + 5
    )
}

/// As much of a product's name as fits a box.
fn brief(product: &str) -> String {
    match product.chars().count() {
        0..=10 => product.to_owned(),
        _ => format!("{}…", product.chars().take(9).collect::<String>()),
    }
}

/// The end of a code, by which a label is told from its neighbours.
fn last(code: TraceCode) -> String {
    let text = code.to_string();
    text.rsplit_once('-')
        .and_then(|(rest, check)| Some(format!("{}-{check}", rest.rsplit_once('-')?.1)))
        .unwrap_or(text)
}

fn table(language: Language, back: &TraceAnswer, forward: &TraceAnswer) -> Markup {
    let product = |code: TraceCode| {
        let mut all = back.units.iter().chain(&forward.units);
        all.find(|unit| unit.code == code)
            .map(|unit| unit.product.as_str())
    };
    html! {
        div.wide tabindex="0" role="group" aria-label=(language.of("Lineage as a table", "追溯表")) {
            table {
                thead { tr {
                    th scope="col" { (language.of("From", "来源")) }
                    th scope="col" { (language.of("Used", "用量")) }
                    th scope="col" { (language.of("Act", "环节")) }
                    th scope="col" { (language.of("Into", "制成")) }
                    th scope="col" { (language.of("Made", "产量")) }
                    th scope="col" { (language.of("When", "时间")) }
                } }
                tbody {
                    @for edge in back.edges.iter().chain(&forward.edges) {
                        tr {
                            td { (product(edge.from).unwrap_or_default()) " " (lead(edge.from)) }
                            td { (amount(language, edge.used)) }
                            td { (language.of(edge.act, edge.act_zh)) }
                            td { (product(edge.to).unwrap_or_default()) " " (lead(edge.to)) }
                            td { (amount(language, edge.made)) }
                            td { (edge.at.chars().take(16).collect::<String>().replace('T', " ")) }
                        }
                    }
                }
            }
        }
        @for answer in [back, forward] {
            @if !answer.open.is_empty() {
                p { a.act href=(format!("/v1/codes/{}/trace?direction={}", answer.code.compact(), answer.direction.name())) {
                    (match answer.direction {
                        Way::Back => language.of("It was made of more: all of it, as JSON", "尚有更多来源(JSON)"),
                        Way::Forward => language.of("More was made of it: all of it, as JSON", "尚有更多去向(JSON)"),
                    })
                } }
            }
        }
    }
}

/// So much, as people say it; nothing where it is not shown.
fn amount(language: Language, amount: Option<Amount>) -> String {
    amount.map_or_else(
        || "–".to_owned(),
        |it| measured(language, it.amount, it.base),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_box_says_what_tells_a_code_from_its_neighbours() {
        let code = TraceCode::parse("000G-40R4-0M30-E209-P").unwrap();
        assert_eq!(last(code), "E209-P");
        assert_eq!(brief("黄瓜"), "黄瓜");
        assert_eq!(brief("一二三四五六七八九十甲").chars().count(), 10);
    }
}
