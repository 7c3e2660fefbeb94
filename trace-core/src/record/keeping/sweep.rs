//! Goes through a stay from its beginning to its end, over the spans of all probes
//! as they come: one pass, a standing reading for each probe.

use super::curve::{Curve, Pen};
use super::kinetic::Times;
use super::source::{Count, Source, Span, Spans};
use super::{Excursion, LISTED_MAX, Run, Verdict};
use crate::record::cold_chain::TemperaturePolicy;
use crate::record::status::ColdChain;
use crate::record::temperature::Reading;
use std::collections::{BTreeSet, VecDeque};

const MINUTE_MS: u128 = 60_000;

/// A probe in the course of the sweep.
struct Watch<S> {
    spans: Spans<S>,
    /// What stands now, until when.
    standing: Option<Span>,
    /// What stands next.
    coming: Option<Span>,
}

impl<S: Source> Watch<S> {
    /// When something changes here next.
    fn next_ms(&self) -> u64 {
        match (&self.standing, &self.coming) {
            (Some(standing), _) => standing.run.until_ms,
            (None, Some(coming)) => coming.run.from_ms,
            (None, None) => u64::MAX,
        }
    }
}

/// What is true of a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Moment {
    Within,
    Outside,
    Unknown,
}

/// How far outside, when and what: of those equally far outside the latest
/// reading, so that the order of the probes decides nothing.
type Outlier = (u32, u64, i32, usize);

pub(super) struct Sweep<'a> {
    policy: &'a TemperaturePolicy,
    stay: Run,
    now_ms: u64,
    standing: usize,
    outliers: BTreeSet<Outlier>,
    window: Window,
    current: Option<Excursion>,
    /// Thousandths of a degree times milliseconds, of the current excursion.
    current_beyond: u128,
    excursions: Vec<Excursion>,
    excursion_count: u64,
    milli_degree_minutes: u64,
    furthest: u32,
    outside_ms: u64,
    longest_outside_ms: u64,
    gap: Option<Run>,
    gaps: Vec<Run>,
    gap_count: u64,
    gap_ms: u64,
    longest_gap_ms: u64,
    times: Times,
    pen: Pen,
}

impl<'a> Sweep<'a> {
    pub(super) fn new(policy: &'a TemperaturePolicy, stay: Run, columns: u32) -> Self {
        Self {
            policy,
            stay,
            now_ms: stay.from_ms,
            standing: 0,
            outliers: BTreeSet::new(),
            window: Window::new(policy),
            current: None,
            current_beyond: 0,
            excursions: Vec::new(),
            excursion_count: 0,
            milli_degree_minutes: 0,
            furthest: 0,
            outside_ms: 0,
            longest_outside_ms: 0,
            gap: None,
            gaps: Vec::new(),
            gap_count: 0,
            gap_ms: 0,
            longest_gap_ms: 0,
            times: Times::default(),
            pen: Pen::new(stay, columns),
        }
    }

    /// Cuts the stay where any span begins or ends; of the spans over each piece
    /// the worst stands.
    pub(super) fn over<S: Source>(mut self, probes: Vec<S>) -> Result<(Verdict, Curve), S::Error> {
        let mut watches = Vec::with_capacity(probes.len());
        let mut changes = Vec::with_capacity(probes.len());
        for source in probes {
            let is_drawn = self.pen.is_drawing();
            let mut spans = Spans::new(source, self.policy, self.stay, is_drawn);
            let coming = spans.next_span(self.policy, &mut self.times)?;
            let watch = Watch {
                spans,
                standing: None,
                coming,
            };
            changes.push(watch.next_ms());
            watches.push(watch);
        }
        let mut before = Moment::Within;
        let mut fresh = Vec::new();
        while self.now_ms < self.stay.until_ms {
            for (place, (watch, change_ms)) in watches.iter_mut().zip(&mut changes).enumerate() {
                if *change_ms <= self.now_ms {
                    self.change(place, watch, &mut fresh)?;
                    *change_ms = watch.next_ms();
                }
            }
            let moment = self.moment();
            if self.pen.is_drawing() {
                self.draw(before, moment, &mut fresh);
                before = moment;
            }
            let next_ms = changes.iter().copied().min().unwrap_or(u64::MAX);
            let until_ms = next_ms.min(self.stay.until_ms);
            self.piece(moment, until_ms);
            self.now_ms = until_ms;
        }
        // What is left comes after the stay; only what was read counts still.
        let mut count = Count::default();
        for watch in &watches {
            count.add(watch.spans.count);
        }
        self.end_gap();
        self.end_excursion();
        Ok(self.verdict(count))
    }

