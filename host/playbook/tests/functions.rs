//! The table of functions is the language: the engine knows what it says, and every example works.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests, which fail this way"
)]

mod support;

use cordon_contract::Value;
use cordon_playbook::functions::{self, Kind};
use support::{World, json, run, run_in};

fn lab() -> World {
    World::new(|_, action, _| {
        Ok(match action {
            "list-sensors" => json(r#"[{"sensor_id": "s-1"}]"#),
            "get-task" => json(r#"{"finished": true, "state": "completed"}"#),
            _ => Value::Null,
        })
    })
}

#[test]
fn every_example_runs_and_gives_what_it_says() {
    for function in functions::all() {
        let (result, _) = run_in(lab(), function.example);
        let result = result
            .unwrap_or_else(|error| panic!("{}: {error} at {:?}", function.name, error.place()));
        if !function.example_gives.is_empty() {
            assert_eq!(
                result.to_json(),
                function.example_gives,
                "{}",
                function.name
            );
        }
    }
}

#[test]
fn every_function_of_the_table_is_known_to_the_engine_with_its_parameters() {
    for function in functions::all() {
        let most = function.parameters.len();
        let least = function
            .parameters
            .iter()
            .filter(|parameter| !parameter.optional)
            .count();
        for count in 0..=most + 1 {
            let arguments = vec!["()"; count].join(", ");
            let called = format!("{}({arguments})", function.name);
            let message = match run(&called) {
                Ok(_) => String::new(),
                Err(error) => error.to_string(),
            };
            let unknown = message.contains("does not take");
            assert_eq!(
                unknown,
                !(least..=most).contains(&count),
                "{called}: {message}"
            );
        }
    }
}

#[test]
fn a_pure_function_takes_no_step_and_every_other_does() {
    for function in functions::all() {
        let (_, world) = run_in(lab(), function.example);
        let composites = world.left.lock().unwrap().len();
        let steps = world.steps.lock().unwrap().len();
        match function.kind {
            Kind::Pure => assert_eq!(steps + composites, 0, "{}", function.name),
            Kind::Step => assert_eq!((steps, composites), (1, 0), "{}", function.name),
            Kind::Composite => assert_eq!(composites, 1, "{}", function.name),
            Kind::Around => assert!(steps > 0, "{}", function.name),
        }
    }
}

#[test]
fn an_argument_of_the_wrong_sort_is_named_with_the_place_of_the_call() {
    let error = run("let x = 1;\n  poll(1, |t| true)").unwrap_err();
    assert_eq!(
        error.to_string(),
        "`look` of `poll` needs a closure, `|| …`, got a whole number"
    );
    assert_eq!(error.place().unwrap().to_string(), "test.rhai:4:3");
    assert_eq!(
        error.help().unwrap(),
        "write it as poll(look, done, options?) -> the value of the look that was it"
    );
}

#[test]
fn an_unknown_option_gets_the_nearest_right_name() {
    let error = run("poll(|| 1, |t| true, #{ evry: \"1s\" })").unwrap_err();
    assert_eq!(
        error.to_string(),
        "`evry` is no option in `options` of `poll`"
    );
    assert_eq!(error.help().as_deref(), Some("did you mean `every`?"));
}

#[test]
fn print_and_debug_are_lines_of_the_log() {
    use cordon_playbook::step::{LogLevel, Step};
    let (result, world) = run_in(
        World::silent(),
        "print(\"a\"); print(42); print([1, \"b\"]); debug(\"d\");",
    );
    result.unwrap();
    let steps = world.steps.lock().unwrap();
    let lines: Vec<_> = steps
        .iter()
        .map(|(_, step)| match step {
            Step::Log { level, message } => (*level, message.clone()),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(lines[0], (LogLevel::Info, "a".to_owned()));
    assert_eq!(lines[1], (LogLevel::Info, "42".to_owned()));
    assert_eq!(lines[2], (LogLevel::Info, "[1,\"b\"]".to_owned()));
    assert_eq!(lines[3].0, LogLevel::Debug);
}

#[test]
fn timestamps_move_by_durations_and_compare_with_the_times_that_products_return() {
    assert_eq!(
        run("let t = timestamp(\"2026-03-14T09:00:00Z\"); to_string(t - \"1h\")").unwrap(),
        json("\"2026-03-14T08:00:00Z\"")
    );
    assert_eq!(
        run("timestamp(\"2026-03-14T09:00:00Z\") > \"2026-03-14T10:00:00+02:00\"").unwrap(),
        json("true")
    );
    assert_eq!(
        run("\"2026-03-14T07:59:59Z\" < timestamp(\"2026-03-14T08:00:00Z\")").unwrap(),
        json("true")
    );
    assert_eq!(
        run("timestamp(\"2026-03-14T09:00:00Z\") - timestamp(\"2026-03-14T08:30:00Z\")").unwrap(),
        json("\"30m\"")
    );
    assert_eq!(
        run("`at ${timestamp(0)}`").unwrap(),
        json("\"at 1970-01-01T00:00:00Z\"")
    );
    let error = run("now() - \"an hour\"").unwrap_err();
    assert!(
        error.to_string().contains("`an hour` is not a duration"),
        "{error}"
    );
}

#[test]
fn there_is_no_clock_no_randomness_no_eval_and_no_sleep_but_through_steps() {
    let (_, world) = run_in(World::silent(), "sleep(3600000); sleep(\"1h\");");
    assert_eq!(world.pauses().len(), 2);
    for code in [
        "eval(\"1\")",
        "rand()",
        "timestamp()",
        "sleep(1.5)",
        "exit(1)",
        "get_fn_metadata_list()",
        "open_file(\"/etc/passwd\")",
    ] {
        let text = support::script(&format!("fn run(input) {{ {code} }}"));
        let failed = match support::compile(&text) {
            Err(_) => true,
            Ok(playbook) => {
                let bindings = support::bind(&playbook).unwrap();
                let limits = cordon_playbook::Limits::default();
                playbook
                    .run(
                        &Default::default(),
                        &bindings,
                        std::sync::Arc::new(World::silent()),
                        &limits,
                    )
                    .is_err()
            }
        };
        assert!(failed, "{code}");
    }
}
