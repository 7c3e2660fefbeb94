//! GS1 Digital Link addresses of products: `/01/{gtin}/10/{lot}/21/{serial}`
//! with, on this ledger's labels, the trace code as `t`.
//!
//! GS1 Digital Link Standard: URI Syntax, 1.2 and later (uncompressed form): keys
//! in the path in a fixed order, characters outside RFC 3986's unreserved set
//! percent-encoded. A bare GTIN and lot can be guessed and may mean several
//! units; the trace code cannot and means one. Not here: compressed links, and
//! primary keys other than a product's (01).

use super::{Gtin, Lot, Serial, TraceCode};
use crate::error::{Invalid, Rule};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// All but the unreserved characters of RFC 3986, section 2.3.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Longest path and query that is read: three keys of 20 characters written as
/// three bytes each are 200; the rest is room for attributes that others add.
pub const LENGTH_MAX: usize = 1_024;

/// What a Digital Link of a product names.
///
/// ```
/// use trace_core::ident::DigitalLink;
///
/// let link = DigitalLink::parse("/01/09521234543213/10/2026-02%2FA?t=000G40R40M30E209P")?;
/// assert_eq!(link.lot.map(|lot| lot.to_string()), Some("2026-02/A".into()));
/// assert_eq!(link.to_string(), "/01/09521234543213/10/2026-02%2FA?t=000G40R40M30E209P");
/// # Ok::<(), trace_core::error::Invalid>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DigitalLink {
    /// AI (01): which product.
    pub gtin: Gtin,
    /// AI (10): which batch.
    pub lot: Option<Lot>,
    /// AI (21): which piece.
    pub serial: Option<Serial>,
    /// Which trace unit of this ledger.
    pub code: Option<TraceCode>,
}

impl DigitalLink {
    /// Reads path and query of an address, without scheme and host. Attributes
    /// of the query other than `t` say more about the product and are passed
    /// over.
    ///
    /// # Errors
    /// [`Rule::DigitalLink`] naming the key that is not here, stands twice or out
    /// of order, or a value that is not encoded as it must be; the value's own
    /// rule for a number, lot, serial or trace code that is none.
    pub fn parse(path_and_query: &str) -> Result<Self, Invalid> {
        let wrong = |what: String| Invalid::new(Rule::DigitalLink, what);
        if path_and_query.len() > LENGTH_MAX {
            let found = path_and_query.len();
            return Err(wrong(format!("{found} bytes, at most {LENGTH_MAX}")));
        }
        let (path, query) = match path_and_query.split_once('?') {
            Some((path, query)) => (path, query),
            None => (path_and_query, ""),
        };
        let mut parts = path.strip_prefix('/').unwrap_or(path).split('/');
        match parts.next() {
            Some("01") => {}
            other => {
                let found = other.unwrap_or_default();
                return Err(wrong(format!("begins with key {found:?}, wanted 01")));
            }
        }
        let gtin = parts.next().unwrap_or_default();
        let mut link = Self {
            gtin: Gtin::parse(&percent_decoded(gtin)?)?,
            lot: None,
            serial: None,
            code: None,
        };
        while let Some(key) = parts.next() {
            let value = parts.next().unwrap_or_default();
            let is_open = link.serial.is_none();
            match key {
                "10" if is_open && link.lot.is_none() => {
                    link.lot = Some(Lot::parse(&percent_decoded(value)?)?);
                }
                "21" if is_open => link.serial = Some(Serial::parse(&percent_decoded(value)?)?),
                "10" | "21" => {
                    return Err(wrong(format!("key {key} stands twice or out of order")));
                }
                _ => {
                    return Err(wrong(format!(
                        "key {key:.20?} behind 01, known are 10 and 21"
                    )));
                }
            }
        }
        for attribute in query.split('&') {
            if let Some(code) = attribute.strip_prefix("t=") {
                if link.code.is_some() {
                    return Err(wrong("t stands twice".into()));
                }
                link.code = Some(TraceCode::parse(&percent_decoded(code)?)?);
            }
        }
        Ok(link)
    }
}

