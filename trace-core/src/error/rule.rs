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
    Uscc "uscc_malformed" "Give the 18 characters of the unified social credit code" "请填写18位统一社会信用代码";
    Area "area_malformed" "Give the six digits of the administrative area" "请填写6位行政区划代码";
    Licence "licence_malformed" "Give SC or JY and 14 digits" "请填写SC或JY加14位数字";
    Gs1 "gs1_malformed" "Check the number against the package; the last digit is a check digit" "请对照包装核对条码,末位为校验码";
    Lot "lot_malformed" "Use 1 to 20 characters of GS1's set 82" "批号须为1至20位GS1字符";
    Text "text_malformed" "Write plain text (NFC) without control or direction characters, within the length" "请填写规范文本,不含控制字符,长度不超限";
    Date "date_malformed" "Write the date as YYYY-MM-DD" "日期请按 年-月-日 填写";
    Quantity "quantity_malformed" "Give a quantity that is exact in its base unit (g, mL or pieces)" "数量须能精确折算为克、毫升或个数";
    Record "record_malformed" "Build the record again from its layout, version 1" "请按第1版格式重新生成记录";
    Version "version_unknown" "Use layout version 1" "请使用第1版格式";
    Origin "origin_malformed" "Name the ledger with 1 to 64 of a-z, 0-9, dot, hyphen and slash" "账本名称须为1至64位小写字母、数字、点、连字符或斜线";
    Algorithm "algorithm_unknown" "Sign with Ed25519, algorithm 1" "请使用算法1(Ed25519)签名";
    Key "key_unsuitable" "Make a new Ed25519 key with a sound program and enrol that one" "请用可靠程序重新生成Ed25519密钥后登记";
    Note "note_malformed" "Write lines that each end in a newline, without control characters, and name signers without spaces or plus" "说明文本每行须以换行结尾,不含控制字符,签名者名称不含空格和加号";
    Range "range_wrong" "Ask for an index below the size and a size the ledger has reached" "序号须小于账本大小,大小不得超过账本现有记录数";
    Kind "kind_unknown" "Use a kind that the ledger publishes" "请使用账本公布的记录种类";
    TooLarge "too_large" "Send less at a time, or store the document beside the log" "内容过大,请分批提交";
    Subjects "subjects_wrong" "State exactly the subjects that follow from the body" "主体标识须与正文一致";
    Section "section_wrong" "Send each committed section with its salt, and no other" "请随记录提交对应的分段及其盐值";
}
