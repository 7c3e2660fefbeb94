//! Acts against a ledger, one by one, many at once and in groups that stand or
//! fall together; then the same ledger opened again, and once more without its
//! index.

use super::acts::{Act, Bodies};
use super::chance::Chance;
use super::plain::{Key, Model, actor};
use super::verdict::{Place, Step};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::channel;
use tempfile::TempDir;
use trace_core::error::Rule;
use trace_core::ident::TraceCode;
use trace_core::ledger::job::{Item, Job, Outcome};
use trace_core::ledger::lookup::{Audience, Lookup};
use trace_core::ledger::opening::{self, INDEX, Opened, Settings};
use trace_core::ledger::sequencer::Sequencer;
use trace_core::ledger::{Ledger, bundling};
use trace_core::proof::anchor::Anchor;
use trace_core::proof::merkle::leaf_hash;
use trace_core::record::sign::Signature;
use trace_core::record::submission::Submission;
use trace_core::record::{Hash, Signed};
use trace_fixtures::stage::parts;
use trace_fixtures::{Who, World};

/// Steps in the suite: about ten seconds.
const STEPS: u64 = 16_000;

/// Each must have refused a hundred times in that many steps, or nothing was
/// learnt of it.
const MAIN_RULES: [Rule; 25] = [
    Rule::Signature,
    Rule::KeyUnknown,
    Rule::KeyRevoked,
    Rule::KeyKnown,
    Rule::Possession,
    Rule::Sequence,
    Rule::Right,
    Rule::SignedAhead,
    Rule::UnitKnown,
    Rule::UnitUnknown,
    Rule::UnitVoided,
    Rule::NumberUsed,
    Rule::FormFields,
    Rule::IssueAhead,
    Rule::IssueBackdated,
    Rule::BeforeProduction,
    Rule::DatesDisagree,
    Rule::EventAhead,
    Rule::QuantityUnit,
    Rule::QuantityExceeded,
    Rule::TargetUnknown,
    Rule::TargetNotStanding,
    Rule::RoleHeld,
    Rule::RoleNotHeld,
    Rule::Group,
];

/// One unit of so many is checked by bundle too.
const BUNDLE_OF_UNITS: usize = 20;

fn told(name: &str, unless: u64) -> u64 {
    let told = std::env::var(name).ok();
    told.map_or(unless, |told| told.parse().unwrap())
}

fn settings() -> Settings {
    Settings {
        // Small, so that the index is merged again and again as it grows.
        merge_threshold_bytes: 256 << 10,
        ..Settings::default()
    }
}

/// What should become of a record: its index, or the rule.
type Expected = Result<u64, Rule>;

struct Run {
    folder: TempDir,
    ledger: Ledger,
    clock: Arc<AtomicU64>,
    bodies: Bodies,
    model: Model,
    chance: Chance,
    /// Admitted records, and where.
    sent: Vec<(Submission, u64)>,
    refused: BTreeMap<Rule, u64>,
    admitted: u64,
}

