//! What a unit was made of and what was made of it: as a picture, each step a row,
//! and as tables with the quantities that the token may see.
//!
//! The same answer as the API's, both ways, each so many units at most. The picture
//! leaves out what no row has room for and says so; the tables have all that was
//! followed, and where it goes on.

use std::collections::BTreeMap;

use maud::{Markup, html};
use trace_core::{
    ident::TraceCode,
    ledger::{
        Failed, View,
        lookup::{Audience, Lookup},
        tokens::TokenGrant,
    },
    record::Status,
};

use super::{entity::name, link};
use crate::{
    api::{
        Office,
        lineage::{Amount, TraceAnswer, TracePage, TracedEdge, TracedUnit, Way, traced},
        office::civil_offset_minutes,
        sight::Sight,
    },
    desk::frame::measured,
    language::Language,
};

/// Units of each way: with both, and the acts between them, some 15 kB of a page.
const UNITS_MAX: usize = 16;

/// Boxes of one row of the picture.
const BOXES_MAX: usize = 6;

/// Sizes of the picture, in its own pixels: two boxes stand side by side on a
/// telephone.
const BOX: (usize, usize) = (170, 72);
const GAP: (usize, usize) = (12, 44);

/// Both ways of a unit.
pub(super) struct Lineage {
    back: TraceAnswer,
    forward: TraceAnswer,
}

/// Follows a unit both ways, as far as the token sees.
///
/// # Errors
/// [`Store`](trace_core::error::Store).
pub(super) fn follow(
    office: &Office,
    view: &View,
    token: &TokenGrant,
    code: TraceCode,
) -> Result<Lineage, Failed> {
    let mut lookup = office.lookup(view, Audience::Public)?;
    let mut sight = Sight::new(view, Some(token));
    let offset = civil_offset_minutes(view)?;
    let mut way = |lookup: &mut Lookup<'_>, way: Way| {
        let page = TracePage {
            direction: Some(way),
            limit: Some(UNITS_MAX),
            ..TracePage::default()
        };
        traced(view, lookup, &mut sight, offset, code, &page)
    };
    Ok(Lineage {
        back: way(&mut lookup, Way::Back)?,
        forward: way(&mut lookup, Way::Forward)?,
    })
}

impl Lineage {
    /// Every unit once, with its step: below nothing what it was made of.
    fn units(&self) -> Vec<(i64, &TracedUnit)> {
        let back = self
            .back
            .units
            .iter()
            .map(|unit| (-i64::from(unit.depth), unit));
        let forward = self.forward.units.iter().filter(|unit| unit.depth > 0);
        let forward = forward.map(|unit| (i64::from(unit.depth), unit));
        let mut all: Vec<_> = back.chain(forward).collect();
        all.sort_by_key(|(step, _)| *step);
        all
    }

    fn edges(&self) -> impl Iterator<Item = &TracedEdge> {
        self.back.edges.iter().chain(&self.forward.edges)
    }

    fn is_open(&self) -> bool {
        !self.back.open.is_empty() || !self.forward.open.is_empty()
    }

    /// Whether it is more than the unit alone.
    fn has_steps(&self) -> bool {
        self.edges().next().is_some()
    }
}

/// The picture and the tables.
pub(super) fn told(language: Language, lineage: &Lineage, with_picture: bool) -> Markup {
    html! {
        h2 id="lineage" { (language.of("Lineage", "来源与去向")) }
        @if !lineage.has_steps() {
            p { (language.of(
                "It was made of no other unit, and none was made of it.",
                "没有来源单元,也没有由其制成的单元。",
            )) }
        } @else {
            @if with_picture { (picture(language, lineage)) }
            (units(language, lineage))
            (steps(language, lineage))
            @if lineage.is_open() {
                p.quiet { (language.of(
                    "It goes on beyond what is shown: look up a unit at its end, or take the recall sheet, which has all.",
                    "此处未能全部列出:请查询末端单元,或下载包含全部单元的召回清单。",
                )) }
            }
        }
    }
}

/// Where the boxes stand: by code, column and row.
struct Places {
    of: BTreeMap<TraceCode, (usize, usize)>,
    columns: usize,
    rows: usize,
    left_out: usize,
}

