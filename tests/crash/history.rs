//! A history that is submitted in groups of various sizes, run once on an
//! honest disk: the trace of all its calls, and what was answered when.

use super::ledger;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use trace_core::ident::TraceCode;
use trace_core::ledger::job::{Item, Job, Outcome};
use trace_core::ledger::sequencer::Sequencer;
use trace_core::proof::checkpoint::VerifiedCheckpoint;
use trace_core::record::kinds::personal_data_erased::PersonalDataErased;
use trace_core::record::sign::{Key, KeyId};
use trace_core::record::submission::Submission;
use trace_core::record::wire::PersonId;
use trace_core::record::{Body, Entry};
use trace_fixtures::disk::{Call, Medium, SimulatedDisk};
use trace_fixtures::draw::Draw;
use trace_fixtures::entity::Contact;
use trace_fixtures::{Who, World};

/// Groups after those that register everybody.
const WORKING_GROUPS: usize = 36;

/// The working group that is an erasure and nothing else.
const ALONE_ERASED: usize = 24;

/// Requests that are committed together.
pub struct Group {
    pub now_ms: u64,
    pub jobs: Vec<Job>,
}

/// What a group came to in the undisturbed run.
pub struct Answer {
    pub outcomes: Vec<Vec<Outcome>>,
    pub checkpoint: VerifiedCheckpoint,
    /// The disk when the answer left.
    pub medium: Medium,
}

/// Somebody who was erased.
pub struct Erased {
    pub person: PersonId,
    /// The key under which that person's sections lay.
    pub key: [u8; 32],
    /// The group whose answer said so.
    pub group: usize,
}

pub struct History {
    pub world: World,
    pub groups: Vec<Group>,
    pub answers: Vec<Answer>,
    /// Every entry's bytes, in the submitted order.
    pub entries: Vec<Vec<u8>>,
    /// Whom each record names.
    pub persons: Vec<Vec<PersonId>>,
    pub erased: Vec<Erased>,
    /// From the empty disk to the clean stop.
    pub trace: Vec<Call>,
}

impl History {
    pub fn of(seed: u64) -> Self {
        let mut writing = Writing::new(seed);
        let groups = writing.groups();
        let world = writing.world;
        let disk = SimulatedDisk::default();
        let mut sequencer = ledger::create(&disk, &world).unwrap();
        let mut answers = Vec::new();
        let mut erased = Vec::new();
        for (number, group) in groups.iter().enumerate() {
            let outcomes = sequencer.admit(group.jobs.clone(), group.now_ms).unwrap();
            disk.answered(number as u64);
            answers.push(Answer {
                outcomes,
                checkpoint: sequencer.view().checkpoint().clone(),
                medium: disk.medium(),
            });
            for person in erased_by(group) {
                // Also of one who was first named in this very group, and had a
                // key for moments.
                let key = keys_written(&disk.trace())[&person];
                erased.push(Erased {
                    person,
                    key,
                    group: number,
                });
            }
            sequencer.settle().unwrap();
        }
        let entries = entries(&sequencer);
        let persons = entries.iter().map(|entry| {
            let body = Entry::decode(entry).unwrap().signed.body().unwrap();
            body.persons().iter().map(|person| person.person).collect()
        });
        let persons = persons.collect();
        let refused = answers
            .iter()
            .flat_map(|answer| answer.outcomes.iter().flatten());
        let refused = refused
            .filter(|outcome| matches!(outcome, Outcome::Refused(_)))
            .count();
        assert_eq!((refused, erased.len()), (3, 3), "what the history is for");
        sequencer.close().unwrap();
        let trace = disk.trace();
        Self {
            world,
            groups,
            answers,
            entries,
            persons,
            erased,
            trace,
        }
    }

    /// The size once so many groups were answered.
    pub fn size(&self, answered: usize) -> u64 {
        let last = answered.checked_sub(1).map(|last| &self.answers[last]);
        last.map_or(0, |answer| answer.checkpoint.size())
    }

