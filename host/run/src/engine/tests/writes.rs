//! Writes whose answers are lost: what happened becomes known, or the run stops in doubt.

use cordon_contract::{Delivery, ErrorKind, Value};
use cordon_journal::wish::Resolution;
use cordon_journal::{Durability, State, What};
use cordon_playbook::step::StopReason;

use super::support::*;
use crate::engine::{Event, Next, Refusal};

fn ok() -> Value {
    Value::text("done")
}

/// The write was sent, and its answer lost.
fn lost_once(action: &str) -> (Bench, Next) {
    let mut bench = Bench::new();
    assert_eq!(bench.ask("0", &call(action)), Next::Call);
    let next = bench.fails("0", lost());
    (bench, next)
}

#[test]
fn an_intent_is_on_the_disk_before_a_write_is_sent_and_a_read_leaves_its_outcome_only() {
    let mut bench = Bench::new();
    let asked = bench.handle("0", Event::Asked(call("blind")));
    assert_eq!(
        (asked.next, asked.durability),
        (Next::Call, Durability::Now)
    );
    assert!(matches!(bench.entries[0].record.what, What::Intent { .. }));
    assert_eq!(bench.done("0", ok()), answer(ok()));
    assert_eq!(bench.ask("1", &call("get")), Next::Call);
    assert_eq!(bench.entries.len(), 2);
    assert_eq!(bench.done("1", ok()), answer(ok()));
    assert!(matches!(
        &bench.entries[2].record.what,
        What::Outcome { step: Some(_), .. }
    ));
}

#[test]
fn what_may_be_repeated_is_repeated_after_a_pause_with_the_same_key_and_not_for_ever() {
    let (mut bench, next) = lost_once("natural");
    assert_eq!(next, PARKED);
    let key = bench.machine.idempotency_key(&step_key("0"));
    for pause in [1, 2] {
        assert_eq!(
            bench.status().due,
            Some(bench.clock.now.get().plus(seconds(pause)))
        );
        bench.pass(seconds(pause));
        bench.crash();
        assert_eq!(bench.ask("0", &call("natural")), Next::Call);
        assert_eq!(bench.machine.idempotency_key(&step_key("0")), key);
        let attempt = &bench.entries.last().unwrap().record.what;
        assert!(matches!(attempt, What::Attempt { .. }), "{attempt:?}");
        bench.fails("0", lost());
    }
    assert!(bench.machine.in_doubt());
}

#[test]
fn the_product_is_asked_when_the_timeout_has_passed_since_the_intent_and_no_earlier() {
    let (mut bench, next) = lost_once("once");
    assert_eq!(next, PARKED);
    assert_eq!(bench.status().due, Some(BEGIN.plus(seconds(10))));
    bench.pass(seconds(9));
    assert_eq!(bench.ask("0", &call("once")), PARKED);
    bench.pass(seconds(1));
    assert_eq!(bench.ask("0", &call("once")), Next::Reconcile);
    let happened = Event::Reconciled(Ok(Some(ok())));
    assert_eq!(bench.handle("0", happened).next, answer(ok()));
}

#[test]
fn what_the_product_says_did_not_happen_is_sent_again_and_at_last_reported_as_not_done() {
    let (mut bench, _) = lost_once("once");
    for attempt in 2..=3 {
        bench.pass(seconds(60));
        assert_eq!(bench.ask("0", &call("once")), Next::Reconcile);
        assert!(matches!(
            bench.handle("0", Event::Reconciled(Ok(None))).next,
            Next::Wait(_)
        ));
        assert_eq!(bench.handle("0", Event::Woken).next, Next::Call);
        let last = &bench.entries.last().unwrap().record.what;
        assert_eq!(*last, What::Attempt { number: attempt });
        bench.fails("0", lost());
    }
    bench.pass(seconds(60));
    bench.ask("0", &call("once"));
    let failure = failed(bench.handle("0", Event::Reconciled(Ok(None))).next);
    assert_eq!(failure.delivery, Delivery::NotSent);
}

#[test]
fn a_product_that_cannot_say_is_asked_a_few_times_and_then_a_person_is() {
    let (mut bench, _) = lost_once("once");
    let busy = || Event::Reconciled(Err(failure(Delivery::NotSent, ErrorKind::Unavailable)));
    for _ in 0..4 {
        bench.pass(seconds(60));
        assert_eq!(bench.ask("0", &call("once")), Next::Reconcile);
        assert_eq!(bench.handle("0", busy()).next, PARKED);
    }
    bench.pass(seconds(60));
    bench.ask("0", &call("once"));
    assert_eq!(
        bench.handle("0", busy()).next,
        Next::Stop(StopReason::InDoubt)
    );

    let (mut bench, _) = lost_once("once");
    bench.pass(seconds(60));
    bench.ask("0", &call("once"));
    let never = Event::Reconciled(Err(failure(Delivery::Answered, ErrorKind::Unsupported)));
    assert_eq!(
        bench.handle("0", never).next,
        Next::Stop(StopReason::InDoubt)
    );
}

#[test]
fn a_process_that_died_between_intent_and_outcome_has_lost_the_answer() {
    for (action, next) in [
        ("natural", "repeat"),
        ("keyed", "repeat"),
        ("once", "ask"),
        ("blind", "doubt"),
    ] {
        let mut bench = Bench::new();
        bench.ask("0", &call(action));
        bench.crash();
        let reaction = bench.ask("0", &call(action));
        let fits = match next {
            "repeat" => matches!(reaction, Next::Wait(_)),
            "ask" => reaction == PARKED,
            _ => reaction == Next::Stop(StopReason::InDoubt),
        };
        assert!(fits, "{action}: {reaction:?}");
    }
}

#[test]
fn a_run_in_doubt_waits_for_a_person_who_is_believed_and_never_resends_by_itself() {
    for (how, expected) in [
        (Resolution::Done(ok()), Ok(ok())),
        (Resolution::NotDone, Err(Delivery::NotSent)),
    ] {
        let (mut bench, next) = lost_once("blind");
        assert_eq!(next, Next::Stop(StopReason::InDoubt));
        assert_eq!(bench.status().state, State::InDoubt);
        bench.crash();
        assert_eq!(
            bench.ask("0", &call("blind")),
            Next::Stop(StopReason::InDoubt)
        );
        let reaction = bench
            .machine
            .resolve(&step_key("0"), "ann", &how, &bench.clock);
        bench.keep(reaction.unwrap());
        bench.crash();
        match (bench.ask("0", &call("blind")), expected) {
            (next, Ok(value)) => assert_eq!(next, answer(value)),
            (next, Err(delivery)) => assert_eq!(failed(next).delivery, delivery),
        }
        let again = bench
            .machine
            .resolve(&step_key("0"), "ann", &how, &bench.clock);
        assert_eq!(
            again,
            Err(Refusal::NotInDoubt {
                step: "0".to_owned()
            })
        );
    }
}

#[test]
fn a_run_in_doubt_is_due_at_its_deadline_once_and_then_waits_for_the_person_alone() {
    let (bench, _) = lost_once("blind");
    assert_eq!(bench.status().due, Some(bench.order.deadline));
    bench.pass(seconds(25 * 3600));
    assert_eq!(bench.status().due, None);
    assert_eq!(bench.status().waits.len(), 1);
}
