//! The ledger's process: takes what has arrived, admits it as one group and
//! answers; is cut off at any call, sees calls fail, is killed, started again,
//! cut off while it recovers; and its operator, who confirms the clock.

use super::base::{Base, Said};
use super::bugs::Bug;
use super::hosted::Named;
use super::messages::{Answer, Ask, Asked, Question, Told, claimed};
use super::plain::Plain;
use std::io::ErrorKind;
use std::ops::ControlFlow;
use std::sync::Arc;
use trace_core::ledger::job::{Item, Job, JobRequest, Outcome};
use trace_core::ledger::opening::Opened;
use trace_core::ledger::sequencer::Sequencer;
use trace_core::ledger::{View, opening};
use trace_core::proof::checkpoint::{SignedCheckpoint, VerifiedCheckpoint};
use trace_core::record::submission::Submission;
use trace_core::record::{Entry, Hash};
use trace_fixtures::clock::{DAY_MS, HOUR_MS};
use trace_fixtures::disk::{Fault, Kept, Medium, SimulatedDisk};
use trace_fixtures::draw::Draw;
use trace_fixtures::ledger_on_disk;

/// A tick of the world's clock.
pub const TICK_MS: u64 = 1_000;

/// A recovery is cut off at most so often in a row.
const DEPTH_MAX: u32 = 3;

/// How often each thing went wrong.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Troubles {
    pub cut_off: u64,
    pub failed_calls: u64,
    pub killed: u64,
    pub recoveries_cut: u64,
    pub clock_jumps: u64,
    pub unavailable: u64,
    pub confirmed: u64,
}

enum Process {
    Up(Box<Sequencer>),
    Down(u64),
}

pub struct Server<'b> {
    base: &'b Base,
    pub bug: Option<Bug>,
    process: Process,
    disk: SimulatedDisk,
    /// What the disk holds while the process is down.
    image: Medium,
    depth: u32,
    starts: u64,
    seed: u64,
    draw: Draw,
    /// Off the true time, and until when.
    clock: (i64, u64),
    confirmed_ms: Option<u64>,
    last_ms: u64,
    answered: u64,
    old_image: Option<Medium>,
    /// The plain list, and what the last group made of it.
    plain: Plain,
    pub troubles: Troubles,
    pub admitted: u64,
    pub refused: u64,
}

impl<'b> Server<'b> {
    pub fn new(base: &'b Base, seed: u64, bug: Option<Bug>) -> Self {
        Self {
            base,
            bug,
            process: Process::Down(0),
            disk: SimulatedDisk::default(),
            image: base.medium.clone(),
            depth: 0,
            starts: 0,
            seed,
            draw: Draw::new(seed, "simulated server"),
            clock: (0, 0),
            confirmed_ms: None,
            last_ms: base.now_ms,
            answered: base.checkpoint.size(),
            old_image: None,
            plain: Plain::default(),
            troubles: Troubles::default(),
            admitted: 0,
            refused: 0,
        }
    }

    pub fn is_up(&self) -> bool {
        matches!(self.process, Process::Up(_))
    }

    /// The clean stop at the end: the sequencer and its disk.
    pub fn into_parts(self) -> Option<(Box<Sequencer>, SimulatedDisk)> {
        match self.process {
            Process::Up(sequencer) => Some((sequencer, self.disk)),
            Process::Down(_) => None,
        }
    }

    fn now_ms(&mut self, tick: u64, is_calm: bool) -> u64 {
        let (offset, until) = &mut self.clock;
        if is_calm || tick >= *until {
            *offset = 0;
        }
        if !is_calm && *offset == 0 && self.draw.chance(1, 40) {
            let jump = [40 * DAY_MS, 3_653 * DAY_MS, HOUR_MS];
            let jump = i64::try_from(*self.draw.pick(&jump)).unwrap();
            // Ten years ahead is never confirmed: everything would be past date.
            *offset = match self.draw.chance(1, 2) {
                true => jump,
                false => -jump,
            };
            *until = tick + 2 + self.draw.below(8);
            self.troubles.clock_jumps += 1;
        }
        let true_ms = self.base.now_ms + tick * TICK_MS;
        true_ms.saturating_add_signed(*offset)
    }

