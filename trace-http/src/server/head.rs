//! One request head, judged from its raw bytes: may it pass, and how is the
//! body behind it delimited?
//!
//! hyper mends some heads silently: it drops `Content-Length` beside
//! `Transfer-Encoding`, folds equal `Content-Length`s into one and never asks
//! for `Host`. A proxy in front may read the same bytes otherwise, and what
//! two readers delimit differently is a smuggled request (RFC 9112, 11.2). So
//! everything ambiguous is refused here, before hyper sees it. It is not a
//! parser of its own: httparse, which hyper uses too, splits the fields.

use crate::problem::Refusal;

/// How the body behind a head is delimited (RFC 9112, 6.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    /// So many bytes; none where no length is given.
    Length(u64),
    /// Chunks.
    Chunked,
}

/// Judges the bytes of one head, up to and including its empty line.
///
/// # Errors
/// The refusal that answers it; the connection cannot be used after it.
pub(super) fn judge(head: &[u8], count_max: usize) -> Result<Framing, Refusal> {
    if has_bare_line_end(head) {
        return Err(Refusal::HeadMalformed);
    }
    let mut fields = vec![httparse::EMPTY_HEADER; count_max];
    let mut request = httparse::Request::new(&mut fields);
    match request.parse(head) {
        Ok(httparse::Status::Complete(length)) if length == head.len() => {}
        Err(httparse::Error::TooManyHeaders) => return Err(Refusal::HeadTooLarge),
        Err(httparse::Error::Version) => return Err(Refusal::VersionUnsupported),
        Ok(_) | Err(_) => return Err(Refusal::HeadMalformed),
    }
    let is_http_1_1 = request.version == Some(1);
    check_target(
        request.method.unwrap_or_default(),
        request.path.unwrap_or_default(),
    )?;

    let (mut host, mut length, mut chunked) = (None, None, false);
    for field in request.headers.iter() {
        if field.name.eq_ignore_ascii_case("host") {
            if host.replace(field.value).is_some() {
                return Err(Refusal::HostDuplicate);
            }
        } else if field.name.eq_ignore_ascii_case("content-length") {
            if length.replace(parse_length(field.value)?).is_some() {
                return Err(Refusal::LengthDuplicate);
            }
        } else if field.name.eq_ignore_ascii_case("transfer-encoding") {
            let is_only = field.value.trim_ascii().eq_ignore_ascii_case(b"chunked");
            if chunked || !is_only || !is_http_1_1 {
                return Err(Refusal::TransferEncoding);
            }
            chunked = true;
        }
    }
    match host {
        Some(host) => check_host(host)?,
        None if is_http_1_1 => return Err(Refusal::HostMissing),
        None => {}
    }
    match (length, chunked) {
        (Some(_), true) => Err(Refusal::LengthAndTransferEncoding),
        (None, true) => Ok(Framing::Chunked),
        (length, false) => Ok(Framing::Length(length.unwrap_or(0))),
    }
}

/// A CR or LF that is not half of a CRLF: some readers end a line there and
/// some do not.
fn has_bare_line_end(head: &[u8]) -> bool {
    let mut after_return = false;
    for byte in head {
        if (*byte == b'\n') != after_return {
            return true;
        }
        after_return = *byte == b'\r';
    }
    after_return
}

/// Only what an origin server is asked: no tunnels, no bare authorities.
fn check_target(method: &str, target: &str) -> Result<(), Refusal> {
    let form_is_known = target.starts_with('/')
        || (target == "*" && method == "OPTIONS")
        || target.starts_with("http://")
        || target.starts_with("https://");
    if method == "CONNECT" || !form_is_known || target.parse::<axum::http::Uri>().is_err() {
        return Err(Refusal::TargetMalformed);
    }
    Ok(())
}

/// `Host` is one host with an optional port, never empty, without user
/// information (RFC 9110, 7.2; 4.2.4).
fn check_host(value: &[u8]) -> Result<(), Refusal> {
    let is_one = axum::http::uri::Authority::try_from(value.trim_ascii())
        .is_ok_and(|host| !host.host().is_empty() && !host.as_str().contains('@'));
    if is_one {
        Ok(())
    } else {
        Err(Refusal::HostMalformed)
    }
}

