//! The office: everything that answering a request takes, in one place.
//!
//! `serve`, the demo and the tests make one and hand it to
//! [`router`](super::router). It decides nothing about records; it keeps the
//! ledger, the tokens, the log of look-ups and the clock together.

use std::{
    fmt,
    sync::{Arc, OnceLock},
};

use tokio::sync::oneshot;
use trace_core::{
    error::{Invalid, Rule, Store},
    ident::{CivilDate, LEDGER_OFFSET_MINUTES},
    ledger::{
        Failed, Ledger, View,
        documents::Documents,
        invitations::Invitations,
        job::Job,
        lookup::{Audience, Lookup},
        lookups::{self, Lookups},
        opening::Files,
        readings::Readings,
        tokens::{TokenGrant, Tokens},
        vault::VaultReader,
        writer::{Answered, Clock},
    },
    proof::{anchor::Anchor, note::NoteSigner},
    record::rights::Registry,
};

use super::{complaints::ComplaintDesk, labels::LabelDesk, pace::Pace, scans::ScanDesk};
use crate::{
    home::leaf0,
    loggers::shelf::Shelf,
    metrics::Figure,
    problem::{Problem, Refusal},
};

/// The ledger, as far as it can be used.
pub enum Book {
    /// It reads and writes.
    Writing(Ledger),
    /// It reads; what was shown before can still be looked up and checked.
    Reading(Reading),
}

/// A ledger that opened for reading only.
pub struct Reading {
    /// What can be read.
    pub view: Arc<View>,
    /// Signs what the ledger states of what it shows.
    pub signer: Arc<NoteSigner>,
    /// Why it does not write, and what would mend it.
    pub why: String,
    /// No person is shown: the log may be older than an erasure.
    vault: VaultReader,
    /// Open as long as this is read.
    _files: Option<Box<Files>>,
}

impl Reading {
    /// A ledger that shows this moment and takes nothing.
    #[must_use]
    pub fn new(view: Arc<View>, signer: Arc<NoteSigner>, why: String) -> Self {
        Self {
            view,
            signer,
            why,
            vault: VaultReader::default(),
            _files: None,
        }
    }

    /// The same over files that nobody else holds open.
    #[must_use]
    pub fn over(self, files: Box<Files>) -> Self {
        Self {
            _files: Some(files),
            ..self
        }
    }
}

/// Everything that answering takes.
pub struct Office {
    /// The ledger.
    pub book: Book,
    /// Who may ask for what.
    pub tokens: Tokens,
    /// Who read in full.
    pub lookups: Lookups,
    /// What time it is.
    pub clock: Clock,
    /// How readers reach this server, without a slash at the end.
    pub public_url: String,
    /// Documents beside the log, where they are kept.
    pub documents: Option<Documents>,
    /// Readings beside the log, where they are kept.
    pub readings: Option<Readings>,
    /// What stands where in the files of loggers, where that is kept.
    pub mappings: Option<Shelf>,
    /// Takes complaints, where an operator records them.
    pub complaints: Option<Arc<ComplaintDesk>>,
    /// Invitations of those who have no token yet, where they are kept.
    pub invitations: Option<Invitations>,
    /// Counts scans, where that is wanted.
    pub scans: Option<Arc<ScanDesk>>,
    /// How often what can be guessed is listed.
    pub pace: Pace,
    /// Draws labels.
    pub labels: Arc<LabelDesk>,
    anchor: OnceLock<Anchor>,
}

impl Office {
    /// An office of these parts.
    #[must_use]
    pub fn new(
        book: Book,
        tokens: Tokens,
        lookups: Lookups,
        clock: Clock,
        public_url: String,
    ) -> Self {
        Self {
            book,
            tokens,
            lookups,
            clock,
            public_url,
            documents: None,
            readings: None,
            mappings: None,
            complaints: None,
            invitations: None,
            scans: None,
            pace: Pace::default(),
            labels: Arc::new(LabelDesk::new(None)),
            anchor: OnceLock::new(),
        }
    }

