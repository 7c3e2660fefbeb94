//! The log of full look-ups: who read trade or personal data, and of what.
//!
//! A file of its own that is hash-chained: a line's hash is SHA-256(
//! `trace/lookup/v1\n` ‖ the previous line's hash ‖ the line), from zeros, so no
//! line can be changed, dropped or put between without changing the head. Whoever
//! edits the file can compute the chain anew; that shows only against a head
//! recorded in the ledger ([`verify`](Lookups::verify) takes one). Not here: who
//! may look (the token says), and when the head is recorded.
//!
//! An answer with such data leaves only after its line is durable: a line is
//! queued with what is to happen then. All that queued while one sync ran is
//! committed by the next; a lone line waits for nobody. After a failed sync every
//! line, queued or new, is answered with the failure.
//!
//! What was looked up is named by code or number, never by a person's data.
//! Opening reads the file once, some 150 bytes for each look-up; memory holds
//! only the head and the queue.

use super::titled::TitledFile;
use crate::error::{Invalid, Rule, Store};
use crate::ident::EntityId;
use crate::record::wire::TokenId;
use crate::record::{Hash, encode, text};
use crate::store::disk::Disk;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

const TITLE: &[u8] = b"trace/lookups/v1\n";
/// Characters of a code, a number or a hash with its kind.
pub const LOOKED_UP_LENGTH_MAX: usize = 80;
/// Characters of a purpose: a sentence.
pub const PURPOSE_LENGTH_MAX: usize = 80;
/// Most lines in the queue: with two texts of 80 characters of four bytes a line
/// is below 800 bytes, so the queue is below 53 MB.
pub const QUEUE_LENGTH_MAX: usize = 65_536;

/// One look-up, as the caller states it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lookup {
    /// When.
    pub at_ms: u64,
    /// With which token.
    pub token: TokenId,
    /// For whom, where the token names an entity.
    pub entity: Option<EntityId>,
    /// What was looked up: a trace code, a certificate number, a record's hash.
    pub looked_up: String,
    /// What for, in the reader's own words.
    pub purpose: Option<String>,
}

impl Lookup {
    /// Checks the texts.
    ///
    /// # Errors
    /// [`Rule::Text`] naming the field and the lengths or the character.
    pub fn check(&self) -> Result<(), Invalid> {
        text::check("looked_up", &self.looked_up, 1, LOOKED_UP_LENGTH_MAX)?;
        text::check_option("purpose", self.purpose.as_deref(), PURPOSE_LENGTH_MAX)
    }
}

/// A look-up with its place in the chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LookupLine {
    /// The hash of the line before it, zeros for the first.
    pub previous: Hash,
    /// Its number, from 1.
    pub number: u64,
    /// What was looked up, by whom.
    pub lookup: Lookup,
}

/// How far the log reaches: as many lines as the last one's number, and its hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LookupsHead {
    /// How many lines there are.
    pub count: u64,
    /// The hash of the last; zeros when there is none.
    pub hash: Hash,
}

impl LookupsHead {
    fn next(self, lookup: Lookup) -> LookupLine {
        LookupLine {
            previous: self.hash,
            number: self.count + 1,
            lookup,
        }
    }

    /// The head after a line, given as its bytes.
    fn after(self, line: &[u8]) -> Self {
        let hash = Hash::of(&[b"trace/lookup/v1\n", self.hash.as_bytes(), line]);
        Self {
            count: self.count + 1,
            hash,
        }
    }
}

/// What happens when a line is durable, with its number, or cannot be.
pub type OnDurable = Box<dyn FnOnce(Result<u64, Store>) + Send>;

/// How lines are committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Committing {
    /// By a thread of its own, as they come.
    Thread,
    /// By whoever calls [`Lookups::commit_pending`].
    Inline,
}

/// The log; shared by all threads of a process. Dropping it waits until the
/// thread has committed what is queued; without one, what is queued is refused.
#[derive(Debug)]
pub struct Lookups {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    queue: Mutex<Queue>,
    /// Something was queued, or it is time to end.
    stirred: Condvar,
    writer: Mutex<Writer>,
    head: Mutex<LookupsHead>,
}

#[derive(Default)]
struct Queue {
    waiting: Vec<(Lookup, OnDurable)>,
    ending: bool,
    /// Nobody would commit any more.
    ended: bool,
}

struct Writer {
    file: TitledFile,
    head: LookupsHead,
}

