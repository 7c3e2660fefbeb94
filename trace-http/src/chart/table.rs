//! The same in numbers, beneath the picture: each stay with its verdict, each
//! excursion by its number, each gap, and the times between stays.

use maud::{Markup, html};
use trace_core::{
    ledger::cold_chain::{Kept, KeptStay},
    record::keeping::Run,
    record::status::ColdChain,
};

use super::words::{Local, celsius, minutes, moment};

/// Tables of how a unit was kept; what there is none of has no table.
#[must_use]
pub fn tables(kept: &Kept, local: Local) -> Markup {
    let of = |english, chinese| local.language.of(english, chinese);
    let gaps = kept.stays.iter().flat_map(|stay| &stay.verdict.gaps);
    let gaps: Vec<Run> = gaps.copied().collect();
    html! {
        @for (number, stay) in (1..).zip(&kept.stays) { (stay_list(number, stay, local)) }
        (excursions(kept, local))
        (runs(of("Times without readings", "无读数时段"), &gaps, local))
        (runs(of("Out of refrigeration between stays", "两次存放之间脱离冷藏"), &kept.outside_stays, local))
    }
}

fn state(state: ColdChain, local: Local) -> &'static str {
    match state {
        ColdChain::Kept => local.language.of("kept as its policy demands", "符合规则"),
        ColdChain::Exceeded => local
            .language
            .of("outside what is tolerated", "超出允许范围"),
        ColdChain::Gaps => local
            .language
            .of("not shown to be kept", "无法证明全程合规"),
        ColdChain::NotMonitored => local.language.of("nothing was measured", "无温度记录"),
    }
}

fn stay_list(number: usize, stay: &KeptStay, local: Local) -> Markup {
    let of = |english, chinese| local.language.of(english, chinese);
    let time = |at_ms| moment(at_ms, local.offset_minutes);
    let long = |ms| minutes(ms, local.language);
    let verdict = &stay.verdict;
    let band = match (stay.low_milli_c, stay.high_milli_c) {
        (Some(low), Some(high)) => format!("{} … {} °C", celsius(low), celsius(high)),
        (None, Some(high)) => format!("≤ {} °C", celsius(high)),
        (Some(low), None) => format!("≥ {} °C", celsius(low)),
        (None, None) => "–".into(),
    };
    html! {
        h2 { (of("Stay ", "存放 ")) (number) ": " (state(verdict.state, local)) }
        dl {
            dt { (of("Where", "存放设备")) }
            dd { code { (stay.equipment) } }
            dt { (of("When", "时间")) }
            dd {
                (time(stay.from_ms)) " – " (time(stay.until_ms))
                @if stay.is_open { " " (of("(there still)", "(仍在存放)")) }
            }
            dt { (of("Policy", "温度规则")) }
            dd {
                (stay.policy) " " (of("version ", "版本 ")) (stay.version) ": " (band) " · " (stay.source)
                @if !stay.is_confirmed { " · " (of("numbers unconfirmed", "数值未经核实")) }
            }
            dt { (of("Measured", "实测")) }
            dd {
                @if let Some((low, high)) = verdict.extremes_milli_c {
                    (celsius(low)) " … " (celsius(high)) " °C · "
                }
                (verdict.readings) " " (of("readings of ", "个读数,探头 ")) (stay.probes.len())
                (of(" probes", " 个"))
                @if verdict.conflicts > 0 {
                    " · " (verdict.conflicts) " " (of("contradict others", "个读数相互矛盾"))
                }
            }
            dt { (of("Outside the band", "超出范围")) }
            dd {
                (long(verdict.outside_ms)) ", " (of("longest ", "最长 ")) (long(verdict.longest_outside_ms))
                ", " (degree_minutes(verdict.milli_degree_minutes)) " " (of("degree-minutes", "度·分钟"))
            }
            dt { (of("Without readings", "无读数")) }
            dd { (long(verdict.gap_ms)) ", " (of("longest ", "最长 ")) (long(verdict.longest_gap_ms)) }
            @if let Some(mean) = verdict.mean_kinetic_milli_c {
                dt { (of("Mean kinetic temperature", "平均动力学温度")) }
                dd {
                    (thousandths(mean)) " °C "
                    (of("(for information; clears no breach)", "(仅供参考,不能抵消超温)"))
                }
            }
        }
    }
}

fn excursions(kept: &Kept, local: Local) -> Markup {
    let of = |english, chinese| local.language.of(english, chinese);
    let time = |at_ms| moment(at_ms, local.offset_minutes);
    let all = || kept.stays.iter().flat_map(|stay| &stay.verdict.excursions);
    let count: u64 = kept.stays.iter().map(|it| it.verdict.excursion_count).sum();
    html! {
        @if count > 0 {
            h2 { (of("Outside the band", "超温时段")) }
            table {
                thead { tr {
                    th scope="col" { (of("No.", "序号")) }
                    th scope="col" { (of("From", "开始")) }
                    th scope="col" { (of("Until", "结束")) }
                    th scope="col" { (of("For", "时长")) }
                    th scope="col" { (of("Peak", "峰值")) }
                    th scope="col" { (of("Degree-minutes", "度·分钟")) }
                } }
                tbody { @for (number, it) in (1..).zip(all()) { tr {
                    th scope="row" { (number) }
                    td { (time(it.run.from_ms)) }
                    td { (time(it.run.until_ms)) }
                    td { (minutes(it.run.length_ms(), local.language)) }
                    td { (celsius(it.peak_milli_c)) " °C" }
                    td { (degree_minutes(it.milli_degree_minutes)) }
                } } }
            }
            @if count > all().count() as u64 {
                p { (of("In all: ", "共计:")) (count) }
            }
        }
    }
}

fn runs(heading: &str, runs: &[Run], local: Local) -> Markup {
    let of = |english, chinese| local.language.of(english, chinese);
    let time = |at_ms| moment(at_ms, local.offset_minutes);
    html! {
        @if !runs.is_empty() {
            h2 { (heading) }
            table {
                thead { tr {
                    th scope="col" { (of("From", "开始")) }
                    th scope="col" { (of("Until", "结束")) }
                    th scope="col" { (of("For", "时长")) }
                } }
                tbody { @for run in runs { tr {
                    td { (time(run.from_ms)) }
                    td { (time(run.until_ms)) }
                    td { (minutes(run.length_ms(), local.language)) }
                } } }
            }
        }
    }
}

/// Thousandths of a degree times minutes as degree-minutes with one decimal,
/// rounded up.
fn degree_minutes(milli: u64) -> String {
    let tenths = milli.div_ceil(100);
    format!("{}.{}", tenths / 10, tenths % 10)
}

/// Degrees with all three decimals.
fn thousandths(milli_c: i32) -> String {
    let sign = if milli_c < 0 { "\u{2212}" } else { "" };
    let whole = milli_c.unsigned_abs();
    format!("{sign}{}.{:03}", whole / 1_000, whole % 1_000)
}
