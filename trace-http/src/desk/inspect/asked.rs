//! What was asked for in one box that takes anything: a trace code, a
//! certificate number, a pasted address of either kind, an entity's or a piece of
//! equipment's id. It reads; whether there is such a thing the ledger says.

use trace_core::{
    error::{Invalid, Rule},
    ident::{DigitalLink, EntityId, EquipmentId, TraceCode},
    record::wire::check_number,
};

/// Longest text that is read: an address with a Digital Link of 1,024 bytes, and
/// as much again for scheme, host and spaces that were pasted with it.
pub const LENGTH_MAX: usize = 2_048;

/// What a text asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// A trace unit.
    Code(TraceCode),
    /// A certificate, by its number; why the text is no trace code, for the
    /// reader of a code with a slip in it.
    Number(String, Invalid),
    /// A product's address that names no trace code.
    Link(Box<DigitalLink>),
    /// An entity.
    Entity(EntityId),
    /// A piece of equipment.
    Equipment(EquipmentId),
}

impl Asked {
    /// Reads what was typed or pasted.
    ///
    /// # Errors
    /// The rule of what it most resembles, naming the character that is wrong.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        if text.len() > LENGTH_MAX {
            let what = format!("{} bytes, at most {LENGTH_MAX}", text.len());
            return Err(Invalid::new(Rule::TraceCode, what));
        }
        let text = text.trim();
        if let Some(path) = path(text) {
            return address(path);
        }
        match text.as_bytes() {
            [b'E' | b'e', b'-', ..] => return EntityId::parse(text).map(Self::Entity),
            [b'Q' | b'q', b'-', ..] => return EquipmentId::parse(text).map(Self::Equipment),
            _ => {}
        }
        let no_code = match TraceCode::parse(text) {
            Ok(code) => return Ok(Self::Code(code)),
            Err(no_code) => no_code,
        };
        let number = text.to_ascii_uppercase();
        match check_number(&number) {
            Ok(()) => Ok(Self::Number(number, no_code)),
            Err(_) => Err(no_code),
        }
    }
}

/// Path and query of an address, whatever its host: a label outlives a name.
fn path(text: &str) -> Option<&str> {
    if text.starts_with('/') {
        return Some(text);
    }
    let (scheme, rest) = text.split_once("://")?;
    if !scheme.eq_ignore_ascii_case("https") && !scheme.eq_ignore_ascii_case("http") {
        return None;
    }
    Some(rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("/"))
}

fn address(path: &str) -> Result<Asked, Invalid> {
    let path = path.split('#').next().unwrap_or(path);
    if let Some(rest) = path.strip_prefix("/t/") {
        let code = rest.split(['/', '?']).next().unwrap_or(rest);
        return TraceCode::parse(code).map(Asked::Code);
    }
    let link = DigitalLink::parse(path)?;
    Ok(match link.code {
        Some(code) => Asked::Code(code),
        None => Asked::Link(Box::new(link)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const CODE: &str = "000G-40R4-0M30-E209-P";

    fn code() -> Asked {
        Asked::Code(TraceCode::parse(CODE).unwrap())
    }

    #[test]
    fn a_code_is_read_in_any_spelling_and_out_of_any_address() {
        for text in [
            CODE,
            " ooog 4or4 om3o e2o9 p ",
            "https://a.example/t/000G40R40M30E209P",
            "HTTP://a.example/t/000G40R40M30E209P/temperatures?lang=en#top",
            "/t/000G-40R4-0M30-E209-P",
            "https://a.example/01/09521234543213/10/A?t=000G40R40M30E209P",
        ] {
            assert_eq!(Asked::parse(text), Ok(code()), "{text}");
        }
    }

    #[test]
    fn ids_and_numbers_are_told_apart() {
        let entity = EntityId::from_bytes([7; 10]);
        let equipment = EquipmentId::from_bytes([7; 10]);
        assert_eq!(
            Asked::parse(&entity.to_string().to_lowercase()),
            Ok(Asked::Entity(entity))
        );
        assert_eq!(
            Asked::parse(&equipment.to_string()),
            Ok(Asked::Equipment(equipment))
        );
        let number = Asked::parse("lf-2026-0001");
        assert!(matches!(number, Ok(Asked::Number(number, _)) if number == "LF-2026-0001"));
        let link = Asked::parse("/01/09521234543213/10/A");
        assert!(matches!(link, Ok(Asked::Link(_))));
    }

    #[test]
    fn what_is_none_of_them_is_refused() {
        let long = "0".repeat(LENGTH_MAX + 1);
        for text in [
            "",
            "<script>alert(1)</script>",
            "000G-40R4-\u{202e}0M30",
            "javascript://a.example/t/000G40R40M30E209P",
            "https://a.example",
            "/t/000G-40R4-0M30-E209-S",
            "E-0000",
            &long,
        ] {
            assert!(Asked::parse(text).is_err(), "{text}");
        }
    }
}
