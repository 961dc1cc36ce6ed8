//! Every limit ends what it bounds, says which it was, and holds for all branches together.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests, which fail this way"
)]

mod support;

use std::sync::Arc;
use std::time::Duration;

use cordon_contract::Value;
use cordon_playbook::{Limit, Limits, RunError};
use support::{World, run_code};

fn limited(limits: &Limits, code: &str) -> (Result<Value, RunError>, Arc<World>) {
    let world = Arc::new(World::silent());
    (run_code(code, &world, limits), world)
}

/// Runs code that must end at this limit.
fn ends_at(limit: Limit, code: &str) {
    let (result, _) = limited(&Limits::default(), code);
    match result {
        Err(RunError::Limit { limit: reached, .. }) if reached == limit => {}
        other => panic!("{code}: {other:?}"),
    }
}

#[test]
fn an_endless_loop_ends_also_inside_of_try() {
    ends_at(Limit::Operations, "fn run(input) { loop { } }");
    ends_at(
        Limit::Operations,
        "fn run(input) { loop { try { loop { } } catch { } } }",
    );
    ends_at(
        Limit::Operations,
        "fn run(input) { for i in 0..9223372036854775807 { let x = i; } }",
    );
}

#[test]
fn endless_recursion_ends() {
    ends_at(
        Limit::CallDepth,
        "fn f(x) { f(x + 1) } fn run(input) { f(0) }",
    );
    ends_at(
        Limit::CallDepth,
        "fn f(x) { [x].map(|y| f(y)) } fn run(input) { f(0) }",
    );
    ends_at(
        Limit::CompositeDepth,
        "fn f(x) { parallel([x, x], |y| f(y)) } fn run(input) { f(0) }",
    );
    ends_at(
        Limit::CompositeDepth,
        "fn f(x) { retry(|| f(x)) } fn run(input) { f(0) }",
    );
}

#[test]
fn texts_lists_and_maps_cannot_fill_the_memory() {
    ends_at(
        Limit::TextSize,
        "fn run(input) { let s = \"x\"; loop { s += s; } }",
    );
    ends_at(
        Limit::TextSize,
        "fn run(input) { let s = \"x\"; s.pad(1000000000000, \"y\"); }",
    );
    ends_at(
        Limit::TextSize,
        "fn run(input) { let s = \"12345678\"; for i in 0..30 { s.replace(\"1\", s); s.replace(\"2\", s); } }",
    );
    ends_at(
        Limit::ListSize,
        "fn run(input) { let l = [1]; loop { l += l; } }",
    );
    ends_at(
        Limit::ListSize,
        "fn run(input) { let l = []; l.pad(1000000000000, 0); }",
    );
    ends_at(Limit::ListSize, "fn run(input) { blob(1000000000000) }");
    ends_at(
        Limit::ListSize,
        "fn run(input) { let l = [1]; loop { l = [l, l, l, l]; } }",
    );
    ends_at(
        Limit::MapSize,
        "fn run(input) { let m = #{}; loop { m = #{ a: m, b: m }; } }",
    );
    ends_at(
        Limit::TextSize,
        "fn run(input) { let l = []; let s = \"x\"; s.pad(100000, \"y\"); loop { l.push(s); } }",
    );
}

#[test]
fn a_limit_that_is_reached_inside_of_a_composite_ends_the_run_and_is_no_outcome_of_it() {
    for call in [
        "parallel([1, 2], |x| { let s = \"x\"; loop { s += s; } }, #{ on_error: \"continue\" })",
        "retry(|| { let s = \"x\"; loop { s += s; } })",
        "poll(|| { let s = \"x\"; loop { s += s; } }, |x| true)",
    ] {
        ends_at(
            Limit::TextSize,
            &format!("fn run(input) {{ try {{ {call} }} catch {{ }} now(); 1 }}"),
        );
    }
}

#[test]
fn a_deep_value_is_refused_where_it_would_leave_the_script() {
    let code = "fn run(input) { let l = []; for i in 0..1000 { l = [l]; } to_json(l) }";
    let (result, _) = limited(&Limits::default(), code);
    assert!(
        result
            .unwrap_err()
            .to_string()
            .contains("is nested deeper than 64")
    );
}

#[test]
fn computing_is_bounded_also_where_few_operations_take_long() {
    let limits = Limits {
        computing: Duration::from_millis(50),
        ..Limits::default()
    };
    let (result, _) = limited(&limits, "fn run(input) { let l = []; loop { l = [l]; } }");
    assert!(
        matches!(
            result,
            Err(RunError::Limit {
                limit: Limit::Computing,
                ..
            })
        ),
        "{result:?}"
    );
}

#[test]
fn steps_are_bounded_for_all_branches_together() {
    let limits = Limits {
        steps: 10,
        ..Limits::default()
    };
    let code = "fn run(input) { parallel([1, 2, 3, 4], |x| { loop { try { now() } catch { } } }, #{ on_error: \"continue\" }) }";
    let (result, world) = limited(&limits, code);
    assert!(
        matches!(
            result,
            Err(RunError::Limit {
                limit: Limit::Steps,
                ..
            })
        ),
        "{result:?}"
    );
    // The composite itself is one of the ten.
    assert_eq!(world.keys().len(), 9);
}

#[test]
fn operations_are_bounded_for_all_branches_together() {
    let limits = Limits {
        operations: 30_000,
        ..Limits::default()
    };
    let code = "fn run(input) { parallel([1, 2, 3, 4], |x| { for i in 0..5000 { let y = i; } }) }";
    let (result, _) = limited(&limits, code);
    assert!(
        matches!(
            result,
            Err(RunError::Limit {
                limit: Limit::Operations,
                ..
            })
        ),
        "{result:?}"
    );
    let one = Limits {
        operations: 30_000,
        ..Limits::default()
    };
    assert!(
        limited(&one, &code.replace("[1, 2, 3, 4]", "[1]"))
            .0
            .is_ok()
    );
}

#[test]
fn time_is_bounded() {
    let limits = Limits {
        time: Duration::ZERO,
        ..Limits::default()
    };
    let (result, _) = limited(&limits, "fn run(input) { loop { } }");
    assert!(
        matches!(
            result,
            Err(RunError::Limit {
                limit: Limit::Time,
                ..
            })
        ),
        "{result:?}"
    );
}

#[test]
fn variables_of_a_function_are_bounded() {
    let declarations: String = (0..300).map(|n| format!("let v{n} = {n};")).collect();
    ends_at(
        Limit::Variables,
        &format!("fn run(input) {{ {declarations} }}"),
    );
}

#[test]
fn a_limit_names_itself_and_what_it_allows() {
    let (result, _) = limited(
        &Limits {
            steps: 1,
            ..Limits::default()
        },
        "fn run(input) { now();\n now(); }",
    );
    let error = result.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the run reached its limit `steps`: 1 steps"
    );
    assert_eq!(error.code(), "playbook.limit");
    assert_eq!(
        error.help().unwrap(),
        "if the playbook needs more, raise `steps` under `[limits]` in `cordon.toml`"
    );
}

#[test]
fn the_deepest_script_that_is_read_can_run() {
    let deep = format!("{}1{}", "(1 + ".repeat(14), ")".repeat(14));
    let body = format!(
        "fn f(n) {{ if n == 0 {{ {deep} }} else {{ {deep} + f(n - 1) }} }} fn run(input) {{ f(60) }}"
    );
    assert_eq!(
        limited(&Limits::default(), &body).0,
        Ok(Value::from(15 * 61_i64))
    );
}