    /// Ends what stood until now, and begins what stands from now on.
    fn change<S: Source>(
        &mut self,
        place: usize,
        watch: &mut Watch<S>,
        fresh: &mut Vec<(u64, i32)>,
    ) -> Result<(), S::Error> {
        if let Some(ended) = watch
            .standing
            .take_if(|span| span.run.until_ms <= self.now_ms)
        {
            self.standing -= 1;
            if let Some(outlier) = self.outlier(place, ended.reading) {
                self.outliers.remove(&outlier);
            }
        }
        while watch.standing.is_none()
            && let Some(span) = watch.coming.take_if(|span| span.run.from_ms <= self.now_ms)
        {
            watch.coming = watch.spans.next_span(self.policy, &mut self.times)?;
            if self.pen.is_drawing() {
                fresh.push((span.run.from_ms, span.reading.temperature_milli_c));
            }
            if span.run.from_ms < span.run.until_ms {
                self.standing += 1;
                self.outliers.extend(self.outlier(place, span.reading));
                watch.standing = Some(span);
            }
        }
        Ok(())
    }

    fn outlier(&self, place: usize, reading: Reading) -> Option<Outlier> {
        let beyond = self.policy.beyond(reading.temperature_milli_c);
        (beyond > 0).then_some((beyond, reading.at_ms, reading.temperature_milli_c, place))
    }

    fn moment(&self) -> Moment {
        match (self.standing, self.outliers.is_empty()) {
            (0, _) => Moment::Unknown,
            (_, true) => Moment::Within,
            (_, false) => Moment::Outside,
        }
    }

    fn draw(&mut self, before: Moment, moment: Moment, fresh: &mut Vec<(u64, i32)>) {
        // Also what was read last before a gap: it stands for no time.
        if before != moment {
            self.pen.cut();
        }
        fresh.sort_unstable();
        for (at_ms, temperature_milli_c) in fresh.drain(..) {
            self.pen.draw(at_ms, temperature_milli_c);
        }
        if moment == Moment::Unknown {
            self.pen.gap();
        }
    }

    fn piece(&mut self, moment: Moment, until_ms: u64) {
        let piece = Run {
            from_ms: self.now_ms,
            until_ms,
        };
        match moment {
            Moment::Unknown => {
                self.end_excursion();
                self.gap.get_or_insert(piece).until_ms = until_ms;
            }
            Moment::Within => {
                self.end_gap();
                self.end_excursion();
            }
            Moment::Outside => {
                self.end_gap();
                self.outside(piece);
            }
        }
    }

    fn outside(&mut self, piece: Run) {
        let Some((beyond, at_ms, temperature_milli_c, _)) = self.outliers.last().copied() else {
            return;
        };
        let excursion = self.current.get_or_insert(Excursion {
            run: piece,
            peak_milli_c: temperature_milli_c,
            peak_at_ms: at_ms,
            milli_degree_minutes: 0,
        });
        excursion.run.until_ms = piece.until_ms;
        if beyond > self.policy.beyond(excursion.peak_milli_c) {
            excursion.peak_milli_c = temperature_milli_c;
            excursion.peak_at_ms = at_ms;
        }
        self.current_beyond += u128::from(beyond) * u128::from(piece.length_ms());
        self.furthest = self.furthest.max(beyond);
    }

    fn end_gap(&mut self) {
        if let Some(gap) = self.gap.take() {
            self.gap_count = self.gap_count.saturating_add(1);
            self.gap_ms = self.gap_ms.saturating_add(gap.length_ms());
            self.longest_gap_ms = self.longest_gap_ms.max(gap.length_ms());
            if self.gaps.len() < LISTED_MAX {
                self.gaps.push(gap);
            }
        }
    }

