//! 承诺达标合格证 样式二: a buyer's promise after mixing or re-packing, in the
//! form of 2026-02-01. From whom the goods came is a trade matter.

use crate::error::Invalid;
use crate::record::certificate::Elements;
use crate::record::claim::{Claim, Form};
use crate::record::hash::Hash;
use crate::record::kinds::Kind;
use crate::record::section;
use crate::record::subject::SubjectId;
use crate::record::text;
use crate::record::wire::{Countersignature, PersonRef, TokenId};
use postcard_schema::Schema;
use serde::{Deserialize, Serialize};

/// Most collected certificates: a mixed lot of 64 farms; 64 numbers of 40
/// bytes fit a section.
const COLLECTED_MAX: usize = 64;

/// The trade section.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Schema)]
#[serde(deny_unknown_fields)]
pub struct BuyerTrade {
    /// The certificates collected and kept for this batch, on paper or not,
    /// each named in up to 40 characters; at least one.
    pub collected: Vec<String>,
}

/// The body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Schema)]
#[serde(deny_unknown_fields)]
pub struct ConformityCertificate2026Buyer {
    /// The form's elements.
    pub certificate: Elements,
    /// Commitment to the trade section: the certificates collected.
    pub trade: Hash,
}

impl Kind for ConformityCertificate2026Buyer {
    type Trade = BuyerTrade;

    fn check(&self) -> Result<(), Invalid> {
        self.certificate.check()
    }

    fn subjects(&self) -> Vec<SubjectId> {
        self.certificate.subjects()
    }

    fn claims(&self, _trade: Option<&BuyerTrade>) -> Result<Vec<Claim>, Invalid> {
        self.certificate.claims(Form::Conformity2026Buyer)
    }

    fn trade(&self) -> Option<Hash> {
        Some(self.trade)
    }

    fn check_trade(trade: &BuyerTrade) -> Result<(), Invalid> {
        let found = trade.collected.len();
        if found == 0 || found > COLLECTED_MAX {
            return section::refuse(format!("{found} collected certificates, 1 to {COLLECTED_MAX} are wanted"));
        }
        trade.collected.iter().try_for_each(|number| text::check("collected", number, 4, 40))
    }

    fn persons(&self) -> &[PersonRef] {
        &self.certificate.persons
    }

    fn acted_by(&self) -> Option<TokenId> {
        self.certificate.acted_by
    }

    fn countersignatures(&self) -> &[Countersignature] {
        &self.certificate.countersignatures
    }

    fn without_countersignatures(&self) -> Self {
        Self { certificate: self.certificate.without_countersignatures(), trade: self.trade }
    }
}
