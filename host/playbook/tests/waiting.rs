//! A run that waits for long ends its script, and is run again from the top when it can go on: that it
//! did so is nowhere to be seen in what it does.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests, which fail this way"
)]

mod support;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use cordon_contract::{ErrorKind, Failure, Value};
use cordon_playbook::step::{Answer, Branch, Performer as _, Step, StopReason};
use cordon_playbook::{Limits, RunError};
use proptest::prelude::*;
use support::{World, json, run_code, run_code_waiting, run_in, run_waiting};

const EDR: &str = "let edr = connection(\"edr\"); let list = [1, 2, 3, 4, 5];";

const SUSPENDED: RunError = RunError::Stopped {
    reason: StopReason::Suspended,
};

fn one_thread() -> Limits {
    Limits {
        threads: 0,
        ..Limits::default()
    }
}

/// Runs the body, which waits at its third step, and wants that nothing came after.
fn waits(body: &str) {
    let world = World::silent().waiting_at(|_, step| matches!(step, Step::Uuid));
    let (result, world) = run_in(world, &format!("{EDR} edr.ping(); edr.ping(); {body}"));
    assert_eq!(result, Err(SUSPENDED), "{body}");
    assert_eq!(world.keys().len(), 2, "{body}");
    assert!(world.left.lock().unwrap().is_empty(), "{body}");
    assert!(world.endings.lock().unwrap().is_empty(), "{body}");
}

#[test]
fn a_script_that_waits_does_nothing_more_wherever_it_stands() {
    for body in [
        "uuid(); edr.ping();",
        "try { uuid(); } catch (e) { edr.ping(); } edr.ping();",
        "try { list.for_each(|h| { uuid(); }) } catch (e) { edr.ping(); } edr.ping();",
        "try { list.map(|h| uuid()) } catch { } edr.ping();",
        "list.filter(|h| { uuid(); true }); edr.ping();",
        "try { list.reduce(|sum, h| uuid()) } catch { print(1); }",
        "try { retry(|| uuid()) } catch { edr.ping() } edr.ping()",
        "try { retry(|| list.map(|h| uuid()), #{ on: [\"script\"] }) } catch { edr.ping() }",
        "try { poll(|| { try { list.map(|h| uuid()) } catch { } true }, |x| x) } catch { edr.ping() }",
        "poll(|| uuid(), |x| true); edr.ping();",
        "try { parallel([1], |h| try { list.map(|h| uuid()) } catch { 1 }) } catch { edr.ping() } edr.ping()",
        "parallel([1], |h| parallel([1], |h| uuid()), #{ on_error: \"continue\" }); edr.ping()",
        "undoable(|| uuid()); edr.ping()",
        "let l = list.map(|h| uuid()); l.sort(|a, b| 0); edr.ping()",
    ] {
        waits(body);
    }
}

#[test]
fn a_run_whose_last_step_waits_is_not_done_whatever_the_script_makes_of_it() {
    waits("try { list.map(|h| uuid()) } catch { 1 }");
}

#[test]
fn a_run_that_waited_goes_on_with_what_it_knew() {
    let body = format!(
        "{EDR} let a = edr.ping(); sleep(\"2h\"); let b = poll(|| edr.ping(), |n| n == 3, #{{ every: \"5s\" }}); [a, b]"
    );
    let count = std::sync::atomic::AtomicU32::new(0);
    let world =
        World::new(move |_, _, _| Ok(Value::from(u64::from(count.fetch_add(1, Ordering::SeqCst)))));
    let (result, world, executions) = run_waiting(world.waiting(), &body);
    assert_eq!(result.unwrap(), json("[0, 3]"));
    assert_eq!(executions, 4);
    let pauses = [7200, 5, 5].map(Duration::from_secs);
    assert_eq!(world.pauses(), pauses);
    assert_eq!(world.calls(), 4);
}

