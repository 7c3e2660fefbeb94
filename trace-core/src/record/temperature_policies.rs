//! Temperature policies to begin with: the bands of the food trade in China as
//! data, each with its source. Not rules: none holds before a ledger's root has
//! adopted it, and a ledger may adopt others.
//!
//! Bands of GB/T 24616-2019, GB 31605-2020 and GB/T 28577; how long a run outside
//! is tolerated is a matter of contracts, so every number of that sort here is
//! **unconfirmed**, and each policy says so.

use super::kinds::temperature_policy_adopted::TemperaturePolicyAdopted;

/// The policies, as first versions to be signed.
const POLICIES: &str = include_str!("temperature_policies.json");

/// The policies that come with the program, as first versions without
/// countersignatures.
///
/// # Panics
/// Never: a test reads and checks them.
#[must_use]
pub fn shipped() -> Vec<TemperaturePolicyAdopted> {
    #[expect(clippy::expect_used, reason = "a constant that a test reads")]
    serde_json::from_str(POLICIES).expect("sound policies")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Kind;
    use std::collections::BTreeSet;

    #[test]
    fn every_shipped_policy_is_sound_and_says_that_it_is_unconfirmed() {
        let mut codes = BTreeSet::new();
        for body in shipped() {
            assert_eq!(body.check(), Ok(()), "{}", body.policy);
            assert_eq!(body.version, 1, "{}", body.policy);
            assert!(!body.text.is_confirmed, "{}", body.policy);
            assert!(codes.insert(body.policy));
        }
        assert_eq!(codes.len(), 7);
    }

    #[test]
    fn the_bands_are_those_of_the_trade() {
        let band = |code: &str| {
            let all = shipped();
            let found = all.into_iter().find(|it| it.policy == code).unwrap();
            (found.text.low_milli_c, found.text.high_milli_c)
        };
        assert_eq!(band("frozen"), (None, Some(-18_000)));
        assert_eq!(band("chilled"), (Some(0), Some(8_000)));
        assert_eq!(band("chilled-0-4"), (Some(0), Some(4_000)));
        assert_eq!(band("transport-chilled"), (Some(0), Some(10_000)));
        assert_eq!(band("controlled"), (Some(10_000), Some(25_000)));
        assert_eq!(band("ultra-low"), (None, Some(-50_000)));
    }
}
