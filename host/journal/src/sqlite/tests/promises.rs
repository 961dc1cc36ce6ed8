//! What callers of the seam rely on while nothing goes wrong.

use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use super::support::*;
use crate::moment::Moment;
use crate::run::{Outcome, Slot, State};
use crate::sqlite::{Fate, data_folder};
use crate::store::{Change, Durability, Filter, Store};

#[test]
fn only_the_owner_may_read_the_folder_and_the_file() {
    use std::os::unix::fs::PermissionsExt;
    let root = folder();
    let path = data_folder(root.path()).join("cordon.db");
    let store = open(&path);
    store.commit(vec![create(run(1))], Durability::Now).unwrap();
    let mode = |path: &std::path::Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(path.parent().unwrap()), 0o700);
    for file in path.parent().unwrap().read_dir().unwrap() {
        assert_eq!(mode(&file.unwrap().path()), 0o600);
    }
}

#[test]
fn a_run_is_read_as_it_was_created_and_stays_when_it_is_created_again() {
    let folder = folder();
    let store = open(&file(&folder));
    store.commit(vec![create(run(1))], Durability::Now).unwrap();
    let mut other = run(1);
    other.order.playbook = "other".to_owned();
    store.commit(vec![create(other)], Durability::Now).unwrap();
    assert_eq!(store.run(id(1)).unwrap(), Some(run(1)));
    assert_eq!(store.run(id(2)).unwrap(), None);
}

#[test]
fn records_are_read_in_order_and_pruned_ones_are_gone() {
    let folder = folder();
    let store = open(&file(&folder));
    let mut changes = vec![create(run(1))];
    changes.extend((1..=6).map(|seq| append(id(1), seq)));
    store.commit(changes, Durability::Now).unwrap();
    let prune = Change::Prune {
        run: id(1),
        seqs: vec![2, 4, 99],
    };
    store.commit(vec![prune], Durability::Now).unwrap();
    assert_eq!(places(&store, id(1)), [1, 3, 5, 6]);
    let after = store.journal(id(1), 3).unwrap();
    assert_eq!(after.len(), 2);
    assert_eq!(after[0].record, record(5));
}

#[test]
fn a_status_moves_a_run_and_one_of_an_unknown_run_is_no_error() {
    let folder = folder();
    let store = open(&file(&folder));
    let waiting = status(State::Waiting, Some(70));
    let changes = vec![
        create(run(1)),
        set(id(1), waiting.clone()),
        set(id(2), waiting.clone()),
    ];
    store.commit(changes, Durability::Now).unwrap();
    assert_eq!(store.run(id(1)).unwrap().unwrap().status, waiting);
    assert_eq!(store.due(Moment(69), 9).unwrap(), []);
    assert_eq!(store.due(Moment(70), 9).unwrap(), [id(1)]);
}

#[test]
fn a_wake_moves_only_when_a_run_is_due_and_not_one_that_has_ended() {
    let folder = folder();
    let store = open(&file(&folder));
    let waiting = status(State::Waiting, None);
    let end = ended(Outcome::Succeeded, 5_000);
    let wake = |number| Change::Wake {
        run: id(number),
        due: Moment(44),
    };
    let changes = vec![
        create(run(1)),
        create(run(2)),
        set(id(1), waiting.clone()),
        set(id(2), end.clone()),
        wake(1),
        wake(2),
        wake(3),
    ];
    store.commit(changes, Durability::Now).unwrap();
    let woken = store.run(id(1)).unwrap().unwrap().status;
    assert_eq!(woken.due, Some(Moment(44)));
    assert_eq!(woken.state, State::Waiting);
    assert_eq!(store.run(id(2)).unwrap().unwrap().status, end);
    assert_eq!(store.due(Moment(44), 9).unwrap(), [id(1)]);

    let changes = vec![wake(1), set(id(1), waiting.clone())];
    store.commit(changes, Durability::Now).unwrap();
    assert_eq!(store.run(id(1)).unwrap().unwrap().status, waiting);
}

#[test]
fn the_longest_due_is_first_and_the_next_one_is_known() {
    let folder = folder();
    let store = open(&file(&folder));
    let changes = [5, 3, 9].map(|number| create(run(number))).into();
    store.commit(changes, Durability::Now).unwrap();
    assert_eq!(store.due(Moment(5), 9).unwrap(), [id(3), id(5)]);
    assert_eq!(store.due(Moment(5), 1).unwrap(), [id(3)]);
    assert_eq!(store.next_due(Moment(5)).unwrap(), Some(Moment(9)));
    assert_eq!(store.next_due(Moment(9)).unwrap(), None);
}

