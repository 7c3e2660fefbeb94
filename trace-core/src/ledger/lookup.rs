//! Looking up: what is true now, the reasons, the story, and the proof.
//!
//! Public answers show public fields and masked contacts; full answers, for
//! those with a right, also trade sections and persons. Every record in an
//! answer comes with the entry's exact bytes and its inclusion path under the
//! answer's checkpoint, so that a reader need not believe the rest.

mod evidence;
mod judging;
mod keeping;
mod lineage;

pub use evidence::{FindingAnswer, FindingsAnswer, FindingsAsked, FindingsCount};
pub use keeping::{SOURCE_VERDICTS_MAX, STEP_VERDICTS_MAX, VERDICT_STAYS_MS_MAX};
pub use lineage::PartyAnswer;

use self::keeping::Budget;
use super::Failed;
use super::readings::Readings;
use super::vault::{SectionPlace, VaultReader};
use super::view::View;
use crate::error::{Invalid, Rule, Store};
use crate::ident::{CivilDate, EntityId, TraceCode, format_ms};
use crate::record::keeping::Kept;
use crate::record::kinds::entity_registered::EntityCategory;
use crate::record::rights::{KeyState, Registry, root_entity};
use crate::record::section::Person;
use crate::record::sign::KeyId;
use crate::record::status::{ColdChain, Reason, Status};
use crate::record::{Body, Entry, Hash, SubjectId, base64, encode};
use crate::rules::Facts;
use serde::Serialize;
use std::collections::HashMap;

/// Most records of one page of a story: an answer of 100 records with paths is
/// about 150 kB.
pub const PAGE_RECORDS_MAX: usize = 100;

/// Who asks, as far as it changes the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// Anyone: public fields, masked contacts.
    Public,
    /// One with a right to the whole; the look-up must have been logged.
    Full,
}

/// The answer about a trace code.
#[derive(Debug, Clone, Serialize)]
pub struct UnitAnswer {
    /// The code, in fours.
    pub code: TraceCode,
    /// What is true now.
    pub status: Status,
    /// The same in words, English.
    pub status_words: &'static str,
    /// The same in words, Chinese.
    pub status_words_zh: &'static str,
    /// What is known of the cold chain.
    pub cold_chain: ColdChain,
    /// How it was kept, where it was placed and readings are at hand; with its
    /// curves where the look-up draws them.
    #[serde(skip)]
    pub kept: Option<Kept>,
    /// The checklist behind the status.
    pub reasons: Vec<Reason>,
    /// Where the new certificate is, when this one was replaced.
    pub replaced_by: Option<Replacement>,
    /// The civil date on which this was judged.
    pub judged_on: String,
    /// The unit's story, oldest first: the records about it.
    pub records: Vec<RecordAnswer>,
    /// Where the next page begins, when there is one.
    pub next_index: Option<u64>,
    /// What the proofs lead to.
    pub checkpoint: String,
}

/// Where a replaced certificate leads.
#[derive(Debug, Clone, Serialize)]
pub struct Replacement {
    /// The new code.
    pub code: TraceCode,
    /// The new certificate's number.
    pub number: String,
}

/// One record of an answer, with its proof.
#[derive(Debug, Clone, Serialize)]
pub struct RecordAnswer {
    /// Its index in the log.
    pub index: u64,
    /// Its hash.
    pub hash: Hash,
    /// Its kind.
    pub kind: &'static str,
    /// Its kind in Chinese.
    pub kind_zh: &'static str,
    /// When the ledger admitted it, local time.
    pub admitted_at: String,
    /// When its signer says to have signed it, local time.
    pub signed_at: String,
    /// Who signed.
    pub signer: SignerAnswer,
    /// Whether the signer's key is reported compromised at this index.
    pub is_disputed: bool,
    /// What it says: the public fields.
    pub statement: Body,
    /// The trade section, in full answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trade: Option<serde_json::Value>,
    /// The persons named: masked, or whole in full answers; empty once erased.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub persons: Vec<PersonAnswer>,
    /// The entry's exact bytes, base 64.
    pub entry: String,
    /// Its inclusion path under the checkpoint, base 64.
    pub path: Vec<String>,
}

/// Who signed a record.
#[derive(Debug, Clone, Serialize)]
pub struct SignerAnswer {
    /// The entity.
    pub entity: EntityId,
    /// Its registered name; none for natural persons and the root authority.
    pub name: Option<String>,
    /// The key.
    pub key: KeyId,
    /// Whether the operator keeps the private key.
    pub is_hosted: bool,
}

