//! Where a time and a temperature stand in the picture, and what stands behind the
//! course: axes, band, gaps. Coordinates are integers, tenths of a pixel.

use maud::{Markup, html};
use trace_core::{ident::CivilDate, record::keeping::Run};

use super::{
    Leg, Plot, Size,
    words::{Local, celsius, clock, minutes},
};

const MINUTE_MS: u64 = 60_000;
const HOUR_MS: u64 = 60 * MINUTE_MS;
const DAY_MS: u64 = 24 * HOUR_MS;

/// Steps of time between two marks of the axis.
const TIME_STEPS_MS: [u64; 17] = [
    MINUTE_MS,
    2 * MINUTE_MS,
    5 * MINUTE_MS,
    10 * MINUTE_MS,
    30 * MINUTE_MS,
    HOUR_MS,
    2 * HOUR_MS,
    3 * HOUR_MS,
    6 * HOUR_MS,
    12 * HOUR_MS,
    DAY_MS,
    2 * DAY_MS,
    5 * DAY_MS,
    10 * DAY_MS,
    30 * DAY_MS,
    90 * DAY_MS,
    180 * DAY_MS,
];

/// Steps of temperature between two marks of the axis, in milli-degrees.
const DEGREE_STEPS: [i64; 8] = [500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000];

/// The least that the axis of temperatures spans: noise of a tenth of a degree is
/// not drawn as a mountain.
const SPAN_MILLI_C_MIN: i64 = 4_000;

/// The room of the picture and what it shows.
pub(super) struct Frame {
    size: Size,
    from_ms: u64,
    length_ms: u64,
    low: i64,
    high: i64,
}

impl Frame {
    pub(super) fn of(plot: &Plot<'_>, size: Size) -> Self {
        let legs = || plot.legs.iter();
        let from_ms = legs().map(|leg| leg.run.from_ms).min().unwrap_or(0);
        let until_ms = legs().map(|leg| leg.run.until_ms).max().unwrap_or(0);
        let limits = legs().flat_map(|leg| [leg.low_milli_c, leg.high_milli_c]);
        let limits = limits.flatten();
        let read = legs().filter_map(|leg| leg.extremes_milli_c);
        // Readings beside the stay are drawn at its ends.
        let drawn = legs().flat_map(|leg| leg.curve.drawn.iter());
        let shown = limits
            .chain(read.flat_map(|(low, high)| [low, high]))
            .chain(drawn.flat_map(|it| [it.lowest_milli_c, it.highest_milli_c]));
        let low = i64::from(shown.clone().min().unwrap_or(0));
        let high = i64::from(shown.max().unwrap_or(0));
        let wanting = (SPAN_MILLI_C_MIN - (high - low)).max(0) / 2;
        let margin = (high - low).max(SPAN_MILLI_C_MIN) / 8;
        Self {
            size,
            from_ms,
            length_ms: until_ms.saturating_sub(from_ms).max(1),
            low: low - wanting - margin,
            high: high + wanting + margin,
        }
    }

    pub(super) fn size(&self) -> (i64, i64) {
        match self.size {
            Size::Small => (3_600, 1_900),
            Size::Full => (9_600, 4_200),
        }
    }

    pub(super) fn text(&self) -> i64 {
        match self.size {
            Size::Small => 110,
            Size::Full => 130,
        }
    }

    /// Left, top, right and bottom of the course's room.
    pub(super) fn room(&self) -> (i64, i64, i64, i64) {
        match self.size {
            Size::Small => (480, 200, 3_520, 1_560),
            Size::Full => (680, 280, 9_480, 3_480),
        }
    }

    pub(super) fn x(&self, at_ms: u64) -> i64 {
        let (left, _, right, _) = self.room();
        let since = i128::from(at_ms.saturating_sub(self.from_ms).min(self.length_ms));
        let along = since * i128::from(right - left) / i128::from(self.length_ms);
        left + i64::try_from(along).unwrap_or(0)
    }

    pub(super) fn y(&self, milli_c: i32) -> i64 {
        let (_, top, _, bottom) = self.room();
        let below = self.high - i64::from(milli_c);
        (top + below * (bottom - top) / (self.high - self.low).max(1)).clamp(top, bottom)
    }

    /// Left and width of a run, never narrower than a line.
    pub(super) fn across(&self, run: Run) -> (i64, i64) {
        let (_, _, right, _) = self.room();
        let left = self.x(run.from_ms).min(right - 15);
        (left, (self.x(run.until_ms) - left).max(15))
    }

    pub(super) fn band(&self, leg: &Leg<'_>) -> Markup {
        let (_, top, _, bottom) = self.room();
        let (x, width) = self.across(leg.run);
        let upper = leg.high_milli_c.map_or(top, |high| self.y(high));
        let lower = leg.low_milli_c.map_or(bottom, |low| self.y(low));
        let has_band = leg.high_milli_c.is_some() || leg.low_milli_c.is_some();
        html! {
            @if has_band {
                rect x=(x) y=(upper) width=(width) height=(lower - upper) fill="#dff1e4" {}
            }
        }
    }

    /// A crossed box: the sign of the drawing board for what is not there.
    pub(super) fn gap(&self, gap: Run, local: Local) -> Markup {
        self.crossed(gap, local.language.of("no readings", "无读数"), "#f0f0f0")
    }

