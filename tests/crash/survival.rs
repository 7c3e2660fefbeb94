//! What must be true of a disk after the power is back: everything that was
//! answered, and nothing else than what was submitted.

use super::history::{History, entries, vault_lines};
use super::ledger::{self, checkpoint_path};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::{Bound, ControlFlow};
use std::rc::Rc;
use trace_core::ledger::lookup::{Audience, Lookup};
use trace_core::ledger::opening::{INDEX, LOG, Opened, VAULT};
use trace_core::ledger::sequencer::Sequencer;
use trace_core::proof::checkpoint::SignedCheckpoint;
use trace_core::proof::note::VerifierKey;
use trace_core::record::wire::PersonId;
use trace_core::store::table::Direction;
use trace_fixtures::disk::{Kept, Medium, SimulatedDisk};
use trace_fixtures::stage;

/// What is wrong, for people.
pub type Wrong = String;

/// The derived rows, as the index's file holds them.
type Rows = BTreeMap<Vec<u8>, Vec<u8>>;

/// How much is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// All that is quick.
    Shallow,
    /// Every personal section is opened, the index is compared with one made
    /// anew, and all that was not answered is sent again, to the end.
    Deep,
}

macro_rules! ensure {
    ($condition:expr, $($why:tt)+) => {
        if !$condition {
            return Err(format!($($why)+));
        }
    };
}

pub struct Witness<'h> {
    history: &'h History,
    key: VerifierKey,
    folds: RefCell<HashMap<usize, Rc<Rows>>>,
}

impl<'h> Witness<'h> {
    pub fn of(history: &'h History) -> Self {
        Self {
            history,
            key: stage::parts(&history.world).signer.verifier_key().clone(),
            folds: RefCell::default(),
        }
    }

    /// Checks a disk on which `answered` groups had been answered when the
    /// power went, and says how many groups its log holds.
    pub fn check(&self, image: &Medium, answered: usize, depth: Depth) -> Result<usize, Wrong> {
        self.check_medium(image, answered)?;
        let disk = SimulatedDisk::from(image.clone());
        if image.file(&ledger::path(LOG)).is_none() {
            ensure!(
                answered == 0,
                "{answered} groups were answered, and there is no log"
            );
            let made = ledger::create(&disk, &self.history.world);
            let made = made.map_err(|error| format!("creating again: {error}"))?;
            self.send_again(&disk, made, 0, depth)?;
            return Ok(0);
        }
        let sequencer = self.open(&disk)?;
        let held = self.check_log(&sequencer, answered)?;
        self.check_vault(&disk.medium(), held)?;
        if depth == Depth::Deep {
            self.check_persons(&sequencer, held)?;
            sequencer
                .close()
                .map_err(|error| format!("closing: {error}"))?;
            self.check_rows(&disk, held)?;
            let sequencer = self.open(&disk)?;
            self.send_again(&disk, sequencer, held, depth)?;
        } else {
            // The next group alone, sent as it was before.
            self.send_again(&disk, sequencer, held, depth)?;
        }
        Ok(held)
    }

    pub fn open(&self, disk: &SimulatedDisk) -> Result<Sequencer, Wrong> {
        match ledger::open(disk, &self.history.world) {
            Ok(Opened::Writable(sequencer)) => Ok(*sequencer),
            Ok(Opened::ReadOnly { why, .. }) => Err(format!("read-only: {why}")),
            Err(error) => Err(format!("does not open: {error}")),
        }
    }

    /// Before anything is opened: what must lie on the medium by itself.
    fn check_medium(&self, image: &Medium, answered: usize) -> Result<(), Wrong> {
        let wanted = self.history.size(answered);
        if answered > 0 {
            let note = image
                .read(&checkpoint_path())
                .ok_or("the last checkpoint is gone")?;
            let note = String::from_utf8_lossy(note);
            let last = SignedCheckpoint::open(&note, &self.key)
                .map_err(|error| format!("the last checkpoint: {error}"))?;
            ensure!(
                last.size() >= wanted,
                "the last checkpoint covers {} entries, {wanted} were answered",
                last.size()
            );
        }
        for erased in &self.history.erased {
            if erased.group < answered {
                let found = image.lasting().any(|bytes| {
                    bytes.len() < 1 << 16 && bytes.windows(32).any(|it| it == erased.key)
                });
                ensure!(
                    !found,
                    "the key of erased {} is on the medium",
                    erased.person
                );
            }
        }
        Ok(())
    }

