//! Acts against a ledger, many at once; then every balance, holder, graph and
//! status; then the same ledger opened again, and once more without its index.

use super::acts::Bodies;
use super::chance::Chance;
use super::plain::Model;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::sync::mpsc::channel;
use trace_core::error::Rule;
use trace_core::ident::{Area, TraceCode};
use trace_core::ledger::balances::{self, Period, ProductBalance};
use trace_core::ledger::job::{Job, Outcome};
use trace_core::ledger::lineage::{self, Limits};
use trace_core::ledger::lookup::{Audience, Lookup};
use trace_core::ledger::opening::{self, INDEX, Opened, Settings};
use trace_core::ledger::recall_sheet::recall_sheet;
use trace_core::ledger::sequencer::Sequencer;
use trace_core::ledger::{View, bundling};
use trace_core::proof::anchor::Anchor;
use trace_core::proof::merkle::leaf_hash;
use trace_core::record::movement::Manner;
use trace_core::record::quantity::BaseUnit;
use trace_core::record::{Role, Status};
use trace_fixtures::Who;
use trace_fixtures::stage::{Stage, parts};

/// Steps in the suite.
const STEPS: u64 = 20_000;

/// Each must have refused a hundred times in that many steps.
const MAIN_RULES: [Rule; 22] = [
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
        let mut stage = Stage::new();
        let bodies = Bodies::new(&mut stage.world);
        let market = stage.world.role_granted(Who::ColdStore, Role::Market);
        let market = stage.world.sign_bare(Who::CountyAuthority, market);
        stage.admit(market);
        let like = stage.world.unit();
        let tolerance = stage.world.tolerance_adopted(&like);
        let tolerance = stage.world.sign_bare(Who::Root, tolerance);
        stage.admit(tolerance);
        let model = Model {
            size: stage.view().size(),
            ..Model::default()
        };
        Self {
            stage,
            bodies,
            model,
            chance: Chance::new(seed),
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

    fn codes(&self) -> Vec<TraceCode> {
        let mut codes: Vec<TraceCode> = self.model.units.keys().copied().collect();
        codes.sort_unstable();
        codes
    }

    /// Where everything is, against the model.
    fn check_balances(&mut self, view: &View) {
        for code in self.codes() {
            let unit = &self.model.units[&code];
            let found = lineage::balance(view, code).unwrap().unwrap();
            let balance = found.balance;
            assert!(balance.adds_up(found.made), "{found:?}");
            let gone = |manner| unit.disposed.get(&manner).copied().unwrap_or(0);
            let wanted = [
                (found.made, unit.amount),
                (balance.held, unit.held()),
                (balance.in_transit, self.model.in_transit(&code)),
                (balance.gained, unit.gained),
                (balance.lost, unit.lost),
                (balance.unexplained, unit.unexplained),
                (balance.outside, unit.outside),
                (balance.transformed, unit.used),
                (balance.sold, gone(Manner::Sold)),
                (balance.consumed, gone(Manner::Consumed)),
                (balance.destroyed, gone(Manner::Destroyed)),
                (balance.returned, gone(Manner::Returned)),
                (found.stored, unit.stored),
            ];
            for (found, wanted) in wanted {
                assert_eq!(found, wanted, "{code} {balance:?}");
            }
            let holders = lineage::holders(view, code, None, 100).unwrap();
            let mut found: Vec<_> = holders.into_iter().collect();
            found.sort_unstable();
            let lots = unit.lots.iter().filter(|(_, lot)| lot.amount > 0);
            let mut wanted: Vec<_> = lots
                .map(|(place, lot)| (self.stage.world.id(Who::ALL[*place]), lot.amount))
                .collect();
            wanted.sort_unstable();
            assert_eq!(found, wanted, "{code}");
        }
        let questions = lineage::questions(view, 0, usize::MAX).unwrap();
        assert_eq!(questions.len() as u64, self.model.questions);
        self.check_entities(view);
    }

    /// What each entity holds in all, and its area, against what the model's lots
    /// add up to.
    fn check_entities(&self, view: &View) {
        let period = Period {
            first: None,
            last: self.stage.today().add_days(400).unwrap(),
        };
        let held = |found: Vec<ProductBalance>| {
            let mut sums: BTreeMap<BaseUnit, i64> = BTreeMap::new();
            for product in found {
                assert!(product.held >= 0 && product.held_before == 0, "{product:?}");
                *sums.entry(product.base).or_default() += product.held;
            }
            sums.retain(|_, sum| *sum != 0);
            sums
        };
        let mut all: BTreeMap<BaseUnit, i64> = BTreeMap::new();
        for (place, who) in Who::ALL.iter().enumerate() {
            let mut wanted: BTreeMap<BaseUnit, i64> = BTreeMap::new();
            for unit in self.model.units.values() {
                let lot = unit.lots.get(&place).map_or(0, |lot| lot.amount);
                for sums in [&mut wanted, &mut all] {
                    *sums.entry(unit.measure).or_default() += i64::try_from(lot).unwrap();
                }
            }
            wanted.retain(|_, sum| *sum != 0);
            let entity = self.stage.world.id(*who);
            let found = balances::of_entity(view, entity, period).unwrap();
            assert_eq!(held(found), wanted, "{who:?}");
        }
        all.retain(|_, sum| *sum != 0);
        let found = balances::of_area(view, Area::HEBEI, period).unwrap();
        assert_eq!(held(found), all);
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
        for (place, code) in self.codes().into_iter().enumerate() {
            let (hold, recall) = self.model.barred(&code);
            let answer = lookup.unit(code, 0, 1).unwrap().unwrap();
            let barred = [(Status::Recalled, recall), (Status::OnHold, hold)];
            let wanted = barred.iter().find(|(_, index)| index.is_some());
            let is_barred = [Status::Recalled, Status::OnHold].contains(&answer.status);
            match wanted {
                Some((status, _)) => assert_eq!(answer.status, *status, "{code}"),
                None => assert!(!is_barred, "{code}: {:?}", answer.status),
            }
            *counts.entry(answer.status.name()).or_default() += 1;
            let index_of = |list: &[trace_core::record::status::Reason], check| {
                list.iter()
                    .find(|reason| reason.check == check)
                    .unwrap()
                    .index
            };
            assert_eq!(index_of(&answer.reasons, "recall"), recall, "{code}");
            assert_eq!(index_of(&answer.reasons, "hold"), hold, "{code}");
            if place % BUNDLE_OF_UNITS != 0 {
                continue;
            }
            let bundle = bundling::bundle(&view, &sequencer.signer(), code)
                .unwrap()
                .unwrap();
            let verdict = bundle.verify(&anchor, &[], today).unwrap();
            assert_eq!(verdict.judgement.status, answer.status, "{code}");
            assert_eq!(
                index_of(&verdict.judgement.reasons, "recall"),
                recall,
                "{code}"
            );
            assert_eq!(index_of(&verdict.judgement.reasons, "hold"), hold, "{code}");
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
    run.check_balances(&view);
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
