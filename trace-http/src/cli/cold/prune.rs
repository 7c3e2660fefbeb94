//! Taking away sealed readings after their time, or saying what that would be.

use clap::Args;
use serde_json::{Value, json};
use trace_core::{
    ident::{CivilDate, EquipmentId, LEDGER_OFFSET_MINUTES},
    ledger::{
        View, cold_chain,
        cold_chain::retention::{Needed, NeededBy, Retention},
        readings::Pruned,
    },
    record::{cold_chain::EquipmentKind, rights::Registry},
};

use super::{kind_of, readings};
use crate::{
    cli::{
        Failure, Manner,
        local::{DataFolder, Reading},
        manner::table,
    },
    machine,
};

/// Equipment asked for at a time.
const PAGE: usize = 256;

/// Which ledger, and whether to do it.
#[derive(Debug, Args)]
pub struct Prune {
    /// Say what would go, and take nothing away
    #[arg(long)]
    dry_run: bool,

    /// Only this probe
    #[arg(long, value_name = "PROBE", value_parser = EquipmentId::parse)]
    probe: Option<EquipmentId>,

    #[command(flatten)]
    folder: DataFolder,
}

impl Prune {
    pub(super) fn run(self, manner: &Manner) -> Result<(), Failure> {
        let reading = Reading::open(&self.folder, manner)?;
        let view = &reading.view;
        let store = readings(&self.folder, view)?;
        let policy = view.folded().policy()?;
        let offset = policy.map_or(LEDGER_OFFSET_MINUTES, |it| {
            i32::from(it.civil_offset_minutes)
        });
        let today = CivilDate::from_ms(machine::now_ms(), offset)?;
        let retention = Retention::of(view, offset)?;
        let probes = match self.probe {
            Some(probe) => {
                kind_of(view, &probe)?;
                vec![probe]
            }
            None => probes(view)?,
        };
        let mut all = Pruned::default();
        let (mut lines, mut values) = (Vec::new(), Vec::new());
        for probe in probes {
            let (before, needed) = retention.prunable(view, &probe, today)?;
            let gone = store.prune(&probe, before, self.dry_run)?;
            all.segments += gone.segments;
            all.readings += gone.readings;
            all.bytes += gone.bytes;
            lines.push(vec![
                probe.to_string(),
                manner.of(
                    format!(
                        "{} segments, {} readings, {} bytes",
                        gone.segments, gone.readings, gone.bytes
                    ),
                    format!(
                        "{}段,读数{}个,{}字节",
                        gone.segments, gone.readings, gone.bytes
                    ),
                ),
                needed.map_or_else(String::new, |needed| words(&needed, before, manner)),
            ]);
            values.push(json!({
                "probe": probe.to_string(), "segments": gone.segments, "readings": gone.readings,
                "bytes": gone.bytes, "before_segment": before,
                "next_needed": needed.map(|needed| json!({
                    "until": needed.until.map(|it| it.to_string()),
                    "unit": needed.unit.map(|it| it.to_string()),
                    "rule": needed.rule,
                })),
            }));
        }
        let value = json!({
            "dry_run": self.dry_run, "segments": all.segments, "readings": all.readings,
            "bytes": all.bytes, "probes": Value::Array(values),
        });
        manner.tell(&value, || {
            let what = match self.dry_run {
                true => manner.of("would go", "将删除"),
                false => manner.of("taken away", "已删除"),
            };
            let sum = manner.of(
                format!(
                    "{what}: {} segments, {} readings, {} bytes",
                    all.segments, all.readings, all.bytes
                ),
                format!(
                    "{what}:{}段,读数{}个,{}字节",
                    all.segments, all.readings, all.bytes
                ),
            );
            format!("{}\n{sum}", table(&lines)).trim_start().to_owned()
        })
    }
}

/// Why the first segment that stays does.
fn words(needed: &Needed, number: u64, manner: &Manner) -> String {
    let (english, chinese) = match needed.rule {
        NeededBy::UnitStillThere => ("a unit lies there still", "有产品仍在库"),
        NeededBy::SixMonthsPastDurability => ("six months past durability", "保质期满后六个月"),
        NeededBy::TwoYearsAfterLeaving => ("two years after leaving", "出库后二年"),
        NeededBy::NoUnitCovered => ("no unit covered: six months", "未覆盖产品:六个月"),
    };
    let unit = needed
        .unit
        .map(|unit| format!(" {unit}"))
        .unwrap_or_default();
    let until = needed.until.map(|until| until.to_string());
    manner.of(
        format!(
            "segment {number} stays until {}: {english}{unit}",
            until.as_deref().unwrap_or("it leaves")
        ),
        format!(
            "第{number}段保留至{}:{chinese}{unit}",
            until.as_deref().unwrap_or("出库")
        ),
    )
}

/// Every probe of the ledger.
fn probes(view: &View) -> Result<Vec<EquipmentId>, Failure> {
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = cold_chain::all_equipment(view, after, PAGE)?;
        let probes = page
            .iter()
            .filter(|(_, state)| state.kind == EquipmentKind::Probe);
        found.extend(probes.map(|(id, _)| *id));
        after = page.last().map(|(id, _)| *id);
        if page.len() < PAGE {
            return Ok(found);
        }
    }
}
