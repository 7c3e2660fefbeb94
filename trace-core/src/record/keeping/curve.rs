//! The course of a stay's temperatures in little room, for whoever draws it: the
//! lowest and the highest reading of each column of time.
//!
//! A column ends where an excursion or a gap begins or ends too, so that the lowest
//! and the highest reading of every excursion are among what is drawn, and no line
//! leads across a gap.

use super::Run;
use serde::Serialize;

/// Columns end at excursions and gaps until there are so many times as many as were
/// asked for: a probe that flickers about its limit would draw every reading. Past
/// that the lowest and the highest of each column are still drawn.
const DRAWN_FACTOR: usize = 4;

/// What is drawn of a stay, in order of time.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Curve {
    /// Each column that has readings.
    pub drawn: Vec<Drawn>,
}

/// The readings of one column, of all probes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Drawn {
    /// The first.
    pub from_ms: u64,
    /// The last.
    pub until_ms: u64,
    /// The coldest.
    pub lowest_milli_c: i32,
    /// The warmest.
    pub highest_milli_c: i32,
    /// Nothing is known of some time between the column before and this one.
    pub is_after_gap: bool,
}

/// Puts readings into columns.
pub(super) struct Pen {
    stay: Run,
    columns: u32,
    drawn: Vec<Drawn>,
    column: u64,
    is_cut: bool,
    is_after_gap: bool,
}

impl Pen {
    pub(super) fn new(stay: Run, columns: u32) -> Self {
        Self {
            stay,
            columns,
            drawn: Vec::new(),
            column: 0,
            is_cut: true,
            is_after_gap: false,
        }
    }

    pub(super) fn is_drawing(&self) -> bool {
        self.columns > 0
    }

    /// What comes next is of another excursion, or of none.
    pub(super) fn cut(&mut self) {
        self.is_cut = true;
    }

    /// Nothing is known from here on.
    pub(super) fn gap(&mut self) {
        self.is_cut = true;
        self.is_after_gap = !self.drawn.is_empty();
    }

    /// A reading, at its own time or where the stay begins.
    pub(super) fn draw(&mut self, at_ms: u64, temperature_milli_c: i32) {
        let length = u128::from(self.stay.length_ms().max(1));
        let since = u128::from(at_ms.saturating_sub(self.stay.from_ms));
        let column = since * u128::from(self.columns) / length;
        let column = u64::try_from(column).unwrap_or(u64::MAX);
        let has_room = self.drawn.len() / DRAWN_FACTOR < self.columns as usize;
        let is_other = column != self.column || (self.is_cut && has_room);
        match self.drawn.last_mut() {
            Some(last) if !is_other => {
                last.until_ms = at_ms;
                last.lowest_milli_c = last.lowest_milli_c.min(temperature_milli_c);
                last.highest_milli_c = last.highest_milli_c.max(temperature_milli_c);
            }
            _ => self.drawn.push(Drawn {
                from_ms: at_ms,
                until_ms: at_ms,
                lowest_milli_c: temperature_milli_c,
                highest_milli_c: temperature_milli_c,
                is_after_gap: self.is_after_gap,
            }),
        }
        (self.column, self.is_cut, self.is_after_gap) = (column, false, false);
    }

    pub(super) fn curve(self) -> Curve {
        Curve { drawn: self.drawn }
    }
}
