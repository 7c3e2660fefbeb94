//! A sheet as a file that a person opens: CSV (RFC 4180), or XLSX (ECMA-376,
//! Office Open XML), written row by row.
//!
//! What somebody typed is text in both and never a formula: in CSV it never
//! begins a cell with a sign that a spreadsheet takes for one (OWASP, CSV
//! injection), and in XLSX it has the same guard, for whoever saves it as CSV.
//! XLSX goes through a temporary file, so that its rows cost no memory.
//!
//! Not here: what stands in the rows.

use std::io::{self, Seek, SeekFrom, Write};

use axum::http::{HeaderMap, header};
use rust_xlsxwriter::{Format, Workbook, XlsxError};

/// Signs that begin a formula, also in their full-width form; tab and line ends
/// are cut off before it is looked at.
const FORMULA_SIGNS: [char; 8] = [
    '=', '+', '-', '@', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}',
];

/// Rows of one XLSX sheet, the head with them (ECMA-376, part 1, 18.3.1.73).
const XLSX_ROWS_MAX: u32 = 1 << 20;

/// A spreadsheet has no whole numbers beyond this: it counts in doubles.
const EXACT_MAX: u64 = 1 << 53;

/// As what a sheet is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SheetFormat {
    /// Comma-separated values.
    Csv,
    /// Office Open XML.
    Xlsx,
}

/// A cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// What somebody may have typed.
    Text(String),
    /// A number of the ledger's.
    Number(i128),
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self::Text(text.into())
    }
}

impl Cell {
    /// A number.
    #[must_use]
    pub fn number(number: impl Into<i128>) -> Self {
        Self::Number(number.into())
    }
}

impl SheetFormat {
    /// The format that `Accept` names before JSON; whoever names neither has
    /// none.
    #[must_use]
    pub fn accepted(headers: &HeaderMap) -> Option<Self> {
        let accepted = headers.get_all(header::ACCEPT).iter();
        let named = accepted
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','));
        let mut known = named.filter_map(|range| {
            let range = range.split(';').next().unwrap_or_default().trim();
            match range.to_ascii_lowercase().as_str() {
                "application/json" => Some(None),
                range => Self::ALL
                    .iter()
                    .find(|format| format.media_range() == range)
                    .map(|format| Some(*format)),
            }
        });
        known.next().flatten()
    }

    /// The format of a file of this name; CSV where it does not say.
    #[must_use]
    pub fn of_file(path: &std::path::Path) -> Self {
        let ending = path.extension().and_then(|ending| ending.to_str());
        match ending.is_some_and(|ending| ending.eq_ignore_ascii_case("xlsx")) {
            true => Self::Xlsx,
            false => Self::Csv,
        }
    }

    /// Both.
    pub const ALL: [Self; 2] = [Self::Csv, Self::Xlsx];

    /// As `Accept` names it.
    #[must_use]
    pub fn media_range(self) -> &'static str {
        match self {
            Self::Csv => "text/csv",
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        }
    }

    /// As `Content-Type` names it.
    #[must_use]
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8",
            Self::Xlsx => self.media_range(),
        }
    }

    /// How a file of it ends.
    #[must_use]
    pub fn ending(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Xlsx => "xlsx",
        }
    }
}

/// A sheet being written.
pub enum Grid<W: Write> {
    /// As CSV.
    Csv(Box<csv::Writer<W>>),
    /// As XLSX.
    Xlsx(Box<Book<W>>),
}

/// An XLSX file being written.
pub struct Book<W> {
    workbook: Workbook,
    row: u32,
    out: W,
}

impl<W: Write> Grid<W> {
    /// Begins a sheet with its headings.
    ///
    /// # Errors
    /// As `out` fails, or the folder for temporary files.
    pub fn begin(format: SheetFormat, headings: &[&str], mut out: W) -> io::Result<Self> {
        match format {
            SheetFormat::Csv => {
                // By its mark spreadsheets know UTF-8.
                out.write_all("\u{feff}".as_bytes())?;
                let mut sheet = csv::WriterBuilder::new()
                    .terminator(csv::Terminator::CRLF)
                    .from_writer(out);
                sheet.write_record(headings)?;
                Ok(Self::Csv(Box::new(sheet)))
            }
            SheetFormat::Xlsx => {
                let mut workbook = Workbook::new();
                let sheet = workbook.add_worksheet_with_constant_memory();
                let sheet = sheet.map_err(unwritten)?;
                sheet.set_freeze_panes(1, 0).map_err(unwritten)?;
                let bold = Format::new().set_bold();
                for (column, heading) in (0u16..).zip(headings) {
                    sheet
                        .write_string_with_format(0, column, *heading, &bold)
                        .map_err(unwritten)?;
                }
                let book = Book {
                    workbook,
                    row: 1,
                    out,
                };
                Ok(Self::Xlsx(Box::new(book)))
            }
        }
    }

    /// Writes a row.
    ///
    /// # Errors
    /// As [`begin`](Self::begin); where an XLSX sheet holds no more rows.
    pub fn row(&mut self, cells: &[Cell]) -> io::Result<()> {
        match self {
            Self::Csv(sheet) => {
                let cells = cells.iter().map(|cell| match cell {
                    Cell::Text(text) => harmless(text),
                    Cell::Number(number) => number.to_string(),
                });
                Ok(sheet.write_record(cells)?)
            }
            Self::Xlsx(book) => book.row(cells),
        }
    }

    /// Ends the sheet.
    ///
    /// # Errors
    /// As [`begin`](Self::begin).
    pub fn finish(self) -> io::Result<()> {
        match self {
            Self::Csv(mut sheet) => sheet.flush(),
            Self::Xlsx(book) => book.finish(),
        }
    }
}

