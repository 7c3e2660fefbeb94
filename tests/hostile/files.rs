//! What people and machines bring in files and addresses: sheets of certificates,
//! exports of loggers and what is said of them, batches of readings, Digital Links,
//! signed labels.

use super::decoders::{Decoder, PROBE, Read, as_bytes, text};
use std::sync::LazyLock;
use trace_core::ident::DigitalLink;
use trace_core::proof::signed_label::SignedLabel;
use trace_core::record::Signed;
use trace_core::record::readings;
use trace_fixtures::world_cold::minutely;
use trace_http::charset::Charset;
use trace_http::cli::sheet;
use trace_http::language::Language;
use trace_http::loggers::{Mapping, Plan, guess::guess, table};

/// The same for these.
pub const DECODERS: &[Decoder] = &[
    ("batch of readings", |bytes| {
        as_bytes(readings::decode(bytes), |batch| {
            readings::encode(batch).unwrap_or_else(|error| panic!("read, and {error}"))
        })
    }),
    ("signed label", |bytes| {
        as_bytes(SignedLabel::decode(bytes), SignedLabel::encode)
    }),
    ("Digital Link", |bytes| text(bytes, digital_link)),
    ("sheet of certificates", |bytes| {
        whole(sheet::read(bytes, Charset::Auto, Language::English))
    }),
    ("file of a logger", |bytes| {
        whole(table::read(bytes, &PLAN, u64::MAX, Language::English))
    }),
    ("guess at a file of a logger", |bytes| {
        whole(guess(bytes, None, Language::Chinese))
    }),
    ("mapping of a logger", |bytes| {
        let mapping = serde_json::from_slice::<Mapping>(bytes).ok();
        let plan = mapping.and_then(|mapping| Plan::new(mapping, Some(PROBE)).ok());
        plan.map_or(Read::Refused, |_| Read::Whole)
    }),
];

const MAPPING: &str = r#"{"delimiter":"comma","has_headers":true,"time":["Time"],
    "time_format":"%Y/%m/%d %H:%M:%S","zone":"+08:00","temperatures":[{"column":"Temp"}]}"#;

static PLAN: LazyLock<Plan> = LazyLock::new(|| {
    let mapping = serde_json::from_str(MAPPING).ok();
    let plan = mapping.and_then(|mapping: Mapping| Plan::new(mapping, Some(PROBE)).ok());
    plan.unwrap_or_else(|| panic!("the sample is no mapping"))
});

fn whole<T, E>(read: Result<T, E>) -> Read {
    read.map_or(Read::Refused, |_| Read::Whole)
}

/// A link has more than one spelling; what it was read as has one.
fn digital_link(text: &str) -> Option<Option<String>> {
    let link = DigitalLink::parse(text).ok()?;
    let again = link.to_string();
    assert_eq!(
        DigitalLink::parse(&again),
        Ok(link),
        "{text:?} became {again:?}"
    );
    Some(None)
}

/// Sound inputs for these; `record` is a signed one.
pub fn beginnings(record: &Signed) -> Vec<Vec<u8>> {
    let label = SignedLabel::of(record).unwrap_or_else(|error| panic!("{error}"));
    let batch = readings::encode(&[(PROBE, minutely(1_780_000_000_000, 3, -18_400))]);
    let gb18030 = b"\xc6\xb7\xc3\xfb,\xca\xfd\xc1\xbf\n\xc6\xbb\xb9\xfb,12.5 \xbd\xef\n";
    let mut all: Vec<Vec<u8>> = [
        "/01/09521234543213/10/2026-02%2FA?t=000G40R40M30E209P",
        "/01/06901234567892/10/A/21/7?linkType=all",
        "品名,数量,产地\n苹果,12.5 斤,\"河北省,廊坊市\"\n,,\n梨,3 箱×5 公斤,廊坊\n",
        "product,quantity,produced_on\r\napples,1 kg,2026-05-11\r\n",
        "Time,Temp\n2026/3/1 05:20:00,-18.5\n2026/3/1 05:21:00,---\n\n2026/3/1 05:22:00,\"ERR\"\n",
        "Serial;7\n\nDate;Hour;°C\n01.03.2026;05:20;-18,5\n02.03.2026;05:30;-18,4\n",
        MAPPING,
        r#"{"delimiter":"tab","has_headers":false,"skip_lines":2,"time":[1,2],"time_format":"iso8601",
            "temperatures":[{"column":3},{"column":4}]}"#,
    ]
    .map(|text| text.as_bytes().to_vec())
    .into();
    all.extend([
        gb18030.to_vec(),
        label.encode(),
        batch.unwrap_or_else(|error| panic!("{error}")),
    ]);
    all
}
