//! The real server, killed again and again under load: the program `trace` on
//! the machine's own disk, asked over real sockets, ended by SIGKILL.
//!
//! | file | idea |
//! |---|---|
//! | `town` | the ledger's folder, and what must be true of it at the end |
//! | `program` | the process: started, killed, never left behind |
//! | `door` | where the server is just now, for those who ask it |
//! | `signers` | devices that sign for themselves and keep their receipts |
//! | `orders` | holders of tokens, whose records the server signs |
//! | `loggers` | probes whose readings come in bursts and are sealed |
//! | `load` | all of them at once, around whatever befalls the server |
//! | `stopped` | it stands still for a while (SIGSTOP) and goes on |
//! | `full` | its disk is full |
//! | `crowded` | it has no descriptor left |
//! | `faults` | the system refuses a write, a sync, a rename, at any of them (strace) |
//!
//! In the suite it is killed a few times. `TRACE_KILLS=n` kills it so often;
//! `TRACE_KILLS_SEED=n` draws other moments. The seed is printed. A kill loses
//! no write that the system took: what a power cut does is `tests/crash`.

#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that fails may stop at once"
)]

mod crowded;
mod door;
mod faults;
mod full;
mod load;
mod loggers;
mod orders;
mod program;
mod signers;
mod stopped;
mod town;

use std::{thread, time::Duration};

use trace_fixtures::draw::Draw;

use load::{Load, under_load};
use loggers::Logger;
use program::Program;
use town::Town;

/// No wait in this test is longer.
const PATIENCE: Duration = Duration::from_secs(60);

/// Devices that ask at once: enough for groups to form.
const DEVICES: usize = 8;
/// Holders of tokens that ask at once.
const HOLDERS: usize = 2;

/// Loggers that send at once.
pub const LOGGERS: usize = 2;

/// Kills in the suite's short form: about half a second each.
const KILLS: u64 = 16;
/// One in so many falls while the server opens what the last one left.
const OPENING_ONE_IN: u64 = 4;
/// An audit verifies every signature again: not after every kill.
const AUDIT_ONE_IN: u64 = 4;

fn number(name: &str, otherwise: u64) -> u64 {
    let given = std::env::var(name).ok();
    given.map_or(otherwise, |text| text.parse().expect("a number"))
}

#[test]
fn whatever_the_server_answered_stands_in_the_log_however_often_it_is_killed() {
    let seed = number("TRACE_KILLS_SEED", 20_260_511);
    let kills = number("TRACE_KILLS", KILLS);
    println!("TRACE_KILLS_SEED={seed} TRACE_KILLS={kills}");
    let mut draw = Draw::new(seed, "kills");
    let town = Town::new(seed);
    let (mut kills_done, mut hit) = (0u64, 0u64);
    let load = under_load(&town, seed, |door| {
        for kill in 0..kills {
            if draw.chance(1, OPENING_ONE_IN) {
                let opening = Program::spawn(&town, &[]);
                thread::sleep(Duration::from_micros(draw.below(60_000)));
                opening.kill();
            }
            let server = Program::serving(&town);
            let before = door.open(&server.address);
            door.wait_for_answers(before + draw.between(1, 150));
            thread::sleep(Duration::from_micros(draw.below(20_000)));
            let under_way = door.under_way();
            server.kill();
            kills_done += 1;
            hit += u64::from(under_way > 0);
            if kill % AUDIT_ONE_IN == AUDIT_ONE_IN - 1 {
                town.audit();
            }
        }
        let server = Program::serving(&town);
        door.open(&server.address);
        server
    });
    let size = load.check(&town);
    let Load {
        devices,
        holders,
        loggers,
        servers,
    } = load;
    assert!(servers > 1, "one server answered everything");

    let sum = |of: fn(&signers::Tally) -> u64| devices.iter().map(|it| of(&it.tally)).sum::<u64>();
    let acknowledged: usize = devices.iter().map(|it| it.acknowledged.len()).sum();
    let ordered: usize = holders.iter().map(|it| it.done.len()).sum();
    let cut_orders: u64 = holders.iter().map(|it| it.cut).sum();
    let (cut, known) = (sum(|it| it.cut), sum(|it| it.known));
    println!(
        "{acknowledged} records acknowledged, {ordered} orders answered, {size} entries; \
         {hit} of {kills_done} kills hit work in flight: {cut} requests of devices were cut off, \
         {known} of them stood in the log already, and {cut_orders} orders; {} devices lost their memory and were told \
         where their chain stands; {} persons erased",
        sum(|it| it.told),
        sum(|it| it.erased),
    );
    let sum = |of: fn(&Logger) -> u64| loggers.iter().map(of).sum::<u64>();
    let (read, sealed) = (sum(|it| it.acknowledged.len() as u64), sum(|it| it.sealed));
    let (cut_bursts, known_bursts) = (sum(|it| it.cut), sum(|it| it.known));
    println!(
        "{read} readings acknowledged, {sealed} segments sealed; {cut_bursts} requests of loggers \
         were cut off, of which {known_bursts} bursts were there already"
    );
    assert!(read > 20 * kills && sealed > 0 && cut_bursts > 0);
    assert!(2 * hit >= kills_done, "the kills hit nothing");
    assert!(cut > 0 && cut_orders > 0, "nothing was cut off");
    assert!(acknowledged as u64 > 20 * kills && ordered as u64 > kills);
}