#[test]
fn a_slot_counts_its_holders_and_knows_who_is_first_in_line() {
    let folder = folder();
    let store = open(&file(&folder));
    let with = |number, state| {
        let mut run = run(number);
        run.order.slot = Some(Slot {
            key: "edr".to_owned(),
            max: 1,
            skip: false,
        });
        run.status = status(state, None);
        create(run)
    };
    let changes = vec![
        with(1, State::Going),
        with(2, State::Queued),
        with(3, State::Queued),
        with(4, State::InDoubt),
        create(run(5)),
    ];
    store.commit(changes, Durability::Now).unwrap();
    assert_eq!(store.holders("edr").unwrap(), 2);
    assert_eq!(store.holders("other").unwrap(), 0);
    assert_eq!(store.first_queued("edr").unwrap(), Some(id(2)));
    let changes = vec![
        set(id(1), ended(Outcome::Succeeded, 5_000)),
        set(id(2), status(State::Going, None)),
    ];
    store.commit(changes, Durability::Now).unwrap();
    assert_eq!(store.first_queued("edr").unwrap(), Some(id(3)));
    assert_eq!(store.holders("edr").unwrap(), 2);
}

#[test]
fn a_parent_finds_its_open_children() {
    let folder = folder();
    let store = open(&file(&folder));
    let child = |number| {
        let mut run = run(number);
        run.order.parent = Some((id(1), record(2).key));
        create(run)
    };
    let changes = vec![
        create(run(1)),
        child(2),
        child(3),
        set(id(3), ended(Outcome::Failed, 5_000)),
    ];
    store.commit(changes, Durability::Now).unwrap();
    assert_eq!(store.open_children(id(1)).unwrap(), [id(2)]);
    let filter = Filter {
        parent: Some(id(1)),
        ..Filter::default()
    };
    assert_eq!(store.find(&filter).unwrap().len(), 2);
}

#[test]
fn runs_are_found_by_everything_that_can_be_asked_the_latest_first() {
    let folder = folder();
    let store = open(&file(&folder));
    let mut changes: Vec<Change> = (1..=9).map(|number| create(run(number))).collect();
    changes.push(set(id(4), ended(Outcome::Failed, 5_000)));
    store.commit(changes, Durability::Now).unwrap();
    let find = |filter: Filter| -> Vec<_> {
        let found = store.find(&filter).unwrap();
        found.into_iter().map(|run| run.id).collect()
    };
    let any = Filter::default;

    assert_eq!(find(any()).len(), 9);
    assert_eq!(find(any())[0], id(9));
    let limit = Some(2);
    assert_eq!(find(Filter { limit, ..any() }), [id(9), id(8)]);
    let playbook = Some("contain-0".to_owned());
    assert_eq!(find(Filter { playbook, ..any() }), [id(9), id(6), id(3)]);
    let states = vec![State::Ended, State::InDoubt];
    assert_eq!(find(Filter { states, ..any() }), [id(4)]);
    let outcomes = vec![Outcome::Failed];
    assert_eq!(find(Filter { outcomes, ..any() }), [id(4)]);
    let since = Some(Moment(1_008));
    assert_eq!(find(Filter { since, ..any() }), [id(9), id(8)]);
    let before = Some(Moment(1_002));
    assert_eq!(find(Filter { before, ..any() }), [id(1)]);
    let ended_before = Some(Moment(5_001));
    assert_eq!(
        find(Filter {
            ended_before,
            ..any()
        }),
        [id(4)]
    );
    for (connection, found) in [("edr", 9), ("mail", 0)] {
        let connection = Some(connection.to_owned());
        assert_eq!(
            find(Filter {
                connection,
                ..any()
            })
            .len(),
            found
        );
    }
    for (tag, found) in [("night", 9), ("day", 0)] {
        let tag = Some(tag.to_owned());
        assert_eq!(find(Filter { tag, ..any() }).len(), found);
    }
    let text = id(7).to_string();
    for length in 6..=text.len() {
        let id_prefix = Some(text[..length].to_uppercase());
        assert_eq!(find(Filter { id_prefix, ..any() }), [id(7)]);
    }
    let id_prefix = Some("no identity".to_owned());
    assert_eq!(find(Filter { id_prefix, ..any() }), []);
}

