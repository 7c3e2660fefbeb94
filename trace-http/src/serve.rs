//! `trace serve`: opens a ledger and serves it until it is told to end.
//!
//! It opens and never makes one. A ledger that may only be read is served for
//! reading. When the writer can write no more the process ends at once with
//! [`WRITER_ENDED`]: what it would still answer could not be relied on.

use std::{io, net::SocketAddr, path::Path, process, sync::Arc, time::Duration};

use axum::Router;
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};
use trace_core::{
    error::Store,
    ident::EntityId,
    ledger::{
        self, Failed, Ledger, Opened, View,
        complaints::{COMPLAINTS_FILE, Complaints},
        documents::{DOCUMENTS, Documents},
        invitations::{INVITATIONS_FILE, Invitations},
        job::{Item, Job, Outcome},
        lookups::{Committing, Lookups},
        readings::{self, READINGS_FILE, Readings},
        scans::{SCANS_FILE, Scans},
        tokens::{Sharing, Tokens},
    },
    record::{kinds::lookups_sealed::LookupsSealed, section::Openings},
    rules::ColdFacts,
    store::{
        disk::{Disk, RealDisk},
        table::Check,
    },
};

use crate::{
    alerting::{self, AlertSettings, Alerting},
    api::{
        self, Book, Office, Reading,
        complaints::{ComplaintDesk, record_rest},
        labels::LabelDesk,
        scans::ScanDesk,
    },
    home::{ALERTS, Home, HomeError, LOOKUPS, TOKENS},
    loggers::shelf::{MAPPINGS, Shelf},
    machine,
    metrics::Metrics,
    mqtt::Standing,
    server::{Limits, Load, serve, signalled},
    settings::{KEY_VARIABLE, KeyError, ServeSettings},
};

/// The exit code when the writer can write no more (`EX_SOFTWARE`).
pub const WRITER_ENDED: i32 = 70;

/// How often what is due is done: retention ends on a day, an hour is soon
/// enough after midnight.
const CHORES_INTERVAL: Duration = Duration::from_secs(60 * 60);

/// How often counts of scans are written: a crash loses those since.
const SCANS_INTERVAL: Duration = Duration::from_secs(10);

/// Why a ledger is not served, or ended otherwise than well.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The key-encryption key is given wrongly.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The ledger's folder is not one, or cannot be opened.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// Not even reading is possible.
    #[error("the ledger cannot be read: {0}")]
    Unreadable(String),
    /// The machine could not.
    #[error("{what}: {source}")]
    Machine {
        /// What was being done.
        what: String,
        /// The system's own word.
        source: io::Error,
    },
}

impl From<Store> for ServeError {
    fn from(error: Store) -> Self {
        Self::Home(error.into())
    }
}

fn machine_could_not(what: &str) -> impl FnOnce(io::Error) -> ServeError + use<> {
    let what = what.to_owned();
    move |source| ServeError::Machine { what, source }
}