/// Digits alone: no sign, no list, no space between.
fn parse_length(value: &[u8]) -> Result<u64, Refusal> {
    let text = std::str::from_utf8(value.trim_ascii()).map_err(|_| Refusal::LengthMalformed)?;
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Refusal::LengthMalformed);
    }
    text.parse().map_err(|_| Refusal::LengthMalformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(head: &str) -> Result<Framing, Refusal> {
        judge(head.as_bytes(), 8)
    }

    #[test]
    fn plain_heads_pass_with_their_framing() {
        for (head, framing) in [
            ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", Framing::Length(0)),
            ("GET / HTTP/1.0\r\n\r\n", Framing::Length(0)),
            (
                "OPTIONS * HTTP/1.1\r\nhost: a:80\r\n\r\n",
                Framing::Length(0),
            ),
            (
                "GET http://a/b HTTP/1.1\r\nhost: [::1]:80\r\n\r\n",
                Framing::Length(0),
            ),
            (
                "POST /x HTTP/1.1\r\nhost: a\r\ncontent-length: 0042 \r\n\r\n",
                Framing::Length(42),
            ),
            (
                "POST /x HTTP/1.1\r\nhost: a\r\nTransfer-Encoding: Chunked\r\n\r\n",
                Framing::Chunked,
            ),
        ] {
            assert_eq!(judged(head), Ok(framing), "{head:?}");
        }
    }

    #[test]
    fn ambiguous_heads_are_refused_each_by_its_own_name() {
        for (head, refusal) in [
            ("GET / HTTP/1.1\r\n\r\n", Refusal::HostMissing),
            ("GET / HTTP/1.1\r\nhost:\r\n\r\n", Refusal::HostMalformed),
            (
                "GET / HTTP/1.1\r\nhost: a@b\r\n\r\n",
                Refusal::HostMalformed,
            ),
            (
                "GET / HTTP/1.1\r\nhost: a, b\r\n\r\n",
                Refusal::HostMalformed,
            ),
            (
                "GET / HTTP/1.1\r\nhost: a\r\nHOST: a\r\n\r\n",
                Refusal::HostDuplicate,
            ),
            (
                "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-length: 1\r\n\r\n",
                Refusal::LengthDuplicate,
            ),
            (
                "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1, 1\r\n\r\n",
                Refusal::LengthMalformed,
            ),
            (
                "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: +1\r\n\r\n",
                Refusal::LengthMalformed,
            ),
            (
                "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 18446744073709551616\r\n\r\n",
                Refusal::LengthMalformed,
            ),
            (
                "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n",
                Refusal::LengthAndTransferEncoding,
            ),
            (
                "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: gzip, chunked\r\n\r\n",
                Refusal::TransferEncoding,
            ),
            (
                "POST / HTTP/1.0\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n",
                Refusal::TransferEncoding,
            ),
            (
                "CONNECT a:80 HTTP/1.1\r\nhost: a\r\n\r\n",
                Refusal::TargetMalformed,
            ),
            (
                "GET a HTTP/1.1\r\nhost: a\r\n\r\n",
                Refusal::TargetMalformed,
            ),
            ("PRI * HTTP/2.0\r\n\r\n", Refusal::VersionUnsupported),
            ("GET / HTTP/1.1\nhost: a\r\n\r\n", Refusal::HeadMalformed),
            (
                "GET / HTTP/1.1\r\nx: a\rb\r\nhost: a\r\n\r\n",
                Refusal::HeadMalformed,
            ),
            ("GET / HTTP/1.1\r\nhost : a\r\n\r\n", Refusal::HeadMalformed),
            (
                "GET / HTTP/1.1\r\nhost: a\r\n folded\r\n\r\n",
                Refusal::HeadMalformed,
            ),
            ("\r\n\r\n", Refusal::HeadMalformed),
        ] {
            assert_eq!(judged(head), Err(refusal), "{head:?}");
        }
    }

    #[test]
    fn one_field_too_many_is_too_large_and_one_fewer_is_not() {
        let head = |count: usize| {
            format!(
                "GET / HTTP/1.1\r\nhost: a\r\n{}\r\n",
                "x: y\r\n".repeat(count - 1)
            )
        };
        assert_eq!(judged(&head(8)), Ok(Framing::Length(0)));
        assert_eq!(judged(&head(9)), Err(Refusal::HeadTooLarge));
    }

    #[test]
    fn no_truncated_head_passes() {
        let head = "POST /x HTTP/1.1\r\nhost: a\r\ncontent-length: 42\r\n\r\n";
        for length in 0..head.len() {
            assert!(judged(&head[..length]).is_err(), "{length} bytes");
        }
    }
}
