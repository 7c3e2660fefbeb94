//! One call fails, with nothing done or done all the same, once or with
//! everything after it. The table says for each what the ledger must do and
//! what must be true when it is opened again; the test walks every call of
//! several groups and asserts that no line of the table went unused.

use super::history::History;
use super::ledger;
use super::survival::{Depth, Witness};
use super::{is_long, seed};
use Expected::{GoesOn, OnlyReads, RefusesToOpen, Stops, TellsOnClosing};
use Found::{Absent, Either, Present};
use Phase::{Answering, CatchingUp, Closing, OpeningEngines, Settling};
use Site::{
    CheckpointRename, CheckpointSync, CheckpointWrite, FolderSync, IndexSync, IndexWrite,
    LogShrink, LogSync, LogWrite, SpareMake, SpareRemove, VaultAppend, VaultRename, VaultRewrite,
    VaultSync, VaultWipe,
};
use std::io;
use trace_core::error::Store;
use trace_core::ledger::opening::{LOG, Opened};
use trace_core::ledger::sequencer::Sequencer;
use trace_fixtures::disk::{Call, Fault, Kept, Medium, SimulatedDisk};
use trace_fixtures::draw::Draw;

/// When the call is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// The files are opened.
    OpeningEngines,
    /// The index is brought up to the log, the checkpoint compared.
    CatchingUp,
    /// From the request to its answer.
    Answering,
    /// After the answer, before the next request.
    Settling,
    /// A clean stop.
    Closing,
}

/// Which call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Site {
    LogWrite,
    LogSync,
    /// The engine gives back what it no longer uses, behind a commit.
    LogShrink,
    IndexWrite,
    IndexSync,
    /// The next checkpoint's file, made and filled beforehand.
    SpareMake,
    /// The one that a crash left.
    SpareRemove,
    CheckpointWrite,
    CheckpointSync,
    CheckpointRename,
    FolderSync,
    VaultAppend,
    VaultSync,
    /// The vault without the erased, under another name.
    VaultRewrite,
    VaultRename,
    /// Zeros over the vault that has no name any more.
    VaultWipe,
}

/// What the ledger must do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expected {
    /// A store error, no answer, and every later request refused.
    Stops,
    /// As if nothing had been: what failed can be made again.
    GoesOn,
    /// A store error instead of an open ledger; the next opening succeeds.
    RefusesToOpen,
    /// Without room, a ledger that reads and does not write; otherwise as the last.
    OnlyReads,
    /// A store error from closing; all was answered before.
    TellsOnClosing,
}

/// Whether the group in question is there when the ledger is opened again. In
/// every case it is there whole or not at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Found {
    Absent,
    Present,
    /// It depends on which of several such calls it was.
    Either,
}

struct Row {
    phase: Phase,
    site: Site,
    /// Whether the disk did what it said it had not; none is both.
    persisted: Option<bool>,
    expected: Expected,
    /// When the process is started again on the same machine.
    restarted: Found,
    /// When the machine lost all that was not synced.
    lost_power: Found,
    hits: usize,
}

fn row(
    phase: Phase,
    site: Site,
    persisted: Option<bool>,
    expected: Expected,
    restarted: Found,
    lost_power: Found,
) -> Row {
    let hits = 0;
    Row {
        phase,
        site,
        persisted,
        expected,
        restarted,
        lost_power,
        hits,
    }
}

const NO: Option<bool> = Some(false);
const YES: Option<bool> = Some(true);