impl Run {
    fn new(seed: u64) -> Self {
        let folder = TempDir::new().unwrap();
        let mut world = World::new(7);
        let sequencer = opening::create(folder.path(), settings(), parts(&world)).unwrap();
        let genesis = world.genesis();
        let clock = Arc::new(AtomicU64::new(world.now_ms));
        let hand = Arc::clone(&clock);
        let now = Arc::new(move || hand.load(Ordering::Relaxed));
        let ledger = Ledger::start(sequencer, now, |why| panic!("{why}")).unwrap();
        let mut model = Model {
            now_ms: world.now_ms,
            ..Model::default()
        };
        let mut enrolled = HashMap::new();
        for submission in genesis {
            let kind = submission.signed.body().unwrap();
            if let trace_core::record::Body::KeyEnrolled(body) = kind {
                let key = trace_core::record::sign::PublicKey::from_bytes(body.public_key.0);
                enrolled.insert(key.id(), model.size);
            }
            let item = ledger.verify(vec![submission]).pop().unwrap().unwrap();
            let outcomes = ledger.submit_and_wait(alone(item)).unwrap().outcomes;
            assert!(
                matches!(outcomes[..], [Outcome::Admitted(_)]),
                "{outcomes:?}"
            );
            model.size += 1;
        }
        for who in Who::ALL.into_iter().filter(|who| *who != Who::Root) {
            let entity = world.entity(who);
            model.areas.insert(who, entity.area);
            model.roles.insert((actor(who), entity.role, entity.area));
            let id = world.key_id(who);
            let key = Key {
                owner: who,
                enrolled: enrolled[&id],
                is_revoked: false,
                compromised_from: None,
                next: world.chain(who).next(),
            };
            model.keys.insert(id, key);
        }
        let chance = Chance::new(seed, &mut world);
        Self {
            folder,
            ledger,
            clock,
            bodies: Bodies::new(world),
            model,
            chance,
            sent: Vec::new(),
            refused: BTreeMap::new(),
            admitted: 0,
        }
    }

    fn draw(&mut self) -> &mut trace_fixtures::draw::Draw {
        &mut self.chance.draw
    }

    /// Signs a step as its holder would, who may be wrong about the chain.
    fn sign(&mut self, step: &Step) -> Submission {
        let subject = match &step.act {
            Act::Enrol { key, .. } => {
                let seed = *self.chance.held(key).chain.key().seed();
                Some(trace_core::record::sign::SigningKey::from_seed(seed))
            }
            _ => None,
        };
        let (body, openings) = self.bodies.body(&step.act, subject.as_ref());
        let known = self.model.keys.get(&step.key);
        let (sequence, link) = known.map_or((0, Hash::ZERO), |key| key.next);
        let chain = &mut self.chance.held(&step.key).chain;
        match step.place {
            Place::Next => chain.resume(sequence, link),
            Place::Behind => chain.resume(sequence - 1, link),
            Place::Ahead => chain.resume(sequence + 1, link),
            Place::OtherLink => chain.resume(sequence, Hash::of(&[link.as_bytes()])),
        }
        let mut signed = chain.sign(&body, step.signed_at_ms);
        if step.is_forged {
            let mut signature = *signed.signature().as_bytes();
            signature[5] ^= 0x20;
            let signature = Signature::from_bytes(signature);
            signed = Signed::from_parts(signed.signed_bytes(), &signature).unwrap();
        }
        Submission { signed, openings }
    }

    fn verify(&self, submission: &Submission) -> Result<Item, Rule> {
        let verified = self.ledger.verify(vec![submission.clone()]).pop().unwrap();
        verified.map_err(|refusal| refusal.invalid.rule)
    }

    fn refused(&mut self, rule: Rule) {
        *self.refused.entry(rule).or_default() += 1;
    }

    /// One record by itself; none when it was refused before it was read.
    fn single(&mut self) -> Option<(Job, Vec<Expected>, String)> {
        let step = self.chance.step(&self.model, &self.bodies.world);
        let submission = self.sign(&step);
        let verified = self.verify(&submission);
        if let Err(rule) = self.model.is_refused_unread(&step) {
            assert_eq!(verified.unwrap_err(), rule, "{step:?}");
            self.refused(rule);
            return None;
        }
        let item = verified.unwrap_or_else(|rule| panic!("{rule:?}: {step:?}"));
        let expected = self.model.judge(&step).map(|()| {
            let hash = submission.signed.hash();
            let index = self.model.admit(&step.act, step.key, hash);
            self.sent.push((submission, index));
            index
        });
        Some((alone(item), vec![expected], format!("{step:?}")))
    }

