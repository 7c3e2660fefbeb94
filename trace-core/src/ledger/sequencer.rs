//! The one sequencer: takes verified submissions, applies the rules in order,
//! commits a group in one transaction, signs, and only then answers.
//!
//! A plain state machine: clock, randomness and disks are passed in, so that a
//! whole world can be run under one seed. It does not read, parse or verify
//! what clients send; only [`Verified`] records reach it.

use super::checkpoints::Checkpoints;
use super::clock::ClockGuard;
use super::fold;
use super::folded::{ChainState, Folded};
use super::hosted::HostedKeys;
use super::job::{Admitted, Item, Job, JobRequest, Outcome, Refusal, Refused, refuse};
use super::log::{self, Request, Row};
use super::vault::{SectionPlace, Vault, VaultReader};
use super::view::View;
use super::working::{Memory, Working};
use crate::error::{Invalid, Rule, Store};
use crate::ident::EntityId;
use crate::proof::merkle::{Frontier, leaf_hash};
use crate::proof::note::NoteSigner;
use crate::record::claim::Claim;
use crate::record::layout::Unverified;
use crate::record::rights::Registry;
use crate::record::section::Openings;
use crate::record::sign::KeyId;
use crate::record::wire::PersonId;
use crate::record::{Body, Hash, Origin, Statement, Verified};
use crate::rules::{self, Admissible};
use crate::store::overlay::{Index, Mark};
use crate::store::redb::Database;
use std::sync::Arc;
use zeroize::Zeroizing;

/// Where random bytes come from.
pub type Entropy = Box<dyn FnMut(&mut [u8]) + Send>;

/// The sequencer's state. After any [`Store`] error it must not be used again;
/// it then refuses by itself.
pub struct Sequencer {
    pub(super) origin: Origin,
    pub(super) log: Database,
    pub(super) index: Index,
    pub(super) frontier: Frontier,
    pub(super) checkpoints: Checkpoints,
    pub(super) clock: ClockGuard,
    pub(super) vault: Vault,
    pub(super) hosted: HostedKeys,
    pub(super) entropy: Entropy,
    pub(super) view: View,
    pub(super) memory: Memory,
    pub(super) stopped: Option<String>,
}

/// What a group has gathered and not yet committed.
#[derive(Default)]
struct Pending {
    rows: Vec<Row>,
    erased: Vec<PersonId>,
}

/// A state to come back to when an atomic job is refused.
struct Savepoint {
    mark: Mark,
    frontier: Frontier,
    rows: usize,
    erased: usize,
}

impl Sequencer {
    /// The last published moment.
    #[must_use]
    pub fn view(&self) -> View {
        self.view.clone()
    }

    /// The operator says that the clock is right.
    pub fn confirm_clock(&mut self, now_ms: u64) {
        self.clock.confirm(now_ms);
    }

    /// The hosted keys, to add one.
    pub fn hosted_mut(&mut self) -> &mut HostedKeys {
        &mut self.hosted
    }

    /// Admits a group of jobs at `now_ms`: answers are in the order of the jobs
    /// and their items, and every admission among them is durable.
    ///
    /// # Errors
    /// Any [`Store`] error is final: nothing of this group may be answered, and
    /// the process must end.
    pub fn admit(&mut self, jobs: Vec<Job>, now_ms: u64) -> Result<Vec<Vec<Outcome>>, Store> {
        self.refuse_stopped()?;
        let outcome = self.admit_group(jobs, now_ms);
        self.stop_on_error(outcome)
    }

    fn refuse_stopped(&self) -> Result<(), Store> {
        match &self.stopped {
            None => Ok(()),
            Some(why) => Err(Store::ReadOnly {
                why: format!("the writer stopped: {why}"),
            }),
        }
    }

    fn stop_on_error<T>(&mut self, outcome: Result<T, Store>) -> Result<T, Store> {
        if let Err(error) = &outcome {
            self.stopped = Some(error.to_string());
        }
        outcome
    }

