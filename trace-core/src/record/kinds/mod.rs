//! Kinds: everything that can be said, one file each, and the one table.
//!
//! To add a kind: write its file (body, sections, checks, subjects, claims) and
//! add its line here. A number is one body schema for ever; a changed schema is
//! a new number, and the old decoder stays. The last column is the rule set that
//! first admits the kind; a ledger under an older one refuses it.

use super::claim::Claim;
use super::encode::{decode, encode};
use super::hash::Hash;
use super::role::Role;
use super::section::{self, Opening, Openings, Person};
use super::subject::{self, SubjectId};
use super::wire::{Countersignature, PersonRef, TokenId};
use crate::error::{Invalid, Rule};
use postcard_schema::Schema;
use serde::{Serialize, de::DeserializeOwned};

/// What every kind says of itself. Fields of the body are *public*, fields of
/// `Trade` are *trade*, and `Person` is *personal*: the types are the
/// declaration.
pub trait Kind:
    Serialize + DeserializeOwned + Schema + Clone + PartialEq + std::fmt::Debug
{
    /// The trade section; `()` where there is none.
    type Trade: Serialize + DeserializeOwned + Schema;

    /// Checks all that needs neither ledger nor clock: texts, lengths, codes.
    ///
    /// # Errors
    /// The first rule of form that the body breaks.
    fn check(&self) -> Result<(), Invalid>;

    /// What the record is about; order does not matter.
    fn subjects(&self) -> Vec<SubjectId>;

    /// What the record asks the ledger to hold true. Called only on a body
    /// that passed [`check`](Self::check).
    ///
    /// # Errors
    /// A rule of form, should the body break one after all.
    fn claims(&self, trade: Option<&Self::Trade>) -> Result<Vec<Claim>, Invalid>;

    /// Commitment to the trade section.
    fn trade(&self) -> Option<Hash> {
        None
    }

    /// Checks the trade section's texts.
    ///
    /// # Errors
    /// The first rule of form that it breaks.
    fn check_trade(_trade: &Self::Trade) -> Result<(), Invalid> {
        Ok(())
    }

    /// The persons named.
    fn persons(&self) -> &[PersonRef] {
        &[]
    }

    /// The token that acted, where a hosted key signed for its holder.
    fn acted_by(&self) -> Option<TokenId> {
        None
    }

    /// Other keys' agreement.
    fn countersignatures(&self) -> &[Countersignature] {
        &[]
    }

    /// The same body before anyone countersigned.
    #[must_use]
    fn without_countersignatures(&self) -> Self {
        self.clone()
    }
}

/// What the table says of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KindInfo {
    /// Its number in the signed layout.
    pub number: u16,
    /// Its name in code, URLs and JSON.
    pub name: &'static str,
    /// Its name in Chinese.
    pub name_zh: &'static str,
    /// The roles that may sign it.
    pub signers: &'static [Role],
    /// The first rule set that admits it.
    pub rule_set: u16,
}

