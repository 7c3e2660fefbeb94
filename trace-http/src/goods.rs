//! What the record that made a unit says of the goods, read once for the page and
//! for the label. Public fields alone.

use trace_core::{
    error::Invalid,
    ident::{CivilDate, Gtin, Lot, TraceCode},
    record::{Body, claim::DurabilityKind, kinds::unit_created::Durability, wire::GtinNumber},
};

/// What a unit's own record says of the goods.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Goods {
    /// 产品名称.
    pub product: String,
    /// 规格.
    pub specification: Option<String>,
    /// As stated; none where only a trade section knows it.
    pub quantity: Option<String>,
    /// 产地; none where it came of other units.
    pub origin_place: Option<String>,
    /// 生产日期.
    pub produced_on: CivilDate,
    /// Until when, and what that date means.
    pub durability: Option<(DurabilityKind, CivilDate)>,
    /// On the package.
    pub gtin: Option<Gtin>,
    /// 批次.
    pub lot: Option<Lot>,
    /// 贮存.
    pub storage: Option<String>,
}

/// The kinds that make a unit name these fields alike, each in a frozen body of
/// its own.
macro_rules! said {
    ($unit:expr, $quantity:expr, $origin_place:expr) => {
        Goods {
            product: $unit.product.clone(),
            specification: $unit.specification.clone(),
            quantity: $quantity,
            origin_place: $origin_place,
            produced_on: $unit.produced_on.date()?,
            durability: $unit.durability.map(Durability::dated).transpose()?,
            gtin: $unit.gtin.map(GtinNumber::gtin).transpose()?,
            lot: $unit.lot.as_deref().map(Lot::parse).transpose()?,
            storage: $unit.storage.clone(),
        }
    };
}

impl Goods {
    /// What the record that made a unit says of it; none for any other record.
    ///
    /// # Errors
    /// A rule of form, should a stored field be none.
    pub fn of(body: &Body, code: TraceCode) -> Result<Option<Self>, Invalid> {
        Ok(match body {
            Body::UnitCreated(unit) => {
                let place = unit.origin_place.clone();
                Some(said!(unit, Some(unit.quantity.to_string()), Some(place)))
            }
            Body::UnitDeclared(unit) => {
                let place = unit.origin_place.clone();
                Some(said!(unit, Some(unit.quantity.to_string()), Some(place)))
            }
            Body::Transformed(act) => match act.outputs.iter().find(|it| it.unit == code) {
                Some(unit) => Some(said!(unit, None, None)),
                None => None,
            },
            _ => None,
        })
    }
}