    fn admit_group(&mut self, jobs: Vec<Job>, now_ms: u64) -> Result<Vec<Vec<Outcome>>, Store> {
        let stamp = match self.clock.stamp(now_ms) {
            Ok(stamp) => stamp,
            Err(why) => {
                let all = jobs
                    .iter()
                    .map(|job| vec![Outcome::Unavailable(why.clone()); job.items.len()]);
                return Ok(all.collect());
            }
        };
        let mut pending = Pending::default();
        let mut outcomes = Vec::with_capacity(jobs.len());
        for job in jobs {
            outcomes.push(self.admit_job(job, stamp, &mut pending)?);
        }
        if !pending.rows.is_empty() {
            self.commit(pending, stamp)?;
        }
        Ok(outcomes)
    }

    fn admit_job(
        &mut self,
        job: Job,
        stamp: u64,
        pending: &mut Pending,
    ) -> Result<Vec<Outcome>, Store> {
        let count = job.items.len();
        if let Some(request) = &job.request
            && let Some(answer) = self.known_request(request, count, pending)?
        {
            return Ok(answer);
        }
        let is_atomic = job.atomic || job.request.is_some();
        let savepoint = is_atomic.then(|| Savepoint {
            mark: self.index.mark(),
            frontier: self.frontier.clone(),
            rows: pending.rows.len(),
            erased: pending.erased.len(),
        });
        let mut outcomes = Vec::with_capacity(count);
        for (place, item) in job.items.into_iter().enumerate() {
            let is_last = place + 1 == count;
            let request = job
                .request
                .as_ref()
                .filter(|_| is_last)
                .map(|request| Request {
                    entity: request.entity,
                    key: request.key.clone(),
                    request_hash: request.request_hash,
                    count: u32::try_from(count).unwrap_or(u32::MAX),
                });
            match self.admit_item(item, stamp, request, pending) {
                Ok(admitted) => outcomes.push(Outcome::Admitted(admitted)),
                Err(Refused::Store(error)) => return Err(error),
                Err(Refused::Rule(refusal)) => {
                    let Some(savepoint) = savepoint else {
                        outcomes.push(Outcome::Refused(refusal));
                        continue;
                    };
                    self.index.rollback(savepoint.mark)?;
                    self.memory.forget();
                    self.frontier = savepoint.frontier;
                    pending.rows.truncate(savepoint.rows);
                    pending.erased.truncate(savepoint.erased);
                    return Ok(refuse_all(refusal, place, count));
                }
            }
        }
        Ok(outcomes)
    }

    /// A request that was answered before gets the same answer again.
    fn known_request(
        &self,
        request: &JobRequest,
        count: usize,
        pending: &Pending,
    ) -> Result<Option<Vec<Outcome>>, Store> {
        let folded = Folded::new(self.index.view());
        let Some(known) = folded.request(&request.entity, &request.key)? else {
            return Ok(None);
        };
        if known.request_hash != request.request_hash {
            let what = format!(
                "{:?} named another request, answered at index {}",
                request.key, known.last_index
            );
            let refusal = Refusal {
                invalid: Invalid::new(Rule::IdempotencyReused, what),
                expected: None,
            };
            return Ok(Some(vec![Outcome::Refused(Box::new(refusal)); count]));
        }
        let first = known
            .last_index
            .saturating_sub(u64::from(known.count).saturating_sub(1));
        let committed = self.view.size();
        let answer: Result<Vec<_>, Store> = (first..=known.last_index)
            .map(|index| {
                let hash = match pending.rows.iter().find(|row| row.index == index) {
                    Some(row) => entry_hash(&row.entry),
                    None if index < committed => Some(self.view.log().entry(index)?.signed.hash()),
                    None => None,
                };
                let hash = hash.ok_or_else(|| Store::Damaged {
                    what: format!("index: no entry {index} for a request"),
                })?;
                Ok(Outcome::Admitted(Admitted {
                    index,
                    hash,
                    is_duplicate: true,
                }))
            })
            .collect();
        answer.map(Some)
    }

