//! Several submitters for one thing that can be had once: exactly one gets it.

use std::collections::BTreeMap;
use std::sync::Barrier;
use trace_core::error::Rule;
use trace_core::ledger::job::{Item, Job, Outcome};
use trace_core::record::chain::Chain;
use trace_core::record::kinds::unit_created::UnitCreated;
use trace_core::record::section::Openings;
use trace_core::record::submission::Submission;
use trace_core::record::{Body, Quantity};
use trace_fixtures::Who;
use trace_fixtures::stage::Stage;

const SUBMITTERS: usize = 4;
const ROUNDS: usize = 25;

/// A stage, and as many devices of the producer and of the cold store as there
/// are submitters.
struct Race {
    stage: Stage,
    producers: Vec<Chain>,
    stores: Vec<Chain>,
}

impl Race {
    fn new() -> Self {
        let mut stage = Stage::new();
        let mut devices = |who: Who| {
            let enrol = |place| {
                let world = &mut stage.world;
                let key = world.fresh_key(&format!("{who:?} {place}"));
                let body = world.key_enrolled(who, &key);
                let submission = world.sign_bare(Who::CountyAuthority, body);
                stage.admit(submission);
                Chain::new(stage.world.origin().clone(), key)
            };
            (0..SUBMITTERS).map(enrol).collect()
        };
        let (producers, stores) = (devices(Who::Producer), devices(Who::ColdStore));
        Self {
            stage,
            producers,
            stores,
        }
    }

    /// A unit of 10 kg, of which 9 kg are certified and stored.
    fn unit(&mut self) -> UnitCreated {
        let world = &mut self.stage.world;
        let mut unit = world.unit();
        unit.quantity = Quantity::parse("10 公斤").unwrap();
        let created = world.sign_bare(Who::Producer, unit.clone());
        let (mut body, openings) = world.certificate(&unit);
        body.0.quantity = Quantity::parse("9 公斤").unwrap();
        let certified = world.sign(Who::Producer, body, openings);
        let (body, openings) = world.warehouse_in(unit.unit, "9 公斤");
        let stored = world.sign(Who::ColdStore, body, openings);
        for submission in [created, certified, stored] {
            self.stage.admit(submission);
        }
        unit
    }

    /// Everybody submits at once; what became of each, and its chain set right.
    fn run(&mut self, of_stores: bool, bodies: Vec<(Body, Openings)>) -> Vec<Result<u64, Rule>> {
        let at_ms = self.stage.world.now_ms - 1_000;
        let chains = match of_stores {
            true => &mut self.stores,
            false => &mut self.producers,
        };
        let before: Vec<_> = chains.iter().map(Chain::next).collect();
        let signed = chains
            .iter_mut()
            .zip(bodies)
            .map(|(chain, (body, openings))| {
                let signed = chain.sign(&body, at_ms);
                Submission { signed, openings }
            });
        let signed: Vec<Submission> = signed.collect();
        let (ledger, barrier) = (&self.stage.ledger, &Barrier::new(SUBMITTERS));
        let outcomes: Vec<Outcome> = std::thread::scope(|scope| {
            let submit = |submission| {
                move || {
                    barrier.wait();
                    let items: Vec<Item> = ledger
                        .verify(vec![submission])
                        .into_iter()
                        .map(Result::unwrap)
                        .collect();
                    let job = Job {
                        items,
                        atomic: false,
                        request: None,
                    };
                    ledger.submit_and_wait(job).unwrap().outcomes.remove(0)
                }
            };
            let hands: Vec<_> = signed
                .into_iter()
                .map(|it| scope.spawn(submit(it)))
                .collect();
            hands.into_iter().map(|hand| hand.join().unwrap()).collect()
        });
        let chains = chains.iter_mut().zip(before);
        chains
            .zip(outcomes)
            .map(|((chain, (sequence, link)), outcome)| match outcome {
                Outcome::Admitted(admitted) => Ok(admitted.index),
                Outcome::Refused(refusal) => {
                    chain.resume(sequence, link);
                    Err(refusal.invalid.rule)
                }
                Outcome::Unavailable(why) => panic!("{why}"),
            })
            .collect()
    }
}

#[test]
fn of_several_who_race_for_one_thing_exactly_one_gets_it() {
    let mut race = Race::new();
    let mut first = BTreeMap::new();
    for _ in 0..ROUNDS {
        let unit = race.unit();
        let kilogram = Quantity::parse("1 公斤").unwrap();
        let last_certified = (0..SUBMITTERS).map(|_| {
            let (mut body, openings) = race.stage.world.certificate(&unit);
            body.0.quantity = kilogram;
            (body.into(), openings)
        });
        let last_certified: Vec<(Body, Openings)> = last_certified.collect();
        let last_room = (0..SUBMITTERS).map(|_| {
            let (body, openings) = race.stage.world.warehouse_in(unit.unit, "1 公斤");
            (body.into(), openings)
        });
        let last_room: Vec<(Body, Openings)> = last_room.collect();
        // Ten kilograms lie there by then, and one can have them all.
        let all_out = (0..SUBMITTERS).map(|_| {
            let (body, openings) = race.stage.world.warehouse_out(unit.unit, "10 公斤");
            (body.into(), openings)
        });
        let all_out: Vec<(Body, Openings)> = all_out.collect();
        let one_code = race.stage.world.unit();
        let one_code = vec![(one_code.into(), Openings::default()); SUBMITTERS];

        for (of_stores, bodies, rule) in [
            (false, last_certified, Rule::QuantityExceeded),
            (true, last_room, Rule::QuantityExceeded),
            (true, all_out, Rule::QuantityExceeded),
            (false, one_code, Rule::UnitKnown),
        ] {
            let size = race.stage.view().size();
            let outcomes = race.run(of_stores, bodies);
            let winners: Vec<usize> = (0..SUBMITTERS)
                .filter(|place| outcomes[*place].is_ok())
                .collect();
            assert_eq!(winners.len(), 1, "{outcomes:?}");
            *first.entry(winners[0]).or_insert(0) += 1;
            let lost = outcomes.iter().filter(|it| **it == Err(rule)).count();
            assert_eq!(lost, SUBMITTERS - 1, "{outcomes:?}");
            assert_eq!(outcomes[winners[0]], Ok(size));
            assert_eq!(race.stage.view().size(), size + 1);
        }
    }
    println!("who was first, and how often: {first:?}");
    assert_eq!(first.values().sum::<usize>(), 4 * ROUNDS);
}
