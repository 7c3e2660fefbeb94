//! Files of loggers: what is understood of one, and reading one in.

use std::{
    collections::BTreeMap,
    fs::File,
    io::Read as _,
    path::{Path, PathBuf},
};

use clap::{ArgGroup, Args};
use serde_json::json;
use trace_core::{
    error::{Invalid, Rule},
    ident::{EquipmentId, LEDGER_OFFSET_MINUTES, format_ms},
    ledger::readings::{Readings, Taken},
    record::{cold_chain::EquipmentKind, readings::encode, rights::Registry, temperature::Reading},
};

use super::{kind_of, readings};
use crate::{
    cli::{
        Failure, Manner,
        manner::write_line,
        progress::{Interrupt, bar},
        remote::Remote,
        source::{Asking, Source},
    },
    loggers::{
        Mapping, Plan, Said,
        guess::guess,
        shelf::{MAPPINGS, Shelf},
        table::{self, FILE_BYTES_MAX, Table},
    },
    machine,
};

/// Readings that are stored in one call, so that a bar moves and Ctrl-C is heard.
const CALL_READINGS: usize = 32_768;
/// Rows shown of what a mapping makes of a file.
const SHOWN_READINGS: usize = 5;

/// What is understood of a file.
#[derive(Debug, Args)]
pub struct Map {
    /// The file
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// Zone of times without one: +08:00, or a name such as Asia/Shanghai
    #[arg(
        long,
        value_name = "ZONE",
        conflicts_with = "mapping",
        allow_hyphen_values = true
    )]
    zone: Option<String>,

    /// Use this mapping instead of guessing one
    #[arg(long, value_name = "FILE")]
    mapping: Option<PathBuf>,

    /// Save the mapping for this equipment
    #[arg(long, value_name = "EQUIPMENT", value_parser = EquipmentId::parse)]
    save: Option<EquipmentId>,

    #[command(flatten)]
    asking: Asking,
}

/// A file to read in.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("rule").args(["all_or_nothing", "valid_rows_only"]))]
pub struct Read {
    /// The file
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// The probe, or the equipment for which the mapping is saved
    #[arg(long, value_name = "EQUIPMENT", value_parser = EquipmentId::parse)]
    equipment: EquipmentId,

    /// What stands where in the file [default: as saved for the equipment]
    #[arg(long, value_name = "FILE")]
    mapping: Option<PathBuf>,

    /// Check every row first and store nothing when one is wrong (the default)
    #[arg(long)]
    all_or_nothing: bool,

    /// Store the rows that are right, and name the others
    #[arg(long)]
    valid_rows_only: bool,

    #[command(flatten)]
    asking: Asking,
}

fn bytes_of(path: &Path) -> Result<Vec<u8>, Failure> {
    let cannot = |error: std::io::Error| Failure::Machine(format!("{}: {error}", path.display()));
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(cannot)?;
    // One byte more shows that there is more.
    file.take(FILE_BYTES_MAX + 1)
        .read_to_end(&mut bytes)
        .map_err(cannot)?;
    Ok(bytes)
}

fn mapping_of(path: &Path) -> Result<Mapping, Failure> {
    serde_json::from_slice(&bytes_of(path)?)
        .map_err(|error| Failure::Usage(format!("{}: {error}", path.display())))
}

fn usage(said: &Said, manner: &Manner) -> Failure {
    Failure::Usage(said.of(manner.language()).to_owned())
}

impl Map {
    pub(super) fn run(self, manner: &Manner) -> Result<(), Failure> {
        let bytes = bytes_of(&self.file)?;
        let mapping = match &self.mapping {
            Some(path) => mapping_of(path)?,
            None => {
                let found = guess(&bytes, self.zone.as_deref(), manner.language());
                let found = found
                    .map_err(|said| Failure::Refused(said.of(manner.language()).to_owned()))?;
                for unsure in &found.unsure {
                    manner.remark(&unsure.english, &unsure.chinese);
                }
                found.mapping
            }
        };
        if let Some(equipment) = &self.save {
            return save(&self.asking, equipment, mapping, manner);
        }
        preview(&bytes, &mapping, manner);
        let text = serde_json::to_string_pretty(&mapping)
            .map_err(|error| Failure::Machine(error.to_string()))?;
        write_line(&text)
    }
}

