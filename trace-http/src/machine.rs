//! What the core never reads by itself: the clock, the random source, and how many
//! files the system grants.

use std::time::{SystemTime, UNIX_EPOCH};
use trace_core::ledger::writer::Clock;

/// Milliseconds since the epoch by the machine's clock; a clock before 1970
/// reads 0, which the ledger's clock guard refuses to stamp.
#[must_use]
pub fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    })
}

/// The machine's clock.
#[must_use]
pub fn clock() -> Clock {
    std::sync::Arc::new(now_ms)
}

/// How many descriptors this process may have open at once, raised as far as the
/// system lets it; unbounded where the system has no such limit.
#[must_use]
pub fn descriptors() -> u64 {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let granted = getrlimit(Resource::Nofile);
        let raised = Rlimit {
            current: granted.maximum,
            maximum: granted.maximum,
        };
        let is_raised = setrlimit(Resource::Nofile, raised).is_ok();
        let now = if is_raised { raised } else { granted };
        now.current.unwrap_or(u64::MAX)
    }
    #[cfg(not(unix))]
    u64::MAX
}

/// Fills `bytes` from the system's random source.
///
/// # Panics
/// When the system has none: nothing secret or unguessable could be made, and
/// going on would make keys and codes that can be guessed.
pub fn fill_random(bytes: &mut [u8]) {
    #[expect(
        clippy::expect_used,
        reason = "without a random source no key or code may be made"
    )]
    getrandom::fill(bytes).expect("the system has a random source");
}

/// Fresh random bytes.
#[must_use]
pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    fill_random(&mut bytes);
    bytes
}
