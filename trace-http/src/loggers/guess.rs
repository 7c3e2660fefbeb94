//! What a mapping may be, from a file's first rows: to be looked at by a person,
//! never used unseen.
//!
//! Whatever the rows leave open is said in [`Guess::unsure`]: the zone always
//! where times have none, day and month where both orders fit.

use super::{
    Said,
    cell::Cells,
    instant::{Instants, has_zone},
    mapping::{Column, Decimal, Degrees, Delimiter, Mapping, ProbeColumn, TemperatureColumn},
};
use crate::{
    charset::{Charset, decode},
    language::Language,
    rows::{ROW_BYTES_MAX, Rows},
};

/// Lines that are looked at: enough for a page of remarks and a day of readings.
const LINES_MAX: usize = 500;

/// Formats that are tried, the plainest first.
const FORMATS: [&str; 17] = [
    "epoch_ms",
    "epoch_s",
    "iso8601",
    "%Y/%m/%d %H:%M:%S",
    "%Y/%m/%d %H:%M:%S%.f",
    "%Y/%m/%d %H:%M",
    "%Y-%m-%d %H:%M",
    "%Y年%m月%d日 %H:%M:%S",
    "%Y年%m月%d日 %H:%M",
    "%d.%m.%Y %H:%M:%S",
    "%d.%m.%Y %H:%M",
    "%d/%m/%Y %H:%M:%S",
    "%d/%m/%Y %H:%M",
    "%m/%d/%Y %H:%M:%S",
    "%m/%d/%Y %H:%M",
    "%m/%d/%Y %I:%M:%S %p",
    "%m/%d/%Y %I:%M %p",
];

/// Words in headers of columns that are no temperatures, in lower case.
const OTHER_COLUMNS: [&str; 16] = [
    "humid", "rh", "湿", "batt", "电", "volt", "no.", "序号", "index", "#", "id", "mkt", "signal",
    "信号", "alarm", "报警",
];
/// Words in headers of a column that names the probe.
const PROBE_COLUMNS: [&str; 6] = ["probe", "sensor", "channel", "探头", "通道", "测点"];

/// What was understood of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guess {
    /// The mapping; columns of temperatures have no probe yet.
    pub mapping: Mapping,
    /// What has to be said by a person, or looked at.
    pub unsure: Vec<Said>,
}

/// Understands a file, as far as its first rows tell.
///
/// # Errors
/// When it holds no column of times beside one of temperatures.
pub fn guess(bytes: &[u8], zone: Option<&str>, language: Language) -> Result<Guess, Said> {
    let text = decode(bytes, Charset::Auto, language).map_err(|why| Said::new(why.clone(), why))?;
    let lines: Vec<&str> = text.lines().take(LINES_MAX).collect();
    let found = [Delimiter::Tab, Delimiter::Semicolon, Delimiter::Comma]
        .into_iter()
        .flat_map(|delimiter| [Decimal::Point, Decimal::Comma].map(|decimal| (delimiter, decimal)))
        .filter(|pair| *pair != (Delimiter::Comma, Decimal::Comma))
        .filter_map(|(delimiter, decimal)| Understood::of(&lines, delimiter, decimal))
        // The first of equals: a point is commoner than a comma.
        .reduce(|best, next| {
            if next.weight > best.weight {
                next
            } else {
                best
            }
        });
    let found = found.ok_or_else(|| {
        Said::new(
            "no row has a time beside a temperature; write the mapping by hand",
            "没有同时含时间与温度的行;请手工编写映射",
        )
    })?;
    Ok(found.guess(zone))
}

/// Rows as one pair of delimiter and decimal point cuts them.
struct Understood {
    delimiter: Delimiter,
    decimal: Decimal,
    /// From 0; two where date and time of day stand apart.
    time: Vec<usize>,
    format: &'static str,
    is_ambiguous: bool,
    has_zone: bool,
    first_row: usize,
    headers: Option<Vec<String>>,
    temperatures: Vec<usize>,
    probe: Option<usize>,
    names: Vec<String>,
    weight: usize,
}

