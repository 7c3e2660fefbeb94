//! What a certificate's form lets people choose, under the names of the API: typed in
//! sheets, ticked on pages.

use trace_core::record::{claim::Basis, kinds::unit_created::ProductClass};

/// 产品类别: the API's name, in English, in Chinese.
pub const CLASSES: [(&str, &str, &str, ProductClass); 7] = [
    ("vegetable", "Vegetable", "蔬菜", ProductClass::Vegetable),
    ("fruit", "Fruit", "水果", ProductClass::Fruit),
    ("tea_leaf", "Tea leaf", "茶鲜叶", ProductClass::TeaLeaf),
    (
        "livestock_and_poultry",
        "Livestock and poultry",
        "畜禽",
        ProductClass::LivestockAndPoultry,
    ),
    ("egg", "Egg", "禽蛋", ProductClass::Egg),
    (
        "farmed_aquatic",
        "Farmed fish and seafood",
        "养殖水产品",
        ProductClass::FarmedAquatic,
    ),
    ("other", "Other", "其他", ProductClass::Other),
];

/// 承诺依据: the API's name. What it says is the form's own words.
pub const BASES: [(&str, Basis); 7] = [
    ("entrusted_test", Basis::EntrustedTest),
    ("own_test", Basis::OwnTest),
    ("internal_control", Basis::InternalControl),
    ("self_promise", Basis::SelfPromise),
    (
        "control_meets_requirements",
        Basis::ControlMeetsRequirements,
    ),
    ("own_test_passed", Basis::OwnTestPassed),
    ("entrusted_test_passed", Basis::EntrustedTestPassed),
];
