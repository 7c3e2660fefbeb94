//! The writer's thread: takes what has queued and commits it as one group, so
//! that callers share the disk's syncs; a lone call waits for nobody.
//!
//! Whatever ends the writer, nobody waits afterwards: every call that is queued
//! or comes later is answered with the failure.

use super::joining::Taken;
use super::taking::{Call, fits, take};
use super::{Readings, Settings, Shelves};
use crate::error::{Invalid, Rule, Store};
use crate::ident::EquipmentId;
use crate::record::readings::READINGS_MAX;
use crate::record::temperature::Reading;
use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

/// Takes what became of a call; dropped without a call only when the writer
/// panicked.
pub type Reply = Box<dyn FnOnce(Result<Taken, Store>) + Send>;

/// Most readings in one group: two of the largest calls. A group takes 24 bytes a
/// reading while it is planned.
const GROUP_READINGS_MAX: usize = 2 * READINGS_MAX;

/// What a call costs beside its readings, in readings: so that a flood of tiny
/// calls is bounded too. A call of one reading takes about 200 bytes.
const CALL_COST: usize = 16;

/// The store with its thread.
pub(super) struct Running {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

struct Shared {
    shelves: Shelves,
    waiting_max: usize,
    queue: Mutex<Queue>,
    stirred: Condvar,
}

#[derive(Default)]
struct Queue {
    calls: VecDeque<(Call, Reply)>,
    /// The cost of the calls here and of those being written.
    cost: usize,
    ending: bool,
    ended: bool,
}

pub(super) fn start(shelves: Shelves, settings: Settings) -> Result<Readings, Store> {
    let shared = Arc::new(Shared {
        shelves,
        waiting_max: settings.waiting_readings_max,
        queue: Mutex::default(),
        stirred: Condvar::new(),
    });
    let thread = std::thread::Builder::new().name("readings".into()).spawn({
        let shared = Arc::clone(&shared);
        move || shared.run()
    });
    let thread = thread.map_err(|error| Store::Engine {
        what: "start the thread of readings",
        why: error.to_string(),
    })?;
    let thread = Mutex::new(Some(thread));
    Ok(Readings(Arc::new(Running { shared, thread })))
}

pub(super) fn ended() -> Store {
    Store::ReadOnly {
        why: "the writer of readings has ended; open them again".into(),
    }
}

impl Running {
    pub(super) fn shelves(&self) -> &Shelves {
        &self.shared.shelves
    }

    pub(super) fn append_then(
        &self,
        batch: Vec<(EquipmentId, Vec<Reading>)>,
        latest_ms: u64,
        reply: Reply,
    ) -> Result<(), Invalid> {
        let cost = fits(&batch)? + CALL_COST + batch.len();
        // Refused before it is sorted, which is the dear part.
        self.shared.reserve(cost)?;
        let call = match take(batch, latest_ms) {
            Ok(call) => call,
            Err(refused) => {
                lock(&self.shared.queue).cost -= cost;
                return Err(refused);
            }
        };
        let mut queue = lock(&self.shared.queue);
        // What the call turned out not to need.
        queue.cost -= cost;
        if queue.ended {
            drop(queue);
            reply(Err(ended()));
            return Ok(());
        }
        queue.cost += call.cost();
        queue.calls.push_back((call, reply));
        drop(queue);
        self.shared.stirred.notify_one();
        Ok(())
    }

    pub(super) fn stop(&self) {
        lock(&self.shared.queue).ending = true;
        self.shared.stirred.notify_one();
        match lock(&self.thread).take() {
            // The last holder may be what a reply held.
            Some(thread) if thread.thread().id() != std::thread::current().id() => {
                // A panic there has ended every call's wait already.
                drop(thread.join());
            }
            _ => {}
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Call {
    fn cost(&self) -> usize {
        self.count + CALL_COST + self.probes.len()
    }
}

impl Shared {
    fn reserve(&self, cost: usize) -> Result<(), Invalid> {
        let mut queue = lock(&self.queue);
        // A call that alone is more than may wait goes when nothing does.
        if queue.cost > 0 && queue.cost + cost > self.waiting_max {
            let what = format!("about {} readings wait for the disk", queue.cost);
            return Err(Invalid::new(Rule::Busy, what));
        }
        queue.cost += cost;
        Ok(())
    }

    fn run(&self) {
        let _ended = Ended(self);
        loop {
            let queue = lock(&self.queue);
            let waited = self
                .stirred
                .wait_while(queue, |queue| queue.calls.is_empty() && !queue.ending);
            let mut queue = waited.unwrap_or_else(PoisonError::into_inner);
            if queue.calls.is_empty() {
                return;
            }
            let (mut calls, mut replies, mut count) = (Vec::new(), Vec::new(), 0);
            while let Some((call, reply)) = queue
                .calls
                .pop_front_if(|(call, _)| count == 0 || count + call.cost() <= GROUP_READINGS_MAX)
            {
                count += call.cost();
                calls.push(call);
                replies.push(reply);
            }
            drop(queue);
            let outcome = self.shelves.commit(calls);
            lock(&self.queue).cost -= count;
            match outcome {
                Ok(taken) => {
                    for (reply, taken) in replies.into_iter().zip(taken) {
                        reply(Ok(taken));
                    }
                }
                Err(error) => {
                    let why = format!("readings could not be stored ({error})");
                    for reply in replies {
                        reply(Err(Store::ReadOnly { why: why.clone() }));
                    }
                    return; // nothing may go on behind a failed write
                }
            }
        }
    }
}

/// However the thread ends, nobody waits for it afterwards.
struct Ended<'a>(&'a Shared);

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        let mut queue = lock(&self.0.queue);
        queue.ended = true;
        let waiting = std::mem::take(&mut queue.calls);
        drop(queue);
        for (_, reply) in waiting {
            reply(Err(ended()));
        }
    }
}

/// What a panic left behind is whole: every change under a lock is one step.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
