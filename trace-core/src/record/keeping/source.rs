//! One probe's readings as they come, and the time for which each stands.

use super::Run;
use super::kinetic::Times;
use crate::record::cold_chain::TemperaturePolicy;
use crate::record::temperature::Reading;
use std::convert::Infallible;

/// Readings of one probe in order of time, run by run: from its last before a stay
/// to its first after it, where it has those. More before and after do no harm.
pub trait Source {
    /// Why there may be no more.
    type Error;

    /// Puts the next readings, at least one, in place of what `run` held; false
    /// when there are no more.
    ///
    /// # Errors
    /// The source's own.
    fn next_run(&mut self, run: &mut Vec<Reading>) -> Result<bool, Self::Error>;
}

/// Readings that are in memory.
#[derive(Debug)]
pub struct Listed<'a>(&'a [Reading]);

impl<'a> Listed<'a> {
    /// All of them, as one run.
    #[must_use]
    pub fn new(readings: &'a [Reading]) -> Self {
        Self(readings)
    }
}

impl Source for Listed<'_> {
    type Error = Infallible;

    fn next_run(&mut self, run: &mut Vec<Reading>) -> Result<bool, Infallible> {
        run.clear();
        run.extend_from_slice(std::mem::take(&mut self.0));
        Ok(!run.is_empty())
    }
}

/// A reading, and the time within the stay for which it stands; that may be none.
/// Readings within the band that follow without a gap may be joined to the first.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    pub(super) run: Run,
    pub(super) reading: Reading,
}

/// What is counted of the readings within the stay.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Count {
    pub(super) readings: u64,
    pub(super) conflicts: u64,
    pub(super) extremes: Option<(i32, i32)>,
}

/// What one probe's readings stand for within the stay.
pub(super) struct Spans<S> {
    source: S,
    stay: Run,
    gap_ms: u64,
    run: Vec<Reading>,
    at: usize,
    is_first: bool,
    /// Each reading is wanted by itself.
    is_drawn: bool,
    pub(super) count: Count,
}

impl<S: Source> Spans<S> {
    pub(super) fn new(source: S, policy: &TemperaturePolicy, stay: Run, is_drawn: bool) -> Self {
        Self {
            source,
            stay,
            gap_ms: u64::from(policy.gap_s_max) * 1_000,
            run: Vec::new(),
            at: 0,
            is_first: true,
            is_drawn,
            count: Count::default(),
        }
    }

    fn peek(&mut self) -> Result<Option<Reading>, S::Error> {
        if let Some(reading) = self.run.get(self.at) {
            return Ok(Some(*reading));
        }
        self.at = 0;
        if !self.source.next_run(&mut self.run)? {
            self.run.clear();
        }
        Ok(self.run.first().copied())
    }

    /// The next that stands within the stay or was read then; of several readings
    /// at one time the one furthest outside the band. Its time is added to `times`.
    pub(super) fn next_span(
        &mut self,
        policy: &TemperaturePolicy,
        times: &mut Times,
    ) -> Result<Option<Span>, S::Error> {
        let stay = self.stay;
        while let Some(mut reading) = self.peek()? {
            let at_ms = reading.at_ms;
            let is_within = (stay.from_ms..stay.until_ms).contains(&at_ms);
            let mut same = 0u64;
            let next = loop {
                match self.peek()? {
                    Some(next) if next.at_ms <= at_ms => {
                        self.at += 1;
                        same += 1;
                        self.tally(is_within, next, same > 1);
                        if policy.beyond(next.temperature_milli_c)
                            >= policy.beyond(reading.temperature_milli_c)
                        {
                            reading = next;
                        }
                    }
                    next => break next,
                }
            };
            let next_ms = next.map_or(stay.until_ms.max(at_ms), |next| next.at_ms);
            let is_first = std::mem::replace(&mut self.is_first, false);
            let stands_back = is_first && at_ms.saturating_sub(stay.from_ms) <= self.gap_ms;
            let stands_on = next_ms.saturating_sub(at_ms) <= self.gap_ms;
            let mut run = Run {
                from_ms: match stands_back {
                    true => stay.from_ms,
                    false => at_ms.max(stay.from_ms),
                },
                until_ms: match stands_on {
                    true => next_ms.min(stay.until_ms),
                    false => at_ms.min(stay.until_ms),
                },
            };
            if run.from_ms < run.until_ms {
                times.add(reading.temperature_milli_c, run.length_ms());
                if stands_on && !self.is_drawn && policy.beyond(reading.temperature_milli_c) == 0 {
                    self.join(policy, &mut run, times);
                }
            } else if !is_within {
                continue;
            }
            return Ok(Some(Span { run, reading }));
        }
        Ok(None)
    }

    /// Joins the readings that follow to one within the band that stands until the
    /// next of them, as long as nothing changes and they are at hand.
    fn join(&mut self, policy: &TemperaturePolicy, run: &mut Run, times: &mut Times) {
        let rest = self.run.get(self.at..).unwrap_or_default();
        let mut joined = 0;
        for (reading, next) in rest.iter().zip(rest.iter().skip(1)) {
            let length_ms = next.at_ms.saturating_sub(reading.at_ms);
            if reading.at_ms != run.until_ms
                || next.at_ms >= self.stay.until_ms
                || !(1..=self.gap_ms).contains(&length_ms)
                || policy.beyond(reading.temperature_milli_c) > 0
            {
                break;
            }
            let found = reading.temperature_milli_c;
            let (low, high) = self.count.extremes.unwrap_or((found, found));
            self.count.extremes = Some((low.min(found), high.max(found)));
            times.add(found, length_ms);
            run.until_ms = next.at_ms;
            joined += 1;
        }
        self.at += joined;
        self.count.readings = self.count.readings.saturating_add(joined as u64);
    }

    fn tally(&mut self, is_within: bool, reading: Reading, is_conflict: bool) {
        if !is_within {
            return;
        }
        let found = reading.temperature_milli_c;
        let (low, high) = self.count.extremes.unwrap_or((found, found));
        self.count.extremes = Some((low.min(found), high.max(found)));
        self.count.readings = self.count.readings.saturating_add(1);
        self.count.conflicts = self.count.conflicts.saturating_add(is_conflict.into());
    }
}
