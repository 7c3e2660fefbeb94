//! Alerts sent to receivers: when one begins and when it ends, each receiver is
//! told with a signed `POST` until it has answered 2xx.
//!
//! Receivers stand in the operator's settings and nowhere else, so that no client
//! can make this server call anything; redirects are not followed. What was told
//! and what waits is in a file that is durable before anything is sent: after a
//! restart nothing is forgotten, and a receiver may be told twice, never not at
//! all. It runs in a thread of its own, beside the writer and never before it.
//!
//! # To verify a message
//!
//! It is signed as RFC 9421 has it, by the ledger's key: `keyid` is the verifier key
//! of the anchor. A receiver checks `Content-Digest` against the content, the
//! signature against the components that `Signature-Input` lists, that `@target-uri`
//! is its own address, that `created` is at most five minutes old, and that it has
//! not taken the id of `Trace-Event` before. A message that is sent again has the
//! same id and content and a new time.

mod outbox;
mod receiver;

pub use outbox::{Outbox, Waiting};
pub use receiver::{Receiver, Receivers};

use std::{
    io,
    path::Path,
    sync::{Arc, mpsc},
    thread::JoinHandle,
    time::Duration,
};

use trace_core::{
    error::Store,
    ident::format_ms,
    ledger::alerts::{Alert, alerts},
    proof::http_signature::{EVENT_FIELD, Message, sign},
};
use ureq::{Agent, http::header};

use crate::{
    api::{
        Office,
        alerts::{AlertLine, now},
    },
    problem::Problem,
};

const MEDIA_TYPE: &str = "application/json";

/// Alerts derived at a time.
const PAGE: usize = 1_000;

/// How alerts are sent.
#[derive(Debug, Clone)]
pub struct AlertSettings {
    /// To whom.
    pub receivers: Receivers,
    /// How often alerts are derived.
    pub interval: Duration,
    /// The longest that a receiver may take to answer.
    pub answer_time: Duration,
}

/// Derives alerts and sends what changed.
pub struct Alerting {
    office: Arc<Office>,
    receivers: Receivers,
    agent: Agent,
    outbox: Outbox,
}

/// The thread in which that happens; ends when this is dropped.
#[derive(Debug)]
pub struct Running {
    stop: Option<mpsc::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Alerting {
    /// Opens the file of what was told, which is made where there is none.
    ///
    /// # Errors
    /// [`Store`].
    pub fn open(office: Arc<Office>, settings: &AlertSettings, path: &Path) -> Result<Self, Store> {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(None)
            .timeout_global(Some(settings.answer_time))
            .user_agent(concat!("trace/", env!("CARGO_PKG_VERSION")))
            .build();
        Ok(Self {
            office,
            receivers: settings.receivers.clone(),
            agent: config.into(),
            outbox: Outbox::open(path, &settings.receivers)?,
        })
    }

    /// Derives alerts, notes what began and ended, and sends what is due.
    ///
    /// # Errors
    /// [`Problem`] where alerts cannot be derived; [`Store`] as a problem where the
    /// file cannot be written. What a receiver does is no error.
    pub fn round(&mut self) -> Result<(), Problem> {
        let (view, readings) = (self.office.view(), self.office.readings.clone());
        let Some(readings) = readings else {
            return Ok(());
        };
        let now = now(&self.office, &view)?;
        let (mut on, mut after) = (Vec::<Alert>::new(), None);
        loop {
            let page = alerts(&view, &readings, now, after, PAGE, |_| {
                Ok::<_, Problem>(true)
            })?;
            on.extend(page.alerts);
            after = page.next_after;
            if after.is_none() {
                break;
            }
        }
        let at = format_ms(now.ms, now.offset_minutes);
        let ledger = self.office.signer().verifier_key().name().to_owned();
        let body = |id: &str, happening: &str, alert: &Alert| {
            let alert = AlertLine::of(alert.clone(), now.offset_minutes);
            serde_json::json!({
                "event": id, "happening": happening, "at": at, "ledger": ledger, "alert": alert,
            })
            .to_string()
        };
        self.outbox.note(&self.receivers, on, now.ms, body)?;
        self.send_due(now.ms)
    }

    /// To each receiver in order, until it fails.
    fn send_due(&mut self, now_ms: u64) -> Result<(), Problem> {
        for receiver in self.receivers.clone().iter() {
            while let Some(waiting) = self.outbox.due(receiver, now_ms) {
                let outcome = self.send(receiver, &waiting, now_ms);
                if let Err(why) = &outcome {
                    tracing::warn!(%receiver, event = waiting.id, why, "a receiver did not take an alert");
                }
                self.outbox
                    .settle(receiver, &waiting.id, outcome.is_ok(), now_ms)?;
                if outcome.is_err() {
                    break;
                }
            }
        }
        Ok(())
    }

    fn send(&self, receiver: &Receiver, waiting: &Waiting, now_ms: u64) -> Result<(), String> {
        let fields = sign(
            self.office.signer(),
            &Message {
                target_uri: receiver.address(),
                content_type: MEDIA_TYPE,
                event: &waiting.id,
                content: waiting.body.as_bytes(),
                created_s: now_ms / 1_000,
            },
        );
        let request = self
            .agent
            .post(receiver.address())
            .header(header::CONTENT_TYPE, MEDIA_TYPE)
            .header(EVENT_FIELD, &waiting.id)
            .header("content-digest", &fields.content_digest)
            .header("signature-input", &fields.signature_input)
            .header("signature", &fields.signature);
        let answer = request.send(waiting.body.as_bytes());
        let status = answer.map_err(|error| error.to_string())?.status();
        match status.is_success() {
            true => Ok(()),
            false => Err(format!("it answered {status}")),
        }
    }

    /// Does so again and again in a thread of its own.
    ///
    /// # Errors
    /// From the system, when there is no thread.
    pub fn start(mut self, interval: Duration) -> io::Result<Running> {
        let (stop, stopped) = mpsc::channel::<()>();
        let thread = std::thread::Builder::new().name("alerts".into());
        let thread = thread.spawn(move || {
            loop {
                if let Err(problem) = self.round() {
                    let code = problem.code();
                    tracing::error!(code, "alerts could not be derived");
                }
                match stopped.recv_timeout(interval) {
                    Err(mpsc::RecvTimeoutError::Timeout) => {}
                    Ok(()) | Err(mpsc::RecvTimeoutError::Disconnected) => return,
                }
            }
        })?;
        Ok(Running {
            stop: Some(stop),
            thread: Some(thread),
        })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A receiver is waited for no longer than its time.
            let _ = thread.join();
        }
    }
}