    /// The log is a prefix of what was submitted, and extends every checkpoint
    /// that an answer named; how many groups it holds.
    fn check_log(&self, sequencer: &Sequencer, answered: usize) -> Result<usize, Wrong> {
        let history = self.history;
        let view = sequencer.view();
        let size = view.size();
        let held = history
            .groups_in(size)
            .ok_or_else(|| format!("{size} entries are half a group"))?;
        ensure!(
            (answered..=answered + 1).contains(&held) || size == history.size(answered),
            "{held} groups are there, {answered} were answered"
        );
        let found = entries(sequencer);
        ensure!(
            found.len() as u64 == size,
            "{} entries, size {size}",
            found.len()
        );
        for (index, (found, wanted)) in found.iter().zip(&history.entries).enumerate() {
            ensure!(found == wanted, "entry {index} is not what was submitted");
        }
        for answer in history.answers.iter().take(answered) {
            let then = &answer.checkpoint;
            let path = view.prove_consistency(then.size(), size);
            let path =
                path.map_err(|error| format!("consistency from {}: {error}", then.size()))?;
            let extends = view.checkpoint().verify_extends(then, &path);
            extends.map_err(|error| format!("checkpoint of {}: {error}", then.size()))?;
        }
        Ok(held)
    }

    fn is_erased(&self, person: &PersonId, held: usize) -> bool {
        let mut erased = self.history.erased.iter();
        erased.any(|erased| erased.person == *person && erased.group < held)
    }

    /// Whoever a record names has a key, unless erased.
    fn check_vault(&self, medium: &Medium, held: usize) -> Result<(), Wrong> {
        let size = usize::try_from(self.history.size(held)).unwrap();
        let named: BTreeSet<PersonId> = self.history.persons[..size]
            .iter()
            .flatten()
            .copied()
            .collect();
        let bytes = medium.read(&ledger::path(VAULT)).ok_or("no vault")?;
        let keys = vault_lines(bytes);
        for person in &named {
            let (is_there, is_erased) = (keys.contains_key(person), self.is_erased(person, held));
            ensure!(
                is_there != is_erased,
                "person {person}: has a key: {is_there}, was erased: {is_erased}"
            );
        }
        let swept = keys.keys().all(|person| named.contains(person));
        ensure!(swept, "a key that serves no record was not swept");
        Ok(())
    }

    /// Every personal section opens, unless its person was erased.
    fn check_persons(&self, sequencer: &Sequencer, held: usize) -> Result<(), Wrong> {
        let (view, vault) = (sequencer.view(), sequencer.vault_reader());
        let failed = |error| format!("looking up: {error}");
        if held == 0 {
            return Ok(());
        }
        let now_ms = self.history.world.now_ms;
        let mut lookup = Lookup::new(&view, &vault, Audience::Full, now_ms).map_err(failed)?;
        let mut from = Some(0);
        while let Some(first) = from {
            let page = lookup.changes(first, 100).map_err(failed)?;
            for record in &page.records {
                let named = &self.history.persons[usize::try_from(record.index).unwrap()];
                let wanted: Vec<String> = named
                    .iter()
                    .filter(|person| !self.is_erased(person, held))
                    .map(ToString::to_string)
                    .collect();
                let found: Vec<&String> =
                    record.persons.iter().map(|person| &person.person).collect();
                ensure!(
                    found.iter().copied().eq(&wanted),
                    "record {} shows {found:?}, wanted {wanted:?}",
                    record.index
                );
            }
            from = page.next_index;
        }
        Ok(())
    }

