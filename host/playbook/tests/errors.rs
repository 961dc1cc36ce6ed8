//! What a reader sees when a script is wrong: what, where, and what to do.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests, which fail this way"
)]

mod support;

use cordon_contract::{Delivery, ErrorKind, Failure, Value};
use cordon_playbook::step::StopReason;
use cordon_playbook::{Limits, RunError};
use support::{World, bind, compile, json, run, run_in, script};

/// The first problem of a script: place, message, help.
fn problem(text: &str) -> (String, String, String) {
    let error = compile(text)
        .and_then(|playbook| bind(&playbook).map(|_| ()))
        .unwrap_err();
    let problem = &error.problems[0];
    let place = problem.place.as_ref().map_or_else(String::new, |place| {
        format!(
            "{}:{} {}",
            place.line,
            place.column,
            &place.source.text[place.span.clone()]
        )
    });
    (
        place,
        problem.kind.to_string(),
        problem.help.clone().unwrap_or_default(),
    )
}

fn in_run(body: &str) -> (String, String, String) {
    problem(&script(&format!("fn run(input) {{\n    {body}\n}}")))
}

#[test]
fn a_mistake_in_the_grammar_has_its_place() {
    let (place, message, _) = in_run("let x = ;");
    assert_eq!(
        (place.as_str(), message.as_str()),
        ("3:13 ;", "Unexpected ';'")
    );
}

#[test]
fn a_misspelt_variable_is_found_at_load() {
    let (place, message, _) = in_run("let sensors = 1;\n    sensor + 1");
    assert_eq!(
        (place.as_str(), message.as_str()),
        ("4:5 sensor", "there is no variable `sensor`")
    );
    let (_, _, help) = problem(&script(
        "const WAIT = \"5s\";\nfn run(input) { sleep(WAIT) }",
    ));
    assert_eq!(
        help,
        "inside of a function a constant of the file is read as `global::WAIT`"
    );
}

#[test]
fn an_unknown_action_alias_argument_and_input_get_the_nearest_right_name() {
    let (place, message, help) =
        in_run("let edr = connection(\"edr\");\n    edr.isolat(#{ sensor_id: \"a\" });");
    assert_eq!(place, "4:9 isolat");
    assert_eq!(
        message,
        "`isolat` is no action of the connection `kata-1` (kata)"
    );
    assert_eq!(help, "did you mean `isolate`?");

    let (place, message, help) = in_run("connection(\"edr5\")");
    assert_eq!(
        (place.as_str(), message.as_str()),
        ("3:16 \"", "`edr5` is no alias of this playbook")
    );
    assert_eq!(help, "did you mean `edr`?");

    let (place, message, help) = in_run(
        "let edr = connection(\"edr\");\n    parallel([1], |x| edr.isolate(#{ sensor_idd: \"a\", duration: \"1h\" }));",
    );
    assert_eq!(
        (place.as_str(), message.as_str()),
        ("4:38 sensor_idd", "`isolate` has no argument `sensor_idd`")
    );
    assert_eq!(help, "did you mean `sensor_id`?");

    let text = "const PLAYBOOK = #{ inputs: #{ host: \"string\" } };\nfn run(input) { [1].map(|x| input.hots) }";
    let (place, message, help) = problem(text);
    assert_eq!(
        (place.as_str(), message.as_str()),
        ("2:35 hots", "`hots` is no input of this playbook")
    );
    assert_eq!(help, "did you mean `host`?");
}

#[test]
fn a_missing_argument_and_unnamed_arguments_are_found_at_load() {
    let (_, message, _) = in_run("connection(\"edr\").isolate(#{ duration: \"1h\" })");
    assert_eq!(message, "`isolate` needs the argument `sensor_id` (text)");
    let (_, message, _) = in_run("connection(\"edr\").isolate(\"a\", \"1h\")");
    assert_eq!(
        message,
        "`isolate` takes one map of named arguments, not 2 arguments"
    );
}

#[test]
fn what_only_may_be_wrong_is_not_reported() {
    for body in [
        "let edr = connection(\"edr\"); if true { let edr = #{ isolat: |x| x }; edr.isolat.call(1) }",
        "let edr = #{ a: 1 }; edr.a",
        "let edr = connection(\"edr\"); let f = |edr| edr.len(); f.call([1])",
        "let edr = connection(\"edr\"); edr.to_string()",
        "let arguments = #{ sensor_id: \"a\" }; connection(\"edr\").isolate(arguments)",
        "let total = 0; [1].for_each(|x| total += x); total",
        "let l = parallel([1], |x| { let total = 0; total += x; total }); l",
        "let l = parallel([[1]], |x| { x.push(2); x })",
        "let names = [\"a\"]; parallel([1], |x| names.filter(|n| n == \"a\").push(x))",
        "input = 3; input",
    ] {
        let text = script(&format!("fn run(input) {{ {body} }}"));
        let checked = compile(&text).and_then(|playbook| bind(&playbook).map(|_| ()));
        assert!(checked.is_ok(), "{body}: {checked:?}");
    }
}

