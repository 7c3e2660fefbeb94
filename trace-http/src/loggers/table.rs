//! A logger's whole file: readings by probe, cells without one counted by what
//! stands there, and what is wrong by row and column.

use std::collections::BTreeMap;

use serde::Serialize;
use trace_core::{
    ident::EquipmentId,
    ledger::readings::EARLIEST_MS,
    record::{
        readings::READINGS_MAX,
        temperature::{self, Reading},
    },
};
use utoipa::ToSchema;

use super::{
    Said,
    cell::Cells,
    mapping::{Column, Plan, Whose},
};
use crate::{
    charset::decode,
    language::Language,
    rows::{ROW_BYTES_MAX, Rows},
};

/// Largest file: a year of one probe at a minute is 15 MiB in a wordy export.
pub const FILE_BYTES_MAX: u64 = 64 << 20;
/// Most readings of one file, 16 bytes each: a year of two probes at a minute.
pub const FILE_READINGS_MAX: usize = 4 * READINGS_MAX;
/// Most complaints that are said; all are counted. A person mends a mapping
/// after the first few.
pub const COMPLAINTS_MAX: usize = 100;
/// Most different words of cells without a reading that are told apart.
const WORDS_MAX: usize = 32;

/// What is wrong in a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Complaint {
    /// The line of the file, from 1.
    pub row: u64,
    /// The column by name or number; none where the whole row is meant.
    pub column: Option<String>,
    /// What is wrong.
    pub why: String,
}

/// What a file holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Table {
    /// Readings by probe, in the order of the rows.
    pub probes: BTreeMap<EquipmentId, Vec<Reading>>,
    /// Rows that held anything.
    pub rows: u64,
    /// Cells without a reading, by what stands there.
    pub no_reading: BTreeMap<String, u64>,
    /// The first of what is wrong.
    pub complaints: Vec<Complaint>,
    /// How much is wrong in all.
    pub complaint_count: u64,
}

impl Table {
    /// How many readings there are.
    #[must_use]
    pub fn readings(&self) -> usize {
        self.probes.values().map(Vec::len).sum()
    }

    /// The readings in calls of so many, at least one.
    #[must_use]
    pub fn into_batches(self, most: usize) -> Vec<Vec<(EquipmentId, Vec<Reading>)>> {
        let mut batches = vec![Vec::new()];
        let most = most.max(1);
        let mut room = most;
        for (probe, mut readings) in self.probes {
            while !readings.is_empty() {
                if room == 0 {
                    batches.push(Vec::new());
                    room = most;
                }
                let rest = readings.split_off(room.min(readings.len()));
                room -= readings.len();
                if let Some(batch) = batches.last_mut() {
                    batch.push((probe, readings));
                }
                readings = rest;
            }
        }
        batches.retain(|batch| !batch.is_empty());
        batches
    }

    fn complain(&mut self, row: u64, column: Option<&Column>, why: &Said, language: Language) {
        self.complaint_count += 1;
        if self.complaints.len() < COMPLAINTS_MAX {
            self.complaints.push(Complaint {
                row,
                column: column.map(ToString::to_string),
                why: why.of(language).to_owned(),
            });
        }
    }

    fn without_reading(&mut self, cell: &str) {
        let word: String = cell.trim().chars().take(20).collect();
        let full = self.no_reading.len() >= WORDS_MAX && !self.no_reading.contains_key(&word);
        *self
            .no_reading
            .entry(if full { "…".into() } else { word })
            .or_default() += 1;
    }
}