/// The first readings, as the mapping has them; on standard error, since the
/// mapping is the result.
fn preview(bytes: &[u8], mapping: &Mapping, manner: &Manner) {
    // Any probe will do to see what the rows say.
    let read = Plan::new(mapping.clone(), Some(EquipmentId::from_bytes([0; 10])))
        .and_then(|plan| table::read(bytes, &plan, u64::MAX, manner.language()));
    let table = match read {
        Ok(table) => table,
        Err(said) => return manner.remark(&said.english, &said.chinese),
    };
    for reading in table
        .probes
        .values()
        .next()
        .into_iter()
        .flatten()
        .take(SHOWN_READINGS)
    {
        let at = format_ms(reading.at_ms, LEDGER_OFFSET_MINUTES);
        let degrees = trace_core::ledger::cold_chain::degrees(reading.temperature_milli_c);
        manner.remark(
            &format!("{at}  {degrees} °C"),
            &format!("{at}  {degrees} ℃"),
        );
    }
    let (rows, readings, wrong) = (table.rows, table.readings(), table.complaint_count);
    manner.remark(
        &format!("{rows} rows: {readings} readings, {wrong} mistakes"),
        &format!("共{rows}行:读数{readings}个,错误{wrong}处"),
    );
    told(&table, manner);
}

fn save(
    asking: &Asking,
    equipment: &EquipmentId,
    mapping: Mapping,
    manner: &Manner,
) -> Result<(), Failure> {
    match asking.open(manner)? {
        Source::Server(remote) => remote.save_mapping(equipment, &mapping)?,
        Source::Folder(reading) => {
            let kind = kind_of(&reading.view, equipment)?;
            let plan = checked(mapping.clone(), *equipment, kind, manner)?;
            for probe in plan.probes() {
                is_probe(kind_of(&reading.view, &probe)?, &probe)?;
            }
            Shelf::new(&asking.folder().data.join(MAPPINGS)).put(equipment, &mapping)?;
        }
    }
    let id = equipment.to_string();
    manner.tell(&json!({ "equipment": id }), || {
        manner.of(
            format!("{id}: the mapping is saved"),
            format!("{id}:映射已保存"),
        )
    })
}

fn checked(
    mapping: Mapping,
    equipment: EquipmentId,
    kind: EquipmentKind,
    manner: &Manner,
) -> Result<Plan, Failure> {
    let probe = (kind == EquipmentKind::Probe).then_some(equipment);
    Plan::new(mapping, probe).map_err(|said| usage(&said, manner))
}

fn is_probe(kind: EquipmentKind, id: &EquipmentId) -> Result<(), Failure> {
    match kind {
        EquipmentKind::Probe => Ok(()),
        _ => Err(Invalid::new(Rule::EquipmentUnfit, format!("{id} is no probe")).into()),
    }
}

/// Says what was left out, on standard error.
fn told(table: &Table, manner: &Manner) {
    for complaint in &table.complaints {
        let (row, why) = (complaint.row, &complaint.why);
        let column = complaint.column.as_deref().unwrap_or("-");
        manner.remark(
            &format!("row {row}, column {column}: {why}"),
            &format!("第{row}行,{column}列:{why}"),
        );
    }
    for (word, count) in &table.no_reading {
        manner.remark(
            &format!("no reading in {count} cells: {word:?}"),
            &format!("{count}个单元格无读数:{word:?}"),
        );
    }
}

impl Read {
    pub(super) fn run(self, manner: &Manner) -> Result<(), Failure> {
        let bytes = bytes_of(&self.file)?;
        let source = self.asking.open(manner)?;
        let given = self.mapping.as_deref().map(mapping_of).transpose()?;
        let table = self.table(&bytes, &source, given, manner)?;
        told(&table, manner);
        if table.complaint_count > 0 && !self.valid_rows_only {
            let count = table.complaint_count;
            return Err(Failure::Refused(manner.of(
                format!("{count} mistakes; nothing was stored (--valid-rows-only stores the rest)"),
                format!("错误{count}处,未存入任何读数(--valid-rows-only 可存入其余各行)"),
            )));
        }
        if let Source::Folder(reading) = &source {
            for probe in table.probes.keys() {
                is_probe(kind_of(&reading.view, probe)?, probe)?;
            }
        }
        let mut store = match &source {
            Source::Folder(reading) => {
                let ahead_ms = reading.view.folded().policy()?;
                let ahead_ms = ahead_ms.map_or(0, |policy| policy.signed_ahead_max_ms);
                Target::Store(readings(self.asking.folder(), &reading.view)?, ahead_ms)
            }
            Source::Server(remote) => Target::Server(remote),
        };
        let summary = (table.rows, table.complaint_count, table.no_reading.clone());
        let taken = store.append_all(table, manner)?;
        self.told(taken, summary, manner)
    }

