//! What stands where in a logger's file: as it is saved, and as it is used.
//!
//! A mapping is data that people write, so nothing in it is taken for granted:
//! [`Plan`] is the same, checked.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use trace_core::ident::EquipmentId;
use utoipa::ToSchema;

use super::{Said, instant::Instants};
use crate::charset::Charset;

/// Most columns of temperatures in one file: as many probes as watch one place.
pub const COLUMNS_MAX: usize = 256;
/// Most names of probes, and most words that mean no reading.
const NAMES_MAX: usize = 256;
/// Most lines before the headers: exports have a page of remarks at most.
const SKIPPED_MAX: u32 = 1_000;
/// Longest name or word: a header is what fits a column.
const NAME_BYTES_MAX: usize = 200;

/// What stands where in a logger's file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// Character set; `auto` is UTF-8 where the bytes are, else GB18030.
    #[serde(default)]
    pub charset: Charset,
    /// What stands between columns.
    pub delimiter: Delimiter,
    /// What stands before the fraction of a number.
    #[serde(default)]
    pub decimal: Decimal,
    /// Lines before the headers, or before the readings where there are none.
    #[serde(default)]
    pub skip_lines: u32,
    /// Whether a row of column names stands before the readings.
    pub has_headers: bool,
    /// The column of the time; two where date and time of day stand apart.
    pub time: Vec<Column>,
    /// `iso8601`, `epoch_s`, `epoch_ms`, or a pattern such as
    /// `%Y/%m/%d %H:%M:%S`.
    #[schema(example = "%Y/%m/%d %H:%M:%S")]
    pub time_format: String,
    /// Of times without a zone: an offset such as `+08:00`, or a zone's name such
    /// as `Asia/Shanghai`.
    #[schema(example = "+08:00")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// The columns of temperatures.
    pub temperatures: Vec<TemperatureColumn>,
    /// The column that names the probe, where every row has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probe: Option<ProbeColumn>,
    /// The unit of the temperatures.
    #[serde(default)]
    pub unit: Degrees,
    /// Words that mean no reading, beside those that always do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub no_reading: Vec<String>,
}

/// A column: its number from 1, or its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum Column {
    /// From 1.
    Number(u32),
    /// As it stands in the row of headers.
    Name(String),
}

/// What stands between columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Delimiter {
    /// `,`
    Comma,
    /// `;`
    Semicolon,
    /// A tabulator.
    Tab,
}

/// What stands before the fraction of a number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Decimal {
    /// `2.5`
    #[default]
    Point,
    /// `2,5`
    Comma,
}

/// A unit of temperature.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Degrees {
    /// °C
    #[default]
    Celsius,
    /// °F
    Fahrenheit,
}

/// A column of temperatures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TemperatureColumn {
    /// Which.
    pub column: Column,
    /// Whose readings they are; the probe that is asked for where left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "Q-0000-0000-0000-0000-0")]
    pub probe: Option<String>,
}

/// A column that names the probe.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProbeColumn {
    /// Which.
    pub column: Column,
    /// The probe of each name; an equipment id needs no name.
    #[serde(default)]
    pub names: BTreeMap<String, String>,
}

impl Delimiter {
    /// The byte.
    #[must_use]
    pub fn byte(self) -> u8 {
        match self {
            Self::Comma => b',',
            Self::Semicolon => b';',
            Self::Tab => b'\t',
        }
    }
}

impl std::fmt::Display for Column {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Name(name) => f.write_str(name),
        }
    }
}

/// Whose readings a cell holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Whose {
    /// One probe's, in all rows.
    Probe(EquipmentId),
    /// The probe's that the row names.
    OfRow,
}

/// A mapping that was checked.
#[derive(Debug, Clone)]
pub struct Plan {
    pub(super) mapping: Mapping,
    pub(super) instants: Instants,
    pub(super) columns: Vec<(Column, Whose)>,
    pub(super) names: BTreeMap<String, EquipmentId>,
}

