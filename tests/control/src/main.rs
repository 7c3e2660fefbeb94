//! Whether the crash apparatus can find anything: the fixtures' medium, which makes
//! of every call of a program what a power cut leaves, under an engine of which it
//! is known that it loses. redb 4.1.0 with one-phase commits loses what it
//! acknowledged when the power is cut again while it recovers; this must find that
//! within a minute, or the apparatus is blind. Built by `sound/Cargo.toml` it searches
//! the engine and the manner of commit that the ledger uses, and must find nothing, or
//! it sees ghosts. Two packages, because cargo takes one version of an engine each.
//!
//! `TRACE_CONTROL_SEED=n` draws other histories; the seed is printed.

mod disk;
mod draw;
mod engine;
#[path = "../../../fixtures/disk/medium.rs"]
#[allow(dead_code, reason = "the lies are the main apparatus's")]
mod medium;

use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Whether this is the ledger's engine with its manner of commit, in which nothing
/// must be found.
const IS_SOUND: bool = cfg!(feature = "sound");

/// How long is searched at most.
const PATIENCE: Duration = Duration::from_secs(if IS_SOUND { 15 } else { 60 });

/// Looks through histories on all cores until something is found or the time is
/// over; what, and in how many images.
fn search(first: u64) -> (Option<String>, u64) {
    let started = Instant::now();
    let (images, next, is_over) = (
        AtomicU64::new(0),
        AtomicU64::new(first),
        AtomicBool::new(false),
    );
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let found = std::thread::scope(|scope| {
        let work = || {
            while !is_over.load(Ordering::Relaxed) && started.elapsed() < PATIENCE {
                let seed = next.fetch_add(1, Ordering::Relaxed);
                if let Err(why) = engine::search(seed, &images, &is_over) {
                    is_over.store(true, Ordering::Relaxed);
                    return Some(why);
                }
            }
            None
        };
        let all: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let found: Vec<_> = all.into_iter().filter_map(|it| it.join().ok()).collect();
        found.into_iter().flatten().next()
    });
    (found, images.into_inner())
}

fn main() -> ExitCode {
    let given = std::env::var("TRACE_CONTROL_SEED").ok();
    let first = given.and_then(|text| text.parse().ok()).unwrap_or(1_u64);
    println!("TRACE_CONTROL_SEED={first}");
    // A panic of the engine is a find, and said as one.
    std::panic::set_hook(Box::new(|_| {}));
    let (found, images) = search(first);
    let engine = match IS_SOUND {
        true => "redb 4.6.0, two phases",
        false => "redb 4.1.0, one phase",
    };
    match &found {
        Some(why) => println!("{engine}: {images} images, of which the last: {why}"),
        None => println!("{engine}: nothing in {images} images"),
    }
    match found.is_none() == IS_SOUND {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}
