//! Many short histories of their own units, each with several submitters who act
//! at once and know nothing of each other: what is admitted is what the model
//! admits in the order of the log, and what is refused is refused by the rule
//! that the model names at some moment between.

use super::acts::{Act, Bodies};
use super::chance::{Chance, TRADERS};
use super::check;
use super::plain::Model;
use super::run::{MAIN_RULES, stage, told};
use std::collections::{BTreeMap, HashMap};
use std::sync::Barrier;
use trace_core::error::Rule;
use trace_core::ledger::View;
use trace_core::ledger::job::{Item, Job, Outcome};
use trace_core::ledger::lookup::{Audience, Lookup};
use trace_core::ledger::opening::{self, INDEX, Opened, Settings};
use trace_core::record::Hash;
use trace_core::record::chain::Chain;
use trace_core::record::submission::Submission;
use trace_fixtures::Who;
use trace_fixtures::stage::{Stage, parts};

/// Histories in the suite.
const HISTORIES: u64 = 1_600;
/// Histories that go on side by side.
const SLOTS: usize = 32;
/// Who submits at once in each.
const SUBMITTERS: usize = 4;
/// How often they do: 28 acts make a history.
const ROUNDS: usize = 7;
/// Units of which there must be some before anything else is done.
const UNITS_LEAST: usize = 2;
/// Of so many histories one is looked up unit by unit.
const LOOKED_UP_ONE_IN: usize = 8;

/// Each of the main rules must have refused as often in the suite.
const REFUSED_LEAST: u64 = 50;

/// One history.
struct History {
    model: Model,
    chance: Chance,
    bodies: Bodies,
}

/// An act as it is submitted.
struct Said {
    act: Act,
    hash: Hash,
    body: trace_core::record::Body,
    /// Where the key stood before.
    before: (u64, Hash),
}

#[derive(Default)]
struct Counted {
    tried: u64,
    admitted: u64,
    /// Sound when they were said, and refused because another came first.
    overtaken: u64,
    refused: BTreeMap<Rule, u64>,
}

struct Many {
    stage: Stage,
    /// A device of everybody for each submitter in each slot.
    devices: HashMap<(usize, usize, usize), Chain>,
    counted: Counted,
}

fn actors() -> impl Iterator<Item = Who> {
    TRADERS.into_iter().chain([Who::CountyAuthority])
}

impl Many {
    fn new() -> Self {
        let mut stage = stage();
        let mut devices = HashMap::new();
        for (place, who) in actors().enumerate() {
            let mut own = stage.devices(who, SLOTS * SUBMITTERS).into_iter();
            for slot in 0..SLOTS {
                for submitter in 0..SUBMITTERS {
                    devices.insert((slot, submitter, place), own.next().unwrap());
                }
            }
        }
        Self {
            stage,
            devices,
            counted: Counted::default(),
        }
    }

    fn device(&mut self, slot: usize, submitter: usize, by: Who) -> &mut Chain {
        let place = actors().position(|who| who == by).unwrap();
        self.devices.get_mut(&(slot, submitter, place)).unwrap()
    }

    /// Some histories side by side, to their end.
    fn play(&mut self, seed: u64, first: u64, count: usize) {
        let begin = |number: u64| History {
            model: Model::default(),
            chance: Chance::new(seed, &format!("history {number}"), UNITS_LEAST),
            bodies: Bodies::new(&mut self.stage.world),
        };
        let mut histories: Vec<History> = (first..).take(count).map(begin).collect();
        for _ in 0..ROUNDS {
            self.round(&mut histories);
        }
        let view = self.stage.view();
        for (number, history) in histories.iter().enumerate() {
            check::balances(&view, &history.model, &self.stage.world);
            if number % LOOKED_UP_ONE_IN == 0 {
                self.look_up(&view, &history.model);
            }
        }
    }

    fn look_up(&self, view: &View, model: &Model) {
        let now_ms = self.stage.world.now_ms;
        let mut lookup = Lookup::new(view, self.stage.ledger.vault(), Audience::Full, now_ms);
        let lookup = lookup.as_mut().unwrap();
        for code in check::codes(model) {
            check::barred(lookup, model, code);
        }
    }

    /// Every submitter says one thing in every history, all of them at once.
    fn round(&mut self, histories: &mut [History]) {
        self.stage.world.now_ms += 60_000;
        let now_ms = self.stage.world.now_ms;
        self.stage.tick();
        let mut said: Vec<Vec<Said>> = Vec::new();
        let mut requests: Vec<Vec<Submission>> = Vec::new();
        for submitter in 0..SUBMITTERS {
            let (mut own, mut request) = (Vec::new(), Vec::new());
            for (slot, history) in histories.iter_mut().enumerate() {
                history.model.now_ms = now_ms;
                // What the others are about to do is not known to anybody.
                let act = history.chance.act(&history.model);
                let world = &mut self.stage.world;
                let (body, openings) = history.bodies.body(world, &act);
                let device = self.device(slot, submitter, act.by);
                let before = device.next();
                let signed = device.sign(&body, now_ms);
                own.push(Said {
                    act,
                    hash: signed.hash(),
                    body,
                    before,
                });
                request.push(Submission { signed, openings });
            }
            said.push(own);
            requests.push(request);
        }
        let outcomes = self.submit_at_once(requests);
        for (slot, history) in histories.iter_mut().enumerate() {
            let own = said.iter().zip(&outcomes).enumerate();
            let own =
                own.map(|(submitter, (said, became))| (submitter, &said[slot], &became[slot]));
            self.judge(slot, history, own.collect());
        }
    }