macro_rules! kinds {
    ($($number:literal $module:ident::$body:ident $zh:literal by [$($role:ident)*] since $set:literal;)*) => {
        $(pub mod $module;)*

        /// A decoded body of any kind.
        #[derive(Debug, Clone, PartialEq)]
        #[expect(missing_docs, reason = "each variant is the body of its kind, documented there")]
        pub enum Body { $($body($module::$body),)* }

        /// The table of kinds: number, name, who may sign.
        pub const KINDS: &[KindInfo] = &[$(KindInfo {
            number: $number,
            name: stringify!($module),
            name_zh: $zh,
            signers: &[$(Role::$role),*],
            rule_set: $set,
        },)*];

        impl Body {
            /// What the table says of this body's kind.
            #[must_use]
            pub fn kind(&self) -> &'static KindInfo {
                match self {
                    $(Body::$body(_) => const {
                        &KindInfo { number: $number, name: stringify!($module), name_zh: $zh, signers: &[$(Role::$role),*], rule_set: $set }
                    },)*
                }
            }

            /// Decodes and checks a body.
            ///
            /// # Errors
            /// [`Rule::Kind`] for an unknown number, else a rule of form.
            pub fn decode(number: u16, bytes: &[u8]) -> Result<Self, Invalid> {
                match number {
                    $($number => {
                        let body: $module::$body = decode(stringify!($module), bytes)?;
                        check(&body)?;
                        Ok(Body::$body(body))
                    })*
                    _ => Err(unknown(&format!("kind {number:#06x}"))),
                }
            }

            /// Reads a statement from JSON: the body's fields by name.
            ///
            /// # Errors
            /// [`Rule::Kind`], [`Rule::Statement`] naming the field, or a rule of form.
            pub fn from_json(name: &str, statement: serde_json::Value) -> Result<Self, Invalid> {
                match name {
                    $(stringify!($module) => {
                        let body: $module::$body = from_json(name, statement)?;
                        check(&body)?;
                        Ok(Body::$body(body))
                    })*
                    _ => Err(unknown(name)),
                }
            }

            /// Encodes a trade section of the named kind from JSON.
            ///
            /// # Errors
            /// As [`from_json`](Self::from_json).
            pub fn trade_from_json(name: &str, trade: serde_json::Value) -> Result<Vec<u8>, Invalid> {
                match name {
                    $(stringify!($module) => {
                        let trade: <$module::$body as Kind>::Trade = from_json(name, trade)?;
                        <$module::$body as Kind>::check_trade(&trade)?;
                        Ok(encode(&trade))
                    })*
                    _ => Err(unknown(name)),
                }
            }

            /// A trade section of this kind as JSON.
            ///
            /// # Errors
            /// [`Rule::Record`] when the bytes are not such a section.
            pub fn trade_to_json(&self, trade: &[u8]) -> Result<serde_json::Value, Invalid> {
                match self {
                    $(Body::$body(_) => {
                        let trade: <$module::$body as Kind>::Trade = decode("trade section", trade)?;
                        Ok(to_json(&trade))
                    })*
                }
            }

            /// The body as JSON, fields by name.
            #[must_use]
            pub fn to_json(&self) -> serde_json::Value {
                match self { $(Body::$body(body) => to_json(body),)* }
            }

            /// The body's canonical bytes.
            #[must_use]
            pub fn encode(&self) -> Vec<u8> {
                match self { $(Body::$body(body) => encode(body),)* }
            }

            /// The subjects that follow from the body, sorted and distinct.
            #[must_use]
            pub fn subjects(&self) -> Vec<SubjectId> {
                subject::sorted(match self { $(Body::$body(body) => body.subjects(),)* })
            }

            /// The claims, with what the trade section adds where it is at hand.
            ///
            /// # Errors
            /// A rule of form, or [`Rule::Record`] for a malformed section.
            pub fn claims(&self, openings: &Openings) -> Result<Vec<Claim>, Invalid> {
                match self {
                    $(Body::$body(body) => {
                        let trade = match &openings.trade {
                            Some(opening) => Some(decode("trade section", &opening.bytes)?),
                            None => None,
                        };
                        body.claims(trade.as_ref())
                    })*
                }
            }

            /// Checks that each committed section is there, opens its
            /// commitment and reads well, and that there is no other.
            ///
            /// # Errors
            /// [`Rule::Section`], or a rule of form within a section.
            pub fn check_openings(&self, openings: &Openings) -> Result<(), Invalid> {
                match self { $(Body::$body(body) => check_openings(body, openings),)* }
            }

            /// Checks the trade section alone: what an audit can do, for whom the
            /// personal sections are closed or gone.
            ///
            /// # Errors
            /// As [`check_openings`](Self::check_openings).
            pub fn check_trade_opening(&self, trade: Option<&Opening>) -> Result<(), Invalid> {
                match self { $(Body::$body(body) => check_trade_opening(body, trade),)* }
            }

            /// Commitment to the trade section.
            #[must_use]
            pub fn trade(&self) -> Option<Hash> {
                match self { $(Body::$body(body) => body.trade(),)* }
            }

            /// The persons named.
            #[must_use]
            pub fn persons(&self) -> &[PersonRef] {
                match self { $(Body::$body(body) => body.persons(),)* }
            }

            /// The token that acted.
            #[must_use]
            pub fn acted_by(&self) -> Option<TokenId> {
                match self { $(Body::$body(body) => body.acted_by(),)* }
            }

            /// Other keys' agreement.
            #[must_use]
            pub fn countersignatures(&self) -> &[Countersignature] {
                match self { $(Body::$body(body) => body.countersignatures(),)* }
            }

            /// The same body before anyone countersigned.
            #[must_use]
            pub fn without_countersignatures(&self) -> Self {
                match self { $(Body::$body(body) => Body::$body(body.without_countersignatures()),)* }
            }
        }

        impl Serialize for Body {
            /// The body's own fields, without naming its kind.
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                match self { $(Body::$body(body) => body.serialize(serializer),)* }
            }
        }

        $(impl From<$module::$body> for Body {
            fn from(body: $module::$body) -> Self {
                Body::$body(body)
            }
        })*

        /// The published schema of every kind: what a decoder in another
        /// language needs, with each field's declaration.
        #[must_use]
        pub fn schemas() -> serde_json::Value {
            serde_json::Value::Array(vec![$(schema::<$module::$body>(KINDS, $number),)*])
        }
    };
}

