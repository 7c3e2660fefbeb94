//! What movement has made of a unit: the state that custody and conservation
//! are judged by. Amounts are in the unit's base unit; nothing here refuses.

use crate::ident::{EntityId, TraceCode};
use crate::record::Hash;
use crate::record::movement::Manner;
use crate::record::unit::Made;
use serde::{Deserialize, Serialize};

/// Uses of a certificate or paper that are remembered by name: enough to show
/// where it went; the story has them all.
pub const USES_NAMED_MAX: usize = 8;

/// Where all of a unit went. A unit that never moved has none: all of it is
/// with its maker.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Balance {
    /// Weighed beyond what was handed over, within the policy.
    pub gained: u64,
    /// Weighed beyond that: an open question, not to be moved.
    pub questioned_gain: u64,
    /// In somebody's hands.
    pub held: u64,
    /// Handed over, not yet received.
    pub in_transit: u64,
    /// Used up for other units.
    pub transformed: u64,
    /// Spent under the code that described it before.
    pub carried: u64,
    /// Sold to those who eat it.
    pub sold: u64,
    /// Used.
    pub consumed: u64,
    /// Destroyed.
    pub destroyed: u64,
    /// Returned to somebody outside.
    pub returned: u64,
    /// Handed to somebody outside.
    pub outside: u64,
    /// Missing or lost, within the policy.
    pub lost: u64,
    /// Missing or lost beyond that: an open question.
    pub unexplained: u64,
}

/// What one entity has of one unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holding {
    /// How much; a row stays when nothing is left.
    pub amount: u64,
    /// Since when, by the holder's clock.
    pub since_ms: u64,
    /// By which record.
    pub since: Hash,
}

/// A quantity that was handed over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transfer {
    /// Of which unit.
    pub unit: TraceCode,
    /// The index of the record.
    pub index: u64,
    /// From whom.
    pub from: EntityId,
    /// To whom.
    pub to: EntityId,
    /// How much.
    pub amount: u64,
    /// When, by the giver's clock.
    pub at_ms: u64,
    /// Under which certificate.
    pub certificate: Option<String>,
    /// What became of it.
    pub arrival: Option<Arrival>,
}

/// What became of a transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arrival {
    /// The index of the record.
    pub index: u64,
    /// Accepted.
    pub accepted: u64,
    /// Missing.
    pub missing: u64,
    /// Refused.
    pub refused: u64,
    /// Weighed beyond what was handed over.
    pub excess: u64,
}

/// How a certificate was used.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertificateUse {
    /// Let into markets under it.
    pub admitted: u64,
    /// The last records that used it: index and hash.
    pub records: Vec<(u64, Hash)>,
}

/// How a paper was used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaperUse {
    /// How much it covers, where it says so.
    pub total: Option<u64>,
    /// How much was declared under it.
    pub declared: u64,
    /// The last record that did.
    pub last: (u64, Hash),
}

/// A difference that the policy does not cover.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// Of which unit.
    pub unit: TraceCode,
    /// With whom.
    pub entity: EntityId,
    /// Missing or lost beyond the policy.
    pub missing: u64,
    /// Gained beyond it.
    pub gained: u64,
}

/// What went from one unit into another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edge {
    /// When, by the clock of whoever did it.
    pub at_ms: u64,
    /// So much of the one was used in that act.
    pub used: u64,
    /// So much of the other came of it.
    pub made: u64,
}

impl Balance {
    /// That of a unit which never moved.
    #[must_use]
    pub fn begun(made: &Made) -> Self {
        Self {
            held: made.base_amount,
            ..Self::default()
        }
    }

    /// All that went somewhere or lies somewhere, in a width that cannot overflow.
    #[must_use]
    pub fn accounted(&self) -> u128 {
        let all = [
            self.held,
            self.in_transit,
            self.transformed,
            self.carried,
            self.sold,
            self.consumed,
            self.destroyed,
            self.returned,
            self.outside,
            self.lost,
            self.unexplained,
        ];
        all.into_iter().map(u128::from).sum()
    }

    /// Whether what came in is what went out, is lost, or is held.
    #[must_use]
    pub fn adds_up(&self, made: u64) -> bool {
        self.accounted() == u128::from(made) + u128::from(self.gained)
    }

