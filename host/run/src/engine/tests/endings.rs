//! How a script ends from outside: cancelled, at a limit, with another script than its journal's.

use cordon_contract::Value;
use cordon_contract::step::{Answer, Composite};
use cordon_journal::What;
use cordon_journal::record::Stop;
use cordon_playbook::step::{Ending, Entry, StopReason};

use super::support::*;
use crate::engine::Next;

fn cancel() -> Stop {
    Stop::Cancelled {
        by: "ann".to_owned(),
        why: None,
    }
}

fn stop(bench: &mut Bench, stop: Stop) -> bool {
    let stopped = bench.machine.stop(stop, &bench.clock);
    stopped.map(|reaction| bench.keep(reaction)).is_some()
}

fn unwind(bench: &mut Bench, ending: &Ending, flag: Option<StopReason>) -> bool {
    let (begins, reaction) = bench.machine.unwind(ending, flag, &bench.clock);
    bench.keep(reaction);
    begins
}

#[test]
fn a_cancelled_script_is_answered_what_it_did_and_begins_and_waits_for_nothing_more() {
    let mut bench = Bench::new();
    bench.ask("0", &call("natural"));
    bench.done("0", Value::Null);
    bench.ask("1", &sleep(seconds(60)));
    assert!(stop(&mut bench, cancel()));
    assert!(!stop(&mut bench, cancel()));
    bench.crash();
    assert_eq!(bench.ask("0", &call("natural")), answer(Value::Null));
    assert_eq!(bench.ask("1", &sleep(seconds(60))), PARKED);
    // Also when the wait is over meanwhile: what is taken back does not come to a result.
    bench.pass(seconds(3600));
    assert_eq!(bench.ask("1", &sleep(seconds(60))), PARKED);
    assert_eq!(bench.ask("2", &call("blind")), PARKED);
    let entered = bench.machine.enter(
        &step_key("2"),
        Composite::Retry { attempts: 2 },
        &bench.clock,
    );
    assert_eq!(entered.entry, Entry::Finished(Answer::Parked));
    assert_eq!(bench.machine.ended(), Some(Ending::Cancelled));
}

#[test]
fn a_write_that_is_not_settled_is_settled_before_a_cancelled_run_takes_back() {
    let mut bench = Bench::new();
    bench.ask("0", &call("natural"));
    bench.fails("0", lost());
    stop(&mut bench, cancel());
    assert_eq!(bench.machine.ended(), None);
    assert!(bench.status().due < Some(bench.order.deadline));
    bench.pass(seconds(5));
    assert_eq!(bench.ask("0", &call("natural")), Next::Call);
    bench.done("0", Value::Null);
    assert_eq!(bench.machine.ended(), Some(Ending::Cancelled));
}

#[test]
fn what_is_done_after_the_script_goes_on_is_not_ended_and_holds_nothing_up() {
    let mut bench = Bench::new();
    stop(&mut bench, cancel());
    assert!(unwind(&mut bench, &Ending::Cancelled, None));
    assert_eq!(bench.ask("undo.0.0", &call("natural")), Next::Call);
    bench.fails("undo.0.0", lost());
    assert_eq!(bench.machine.ended(), Some(Ending::Cancelled));
    assert_eq!(bench.status().due, Some(BEGIN.plus(seconds(1))));

    let mut bench = Bench::new();
    assert!(unwind(&mut bench, &Ending::Failed(Value::Null), None));
    assert!(!stop(&mut bench, cancel()));
}

#[test]
fn a_script_that_a_flag_ended_is_gone_through_once_more_before_anything_is_taken_back() {
    let mut bench = Bench::new();
    let limit = Ending::Limit("operations".to_owned());
    assert!(!unwind(&mut bench, &limit, Some(StopReason::Limit)));
    assert!(matches!(bench.machine.stopped(), Some(Stop::Script { .. })));
    // And not twice, where it runs into the limit whatever it may use.
    assert!(unwind(&mut bench, &limit, Some(StopReason::Limit)));
    assert!(bench.machine.is_unwinding());
    for flag in [
        StopReason::Cancelled,
        StopReason::InDoubt,
        StopReason::Interrupted,
    ] {
        assert!(!unwind(&mut Bench::new(), &Ending::Cancelled, Some(flag)));
    }
}

#[test]
fn another_script_than_the_journals_is_told_with_both_and_nothing_is_taken_back() {
    let mut bench = Bench::new();
    bench.ask("0", &call("natural"));
    bench.done("0", Value::Null);
    assert_eq!(
        bench.ask("0", &call("blind")),
        Next::Stop(StopReason::Diverged)
    );
    let message = bench.machine.divergence().unwrap().to_string();
    for part in ["step 0", "box.blind", "box.natural"] {
        assert!(message.contains(part), "{message}");
    }
    assert!(!unwind(&mut bench, &Ending::Failed(Value::Null), None));

    let mut bench = Bench::new();
    let poll = Composite::Retry { attempts: 2 };
    bench.ask("0", &call("natural"));
    let entered = bench.machine.enter(&step_key("0"), poll, &bench.clock);
    assert_eq!(entered.reaction.next, Next::Stop(StopReason::Diverged));
}

#[test]
fn a_full_journal_ends_the_script_and_leaves_room_to_take_back() {
    let mut order = order();
    order.journal_records_max = 20;
    let mut bench = Bench::of(order);
    for number in 0..10 {
        assert_eq!(bench.ask(&number.to_string(), &call("natural")), Next::Call);
        bench.done(&number.to_string(), Value::Null);
    }
    assert!(bench.machine.warn().is_some() && bench.machine.warn().is_none());
    assert_eq!(
        bench.ask("10", &call("natural")),
        Next::Stop(StopReason::Limit)
    );
    let limit = Ending::Limit(String::new());
    assert!(!unwind(&mut bench, &limit, Some(StopReason::Limit)));
    bench.crash();
    let stopped = bench.machine.stopped().cloned();
    assert!(matches!(stopped, Some(Stop::Limit { name, .. }) if name == "journal_records"));
    assert!(unwind(&mut bench, &limit, None));
    assert!(matches!(
        bench.entries.last().unwrap().record.what,
        What::Unwinding
    ));
}

#[test]
fn a_step_over_many_values_that_did_not_do_all_is_partial_at_the_top_only() {
    let mut bench = Bench::new();
    let all = Composite::Parallel {
        branches: 2,
        max: 2,
    };
    for (key, partial) in [("0.0.0", false), ("1", true)] {
        let entered = bench.machine.enter(&step_key(key), all, &bench.clock);
        bench.keep(entered.reaction);
        let left = bench
            .machine
            .leave(&step_key(key), &Answer::Done(Value::Null), &bench.clock);
        bench.keep(left);
        assert_eq!(bench.machine.is_partial(), partial);
    }
}
