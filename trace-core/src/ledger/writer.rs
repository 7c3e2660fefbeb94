//! The ledger in use: one writer thread in front of the sequencer, any number
//! of readers beside it.
//!
//! Submissions are parsed and verified by their callers' threads; the writer
//! takes what has queued and commits it as one group. A lone record does not
//! wait for company. A storage error or a panic of the writer is final: it is
//! told to the owner, who ends the process.

use super::job::{GROUP_RECORDS_MAX, Item, Job, Outcome, Refusal};
use super::sequencer::Sequencer;
use super::vault::VaultReader;
use super::view::View;
use crate::error::{Invalid, Rule, Store};
use crate::ident::EntityId;
use crate::proof::note::NoteSigner;
use crate::record::layout::Unverified;
use crate::record::rights::Registry;
use crate::record::sign::{Key, KeyId};
use crate::record::submission::Submission;
use crate::record::{Body, Origin};
use arc_swap::ArcSwap;
use std::collections::HashMap;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::JoinHandle;
use std::time::Duration;
use zeroize::Zeroizing;

/// Most jobs waiting for the writer: at a job a record four full groups, about
/// a tenth of a second; more is answered "busy" instead of kept in memory.
const QUEUE_JOBS_MAX: usize = 4 * GROUP_RECORDS_MAX;

/// Most parsed keys remembered: a city's signers; 8,192 of 200 bytes are 1.6 MB.
const KEYS_REMEMBERED_MAX: usize = 8_192;

/// How often a writer without work looks whether the index's merge has ended.
const MERGE_LOOKED_AFTER: Duration = Duration::from_millis(20);

/// Says what time it is, in milliseconds since the epoch.
pub type Clock = Arc<dyn Fn() -> u64 + Send + Sync>;

/// Takes the outcome of a job, from the writer's thread: must not block.
pub type Reply = Box<dyn FnOnce(Answered) + Send>;

/// What became of a job, with a view that covers it.
pub struct Answered {
    /// One outcome an item, in order.
    pub outcomes: Vec<Outcome>,
    /// A moment that holds all that was admitted.
    pub view: Arc<View>,
}

enum Command {
    Submit(Job, Reply),
    Host {
        entity: EntityId,
        seed: Zeroizing<[u8; 32]>,
        nonce: [u8; 12],
        reply: SyncSender<Result<KeyId, String>>,
    },
    ConfirmClock,
    SweepPersons(i32),
    Stop(SyncSender<Result<(), Store>>),
}

/// A ledger in use; cheap to clone.
#[derive(Clone)]
pub struct Ledger {
    shared: Arc<Shared>,
}

