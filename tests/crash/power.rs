//! The power is cut after every call of a history, and of every recovery.

use super::history::History;
use super::ledger;
use super::survival::{Depth, Witness};
use super::{is_long, seed};
use trace_fixtures::disk::{Call, Kept, Medium, SimulatedDisk};
use trace_fixtures::draw::Draw;

/// Of so many checks one is deep: that costs ten times as much.
const DEEP_ONE_IN: u64 = 16;

fn depth(draw: &mut Draw) -> Depth {
    match is_long() || draw.chance(1, DEEP_ONE_IN) {
        true => Depth::Deep,
        false => Depth::Shallow,
    }
}

/// How many groups were answered once this call was made.
pub fn answered_by(call: &Call, before: usize) -> usize {
    match call {
        Call::Answered(group) => usize::try_from(*group).unwrap() + 1,
        _ => before,
    }
}

#[test]
fn power_cut_at_any_call_keeps_a_prefix_with_all_that_was_answered() {
    let seed = seed();
    let history = History::of(seed);
    let witness = Witness::of(&history);
    let mut draw = Draw::new(seed, "remains");
    let drawn = if is_long() { 8 } else { 2 };
    let mut medium = Medium::default();
    let (mut answered, mut images, mut grew) = (0, 0, 0);
    for (at, call) in history.trace.iter().enumerate() {
        medium.apply(call);
        answered = answered_by(call, answered);
        let mut check = |image: &Medium, depth| match witness.check(image, answered, depth) {
            Ok(held) => (images, grew) = (images + 1, grew + usize::from(held > answered)),
            Err(why) => panic!("cut after call {at}, {answered} groups answered: {why}"),
        };
        check(&medium.after_power_cut(Kept::Nothing), depth(&mut draw));
        check(&medium.after_power_cut(Kept::Everything), depth(&mut draw));
        for _ in 0..drawn {
            let image = medium.after_power_cut(Kept::Drawn(&mut draw));
            check(&image, depth(&mut draw));
        }
    }
    println!(
        "{} calls, {images} images, {grew} with a group that nobody was told of",
        history.trace.len()
    );
    assert_eq!(answered, history.groups.len());
    assert!(
        grew > answered,
        "no cut fell between a commit and its answer"
    );
}

/// A recovery that is cut is cut again in its recovery, and then left in peace.
#[test]
fn power_cut_during_recovery_and_again_during_that_recovery_loses_nothing() {
    let seed = seed();
    let history = History::of(seed);
    let witness = Witness::of(&history);
    let mut draw = Draw::new(seed, "recoveries");
    let starts = if is_long() { 120 } else { 12 };
    let (mut cuts, mut deepest) = (0, 0);
    for start in 0..starts {
        // One start in each stretch of the history, so that none is left out.
        let stretch = history.trace.len() / starts;
        let cut = start * stretch + draw.place(stretch);
        let mut medium = Medium::default();
        let mut answered = 0;
        for call in &history.trace[..=cut] {
            medium.apply(call);
            answered = answered_by(call, answered);
        }
        let first = medium.after_power_cut(Kept::Drawn(&mut draw));
        for second in images_of_recovery(&witness, &history, &first, usize::MAX, &mut draw) {
            cuts += 1;
            for third in images_of_recovery(&witness, &history, &second, 2, &mut draw) {
                deepest += 1;
                let checked = witness.check(&third, answered, depth(&mut draw));
                if let Err(why) = checked {
                    panic!("cut after call {cut}, then twice in recovery: {why}");
                }
            }
        }
    }
    println!("{cuts} cuts of a recovery, {deepest} of one after that");
    assert!(
        cuts > 10 * starts && deepest > 20 * starts,
        "recovering makes calls"
    );
}

/// Recovers from an image, and gives what a cut after each of its calls leaves;
/// at most so many, drawn.
fn images_of_recovery(
    witness: &Witness<'_>,
    history: &History,
    image: &Medium,
    most: usize,
    draw: &mut Draw,
) -> Vec<Medium> {
    let disk = SimulatedDisk::from(image.clone());
    // The calls up to here are all of a recovery that was cut: what closing
    // would do is not among them.
    let opened = match image.file(&ledger::path(trace_core::ledger::opening::LOG)) {
        Some(_) => witness.open(&disk).expect("a second recovery"),
        None => ledger::create(&disk, &history.world).expect("a second creation"),
    };
    let trace = disk.trace();
    drop(opened);
    let mut medium = image.clone();
    let mut images = Vec::new();
    for call in &trace {
        medium.apply(call);
        images.push(medium.after_power_cut(Kept::Nothing));
        images.push(medium.after_power_cut(Kept::Drawn(draw)));
    }
    while images.len() > most {
        let at = draw.place(images.len());
        images.swap_remove(at);
    }
    images
}
