//! 出仓证明: a supervision warehouse releases a quantity. It may then leave, and
//! the certificate goes with it, into other provinces too.

use crate::error::Invalid;
use crate::ident::TraceCode;
use crate::record::attachment::{self, Attachment};
use crate::record::claim::{Claim, Form};
use crate::record::document::DocumentClaim;
use crate::record::kinds::Kind;
use crate::record::quantity::Quantity;
use crate::record::subject::SubjectId;
use crate::record::supervision::Supervision;
use crate::record::text;
use crate::record::wire::{self, Countersignature, Day, TokenId};
use postcard_schema::Schema;
use serde::{Deserialize, Serialize};

/// The body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Schema)]
#[serde(deny_unknown_fields)]
pub struct WarehouseReleased {
    /// The certificate's number, unique in the ledger.
    pub number: String,
    /// Which unit.
    pub unit: TraceCode,
    /// 品名, 1 to 60 characters.
    pub product: String,
    /// How much is released.
    pub quantity: Quantity,
    /// 出仓日期.
    pub issued_on: Day,
    /// The papers that were added since the goods entered, tests among them.
    pub attachments: Vec<Attachment>,
    /// The token that acted, for a hosted key.
    pub acted_by: Option<TokenId>,
    /// An authority's agreement, where the issue date lies far back.
    pub countersignatures: Vec<Countersignature>,
}

impl Kind for WarehouseReleased {
    type Trade = ();

    fn check(&self) -> Result<(), Invalid> {
        wire::check_number(&self.number)?;
        text::check("product", &self.product, 1, 60)?;
        self.quantity.check()?;
        self.issued_on.date()?;
        attachment::check(&self.attachments)
    }

    fn subjects(&self) -> Vec<SubjectId> {
        vec![SubjectId::unit(self.unit), SubjectId::certificate(&self.number)]
    }

    fn claims(&self, _trade: Option<&()>) -> Result<Vec<Claim>, Invalid> {
        let attached = attachment::kinds(&self.attachments);
        let steps = [
            Claim::Supervision(Supervision::Releases { unit: self.unit, quantity: self.quantity, attached }),
            Claim::Certifies {
                number: self.number.clone(),
                unit: self.unit,
                quantity: self.quantity,
                form: Form::WarehouseRelease,
                issued_on: self.issued_on.date()?,
                expires_on: None,
                bases: Vec::new(),
                pledges: Vec::new(),
            },
        ];
        let named = self.attachments.iter().map(|one| Claim::Document(DocumentClaim::Names { document: one.document }));
        Ok(steps.into_iter().chain(named).collect())
    }

    fn acted_by(&self) -> Option<TokenId> {
        self.acted_by
    }

    fn countersignatures(&self) -> &[Countersignature] {
        &self.countersignatures
    }

    fn without_countersignatures(&self) -> Self {
        Self { countersignatures: Vec::new(), ..self.clone() }
    }
}
