use super::*;
use crate::record::cold_chain::MeasuringPoint;
use crate::record::kinds::unit_created::ProductClass;

const MINUTE_MS: u64 = 60_000;
const START_MS: u64 = 1_800_000_000_000;

/// 0 to 4 °C; ten minutes at a time, twenty in any hour; never 3 °C beyond;
/// a gap begins after five minutes.
fn policy() -> TemperaturePolicy {
    TemperaturePolicy {
        low_milli_c: Some(0),
        high_milli_c: Some(4_000),
        run_s_max: 600,
        total_s_max: 1_200,
        total_within_s: Some(3_600),
        beyond_milli_c_max: Some(3_000),
        store_interval_s: 60,
        transport_interval_s: 60,
        gap_s_max: 300,
        measured_at: MeasuringPoint::Surface,
        source: "made up".into(),
        is_confirmed: false,
        product_classes: vec![ProductClass::Other],
    }
}

fn stay(minutes: u64) -> Run {
    Run {
        from_ms: START_MS,
        until_ms: START_MS + minutes * MINUTE_MS,
    }
}

/// A reading a minute from the start on, all at 2 °C but for those changed.
fn minutely(minutes: u64, mut change: impl FnMut(u64, &mut Reading)) -> Vec<Reading> {
    (0..=minutes)
        .map(|minute| {
            let mut reading = Reading {
                at_ms: START_MS + minute * MINUTE_MS,
                temperature_milli_c: 2_000,
            };
            change(minute, &mut reading);
            reading
        })
        .collect()
}

fn pulse(minutes: std::ops::Range<u64>, temperature_milli_c: i32) -> impl Fn(u64, &mut Reading) {
    move |minute, reading| {
        if minutes.contains(&minute) {
            reading.temperature_milli_c = temperature_milli_c;
        }
    }
}

#[test]
fn a_pulse_exactly_at_the_limit_is_kept_and_one_millisecond_or_one_thousandth_more_is_not() {
    let kept = judge(&policy(), stay(60), &[minutely(60, pulse(20..30, 7_000))]);
    assert_eq!(kept.state, ColdChain::Kept);
    assert_eq!(
        (kept.outside_ms, kept.longest_outside_ms),
        (600_000, 600_000)
    );
    assert_eq!(kept.excursion_count, 1);
    let excursion = kept.excursions[0];
    assert_eq!(
        excursion.run,
        Run {
            from_ms: START_MS + 20 * MINUTE_MS,
            until_ms: START_MS + 30 * MINUTE_MS
        }
    );
    assert_eq!(
        (excursion.peak_milli_c, excursion.peak_at_ms),
        (7_000, START_MS + 20 * MINUTE_MS)
    );
    // 3 °C for ten minutes: 30 degree-minutes.
    assert_eq!(excursion.milli_degree_minutes, 30_000);

    let mut longer = minutely(60, pulse(20..30, 7_000));
    longer[30].at_ms += 1;
    let verdict = judge(&policy(), stay(60), &[longer]);
    assert_eq!(
        (verdict.state, verdict.longest_outside_ms),
        (ColdChain::Exceeded, 600_001)
    );

    let higher = judge(&policy(), stay(60), &[minutely(60, pulse(25..26, 7_001))]);
    assert_eq!(
        (higher.state, higher.outside_ms),
        (ColdChain::Exceeded, 60_000)
    );
    let at_band = judge(&policy(), stay(60), &[minutely(60, pulse(0..60, 4_000))]);
    assert_eq!((at_band.state, at_band.outside_ms), (ColdChain::Kept, 0));
    let beyond_band = judge(&policy(), stay(60), &[minutely(60, pulse(0..11, 4_001))]);
    assert_eq!(beyond_band.state, ColdChain::Exceeded);
    let too_cold = judge(&policy(), stay(60), &[minutely(60, pulse(0..11, -1))]);
    assert_eq!(too_cold.state, ColdChain::Exceeded);
}