#[test]
fn the_last_look_of_a_poll_comes_at_the_end_of_its_time_also_when_it_is_replayed() {
    let body =
        format!("{EDR} poll(|| edr.ping(), |x| false, #{{ every: \"4s\", timeout: \"10s\" }})");
    let (at_once, world) = run_in(World::silent(), &body);
    let (waiting, replayed, executions) = run_waiting(World::silent().waiting(), &body);
    assert_eq!(at_once, waiting);
    assert_eq!(world.pauses(), replayed.pauses());
    assert_eq!(world.keys(), replayed.keys());
    assert_eq!((replayed.calls(), executions), (4, 4));
}

#[test]
fn one_waiting_branch_does_not_hold_the_others() {
    let body = format!(
        "{EDR} parallel(list, |x| {{ if x == 1 {{ sleep(\"1h\"); }} edr.ping(); x }}, #{{ max: 2 }}).map(|e| e.value)"
    );
    for limits in [one_thread(), Limits::default()] {
        let code = format!("fn run(input) {{ {body} }}");
        let world = Arc::new(World::silent().waiting());
        assert_eq!(run_code(&code, &world, &limits), Err(SUSPENDED));
        assert_eq!(world.left_branch("0", 0), None);
        for branch in 1..5 {
            let outcome = world.left_branch("0", branch);
            assert!(matches!(outcome, Some(Answer::Done(_))), "{branch}");
        }
        world.pass_time();
        assert_eq!(
            run_code(&code, &world, &limits).unwrap(),
            json("[1, 2, 3, 4, 5]")
        );
        assert_eq!(world.calls(), 5);
    }
}

#[test]
fn a_waiting_branch_keeps_its_place_among_those_that_run_at_a_time() {
    let code = format!(
        "fn run(input) {{ {EDR} parallel(list, |x| {{ edr.list_sensors(#{{ host: `${{x}}` }}); sleep(\"1h\"); edr.ping(); }}, #{{ max: 2 }}); 1 }}"
    );
    for limits in [one_thread(), Limits::default()] {
        let world = Arc::new(World::silent().waiting());
        for begun in [2, 4, 5] {
            assert_eq!(run_code(&code, &world, &limits), Err(SUSPENDED));
            let called = world.called();
            let hosts = called.iter().filter(|call| call.starts_with("list"));
            assert_eq!(hosts.count(), begun);
            world.pass_time();
        }
        assert_eq!(run_code(&code, &world, &limits), Ok(Value::from(1_i64)));
        assert_eq!(world.calls(), 10);
    }
}

#[test]
fn without_threads_branches_run_one_after_the_other_in_the_order_of_the_list() {
    let code = format!(
        "fn run(input) {{ {EDR} parallel(list, |x| {{ edr.list_sensors(#{{ host: `${{x}}` }}); if x % 2 == 0 {{ sleep(\"1h\"); }} edr.isolate(#{{ sensor_id: `${{x}}` }}); }}, #{{ max: 3 }}); 1 }}"
    );
    let (result, world, _) =
        run_code_waiting(Arc::new(World::silent().waiting()), &code, &one_thread());
    result.unwrap();
    let order: Vec<String> = world
        .called()
        .iter()
        .map(|call| call.chars().filter(char::is_ascii_digit).collect())
        .collect();
    assert_eq!(order.concat(), "1123345524");
}

#[test]
fn a_branch_that_can_go_on_is_run_again_while_others_are_busy() {
    let shared: Arc<OnceLock<Arc<World>>> = Arc::default();
    let (there, went_on) = (Arc::clone(&shared), AtomicBool::new(false));
    let world = World::new(move |_, action, _| {
        if action == "ping" {
            went_on.store(true, Ordering::SeqCst);
        }
        if action == "get-task" {
            let world = there.get().unwrap();
            let end = Instant::now() + Duration::from_secs(20);
            while world.parked() == 0 && Instant::now() < end {
                std::thread::sleep(Duration::from_millis(1));
            }
            world.pass_time();
            while !went_on.load(Ordering::SeqCst) {
                assert!(Instant::now() < end, "it was not run again");
                std::thread::sleep(Duration::from_millis(1));
            }
        }
        Ok(Value::Null)
    });
    let world = Arc::new(world.waiting());
    shared.set(Arc::clone(&world)).ok().unwrap();
    let code = format!(
        "fn run(input) {{ {EDR} parallel([1, 2], |x| {{ if x == 1 {{ sleep(\"1h\"); edr.ping() }} else {{ edr.get_task(#{{ task_id: \"t\" }}) }} }}); 1 }}"
    );
    assert_eq!(
        run_code(&code, &world, &Limits::default()),
        Ok(Value::from(1_i64))
    );
}

