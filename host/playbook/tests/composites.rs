//! `poll`, `retry` and `parallel`: what they do with failures, what they record, what they copy.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests, which fail this way"
)]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::time::Duration;

use cordon_contract::{Delivery, ErrorKind, Failure, Value};
use cordon_playbook::RunError;
use cordon_playbook::step::Answer;
use support::{World, json, run_in};

const EDR: &str = "let edr = connection(\"edr\");";

/// A world in which the `n`th call, from 0, answers what the function says.
fn nth(answer: impl Fn(u32) -> Result<Value, Failure> + Send + Sync + 'static) -> World {
    let count = AtomicU32::new(0);
    World::new(move |_, _, _| answer(count.fetch_add(1, Ordering::SeqCst)))
}

fn failing(kind: ErrorKind) -> Failure {
    Failure {
        delivery: Delivery::Answered,
        ..Failure::new(kind, "as told")
    }
}

#[test]
fn steps_are_counted_per_scope() {
    let body = format!(
        "{EDR} now();
         poll(|| {{ edr.ping(); uuid(); }}, |x| true);
         edr.ping();
         parallel([1, 2], |x| {{ now(); edr.ping(); retry(|| edr.ping()) }});
         now()"
    );
    let (result, world) = run_in(World::silent(), &body);
    result.unwrap();
    let expected = [
        "0",
        "1.0.0",
        "1.0.1",
        "2",
        "3.0.0",
        "3.0.1",
        "3.0.2.0.0",
        "3.1.0",
        "3.1.1",
        "3.1.2.0.0",
        "4",
    ];
    assert_eq!(world.keys(), expected);
}

#[test]
fn poll_looks_until_the_condition_holds_and_pauses_between() {
    let world = nth(|n| Ok(Value::from(u64::from(n))));
    let (result, world) = run_in(
        world,
        &format!("{EDR} poll(|| edr.ping(), |n| n == 3, #{{ every: \"5s\" }})"),
    );
    assert_eq!(result, Ok(Value::from(3_i64)));
    assert_eq!(world.pauses(), vec![Duration::from_secs(5); 3]);
    assert_eq!(
        world.left.lock().unwrap()["0"],
        Answer::Done(Value::from(3_i64))
    );
}

#[test]
fn a_poll_that_runs_out_of_time_is_a_failure_and_its_last_look_is_at_the_end() {
    let (result, world) = run_in(
        World::silent(),
        &format!("{EDR} poll(|| edr.ping(), |x| false, #{{ every: \"4s\", timeout: \"10s\" }})"),
    );
    let Err(RunError::Failed { failure, place }) = result else {
        panic!("{result:?}")
    };
    assert_eq!(failure.kind, ErrorKind::Timeout);
    assert_eq!(failure.code.as_deref(), Some("playbook.poll-timeout"));
    assert_eq!(place.unwrap().line, 3);
    assert_eq!(world.pauses(), [4, 4, 2].map(Duration::from_secs));
    assert_eq!(world.calls(), 4);
}

#[test]
fn a_look_that_fails_in_passing_counts_as_not_yet_and_any_other_failure_ends_the_poll() {
    let world = nth(|n| {
        if n < 2 {
            Err(failing(ErrorKind::Unavailable))
        } else {
            Ok(Value::from(true))
        }
    });
    let (result, _) = run_in(world, &format!("{EDR} poll(|| edr.ping(), |x| x)"));
    assert_eq!(result, Ok(Value::Bool(true)));
    let world = nth(|_| Err(failing(ErrorKind::NotFound)));
    let (result, world) = run_in(world, &format!("{EDR} poll(|| edr.ping(), |x| x)"));
    assert!(
        matches!(result, Err(RunError::Failed { failure, .. }) if failure.kind == ErrorKind::NotFound)
    );
    assert_eq!(world.calls(), 1);
}

#[test]
fn retry_tries_again_after_what_may_pass_with_growing_pauses() {
    let world = nth(|n| {
        if n < 3 {
            Err(failing(ErrorKind::Unavailable))
        } else {
            Ok(Value::text("ok"))
        }
    });
    let (result, world) = run_in(
        world,
        &format!("{EDR} retry(|| edr.ping(), #{{ attempts: 5, backoff: \"2s\" }})"),
    );
    assert_eq!(result, Ok(Value::text("ok")));
    assert_eq!(world.pauses(), [2, 4, 8].map(Duration::from_secs));
    assert_eq!(
        world.keys(),
        [
            "0.0.0", "0.0.1", "0.1.0", "0.1.1", "0.2.0", "0.2.1", "0.3.0"
        ]
    );
}