    /// Nothing is held or on its way.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        self.held == 0 && self.in_transit == 0
    }

    /// After a holder's goods went on their way, or outside.
    pub fn hand_over(&mut self, amount: u64, is_outside: bool) {
        self.held = self.held.saturating_sub(amount);
        let to = match is_outside {
            true => &mut self.outside,
            false => &mut self.in_transit,
        };
        *to = to.saturating_add(amount);
    }

    /// After a transfer arrived.
    pub fn receive(&mut self, amount: u64, arrival: &Arrival, judged: &Judged) {
        let back = arrival.accepted.saturating_add(arrival.refused);
        self.in_transit = self.in_transit.saturating_sub(amount);
        self.held = self.held.saturating_add(back).saturating_add(judged.gained);
        self.gained = self.gained.saturating_add(judged.gained);
        self.questioned_gain = self.questioned_gain.saturating_add(judged.questioned_gain);
        self.lost = self.lost.saturating_add(judged.lost);
        self.unexplained = self.unexplained.saturating_add(judged.unexplained);
    }

    /// After a holder's goods were used up for others.
    pub fn transform(&mut self, amount: u64) {
        self.held = self.held.saturating_sub(amount);
        self.transformed = self.transformed.saturating_add(amount);
    }

    /// After a holder's goods ended; `judged` splits a loss.
    pub fn dispose(&mut self, manner: Manner, amount: u64, judged: &Judged) {
        self.held = self.held.saturating_sub(amount);
        let to = match manner {
            Manner::Sold => &mut self.sold,
            Manner::Consumed => &mut self.consumed,
            Manner::Destroyed => &mut self.destroyed,
            Manner::Returned => &mut self.returned,
            Manner::Lost => {
                self.lost = self.lost.saturating_add(judged.lost);
                &mut self.unexplained
            }
        };
        *to = to.saturating_add(match manner {
            Manner::Lost => judged.unexplained,
            _ => amount,
        });
    }
}

impl Holding {
    /// A maker's, before anything moved.
    #[must_use]
    pub fn of_maker(made: &Made) -> Self {
        Self {
            amount: made.base_amount,
            since_ms: 0,
            since: made.hash,
        }
    }

    /// After something came to a holder who may have had nothing.
    #[must_use]
    pub fn with(held: Option<Self>, amount: u64, at_ms: u64, record: Hash) -> Self {
        match held {
            Some(held) if held.amount > 0 => Self {
                amount: held.amount.saturating_add(amount),
                // What came earlier, though said later, is what there was first.
                since_ms: held.since_ms.min(at_ms),
                since: match at_ms < held.since_ms {
                    true => record,
                    false => held.since,
                },
            },
            _ => Self {
                amount,
                since_ms: at_ms,
                since: record,
            },
        }
    }
}

impl CertificateUse {
    /// After another record used it.
    pub fn named(&mut self, index: u64, record: Hash) {
        if self.records.len() >= USES_NAMED_MAX {
            self.records.remove(0);
        }
        self.records.push((index, record));
    }
}

/// A difference, split into what the policy covers and what it does not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Judged {
    /// Missing within the policy.
    pub lost: u64,
    /// Missing beyond it.
    pub unexplained: u64,
    /// Gained within the policy.
    pub gained: u64,
    /// Gained beyond it.
    pub questioned_gain: u64,
}

impl Judged {
    /// A loss of which so much is covered.
    #[must_use]
    pub fn loss(missing: u64, covered: u64) -> Self {
        Self {
            lost: missing.min(covered),
            unexplained: missing.saturating_sub(covered),
            ..Self::default()
        }
    }

    /// The same with a gain of which so much is covered.
    #[must_use]
    pub fn and_gain(self, excess: u64, covered: u64) -> Self {
        Self {
            gained: excess.min(covered),
            questioned_gain: excess.saturating_sub(covered),
            ..self
        }
    }

    /// The question that stays open, if one does.
    #[must_use]
    pub fn question(&self, unit: TraceCode, entity: EntityId) -> Option<Question> {
        let is_open = self.unexplained > 0 || self.questioned_gain > 0;
        is_open.then_some(Question {
            unit,
            entity,
            missing: self.unexplained,
            gained: self.questioned_gain,
        })
    }
}

/// So many thousandths of an amount, rounded down.
#[must_use]
pub fn per_mille(amount: u64, thousandths: u16) -> u64 {
    let product = u128::from(amount) * u128::from(thousandths);
    u64::try_from(product / 1_000).unwrap_or(u64::MAX)
}
