//! Temperatures as loggers in cold stores give them, made up: a reading a minute
//! within 3 seconds, with day and night, noise of 0.1 °C and doors that open.

#![allow(
    dead_code,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "each bench uses a part; generated temperatures are small"
)]

use super::Draw;
use std::ops::Range;
use trace_core::record::temperature::Reading;

pub const MINUTE_MS: u64 = 60_000;
pub const DAY_MINUTES: u64 = 1_440;

/// How fine a logger keeps time and temperature.
#[derive(Clone, Copy)]
pub struct Grain {
    pub name: &'static str,
    pub ms: u64,
    pub milli_c: i32,
}

/// What most loggers keep, and the worst that a device can send: most of that is
/// noise.
pub const GRAINS: [Grain; 2] = [
    Grain {
        name: "whole seconds, 0.1 C",
        ms: 1_000,
        milli_c: 100,
    },
    Grain {
        name: "milliseconds, 0.001 C",
        ms: 1,
        milli_c: 1,
    },
];

/// Where a logger hangs.
#[derive(Clone, Copy)]
pub struct Place {
    /// About which temperature, in degrees Celsius.
    pub level_c: f64,
    /// A door opens in one minute of so many.
    pub door_one_in: usize,
}

/// Between 0 and 1.
fn part(draw: &mut Draw) -> f64 {
    draw.below(1 << 30) as f64 / f64::from(1 << 30)
}

/// What the logger of a number read there in some minutes after `begin_ms`.
pub fn readings(
    number: u32,
    place: Place,
    begin_ms: u64,
    minutes: Range<u64>,
    grain: Grain,
) -> Vec<Reading> {
    readings_every(1, number, place, begin_ms, minutes, grain)
}

/// The same of a logger that reads in one minute of so many.
pub fn readings_every(
    step_minutes: usize,
    number: u32,
    place: Place,
    begin_ms: u64,
    minutes: Range<u64>,
    grain: Grain,
) -> Vec<Reading> {
    let mut draw = Draw((u64::from(number) << 32) + minutes.start + 1);
    let mut door = 0.0;
    let next = |minute: u64| {
        let jitter_ms = draw.below(6_001) as u64;
        let at_ms = begin_ms + minute * MINUTE_MS + jitter_ms;
        let day = (minute as f64 / DAY_MINUTES as f64 * std::f64::consts::TAU).sin() * 0.4;
        if draw.below(place.door_one_in) == 0 {
            door = 3.0 + 2.0 * part(&mut draw);
        }
        door *= 0.8;
        let sum: f64 = (0..12).map(|_| part(&mut draw)).sum();
        let milli_c = (1_000.0 * (place.level_c + day + door + 0.1 * (sum - 6.0))).round() as i32;
        Reading {
            at_ms: at_ms / grain.ms * grain.ms,
            temperature_milli_c: milli_c / grain.milli_c * grain.milli_c,
        }
    };
    minutes.step_by(step_minutes).map(next).collect()
}