    /// Some records that stand or fall together: mostly sound ones, each built
    /// upon those before it, and sometimes a bad one among them.
    fn group(&mut self) -> (Job, Vec<Expected>, String) {
        let (before, sent) = (self.model.clone(), self.sent.len());
        let count = self.draw().between(2, 5);
        let is_sound = self.draw().chance(2, 3);
        let (mut items, mut expected) = (Vec::new(), Vec::new());
        let (mut steps, mut spoilt) = (String::new(), None);
        while (items.len() as u64) < count {
            let step = self.chance.step(&self.model, &self.bodies.world);
            let verdict = self.model.judge(&step);
            let is_unread = self.model.is_refused_unread(&step).is_err();
            if is_unread || (is_sound && verdict.is_err()) {
                continue;
            }
            let submission = self.sign(&step);
            items.push(self.verify(&submission).unwrap());
            steps += &format!("{step:?}\n");
            match (verdict, spoilt) {
                (Ok(()), None) => {
                    let hash = submission.signed.hash();
                    let index = self.model.admit(&step.act, step.key, hash);
                    self.sent.push((submission, index));
                    expected.push(Ok(index));
                }
                (Err(rule), None) => {
                    spoilt = Some(expected.len());
                    expected.push(Err(rule));
                }
                // Behind the bad one nothing is looked at.
                (_, Some(_)) => expected.push(Err(Rule::Group)),
            }
        }
        if let Some(spoilt) = spoilt {
            expected[..spoilt].fill(Err(Rule::Group));
            self.model = before;
            self.sent.truncate(sent);
        }
        let job = Job {
            items,
            atomic: true,
            request: None,
        };
        (job, expected, steps)
    }

    /// A record that was admitted long ago, sent again.
    fn again(&mut self) -> Option<(Job, Vec<Expected>, String)> {
        if self.sent.is_empty() {
            return None;
        }
        let place = self.chance.draw.place(self.sent.len());
        let (submission, index) = self.sent[place].clone();
        let item = self.verify(&submission).ok()?;
        Some((alone(item), vec![Ok(index)], "sent again".into()))
    }

    /// Some jobs at once; how many records they held.
    fn batch(&mut self) -> u64 {
        self.model.now_ms += self.draw().between(1_000, 40 * 60_000);
        self.clock.store(self.model.now_ms, Ordering::Relaxed);
        let (mut jobs, mut tried) = (Vec::new(), 0);
        for _ in 0..self.draw().between(1, 40) {
            let job = match self.draw().below(100) {
                0..=8 => Some(self.group()),
                9..=11 => self.again(),
                _ => {
                    tried += 1;
                    let job = self.single();
                    tried -= u64::from(job.is_some());
                    job
                }
            };
            jobs.extend(job);
        }
        let (sender, answers) = channel();
        let mut wanted = Vec::new();
        for (place, (job, expected, steps)) in jobs.into_iter().enumerate() {
            tried += expected.len() as u64;
            wanted.push((expected, steps));
            let sender = sender.clone();
            let reply = Box::new(move |answered: trace_core::ledger::writer::Answered| {
                sender.send((place, answered.outcomes)).unwrap();
            });
            self.ledger.submit(job, reply).unwrap();
        }
        drop(sender);
        let mut answered = 0;
        for (place, outcomes) in answers {
            answered += 1;
            let (expected, steps) = &wanted[place];
            let expected = expected.clone();
            let found: Vec<Expected> = outcomes.iter().map(plainly).collect();
            assert_eq!(found, expected, "{steps}\n{outcomes:#?}");
            for one in expected {
                match one {
                    Ok(_) => self.admitted += 1,
                    Err(rule) => self.refused(rule),
                }
            }
        }
        assert_eq!(answered, wanted.len(), "jobs without an answer");
        assert_eq!(self.ledger.view().size(), self.model.size);
        self.chance.batch_ends(&self.model);
        tried
    }

