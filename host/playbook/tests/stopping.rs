//! A stopped run does nothing more, wherever in a script it stands: neither `try` nor the closures of
//! Rhai's own functions, which wrap or swallow errors, can go on.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests, which fail this way"
)]

mod support;

use cordon_playbook::RunError;
use cordon_playbook::step::StopReason;
use support::{World, run_in};

/// Runs the body, stopped at its third step, and wants that nothing came after.
fn stops(body: &str) {
    let (result, world) = run_in(World::silent().stopping_after(2), body);
    assert_eq!(
        result,
        Err(RunError::Stopped {
            reason: StopReason::Suspended
        }),
        "{body}"
    );
    assert_eq!(world.keys().len(), 2, "{body}");
}

const EDR: &str = "let edr = connection(\"edr\"); let list = [1, 2, 3, 4, 5];";

#[test]
fn in_the_body_and_in_a_function() {
    stops(&format!(
        "{EDR} edr.ping(); edr.ping(); edr.ping(); edr.ping();"
    ));
    stops(&format!("{EDR} loop {{ edr.ping(); }}"));
}

#[test]
fn in_try_without_entering_catch() {
    stops(&format!(
        "{EDR} try {{ loop {{ edr.ping(); }} }} catch (e) {{ edr.ping(); }} edr.ping();"
    ));
    stops(&format!(
        "{EDR} loop {{ try {{ edr.ping(); }} catch (e) {{ edr.ping(); }} }}"
    ));
}

#[test]
fn in_the_closures_of_rhais_own_functions() {
    for call in [
        "list.map(|h| edr.ping())",
        "list.filter(|h| { edr.ping(); true })",
        "list.for_each(|h| edr.ping())",
        "list.some(|h| { edr.ping(); false })",
        "list.all(|h| { edr.ping(); true })",
        "list.find(|h| { edr.ping(); false })",
        "list.find_map(|h| edr.ping())",
        "list.index_of(|h| { edr.ping(); false })",
        "list.reduce(|sum, h| { edr.ping(); h })",
        "list.reduce_rev(|sum, h| { edr.ping(); h })",
        "list.drain(|h| { edr.ping(); false })",
        "list.retain(|h| { edr.ping(); true })",
        "#{ a: 1, b: 2, c: 3, d: 4 }.map(|k, v| edr.ping())",
        "#{ a: 1, b: 2, c: 3, d: 4 }.filter(|k| { edr.ping(); true })",
    ] {
        stops(&format!("{EDR} {call}; edr.ping();"));
        stops(&format!(
            "{EDR} try {{ {call} }} catch (e) {{ edr.ping(); }} edr.ping();"
        ));
    }
}

#[test]
fn in_poll_retry_and_parallel() {
    stops(&format!(
        "{EDR} poll(|| edr.ping(), |x| false); edr.ping();"
    ));
    stops(&format!(
        "{EDR} try {{ retry(|| loop {{ edr.ping() }}) }} catch {{ edr.ping() }}"
    ));
    stops(&format!(
        "{EDR} parallel(list, |h| {{ edr.ping(); edr.ping(); }}, #{{ on_error: \"continue\" }}); edr.ping();"
    ));
    stops(&format!(
        "{EDR} try {{ parallel(list, |h| edr.ping(), #{{ max: 1 }}) }} catch {{ edr.ping() }} edr.ping()"
    ));
}

#[test]
fn a_composite_that_was_stopped_inside_is_not_left() {
    let (_, world) = run_in(
        World::silent().stopping_after(2),
        &format!("{EDR} poll(|| edr.ping(), |x| false)"),
    );
    assert!(world.left.lock().unwrap().is_empty());
}

#[test]
fn while_a_comparer_of_sort_runs() {
    let world = World::silent();
    let flag = world.flag().clone();
    flag.stop(StopReason::Cancelled);
    let (result, world) = run_in(world, &format!("{EDR} list.sort(|a, b| a - b); edr.ping()"));
    assert_eq!(
        result,
        Err(RunError::Stopped {
            reason: StopReason::Cancelled
        })
    );
    assert!(world.keys().is_empty());
}

#[test]
fn by_a_flag_that_is_set_while_the_script_computes() {
    let world = World::silent();
    let flag = world.flag().clone();
    let stopper = std::thread::spawn(move || flag.stop(StopReason::Cancelled));
    let (result, _) = run_in(world, "loop { try { [1, 2].map(|x| x + 1); } catch {} }");
    stopper.join().unwrap();
    assert_eq!(
        result,
        Err(RunError::Stopped {
            reason: StopReason::Cancelled
        })
    );
}

#[test]
fn a_run_that_was_stopped_at_its_very_end_does_not_count_as_done() {
    let (result, _) = run_in(
        World::silent().stopping_after(0),
        "try { now() } catch { 1 }",
    );
    assert_eq!(
        result,
        Err(RunError::Stopped {
            reason: StopReason::Suspended
        })
    );
}

#[test]
fn a_step_in_the_closure_of_sort_is_refused_where_everybody_sees_it() {
    for call in ["sort", "sort_by", "order", "order_by"] {
        let (result, world) = run_in(
            World::silent(),
            &format!("{EDR} list.{call}(|a, b| {{ edr.ping(); a - b }})"),
        );
        let error = result.unwrap_err();
        assert!(
            error
                .to_string()
                .contains("`kata-1.ping` is a step, and the closure of `"),
            "{error}"
        );
        assert!(error.help().unwrap().contains("with `map`"));
        assert!(world.keys().is_empty());
    }
    let (result, _) = run_in(
        World::silent(),
        &format!("{EDR} list.dedup(|a, b| {{ now(); true }}); list"),
    );
    assert!(
        result
            .unwrap_err()
            .to_string()
            .contains("the closure of `dedup` must be free of steps")
    );
}

#[test]
fn a_line_of_the_log_in_the_closure_of_sort_is_refused_too_and_does_not_just_vanish() {
    let (result, world) = run_in(
        World::silent(),
        "let l = [2, 1]; l.sort(|a, b| { print(a); a - b }); now()",
    );
    let error = result.unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("`log` is a step, and the closure of `sort`"),
        "{error}"
    );
    assert!(world.keys().is_empty());
}

#[test]
fn sorting_without_steps_works_and_a_mistake_in_the_closure_comes_out() {
    let run = |body: &str| run_in(World::silent(), body).0;
    assert_eq!(
        run("let l = [3, 1, 2]; l.sort(|a, b| b - a); l")
            .unwrap()
            .to_json(),
        "[3,2,1]"
    );
    assert_eq!(
        run("[3, 1, 2].order(|a, b| a < b)").unwrap().to_json(),
        "[1,2,3]"
    );
    assert_eq!(
        run("let l = [3, 1, 2]; l.sort(); l").unwrap().to_json(),
        "[1,2,3]"
    );
    assert_eq!(
        run("let l = [1, 1, 2]; l.dedup(|a, b| a == b); l")
            .unwrap()
            .to_json(),
        "[1,2]"
    );
    assert!(run("[3, 1].order(|a, b| a.nothing)").is_err());
    assert!(
        run("[3, 1].order(|a, b| \"x\")")
            .unwrap_err()
            .to_string()
            .contains("gave text")
    );
}