/// A person named by a record.
#[derive(Debug, Clone, Serialize)]
pub struct PersonAnswer {
    /// The random id.
    pub person: String,
    /// Name: masked for the public.
    pub name: String,
    /// Telephone: masked for the public.
    pub phone: Option<String>,
    /// Identity number, in full answers only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identity_number: Option<String>,
}

/// The answer about an entity.
#[derive(Debug, Clone, Serialize)]
pub struct EntityAnswer {
    /// Its id.
    pub entity: EntityId,
    /// What kind of person it is.
    pub category: EntityCategory,
    /// Registered name; none for natural persons.
    pub name: Option<String>,
    /// Six digits of its area.
    pub area: String,
    /// The roles it holds now.
    pub roles: Vec<RoleAnswer>,
    /// The records about it: registration, keys, roles.
    pub records: Vec<RecordAnswer>,
    /// What the proofs lead to.
    pub checkpoint: String,
}

/// A role held.
#[derive(Debug, Clone, Serialize)]
pub struct RoleAnswer {
    /// Which.
    pub role: crate::record::Role,
    /// Six digits of the area.
    pub area: String,
}

/// A page of records.
#[derive(Debug, Clone, Serialize)]
pub struct RecordsAnswer {
    /// The records.
    pub records: Vec<RecordAnswer>,
    /// Where the next page begins, when there is one.
    pub next_index: Option<u64>,
    /// What the proofs lead to.
    pub checkpoint: String,
}

/// Answers questions at one moment, for one audience.
pub struct Lookup<'a> {
    view: &'a View,
    vault: &'a VaultReader,
    audience: Audience,
    today: CivilDate,
    offset_minutes: i32,
    now_ms: u64,
    readings: Option<&'a Readings>,
    /// In how many columns the unit's own temperatures are drawn.
    columns: u32,
    /// How many steps of a lineage may still be judged.
    steps: Budget,
    signers: HashMap<KeyId, (KeyState, Option<String>)>,
}

impl<'a> Lookup<'a> {
    /// Answers as of `now_ms`, which decides what date it is.
    ///
    /// # Errors
    /// [`Rule::NotOpen`] on a ledger without a first record; [`Store`].
    pub fn new(
        view: &'a View,
        vault: &'a VaultReader,
        audience: Audience,
        now_ms: u64,
    ) -> Result<Self, Failed> {
        let Some(policy) = view.folded().policy()? else {
            return Err(Invalid::new(Rule::NotOpen, "no first record yet").into());
        };
        let offset_minutes = i32::from(policy.civil_offset_minutes);
        let today = CivilDate::from_ms(now_ms, offset_minutes)?;
        Ok(Self {
            view,
            vault,
            audience,
            today,
            offset_minutes,
            now_ms,
            readings: None,
            columns: 0,
            steps: Budget::of_verdicts(STEP_VERDICTS_MAX),
            signers: HashMap::new(),
        })
    }

    /// The same, judging the cold chain by these readings.
    #[must_use]
    pub fn with_readings(self, readings: Option<&'a Readings>) -> Self {
        Self { readings, ..self }
    }

    /// The same, with the course of the unit's own temperatures in so many columns.
    #[must_use]
    pub fn drawing(self, columns: u32) -> Self {
        Self { columns, ..self }
    }

    /// The story of a trace code, from index `from` on; `None` when no record
    /// makes the unit.
    ///
    /// # Errors
    /// [`Store`].
    pub fn unit(
        &mut self,
        code: TraceCode,
        from: u64,
        limit: usize,
    ) -> Result<Option<UnitAnswer>, Failed> {
        let Some(state) = self.view.folded().unit(&code)? else {
            return Ok(None);
        };
        if state.made.is_none() {
            return Ok(None);
        }
        let (indexes, next_index) = self.page(&SubjectId::unit(code), from, limit)?;
        let records = self.records(&indexes)?;
        let mut judgement = self.judge(code, &state, &records)?;
        let (cold_chain, kept) = self.cold_chain(&code, &mut judgement, self.columns)?;
        self.weigh_sources(code, &mut judgement)?;
        Ok(Some(UnitAnswer {
            code,
            status: judgement.status,
            status_words: judgement.status.words(),
            status_words_zh: judgement.status.words_zh(),
            cold_chain,
            kept,
            reasons: judgement.reasons,
            replaced_by: judgement
                .replaced_by
                .map(|(code, number)| Replacement { code, number }),
            judged_on: self.today.to_string(),
            records,
            next_index,
            checkpoint: self.view.checkpoint().note().to_owned(),
        }))
    }

