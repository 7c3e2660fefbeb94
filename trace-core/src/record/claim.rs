//! Claims: what a record asks the ledger to hold true, in words that rules and
//! indexes understand without knowing the kind.
//!
//! A kind says once, in its own file, which claims it makes. Rules judge
//! claims; the fold writes them down. So a new kind made of known claims needs
//! no change to either.

use super::cold_chain::ColdClaim;
use super::document::DocumentClaim;
use super::evidence::Evidence;
pub use super::form::{Basis, DurabilityKind, Form, FormFamily, Pledge};
use super::hash::Hash;
use super::kinds::KindInfo;
use super::kinds::unit_created::ProductClass;
use super::movement::{Conversion, Manner, Process, RecallOutcome};
use super::official::FilledIn;
use super::quantity::Quantity;
use super::role::Role;
use super::sign::PublicKey;
use super::supervision::Supervision;
use super::wire::PersonId;
use crate::error::{Invalid, Rule};
use crate::ident::{Area, CivilDate, EntityId, Gtin, TraceCode};
use crate::record::sign::KeyId;
use postcard_schema::Schema;
use serde::{Deserialize, Serialize};

/// One thing a record asks the ledger to hold true.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// The ledger begins, under these root keys and this policy.
    OpensLedger {
        /// Root authority keys.
        root_keys: Vec<PublicKey>,
        /// How the ledger judges times and quorums.
        policy: Policy,
    },
    /// Later records are judged by a higher set of rules.
    AdoptsRuleSet {
        /// The set's number.
        rule_set: u16,
    },
    /// An entity exists.
    RegistersEntity {
        /// Its id.
        entity: EntityId,
        /// Where it is.
        area: Area,
        /// Its unified social credit code, unique in the ledger.
        uscc: Option<String>,
    },
    /// A key signs in an entity's name.
    EnrolsKey {
        /// For whom.
        entity: EntityId,
        /// The public key.
        key: PublicKey,
        /// Its own signature over `trace/enrol/v1\n` ‖ origin ‖ entity ‖ key.
        possession: [u8; 64],
        /// Whether the ledger's operator keeps the private key.
        hosted: bool,
    },
    /// A key signs no more.
    RevokesKey {
        /// Whose key.
        entity: EntityId,
        /// Which key.
        key: KeyId,
        /// From which log index on what it signed is disputed.
        compromised_from: Option<u64>,
    },
    /// An entity may sign in a role.
    GrantsRole {
        /// Who.
        entity: EntityId,
        /// In which role.
        role: Role,
        /// Where.
        area: Area,
    },
    /// An entity may no longer sign in a role.
    WithdrawsRole {
        /// Who.
        entity: EntityId,
        /// In which role.
        role: Role,
        /// Where.
        area: Area,
    },
    /// A trace unit exists.
    CreatesUnit {
        /// Its trace code.
        unit: TraceCode,
        /// Whose it is, where it is not the signer's.
        maker: Option<EntityId>,
        /// 产品名称.
        product: String,
        /// 产品类别.
        product_class: ProductClass,
        /// How much of it there is; of what came of other units, known only with
        /// the trade section.
        quantity: Option<Quantity>,
        /// When it was harvested, slaughtered, produced or imported.
        produced_on: CivilDate,
        /// Until when it may be sold, and what that date means.
        durability: Option<(DurabilityKind, CivilDate)>,
        /// Product number on the package.
        gtin: Option<Gtin>,
        /// Batch as the producer writes it.
        lot: Option<String>,
        /// Codes of other systems that mean the same unit.
        foreign_codes: Vec<String>,
        /// Whether only a paper speaks for its origin.
        is_declared: bool,
    },
    /// Units are used up and others come of them; each of those is claimed by a
    /// [`Claim::CreatesUnit`] beside this.
    Transforms {
        /// What was done.
        process: Process,
        /// When.
        at_ms: u64,
        /// What went in.
        inputs: Vec<Share>,
        /// What came out.
        outputs: Vec<Share>,
        /// What was lost, in the measure of the outputs.
        loss: Option<Quantity>,
        /// How measures converted.
        conversions: Vec<Conversion>,
    },
    /// A quantity of a unit leaves its holder's hands for another's.
    HandsOver {
        /// Which unit.
        unit: TraceCode,
        /// When.
        at_ms: u64,
        /// The certificate that goes with it.
        certificate: Option<String>,
        /// Who hands over, where it is not the signer.
        on_behalf_of: Option<EntityId>,
        /// To whom and how much; known only with the trade section.
        handing: Option<Handing>,
    },
    /// What was handed over has arrived.
    Receives {
        /// Which unit.
        unit: TraceCode,
        /// The record by which it was handed over.
        target: Hash,
        /// When.
        at_ms: u64,
        /// Who receives, where it is not the signer.
        on_behalf_of: Option<EntityId>,
        /// How much; known only with the trade section.
        receipt: Option<Receipt>,
    },
    /// A market has looked at a quantity of a unit.
    ChecksIn {
        /// Which unit.
        unit: TraceCode,
        /// When.
        at_ms: u64,
        /// The certificate that was seen.
        certificate: Option<String>,
        /// Whether it was let in.
        is_admitted: bool,
        /// How much; known only with the trade section.
        quantity: Option<Quantity>,
    },
    /// A quantity of a unit ends with its holder.
    Disposes {
        /// Which unit.
        unit: TraceCode,
        /// When.
        at_ms: u64,
        /// How.
        manner: Manner,
        /// Whose it was, where it is not the signer's.
        on_behalf_of: Option<EntityId>,
        /// How much; known only with the trade section.
        quantity: Option<Quantity>,
    },
    /// A paper speaks for a quantity.
    UsesPaper {
        /// What tells this paper from others.
        paper: Hash,
        /// How much it covers, where it says so; else it is used once.
        total: Option<Quantity>,
        /// How much is claimed of it.
        quantity: Quantity,
    },
    /// Nothing of a unit moves, nor of what was made from it.
    Holds {
        /// Which unit.
        unit: TraceCode,
    },
    /// A sample failed, and by rule nothing of the unit moves, nor of what was
    /// made from it.
    HoldsFailed {
        /// Which unit.
        unit: TraceCode,
    },
    /// What was made from a unit, and will be, comes of something voided.
    MarksVoided {
        /// Which unit.
        unit: TraceCode,
    },
    /// What was made from a unit, and will be, comes of something of which a
    /// certificate was voided.
    MarksCertificateVoided {
        /// Which unit.
        unit: TraceCode,
    },
    /// Whether a failed sample holds in an area from now on.
    AdoptsSamplingPolicy {
        /// Where: this area and those below that have none of their own.
        area: Area,
        /// Whether it does.
        holds: bool,
    },
    /// A hold ends.
    Releases {
        /// Which unit.
        unit: TraceCode,
        /// The record that holds it.
        target: Hash,
    },
    /// A unit and what was made from it goes back.
    Recalls {
        /// Which unit.
        unit: TraceCode,
        /// It reaches what was made until then.
        until_ms: Option<u64>,
    },
    /// A recall ends.
    ClosesRecall {
        /// Which unit.
        unit: TraceCode,
        /// The record that recalls it.
        target: Hash,
        /// How.
        outcome: RecallOutcome,
    },
    /// What is tolerated of a class of product from now on.
    AdoptsTolerance {
        /// Which class.
        product_class: ProductClass,
        /// What is tolerated.
        tolerance: Tolerance,
    },
    /// A quantity of a unit is certified.
    Certifies {
        /// The certificate's number, unique in the ledger.
        number: String,
        /// What it is about.
        unit: TraceCode,
        /// How much of it.
        quantity: Quantity,
        /// Which statutory form.
        form: Form,
        /// Date of issue.
        issued_on: CivilDate,
        /// Last day of validity, where the form or the issuer sets one.
        expires_on: Option<CivilDate>,
        /// The bases ticked.
        bases: Vec<Basis>,
        /// The promises made.
        pledges: Vec<Pledge>,
    },
    /// A quantity of a unit enters the signer's cold store.
    EntersStore {
        /// Which unit.
        unit: TraceCode,
        /// When.
        at_ms: u64,
        /// How much; known only with the trade section.
        quantity: Option<Quantity>,
    },
    /// A quantity of a unit leaves the signer's cold store.
    LeavesStore {
        /// Which unit.
        unit: TraceCode,
        /// When.
        at_ms: u64,
        /// How much; known only with the trade section.
        quantity: Option<Quantity>,
    },
    /// A certificate, or a whole unit, no longer stands.
    Voids {
        /// The record that is voided.
        target: Hash,
        /// The unit it is about.
        unit: TraceCode,
        /// The certificate's number; none voids the unit itself.
        number: Option<String>,
    },
    /// A certificate is replaced by another.
    Supersedes {
        /// The record that is replaced.
        target: Hash,
        /// The unit it is about.
        unit: TraceCode,
        /// The certificate's number.
        number: String,
        /// The unit of the replacing certificate; may be the same.
        replacement_unit: TraceCode,
        /// The number of the replacing certificate.
        replacement_number: String,
    },
    /// Somebody agrees that a certificate be replaced so.
    AgreesToCorrection {
        /// The record that is to be replaced.
        target: Hash,
        /// The unit it is about.
        unit: TraceCode,
        /// The certificate's number.
        number: String,
        /// The unit of the replacing certificate.
        replacement_unit: TraceCode,
        /// The number of the replacing certificate.
        replacement_number: String,
        /// How much that covers.
        quantity: Quantity,
        /// What else it says, as [`terms`](super::correction::terms).
        terms: Hash,
    },
    /// A person's data are locked away at once and destroyed on a date.
    RestrictsPerson {
        /// Whose.
        person: PersonId,
        /// The day on which the last statutory retention period ends.
        destroy_on: CivilDate,
    },
    /// A person's data are destroyed.
    ErasesPerson {
        /// Whose.
        person: PersonId,
    },
    /// An official form is filled in as its date demands.
    FillsIn(FilledIn),
    /// Goods go through a centralised supervision warehouse.
    Supervision(Supervision),
    /// Something was found, or put right.
    Evidence(Evidence),
    /// A document is named, or made public.
    Document(DocumentClaim),
    /// Equipment, its readings, and what is kept in it.
    Cold(ColdClaim),
    /// The log of look-ups has this length and head.
    SealsLookups {
        /// How many look-ups it holds.
        count: u64,
        /// The hash of its last line.
        head: Hash,
    },
}

