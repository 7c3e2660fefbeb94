//! How figures are taken: rounds of interleaved runs, medians with their
//! spread, and ratios pair by pair within a round, so that a machine whose
//! speed drifts does not decide the outcome.

#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    reason = "each bench uses a part; a bench that cannot go on stops; rates are shown, not computed with"
)]

pub mod city;
pub mod loggers;
pub mod web;

use std::time::{Duration, Instant};

/// Rounds of interleaved runs: an odd number, so that the median is a run.
pub const ROUNDS: usize = 7;

/// The median and the spread of some runs.
#[derive(Clone, Copy)]
pub struct Figure {
    pub median: f64,
    pub lowest: f64,
    pub highest: f64,
}

impl Figure {
    pub fn of(mut runs: Vec<f64>) -> Self {
        assert!(!runs.is_empty());
        runs.sort_by(f64::total_cmp);
        Self {
            median: runs[runs.len() / 2],
            lowest: runs[0],
            highest: runs[runs.len() - 1],
        }
    }

    /// Of `self / other`, round by round.
    pub fn ratio(ours: &[f64], limit: &[f64]) -> Self {
        Self::of(
            ours.iter()
                .zip(limit)
                .map(|(ours, limit)| ours / limit)
                .collect(),
        )
    }
}

/// Seconds that `run` takes.
pub fn seconds(run: impl FnOnce()) -> f64 {
    let began = Instant::now();
    run();
    began.elapsed().as_secs_f64()
}

/// Things a second.
pub fn rate(count: usize, run: impl FnOnce()) -> f64 {
    count as f64 / seconds(run)
}

/// A line of the table: a figure, its unit, and what it is measured against.
pub fn line(what: &str, figure: Figure, unit: &str) {
    println!(
        "{what:<58} {:>12} {unit:<10} ({} .. {})",
        show(figure.median),
        show(figure.lowest),
        show(figure.highest)
    );
}

/// A line for a ratio, with the goal that it is held against.
pub fn ratio_line(what: &str, figure: Figure, goal: Option<f64>) {
    let goal = goal.map_or(String::new(), |goal| {
        format!(
            "goal {goal}: {}",
            if figure.median >= goal {
                "met"
            } else {
                "NOT met"
            }
        )
    });
    println!(
        "{what:<58} {:>12.3} {:<10} ({:.3} .. {:.3})  {goal}",
        figure.median, "ratio", figure.lowest, figure.highest
    );
}

/// The same where less is better.
pub fn ratio_line_at_most(what: &str, figure: Figure, goal: f64) {
    let word = if figure.median <= goal {
        "met"
    } else {
        "NOT met"
    };
    println!(
        "{what:<58} {:>12.3} {:<10} ({:.3} .. {:.3})  goal at most {goal}: {word}",
        figure.median, "ratio", figure.lowest, figure.highest
    );
}

fn show(value: f64) -> String {
    if value >= 1000.0 {
        format!("{value:.0}")
    } else {
        format!("{value:.3}")
    }
}

/// The machine, said once at the head of a table.
pub fn head(title: &str) {
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .map_or("unknown", |rest| rest.trim_start_matches([' ', '\t', ':']));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    println!(
        "\n{title}\n{cores} cores, {model}; median of {ROUNDS} interleaved rounds (lowest .. highest)"
    );
}

/// Resident memory of this process, in MiB (Linux).
pub fn resident_mib() -> f64 {
    status_mib("VmRSS:")
}

/// The most it had resident since [`reset_peak_resident`], in MiB (Linux).
pub fn peak_resident_mib() -> f64 {
    status_mib("VmHWM:")
}

/// Begins to count the peak anew (Linux, proc(5): 5 to `clear_refs`).
pub fn reset_peak_resident() {
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
}

fn status_mib(name: &str) -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let kib = status.lines().find_map(|line| {
        line.strip_prefix(name)?
            .trim()
            .strip_suffix("kB")?
            .trim()
            .parse::<f64>()
            .ok()
    });
    kib.unwrap_or(0.0) / 1024.0
}

/// A small generator (xorshift64*), for drawing look-ups uniformly.
pub struct Draw(pub u64);

impl Draw {
    pub fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let value = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D);
        ((u128::from(value) * bound as u128) >> 64) as usize
    }
}

/// Waits at most this long for anything.
pub const WAIT_MAX: Duration = Duration::from_secs(120);
