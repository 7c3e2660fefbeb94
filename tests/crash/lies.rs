//! Disks that break their promises, and one ledger that answers too early: the
//! checks must notice each, or they would notice nothing.

use super::history::History;
use super::ledger;
use super::power::answered_by;
use super::survival::{Depth, Witness};
use super::{is_long, seed};
use trace_core::ledger::opening::INDEX;
use trace_fixtures::disk::{Call, Kept, Lie, Medium};
use trace_fixtures::draw::Draw;

/// Lies, and the words in which at least one check must complain.
const LIES: [(Lie, &str); 11] = [
    (Lie::SyncsNothing("log.redb"), "rollback"),
    (Lie::SyncsLate("log.redb"), "rollback"),
    (Lie::TurnsBack("log.redb", 60), "rollback"),
    (Lie::TurnsBits("log.redb"), "does not open"),
    (Lie::Misplaces("log.redb", 512), "does not open"),
    (
        Lie::SyncsNothing("last-checkpoint"),
        "the last checkpoint: malformed",
    ),
    (
        Lie::LosesRename("last-checkpoint"),
        "the last checkpoint covers",
    ),
    (Lie::SyncsNoFolder, "the last checkpoint covers"),
    (
        Lie::SyncsNothing("vault.keys"),
        "has a key: false, was erased: false",
    ),
    (
        Lie::LosesRename("vault.keys"),
        "does not open: damaged: /ledger/vault.keys",
    ),
    (Lie::KeepsOldBytes(""), "is on the medium"),
];

/// A disk begins to lie when so many groups are answered: by then there is
/// something to lose.
const HONEST_GROUPS: usize = 10;

/// A cut at every answer, and one in so many other calls.
const CUTS_ONE_IN: u64 = 12;

/// The complaints about a run on a disk that begins to lie on the way.
fn complaints(
    history: &History,
    trace: &[Call],
    lie: Option<Lie>,
    depth: Depth,
    seed: u64,
) -> Vec<String> {
    let witness = Witness::of(history);
    let mut draw = Draw::new(seed, "lies");
    let mut complaints = Vec::new();
    let mut medium = Medium::default();
    let mut answered = 0;
    for call in trace {
        medium.apply(call);
        answered = answered_by(call, answered);
        if let (Some(lie), HONEST_GROUPS) = (lie, answered) {
            medium = medium.lying(lie);
        }
        let is_answer = matches!(call, Call::Answered(_));
        // Deep checks cost ten times as much.
        let is_cut = match depth {
            Depth::Deep if !is_long() => is_answer && draw.chance(1, 2),
            _ => is_answer || draw.chance(1, CUTS_ONE_IN),
        };
        if is_cut {
            for kept in [Kept::Nothing, Kept::Drawn(&mut draw)] {
                let image = medium.after_power_cut(kept);
                complaints.extend(witness.check(&image, answered, depth).err());
            }
        }
    }
    complaints
}

fn assert_said(what: &str, complaints: &[String], words: &str) {
    let said = complaints
        .iter()
        .filter(|complaint| complaint.contains(words));
    println!(
        "{what}: {} complaints, {} say {words:?}",
        complaints.len(),
        said.clone().count()
    );
    assert!(
        said.count() > 0,
        "{what}: nobody said {words:?}, but {:?}",
        complaints.first()
    );
}

#[test]
fn every_lie_of_a_disk_is_found_out() {
    let seed = seed();
    let history = History::of(seed);
    for (lie, words) in LIES {
        let complaints = complaints(&history, &history.trace, Some(lie), Depth::Shallow, seed);
        assert_said(&format!("{lie:?}"), &complaints, words);
    }
    let complaints = complaints(&history, &history.trace, None, Depth::Shallow, seed);
    assert_eq!(
        complaints,
        Vec::<String>::new(),
        "an honest disk is not complained of"
    );
}

/// The same run, but each answer leaves before the last such call of its group.
fn answering_before(trace: &[Call], is_waited_for: impl Fn(&Call) -> bool) -> Vec<Call> {
    let mut hasty: Vec<Call> = Vec::new();
    let mut group = 0;
    for call in trace {
        match call {
            Call::Answered(_) => {
                let late = hasty[group..].iter().rposition(&is_waited_for);
                hasty.insert(late.map_or(hasty.len(), |late| group + late), call.clone());
                group = hasty.len();
            }
            call => hasty.push(call.clone()),
        }
    }
    hasty
}

#[test]
fn a_ledger_that_answers_a_moment_too_early_is_found_out() {
    let seed = seed();
    let history = History::of(seed);
    let renames_to = |call: &Call, name: &str| match call {
        Call::Rename { to, .. } => to.ends_with(name),
        _ => false,
    };
    let hasty = answering_before(&history.trace, |call| renames_to(call, "last-checkpoint"));
    let of_checkpoint = complaints(&history, &hasty, None, Depth::Shallow, seed);
    assert_said(
        "before the checkpoint",
        &of_checkpoint,
        "the last checkpoint covers",
    );
    let hasty = answering_before(&history.trace, |call| renames_to(call, "vault.keys"));
    let of_vault = complaints(&history, &hasty, None, Depth::Shallow, seed);
    assert_said("before the key is gone", &of_vault, "is on the medium");
}

/// The index is derived: of a disk that loses, turns back or spoils its file, no
/// more is seen than the time to fold the log again.
#[test]
fn a_disk_that_lies_about_the_index_alone_loses_nothing() {
    let seed = seed();
    let history = History::of(seed);
    for lie in [
        Lie::SyncsNothing("index.redb"),
        Lie::SyncsLate("index.redb"),
        Lie::LosesRename("index.redb"),
        Lie::TurnsBack("index.redb", 9),
        Lie::TurnsBits("index.redb"),
        Lie::Misplaces("index.redb", 512),
    ] {
        let complaints = complaints(&history, &history.trace, Some(lie), Depth::Deep, seed);
        assert_eq!(complaints, Vec::<String>::new(), "{lie:?}");
    }
}

/// An index that was closed cleanly used to be believed unread, so a page that
/// rotted afterwards became balances and rights that no record states.
#[test]
fn an_index_that_rotted_after_a_clean_stop_is_made_again() {
    let history = History::of(seed());
    let witness = Witness::of(&history);
    let mut medium = Medium::default();
    history.trace.iter().for_each(|call| medium.apply(call));
    let medium = medium.after_power_cut(Kept::Everything);
    let path = ledger::path(INDEX);
    let sound = medium.read(&path).unwrap();
    // A used page of a tree begins with its type; every byte of it counts.
    let places = (4096..sound.len()).step_by(4096).map(|page| page + 300);
    let mut rotten = 0;
    for at in places.filter(|at| sound[*at] != 0) {
        let mut bytes = sound.to_vec();
        bytes[at] ^= 0x20;
        let mut medium = medium.clone();
        medium.put(&path, &bytes);
        rotten += 1;
        let checked = witness.check(&medium, history.groups.len(), Depth::Deep);
        assert_eq!(checked, Ok(history.groups.len()), "byte {at} of the index");
    }
    assert!(rotten > 10, "only {rotten} bytes were turned");
}
