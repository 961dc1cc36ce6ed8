//! What is left after the process or the machine is gone.

use std::fs;
use std::io::{BufRead, BufReader};
use std::thread;

use proptest::collection::vec;
use proptest::prelude::*;

use super::support::*;
use crate::store::{Durability, Store};

fn durability() -> impl Strategy<Value = Durability> {
    prop_oneof![
        Just(Durability::Later),
        Just(Durability::Soon),
        Just(Durability::Now)
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Each submission adds a record to two runs, so that half of one would show.
    #[test]
    fn what_is_left_is_a_prefix_of_what_was_submitted_and_has_all_that_was_settled(
        all in vec(durability(), 1..40),
    ) {
        let folder = folder();
        let path = file(&folder);
        let store = open(&path);
        store.commit(vec![create(run(1)), create(run(2))], Durability::Now).unwrap();
        let mut settled = 0;
        for (durability, seq) in all.iter().zip(1_u64..) {
            store.commit(vec![append(id(1), seq), append(id(2), seq)], *durability).unwrap();
            if *durability == Durability::Now {
                settled = seq;
            }
        }
        store.committer().unwrap().abandon("this is a test");
        drop(store);

        let store = open(&path);
        let left = places(&store, id(1));
        prop_assert_eq!(&left, &places(&store, id(2)));
        prop_assert_eq!(&left, &(1..=left.len() as u64).collect::<Vec<_>>());
        prop_assert!(left.len() as u64 >= settled);
    }
}

/// Commits without end from several threads, and says what is settled.
#[test]
fn process_that_commits() {
    let Some(path) = given_file() else { return };
    let store = open(&path);
    thread::scope(|scope| {
        for number in 1..=4 {
            let store = &store;
            scope.spawn(move || {
                store
                    .commit(vec![create(run(number))], Durability::Now)
                    .unwrap();
                for seq in 1.. {
                    store
                        .commit(vec![append(id(number), 2 * seq)], Durability::Later)
                        .unwrap();
                    store
                        .commit(vec![append(id(number), 2 * seq + 1)], Durability::Now)
                        .unwrap();
                    println!("settled {number} {seq}");
                }
            });
        }
    });
}

#[test]
fn all_that_was_settled_is_there_after_kill_9() {
    let folder = folder();
    let path = file(&folder);
    let mut child = process("sqlite::tests::crash::process_that_commits", &path)
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut settled = [0_u64; 5];
    let mut seen = 0;
    for line in lines {
        let line = line.unwrap();
        let Some((_, rest)) = line.rsplit_once("settled ") else {
            continue;
        };
        let (number, seq) = rest.split_once(' ').unwrap();
        settled[number.parse::<usize>().unwrap()] = seq.parse().unwrap();
        seen += 1;
        if seen == 300 {
            child.kill().unwrap();
        }
    }
    child.wait().unwrap();
    assert!(seen >= 300);

    let store = open(&path);
    for number in 1..=4 {
        let left = places(&store, id(number));
        let most = left.last().copied().unwrap_or_default();
        assert_eq!(left, (2..=most).collect::<Vec<_>>());
        assert!(most > 2 * settled[number as usize]);
    }
    assert!(store.check().unwrap().is_sound());
}

/// A file and its log as a crash leaves them: twenty commits that are only in the log.
fn crashed() -> (Vec<u8>, Vec<u8>) {
    let folder = folder();
    let path = file(&folder);
    drop(open(&path));
    let store = open(&path);
    for seq in 1..=20 {
        let mut changes = vec![append(id(1), seq), append(id(2), seq)];
        if seq == 1 {
            changes.splice(0..0, [create(run(1)), create(run(2))]);
        }
        store.commit(changes, Durability::Now).unwrap();
    }
    let log = path.with_file_name("cordon.db-wal");
    (fs::read(&path).unwrap(), fs::read(log).unwrap())
}

fn left(file_bytes: &[u8], log: &[u8]) -> usize {
    let folder = folder();
    let path = file(&folder);
    fs::write(&path, file_bytes).unwrap();
    fs::write(path.with_file_name("cordon.db-wal"), log).unwrap();
    let store = open(&path);
    let left = places(&store, id(1));
    assert_eq!(left, places(&store, id(2)));
    assert_eq!(left, (1..=left.len() as u64).collect::<Vec<_>>());
    assert_eq!(store.run(id(1)).unwrap().is_some(), !left.is_empty());
    store.commit(vec![create(run(9))], Durability::Now).unwrap();
    left.len()
}

#[test]
fn a_torn_log_leaves_a_prefix() {
    let (bytes, log) = crashed();
    assert_eq!(left(&bytes, &log), 20);
    let mut dice = Dice(11);
    let (mut least, mut most) = (20, 0);
    for _ in 0..40 {
        let cut = dice.below(log.len());
        let mut torn = log[..cut].to_vec();
        if dice.below(2) == 0 {
            // What a file system may leave where a page was not written.
            torn.resize(log.len(), 0);
        }
        let left = left(&bytes, &torn);
        least = least.min(left);
        most = most.max(left);
    }
    assert!(least < 5 && most > 15);
}

#[test]
fn a_flipped_bit_in_the_log_leaves_a_prefix() {
    let (bytes, log) = crashed();
    let mut dice = Dice(13);
    for _ in 0..40 {
        let mut flipped = log.clone();
        flipped[dice.below(log.len())] ^= 1 << dice.below(8);
        left(&bytes, &flipped);
    }
}
