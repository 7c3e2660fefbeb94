//! What receivers have been told and what they are still to be told, in one small
//! file that is replaced whole, durable before anything is sent.
//!
//! Not a log: an event goes when its receiver has taken it. If the file is lost,
//! every alert that is on begins anew for its receivers.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use trace_core::{
    error::Store,
    ledger::alerts::Alert,
    record::Hash,
    store::{
        disk::{Access, RealDisk},
        files,
    },
};

use super::{Receiver, Receivers};
use crate::machine;

/// Most events that wait: half a kilobyte each, five megabytes. While there is no
/// room alerts are not noted; they are derived again later.
const WAITING_MAX: usize = 10_000;

/// After the first failure; twice as long after each further one.
const RETRY_MS: u64 = 5_000;

/// Never longer than this between two attempts.
const RETRY_MS_MAX: u64 = 3_600_000;

/// What nobody took for so long is given up: whoever comes back then asks what is
/// on now.
const GIVEN_UP_MS: u64 = 7 * 86_400_000;

/// What waits for one receiver.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Waiting {
    /// The event's id.
    pub id: String,
    /// The content to be sent.
    pub body: String,
    /// To whom.
    receiver: String,
    noted_ms: u64,
    attempts: u32,
    next_ms: u64,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct State {
    /// The alerts that are on, by probe and sort, as they began.
    on: BTreeMap<String, Alert>,
    /// In the order in which they are sent.
    waiting: Vec<Waiting>,
}

/// The file.
#[derive(Debug)]
pub struct Outbox {
    path: PathBuf,
    state: State,
}

impl Outbox {
    /// Opens the file; what waits for a receiver that is none any more is dropped.
    ///
    /// # Errors
    /// [`Store`], also when it is no such file.
    pub fn open(path: &Path, receivers: &Receivers) -> Result<Self, Store> {
        let mut state = match files::read(&RealDisk, path)? {
            None => State::default(),
            Some(bytes) => serde_json::from_slice::<State>(&bytes).map_err(|error| {
                let what = format!("{}: {error}", path.display());
                Store::Damaged { what }
            })?,
        };
        state
            .waiting
            .retain(|it| receivers.iter().any(|to| to.address() == it.receiver));
        Ok(Self {
            path: path.into(),
            state,
        })
    }

    /// Notes which alerts are on now: those that began and those that ended since
    /// are to be told.
    ///
    /// # Errors
    /// [`Store`].
    pub fn note(
        &mut self,
        receivers: &Receivers,
        on: Vec<Alert>,
        now_ms: u64,
        body: impl Fn(&str, &str, &Alert) -> String,
    ) -> Result<(), Store> {
        let on = on.into_iter().map(|alert| (key(&alert), alert));
        let on: BTreeMap<String, Alert> = on.collect();
        let mut events = Vec::new();
        for (key, alert) in &on {
            match self.state.on.get(key) {
                None => events.push(("began", alert)),
                Some(before) if before.acknowledged == alert.acknowledged => {}
                // What was acknowledged and is no longer is another of its sort.
                Some(_) if alert.acknowledged.is_none() => events.push(("began", alert)),
                Some(_) => events.push(("acknowledged", alert)),
            }
        }
        let ended = self.state.on.iter();
        events.extend(
            ended
                .filter(|(key, _)| !on.contains_key(*key))
                .map(|(_, alert)| ("ended", alert)),
        );
        let added = events.len() * receivers.iter().count();
        if events.is_empty() || self.state.waiting.len() + added > WAITING_MAX {
            return Ok(());
        }
        let mut waiting = Vec::with_capacity(added);
        for (happening, alert) in events {
            let id = Hash::from(machine::random::<32>()).to_string();
            let id = id.get(..32).unwrap_or(&id).to_owned();
            for receiver in receivers.iter() {
                waiting.push(Waiting {
                    body: body(&id, happening, alert),
                    id: id.clone(),
                    receiver: receiver.address().to_owned(),
                    noted_ms: now_ms,
                    attempts: 0,
                    next_ms: now_ms,
                });
            }
        }
        self.state.waiting.extend(waiting);
        self.state.on = on;
        self.save()
    }

    /// What a receiver is to be told first, once its time has come.
    #[must_use]
    pub fn due(&self, receiver: &Receiver, now_ms: u64) -> Option<Waiting> {
        let mut own = self.state.waiting.iter();
        let first = own.find(|it| it.receiver == receiver.address())?;
        (first.next_ms <= now_ms).then(|| first.clone())
    }

    /// A receiver took an event, or did not.
    ///
    /// # Errors
    /// [`Store`].
    pub fn settle(
        &mut self,
        receiver: &Receiver,
        id: &str,
        is_taken: bool,
        now_ms: u64,
    ) -> Result<(), Store> {
        self.state.waiting.retain_mut(|it| {
            if it.receiver != receiver.address() || it.id != id {
                return true;
            }
            let doubled = RETRY_MS.checked_shl(it.attempts.min(20));
            let wait_ms = doubled.unwrap_or(RETRY_MS_MAX).min(RETRY_MS_MAX);
            it.attempts = it.attempts.saturating_add(1);
            it.next_ms = now_ms.saturating_add(wait_ms);
            let is_old = now_ms.saturating_sub(it.noted_ms) > GIVEN_UP_MS;
            if is_old && !is_taken {
                tracing::error!(%receiver, event = id, "an alert was given up");
            }
            !is_taken && !is_old
        });
        self.save()
    }

    /// How many events wait.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.state.waiting.len()
    }

    fn save(&self) -> Result<(), Store> {
        let bytes = serde_json::to_vec(&self.state).map_err(|error| Store::Engine {
            what: "write what receivers of alerts were told",
            why: error.to_string(),
        })?;
        files::replace(&RealDisk, &self.path, &bytes, Access::Secret)
    }
}

fn key(alert: &Alert) -> String {
    format!("{} {:?}", alert.equipment, alert.sort)
}