    /// One step: what arrived is admitted as one group.
    pub fn step(
        &mut self,
        tick: u64,
        is_calm: bool,
        questions: Vec<Question>,
    ) -> Result<Vec<Answer>, String> {
        if let Process::Down(until) = self.process {
            if tick >= until || is_calm {
                self.start(tick, is_calm)?;
            }
            return Ok(Vec::new()); // Nobody listened.
        }
        let Process::Up(mut sequencer) = std::mem::replace(&mut self.process, Process::Down(tick))
        else {
            return Ok(Vec::new());
        };
        let now_ms = self.now_ms(tick, is_calm);
        if self.bug == Some(Bug::SkipsHeadCheck) && self.old_image.is_none() && tick > 12 {
            self.old_image = Some(self.disk.medium().after_power_cut(Kept::Everything));
        }
        if is_calm {
            self.disk.heal();
        }
        let before = self.disk.medium();
        let calls_before = self.disk.calls();
        if !is_calm && !questions.is_empty() {
            self.plan_trouble();
        }
        if self.bug == Some(Bug::StampsSuspectClock) {
            sequencer.confirm_clock(now_ms);
        }
        let size_before = sequencer.view().size();
        let (jobs, asked) = self.jobs(questions);
        let outcomes = match sequencer.admit(jobs.clone(), now_ms) {
            Ok(outcomes) => outcomes,
            Err(_) if self.disk.has_failed() => {
                let checkpoint = Arc::new(sequencer.view().checkpoint().clone());
                self.cut(tick);
                if self.bug == Some(Bug::SwallowsStoreError) {
                    return Ok(claimed(size_before, &checkpoint, &jobs, asked));
                }
                return Ok(Vec::new());
            }
            Err(error) => return Err(format!("stopped without a fault: {error}")),
        };
        self.judge(&jobs, &outcomes, now_ms)?;
        self.confirm(&mut sequencer, &outcomes, now_ms, is_calm);
        let view = sequencer.view();
        let answers = self.answers(&view, asked, outcomes, size_before);
        if !answers.is_empty() {
            self.answered = self.answered.max(view.size());
        }
        drop(view);
        let settled = sequencer.settle();
        if settled.is_err() || self.disk.has_failed() {
            self.cut(tick);
            return Ok(answers);
        }
        if self.answers_too_early(&before, calls_before) {
            self.process = Process::Down(tick + 1);
            return Ok(answers);
        }
        if !is_calm && self.draw.chance(1, 30) {
            self.troubles.killed += 1;
            self.image = self.disk.medium().after_power_cut(Kept::Everything);
            self.process = Process::Down(tick + 1 + self.draw.below(4));
            return Ok(answers);
        }
        self.process = Process::Up(sequencer);
        Ok(answers)
    }

    /// Two of the bugs: the answer leaves, and then the power goes before what
    /// should have come first.
    fn answers_too_early(&mut self, before: &Medium, calls: usize) -> bool {
        let early = matches!(
            self.bug,
            Some(Bug::AnswersBeforeCommit | Bug::AnswersBeforeCheckpoint)
        );
        let trace = self.disk.trace();
        let is_rename = |call: &trace_fixtures::disk::Call| match call {
            trace_fixtures::disk::Call::Rename { to, .. } => to.ends_with("last-checkpoint"),
            _ => false,
        };
        let renamed = trace[calls..].iter().position(is_rename);
        let Some(renamed) = renamed.filter(|_| early && self.draw.chance(1, 3)) else {
            return false;
        };
        let mut medium = before.clone();
        if self.bug == Some(Bug::AnswersBeforeCheckpoint) {
            let until = &trace[calls..calls + renamed];
            until.iter().for_each(|call| medium.apply(call));
        }
        self.image = medium.after_power_cut(Kept::Nothing);
        true
    }

