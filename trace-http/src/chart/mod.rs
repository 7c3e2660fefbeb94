//! A course of temperatures as a picture: SVG of the server's own making, whole in
//! itself, to stand in a page or in a file.
//!
//! The band is shaded between its limits; excursions are shaded, bracketed and
//! numbered as in the table beneath; where nothing is known there is a crossed box
//! and no line. Nothing is said by colour alone, a screen reader is told the same
//! in words, and there is neither script nor style: presentation attributes alone
//! (SVG 2, 6.6), which every content policy lets through.
//!
//! A pure function of what was judged. The line spans the lowest and the highest
//! reading of each column of time, so that no extreme is lost and the picture stays
//! below 200 kB however many and wild the readings were.

mod frame;
mod marks;
mod table;
mod words;

pub use table::tables;
pub use words::Local;

use maud::{Markup, PreEscaped, html};
use trace_core::{
    ledger::cold_chain::Kept,
    record::keeping::{Curve, Excursion, Run},
};

use frame::Frame;
use words::{summary, title};

/// Columns of time that a chart has: one for each pixel or two of its width.
pub const COLUMNS: u32 = 480;

/// How large a chart is drawn; it scales to the room it is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// 360 by 190: beside other things, on a telephone.
    Small,
    /// 960 by 400: by itself, with a key.
    Full,
}

/// What is drawn: legs of a journey, or one probe over a time.
#[derive(Debug)]
pub struct Plot<'a> {
    /// Tells apart what stands on one page.
    pub id: u64,
    /// Each time that was judged, in order.
    pub legs: Vec<Leg<'a>>,
    /// The times between them without any refrigeration.
    pub outside: &'a [Run],
}

/// A time that was judged by one policy.
#[derive(Debug)]
pub struct Leg<'a> {
    /// From when until when.
    pub run: Run,
    /// The coldest that the policy allows.
    pub low_milli_c: Option<i32>,
    /// The warmest that the policy allows.
    pub high_milli_c: Option<i32>,
    /// The course.
    pub curve: &'a Curve,
    /// The first runs outside the band.
    pub excursions: &'a [Excursion],
    /// The first runs that nothing is known of.
    pub gaps: &'a [Run],
    /// The coldest and the warmest reading.
    pub extremes_milli_c: Option<(i32, i32)>,
    /// How long it was outside in all.
    pub outside_ms: u64,
    /// How long nothing is known of.
    pub gap_ms: u64,
}

static NOTHING: Curve = Curve { drawn: Vec::new() };

impl<'a> Plot<'a> {
    /// Of a unit.
    #[must_use]
    pub fn of(kept: &'a Kept) -> Self {
        let legs = kept.stays.iter().map(|stay| Leg {
            run: Run {
                from_ms: stay.from_ms,
                until_ms: stay.until_ms,
            },
            low_milli_c: stay.low_milli_c,
            high_milli_c: stay.high_milli_c,
            curve: stay.curve.as_ref().unwrap_or(&NOTHING),
            excursions: &stay.verdict.excursions,
            gaps: &stay.verdict.gaps,
            extremes_milli_c: stay.verdict.extremes_milli_c,
            outside_ms: stay.verdict.outside_ms,
            gap_ms: stay.verdict.gap_ms,
        });
        Self {
            id: kept.stays.first().map_or(0, |stay| stay.placed_index),
            legs: legs.collect(),
            outside: &kept.outside_stays,
        }
    }

    /// Draws it.
    #[must_use]
    pub fn draw(&self, size: Size, local: Local) -> Markup {
        let frame = Frame::of(self, size);
        let (width, height) = frame.size();
        let (title_id, words_id) = (format!("t{}", self.id), format!("d{}", self.id));
        html! {
            svg xmlns="http://www.w3.org/2000/svg" role="img"
                viewBox=(format!("0 0 {width} {height}"))
                width="100%" aria-labelledby=(format!("{title_id} {words_id}"))
                font-family="system-ui, 'Noto Sans CJK SC', sans-serif" font-size=(frame.text()) fill="#1a1a1a" {
                title id=(title_id) { (title(self, local)) }
                desc id=(words_id) { (summary(self, local)) }
                rect width=(width) height=(height) fill="#ffffff" {}
                @for leg in &self.legs { (frame.band(leg)) }
                @for run in self.outside { (frame.unrefrigerated(*run, local)) }
                @for leg in &self.legs {
                    @for gap in leg.gaps { (frame.gap(*gap, local)) }
                }
                (marks::excursions(&frame, self))
                (frame.temperatures())
                (frame.times(local))
                @for leg in &self.legs {
                    (marks::limits(&frame, leg))
                    (marks::course(&frame, leg))
                }
                (marks::numbers(&frame, self))
                @if size == Size::Full { (marks::key(&frame, local)) }
            }
        }
    }
}

/// How a unit was kept, as a picture; nothing of one that was placed nowhere.
#[must_use]
pub fn chart(kept: &Kept, size: Size, local: Local) -> Markup {
    Plot::of(kept).draw(size, local)
}

/// The same as a file by itself.
#[must_use]
pub fn file(plot: &Plot<'_>, local: Local) -> String {
    let drawn = plot.draw(Size::Full, local);
    let whole = html! { (PreEscaped("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n")) (drawn) };
    whole.into_string()
}

#[cfg(test)]
mod tests;