#[test]
fn changing_what_a_copy_was_captured_from_is_found_at_load() {
    for change in [
        "total += x",
        "list.push(x)",
        "map.a = x",
        "map[\"a\"] = x",
        "list[0] = x",
        "map.inner.push(x)",
        "push(list, x)",
        "[1].for_each(|y| total += y)",
    ] {
        let (_, message, help) = in_run(&format!(
            "let total = 0; let list = []; let map = #{{}}; parallel([1], |x| {{ {change}; }});"
        ));
        assert!(
            message.starts_with("`parallel` works on copies: what is done to `"),
            "{change}: {message}"
        );
        assert!(help.contains("item by item"), "{help}");
    }
    let (_, message, _) = in_run("let n = 0; poll(|| { n += 1; n }, |x| x > 3)");
    assert_eq!(
        message,
        "`poll` works on copies: what is done to `n` in its closure is lost"
    );
}

#[test]
fn functions_that_would_be_called_in_place_of_others_are_refused() {
    let (place, message, _) = problem(&script("fn sleep(x) { x }\nfn run(input) { 1 }"));
    assert_eq!(place, "2:4 sleep");
    assert_eq!(
        message,
        "`sleep` is a function of the language; a playbook must not define its own"
    );
    let (_, message, _) = problem(&script(
        "fn isolate(arguments) { 1 }\nfn run(input) { connections(\"edrs\").map(|e| e.isolate(#{})) }",
    ));
    assert!(
        message.starts_with("`isolate` is an action of the connection `kata-1`"),
        "{message}"
    );
}

#[test]
fn code_outside_of_functions_is_refused() {
    let (place, message, _) = problem(&script("now();\nfn run(input) { 1 }"));
    assert_eq!(
        (place.as_str(), message.as_str()),
        (
            "2:1 now",
            "only constants, functions and imports stand outside of functions"
        )
    );
}

#[test]
fn a_wrong_argument_at_run_time_has_the_place_of_the_call_and_sends_nothing() {
    let (result, world) = run_in(
        World::silent(),
        "let edr = connection(\"edr\");\n\n  let d = \"2 hours\"; edr.isolate(#{ sensor_id: \"a\", duration: d });",
    );
    let error = result.unwrap_err();
    assert_eq!(error.code(), "action.argument");
    assert_eq!(
        error.to_string(),
        "kata-1.isolate: duration: `2 hours` is not a duration; write one like \"90s\", \"2h\" or \"1h30m\" (invalid_input)"
    );
    let place = error.place().unwrap();
    assert_eq!(
        (place.line, &place.source.text[place.span.clone()]),
        (5, "isolate")
    );
    assert_eq!(world.calls(), 0);
    let error = run("let p = [1, 70000]; connection(\"edr\").limit(#{ ports: p })").unwrap_err();
    assert!(
        error
            .to_string()
            .contains("ports[1]: 70000 is not in 0..=65535"),
        "{error}"
    );
    let error = run("let x = 3; connection(\"edr\").isolate(x)").unwrap_err();
    assert!(
        error
            .to_string()
            .contains("takes one map of named arguments, `#{ sensor_id: … }`, not a whole number"),
        "{error}"
    );
}

