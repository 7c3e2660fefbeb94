//! Mean kinetic temperature: the one figure of the core that is made in floating
//! point. It informs whoever knows what it is for, and clears no breach.
//!
//! `T = (H/R) / -ln(sum(t * exp(-H / (R * T_i))) / sum(t))`, in kelvin, of times
//! `t` at temperatures `T_i`. Right to a thousandth of a degree: the two vectors at
//! hand are tests.

use crate::record::temperature::TEMPERATURE_MILLI_C;

/// Gas constant as the vectors at hand use it, and the activation energy of USP
/// chapter 1079 (unconfirmed): kJ/mol and kJ/(mol K).
const ACTIVATION_PER_GAS_CONSTANT_K: f64 = 83.144 / 8.314_472e-3;
const ZERO_CELSIUS_K: f64 = 273.15;

/// The mean kinetic temperature of times at temperatures, in milli-degrees C,
/// right to a thousandth of a degree; none of no time.
#[must_use]
pub fn mean_kinetic_milli_c(parts: impl IntoIterator<Item = (u64, i32)>) -> Option<i32> {
    let (mut time, mut weighted) = (0.0, 0.0);
    for (ms, temperature_milli_c) in parts {
        let kelvin = f64::from(temperature_milli_c) / 1_000.0 + ZERO_CELSIUS_K;
        #[expect(clippy::cast_precision_loss, reason = "a time below 2^53 ms is exact")]
        let ms = ms as f64;
        time += ms;
        weighted += ms * (-ACTIVATION_PER_GAS_CONSTANT_K / kelvin).exp();
    }
    if time <= 0.0 {
        return None;
    }
    let kelvin = ACTIVATION_PER_GAS_CONSTANT_K / -(weighted / time).ln();
    let milli_c = ((kelvin - ZERO_CELSIUS_K) * 1_000.0).round();
    #[expect(
        clippy::cast_possible_truncation,
        reason = "between the coldest and the warmest, which are i32"
    )]
    Some(milli_c as i32)
}

/// Temperatures of one page of times: 512 of eight bytes are a page of memory.
const PAGE: usize = 512;

/// How long it was at each temperature: a page of times for every half degree that
/// was met, since a probe's readings lie close together.
#[derive(Default)]
pub(super) struct Times {
    pages: Vec<Option<Box<[u64; PAGE]>>>,
}

impl Times {
    /// Adds time at a temperature; at one that no probe can mean, at the nearest
    /// that one can.
    pub(super) fn add(&mut self, temperature_milli_c: i32, ms: u64) {
        let (lowest, highest) = TEMPERATURE_MILLI_C.into_inner();
        let above = temperature_milli_c.clamp(lowest, highest).abs_diff(lowest) as usize;
        let (page, place) = (above / PAGE, above % PAGE);
        if page >= self.pages.len() {
            self.pages.resize_with(page + 1, || None);
        }
        let Some(page) = self.pages.get_mut(page) else {
            return;
        };
        let page = page.get_or_insert_with(|| Box::new([0; PAGE]));
        if let Some(total) = page.get_mut(place) {
            *total = total.saturating_add(ms);
        }
    }

    /// Their mean kinetic temperature.
    pub(super) fn mean_kinetic_milli_c(&self) -> Option<i32> {
        let lowest = *TEMPERATURE_MILLI_C.start();
        let pages = self.pages.iter().zip((lowest..).step_by(PAGE));
        let times = pages.flat_map(|(page, from)| {
            let times = page.iter().flat_map(|page| page.iter().copied());
            times.zip(from..)
        });
        mean_kinetic_milli_c(times.filter(|(ms, _)| *ms > 0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_kinetic_temperature_agrees_with_the_vectors() {
        let frozen = [(54, -18_000), (6, -9_000)];
        assert_eq!(mean_kinetic_milli_c(frozen), Some(-16_382));
        // 7.1363 to the ten-thousandth.
        let chilled = [2_000, 4_000, 6_000, 8_000, 12_000].map(|found| (1, found));
        assert_eq!(mean_kinetic_milli_c(chilled), Some(7_136));
        assert_eq!(mean_kinetic_milli_c([(7, -200_000)]), Some(-200_000));
        assert_eq!(mean_kinetic_milli_c([(7, 100_000)]), Some(100_000));
        assert_eq!(mean_kinetic_milli_c([]), None);
    }

    #[test]
    fn times_are_added_up_by_temperature_whatever_their_order() {
        for parts in [
            vec![(54, -18_000), (6, -9_000)],
            vec![(3, -9_000), (50, -18_000), (3, -9_000), (4, -18_000)],
        ] {
            let mut times = Times::default();
            parts.iter().for_each(|(ms, found)| times.add(*found, *ms));
            assert_eq!(times.mean_kinetic_milli_c(), Some(-16_382));
        }
        let mut times = Times::default();
        assert_eq!(times.mean_kinetic_milli_c(), None);
        times.add(i32::MAX, 1);
        assert_eq!(times.mean_kinetic_milli_c(), Some(100_000));
        times.add(i32::MIN, 1);
        assert!(times.mean_kinetic_milli_c() < Some(100_000));
    }
}