#[test]
fn runs_add_up_within_the_window_and_not_beyond_it() {
    // Two runs of ten minutes each: twenty minutes, exactly what is tolerated.
    let two = |minute, reading: &mut Reading| {
        pulse(10..20, 5_000)(minute, reading);
        pulse(40..50, 5_000)(minute, reading);
    };
    let verdict = judge(&policy(), stay(120), &[minutely(120, two)]);
    assert_eq!(
        (verdict.state, verdict.outside_within_window_ms),
        (ColdChain::Kept, 1_200_000)
    );
    // A third, whose first minute falls within an hour of the first's begin.
    let three = |minute, reading: &mut Reading| {
        two(minute, reading);
        pulse(69..70, 5_000)(minute, reading);
    };
    let verdict = judge(&policy(), stay(120), &[minutely(120, three)]);
    assert_eq!(
        (verdict.state, verdict.outside_within_window_ms),
        (ColdChain::Exceeded, 1_260_000)
    );
    // The same, later: only a part of the first is within an hour of its end.
    let later = |minute, reading: &mut Reading| {
        two(minute, reading);
        pulse(79..80, 5_000)(minute, reading);
    };
    let verdict = judge(&policy(), stay(120), &[minutely(120, later)]);
    assert_eq!(verdict.state, ColdChain::Kept);
    assert_eq!(
        (verdict.outside_ms, verdict.outside_within_window_ms),
        (1_260_000, 1_200_000)
    );
    // Over the whole stay, where the policy has no window.
    let whole = TemperaturePolicy {
        total_within_s: None,
        ..policy()
    };
    let verdict = judge(&whole, stay(120), &[minutely(120, later)]);
    assert_eq!(verdict.state, ColdChain::Exceeded);
}

#[test]
fn a_gap_is_a_gap_wherever_it_is_and_never_compliance() {
    let without = |lost: std::ops::Range<u64>| {
        let mut readings = minutely(60, |_, _| ());
        readings.retain(|reading| !lost.contains(&((reading.at_ms - START_MS) / MINUTE_MS)));
        readings
    };
    // Four readings lost: five minutes between neighbours, what is tolerated.
    for (lost, gap_minutes) in [
        (21..25, 0),
        (21..26, 6),
        (0..5, 0),
        (0..6, 6),
        (56..61, 0),
        (55..61, 6),
    ] {
        let verdict = judge(&policy(), stay(60), &[without(lost.clone())]);
        let wanted = match gap_minutes {
            0 => ColdChain::Kept,
            _ => ColdChain::Gaps,
        };
        assert_eq!(
            (verdict.state, verdict.gap_ms),
            (wanted, gap_minutes * MINUTE_MS),
            "{lost:?}"
        );
        assert_eq!(verdict.gap_count, u64::from(gap_minutes > 0), "{lost:?}");
    }
    // What is known to be broken is not excused by a gap.
    let mut readings = without(40..60);
    readings[5].temperature_milli_c = 7_001;
    assert_eq!(
        judge(&policy(), stay(60), &[readings]).state,
        ColdChain::Exceeded
    );
}

#[test]
fn a_stay_without_readings_is_not_monitored_and_neighbours_outside_it_count() {
    for probes in [vec![], vec![vec![]], vec![vec![], vec![]]] {
        let verdict = judge(&policy(), stay(10), &probes);
        assert_eq!(
            (verdict.state, verdict.gap_ms),
            (ColdChain::NotMonitored, 10 * MINUTE_MS)
        );
        assert_eq!(
            (verdict.mean_kinetic_milli_c, verdict.extremes_milli_c),
            (None, None)
        );
    }
    let reading = |at_ms, temperature_milli_c| Reading {
        at_ms,
        temperature_milli_c,
    };
    // Two minutes between two readings that are both outside of them.
    let around = vec![
        reading(START_MS - MINUTE_MS, 2_000),
        reading(START_MS + 3 * MINUTE_MS, 2_000),
    ];
    let verdict = judge(&policy(), stay(2), &[around]);
    assert_eq!(
        (verdict.state, verdict.readings, verdict.gap_ms),
        (ColdChain::Kept, 0, 0)
    );
    let far = vec![
        reading(START_MS - 4 * MINUTE_MS, 2_000),
        reading(START_MS + 3 * MINUTE_MS, 2_000),
    ];
    assert_eq!(
        judge(&policy(), stay(2), &[far]).state,
        ColdChain::NotMonitored
    );
    let before = vec![reading(START_MS - MINUTE_MS, 9_000)];
    assert_eq!(
        judge(&policy(), stay(2), &[before]).state,
        ColdChain::Exceeded
    );
    assert_eq!(
        judge(&policy(), stay(0), &[minutely(5, |_, _| ())]).state,
        ColdChain::NotMonitored
    );
}

#[test]
fn of_several_probes_the_worst_decides_and_one_fills_the_others_gap() {
    let good = minutely(60, |_, _| ());
    let bad = minutely(60, pulse(20..31, 5_000));
    let verdict = judge(&policy(), stay(60), &[good.clone(), bad.clone()]);
    assert_eq!(
        (verdict.state, verdict.outside_ms),
        (ColdChain::Exceeded, 11 * MINUTE_MS)
    );
    assert_eq!(verdict, judge(&policy(), stay(60), &[bad, good.clone()]));
    let (first, second) = (good[..30].to_vec(), good[28..].to_vec());
    assert_eq!(
        judge(&policy(), stay(60), std::slice::from_ref(&first)).state,
        ColdChain::Gaps
    );
    assert_eq!(
        judge(&policy(), stay(60), &[first, second]).state,
        ColdChain::Kept
    );
}

