//! Which of the two languages an answer is written in, by `Accept-Language`
//! (RFC 9110, 12.5.4). Chinese where nothing decides, since the users are.
//!
//! Not a negotiation among regions: every `zh-…` is Chinese, every `en-…`
//! English.

use axum::http::{HeaderMap, header::ACCEPT_LANGUAGE};

/// A language of the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum Language {
    /// 中文.
    #[default]
    Chinese,
    /// English.
    English,
}

impl Language {
    /// The language that a request's headers prefer.
    pub fn preferred(headers: &HeaderMap) -> Self {
        let ranges = headers
            .get_all(ACCEPT_LANGUAGE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','));
        // What names a language outweighs `*`, whatever their qualities are:
        // `*` stands for the languages that are not named.
        let (mut chinese, mut english, mut any) = (None, None, None);
        for range in ranges {
            let Some((tag, quality)) = parse_range(range) else {
                continue;
            };
            let primary = tag.split('-').next().unwrap_or_default();
            let slot = if primary.eq_ignore_ascii_case("zh") {
                &mut chinese
            } else if primary.eq_ignore_ascii_case("en") {
                &mut english
            } else if primary == "*" {
                &mut any
            } else {
                continue;
            };
            *slot = (*slot).max(Some(quality));
        }
        let rest = any.unwrap_or(0);
        if english.unwrap_or(rest) > chinese.unwrap_or(rest) {
            Self::English
        } else {
            Self::Chinese
        }
    }

    /// The language tag, as in `Content-Language`.
    pub fn tag(self) -> &'static str {
        match self {
            Self::Chinese => "zh-CN",
            Self::English => "en",
        }
    }

    /// The one of two texts that is in this language.
    pub fn of<T>(self, english: T, chinese: T) -> T {
        match self {
            Self::Chinese => chinese,
            Self::English => english,
        }
    }
}

/// A language range and its quality in thousandths.
fn parse_range(range: &str) -> Option<(&str, u16)> {
    let mut parts = range.split(';');
    let tag = parts.next()?.trim();
    let quality = match parts.next() {
        None => 1000,
        Some(parameter) => parse_quality(parameter.trim().strip_prefix("q=")?)?,
    };
    (!tag.is_empty() && parts.next().is_none()).then_some((tag, quality))
}

/// `0`, `1`, or either with up to three decimals, at most 1 (RFC 9110, 12.4.2).
pub(crate) fn parse_quality(text: &str) -> Option<u16> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    let is_form = matches!(whole, "0" | "1")
        && decimals.len() <= 3
        && decimals.bytes().all(|byte| byte.is_ascii_digit());
    let thousandths: u16 = format!("{decimals:0<3}").parse().ok()?;
    let quality = if whole == "1" { 1000 } else { 0 } + thousandths;
    (is_form && quality <= 1000).then_some(quality)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn preferred(value: &str) -> Language {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT_LANGUAGE, value.parse().unwrap());
        Language::preferred(&headers)
    }

    #[test]
    fn the_higher_quality_wins_and_chinese_where_nothing_decides() {
        for (value, language) in [
            ("", Language::Chinese),
            ("zh-CN,zh;q=0.9,en;q=0.8", Language::Chinese),
            ("en-GB,en;q=0.9,zh;q=0.8", Language::English),
            ("en;q=0.5, zh;q=0.5", Language::Chinese),
            ("en;q=0.501, zh;q=0.5", Language::English),
            ("fr", Language::Chinese),
            ("fr, en;q=0.1", Language::English),
            ("*", Language::Chinese),
            ("*;q=0.9, zh;q=0.1", Language::English),
            ("zh;q=0, *", Language::English),
            ("EN", Language::English),
            ("enx", Language::Chinese),
        ] {
            assert_eq!(preferred(value), language, "{value:?}");
        }
        assert_eq!(Language::preferred(&HeaderMap::new()), Language::Chinese);
    }

    #[test]
    fn malformed_ranges_are_passed_over() {
        for value in [
            "en;q=2",
            "en;q=",
            "en;q=0.1234",
            "en;q=1.001",
            "en;level=1",
            "en;q=-1",
            "en;q=x",
            ";q=1",
            ",,,",
            "en;q=1;q=1",
            "en;q=1.+01",
        ] {
            assert_eq!(preferred(value), Language::Chinese, "{value:?}");
        }
    }

    #[test]
    fn bytes_that_are_no_text_decide_nothing() {
        let mut headers = HeaderMap::new();
        let value = axum::http::HeaderValue::from_bytes(b"en\xff").unwrap();
        headers.insert(ACCEPT_LANGUAGE, value);
        assert_eq!(Language::preferred(&headers), Language::Chinese);
    }
}
