//! The store with its thread: shared, bounded, ended.

use super::*;
use std::sync::mpsc::channel;

fn running(settings: Settings) -> (tempfile::TempDir, Readings) {
    let folder = tempfile::tempdir().unwrap();
    let readings = Readings::create(&folder.path().join(READINGS_FILE), settings);
    (folder, readings.unwrap())
}

#[test]
fn callers_share_it_and_readers_see_whole_calls_while_it_is_written() {
    let (folder, readings) = running(Settings::default());
    let callers: u8 = 4;
    std::thread::scope(|scope| {
        for number in 0..callers {
            let readings = readings.clone();
            scope.spawn(move || {
                for hour in 0..20 {
                    let minutes = minutes(60 * hour..60 * hour + 60);
                    // every caller sends every probe: each reading arrives often
                    let batch =
                        (0..callers).map(|it| (probe((it + number) % callers), minutes.clone()));
                    let taken = readings.append(batch.collect(), NOW_MS, 0).unwrap();
                    assert_eq!(taken.fresh + taken.known, 240);
                }
            });
        }
        let mut seen = 0;
        while seen < 1_200 {
            let range = readings.range(probe(0), 0..=u64::MAX).unwrap();
            let now = range.collect::<Result<Vec<_>, _>>().unwrap();
            assert!(
                now.len() >= seen && now.len().is_multiple_of(60),
                "{}",
                now.len()
            );
            assert!(now == minutes(0..now.len() as u64));
            seen = now.len();
        }
    });
    drop(readings);
    let path = folder.path().join(READINGS_FILE);
    let readings = Readings::open(&path, Settings::default(), Check::Quick, |_| Ok(0)).unwrap();
    for number in 0..callers {
        let all = readings.range(probe(number), 0..=u64::MAX).unwrap();
        assert!(all.map(Result::unwrap).eq(minutes(0..1_200)));
    }
    assert_eq!(
        readings.last_before(&probe(0), u64::MAX).unwrap(),
        minutes(0..1_200).pop()
    );
    assert_eq!(readings.last_before(&probe(0), BEGIN_MS).unwrap(), None);
    assert_eq!(
        readings.unsealed(None, 9).unwrap().len(),
        usize::from(callers)
    );
}

/// Two groups are under way at once: none may have a probe of the other's.
#[test]
fn many_small_calls_over_few_probes_are_all_kept() {
    let (_folder, readings) = running(Settings::default());
    let (sender, answers) = channel();
    let seed = 31;
    println!("seed {seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let mut sent: Vec<(u8, u64)> = (0..6)
        .flat_map(|it| (0..300).map(move |n| (it, n)))
        .collect();
    random.shuffle(&mut sent);
    let mut rest = &sent[..];
    let mut calls = 0;
    while !rest.is_empty() {
        let (now, later) = rest.split_at(random.usize(1..=rest.len().min(5)));
        rest = later;
        let batch = now.iter().map(|(it, n)| (probe(*it), minutes(*n..*n + 1)));
        let sender = sender.clone();
        let reply: Reply = Box::new(move |taken| sender.send(taken.unwrap().fresh).unwrap());
        readings
            .append_then(batch.collect(), NOW_MS, 0, reply)
            .unwrap();
        calls += 1;
        if random.u8(0..20) == 0 {
            let it = probe(random.u8(0..6));
            readings.draft(&it, 0, u64::MAX).unwrap();
            readings.withdraw(&it, 0).unwrap();
        }
    }
    assert_eq!(answers.iter().take(calls).sum::<u64>(), 1_800);
    for it in 0..6 {
        let all = readings.range(probe(it), 0..=u64::MAX).unwrap();
        assert!(all.map(Result::unwrap).eq(minutes(0..300)));
    }
}

#[test]
fn a_full_queue_answers_busy_and_drops_nothing_it_took() {
    let settings = Settings {
        waiting_readings_max: 2_000,
        ..Settings::default()
    };
    let (_folder, readings) = running(settings);
    let (sender, answers) = channel();
    let append = |number: u8, count| {
        let sender = sender.clone();
        let reply: Reply = Box::new(move |taken| sender.send(taken.unwrap()).unwrap());
        let batch = vec![(probe(number), minutes(0..count))];
        readings.append_then(batch, NOW_MS, 0, reply)
    };
    let writing = readings.shelves().lock();
    let mut taken = 0;
    let refused = loop {
        match append(taken, 500) {
            Ok(()) => taken += 1,
            Err(refused) => break refused,
        }
    };
    assert_eq!((taken, refused.rule), (3, Rule::Busy));
    // what is wrong in itself takes no room
    for _ in 0..100 {
        let ahead = vec![(probe(9), minutes(0..9))];
        let refused = readings.append_then(ahead, 0, 0, Box::new(|_| panic!("it was refused")));
        assert_eq!(refused.unwrap_err().rule, Rule::EventAhead);
    }
    append(9, 400).unwrap();
    drop(writing);
    let mut answers: Vec<_> = answers.iter().take(4).map(|it| it.fresh).collect();
    answers.sort_unstable();
    assert_eq!(answers, [400, 500, 500, 500]);
    // more than may wait goes when nothing does
    let large = readings.append(vec![(probe(10), minutes(0..3_000))], NOW_MS, 0);
    assert_eq!(large.unwrap().fresh, 3_000);
}

#[test]
fn stopping_stores_what_was_taken_and_refuses_what_comes_later() {
    let (folder, readings) = running(Settings::default());
    let (sender, answers) = channel();
    let writing = readings.shelves().lock();
    for number in 0..5 {
        let sender = sender.clone();
        let reply: Reply = Box::new(move |taken| sender.send(taken.is_ok()).unwrap());
        let batch = vec![(probe(number), minutes(0..9))];
        readings.append_then(batch, NOW_MS, 0, reply).unwrap();
    }
    drop(writing);
    readings.stop();
    assert_eq!(answers.try_iter().collect::<Vec<_>>(), [true; 5]);
    let later = readings.append(vec![(probe(7), minutes(0..1))], NOW_MS, 0);
    assert!(
        matches!(later, Err(Failed::Store(Store::ReadOnly { .. }))),
        "{later:?}"
    );
    readings.stop();
    drop(readings);
    let path = folder.path().join(READINGS_FILE);
    let readings = Readings::open(&path, Settings::default(), Check::Quick, |_| Ok(0)).unwrap();
    assert_eq!(readings.unsealed(None, 9).unwrap().len(), 5);
}

#[test]
fn a_failing_disk_answers_every_call_with_the_failure() {
    use crate::store::redb::faults::Failure;
    let backend = FailingBackend::default();
    let readings = writer::start(shelves_over(backend.clone()), Settings::default()).unwrap();
    readings
        .append(vec![(probe(1), minutes(0..9))], NOW_MS, 0)
        .unwrap();
    backend.fail_after(1, Failure::ForGood);
    for _ in 0..3 {
        let failed = readings.append(vec![(probe(1), minutes(9..19))], NOW_MS, 0);
        assert!(matches!(failed, Err(Failed::Store(_))), "{failed:?}");
    }
    let there = readings.range(probe(1), 0..=u64::MAX).unwrap();
    assert!(there.map(Result::unwrap).eq(minutes(0..9)));
}