impl Claim {
    /// For whom the signer says to act; the maker of a unit among them.
    #[must_use]
    pub fn acts_for(&self) -> Option<EntityId> {
        match self {
            Self::CreatesUnit { maker: other, .. }
            | Self::HandsOver {
                on_behalf_of: other,
                ..
            }
            | Self::Receives {
                on_behalf_of: other,
                ..
            }
            | Self::Disposes {
                on_behalf_of: other,
                ..
            } => *other,
            _ => None,
        }
    }

    /// The entity, beside the signer, whose governance judging the claim needs:
    /// that which it registers, grants or revokes, or for which the signer acts.
    #[must_use]
    pub fn governance_of(&self) -> Option<EntityId> {
        match self {
            Self::RegistersEntity { entity, .. }
            | Self::EnrolsKey { entity, .. }
            | Self::RevokesKey { entity, .. }
            | Self::GrantsRole { entity, .. }
            | Self::WithdrawsRole { entity, .. } => Some(*entity),
            other => other.acts_for(),
        }
    }
}

/// So much of a unit; how much is known only with the trade section.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    /// Which unit.
    pub unit: TraceCode,
    /// How much.
    pub quantity: Option<Quantity>,
}

/// To whom a quantity is handed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Handing {
    /// An entity; none is somebody outside the ledger.
    pub to: Option<EntityId>,
    /// How much.
    pub quantity: Quantity,
}