/// Opens the ledger in the settings' folder, with all that answering takes at
/// `public_url`. The folder is held as long as the [`Home`] lives.
///
/// # Errors
/// [`ServeError`]; a ledger is never made.
pub fn open(settings: &ServeSettings, public_url: String) -> Result<(Home, Office), ServeError> {
    let kek = settings
        .key_encryption_key(std::env::var_os(KEY_VARIABLE).as_deref())?
        .and_then(|key| key.kek());
    let (home, opened) = Home::open(&settings.data, kek, ledger_settings(settings))?;
    let clock = machine::clock();
    let book = match opened {
        Opened::Writable(sequencer) => {
            let ledger = Ledger::start(*sequencer, Arc::clone(&clock), end_process)?;
            if settings.confirm_clock {
                ledger.confirm_clock()?;
            }
            Book::Writing(ledger)
        }
        Opened::ReadOnly {
            view, why, files, ..
        } => {
            let view = view.ok_or_else(|| ServeError::Unreadable(why.clone()))?;
            tracing::error!(why, "the ledger is open for reading only");
            let reading = Reading::new(Arc::from(view), home.shared_signer(), why);
            Book::Reading(reading.over(files))
        }
    };
    let tokens = open_tokens(&home.folder().join(TOKENS))?;
    let lookups = open_lookups(&home.folder().join(LOOKUPS))?;
    let documents = Documents::open(Arc::new(RealDisk), &home.folder().join(DOCUMENTS))?;
    let view = match &book {
        Book::Writing(ledger) => ledger.view(),
        Book::Reading(reading) => Arc::clone(&reading.view),
    };
    let readings = open_readings(&home.folder().join(READINGS_FILE), &view)?;
    let office = Office::new(book, tokens, lookups, clock, public_url)
        .labelling(LabelDesk::new(settings.label_font.clone()))
        .keeping(documents)
        .reading(readings)
        .mapping(Shelf::new(&home.folder().join(MAPPINGS)));
    let scans = Scans::open(&home.folder().join(SCANS_FILE))?;
    let invitations = open_invitations(&home.folder().join(INVITATIONS_FILE))?;
    let office = office.inviting(invitations);
    let office = office.counting(ScanDesk::new(scans, settings.scan_place_header.clone()));
    let office = match settings.operator {
        Some(operator) => {
            let complaints = Complaints::open(&home.folder().join(COMPLAINTS_FILE))?;
            office.hearing(ComplaintDesk::new(complaints, operator))
        }
        None => office,
    };
    Ok((home, office))
}

/// Sends alerts from now on, where anybody is to be sent any.
fn alerting(
    settings: &ServeSettings,
    office: &Arc<Office>,
    path: &Path,
) -> Result<Option<alerting::Running>, ServeError> {
    let settings = AlertSettings {
        receivers: settings.alert_receivers.clone(),
        interval: settings.alert_interval_ms.0,
        answer_time: settings.alert_answer_time_ms.0,
    };
    if settings.receivers.is_empty() {
        return Ok(None);
    }
    let alerting = Alerting::open(Arc::clone(office), &settings, path)?;
    let running = alerting.start(settings.interval);
    running.map(Some).map_err(machine_could_not("alerts"))
}

/// The tokens of a ledger's folder; a file without tokens where there is none.
///
/// # Errors
/// [`Store`].
pub fn open_tokens(path: &Path) -> Result<Tokens, Store> {
    let disk: Arc<dyn Disk> = Arc::new(RealDisk);
    match path.exists() {
        true => Tokens::open(disk, path, Sharing::Locked),
        false => Tokens::create(disk, path, Sharing::Locked),
    }
}

/// The invitations of a ledger's folder; a file without any where there is none.
///
/// # Errors
/// [`Store`].
pub fn open_invitations(path: &Path) -> Result<Invitations, Store> {
    let disk: Arc<dyn Disk> = Arc::new(RealDisk);
    match path.exists() {
        true => Invitations::open(disk, path),
        false => Invitations::create(disk, path),
    }
}

/// The log of look-ups of a ledger's folder; an empty one where there is none.
///
/// # Errors
/// [`Store`].
pub fn open_lookups(path: &Path) -> Result<Lookups, Store> {
    let disk: Arc<dyn Disk> = Arc::new(RealDisk);
    match path.exists() {
        true => Lookups::open(disk, path, Committing::Thread),
        false => Lookups::create(disk, path, Committing::Thread),
    }
}

/// The readings of a ledger's folder; an empty store where there is none. What
/// was drafted when the server last ended is settled by what the ledger admitted.
///
/// # Errors
/// [`Store`].
pub fn open_readings(path: &Path, view: &View) -> Result<Readings, Store> {
    match path.exists() {
        true => readings_under(path, view),
        false => Readings::create(path, readings::Settings::default()),
    }
}

/// The readings that lie beside the log that `view` shows.
///
/// # Errors
/// [`Store`].
pub fn readings_under(path: &Path, view: &View) -> Result<Readings, Store> {
    Readings::open(
        path,
        readings::Settings::default(),
        Check::Quick,
        |probe| match view.folded().equipment(probe) {
            Ok(state) => Ok(state.map_or(0, |state| state.next_segment)),
            Err(Failed::Store(error)) => Err(error),
            Err(Failed::Invalid(why)) => Err(Store::Damaged {
                what: format!("equipment {probe}: {why}"),
            }),
        },
    )
}

