//! How a unit was kept, for people.

use clap::Args;
use serde_json::Value;
use trace_core::{
    error::{Invalid, Rule},
    ident::{LEDGER_OFFSET_MINUTES, TraceCode, format_ms},
    ledger::cold_chain::{self, degrees},
};

use super::readings;
use crate::{
    cli::{
        Failure, Manner,
        manner::{at, plain},
        source::{Asking, Source},
    },
    machine,
};

/// Which unit.
#[derive(Debug, Args)]
pub struct ShowKept {
    /// The trace code
    #[arg(value_name = "CODE")]
    code: TraceCode,

    #[command(flatten)]
    asking: Asking,
}

impl ShowKept {
    pub(super) fn run(self, manner: &Manner) -> Result<(), Failure> {
        let code = self.code;
        let answer = match self.asking.open(manner)? {
            Source::Server(remote) => {
                remote.json(&format!("/v1/codes/{}/temperatures", code.compact()))?
            }
            Source::Folder(reading) => {
                let store = readings(self.asking.folder(), &reading.view)?;
                let kept = cold_chain::kept(&reading.view, &store, &code, machine::now_ms())?;
                let kept = kept.map(serde_json::to_value).transpose();
                kept.map_err(|error| Failure::Machine(error.to_string()))?
            }
        };
        let Some(answer) = answer else {
            let what = format!("{code} was placed in no equipment of this ledger");
            return Err(Invalid::new(Rule::UnitUnknown, what).into());
        };
        manner.tell(&answer, || told(code, &answer, manner))
    }
}

fn told(code: TraceCode, kept: &Value, manner: &Manner) -> String {
    let mut lines = vec![format!("{code}  {}", state(at(kept, "/state"), manner))];
    for stay in list(kept, "/stays") {
        let (from, until) = (time(at(stay, "/from_ms")), time(at(stay, "/until_ms")));
        let is_open = at(stay, "/is_open").as_bool() == Some(true);
        let still = if is_open {
            manner.of(" (still there)", "(仍在库)")
        } else {
            ""
        };
        let equipment = plain(at(stay, "/equipment").as_str().unwrap_or_default());
        let policy = plain(at(stay, "/policy").as_str().unwrap_or_default());
        let version = at(stay, "/version");
        let band = format!(
            "{}..{}",
            milli(at(stay, "/low_milli_c")),
            milli(at(stay, "/high_milli_c"))
        );
        let verdict = at(stay, "/verdict");
        lines.push(format!("\n{equipment}  {from} – {until}{still}"));
        lines.push(manner.of(
            format!(
                "  policy {policy} {version}: {band} °C; {}",
                state(at(verdict, "/state"), manner)
            ),
            format!(
                "  规则 {policy} 第{version}版:{band} ℃;{}",
                state(at(verdict, "/state"), manner)
            ),
        ));
        lines.push(manner.of(
            format!(
                "  {} readings; outside {} min, longest {} min; unknown {} min",
                at(verdict, "/readings"),
                minutes(at(verdict, "/outside_ms")),
                minutes(at(verdict, "/longest_outside_ms")),
                minutes(at(verdict, "/gap_ms")),
            ),
            format!(
                "  读数{}个;超温共{}分钟,最长{}分钟;无记录{}分钟",
                at(verdict, "/readings"),
                minutes(at(verdict, "/outside_ms")),
                minutes(at(verdict, "/longest_outside_ms")),
                minutes(at(verdict, "/gap_ms")),
            ),
        ));
        for (pointer, count, name) in [
            (
                "/excursions",
                "/excursion_count",
                manner.of("excursion", "超温"),
            ),
            ("/gaps", "/gap_count", manner.of("gap", "缺记录")),
        ] {
            let shown = list(verdict, pointer);
            for run in shown {
                let (from, until) = (time(at(run, "/from_ms")), time(at(run, "/until_ms")));
                lines.push(format!("  {name}  {from} – {until}"));
            }
            let all = at(verdict, count).as_u64().unwrap_or_default();
            let more = all.saturating_sub(shown.len() as u64);
            if more > 0 {
                lines.push(manner.of(
                    format!("  {name}: {more} more"),
                    format!("  {name}:另有{more}段"),
                ));
            }
        }
    }
    lines.join("\n")
}

fn list<'v>(value: &'v Value, pointer: &str) -> &'v [Value] {
    at(value, pointer).as_array().map_or(&[], Vec::as_slice)
}

fn state(word: &Value, manner: &Manner) -> String {
    let word = word.as_str().unwrap_or_default();
    let (english, chinese) = match word {
        "kept" => ("kept", "符合要求"),
        "exceeded" => ("exceeded", "超温"),
        "gaps" => ("gaps: not shown to be kept", "有缺失:不能证明符合要求"),
        "not_monitored" => ("not monitored", "无温度记录"),
        other => return plain(other),
    };
    manner.of(english, chinese).to_owned()
}

fn time(ms: &Value) -> String {
    ms.as_u64()
        .map_or_else(String::new, |ms| format_ms(ms, LEDGER_OFFSET_MINUTES))
}

fn milli(value: &Value) -> String {
    let milli = value.as_i64().and_then(|it| i32::try_from(it).ok());
    milli.map_or_else(String::new, |milli| degrees(milli).to_string())
}

/// Whole minutes, and what is begun counts: nothing outside is shown as zero.
fn minutes(ms: &Value) -> u64 {
    ms.as_u64().unwrap_or_default().div_ceil(60_000)
}