/// The specification. A group that was answered is never anything but present.
#[rustfmt::skip]
fn table() -> Vec<Row> {
    vec![
        //  phase           call              persisted expected        restarted lost power
        // New persons' keys come first: without them nothing is committed.
        row(Answering,      VaultAppend,      None,     Stops,          Absent,   Absent),
        row(Answering,      VaultSync,        None,     Stops,          Absent,   Absent),
        // The commit: pages, sync, the header that makes them count, sync.
        row(Answering,      LogWrite,         NO,       Stops,          Absent,   Absent),
        row(Answering,      LogWrite,         YES,      Stops,          Either,   Absent),
        row(Answering,      LogSync,          NO,       Stops,          Either,   Absent),
        row(Answering,      LogSync,          YES,      Stops,          Either,   Either),
        // From here on the group stands, though nobody was told.
        row(Answering,      LogShrink,        None,     Stops,          Present,  Present),
        row(Answering,      CheckpointWrite,  None,     Stops,          Present,  Present),
        row(Answering,      CheckpointSync,   None,     Stops,          Present,  Present),
        row(Answering,      CheckpointRename, None,     Stops,          Present,  Present),
        row(Answering,      FolderSync,       None,     Stops,          Present,  Present),
        row(Answering,      VaultRewrite,     None,     Stops,          Present,  Present),
        row(Answering,      VaultRename,      None,     Stops,          Present,  Present),
        row(Answering,      VaultWipe,        None,     Stops,          Present,  Present),
        // Answered. What follows is for the next one, which is then refused.
        row(Settling,       SpareMake,        None,     Stops,          Present,  Present),
        row(Settling,       IndexWrite,       None,     Stops,          Present,  Present),
        row(Settling,       IndexSync,        None,     Stops,          Present,  Present),
        row(Closing,        IndexWrite,       None,     TellsOnClosing, Present,  Present),
        row(Closing,        IndexSync,        None,     TellsOnClosing, Present,  Present),
        row(Closing,        LogWrite,         None,     TellsOnClosing, Present,  Present),
        row(Closing,        LogSync,          None,     TellsOnClosing, Present,  Present),
        row(Closing,        LogShrink,        None,     TellsOnClosing, Present,  Present),
        // Not opened, not served; the group was never sent.
        row(OpeningEngines, LogWrite,         None,     RefusesToOpen,  Absent,   Absent),
        row(OpeningEngines, LogSync,          None,     RefusesToOpen,  Absent,   Absent),
        // An index that does not open is made again from the log.
        row(OpeningEngines, IndexWrite,       None,     GoesOn,         Present,  Present),
        row(OpeningEngines, IndexSync,        None,     GoesOn,         Present,  Present),
        row(CatchingUp,     IndexWrite,       None,     RefusesToOpen,  Absent,   Absent),
        row(CatchingUp,     IndexSync,        None,     RefusesToOpen,  Absent,   Absent),
        row(CatchingUp,     SpareRemove,      None,     OnlyReads,      Absent,   Absent),
        row(CatchingUp,     FolderSync,       None,     OnlyReads,      Absent,   Absent),
        row(CatchingUp,     SpareMake,        None,     OnlyReads,      Absent,   Absent),
    ]
}

/// One group on a ledger that was killed before it: opened, sent, settled and
/// stopped, as far as that goes.
pub(super) struct Run {
    pub(super) disk: SimulatedDisk,
    /// How many calls had been made at the end of each phase reached.
    ends: Vec<usize>,
    pub(super) outcome: Result<(), (Expected, Store)>,
    pub(super) is_answered: bool,
}

fn run(history: &History, image: &Medium, group: usize, fault: Option<Fault>) -> Run {
    run_on(SimulatedDisk::from(image.clone()), history, group, fault)
}

/// The same on a disk that the caller brings.
pub(super) fn run_on(
    disk: SimulatedDisk,
    history: &History,
    group: usize,
    fault: Option<Fault>,
) -> Run {
    if let Some(fault) = fault {
        disk.fail(fault);
    }
    let mut run = Run {
        disk,
        ends: Vec::new(),
        outcome: Ok(()),
        is_answered: false,
    };
    run.outcome = run.all(history, group);
    run
}

impl Run {
    fn ended(&mut self) {
        self.ends.push(self.disk.trace().len());
    }

    fn all(&mut self, history: &History, group: usize) -> Result<(), (Expected, Store)> {
        let disk = self.disk.clone();
        let refuses = |error| (RefusesToOpen, error);
        let engines = ledger::open_engines(&disk).map_err(refuses)?;
        self.ended();
        let opened = ledger::resume(&disk, &history.world, engines).map_err(refuses)?;
        let mut sequencer = match opened {
            Opened::Writable(sequencer) => sequencer,
            Opened::ReadOnly {
                view, why, files, ..
            } => {
                let view = view.expect("what is there can be looked up");
                view.entry(0).expect("while its files are held");
                drop(files);
                return Err((OnlyReads, Store::ReadOnly { why }));
            }
        };
        self.ended();
        let before = sequencer.view().checkpoint().note().to_owned();
        let jobs = history.groups[group].jobs.clone();
        if let Err(error) = sequencer.admit(jobs, history.groups[group].now_ms) {
            let view = sequencer.view();
            assert_eq!(
                view.checkpoint().note(),
                before,
                "claims what was not answered"
            );
            refuses_everything(&mut sequencer, history, group);
            return Err((Stops, error));
        }
        self.is_answered = true;
        self.ended();
        if let Err(error) = sequencer.settle() {
            refuses_everything(&mut sequencer, history, group);
            return Err((Stops, error));
        }
        self.ended();
        sequencer.close().map_err(|error| (TellsOnClosing, error))
    }