    /// The unit of a certificate number.
    ///
    /// # Errors
    /// [`Store`].
    pub fn certificate(&self, number: &str) -> Result<Option<TraceCode>, Failed> {
        self.view.folded().certificate_unit(number)
    }

    /// The units of a GTIN with a lot, after a cursor.
    ///
    /// # Errors
    /// [`Store`].
    pub fn gtin_lot(
        &self,
        gtin: u64,
        lot: &str,
        after: Option<TraceCode>,
        limit: usize,
    ) -> Result<Vec<TraceCode>, Failed> {
        Ok(self
            .view
            .folded()
            .by_gtin_lot(gtin, lot, after, limit.min(PAGE_RECORDS_MAX))?)
    }

    /// Whether a unit is of a GTIN with a lot.
    ///
    /// # Errors
    /// [`Store`].
    pub fn is_of(&self, gtin: u64, lot: &str, code: TraceCode) -> Result<bool, Failed> {
        Ok(self.view.folded().is_of_gtin_lot(gtin, lot, code)?)
    }

    /// The units that another system's code means.
    ///
    /// # Errors
    /// [`Store`].
    pub fn foreign(&self, code: &str) -> Result<Vec<TraceCode>, Failed> {
        Ok(self.view.folded().by_foreign(code, PAGE_RECORDS_MAX)?)
    }

    /// The record with this hash.
    ///
    /// # Errors
    /// [`Store`].
    pub fn record(&mut self, hash: &Hash) -> Result<Option<RecordsAnswer>, Failed> {
        let Some(index) = self.view.index_of(hash)? else {
            return Ok(None);
        };
        self.answer(&[index], None).map(Some)
    }

    /// An entity, with the records about it.
    ///
    /// # Errors
    /// [`Store`].
    pub fn entity(&mut self, entity: EntityId) -> Result<Option<EntityAnswer>, Failed> {
        let Some(state) = self.view.folded().entity(&entity)? else {
            return Ok(None);
        };
        let (indexes, _) = self.page(&SubjectId::signer(entity), 0, PAGE_RECORDS_MAX)?;
        let records = self.records(&indexes)?;
        let registered = records.iter().find_map(|record| match &record.statement {
            Body::EntityRegistered(body) => Some(body.clone()),
            _ => None,
        });
        let damaged = || Store::Damaged {
            what: format!("entity {entity} has no registration"),
        };
        let registered = registered.ok_or_else(damaged)?;
        let area = |digits: u32| format!("{digits:06}");
        Ok(Some(EntityAnswer {
            entity,
            category: registered.category,
            name: registered.name.clone(),
            area: area(state.area),
            roles: state
                .grants
                .iter()
                .map(|grant| RoleAnswer {
                    role: grant.role,
                    area: area(grant.area),
                })
                .collect(),
            records,
            checkpoint: self.view.checkpoint().note().to_owned(),
        }))
    }

    /// The certificates an entity issued, from index `from` on.
    ///
    /// # Errors
    /// [`Store`].
    pub fn issued(
        &mut self,
        entity: EntityId,
        from: u64,
        limit: usize,
    ) -> Result<RecordsAnswer, Failed> {
        let limit = limit.clamp(1, PAGE_RECORDS_MAX);
        let mut indexes = self.view.folded().issued(&entity, from, limit + 1)?;
        let next_index = (indexes.len() > limit).then(|| indexes.pop()).flatten();
        self.answer(&indexes, next_index)
    }

    /// The certificates an entity issued before index `before`, the newest first.
    ///
    /// # Errors
    /// [`Store`].
    pub fn issued_before(
        &mut self,
        entity: EntityId,
        before: u64,
        limit: usize,
    ) -> Result<Vec<RecordAnswer>, Failed> {
        let limit = limit.clamp(1, PAGE_RECORDS_MAX);
        let indexes = self.view.folded().issued_before(&entity, before, limit)?;
        self.records(&indexes)
    }

    /// The log from index `from` on, for integrators.
    ///
    /// # Errors
    /// [`Store`].
    pub fn changes(&mut self, from: u64, limit: usize) -> Result<RecordsAnswer, Failed> {
        let end = from
            .saturating_add(limit.clamp(1, PAGE_RECORDS_MAX) as u64)
            .min(self.view.size());
        let indexes: Vec<u64> = (from..end).collect();
        self.answer(&indexes, (end < self.view.size()).then_some(end))
    }

    fn answer(
        &mut self,
        indexes: &[u64],
        next_index: Option<u64>,
    ) -> Result<RecordsAnswer, Failed> {
        let checkpoint = self.view.checkpoint().note().to_owned();
        Ok(RecordsAnswer {
            records: self.records(indexes)?,
            next_index,
            checkpoint,
        })
    }

