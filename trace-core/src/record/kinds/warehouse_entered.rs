//! 集中监管仓入仓: goods come under supervision, with their papers. From now on
//! the quantity leaves the warehouse only when it is released.

use crate::error::Invalid;
use crate::record::attachment::{self, Attachment};
use crate::record::claim::Claim;
use crate::record::document::DocumentClaim;
use crate::record::hash::Hash;
use crate::record::kinds::Kind;
use crate::record::subject::SubjectId;
use crate::record::supervision::Supervision;
use crate::record::warehouse::{WarehouseEntry, WarehouseTrade};
use crate::record::wire::TokenId;
use postcard_schema::Schema;
use serde::{Deserialize, Serialize};

/// The body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Schema)]
#[serde(deny_unknown_fields)]
pub struct WarehouseEntered {
    /// Unit, time, temperature; quantity, position and vehicle in its trade
    /// section.
    pub entry: WarehouseEntry,
    /// The papers that came with the goods, tests among them.
    pub attachments: Vec<Attachment>,
}

impl Kind for WarehouseEntered {
    type Trade = WarehouseTrade;

    fn check(&self) -> Result<(), Invalid> {
        self.entry.check()?;
        attachment::check(&self.attachments)
    }

    fn subjects(&self) -> Vec<SubjectId> {
        vec![SubjectId::unit(self.entry.unit)]
    }

    fn claims(&self, trade: Option<&WarehouseTrade>) -> Result<Vec<Claim>, Invalid> {
        let (unit, at_ms) = (self.entry.unit, self.entry.at_ms);
        let quantity = trade.map(|trade| trade.quantity);
        let attached = attachment::kinds(&self.attachments);
        let steps = [
            Claim::EntersStore { unit, at_ms, quantity },
            Claim::Supervision(Supervision::Enters { unit, quantity, attached }),
        ];
        let named = self.attachments.iter().map(|one| Claim::Document(DocumentClaim::Names { document: one.document }));
        Ok(steps.into_iter().chain(named).collect())
    }

    fn trade(&self) -> Option<Hash> {
        Some(self.entry.trade)
    }

    fn check_trade(trade: &WarehouseTrade) -> Result<(), Invalid> {
        trade.check()
    }

    fn acted_by(&self) -> Option<TokenId> {
        self.entry.acted_by
    }
}