    fn plan_trouble(&mut self) {
        if self.bug == Some(Bug::SwallowsFailedSync) && self.draw.chance(1, 6) {
            self.disk.swallow_sync(self.disk.calls());
        }
        let at = self.disk.calls() + self.draw.place(40);
        let persisted = self.draw.chance(1, 2);
        let fault = match self.draw.below(20) {
            0 => Fault {
                at,
                kind: ErrorKind::Other,
                persisted,
                for_good: true,
            },
            1 => Fault {
                at,
                kind: ErrorKind::StorageFull,
                persisted,
                for_good: false,
            },
            _ => return,
        };
        match fault.for_good {
            true => self.troubles.cut_off += 1,
            false => self.troubles.failed_calls += 1,
        }
        self.disk.fail(fault);
    }

    /// The process ended in the middle of something.
    fn cut(&mut self, tick: u64) {
        let medium = self.disk.medium();
        self.image = match self.draw.below(3) {
            0 => medium.after_power_cut(Kept::Nothing),
            1 => medium.after_power_cut(Kept::Everything),
            _ => medium.after_power_cut(Kept::Drawn(&mut self.draw)),
        };
        self.process = Process::Down(tick + 1 + self.draw.below(4));
    }

    fn start(&mut self, tick: u64, is_calm: bool) -> Result<(), String> {
        let base = self.base;
        if let Some(old) = &self.old_image {
            self.image = old.clone();
        }
        let note = self.image.read(&ledger_on_disk::checkpoint_path());
        let note = String::from_utf8_lossy(note.ok_or("the last checkpoint is gone")?);
        let last = SignedCheckpoint::open(&note, base.signer.verifier_key());
        let last = last.map_err(|error| format!("the last checkpoint: {error}"))?;
        if last.size() < self.answered && self.old_image.is_none() {
            return Err(format!(
                "the last checkpoint covers {} entries, {} were answered",
                last.size(),
                self.answered
            ));
        }
        let medium = match self.bug.and_then(Bug::lie) {
            Some(lie) => self.image.clone().lying(lie),
            None => self.image.clone(),
        };
        self.disk = SimulatedDisk::from(medium);
        self.starts += 1;
        let is_cut = !is_calm && self.depth < DEPTH_MAX && self.draw.chance(1, 4);
        if is_cut {
            self.disk.fail(Fault {
                at: self.draw.place(30),
                kind: ErrorKind::Other,
                persisted: self.draw.chance(1, 2),
                for_good: true,
            });
        }
        let keys = Draw::new(self.seed, &format!("simulated keys {}", self.starts));
        let parts = base.parts(&self.disk, keys);
        let opened = match self.bug {
            Some(Bug::SpoilsIndex) => spoilt(&self.disk, parts),
            _ => ledger_on_disk::open(&self.disk, parts),
        };
        if self.disk.has_failed() {
            self.depth += 1;
            self.troubles.recoveries_cut += 1;
            drop(opened);
            self.cut(tick);
            return Ok(());
        }
        self.depth = 0;
        let sequencer = match opened {
            Ok(Opened::Writable(sequencer)) => sequencer,
            Ok(Opened::ReadOnly { why, .. }) => return Err(format!("read-only: {why}")),
            Err(error) => return Err(format!("does not open: {error}")),
        };
        self.confirmed_ms = None;
        (self.plain, self.last_ms) = replay(&sequencer.view())?;
        self.process = Process::Up(sequencer);
        Ok(())
    }

    fn jobs(&self, questions: Vec<Question>) -> (Vec<Job>, Vec<Asked>) {
        let (mut jobs, mut asked) = (Vec::new(), Vec::new());
        for Question { from, ask } in questions {
            match ask {
                Ask::Records(submissions) => {
                    let hashes = submissions.iter().map(|it| it.signed.hash()).collect();
                    let items = submissions.into_iter().map(|it| self.verified(it));
                    jobs.push(Job {
                        items: items.collect(),
                        atomic: false,
                        request: None,
                    });
                    asked.push(Asked::Records(from, hashes));
                }
                Ask::Request(named) => {
                    let count = named.items.len();
                    let parts: Vec<Vec<Said>> = match self.bug {
                        Some(Bug::SplitsRequests) => {
                            named.items.iter().map(|item| vec![item.clone()]).collect()
                        }
                        _ => vec![named.items.clone()],
                    };
                    let jobs_of = parts.into_iter().enumerate();
                    jobs.extend(jobs_of.map(|(part, items)| self.hosted(&named, part, items)));
                    let split = self.bug == Some(Bug::SplitsRequests);
                    asked.push(Asked::Request(from, named, if split { count } else { 1 }));
                }
                Ask::LookUp(hash) => asked.push(Asked::LookUp(from, hash)),
            }
        }
        (jobs, asked)
    }

