//! How a command says what came of it: for people in one of two languages, or
//! as JSON. Results go to standard output, everything else to standard error.

use std::{
    env::VarError,
    io::{self, Write},
};

use clap::{Args, ValueEnum};
use serde_json::Value;

use super::Failure;
use crate::language::Language;

/// A language as it is named on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LanguageName {
    /// 中文.
    Zh,
    /// English.
    En,
}

/// What every subcommand understands.
#[derive(Debug, Clone, Args)]
pub struct Manner {
    /// Write the result as JSON, for programs
    #[arg(long, global = true)]
    json: bool,

    /// Language of what is written [default: that of LC_ALL, LC_MESSAGES or LANG]
    #[arg(
        long,
        global = true,
        env = "TRACE_LANGUAGE",
        value_name = "LANGUAGE",
        value_enum
    )]
    language: Option<LanguageName>,
}

impl Manner {
    /// The language to speak.
    #[must_use]
    pub fn language(&self) -> Language {
        match self.language {
            Some(LanguageName::Zh) => Language::Chinese,
            Some(LanguageName::En) => Language::English,
            None => of_locale(|name| std::env::var(name)),
        }
    }

    /// Whether programs read the result.
    #[must_use]
    pub fn is_json(&self) -> bool {
        self.json
    }

    /// The one of two texts that is in this language.
    pub fn of<T>(&self, english: T, chinese: T) -> T {
        self.language().of(english, chinese)
    }

    /// Writes a result: the JSON for programs, or the text for people.
    ///
    /// # Errors
    /// [`Failure::Machine`] when standard output takes no more.
    pub fn tell(&self, json: &Value, text: impl FnOnce() -> String) -> Result<(), Failure> {
        match self.json {
            true => write_line(&json.to_string()),
            false => write_line(&text()),
        }
    }

    /// Writes a remark that is no part of the result.
    pub fn remark(&self, english: &str, chinese: &str) {
        // Whoever closed standard error does not want to be told.
        let _ = writeln!(io::stderr(), "{}", self.of(english, chinese));
    }
}

/// Writes a line to standard output. A reader that has gone, as `head` does,
/// is no failure.
///
/// # Errors
/// [`Failure::Machine`].
pub fn write_line(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match writeln!(out, "{text}").and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::Machine(format!("standard output: {error}")))
        }
        _ => Ok(()),
    }
}

/// POSIX: the first of these that is set and not empty decides.
fn of_locale(variable: impl Fn(&str) -> Result<String, VarError>) -> Language {
    let decides = ["LC_ALL", "LC_MESSAGES", "LANG"]
        .iter()
        .filter_map(|name| variable(name).ok())
        .find(|value| !value.is_empty());
    match decides {
        Some(locale) if locale.starts_with("zh") => Language::Chinese,
        _ => Language::English,
    }
}

/// Columns that a terminal takes for a text: two for what East Asian scripts
/// write, so that tables stay straight.
#[must_use]
pub fn width(text: &str) -> usize {
    let columns = |c: char| match u32::from(c) {
        0x1100..=0x115F
        | 0x2E80..=0xA4CF
        | 0xAC00..=0xD7A3
        | 0xF900..=0xFAFF
        | 0xFE30..=0xFE6F
        | 0xFF00..=0xFF60
        | 0xFFE0..=0xFFE6
        | 0x20000..=0x3FFFD => 2,
        _ => 1,
    };
    text.chars().map(columns).sum()
}

/// Rows set in columns, two spaces apart; the last column is not padded.
#[must_use]
pub fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns)
        .map(|column| {
            let cells = rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| width(cell)).max().unwrap_or(0)
        })
        .collect();
    let line = |row: &Vec<String>| {
        let mut line = String::new();
        for (place, (cell, wanted)) in row.iter().zip(&widths).enumerate() {
            line.push_str(cell);
            if place + 1 < row.len() {
                line.extend(std::iter::repeat_n(' ', wanted - width(cell) + 2));
            }
        }
        line.trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// What stands at a JSON pointer (RFC 6901); null where nothing does.
#[must_use]
pub fn at<'a>(value: &'a Value, pointer: &str) -> &'a Value {
    static NOTHING: Value = Value::Null;
    value.pointer(pointer).unwrap_or(&NOTHING)
}

/// Text of others without what could steer a terminal.
#[must_use]
pub fn plain(text: &str) -> String {
    text.chars().filter(|it| !it.is_control()).collect()
}

/// Most characters of what somebody typed that are said back.
const QUOTED_CHARS_MAX: usize = 40;

/// What somebody typed, in quotes: escaped, and no more than is recognised.
#[must_use]
pub fn quoted(text: &str) -> String {
    let mut chars = text.chars();
    let head: String = chars.by_ref().take(QUOTED_CHARS_MAX).collect();
    let more = if chars.next().is_some() { "…" } else { "" };
    format!("{head:?}{more}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_typed_is_said_back_in_short_and_steers_no_terminal() {
        assert_eq!(quoted("12.5 斤"), "\"12.5 斤\"");
        assert_eq!(quoted("\u{1b}[2J\u{202e}"), "\"\\u{1b}[2J\\u{202e}\"");
        let (full, over) = ("长".repeat(40), "长".repeat(41));
        assert_eq!(quoted(&full), format!("\"{full}\""));
        assert_eq!(quoted(&over), format!("\"{full}\"…"));
    }

    #[test]
    fn the_first_locale_variable_that_is_set_decides() {
        let language = |set: &[(&str, &str)]| {
            of_locale(|name| {
                let found = set.iter().find(|(known, _)| *known == name);
                found
                    .map(|(_, value)| (*value).to_owned())
                    .ok_or(VarError::NotPresent)
            })
        };
        assert_eq!(language(&[]), Language::English);
        assert_eq!(language(&[("LANG", "zh_CN.UTF-8")]), Language::Chinese);
        assert_eq!(
            language(&[("LC_ALL", "C"), ("LANG", "zh_CN")]),
            Language::English
        );
        assert_eq!(
            language(&[("LC_ALL", ""), ("LANG", "zh")]),
            Language::Chinese
        );
    }

    #[test]
    fn columns_stay_straight_under_chinese_text() {
        let rows = vec![
            vec!["a".to_owned(), "1".to_owned()],
            vec!["韭菜".to_owned(), "2".to_owned()],
        ];
        assert_eq!(table(&rows), "a     1\n韭菜  2");
    }
}