/// What arrived of a quantity; what is absent is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receipt {
    /// Accepted.
    pub accepted: Option<Quantity>,
    /// Missing.
    pub missing: Option<Quantity>,
    /// Refused.
    pub refused: Option<Quantity>,
    /// Weighed beyond what was handed over.
    pub excess: Option<Quantity>,
}

/// What is tolerated of a class of product. Where none is adopted, nothing is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, Schema)]
#[serde(deny_unknown_fields)]
pub struct Tolerance {
    /// So much may be missing or dry out.
    pub shrinkage_per_mille: u16,
    /// So much may be weighed beyond what was handed over.
    pub gain_per_mille: u16,
    /// After so many days a transfer that nobody received is an open question.
    pub receive_within_days: Option<u16>,
    /// Roles that may hold a unit of their own making; authorities and
    /// inspectors may always. Sorted, distinct.
    pub holders: Vec<Role>,
}

/// The newest set of rules known here: 1 is certificates, stock and governance;
/// 2 adds movement, lineage and recall; 3 adds the cold chain and corrections
/// after receipt; 4 marks what was made from goods whose certificate is voided.
pub const RULE_SET_NEWEST: u16 = 4;

/// Checks that a set of rules is known here.
///
/// # Errors
/// [`Rule::Policy`] with the number.
pub fn check_rule_set(rule_set: u16) -> Result<(), Invalid> {
    match (1..=RULE_SET_NEWEST).contains(&rule_set) {
        true => Ok(()),
        false => Err(Invalid::new(
            Rule::Policy,
            format!("rule set {rule_set} is unknown; known are 1 to {RULE_SET_NEWEST}"),
        )),
    }
}

/// How a ledger judges times and quorums; fixed by its first record, but for
/// the set of rules, which a later record may raise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Schema)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// Which numbered set of rules is in force.
    pub rule_set: u16,
    /// Root keys that must agree on an act of the root authority.
    pub root_quorum: u8,
    /// The ledger's civil time: minutes east of UTC (480 in China).
    pub civil_offset_minutes: i16,
    /// How far ahead of admission a signer's clock may be.
    pub signed_ahead_max_ms: u64,
    /// How many days an issue date may precede admission without an
    /// authority's countersignature.
    pub issue_backdate_max_days: u16,
}

impl Policy {
    /// A kind is admitted only under a set of rules that knows it.
    ///
    /// # Errors
    /// [`Rule::RuleSet`] with both sets.
    pub fn admits(&self, kind: &KindInfo) -> Result<(), Invalid> {
        match kind.rule_set <= self.rule_set {
            true => Ok(()),
            false => Err(Invalid::new(
                Rule::RuleSet,
                format!(
                    "{} is admitted from rule set {} on, in force is {}",
                    kind.name, kind.rule_set, self.rule_set
                ),
            )),
        }
    }

    /// A set of rules is followed only by a higher one.
    ///
    /// # Errors
    /// [`Rule::RuleSetNotHigher`] with both sets.
    pub fn may_adopt(&self, rule_set: u16) -> Result<(), Invalid> {
        match rule_set > self.rule_set {
            true => Ok(()),
            false => Err(Invalid::new(
                Rule::RuleSetNotHigher,
                format!("rule set {rule_set}, in force is {}", self.rule_set),
            )),
        }
    }
}