    fn admit_item(
        &mut self,
        item: Item,
        stamp: u64,
        request: Option<Request>,
        pending: &mut Pending,
    ) -> Result<Admitted, Refused> {
        let working = Working::new(Folded::new(self.index.view()), &self.memory);
        let folded = working.folded();
        let (record, openings) = match item {
            Item::Signed { record, openings } => (*record, openings),
            Item::Hosted {
                entity,
                body,
                openings,
            } => (self.sign_hosted(&working, &entity, &body, stamp)?, openings),
        };
        let hash = record.hash();
        if let Err(refused) = self.check_chain(&working, &record) {
            // What stands in the log is never the next of its chain.
            return match folded.index_of(&hash)? {
                Some(index) => Ok(Admitted {
                    index,
                    hash,
                    is_duplicate: true,
                }),
                None => Err(refused),
            };
        }
        let index = self.frontier.size();
        let Admissible { claims, signed_as } =
            rules::admit(&working, &self.origin, &record, &openings, index, stamp)?;
        let changes = fold::changes(
            &working,
            &record,
            record.body(),
            &claims,
            signed_as.entity,
            index,
            request.as_ref(),
        )?;
        // No reader's copy may be alive while the overlay changes: each would
        // cost a copy of the nodes on the way.
        drop(working);
        self.memory.admitted(&record, &claims);
        let entry = record.entry(stamp);
        let nodes = self.frontier.push(leaf_hash(&entry))?;
        for (key, value) in &changes {
            self.index.put(key, value)?;
        }
        let persons = self.seal_persons(&record, &openings, index)?;
        pending
            .erased
            .extend(claims.iter().filter_map(|claim| match claim {
                Claim::ErasesPerson { person } => Some(*person),
                _ => None,
            }));
        pending.rows.push(Row {
            index,
            entry,
            nodes,
            trade: openings.trade,
            persons,
            request,
        });
        Ok(Admitted {
            index,
            hash,
            is_duplicate: false,
        })
    }

    fn check_chain(&self, working: &Working<'_>, record: &Verified) -> Result<(), Refused> {
        let statement = record.statement();
        if statement.origin != self.origin {
            let what = format!(
                "the record names {}, this ledger is {}",
                statement.origin, self.origin
            );
            return Err(refuse(Invalid::new(Rule::WrongOrigin, what)));
        }
        let wanted = working.chain(&statement.key)?;
        if (statement.sequence, statement.link) == (wanted.sequence, wanted.link) {
            return Ok(());
        }
        let what = format!(
            "sequence {} with link {}, expected {} with {}",
            statement.sequence, statement.link, wanted.sequence, wanted.link
        );
        let refusal = Refusal {
            invalid: Invalid::new(Rule::Sequence, what),
            expected: Some(wanted),
        };
        Err(Refused::Rule(Box::new(refusal)))
    }

    fn sign_hosted(
        &self,
        working: &Working<'_>,
        entity: &EntityId,
        body: &Body,
        stamp: u64,
    ) -> Result<Verified, Refused> {
        let Some(key) = self.hosted_key(working.folded(), entity)? else {
            let what = format!("no key of {entity} in force is hosted here");
            return Err(refuse(Invalid::new(Rule::KeyUnknown, what)));
        };
        let Some(signing) = self.hosted.signing_key(&key)? else {
            return Err(refuse(Invalid::new(
                Rule::KeyUnknown,
                format!("key {key} is not hosted here"),
            )));
        };
        let ChainState { sequence, link } = working.chain(&key)?;
        let signed =
            Statement::new(self.origin.clone(), key, sequence, link, stamp, body).sign(&signing);
        // The same gate as for everyone: what was just signed is verified, so
        // that a fault of the machine cannot put a bad signature on the log.
        signed.verify(&signing.key()).map_err(|error| {
            refuse(match error {
                Unverified::Form(invalid) => invalid,
                Unverified::Evidence(error) => Invalid::new(Rule::Signature, error.to_string()),
            })
        })
    }

    /// The newest hosted key of an entity that is enrolled and not revoked.
    fn hosted_key(&self, folded: &Folded, entity: &EntityId) -> Result<Option<KeyId>, Refused> {
        for key in self.hosted.keys_of(entity) {
            let state = folded.key(&key)?;
            if state.is_some_and(|state| state.entity == *entity && state.revoked_index.is_none()) {
                return Ok(Some(key));
            }
        }
        Ok(None)
    }

    fn seal_persons(
        &mut self,
        record: &Verified,
        openings: &Openings,
        index: u64,
    ) -> Result<Vec<Vec<u8>>, Store> {
        let mut sealed = Vec::new();
        for (position, (person, opening)) in
            (0u8..).zip(record.body().persons().iter().zip(&openings.persons))
        {
            let (mut key, mut nonce) = (Zeroizing::new([0u8; 32]), [0u8; 12]);
            (self.entropy)(&mut *key);
            (self.entropy)(&mut nonce);
            sealed.push(self.vault.seal(
                person.person,
                key,
                nonce,
                opening,
                SectionPlace { index, position },
            )?);
        }
        Ok(sealed)
    }