    pub(super) fn unrefrigerated(&self, run: Run, local: Local) -> Markup {
        let words = local.language.of("out of refrigeration", "脱离冷藏");
        self.crossed(run, words, "#fff3cf")
    }

    fn crossed(&self, run: Run, words: &str, fill: &str) -> Markup {
        let (_, top, _, bottom) = self.room();
        let (x, width) = self.across(run);
        let (height, end) = (bottom - top, x + width);
        let needed = text_width(words, self.text());
        let middle = (top + bottom) / 2;
        html! {
            rect x=(x) y=(top) width=(width) height=(height) fill=(fill)
                stroke="#555555" stroke-width="8" stroke-dasharray="40 30" {}
            @if width > 60 {
                path d=(format!("M{x} {top}L{end} {bottom}M{x} {bottom}L{end} {top}"))
                    stroke="#8a8a8a" stroke-width="6" fill="none" {}
            }
            @if width > needed + 80 {
                rect x=(x + width / 2 - needed / 2 - 30) y=(middle - 110) width=(needed + 60)
                    height="220" fill=(fill) {}
                text x=(x + width / 2) y=(middle + 45) text-anchor="middle" { (words) }
            }
        }
    }

    pub(super) fn temperatures(&self) -> Markup {
        let (left, top, right, bottom) = self.room();
        let most = match self.size {
            Size::Small => 5,
            Size::Full => 8,
        };
        let span = self.high - self.low;
        let fits = |step: &&i64| span / **step <= most;
        let step = *DEGREE_STEPS.iter().find(fits).unwrap_or(&200_000);
        let first = self.low.div_euclid(step) + 1;
        let marks = (first..=self.high.div_euclid(step)).filter_map(|it| {
            let milli_c = i32::try_from(it * step).ok()?;
            Some((milli_c, self.y(milli_c)))
        });
        html! {
            @for (milli_c, y) in marks {
                line x1=(left) y1=(y) x2=(right) y2=(y) stroke="#c4c4c4" stroke-width="5" {}
                text x=(left - 50) y=(y + 45) text-anchor="end" { (celsius(milli_c)) }
            }
            rect x=(left) y=(top) width=(right - left) height=(bottom - top) fill="none"
                stroke="#444444" stroke-width="8" {}
            text x=(left - 50) y=(top - 70) text-anchor="end" { "°C" }
        }
    }

    /// Marks at whole local times; the day stands below the first of each day.
    pub(super) fn times(&self, local: Local) -> Markup {
        let (left, _, right, bottom) = self.room();
        let most = match self.size {
            Size::Small => 4,
            Size::Full => 9,
        };
        let fits = |step: &&u64| self.length_ms / **step <= most;
        let step = *TIME_STEPS_MS.iter().find(fits).unwrap_or(&(720 * DAY_MS));
        let ahead_ms = i64::from(local.offset_minutes) * 60_000;
        let until_ms = self.from_ms.saturating_add(self.length_ms);
        let local_ms = self.from_ms.saturating_add_signed(ahead_ms);
        let first = (local_ms.div_ceil(step) * step).saturating_add_signed(-ahead_ms);
        let mut days = Vec::new();
        let mut marks = Vec::new();
        let mut at_ms = first;
        while at_ms <= until_ms && marks.len() < 16 {
            let x = self.x(at_ms);
            let day = CivilDate::from_ms(at_ms, local.offset_minutes)
                .map_or_else(|_| String::new(), |day| day.to_string());
            let text = match step < DAY_MS {
                true => clock(at_ms, local.offset_minutes),
                false => day.get(5..).unwrap_or_default().to_owned(),
            };
            // Of whole days the year stands once.
            let below = match step < DAY_MS {
                true => day,
                false => day.get(..4).unwrap_or_default().to_owned(),
            };
            if days.last().is_none_or(|(_, last)| *last != below) {
                days.push((x, below));
            }
            marks.push((x, text));
            at_ms = at_ms.saturating_add(step);
        }
        let (line, text) = (bottom + 60, self.text());
        let mut free = i64::MIN;
        days.retain(|(x, day)| {
            let half = text_width(day, text) / 2;
            let fits = x - half > free;
            if fits {
                free = x + half + 60;
            }
            fits
        });
        let anchor = |x: i64, words: &str| {
            let half = text_width(words, text) / 2;
            x.min(right + 100 - half).max(left - 300 + half)
        };
        html! {
            @for (x, words) in &marks {
                line x1=(x) y1=(bottom) x2=(x) y2=(line) stroke="#444444" stroke-width="8" {}
                text x=(anchor(*x, words)) y=(line + text) text-anchor="middle" { (words) }
            }
            @for (x, day) in &days {
                text x=(anchor(*x, day)) y=(line + text * 9 / 4) text-anchor="middle"
                    font-weight="600" { (day) }
            }
            @if marks.is_empty() {
                text x=(left) y=(line + text) { (minutes(self.length_ms, local.language)) }
            }
        }
    }
}

/// About how wide a text is: a Chinese character is as wide as high, a digit a
/// little more than half.
pub(super) fn text_width(words: &str, size: i64) -> i64 {
    words
        .chars()
        .map(|it| if it.is_ascii() { size * 3 / 5 } else { size })
        .sum()
}
