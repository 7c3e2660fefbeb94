//! What one call may bring, and what is made of it: checked, sorted, each
//! reading once.

use crate::error::{Invalid, Rule};
use crate::ident::EquipmentId;
use crate::record::readings;
use crate::record::temperature::{self, Reading};

/// 2000-01-01 in UTC: what says it was measured before is a logger whose clock
/// was never set, or seconds taken for milliseconds.
pub const EARLIEST_MS: u64 = 946_684_800_000;

/// A call's readings by probe; sorted, each once.
pub(super) struct Call {
    pub(super) probes: Vec<(EquipmentId, Vec<Reading>)>,
    /// How many distinct readings.
    pub(super) count: usize,
    /// How many more were sent, all repeats.
    pub(super) repeated: usize,
}

/// # Errors
/// The refusal of the first reading that cannot be, or of too many.
pub(super) fn take(
    mut batch: Vec<(EquipmentId, Vec<Reading>)>,
    latest_ms: u64,
) -> Result<Call, Invalid> {
    let sent = fits(&batch)?;
    for (probe, readings) in &mut batch {
        for reading in &*readings {
            check(probe, reading, latest_ms)?;
        }
        // As loggers mostly send them.
        if !readings.is_sorted_by(|one, next| one < next) {
            readings.sort_unstable();
            readings.dedup();
        }
    }
    batch.retain(|(_, readings)| !readings.is_empty());
    batch.sort_by_key(|(probe, _)| *probe);
    let mut probes: Vec<(EquipmentId, Vec<Reading>)> = Vec::with_capacity(batch.len());
    for (probe, readings) in batch {
        match probes.last_mut() {
            Some((last, earlier)) if *last == probe => {
                earlier.extend(readings);
                earlier.sort();
                earlier.dedup();
            }
            _ => probes.push((probe, readings)),
        }
    }
    let count = probes.iter().map(|(_, readings)| readings.len()).sum();
    Ok(Call {
        probes,
        count,
        repeated: sent - count,
    })
}

/// How many readings a batch has, when that is not too many.
///
/// # Errors
/// [`Rule::TooLarge`].
pub(super) fn fits(batch: &[(EquipmentId, Vec<Reading>)]) -> Result<usize, Invalid> {
    let sent = batch.iter().map(|(_, readings)| readings.len()).sum();
    readings::fits(batch.len(), sent)
}

fn check(probe: &EquipmentId, reading: &Reading, latest_ms: u64) -> Result<(), Invalid> {
    let refuse = |rule, wanted: String| {
        let found = reading.at_ms;
        let what = format!("probe {probe}: a reading at {found} ms, wanted {wanted}");
        Err(Invalid::new(rule, what))
    };
    if reading.at_ms > latest_ms {
        return refuse(Rule::EventAhead, format!("at most {latest_ms} ms"));
    }
    if reading.at_ms < EARLIEST_MS {
        let wanted = format!("at least {EARLIEST_MS} ms (the year 2000)");
        return refuse(Rule::Instant, wanted);
    }
    temperature::check(reading.temperature_milli_c).map_err(|mut invalid| {
        invalid.what = format!("probe {probe} at {} ms: {}", reading.at_ms, invalid.what);
        invalid
    })
}
