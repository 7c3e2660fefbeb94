//! How a unit was kept over all its stays, from the verdict over each, and what
//! its checklist says of it.

use super::{Curve, Run, Verdict, judge};
use crate::ident::{EntityId, EquipmentId};
use crate::record::cold_chain::{Stay, TemperaturePolicy};
use crate::record::status::{ColdChain, Judgement, Reason, Status};
use crate::record::temperature::Reading;
use serde::Serialize;

/// How a unit was kept in all its stays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Kept {
    /// The worst that is true of any stay.
    pub state: ColdChain,
    /// The stays, in the order in which they were recorded.
    pub stays: Vec<KeptStay>,
    /// How long it was in no equipment between its first and its last stay: at a
    /// door or a dock, or on its way without refrigeration.
    pub outside_stays_ms: u64,
    /// When that was, in order of time.
    pub outside_stays: Vec<Run>,
}

/// How a unit was kept in one stay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeptStay {
    /// Where.
    pub equipment: EquipmentId,
    /// Whose that is.
    pub entity: EntityId,
    /// From when on.
    pub from_ms: u64,
    /// Until when it was judged: its end, or now.
    pub until_ms: u64,
    /// Whether it lies there still.
    pub is_open: bool,
    /// Index of the record that placed it.
    pub placed_index: u64,
    /// The policy's code.
    pub policy: String,
    /// The policy's version.
    pub version: u32,
    /// The coldest that the policy allows.
    pub low_milli_c: Option<i32>,
    /// The warmest that the policy allows.
    pub high_milli_c: Option<i32>,
    /// Whose rule the policy is.
    pub source: String,
    /// Whether its numbers were read there.
    pub is_confirmed: bool,
    /// The probes that watched.
    pub probes: Vec<EquipmentId>,
    /// Until when every probe's readings are sealed; none where some probe has no
    /// sealed readings.
    pub sealed_until_ms: Option<u64>,
    /// The verdict.
    pub verdict: Verdict,
    /// The course of its temperatures, where it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub curve: Option<Curve>,
}

/// When a stay was, as of `now_ms` where it lasts.
#[must_use]
pub fn run_of(stay: &Stay, now_ms: u64) -> Run {
    let until_ms = stay.taken_out.map_or(now_ms, |(at_ms, _)| at_ms);
    Run {
        from_ms: stay.from_ms,
        until_ms: until_ms.max(stay.from_ms),
    }
}

impl KeptStay {
    /// Judges a stay that was `run` by what its probes read: of each its readings in
    /// order of time, as [`judge`] takes them.
    #[must_use]
    pub fn judged(
        stay: Stay,
        run: Run,
        policy: TemperaturePolicy,
        probes: Vec<EquipmentId>,
        readings: &[Vec<Reading>],
        sealed_until_ms: Option<u64>,
    ) -> Self {
        let verdict = judge(&policy, run, readings);
        Self::of(stay, run, policy, probes, verdict, sealed_until_ms)
    }

    /// A stay that was `run`, with the verdict over it.
    #[must_use]
    pub fn of(
        stay: Stay,
        run: Run,
        policy: TemperaturePolicy,
        probes: Vec<EquipmentId>,
        verdict: Verdict,
        sealed_until_ms: Option<u64>,
    ) -> Self {
        Self {
            verdict,
            curve: None,
            equipment: stay.equipment,
            entity: stay.entity,
            from_ms: run.from_ms,
            until_ms: run.until_ms,
            is_open: stay.taken_out.is_none(),
            placed_index: stay.placed_index,
            policy: stay.policy,
            version: stay.version,
            low_milli_c: policy.low_milli_c,
            high_milli_c: policy.high_milli_c,
            source: policy.source,
            is_confirmed: policy.is_confirmed,
            probes,
            sealed_until_ms,
        }
    }
}

/// What is true of all, from what is true of each.
fn worst(states: impl Iterator<Item = ColdChain> + Clone) -> ColdChain {
    let has = |wanted: ColdChain| states.clone().any(|state| state == wanted);
    if has(ColdChain::Exceeded) {
        ColdChain::Exceeded
    } else if has(ColdChain::Gaps) {
        ColdChain::Gaps
    } else if !has(ColdChain::NotMonitored) {
        ColdChain::Kept
    } else if has(ColdChain::Kept) {
        ColdChain::Gaps
    } else {
        ColdChain::NotMonitored
    }
}

/// The times that no stay covers between the first and the last, in order.
fn between(mut stays: Vec<Run>) -> Vec<Run> {
    stays.sort_unstable_by_key(|stay| (stay.from_ms, stay.until_ms));
    let (mut outside, mut covered_until) = (Vec::new(), None::<u64>);
    for stay in stays {
        let reached = covered_until.unwrap_or(stay.from_ms);
        if reached < stay.from_ms {
            outside.push(Run {
                from_ms: reached,
                until_ms: stay.from_ms,
            });
        }
        covered_until = Some(reached.max(stay.until_ms));
    }
    outside
}