    fn commit(&mut self, pending: Pending, stamp: u64) -> Result<(), Store> {
        // Openings are durable before the record commits; keys that then serve
        // no record are swept on opening.
        self.vault.sync()?;
        self.index.set_aside();
        let folded = Folded::new(self.index.view());
        let mut gone = Vec::new();
        for person in &pending.erased {
            gone.extend(folded.sections_of(person)?);
        }
        self.log.write(|batch| {
            pending
                .rows
                .iter()
                .try_for_each(|row| log::append(batch, row))?;
            gone.iter()
                .try_for_each(|place| log::destroy_person(batch, *place))
        })?;
        self.clock.admitted(stamp);
        let (size, root) = (self.frontier.size(), self.frontier.root());
        let checkpoint = self.checkpoints.advance(size, root)?;
        // An answer to an erasure says that the key is gone, so it goes first.
        if !pending.erased.is_empty() {
            self.vault.erase(&pending.erased)?;
        }
        self.view = View::new(
            self.view.log().later(self.log.snapshot()?),
            folded,
            Arc::new(checkpoint),
        );
        Ok(())
    }

    /// What can wait until the answers have left: a spare for the next
    /// checkpoint, and merging the index when enough has gathered.
    ///
    /// # Errors
    /// Final, as of [`admit`](Self::admit).
    pub fn settle(&mut self) -> Result<(), Store> {
        self.refuse_stopped()?;
        let (size, root) = (self.frontier.size(), fold::binding(self.frontier.root()));
        let prepared = self.checkpoints.prepare();
        let settled = prepared.and_then(|()| self.index.maybe_merge(size, root));
        self.stop_on_error(settled)
    }

    /// Whether the index is merging beside admission.
    #[must_use]
    pub fn is_merging(&self) -> bool {
        self.index.is_merging()
    }

    /// Takes over what was merged beside admission, when nothing is to be admitted.
    ///
    /// # Errors
    /// Final, as of [`admit`](Self::admit): of an index whose merge failed nothing
    /// can be read.
    pub fn adopt_merged(&mut self) -> Result<(), Store> {
        self.refuse_stopped()?;
        let adopted = self.index.adopt_finished();
        self.stop_on_error(adopted)
    }

    /// Signs what the ledger states.
    #[must_use]
    pub fn signer(&self) -> Arc<NoteSigner> {
        self.checkpoints.signer()
    }

    /// For opening personal sections on other threads.
    #[must_use]
    pub fn vault_reader(&self) -> VaultReader {
        self.vault.reader()
    }

    /// Destroys the data of persons whose retention has ended by `day`, as
    /// their requests on the log say.
    ///
    /// # Errors
    /// Final, as of [`admit`](Self::admit).
    pub fn sweep_persons(&mut self, day: i32) -> Result<(), Store> {
        self.refuse_stopped()?;
        let due = Folded::new(self.index.view()).persons_gone_by(day);
        let swept = due.and_then(|due| self.vault.erase(&due));
        self.stop_on_error(swept).map(|_| ())
    }

    /// Merges the index and closes the files, so that opening is quick.
    ///
    /// # Errors
    /// When the last state could not be put away; what was answered is safe.
    pub fn close(mut self) -> Result<(), Store> {
        if self.stopped.is_none() {
            self.index
                .flush(self.frontier.size(), fold::binding(self.frontier.root()))?;
        }
        let Self {
            log, index, view, ..
        } = self;
        drop(view);
        index.close()?;
        log.close()
    }
}

fn entry_hash(entry: &[u8]) -> Option<Hash> {
    crate::record::Entry::decode(entry)
        .ok()
        .map(|entry| entry.signed.hash())
}

/// Of an atomic job, the refused item says why and the others say which.
fn refuse_all(refusal: Box<Refusal>, place: usize, count: usize) -> Vec<Outcome> {
    let code = refusal.invalid.rule.code();
    let others = Refusal {
        invalid: Invalid::new(
            Rule::Group,
            format!("record {} of {count} was refused by {code}", place + 1),
        ),
        expected: None,
    };
    (0..count)
        .map(|at| {
            Outcome::Refused(if at == place {
                refusal.clone()
            } else {
                Box::new(others.clone())
            })
        })
        .collect()
}