    fn submit_at_once(&self, requests: Vec<Vec<Submission>>) -> Vec<Vec<Outcome>> {
        let (ledger, barrier) = (&self.stage.ledger, &Barrier::new(SUBMITTERS));
        let submit = |request| {
            move || {
                let items = ledger.verify(request).into_iter();
                let items: Vec<Item> = items.map(Result::unwrap).collect();
                let job = Job {
                    items,
                    atomic: false,
                    request: None,
                };
                barrier.wait();
                ledger.submit_and_wait(job).unwrap().outcomes
            }
        };
        std::thread::scope(|scope| {
            let requests = requests.into_iter();
            let hands: Vec<_> = requests.map(|it| scope.spawn(submit(it))).collect();
            hands.into_iter().map(|hand| hand.join().unwrap()).collect()
        })
    }

    /// What became of a round in one history, against the model.
    fn judge(&mut self, slot: usize, history: &mut History, said: Vec<(usize, &Said, &Outcome)>) {
        let (mut admitted, mut refused) = (Vec::new(), Vec::new());
        for (submitter, said, outcome) in said {
            self.counted.tried += 1;
            match outcome {
                Outcome::Admitted(place) => admitted.push((place.index, said)),
                Outcome::Refused(refusal) => {
                    let (sequence, link) = said.before;
                    let device = self.device(slot, submitter, said.act.by);
                    device.resume(sequence, link);
                    refused.push((refusal.invalid.rule, said, Vec::new()));
                }
                Outcome::Unavailable(why) => panic!("{why}"),
            }
        }
        admitted.sort_unstable_by_key(|(index, _)| *index);
        let model = &mut history.model;
        let mut ask = |model: &Model| {
            for (_, said, verdicts) in &mut refused {
                verdicts.push(model.judge(&said.act));
            }
        };
        ask(model);
        for (index, said) in &admitted {
            assert_eq!(model.judge(&said.act), Ok(()), "{:?}", said.act);
            model.size = *index;
            model.admit(&said.act, said.hash);
            history.chance.admitted(&said.act, said.hash);
            history.bodies.admitted(&said.body);
            ask(model);
        }
        self.counted.admitted += admitted.len() as u64;
        for (rule, said, verdicts) in refused {
            assert!(
                verdicts.contains(&Err(rule)),
                "{:?}: refused by {rule:?}, the model says {verdicts:?}",
                said.act
            );
            self.counted.overtaken += u64::from(verdicts[0] == Ok(()));
            *self.counted.refused.entry(rule).or_default() += 1;
        }
    }
}

#[test]
fn many_histories_with_several_submitters_each_add_up_whoever_comes_first() {
    let seed = told("TRACE_LINEAGE_SEED", 1);
    let histories = told("TRACE_LINEAGE_HISTORIES", HISTORIES);
    println!("seed {seed}, {histories} histories of {SUBMITTERS} submitters");
    let mut many = Many::new();
    let mut done = 0;
    while done < histories {
        let count = usize::try_from(histories - done).unwrap().min(SLOTS);
        many.play(seed, done, count);
        done += count as u64;
    }
    let Counted {
        tried,
        admitted,
        overtaken,
        refused,
    } = &many.counted;
    println!("{tried} tried, {admitted} admitted, {overtaken} overtaken, refused by:");
    for (rule, count) in refused {
        println!("  {count:6} {}", rule.code());
    }
    assert!(
        admitted * 100 >= tried * 30,
        "{admitted} of {tried} admitted"
    );
    let share = |wanted: u64| wanted.min(wanted * histories / HISTORIES);
    assert!(*overtaken >= share(300), "{overtaken} overtaken");
    for rule in MAIN_RULES {
        let count = refused.get(&rule).copied().unwrap_or(0);
        let wanted = share(REFUSED_LEAST);
        assert!(count >= wanted, "{rule:?} refused {count} times");
    }

    // Opened without its index, which the log makes anew, row for row.
    let digest = many.stage.view().folded().derived_digest().unwrap();
    let (folder, world) = many.stage.close();
    std::fs::remove_file(folder.path().join(INDEX)).unwrap();
    let opened = opening::open(folder.path(), Settings::default(), parts(&world)).unwrap();
    let Opened::Writable(sequencer) = opened else {
        panic!("read-only")
    };
    assert_eq!(sequencer.view().folded().derived_digest().unwrap(), digest);
}