/// Reads a file. A reading later than `latest_ms` is a complaint: a logger whose
/// clock is ahead. A row with any complaint gives no reading.
///
/// # Errors
/// Why nothing of it can be read.
pub fn read(bytes: &[u8], plan: &Plan, latest_ms: u64, language: Language) -> Result<Table, Said> {
    let found = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    if found > FILE_BYTES_MAX {
        return Err(Said::new(
            format!("the file has {found} bytes, at most {FILE_BYTES_MAX}; send it in parts"),
            format!("文件有{found}字节,上限为{FILE_BYTES_MAX};请分几次发送"),
        ));
    }
    // Each language in which it might be asked for is the same sentence.
    let text =
        decode(bytes, plan.mapping.charset, language).map_err(|why| Said::new(why.clone(), why))?;
    let skipped = plan.mapping.skip_lines;
    let body = after_lines(&text, skipped);
    let mut records = Rows::new(body, plan.mapping.delimiter.byte(), ROW_BYTES_MAX);
    let headers = match plan.mapping.has_headers {
        false => csv::StringRecord::new(),
        true => match records.next() {
            Some(Ok(headers)) => headers,
            _ => {
                return Err(Said::new(
                    format!("there is no row of headers after {skipped} lines"),
                    format!("跳过{skipped}行后没有列名行"),
                ));
            }
        },
    };
    let places = Places::new(plan, &headers)?;
    let cells = Cells {
        decimal: plan.mapping.decimal,
        unit: plan.mapping.unit,
        no_reading: &plan.mapping.no_reading,
    };
    let mut table = Table::default();
    let mut count = 0;
    for record in records {
        let record = match record {
            Ok(record) => record,
            Err(error) if error.is_io_error() => {
                let row = table.rows + 1;
                return Err(Said::new(
                    format!("row {row} or so: a row is longer than {ROW_BYTES_MAX} bytes"),
                    format!("约第{row}行:一行超过{ROW_BYTES_MAX}字节"),
                ));
            }
            Err(error) => {
                let row = error.position().map_or(0, csv::Position::line) + u64::from(skipped);
                let why = Said::new(error.to_string(), format!("无法读取:{error}"));
                table.complain(row, None, &why, language);
                continue;
            }
        };
        if record.iter().all(|cell| cell.trim().is_empty()) {
            continue;
        }
        let row = record.position().map_or(0, csv::Position::line) + u64::from(skipped);
        table.rows += 1;
        count += read_row(
            &mut table, plan, &places, cells, &record, row, latest_ms, language,
        );
        if count > FILE_READINGS_MAX {
            return Err(Said::new(
                format!("more than {FILE_READINGS_MAX} readings in one file; send it in parts"),
                format!("一个文件的读数超过{FILE_READINGS_MAX}个;请分几次发送"),
            ));
        }
    }
    Ok(table)
}

#[expect(
    clippy::too_many_arguments,
    reason = "one row's everything, called once"
)]
fn read_row(
    table: &mut Table,
    plan: &Plan,
    places: &Places<'_>,
    cells: Cells<'_>,
    record: &csv::StringRecord,
    row: u64,
    latest_ms: u64,
    language: Language,
) -> usize {
    let cell = |place: usize| record.get(place).unwrap_or_default();
    let parts: Vec<&str> = places
        .time
        .iter()
        .map(|(place, _)| cell(*place).trim())
        .collect();
    let mut is_right = true;
    let at_ms = plan
        .instants
        .read(&parts.join(" "))
        .and_then(|at_ms| in_time(at_ms, latest_ms));
    let at_ms = match at_ms {
        Ok(at_ms) => at_ms,
        Err(why) => {
            let column = places.time.first().map(|(_, column)| *column);
            table.complain(row, column, &why, language);
            return 0;
        }
    };
    let of_row = match places.probe {
        None => None,
        Some((place, column)) => match named(plan, cell(place)) {
            Ok(probe) => Some(probe),
            Err(why) => {
                table.complain(row, Some(column), &why, language);
                return 0;
            }
        },
    };
    let mut found = Vec::with_capacity(places.temperatures.len());
    let mut without = Vec::new();
    for (place, column, whose) in &places.temperatures {
        let read = cells.read(cell(*place)).and_then(|read| match read {
            Some(milli_c) => match temperature::check(milli_c) {
                Ok(()) => Ok(Some(milli_c)),
                Err(invalid) => Err(Said::new(invalid.what.clone(), invalid.what)),
            },
            None => Ok(None),
        });
        let probe = match whose {
            Whose::Probe(probe) => Some(*probe),
            Whose::OfRow => of_row,
        };
        match (read, probe) {
            (Ok(Some(temperature_milli_c)), Some(probe)) => {
                found.push((
                    probe,
                    Reading {
                        at_ms,
                        temperature_milli_c,
                    },
                ));
            }
            (Ok(_), _) => without.push(*place),
            (Err(why), _) => {
                is_right = false;
                table.complain(row, Some(column), &why, language);
            }
        }
    }
    if !is_right {
        return 0;
    }
    for place in without {
        table.without_reading(cell(place));
    }
    let count = found.len();
    for (probe, reading) in found {
        table.probes.entry(probe).or_default().push(reading);
    }
    count
}