    /// How many groups a log of this size holds; none for half a group.
    pub fn groups_in(&self, size: u64) -> Option<usize> {
        (0..=self.groups.len()).find(|answered| self.size(*answered) == size)
    }
}

/// Every entry's bytes, by the public interface.
pub fn entries(sequencer: &Sequencer) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    let whole = sequencer.view().scan(0, |index, bytes| {
        assert_eq!(index, found.len() as u64);
        found.push(bytes.to_vec());
        ControlFlow::<Option<()>>::Continue(())
    });
    whole.unwrap();
    found
}

/// Person → key, of all lines that the vault ever wrote.
fn keys_written(trace: &[Call]) -> BTreeMap<PersonId, [u8; 32]> {
    let mut keys = BTreeMap::new();
    for call in trace {
        let Call::Write { bytes, .. } = call else {
            continue;
        };
        if bytes.starts_with(b"TRFG") {
            keys.extend(vault_lines(bytes));
        }
    }
    keys
}

/// The lines in bytes of the vault's file. A line's payload is its tag 1, the
/// person (16) and the key (32), behind a length of 49 and a checksum (4).
pub fn vault_lines(bytes: &[u8]) -> BTreeMap<PersonId, [u8; 32]> {
    let mut keys = BTreeMap::new();
    for window in bytes.windows(57) {
        if window[..4] == 49u32.to_be_bytes() && window[8] == 1 {
            let person = PersonId(window[9..25].try_into().unwrap());
            keys.insert(person, window[25..].try_into().unwrap());
        }
    }
    keys
}

fn erased_by(group: &Group) -> Vec<PersonId> {
    let items = group.jobs.iter().flat_map(|job| &job.items);
    let erased = items.filter_map(|item| match item {
        Item::Signed { record, .. } => match record.body() {
            Body::PersonalDataErased(body) => Some(body.person),
            _ => None,
        },
        Item::Hosted { .. } => None,
    });
    erased.collect()
}

struct Writing {
    world: World,
    draw: Draw,
    keys: BTreeMap<KeyId, Key>,
    certified: Vec<TraceCode>,
    contacts: Vec<Contact>,
}

impl Writing {
    fn new(seed: u64) -> Self {
        let world = World::new(7);
        let city = world.city();
        let roots = (0..3).map(|place| world.root_key(place).key());
        let members = (0..city.entities().len())
            .map(|place| city.signing_key(city.first_signer(place)).key());
        let keys = roots.chain(members).map(|key| (key.public().id(), key));
        Self {
            keys: keys.collect(),
            draw: Draw::new(seed, "history"),
            certified: Vec::new(),
            contacts: Vec::new(),
            world,
        }
    }

    fn groups(&mut self) -> Vec<Group> {
        let mut opening = self.world.genesis();
        let mut groups = Vec::new();
        // The first record alone, then everybody, in groups that grow.
        for size in [1, 2, 5, 20, usize::MAX] {
            let rest = opening.split_off(size.min(opening.len()));
            let jobs = std::mem::replace(&mut opening, rest);
            let jobs = jobs
                .into_iter()
                .map(|submission| self.job(vec![submission], false));
            groups.push(jobs.collect());
        }
        groups.extend((0..WORKING_GROUPS).map(|number| self.working_group(number)));
        let now_ms = self.world.now_ms;
        let groups = groups.into_iter().zip(0..);
        groups
            .map(|(jobs, number)| Group {
                now_ms: now_ms + 1_000 * number,
                jobs,
            })
            .collect()
    }