impl Lookups {
    /// Makes an empty log.
    ///
    /// # Errors
    /// [`Store::Place`] when there is one already.
    pub fn create(disk: Arc<dyn Disk>, path: &Path, committing: Committing) -> Result<Self, Store> {
        let file = TitledFile::create(disk, path, TITLE, &[])?;
        Self::start(file, LookupsHead::default(), committing)
    }

    /// Opens a log, cutting a torn tail and checking the chain.
    ///
    /// # Errors
    /// [`Store::Place`] when there is none; [`Store::Damaged`], naming the first
    /// line that does not fit.
    pub fn open(disk: Arc<dyn Disk>, path: &Path, committing: Committing) -> Result<Self, Store> {
        let mut head = LookupsHead::default();
        let line = |bytes: &[u8]| {
            head = check_line(head, path, bytes)?.1;
            Ok(())
        };
        let file = TitledFile::open(disk, path, TITLE, |_| Ok(()), line)?;
        Self::start(file, head, committing)
    }

    fn start(file: TitledFile, head: LookupsHead, committing: Committing) -> Result<Self, Store> {
        let shared = Arc::new(Shared {
            queue: Mutex::default(),
            stirred: Condvar::new(),
            writer: Mutex::new(Writer { file, head }),
            head: Mutex::new(head),
        });
        let thread = match committing {
            Committing::Inline => None,
            Committing::Thread => {
                let shared = shared.clone();
                let builder = std::thread::Builder::new().name("lookups".into());
                let thread = builder.spawn(move || shared.commit_until_the_end());
                Some(thread.map_err(|error| Store::Engine {
                    what: "start the thread of look-ups",
                    why: error.to_string(),
                })?)
            }
        };
        Ok(Self { shared, thread })
    }

    /// Queues a line. `on_durable` is called once, in the order of the numbers,
    /// from the thread that commits; the answer may leave when it gets a number.
    ///
    /// # Errors
    /// [`Rule::Text`] when the texts are not fit, [`Rule::Busy`] when the queue is
    /// full; nothing is then queued and `on_durable` is not called.
    pub fn append(&self, lookup: Lookup, on_durable: OnDurable) -> Result<(), Invalid> {
        lookup.check()?;
        let mut queue = lock(&self.shared.queue);
        if queue.ended {
            drop(queue);
            on_durable(Err(ended()));
            return Ok(());
        }
        if queue.waiting.len() >= QUEUE_LENGTH_MAX {
            let what = format!("{QUEUE_LENGTH_MAX} look-ups wait for the disk, wanted fewer");
            return Err(Invalid::new(Rule::Busy, what));
        }
        queue.waiting.push((lookup, on_durable));
        drop(queue);
        self.shared.stirred.notify_one();
        Ok(())
    }

    /// Commits all that is queued, on this thread; how many lines that were.
    ///
    /// # Errors
    /// [`Store`], which every line was answered with too; from then on no line is
    /// taken until the log is opened again.
    pub fn commit_pending(&self) -> Result<usize, Store> {
        self.shared.commit_pending()
    }

    /// How far the durable log reaches.
    #[must_use]
    pub fn head(&self) -> LookupsHead {
        *lock(&self.shared.head)
    }

    /// Shows every durable line in order, reading the file again and checking the
    /// chain; the head it leads to. Lines wait while it runs.
    ///
    /// # Errors
    /// [`Store::Damaged`], naming the first line that does not fit; whatever
    /// `visit` gives.
    pub fn scan(
        &self,
        mut visit: impl FnMut(&LookupLine) -> Result<(), Store>,
    ) -> Result<LookupsHead, Store> {
        self.walk(|line, _| visit(line))
    }

    /// Reads the file again and checks the chain, that it leads to the head this
    /// log answered for, and that it passes through a head recorded earlier.
    ///
    /// # Errors
    /// [`Store::Damaged`], naming the first line that does not fit.
    pub fn verify(&self, recorded: Option<LookupsHead>) -> Result<LookupsHead, Store> {
        let wanted = [
            ("this log answered with", self.head()),
            ("the ledger recorded", recorded.unwrap_or_default()),
        ];
        let mut missing = wanted.map(|(_, head)| head != LookupsHead::default());
        let reached = self.walk(|_, head| {
            for (missing, (_, wanted)) in missing.iter_mut().zip(wanted) {
                *missing &= head != wanted;
            }
            Ok(())
        })?;
        match wanted.iter().zip(missing).find(|(_, missing)| *missing) {
            None => Ok(reached),
            Some(((who, LookupsHead { count, hash }), _)) => {
                let why = format!(
                    "line {count}: {who} the hash {hash}, found {} lines and not that hash",
                    reached.count
                );
                Err(lock(&self.shared.writer).file.damaged(&why))
            }
        }
    }