    fn verified(&self, submission: Submission) -> Item {
        let key = &self.base.keys[&submission.signed.statement().key];
        Item::Signed {
            record: Box::new(submission.signed.verify(key).unwrap()),
            openings: submission.openings,
        }
    }

    fn hosted(&self, named: &Named, part: usize, items: Vec<Said>) -> Job {
        let entity = self.base.producer;
        let request = JobRequest {
            entity,
            key: match part {
                0 => named.key.clone(),
                _ => format!("{}/{part}", named.key),
            },
            request_hash: named.hash(),
        };
        let items = items.into_iter().map(|(body, openings)| Item::Hosted {
            entity,
            body: Box::new(body),
            openings,
        });
        let forgets = self.bug == Some(Bug::ForgetsRequestNames);
        Job {
            items: items.collect(),
            atomic: true,
            request: (!forgets).then_some(request),
        }
    }

    /// Holds each verdict against the plain list, and the stamp against the
    /// clock.
    fn judge(&mut self, jobs: &[Job], outcomes: &[Vec<Outcome>], now: u64) -> Result<(), String> {
        for (job, outcomes) in jobs.iter().zip(outcomes) {
            let is_atomic = job.atomic || job.request.is_some();
            let before = is_atomic.then(|| self.plain.clone());
            let is_refused = outcomes.iter().any(|it| matches!(it, Outcome::Refused(_)));
            for (item, outcome) in job.items.iter().zip(outcomes) {
                let (body, openings) = match item {
                    Item::Signed { record, openings } => (record.body(), openings),
                    Item::Hosted { body, openings, .. } => (&**body, openings),
                };
                match outcome {
                    Outcome::Admitted(admitted) if !admitted.is_duplicate => {
                        self.admitted += 1;
                        self.plain.admit(body, openings)?;
                        self.stamped(now)?;
                    }
                    Outcome::Admitted(_) => {}
                    Outcome::Refused(refusal) => {
                        self.refused += 1;
                        let rule = refusal.invalid.rule;
                        if rule == trace_core::error::Rule::Group {
                            // Would have been admitted, if not for another.
                            let _ = self.plain.admit(body, openings);
                        } else {
                            self.plain.refuse(body, openings, rule)?;
                        }
                    }
                    Outcome::Unavailable(_) => self.troubles.unavailable += 1,
                }
            }
            if let Some(before) = before.filter(|_| is_refused) {
                self.plain = before;
            }
        }
        Ok(())
    }

    /// Nothing is stamped on a clock that jumped and was not confirmed.
    fn stamped(&mut self, now_ms: u64) -> Result<(), String> {
        let jump = opening::Settings::default().clock_jump_max_ms;
        let is_suspect = now_ms + 60_000 < self.last_ms || now_ms > self.last_ms + jump;
        let is_confirmed = self
            .confirmed_ms
            .is_some_and(|ms| ms.abs_diff(now_ms) <= jump);
        if is_suspect && !is_confirmed {
            return Err(format!(
                "admitted at {now_ms}, the last admission was at {}",
                self.last_ms
            ));
        }
        self.last_ms = self.last_ms.max(now_ms);
        Ok(())
    }

    /// The operator looks at the clock when the ledger complains: soon when it is
    /// right, and now and then when it is not.
    fn confirm(
        &mut self,
        sequencer: &mut Sequencer,
        outcomes: &[Vec<Outcome>],
        now_ms: u64,
        is_calm: bool,
    ) {
        let complains = outcomes
            .iter()
            .flatten()
            .any(|outcome| matches!(outcome, Outcome::Unavailable(_)));
        let offset = self.clock.0.unsigned_abs();
        let is_likely = match offset {
            0 => is_calm || self.draw.chance(1, 2),
            _ => offset < 1_000 * DAY_MS && self.draw.chance(1, 12),
        };
        if complains && is_likely {
            sequencer.confirm_clock(now_ms);
            self.confirmed_ms = Some(now_ms);
            self.troubles.confirmed += 1;
        }
    }

