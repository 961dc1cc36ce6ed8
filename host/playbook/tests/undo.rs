//! What a run takes back when it fails, reaches a limit or is cancelled, and what it does then.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests, which fail this way"
)]

mod support;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use cordon_contract::{ErrorKind, Failure, Value};
use cordon_playbook::step::{Answer, Ending, Step, StopReason};
use cordon_playbook::{Limit, Limits, RunError};
use support::{World, compile, json, run_code, run_code_waiting, run_in, script};

const EDR: &str = "let edr = connection(\"edr\");";

const CANCELLED: RunError = RunError::Stopped {
    reason: StopReason::Cancelled,
};

/// A world that names the rules that it makes.
fn naming() -> World {
    World::new(|_, action, _| match action {
        "add-rule" => Ok(json(r#"{"rule_id": "r-1", "reason": null}"#)),
        _ => Ok(Value::Null),
    })
}

/// The ids of the sensors that were released, in the order of the calls.
fn released(world: &World) -> Vec<String> {
    let called = world.called();
    let releases = called.iter().filter_map(|call| {
        call.strip_prefix("release {\"sensor_id\":\"")?
            .strip_suffix("\"}")
    });
    releases.map(str::to_owned).collect()
}

fn message(result: &Result<Value, RunError>) -> String {
    result.as_ref().unwrap_err().to_string()
}

/// Registers the release of a sensor.
fn undo(id: &str) -> String {
    format!("undo(|| edr.release(#{{ sensor_id: \"{id}\" }}));")
}

#[test]
fn what_was_registered_is_taken_back_the_last_first_when_the_run_fails() {
    let body = format!(
        "{EDR} {} {} fail(\"no\"); {}",
        undo("a"),
        undo("b"),
        undo("c")
    );
    let (result, world) = run_in(World::silent(), &body);
    assert_eq!(message(&result), "no");
    assert_eq!(released(&world), ["b", "a"]);
    assert_eq!(world.keys(), ["0", "1", "undo.0.0", "undo.1.0"]);
    assert_eq!(
        world.left_branch("undo", 1),
        Some(Answer::Done(Value::Null))
    );
}

#[test]
fn a_run_with_a_result_takes_nothing_back() {
    let (result, world) = run_in(World::silent(), &format!("{EDR} {} 7", undo("a")));
    assert_eq!(result, Ok(Value::from(7_i64)));
    assert!(released(&world).is_empty());
    assert!(world.endings.lock().unwrap().is_empty());
}

#[test]
fn one_that_fails_does_not_keep_the_others_from_being_called() {
    let world = World::new(|_, _, arguments| match arguments["sensor_id"].as_text() {
        Some("b") => Err(Failure::new(ErrorKind::NotFound, "gone")),
        _ => Ok(Value::Null),
    });
    let body = format!(
        "{EDR} {} undo(|| loop {{ }}); undo(|| 1 / 0); undo(|| print([2, 1].order(|a, b| {{ now(); 1 }}))); {} fail(\"no\")",
        undo("a"),
        undo("b")
    );
    let (result, world) = run_in(world, &body);
    assert_eq!(message(&result), "no");
    assert_eq!(released(&world), ["b", "a"]);
    for branch in 0..4 {
        let outcome = world.left_branch("undo", branch);
        assert!(matches!(outcome, Some(Answer::Failed(_))), "{branch}");
    }
}

#[test]
fn the_closure_has_what_it_captured_as_it_was_and_the_functions_and_constants_of_its_file() {
    let code = format!(
        "const ID = \"c\";
         fn of(name) {{ `${{name}}-${{global::ID}}` }}
         fn run(input) {{ {EDR} let id = \"a\"; undo(|| edr.release(#{{ sensor_id: of(id) }})); id = \"b\"; fail(\"no\") }}"
    );
    let world = Arc::new(World::silent());
    let result = run_code(&code, &world, &Limits::default());
    assert_eq!(message(&result), "no");
    assert_eq!(released(&world), ["a-c"]);
}

#[test]
fn branches_and_tries_register_too_and_are_gone_through_again_for_it() {
    let body = format!(
        "{EDR} parallel([1, 2, 3], |x| {{ edr.ping(); if x == 2 {{ sleep(\"1h\"); }} undo(|| edr.release(#{{ sensor_id: `${{x}}` }})); }});
         retry(|| {{ {} edr.ping(); }});
         sleep(\"1h\"); fail(\"no\")",
        undo("r")
    );
    for threads in [0, 4] {
        let limits = Limits {
            threads,
            ..Limits::default()
        };
        let code = format!("fn run(input) {{ {body} }}");
        let (result, world, executions) =
            run_code_waiting(Arc::new(World::silent().waiting()), &code, &limits);
        assert_eq!(message(&result), "no");
        assert_eq!(released(&world), ["r", "3", "2", "1"]);
        assert_eq!(executions, 3);
        let pings = world.called().len() - 4;
        assert_eq!(pings, 4);
    }
}

#[test]
fn a_finished_parallel_that_is_gone_through_again_begins_nothing_new() {
    let world = World::new(|_, _, arguments| match arguments.get("host") {
        Some(host) if *host == Value::text("2") => Err(Failure::new(ErrorKind::NotFound, "gone")),
        _ => Ok(Value::Null),
    });
    let code = format!(
        "fn run(input) {{ {EDR}
             try {{ parallel([1, 2, 3, 4], |x| {{ undo(|| edr.release(#{{ sensor_id: `${{x}}` }})); edr.list_sensors(#{{ host: `${{x}}` }}) }}, #{{ max: 1 }}) }}
             catch (e) {{ note(\"states\", e.details.items.map(|i| i.state)); }}
             sleep(\"1h\"); fail(\"no\") }}"
    );
    let (result, world, executions) =
        run_code_waiting(Arc::new(world.waiting()), &code, &Limits::default());
    assert_eq!((message(&result), executions), ("no".to_owned(), 2));
    let states = json(r#"["done", "failed", "skipped", "skipped"]"#);
    assert_eq!(notes(&world), [("states".to_owned(), states)]);
    assert_eq!(released(&world), ["2", "1"]);
    assert_eq!(world.calls(), 4);
}

#[test]
fn taking_back_goes_on_where_it_waited_or_broke_off() {
    let body = format!(
        "{EDR} {} undo(|| {{ sleep(\"1h\"); edr.ping(); }}); {} fail(\"no\")",
        undo("a"),
        undo("b")
    );
    let code = format!(
        "fn run(input) {{ {body} }} fn on_error(input, error) {{ now(); sleep(\"1h\"); note(\"e\", error.message); }}"
    );
    let (result, world, executions) = run_code_waiting(
        Arc::new(World::silent().waiting()),
        &code,
        &Limits::default(),
    );
    assert_eq!(message(&result), "no");
    assert_eq!(executions, 3);
    assert_eq!(released(&world), ["b", "a"]);
    assert_eq!(world.called()[1], "ping {}");
    let keys = world.keys();
    let after: Vec<&str> = keys.iter().skip(3).map(String::as_str).collect();
    let expected = [
        "undo.0.0",
        "undo.1.0",
        "undo.1.1",
        "undo.2.0",
        "on_error.0.0",
        "on_error.0.1",
        "on_error.0.2",
    ];
    assert_eq!(after, expected);
}

#[test]
fn undoable_registers_the_inverse_with_the_arguments_and_the_results_of_the_action() {
    let body = format!(
        "{EDR} let rule = undoable(|| {{
             edr.isolate(#{{ sensor_id: \"a\", duration: \"2h\" }});
             edr.ping();
             parallel([1], |x| edr.isolate(#{{ sensor_id: \"b\" }}));
             edr.add_rule(#{{ host: \"h\", note: () }})
         }});
         edr.isolate(#{{ sensor_id: \"c\" }});
         fail(rule.rule_id)"
    );
    let (result, world) = run_in(naming(), &body);
    assert_eq!(message(&result), "r-1");
    let called = world.called();
    let back = &called[called.len() - 3..];
    let expected = [
        r#"remove-rule {"host":"h","rule_id":"r-1"}"#,
        r#"release {"sensor_id":"b"}"#,
        r#"release {"sensor_id":"a"}"#,
    ];
    assert_eq!(back, expected);
    let steps = world.steps.lock().unwrap();
    let marked: Vec<bool> = steps
        .iter()
        .filter_map(|(_, step)| match step {
            Step::Action { undoable, .. } => Some(*undoable),
            _ => None,
        })
        .collect();
    assert_eq!(
        marked,
        [true, false, true, true, false, false, false, false]
    );
}

#[test]
fn an_action_that_failed_is_not_taken_back() {
    let world = World::new(|_, action, _| match action {
        "isolate" => Err(Failure::new(ErrorKind::Conflict, "no")),
        _ => Ok(Value::Null),
    });
    let body = format!("{EDR} undoable(|| edr.isolate(#{{ sensor_id: \"a\" }}))");
    assert!(released(&run_in(world, &body).1).is_empty());
}

#[test]
fn an_inverse_that_would_lack_an_argument_is_refused_before_anything_is_sent() {
    let (result, world) = run_in(World::silent(), &format!("{EDR} undoable(|| edr.mute())"));
    assert_eq!(
        message(&result),
        "`mute` cannot be taken back by itself: its inverse `release` needs `sensor_id`, which is neither an argument of it nor in its result"
    );
    assert_eq!(world.calls(), 0);
    let (result, world) = run_in(
        World::silent(),
        &format!("{EDR} undoable(|| edr.add_rule(#{{ host: \"h\" }}))"),
    );
    assert!(message(&result).contains("`remove_rule` needs `rule_id`"));
    assert_eq!(world.calls(), 1);
}

#[test]
fn undoable_runs_its_closure_as_it_is_and_ends_with_it() {
    let body = format!(
        "{EDR} let n = 1; undoable(|| {{ n += 1; }}); try {{ undoable(|| fail(\"x\")) }} catch {{ }}
         edr.isolate(#{{ sensor_id: \"a\" }}); if n == 2 {{ fail(\"two\") }}"
    );
    let (result, world) = run_in(World::silent(), &body);
    assert_eq!(message(&result), "two");
    assert!(released(&world).is_empty());
}

#[test]
fn nothing_is_registered_in_a_look_of_poll_or_after_the_script() {
    for call in ["undo(|| 1)", "undoable(|| 1)"] {
        let (result, _) = run_in(World::silent(), &format!("poll(|| {call}, |x| true)"));
        assert!(
            message(&result).ends_with("has no place here: a look of `poll` is only looked at"),
            "{result:?}"
        );
        let code =
            format!("fn run(input) {{ fail(\"no\") }} fn on_error(input, error) {{ {call} }}");
        let world = Arc::new(World::silent());
        assert_eq!(message(&run_code(&code, &world, &Limits::default())), "no");
        let outcome = world.left_branch("on_error", 0);
        assert!(matches!(outcome, Some(Answer::Failed(_))), "{outcome:?}");
    }
    let body = format!(
        "{EDR} undoable(|| poll(|| edr.isolate(#{{ sensor_id: \"a\" }}), |x| true)); fail(\"no\")"
    );
    assert!(released(&run_in(World::silent(), &body).1).is_empty());
}

#[test]
fn changing_what_an_undo_captured_is_found_at_load() {
    let error = compile(&script(
        "fn run(input) { let n = 0; undo(|| { n += 1; }); undoable(|| { n += 1; }); }",
    ))
    .unwrap_err();
    assert_eq!(error.problems.len(), 1);
    assert_eq!(
        error.problems[0].kind.to_string(),
        "`undo` works on copies: what is done to `n` in its closure is lost"
    );
}

const HANDLERS: &str = "fn on_error(input, error) { note(\"error\", error); }
    fn on_cancel(input) { note(\"cancel\", input); }";

fn notes(world: &World) -> Vec<(String, Value)> {
    let steps = world.steps.lock().unwrap();
    let notes = steps.iter().filter_map(|(_, step)| match step {
        Step::Note { title, value } => Some((title.clone(), value.clone())),
        _ => None,
    });
    notes.collect()
}

#[test]
fn on_error_gets_what_catch_would_have_seen() {
    for body in [
        "fail(\"no\", [1])",
        "edr.ping()",
        "throw 7",
        "edr.isolat(#{})",
        "retry(|| edr.ping())",
    ] {
        let world = || World::new(|_, _, _| Err(Failure::new(ErrorKind::Forbidden, "denied")));
        let world_of = |code: &str| {
            let world = Arc::new(world());
            let result = run_code(code, &world, &Limits::default());
            (result, world)
        };
        let body = body.replace("edr.isolat(", "[1].isolat(");
        let caught = format!(
            "fn run(input) {{ {EDR} let e = (); try {{ retry(|| {{ {body} }}) }} catch (error) {{ e = error; }} e }}"
        );
        let (expected, _) = world_of(&caught);
        let (result, world) = world_of(&format!("fn run(input) {{ {EDR} {body} }} {HANDLERS}"));
        assert!(result.is_err());
        assert_eq!(
            notes(&world),
            [("error".to_owned(), expected.unwrap())],
            "{body}"
        );
    }
}

#[test]
fn a_limit_is_an_error_too_and_what_is_done_after_it_has_limits_of_its_own() {
    let limits = Limits {
        steps: 4,
        ..Limits::default()
    };
    let code = format!(
        "fn run(input) {{ {EDR} {} {} loop {{ edr.ping(); }} }} {HANDLERS}",
        undo("a"),
        undo("b")
    );
    let world = Arc::new(World::silent());
    let result = run_code(&code, &world, &limits);
    assert!(
        matches!(result, Err(RunError::Limit { limit, .. }) if limit == Limit::Steps),
        "{result:?}"
    );
    assert_eq!(released(&world), ["b", "a"]);
    let (_, error) = notes(&world).remove(0);
    assert_eq!(
        error,
        json(
            r#"{"kind": "limit", "message": "the run reached its limit `steps`: 4 steps", "retryable": false}"#
        )
    );
}

#[test]
fn a_handler_that_fails_changes_nothing_about_how_the_run_ended() {
    let code = "fn run(input) { fail(\"first\") } fn on_error(input, error) { fail(\"second\") }";
    let world = Arc::new(World::silent());
    assert_eq!(
        message(&run_code(code, &world, &Limits::default())),
        "first"
    );
    let Some(Answer::Failed(failure)) = world.left_branch("on_error", 0) else {
        panic!("it has no outcome")
    };
    assert_eq!(failure.message, "second");
}

/// A world in which the first call of this action cancels the run.
fn cancelling(at: &'static str) -> World {
    let shared: Arc<OnceLock<cordon_playbook::step::StopFlag>> = Arc::default();
    let there = Arc::clone(&shared);
    let world = World::new(move |_, action, _| {
        if action == at {
            there.get().unwrap().stop(StopReason::Cancelled);
        }
        Ok(Value::Null)
    });
    shared.set(world.flag().clone()).ok().unwrap();
    world
}

#[test]
fn a_cancelled_run_takes_back_what_it_did_and_calls_on_cancel() {
    let code = format!(
        "fn run(input) {{ {EDR} undoable(|| edr.isolate(#{{ sensor_id: \"a\" }})); edr.ping(); edr.ping(); }} {HANDLERS}"
    );
    for at in ["ping", "isolate"] {
        let world = Arc::new(cancelling(at));
        let result = run_code(&code, &world, &Limits::default());
        assert_eq!(result, Err(CANCELLED));
        assert_eq!(released(&world), ["a"]);
        assert_eq!(notes(&world), [("cancel".to_owned(), json("{}"))], "{at}");
        assert_eq!(*world.endings.lock().unwrap(), [Ending::Cancelled]);
    }
}

#[test]
fn a_second_cancel_ends_what_is_done_after_the_first() {
    let code = format!(
        "fn run(input) {{ {EDR} {} {} fail(\"no\") }} {HANDLERS}",
        undo("a"),
        undo("b")
    );
    let world = Arc::new(cancelling("release"));
    let result = run_code(&code, &world, &Limits::default());
    assert_eq!(result, Err(CANCELLED));
    assert_eq!(released(&world), ["b"]);
    assert!(notes(&world).is_empty());
}

#[test]
fn a_run_that_is_cancelled_while_it_waits_takes_back_what_every_branch_did() {
    let code = format!(
        "fn run(input) {{ {EDR}
             parallel([\"a\", \"b\", \"c\", \"d\"], |id| {{ undoable(|| edr.isolate(#{{ sensor_id: id }})); sleep(\"1h\"); edr.ping(); }}, #{{ max: 3 }});
         }} {HANDLERS}"
    );
    for threads in [0, 4] {
        let limits = Limits {
            threads,
            ..Limits::default()
        };
        let world = Arc::new(World::silent().waiting());
        let reason = StopReason::Suspended;
        assert_eq!(
            run_code(&code, &world, &limits),
            Err(RunError::Stopped { reason })
        );
        world.end(Ending::Cancelled);
        assert_eq!(run_code(&code, &world, &limits), Err(CANCELLED));
        assert_eq!(released(&world), ["c", "b", "a"]);
        assert_eq!(notes(&world).len(), 1);
        // Gone through once more, as after a crash at the very end, it does nothing twice.
        assert_eq!(run_code(&code, &world, &limits), Err(CANCELLED));
        assert_eq!(released(&world).len(), 3);
        assert_eq!(notes(&world).len(), 1);
    }
}

#[test]
fn a_run_that_waits_or_is_in_doubt_takes_nothing_back() {
    let shared: Arc<OnceLock<cordon_playbook::step::StopFlag>> = Arc::default();
    let there = Arc::clone(&shared);
    let world = World::new(move |_, _, _| {
        there.get().unwrap().stop(StopReason::InDoubt);
        Ok(Value::Null)
    });
    shared.set(world.flag().clone()).ok().unwrap();
    let (result, world) = run_in(world, &format!("{EDR} {} edr.ping(); now()", undo("a")));
    let reason = StopReason::InDoubt;
    assert_eq!(result, Err(RunError::Stopped { reason }));
    assert!(released(&world).is_empty() && world.endings.lock().unwrap().is_empty());
}

#[test]
fn a_handler_with_the_wrong_parameters_or_a_misspelt_input_is_found_at_load() {
    let problem = |code: &str| {
        let text = script(&format!("fn run(input) {{ 1 }}\n{code}"));
        let error = compile(&text).unwrap_err();
        (error.code().to_owned(), error.to_string())
    };
    let (code, message) = problem("fn on_error(input) { 1 }");
    assert_eq!(code, "playbook.header");
    assert_eq!(
        message,
        "test.rhai:3:4: `on_error` takes two parameters, the inputs and the error, not 1; write `fn on_error(input, error) { … }`"
    );
    let (_, message) = problem("fn on_cancel(input, error) { 1 }");
    assert!(message.contains("`on_cancel` takes one parameter, the inputs, not 2"));
    let (_, message) = problem("fn on_cancel(input) { input.hots }");
    assert!(message.contains("`hots` is no input of this playbook"));
}

#[test]
fn much_can_be_taken_back() {
    let body = format!(
        "{EDR} for i in 0..2000 {{ undo(|| edr.release(#{{ sensor_id: `${{i}}` }})); }} fail(\"no\")"
    );
    let (_, world) = run_in(World::silent(), &body);
    let released = released(&world);
    assert_eq!((released.len(), released[0].as_str()), (2000, "1999"));
}

#[test]
fn a_wait_inside_of_an_undo_counts_from_when_it_is_reached() {
    let code = format!("fn run(input) {{ {EDR} undo(|| sleep(\"1h\")); fail(\"no\") }}");
    let (_, world, _) = run_code_waiting(
        Arc::new(World::silent().waiting()),
        &code,
        &Limits::default(),
    );
    assert_eq!(world.pauses(), [Duration::from_secs(3600)]);
}
