//! The statutory forms that certificates follow, and the words that the forms
//! of a promise of conformity demand: bases and pledges.
//!
//! Which form is in force on a day is a rule; what a form is called is here.

use postcard_schema::Schema;
use serde::{Deserialize, Serialize};

/// The statutory form that a certificate follows.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, Schema,
)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// 电子追溯合格证 (Hebei).
    ElectronicTraceability,
    /// 承诺达标合格证, the form of 2021.
    Conformity2021,
    /// 承诺达标合格证 样式一, producers, in force 2026-02-01.
    Conformity2026Producer,
    /// 承诺达标合格证 样式二, buyers, in force 2026-02-01.
    Conformity2026Buyer,
    /// 动物检疫合格证明(动物A), across provinces.
    QuarantineAnimalA,
    /// 动物检疫合格证明(动物B), within the province.
    QuarantineAnimalB,
    /// 动物检疫合格证明(产品A), across provinces.
    QuarantineProductA,
    /// 动物检疫合格证明(产品B), within the province.
    QuarantineProductB,
    /// 肉品品质检验合格证.
    MeatQuality,
    /// 入境货物检验检疫证明.
    InboundInspection,
    /// 出仓证明.
    WarehouseRelease,
}

/// What certificates of a form speak of: a unit may be certified whole in each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FormFamily {
    /// What the producer or buyer promises.
    Conformity,
    /// Quarantine of animals and what is made of them.
    Quarantine,
    /// The slaughterhouse's check of its meat.
    MeatQuality,
    /// What customs found.
    Inbound,
    /// That supervision ended.
    Release,
}

impl FormFamily {
    /// The name of its line in a checklist, stable.
    #[must_use]
    pub fn check(self) -> &'static str {
        match self {
            Self::Conformity => "certificate",
            Self::Quarantine => "quarantine_certificate",
            Self::MeatQuality => "meat_quality_certificate",
            Self::Inbound => "inbound_certificate",
            Self::Release => "release_certificate",
        }
    }
}

impl Form {
    /// What it speaks of.
    #[must_use]
    pub fn family(self) -> FormFamily {
        match self {
            Self::ElectronicTraceability
            | Self::Conformity2021
            | Self::Conformity2026Producer
            | Self::Conformity2026Buyer => FormFamily::Conformity,
            Self::QuarantineAnimalA
            | Self::QuarantineAnimalB
            | Self::QuarantineProductA
            | Self::QuarantineProductB => FormFamily::Quarantine,
            Self::MeatQuality => FormFamily::MeatQuality,
            Self::InboundInspection => FormFamily::Inbound,
            Self::WarehouseRelease => FormFamily::Release,
        }
    }

    /// Whether only who made a unit certifies it in this form.
    #[must_use]
    pub fn is_by_maker(self) -> bool {
        match self.family() {
            FormFamily::Conformity | FormFamily::MeatQuality | FormFamily::Inbound => true,
            FormFamily::Quarantine | FormFamily::Release => false,
        }
    }

    /// Whether its last day ends the right to move the goods rather than what is
    /// certified: quarantine is valid until arrival.
    #[must_use]
    pub fn is_for_moving(self) -> bool {
        self.family() == FormFamily::Quarantine
    }

    /// Whether somebody outside the ledger issued it, and a record only says so.
    #[must_use]
    pub fn is_reported(self) -> bool {
        self.family() == FormFamily::Inbound
    }

    /// The words that the form demands be printed.
    #[must_use]
    pub fn name_zh(self) -> &'static str {
        match self {
            Self::ElectronicTraceability => "电子追溯合格证",
            Self::Conformity2021 => "承诺达标合格证(2021年样式)",
            Self::Conformity2026Producer => "承诺达标合格证(样式一 生产者)",
            Self::Conformity2026Buyer => "承诺达标合格证(样式二 收购者)",
            Self::QuarantineAnimalA => "动物检疫合格证明(动物A)",
            Self::QuarantineAnimalB => "动物检疫合格证明(动物B)",
            Self::QuarantineProductA => "动物检疫合格证明(产品A)",
            Self::QuarantineProductB => "动物检疫合格证明(产品B)",
            Self::MeatQuality => "肉品品质检验合格证",
            Self::InboundInspection => "入境货物检验检疫证明",
            Self::WarehouseRelease => "出仓证明",
        }
    }

    /// The form's English name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ElectronicTraceability => "electronic traceability certificate",
            Self::Conformity2021 => "promise-of-conformity certificate, form of 2021",
            Self::Conformity2026Producer => {
                "promise-of-conformity certificate, form 1 of 2026 (producer)"
            }
            Self::Conformity2026Buyer => {
                "promise-of-conformity certificate, form 2 of 2026 (buyer)"
            }
            Self::QuarantineAnimalA => "animal quarantine certificate, animal A (across provinces)",
            Self::QuarantineAnimalB => {
                "animal quarantine certificate, animal B (within the province)"
            }
            Self::QuarantineProductA => {
                "animal quarantine certificate, product A (across provinces)"
            }
            Self::QuarantineProductB => {
                "animal quarantine certificate, product B (within the province)"
            }
            Self::MeatQuality => "meat quality certificate",
            Self::InboundInspection => "inbound inspection and quarantine certificate",
            Self::WarehouseRelease => "release from a supervision warehouse",
        }
    }
}

/// What the date on a package means.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, Schema,
)]
#[serde(rename_all = "snake_case")]
pub enum DurabilityKind {
    /// Quality is promised until this day.
    BestBefore,
    /// Not to be eaten after this day.
    UseBy,
}

macro_rules! worded {
    ($(#[$meta:meta])* $name:ident { $($variant:ident $zh:literal $doc:literal;)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, Schema)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $(#[doc = $doc] $variant,)* }

        impl $name {
            /// The words of the form.
            #[must_use]
            pub fn name_zh(self) -> &'static str {
                match self { $(Self::$variant => $zh,)* }
            }
        }
    };
}

worded! {
    /// 承诺依据: on what a promise of conformity rests. Four until 2026-01-31,
    /// three since.
    Basis {
        EntrustedTest "委托检测" "Form of 2021: tested by a laboratory.";
        OwnTest "自我检测" "Form of 2021: tested by the issuer.";
        InternalControl "内部质量控制" "Form of 2021: internal quality control.";
        SelfPromise "自我承诺" "Form of 2021: the issuer's own promise.";
        ControlMeetsRequirements "质量安全控制符合要求" "Forms of 2026: controls meet the requirements.";
        OwnTestPassed "自行检测合格" "Forms of 2026: the issuer's own test passed.";
        EntrustedTestPassed "委托检测合格" "Forms of 2026: a laboratory's test passed.";
    }
}

worded! {
    /// 承诺事项: what is promised.
    Pledge {
        NoForbiddenSubstances "不使用禁用农药兽药、停用兽药和非法添加物" "Form of 2021.";
        ResiduesWithinLimits "常规农药兽药残留不超标" "Form of 2021.";
        TruthOfPromise "对承诺的真实性负责" "Form of 2021.";
        NoBannedCompounds "未使用禁用农药、兽药及其他化合物" "Form 1 of 2026.";
        UsedResiduesWithinLimits "使用的常规农药、兽药残留不超标" "Form 1 of 2026.";
        CertificatesCollected "已按规定收取并保存该批次承诺达标合格证" "Form 2 of 2026.";
        NoMisusedAdditives "未违规使用保鲜剂、防腐剂、添加剂等" "Form 2 of 2026.";
    }
}
