//! The half of an audit that has an order: the tree, the chains, the rules and
//! the fold, one entry after the other, behind the threads that verify.
//!
//! Signatures are verified before the rules see a record, under the keys that
//! the log has enrolled up to there: an id is the hash of its key, so whoever
//! writes down the key, it is the right one; whether it *may* sign is judged by
//! the rules, in order.

use super::derived::{DerivedTables, compare};
use super::verifying::{BATCH_ENTRIES, Checked, Claimed, Sound, Verifying};
use super::{AuditFailed, AuditReport, Damage, DocumentsAudited, Options, ReadingsAudited};
use crate::error::{Invalid, Rule, Store};
use crate::ledger::folded::{ChainState, Folded};
use crate::ledger::log::LogView;
use crate::ledger::stored::{StoredRow, StoredRows};
use crate::ledger::working::{Memory, Working};
use crate::ledger::{Failed, fold};
use crate::proof::merkle::Frontier;
use crate::record::claim::Claim;
use crate::record::kinds::{self, Body};
use crate::record::rights::Registry;
use crate::record::sign::{Key, KeyId, PublicKey};
use crate::record::{Entry, Hash, Origin};
use crate::rules::{self, Admissible};
use crate::store::overlay::{Index, IndexView};
use std::collections::{BTreeMap, HashMap};
use std::num::NonZeroUsize;
use std::sync::Mutex;

/// Most parsed keys remembered: 8,192 of some 250 bytes are 2 MB; beyond, a key
/// is parsed again.
const KEYS_REMEMBERED_MAX: usize = 8_192;

/// What a replay came to.
pub(super) struct Found {
    pub report: AuditReport,
    /// Told after rollback and fork, which weigh more.
    pub derived: Result<DerivedTables, AuditFailed>,
    /// The state after the last entry; its file is open as long as this is.
    pub fresh: Index,
}

/// A replay under way.
pub(super) struct Replay<'a> {
    origin: &'a Origin,
    log: &'a LogView,
    fresh: Index,
    kept: Option<Result<Index, Store>>,
    keys: Keys,
    frontier: Frontier,
    memory: Memory,
    last_ms: u64,
    report: AuditReport,
    derived: Option<Result<DerivedTables, AuditFailed>>,
    threads: NonZeroUsize,
}

/// Keys to verify with: those parsed, and those not folded in yet.
struct Keys {
    parsed: HashMap<KeyId, Key>,
    /// With the index of the record that wrote them down.
    ahead: HashMap<KeyId, (u64, PublicKey)>,
    opened: Option<u16>,
    enrolled: Option<u16>,
}

impl<'a> Replay<'a> {
    pub(super) fn new(
        origin: &'a Origin,
        log: &'a LogView,
        fresh: Index,
        kept: Option<Result<Index, Store>>,
    ) -> Self {
        let number = |name| kinds::kind_by_name(name).map(|kind| kind.number);
        let frontier = Frontier::default();
        Self {
            memory: Memory::default(),
            origin,
            log,
            fresh,
            kept,
            keys: Keys {
                parsed: HashMap::new(),
                ahead: HashMap::new(),
                opened: number("ledger_opened"),
                enrolled: number("key_enrolled"),
            },
            last_ms: 0,
            report: AuditReport {
                origin: origin.clone(),
                size: 0,
                root: frontier.root(),
                last_checkpoint_size: 0,
                signatures: 0,
                keys: 0,
                kinds: BTreeMap::new(),
                personal_sections: 0,
                personal_sections_gone: 0,
                derived: DerivedTables::Absent { why: String::new() },
                held: 0,
                readings: ReadingsAudited::default(),
                documents: DocumentsAudited::default(),
            },
            frontier,
            derived: None,
            threads: NonZeroUsize::MIN,
        }
    }

