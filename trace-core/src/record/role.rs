//! Roles: in what capacity an entity signs. Which role may sign which kind is
//! one column of the table in `kinds`.

use crate::error::{Invalid, Rule};
use postcard_schema::Schema;
use serde::{Deserialize, Serialize};

macro_rules! roles {
    ($($variant:ident $name:literal $zh:literal $doc:literal;)*) => {
        /// A capacity in which an entity signs, granted for an area.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, Schema)]
        #[serde(rename_all = "snake_case")]
        pub enum Role { $(#[doc = $doc] $variant,)* }

        impl Role {
            /// Every role there is.
            pub const ALL: &'static [Role] = &[$(Role::$variant,)*];

            /// The role's name in code, URLs and JSON.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Role::$variant => $name,)* }
            }

            /// The role's name in Chinese.
            #[must_use]
            pub fn name_zh(self) -> &'static str {
                match self { $(Role::$variant => $zh,)* }
            }
        }
    };
}

roles! {
    Root "root" "根授权方" "The ledger's root authority: the keys of its first record, by quorum.";
    Authority "authority" "主管部门" "Registers entities, enrols and revokes keys, grants roles, within its area and below.";
    Inspector "inspector" "监管人员" "Reads in full and reports findings, within its area and below.";
    Producer "producer" "生产者" "Grows, breeds, slaughters or makes food.";
    Buyer "buyer" "收购者" "Buys from producers, mixes and re-packs.";
    Importer "importer" "首站进口" "Brings goods in from abroad or another province.";
    ColdStore "cold_store" "冷库" "Keeps goods cold.";
    Market "market" "市场开办者" "Runs a market and checks what enters it.";
    Laboratory "laboratory" "检验机构" "Tests samples.";
    Operator "operator" "账本运营方" "Runs the ledger's machine; says nothing about food.";
    Quarantine "quarantine" "动物检疫机构" "Certifies animals and their products within its area: the official veterinarian's office.";
    Slaughterhouse "slaughterhouse" "定点屠宰企业" "Slaughters, and checks the quality of its meat.";
    SupervisionWarehouse "supervision_warehouse" "集中监管仓" "Keeps goods from abroad under supervision until it releases them.";
}

impl Role {
    /// The first rule set under which it may be granted.
    #[must_use]
    pub fn rule_set(self) -> u16 {
        match self {
            Self::Quarantine | Self::Slaughterhouse | Self::SupervisionWarehouse => 2,
            _ => 1,
        }
    }
}

impl std::fmt::Display for Role {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl std::str::FromStr for Role {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        Self::ALL
            .iter()
            .copied()
            .find(|role| role.name() == text)
            .ok_or_else(|| {
                let known: Vec<_> = Self::ALL.iter().map(|role| role.name()).collect();
                Invalid::new(
                    Rule::Role,
                    format!("{text:?} is not a role; known: {}", known.join(", ")),
                )
            })
    }
}
