//! What can be said of a certificate, field by field: the columns of a table
//! and the flags of `trace issue` are the same list.
//!
//! Everything is text here, as it was typed; `draft` makes records of it.

use std::collections::BTreeMap;

macro_rules! columns {
    ($($variant:ident $name:literal [$($zh:literal),+] $help:literal;)*) => {
        /// A field of a certificate or of the unit it is about.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Column { $(#[doc = $help] $variant,)* }

        impl Column {
            /// Every column.
            pub const ALL: &'static [Column] = &[$(Column::$variant,)*];

            /// Its header in English.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Column::$variant => $name,)* }
            }

            /// Its headers in Chinese, the usual one first.
            #[must_use]
            pub fn names_zh(self) -> &'static [&'static str] {
                match self { $(Column::$variant => &[$($zh),+],)* }
            }

            /// What it takes.
            #[must_use]
            pub fn help(self) -> &'static str {
                match self { $(Column::$variant => $help,)* }
            }
        }
    };
}

columns! {
    Product "product" ["产品名称", "名称", "品名"] "name of the product; wanted";
    Class "product_class" ["产品类别", "类别"] "vegetable 蔬菜, fruit 水果, tea_leaf 茶鲜叶, livestock_and_poultry 畜禽, egg 禽蛋, farmed_aquatic 养殖水产品, other 其他; wanted";
    Quantity "quantity" ["数量", "数量(重量)", "数量(重量)", "重量"] "as in 12.5 斤, 3 吨, 20 箱×5 公斤; wanted";
    Unit "unit" ["单位", "计量单位"] "the unit, where the quantity is a bare number";
    ProducedOn "produced_on" ["生产日期", "采收日期", "屠宰日期"] "date of harvest, slaughter or production; wanted";
    OriginPlace "origin_place" ["产地"] "where it comes from, in words; wanted";
    OriginArea "origin_area" ["产地代码", "产地区划"] "six digits of GB/T 2260";
    Basis "basis" ["承诺依据", "依据"] "what the promise rests on, several with a semicolon; wanted";
    Form "form" ["表样", "合格证种类"] "electronic 电子追溯合格证 (where empty) or conformity 承诺达标合格证, in the form of its date";
    IssuedOn "issued_on" ["开具日期", "开具时间"] "date of issue; today where empty";
    ExpiresOn "expires_on" ["有效期至"] "last day of the certificate";
    BestBefore "best_before" ["保质期至"] "last day of the product's best quality";
    UseBy "use_by" ["食用截止"] "last day on which it may be eaten";
    Beginning "beginning" ["来源方式"] "harvest 采收 (where empty), slaughter 屠宰, production 生产加工, import 进口";
    Specification "specification" ["规格", "品种"] "variety or specification";
    Lot "lot" ["批号", "批次"] "1 to 20 characters of GS1's set";
    Gtin "gtin" ["条码", "商品条码"] "8 to 14 digits on the package";
    Storage "storage" ["贮存条件", "储存条件"] "how it is to be kept";
    ForeignCode "foreign_code" ["外部编码", "其他追溯码"] "codes of other systems, several with a semicolon";
    Number "number" ["证号", "合格证编号"] "4 to 32 of 0-9, A-Z and hyphen; made up where empty";
    ContactName "contact_name" ["联系人"] "kept encrypted, shown masked";
    ContactPhone "contact_phone" ["联系电话", "联系方式"] "kept encrypted, shown masked";
    Collected "collected" ["收取的合格证"] "a buyer's form: the certificates collected, with a semicolon between; trade";
}

impl Column {
    /// The column with this header, however it is spaced or cased.
    #[must_use]
    pub fn of_header(header: &str) -> Option<Self> {
        let plain: String = header.chars().filter(|c| !c.is_whitespace()).collect();
        let english = plain.to_ascii_lowercase().replace('-', "_");
        Self::ALL.iter().copied().find(|column| {
            column.name() == english || column.names_zh().contains(&plain.trim_end_matches('*'))
        })
    }

    /// Its name for people, in both languages.
    #[must_use]
    pub fn both(self) -> String {
        let zh = self.names_zh().first().unwrap_or(&"");
        format!("{} ({zh})", self.name())
    }
}

/// What was typed for one certificate; empty is absent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fields(BTreeMap<Column, String>);

impl Fields {
    /// Sets a field; white space around it does not count.
    pub fn set(&mut self, column: Column, value: &str) {
        let value = value.trim();
        if !value.is_empty() {
            self.0.insert(column, value.to_owned());
        }
    }

    /// A field.
    #[must_use]
    pub fn of(&self, column: Column) -> Option<&str> {
        self.0.get(&column).map(String::as_str)
    }

    /// Whether nothing was typed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The list of columns, for `--help`.
#[must_use]
pub fn help() -> String {
    let lines = Column::ALL.iter().map(|column| {
        let zh = column.names_zh().first().unwrap_or(&"");
        format!("  {} or {zh}: {}", column.name(), column.help())
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_header_leads_to_its_own_column() {
        for column in Column::ALL {
            assert_eq!(Column::of_header(column.name()), Some(*column));
            for zh in column.names_zh() {
                assert_eq!(Column::of_header(zh), Some(*column), "{zh}");
                assert_eq!(Column::of_header(&format!(" {zh}* ")), Some(*column));
            }
        }
        assert_eq!(Column::of_header("Produced-On"), Some(Column::ProducedOn));
        assert_eq!(Column::of_header("price"), None);
    }
}
