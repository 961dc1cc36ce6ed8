//! Waits: which hold the thread, when a run is due, what a poll's time is.

use std::time::Duration;

use cordon_contract::Value;
use cordon_contract::step::{Answer, Composite, Step};
use cordon_journal::run::{End, Reason};
use cordon_journal::{RunId, What};

use super::support::*;
use crate::engine::{Event, Next};

#[test]
fn a_short_wait_holds_its_thread_and_a_long_one_gives_it_back() {
    let mut bench = Bench::new();
    let short = sleep(Duration::from_millis(100));
    let until = BEGIN.plus(Duration::from_millis(100));
    assert_eq!(bench.ask("0", &short), Next::Wait(until));
    bench.pass(Duration::from_millis(100));
    assert_eq!(bench.handle("0", Event::Woken).next, answer(Value::Null));
    let long = sleep(seconds(3600));
    assert_eq!(bench.ask("1", &long), PARKED);
    assert_eq!(bench.status().waits[0].reason, Reason::Sleep);
    let due = bench.clock.now.get().plus(seconds(3600));
    assert_eq!(bench.status().due, Some(due));
    bench.pass(seconds(3600));
    bench.crash();
    assert_eq!(bench.ask("1", &long), answer(Value::Null));
}

#[test]
fn a_run_is_due_at_its_deadline_at_the_latest_and_not_again_after_it() {
    let mut bench = Bench::new();
    bench.ask("0", &sleep(seconds(30 * 24 * 3600)));
    assert_eq!(bench.status().due, Some(bench.order.deadline));
    bench.pass(seconds(25 * 3600));
    let due = BEGIN.plus(seconds(30 * 24 * 3600));
    assert_eq!(bench.status().due, Some(due));
}

#[test]
fn the_last_look_of_a_poll_is_at_the_end_of_its_time_and_a_replay_does_not_find_it_over() {
    let (every, timeout) = (seconds(5), seconds(12));
    let again = Step::Again { every, timeout };
    let mut bench = Bench::new();
    let poll = step_key("0");
    let entered = bench
        .machine
        .enter(&poll, Composite::Poll { every, timeout }, &bench.clock);
    bench.keep(entered.reaction);
    for (iteration, pause) in [(0, 5), (1, 5), (2, 2)] {
        let key = format!("0.{iteration}.0");
        assert_eq!(bench.ask(&key, &again), PARKED);
        let due = bench.clock.now.get().plus(seconds(pause));
        assert_eq!(bench.status().due, Some(due));
        // It is taken up late, after the poll's time.
        bench.pass(seconds(pause));
        bench.crash();
        assert_eq!(bench.ask(&key, &again), answer(Value::Bool(true)));
        let next = bench.machine.iterate(&poll, iteration + 1, &bench.clock);
        bench.keep(next);
    }
    assert_eq!(bench.ask("0.3.0", &again), answer(Value::Bool(false)));
    bench.crash();
    assert_eq!(bench.ask("0.3.0", &again), answer(Value::Bool(false)));
}

#[test]
fn now_and_uuid_are_the_same_in_a_replay() {
    let mut bench = Bench::new();
    let (now, uuid) = (bench.ask("0", &Step::Now), bench.ask("1", &Step::Uuid));
    bench.pass(seconds(5));
    bench.crash();
    assert_eq!(bench.ask("0", &Step::Now), now);
    assert_eq!(bench.ask("1", &Step::Uuid), uuid);
}

#[test]
fn a_started_run_has_the_same_identity_whenever_it_is_asked_for_and_its_outcome_is_kept() {
    let mut bench = Bench::new();
    let step = Step::Playbook {
        name: "another".to_owned(),
        input: cordon_contract::value::Map::new(),
        connect: std::collections::BTreeMap::new(),
    };
    let Next::StartChild(run) = bench.ask("0", &step) else {
        panic!("it is not started");
    };
    assert_ne!(run, RunId::default());
    assert_eq!(bench.handle("0", Event::Child(None)).next, PARKED);
    assert_eq!(bench.status().due, Some(bench.order.deadline));
    bench.crash();
    assert_eq!(bench.ask("0", &step), Next::StartChild(run));
    let ended = Event::Child(Some(Answer::Done(Value::from(7_i64))));
    assert_eq!(bench.handle("0", ended).next, answer(Value::from(7_i64)));
    assert!(matches!(bench.entries[1].record.what, What::Outcome { .. }));
    let _: Option<End> = bench.status().end;
}