    fn answers(
        &mut self,
        view: &View,
        asked: Vec<Asked>,
        outcomes: Vec<Vec<Outcome>>,
        size_before: u64,
    ) -> Vec<Answer> {
        let mut outcomes = outcomes.into_iter();
        let honest = Arc::new(view.checkpoint().clone());
        let mut answers = Vec::with_capacity(asked.len());
        for asked in asked {
            let (to, told) = match asked {
                Asked::Records(to, hashes) => {
                    let outcomes = self.told(view, &hashes, outcomes.next().unwrap_or_default());
                    (
                        to,
                        Told::Records(hashes.into_iter().zip(outcomes).collect()),
                    )
                }
                Asked::Request(to, named, parts) => {
                    let outcomes = outcomes.by_ref().take(parts).flatten().collect();
                    (to, Told::Request(named, outcomes))
                }
                Asked::LookUp(to, hash) => {
                    let denies = self.bug == Some(Bug::DeniesRecords);
                    let index = view.index_of(&hash).unwrap();
                    (to, Told::Found(hash, index.filter(|_| !denies)))
                }
            };
            let checkpoint = match self.bug {
                Some(Bug::IsTwoFaced) if to == 0 => self.other_face(&honest),
                _ => Arc::clone(&honest),
            };
            answers.push(Answer {
                to,
                told,
                checkpoint,
                size_before,
            });
        }
        answers
    }

    /// Where bugs change what is told.
    fn told(&self, view: &View, hashes: &[Hash], mut outcomes: Vec<Outcome>) -> Vec<Outcome> {
        use trace_core::ledger::job::Admitted;
        let size = view.size();
        let mut last = None;
        for (outcome, hash) in outcomes.iter_mut().zip(hashes) {
            match (self.bug, outcome) {
                (Some(Bug::ReusesIndex), Outcome::Admitted(admitted)) => {
                    admitted.index = *last.get_or_insert(admitted.index);
                }
                (Some(Bug::MisplacesDuplicates), Outcome::Admitted(admitted)) => {
                    admitted.index += u64::from(admitted.is_duplicate);
                }
                (Some(Bug::AdmitsRefused), outcome @ Outcome::Refused(_)) => {
                    *outcome = Outcome::Admitted(Admitted {
                        index: size,
                        hash: *hash,
                        is_duplicate: false,
                    });
                }
                _ => {}
            }
        }
        outcomes
    }

    fn other_face(&self, honest: &VerifiedCheckpoint) -> Arc<VerifiedCheckpoint> {
        let mut checkpoint = honest.checkpoint().clone();
        checkpoint.root = Hash::of(&[b"another tree"]);
        let signed = checkpoint.sign(&self.base.signer).unwrap();
        Arc::new(signed.verify(self.base.signer.verifier_key()).unwrap())
    }
}

/// Opens with one derived row that no record states.
fn spoilt(
    disk: &SimulatedDisk,
    parts: trace_core::ledger::opening::Parts,
) -> Result<Opened, trace_core::error::Store> {
    let (log, mut index, vault) = ledger_on_disk::open_engines(disk)?;
    index.put(b"\xfe nobody said this", b"1")?;
    ledger_on_disk::resume(disk, parts, (log, index, vault))
}

/// The plain list of all that stands in the log, and the last admission's time.
fn replay(view: &View) -> Result<(Plain, u64), String> {
    let mut plain = Plain::default();
    let mut last_ms = 0;
    let wrong = view.scan(0, |index, bytes| {
        let entry = Entry::decode(bytes).unwrap();
        let openings = view.trade_openings(index).unwrap();
        if entry.admitted_ms < last_ms {
            return ControlFlow::Break(Some(format!("entry {index} goes back in time")));
        }
        last_ms = entry.admitted_ms;
        match plain.admit(&entry.signed.body().unwrap(), &openings) {
            Ok(()) => ControlFlow::Continue(()),
            Err(why) => ControlFlow::Break(Some(why)),
        }
    });
    match wrong.map_err(|error| error.to_string())? {
        Some(why) => Err(why),
        None => Ok((plain, last_ms)),
    }
}
