//! Every rule a submission can break: one table, one line each.
//!
//! The code is stable for ever: clients branch on it. The remedy says what to
//! do, in English and in Chinese.

macro_rules! rules {
    ($($variant:ident $code:literal $remedy:literal $zh:literal;)*) => {
        /// A rule of admission or of form.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[expect(missing_docs, reason = "each variant's meaning is its remedy, in the table")]
        pub enum Rule { $($variant,)* }

        impl Rule {
            /// Every rule there is.
            pub const ALL: &'static [Rule] = &[$(Rule::$variant,)*];

            /// The stable, machine-readable code.
            pub fn code(self) -> &'static str {
                match self { $(Rule::$variant => $code,)* }
            }

            /// What to do about it, in English.
            pub fn remedy(self) -> &'static str {
                match self { $(Rule::$variant => $remedy,)* }
            }

            /// What to do about it, in Chinese.
            pub fn remedy_zh(self) -> &'static str {
                match self { $(Rule::$variant => $zh,)* }
            }
        }
    };
}

rules! {
    // form: what is written
    TraceCode "trace_code_malformed" "Check the code against the label: 17 characters, digits and letters" "请对照标签核对追溯码:共17位数字和字母";
    EntityId "entity_id_malformed" "Use the entity id as the ledger gave it" "请使用账本给出的主体编号";
    EquipmentId "equipment_id_malformed" "Use the equipment id as the ledger gave it" "请使用账本给出的设备编号";
    Uscc "uscc_malformed" "Give the 18 characters of the unified social credit code" "请填写18位统一社会信用代码";
    Area "area_malformed" "Give the six digits of the administrative area" "请填写6位行政区划代码";
    Licence "licence_malformed" "Give SC or JY and 14 digits" "请填写SC或JY加14位数字";
    Gs1 "gs1_malformed" "Check the number against the package; the last digit is a check digit" "请对照包装核对条码,末位为校验码";
    Lot "lot_malformed" "Use 1 to 20 characters of GS1's set 82" "批号须为1至20位GS1字符";
    Serial "serial_malformed" "Use 1 to 20 characters of GS1's set 82" "序列号须为1至20位GS1字符";
    Text "text_malformed" "Write plain text (NFC) without control or direction characters, within the length" "请填写规范文本,不含控制字符,长度不超限";
    Date "date_malformed" "Write the date as YYYY-MM-DD" "日期请按 年-月-日 填写";
    Instant "instant_malformed" "Write the time with its offset, e.g. 2026-02-01T04:00:00+08:00 (RFC 3339)" "时间须注明时区,例如 2026-02-01T04:00:00+08:00";
    Quantity "quantity_malformed" "Give a quantity that is exact in its base unit (g, mL or pieces)" "数量须能精确折算为克、毫升或个数";
    Record "record_malformed" "Build the record again from its layout, version 1" "请按第1版格式重新生成记录";
    Version "version_unknown" "Use layout version 1" "请使用第1版格式";
    Kind "kind_unknown" "Use a kind that the ledger publishes" "请使用账本公布的记录种类";
    TooLarge "too_large" "Send less at a time, or store the document beside the log" "内容过大,请分批提交";
    Subjects "subjects_wrong" "State exactly the subjects that follow from the body" "主体标识须与正文一致";
    Section "section_wrong" "Send each committed section with its salt, and no other" "请随记录提交对应的分段及其盐值";
}
