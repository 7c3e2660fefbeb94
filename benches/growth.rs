//! Growth: append rate, bytes a record and opening time as the log grows to
//! 10^4, 10^5 and 10^6 records, and memory while serving.
//!
//! `cargo bench -p trace-fixtures --bench growth` runs to 10^5; `TRACE_GROWTH=1000000` to 10^6,
//! which takes some minutes. The rate at each size is that of the last tenth
//! of the records up to it, in groups of 1,000 with verification beside the
//! writer, as under load.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    reason = "a bench that cannot go on stops"
)]

mod measure;

use measure::city::{Material, Site, parts};
use measure::{head, resident_mib, seconds};
use trace_core::ledger::job::{Item, Job};
use trace_core::ledger::opening::{self, Opened, Settings};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let most: usize = std::env::var("TRACE_GROWTH")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(100_000);
    head("Growth (one run: a ledger is only once of a size)");
    let material = Material::new(13, most);
    assert!(
        material.records.len() >= most,
        "only {} records",
        material.records.len()
    );
    let settings = Settings::default();
    let site = Site::new(&material, settings.clone());
    let opened_with = site.ledger.view().size();
    let mut first_rate = None;
    let mut done = 0;
    for size in [10_000usize, 100_000, 1_000_000]
        .into_iter()
        .filter(|size| *size <= most)
    {
        append(&site, &material, done, size - size / 10);
        let took = seconds(|| append(&site, &material, size - size / 10, size));
        done = size;
        let rate = (size / 10) as f64 / took;
        let first = *first_rate.get_or_insert(rate);
        let on_disk = ["log.redb", "index.redb"].map(|file| {
            std::fs::metadata(site.folder.path().join(file))
                .unwrap()
                .len()
        });
        let records = opened_with as f64 + size as f64;
        println!(
            "{size:>9} records: {rate:>8.0} records/s at the end, {:>6.3} of the first; log {:.0} and index {:.0} bytes a record; {:.0} MiB resident",
            rate / first,
            on_disk[0] as f64 / records,
            on_disk[1] as f64 / records,
            resident_mib()
        );
    }
    let size = site.ledger.view().size();
    let closing = seconds(|| site.ledger.stop().unwrap());
    let mut opened = None;
    let opening = seconds(|| {
        opened = Some(opening::open(site.folder.path(), settings, parts(&material.city)).unwrap())
    });
    let Some(Opened::Writable(sequencer)) = opened else {
        panic!("opened read-only")
    };
    assert_eq!(sequencer.view().size(), size);
    println!("closing cleanly {closing:.3} s, opening {size} records {opening:.3} s");
}

/// Appends `from..to`, verifying the next group while the writer has this one.
fn append(site: &Site, material: &Material, from: usize, to: usize) {
    let groups: Vec<_> = material.records[from..to].chunks(1000).collect();
    let (sender, items) = std::sync::mpsc::sync_channel::<Vec<Item>>(2);
    std::thread::scope(|scope| {
        scope.spawn(move || {
            for group in groups {
                sender.send(site.verify(group)).unwrap();
            }
        });
        for items in items {
            let count = items.len();
            let answered = site
                .ledger
                .submit_and_wait(Job {
                    items,
                    atomic: false,
                    request: None,
                })
                .unwrap();
            assert_eq!(answered.outcomes.len(), count);
        }
    });
}
