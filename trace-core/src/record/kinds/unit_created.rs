//! 追溯单元建立: a quantity of one product with one history begins: harvest,
//! slaughter, production or import.

use crate::error::{Invalid, Rule};
use crate::ident::{CivilDate, Lot, TraceCode};
use crate::record::claim::{Claim, DurabilityKind};
use crate::record::kinds::Kind;
use crate::record::quantity::Quantity;
use crate::record::subject::SubjectId;
use crate::record::text;
use crate::record::wire::{AreaCode, Day, GtinNumber, TokenId};
use postcard_schema::Schema;
use serde::{Deserialize, Serialize};
use std::str::FromStr;

/// Most codes of other systems for one unit.
const FOREIGN_CODES_MAX: usize = 8;

/// How a unit begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Schema)]
#[serde(rename_all = "snake_case")]
pub enum Beginning {
    /// 采收.
    Harvest,
    /// 屠宰.
    Slaughter,
    /// 生产加工.
    Production,
    /// 进口 or from another province.
    Import,
}

/// 产品类别, as the form of the promise of conformity lists them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Schema)]
#[serde(rename_all = "snake_case")]
pub enum ProductClass {
    /// 蔬菜, mushrooms included.
    Vegetable,
    /// 水果.
    Fruit,
    /// 茶鲜叶.
    TeaLeaf,
    /// 畜禽.
    LivestockAndPoultry,
    /// 禽蛋.
    Egg,
    /// 养殖水产品.
    FarmedAquatic,
    /// Other, processed and imported food among them.
    Other,
}

/// Until when a unit may be sold, and what that date means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Schema)]
#[serde(deny_unknown_fields)]
pub struct Durability {
    /// Best before, or use by.
    pub kind: DurabilityKind,
    /// The last day.
    pub on: Day,
}

impl Durability {
    /// The same with its last day as a date.
    ///
    /// # Errors
    /// [`Rule::Date`].
    pub fn dated(self) -> Result<(DurabilityKind, CivilDate), Invalid> {
        Ok((self.kind, self.on.date()?))
    }
}

/// Checks what every unit says of its goods however it begins: dates in order,
/// and the codes on the package.
///
/// # Errors
/// [`Rule::Date`], [`Rule::DatesDisagree`], [`Rule::Gs1`] or [`Rule::Lot`].
pub fn check_goods(
    produced_on: Day,
    durability: Option<Durability>,
    gtin: Option<GtinNumber>,
    lot: Option<&str>,
) -> Result<(), Invalid> {
    let produced = produced_on.date()?;
    if let Some(durability) = durability {
        let last = durability.on.date()?;
        if last < produced {
            return Err(Invalid::new(Rule::DatesDisagree, format!("produced on {produced}, to be sold until {last}")));
        }
    }
    if let Some(gtin) = gtin {
        gtin.gtin()?;
    }
    lot.map_or(Ok(()), |lot| Lot::from_str(lot).map(drop))
}

/// The body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Schema)]
#[serde(deny_unknown_fields)]
pub struct UnitCreated {
    /// Its trace code: 80 random bits, printed on its label.
    pub unit: TraceCode,
    /// How it begins.
    pub beginning: Beginning,
    /// 产品名称, 1 to 60 characters.
    pub product: String,
    /// 产品类别.
    pub product_class: ProductClass,
    /// 品种 or specification, up to 60 characters.
    pub specification: Option<String>,
    /// GTIN on the package.
    pub gtin: Option<GtinNumber>,
    /// 批次, in GS1's character set.
    pub lot: Option<String>,
    /// How much of it there is.
    pub quantity: Quantity,
    /// Day of harvest, slaughter, production or import.
    pub produced_on: Day,
    /// Last day of sale, where the product has one.
    pub durability: Option<Durability>,
    /// 产地: area, or none for goods from abroad.
    pub origin_area: Option<AreaCode>,
    /// 产地 in words, 1 to 80 characters.
    pub origin_place: String,
    /// How it is to be kept, up to 60 characters.
    pub storage: Option<String>,
    /// Codes of other systems that mean this unit, each 4 to 80 characters.
    pub foreign_codes: Vec<String>,
    /// The token that acted, for a hosted key.
    pub acted_by: Option<TokenId>,
}

impl Kind for UnitCreated {
    type Trade = ();

    fn check(&self) -> Result<(), Invalid> {
        text::check("product", &self.product, 1, 60)?;
        text::check_option("specification", self.specification.as_deref(), 60)?;
        text::check("origin_place", &self.origin_place, 1, 80)?;
        text::check_option("storage", self.storage.as_deref(), 60)?;
        self.quantity.check()?;
        check_goods(self.produced_on, self.durability, self.gtin, self.lot.as_deref())?;
        if let Some(area) = self.origin_area {
            area.area()?;
        }
        if self.foreign_codes.len() > FOREIGN_CODES_MAX {
            let found = self.foreign_codes.len();
            return Err(Invalid::new(Rule::Text, format!("foreign_codes: {found}, at most {FOREIGN_CODES_MAX}")));
        }
        if !self.foreign_codes.is_sorted_by(|a, b| a < b) {
            return Err(Invalid::new(Rule::Text, "foreign_codes: not sorted and distinct"));
        }
        self.foreign_codes.iter().try_for_each(|code| text::check("foreign_codes", code, 4, 80))
    }

    fn subjects(&self) -> Vec<SubjectId> {
        vec![SubjectId::unit(self.unit)]
    }

    fn claims(&self, _trade: Option<&()>) -> Result<Vec<Claim>, Invalid> {
        Ok(vec![Claim::CreatesUnit {
            unit: self.unit,
            maker: None,
            product: self.product.clone(),
            product_class: self.product_class,
            quantity: Some(self.quantity),
            produced_on: self.produced_on.date()?,
            durability: self.durability.map(Durability::dated).transpose()?,
            gtin: self.gtin.map(GtinNumber::gtin).transpose()?,
            lot: self.lot.clone(),
            foreign_codes: self.foreign_codes.clone(),
            is_declared: false,
        }])
    }

    fn acted_by(&self) -> Option<TokenId> {
        self.acted_by
    }
}
