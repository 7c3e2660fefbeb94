//! What is typed into the three steps, kept through all of them, and what is wrong
//! with it, field by field. What it may say is decided where the API decides it.

use maud::{Markup, html};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use trace_core::{
    error::Invalid,
    ident::{CivilDate, Gtin, Lot},
    record::{Quantity, certificate::Elements, claim::Basis, kinds::unit_created::UnitCreated},
};

use crate::{
    choices::{BASES, CLASSES},
    language::Language,
};

/// How far one has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Step {
    /// Which product.
    #[default]
    Product,
    /// Which batch of it.
    Batch,
    /// As the shopper will see it.
    Preview,
    /// Signed.
    Sign,
}

macro_rules! filled {
    ($($field:ident)*) => {
        /// What was typed; empty where nothing was.
        #[derive(Debug, Clone, Default, Deserialize)]
        #[serde(deny_unknown_fields, default)]
        pub struct Filled {
            pub(super) step: Step,
            /// Names the order, so that it is carried out once.
            pub(super) key: String,
            $(pub(super) $field: String,)*
        }

        impl Filled {
            /// Every field with what was typed, but for those that the reader of a
            /// page types into.
            pub(super) fn hidden(&self, but: &[&str]) -> Markup {
                html! {
                    $(@if !self.$field.is_empty() && !but.contains(&stringify!($field)) {
                        input type="hidden" name=(stringify!($field)) value=(self.$field);
                    })*
                }
            }

            fn by_name(&self, name: &str) -> &str {
                match name { $(stringify!($field) => &self.$field,)* _ => "" }
            }
        }
    };
}

filled! {
    product product_class gtin specification storage origin
    lot quantity produced_on durability_kind durability_on expires_on
    entrusted_test own_test internal_control self_promise
    control_meets_requirements own_test_passed entrusted_test_passed
    contact_name contact_phone form collected corrects reason
}

/// The fields of the first step.
pub(super) const OF_PRODUCT: [&str; 6] = [
    "product",
    "product_class",
    "gtin",
    "specification",
    "storage",
    "origin",
];

/// The fields of the second.
pub(super) const OF_BATCH: [&str; 17] = [
    "lot",
    "quantity",
    "produced_on",
    "durability_kind",
    "durability_on",
    "expires_on",
    "entrusted_test",
    "own_test",
    "internal_control",
    "self_promise",
    "control_meets_requirements",
    "own_test_passed",
    "entrusted_test_passed",
    "contact_name",
    "contact_phone",
    "form",
    "collected",
];

/// What is wrong with a field.
pub(super) struct Wrong {
    pub field: &'static str,
    pub what: String,
}

impl Filled {
    /// Like a certificate that there is: its product and quantity, no dates.
    pub(super) fn like(unit: &UnitCreated, elements: &Elements) -> Self {
        let class = CLASSES.iter().find(|it| it.3 == unit.product_class);
        let mut like = Self {
            product: unit.product.clone(),
            product_class: class.map_or("", |it| it.0).to_owned(),
            gtin: unit.gtin.map(|it| it.to_string()).unwrap_or_default(),
            specification: unit.specification.clone().unwrap_or_default(),
            storage: unit.storage.clone().unwrap_or_default(),
            origin: unit.origin_place.clone(),
            quantity: elements.quantity.to_string(),
            ..Self::default()
        };
        for basis in &elements.bases {
            let on = "on".to_owned();
            match basis {
                Basis::EntrustedTest => like.entrusted_test = on,
                Basis::OwnTest => like.own_test = on,
                Basis::InternalControl => like.internal_control = on,
                Basis::SelfPromise => like.self_promise = on,
                Basis::ControlMeetsRequirements => like.control_meets_requirements = on,
                Basis::OwnTestPassed => like.own_test_passed = on,
                Basis::EntrustedTestPassed => like.entrusted_test_passed = on,
            }
        }
        like
    }