kinds! {
    0x0101 ledger_opened::LedgerOpened "账本开立" by [Root] since 1;
    0x0102 entity_registered::EntityRegistered "主体登记" by [Root Authority] since 1;
    0x0103 key_enrolled::KeyEnrolled "密钥登记" by [Root Authority] since 1;
    0x0104 key_revoked::KeyRevoked "密钥吊销" by [Root Authority Producer Buyer Importer ColdStore Market Laboratory Inspector Quarantine Slaughterhouse SupervisionWarehouse] since 1;
    0x0105 role_granted::RoleGranted "授予角色" by [Root Authority] since 1;
    0x0106 role_withdrawn::RoleWithdrawn "撤销角色" by [Root Authority] since 1;
    0x0107 lookups_sealed::LookupsSealed "查询日志封存" by [Operator] since 1;
    0x0108 rule_set_adopted::RuleSetAdopted "规则集采用" by [Root] since 1;
    0x0109 tolerance_adopted::ToleranceAdopted "容差采用" by [Root] since 2;
    0x0110 supervision_policy_adopted::SupervisionPolicyAdopted "集中监管仓规则" by [Root Authority] since 2;
    0x0111 temperature_policy_adopted::TemperaturePolicyAdopted "温度规则采用" by [Root] since 3;
    0x0112 sampling_policy_adopted::SamplingPolicyAdopted "抽检不合格处置规则" by [Root Authority] since 3;
    0x0201 electronic_traceability_certificate::ElectronicTraceabilityCertificate "电子追溯合格证" by [Producer Buyer] since 1;
    0x0202 conformity_certificate_2021::ConformityCertificate2021 "承诺达标合格证(2021年样式)" by [Producer Buyer] since 1;
    0x0203 conformity_certificate_2026_producer::ConformityCertificate2026Producer "承诺达标合格证(样式一 生产者)" by [Producer] since 1;
    0x0204 conformity_certificate_2026_buyer::ConformityCertificate2026Buyer "承诺达标合格证(样式二 收购者)" by [Buyer] since 1;
    0x0205 quarantine_animal::QuarantineAnimal "动物检疫合格证明(动物)" by [Quarantine] since 2;
    0x0206 quarantine_product::QuarantineProduct "动物检疫合格证明(产品)" by [Quarantine] since 2;
    0x0207 meat_quality::MeatQuality "肉品品质检验合格证" by [Slaughterhouse] since 2;
    0x0208 inbound_inspection::InboundInspection "入境货物检验检疫证明" by [Importer] since 2;
    0x0209 warehouse_booked::WarehouseBooked "集中监管仓预约" by [Importer Buyer Producer] since 2;
    0x020a warehouse_entered::WarehouseEntered "集中监管仓入仓" by [SupervisionWarehouse] since 2;
    0x020b warehouse_released::WarehouseReleased "出仓证明" by [SupervisionWarehouse] since 2;
    0x0301 unit_created::UnitCreated "追溯单元建立" by [Producer Buyer Importer] since 1;
    0x0302 unit_declared::UnitDeclared "追溯单元申报" by [Producer Buyer Importer ColdStore Market Inspector Authority] since 2;
    0x0303 transformed::Transformed "转化" by [Producer Buyer Importer ColdStore Market] since 2;
    0x0304 handed_over::HandedOver "交付" by [Producer Buyer Importer ColdStore Market Inspector Authority] since 2;
    0x0305 received::Received "收货" by [Producer Buyer Importer ColdStore Market Inspector Authority] since 2;
    0x0306 checked_in::CheckedIn "入市查验" by [Market] since 2;
    0x0307 disposed::Disposed "处置" by [Producer Buyer Importer ColdStore Market Inspector Authority] since 2;
    0x0401 warehouse_in::WarehouseIn "入库" by [ColdStore] since 1;
    0x0402 warehouse_out::WarehouseOut "出库" by [ColdStore SupervisionWarehouse] since 1;
    0x0403 equipment_registered::EquipmentRegistered "设备登记" by [ColdStore Producer Buyer Importer Market Slaughterhouse SupervisionWarehouse] since 3;
    0x0404 equipment_calibrated::EquipmentCalibrated "设备校准" by [ColdStore Producer Buyer Importer Market Slaughterhouse SupervisionWarehouse] since 3;
    0x0405 equipment_retired::EquipmentRetired "设备停用" by [ColdStore Producer Buyer Importer Market Slaughterhouse SupervisionWarehouse] since 3;
    0x0406 segment_sealed::SegmentSealed "温度段封存" by [ColdStore Producer Buyer Importer Market Slaughterhouse SupervisionWarehouse] since 3;
    0x0407 placed::Placed "存放" by [ColdStore Producer Buyer Importer Market Slaughterhouse SupervisionWarehouse] since 3;
    0x0408 taken_out::TakenOut "移出" by [ColdStore Producer Buyer Importer Market Slaughterhouse SupervisionWarehouse] since 3;
    0x0409 alert_acknowledged::AlertAcknowledged "报警确认" by [ColdStore Producer Buyer Importer Market Slaughterhouse SupervisionWarehouse] since 3;
    0x0501 laboratory_report::LaboratoryReport "检验报告" by [Laboratory] since 2;
    0x0502 sampling_result::SamplingResult "监督抽检结果" by [Inspector Authority] since 2;
    0x0503 inspection::Inspection "监督检查" by [Inspector Authority] since 2;
    0x0504 finding_rectified::FindingRectified "问题销号" by [Inspector Authority] since 2;
    0x0505 document_published::DocumentPublished "文件公开" by [Authority Inspector Laboratory Importer SupervisionWarehouse] since 2;
    0x0506 sampling_failed::SamplingFailed "监督抽检不合格" by [Inspector Authority] since 3;
    0x0507 complaint_received::ComplaintReceived "投诉举报登记" by [Operator] since 4;
    0x0601 voided::Voided "作废" by [Producer Buyer Importer Authority Quarantine Slaughterhouse SupervisionWarehouse] since 1;
    0x0602 superseded::Superseded "更正" by [Producer Buyer Authority Quarantine Slaughterhouse] since 1;
    0x0603 held::Held "暂停流通" by [Producer Buyer Importer ColdStore Market Inspector Authority] since 2;
    0x0604 released::Released "解除暂停" by [Producer Buyer Importer ColdStore Market Inspector Authority] since 2;
    0x0605 recalled::Recalled "召回" by [Producer Buyer Importer ColdStore Market Authority] since 2;
    0x0606 recall_closed::RecallClosed "召回结束" by [Producer Buyer Importer ColdStore Market Authority] since 2;
    0x0607 correction_agreed::CorrectionAgreed "同意更正" by [Producer Buyer Importer ColdStore Market Slaughterhouse SupervisionWarehouse Inspector Authority] since 3;
    0x0608 unit_voided::UnitVoided "追溯单元作废" by [Producer Buyer Importer ColdStore Market Authority] since 3;
    0x0609 certificate_voided::CertificateVoided "证明作废" by [Producer Buyer Importer Authority Quarantine Slaughterhouse SupervisionWarehouse] since 4;
    0x0701 erasure_requested::ErasureRequested "个人信息限制处理" by [Authority] since 1;
    0x0702 personal_data_erased::PersonalDataErased "个人信息已删除" by [Authority] since 1;
}