impl Plan {
    /// Checks a mapping; `probe` is whose readings a column without a probe holds.
    ///
    /// # Errors
    /// What is wrong with it, and what is wanted.
    pub fn new(mapping: Mapping, probe: Option<EquipmentId>) -> Result<Self, Said> {
        bound(
            "skip_lines",
            mapping.skip_lines as usize,
            SKIPPED_MAX as usize,
        )?;
        bound("temperatures", mapping.temperatures.len(), COLUMNS_MAX)?;
        bound("no_reading", mapping.no_reading.len(), NAMES_MAX)?;
        for word in &mapping.no_reading {
            bound("no_reading", word.len(), NAME_BYTES_MAX)?;
        }
        if mapping.decimal == Decimal::Comma && mapping.delimiter == Delimiter::Comma {
            // Quoted numbers are read, but a bare one would fall in two.
            return Err(Said::new(
                "decimal and delimiter cannot both be a comma",
                "小数点与分隔符不能同为逗号",
            ));
        }
        if !(1..=2).contains(&mapping.time.len()) {
            let found = mapping.time.len();
            return Err(Said::new(
                format!("time: {found} columns, wanted one, or two for date and time of day"),
                format!("time:共{found}列,应为1列,或日期与时刻各1列"),
            ));
        }
        let instants = Instants::new(&mapping.time_format, mapping.zone.as_deref())?;
        let mut columns: Vec<(Column, Whose)> = Vec::with_capacity(mapping.temperatures.len());
        for wanted in &mapping.temperatures {
            let whose = match (&wanted.probe, &mapping.probe, probe) {
                (Some(_), Some(_), _) => {
                    return Err(Said::new(
                        "probe: either a column names it or each column of temperatures has one",
                        "probe:要么由一列给出探头,要么每个温度列各属一个探头",
                    ));
                }
                (Some(id), None, _) => Whose::Probe(equipment(id)?),
                (None, Some(_), _) => Whose::OfRow,
                (None, None, Some(probe)) => Whose::Probe(probe),
                (None, None, None) => {
                    let column = &wanted.column;
                    return Err(Said::new(
                        format!("column {column}: of which probe? give its id as `probe`"),
                        format!("{column} 列属于哪个探头?请用 probe 给出编号"),
                    ));
                }
            };
            if let Whose::Probe(id) = &whose
                && columns.iter().any(|(_, other)| *other == whose)
            {
                return Err(Said::new(
                    format!("two columns of temperatures are both of probe {id}"),
                    format!("两个温度列同属探头 {id}"),
                ));
            }
            columns.push((wanted.column.clone(), whose));
        }
        let is_by_row = mapping.probe.is_some();
        if columns.is_empty() || is_by_row && columns.len() > 1 {
            return Err(Said::new(
                "temperatures: at least one column is wanted, exactly one beside a probe column",
                "temperatures:至少1个温度列;有探头列时只能有1个",
            ));
        }
        let mut names = BTreeMap::new();
        for (name, id) in mapping.probe.iter().flat_map(|it| &it.names) {
            bound("names", name.len(), NAME_BYTES_MAX)?;
            names.insert(name.trim().to_owned(), equipment(id)?);
        }
        bound("names", names.len(), NAMES_MAX)?;
        let all = mapping
            .time
            .iter()
            .chain(columns.iter().map(|(column, _)| column));
        for column in all.chain(mapping.probe.iter().map(|it| &it.column)) {
            match column {
                Column::Number(0) => {
                    return Err(Said::new("columns are numbered from 1", "列号从1开始"));
                }
                Column::Name(name) if !mapping.has_headers => {
                    return Err(Said::new(
                        format!("column {name:?}: a file without headers has numbers alone"),
                        format!("{name:?} 列:无列名的文件只能用列号"),
                    ));
                }
                Column::Name(name) => bound("column", name.len(), NAME_BYTES_MAX)?,
                Column::Number(_) => {}
            }
        }
        Ok(Self {
            mapping,
            instants,
            columns,
            names,
        })
    }

    /// The probes that the mapping names.
    pub fn probes(&self) -> impl Iterator<Item = EquipmentId> {
        let columns = self.columns.iter().filter_map(|(_, whose)| match whose {
            Whose::Probe(id) => Some(*id),
            Whose::OfRow => None,
        });
        columns.chain(self.names.values().copied())
    }
}

fn equipment(text: &str) -> Result<EquipmentId, Said> {
    EquipmentId::parse(text).map_err(|invalid| {
        let (what, wanted) = (invalid.to_string(), invalid.rule.remedy_zh());
        Said::new(what, format!("{}。{wanted}", invalid.what))
    })
}

fn bound(what: &str, found: usize, most: usize) -> Result<(), Said> {
    match found <= most {
        true => Ok(()),
        false => Err(Said::new(
            format!("{what}: {found}, at most {most}"),
            format!("{what}:{found},上限为{most}"),
        )),
    }
}