#[test]
fn an_uncaught_failure_is_whole_and_has_the_place_of_its_call() {
    let failure = || Failure {
        status: Some(404),
        details: json(r#"{"error": "Not Found"}"#),
        delivery: Delivery::Answered,
        ..Failure::new(ErrorKind::NotFound, "no such host").with_code("kata.host")
    };
    let (result, _) = run_in(
        World::new(move |_, _, _| Err(failure())),
        "let edr = connection(\"edr\");\n    [1].map(|x|\n        edr.ping());",
    );
    let Err(RunError::Failed {
        failure: got,
        place,
    }) = result
    else {
        panic!("{result:?}")
    };
    assert_eq!(*got, failure().of("kata-1", "ping"));
    assert_eq!(place.unwrap().line, 5);
}

#[test]
fn a_failure_that_was_caught_and_thrown_again_stays_itself() {
    let world = World::new(|_, _, _| Err(Failure::new(ErrorKind::Conflict, "there is a rule")));
    let (result, _) = run_in(
        world,
        "try { connection(\"edr\").ping() } catch (e) { if e.kind == \"conflict\" { throw e } }",
    );
    assert!(
        matches!(result, Err(RunError::Failed { failure, .. }) if failure.kind == ErrorKind::Conflict)
    );
}

#[test]
fn fail_is_a_failure_in_the_authors_words() {
    let error = run("\n  fail(`no sensor named ${\"ws\"}`, #{ host: \"ws\" })").unwrap_err();
    let RunError::Fail {
        message,
        details,
        place,
    } = error
    else {
        panic!("{error}")
    };
    assert_eq!(
        (message.as_str(), details),
        ("no sensor named ws", json(r#"{"host": "ws"}"#))
    );
    assert_eq!(place.unwrap().to_string(), "test.rhai:4:3");
    assert_eq!(
        run("try { fail(\"a\") } catch (e) { return e.kind + e.message; }"),
        Ok(Value::text("faileda"))
    );
}

#[test]
fn what_a_script_throws_is_shown() {
    let error = run("throw #{ code: 7 }").unwrap_err();
    assert_eq!(error.to_string(), r#"the script threw {"code":7}"#);
    assert_eq!(error.place().unwrap().line, 3);
}

#[test]
fn mistakes_at_run_time_say_what_and_where() {
    for (body, message, help) in [
        (
            "let m = #{ host_ip: 1 }; m.hostip",
            "there is no field `hostip`",
            "map.get(\"name\")",
        ),
        (
            "let e = [connection(\"edr\")]; e[0].isolat(#{})",
            "`isolat` is no action of this connection",
            "",
        ),
        (
            "let e = connections(\"edrs\"); e[0].isolate(#{ sensor_id: 1 })",
            "kata-1.isolate: sensor_id: needs text, got 1 (invalid_input)",
            "",
        ),
        (
            "polll(1)",
            "there is no function `polll` that takes (i64)",
            "did you mean `poll`?",
        ),
        (
            "let f = |a, b| a; retry(f)",
            "a closure was called with 0 arguments",
            "",
        ),
        (
            "|x| x",
            "the result of `run`: a function has no place here",
            "",
        ),
        (
            "connection(\"edr\")",
            "the result of `run`: a connection has no place here",
            "",
        ),
        (
            "connection(\"edrs\")",
            "the alias `edrs` stands for 2 connections, not for one",
            "connections",
        ),
    ] {
        let error = run(body).unwrap_err();
        assert!(error.to_string().contains(message), "{body}: {error}");
        assert!(
            error.help().unwrap_or_default().contains(help),
            "{body}: {:?}",
            error.help()
        );
    }
    let error = run("let a = 1;\n  a + 1 / 0").unwrap_err();
    assert_eq!(error.place().unwrap().line, 4);
}

#[test]
fn a_secret_is_passed_as_a_reference_and_shows_its_name_only() {
    let world = World::new(|_, _, arguments| {
        assert!(matches!(&arguments["password"], Value::Secret(secret) if secret.name() == "zip"));
        Ok(Value::Null)
    });
    let (result, _) = run_in(
        world,
        "let s = secret(\"zip\"); connection(\"edr\").open(#{ password: s }); `${s} ${[s]}`",
    );
    assert_eq!(
        result,
        Ok(Value::text("secret(\"zip\") [{\"$secret\":\"zip\"}]"))
    );
    let error = run("let s = \"hunter2\"; connection(\"edr\").open(#{ password: s })").unwrap_err();
    assert!(!error.to_string().contains("hunter2"), "{error}");
}

#[test]
fn how_a_run_ended_is_the_same_after_it_was_written_down() {
    let stopped = [
        StopReason::Suspended,
        StopReason::Cancelled,
        StopReason::Limit,
        StopReason::InDoubt,
        StopReason::Interrupted,
        StopReason::Diverged,
    ]
    .map(|reason| RunError::Stopped { reason });
    let errors = [
        "fail(\"no\", #{ \"$secret\": 1, s: secret(\"a\") })",
        "throw [1.0, 2]",
        "let s = \"größe\"; s.nothing",
        "connection(\"edr\").ping()",
        "connection(\"edr\").isolate(#{ sensor: 1 }.get(\"x\", #{ sensor_id: 1 }))",
        "loop { }",
    ]
    .map(|body| {
        let failing = |_: &str, _: &str, _: &_| {
            Err(Failure {
                status: Some(403),
                ..Failure::new(ErrorKind::Forbidden, "denied")
            })
        };
        run_in(World::new(failing), body).0.unwrap_err()
    });
    let broken = RunError::Defect {
        message: "broken".to_owned(),
    };
    for error in errors.into_iter().chain(stopped).chain([broken]) {
        let written = serde_json::to_string(&error).unwrap();
        let again: RunError = serde_json::from_str(&written).unwrap();
        assert_eq!(again, error, "{written}");
        assert_eq!(
            again.place().map(|place| place.text().to_owned()),
            error.place().map(|place| place.text().to_owned())
        );
        assert!(!error.to_string().is_empty());
    }
}

#[test]
fn every_code_has_a_page_and_every_page_says_something() {
    for code in cordon_playbook::CODES {
        assert!(
            code.page.starts_with("# ") && code.page.lines().count() > 4,
            "{}",
            code.code
        );
    }
    let limit = support::run_code(
        "fn run(input) { loop {} }",
        &World::silent().into(),
        &Limits {
            operations: 9,
            ..Limits::default()
        },
    );
    for code in [
        limit.unwrap_err().code().to_owned(),
        run("1.x").unwrap_err().code().to_owned(),
    ] {
        assert!(
            cordon_playbook::CODES
                .iter()
                .any(|known| known.code == code),
            "{code}"
        );
    }
}