/// Text behind percent-encoding (RFC 3986, section 2.1).
///
/// # Errors
/// [`Rule::DigitalLink`] for a sign of percent that two digits do not follow,
/// and for bytes that are no UTF-8.
pub fn percent_decoded(text: &str) -> Result<String, Invalid> {
    let wrong = || {
        let what = format!("{text:.64?} is not percent-encoded text");
        Invalid::new(Rule::DigitalLink, what)
    };
    // A sign of percent that two digits do not follow is passed through by the
    // decoder.
    let mut rest = text;
    while let Some((_, behind)) = rest.split_once('%') {
        let digits = behind
            .get(..2)
            .filter(|two| two.bytes().all(|it| it.is_ascii_hexdigit()));
        rest = behind
            .get(2..)
            .filter(|_| digits.is_some())
            .ok_or_else(wrong)?;
    }
    let found = percent_decode_str(text).decode_utf8();
    found.map(|text| text.into_owned()).map_err(|_| wrong())
}

impl std::fmt::Display for DigitalLink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "/01/{}", self.gtin)?;
        if let Some(lot) = &self.lot {
            write!(f, "/10/{}", utf8_percent_encode(lot.as_str(), ESCAPED))?;
        }
        if let Some(serial) = &self.serial {
            write!(f, "/21/{}", utf8_percent_encode(serial.as_str(), ESCAPED))?;
        }
        match &self.code {
            Some(code) => write!(f, "?t={}", code.compact()),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SET_82: &str = "!\"%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_\
                          abcdefghijklmnopqrstuvwxyz";

    #[test]
    fn whatever_is_written_is_read_again() {
        let gtin = Gtin::parse("09521234543213").unwrap();
        for found in SET_82.chars() {
            let text = format!("{found}{found}");
            let link = DigitalLink {
                gtin,
                lot: Some(Lot::parse(&text).unwrap()),
                serial: Some(Serial::parse(&text).unwrap()),
                code: Some(TraceCode::from_bytes([7; 10])),
            };
            assert_eq!(DigitalLink::parse(&link.to_string()), Ok(link), "{link}");
        }
    }

    #[test]
    fn a_shorter_gtin_is_the_same_product_and_attributes_are_passed_over() {
        let short = DigitalLink::parse("/01/6901234567892?17=270101&linkType=all").unwrap();
        let long = DigitalLink::parse("/01/06901234567892").unwrap();
        assert_eq!(short, long);
        assert_eq!(long.to_string(), "/01/06901234567892");
    }

    #[test]
    fn what_is_no_link_of_a_product_is_refused_with_the_reason() {
        for (text, rule) in [
            ("", Rule::DigitalLink),
            ("/00/106141411234567897", Rule::DigitalLink),
            ("/01", Rule::Gs1),
            ("/01/09521234543214", Rule::Gs1),
            ("/01/09521234543213/10/", Rule::Lot),
            ("/01/09521234543213/10", Rule::Lot),
            ("/01/09521234543213/10/A/10/B", Rule::DigitalLink),
            ("/01/09521234543213/21/1/10/A", Rule::DigitalLink),
            ("/01/09521234543213/22/1", Rule::DigitalLink),
            ("/01/09521234543213/10/a%2", Rule::DigitalLink),
            ("/01/09521234543213/10/a%zz", Rule::DigitalLink),
            ("/01/09521234543213/10/%ff", Rule::DigitalLink),
            ("/01/09521234543213/10/a%20b", Rule::Lot),
            ("/01/09521234543213?t=x", Rule::TraceCode),
            (
                "/01/09521234543213?t=000G40R40M30E209P&t=000G40R40M30E209P",
                Rule::DigitalLink,
            ),
        ] {
            let refused = DigitalLink::parse(text).unwrap_err();
            assert_eq!(refused.rule, rule, "{text}: {refused}");
        }
        let long = format!("/01/09521234543213?x={}", "y".repeat(LENGTH_MAX));
        assert_eq!(
            DigitalLink::parse(&long).unwrap_err().rule,
            Rule::DigitalLink
        );
    }

    #[test]
    fn no_text_makes_it_panic() {
        let sound = "/01/09521234543213/10/2026-02%2FA/21/7?t=000G40R40M30E209P";
        for cut in 0..sound.len() {
            let _ = DigitalLink::parse(&sound[..cut]);
            for other in ["%", "/", "?", "&", "é", "\0"] {
                let _ = DigitalLink::parse(&format!("{}{other}{}", &sound[..cut], &sound[cut..]));
            }
        }
    }
}
