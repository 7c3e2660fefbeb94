//! A server that stands still for a while, as in a machine that is moved or sleeps,
//! and goes on: SIGSTOP, then SIGCONT.

use std::{thread, time::Duration};

use crate::{load::under_load, number, program::Program, town::Town};

#[test]
fn a_server_that_stands_still_and_goes_on_has_lost_nothing() {
    let seed = number("TRACE_KILLS_SEED", 20_260_512);
    let seconds = number("TRACE_STOPPED_SECONDS", 5);
    let town = Town::new(seed);
    let load = under_load(&town, seed, |door| {
        let server = Program::serving(&town);
        let before = door.open(&server.address);
        door.wait_for_answers(before + 100);
        server.signal("STOP");
        // What was on its way arrives.
        thread::sleep(Duration::from_millis(300));
        let (still, waiting) = (door.answers(), door.under_way());
        thread::sleep(Duration::from_secs(seconds));
        assert_eq!(door.answers(), still, "stopped, and it answers");
        assert!(waiting > 0, "nobody asks");
        server.signal("CONT");
        door.wait_for_answers_of(&server, still + 100);
        server
    });
    let [records, orders, readings] = load.acknowledged();
    let size = load.check(&town);
    println!(
        "stopped for {seconds} s: {records} records, {orders} orders, {readings} readings \
         acknowledged, {size} entries"
    );
}