impl Places {
    fn of(lineage: &Lineage) -> Self {
        let mut rows: BTreeMap<i64, Vec<TraceCode>> = BTreeMap::new();
        let mut left_out = 0;
        for (step, unit) in lineage.units() {
            let row = rows.entry(step).or_default();
            match row.len() < BOXES_MAX {
                true => row.push(unit.code),
                false => left_out += 1,
            }
        }
        let columns = rows.values().map(Vec::len).max().unwrap_or(1);
        let mut of = BTreeMap::new();
        for (row, codes) in rows.values().enumerate() {
            for (column, code) in codes.iter().enumerate() {
                of.insert(*code, (column, row));
            }
        }
        Self {
            of,
            columns,
            rows: rows.len(),
            left_out,
        }
    }

    fn size(&self) -> (usize, usize) {
        let width = self.columns * (BOX.0 + GAP.0) - GAP.0;
        let height = self.rows * (BOX.1 + GAP.1) - GAP.1;
        (width + 4, height + 4)
    }
}

/// Left and top of a box.
fn corner((column, row): (usize, usize)) -> (usize, usize) {
    (2 + column * (BOX.0 + GAP.0), 2 + row * (BOX.1 + GAP.1))
}

fn picture(language: Language, lineage: &Lineage) -> Markup {
    let places = Places::of(lineage);
    let (width, height) = places.size();
    let (all, edges) = (lineage.units(), lineage.edges().count());
    let title = language.of("Lineage as a picture", "来源与去向图");
    let what = match language {
        Language::Chinese => format!(
            "{} 个追溯单元,{edges} 步;上为来源,下为去向。下表内容相同。",
            all.len()
        ),
        Language::English => format!(
            "{} units, {edges} steps; above what it was made of, below what was made of it. \
             The tables say the same.",
            all.len()
        ),
    };
    html! {
        div.wide tabindex="0" role="region" aria-label=(title) {
            svg.lineage role="img" aria-labelledby="lineage-title lineage-what"
                viewBox=(format!("0 0 {width} {height}")) width=(width) height=(height) {
                title id="lineage-title" { (title) }
                desc id="lineage-what" { (what) }
                defs {
                    marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto" {
                        path d="M0 0L8 4L0 8z" fill="currentColor" {}
                    }
                }
                @for edge in lineage.edges() {
                    @if let (Some(from), Some(to)) = (places.of.get(&edge.from), places.of.get(&edge.to)) {
                        (arrow(corner(*from), corner(*to)))
                    }
                }
                @for (step, unit) in &all {
                    @if let Some(place) = places.of.get(&unit.code) {
                        (boxed(language, corner(*place), *step == 0, unit))
                    }
                }
            }
        }
        @if places.left_out > 0 {
            p.quiet { (match language {
                Language::Chinese => format!("图中未画出 {} 个单元,见下表。", places.left_out),
                Language::English => format!("{} units are in the table alone.", places.left_out),
            }) }
        }
    }
}

/// From the foot of one box to the head of another.
fn arrow(from: (usize, usize), to: (usize, usize)) -> Markup {
    let (x1, y1) = (from.0 + BOX.0 / 2, from.1 + BOX.1);
    let (x2, y2) = (to.0 + BOX.0 / 2, to.1.saturating_sub(2));
    let middle = (y1 + y2) / 2;
    html! {
        path d=(format!("M{x1} {y1}C{x1} {middle} {x2} {middle} {x2} {y2}"))
            fill="none" stroke="currentColor" stroke-width="1.5" marker-end="url(#tip)" {}
    }
}

fn boxed(language: Language, (x, y): (usize, usize), is_own: bool, unit: &TracedUnit) -> Markup {
    let sign = match unit.status {
        Status::Valid => "✓",
        _ => "!",
    };
    let words = language.of(unit.status_words, unit.status_words_zh);
    let dashes = unit.is_declared.then_some("6 4");
    html! {
        g {
            rect x=(x) y=(y) width=(BOX.0) height=(BOX.1) rx="8" fill="none" stroke="currentColor"
                stroke-width=(if is_own { "4" } else { "1.5" }) stroke-dasharray=[dashes] {}
            text x=(x + 6) y=(y + 22) { (cut(&unit.product, 18)) }
            text.code x=(x + 6) y=(y + 43) textLength=(BOX.0 - 12) lengthAdjust="spacingAndGlyphs" { (unit.code) }
            text x=(x + 6) y=(y + 64) { (sign) " " (cut(words, 15)) }
        }
    }
}

