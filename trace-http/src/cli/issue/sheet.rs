//! A table of certificates as a spreadsheet saves it: CSV with a row of
//! headers, in UTF-8 (with or without its mark) or GB18030.
//!
//! The character set is told strictly: bytes that are not of it are refused,
//! never replaced, since a wrong character in a name would be signed for ever.

use super::columns::{Column, Fields};
use crate::{
    charset::{Charset, decode},
    cli::manner::quoted,
    language::Language,
    rows::Rows,
};

/// Largest table: 100,000 rows of 600 bytes.
pub const SHEET_BYTES_MAX: u64 = 64 << 20;

/// Longest row, in bytes: one of empty cells costs forty times as much memory.
const ROW_BYTES_MAX: usize = 1 << 20;

/// A row of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its number as a spreadsheet shows it: the headers are row 1.
    pub number: usize,
    /// What stands in it.
    pub fields: Fields,
}

/// Reads a table: its rows, those without anything in them left out.
///
/// # Errors
/// Why it is none, in one sentence; a row that is malformed is named.
pub fn read(bytes: &[u8], charset: Charset, language: Language) -> Result<Vec<Row>, String> {
    let text = decode(bytes, charset, language)?;
    let mut records = Rows::new(&text, b',', ROW_BYTES_MAX);
    let Some(headers) = records.next() else {
        return Err(language
            .of(
                "the table is empty: its first row holds the headers",
                "表格为空:首行应为列名",
            )
            .to_owned());
    };
    let headers = headers.map_err(|error| malformed(1, &error, language))?;
    let mut columns = Vec::with_capacity(headers.len());
    for (place, header) in headers.iter().enumerate() {
        let place = place + 1;
        let Some(column) = Column::of_header(header) else {
            let known: Vec<String> = Column::ALL.iter().map(|it| it.both()).collect();
            let typed = quoted(header);
            return Err(language.of(
                format!(
                    "row 1, column {place}: {typed} is no known header (is the character set right?); known: {}",
                    known.join(", ")
                ),
                format!(
                    "第1行第{place}列:未知列名 {typed}(请核对字符集);可用列名:{}",
                    known.join("、")
                ),
            ));
        };
        if columns.contains(&column) {
            return Err(language.of(
                format!("row 1, column {place}: {} stands twice", column.both()),
                format!("第1行第{place}列:{} 重复", column.both()),
            ));
        }
        columns.push(column);
    }
    let mut rows = Vec::new();
    for (place, record) in records.enumerate() {
        let number = place + 2;
        let record = record.map_err(|error| malformed(number, &error, language))?;
        let mut fields = Fields::default();
        for (column, value) in columns.iter().zip(record.iter()) {
            fields.set(*column, value);
        }
        let beyond = record.iter().skip(columns.len());
        if beyond.map(str::trim).any(|value| !value.is_empty()) {
            return Err(language.of(
                format!(
                    "row {number}: {} fields under {} headers; a comma within a field needs quotes around it",
                    record.len(),
                    columns.len()
                ),
                format!(
                    "第{number}行:共{}个字段,列名只有{}个;字段内含逗号时须加引号",
                    record.len(),
                    columns.len()
                ),
            ));
        }
        if !fields.is_empty() {
            rows.push(Row { number, fields });
        }
    }
    match rows.is_empty() {
        true => Err(language
            .of(
                "the table has headers and no row",
                "表格只有列名,没有数据行",
            )
            .to_owned()),
        false => Ok(rows),
    }
}

fn malformed(row: usize, error: &csv::Error, language: Language) -> String {
    language.of(format!("row {row}: {error}"), format!("第{row}行:{error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "产品名称,数量\n韭菜,12.5 斤\n,\n\"黄瓜,小\",3 斤\n";

    fn read_en(bytes: &[u8], charset: Charset) -> Result<Vec<Row>, String> {
        read(bytes, charset, Language::English)
    }

    #[test]
    fn the_same_rows_come_out_of_every_character_set() {
        let rows = read_en(TABLE.as_bytes(), Charset::Auto).unwrap();
        assert_eq!(rows.len(), 2);
        assert_eq!(rows[1].number, 4);
        assert_eq!(rows[1].fields.of(Column::Product), Some("黄瓜,小"));
        let marked = [b"\xEF\xBB\xBF", TABLE.as_bytes()].concat();
        assert_eq!(read_en(&marked, Charset::Utf8), Ok(rows.clone()));
        let (gb, _, _) = encoding_rs::GB18030.encode(TABLE);
        assert_eq!(read_en(&gb, Charset::Auto), Ok(rows.clone()));
        assert_eq!(read_en(&gb, Charset::Gb18030), Ok(rows));
    }

    #[test]
    fn bytes_of_another_character_set_are_refused_and_the_row_is_named() {
        let (gb, _, _) = encoding_rs::GB18030.encode("product,quantity\n韭菜,1 斤\n");
        let why = read_en(&gb, Charset::Utf8).unwrap_err();
        assert!(why.starts_with("row 2 is not UTF-8"), "{why}");
        let why = read_en(b"\xFF\xFEa", Charset::Auto).unwrap_err();
        assert!(why.contains("UTF-16"), "{why}");
        let why = read_en(b"product\n\xFF\xFF\n", Charset::Auto).unwrap_err();
        assert!(why.contains("neither"), "{why}");
        let why = read_en(TABLE.as_bytes(), Charset::Gb18030).unwrap_err();
        assert!(
            why.contains("character set") || why.contains("neither"),
            "{why}"
        );
    }

    #[test]
    fn a_table_that_is_none_says_why() {
        for (table, named) in [
            ("", "empty"),
            ("product\n", "no row"),
            ("product,price\na,1\n", "column 2"),
            ("product,产品名称\na,b\n", "stands twice"),
            ("product\na\nb,c\n", "row 3"),
        ] {
            let why = read_en(table.as_bytes(), Charset::Auto).unwrap_err();
            assert!(why.contains(named), "{table}: {why}");
        }
    }
}
