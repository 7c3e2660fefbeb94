//! `trace cold`: equipment, goods placed in it, readings of its probes, and how
//! goods were kept.

mod equipment;
mod policy;
mod prune;
mod read;
mod show;

use clap::Subcommand;
use trace_core::{
    error::{Invalid, Rule},
    ident::EquipmentId,
    ledger::{
        View,
        readings::{READINGS_FILE, Readings},
    },
    record::cold_chain::EquipmentKind,
    rules::ColdFacts,
};

use super::{Failure, Manner, local::DataFolder};
use crate::serve;

/// The cold chain.
#[derive(Debug, Subcommand)]
pub enum ColdCommand {
    /// Register a store, zone, vehicle, container or probe
    #[command(after_help = "\
Examples:
  trace cold register --key store.key --kind cold_store --name 一号库
  trace cold register --key store.key --kind probe --name 东侧探头 --part-of Q-... \\
    --calibrated-on 2026-03-01 --calibration-due 2027-02-28")]
    Register(equipment::Register),
    /// Place a unit in a piece of equipment, under a temperature policy
    #[command(after_help = "\
Example:
  trace cold place 7K3M-0Q2R-ZX9T-4B1C-8 Q-0000-0000-0000-0000-0 --policy frozen --key store.key")]
    Place(equipment::Place),
    /// Take a unit out of a piece of equipment
    #[command(after_help = "\
Example:
  trace cold take-out 7K3M-0Q2R-ZX9T-4B1C-8 Q-0000-0000-0000-0000-0 --key store.key \\
    --at 2026-03-09T06:00:00+08:00")]
    TakeOut(equipment::TakeOut),
    /// Show what is understood of a logger's file, as a mapping to be saved
    #[command(after_help = "\
Examples:
  trace cold map logger.csv --zone +08:00
  trace cold map logger.csv --zone +08:00 > mapping.json   (look at it, mend it)
  trace cold map logger.csv --mapping mapping.json --save Q-0000-0000-0000-0000-0

What the first rows leave open is said on standard error. A mapping that is saved for a
piece of equipment reads its next files; `trace cold read` needs none then.")]
    Map(read::Map),
    /// Read a logger's file of readings in
    #[command(after_help = "\
Examples:
  trace cold read logger.csv --equipment Q-0000-0000-0000-0000-0
  trace cold read logger.csv --equipment Q-0000-0000-0000-0000-0 --mapping mapping.json \\
    --valid-rows-only --server http://127.0.0.1:8080 --token-file store.token

Nothing is stored when a row is wrong, unless --valid-rows-only is given; each is named by
row and column. Readings that are known already are counted and change nothing, so that a
file can be read again. Cells without a reading are counted by what stands there.")]
    Read(read::Read),
    /// Seal a probe's oldest unsealed readings as its next segment
    #[command(after_help = "\
Example:
  trace cold seal Q-0000-0000-0000-0000-0 --key store.key --until 2026-03-08T00:00:00+08:00")]
    Seal(equipment::Seal),
    /// Show how a unit was kept: its stays, excursions and gaps
    #[command(after_help = "\
Example:
  trace cold show 7K3M-0Q2R-ZX9T-4B1C-8 --language zh")]
    Show(show::ShowKept),
    /// Temperature policies: what there is, and adopting one
    #[command(subcommand)]
    Policy(policy::PolicyCommand),
    /// Take away sealed readings that nobody needs any more
    #[command(after_help = "\
Examples:
  trace cold prune --dry-run
  trace cold prune

Readings are needed as long as the units they cover must be told of: six months past the
end of durability, or two years after leaving where there is none. The segment's record and
root stay on the ledger for ever. Of each probe only what stands before the first segment
still needed is taken away; no server may have the folder open.")]
    Prune(prune::Prune),
}

impl ColdCommand {
    pub(super) fn run(self, manner: &Manner) -> Result<(), Failure> {
        match self {
            Self::Register(it) => it.run(manner),
            Self::Place(it) => it.run(manner),
            Self::TakeOut(it) => it.run(manner),
            Self::Map(it) => it.run(manner),
            Self::Read(it) => it.run(manner),
            Self::Seal(it) => it.run(manner),
            Self::Show(it) => it.run(manner),
            Self::Policy(it) => it.run(manner),
            Self::Prune(it) => it.run(manner),
        }
    }
}

/// The readings beside a ledger in a folder that this process holds.
fn readings(folder: &DataFolder, view: &View) -> Result<Readings, Failure> {
    Ok(serve::open_readings(
        &folder.data.join(READINGS_FILE),
        view,
    )?)
}

/// What kind of equipment it is, when it is registered.
fn kind_of(view: &View, equipment: &EquipmentId) -> Result<EquipmentKind, Failure> {
    let state = view.folded().equipment(equipment)?;
    let unknown = || {
        let what = format!("equipment {equipment} is not registered");
        Invalid::new(Rule::EquipmentUnknown, what)
    };
    Ok(state.ok_or_else(unknown)?.kind)
}
