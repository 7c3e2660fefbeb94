//! The parallel half of an audit: decoding and signatures. Batches go out to as
//! many threads as there are cores and come back in order; nothing here knows
//! the state of the ledger, so it runs ahead of the rules.

use super::Damage;
use crate::error::{Rule, Verify};
use crate::ledger::log::{self, Request};
use crate::ledger::stored::StoredRow;
use crate::proof::merkle::leaf_hash;
use crate::record::layout::Unverified;
use crate::record::section::Opening;
use crate::record::sign::Key;
use crate::record::{Entry, Hash, Verified};
use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::thread::{Scope, ScopedJoinHandle};

/// Entries of a batch: at 50 µs a signature some 13 ms of work, so that handing
/// over costs nothing and no thread is long alone at the end. With two batches
/// a thread under way, at 16 KiB an entry, at most 8 MiB a thread are held.
pub(super) const BATCH_ENTRIES: usize = 256;

/// An entry as stored, with the key that it names if the log enrolled it.
pub(super) struct Claimed {
    pub row: StoredRow,
    pub key: Option<Key>,
}

/// An entry whose bytes and signature were checked.
pub(super) struct Checked {
    pub index: u64,
    pub leaf: Hash,
    pub nodes: Option<Vec<u8>>,
    pub hash: Option<Hash>,
    pub outcome: Result<Sound, Box<Damage>>,
    /// Which personal sections are there.
    pub persons: Vec<u8>,
}

/// What stands in a sound entry.
pub(super) struct Sound {
    pub record: Verified,
    pub admitted_ms: u64,
    pub trade: Option<Opening>,
    pub request: Option<Request>,
}

type Batch<T> = (u64, Vec<T>);

/// Sends batches out and takes them back in order.
pub(super) struct Verifying<'scope> {
    jobs: Option<Sender<Batch<Claimed>>>,
    answers: Receiver<(u64, Option<Vec<Checked>>)>,
    threads: Vec<ScopedJoinHandle<'scope, ()>>,
    early: BTreeMap<u64, Vec<Checked>>,
    sent: u64,
    taken: u64,
    most_under_way: u64,
}

impl<'scope> Verifying<'scope> {
    /// Starts the threads; `jobs` must outlive them.
    pub(super) fn start<'env>(
        scope: &'scope Scope<'scope, 'env>,
        queue: &'env Mutex<Option<Receiver<Batch<Claimed>>>>,
        threads: NonZeroUsize,
    ) -> Self {
        let (jobs, waiting) = channel();
        *queue.lock().unwrap_or_else(PoisonError::into_inner) = Some(waiting);
        let (sender, answers) = channel();
        let threads: Vec<_> = (0..threads.get())
            .map(|_| {
                let sender = sender.clone();
                scope.spawn(move || work(queue, &sender))
            })
            .collect();
        Self {
            jobs: Some(jobs),
            answers,
            most_under_way: u64::try_from(threads.len()).unwrap_or(1) * 2,
            threads,
            early: BTreeMap::new(),
            sent: 0,
            taken: 0,
        }
    }

    /// Whether another batch would keep a thread busy.
    pub(super) fn wants_more(&self) -> bool {
        self.sent - self.taken < self.most_under_way
    }

    pub(super) fn send(&mut self, batch: Vec<Claimed>) {
        if let Some(jobs) = &self.jobs {
            // should every thread have ended, `take` says so
            let _ = jobs.send((self.sent, batch));
        }
        self.sent += 1;
    }

    /// The next batch in order, waited for; none when all were taken.
    ///
    /// # Errors
    /// That a thread panicked.
    pub(super) fn take(&mut self) -> Result<Option<Vec<Checked>>, &'static str> {
        if self.taken == self.sent {
            return Ok(None);
        }
        loop {
            if let Some(batch) = self.early.remove(&self.taken) {
                self.taken += 1;
                return Ok(Some(batch));
            }
            let Ok((number, Some(batch))) = self.answers.recv() else {
                return Err("a verifying thread panicked");
            };
            self.early.insert(number, batch);
        }
    }

    /// Lets the threads end; one that panicked has been told of.
    pub(super) fn stop(mut self) {
        self.jobs = None;
        for thread in self.threads.drain(..) {
            drop(thread.join());
        }
    }
}

/// Sends its batch, also when the thread panics over it: then without content.
struct Answer<'a> {
    number: u64,
    batch: Option<Vec<Checked>>,
    sender: &'a Sender<(u64, Option<Vec<Checked>>)>,
}

impl Drop for Answer<'_> {
    fn drop(&mut self) {
        // the audit may have ended over an earlier record
        let _ = self.sender.send((self.number, self.batch.take()));
    }
}

fn work(
    queue: &Mutex<Option<Receiver<Batch<Claimed>>>>,
    sender: &Sender<(u64, Option<Vec<Checked>>)>,
) {
    loop {
        let waiting = queue.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(Ok((number, batch))) = waiting.as_ref().map(Receiver::recv) else {
            return;
        };
        drop(waiting);
        let mut answer = Answer {
            number,
            batch: None,
            sender,
        };
        answer.batch = Some(batch.into_iter().map(check).collect());
    }
}

fn check(claimed: Claimed) -> Checked {
    let Claimed { row, key } = claimed;
    let (index, leaf) = (row.index, leaf_hash(&row.entry));
    let persons = row.persons.iter().map(|(position, _)| *position).collect();
    let (mut hash, nodes) = (None, row.nodes);
    let outcome = sound(
        &row.entry,
        row.trade.as_deref(),
        row.request.as_deref(),
        index,
        key.as_ref(),
        &mut hash,
    );
    let outcome = outcome.map_err(|(rule, why)| {
        Box::new(Damage {
            index: Some(index),
            hash,
            rule,
            why,
        })
    });
    Checked {
        index,
        leaf,
        nodes,
        hash,
        outcome,
        persons,
    }
}

fn sound(
    entry: &[u8],
    trade: Option<&[u8]>,
    request: Option<&[u8]>,
    index: u64,
    key: Option<&Key>,
    hash: &mut Option<Hash>,
) -> Result<Sound, (Option<Rule>, String)> {
    let of_rule = |invalid: crate::error::Invalid| (Some(invalid.rule), invalid.what);
    let entry = Entry::decode(entry).map_err(of_rule)?;
    *hash = Some(entry.signed.hash());
    let Some(key) = key else {
        let why = format!(
            "key {} is enrolled by no earlier record",
            entry.signed.statement().key
        );
        return Err((Some(Rule::KeyUnknown), why));
    };
    let record = entry.signed.verify(key).map_err(|error| match error {
        Unverified::Form(invalid) => of_rule(invalid),
        Unverified::Evidence(error @ Verify::Signature { .. }) => {
            (Some(Rule::Signature), error.to_string())
        }
        Unverified::Evidence(error) => (None, error.to_string()),
    })?;
    let beside = |error: crate::error::Store| (None, error.to_string());
    let trade = trade.map(|bytes| log::decode("annex", index, bytes));
    let request = request.map(|bytes| log::decode("request", index, bytes));
    Ok(Sound {
        record,
        admitted_ms: entry.admitted_ms,
        trade: trade.transpose().map_err(beside)?,
        request: request.transpose().map_err(beside)?,
    })
}
