//! What a chart says in words: its title, its description for a screen reader,
//! and how degrees and times are written.

use trace_core::{ident::format_ms, ledger::cold_chain::degrees};

use super::Plot;
use crate::language::Language;

/// For whom a chart is drawn: a language, and local time in minutes east of UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Local {
    /// The language.
    pub language: Language,
    /// Local time.
    pub offset_minutes: i32,
}

/// Degrees as the axis has them: with a minus and no more decimals than needed.
pub(super) fn celsius(milli_c: i32) -> String {
    let text = degrees(milli_c);
    let text = text.strip_suffix(".0").unwrap_or(&text);
    text.replace('-', "\u{2212}")
}

/// Hours and minutes of a local time.
pub(super) fn clock(at_ms: u64, offset_minutes: i32) -> String {
    let text = format_ms(at_ms, offset_minutes);
    text.get(11..16).unwrap_or_default().to_owned()
}

/// Day, hours and minutes of a local time.
pub(super) fn moment(at_ms: u64, offset_minutes: i32) -> String {
    let text = format_ms(at_ms, offset_minutes);
    text.get(..16).unwrap_or_default().replace('T', " ")
}

/// A length of time in minutes, rounded up: a hair beyond a limit is never shown
/// as the limit.
pub(super) fn minutes(ms: u64, language: Language) -> String {
    let minutes = ms.div_ceil(60_000);
    match (minutes / 60, minutes % 60) {
        (0, minutes) => format!("{minutes} {}", language.of("min", "分钟")),
        (hours, 0) => format!("{hours} {}", language.of("h", "小时")),
        (hours, minutes) => match language {
            Language::English => format!("{hours} h {minutes} min"),
            Language::Chinese => format!("{hours} 小时 {minutes} 分钟"),
        },
    }
}

/// From when until when.
pub(super) fn title(plot: &Plot<'_>, local: Local) -> String {
    let from = plot.legs.iter().map(|leg| leg.run.from_ms).min();
    let until = plot.legs.iter().map(|leg| leg.run.until_ms).max();
    let (Some(from), Some(until)) = (from, until) else {
        let nothing = local.language.of("No temperatures", "无温度记录");
        return nothing.to_owned();
    };
    let [from, until] = [from, until].map(|it| moment(it, local.offset_minutes));
    match local.language {
        Language::English => format!("Temperatures from {from} to {until}"),
        Language::Chinese => format!("{from} 至 {until} 的温度"),
    }
}

/// What the picture shows, for whoever does not see it.
pub(super) fn summary(plot: &Plot<'_>, local: Local) -> String {
    let legs = || plot.legs.iter();
    let language = local.language;
    let extremes = || legs().filter_map(|leg| leg.extremes_milli_c);
    let lowest = extremes().map(|(low, _)| low).min();
    let highest = extremes().map(|(_, high)| high).max();
    let (Some(lowest), Some(highest)) = (lowest, highest) else {
        return language.of("No readings.", "无读数。").to_owned();
    };
    let outside = minutes(legs().map(|leg| leg.outside_ms).sum(), language);
    let gaps = minutes(legs().map(|leg| leg.gap_ms).sum(), language);
    let excursions = legs().map(|leg| leg.excursions.len()).sum::<usize>();
    let (lowest, highest) = (celsius(lowest), celsius(highest));
    match language {
        Language::English => format!(
            "Lowest {lowest} °C, highest {highest} °C; {outside} outside the band in {excursions} \
             runs, {gaps} without readings."
        ),
        Language::Chinese => format!(
            "最低 {lowest} °C,最高 {highest} °C;超出范围 {excursions} 次共 {outside},无读数 {gaps}。"
        ),
    }
}