#[test]
fn retry_waits_as_long_as_the_product_asks() {
    let busy = || Failure {
        retry_after_ms: Some(30_000),
        ..failing(ErrorKind::RateLimited)
    };
    let world = nth(move |n| if n == 0 { Err(busy()) } else { Ok(Value::Null) });
    let (_, world) = run_in(world, &format!("{EDR} retry(|| edr.ping())"));
    assert_eq!(world.pauses(), [Duration::from_secs(30)]);
}

#[test]
fn retry_gives_up_with_the_last_failure_and_leaves_other_failures_alone() {
    let (result, world) = run_in(
        nth(|_| Err(failing(ErrorKind::Timeout))),
        &format!("{EDR} retry(|| edr.ping())"),
    );
    assert!(matches!(result, Err(RunError::Failed { .. })));
    assert_eq!(world.calls(), 3);
    let (_, world) = run_in(
        nth(|_| Err(failing(ErrorKind::Conflict))),
        &format!("{EDR} retry(|| edr.ping())"),
    );
    assert_eq!(world.calls(), 1);
    let body = format!("{EDR} retry(|| edr.ping(), #{{ on: [\"conflict\"], attempts: 2 }})");
    let (_, world) = run_in(nth(|_| Err(failing(ErrorKind::Conflict))), &body);
    assert_eq!(world.calls(), 2);
    let (result, _) = run_in(World::silent(), "retry(|| 1, #{ on: [\"confict\"] })");
    assert_eq!(
        result.unwrap_err().help().as_deref(),
        Some("did you mean \"conflict\"?")
    );
}

#[test]
fn a_write_whose_answer_was_lost_is_never_tried_again_and_a_read_is() {
    let lost = || Failure {
        delivery: Delivery::Unknown,
        ..failing(ErrorKind::Timeout)
    };
    let write =
        format!("{EDR} retry(|| edr.isolate(#{{ sensor_id: \"s\" }}), #{{ on: [\"timeout\"] }})");
    let (_, world) = run_in(nth(move |_| Err(lost())), &write);
    assert_eq!(world.calls(), 1);
    let (_, world) = run_in(
        nth(move |_| Err(lost())),
        &format!("{EDR} retry(|| edr.ping())"),
    );
    assert_eq!(world.calls(), 3);
    let (_, world) = run_in(
        nth(move |_| Err(lost())),
        &write
            .replace("retry(||", "poll(||")
            .replace(", #{ on: [\"timeout\"] }", ", |x| true"),
    );
    assert_eq!(world.calls(), 1);
}

#[test]
fn parallel_gives_item_by_item_what_succeeded_and_what_failed() {
    let world = World::new(|_, _, arguments| match arguments["sensor_id"].as_text() {
        Some("b") => Err(failing(ErrorKind::NotFound)),
        _ => Ok(Value::text("ok")),
    });
    let body = format!(
        "{EDR} let l = parallel([\"a\", \"b\", \"c\"], |id| edr.isolate(#{{ sensor_id: id }}), #{{ on_error: \"continue\" }});
         l.map(|e| [e.item, e.state, e.value, if e.error == () {{ () }} else {{ e.error.kind }}])"
    );
    let (result, _) = run_in(world, &body);
    let expected =
        r#"[["a","done","ok",null],["b","failed",null,"not_found"],["c","done","ok",null]]"#;
    assert_eq!(result.unwrap(), json(expected));
}

#[test]
fn parallel_stops_at_a_failure_unless_told_otherwise_and_says_what_was_not_begun() {
    let world = nth(|n| {
        if n == 1 {
            Err(failing(ErrorKind::Forbidden))
        } else {
            Ok(Value::Null)
        }
    });
    let body = format!(
        "{EDR} try {{ parallel([1, 2, 3, 4], |x| edr.ping(), #{{ max: 1 }}) }}
         catch (e) {{ [e.kind, e.message, e.details.items.map(|i| i.state)] }}"
    );
    let (result, world) = run_in(world, &body.replace("[e.kind", "return [e.kind"));
    let expected = r#"["forbidden","1 of 4 branches failed and 2 were not begun; the first failure: as told",["done","failed","skipped","skipped"]]"#;
    assert_eq!(result.unwrap(), json(expected));
    assert_eq!(world.calls(), 2);
}

