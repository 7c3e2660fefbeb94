//! A stage on which records are admitted or refused by a named rule, and which
//! looks after each refusal whether the ledger is as it was.

use std::collections::BTreeSet;
use trace_core::error::Rule;
use trace_core::ledger::job::{Job, Outcome, Refusal};
use trace_core::record::chain::Chain;
use trace_core::record::kinds::Body;
use trace_core::record::section::Openings;
use trace_core::record::sign::SigningKey;
use trace_core::record::submission::Submission;
use trace_core::record::{Hash, Signed};
use trace_fixtures::stage::Stage;
use trace_fixtures::{Who, World};

/// The rules by which something was refused.
pub type Seen = BTreeSet<Rule>;

/// One story; what it saw refused is added.
pub type Scenario = fn(&mut Seen);

/// Makes a test of each story, and the list of all for the last test.
macro_rules! scenarios {
    ($($(#[$meta:meta])* fn $name:ident($scene:ident) $body:block)*) => {
        /// The stories of this file.
        pub const SCENARIOS: &[crate::rules::scene::Scenario] = &[$(told::$name),*];

        mod told {
            use super::*;
            $(
                $(#[$meta])*
                pub fn $name(seen: &mut crate::rules::scene::Seen) {
                    let mut scene = crate::rules::scene::Scene::new();
                    let $scene = &mut scene;
                    $body
                    seen.extend(scene.seen());
                }
            )*
        }

        $(#[test] fn $name() { told::$name(&mut crate::rules::scene::Seen::new()); })*
    };
}
pub(crate) use scenarios;

/// A ledger with its people, and what it has refused.
pub struct Scene {
    pub stage: Stage,
    seen: Seen,
}

/// All that a refusal must leave as it was.
#[derive(Debug, PartialEq, Eq)]
struct State {
    note: String,
    size: u64,
    derived: Hash,
}

impl Scene {
    pub fn new() -> Self {
        Self::on(Stage::new())
    }

    pub fn on(stage: Stage) -> Self {
        let seen = Seen::new();
        Self { stage, seen }
    }

    pub fn seen(&self) -> impl Iterator<Item = Rule> {
        self.seen.iter().copied()
    }

    pub fn world(&mut self) -> &mut World {
        &mut self.stage.world
    }

    /// Signs and submits as the next record of somebody, who is admitted.
    pub fn admit(&mut self, who: Who, body: impl Into<Body>, openings: Openings) -> u64 {
        let submission = self.stage.world.sign(who, body, openings);
        self.stage.admit(submission)
    }

    /// The same without sections.
    pub fn admit_bare(&mut self, who: Who, body: impl Into<Body>) -> u64 {
        self.admit(who, body, Openings::default())
    }

    /// As [`admit_bare`](Self::admit_bare); the record itself.
    pub fn record(&mut self, who: Who, body: impl Into<Body>, openings: Openings) -> Signed {
        let submission = self.stage.world.sign(who, body, openings);
        self.stage.admit(submission.clone());
        submission.signed
    }

    /// Signs and submits as the next record of somebody, who is refused; the
    /// next one then stands where this would have.
    pub fn refuse(
        &mut self,
        who: Who,
        body: impl Into<Body>,
        openings: Openings,
        rule: Rule,
    ) -> Refusal {
        let submission = self.stage.world.sign(who, body, openings);
        let statement = submission.signed.statement().clone();
        let refusal = self.refuse_submission(submission, rule);
        let chain = self.stage.world.chain(who);
        chain.resume(statement.sequence, statement.link);
        refusal
    }

    /// The same without sections.
    pub fn refuse_bare(&mut self, who: Who, body: impl Into<Body>, rule: Rule) -> Refusal {
        self.refuse(who, body, Openings::default(), rule)
    }

    /// Submits a record, which is refused by this rule and changes nothing.
    pub fn refuse_submission(&mut self, submission: Submission, rule: Rule) -> Refusal {
        let before = self.state();
        let refusal = match self.offer(submission) {
            Err(refusal) => refusal,
            Ok(index) => panic!("admitted at {index}, wanted {rule:?}"),
        };
        assert_eq!(refusal.invalid.rule, rule, "{}", refusal.invalid);
        assert!(!refusal.invalid.what.is_empty(), "{rule:?} says nothing");
        assert_eq!(self.state(), before, "{rule:?} left a trace");
        self.seen.insert(rule);
        refusal
    }

    fn state(&self) -> State {
        let view = self.stage.view();
        State {
            note: view.checkpoint().note().to_owned(),
            size: view.size(),
            derived: view.folded().derived_digest().unwrap(),
        }
    }

    /// Submits a record as a client does: verified first, then judged.
    pub fn offer(&mut self, submission: Submission) -> Result<u64, Refusal> {
        let verified = self.stage.ledger.verify(vec![submission.clone()]);
        verified.into_iter().collect::<Result<Vec<_>, _>>()?;
        outcome(self.stage.offer(submission))
    }

    /// Submits one request of several records.
    pub fn request(&mut self, submissions: Vec<Submission>, atomic: bool) -> Vec<Outcome> {
        let items = self.stage.ledger.verify(submissions);
        let items = items.into_iter().collect::<Result<Vec<_>, _>>().unwrap();
        let job = Job {
            items,
            atomic,
            request: None,
        };
        self.stage.ledger.submit_and_wait(job).unwrap().outcomes
    }

    /// That the ledger is as it was when `act` is done, which is refused.
    pub fn unchanged<R>(&mut self, rule: Rule, act: impl FnOnce(&mut Self) -> R) -> R {
        let before = self.state();
        let outcome = act(self);
        assert_eq!(self.state(), before, "{rule:?} left a trace");
        self.seen.insert(rule);
        outcome
    }

    /// A second device of somebody, enrolled by the county's authority.
    pub fn device(&mut self, who: Who, label: &str) -> Chain {
        let key = self.stage.world.fresh_key(label);
        let enrolled = self.stage.world.key_enrolled(who, &key);
        self.admit_bare(Who::CountyAuthority, enrolled);
        self.chain(key)
    }

    /// The chain of a key that nobody may have enrolled.
    pub fn chain(&self, key: SigningKey) -> Chain {
        Chain::new(self.stage.world.origin().clone(), key)
    }

    /// Signs with a chain of its own, at the world's time.
    pub fn sign_on(&mut self, chain: &mut Chain, body: impl Into<Body>) -> Submission {
        let at_ms = self.stage.world.now_ms;
        self.stage.world.now_ms += 1_000;
        Submission::bare(chain.sign(&body.into(), at_ms))
    }
}

/// What became of one record.
pub fn outcome(outcome: Outcome) -> Result<u64, Refusal> {
    match outcome {
        Outcome::Admitted(admitted) => Ok(admitted.index),
        Outcome::Refused(refusal) => Err(*refusal),
        Outcome::Unavailable(why) => panic!("{why}"),
    }
}