impl Understood {
    fn of(lines: &[&str], delimiter: Delimiter, decimal: Decimal) -> Option<Self> {
        let rows: Vec<Vec<String>> = lines.iter().map(|line| cut(line, delimiter)).collect();
        let widest = rows.iter().map(Vec::len).max()?;
        let (time, format, fits) = times(&rows, widest)?;
        let is_time = |row: &Vec<String>| is_time(row, &time, format);
        let first_row = rows.iter().position(is_time)?;
        let headers = first_row
            .checked_sub(1)
            .and_then(|place| rows.get(place))
            .filter(|row| {
                let named = row.iter().filter(|cell| !cell.trim().is_empty()).count();
                named > time.len()
            });
        let data: Vec<&Vec<String>> = rows.iter().filter(|row| is_time(row)).collect();
        let header = |place: usize| {
            let cell = headers.and_then(|row| row.get(place));
            cell.map(|it| it.trim().to_lowercase()).unwrap_or_default()
        };
        let (mut temperatures, mut probe) = (Vec::new(), None);
        let mut names = Vec::new();
        for place in (0..widest).filter(|place| !time.contains(place)) {
            let name = header(place);
            let says = |words: &[&str]| words.iter().any(|word| name.contains(word));
            let cells = data
                .iter()
                .filter_map(|row| row.get(place))
                .map(|it| it.trim());
            if are_temperatures(cells.clone(), decimal) {
                if !says(&OTHER_COLUMNS) || name.contains("temp") || name.contains('温') {
                    temperatures.push(place);
                }
            } else if probe.is_none() && says(&PROBE_COLUMNS) {
                probe = Some(place);
                names = cells
                    .filter(|it| !it.is_empty())
                    .map(str::to_owned)
                    .collect();
                names.sort_unstable();
                names.dedup();
            }
        }
        let weight = fits * temperatures.len();
        (weight > 0).then(|| Self {
            delimiter,
            decimal,
            is_ambiguous: is_ambiguous(&rows, &time, format, fits),
            has_zone: format.starts_with("epoch")
                || data.iter().all(|row| has_zone(&joined(row, &time))),
            format,
            first_row,
            headers: headers.cloned(),
            temperatures,
            probe,
            names,
            weight,
            time,
        })
    }

    fn guess(self, zone: Option<&str>) -> Guess {
        let mut unsure = Vec::new();
        if !self.has_zone && zone.is_none() {
            unsure.push(Said::new(
                "times have no zone: say which with --zone, such as +08:00",
                "时间不带时区:请用 --zone 给出,如 +08:00",
            ));
        }
        if self.is_ambiguous {
            let format = self.format;
            unsure.push(Said::new(
                format!("day and month could be either way round: {format} is taken; check it"),
                format!("日与月的先后无法判定:暂取 {format};请核对"),
            ));
        }
        let all = self.headers.as_deref().unwrap_or_default().join(" ");
        let is_fahrenheit = ["°F", "℉", "(F)", "Fahrenheit"]
            .iter()
            .any(|it| all.contains(it));
        if !is_fahrenheit
            && !["°C", "℃", "(C)", "Celsius"]
                .iter()
                .any(|it| all.contains(it))
        {
            unsure.push(Said::new(
                "nothing names the unit: Celsius is taken; check it",
                "未注明单位:暂按摄氏度;请核对",
            ));
        }
        let column = |place: usize| {
            let name = self.headers.as_ref().and_then(|headers| {
                let name = headers.get(place)?.trim();
                let is_alone = headers.iter().filter(|it| it.trim() == name).count() == 1;
                (is_alone && !name.is_empty()).then(|| name.to_owned())
            });
            name.map_or_else(
                || Column::Number(u32::try_from(place + 1).unwrap_or(u32::MAX)),
                Column::Name,
            )
        };
        if self.temperatures.len() > 1 || self.probe.is_some() {
            unsure.push(Said::new(
                "several probes are in the file: write the id of each, and leave out what is none",
                "文件含多个探头:请填写各探头的编号,并删去不是温度的列",
            ));
        }
        // Beside a column of probes one column holds the temperatures.
        let wanted = if self.probe.is_some() {
            1
        } else {
            self.temperatures.len()
        };
        let temperatures = self
            .temperatures
            .iter()
            .take(wanted)
            .map(|place| TemperatureColumn {
                column: column(*place),
                probe: None,
            });
        let headers = usize::from(self.headers.is_some());
        let mapping = Mapping {
            charset: Charset::Auto,
            delimiter: self.delimiter,
            decimal: self.decimal,
            skip_lines: u32::try_from(self.first_row - headers).unwrap_or(u32::MAX),
            has_headers: self.headers.is_some(),
            time: self.time.iter().map(|place| column(*place)).collect(),
            time_format: self.format.to_owned(),
            zone: zone.filter(|_| !self.has_zone).map(str::to_owned),
            temperatures: temperatures.collect(),
            probe: self.probe.map(|place| ProbeColumn {
                column: column(place),
                names: self
                    .names
                    .iter()
                    .map(|name| (name.clone(), String::new()))
                    .collect(),
            }),
            unit: if is_fahrenheit {
                Degrees::Fahrenheit
            } else {
                Degrees::Celsius
            },
            no_reading: Vec::new(),
        };
        Guess { mapping, unsure }
    }
}

