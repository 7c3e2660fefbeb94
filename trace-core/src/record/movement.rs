//! What movement kinds share: when and by whom, what a process is, how units of
//! measure convert, and how goods leave the ledger's sight. Frozen with the
//! kinds that use it.

use super::quantity::BaseUnit;
use super::text;
use crate::error::{Invalid, Rule};
use crate::ident::EntityId;
use postcard_schema::Schema;
use serde::{Deserialize, Serialize};

/// When something happened, by the clock of whoever says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Schema)]
#[serde(deny_unknown_fields)]
pub struct Moment {
    /// Milliseconds since the epoch.
    pub at_ms: u64,
    /// Local time there: minutes east of UTC.
    pub offset_minutes: i16,
}

impl Moment {
    /// Checks the offset.
    ///
    /// # Errors
    /// [`Rule::Date`] with the minutes.
    pub fn check(&self) -> Result<(), Invalid> {
        match self.offset_minutes.unsigned_abs() <= 14 * 60 {
            true => Ok(()),
            false => Err(Invalid::new(
                Rule::Date,
                format!("local time {} minutes from UTC", self.offset_minutes),
            )),
        }
    }
}

/// The other side of a movement: an entity of this ledger, or a name outside it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Schema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Party {
    /// An entity of this ledger.
    Entity(EntityId),
    /// A firm or person without an account, 1 to 60 characters.
    Outside(String),
}

impl Party {
    /// Checks an outsider's name.
    ///
    /// # Errors
    /// [`Rule::Text`].
    pub fn check(&self) -> Result<(), Invalid> {
        match self {
            Self::Entity(_) => Ok(()),
            Self::Outside(name) => text::check("outside", name, 1, 60),
        }
    }

    /// The entity, where it is one of this ledger.
    #[must_use]
    pub fn entity(&self) -> Option<EntityId> {
        match self {
            Self::Entity(entity) => Some(*entity),
            Self::Outside(_) => None,
        }
    }
}

/// What was done to units so that others came of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Schema)]
#[serde(rename_all = "snake_case")]
pub enum Process {
    /// 分批: one unit into several of the same product.
    Split,
    /// 并批: several units into one of the same product.
    Merge,
    /// 混合: several products into another.
    Mix,
    /// 分装: the same product in other packages, under new codes.
    Repack,
    /// 屠宰.
    Slaughter,
    /// 分割.
    Cut,
    /// 加工.
    Manufacture,
}

impl Process {
    /// Whether what comes out is what went in, by another code.
    #[must_use]
    pub fn keeps_product(self) -> bool {
        matches!(self, Self::Split | Self::Merge | Self::Repack)
    }
}

/// How one unit of measure turned into another, as declared: `numerator` of
/// `to` came of `denominator` of `from`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Schema)]
#[serde(deny_unknown_fields)]
pub struct Conversion {
    /// The measure that went in.
    pub from: BaseUnit,
    /// The measure that came out.
    pub to: BaseUnit,
    /// So much of `to`.
    pub numerator: u64,
    /// Of so much of `from`.
    pub denominator: u64,
}

/// How goods leave the ledger's sight for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Schema)]
#[serde(rename_all = "snake_case")]
pub enum Manner {
    /// 售出, to those who eat it.
    Sold,
    /// 自用.
    Consumed,
    /// 销毁.
    Destroyed,
    /// 退回, to somebody outside this ledger.
    Returned,
    /// 损耗: dried out, spilled, spoilt.
    Lost,
}

impl Manner {
    /// Whether recalled goods may leave this way.
    #[must_use]
    pub fn takes_recalled(self) -> bool {
        matches!(self, Self::Destroyed | Self::Returned)
    }
}

/// How a recall ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Schema)]
#[serde(rename_all = "snake_case")]
pub enum RecallOutcome {
    /// 召回完成: it was carried out; what was recalled stays barred.
    Completed,
    /// 召回撤销: there was no ground for it; what was recalled is free again.
    Withdrawn,
}