    /// Replays `size` entries.
    pub(super) fn run(
        mut self,
        size: u64,
        options: &Options,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<Found, AuditFailed> {
        self.threads = options.threads;
        let queue = Mutex::new(None);
        std::thread::scope(|scope| {
            let mut verifying = Verifying::start(scope, &queue, options.threads);
            let outcome = self.all(size, &mut verifying, progress);
            verifying.stop();
            outcome
        })?;
        self.report.size = self.frontier.size();
        self.report.root = self.frontier.root();
        let derived = match self.derived {
            Some(derived) => derived,
            None => Ok(DerivedTables::Absent {
                why: match self.kept {
                    None => "there is no index".into(),
                    Some(Err(Store::Damaged { what })) => {
                        return Ok(Found {
                            report: self.report,
                            derived: Err(AuditFailed::damaged(format!(
                                "{what}; the index can be removed, and opening makes it anew"
                            ))),
                            fresh: self.fresh,
                        });
                    }
                    Some(Err(error)) => return Err(error.into()),
                    Some(Ok(kept)) => format!(
                        "the index is ahead of the log: current to {}",
                        kept.current_to()
                    ),
                },
            }),
        };
        Ok(Found {
            report: self.report,
            derived,
            fresh: self.fresh,
        })
    }

    fn all(
        &mut self,
        size: u64,
        verifying: &mut Verifying<'_>,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<(), AuditFailed> {
        self.compare_derived()?;
        let mut stored = StoredRows::new(self.log)?;
        // Damage found ahead waits until all before it has been judged.
        let mut at_end = None;
        loop {
            while at_end.is_none() && verifying.wants_more() {
                let (batch, end) = self.batch(&mut stored);
                at_end = end;
                verifying.send(batch);
            }
            let batch = verifying
                .take()
                .map_err(|why| AuditFailed::CannotRead(why.into()))?;
            let Some(batch) = batch else { break };
            for checked in batch {
                let (index, hash) = (checked.index, checked.hash);
                self.judge(checked).map_err(|why| why.of(index, hash))?;
            }
            let done = self.frontier.size();
            self.keys.ahead.retain(|_, (index, _)| *index >= done);
            progress(done, size);
        }
        match at_end {
            Some(Err(error)) => Err(error),
            _ => Ok(stored.nothing_left()?),
        }
    }

    /// The next entries with their keys; how the log ended, when it did.
    fn batch(
        &mut self,
        stored: &mut StoredRows,
    ) -> (Vec<Claimed>, Option<Result<(), AuditFailed>>) {
        let mut batch = Vec::with_capacity(BATCH_ENTRIES);
        while batch.len() < BATCH_ENTRIES {
            let row = match stored.next_row() {
                Ok(Some(row)) => row,
                Ok(None) => return (batch, Some(Ok(()))),
                Err(error) => {
                    let error = match error {
                        Store::Damaged { what } => Why::plain(what).of(stored.position(), None),
                        other => other.into(),
                    };
                    return (batch, Some(Err(error)));
                }
            };
            match self.key_of(&row) {
                Ok(key) => batch.push(Claimed { row, key }),
                Err(error) => return (batch, Some(Err(error))),
            }
        }
        (batch, None)
    }

    /// The key that an entry names, if it is written down before it; and learns
    /// the keys that this entry writes down.
    fn key_of(&mut self, row: &StoredRow) -> Result<Option<Key>, AuditFailed> {
        let Some((kind, id)) = Entry::peek(&row.entry) else {
            return Ok(None);
        };
        let opens = Some(kind) == self.keys.opened && row.index == 0;
        // A ledger's first record is signed by a key that stands in itself; all
        // others count from the next record on.
        if opens {
            self.keys.learn(row);
        }
        let key = self.known(id)?;
        if Some(kind) == self.keys.enrolled {
            self.keys.learn(row);
        }
        Ok(key)
    }

    fn known(&mut self, id: KeyId) -> Result<Option<Key>, AuditFailed> {
        if let Some(key) = self.keys.parsed.get(&id) {
            return Ok(Some(*key));
        }
        let public = match self.keys.ahead.get(&id) {
            Some((_, public)) => Some(*public),
            None => match Folded::new(self.fresh.view()).key(&id) {
                Ok(state) => state.map(|state| state.public_key()),
                Err(Failed::Store(error)) => return Err(error.into()),
                Err(Failed::Invalid(_)) => None,
            },
        };
        let key = public.and_then(|public| Key::parse(&public).ok());
        if let Some(key) = key {
            if self.keys.parsed.len() >= KEYS_REMEMBERED_MAX {
                self.keys.parsed.clear();
            }
            self.keys.parsed.insert(id, key);
        }
        Ok(key)
    }

    fn judge(&mut self, checked: Checked) -> Result<(), Why> {
        let Checked {
            index,
            leaf,
            nodes,
            outcome,
            persons,
            ..
        } = checked;
        self.grow(leaf, nodes.as_deref())?;
        let sound = outcome.map_err(Why::Named)?;
        let hash = sound.record.hash();
        if sound.admitted_ms < self.last_ms {
            return Err(Why::plain(format!(
                "admitted at {} ms, the record before it at {}",
                sound.admitted_ms, self.last_ms
            )));
        }
        self.last_ms = sound.admitted_ms;
        let working = Working::new(Folded::new(self.fresh.view()), &self.memory);
        self.stands_once(working.folded(), &sound, index, hash)?;
        let Sound {
            record,
            admitted_ms,
            trade,
            request,
        } = sound;
        let Admissible { claims, signed_as } =
            rules::readmit(&working, self.origin, &record, trade, index, admitted_ms)?;
        let changes = fold::changes(
            &working,
            &record,
            record.body(),
            &claims,
            signed_as.entity,
            index,
            request.as_ref(),
        )?;
        drop(working);
        self.memory.admitted(&record, &claims);
        for (key, value) in &changes {
            self.fresh.put(key, value)?;
        }
        self.count(record.body(), &claims, &persons)?;
        self.fresh
            .maybe_merge(self.frontier.size(), fold::binding(self.frontier.root()))?;
        self.compare_derived().map_err(Why::Failed)
    }

    fn grow(&mut self, leaf: Hash, stored: Option<&[u8]>) -> Result<(), Why> {
        let row = self.frontier.push(leaf)?;
        let Some(stored) = stored else {
            return Err(Why::plain("its row of the tree is missing".into()));
        };
        let found = stored.chunks(32);
        if found.len() == row.len()
            && found
                .zip(&row)
                .all(|(found, wanted)| found == wanted.as_bytes())
        {
            return Ok(());
        }
        let agrees = stored.starts_with(leaf.as_bytes());
        Err(Why::plain(if agrees {
            format!("the stored tree differs above its leaf {leaf}")
        } else {
            format!("its leaf is {leaf}, the stored tree holds another")
        }))
    }

    /// No record and no request twice, and a chain without a gap.
    fn stands_once(
        &self,
        folded: &Folded,
        sound: &Sound,
        index: u64,
        hash: Hash,
    ) -> Result<(), Why> {
        if let Some(first) = folded.index_of(&hash)? {
            return Err(Why::plain(format!(
                "the same record stands at index {first}"
            )));
        }
        let statement = sound.record.statement();
        let wanted = folded.chain(&statement.key)?;
        let found = ChainState {
            sequence: statement.sequence,
            link: statement.link,
        };
        if found != wanted {
            return Err(Invalid::new(
                Rule::Sequence,
                format!(
                    "sequence {} with link {}, expected {} with {}",
                    found.sequence, found.link, wanted.sequence, wanted.link
                ),
            )
            .into());
        }
        let Some(request) = &sound.request else {
            return Ok(());
        };
        if let Some(known) = folded.request(&request.entity, &request.key)? {
            let at = known.last_index;
            return Err(Why::plain(format!(
                "its request was answered at index {at}"
            )));
        }
        match request.count {
            count if count == 0 || u64::from(count) > index.saturating_add(1) => Err(Why::plain(
                format!("its request made {count} records, which cannot be"),
            )),
            _ => Ok(()),
        }
    }

    fn count(&mut self, body: &Body, claims: &[Claim], persons: &[u8]) -> Result<(), Why> {
        let named = body.persons().len();
        if let Some(position) = persons.iter().find(|place| usize::from(**place) >= named) {
            return Err(Why::plain(format!(
                "personal section {position} is stored, the record names {named} persons"
            )));
        }
        let report = &mut self.report;
        let (named, there) = (named as u64, persons.len() as u64);
        report.personal_sections += there;
        report.personal_sections_gone += named.saturating_sub(there);
        report.signatures += 1;
        *report.kinds.entry(body.kind().name).or_default() += 1;
        report.keys += claims.iter().fold(0, |keys, claim| match claim {
            Claim::OpensLedger { root_keys, .. } => keys + root_keys.len() as u64,
            Claim::EnrolsKey { .. } => keys + 1,
            _ => keys,
        });
        Ok(())
    }

    /// Compares the derived tables when the fold stands where they stand: what
    /// an opening folds in behind that is the same pure fold.
    fn compare_derived(&mut self) -> Result<(), AuditFailed> {
        let size = self.frontier.size();
        let kept = match &self.kept {
            Some(Ok(kept)) if kept.current_to() == size && self.derived.is_none() => kept,
            _ => return Ok(()),
        };
        if size > 0 && kept.binding() != fold::binding(self.frontier.root()) {
            let why = format!("the index is of another log or fold at size {size}");
            self.derived = Some(Ok(DerivedTables::Absent { why }));
            return Ok(());
        }
        let (fresh, kept): (IndexView, IndexView) = (self.fresh.view(), kept.view());
        self.derived = Some(match compare(&fresh, &kept, self.threads) {
            Ok(rows) => Ok(DerivedTables::Agree {
                merged_to: size,
                rows,
            }),
            Err(error) => Err(error.into()),
        });
        Ok(())
    }
}

impl Keys {
    /// Takes the keys out of a record that writes some down; what is wrong with
    /// it is found when it is verified.
    fn learn(&mut self, row: &StoredRow) {
        let body = Entry::decode(&row.entry).and_then(|entry| entry.signed.body());
        let written = match &body {
            Ok(Body::LedgerOpened(body)) => body.root_keys.as_slice(),
            Ok(Body::KeyEnrolled(body)) => std::slice::from_ref(&body.public_key),
            _ => &[],
        };
        for key in written {
            let key = PublicKey::from_bytes(key.0);
            self.ahead.insert(key.id(), (row.index, key));
        }
    }
}

/// Why a record is bad, before it is said which.
enum Why {
    Plain(Option<Rule>, String),
    Named(Box<Damage>),
    Failed(AuditFailed),
}

impl Why {
    fn plain(why: String) -> Self {
        Self::Plain(None, why)
    }

    fn of(self, index: u64, hash: Option<Hash>) -> AuditFailed {
        match self {
            Self::Plain(rule, why) => AuditFailed::Damaged(Box::new(Damage {
                index: Some(index),
                hash,
                rule,
                why,
            })),
            Self::Named(damage) => AuditFailed::Damaged(damage),
            Self::Failed(failed) => failed,
        }
    }
}

impl From<Invalid> for Why {
    fn from(invalid: Invalid) -> Self {
        Self::Plain(Some(invalid.rule), invalid.what)
    }
}

impl From<Store> for Why {
    fn from(error: Store) -> Self {
        Self::Failed(error.into())
    }
}

impl From<Failed> for Why {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::Invalid(invalid) => invalid.into(),
            Failed::Store(store) => store.into(),
        }
    }
}
