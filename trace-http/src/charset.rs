//! The character set of a table: UTF-8, with or without its mark, or GB18030.
//!
//! It is told strictly: bytes that are not of it are refused, never replaced.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::language::Language;

/// A character set.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum, Serialize, Deserialize, ToSchema,
)]
pub enum Charset {
    /// UTF-8 where the bytes are, else GB18030
    #[default]
    #[serde(rename = "auto")]
    Auto,
    /// UTF-8
    #[value(name = "utf-8")]
    #[serde(rename = "utf-8")]
    Utf8,
    /// GB18030, which GBK and GB2312 are part of
    #[value(name = "gb18030")]
    #[serde(rename = "gb18030")]
    Gb18030,
}

/// The text, without its byte order mark.
///
/// # Errors
/// Why it is none of that character set, naming the row where it can be told.
pub fn decode(bytes: &[u8], charset: Charset, language: Language) -> Result<String, String> {
    if bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]) {
        return Err(language
            .of(
                "the table is in UTF-16: save it as CSV UTF-8 or as CSV",
                "表格为 UTF-16 编码:请另存为 CSV UTF-8 或 CSV",
            )
            .to_owned());
    }
    let utf8 = std::str::from_utf8(bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes));
    let gb18030 =
        || encoding_rs::GB18030.decode_without_bom_handling_and_without_replacement(bytes);
    match (charset, utf8) {
        (Charset::Auto | Charset::Utf8, Ok(text)) => Ok(text.to_owned()),
        (Charset::Utf8, Err(error)) => {
            let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
            let row = 1 + before.iter().filter(|byte| **byte == b'\n').count();
            Err(language.of(
                format!("row {row} is not UTF-8; try the character set gb18030"),
                format!("第{row}行不是 UTF-8 编码;可试字符集 gb18030"),
            ))
        }
        (Charset::Auto | Charset::Gb18030, _) => match gb18030() {
            Some(text) => Ok(text.into_owned()),
            None => Err(language
                .of(
                    "the table is neither UTF-8 nor GB18030",
                    "表格既非 UTF-8 也非 GB18030 编码",
                )
                .to_owned()),
        },
    }
}
