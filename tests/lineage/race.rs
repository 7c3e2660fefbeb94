//! Several submitters for one thing that can be had once: exactly one gets it.

use trace_core::error::Rule;
use trace_core::ledger::lineage;
use trace_core::record::Body;
use trace_core::record::kinds::unit_created::UnitCreated;
use trace_core::record::movement::{Manner, Process};
use trace_core::record::section::Openings;
use trace_fixtures::Who;
use trace_fixtures::stage::Stage;

const SUBMITTERS: usize = 4;
const ROUNDS: usize = 20;

fn unit(stage: &mut Stage) -> UnitCreated {
    let unit = stage.world.unit();
    let created = stage.world.sign_bare(Who::Producer, unit.clone());
    stage.admit(created);
    unit
}

#[test]
fn of_several_who_race_for_the_last_kilogram_exactly_one_gets_it() {
    let mut stage = Stage::new();
    let (mut producers, mut buyers) = (
        stage.devices(Who::Producer, SUBMITTERS),
        stage.devices(Who::Buyer, SUBMITTERS),
    );
    for round in 0..ROUNDS {
        // Half of it may go once, and no second half and a gram.
        let of = unit(&mut stage);
        let code = of.unit;
        let bodies: Vec<(Body, Openings)> = (0..SUBMITTERS)
            .map(|place| match (round + place) % 3 {
                0 => {
                    let (body, openings) = stage.world.handed_over(code, Who::Buyer, "501 斤");
                    (body.into(), openings)
                }
                1 => {
                    let (body, openings) = stage.world.disposed(code, Manner::Sold, "501 斤");
                    (body.into(), openings)
                }
                _ => {
                    let output = stage.world.output(&of);
                    let (body, openings) = stage.world.transformed(
                        Process::Split,
                        &[(code, "501 斤")],
                        vec![(output, "501 斤")],
                        None,
                    );
                    (body.into(), openings)
                }
            })
            .collect();
        let at_ms = stage.world.now_ms;
        stage.tick();
        let outcomes = stage.race(&mut producers, bodies, at_ms);
        let won = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
        let lost = outcomes
            .iter()
            .filter(|outcome| **outcome == Err(Rule::QuantityExceeded))
            .count();
        assert_eq!((won, lost), (1, SUBMITTERS - 1), "{outcomes:?}");
        let found = lineage::balance(&stage.view(), code).unwrap().unwrap();
        assert!(found.balance.adds_up(found.made), "{found:?}");
        assert_eq!(found.balance.held, 500_000 - 250_500);

        // One transfer arrives once, however many say so.
        let (body, openings) = stage.world.handed_over(code, Who::Buyer, "1 斤");
        let given = stage.world.sign(Who::Producer, body, openings);
        stage.admit(given.clone());
        let bodies = (0..SUBMITTERS)
            .map(|_| {
                let (body, openings) = stage.world.received(code, &given.signed, "1 斤");
                (body.into(), openings)
            })
            .collect();
        let at_ms = stage.world.now_ms;
        stage.tick();
        let outcomes = stage.race(&mut buyers, bodies, at_ms);
        let won = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
        let lost = outcomes
            .iter()
            .filter(|outcome| **outcome == Err(Rule::TransferReceived))
            .count();
        assert_eq!((won, lost), (1, SUBMITTERS - 1), "{outcomes:?}");
    }
}
