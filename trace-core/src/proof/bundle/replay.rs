//! A bundle's records judged one by one, from leaf 0 on: each in its signer's
//! chain, by a key that an earlier record enrols, with the right to say it.
//!
//! The same judge as at admission (`record::rights`) decides over what the
//! records themselves establish.

use super::established::Established;
use super::verdict::ProvedRecord;
use crate::error::{Invalid, Rule, Verify};
use crate::ident::TraceCode;
use crate::proof::completeness::VerifiedCompleteness;
use crate::record::claim::Claim;
use crate::record::cold_chain::ColdClaim;
use crate::record::kinds::Body;
use crate::record::layout::Unverified;
use crate::record::rights;
use crate::record::section::Openings;
use crate::record::sign::{Key, KeyId, PublicKey};
use crate::record::subject::SubjectId;
use crate::record::{Entry, Hash, Origin, Signed};
use std::collections::{HashMap, HashSet};

/// The state after the records so far.
pub(super) struct Replay<'a> {
    code: TraceCode,
    origin: &'a Origin,
    ledger_key: PublicKey,
    completeness: &'a VerifiedCompleteness,
    established: Established<'a>,
    /// Of each key, the last record so far: sequence and hash.
    chains: HashMap<KeyId, (u64, Hash)>,
    hashes: HashSet<Hash>,
    records: Vec<ProvedRecord>,
    admitted_ms: u64,
}

impl<'a> Replay<'a> {
    pub(super) fn new(
        code: TraceCode,
        origin: &'a Origin,
        ledger_key: PublicKey,
        completeness: &'a VerifiedCompleteness,
    ) -> Self {
        Self {
            code,
            origin,
            ledger_key,
            completeness,
            established: Established::new(code, origin),
            chains: HashMap::new(),
            hashes: HashSet::new(),
            records: Vec::new(),
            admitted_ms: 0,
        }
    }

