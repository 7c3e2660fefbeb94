//! Temperatures: one reading of a probe, and what a probe can mean at all.
//!
//! Integers throughout: thousandths of a degree Celsius, milliseconds.

use crate::error::{Invalid, Rule};
use serde::{Deserialize, Serialize};

/// Temperatures a probe can mean: from liquid nitrogen to boiling water.
pub const TEMPERATURE_MILLI_C: std::ops::RangeInclusive<i32> = -200_000..=100_000;

/// What a probe measured at one moment. Ordered by time, then by temperature.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize,
)]
pub struct Reading {
    /// When, by the logger's clock, in milliseconds since the epoch.
    pub at_ms: u64,
    /// What, in thousandths of a degree Celsius.
    pub temperature_milli_c: i32,
}

impl Reading {
    /// The bytes that stand for it wherever it is hashed: time, then
    /// temperature, big-endian.
    #[must_use]
    pub fn to_bytes(self) -> [u8; 12] {
        let mut bytes = [0; 12];
        let (time, temperature) = bytes.split_at_mut(8);
        time.copy_from_slice(&self.at_ms.to_be_bytes());
        temperature.copy_from_slice(&self.temperature_milli_c.to_be_bytes());
        bytes
    }
}

/// Checks that a probe can mean this temperature.
///
/// # Errors
/// [`Rule::Temperature`] with the number.
pub fn check(temperature_milli_c: i32) -> Result<(), Invalid> {
    match TEMPERATURE_MILLI_C.contains(&temperature_milli_c) {
        true => Ok(()),
        false => Err(Invalid::new(
            Rule::Temperature,
            format!("{temperature_milli_c} milli-degrees C, {TEMPERATURE_MILLI_C:?} can be"),
        )),
    }
}