/// The line of the table with this number.
#[must_use]
pub fn kind_by_number(number: u16) -> Option<&'static KindInfo> {
    KINDS.iter().find(|kind| kind.number == number)
}

/// The line of the table with this name.
#[must_use]
pub fn kind_by_name(name: &str) -> Option<&'static KindInfo> {
    KINDS.iter().find(|kind| kind.name == name)
}

fn unknown(found: &str) -> Invalid {
    let known: Vec<_> = KINDS.iter().map(|kind| kind.name).collect();
    Invalid::new(
        Rule::Kind,
        format!("{found:.60} is not among {}", known.join(", ")),
    )
}

/// Checks common to all kinds, then the kind's own.
fn check<K: Kind>(body: &K) -> Result<(), Invalid> {
    let persons = body.persons();
    if persons.len() > section::PERSONS_MAX {
        return section::refuse(format!(
            "{} persons, at most {}",
            persons.len(),
            section::PERSONS_MAX
        ));
    }
    let countersignatures = body.countersignatures().len();
    if countersignatures > super::wire::COUNTERSIGNATURES_MAX {
        let most = super::wire::COUNTERSIGNATURES_MAX;
        return Err(Invalid::new(
            Rule::Countersignature,
            format!("{countersignatures}, at most {most}"),
        ));
    }
    body.check()
}

