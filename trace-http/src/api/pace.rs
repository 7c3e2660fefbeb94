//! How often one address may ask for what can be guessed: a bare GTIN and lot
//! lists the trace codes behind it, and codes are otherwise unguessable.
//!
//! One number an address: the time at which all that it asked for is paid off
//! (the generic cell rate algorithm, ITU-T I.371). Not here: floods, which the
//! server's own limits bound. Behind a proxy all readers are one address, so the
//! bounds are wide enough for a market and too narrow for a list of all lots.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, PoisonError},
};

use crate::problem::{Problem, Refusal};

/// What one listing costs: 2 a second for long, 172,800 guesses a day, where a
/// maker's lots of one year are already more.
const COST_MS: u64 = 500;

/// Listings at once: a shop's stock-taking.
const AT_ONCE: u64 = 60;

/// Addresses remembered, until each is paid off. 8,192 of about 40 bytes are
/// 320 KiB.
const ADDRESSES_MAX: usize = 8_192;

/// Who asked how much of late.
#[derive(Debug)]
pub struct Pace {
    cost_ms: u64,
    /// How far ahead of what is paid off an address may be.
    ahead_ms: u64,
    paid: Mutex<HashMap<Option<IpAddr>, u64>>,
}

/// That of listings.
impl Default for Pace {
    fn default() -> Self {
        Self::new(COST_MS, AT_ONCE)
    }
}

impl Pace {
    /// One request in so many milliseconds for long, and so many at once.
    #[must_use]
    pub fn new(cost_ms: u64, at_once: u64) -> Self {
        Self {
            cost_ms,
            ahead_ms: at_once.saturating_mul(cost_ms),
            paid: Mutex::default(),
        }
    }

    /// Counts one request of an address.
    ///
    /// # Errors
    /// [`Refusal::TooOften`].
    pub fn take(&self, address: Option<IpAddr>, now_ms: u64) -> Result<(), Problem> {
        // A number is never half written.
        let mut paid = self.paid.lock().unwrap_or_else(PoisonError::into_inner);
        let mut key = address.map(network);
        if paid.len() >= ADDRESSES_MAX && !paid.contains_key(&key) {
            paid.retain(|_, paid_ms| *paid_ms > now_ms);
            if paid.len() >= ADDRESSES_MAX {
                // So many at once: the rest share what one has.
                key = None;
            }
        }
        let paid_ms = paid.entry(key).or_default();
        // A clock that was set back holds nobody up for longer than a burst.
        let since_ms = (*paid_ms).clamp(now_ms, now_ms.saturating_add(self.ahead_ms));
        let next_ms = since_ms.saturating_add(self.cost_ms);
        *paid_ms = since_ms;
        if next_ms > now_ms.saturating_add(self.ahead_ms) {
            let at_once = self.ahead_ms / self.cost_ms.max(1);
            let what = format!(
                "{at_once} at once and one in {} ms are answered",
                self.cost_ms
            );
            return Err(Problem::new(Refusal::TooOften).detail(what));
        }
        *paid_ms = next_ms;
        Ok(())
    }
}

/// What one client has: an address of version 4, the first 64 bits of version 6.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            std::net::Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(pace: &Pace, address: &str, now_ms: u64) -> usize {
        let address = address.parse().ok();
        (0..1_000)
            .take_while(|_| pace.take(address, now_ms).is_ok())
            .count()
    }

    #[test]
    fn a_burst_is_answered_then_one_at_a_time_and_others_are_not_held_up() {
        let pace = Pace::default();
        assert_eq!(taken(&pace, "10.0.0.1", 1_000_000), 60);
        assert_eq!(taken(&pace, "10.0.0.1", 1_000_499), 0);
        assert_eq!(taken(&pace, "10.0.0.1", 1_000_500), 1);
        assert_eq!(taken(&pace, "10.0.0.2", 1_000_500), 60);
        assert_eq!(taken(&pace, "", 1_000_500), 60);
        assert_eq!(taken(&pace, "10.0.0.1", 2_000_000), 60);
        // Whoever has a network of version 6 has one share of it.
        assert_eq!(taken(&pace, "2001:db8::1", 0), 60);
        assert_eq!(taken(&pace, "2001:db8::2", 0), 0);
        assert_eq!(taken(&pace, "2001:db8:0:1::2", 0), 60);
        assert_eq!(taken(&pace, "::ffff:10.0.0.9", 0), 60);
        assert_eq!(taken(&pace, "10.0.0.9", 0), 0);
    }

    #[test]
    fn a_clock_that_is_set_back_locks_nobody_out() {
        let pace = Pace::default();
        assert_eq!(taken(&pace, "10.0.0.1", 9_000_000), 60);
        assert_eq!(taken(&pace, "10.0.0.1", 1_000_000), 0);
        assert_eq!(taken(&pace, "10.0.0.1", 1_000_500), 1);
        assert_eq!(taken(&pace, "10.0.0.1", 1_000_500 + AT_ONCE * COST_MS), 60);
    }

    #[test]
    fn however_many_addresses_ask_memory_is_bounded() {
        let pace = Pace::default();
        for number in 0..20_000u32 {
            let address = std::net::Ipv4Addr::from_bits(number).into();
            let _ = pace.take(Some(address), 5);
        }
        assert!(pace.paid.lock().unwrap().len() <= ADDRESSES_MAX + 1);
        assert_eq!(taken(&pace, "99.0.0.1", 5), 0, "they share one share");
        assert_eq!(taken(&pace, "99.0.0.1", 5 + AT_ONCE * COST_MS), 60);
    }
}