    fn walk(
        &self,
        mut visit: impl FnMut(&LookupLine, LookupsHead) -> Result<(), Store>,
    ) -> Result<LookupsHead, Store> {
        let writer = lock(&self.shared.writer);
        let mut head = LookupsHead::default();
        writer.file.scan(
            |_| Ok(()),
            |bytes| {
                let (line, next) = check_line(head, writer.file.path(), bytes)?;
                head = next;
                visit(&line, head)
            },
        )?;
        Ok(head)
    }
}

impl Drop for Lookups {
    fn drop(&mut self) {
        lock(&self.shared.queue).ending = true;
        self.shared.stirred.notify_one();
        match self.thread.take() {
            None => drop(Ended(&self.shared)),
            // the last holder may be what a line called when it was durable
            Some(thread) if thread.thread().id() == std::thread::current().id() => {}
            // a panic there has ended every line's wait already
            Some(thread) => drop(thread.join()),
        }
    }
}

impl Shared {
    fn commit_until_the_end(&self) {
        let _ended = Ended(self);
        loop {
            let queue = lock(&self.queue);
            let waited = self
                .stirred
                .wait_while(queue, |queue| queue.waiting.is_empty() && !queue.ending);
            let queue = waited.unwrap_or_else(PoisonError::into_inner);
            if queue.waiting.is_empty() {
                return;
            }
            drop(queue);
            // a failure has reached every line; the writer refuses from then on
            drop(self.commit_pending());
        }
    }

    fn commit_pending(&self) -> Result<usize, Store> {
        let mut writer = lock(&self.writer);
        let waiting = std::mem::take(&mut lock(&self.queue).waiting);
        let (lookups, calls): (Vec<_>, Vec<_>) = waiting.into_iter().unzip();
        let first = writer.head.count + 1;
        let committed = writer.commit(lookups);
        if committed.is_ok() {
            *lock(&self.head) = writer.head;
        }
        drop(writer);
        let count = calls.len();
        match committed {
            Ok(()) => {
                for (number, call) in (first..).zip(calls) {
                    call(Ok(number));
                }
                Ok(count)
            }
            Err(error) => {
                let why = format!("the look-up could not be logged ({error})");
                for call in calls {
                    call(Err(Store::ReadOnly { why: why.clone() }));
                }
                Err(error)
            }
        }
    }
}

impl Writer {
    fn commit(&mut self, lookups: Vec<Lookup>) -> Result<(), Store> {
        let mut head = self.head;
        for lookup in lookups {
            let line = encode::encode(&head.next(lookup));
            self.file.append(&line)?;
            head = head.after(&line);
        }
        self.file.sync()?;
        self.head = head;
        Ok(())
    }
}

/// However committing ends, nobody waits for it afterwards.
struct Ended<'a>(&'a Shared);

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        let mut queue = lock(&self.0.queue);
        queue.ended = true;
        let waiting = std::mem::take(&mut queue.waiting);
        drop(queue);
        for (_, call) in waiting {
            call(Err(ended()));
        }
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", lock(&self.head))
    }
}

fn ended() -> Store {
    Store::ReadOnly {
        why: "the log of look-ups was closed; open it again".into(),
    }
}

/// The line and the head after it.
fn check_line(
    head: LookupsHead,
    path: &Path,
    bytes: &[u8],
) -> Result<(LookupLine, LookupsHead), Store> {
    let wanted = head.count + 1;
    let wrong = |why: String| super::titled::damaged(path, &format!("line {wanted}: {why}"));
    let line: LookupLine =
        encode::decode("look-up", bytes).map_err(|invalid| wrong(invalid.what))?;
    if line.number != wanted {
        return Err(wrong(format!("found number {}", line.number)));
    }
    if line.previous != head.hash {
        return Err(wrong(format!(
            "found the previous hash {}, wanted {}: it or the line before was changed",
            line.previous, head.hash
        )));
    }
    Ok((line, head.after(bytes)))
}

/// What a panic left behind is whole: every change under a lock is one step, and
/// the file refuses by itself after a failure.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
