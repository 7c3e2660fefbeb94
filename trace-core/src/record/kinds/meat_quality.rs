//! 肉品品质检验合格证: a slaughterhouse certifies the meat that it made, per
//! animal, package or batch. Pork needs it beside the quarantine certificate.
//!
//! Fields of the Yantai form; grade, plant code and barcode are not confirmed
//! elsewhere and therefore optional.

use crate::error::{Invalid, Rule};
use crate::ident::TraceCode;
use crate::record::claim::{Claim, Form};
use crate::record::kinds::Kind;
use crate::record::official::FilledIn;
use crate::record::quantity::Quantity;
use crate::record::subject::SubjectId;
use crate::record::text;
use crate::record::wire::{self, Countersignature, Day, TokenId};
use postcard_schema::Schema;
use serde::{Deserialize, Serialize};

/// The body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Schema)]
#[serde(deny_unknown_fields)]
pub struct MeatQuality {
    /// The certificate's number, unique in the ledger.
    pub number: String,
    /// The trace unit it is about.
    pub unit: TraceCode,
    /// 产品名称, 1 to 60 characters.
    pub product: String,
    /// 产品重量.
    pub quantity: Quantity,
    /// 生产单位, 1 to 60 characters.
    pub producer_name: String,
    /// 生产日期.
    pub produced_on: Day,
    /// 开具日期.
    pub issued_on: Day,
    /// 企业等级, up to 20 characters.
    pub grade: Option<String>,
    /// 定点代码, up to 30 characters.
    pub plant_code: Option<String>,
    /// 追溯条形码, up to 60 characters.
    pub barcode: Option<String>,
    /// The token that acted, for a hosted key.
    pub acted_by: Option<TokenId>,
    /// An authority's agreement, where the issue date lies far back.
    pub countersignatures: Vec<Countersignature>,
}

impl Kind for MeatQuality {
    type Trade = ();

    fn check(&self) -> Result<(), Invalid> {
        wire::check_number(&self.number)?;
        text::check("product", &self.product, 1, 60)?;
        self.quantity.check()?;
        text::check("producer_name", &self.producer_name, 1, 60)?;
        let (produced, issued) = (self.produced_on.date()?, self.issued_on.date()?);
        if issued < produced {
            return Err(Invalid::new(Rule::DatesDisagree, format!("produced on {produced}, issued on {issued}")));
        }
        text::check_option("grade", self.grade.as_deref(), 20)?;
        text::check_option("plant_code", self.plant_code.as_deref(), 30)?;
        text::check_option("barcode", self.barcode.as_deref(), 60)
    }

    fn subjects(&self) -> Vec<SubjectId> {
        vec![SubjectId::unit(self.unit), SubjectId::certificate(&self.number)]
    }

    fn claims(&self, _trade: Option<&()>) -> Result<Vec<Claim>, Invalid> {
        let (form, issued_on) = (Form::MeatQuality, self.issued_on.date()?);
        Ok(vec![
            Claim::FillsIn(FilledIn {
                unit: self.unit,
                form,
                issued_on,
                expires_on: None,
                area: None,
                produced_on: Some(self.produced_on.date()?),
                present: Vec::new(),
            }),
            Claim::Certifies {
                number: self.number.clone(),
                unit: self.unit,
                quantity: self.quantity,
                form,
                issued_on,
                expires_on: None,
                bases: Vec::new(),
                pledges: Vec::new(),
            },
        ])
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
