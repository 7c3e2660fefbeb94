//! The clock guard: admission times never go back, and the writer neither
//! stamps nor refuses on a clock that jumped.

use crate::ident::{LEDGER_OFFSET_MINUTES, format_ms};

/// Furthest the clock may stand behind the last admission without question:
/// network time corrections are seconds; a minute covers a slow one.
const BEHIND_MAX_MS: u64 = 60_000;

/// Compares the machine's clock with the last admission.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ClockGuard {
    /// The last admission's time; none while the log is empty.
    last_ms: Option<u64>,
    /// Furthest the clock may be ahead of the last admission without question.
    jump_max_ms: u64,
    /// Up to where an operator has confirmed the clock.
    confirmed_ms: Option<u64>,
}

impl ClockGuard {
    pub(crate) fn new(last_ms: Option<u64>, jump_max_ms: u64) -> Self {
        Self {
            last_ms,
            jump_max_ms,
            confirmed_ms: None,
        }
    }

    /// The time to stamp an admission with, or why the clock is not believed.
    pub(crate) fn stamp(&self, now_ms: u64) -> Result<u64, String> {
        let Some(last_ms) = self.last_ms else {
            return Ok(now_ms);
        };
        let confirmed = self
            .confirmed_ms
            .is_some_and(|ms| now_ms.abs_diff(ms) <= self.jump_max_ms);
        let behind = now_ms.saturating_add(BEHIND_MAX_MS) < last_ms;
        let ahead = now_ms > last_ms.saturating_add(self.jump_max_ms);
        if (behind || ahead) && !confirmed {
            let (now, last) = (
                format_ms(now_ms, LEDGER_OFFSET_MINUTES),
                format_ms(last_ms, LEDGER_OFFSET_MINUTES),
            );
            let most = self.jump_max_ms;
            return Err(format!(
                "the clock says {now}, the last admission was at {last}, more than {most} ms ahead or {BEHIND_MAX_MS} ms \
                 behind: an operator must confirm the clock"
            ));
        }
        Ok(now_ms.max(last_ms))
    }

    /// A record was admitted at `ms`.
    pub(crate) fn admitted(&mut self, ms: u64) {
        self.last_ms = Some(ms);
    }

    /// The operator says that the clock is right.
    pub(crate) fn confirm(&mut self, now_ms: u64) {
        self.confirmed_ms = Some(now_ms);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_jumped_is_believed_only_after_an_operator_confirmed_it() {
        let mut guard = ClockGuard::new(Some(1_000_000_000), 86_400_000);
        assert_eq!(guard.stamp(1_000_000_500), Ok(1_000_000_500));
        assert_eq!(
            guard.stamp(999_999_000),
            Ok(1_000_000_000),
            "a small step back never shows"
        );
        assert!(guard.stamp(1_000_000_000 + 86_400_001).is_err());
        assert!(guard.stamp(999_900_000).is_err());
        guard.confirm(999_900_000);
        assert_eq!(guard.stamp(999_900_000), Ok(1_000_000_000));
        assert_eq!(ClockGuard::new(None, 1).stamp(5), Ok(5));
    }
}