    /// The same, drawing labels so.
    #[must_use]
    pub fn labelling(self, labels: LabelDesk) -> Self {
        Self {
            labels: Arc::new(labels),
            ..self
        }
    }

    /// The same, keeping documents.
    #[must_use]
    pub fn keeping(self, documents: Documents) -> Self {
        Self {
            documents: Some(documents),
            ..self
        }
    }

    /// The same, keeping readings.
    #[must_use]
    pub fn reading(self, readings: Readings) -> Self {
        Self {
            readings: Some(readings),
            ..self
        }
    }

    /// The same, reading files of loggers by what was saved of them.
    #[must_use]
    pub fn mapping(self, mappings: Shelf) -> Self {
        Self {
            mappings: Some(mappings),
            ..self
        }
    }

    /// The same, taking complaints.
    #[must_use]
    pub fn hearing(self, complaints: ComplaintDesk) -> Self {
        Self {
            complaints: Some(Arc::new(complaints)),
            ..self
        }
    }

    /// The same, inviting.
    #[must_use]
    pub fn inviting(self, invitations: Invitations) -> Self {
        Self {
            invitations: Some(invitations),
            ..self
        }
    }

    /// The same, counting scans.
    #[must_use]
    pub fn counting(self, scans: ScanDesk) -> Self {
        Self {
            scans: Some(Arc::new(scans)),
            ..self
        }
    }

    /// The last published moment.
    #[must_use]
    pub fn view(&self) -> Arc<View> {
        match &self.book {
            Book::Writing(ledger) => ledger.view(),
            Book::Reading(reading) => Arc::clone(&reading.view),
        }
    }

    /// The same, of a log that can be read: of any other nobody knows whose a thing
    /// is, whatever is in memory still.
    ///
    /// # Errors
    /// [`Store`].
    pub fn readable(&self) -> Result<Arc<View>, Failed> {
        let view = self.view();
        view.entry(0)?;
        Ok(view)
    }

    /// For opening personal sections.
    #[must_use]
    pub fn vault(&self) -> &VaultReader {
        match &self.book {
            Book::Writing(ledger) => ledger.vault(),
            Book::Reading(reading) => &reading.vault,
        }
    }

    /// Signs what the ledger states.
    #[must_use]
    pub fn signer(&self) -> &NoteSigner {
        match &self.book {
            Book::Writing(ledger) => ledger.signer(),
            Book::Reading(reading) => &reading.signer,
        }
    }

    /// The ledger, to write to.
    ///
    /// # Errors
    /// [`Refusal::ReadOnly`], with what the operator can do.
    pub fn writer(&self) -> Result<&Ledger, Problem> {
        match &self.book {
            Book::Writing(ledger) => Ok(ledger),
            Book::Reading(reading) => {
                Err(Problem::new(Refusal::ReadOnly).detail(reading.why.clone()))
            }
        }
    }

    /// Milliseconds since the epoch.
    #[must_use]
    pub fn now_ms(&self) -> u64 {
        (self.clock)()
    }

    /// The civil date at the ledger's offset.
    ///
    /// # Errors
    /// [`Rule::Date`] when the clock is beyond the calendar; [`Store`].
    pub fn today(&self, view: &View) -> Result<CivilDate, Failed> {
        let offset_minutes = civil_offset_minutes(view)?;
        Ok(CivilDate::from_ms(self.now_ms(), offset_minutes)?)
    }

    /// Answers questions about one moment.
    ///
    /// # Errors
    /// As of [`Lookup::new`].
    pub fn lookup<'a>(&'a self, view: &'a View, audience: Audience) -> Result<Lookup<'a>, Failed> {
        let lookup = Lookup::new(view, self.vault(), audience, self.now_ms())?;
        Ok(lookup.with_readings(self.readings.as_ref()))
    }

