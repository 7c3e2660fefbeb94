//! How what a unit was made from was kept until it was used, as its checklist tells
//! it: from a ledger's readings, or from the bundles of its sources.

use super::Kept;
use crate::ident::TraceCode;
use crate::record::status::{ColdChain, Reason};

/// Most units that are looked at for what one was made from: a batch mixed of
/// sixteen, each of sixteen.
pub const SOURCES_MAX: usize = 256;

/// What was found of the units that one was made from, the nearest first.
#[derive(Debug, Default)]
pub struct SourcesKept {
    /// The nearest that exceeded its policy, and the record that placed it.
    exceeded: Option<(TraceCode, u64)>,
    /// The nearest that is not shown to be kept.
    missing: Option<(TraceCode, u64)>,
    /// The nearest that was not judged.
    unread: Option<(TraceCode, Option<u64>)>,
    /// There are more units than were looked at.
    is_cut: bool,
}

impl SourcesKept {
    /// Adds how the next of them was kept until it was used.
    pub fn add(&mut self, unit: TraceCode, kept: &Kept) {
        let of = |state: ColdChain| {
            let stays = &kept.stays;
            let stay = stays.iter().find(|stay| stay.verdict.state == state);
            Some((unit, stay.or(stays.last())?.placed_index))
        };
        match kept.state {
            ColdChain::Kept => {}
            ColdChain::Exceeded => self.exceeded = self.exceeded.or(of(ColdChain::Exceeded)),
            state @ (ColdChain::Gaps | ColdChain::NotMonitored) => {
                self.missing = self.missing.or(of(state));
            }
        }
    }

    /// Adds one that is not judged here, with the record that placed it last where
    /// that is known.
    pub fn add_unread(&mut self, unit: TraceCode, placed_index: Option<u64>) {
        self.unread = self.unread.or(Some((unit, placed_index)));
    }

    /// There are more than [`SOURCES_MAX`].
    pub fn cut(&mut self) {
        self.is_cut = true;
    }

    /// Whether nothing worse can be found.
    #[must_use]
    pub fn is_worst(&self) -> bool {
        self.exceeded.is_some()
    }

    /// The line of the checklist; none where nothing is to be said.
    #[must_use]
    pub fn line(&self) -> Option<Reason> {
        let (holds, index, words, words_zh) = if let Some((unit, index)) = self.exceeded {
            (
                Some(false),
                Some(index),
                format!(
                    "What it was made from, {unit}, was outside what its policy tolerates \
                     before it was used"
                ),
                format!("其来源 {unit} 在使用前温度曾超出规则允许范围"),
            )
        } else if let Some((unit, index)) = self.missing {
            (
                None,
                Some(index),
                format!(
                    "What it was made from, {unit}, is not shown to have been kept until it was \
                     used: readings are missing"
                ),
                format!("无法证明其来源 {unit} 在使用前全程合规:温度记录有缺失"),
            )
        } else if let Some((unit, index)) = self.unread {
            (
                None,
                index,
                format!(
                    "How what it was made from was kept is not judged here, from {unit} on: ask \
                     for that unit's temperatures"
                ),
                format!("此处未判定其来源({unit} 起)的温度,请查询该单元的温度"),
            )
        } else if self.is_cut {
            (
                None,
                None,
                format!(
                    "It was made from more than {SOURCES_MAX} units: not all were looked at for \
                     how they were kept"
                ),
                format!("来源单元超过 {SOURCES_MAX} 个,未能全部核对温度"),
            )
        } else {
            return None;
        };
        Some(Reason {
            check: "source_temperature",
            holds,
            words,
            words_zh,
            index,
        })
    }
}