    fn page(
        &self,
        subject: &SubjectId,
        from: u64,
        limit: usize,
    ) -> Result<(Vec<u64>, Option<u64>), Failed> {
        let limit = limit.clamp(1, PAGE_RECORDS_MAX);
        let mut indexes = self.view.about(subject, from, limit + 1)?;
        let next_index = (indexes.len() > limit).then(|| indexes.pop()).flatten();
        Ok((indexes, next_index))
    }

    fn records(&mut self, indexes: &[u64]) -> Result<Vec<RecordAnswer>, Failed> {
        indexes.iter().map(|index| self.record_at(*index)).collect()
    }

    fn record_at(&mut self, index: u64) -> Result<RecordAnswer, Failed> {
        let entry = self.view.entry(index)?;
        let damaged = |error: Invalid| Store::Damaged {
            what: format!("entry {index}: {error}"),
        };
        let body = entry.signed.body().map_err(damaged)?;
        let statement = entry.signed.statement();
        let (key, name) = self.signer(&statement.key, index)?;
        let path = self.view.prove_inclusion(index, self.view.size())?;
        let kind = body.kind();
        Ok(RecordAnswer {
            index,
            hash: entry.signed.hash(),
            kind: kind.name,
            kind_zh: kind.name_zh,
            admitted_at: format_ms(entry.admitted_ms, self.offset_minutes),
            signed_at: format_ms(statement.signed_at_ms, self.offset_minutes),
            is_disputed: key.is_disputed_at(index),
            signer: SignerAnswer {
                entity: key.entity,
                name,
                key: statement.key,
                is_hosted: key.hosted,
            },
            trade: self.trade(&body, index)?,
            persons: self.persons(&body, index)?,
            statement: body,
            entry: base64::encode(&entry.encode()),
            path: path
                .iter()
                .map(|hash| base64::encode(hash.as_bytes()))
                .collect(),
        })
    }

    fn signer(&mut self, id: &KeyId, index: u64) -> Result<(KeyState, Option<String>), Failed> {
        if let Some(known) = self.signers.get(id) {
            return Ok(known.clone());
        }
        let missing = || Store::Damaged {
            what: format!("entry {index} is signed by key {id}, which is not enrolled"),
        };
        let key = self.view.folded().key(id)?.ok_or_else(missing)?;
        let name = if key.entity == root_entity() {
            None
        } else {
            self.name(&key.entity)?
        };
        self.signers.insert(*id, (key.clone(), name.clone()));
        Ok((key, name))
    }

    fn name(&self, entity: &EntityId) -> Result<Option<String>, Failed> {
        let Some(state) = self.view.folded().entity(entity)? else {
            return Ok(None);
        };
        let entry: Entry = self.view.entry(state.registered_index)?;
        Ok(match entry.signed.body() {
            Ok(Body::EntityRegistered(body)) => body.name,
            _ => None,
        })
    }

    fn trade(&self, body: &Body, index: u64) -> Result<Option<serde_json::Value>, Failed> {
        if self.audience == Audience::Public || body.trade().is_none() {
            return Ok(None);
        }
        let openings = self.view.trade_openings(index)?;
        Ok(openings
            .trade
            .map(|opening| body.trade_to_json(&opening.bytes))
            .transpose()?)
    }

    fn persons(&self, body: &Body, index: u64) -> Result<Vec<PersonAnswer>, Failed> {
        let mut found = Vec::new();
        for (position, person) in (0u8..).zip(body.persons()) {
            let state = self
                .view
                .folded()
                .person(&person.person)?
                .unwrap_or_default();
            // Locked away or destroyed: shown to nobody.
            if state.destroy_on.is_some() || state.erased_index.is_some() {
                continue;
            }
            let place = SectionPlace { index, position };
            let Some(sealed) = self.view.log().sealed_person(place)? else {
                continue;
            };
            let Some(opening) = self.vault.open_section(person.person, &sealed, place)? else {
                continue;
            };
            let Ok(known) = encode::decode::<Person>("personal section", &opening.bytes) else {
                continue;
            };
            let is_full = self.audience == Audience::Full;
            found.push(PersonAnswer {
                person: person.person.to_string(),
                name: if is_full {
                    known.name.clone()
                } else {
                    known.masked_name()
                },
                phone: if is_full {
                    known.phone.clone()
                } else {
                    known.masked_phone()
                },
                identity_number: known.identity_number.filter(|_| is_full),
            });
        }
        Ok(found)
    }
}