#[test]
fn a_wish_waits_until_it_is_taken_and_whoever_left_it_learns_what_became_of_it() {
    let folder = folder();
    let store = open(&file(&folder));
    let wish = cancel(id(1));
    let first = store.leave(&wish).unwrap();
    let second = store.leave(&wish).unwrap();
    store
        .commit(vec![Change::Wish(cancel(id(2)))], Durability::Now)
        .unwrap();
    assert_eq!(store.wishes().unwrap().len(), 3);
    assert_eq!(store.wishes().unwrap()[0], (first, wish));
    assert_eq!(store.fate(first).unwrap(), Some(Fate::Waiting));
    let take = |number, refused: Option<&str>| Change::TakeWish {
        number,
        refused: refused.map(str::to_owned),
    };
    let changes = vec![take(first, None), take(second, Some("it has ended"))];
    store.commit(changes, Durability::Now).unwrap();
    assert_eq!(store.wishes().unwrap().len(), 1);
    assert_eq!(store.fate(first).unwrap(), Some(Fate::Taken));
    let refused = Fate::Refused("it has ended".to_owned());
    assert_eq!(store.fate(second).unwrap(), Some(refused));
    assert_eq!(store.fate(99).unwrap(), None);
}

#[test]
fn blobs_are_kept_by_digest_and_the_first_stays() {
    let folder = folder();
    let store = open(&file(&folder));
    let digest = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
    let put = |bytes: &[u8]| Change::PutBlob {
        digest: digest.to_owned(),
        bytes: bytes.to_vec(),
    };
    let changes = vec![put(b"hello"), put(b"forged")];
    store.commit(changes, Durability::Now).unwrap();
    assert!(store.has_blob(digest).unwrap());
    assert_eq!(store.blob(digest).unwrap(), Some(b"hello".to_vec()));
    assert!(!store.has_blob("other").unwrap());
    assert_eq!(store.blob("other").unwrap(), None);
}

#[test]
fn only_a_run_that_has_ended_is_forgotten_and_nothing_of_it_stays() {
    let folder = folder();
    let store = open(&file(&folder));
    let changes = vec![
        create(run(1)),
        append(id(1), 1),
        Change::Wish(cancel(id(1))),
        Change::Forget(id(1)),
    ];
    store.commit(changes, Durability::Now).unwrap();
    assert_eq!(places(&store, id(1)), [1]);
    let changes = vec![
        set(id(1), ended(Outcome::Succeeded, 5_000)),
        Change::Forget(id(1)),
    ];
    store.commit(changes, Durability::Now).unwrap();
    assert_eq!(store.run(id(1)).unwrap(), None);
    assert!(places(&store, id(1)).is_empty());
    assert_eq!(store.wishes().unwrap(), []);
    assert!(store.check().unwrap().is_sound());
}

#[test]
fn the_latest_moment_never_goes_back_and_is_none_that_is_yet_to_come() {
    let folder = folder();
    let store = open(&file(&folder));
    assert_eq!(store.latest().unwrap(), None);
    let latest = |changes| {
        store.commit(changes, Durability::Now).unwrap();
        store.latest().unwrap().unwrap().0
    };
    assert_eq!(latest(vec![create(run(1))]), 1_001);
    assert_eq!(latest(vec![append(id(1), 9)]), 2_009);
    assert_eq!(latest(vec![append(id(1), 3)]), 2_009);
    assert_eq!(latest(vec![Change::Wish(cancel(id(1)))]), 3_000);
    assert_eq!(
        latest(vec![set(id(1), status(State::Going, Some(9_999)))]),
        3_000
    );
    assert_eq!(
        latest(vec![set(id(1), ended(Outcome::Failed, 5_000))]),
        5_000
    );
    let forget = vec![Change::Forget(id(1))];
    assert_eq!(latest(forget), 5_000);
}

