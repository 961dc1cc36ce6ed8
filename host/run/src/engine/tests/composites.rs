//! `poll`, `retry` and `parallel`: what is dropped, and which branches go on.

use cordon_contract::Value;
use cordon_contract::step::{Answer, Composite, Step};
use cordon_playbook::step::{Branch, Entry};

use super::support::*;
use crate::engine::Event;

const POLL: Composite = Composite::Poll {
    every: std::time::Duration::from_secs(5),
    timeout: std::time::Duration::from_secs(600),
};

fn enter(bench: &mut Bench, key: &str, composite: Composite) -> Entry {
    let entered = bench.machine.enter(&step_key(key), composite, &bench.clock);
    bench.keep(entered.reaction);
    entered.entry
}

#[test]
fn what_earlier_looks_of_a_poll_read_is_dropped_and_counts_no_more_and_what_they_changed_is_kept() {
    let mut bench = Bench::new();
    enter(&mut bench, "0", POLL);
    for iteration in 0..50 {
        bench.ask(&format!("0.{iteration}.0"), &call("get"));
        bench.done(&format!("0.{iteration}.0"), Value::text("not yet"));
        if iteration == 3 {
            bench.ask("0.3.1", &call("natural"));
            bench.done("0.3.1", Value::Null);
        }
        let next = bench
            .machine
            .iterate(&step_key("0"), iteration + 1, &bench.clock);
        bench.keep(next);
    }
    assert_eq!(bench.entries.len(), 4);
    assert_eq!(bench.status().records, 4);
    let bytes = bench.status().bytes;
    bench.crash();
    assert_eq!((bench.status().records, bench.status().bytes), (4, bytes));
    assert_eq!(enter(&mut bench, "0", POLL), Entry::Begin { iteration: 50 });
}

#[test]
fn a_finished_composite_is_answered_as_a_whole() {
    let mut bench = Bench::new();
    enter(&mut bench, "0", Composite::Retry { attempts: 3 });
    bench.ask("0.0.0", &call("natural"));
    bench.done("0.0.0", Value::Null);
    let outcome = Answer::Done(Value::from(7_i64));
    let left = bench.machine.leave(&step_key("0"), &outcome, &bench.clock);
    bench.keep(left);
    bench.crash();
    let entry = enter(&mut bench, "0", Composite::Retry { attempts: 3 });
    assert_eq!(entry, Entry::Finished(outcome));
}

#[test]
fn a_retry_in_which_something_was_registered_is_gone_through_from_the_try_in_which_it_was() {
    let mut bench = Bench::new();
    let retry = Composite::Retry { attempts: 5 };
    enter(&mut bench, "0", retry);
    let next = bench.machine.iterate(&step_key("0"), 1, &bench.clock);
    bench.keep(next);
    bench.ask("0.1.0", &Step::Undo);
    let next = bench.machine.iterate(&step_key("0"), 2, &bench.clock);
    bench.keep(next);
    let left = bench
        .machine
        .leave(&step_key("0"), &Answer::Done(Value::Null), &bench.clock);
    bench.keep(left);
    bench.crash();
    assert_eq!(enter(&mut bench, "0", retry), Entry::Begin { iteration: 1 });
    assert_eq!(bench.ask("0.1.0", &Step::Undo), answer(Value::Null));
}

#[test]
fn a_branch_that_waits_is_parked_and_goes_on_when_it_is_due() {
    let mut bench = Bench::new();
    let all = Composite::Parallel {
        branches: 3,
        max: 2,
    };
    enter(&mut bench, "0", all);
    bench.ask("0.0.0", &sleep(seconds(60)));
    let branch = |bench: &Bench, number| bench.machine.branch(&step_key("0"), number, &bench.clock);
    assert_eq!(branch(&bench, 0), Branch::Parked(seconds(60)));
    assert_eq!(branch(&bench, 1), Branch::New);
    bench.pass(seconds(60));
    bench.crash();
    assert_eq!(branch(&bench, 0), Branch::Begun);
    let left =
        bench
            .machine
            .leave_branch(&step_key("0"), 0, &Answer::Done(Value::Null), &bench.clock);
    bench.keep(left);
    bench.crash();
    assert_eq!(
        branch(&bench, 0),
        Branch::Finished(Answer::Done(Value::Null))
    );
}

#[test]
fn a_branch_that_waits_for_another_run_looks_at_it_once_whenever_the_run_is_taken_up() {
    let mut bench = Bench::new();
    enter(
        &mut bench,
        "0",
        Composite::Parallel {
            branches: 1,
            max: 1,
        },
    );
    let step = Step::Playbook {
        name: "another".to_owned(),
        input: cordon_contract::value::Map::new(),
        connect: std::collections::BTreeMap::new(),
    };
    bench.ask("0.0.0", &step);
    bench.handle("0.0.0", Event::Child(None));
    let branch = |bench: &Bench| bench.machine.branch(&step_key("0"), 0, &bench.clock);
    assert!(matches!(branch(&bench), Branch::Parked(_)));
    bench.crash();
    assert_eq!(branch(&bench), Branch::Begun);
}