    fn phase(&self, at: usize) -> Phase {
        let phases = [OpeningEngines, CatchingUp, Answering, Settling];
        let found = self.ends.iter().zip(phases).find(|(end, _)| at < **end);
        found.map_or(Closing, |(_, phase)| phase)
    }
}

/// A sequencer went on after its settling had failed, with a checkpoint file
/// made another way: every way to change something is shut now.
fn refuses_everything(sequencer: &mut Sequencer, history: &History, group: usize) {
    let now_ms = history.groups[group].now_ms;
    let calls = [
        sequencer
            .admit(history.groups[group].jobs.clone(), now_ms)
            .map(|_| ()),
        sequencer.admit(Vec::new(), now_ms).map(|_| ()),
        sequencer.settle(),
        sequencer.sweep_persons(i32::MAX),
    ];
    for outcome in calls {
        assert!(
            matches!(outcome, Err(Store::ReadOnly { .. })),
            "{outcome:?}"
        );
    }
}

fn site(call: &Call, medium: &Medium) -> Site {
    let name = |file: &usize| medium.name_of(*file);
    match call {
        Call::SetLength { file, length }
            if name(file) == LOG && *length < medium.seen(*file).len() as u64 =>
        {
            LogShrink
        }
        Call::Write { file, .. } | Call::SetLength { file, .. } => match name(file).as_str() {
            "log.redb" => LogWrite,
            "index.redb" => IndexWrite,
            "vault.keys" => VaultAppend,
            "last-checkpoint.spare" => CheckpointWrite,
            "" => VaultWipe,
            _ => VaultRewrite,
        },
        Call::Sync { file } => match name(file).as_str() {
            "log.redb" => LogSync,
            "index.redb" => IndexSync,
            "vault.keys" => VaultSync,
            "last-checkpoint.spare" => CheckpointSync,
            "" => VaultWipe,
            _ => VaultRewrite,
        },
        Call::Rename { to, .. } if to.ends_with("last-checkpoint") => CheckpointRename,
        Call::Rename { to, .. } if to.ends_with("vault.keys") => VaultRename,
        Call::Rename { .. } => VaultRewrite,
        Call::Create { path, .. } if path.ends_with("last-checkpoint.spare") => SpareMake,
        Call::Create { .. } => VaultRewrite,
        Call::Remove { .. } => SpareRemove,
        Call::SyncFolder { .. } => FolderSync,
        Call::Exchange { .. } => unreachable!("this disk swaps no names"),
        Call::Answered(_) => unreachable!("no answers are marked here"),
    }
}

/// Each call's place in the table, from a run in which nothing fails.
fn sites(run: &Run, image: &Medium) -> Vec<(Phase, Site)> {
    let mut medium = image.clone();
    let places = run.disk.trace().into_iter().enumerate().map(|(at, call)| {
        let (phase, site) = (run.phase(at), site(&call, &medium));
        medium.apply(&call);
        match (phase, site) {
            // Filled with zeros, long before there is a checkpoint to write.
            (CatchingUp | Settling, CheckpointWrite | CheckpointSync) => (phase, SpareMake),
            other => other,
        }
    });
    places.collect()
}

#[test]
fn a_failed_call_stops_the_writer_and_claims_nothing() {
    let seed = seed();
    let history = History::of(seed);
    let mut matrix = Matrix {
        witness: Witness::of(&history),
        history: &history,
        table: table(),
        draw: Draw::new(seed, "failures"),
        runs: 0,
    };
    for (group, image) in starts(&history, &matrix.witness) {
        matrix.walk(group, &image);
    }
    println!("{} runs", matrix.runs);
    for row in &matrix.table {
        let name = format!("{:?} {:?} {:?}", row.phase, row.site, row.persisted);
        println!("{name}: {} times", row.hits);
        assert!(row.hits > 0, "{name} never happened");
    }
}