    fn table(
        &self,
        bytes: &[u8],
        source: &Source,
        given: Option<Mapping>,
        manner: &Manner,
    ) -> Result<Table, Failure> {
        let (saved, kind) = match source {
            Source::Folder(reading) => {
                let shelf = Shelf::new(&self.asking.folder().data.join(MAPPINGS));
                (
                    shelf.get(&self.equipment)?,
                    kind_of(&reading.view, &self.equipment)?,
                )
            }
            Source::Server(remote) => {
                let saved = match &given {
                    Some(_) => None,
                    None => remote.mapping(&self.equipment)?,
                };
                // Read as a probe's here; the server refuses readings of what is none.
                (saved, EquipmentKind::Probe)
            }
        };
        let Some(mapping) = given.or(saved) else {
            let id = self.equipment;
            return Err(Failure::Usage(manner.of(
                format!("no mapping is saved for {id}: see `trace cold map`, or give --mapping"),
                format!("{id} 没有已保存的映射:请见 trace cold map,或用 --mapping 给出"),
            )));
        };
        let plan = checked(mapping, self.equipment, kind, manner)?;
        let read = table::read(bytes, &plan, machine::now_ms(), manner.language());
        read.map_err(|said| Failure::Refused(said.of(manner.language()).to_owned()))
    }

    fn told(
        &self,
        taken: Taken,
        (rows, wrong, no_reading): (u64, u64, BTreeMap<String, u64>),
        manner: &Manner,
    ) -> Result<(), Failure> {
        let Taken { fresh, known } = taken;
        let without: u64 = no_reading.values().sum();
        let value = json!({
            "fresh": fresh, "known": known, "rows": rows,
            "complaint_count": wrong, "no_reading": no_reading,
        });
        manner.tell(&value, || manner.of(
            format!("{rows} rows: {fresh} readings stored, {known} known already, {without} cells without a reading, {wrong} mistakes"),
            format!("共{rows}行:存入读数{fresh}个,已有{known}个,无读数{without}格,错误{wrong}处"),
        ))
    }
}

/// Into what readings are stored.
enum Target<'s> {
    Store(Readings, u64),
    Server(&'s Remote),
}

impl Target<'_> {
    fn append_all(&mut self, table: Table, manner: &Manner) -> Result<Taken, Failure> {
        let interrupt = Interrupt::watch();
        let bar = bar(table.readings() as u64, manner.of("readings", "读数"));
        let mut all = Taken::default();
        for batch in table.into_batches(CALL_READINGS) {
            if interrupt.is_wanted() {
                let fresh = all.fresh;
                return Err(Failure::Interrupted(manner.of(
                    format!("stopped by Ctrl-C: {fresh} readings are stored; read the file again for the rest"),
                    format!("已被 Ctrl-C 停止:已存入读数{fresh}个;再次读入该文件即可补齐"),
                )));
            }
            let count: usize = batch.iter().map(|(_, readings)| readings.len()).sum();
            let taken = self.append(batch)?;
            all.fresh += taken.fresh;
            all.known += taken.known;
            bar.inc(count as u64);
        }
        bar.finish_and_clear();
        Ok(all)
    }

    fn append(&mut self, batch: Vec<(EquipmentId, Vec<Reading>)>) -> Result<Taken, Failure> {
        match self {
            Self::Store(readings, ahead_ms) => {
                Ok(readings.append(batch, machine::now_ms(), *ahead_ms)?)
            }
            Self::Server(remote) => {
                let (fresh, known) = remote.append_readings(&encode(&batch)?)?;
                Ok(Taken { fresh, known })
            }
        }
    }
}