    /// The index's file holds exactly what folding the log anew gives.
    fn check_rows(&self, disk: &SimulatedDisk, held: usize) -> Result<(), Wrong> {
        let found = rows(disk)?;
        let wanted = self.fold(held)?;
        for (key, value) in &*wanted {
            ensure!(
                found.get(key) == Some(value),
                "row {key:x?} is not what the log says"
            );
        }
        ensure!(
            found.len() == wanted.len(),
            "{} rows, wanted {}",
            found.len(),
            wanted.len()
        );
        Ok(())
    }

    /// The rows of so many groups, folded from the undisturbed log without any
    /// index.
    fn fold(&self, held: usize) -> Result<Rc<Rows>, Wrong> {
        if let Some(known) = self.folds.borrow().get(&held) {
            return Ok(Rc::clone(known));
        }
        let Some(last) = held.checked_sub(1) else {
            return Ok(Rc::default());
        };
        let mut medium = self.history.answers[last]
            .medium
            .after_power_cut(Kept::Everything);
        medium.take(&ledger::path(INDEX));
        let disk = SimulatedDisk::from(medium);
        self.open(&disk)?
            .close()
            .map_err(|error| error.to_string())?;
        let rows = Rc::new(rows(&disk)?);
        self.folds.borrow_mut().insert(held, Rc::clone(&rows));
        Ok(rows)
    }

    /// Sends again what was not answered: each record comes to the index that it
    /// has in the undisturbed run, and the ledger to the same end.
    fn send_again(
        &self,
        disk: &SimulatedDisk,
        mut sequencer: Sequencer,
        held: usize,
        depth: Depth,
    ) -> Result<(), Wrong> {
        let history = self.history;
        // The last group that is there may not have been answered.
        let first = held.saturating_sub(1);
        let count = if depth == Depth::Deep { usize::MAX } else { 2 };
        for (number, group) in history.groups.iter().enumerate().skip(first).take(count) {
            let outcomes = sequencer.admit(group.jobs.clone(), group.now_ms);
            let outcomes = outcomes.map_err(|error| format!("group {number} again: {error}"))?;
            let wanted = &history.answers[number].outcomes;
            let same = outcomes
                .iter()
                .flatten()
                .zip(wanted.iter().flatten())
                .all(same_place);
            ensure!(
                same,
                "group {number} again: {outcomes:?}, wanted {wanted:?}"
            );
            let (found, wanted) = (sequencer.view(), &history.answers[number].checkpoint);
            ensure!(
                found.checkpoint().note() == wanted.note(),
                "group {number} again: {}, wanted {}",
                found.checkpoint().note(),
                wanted.note()
            );
            sequencer
                .settle()
                .map_err(|error| format!("settling {number}: {error}"))?;
        }
        if depth == Depth::Deep {
            ensure!(entries(&sequencer) == history.entries, "another end");
            sequencer
                .close()
                .map_err(|error| format!("closing: {error}"))?;
            self.check_rows(disk, history.groups.len())?;
        }
        Ok(())
    }
}

/// Whether two outcomes name the same place, or the same refusal.
fn same_place(
    (found, wanted): (
        &trace_core::ledger::job::Outcome,
        &trace_core::ledger::job::Outcome,
    ),
) -> bool {
    use trace_core::ledger::job::Outcome::{Admitted, Refused};
    match (found, wanted) {
        (Admitted(found), Admitted(wanted)) => {
            (found.index, found.hash) == (wanted.index, wanted.hash)
        }
        (Refused(found), Refused(wanted)) => found.invalid.rule == wanted.invalid.rule,
        _ => false,
    }
}

fn rows(disk: &SimulatedDisk) -> Result<Rows, Wrong> {
    let index = ledger::open_index(disk).map_err(|error| format!("the index: {error}"))?;
    let mut rows = Rows::new();
    let all = index
        .view()
        .scan(b"", Bound::Unbounded, Direction::Forward, |key, value| {
            rows.insert(key.to_vec(), value.to_vec());
            ControlFlow::<()>::Continue(())
        });
    all.map_err(|error| format!("the index: {error}"))?;
    Ok(rows)
}