    pub(super) fn established(&self) -> &Established<'a> {
        &self.established
    }

    pub(super) fn admitted_ms(&self) -> u64 {
        self.admitted_ms
    }

    pub(super) fn records(&self) -> &[ProvedRecord] {
        &self.records
    }

    pub(super) fn into_records(self) -> Vec<ProvedRecord> {
        self.records
    }

    /// Judges the next record and adds what it says.
    pub(super) fn append(&mut self, index: u64, entry: Entry) -> Result<(), Verify> {
        let Entry {
            admitted_ms,
            signed,
        } = entry;
        let inadmissible = |why: String| Verify::Inadmissible { index, why };
        if admitted_ms < self.admitted_ms {
            return Err(inadmissible(format!(
                "admitted at {admitted_ms} ms, an earlier record at {}",
                self.admitted_ms
            )));
        }
        if signed.statement().origin != *self.origin {
            return Err(Verify::WrongLedger {
                found: format!("record {index} of {}", signed.statement().origin),
                wanted: self.origin.to_string(),
            });
        }
        let body = signed
            .body()
            .map_err(|invalid| unread(index, &signed, &invalid))?;
        self.follow_chain(&signed).map_err(inadmissible)?;
        let public = self.public_key(index, &signed, &body)?;
        let record = Key::parse(&public)
            .map_err(Unverified::from)
            .and_then(|key| signed.verify(&key))
            .map_err(|unverified| match unverified {
                Unverified::Form(invalid) => inadmissible(invalid.to_string()),
                Unverified::Evidence(evidence) => evidence,
            })?;
        let refused = |invalid: Invalid| Verify::Inadmissible {
            index,
            why: invalid.to_string(),
        };
        let claims = record
            .body()
            .claims(&Openings::default())
            .map_err(refused)?;
        self.check_at_hand(index, &claims)?;
        if let Some(policy) = self.established.policy_in_force() {
            policy.admits(record.body().kind()).map_err(refused)?;
        }
        let signed_as = rights::authorise(&self.established, &record, &claims).map_err(refused)?;
        for claim in &claims {
            self.established
                .apply(index, &record, &signed_as, claim)
                .map_err(refused)?;
        }
        self.chains.insert(
            record.statement().key,
            (record.statement().sequence, record.hash()),
        );
        self.hashes.insert(record.hash());
        self.admitted_ms = admitted_ms;
        let hosted = self
            .established
            .key_state(&record.statement().key)
            .is_some_and(|key| key.hosted);
        self.records.push(ProvedRecord {
            index,
            hash: record.hash(),
            admitted_ms,
            signed_at_ms: record.statement().signed_at_ms,
            key: record.statement().key,
            signer: signed_as.entity,
            role: signed_as.role,
            hosted,
            disputed: false,
            subjects: record.statement().subjects.clone(),
            body,
        });
        Ok(())
    }

    /// A key's records stand in their order, and neighbours are linked.
    fn follow_chain(&self, signed: &Signed) -> Result<(), String> {
        let statement = signed.statement();
        let (key, sequence) = (statement.key, statement.sequence);
        let wanted_link = match self.chains.get(&key) {
            Some((last, _)) if sequence <= *last => {
                return Err(format!(
                    "sequence {sequence} of key {key} after its sequence {last}"
                ));
            }
            Some((last, hash)) if last.checked_add(1) == Some(sequence) => *hash,
            _ if sequence == 0 => Hash::ZERO,
            _ => return Ok(()),
        };
        match statement.link == wanted_link {
            true => Ok(()),
            false => Err(format!(
                "sequence {sequence} of key {key} is linked to {}, not to {wanted_link}",
                statement.link
            )),
        }
    }

    /// The signer's key: enrolled by an earlier record, and all about its
    /// holder stated; in leaf 0, one of the root keys that it names itself.
    fn public_key(&self, index: u64, signed: &Signed, body: &Body) -> Result<PublicKey, Verify> {
        let id = signed.statement().key;
        let inadmissible = |why: String| Verify::Inadmissible { index, why };
        match (body, index) {
            (Body::LedgerOpened(opened), 0) => {
                let ledger_key = PublicKey::from_bytes(opened.ledger_key.0);
                if ledger_key != self.ledger_key {
                    return Err(Verify::WrongLedger {
                        found: format!("leaf 0 naming ledger key {ledger_key}"),
                        wanted: self.ledger_key.to_string(),
                    });
                }
                let keys = opened.root_keys.iter();
                keys.map(|key| PublicKey::from_bytes(key.0))
                    .find(|key| key.id() == id)
                    .ok_or_else(|| inadmissible(format!("key {id} is not a root key")))
            }
            (_, 0) => Err(inadmissible("the first record opens no ledger".to_owned())),
            (Body::LedgerOpened(_), _) => Err(inadmissible("a ledger opens once".to_owned())),
            _ => {
                let state = self.established.key_state(&id).ok_or_else(|| {
                    inadmissible(format!("key {id} is not enrolled by any earlier record"))
                })?;
                let signer = SubjectId::signer(state.entity);
                match self.completeness.indexes(&signer) {
                    Some(_) => Ok(state.public_key()),
                    None => Err(Verify::Incomplete {
                        why: format!(
                            "nothing is stated about {}, who signed record {index}",
                            state.entity
                        ),
                    }),
                }
            }
        }
    }

    /// What judging a record needs must be at hand, or the fault is the
    /// bundle's and not the ledger's: the governance of an entity that it is
    /// about, and the record that it voids or replaces. Of the bundle's own
    /// unit every record is at hand, if it exists.
    fn check_at_hand(&self, index: u64, claims: &[Claim]) -> Result<(), Verify> {
        let incomplete = |what: String| Verify::Incomplete {
            why: format!("{what}, which record {index} is about"),
        };
        for claim in claims {
            if let Some(entity) = claim.governance_of()
                && self
                    .completeness
                    .indexes(&SubjectId::signer(entity))
                    .is_none()
            {
                return Err(incomplete(format!("nothing is stated about {entity}")));
            }
            match claim {
                Claim::Voids { target, unit, .. } | Claim::Supersedes { target, unit, .. }
                    if *unit != self.code && !self.hashes.contains(target) =>
                {
                    return Err(incomplete(format!("record {target} about {unit}")));
                }
                Claim::Holds { unit }
                | Claim::HoldsFailed { unit }
                | Claim::MarksVoided { unit }
                | Claim::MarksCertificateVoided { unit }
                | Claim::Recalls { unit, .. }
                    if !self.established.is_made(unit) =>
                {
                    return Err(incomplete(format!("the record that makes {unit}")));
                }
                Claim::Cold(ColdClaim::Seals(segment))
                    if !self.established.cold().is_registered(&segment.probe) =>
                {
                    let probe = segment.probe;
                    return Err(incomplete(format!("the record that registers {probe}")));
                }
                Claim::Releases { target, .. } | Claim::ClosesRecall { target, .. }
                    if !self.established.is_mark(target) =>
                {
                    return Err(incomplete(format!("record {target}")));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// A body that cannot be read: of an unknown kind, or against its kind's form.
fn unread(index: u64, signed: &Signed, invalid: &Invalid) -> Verify {
    match invalid.rule {
        Rule::Kind => Verify::CannotCheck {
            why: format!(
                "record {index} is of kind {:#06x}, which is unknown here",
                signed.statement().kind
            ),
        },
        _ => Verify::Inadmissible {
            index,
            why: invalid.to_string(),
        },
    }
}