    fn end_excursion(&mut self) {
        if let Some(mut excursion) = self.current.take() {
            let beyond = std::mem::take(&mut self.current_beyond) / MINUTE_MS;
            excursion.milli_degree_minutes = u64::try_from(beyond).unwrap_or(u64::MAX);
            self.milli_degree_minutes = self
                .milli_degree_minutes
                .saturating_add(excursion.milli_degree_minutes);
            let length_ms = excursion.run.length_ms();
            self.outside_ms = self.outside_ms.saturating_add(length_ms);
            self.longest_outside_ms = self.longest_outside_ms.max(length_ms);
            self.excursion_count = self.excursion_count.saturating_add(1);
            self.window.add(excursion.run);
            if self.excursions.len() < LISTED_MAX {
                self.excursions.push(excursion);
            }
        }
    }

    fn verdict(self, count: Count) -> (Verdict, Curve) {
        let policy = self.policy;
        let outside_within_window_ms = match self.window.ms {
            Some(_) => self.window.most_ms,
            None => self.outside_ms,
        };
        let beyond_max = policy.beyond_milli_c_max.unwrap_or(u32::MAX);
        let is_exceeded = self.longest_outside_ms > u64::from(policy.run_s_max) * 1_000
            || outside_within_window_ms > u64::from(policy.total_s_max) * 1_000
            || self.furthest > beyond_max;
        let is_unknown = count.readings == 0 && self.gap_ms == self.stay.length_ms();
        let state = match (is_exceeded, self.gap_ms) {
            (true, _) => ColdChain::Exceeded,
            (false, _) if is_unknown => ColdChain::NotMonitored,
            (false, 1..) => ColdChain::Gaps,
            (false, 0) => ColdChain::Kept,
        };
        let verdict = Verdict {
            state,
            readings: count.readings,
            conflicts: count.conflicts,
            extremes_milli_c: count.extremes,
            outside_ms: self.outside_ms,
            longest_outside_ms: self.longest_outside_ms,
            milli_degree_minutes: self.milli_degree_minutes,
            outside_within_window_ms,
            gap_ms: self.gap_ms,
            longest_gap_ms: self.longest_gap_ms,
            excursions: self.excursions,
            excursion_count: self.excursion_count,
            gaps: self.gaps,
            gap_count: self.gap_count,
            mean_kinetic_milli_c: self.times.mean_kinetic_milli_c(),
        };
        (verdict, self.pen.curve())
    }
}

impl Count {
    fn add(&mut self, other: Self) {
        self.readings = self.readings.saturating_add(other.readings);
        self.conflicts = self.conflicts.saturating_add(other.conflicts);
        self.extremes = match (self.extremes, other.extremes) {
            (Some((low, high)), Some((lower, higher))) => Some((low.min(lower), high.max(higher))),
            (own, other) => own.or(other),
        };
    }
}

/// The most time that disjoint runs in order cover within any so many ms: some
/// window that ends where a run ends covers it. Holds the runs of one window.
struct Window {
    ms: Option<u64>,
    runs: VecDeque<Run>,
    sum_ms: u64,
    most_ms: u64,
}

impl Window {
    fn new(policy: &TemperaturePolicy) -> Self {
        Self {
            ms: policy.total_within_s.map(|it| u64::from(it) * 1_000),
            runs: VecDeque::new(),
            sum_ms: 0,
            most_ms: 0,
        }
    }

    fn add(&mut self, run: Run) {
        let Some(window_ms) = self.ms else {
            return;
        };
        self.runs.push_back(run);
        self.sum_ms = self.sum_ms.saturating_add(run.length_ms());
        let from_ms = run.until_ms.saturating_sub(window_ms);
        while let Some(passed) = self.runs.pop_front_if(|run| run.until_ms <= from_ms) {
            self.sum_ms = self.sum_ms.saturating_sub(passed.length_ms());
        }
        let first = self.runs.front().map_or(from_ms, |run| run.from_ms);
        let cut_off_ms = from_ms.saturating_sub(first);
        self.most_ms = self.most_ms.max(self.sum_ms.saturating_sub(cut_off_ms));
    }
}