#[test]
fn of_two_readings_at_one_time_the_worse_stands_and_the_conflict_is_counted() {
    let mut readings = minutely(60, |_, _| ());
    let also = Reading {
        temperature_milli_c: 7_001,
        ..readings[30]
    };
    readings.insert(31, also);
    let verdict = judge(&policy(), stay(60), &[readings]);
    assert_eq!((verdict.state, verdict.conflicts), (ColdChain::Exceeded, 1));
    assert_eq!(verdict.excursions[0].peak_milli_c, 7_001);
}

/// Every millisecond by itself: slow, and obviously what the words say.
fn plain(policy: &TemperaturePolicy, stay: Run, probes: &[Vec<Reading>]) -> (u64, u64, u64, u64) {
    let gap_ms = u64::from(policy.gap_s_max) * 1_000;
    let worst_at = |readings: &[Reading], at_ms: u64| -> Option<u32> {
        let before = readings
            .iter()
            .filter(|it| it.at_ms <= at_ms)
            .map(|it| it.at_ms)
            .max();
        let next = readings
            .iter()
            .filter(|it| it.at_ms > at_ms)
            .map(|it| it.at_ms)
            .min();
        let (of, from, to) = match (before, next) {
            (Some(before), Some(next)) => (before, before, next),
            (Some(before), None) => (before, before, stay.until_ms),
            (None, Some(next)) => (next, stay.from_ms, next),
            (None, None) => return None,
        };
        let same = readings.iter().filter(|it| it.at_ms == of);
        let worst = same.map(|it| policy.beyond(it.temperature_milli_c)).max();
        worst.filter(|_| to - from <= gap_ms)
    };
    let state: Vec<Option<u32>> = (stay.from_ms..stay.until_ms)
        .map(|at_ms| probes.iter().filter_map(|one| worst_at(one, at_ms)).max())
        .collect();
    let is_out = |it: &Option<u32>| it.is_some_and(|beyond| beyond > 0);
    let outside = state.iter().filter(|it| is_out(it)).count() as u64;
    let gap = state.iter().filter(|it| it.is_none()).count() as u64;
    let runs = state.chunk_by(|a, b| is_out(a) == is_out(b));
    let longest = runs
        .filter(|run| is_out(&run[0]))
        .map(|run| run.len() as u64)
        .max();
    let window = usize::try_from(policy.total_within_s.unwrap() * 1_000)
        .unwrap()
        .min(state.len());
    let most = state
        .windows(window.max(1))
        .map(|it| it.iter().filter(|it| is_out(it)).count());
    (
        outside,
        longest.unwrap_or(0),
        most.max().unwrap_or(0) as u64,
        gap,
    )
}

#[test]
fn the_sweep_agrees_with_a_look_at_every_millisecond() {
    let mut random = fastrand::Rng::with_seed(41);
    let mut states = std::collections::HashMap::<String, u32>::new();
    for round in 0..1_000 {
        let policy = TemperaturePolicy {
            run_s_max: 0,
            total_s_max: random.u32(0..2),
            total_within_s: Some(random.u32(1..3)),
            gap_s_max: 1,
            ..policy()
        };
        let stay = Run {
            from_ms: 10_000,
            until_ms: 10_000 + random.u64(0..4_000),
        };
        let probes: Vec<Vec<Reading>> = (0..random.usize(0..4))
            .map(|_| {
                let mut readings: Vec<Reading> = (0..random.usize(0..12))
                    .map(|_| Reading {
                        at_ms: random.u64(8_500..15_500),
                        temperature_milli_c: *random.choice(&[2_000, 2_000, 5_000, -1]).unwrap(),
                    })
                    .collect();
                readings.sort_unstable();
                readings.dedup();
                let before = readings.partition_point(|it| it.at_ms < stay.from_ms);
                let after = readings.partition_point(|it| it.at_ms < stay.until_ms);
                readings[before.saturating_sub(1)..(after + 1).min(readings.len())].to_vec()
            })
            .collect();
        let verdict = judge(&policy, stay, &probes);
        let found = (
            verdict.outside_ms,
            verdict.longest_outside_ms,
            verdict.outside_within_window_ms,
            verdict.gap_ms,
        );
        assert_eq!(
            found,
            plain(&policy, stay, &probes),
            "round {round}: {stay:?} {probes:?}"
        );
        *states.entry(format!("{:?}", verdict.state)).or_default() += 1;
    }
    println!("{states:?}");
    assert!(
        states.values().all(|count| *count > 25) && states.len() == 4,
        "{states:?}"
    );
}