struct Shared {
    origin: Origin,
    published: ArcSwap<View>,
    commands: SyncSender<Command>,
    keys: RwLock<HashMap<KeyId, Key>>,
    vault: VaultReader,
    signer: Arc<NoteSigner>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Ledger {
    /// Starts the writer. `on_fatal` is called once, from the writer's thread,
    /// when it can write no more; the process must then end.
    ///
    /// # Errors
    /// [`Store::Engine`] when the thread cannot be started.
    pub fn start(
        sequencer: Sequencer,
        clock: Clock,
        on_fatal: impl FnOnce(String) + Send + 'static,
    ) -> Result<Self, Store> {
        let (commands, queue) = sync_channel(QUEUE_JOBS_MAX);
        let shared = Arc::new(Shared {
            origin: sequencer.view().origin().clone(),
            published: ArcSwap::from_pointee(sequencer.view()),
            commands,
            keys: RwLock::default(),
            vault: sequencer.vault_reader(),
            signer: sequencer.signer(),
            thread: Mutex::default(),
        });
        let fatal = Fatal(Some(Box::new(on_fatal)));
        // The writer must not keep the queue's sender alive, or it never ends.
        let weak = Arc::downgrade(&shared);
        let publish = move |view: Arc<View>| {
            if let Some(shared) = weak.upgrade() {
                shared.published.store(view);
            }
        };
        let thread = std::thread::Builder::new().name("writer".into());
        let run = move || {
            Writer {
                sequencer,
                clock,
                publish,
                fatal,
            }
            .run(&queue)
        };
        let thread = thread.spawn(run).map_err(|error| Store::Engine {
            what: "start the writer",
            why: error.to_string(),
        })?;
        *shared.thread.lock().unwrap_or_else(PoisonError::into_inner) = Some(thread);
        Ok(Self { shared })
    }

    /// The last published moment.
    #[must_use]
    pub fn view(&self) -> Arc<View> {
        self.shared.published.load_full()
    }

    /// The ledger's name.
    #[must_use]
    pub fn origin(&self) -> &Origin {
        &self.shared.origin
    }

    /// For opening personal sections.
    #[must_use]
    pub fn vault(&self) -> &VaultReader {
        &self.shared.vault
    }

    /// Signs what the ledger states: completeness, backups.
    #[must_use]
    pub fn signer(&self) -> &NoteSigner {
        &self.shared.signer
    }

    /// Verifies signatures of what a client sent; one result a record. Keys
    /// that earlier records of the same request enrol count.
    #[must_use]
    pub fn verify(&self, submissions: Vec<Submission>) -> Vec<Result<Item, Refusal>> {
        let view = self.view();
        let mut enrolled = HashMap::new();
        submissions
            .into_iter()
            .map(|submission| self.verify_one(&view, &mut enrolled, submission))
            .collect()
    }

    fn verify_one(
        &self,
        view: &View,
        enrolled: &mut HashMap<KeyId, Key>,
        submission: Submission,
    ) -> Result<Item, Refusal> {
        let refusal = |invalid| Refusal {
            invalid,
            expected: None,
        };
        let id = submission.signed.statement().key;
        let key = match enrolled.get(&id) {
            Some(key) => *key,
            None => self.signer_key(view, &submission, id).map_err(refusal)?,
        };
        let record = submission
            .signed
            .verify(&key)
            .map_err(|error| match error {
                Unverified::Form(invalid) => refusal(invalid),
                Unverified::Evidence(error) => {
                    refusal(Invalid::new(Rule::Signature, error.to_string()))
                }
            })?;
        if let Body::KeyEnrolled(body) = record.body() {
            let public = crate::record::sign::PublicKey::from_bytes(body.public_key.0);
            if let Ok(key) = public.accept() {
                enrolled.insert(public.id(), key);
            }
        }
        Ok(Item::Signed {
            record: Box::new(record),
            openings: submission.openings,
        })
    }

    /// The parsed key that a record names: remembered, on the ledger, or, for
    /// the first record, in the record itself.
    fn signer_key(&self, view: &View, submission: &Submission, id: KeyId) -> Result<Key, Invalid> {
        let keys = &self.shared.keys;
        if let Some(key) = keys.read().unwrap_or_else(PoisonError::into_inner).get(&id) {
            return Ok(*key);
        }
        let unknown = |why: String| Invalid::new(Rule::KeyUnknown, why);
        let state = view
            .folded()
            .key(&id)
            .map_err(|error| unknown(error.to_string()))?;
        let public = match state {
            Some(state) => state.public_key(),
            None => match submission.signed.body()? {
                Body::LedgerOpened(body) => {
                    let mut roots = body
                        .root_keys
                        .iter()
                        .map(|key| crate::record::sign::PublicKey::from_bytes(key.0));
                    roots
                        .find(|key| key.id() == id)
                        .ok_or_else(|| unknown(format!("key {id} is not among the root keys")))?
                }
                _ => return Err(unknown(format!("key {id} is not enrolled"))),
            },
        };
        let key = Key::parse(&public).map_err(|error| unknown(error.to_string()))?;
        let mut keys = keys.write().unwrap_or_else(PoisonError::into_inner);
        if keys.len() >= KEYS_REMEMBERED_MAX {
            keys.clear();
        }
        keys.insert(id, key);
        Ok(key)
    }

    /// Hands a job to the writer; `reply` is called when it is decided. When
    /// the writer has ended, `reply` is dropped without a call.
    ///
    /// # Errors
    /// [`Rule::Busy`] when the queue is full, [`Rule::TooLarge`] for too many items.
    pub fn submit(&self, job: Job, reply: Reply) -> Result<(), Invalid> {
        if job.items.len() > GROUP_RECORDS_MAX {
            let what = format!(
                "{} records in one request, at most {GROUP_RECORDS_MAX}",
                job.items.len()
            );
            return Err(Invalid::new(Rule::TooLarge, what));
        }
        match self.shared.commands.try_send(Command::Submit(job, reply)) {
            Ok(()) | Err(TrySendError::Disconnected(_)) => Ok(()),
            Err(TrySendError::Full(_)) => Err(Invalid::new(
                Rule::Busy,
                format!("{QUEUE_JOBS_MAX} requests wait for the writer"),
            )),
        }
    }

    /// Submits a job and waits for its outcome.
    ///
    /// # Errors
    /// As [`submit`](Self::submit); a writer that has ended is [`Store::ReadOnly`].
    pub fn submit_and_wait(&self, job: Job) -> Result<Answered, super::Failed> {
        let (sender, receiver) = sync_channel(1);
        let reply: Reply = Box::new(move |answer| {
            // A caller that stopped waiting needs no answer.
            let _ = sender.send(answer);
        });
        self.submit(job, reply)?;
        receiver.recv().map_err(|_| ended().into())
    }

    /// Keeps a private key for an entity; enrolling it is another record.
    ///
    /// # Errors
    /// [`Store::ReadOnly`] when the writer has ended or hosts no keys.
    pub fn host_key(
        &self,
        entity: EntityId,
        seed: Zeroizing<[u8; 32]>,
        nonce: [u8; 12],
    ) -> Result<KeyId, Store> {
        let (reply, answer) = sync_channel(1);
        self.send(Command::Host {
            entity,
            seed,
            nonce,
            reply,
        })?;
        match answer.recv() {
            Ok(Ok(key)) => Ok(key),
            Ok(Err(why)) => Err(Store::ReadOnly { why }),
            Err(_) => Err(ended()),
        }
    }

    /// The operator says that the clock is right.
    ///
    /// # Errors
    /// [`Store::ReadOnly`] when the writer has ended.
    pub fn confirm_clock(&self) -> Result<(), Store> {
        self.send(Command::ConfirmClock)
    }

    /// Destroys the data of persons whose retention ended by `day`.
    ///
    /// # Errors
    /// [`Store::ReadOnly`] when the writer has ended.
    pub fn sweep_persons(&self, day: i32) -> Result<(), Store> {
        self.send(Command::SweepPersons(day))
    }

    /// Finishes what was accepted, merges the index and closes the files.
    ///
    /// # Errors
    /// When the last state could not be put away.
    pub fn stop(&self) -> Result<(), Store> {
        let (reply, answer) = sync_channel(1);
        self.send(Command::Stop(reply))?;
        let outcome = answer.recv().unwrap_or_else(|_| Err(ended()));
        let thread = self
            .shared
            .thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        match thread.map(JoinHandle::join) {
            Some(Err(_)) => Err(ended()),
            _ => outcome,
        }
    }

    fn send(&self, command: Command) -> Result<(), Store> {
        self.shared.commands.send(command).map_err(|_| ended())
    }
}

fn ended() -> Store {
    Store::ReadOnly {
        why: "the writer has ended; see the log of the process, and start it again".into(),
    }
}

/// Tells the owner once that the writer ended; also when it panicked.
struct Fatal(Option<Box<dyn FnOnce(String) + Send>>);

impl Fatal {
    fn tell(&mut self, why: String) {
        if let Some(on_fatal) = self.0.take() {
            on_fatal(why);
        }
    }
}

impl Drop for Fatal {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.tell("the writer panicked".into());
        }
    }
}