fn in_time(at_ms: u64, latest_ms: u64) -> Result<u64, Said> {
    if at_ms < EARLIEST_MS {
        return Err(Said::new(
            format!("{at_ms} ms is before 2000: a clock never set, or seconds for milliseconds"),
            format!("{at_ms} 毫秒早于2000年:时钟未校准,或误将秒作毫秒"),
        ));
    }
    if at_ms > latest_ms {
        return Err(Said::new(
            format!(
                "{at_ms} ms is {} ms ahead of the clock here",
                at_ms - latest_ms
            ),
            format!("{at_ms} 毫秒比本机时钟超前 {} 毫秒", at_ms - latest_ms),
        ));
    }
    Ok(at_ms)
}

fn named(plan: &Plan, cell: &str) -> Result<EquipmentId, Said> {
    let name = cell.trim();
    if let Some(probe) = plan.names.get(name) {
        return Ok(*probe);
    }
    EquipmentId::parse(name).map_err(|_| {
        let found: String = name.chars().take(40).collect();
        Said::new(
            format!("{found:?} is no probe that the mapping names"),
            format!("映射中没有名为 {found:?} 的探头"),
        )
    })
}

/// Where the columns of a plan stand in this file, from 0.
struct Places<'p> {
    time: Vec<(usize, &'p Column)>,
    temperatures: Vec<(usize, &'p Column, &'p Whose)>,
    probe: Option<(usize, &'p Column)>,
}

impl<'p> Places<'p> {
    fn new(plan: &'p Plan, headers: &csv::StringRecord) -> Result<Self, Said> {
        let mut places = Self {
            time: Vec::new(),
            temperatures: Vec::new(),
            probe: None,
        };
        for column in &plan.mapping.time {
            places.time.push((place(column, headers)?, column));
        }
        for (column, whose) in &plan.columns {
            places
                .temperatures
                .push((place(column, headers)?, column, whose));
        }
        if let Some(probe) = &plan.mapping.probe {
            places.probe = Some((place(&probe.column, headers)?, &probe.column));
        }
        Ok(places)
    }
}

fn place(column: &Column, headers: &csv::StringRecord) -> Result<usize, Said> {
    let name = match column {
        Column::Number(number) => return Ok((*number as usize).saturating_sub(1)),
        Column::Name(name) => name.trim(),
    };
    let mut found = headers
        .iter()
        .enumerate()
        .filter(|(_, it)| it.trim() == name);
    match (found.next(), found.next()) {
        (Some((place, _)), None) => Ok(place),
        (None, _) => {
            let known: String = headers
                .iter()
                .collect::<Vec<_>>()
                .join(", ")
                .chars()
                .take(200)
                .collect();
            Err(Said::new(
                format!("no column is called {name:?}; the headers are {known}"),
                format!("没有名为 {name:?} 的列;列名为 {known}"),
            ))
        }
        (Some((first, _)), Some((second, _))) => Err(Said::new(
            format!(
                "columns {} and {} are both called {name:?}: use their numbers",
                first + 1,
                second + 1
            ),
            format!(
                "第{}列与第{}列都名为 {name:?}:请用列号",
                first + 1,
                second + 1
            ),
        )),
    }
}

/// A text from behind so many lines.
fn after_lines(text: &str, lines: u32) -> &str {
    let mut rest = text;
    for _ in 0..lines {
        rest = rest.split_once('\n').map_or("", |(_, rest)| rest);
    }
    rest
}

#[cfg(test)]
mod tests;