/// Some readings that wander about the band, a few in a thousand lost.
fn wandering(random: &mut fastrand::Rng, minutes: u64) -> Vec<Reading> {
    let mut temperature_milli_c = 2_000;
    let mut readings = minutely(minutes, |_, reading| {
        temperature_milli_c += random.i32(-900..=900);
        temperature_milli_c = temperature_milli_c.clamp(-6_000, 10_000);
        reading.temperature_milli_c = temperature_milli_c;
    });
    if random.bool() {
        let lost = random.u64(0..minutes) * MINUTE_MS + START_MS;
        readings.retain(|it| !(lost..lost + 20 * MINUTE_MS).contains(&it.at_ms));
    }
    readings
}

#[test]
fn whatever_is_drawn_shows_the_lowest_and_the_highest_reading_of_every_excursion() {
    let mut random = fastrand::Rng::with_seed(43);
    let (mut excursions, mut gaps) = (0, 0);
    for round in 0..200 {
        let minutes = random.u64(10..3_000);
        let probes: Vec<_> = (0..random.usize(1..4))
            .map(|_| wandering(&mut random, minutes))
            .collect();
        let columns = random.u32(1..200);
        let sources = probes.iter().map(|it| Listed::new(it)).collect();
        let Ok((verdict, curve)) = judge_and_draw(&policy(), stay(minutes), sources, columns);
        assert_eq!(verdict, judge(&policy(), stay(minutes), &probes));
        assert!(
            curve.drawn.len() <= 5 * columns as usize + 4,
            "round {round}"
        );
        assert!(curve.drawn.is_sorted_by_key(|it| (it.from_ms, it.until_ms)));
        let inside = |run: &Run, at_ms: u64| (run.from_ms..run.until_ms).contains(&at_ms);
        let all = || probes.iter().flatten();
        // Not past the room for cuts; there each column's extremes are drawn still.
        let cuts = verdict.excursion_count + verdict.gap_count;
        if cuts * 2 < u64::from(columns) * 3 {
            for excursion in &verdict.excursions {
                let run = excursion.run;
                let read = all().filter(|it| inside(&run, it.at_ms));
                let read = read.map(|it| it.temperature_milli_c);
                let drawn = curve.drawn.iter().filter(|it| inside(&run, it.from_ms));
                assert_eq!(
                    drawn.clone().map(|it| it.highest_milli_c).max(),
                    read.clone().max(),
                    "round {round}: {excursion:?}"
                );
                let lowest = drawn.map(|it| it.lowest_milli_c).min();
                assert_eq!(lowest, read.min(), "round {round}: {excursion:?}");
                excursions += 1;
            }
            for gap in &verdict.gaps {
                let next = curve.drawn.iter().find(|it| it.from_ms > gap.from_ms);
                assert!(
                    next.is_none_or(|it| it.is_after_gap),
                    "round {round}: {gap:?}"
                );
                gaps += 1;
            }
        }
        let read = all().filter(|it| inside(&stay(minutes), it.at_ms));
        let highest = curve.drawn.iter().map(|it| it.highest_milli_c).max();
        assert_eq!(highest, read.map(|it| it.temperature_milli_c).max());
    }
    assert!(excursions > 1_000 && gaps > 20, "{excursions} {gaps}");
}

#[test]
fn readings_are_judged_alike_however_they_are_cut_into_runs() {
    /// Gives a few at a time.
    struct Cut<'a>(&'a [Reading], fastrand::Rng);
    impl Source for Cut<'_> {
        type Error = std::convert::Infallible;
        fn next_run(&mut self, run: &mut Vec<Reading>) -> Result<bool, Self::Error> {
            let count = self.1.usize(1..4).min(self.0.len());
            *run = self.0[..count].to_vec();
            self.0 = &self.0[count..];
            Ok(count > 0)
        }
    }
    let mut random = fastrand::Rng::with_seed(44);
    for _ in 0..50 {
        let probes = [wandering(&mut random, 300), wandering(&mut random, 300)];
        let sources = probes.iter().map(|it| Cut(it, random.fork())).collect();
        let Ok((verdict, _)) = judge_and_draw(&policy(), stay(300), sources, 0);
        assert_eq!(verdict, judge(&policy(), stay(300), &probes));
    }
}