impl<W: Write> Book<W> {
    fn row(&mut self, cells: &[Cell]) -> io::Result<()> {
        if self.row >= XLSX_ROWS_MAX {
            let why = format!("an XLSX sheet holds {XLSX_ROWS_MAX} rows; ask for CSV");
            return Err(io::Error::other(why));
        }
        let sheet = self.workbook.worksheet_from_index(0).map_err(unwritten)?;
        for (column, cell) in (0u16..).zip(cells) {
            let written = match cell {
                Cell::Text(text) if text.is_empty() => continue,
                Cell::Text(text) => sheet.write_string(self.row, column, harmless(text)),
                Cell::Number(number) => match exact(*number) {
                    Some(number) => sheet.write_number(self.row, column, number),
                    None => sheet.write_string(self.row, column, number.to_string()),
                },
            };
            written.map_err(unwritten)?;
        }
        self.row += 1;
        Ok(())
    }

    fn finish(mut self) -> io::Result<()> {
        let mut file = tempfile::tempfile()?;
        self.workbook.save_to_writer(&mut file).map_err(unwritten)?;
        file.seek(SeekFrom::Start(0))?;
        io::copy(&mut file, &mut self.out)?;
        self.out.flush()
    }
}

fn unwritten(error: XlsxError) -> io::Error {
    match error {
        XlsxError::IoError(error) => error,
        error => io::Error::other(error.to_string()),
    }
}

/// A number as a spreadsheet counts, where it counts exactly.
fn exact(number: i128) -> Option<f64> {
    let is_exact = number.unsigned_abs() <= u128::from(EXACT_MAX);
    #[expect(
        clippy::cast_precision_loss,
        reason = "no more than 2^53, which a double holds exactly"
    )]
    is_exact.then_some(number as f64)
}

/// A cell that no spreadsheet takes for a formula.
fn harmless(cell: &str) -> String {
    match cell.trim_start().starts_with(FORMULA_SIGNS) || cell.starts_with(['\t', '\r', '\n']) {
        true => format!("'{cell}"),
        false => cell.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Cursor, Read};

    #[test]
    fn no_cell_begins_with_what_a_spreadsheet_takes_for_a_formula() {
        for cell in [
            "=1+1",
            "+86 138",
            "-2",
            "@SUM(A1)",
            "\t=1",
            " =1",
            "\u{ff1d}1",
            "\r=1",
        ] {
            let told = harmless(cell);
            assert!(told.starts_with('\''), "{cell:?}: {told:?}");
        }
        for cell in ["韭菜", "", "12", "a=1", "2026-01-01"] {
            assert_eq!(harmless(cell), cell);
        }
    }

    fn written(format: SheetFormat, rows: u32) -> Vec<u8> {
        let mut out = Vec::new();
        let mut grid = Grid::begin(format, &["产品", "amount"], &mut out).unwrap();
        for _ in 0..rows {
            grid.row(&["=1+1".into(), Cell::number(-7)]).unwrap();
        }
        grid.finish().unwrap();
        out
    }

    #[test]
    fn a_grid_is_written_as_what_was_asked_for() {
        let csv = String::from_utf8(written(SheetFormat::Csv, 2)).unwrap();
        assert_eq!(csv, "\u{feff}产品,amount\r\n'=1+1,-7\r\n'=1+1,-7\r\n");
        let xlsx = written(SheetFormat::Xlsx, 2);
        let mut archive = zip::ZipArchive::new(Cursor::new(xlsx)).unwrap();
        let mut text = String::new();
        let mut sheet = archive.by_name("xl/worksheets/sheet1.xml").unwrap();
        sheet.read_to_string(&mut text).unwrap();
        assert_eq!(text.matches("<row ").count(), 3, "{text}");
        assert!(text.contains("产品"), "{text}");
        assert_eq!(text.matches("<v>-7</v>").count(), 2, "{text}");
        // What was typed is text, and there is no formula at all.
        assert_eq!(text.matches("'=1+1").count(), 2, "{text}");
        assert!(!text.contains("<f>"), "{text}");
    }

    #[test]
    fn the_first_format_that_is_named_is_meant_and_json_where_none_is() {
        let accepted = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT, value.parse().unwrap());
            SheetFormat::accepted(&headers)
        };
        let xlsx = SheetFormat::Xlsx.media_range();
        for (value, format) in [
            ("text/csv", Some(SheetFormat::Csv)),
            ("TEXT/CSV;q=0.5, application/json", Some(SheetFormat::Csv)),
            (xlsx, Some(SheetFormat::Xlsx)),
            ("application/json, text/csv", None),
            ("text/html", None),
            ("*/*", None),
        ] {
            assert_eq!(accepted(value), format, "{value}");
        }
        assert_eq!(SheetFormat::accepted(&HeaderMap::new()), None);
        for (name, format) in [
            ("a.xlsx", SheetFormat::Xlsx),
            ("a.XLSX", SheetFormat::Xlsx),
            ("a", SheetFormat::Csv),
        ] {
            assert_eq!(SheetFormat::of_file(name.as_ref()), format);
        }
    }

    #[test]
    fn a_number_is_a_number_as_far_as_a_spreadsheet_counts_exactly() {
        let most = i128::from(EXACT_MAX);
        assert_eq!(exact(most), Some(9_007_199_254_740_992.0));
        assert_eq!(exact(-most), Some(-9_007_199_254_740_992.0));
        assert_eq!(exact(most + 1), None);
    }
}