fn cut(line: &str, delimiter: Delimiter) -> Vec<String> {
    let first = Rows::new(line, delimiter.byte(), ROW_BYTES_MAX).next();
    let record = first.and_then(Result::ok).unwrap_or_default();
    record.iter().map(str::to_owned).collect()
}

fn joined(row: &[String], time: &[usize]) -> String {
    let cells = time.iter().filter_map(|place| row.get(*place));
    cells.map(|it| it.trim()).collect::<Vec<_>>().join(" ")
}

fn is_time(row: &[String], time: &[usize], format: &str) -> bool {
    let text = joined(row, time);
    // Any zone will do to see whether a time is one; what it is, the mapping says.
    let read = Instants::new(format, Some("+00:00")).and_then(|it| it.read(&text));
    // Of whole numbers only those near today are times.
    match format {
        "epoch_s" => text.len() == 10 && read.is_ok(),
        "epoch_ms" => text.len() == 13 && read.is_ok(),
        "iso8601" => text.contains('-') && text.contains(':') && read.is_ok(),
        _ => read.is_ok(),
    }
}

/// The columns and the format under which most rows have a time.
fn times(rows: &[Vec<String>], widest: usize) -> Option<(Vec<usize>, &'static str, usize)> {
    let singles = (0..widest).map(|place| vec![place]);
    let pairs = (1..widest).map(|place| vec![place - 1, place]);
    let mut best: Option<(Vec<usize>, &'static str, usize)> = None;
    for time in singles.chain(pairs).take(64) {
        for format in FORMATS {
            let fits = rows
                .iter()
                .filter(|row| is_time(row, &time, format))
                .count();
            if fits > best.as_ref().map_or(0, |(_, _, most)| *most) {
                best = Some((time.clone(), format, fits));
            }
        }
    }
    best
}

/// Whether day and month fit the other way round as well.
fn is_ambiguous(rows: &[Vec<String>], time: &[usize], format: &str, fits: usize) -> bool {
    let other = match format.split_once("%d/%m/") {
        Some((_, rest)) => format!("%m/%d/{rest}"),
        None => match format.split_once("%m/%d/") {
            Some((_, rest)) => format!("%d/%m/{rest}"),
            None => return false,
        },
    };
    rows.iter().filter(|row| is_time(row, time, &other)).count() == fits
}

fn are_temperatures<'c>(cells: impl Iterator<Item = &'c str>, decimal: Decimal) -> bool {
    let reads = |unit| {
        move |text: &str| {
            Cells {
                decimal,
                unit,
                no_reading: &[],
            }
            .read(text)
        }
    };
    let (mut numbers, mut all) = (0, 0);
    for cell in cells {
        let celsius = reads(Degrees::Celsius)(cell);
        match celsius.or_else(|_| reads(Degrees::Fahrenheit)(cell)) {
            Ok(Some(_)) => numbers += 1,
            Ok(None) => {}
            Err(_) => continue,
        }
        all += 1;
    }
    // A column of words for nothing is none; a footer may be.
    numbers > 0 && numbers * 2 >= all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guessed(text: &str) -> Guess {
        guess(text.as_bytes(), Some("+08:00"), Language::English).unwrap()
    }

    #[test]
    fn common_exports_are_understood() {
        let plain = guessed("Time,Temp(°C)\n2026/3/1 05:20:00,-18.5\n2026/3/1 05:21:00,---\n");
        assert_eq!(plain.unsure, []);
        assert_eq!(plain.mapping.delimiter, Delimiter::Comma);
        assert_eq!(plain.mapping.time, [Column::Name("Time".into())]);
        assert_eq!(plain.mapping.time_format, "%Y/%m/%d %H:%M:%S");
        assert_eq!(
            (plain.mapping.skip_lines, plain.mapping.has_headers),
            (0, true)
        );

        let german = guessed(
            "Logger 7\nExport\n\nDatum;Uhrzeit;Temp °C;rH %\n01.03.2026;05:20;-18,5;60,1\n01.03.2026;05:21;-18,4;60,2\n",
        );
        let mapping = german.mapping;
        assert_eq!(
            (mapping.delimiter, mapping.decimal),
            (Delimiter::Semicolon, Decimal::Comma)
        );
        assert_eq!((mapping.skip_lines, mapping.time.len()), (3, 2));
        assert_eq!(mapping.time_format, "%d.%m.%Y %H:%M");
        assert_eq!(mapping.temperatures.len(), 1);

        let bare = guessed("1772313600\t35.6\t36.1\n1772313660\t35.5\t36.0\n");
        assert_eq!(bare.mapping.time_format, "epoch_s");
        assert_eq!(
            (bare.mapping.has_headers, bare.mapping.temperatures.len()),
            (false, 2)
        );
        assert!(bare.mapping.zone.is_none(), "an epoch needs no zone");
        assert_eq!(bare.unsure.len(), 2, "unit, and whose columns they are");

        let exact = guessed("Time,Temp(°C)\n2026/03/01 05:20:00.125,2.5\n").mapping;
        assert_eq!(exact.time_format, "%Y/%m/%d %H:%M:%S%.f");

        let rows = "时间,探头,温度(℃)\n2026-03-01 05:20:00,东,2.5\n2026-03-01 05:20:00,西,2.6\n";
        let by_row = guessed(rows).mapping;
        let names = by_row.probe.unwrap().names;
        assert_eq!(names.keys().collect::<Vec<_>>(), ["东", "西"]);
    }

    #[test]
    fn what_rows_leave_open_is_said_and_what_is_no_table_is_refused() {
        let text = "Date,Temp(°C)\n03/04/2026 05:20,2.5\n";
        let found = guess(text.as_bytes(), None, Language::English).unwrap();
        let said: Vec<_> = found.unsure.iter().map(|it| it.english.as_str()).collect();
        assert!(said.iter().any(|it| it.contains("zone")), "{said:?}");
        assert!(
            said.iter().any(|it| it.contains("day and month")),
            "{said:?}"
        );
        let clear = guessed("Date,Temp(°C)\n03/24/2026 05:20,2.5\n");
        assert_eq!(clear.mapping.time_format, "%m/%d/%Y %H:%M");
        assert_eq!(clear.unsure, []);
        for text in ["", "a,b\n1,2\n", "2026-03-01T00:00:00Z\n"] {
            assert!(
                guess(text.as_bytes(), None, Language::English).is_err(),
                "{text}"
            );
        }
    }
}