struct Writer<P: Fn(Arc<View>)> {
    sequencer: Sequencer,
    clock: Clock,
    publish: P,
    fatal: Fatal,
}

impl<P: Fn(Arc<View>)> Writer<P> {
    fn run(mut self, queue: &Receiver<Command>) {
        let mut carried = None;
        loop {
            let first = match carried.take() {
                Some(carried) => carried,
                None => match self.next(queue) {
                    Ok(Some(command)) => command,
                    Ok(None) => break,
                    Err(error) => return self.fatal.tell(error.to_string()),
                },
            };
            let (mut jobs, mut replies, mut records) = (Vec::new(), Vec::new(), 0);
            let mut next = Some(first);
            while let Some(command) = next.take() {
                match command {
                    Command::Submit(job, reply)
                        if jobs.is_empty() || records + job.items.len() <= GROUP_RECORDS_MAX =>
                    {
                        records += job.items.len();
                        jobs.push(job);
                        replies.push(reply);
                        next = queue.try_recv().ok();
                    }
                    // The next group begins with it, or it is no submission.
                    other => carried = Some(other),
                }
            }
            if !jobs.is_empty() {
                if let Err(error) = self.group(jobs, replies) {
                    return self.fatal.tell(error.to_string());
                }
                continue;
            }
            match carried.take() {
                None => {}
                Some(Command::Stop(reply)) => {
                    let outcome = self.sequencer.close();
                    // Whoever asked to stop may have gone.
                    let _ = reply.send(outcome);
                    return;
                }
                Some(command) => {
                    if let Err(error) = self.obey(command) {
                        return self.fatal.tell(error.to_string());
                    }
                }
            }
        }
        // Every handle is gone: close as if asked to.
        if let Err(error) = self.sequencer.close() {
            self.fatal.tell(error.to_string());
        }
    }