/// Groups and the disks of ledgers that were killed before them. In the short
/// form every erasure, one group whose commit shrinks the log, one after which
/// the index is merged, and one ledger killed before the merge that was due, so
/// that it merges while catching up; in the long form every group.
pub(super) fn starts(history: &History, witness: &Witness<'_>) -> Vec<(usize, Medium)> {
    let unsettled = |group: usize| {
        let medium = &history.answers[group - 1].medium;
        (group, medium.after_power_cut(Kept::Everything))
    };
    // Killed after settling: a spare checkpoint file is left.
    let settled = |group: usize| {
        let disk = SimulatedDisk::from(unsettled(group).1);
        let mut sequencer = witness.open(&disk).unwrap();
        sequencer.settle().unwrap();
        (group, disk.medium().after_power_cut(Kept::Everything))
    };
    let makes = |phase: Phase, site: Site| {
        move |(group, image): &(usize, Medium)| {
            let sound = run(history, image, *group, None);
            sites(&sound, image).contains(&(phase, site))
        }
    };
    let all = 1..history.groups.len();
    if is_long() {
        return all.clone().map(unsettled).chain(all.map(settled)).collect();
    }
    let erasures = history.erased.iter().map(|erased| settled(erased.group));
    let working = all.skip(5);
    let shrinking = working
        .clone()
        .map(settled)
        .find(makes(Answering, LogShrink));
    let merging_later = working
        .clone()
        .map(settled)
        .find(makes(Settling, IndexWrite));
    let merging_first = working.map(unsettled).find(makes(CatchingUp, IndexWrite));
    let found = [shrinking, merging_later, merging_first];
    erasures.chain(found.into_iter().flatten()).collect()
}

struct Matrix<'h> {
    history: &'h History,
    witness: Witness<'h>,
    table: Vec<Row>,
    draw: Draw,
    runs: usize,
}

impl Matrix<'_> {
    fn walk(&mut self, group: usize, image: &Medium) {
        let sound = run(self.history, image, group, None);
        assert!(sound.outcome.is_ok(), "{:?}", sound.outcome);
        for (at, (phase, site)) in sites(&sound, image).into_iter().enumerate() {
            for persisted in [false, true] {
                let (full, broken) = (io::ErrorKind::StorageFull, io::ErrorKind::Other);
                let kind = if at % 2 == 0 { full } else { broken };
                let for_good = self.draw.chance(1, 3) && phase != OpeningEngines;
                let fault = Fault {
                    at,
                    kind,
                    persisted,
                    for_good,
                };
                self.fail(image, group, (phase, site), fault);
            }
        }
    }

    fn fail(&mut self, image: &Medium, group: usize, (phase, site): (Phase, Site), fault: Fault) {
        let what = format!("group {group}: {phase:?} {site:?} {fault:?}");
        let mut rows = self.table.iter_mut();
        let row = rows.find(|row| {
            (row.phase, row.site) == (phase, site)
                && row
                    .persisted
                    .is_none_or(|persisted| persisted == fault.persisted)
        });
        let row = row.unwrap_or_else(|| panic!("no line of the table for {what}"));
        row.hits += 1;
        self.runs += 1;
        let failed = run(self.history, image, group, Some(fault));
        assert!(failed.disk.has_failed(), "{what}: was never reached");
        let found = failed
            .outcome
            .as_ref()
            .map_or_else(|(found, _)| *found, |()| GoesOn);
        let expected = match row.expected {
            OnlyReads if fault.kind != io::ErrorKind::StorageFull => RefusesToOpen,
            expected => expected,
        };
        assert_eq!(found, expected, "{what}: {:?}", failed.outcome);
        let answered = group + usize::from(failed.is_answered);
        let medium = failed.disk.medium();
        for (kept, wanted) in [
            (Kept::Everything, row.restarted),
            (Kept::Nothing, row.lost_power),
            (Kept::Drawn(&mut self.draw), Either),
        ] {
            let image = medium.after_power_cut(kept);
            let held = self.witness.check(&image, answered, Depth::Shallow);
            let held = held.unwrap_or_else(|why| panic!("{what}: {why}"));
            let is_there = held > group;
            let fits = match wanted {
                Absent => !is_there,
                Present => is_there,
                Either => true,
            };
            assert!(
                fits,
                "{what}: the group is there: {is_there}, wanted {wanted:?}"
            );
        }
    }
}
