//! Sound bytes of every form, each with the check that accepts it whole.

use super::decoders::PROBE;
use super::files;
use std::collections::BTreeMap;
use std::path::PathBuf;
use trace_core::ident::CivilDate;
use trace_core::ledger::bundling;
use trace_core::ledger::readings::{READINGS_FILE, Readings, Settings};
use trace_core::proof::anchor::Anchor;
use trace_core::proof::bundle::{Bundle, Told};
use trace_core::proof::checkpoint::SignedCheckpoint;
use trace_core::proof::completeness::Completeness;
use trace_core::proof::note::{Note, NoteSigner, VerifierKey};
use trace_core::proof::receipt::Receipt;
use trace_core::record::cold_chain::EquipmentKind;
use trace_core::record::kinds::KINDS;
use trace_core::record::kinds::segment_sealed::SegmentSealed;
use trace_core::record::section::Openings;
use trace_core::record::sign::{Key, SigningKey};
use trace_core::record::submission::{Submission, decode_many};
use trace_core::record::{Hash, Signed};
use trace_fixtures::Who;
use trace_fixtures::golden::Golden;
use trace_fixtures::stage::Stage;
use trace_fixtures::world_cold::minutely;

/// Sound bytes, and whether others like them are accepted.
pub struct Sample {
    pub name: String,
    pub bytes: Vec<u8>,
    pub accepts: Accepts,
}

/// Whether bytes are decoded, verified, and mean what the sample does.
pub type Accepts = Box<dyn Fn(&[u8]) -> bool + Sync>;

impl Sample {
    fn new(
        name: impl Into<String>,
        bytes: Vec<u8>,
        accepts: impl Fn(&[u8]) -> bool + Sync + 'static,
    ) -> Self {
        let (name, accepts) = (name.into(), Box::new(accepts));
        Self {
            name,
            bytes,
            accepts,
        }
    }
}

/// What a ledger hands out: bundle, receipt, checkpoint, statement; and what it
/// takes in: a submission.
pub fn of_a_ledger() -> Vec<Sample> {
    let mut stage = Stage::new();
    let unit = stage.world.unit();
    let created = stage.world.sign_bare(Who::Producer, unit.clone());
    let index = stage.admit(created.clone());
    let view = stage.view();
    let key = stage.ledger.signer().verifier_key().clone();

    let bundle = bundling::bundle(&view, stage.ledger.signer(), unit.unit)
        .unwrap()
        .unwrap();
    let (anchor, today) = (stage.anchor(), stage.today());
    let entry = view.entry(index).unwrap();
    let receipt = Receipt {
        admitted_ms: entry.admitted_ms,
        algorithm: entry.signed.algorithm(),
        signature: *entry.signed.signature(),
        index,
        path: view.prove_inclusion(index, view.size()).unwrap(),
        checkpoint: view.checkpoint().note().to_owned(),
    };

    // A submission with a trade section, and one with a personal section.
    let (body, openings) = stage.world.certificate(&unit);
    let certified = stage.world.sign(Who::Producer, body, openings);
    let (body, openings) = stage.world.warehouse_in(unit.unit, "10 斤");
    let stored = stage.world.sign(Who::ColdStore, body, openings);
    let keys = [
        stage.world.key(Who::Producer),
        stage.world.key(Who::ColdStore),
    ];
    vec![
        bundle_sample("bundle", &bundle, anchor, today),
        bundle_with_readings(),
        receipt_sample(
            &receipt,
            created.signed.signed_bytes().to_vec(),
            key.clone(),
        ),
        checkpoint_sample(view.checkpoint().note(), key.clone()),
        completeness_sample(bundle.completeness(), key),
        submission_sample("submission of a certificate", &certified, keys.to_vec()),
        submission_sample("submission of a warehouse entry", &stored, keys.to_vec()),
    ]
}

