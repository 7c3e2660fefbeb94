//! Acts against a ledger, many at once; then every balance, holder, graph and
//! status; then the same ledger opened again, and once more without its index.

use super::acts::Bodies;
use super::chance::Chance;
use super::check;
use super::plain::Model;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::sync::mpsc::channel;
use trace_core::error::Rule;
use trace_core::ledger::bundling;
use trace_core::ledger::job::{Job, Outcome};
use trace_core::ledger::lineage::{self, Limits};
use trace_core::ledger::lookup::{Audience, Lookup};
use trace_core::ledger::opening::{self, INDEX, Opened, Settings};
use trace_core::ledger::recall_sheet::recall_sheet;
use trace_core::ledger::sequencer::Sequencer;
use trace_core::proof::anchor::Anchor;
use trace_core::proof::merkle::leaf_hash;
use trace_core::record::Role;
use trace_fixtures::Who;
use trace_fixtures::stage::{Stage, parts};

/// Steps in the suite.
const STEPS: u64 = 20_000;

/// Each must have refused a hundred times in that many steps.
pub const MAIN_RULES: [Rule; 22] = [
    Rule::Right,
    Rule::UnitKnown,
    Rule::UnitUnknown,
    Rule::EventAhead,
    Rule::BeforeProduction,
    Rule::QuantityUnit,
    Rule::QuantityExceeded,
    Rule::NotHolder,
    Rule::NotReceiver,
    Rule::Counterparty,
    Rule::TransferReceived,
    Rule::NothingLeft,
    Rule::InColdStore,
    Rule::DoesNotAddUp,
    Rule::CertificateSpent,
    Rule::ProductDiffers,
    Rule::OnHold,
    Rule::Recalled,
    Rule::TargetUnknown,
    Rule::ImpossibleOrder,
    Rule::MarkEnded,
    Rule::DatesDisagree,
];

/// One unit of so many is checked by bundle and by graph too.
const BUNDLE_OF_UNITS: usize = 15;

/// A number that the environment tells, or this.
pub fn told(name: &str, unless: u64) -> u64 {
    let told = std::env::var(name).ok();
    told.map_or(unless, |told| told.parse().unwrap())
}

/// A ledger on which the cold store runs a market too, and a policy tolerates
/// what the model knows.
pub fn stage() -> Stage {
    let mut stage = Stage::new();
    let market = stage.world.role_granted(Who::ColdStore, Role::Market);
    let market = stage.world.sign_bare(Who::CountyAuthority, market);
    stage.admit(market);
    let like = stage.world.unit();
    let tolerance = stage.world.tolerance_adopted(&like);
    let tolerance = stage.world.sign_bare(Who::Root, tolerance);
    stage.admit(tolerance);
    stage
}

struct Run {
    stage: Stage,
    bodies: Bodies,
    model: Model,
    chance: Chance,
    refused: BTreeMap<Rule, u64>,
    admitted: u64,
}

impl Run {
    fn new(seed: u64) -> Self {
        let mut stage = stage();
        let bodies = Bodies::new(&mut stage.world);
        let model = Model {
            size: stage.view().size(),
            ..Model::default()
        };
        Self {
            stage,
            bodies,
            model,
            chance: Chance::new(seed, "lineage", 5),
            refused: BTreeMap::new(),
            admitted: 0,
        }
    }

    /// Some acts at once; how many.
    fn batch(&mut self) -> u64 {
        self.stage.world.now_ms += self.chance.draw.between(1_000, 10 * 60_000);
        self.stage.tick();
        self.model.now_ms = self.stage.world.now_ms;
        let (sender, answers) = channel();
        let mut wanted = Vec::new();
        let count = self.chance.draw.between(1, 40);
        for place in 0..count {
            // All of a batch is signed at its beginning.
            self.stage.world.now_ms = self.model.now_ms;
            let act = self.chance.act(&self.model);
            let verdict = self.model.judge(&act);
            let (body, openings) = self.bodies.body(&mut self.stage.world, &act);
            let submission = self.stage.world.sign(act.by, body.clone(), openings);
            let expected = match verdict {
                Ok(()) => {
                    let hash = submission.signed.hash();
                    self.chance.admitted(&act, hash);
                    self.bodies.admitted(&body);
                    Ok(self.model.admit(&act, hash))
                }
                Err(rule) => {
                    let statement = submission.signed.statement();
                    let (sequence, link) = (statement.sequence, statement.link);
                    self.stage.world.chain(act.by).resume(sequence, link);
                    Err(rule)
                }
            };
            let item = self.stage.ledger.verify(vec![submission]).pop().unwrap();
            let item = item.unwrap_or_else(|refusal| panic!("{refusal:?}: {act:?}"));
            let job = Job {
                items: vec![item],
                atomic: false,
                request: None,
            };
            let sender = sender.clone();
            let reply = Box::new(move |answered: trace_core::ledger::writer::Answered| {
                sender.send((place, answered.outcomes)).unwrap();
            });
            self.stage.ledger.submit(job, reply).unwrap();
            wanted.push((expected, act));
        }
        drop(sender);
        let mut answered = 0;
        for (place, outcomes) in answers {
            answered += 1;
            let (expected, act) = &wanted[usize::try_from(place).unwrap()];
            let found = match &outcomes[0] {
                Outcome::Admitted(admitted) => Ok(admitted.index),
                Outcome::Refused(refusal) => Err(refusal.invalid.rule),
                Outcome::Unavailable(why) => panic!("{why}"),
            };
            assert_eq!(found, *expected, "{act:?}\n{outcomes:#?}");
            match found {
                Ok(_) => self.admitted += 1,
                Err(rule) => *self.refused.entry(rule).or_default() += 1,
            }
        }
        assert_eq!(answered, count, "jobs without an answer");
        count
    }

