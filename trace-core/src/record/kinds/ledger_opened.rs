//! 账本开立: the first record of a ledger. It names the root authority's keys
//! and the policy by which all later records are judged; its leaf hash is half
//! of every reader's trust anchor.

use crate::error::{Invalid, Rule};
use crate::record::claim::{Claim, Policy, check_rule_set};
use crate::record::kinds::Kind;
use crate::record::sign::PublicKey;
use crate::record::subject::SubjectId;
use crate::record::text;
use crate::record::wire::{AreaCode, Bytes32, Countersignature};
use postcard_schema::Schema;
use serde::{Deserialize, Serialize};

/// Most root keys: three people of three bodies, with room for seven.
const ROOT_KEYS_MAX: usize = 7;

/// Furthest a policy may let a signer's clock run ahead: a day.
const SIGNED_AHEAD_MAX_MS: u64 = 24 * 60 * 60 * 1000;

/// The body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Schema)]
#[serde(deny_unknown_fields)]
pub struct LedgerOpened {
    /// Name for people, 1 to 60 characters.
    pub name: String,
    /// The jurisdiction covered.
    pub area: AreaCode,
    /// Public keys (Ed25519) of the root authority, sorted, distinct.
    pub root_keys: Vec<Bytes32>,
    /// Public key (Ed25519) that signs this ledger's checkpoints.
    pub ledger_key: Bytes32,
    /// How times and quorums are judged.
    pub policy: Policy,
    /// What came before: the last checkpoint of a ledger that this one
    /// continues, as its signed note; absent for a new one.
    pub continues: Option<String>,
    /// The other root keys' agreement.
    pub countersignatures: Vec<Countersignature>,
}

impl Kind for LedgerOpened {
    type Trade = ();

    fn check(&self) -> Result<(), Invalid> {
        text::check("name", &self.name, 1, 60)?;
        self.area.area()?;
        let wrong = |what: String| Err(Invalid::new(Rule::Policy, what));
        let keys = self.root_keys.len();
        if keys == 0 || keys > ROOT_KEYS_MAX || !self.root_keys.is_sorted_by(|a, b| a < b) {
            return wrong(format!("{keys} root keys where 1 to {ROOT_KEYS_MAX}, sorted and distinct, are wanted"));
        }
        let quorum = usize::from(self.policy.root_quorum);
        if quorum * 2 <= keys || quorum > keys {
            return wrong(format!("a quorum of {quorum} of {keys} root keys; more than half are wanted"));
        }
        check_rule_set(self.policy.rule_set)?;
        if self.policy.civil_offset_minutes.unsigned_abs() > 14 * 60 {
            return wrong(format!("civil time {} minutes from UTC", self.policy.civil_offset_minutes));
        }
        if self.policy.signed_ahead_max_ms > SIGNED_AHEAD_MAX_MS {
            let found = self.policy.signed_ahead_max_ms;
            return wrong(format!("signing {found} ms ahead, at most {SIGNED_AHEAD_MAX_MS}"));
        }
        // A signed checkpoint is three short lines and a signature.
        match &self.continues {
            Some(note) if note.len() > 1024 => wrong(format!("a continued checkpoint of {} bytes", note.len())),
            _ => Ok(()),
        }
    }

    fn subjects(&self) -> Vec<SubjectId> {
        self.root_keys.iter().map(|key| SubjectId::key(PublicKey::from_bytes(key.0).id())).collect()
    }

    fn claims(&self, _trade: Option<&()>) -> Result<Vec<Claim>, Invalid> {
        let root_keys = self.root_keys.iter().map(|key| PublicKey::from_bytes(key.0)).collect();
        Ok(vec![Claim::OpensLedger { root_keys, policy: self.policy }])
    }

    fn countersignatures(&self) -> &[Countersignature] {
        &self.countersignatures
    }

    fn without_countersignatures(&self) -> Self {
        Self { countersignatures: Vec::new(), ..self.clone() }
    }
}
