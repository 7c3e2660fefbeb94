//! The writers: take what has queued and commit it as one group, so that callers
//! share the disk's syncs; a lone call waits for nobody.
//!
//! There are two of them, so that one group is joined and compressed while the
//! other waits for the disk. A group is planned from what is committed, so the
//! two must never touch the same probe: a call waits until none of its probes is
//! being written.
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
use std::collections::{HashSet, VecDeque};
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

/// One at the disk, one at the processor.
const WRITERS: usize = 2;

/// The store with its threads.
pub(super) struct Running {
    shared: Arc<Shared>,
    threads: Mutex<Vec<JoinHandle<()>>>,
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
    /// The probes that are being written.
    busy: HashSet<EquipmentId>,
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
    let running = Running {
        shared,
        threads: Mutex::default(),
    };
    for number in 0..WRITERS {
        let shared = Arc::clone(&running.shared);
        let thread = std::thread::Builder::new().name(format!("readings {number}"));
        let thread = thread
            .spawn(move || shared.run())
            .map_err(|error| Store::Engine {
                what: "start a thread of readings",
                why: error.to_string(),
            })?;
        lock(&running.threads).push(thread);
    }
    Ok(Readings(Arc::new(running)))
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
        self.shared.stirred.notify_all();
        let threads = std::mem::take(&mut *lock(&self.threads));
        let own = std::thread::current().id();
        // The last holder may be what a reply held: a thread cannot wait for itself.
        for thread in threads.into_iter().filter(|it| it.thread().id() != own) {
            // A panic there has ended every call's wait already.
            drop(thread.join());
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

    fn is_any_of(&self, busy: &HashSet<EquipmentId>) -> bool {
        !busy.is_empty() && self.probes.iter().any(|(probe, _)| busy.contains(probe))
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
        while let Some(group) = self.next_group() {
            let outcome = self.shelves.commit(group.calls);
            let mut queue = lock(&self.queue);
            queue.cost -= group.cost;
            for probe in &group.probes {
                queue.busy.remove(probe);
            }
            drop(queue);
            self.stirred.notify_all();
            match outcome {
                Ok(taken) => {
                    for (reply, taken) in group.replies.into_iter().zip(taken) {
                        reply(Ok(taken));
                    }
                }
                Err(error) => {
                    let why = format!("readings could not be stored ({error})");
                    for reply in group.replies {
                        reply(Err(Store::ReadOnly { why: why.clone() }));
                    }
                    return; // nothing may go on behind a failed write
                }
            }
        }
    }

    /// What is to be written next, once there is something; `None` at the end.
    fn next_group(&self) -> Option<Group> {
        let waits = |queue: &mut Queue| match queue.calls.front() {
            _ if queue.ended => false,
            Some((call, _)) => call.is_any_of(&queue.busy),
            None => !queue.ending,
        };
        let queue = self.stirred.wait_while(lock(&self.queue), waits);
        let mut queue = queue.unwrap_or_else(PoisonError::into_inner);
        let queue = &mut *queue;
        let mut group = Group::default();
        while let Some((call, reply)) = queue.calls.pop_front_if(|(call, _)| {
            let fits = group.cost == 0 || group.cost + call.cost() <= GROUP_READINGS_MAX;
            fits && !call.is_any_of(&queue.busy)
        }) {
            group.cost += call.cost();
            group
                .probes
                .extend(call.probes.iter().map(|(probe, _)| *probe));
            group.calls.push(call);
            group.replies.push(reply);
        }
        queue.busy.extend(&group.probes);
        (!group.calls.is_empty()).then_some(group)
    }
}

/// Calls that are committed together.
#[derive(Default)]
struct Group {
    calls: Vec<Call>,
    replies: Vec<Reply>,
    probes: Vec<EquipmentId>,
    cost: usize,
}

/// However a writer ends, both do, and nobody waits for them afterwards: it ends
/// when all is written, or when nothing more can be.
struct Ended<'a>(&'a Shared);

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        let mut queue = lock(&self.0.queue);
        queue.ended = true;
        let waiting = std::mem::take(&mut queue.calls);
        drop(queue);
        self.0.stirred.notify_all();
        for (_, reply) in waiting {
            reply(Err(ended()));
        }
    }
}

/// What a panic left behind is whole: every change under a lock is one step.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
