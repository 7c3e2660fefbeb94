//! QR codes (ISO/IEC 18004): which modules are dark.
//!
//! Level M, four modules of quiet zone: the level and the quiet zone that the
//! standard asks of codes read by anyone, at 15 % of damage.

use qrcode::{Color, EcLevel, QrCode};

use super::LabelError;

/// Modules of quiet zone on each side (ISO/IEC 18004, 6.3.8).
pub const QUIET: u32 = 4;

/// The modules of a QR code, without its quiet zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Modules {
    side: u32,
    dark: Vec<bool>,
}

impl Modules {
    /// The smallest code of an address.
    ///
    /// # Errors
    /// [`LabelError::Address`] beyond the largest code.
    pub fn of(address: &str) -> Result<Self, LabelError> {
        let too_long = || LabelError::Address {
            bytes: address.len(),
        };
        Self::made(address.as_bytes(), EcLevel::M).ok_or_else(too_long)
    }

    /// The smallest code of a signed record, at level L (7 % of damage): it is
    /// held before a reader at a gate, and every version less is larger modules.
    #[must_use]
    pub fn of_record(record: &[u8]) -> Option<Self> {
        Self::made(record, EcLevel::L)
    }

    fn made(bytes: &[u8], level: EcLevel) -> Option<Self> {
        let made = QrCode::with_error_correction_level(bytes, level).ok()?;
        let side = u32::try_from(made.width()).ok()?;
        let colours = made.into_colors();
        Some(Self {
            side,
            dark: colours.iter().map(|it| *it == Color::Dark).collect(),
        })
    }

    /// Modules along a side.
    #[must_use]
    pub fn side(&self) -> u32 {
        self.side
    }

    /// Modules along a side, the quiet zone included.
    #[must_use]
    pub fn side_with_quiet(&self) -> u32 {
        self.side + 2 * QUIET
    }

    /// The runs of dark modules: column, row, length.
    pub fn runs(&self) -> impl Iterator<Item = (u32, u32, u32)> + '_ {
        let side = usize::try_from(self.side).unwrap_or(usize::MAX);
        (0u32..)
            .zip(self.dark.chunks(side.max(1)))
            .flat_map(|(row, modules)| {
                let mut runs: Vec<(u32, u32, u32)> = Vec::new();
                for (column, _) in (0u32..).zip(modules).filter(|(_, dark)| **dark) {
                    match runs.last_mut() {
                        Some((from, _, length)) if *from + *length == column => *length += 1,
                        _ => runs.push((column, row, 1)),
                    }
                }
                runs
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_runs_are_the_dark_modules() {
        let modules = Modules::of("https://trace.example/t/000G40R40M30E209P").unwrap();
        assert_eq!(modules.side(), 29, "version 3 holds 42 bytes at level M");
        let mut dark = vec![false; modules.dark.len()];
        for (column, row, length) in modules.runs() {
            for at in column..column + length {
                dark[(row * modules.side + at) as usize] = true;
            }
        }
        assert_eq!(dark, modules.dark);
        // The finder in the corner: seven dark, one light.
        assert_eq!(modules.runs().next(), Some((0, 0, 7)));
    }

    #[test]
    fn an_address_that_no_code_holds_is_refused_with_its_length() {
        let long = "x".repeat(3_000);
        assert!(matches!(
            Modules::of(&long),
            Err(LabelError::Address { bytes: 3_000 })
        ));
    }
}