    /// The trust anchor of readers.
    ///
    /// # Errors
    /// [`Rule::NotOpen`] before the first record; [`Store`].
    pub fn anchor(&self) -> Result<&Anchor, Failed> {
        if let Some(anchor) = self.anchor.get() {
            return Ok(anchor);
        }
        let view = self.view();
        if view.size() == 0 {
            return Err(Invalid::new(Rule::NotOpen, "no first record yet").into());
        }
        let anchor = Anchor {
            ledger_key: self.signer().verifier_key().clone(),
            leaf0: leaf0(&view)?,
        };
        Ok(self.anchor.get_or_init(|| anchor))
    }

    /// Hands a job to the writer and waits, without holding a thread. Whoever
    /// stops waiting changes nothing: what was handed over is admitted.
    ///
    /// # Errors
    /// As of [`writer`](Self::writer); [`Rule::Busy`]; a writer that has ended
    /// is [`Refusal::ReadOnly`].
    pub async fn submit(&self, job: Job) -> Result<Answered, Problem> {
        let (sender, receiver) = oneshot::channel();
        self.writer()?.submit(
            job,
            Box::new(move |answer| {
                // A client that has gone needs no answer.
                let _ = sender.send(answer);
            }),
        )?;
        receiver.await.map_err(|_| {
            Problem::new(Refusal::ReadOnly).detail("the writer has ended; the operator must act")
        })
    }

    /// Logs that something was read in full; the answer may leave when this
    /// returns.
    ///
    /// # Errors
    /// [`Rule::Text`] for a purpose that is no plain text; when the line is not
    /// durable, nothing may be shown.
    pub async fn log_lookup(
        &self,
        token: &TokenGrant,
        looked_up: String,
        purpose: Option<String>,
    ) -> Result<(), Problem> {
        let line = lookups::Lookup {
            at_ms: self.now_ms(),
            token: token.id,
            entity: token.grant.entity,
            looked_up,
            purpose,
        };
        let (sender, receiver) = oneshot::channel();
        self.lookups.append(
            line,
            Box::new(move |logged| {
                // A client that has gone needs no answer.
                let _ = sender.send(logged);
            }),
        )?;
        let logged = receiver.await.unwrap_or_else(|_| {
            Err(Store::ReadOnly {
                why: "the log of look-ups was closed".into(),
            })
        });
        logged.map(|_| ()).map_err(|error| {
            tracing::error!(%error, "a look-up could not be logged");
            Problem::new(Refusal::Failed)
        })
    }

    /// What an operator watches.
    #[must_use]
    pub fn figures(&self) -> Vec<Figure> {
        let view = self.view();
        let number = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
        let overlay = u64::try_from(view.overlay_bytes()).unwrap_or(u64::MAX);
        let writes = u64::from(matches!(self.book, Book::Writing(_)));
        let figure = |name, meaning, value| Figure {
            name,
            meaning,
            value: number(value),
        };
        vec![
            figure("ledger_size", "Entries in the log", view.size()),
            figure(
                "ledger_checkpoint_size",
                "Entries under the last signed checkpoint",
                view.checkpoint().size(),
            ),
            figure(
                "ledger_overlay_bytes",
                "Derived rows in memory, not merged yet",
                overlay,
            ),
            figure("ledger_writes", "1 where the ledger takes records", writes),
            figure("lookups", "Full look-ups logged", self.lookups.head().count),
        ]
    }
}

/// Minutes east of UTC of the ledger's civil time.
///
/// # Errors
/// [`Store`].
pub fn civil_offset_minutes(view: &View) -> Result<i32, Failed> {
    let policy = view.folded().policy()?;
    Ok(policy.map_or(LEDGER_OFFSET_MINUTES, |policy| {
        i32::from(policy.civil_offset_minutes)
    }))
}

/// Does work that takes a while where nobody waits for the thread.
///
/// # Errors
/// [`Refusal::Failed`] when it panicked.
pub async fn beside<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Problem> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|_| Problem::new(Refusal::Failed))
}

impl fmt::Debug for Office {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Office")
            .field("public_url", &self.public_url)
            .finish_non_exhaustive()
    }
}
