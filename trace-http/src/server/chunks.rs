//! Where a chunked body ends (RFC 9112, 7.1), byte by byte.
//!
//! It finds the end and refuses what two readers could delimit differently; it
//! does not decode: hyper does. Stricter than the RFC in one thing: lines end
//! in CRLF and nothing else.

/// A chunk-size line: 15 hexadecimal digits reach 2^60, more than any body;
/// extensions are ignored, but not without end.
const SIZE_DIGITS_MAX: u8 = 15;
const EXTENSION_BYTES_MAX: u16 = 256;
/// All trailer fields together; nothing here reads them.
const TRAILER_BYTES_MAX: u16 = 4096;

/// The place in a chunked body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Chunks {
    /// In the digits of a size.
    Size { size: u64, digits: u8 },
    /// Behind the digits, in what is ignored.
    Extension { size: u64, length: u16 },
    /// After the CR of a size line.
    SizeEnd { size: u64 },
    /// In the data, so many bytes to come.
    Data { remaining: u64 },
    /// Where the CR behind data must stand.
    DataReturn,
    /// Where the LF behind data must stand.
    DataEnd,
    /// At the start of a trailer line, or of the last, empty one.
    TrailerStart { length: u16 },
    /// Inside a trailer line.
    Trailer { length: u16 },
    /// After the CR of a trailer line.
    TrailerEnd { length: u16 },
    /// After the CR of the empty line.
    LastEnd,
    /// The body has ended.
    Ended,
}

/// The bytes are no chunked body.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Malformed;

impl Chunks {
    /// Before the first size.
    pub(super) const START: Self = Self::Size { size: 0, digits: 0 };

    /// Walks over `bytes` and says how many of them belong to this body.
    ///
    /// # Errors
    /// Where a byte stands that cannot stand there.
    pub(super) fn advance(&mut self, bytes: &[u8]) -> Result<usize, Malformed> {
        let mut rest = bytes;
        while *self != Self::Ended {
            if let Self::Data { remaining } = *self {
                let here = usize::try_from(remaining).map_or(rest.len(), |all| all.min(rest.len()));
                let (_, behind) = rest.split_at_checked(here).ok_or(Malformed)?;
                rest = behind;
                let left = remaining.saturating_sub(u64::try_from(here).map_err(|_| Malformed)?);
                *self = if left == 0 {
                    Self::DataReturn
                } else {
                    Self::Data { remaining: left }
                };
            }
            let Some((byte, behind)) = rest.split_first() else {
                break;
            };
            rest = behind;
            *self = self.step(*byte)?;
        }
        Ok(bytes.len().saturating_sub(rest.len()))
    }

    fn step(self, byte: u8) -> Result<Self, Malformed> {
        Ok(match (self, byte) {
            (Self::Size { size, digits }, _) if byte.is_ascii_hexdigit() => {
                if digits == SIZE_DIGITS_MAX {
                    return Err(Malformed);
                }
                let digit = char::from(byte).to_digit(16).ok_or(Malformed)?;
                Self::Size {
                    size: size * 16 + u64::from(digit),
                    digits: digits + 1,
                }
            }
            (Self::Size { digits: 0, .. }, _) => return Err(Malformed),
            (Self::Size { size, .. } | Self::Extension { size, .. }, b'\r') => {
                Self::SizeEnd { size }
            }
            (Self::Size { size, .. }, b' ' | b'\t' | b';') => Self::Extension { size, length: 1 },
            (Self::Extension { size, length }, _)
                if byte != b'\n' && length < EXTENSION_BYTES_MAX =>
            {
                Self::Extension {
                    size,
                    length: length + 1,
                }
            }
            (Self::SizeEnd { size: 0 }, b'\n') => Self::TrailerStart { length: 0 },
            (Self::SizeEnd { size }, b'\n') => Self::Data { remaining: size },
            (Self::DataReturn, b'\r') => Self::DataEnd,
            (Self::DataEnd, b'\n') => Self::START,
            (Self::TrailerStart { .. }, b'\r') => Self::LastEnd,
            (Self::Trailer { length }, b'\r') => Self::TrailerEnd { length },
            (Self::TrailerStart { length } | Self::Trailer { length }, _)
                if byte != b'\n' && length < TRAILER_BYTES_MAX =>
            {
                Self::Trailer { length: length + 1 }
            }
            (Self::TrailerEnd { length }, b'\n') => Self::TrailerStart { length },
            (Self::LastEnd, b'\n') => Self::Ended,
            _ => return Err(Malformed),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &[u8] = b"5;a=b\r\nhello\r\n0A\r\n0123456789\r\n0\r\nx: y\r\nz: w\r\n\r\n";

    #[test]
    fn the_end_is_found_however_the_bytes_are_cut() {
        let mut stream = BODY.to_vec();
        stream.extend_from_slice(b"GET / HTTP/1.1\r\n");
        for cut in 0..=stream.len() {
            let mut place = Chunks::START;
            let first = place.advance(&stream[..cut]).unwrap();
            let second = place.advance(&stream[cut..]).unwrap();
            assert_eq!(first + second, BODY.len(), "cut at {cut}");
            assert_eq!(place, Chunks::Ended);
        }
    }

    #[test]
    fn no_prefix_counts_as_the_end() {
        for length in 0..BODY.len() {
            let mut place = Chunks::START;
            assert_eq!(place.advance(&BODY[..length]), Ok(length));
            assert_ne!(place, Chunks::Ended, "{length} bytes");
        }
    }

    #[test]
    fn what_two_readers_could_delimit_differently_is_refused() {
        let long_extension = format!("5;{}\r\n", "x".repeat(300));
        let long_trailer = format!("0\r\nx: {}\r\n\r\n", "y".repeat(5000));
        for body in [
            "\r\n",
            "x\r\n",
            "-5\r\n",
            "5\nhello",
            "5\r\rhello",
            "5;a\nb\r\nhello\r\n",
            "5\r\nhelloo\r\n",
            "5\r\nhello\n0\r\n",
            "1000000000000000\r\n",
            "0\r\nx: y\nz: w\r\n\r\n",
            "0\r\n\n",
            &long_extension,
            &long_trailer,
        ] {
            assert_eq!(
                Chunks::START.clone().advance(body.as_bytes()),
                Err(Malformed),
                "{body:?}"
            );
        }
    }
}