impl Kept {
    /// What the stays come to.
    #[must_use]
    pub fn of(stays: Vec<KeptStay>) -> Self {
        let runs = stays.iter().map(|stay| Run {
            from_ms: stay.from_ms,
            until_ms: stay.until_ms,
        });
        let outside_stays = between(runs.collect());
        Self {
            state: worst(stays.iter().map(|stay| stay.verdict.state)),
            outside_stays_ms: outside_stays.iter().map(|run| run.length_ms()).sum(),
            outside_stays,
            stays,
        }
    }

    /// Adds its line to a unit's checklist, and the status that follows when the
    /// policy was exceeded.
    pub fn weigh(&self, judgement: &mut Judgement) {
        if judgement.status == Status::Unknown {
            return;
        }
        let minutes = |ms: u64| ms.div_ceil(60_000);
        let verdicts = || self.stays.iter().map(|stay| &stay.verdict);
        let outside = minutes(verdicts().map(|it| it.outside_ms).sum());
        let gaps = minutes(verdicts().map(|it| it.gap_ms).sum());
        let highest = verdicts()
            .filter_map(|it| it.extremes_milli_c)
            .map(|(_, high)| high)
            .max();
        let lowest = verdicts()
            .filter_map(|it| it.extremes_milli_c)
            .map(|(low, _)| low)
            .min();
        let extremes = match (lowest, highest) {
            (Some(low), Some(high)) => format!("{} … {} °C", degrees(low), degrees(high)),
            _ => "–".into(),
        };
        let (holds, words, words_zh) = match self.state {
            ColdChain::Kept => (Some(true), "Kept as its policy demands", "温度符合规则"),
            ColdChain::Exceeded => (
                Some(false),
                "Outside what its policy tolerates",
                "温度超出规则允许范围",
            ),
            ColdChain::Gaps => (
                None,
                "Not shown to be kept: readings are missing",
                "无法证明全程合规:温度记录有缺失",
            ),
            ColdChain::NotMonitored => (
                None,
                "Placed where nothing was measured",
                "存放处无温度记录",
            ),
        };
        let stays = self.stays.iter();
        let failed = stays
            .clone()
            .find(|stay| stay.verdict.state == ColdChain::Exceeded);
        judgement.reasons.push(Reason {
            check: "temperature",
            holds,
            words: format!(
                "{words}: {extremes}, {outside} min outside, {gaps} min without readings"
            ),
            words_zh: format!("{words_zh}:{extremes},超限 {outside} 分钟,缺失 {gaps} 分钟"),
            index: failed.or(self.stays.last()).map(|stay| stay.placed_index),
        });
        if self.state == ColdChain::Exceeded {
            judgement.status = judgement.status.min(Status::TemperatureAlert);
        }
    }
}

/// Degrees with one decimal place, rounded away from zero: a hair beyond a limit
/// is never shown as the limit.
#[must_use]
pub fn degrees(milli_c: i32) -> String {
    let tenths = milli_c.unsigned_abs().div_ceil(100);
    let sign = if milli_c < 0 { "-" } else { "" };
    format!("{sign}{}.{}", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ColdChain::{Exceeded, Gaps, NotMonitored};

    #[test]
    fn one_bad_stay_spoils_all_and_what_is_unknown_is_never_kept() {
        for (states, wanted) in [
            (&[ColdChain::Kept, ColdChain::Kept][..], ColdChain::Kept),
            (&[ColdChain::Kept, Exceeded, Gaps], Exceeded),
            (&[ColdChain::Kept, Gaps], Gaps),
            (&[ColdChain::Kept, NotMonitored], Gaps),
            (&[NotMonitored, NotMonitored], NotMonitored),
            (&[NotMonitored, Exceeded], Exceeded),
            (&[NotMonitored, Gaps], Gaps),
        ] {
            assert_eq!(worst(states.iter().copied()), wanted, "{states:?}");
        }
    }

    #[test]
    fn time_between_stays_is_counted_once_and_overlaps_are_none() {
        let runs = |ends: &[(u64, u64)]| -> Vec<Run> {
            let ends = ends.iter();
            ends.map(|(from_ms, until_ms)| Run {
                from_ms: *from_ms,
                until_ms: *until_ms,
            })
            .collect()
        };
        for (stays, wanted) in [
            (&[(0, 10)][..], &[][..]),
            (&[(20, 30), (0, 10)], &[(10, 20)]),
            (&[(0, 25), (20, 30), (5, 7)], &[]),
            (&[(0, 10), (12, 13), (20, 20)], &[(10, 12), (13, 20)]),
        ] {
            assert_eq!(between(runs(stays)), runs(wanted), "{stays:?}");
        }
    }

    #[test]
    fn degrees_are_rounded_away_from_zero() {
        for (milli_c, text) in [
            (0, "0.0"),
            (4_000, "4.0"),
            (4_001, "4.1"),
            (-18_000, "-18.0"),
            (-18_050, "-18.1"),
            (-1, "-0.1"),
        ] {
            assert_eq!(degrees(milli_c), text);
        }
    }
}
