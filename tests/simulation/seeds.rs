//! Many seeds on all cores, what happened in them, and the same seed twice.

use super::base::Base;
use super::run::{Report, Run};
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use trace_core::error::Rule;

/// The short form: so many, if they fit in the time.
const SEEDS: u64 = 4_000;
const SHORT: Duration = Duration::from_secs(60);

/// Fewer than this in the time means that something is badly slow.
const SEEDS_MIN: u64 = 40;

/// Of so many seeds one is run a second time.
const TWICE_ONE_IN: u64 = 16;

/// What must have been refused, often.
const RULES: [Rule; 7] = [
    Rule::Sequence,
    Rule::QuantityExceeded,
    Rule::UnitKnown,
    Rule::UnitUnknown,
    Rule::Right,
    Rule::IdempotencyReused,
    Rule::KeyRevoked,
];

fn told(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().expect("a number"))
}

#[derive(Default)]
struct Sum {
    seeds: u64,
    twice: u64,
    reports: Vec<Report>,
}

#[test]
fn seeds_of_a_world_in_which_everything_fails_lose_nothing_and_double_nothing() {
    let base = Base::new();
    let first = told("TRACE_SIMULATION_FIRST").unwrap_or(1);
    let count = told("TRACE_SIMULATION_SEEDS");
    let until = first + count.unwrap_or(SEEDS);
    let start = Instant::now();
    let next = AtomicU64::new(first);
    let sum = Mutex::new(Sum::default());
    let work = || loop {
        let seed = next.fetch_add(1, Ordering::Relaxed);
        if seed >= until || (count.is_none() && start.elapsed() > SHORT) {
            return;
        }
        let report = replayable(seed, || Run::go(&base, seed, None));
        let is_twice = seed % TWICE_ONE_IN == 0 || count == Some(1);
        if is_twice {
            let again = replayable(seed, || Run::go(&base, seed, None));
            assert_eq!(
                report, again,
                "seed {seed} is another history the second time"
            );
        }
        let mut sum = sum.lock().unwrap();
        sum.seeds += 1;
        sum.twice += u64::from(is_twice);
        sum.reports.push(report);
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        let hands: Vec<_> = (0..cores).map(|_| scope.spawn(work)).collect();
        hands.into_iter().for_each(|hand| hand.join().unwrap());
    });
    let sum = sum.into_inner().unwrap();
    println!(
        "{} seeds of {} in {:.0} s, {} of them twice; first {first}",
        sum.seeds,
        until - first,
        start.elapsed().as_secs_f64(),
        sum.twice
    );
    tell(&sum.reports, sum.seeds);
}

/// Runs a seed; what is wrong comes with the command that shows it again.
fn replayable(seed: u64, run: impl FnOnce() -> Result<Report, String>) -> Report {
    let replay = format!(
        "TRACE_SIMULATION_FIRST={seed} TRACE_SIMULATION_SEEDS=1 cargo test -p trace-fixtures \
         --test simulation seeds"
    );
    let run = std::panic::AssertUnwindSafe(run);
    match std::panic::catch_unwind(run) {
        Ok(Ok(report)) => report,
        Ok(Err(why)) => panic!("seed {seed}: {why}\nreplay: {replay}"),
        Err(_) => panic!("seed {seed} panicked\nreplay: {replay}"),
    }
}

fn tell(reports: &[Report], seeds: u64) {
    let total = |of: fn(&Report) -> u64| reports.iter().map(of).sum::<u64>();
    let (admitted, refused) = (total(|it| it.admitted), total(|it| it.refused));
    println!("{admitted} records admitted, {refused} refused");
    let mut rules: BTreeMap<Rule, u64> = BTreeMap::new();
    for (rule, count) in reports.iter().flat_map(|report| &report.rules) {
        *rules.entry(*rule).or_default() += count;
    }
    for (rule, count) in &rules {
        println!("  {count:7} {}", rule.code());
    }
    let faults = [
        ("messages sent", total(|it| it.weather.sent)),
        ("messages lost", total(|it| it.weather.lost)),
        ("messages doubled", total(|it| it.weather.doubled)),
        ("messages overtaken", total(|it| it.weather.overtaken)),
        ("cut off at a call", total(|it| it.troubles.cut_off)),
        ("calls failed", total(|it| it.troubles.failed_calls)),
        ("killed", total(|it| it.troubles.killed)),
        ("recoveries cut off", total(|it| it.troubles.recoveries_cut)),
        ("clock jumps", total(|it| it.troubles.clock_jumps)),
        (
            "refused on a suspect clock",
            total(|it| it.troubles.unavailable),
        ),
        ("clock confirmed", total(|it| it.troubles.confirmed)),
        ("reported absent", total(|it| it.absent)),
    ];
    for (what, count) in &faults {
        println!("  {count:7} {what}");
    }
    if seeds < SEEDS_MIN {
        return; // A replay of a few: there is nothing to count.
    }
    assert!(
        admitted * 100 >= (admitted + refused) * 30,
        "{admitted} of {}",
        admitted + refused
    );
    // A hundred of each, or on a slow machine as many as the seeds can bring.
    let enough = 100.min(seeds / 4);
    for (what, count) in faults {
        assert!(count >= enough, "{what}: {count} times");
    }
    for rule in RULES {
        let count = rules.get(&rule).copied().unwrap_or(0);
        assert!(count >= enough, "{rule:?} refused {count} times");
    }
}