/// A bundle of a unit under a probe: one sealed segment, one reading more.
fn bundle_with_readings() -> Sample {
    let mut stage = Stage::new();
    let path = stage.folder().join(READINGS_FILE);
    let store = Readings::create(&path, Settings::default()).unwrap();
    let policy = stage.world.temperature_policy("chilled");
    let policy = stage.world.sign_bare(Who::Root, policy);
    stage.admit(policy);
    let unit = stage.world.unit();
    let created = stage.world.sign_bare(Who::Producer, unit.clone());
    stage.admit(created);
    let mut of_producer = |kind, part_of| {
        let mut body = stage.world.equipment(Who::Producer, kind, part_of);
        if kind == EquipmentKind::Probe {
            body.equipment = PROBE;
        }
        let equipment = body.equipment;
        let registered = stage.world.sign_bare(Who::Producer, body);
        stage.admit(registered);
        equipment
    };
    let vehicle = of_producer(EquipmentKind::Vehicle, None);
    let probe = of_producer(EquipmentKind::Probe, Some(vehicle));
    let placed = stage.world.placed(unit.unit, vehicle, "chilled");
    let from_ms = placed.happened.at_ms;
    let placed = stage.world.sign_bare(Who::Producer, placed);
    stage.admit(placed);
    stage.world.now_ms += 600_000;
    let readings = minutely(from_ms, 5, 2_000);
    store.append(vec![(probe, readings)], u64::MAX, 0).unwrap();
    let segment = store.draft(&probe, 0, from_ms + 180_000).unwrap().unwrap();
    let sealed = SegmentSealed::of(segment, None);
    let sealed = stage.world.sign_bare(Who::Producer, sealed);
    stage.admit(sealed);
    store.confirm(&probe, 0).unwrap();
    let (view, signer, now_ms) = (stage.view(), stage.ledger.signer(), stage.world.now_ms);
    let bundle = bundling::bundle_with(&view, signer, unit.unit, &store, now_ms);
    let bundle = bundle.unwrap().unwrap();
    let (anchor, today) = (stage.anchor(), stage.today());
    let told = bundle.verify(&anchor, &[], today).unwrap().told;
    assert!(matches!(&told, Told::Kept(it) if it.segments == 1 && it.unsealed_readings == 1));
    bundle_sample("bundle with readings", &bundle, anchor, today)
}

fn bundle_sample(name: &'static str, bundle: &Bundle, anchor: Anchor, today: CivilDate) -> Sample {
    Sample::new(name, bundle.encode(), move |bytes| {
        Bundle::decode(bytes).is_ok_and(|bundle| bundle.verify(&anchor, &[], today).is_ok())
    })
}

fn receipt_sample(receipt: &Receipt, signed: Vec<u8>, key: VerifierKey) -> Sample {
    Sample::new("receipt", receipt.encode(), move |bytes| {
        Receipt::decode(bytes).is_ok_and(|receipt| receipt.verify(&signed, &key).is_ok())
    })
}

fn checkpoint_sample(note: &str, key: VerifierKey) -> Sample {
    Sample::new("checkpoint", note.as_bytes().to_vec(), move |bytes| {
        std::str::from_utf8(bytes).is_ok_and(|note| SignedCheckpoint::open(note, &key).is_ok())
    })
}

fn completeness_sample(note: &str, key: VerifierKey) -> Sample {
    Sample::new(
        "completeness statement",
        note.as_bytes().to_vec(),
        move |bytes| {
            std::str::from_utf8(bytes).is_ok_and(|note| Completeness::open(note, &key).is_ok())
        },
    )
}

fn submission_sample(name: &str, submission: &Submission, keys: Vec<Key>) -> Sample {
    let mut bytes = Vec::new();
    submission.encode_into(&mut bytes);
    Sample::new(name, bytes, move |bytes| {
        // An empty request is a request of nothing: no record is accepted.
        let Ok(records) = decode_many(bytes) else {
            return false;
        };
        !records.is_empty()
            && records.into_iter().all(|record| {
                record.is_ok_and(|Submission { signed, openings }| {
                    let key = keys
                        .iter()
                        .find(|key| key.public().id() == signed.statement().key);
                    key.is_some_and(|key| is_accepted(signed, key, &openings))
                })
            })
    })
}

