//! Two calls that fail, one after the other: the first ends the writer, and the
//! second comes to whoever starts it again on what is left and sends the same group
//! once more. Public logs have died of the second fault.

use super::failures::{Run, run_on, starts};
use super::history::History;
use super::survival::{Depth, Witness};
use super::{is_long, seed};
use std::io;
use trace_fixtures::disk::{Fault, Kept, Medium, SimulatedDisk};
use trace_fixtures::draw::Draw;

/// Pairs for each ledger that was killed before a group.
fn pairs_each() -> u64 {
    if is_long() { 4_000 } else { 100 }
}

fn fault(draw: &mut Draw, calls: usize) -> Fault {
    let kinds = [io::ErrorKind::StorageFull, io::ErrorKind::Other];
    Fault {
        at: draw.place(calls),
        kind: *draw.pick(&kinds),
        persisted: draw.chance(1, 2),
        for_good: draw.chance(1, 4),
    }
}

/// What is left: of a process that ended, or of a machine that lost its power.
fn left(medium: &Medium, draw: &mut Draw) -> Medium {
    match draw.below(3) {
        0 => medium.after_power_cut(Kept::Everything),
        1 => medium.after_power_cut(Kept::Nothing),
        _ => medium.after_power_cut(Kept::Drawn(draw)),
    }
}

#[test]
fn a_second_call_that_fails_while_the_first_is_recovered_from_loses_nothing() {
    let seed = seed();
    let history = History::of(seed);
    let witness = Witness::of(&history);
    let mut draw = Draw::new(seed, "pairs");
    let (mut pairs, mut stopped, mut answered_at_last) = (0, 0, 0);
    // On a disk that swaps names, as the ledger's own does: elsewhere what an
    // erasure replaced has no name by which it could be wiped after a cut.
    let run = |image: &Medium, group: usize, fault: Option<Fault>| -> Run {
        let disk = SimulatedDisk::from(image.clone()).swapping();
        run_on(disk, &history, group, fault)
    };
    for (group, image) in starts(&history, &witness) {
        let calls = run(&image, group, None).disk.calls();
        for _ in 0..pairs_each() {
            let first_fault = fault(&mut draw, calls);
            let first = run(&image, group, Some(first_fault));
            let again = left(&first.disk.medium(), &mut draw);
            let second_fault = fault(&mut draw, calls);
            let second = run(&again, group, Some(second_fault));
            pairs += 1;
            stopped += u64::from(first.outcome.is_err() && second.outcome.is_err());
            answered_at_last += u64::from(second.is_answered);
            let answered = group + usize::from(first.is_answered || second.is_answered);
            let medium = second.disk.medium();
            for kept in [Kept::Everything, Kept::Nothing, Kept::Drawn(&mut draw)] {
                let checked =
                    witness.check(&medium.after_power_cut(kept), answered, Depth::Shallow);
                if let Err(why) = checked {
                    panic!("group {group}: {first_fault:?}, then {second_fault:?}: {why}");
                }
            }
        }
    }
    println!("{pairs} pairs, {stopped} of them ended both, {answered_at_last} groups answered");
    assert!(2 * stopped > pairs && answered_at_last > 0, "{stopped}");
}
