//! A flow: what came to an entity, went from it and ended with it, of one
//! product in one measure, on a day or in all.
//!
//! Amounts are in base units. What crosses from one entity to another is told
//! by the smallest area that holds both, so that the flows of an area add up
//! without what only moved within it.
//!
//! Not here: how a record changes it, which is `fold_flow`'s, and what it is
//! read for, which is [`balances`](super::balances)'s.

use crate::ident::Area;
use serde::{Deserialize, Serialize};

/// Amounts between entities, by the smallest area that holds both.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Crossing {
    /// Both in one county.
    pub county: u64,
    /// In one city, in two of its counties.
    pub city: u64,
    /// In two cities.
    pub beyond: u64,
}

macro_rules! flow {
    ($(#[$crossing_doc:meta] $crossing:ident)*; $(#[$plain_doc:meta] $plain:ident)*) => {
        /// What came, went and ended.
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
        pub struct Flow {
            $(#[$crossing_doc] pub $crossing: Crossing,)*
            $(#[$plain_doc] pub $plain: u64,)*
        }

        impl Flow {
            /// Adds another's amounts.
            pub fn add(&mut self, other: &Self) {
                $(self.$crossing.add(&other.$crossing);)*
                $(self.$plain = self.$plain.saturating_add(other.$plain);)*
            }
        }
    };
}

flow! {
    /// Received from another entity, what was missing with it.
    received
    /// Refused by whom it was handed to, and back.
    refused
    /// Handed over to another entity.
    handed_over;
    /// Made: harvested, produced, imported, declared, or come of other units.
    made
    /// Weighed beyond what was handed over, within the policy.
    gained
    /// Weighed beyond that: an open question.
    questioned_gain
    /// Handed to somebody outside the ledger.
    outside
    /// Used up for other units.
    transformed
    /// Sold to those who eat it.
    sold
    /// Used.
    consumed
    /// Destroyed.
    destroyed
    /// Returned to somebody outside.
    returned
    /// Missing or lost, within the policy.
    lost
    /// Missing or lost beyond that: an open question.
    unexplained
    /// Of units that were voided whole.
    withdrawn
    /// Certificates issued.
    certificates
    /// So much was certified.
    certified
}

impl Crossing {
    /// So much between an entity of one area and one of another.
    #[must_use]
    pub fn between(one: Area, other: Area, amount: u64) -> Self {
        let (one, other) = (one.code(), other.code());
        let mut crossing = Self::default();
        *match (one == other, one / 100 == other / 100) {
            (true, _) => &mut crossing.county,
            (false, true) => &mut crossing.city,
            (false, false) => &mut crossing.beyond,
        } = amount;
        crossing
    }

    fn add(&mut self, other: &Self) {
        self.county = self.county.saturating_add(other.county);
        self.city = self.city.saturating_add(other.city);
        self.beyond = self.beyond.saturating_add(other.beyond);
    }

    /// All of it.
    #[must_use]
    pub fn all(&self) -> u64 {
        let within = self.county.saturating_add(self.city);
        within.saturating_add(self.beyond)
    }

    /// What crossed the border of an area in which one side lies; of an area
    /// above a city, what crossed a city's.
    #[must_use]
    pub fn across(&self, area: Area) -> u64 {
        match area.code().is_multiple_of(100) {
            true => self.beyond,
            false => self.city.saturating_add(self.beyond),
        }
    }
}

impl Flow {
    /// What came less what went, in a width that cannot overflow: what is held
    /// where all of a history is added up.
    #[must_use]
    pub fn net(&self) -> i128 {
        let came = [
            self.made,
            self.gained,
            self.received.all(),
            self.refused.all(),
        ];
        let went = [
            self.handed_over.all(),
            self.outside,
            self.transformed,
            self.sold,
            self.consumed,
            self.destroyed,
            self.returned,
            self.lost,
            self.unexplained,
            self.withdrawn,
        ];
        let sum = |amounts: &[u64]| {
            amounts
                .iter()
                .map(|amount| i128::from(*amount))
                .sum::<i128>()
        };
        sum(&came) - sum(&went)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_crosses_is_told_by_the_smallest_area_that_holds_both() {
        let [one, other, ..] = Area::LANGFANG_COUNTIES;
        let elsewhere = Area::try_from(130_602).unwrap();
        for (to, county, city) in [(one, 0, 0), (other, 7, 0), (elsewhere, 7, 7)] {
            let crossing = Crossing::between(one, to, 7);
            assert_eq!(crossing.all(), 7);
            assert_eq!(crossing.across(one), county);
            assert_eq!(crossing.across(Area::LANGFANG), city);
        }
    }

    #[test]
    fn what_came_less_what_went_is_what_is_held() {
        let near = |amount| Crossing {
            county: amount,
            ..Crossing::default()
        };
        let mut flow = Flow {
            made: 100,
            received: near(20),
            handed_over: near(50),
            sold: 5,
            lost: 2,
            certified: 1_000,
            ..Flow::default()
        };
        assert_eq!(flow.net(), 63);
        flow.add(&Flow {
            refused: near(4),
            unexplained: 7,
            withdrawn: 60,
            ..Flow::default()
        });
        assert_eq!(flow.net(), 0);
    }
}
