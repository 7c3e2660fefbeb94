//! A ledger that refuses nothing: real signatures, a real tree, and the ledger's
//! own key, so that what must never be admitted stands in a log all the same.

use std::collections::{BTreeMap, BTreeSet};
use trace_core::error::Invalid;
use trace_core::ident::TraceCode;
use trace_core::proof::anchor::Anchor;
use trace_core::proof::bundle::{Bundle, BundleRecord};
use trace_core::proof::checkpoint::Checkpoint;
use trace_core::proof::completeness::Completeness;
use trace_core::proof::merkle::{Frontier, Nodes, leaf_hash, node_place, prove_inclusion};
use trace_core::proof::note::NoteSigner;
use trace_core::record::kinds::unit_created::UnitCreated;
use trace_core::record::rights::root_entity;
use trace_core::record::{Body, Entry, Hash, Signed, Statement, SubjectId};
use trace_fixtures::{Who, World};

/// The log, its tree, and everybody's keys.
pub struct Forger {
    pub world: World,
    pub entries: Vec<Vec<u8>>,
    rows: Vec<Vec<Hash>>,
    frontier: Frontier,
    /// Subjects that are stated though no record may be about them.
    pub stated: BTreeSet<SubjectId>,
}

impl Nodes for Forger {
    type Error = Invalid;

    fn node(&self, level: u8, index: u64) -> Result<Hash, Invalid> {
        let (leaf, place) = node_place(level, index).unwrap();
        Ok(self.rows[usize::try_from(leaf).unwrap()][place])
    }
}

impl Forger {
    /// Everybody registered.
    pub fn new() -> Self {
        let mut world = World::new(7);
        let genesis = world.genesis();
        let mut forger = Self {
            world,
            entries: Vec::new(),
            rows: Vec::new(),
            frontier: Frontier::default(),
            stated: BTreeSet::from([SubjectId::signer(root_entity())]),
        };
        for submission in genesis {
            forger.append(&submission.signed);
        }
        forger
    }

    /// That, and a unit of the producer with its certificate.
    pub fn certified() -> (Self, UnitCreated, Signed, Signed) {
        let mut forger = Self::new();
        let unit = forger.world.unit();
        let created = forger.say(Who::Producer, unit.clone());
        let (certificate, _) = forger.world.certificate(&unit);
        let certified = forger.say(Who::Producer, certificate);
        (forger, unit, created, certified)
    }

    /// Signs as the next record of somebody, and appends it.
    pub fn say(&mut self, who: Who, body: impl Into<Body>) -> Signed {
        let signed = self.world.sign_bare(who, body).signed;
        self.append(&signed);
        signed
    }

    /// The statement of what somebody would sign next, changed, signed, appended.
    pub fn twist(&mut self, who: Who, body: impl Into<Body>, change: impl Fn(&mut Statement)) {
        let body = body.into();
        let now_ms = self.world.now_ms;
        let chain = self.world.chain(who);
        let mut statement = chain.state(&body, now_ms);
        change(&mut statement);
        let signed = statement.sign(chain.key());
        self.append(&signed);
    }

    pub fn append(&mut self, signed: &Signed) {
        let admitted_ms = 1_778_446_800_000 + self.entries.len() as u64 * 1000;
        self.append_entry(signed.entry(admitted_ms));
    }

    pub fn append_entry(&mut self, entry: Vec<u8>) {
        let row = self.frontier.push(leaf_hash(&entry)).unwrap();
        self.rows.push(row);
        self.entries.push(entry);
    }

    pub fn signer(&self) -> NoteSigner {
        NoteSigner::new(self.world.origin().as_str(), self.world.ledger_key()).unwrap()
    }

    pub fn anchor(&self) -> Anchor {
        Anchor {
            ledger_key: self.signer().verifier_key().clone(),
            leaf0: leaf_hash(&self.entries[0]),
        }
    }

    pub fn checkpoint(&self) -> Checkpoint {
        Checkpoint {
            origin: self.world.origin().clone(),
            size: self.frontier.size(),
            root: self.frontier.root(),
        }
    }

    /// The true statement about every subject of every record, and of these.
    pub fn completeness(&self) -> Completeness {
        let mut subjects: BTreeMap<SubjectId, BTreeSet<u64>> = self
            .stated
            .iter()
            .map(|own| (*own, BTreeSet::new()))
            .collect();
        for (index, bytes) in (0u64..).zip(&self.entries) {
            let Ok(entry) = Entry::decode(bytes) else {
                continue;
            };
            let statement = entry.signed.statement();
            let key = SubjectId::key(statement.key);
            subjects.entry(key).or_default();
            for subject in &statement.subjects {
                subjects.entry(*subject).or_default().insert(index);
            }
        }
        Completeness {
            checkpoint: self.checkpoint(),
            subjects,
        }
    }

    /// The bundle of a unit: all records there are, under a true statement.
    pub fn bundle(&self, code: TraceCode) -> Vec<u8> {
        self.bundle_of(code, &self.completeness(), 0..self.frontier.size())
    }

    /// A bundle of whatever records under whatever statement.
    pub fn bundle_of(
        &self,
        code: TraceCode,
        completeness: &Completeness,
        indexes: impl IntoIterator<Item = u64>,
    ) -> Vec<u8> {
        let records = indexes.into_iter().map(|index| BundleRecord {
            index,
            entry: self.entries[usize::try_from(index).unwrap()].clone(),
            path: prove_inclusion(self, index, self.frontier.size()).unwrap(),
        });
        let (signer, checkpoint) = (self.signer(), self.checkpoint());
        let checkpoint = checkpoint.sign(&signer).unwrap().note().to_owned();
        let completeness = completeness.sign(&signer).unwrap();
        let bundle = Bundle::new(code, checkpoint, completeness, records.collect(), None);
        bundle.unwrap().encode()
    }
}
