//! The cold chain on the page: one line of words, with limits, highest, minutes
//! outside and gaps named. Missing readings are said, never passed over.
//!
//! Not here: how the verdict comes about, nor how its picture is drawn.

use maud::{Markup, html};
use trace_core::{
    ident::TraceCode,
    ledger::{Failed, View, cold_chain::degrees},
    record::status::ColdChain,
    rules::ColdFacts,
};

use super::Shown;
use crate::{
    chart::{Local, Size, chart},
    language::Language,
};

/// Columns of the small chart: one for three of its pixels.
pub(super) const COLUMNS: u32 = 120;

/// A whole page stays below 60 kB: a chart of many wild excursions is on the page
/// of temperatures alone.
const CHART_BYTES_MAX: usize = 16 * 1024;

/// The band of the policy under which a unit was placed last.
pub(crate) struct Limits {
    low_milli_c: Option<i32>,
    high_milli_c: Option<i32>,
    policy: String,
    version: u32,
}

/// The limits of a unit's last stay, where its policy is still in the version
/// under which it was placed.
pub(crate) fn limits(view: &View, code: &TraceCode) -> Result<Option<Limits>, Failed> {
    let Some(stay) = view.folded().stays(code)?.stays.pop() else {
        return Ok(None);
    };
    let policy = view.folded().temperature_policy(&stay.policy)?;
    Ok(policy
        .filter(|(version, _)| *version == stay.version)
        .map(|(version, text)| Limits {
            low_milli_c: text.low_milli_c,
            high_milli_c: text.high_milli_c,
            policy: stay.policy,
            version,
        }))
}

/// How a unit was kept, drawn small; nothing where it was placed nowhere.
fn small_chart(language: Language, shown: &Shown) -> Option<Markup> {
    let local = Local {
        language,
        offset_minutes: shown.offset_minutes,
    };
    let drawn = chart(shown.answer.kept.as_ref()?, Size::Small, local);
    (drawn.0.len() <= CHART_BYTES_MAX).then_some(drawn)
}

/// The line, and its picture where there is room for it.
pub(crate) fn line(language: Language, shown: &Shown, with_picture: bool) -> Markup {
    let reasons = &shown.answer.reasons;
    let told = reasons.iter().find(|reason| reason.check == "temperature");
    html! {
        h2 { (language.of("Cold chain", "冷链")) }
        p {
            strong { (word(language, shown.answer.cold_chain)) }
            @if let Some(limits) = &shown.limits { " · " (limits.words(language)) }
        }
        @if let Some(told) = told {
            p { (language.of(&told.words, &told.words_zh)) }
            @if let Some(chart) = small_chart(language, shown).filter(|_| with_picture) { (chart) }
            p {
                a.act href=(format!("/t/{}/temperatures", shown.code.compact())) {
                    (language.of("Its temperatures as a picture and a table", "温度曲线与表格"))
                }
            }
        }
    }
}

fn word(language: Language, cold: ColdChain) -> &'static str {
    match cold {
        ColdChain::Kept => language.of("✓ Kept as its policy demands", "✓ 温度符合规则"),
        ColdChain::Exceeded => language.of("! Temperature exceeded", "! 曾超温"),
        ColdChain::Gaps => language.of(
            "! Gaps: for part of the time nothing was recorded",
            "! 温度记录有缺失:部分时段无记录",
        ),
        ColdChain::NotMonitored => language.of(
            "– Not monitored: no temperature is recorded",
            "– 未监测:没有温度记录",
        ),
    }
}

impl Limits {
    fn words(&self, language: Language) -> String {
        let band = match (self.low_milli_c, self.high_milli_c) {
            (Some(low), Some(high)) => format!("{} … {} °C", degrees(low), degrees(high)),
            (None, Some(high)) => format!("≤ {} °C", degrees(high)),
            (Some(low), None) => format!("≥ {} °C", degrees(low)),
            (None, None) => String::new(),
        };
        let (name, policy, version) = (language.of("limits", "限值"), &self.policy, self.version);
        format!("{name} {band} ({policy} v{version})")
    }
}