    /// Whether a basis is ticked.
    pub(super) fn has(&self, basis: Basis) -> bool {
        let named = BASES.iter().find(|it| it.1 == basis);
        named.is_some_and(|(name, _)| !self.by_name(name).is_empty())
    }

    /// The name of a basis' field.
    pub(super) fn name_of(basis: Basis) -> &'static str {
        let named = BASES.iter().find(|it| it.1 == basis);
        named.map_or("", |(name, _)| name)
    }

    /// What is wrong with the fields of the steps before this one.
    pub(super) fn wrong(&self, language: Language, before: Step) -> Vec<Wrong> {
        let mut wrong = Vec::new();
        let mut refuse = |field, what: String| wrong.push(Wrong { field, what });
        let missing = || language.of("Fill this in", "此项必填").to_owned();
        if before > Step::Product {
            for (field, text) in [("product", &self.product), ("origin", &self.origin)] {
                if text.trim().is_empty() {
                    refuse(field, missing());
                }
            }
            if !CLASSES.iter().any(|it| it.0 == self.product_class) {
                refuse("product_class", missing());
            }
            if !self.gtin.is_empty()
                && let Err(invalid) = Gtin::parse(self.gtin.trim())
            {
                refuse("gtin", invalid.what);
            }
        }
        if before > Step::Batch {
            if let Err(invalid) = Quantity::parse(self.quantity.trim()) {
                refuse("quantity", invalid.what);
            }
            if !self.lot.is_empty()
                && let Err(invalid) = Lot::parse(self.lot.trim())
            {
                refuse("lot", invalid.what);
            }
            for (field, text, is_wanted) in [
                ("produced_on", &self.produced_on, true),
                ("durability_on", &self.durability_on, false),
                ("expires_on", &self.expires_on, false),
            ] {
                match (text.is_empty(), CivilDate::parse(text)) {
                    (true, _) if is_wanted => refuse(field, missing()),
                    (false, Err(Invalid { what, .. })) => refuse(field, what),
                    _ => {}
                }
            }
            if !self.corrects.is_empty() && self.reason.trim().is_empty() {
                refuse("reason", missing());
            }
        }
        wrong
    }

    /// The order of `POST /v1/certificates`.
    fn certificate(&self) -> Value {
        let mut order = Map::new();
        for (name, text) in [
            ("product", &self.product),
            ("product_class", &self.product_class),
            ("quantity", &self.quantity),
            ("origin", &self.origin),
            ("produced_on", &self.produced_on),
            ("specification", &self.specification),
            ("storage", &self.storage),
            ("gtin", &self.gtin),
            ("lot", &self.lot),
            ("expires_on", &self.expires_on),
            ("form", &self.form),
        ] {
            if !text.trim().is_empty() {
                order.insert(name.to_owned(), text.trim().into());
            }
        }
        if !self.durability_on.is_empty() {
            let durability = json!({"kind": self.durability_kind, "on": self.durability_on});
            order.insert("durability".into(), durability);
        }
        let ticked = BASES
            .iter()
            .filter(|(name, _)| !self.by_name(name).is_empty());
        let bases: Vec<&str> = ticked.map(|(name, _)| *name).collect();
        if !bases.is_empty() {
            order.insert("bases".into(), json!(bases));
        }
        let collected = self.collected.split_whitespace();
        let collected: Vec<&str> = collected.collect();
        if !collected.is_empty() {
            order.insert("collected".into(), json!(collected));
        }
        if !self.contact_name.trim().is_empty() {
            let phone = Some(self.contact_phone.trim()).filter(|it| !it.is_empty());
            let contact = json!({"name": self.contact_name.trim(), "phone": phone});
            order.insert("contact".into(), contact);
        }
        Value::Object(order)
    }

    /// Where the API takes it, and the order there.
    pub(super) fn order(&self) -> (&'static str, Value) {
        match self.corrects.is_empty() {
            true => ("/v1/certificates", self.certificate()),
            false => (
                "/v1/supersede",
                json!({"number": self.corrects, "reason": self.reason.trim(), "replacement": self.certificate()}),
            ),
        }
    }
}