fn ledger_settings(settings: &ServeSettings) -> ledger::Settings {
    ledger::Settings {
        cache_bytes: settings.cache_bytes,
        merge_threshold_bytes: settings.overlay_bytes,
        clock_jump_max_ms: settings.clock_jump_limit_ms,
        checkpoint_folder: settings.checkpoints.clone(),
        ..ledger::Settings::default()
    }
}

/// Called by the writer's thread when it can write no more.
fn end_process(why: String) {
    tracing::error!(why, "the writer ended; the process ends");
    process::exit(WRITER_ENDED);
}

/// Serves until SIGTERM or SIGINT, then finishes what was accepted and closes
/// the ledger.
///
/// # Errors
/// [`ServeError`].
pub fn run(settings: &ServeSettings) -> Result<(), ServeError> {
    run_behind(settings, Door::open(settings)?)
}

/// Where a ledger is going to be served: its address is taken already.
pub struct Door {
    runtime: tokio::runtime::Runtime,
    listener: TcpListener,
    address: SocketAddr,
}

impl Door {
    /// Takes the address of the settings; of port 0, one that is free.
    ///
    /// # Errors
    /// [`ServeError::Machine`] when it is taken.
    pub fn open(settings: &ServeSettings) -> Result<Self, ServeError> {
        let runtime = tokio::runtime::Runtime::new().map_err(machine_could_not("threads"))?;
        let listener = runtime
            .block_on(TcpListener::bind(settings.listen))
            .map_err(machine_could_not(&format!("listen on {}", settings.listen)))?;
        let address = listener
            .local_addr()
            .map_err(machine_could_not("address"))?;
        Ok(Self {
            runtime,
            listener,
            address,
        })
    }