fn is_accepted(signed: Signed, key: &Key, openings: &Openings) -> bool {
    let record = signed.verify(key);
    record.is_ok_and(|record| record.body().check_openings(openings).is_ok())
}

/// Every accepted golden file, by name.
fn golden_files() -> BTreeMap<String, Golden> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/golden");
    let mut files = BTreeMap::new();
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        if name != "README" && !name.starts_with("refused_") {
            let golden = Golden::parse(&std::fs::read_to_string(&path).unwrap()).unwrap();
            files.insert(name, golden);
        }
    }
    files
}

/// The signed record of every accepted golden file.
pub fn of_every_kind() -> Vec<Sample> {
    let mut samples = Vec::new();
    for (name, golden) in golden_files() {
        let (signed, signature) = (
            golden.bytes("signed").unwrap(),
            golden.bytes("signature").unwrap(),
        );
        let bytes = [signed.as_slice(), &[1], &signature].concat();
        let key = Key::parse(&golden.keys("public_key").unwrap()[0]).unwrap();
        let (openings, _) = golden.openings().unwrap();
        samples.push(Sample::new(name, bytes, move |bytes| {
            Signed::decode(bytes).is_ok_and(|signed| is_accepted(signed, &key, &openings))
        }));
    }
    assert!(samples.len() >= KINDS.len());
    samples
}

/// Short sound inputs of every form, for any decoder to begin well: some reads
/// each of them.
pub fn beginnings() -> Vec<Vec<u8>> {
    let mut all: Vec<Vec<u8>> = vec!["20 箱×5 公斤".into(), "12.5 斤".into()];
    for (number, sample) in of_every_kind().into_iter().enumerate() {
        let signed = Signed::decode(&sample.bytes).unwrap();
        if number == 0 {
            all.extend(files::beginnings(&signed));
        }
        let statement = signed.statement();
        let place = KINDS
            .iter()
            .position(|kind| kind.number == statement.kind)
            .unwrap() as u8;
        let body = signed.body().unwrap();
        all.push([&[place], statement.body.as_slice()].concat());
        all.push([&[place], body.to_json().to_string().as_bytes()].concat());
        all.push(signed.signed_bytes().to_vec());
        all.push(signed.entry(1_780_000_000_000));
        all.push(sample.bytes);
    }
    for golden in golden_files().values() {
        let (openings, _) = golden.openings().unwrap();
        let openings = openings.trade.into_iter().chain(openings.persons);
        all.extend(openings.map(|opening| opening.bytes));
    }
    for sample in of_a_ledger() {
        if let Ok(bundle) = Bundle::decode(&sample.bytes) {
            // The first record alone, so that it stays short.
            let records = bundle.records()[..1].to_vec();
            let (checkpoint, completeness) = (
                bundle.checkpoint().to_owned(),
                bundle.completeness().to_owned(),
            );
            let mut temperatures = bundle.temperatures().cloned();
            if let Some(own) = &mut temperatures {
                all.extend(own.readings.iter().flat_map(|it| it.chunks.clone()));
                let (text, _) = own.statement.rsplit_once("\n\n").unwrap();
                all.push(format!("{text}\n").into_bytes());
                own.statement.clear();
            }
            let code = bundle.code();
            let short = Bundle::new(code, checkpoint, completeness, records, temperatures);
            all.push(short.unwrap().encode());
            all.push(bundle.code().to_string().into_bytes());
            continue;
        }
        if let Ok(note) = std::str::from_utf8(&sample.bytes)
            && Note::parse(note).is_ok()
        {
            let (text, _) = note.rsplit_once("\n\n").unwrap();
            all.push(format!("{text}\n").into_bytes());
        }
        all.push(sample.bytes);
    }
    let key = NoteSigner::new("langfang.example/trace", SigningKey::from_seed([1; 32])).unwrap();
    let ledger_key = key.verifier_key().clone();
    all.push(ledger_key.to_string().into_bytes());
    all.push(
        Anchor {
            ledger_key,
            leaf0: Hash::ZERO,
        }
        .to_string()
        .into_bytes(),
    );
    all
}
