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
    DigitalLink "digital_link_malformed" "Write the address as /01/GTIN/10/LOT/21/SERIAL, each value percent-encoded" "地址应为 /01/商品条码/10/批号/21/序列号,各值须按百分号编码";
    Text "text_malformed" "Write plain text (NFC) without control or direction characters, within the length" "请填写规范文本,不含控制字符,长度不超限";
    Date "date_malformed" "Write the date as YYYY-MM-DD" "日期请按 年-月-日 填写";
    Instant "instant_malformed" "Write the time with its offset, e.g. 2026-02-01T04:00:00+08:00 (RFC 3339)" "时间须注明时区,例如 2026-02-01T04:00:00+08:00";
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
    Number "certificate_number_malformed" "Number certificates with 4 to 32 of 0-9, A-Z and hyphen" "证号须为4至32位数字、大写字母或连字符";
    Role "role_unknown" "Use one of the roles that the ledger knows" "请使用账本已有的角色";
    Statement "statement_malformed" "Write the statement with exactly the fields that the kind's schema has" "请按该种类的字段填写";
    FormFields "form_fields_wrong" "Fill in the form that is in force on the issue date, with its bases and promises" "请使用开具日期所适用的表样并填全承诺依据和承诺事项";
    EntityName "entity_name_wrong" "Name a household in its personal section and every other entity in the clear" "农户姓名写入个人分段,其他主体公开名称";
    Policy "policy_wrong" "Open the ledger with a policy that can be kept" "请使用可行的账本规则";
    RuleSet "rule_set_too_old" "Have the root authority adopt the rule set that admits this kind" "请先由根授权方采用允许该种类的规则集";
    RuleSetNotHigher "rule_set_not_higher" "Adopt a set with a higher number than the one in force" "只能采用编号更高的规则集";
    Transformation "transformation_malformed" "State what went in and what came out: new codes, each once, and conversions that can be" "请如实填写投入与产出:产出须用新追溯码且不重复,换算须合理";
    Temperature "temperature_malformed" "State the temperature in thousandths of a degree Celsius" "温度请以千分之一摄氏度填写";
    TemperaturePolicy "temperature_policy_malformed" "Name the policy with 1 to 32 of a-z, 0-9 and hyphen" "温度规则代号须为1至32位小写字母、数字或连字符";
    EquipmentUnfit "equipment_unfit" "Register stores, vehicles and containers by themselves, zones and probes as parts, calibrations for probes only" "冷库、车辆和箱体单独登记,温区和探头须注明所属设备,仅探头有校准";
    Segment "segment_malformed" "Seal the readings as they are: count, first and last time, lowest and highest" "请按实际读数封存:读数个数、首末时间、最低最高温度";
    Evidence "evidence_inconsistent" "State found value, limit and verdict so that they agree" "实测值、指标与判定须一致";
    Document "document_malformed" "Store a PDF, JPEG or PNG" "请上传PDF、JPEG或PNG文件";
    DatesDisagree "dates_disagree" "Correct the dates: production, then issue, then expiry" "请更正日期:先生产,再开具,后到期";
    // rights: who may say it
    KeyUnknown "key_unknown" "Have the key enrolled by the authority of your area first" "请先由所在地主管部门登记密钥";
    KeyRevoked "key_revoked" "Sign with a key that is in force" "请使用有效的密钥签名";
    KeyKnown "key_enrolled_before" "Make a new key: a key is enrolled once ever" "请生成新密钥,每个密钥只能登记一次";
    Possession "possession_unproved" "Sign the enrolment message with the key itself" "请用该密钥对登记信息签名";
    Right "right_missing" "Ask the authority of your area for the role that this needs" "请向所在地主管部门申请相应角色";
    Countersignature "countersignature_missing" "Have the wanted number of other keys countersign the same bytes" "请由规定的其他密钥会签";
    Signature "signature_wrong" "Sign exactly the bytes of the record with the key that it names" "请用记录所列密钥对原始字节签名";
    // place: where it stands
    WrongOrigin "origin_wrong" "Send the record to the ledger that it names" "请提交到记录所列的账本";
    Sequence "sequence_wrong" "Sign again with the expected sequence and link" "请按应有的序号和前一记录重新签名";
    // state: what the ledger holds already
    EntityKnown "entity_known" "Use the entity that is registered" "该主体已登记,请使用已有主体";
    EntityUnknown "entity_unknown" "Register the entity first" "请先登记主体";
    UnitKnown "trace_code_used" "Make a new trace code from 80 random bits" "该追溯码已使用,请重新生成";
    UnitUnknown "unit_unknown" "Create the trace unit first" "请先建立追溯单元";
    UnitVoided "unit_voided" "Create a new trace unit" "该追溯单元已作废,请新建";
    NumberUsed "certificate_number_used" "Give the certificate a new number" "证号已使用,请更换";
    TargetUnknown "target_unknown" "Name the record that is meant, as look-up shows it" "请按查询结果填写目标记录";
    TargetNotStanding "target_not_standing" "Look the certificate up: it was voided or replaced already" "该合格证已作废或已更正";
    QuantityExceeded "quantity_exceeded" "State no more than there is" "数量不得超过现有数量";
    QuantityUnit "quantity_unit_differs" "State the quantity in the unit of measure of the trace unit" "计量单位须与追溯单元一致";
    BookingMissing "booking_missing" "Book the supervision warehouse first" "请先预约集中监管仓";
    BookingLate "booking_late" "Book the supervision warehouse as early as its policy says" "请按规定提前预约集中监管仓";
    AttachmentMissing "attachment_missing" "Attach the papers that the area's policy demands" "请附上当地规定的单证";
    Unreleased "unreleased" "Have the supervision warehouse release the goods first" "请先由集中监管仓出具出仓证明";
    DocumentUnknown "document_unknown" "Name the document in a record first" "请先在记录中引用该文件";
    TooMany "too_many" "Begin a new trace unit" "数量已达上限,请新建追溯单元";
    RoleHeld "role_held_already" "The entity holds the role already" "该主体已有此角色";
    RoleNotHeld "role_not_held" "Look the entity up: it does not hold the role" "该主体无此角色";
    PersonUnknown "person_unknown" "Name a person that a record of this ledger names" "没有记录提及该个人编号";
    RetentionRuns "retention_runs" "Ask again when the retention period has ended" "法定保存期满后再申请";
    PersonErased "person_erased" "Name the person under a new id" "该个人信息已删除,请使用新编号";
    // cold chain: equipment, readings, and what is kept where
    EquipmentKnown "equipment_known" "Give the equipment a new id from 80 random bits" "该设备编号已使用,请重新生成";
    EquipmentUnknown "equipment_unknown" "Register the equipment first" "请先登记设备";
    EquipmentRetired "equipment_retired" "Use equipment that is not retired" "该设备已停用,请使用在用设备";
    SegmentNumber "segment_number_wrong" "Number the probe's segments without gaps: give the number that is next" "同一探头的温度段须连续编号,请使用下一个编号";
    PolicyVersion "policy_version_wrong" "Give the version that is next" "规则版本须连续,请使用下一个版本号";
    PolicyUnknown "temperature_policy_unknown" "Name a temperature policy that the root authority adopted for this class of product" "请使用已采用且适用于该类产品的温度规则";
    NothingToSeal "nothing_to_seal" "Send readings of the probe first" "请先上传该探头的读数";
    StayOpen "placed_there_already" "Take the unit out of the equipment first" "该追溯单元已在此设备中,请先移出";
    StayMissing "not_placed_there" "Name the equipment in which the unit was placed" "该追溯单元不在此设备中";
    // movement: who has it, how much of it, and what bars it
    NotHolder "custody_not_held" "Only who holds the goods moves them: look up who does" "只有持有者才能移动货物,请查询当前持有者";
    NotReceiver "receiver_other" "Only the named receiver receives" "只有交付记录指定的接收方才能收货";
    Counterparty "counterparty_wrong" "Name another entity that is registered, or somebody outside" "请填写另一个已登记主体,或账本外的对方名称";
    TransferReceived "transfer_received_already" "Look the transfer up: it was received" "该次交付已收货";
    NothingLeft "nothing_left" "Look the unit up: nothing is left of it" "该追溯单元已无剩余";
    InColdStore "in_cold_store" "Take the goods out of the cold store first" "请先办理出库";
    DoesNotAddUp "does_not_add_up" "State quantities that add up: what went in is what came out, what is missing and what was lost" "数量须平衡:投入等于产出、缺失与损耗之和";
    CertificateSpent "certificate_spent" "Use a certificate for no more than it covers, and in one place" "一张合格证不得超量或在多处使用";
    AgreementMissing "agreement_missing" "Goods were received under it: have the receivers or an inspector agree to this correction first" "已有收货:请先由收货方或监管人员同意该更正";
    CorrectionDiffers "correction_differs" "Correct it exactly as was agreed, or have another correction agreed to" "更正内容须与已同意的完全一致";
    PaperSpent "paper_spent" "Declare no more under a paper certificate than it covers" "纸质证明不得超量或重复使用";
    ProductDiffers "product_differs" "Split, merge and re-pack keep product and measure; say process or mix where they change" "分批、并批、分装不得改变产品和计量单位";
    OnHold "on_hold" "Wait until the hold is released" "暂停流通期间不得移动";
    Recalled "recalled" "Recalled goods are destroyed, returned, or handed back to who recalled or made them" "已召回产品只能销毁、退回或交还召回方";
    DescendantsUnmarked "descendants_unmarked" "Something was made from it: void it with a record of kind unit_voided, or a certificate with one of kind certificate_voided, which marks that" "已有产品由其制成:请用追溯单元作废(unit_voided)或证明作废(certificate_voided)记录,以便标记后代";
    MarksNothing "marks_nothing" "Nothing went under it and another certificate stands: void it with a record of kind voided" "该证未曾使用且另有有效证明:请用作废(voided)记录";
    HoldDemanded "hold_demanded" "Record the failed sample as sampling_failed, which puts the unit on hold" "当地规则要求暂停流通:请用监督抽检不合格(sampling_failed)记录";
    FailureStands "failure_stands" "Have a retest that names the failed sample pass first, or recall the goods" "不合格结果未消除:请先复检合格,或实施召回";
    MarkEnded "mark_ended" "Look the unit up: that hold or recall has ended" "该暂停或召回已结束";
    ImpossibleOrder "impossible_order" "Correct the time: it was received before it was handed on" "请更正时间:先收货后交付";
    // time: when it is said
    SignedAhead "signed_in_the_future" "Set the signer's clock right and sign again" "请校准时钟后重新签名";
    IssueAhead "issued_in_the_future" "Give the date of issue, not a later one" "开具日期不得晚于今天";
    IssueBackdated "issued_too_far_back" "Have an authority countersign, or issue with today's date" "补开须由主管部门会签";
    BeforeProduction "before_production" "Correct the time: nothing is certified or moved before it is made" "时间不得早于生产日期";
    EventAhead "event_in_the_future" "Record an event after it happened" "请在事件发生后登记";
    // the ledger itself
    NotOpen "ledger_not_open" "Open the ledger with its first record" "请先开立账本";
    IdempotencyReused "idempotency_key_reused" "Use a new Idempotency-Key for other content" "不同内容请使用新的幂等键";
    Group "group_refused" "Correct the record that is named and send all again" "请更正所列记录后整体重新提交";
    Busy "busy" "Wait as long as Retry-After says and send again" "请稍后重试";
    Token "token_wrong" "Send a token in force, made for this entity" "请使用有效的令牌";
}
