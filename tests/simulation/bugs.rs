//! Ledgers and disks that are wrong on purpose. Each must be found, and soon:
//! else the same error made by accident would not be found either. The product
//! has no switch for any of them: they sit in the disk under the ledger and in
//! the process around it.

use super::base::Base;
use super::run::Run;
use std::time::{Duration, Instant};
use trace_fixtures::disk::Lie;

/// A bug is found within this.
const FOUND_WITHIN: Duration = Duration::from_secs(60);

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bug {
    /// Answers, and commits afterwards.
    AnswersBeforeCommit,
    /// Answers, and puts the checkpoint in its place afterwards.
    AnswersBeforeCheckpoint,
    /// Gives two records of a request one index.
    ReusesIndex,
    /// Says of a refused record that it was admitted.
    AdmitsRefused,
    /// Starts from an old copy of its disk, last checkpoint and all.
    SkipsHeadCheck,
    /// The disk shows the new checkpoint, and keeps the old one.
    LosesCheckpointRename,
    /// The disk acknowledges syncs of the log and does none.
    SyncsNothing,
    /// The disk does with each sync what the one before should have done.
    SyncsLate,
    /// The disk keeps no names.
    SyncsNoFolder,
    /// A sync failed, and somebody went on.
    SwallowsFailedSync,
    /// The store failed, and somebody answered all the same.
    SwallowsStoreError,
    /// Forgets under which name a request came.
    ForgetsRequestNames,
    /// Admits the parts of a request one by one.
    SplitsRequests,
    /// Shows one client another tree.
    IsTwoFaced,
    /// Says of what is there that it is not.
    DeniesRecords,
    /// Gives what is sent again another index.
    MisplacesDuplicates,
    /// Believes every clock.
    StampsSuspectClock,
    /// A derived row that no record states.
    SpoilsIndex,
}

impl Bug {
    const ALL: [(Bug, &str); 18] = [
        (Bug::AnswersBeforeCommit, ""),
        (Bug::AnswersBeforeCheckpoint, "the last checkpoint covers"),
        (Bug::ReusesIndex, ""),
        (Bug::AdmitsRefused, ""),
        (Bug::SkipsHeadCheck, ""),
        (Bug::LosesCheckpointRename, "the last checkpoint covers"),
        (Bug::SyncsNothing, ""),
        (Bug::SyncsLate, ""),
        (Bug::SyncsNoFolder, "the last checkpoint covers"),
        (Bug::SwallowsFailedSync, ""),
        (Bug::SwallowsStoreError, ""),
        (Bug::ForgetsRequestNames, ""),
        (Bug::SplitsRequests, "in part"),
        (Bug::IsTwoFaced, "checkpoints of"),
        (Bug::DeniesRecords, "was reported absent"),
        (Bug::MisplacesDuplicates, ""),
        (Bug::StampsSuspectClock, "the last admission was at"),
        (Bug::SpoilsIndex, "not the fold of the log"),
    ];

    /// What the disk does, where the bug is the disk's.
    pub fn lie(self) -> Option<Lie> {
        match self {
            Bug::LosesCheckpointRename => Some(Lie::LosesRename("last-checkpoint")),
            Bug::SyncsNothing => Some(Lie::SyncsNothing("log.redb")),
            Bug::SyncsLate => Some(Lie::SyncsLate("log.redb")),
            Bug::SyncsNoFolder => Some(Lie::SyncsNoFolder),
            _ => None,
        }
    }
}

#[test]
fn every_bug_that_was_put_in_is_found_within_a_minute() {
    let base = Base::new();
    let mut missed = Vec::new();
    for (bug, words) in Bug::ALL {
        let start = Instant::now();
        let found = (1..).find_map(|seed| match Run::go(&base, seed, Some(bug)) {
            Err(why) => Some((seed, Some(why))),
            Ok(_) if start.elapsed() > FOUND_WITHIN => Some((seed, None)),
            Ok(_) => None,
        });
        let taken = start.elapsed().as_secs_f64();
        match found {
            Some((seed, Some(why))) if why.contains(words) => {
                println!("{bug:?}: seed {seed}, {taken:.2} s: {why}");
            }
            other => missed.push(format!("{bug:?} ({taken:.0} s): {other:?}")),
        }
    }
    assert!(missed.is_empty(), "not found:\n{}", missed.join("\n"));
}