    fn working_group(&mut self, number: usize) -> Vec<Job> {
        let mut jobs = Vec::new();
        if number == ALONE_ERASED {
            return vec![self.erasure()];
        }
        let acts = *self.draw.pick(&[1, 1, 2, 3, 6]);
        for _ in 0..acts {
            let submissions = match self.draw.below(5) {
                0 | 1 => self.certificate(),
                2 | 3 => self.store_in(),
                _ => self.newcomer(),
            };
            let atomic = submissions.len() > 1 && self.draw.chance(1, 2);
            jobs.push(self.job(submissions, atomic));
        }
        match number {
            // One request is refused whole, one in part.
            8 | 28 => jobs.push(self.refused(number == 8)),
            // Persons are erased in company, alone, and in the group that first
            // names them; nothing names them afterwards.
            12 => {
                while self.contacts.len() < 2 {
                    let named = self.newcomer();
                    jobs.push(self.job(named, false));
                }
            }
            20 => jobs.push(self.erasure()),
            30 => {
                let seen = self.contacts.len();
                while self.contacts.len() == seen {
                    let named = self.newcomer();
                    jobs.push(self.job(named, false));
                }
                jobs.push(self.erasure());
            }
            _ => {}
        }
        jobs
    }

    fn job(&mut self, submissions: Vec<Submission>, atomic: bool) -> Job {
        let items = submissions.into_iter().map(|submission| {
            let key = &self.keys[&submission.signed.statement().key];
            Item::Signed {
                record: Box::new(submission.signed.verify(key).unwrap()),
                openings: submission.openings,
            }
        });
        Job {
            items: items.collect(),
            atomic,
            request: None,
        }
    }

    fn certificate(&mut self) -> Vec<Submission> {
        let unit = self.world.unit();
        self.certified.push(unit.unit);
        let made = self.world.sign_bare(Who::Producer, unit.clone());
        let (body, openings) = self.world.certificate(&unit);
        vec![made, self.world.sign(Who::Producer, body, openings)]
    }

    fn store_in(&mut self) -> Vec<Submission> {
        let Some(unit) = self.certified.last().copied() else {
            return self.certificate();
        };
        let (body, openings) = self.world.warehouse_in(unit, "3 斤");
        let entered = self.world.sign(Who::ColdStore, body, openings);
        let (body, openings) = self.world.warehouse_out(unit, "1 斤");
        vec![entered, self.world.sign(Who::ColdStore, body, openings)]
    }

    /// A newcomer is registered, whose contact is a new person or one of those
    /// that other newcomers named.
    fn newcomer(&mut self) -> Vec<Submission> {
        let mut newcomer = self.world.newcomer();
        if !self.contacts.is_empty() && self.draw.chance(1, 3) {
            newcomer.contact = self.draw.pick(&self.contacts).clone();
        } else {
            self.contacts.push(newcomer.contact.clone());
        }
        let (body, openings) = self.world.entity_registered(&newcomer);
        vec![self.world.sign(Who::CountyAuthority, body, openings)]
    }

    /// The contact that newcomers named last is erased.
    fn erasure(&mut self) -> Job {
        let contact = self.contacts.pop().unwrap();
        let body = PersonalDataErased {
            person: contact.id,
            acted_by: None,
        };
        let submission = self.world.sign_bare(Who::CountyAuthority, body);
        self.job(vec![submission], false)
    }

    /// Two acts, of which the second is refused: more leaves than is there.
    fn refused(&mut self, atomic: bool) -> Job {
        let (sequence, link) = self.world.chain(Who::ColdStore).next();
        let unit = self.certified[0];
        let (body, openings) = self.world.warehouse_in(unit, "1 斤");
        let first = self.world.sign(Who::ColdStore, body, openings);
        let kept = self.world.chain(Who::ColdStore).next();
        let (body, openings) = self.world.warehouse_out(unit, "900 斤");
        let second = self.world.sign(Who::ColdStore, body, openings);
        // What is refused takes no place in its signer's chain.
        let (sequence, link) = if atomic { (sequence, link) } else { kept };
        self.world.chain(Who::ColdStore).resume(sequence, link);
        self.job(vec![first, second], atomic)
    }
}