    /// Every unit by look-up, and some of them by bundle, against the model.
    fn check_statuses(&self, sequencer: &Sequencer) -> BTreeMap<&'static str, u64> {
        let (view, vault) = (sequencer.view(), sequencer.vault_reader());
        let anchor = Anchor {
            ledger_key: sequencer.signer().verifier_key().clone(),
            leaf0: leaf_hash(&view.entry(0).unwrap().encode()),
        };
        let now_ms = self.model.now_ms;
        let today = trace_core::ident::CivilDate::from_days(self.model.today()).unwrap();
        let mut lookup = Lookup::new(&view, &vault, Audience::Full, now_ms).unwrap();
        let mut counts = BTreeMap::new();
        let mut codes: Vec<&TraceCode> = self.model.units.keys().collect();
        codes.sort();
        for (place, code) in codes.into_iter().enumerate() {
            let wanted = self.model.status(code);
            let answer = lookup.unit(*code, 0, 100).unwrap();
            assert_eq!(answer.map(|answer| answer.status), wanted, "{code}");
            *counts
                .entry(wanted.map_or("reserved", |it| it.name()))
                .or_default() += 1;
            // A bundle carries and checks all governance of its signers.
            if place % BUNDLE_OF_UNITS == 0 {
                let bundle = bundling::bundle(&view, &sequencer.signer(), *code).unwrap();
                let verdict = bundle.map(|bundle| bundle.verify(&anchor, &[], today).unwrap());
                assert_eq!(
                    verdict.map(|verdict| verdict.judgement.status),
                    wanted,
                    "{code}"
                );
            }
        }
        counts
    }

    fn open(&self) -> Box<Sequencer> {
        let parts = parts(&self.bodies.world);
        match opening::open(self.folder.path(), settings(), parts).unwrap() {
            Opened::Writable(sequencer) => sequencer,
            Opened::ReadOnly { why, .. } => panic!("read-only: {why}"),
        }
    }
}

fn alone(item: Item) -> Job {
    Job {
        items: vec![item],
        atomic: false,
        request: None,
    }
}

fn plainly(outcome: &Outcome) -> Expected {
    match outcome {
        Outcome::Admitted(admitted) => Ok(admitted.index),
        Outcome::Refused(refusal) => Err(refusal.invalid.rule),
        Outcome::Unavailable(why) => panic!("{why}"),
    }
}

#[test]
fn a_ledger_does_what_a_plain_model_says() {
    let (seed, steps) = (
        told("TRACE_MODEL_SEED", 1),
        told("TRACE_MODEL_STEPS", STEPS),
    );
    println!("seed {seed}, {steps} steps");
    let mut run = Run::new(seed);
    let mut tried = 0;
    while tried < steps {
        tried += run.batch();
    }
    let (admitted, refused) = (run.admitted, run.refused.clone());
    println!("{tried} tried, {admitted} admitted, refused by:");
    for (rule, count) in &refused {
        println!("  {count:6} {}", rule.code());
    }
    assert!(
        admitted * 100 >= tried * 30,
        "{admitted} of {tried} admitted"
    );
    let enough = 100 * steps / STEPS;
    for rule in MAIN_RULES {
        let count = refused.get(&rule).copied().unwrap_or(0);
        assert!(count >= enough.min(100), "{rule:?} refused {count} times");
    }

    // Opened again, it is what it was.
    let view = run.ledger.view();
    let (digest, note) = (
        view.folded().derived_digest().unwrap(),
        view.checkpoint().note().to_owned(),
    );
    drop(view);
    run.ledger.stop().unwrap();
    let sequencer = run.open();
    let same = |sequencer: &Sequencer| {
        let view = sequencer.view();
        assert_eq!(view.checkpoint().note(), note);
        assert_eq!(view.folded().derived_digest().unwrap(), digest);
    };
    same(&sequencer);
    let counts = run.check_statuses(&sequencer);
    println!("units: {counts:?}");
    for status in [
        "valid",
        "voided",
        "superseded",
        "disputed",
        "past_date",
        "reserved",
    ] {
        assert!(counts.contains_key(status), "no unit is {status}");
    }
    sequencer.close().unwrap();

    // And again without its index, which the log makes anew, row for row.
    std::fs::remove_file(run.folder.path().join(INDEX)).unwrap();
    same(&run.open());
}