#[test]
fn a_mistake_or_a_thrown_value_in_a_branch_is_an_outcome_like_any_other() {
    let body = "parallel([0, 1, 2], |x| switch x { 0 => fail(\"no\"), 1 => throw 42, _ => x.nothing }, #{ on_error: \"continue\" }).map(|e| e.error)";
    let (result, _) = run_in(World::silent(), body);
    let errors = result.unwrap();
    let errors = errors.as_list().unwrap();
    assert_eq!(errors[0].get("kind"), Some(&Value::text("failed")));
    assert_eq!(errors[1], Value::from(42_i64));
    assert_eq!(errors[2].get("kind"), Some(&Value::text("script")));
}

#[test]
fn branches_run_side_by_side_but_never_more_than_max() {
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let seen = Arc::clone(&most);
    let together = std::sync::Barrier::new(3);
    let world = World::new(move |_, _, _| {
        most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        together.wait();
        now.fetch_sub(1, Ordering::SeqCst);
        Ok(Value::Null)
    });
    let (result, _) = run_in(
        world,
        &format!("{EDR} parallel(0..9, |x| edr.ping(), #{{ max: 3 }})")
            .replace("0..9", "[1,2,3,4,5,6,7,8,9]"),
    );
    result.unwrap();
    assert_eq!(seen.load(Ordering::SeqCst), 3);
}

#[test]
fn parallel_over_connections_names_them() {
    let body = "parallel(connections(\"edrs\"), |edr| edr.ping()).map(|e| e.item)";
    assert_eq!(
        run_in(World::silent(), body).0.unwrap(),
        json(r#"["kata-1", "kata-2"]"#)
    );
}

#[test]
fn branches_share_nothing_not_even_through_closures_that_they_captured() {
    let body = "let box = #{ n: 0 }; let bump = |x| { box.n += x; box.n };
                let l = parallel([1, 1, 1, 1], |x| bump.call(x), #{ max: 4 });
                [l.map(|e| e.value), box.n]";
    assert_eq!(
        run_in(World::silent(), body).0.unwrap(),
        json("[[1, 1, 1, 1], 0]")
    );
}

#[test]
fn a_finished_composite_answers_from_the_record_without_a_step_inside() {
    let finished = Answer::Failed(Box::new(failing(ErrorKind::Forbidden)));
    let world = World::silent()
        .with_finished("0", Answer::Done(json("7")))
        .with_finished("1", finished);
    let body = format!(
        "{EDR} let a = poll(|| edr.ping(), |x| true); try {{ retry(|| edr.ping()) }} catch (e) {{ return [a, e.kind]; }}"
    );
    let (result, world) = run_in(world, &body);
    assert_eq!(result.unwrap(), json(r#"[7, "forbidden"]"#));
    assert_eq!(world.calls(), 0);
}

#[test]
fn what_a_composite_threw_is_caught_the_same_when_it_is_replayed() {
    for thrown in [
        "fail(\"no\", [1])",
        "throw #{ a: 1 }",
        "throw \"text\"",
        "edr.ping()",
        "1 / 0",
    ] {
        let body =
            format!("{EDR} let r = (); try {{ retry(|| {thrown}) }} catch (e) {{ r = e; }} r");
        let (first, world) = run_in(nth(|_| Err(failing(ErrorKind::Forbidden))), &body);
        let recorded = world.left.lock().unwrap()["0"].clone();
        let (replayed, _) = run_in(World::silent().with_finished("0", recorded), &body);
        assert_eq!(first, replayed, "{thrown}");
    }
}

#[test]
fn a_poll_goes_on_where_an_earlier_execution_left_it() {
    let world = World::silent().with_resumed("0", 7, Duration::from_secs(28));
    let (result, world) = run_in(
        world,
        &format!("{EDR} poll(|| edr.ping(), |x| false, #{{ every: \"4s\", timeout: \"30s\" }})"),
    );
    assert!(result.is_err());
    assert_eq!(world.keys(), ["0.7.0", "0.7.1", "0.8.0", "0.8.1"]);
    assert_eq!(world.pauses(), [Duration::from_secs(2)]);
}

#[test]
fn captured_variables_are_read_as_they_were() {
    let body =
        "let base = 10; let l = parallel([1, 2], |x| base + x); base = 0; l.map(|e| e.value)";
    assert_eq!(run_in(World::silent(), body).0.unwrap(), json("[11, 12]"));
}
