//! What clients ask and what they are told.

use super::hosted::Named;
use std::sync::Arc;
use trace_core::ledger::job::{Admitted, Job, Outcome};
use trace_core::proof::checkpoint::VerifiedCheckpoint;
use trace_core::record::Hash;
use trace_core::record::submission::Submission;

#[derive(Clone)]
pub enum Ask {
    Records(Vec<Submission>),
    Request(Named),
    LookUp(Hash),
}

#[derive(Clone)]
pub struct Question {
    pub from: usize,
    pub ask: Ask,
}

#[derive(Clone)]
pub enum Told {
    Records(Vec<(Hash, Outcome)>),
    Request(Named, Vec<Outcome>),
    Found(Hash, Option<u64>),
}

#[derive(Clone)]
pub struct Answer {
    pub to: usize,
    pub told: Told,
    pub checkpoint: Arc<VerifiedCheckpoint>,
    /// What the log held before the group: a refusal in it was judged at this
    /// size or later, and the checkpoint covers what came after it too.
    pub size_before: u64,
}

/// What is to be answered, and to whom.
pub enum Asked {
    Records(usize, Vec<Hash>),
    Request(usize, Named, usize),
    LookUp(usize, Hash),
}

/// What a server answers that goes on after an error: all was admitted.
pub fn claimed(
    size: u64,
    checkpoint: &Arc<VerifiedCheckpoint>,
    jobs: &[Job],
    asked: Vec<Asked>,
) -> Vec<Answer> {
    let count: usize = jobs.iter().map(|job| job.items.len()).sum();
    let mut indexes = size..size + count as u64;
    let answers = asked.into_iter().filter_map(|asked| match asked {
        Asked::Records(to, hashes) => {
            let told = hashes.into_iter().zip(indexes.by_ref());
            let told = told.map(|(hash, index)| {
                let is_duplicate = false;
                let admitted = Admitted {
                    index,
                    hash,
                    is_duplicate,
                };
                (hash, Outcome::Admitted(admitted))
            });
            Some(Answer {
                to,
                told: Told::Records(told.collect()),
                checkpoint: Arc::clone(checkpoint),
                size_before: size,
            })
        }
        _ => None,
    });
    answers.collect()
}