    /// What bars each unit by look-up; of some also bundle, graph and sheet.
    fn check_statuses(&self, sequencer: &Sequencer) -> BTreeMap<&'static str, u64> {
        let (view, vault) = (sequencer.view(), sequencer.vault_reader());
        let today = self.stage.today();
        let anchor = Anchor {
            ledger_key: sequencer.signer().verifier_key().clone(),
            leaf0: leaf_hash(&view.entry(0).unwrap().encode()),
        };
        let now_ms = self.stage.world.now_ms;
        let mut lookup = Lookup::new(&view, &vault, Audience::Full, now_ms).unwrap();
        let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
        for (place, code) in check::codes(&self.model).into_iter().enumerate() {
            let (hold, recall) = self.model.barred(&code);
            let status = check::barred(&mut lookup, &self.model, code);
            *counts.entry(status.name()).or_default() += 1;
            if place % BUNDLE_OF_UNITS != 0 {
                continue;
            }
            let bundle = bundling::bundle(&view, &sequencer.signer(), code)
                .unwrap()
                .unwrap();
            let verdict = bundle.verify(&anchor, &[], today).unwrap();
            assert_eq!(verdict.judgement.status, status, "{code}");
            let reasons = &verdict.judgement.reasons;
            assert_eq!(check::index_of(reasons, "recall"), recall, "{code}");
            assert_eq!(check::index_of(reasons, "hold"), hold, "{code}");
            let wanted = self.model.made_of(code, None);
            let graph = lineage::trace_forward(&view, code, Limits::default()).unwrap();
            let found: BTreeSet<_> = graph.units.iter().map(|unit| unit.balance.unit).collect();
            assert_eq!(found, wanted);
            for child in found {
                let back = lineage::trace_back(&view, child, Limits::default()).unwrap();
                assert!(back.units.iter().any(|unit| unit.balance.unit == code));
            }
            let mut sheet = BTreeMap::new();
            recall_sheet(&view, code, None, |row| {
                *sheet.entry(row.unit).or_insert(0u64) += row.amount;
                ControlFlow::Continue(())
            })
            .unwrap();
            for unit in wanted {
                let known = &self.model.units[&unit];
                let all = known.amount + known.gained - known.used;
                assert_eq!(sheet.get(&unit).copied().unwrap_or(0), all, "{unit}");
            }
        }
        counts
    }

    fn open(&self) -> Box<Sequencer> {
        let parts = parts(&self.stage.world);
        match opening::open(self.stage.folder(), Settings::default(), parts).unwrap() {
            Opened::Writable(sequencer) => sequencer,
            Opened::ReadOnly { why, .. } => panic!("read-only: {why}"),
        }
    }
}

#[test]
fn goods_move_as_a_plain_model_says() {
    let seed = told("TRACE_LINEAGE_SEED", 1);
    let steps = told("TRACE_LINEAGE_STEPS", STEPS);
    println!("seed {seed}, {steps} steps");
    let mut run = Run::new(seed);
    let mut tried = 0;
    while tried < steps {
        tried += run.batch();
    }
    let admitted = run.admitted;
    println!("{tried} tried, {admitted} admitted, refused by:");
    for (rule, count) in &run.refused {
        println!("  {count:6} {}", rule.code());
    }
    assert!(
        admitted * 100 >= tried * 30,
        "{admitted} of {tried} admitted"
    );
    let enough = 100 * steps / STEPS;
    for rule in MAIN_RULES {
        let count = run.refused.get(&rule).copied().unwrap_or(0);
        assert!(count >= enough.min(100), "{rule:?} refused {count} times");
    }
    let view = run.stage.view();
    check::balances(&view, &run.model, &run.stage.world);
    check::entities(&view, &run.model, &run.stage.world);
    let questions = lineage::questions(&view, 0, usize::MAX).unwrap();
    assert_eq!(questions.len() as u64, run.model.questions);
    let (digest, note) = (
        view.folded().derived_digest().unwrap(),
        view.checkpoint().note().to_owned(),
    );
    drop(view);
    let same = |sequencer: &Sequencer| {
        let view = sequencer.view();
        assert_eq!(view.checkpoint().note(), note);
        assert_eq!(view.folded().derived_digest().unwrap(), digest);
    };
    run.stage.ledger.stop().unwrap();
    let sequencer = run.open();
    same(&sequencer);
    let counts = run.check_statuses(&sequencer);
    println!("units: {counts:?}");
    for status in ["recalled", "on_hold"] {
        assert!(counts.contains_key(status), "no unit is {status}");
    }
    sequencer.close().unwrap();
    // And again without its index, which the log makes anew, row for row.
    std::fs::remove_file(run.stage.folder().join(INDEX)).unwrap();
    same(&run.open());
}