    /// The address that was taken.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

/// The same, behind a door that is open already.
///
/// # Errors
/// [`ServeError`].
pub fn run_behind(settings: &ServeSettings, door: Door) -> Result<(), ServeError> {
    let Door {
        runtime,
        listener,
        address,
    } = door;
    let (home, office) = open(settings, settings.public_url(address))?;
    let office = Arc::new(office);
    let alerting = alerting(settings, &office, &home.folder().join(ALERTS))?;
    tracing::info!(%address, "listening");
    let served = runtime.block_on(until_signalled(settings, listener, Arc::clone(&office)));
    drop(alerting);
    if let Some(desk) = &office.scans
        && let Err(error) = desk.write()
    {
        tracing::error!(%error, "the last scans are not written");
    }
    // Readers may still hold the office; the writer closes the files itself.
    if let Book::Writing(ledger) = &office.book {
        seal_lookups(&office, settings.operator, &mut None);
        ledger.stop()?;
    }
    served
}

async fn until_signalled(
    settings: &ServeSettings,
    listener: TcpListener,
    office: Arc<Office>,
) -> Result<(), ServeError> {
    let stopping = signalled().map_err(machine_could_not("signals"))?;
    let load = Arc::new(Load::default());
    let metrics = Arc::new(Metrics::new(&load));
    // A ledger that only reads is ready for readers; one whose writer ended
    // is no process any more.
    let router = api::router(
        Arc::clone(&office),
        Arc::clone(&metrics),
        Arc::new(|| Ok(())),
    );
    let (stop, stopped) = watch::channel(());
    let limits = Limits {
        peer_header: settings.peer_header.clone(),
        ..Limits::from(&settings.limits).within(machine::descriptors())
    };
    let subscribed = subscribed(settings, &office, &metrics, router.clone(), stopped)?;
    let counting = tokio::spawn(write_scans(Arc::clone(&office)));
    let chores = tokio::spawn(do_chores(office, settings.operator));
    let served = serve(listener, router, limits, load, stopping).await;
    drop(stop);
    chores.abort();
    counting.abort();
    if let Some(subscribed) = subscribed
        && let Err(error) = subscribed.await
    {
        tracing::error!(%error, "the subscription to readings ended");
    }
    served.map_err(machine_could_not("stopping"))
}

/// Takes readings from a broker until `stopped` is, where there is to be one.
fn subscribed(
    settings: &ServeSettings,
    office: &Office,
    metrics: &Metrics,
    router: Router,
    mut stopped: watch::Receiver<()>,
) -> Result<Option<JoinHandle<()>>, ServeError> {
    let origin = office.signer().verifier_key().name();
    let answer_time = settings.limits.answer_time_ms.0;
    let subscription = settings.mqtt.subscription(origin, answer_time);
    let Some(subscription) = subscription.map_err(machine_could_not("password of MQTT"))? else {
        return Ok(None);
    };
    let standing = Arc::new(Standing::default());
    let seen = Arc::clone(&standing);
    metrics.add_figures(move || seen.figures());
    // Nothing is ever sent: the sender is dropped.
    let stopping = async move { drop(stopped.changed().await) };
    Ok(Some(tokio::spawn(
        subscription.run(router, standing, stopping),
    )))
}

/// Every hour: destroys what is due to be destroyed, and records on the ledger
/// how far the log of look-ups reaches and the complaints that it does not have.
async fn do_chores(office: Arc<Office>, operator: Option<EntityId>) {
    let mut interval = tokio::time::interval(CHORES_INTERVAL);
    let mut sealed = None;
    loop {
        interval.tick().await;
        record_rest(&office).await;
        let keeper = Arc::clone(&office);
        let done = tokio::task::spawn_blocking(move || {
            sweep_persons(&keeper);
            seal_lookups(&keeper, operator, &mut sealed);
            sealed
        });
        match done.await {
            Ok(now_sealed) => sealed = now_sealed,
            Err(_) => return,
        }
    }
}

/// Writes what was counted of scans, again and again.
async fn write_scans(office: Arc<Office>) {
    let mut interval = tokio::time::interval(SCANS_INTERVAL);
    while let Some(desk) = office.scans.clone() {
        interval.tick().await;
        match tokio::task::spawn_blocking(move || desk.write()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::error!(%error, "scans are not written"),
            Err(_) => return,
        }
    }
}

fn sweep_persons(office: &Office) {
    let Book::Writing(ledger) = &office.book else {
        return;
    };
    let swept = office.today(&ledger.view()).map(|today| {
        // A writer that ended ends the process by itself.
        let _ = ledger.sweep_persons(today.days());
    });
    if let Err(error) = swept {
        tracing::error!(%error, "persons whose retention ended were not swept");
    }
}

/// Records the head of the log of look-ups when it has moved, signed with the
/// operator's hosted key; `sealed` is how many look-ups the last one covered.
fn seal_lookups(office: &Office, operator: Option<EntityId>, sealed: &mut Option<u64>) {
    let head = office.lookups.head();
    let (Some(entity), Book::Writing(ledger)) = (operator, &office.book) else {
        return;
    };
    if head.count == 0 || *sealed == Some(head.count) {
        return;
    }
    let body = LookupsSealed {
        count: head.count,
        head: head.hash,
    };
    let job = Job {
        items: vec![Item::Hosted {
            entity,
            body: Box::new(body.into()),
            openings: Openings::default(),
        }],
        atomic: false,
        request: None,
    };
    match ledger
        .submit_and_wait(job)
        .map(|answered| answered.outcomes)
    {
        Ok(outcomes) => match outcomes.first() {
            Some(Outcome::Admitted(_)) => *sealed = Some(head.count),
            Some(Outcome::Refused(refusal)) => {
                let why = refusal.invalid.to_string();
                tracing::error!(why, "the log of look-ups was not sealed");
            }
            Some(Outcome::Unavailable(why)) => {
                tracing::warn!(why, "the log of look-ups was not sealed");
            }
            None => {}
        },
        Err(error) => tracing::error!(%error, "the log of look-ups was not sealed"),
    }
}