/// As much of a text as fits a box: a wide character has the room of two.
fn cut(text: &str, room: usize) -> String {
    let mut used = 0;
    let mut kept = String::new();
    for letter in text.chars() {
        used += if letter.is_ascii() { 1 } else { 2 };
        if used > room {
            kept.push('…');
            break;
        }
        kept.push(letter);
    }
    kept
}

fn units(language: Language, lineage: &Lineage) -> Markup {
    let caption = language.of("Units", "追溯单元");
    html! {
        div.wide tabindex="0" role="region" aria-label=(caption) {
            table {
                caption { (caption) }
                thead { tr {
                    th scope="col" { (language.of("Step", "步")) }
                    th scope="col" { (language.of("Unit", "追溯单元")) }
                    th scope="col" { (language.of("State", "状态")) }
                    th scope="col" { (language.of("Made", "产出")) }
                    th scope="col" { (language.of("Held now, by", "现存,持有者")) }
                } }
                tbody { @for (step, unit) in lineage.units() { tr {
                    td { @if step > 0 { "+" } (step) }
                    td {
                        (unit.product) " " (unit.produced_on) br;
                        a.code href=(link(unit.code)) { (unit.code) }
                        @if unit.is_declared { br; (language.of("origin by paper alone", "来源仅凭纸质凭证")) }
                    }
                    td {
                        (language.of(unit.status_words, unit.status_words_zh))
                        @if let Some(tests) = &unit.tests {
                            br; (match language {
                                Language::Chinese => format!("检验合格 {},不合格 {}", tests.passed, tests.failed),
                                Language::English => format!("tests: {} passed, {} failed", tests.passed, tests.failed),
                            })
                        }
                    }
                    @match &unit.balance {
                        Some(balance) => {
                            td { (measured(language, balance.made, balance.base)) }
                            td {
                                (measured(language, balance.held, balance.base))
                                @for holder in &unit.holders {
                                    br; a href=(link(holder.entity)) { (name(language, holder.name.as_deref())) }
                                    " " (measured(language, holder.amount, balance.base))
                                }
                            }
                        }
                        None => { td { "–" } td { "–" } }
                    }
                } } }
            }
        }
        @if lineage.units().iter().any(|(_, unit)| unit.balance.is_none()) {
            p.quiet { (language.of(
                "– : your token does not oversee that unit.",
                "–:您的令牌不监管该单元。",
            )) }
        }
    }
}

fn steps(language: Language, lineage: &Lineage) -> Markup {
    let caption = language.of("Steps", "步骤");
    let used = |amount: Option<Amount>| match amount {
        Some(it) => measured(language, it.amount, it.base),
        None => "–".to_owned(),
    };
    html! {
        div.wide tabindex="0" role="region" aria-label=(caption) {
            table {
                caption { (caption) }
                thead { tr {
                    th scope="col" { (language.of("From", "来自")) }
                    th scope="col" { (language.of("Used", "用量")) }
                    th scope="col" { (language.of("Into", "制成")) }
                    th scope="col" { (language.of("Made", "产量")) }
                    th scope="col" { (language.of("Act", "事项")) }
                } }
                tbody { @for edge in lineage.edges() { tr {
                    td.code { (edge.from) }
                    td { (used(edge.used)) }
                    td.code { (edge.to) }
                    td { (used(edge.made)) }
                    td {
                        (language.of(edge.act.replace('_', " ").as_str(), edge.act_zh))
                        " · " (edge.at.get(..10).unwrap_or_default())
                        " · " (language.of("record ", "记录 ")) (edge.index)
                    }
                } } }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_where_its_box_ends() {
        assert_eq!(cut("tomatoes", 20), "tomatoes");
        assert_eq!(cut("番茄番茄番茄", 8), "番茄番茄…");
        assert_eq!(cut("", 8), "");
    }

    #[test]
    fn an_arrow_leads_from_foot_to_head() {
        let drawn = arrow((2, 2), (2, 120)).into_string();
        assert!(drawn.contains("M87 74C87 96 87 96 87 118"), "{drawn}");
    }
}
