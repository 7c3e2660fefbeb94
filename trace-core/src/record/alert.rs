//! Alerts about probes, as far as records speak of them: of which sort they are,
//! what lies where so that there can be any, and who has seen one. What is on at a moment is
//! [`ledger::alerts`](crate::ledger::alerts)'s to derive.

use crate::ident::EntityId;
use postcard_schema::Schema;
use serde::{Deserialize, Serialize};

/// What an alert is about.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, Schema,
)]
#[serde(rename_all = "snake_case")]
pub enum AlertSort {
    /// 超温进行中: what a probe read last is outside the band of goods that lie
    /// there.
    Excursion,
    /// 探头失联: longer without a reading than their policy's gap.
    Silent,
    /// 校准过期.
    CalibrationOverdue,
}

impl AlertSort {
    /// Every sort.
    pub const ALL: [Self; 3] = [Self::Excursion, Self::Silent, Self::CalibrationOverdue];

    /// In words, English and Chinese.
    #[must_use]
    pub fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Excursion => ("outside the band now", "正在超温"),
            Self::Silent => ("no readings from the probe", "探头无读数"),
            Self::CalibrationOverdue => ("calibration overdue", "校准过期"),
        }
    }
}

/// Units that lie in a piece of equipment under one version of a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LyingState {
    /// How many.
    pub units: u64,
    /// Since when any has lain there without a break.
    pub since_ms: u64,
}

/// The last acknowledgement of one sort of alert about a probe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledgement {
    /// When.
    pub at_ms: u64,
    /// Who signed it.
    pub by: EntityId,
    /// Index of the record.
    pub index: u64,
}