fn check_trade_opening<K: Kind>(body: &K, trade: Option<&Opening>) -> Result<(), Invalid> {
    match (body.trade(), trade) {
        (Some(commitment), Some(opening)) => {
            opening.check("trade", &commitment)?;
            K::check_trade(&decode("trade section", &opening.bytes)?)
        }
        (None, None) => Ok(()),
        (Some(_), None) => section::refuse("the trade section is missing".into()),
        (None, Some(_)) => section::refuse("this kind has no trade section".into()),
    }
}

fn check_openings<K: Kind>(body: &K, openings: &Openings) -> Result<(), Invalid> {
    check_trade_opening(body, openings.trade.as_ref())?;
    let (wanted, found) = (body.persons().len(), openings.persons.len());
    if wanted != found {
        return section::refuse(format!("{found} personal sections for {wanted} persons"));
    }
    for (person, opening) in body.persons().iter().zip(&openings.persons) {
        opening.check("personal", &person.commitment)?;
        decode::<Person>("personal section", &opening.bytes)?.check()?;
    }
    Ok(())
}

fn from_json<T: DeserializeOwned>(name: &str, value: serde_json::Value) -> Result<T, Invalid> {
    // A JSON null where a section takes no fields reads as the empty section.
    serde_json::from_value(value)
        .map_err(|error| Invalid::new(Rule::Statement, format!("{name}: {error}")))
}

fn to_json<T: Serialize>(value: &T) -> serde_json::Value {
    #[expect(
        clippy::expect_used,
        reason = "plain fields with text keys always have a JSON form"
    )]
    serde_json::to_value(value).expect("plain values have a JSON form")
}

fn schema<K: Kind>(table: &[KindInfo], number: u16) -> serde_json::Value {
    use postcard_schema::schema::owned::OwnedNamedType;
    let info = table.iter().find(|kind| kind.number == number);
    serde_json::json!({
        "number": number,
        "name": info.map(|kind| kind.name),
        "name_zh": info.map(|kind| kind.name_zh),
        "signers": info.map(|kind| kind.signers),
        "rule_set": info.map(|kind| kind.rule_set),
        "public": to_json(&OwnedNamedType::from(K::SCHEMA)),
        "trade": to_json(&OwnedNamedType::from(<K::Trade as Schema>::SCHEMA)),
        "personal": to_json(&OwnedNamedType::from(Person::SCHEMA)),
        "corrections": info.map(|kind| super::correction::of(kind).collect::<Vec<_>>()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names_are_unique_and_every_kind_has_a_signer() {
        for (place, kind) in KINDS.iter().enumerate() {
            assert!(!kind.signers.is_empty(), "{}", kind.name);
            for other in &KINDS[place + 1..] {
                assert!(kind.number != other.number && kind.name != other.name);
            }
        }
    }

    #[test]
    fn an_unknown_kind_is_refused_by_number_and_by_name() {
        assert_eq!(Body::decode(0x7fff, &[]).unwrap_err().rule, Rule::Kind);
        assert_eq!(
            Body::from_json("wish", serde_json::Value::Null)
                .unwrap_err()
                .rule,
            Rule::Kind
        );
    }

    #[test]
    fn the_published_schemas_name_every_field() {
        let schemas = schemas().to_string();
        for field in [
            "stated",
            "produced_on",
            "possession_r",
            "replacement_number",
            "civil_offset_minutes",
        ] {
            assert!(schemas.contains(field), "{field}");
        }
    }
}
