use super::*;
use crate::language::Language;
use trace_core::record::{
    cold_chain::{MeasuringPoint, TemperaturePolicy},
    keeping::{Listed, judge_and_draw},
    temperature::Reading,
};

const MINUTE_MS: u64 = 60_000;
/// Midnight of 2026-11-24 in Langfang.
const START_MS: u64 = 1_795_449_600_000;

const HERE: Local = Local {
    language: Language::English,
    offset_minutes: 480,
};

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
        product_classes: Vec::new(),
    }
}

/// A reading a minute at 2 °C but for `change`.
fn minutely(minutes: u64, change: impl Fn(u64) -> Option<i32>) -> Vec<Reading> {
    let readings = (0..=minutes).filter_map(|minute| {
        Some(Reading {
            at_ms: START_MS + minute * MINUTE_MS,
            temperature_milli_c: change(minute)?,
        })
    });
    readings.collect()
}

/// The picture of one probe's readings over so many minutes.
fn drawn(minutes: u64, readings: &[Reading], size: Size, local: Local) -> String {
    let run = Run {
        from_ms: START_MS,
        until_ms: START_MS + minutes * MINUTE_MS,
    };
    let sources = vec![Listed::new(readings)];
    let Ok((verdict, curve)) = judge_and_draw(&policy(), run, sources, COLUMNS);
    let plot = Plot {
        id: 7,
        legs: vec![Leg {
            run,
            low_milli_c: Some(0),
            high_milli_c: Some(4_000),
            curve: &curve,
            excursions: &verdict.excursions,
            gaps: &verdict.gaps,
            extremes_milli_c: verdict.extremes_milli_c,
            outside_ms: verdict.outside_ms,
            gap_ms: verdict.gap_ms,
        }],
        outside: &[],
    };
    plot.draw(size, local).into_string()
}

#[test]
fn a_picture_says_in_words_and_signs_what_it_shows() {
    let readings = minutely(1_440, |minute| match minute {
        100..115 => Some(7_100),
        600..660 => None,
        _ => Some(2_000),
    });
    let svg = drawn(1_440, &readings, Size::Full, HERE);
    for part in [
        "role=\"img\"",
        "aria-labelledby=\"t7 d7\"",
        "<title id=\"t7\">Temperatures from 2026-11-24 00:00 to 2026-11-25 00:00</title>",
        "Lowest 2 °C, highest 7.1 °C; 15 min outside the band in 1 runs, 1 h 1 min without readings.",
        ">1: 7.1 °C<",
        ">4 °C<",
        ">03:00<",
        ">2026-11-24<",
        "nothing is known",
    ] {
        assert!(svg.contains(part), "{part}\n{svg}");
    }
    let chinese = Local {
        language: Language::Chinese,
        ..HERE
    };
    let svg = drawn(1_440, &readings, Size::Full, chinese);
    assert!(svg.contains("超出范围 1 次共 15 分钟") && svg.contains("无读数"));
    assert!(!svg.contains("readings"));
}

#[test]
fn no_line_leads_across_a_gap_and_an_unknown_stay_has_none() {
    let paths = |svg: &str| svg.matches("fill=\"#9dbbd8\"").count();
    let whole = minutely(600, |_| Some(2_000));
    assert_eq!(paths(&drawn(600, &whole, Size::Small, HERE)), 1);
    let broken = minutely(600, |minute| (minute % 200 < 100).then_some(2_000));
    assert_eq!(paths(&drawn(600, &broken, Size::Small, HERE)), 3);
    let none = drawn(600, &[], Size::Small, HERE);
    assert_eq!(paths(&none), 0);
    assert!(none.contains("No readings."));
}

#[test]
fn a_picture_stays_small_and_its_policy_lets_nothing_be_loaded() {
    let wild = minutely(100_000, |minute| {
        let mixed = (minute + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40;
        i32::try_from(mixed % 11_000).ok().map(|it| it - 3_000)
    });
    let svg = drawn(100_000, &wild, Size::Full, HERE);
    assert!(svg.len() < 200_000, "{} bytes", svg.len());
    for part in ["<script", "style=", "url(", "href", "onload"] {
        assert!(!svg.contains(part), "{part}");
    }
    // Every coordinate is within the picture.
    let view = svg.split("viewBox=\"0 0 9600 4200\"").nth(1).unwrap();
    let plain = view.split('"').filter(|part| !part.starts_with('#'));
    for number in plain
        .collect::<Vec<_>>()
        .join(" ")
        .split(|it: char| !it.is_ascii_digit() && it != '-')
    {
        if let Ok(number) = number.parse::<i64>() {
            assert!(number <= 9_600, "{number}");
        }
    }
}