/// Waits for what the background does, for as long as a slow machine may take.
fn soon(what: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(20);
    while !what() {
        assert!(Instant::now() < end, "the background did not do it");
        thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn what_nobody_waits_for_is_written_and_then_on_the_disk_all_the_same() {
    let folder = folder();
    let store = open(&file(&folder));
    for durability in [Durability::Later, Durability::Soon] {
        let before = store.figures();
        let number = 1 + u32::from(durability == Durability::Soon);
        store.submit(vec![create(run(number))], durability).unwrap();
        soon(|| store.run(id(number)).unwrap().is_some());
        soon(|| store.figures().syncs > before.syncs);
        assert_eq!(store.figures().transactions, before.transactions + 1);
    }
}

#[test]
fn one_caller_has_one_transaction_and_one_wait_for_the_disk_a_commit() {
    let folder = folder();
    let store = open(&file(&folder));
    store.commit(vec![create(run(1))], Durability::Now).unwrap();
    let before = store.figures();
    for seq in 1..=20 {
        // Reads that went before share it.
        store
            .submit(vec![append(id(1), 100 + seq)], Durability::Later)
            .unwrap();
        store
            .commit(vec![append(id(1), seq)], Durability::Now)
            .unwrap();
    }
    let after = store.figures();
    assert!(after.syncs - before.syncs <= 20 + 20);
    assert!(after.transactions - before.transactions <= 20 + 20);
    assert_eq!(places(&store, id(1)).len(), 40);
}

#[test]
fn many_callers_share_a_wait_for_the_disk() {
    let folder = folder();
    let store = open(&file(&folder));
    store.commit(vec![create(run(1))], Durability::Now).unwrap();
    let before = store.figures();
    let committer = store.committer().unwrap();
    thread::scope(|scope| {
        // As if the first of them took long.
        let held = committer.writer();
        for seq in 1..=64 {
            let store = &store;
            scope.spawn(move || {
                store
                    .commit(vec![append(id(1), seq)], Durability::Now)
                    .unwrap()
            });
        }
        soon(|| committer.submitted() == 65);
        drop(held);
    });
    let after = store.figures();
    assert!(after.transactions - before.transactions <= 2);
    assert!(after.syncs - before.syncs <= 2);
    assert_eq!(places(&store, id(1)).len(), 64);
}

#[test]
fn a_failed_wait_for_the_disk_fails_all_who_wait_and_all_who_come() {
    let folder = folder();
    let store = open(&file(&folder));
    store.commit(vec![create(run(1))], Durability::Now).unwrap();
    store
        .committer()
        .unwrap()
        .fail_sync
        .store(true, Ordering::Relaxed);
    let codes: Vec<&str> = thread::scope(|scope| {
        let one = |seq| store.commit(vec![append(id(1), seq)], Durability::Now);
        let threads: Vec<_> = (1..=8).map(|seq| scope.spawn(move || one(seq))).collect();
        let results = threads.into_iter().map(|thread| thread.join().unwrap());
        results.map(|result| result.unwrap_err().code()).collect()
    });
    assert!(
        codes
            .iter()
            .all(|code| ["store.disk", "store.failed"].contains(code))
    );
    assert!(codes.contains(&"store.disk"));
    let later = store.submit(vec![append(id(1), 99)], Durability::Later);
    assert_eq!(later.unwrap_err().code(), "store.failed");
    assert_eq!(store.run(id(1)).unwrap(), Some(run(1)));
    assert_eq!(store.close().unwrap_err().code(), "store.failed");
}

#[test]
fn the_log_begins_anew_while_commits_go_on() {
    let folder = folder();
    let path = file(&folder);
    let store = open(&path);
    store.commit(vec![create(run(1))], Durability::Now).unwrap();
    let mut seq = 0;
    soon(|| store.figures().checkpoints == 0);
    while store.figures().checkpoints < 2 {
        let mut changes = Vec::new();
        for _ in 0..200 {
            seq += 1;
            changes.push(append(id(1), seq));
        }
        store.commit(changes, Durability::Now).unwrap();
        assert!(seq < 400_000, "there was no checkpoint");
    }
    let log = path
        .with_file_name("cordon.db-wal")
        .metadata()
        .unwrap()
        .len();
    assert!(log < 60_000_000, "the log has {log} bytes");
    assert_eq!(places(&store, id(1)).len() as u64, seq);
}

/// The plans of the questions that are asked all the time, in a file with many runs.
#[test]
fn no_question_of_the_executor_looks_at_every_run() {
    let folder = folder();
    let path = file(&folder);
    drop(open(&path));
    let connection = rusqlite::Connection::open(&path).unwrap();
    let plan = |sql: &str| -> String {
        let mut statement = connection
            .prepare(&format!("EXPLAIN QUERY PLAN {sql}"))
            .unwrap();
        let lines = statement
            .query_map([], |row| row.get::<_, String>(3))
            .unwrap();
        lines.map(Result::unwrap).collect::<Vec<_>>().join("; ")
    };
    for sql in [
        "SELECT id FROM run WHERE due IS NOT NULL AND due <= 1 ORDER BY due, number LIMIT 2",
        "SELECT due FROM run WHERE due IS NOT NULL AND due > 1 ORDER BY due LIMIT 1",
        "SELECT id FROM run WHERE parent = x'00' AND state <> 'ended'",
        "SELECT count(*) FROM run WHERE slot = 'a' AND state <> 'ended' AND state <> 'queued'",
        "SELECT id FROM run WHERE slot = 'a' AND state <> 'ended' AND state = 'queued' ORDER BY number LIMIT 1",
    ] {
        let plan = plan(sql);
        assert!(plan.contains("USING COVERING INDEX run_"), "{sql}: {plan}");
        assert!(
            !plan.contains("SCAN") && !plan.contains("TEMP"),
            "{sql}: {plan}"
        );
    }
}