#[test]
fn after_a_failure_waiting_branches_are_finished_and_nothing_new_is_begun() {
    let world = World::new(|_, action, _| match action {
        "ping" => Err(Failure::new(ErrorKind::NotFound, "gone")),
        _ => Ok(Value::Null),
    });
    let code = format!(
        "fn run(input) {{ {EDR} try {{ parallel(list, |x| {{ if x == 1 {{ sleep(\"1h\"); uuid() }} else {{ edr.ping() }} }}, #{{ max: 2 }}) }} catch (e) {{ return e.details.items.map(|i| i.state); }} }}"
    );
    let (result, world, executions) =
        run_code_waiting(Arc::new(world.waiting()), &code, &one_thread());
    let expected = r#"["done", "failed", "skipped", "skipped", "skipped"]"#;
    assert_eq!(result.unwrap(), json(expected));
    assert_eq!((world.calls(), executions), (1, 2));
}

#[test]
fn a_thousand_waiting_branches_take_two_executions() {
    let code = "fn run(input) { let list = []; for i in 0..1000 { list.push(i); }
                parallel(list, |x| { sleep(\"1h\"); x }, #{ max: 1000 }).len() }";
    for limits in [one_thread(), Limits::default()] {
        let world = Arc::new(World::silent().waiting());
        let (result, world, executions) = run_code_waiting(world, code, &limits);
        assert_eq!(result, Ok(Value::from(1000_i64)));
        assert_eq!(executions, 2);
        assert_eq!(world.keys().len(), 1000);
    }
}

#[test]
fn a_run_that_is_cancelled_while_a_branch_waits_is_cancelled() {
    let shared: Arc<OnceLock<cordon_playbook::step::StopFlag>> = Arc::default();
    let there = Arc::clone(&shared);
    let world = World::new(move |_, _, _| {
        there.get().unwrap().stop(StopReason::Cancelled);
        Ok(Value::Null)
    });
    shared.set(world.flag().clone()).ok().unwrap();
    let body = format!(
        "{EDR} parallel([1, 2], |x| if x == 1 {{ sleep(\"1h\") }} else {{ edr.ping() }}, #{{ max: 1 }})"
    )
    .replace("max: 1", "max: 2");
    let (result, _) = run_in(world.waiting(), &body);
    let reason = StopReason::Cancelled;
    assert_eq!(result, Err(RunError::Stopped { reason }));
}

#[test]
fn a_defect_in_one_branch_ends_the_run_while_others_wait_and_hangs_nothing() {
    let world = World::new(|_, _, _| panic!("as told"));
    let body =
        format!("{EDR} parallel(list, |x| if x == 3 {{ edr.ping() }} else {{ sleep(\"1h\") }})");
    let (result, _) = run_in(world.waiting(), &body);
    assert!(matches!(result, Err(RunError::Defect { .. })), "{result:?}");
}

/// Everything that a script can wait in.
const EVERYTHING: &str = "fn or_error(act) { try { return act.call(); } catch (e) { return e.message; } }
    fn twice(x) { retry(|| { let id = uuid(); if x == 2 { fail(\"no\"); } id }) }
    fn run(input) {
        let edr = connection(\"edr\");
        let sensors = edr.list_sensors(#{ host: \"a\" });
        let seen = [];
        for sensor in sensors {
            seen.push(or_error(|| edr.isolate(#{ sensor_id: sensor })));
        }
        let found = poll(|| { log(\"look\"); edr.get_task(#{ task_id: \"t\" }) }, |n| n > 1, #{ every: \"5s\" });
        let outcomes = parallel([1, 2, 3, 4], |x| {
            let id = twice(x);
            let inner = parallel([x, x + 1], |y| { edr.ping(); poll(|| y, |z| true); sleep(\"1m\"); y * 10 }, #{ max: 1 });
            [id, inner.map(|e| e.value)]
        }, #{ max: 2, on_error: \"continue\" });
        let tried = or_error(|| retry(|| edr.create_run_task(#{ sensor_id: \"s\", command: \"c\" })));
        note(\"found\", found);
        #{
            seen: seen, found: found, tried: tried,
            answer: ask(#{ message: \"?\", choices: [\"x\", \"y\"] }),
            outcomes: outcomes.map(|e| [e.state, e.value]),
        }
    }";

/// A world whose answers depend on what is asked only, and on how often a task was looked at.
fn steady() -> World {
    let looks = std::sync::atomic::AtomicU64::new(0);
    World::new(move |_, action, arguments| match action {
        "list-sensors" => Ok(json(r#"["s-1", "s-2"]"#)),
        "isolate" if arguments["sensor_id"] == Value::text("s-2") => {
            Err(Failure::new(ErrorKind::Conflict, "busy"))
        }
        "isolate" => Ok(arguments["sensor_id"].clone()),
        "get-task" => Ok(Value::from(looks.fetch_add(1, Ordering::SeqCst))),
        "create-run-task" => Err(Failure::new(ErrorKind::Unavailable, "away")),
        _ => Ok(Value::Null),
    })
}

#[test]
fn a_run_that_waited_at_any_of_its_steps_does_what_one_does_that_never_waited() {
    for limits in [one_thread(), Limits::default()] {
        let plain = Arc::new(steady());
        let expected = run_code(EVERYTHING, &plain, &limits).unwrap();
        let keys = plain.keys();
        assert!(keys.len() > 30, "{}", keys.len());
        for at in &keys {
            let here = at.parse().unwrap();
            let world = Arc::new(steady().waiting_at(move |key, _| *key == here));
            let (result, world, executions) = run_code_waiting(world, EVERYTHING, &limits);
            assert_eq!(result.as_ref(), Ok(&expected), "waiting at {at}");
            assert_eq!(world.keys(), keys, "waiting at {at}");
            assert!(executions <= 2, "waiting at {at}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn a_run_that_waited_at_many_of_its_steps_does_what_one_does_that_never_waited(
        seed: u64, threads in prop::sample::select(vec![0_usize, 3]),
    ) {
        let limits = Limits { threads, ..Limits::default() };
        let plain = Arc::new(steady());
        let expected = run_code(EVERYTHING, &plain, &limits);
        let waits = move |key: &cordon_contract::StepKey, _: &Step| {
            let mixed = key.path().iter().fold(seed, |mixed, part| {
                (mixed ^ u64::from(*part)).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(17)
            });
            mixed % 3 == 0
        };
        let world = Arc::new(steady().waiting_at(waits));
        let (result, world, _) = run_code_waiting(world, EVERYTHING, &limits);
        prop_assert_eq!(result, expected);
        prop_assert_eq!(world.keys(), plain.keys());
    }
}

#[test]
fn the_world_of_these_tests_knows_its_branches() {
    let (_, world) = run_in(
        World::silent().waiting(),
        "parallel([1, 2, 3], |x| { if x > 1 { sleep(\"1h\") } }, #{ max: 2 })",
    );
    let key = "0".parse().unwrap();
    assert!(matches!(world.branch(&key, 0), Branch::Finished(_)));
    assert_eq!(
        world.branch(&key, 1),
        Branch::Parked(Duration::from_secs(3600))
    );
    assert_eq!(world.branch(&key, 3), Branch::New);
    world.pass_time();
    assert_eq!(world.branch(&key, 2), Branch::Begun);
}
