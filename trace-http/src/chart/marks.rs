//! What stands before the frame: the course itself, the limits of the band, and
//! the excursions with their numbers.

use std::fmt::Write;

use maud::{Markup, html};
use trace_core::record::keeping::{Drawn, Excursion};

use super::{
    Leg, Plot,
    frame::{Frame, text_width},
    words::{Local, celsius},
};

/// Numbered excursions of all legs, in the order of the table.
fn numbered<'a>(plot: &'a Plot<'_>) -> impl Iterator<Item = (usize, &'a Excursion)> {
    (1..).zip(plot.legs.iter().flat_map(|leg| leg.excursions))
}

/// Each excursion from top to bottom, with a bracket above.
pub(super) fn excursions(frame: &Frame, plot: &Plot<'_>) -> Markup {
    let (_, top, _, bottom) = frame.room();
    let rects = numbered(plot).map(|(_, excursion)| frame.across(excursion.run));
    let rects: Vec<_> = rects.collect();
    html! {
        @for (x, width) in &rects {
            rect x=(x) y=(top) width=(width) height=(bottom - top) fill="#f8d3cb" {}
            path d=(format!("M{x} {}V{}H{}V{}", top + 60, top - 30, x + width, top + 60))
                fill="none" stroke="#8c1a10" stroke-width="18" {}
        }
    }
}

/// The numbers over the excursions, with their peaks where there is room: the
/// widest first would hide the order, so what would overlap is left to the table.
pub(super) fn numbers(frame: &Frame, plot: &Plot<'_>) -> Markup {
    let (left, top, right, _) = frame.room();
    let size = frame.text();
    let mut free = left - 100;
    let mut labels = Vec::new();
    for (number, excursion) in numbered(plot) {
        let (x, width) = frame.across(excursion.run);
        let middle = x + width / 2;
        let long = format!("{number}: {} °C", celsius(excursion.peak_milli_c));
        for words in [long, number.to_string()] {
            let half = text_width(&words, size) / 2;
            let at = middle.min(right + 100 - half).max(left - 100 + half);
            if at - half >= free {
                free = at + half + size / 2;
                labels.push((at, words));
                break;
            }
        }
    }
    html! {
        @for (x, words) in &labels {
            text x=(x) y=(top - 60) text-anchor="middle" font-weight="600" fill="#7a130a" { (words) }
        }
        @for (_, excursion) in numbered(plot) {
            @let (x, y) = (frame.x(excursion.peak_at_ms), frame.y(excursion.peak_milli_c));
            circle cx=(x) cy=(y) r="32" fill="#ffffff" stroke="#7a130a" stroke-width="14" {}
        }
    }
}

/// The limits of the band, as dashed lines with their degrees.
pub(super) fn limits(frame: &Frame, leg: &Leg<'_>) -> Markup {
    let (x, width) = frame.across(leg.run);
    let size = frame.text();
    let limits = [(leg.high_milli_c, -40), (leg.low_milli_c, size)];
    html! {
        @for (limit, off) in limits {
            @if let Some(limit) = limit {
                @let (y, words) = (frame.y(limit), format!("{} °C", celsius(limit)));
                line x1=(x) y1=(y) x2=(x + width) y2=(y) stroke="#1d6b3c" stroke-width="14"
                    stroke-dasharray="90 50" {}
                @if width > text_width(&words, size) + 80 {
                    text x=(x + 40) y=(y + off) fill="#14522d" stroke="#ffffff" stroke-width="40"
                        paint-order="stroke" stroke-linejoin="round" { (words) }
                }
            }
        }
    }
}

/// The course: from the lowest to the highest of each column, and no line across
/// a gap.
pub(super) fn course(frame: &Frame, leg: &Leg<'_>) -> Markup {
    let runs = leg.curve.drawn.chunk_by(|_, next| !next.is_after_gap);
    let runs: Vec<_> = runs.collect();
    html! {
        @for run in runs {
            @if let ([only], true) = (run, is_point(frame, run)) {
                circle cx=(frame.x(only.from_ms)) cy=(frame.y(only.lowest_milli_c)) r="22"
                    fill="#12406b" {}
            } @else {
                path d=(outline(frame, run)) fill="#9dbbd8" stroke="#12406b" stroke-width="18"
                    stroke-linejoin="round" {}
            }
        }
    }
}

fn is_point(frame: &Frame, run: &[Drawn]) -> bool {
    run.first().is_some_and(|it| {
        frame.x(it.from_ms) == frame.x(it.until_ms) && it.lowest_milli_c == it.highest_milli_c
    })
}

/// Along the highest and back along the lowest.
fn outline(frame: &Frame, run: &[Drawn]) -> String {
    let ends = |it: &Drawn| [frame.x(it.from_ms), frame.x(it.until_ms)];
    let upper = run
        .iter()
        .flat_map(|it| ends(it).map(|x| (x, frame.y(it.highest_milli_c))));
    let lower = run.iter().rev().flat_map(|it| {
        let [from, until] = ends(it);
        [until, from].map(|x| (x, frame.y(it.lowest_milli_c)))
    });
    let mut path = String::new();
    let mut last = None;
    for (x, y) in upper.chain(lower) {
        if last == Some((x, y)) {
            continue;
        }
        let step = if last.is_none() { 'M' } else { 'L' };
        // A string takes all that is written to it.
        let _ = write!(path, "{step}{x} {y}");
        last = Some((x, y));
    }
    path.push('Z');
    path
}

/// What the signs mean.
pub(super) fn key(frame: &Frame, local: Local) -> Markup {
    let (left, _, _, bottom) = frame.room();
    let (y, size) = (bottom + 580, frame.text());
    let of = |english, chinese| local.language.of(english, chinese);
    let words = [
        of("readings, lowest to highest", "读数(最低至最高)"),
        of("band of the policy", "规则允许范围"),
        of("outside the band, with its peak", "超温,数字为峰值"),
        of("nothing is known", "无数据"),
    ];
    let mut x = left;
    let places = words.map(|it| {
        let place = x;
        x += 560 + text_width(it, size);
        place
    });
    let [line, band, excursion, gap] = places;
    html! {
        line x1=(line) y1=(y - 45) x2=(line + 300) y2=(y - 45) stroke="#12406b" stroke-width="36" {}
        rect x=(band) y=(y - 130) width="300" height="160" fill="#dff1e4" stroke="#1d6b3c"
            stroke-width="14" stroke-dasharray="90 50" {}
        rect x=(excursion) y=(y - 130) width="300" height="160" fill="#f8d3cb" {}
        path d=(format!("M{excursion} {}V{}H{}V{}", y - 80, y - 140, excursion + 300, y - 80))
            fill="none" stroke="#8c1a10" stroke-width="18" {}
        rect x=(gap) y=(y - 130) width="300" height="160" fill="#f0f0f0" stroke="#555555"
            stroke-width="8" stroke-dasharray="40 30" {}
        path d=(format!("M{gap} {0}L{2} {1}M{gap} {1}L{2} {0}", y - 130, y + 30, gap + 300))
            fill="none" stroke="#8a8a8a" stroke-width="6" {}
        @for (x, words) in places.iter().zip(words) {
            text x=(x + 360) y=(y) { (words) }
        }
    }
}