    /// The next command; none when every handle is gone. Meanwhile it looks after
    /// the index: while nobody writes, readers would go on under a failed one.
    fn next(&mut self, queue: &Receiver<Command>) -> Result<Option<Command>, Store> {
        while self.sequencer.is_merging() {
            match queue.recv_timeout(MERGE_LOOKED_AFTER) {
                Ok(command) => return Ok(Some(command)),
                Err(RecvTimeoutError::Timeout) => self.sequencer.adopt_merged()?,
                Err(RecvTimeoutError::Disconnected) => return Ok(None),
            }
        }
        Ok(queue.recv().ok())
    }

    fn group(&mut self, jobs: Vec<Job>, replies: Vec<Reply>) -> Result<(), Store> {
        let outcomes = self.sequencer.admit(jobs, (self.clock)())?;
        let view = Arc::new(self.sequencer.view());
        (self.publish)(Arc::clone(&view));
        for (outcomes, reply) in outcomes.into_iter().zip(replies) {
            reply(Answered {
                outcomes,
                view: Arc::clone(&view),
            });
        }
        self.sequencer.settle()
    }

    fn obey(&mut self, command: Command) -> Result<(), Store> {
        match command {
            Command::Host {
                entity,
                seed,
                nonce,
                reply,
            } => {
                let outcome = self
                    .sequencer
                    .hosted_mut()
                    .add(entity, seed, nonce)
                    .map_err(|error| error.to_string());
                // A caller that stopped waiting needs no answer.
                let _ = reply.send(outcome);
                Ok(())
            }
            Command::ConfirmClock => {
                self.sequencer.confirm_clock((self.clock)());
                Ok(())
            }
            Command::SweepPersons(day) => self.sequencer.sweep_persons(day),
            Command::Submit(..) | Command::Stop(_) => Ok(()),
        }
    }
}
