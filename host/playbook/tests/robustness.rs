//! Whatever is given as a script: an error or a result, never a panic, and always an end.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests, which fail this way"
)]

mod support;

use std::sync::Arc;
use std::time::Duration;

use cordon_playbook::{Limits, RunError};
use proptest::prelude::*;
use support::{World, bind, compile, script};

/// Pieces that scripts are made of, so that some of what is put together parses.
const PIECES: &[&str] = &[
    "let x = ",
    "x",
    "1",
    "\"a\"",
    "`${x}`",
    "[1, 2]",
    "#{ a: 1 }",
    "()",
    ";",
    "\n",
    "{",
    "}",
    "(",
    ")",
    "[",
    "]",
    ",",
    ".",
    "a",
    "+",
    "-",
    "==",
    "if x ",
    "else ",
    "for y in x ",
    "loop ",
    "while x ",
    "break;",
    "try ",
    "catch (e) ",
    "throw x;",
    "return x;",
    "|x| ",
    "|| ",
    "fn f(x) ",
    "f(1)",
    "connection(\"edr\")",
    ".isolate(#{ sensor_id: \"a\" })",
    ".ping()",
    "poll(|| 1, |x| true)",
    "retry(|| 1)",
    "parallel([1, 2], |x| x)",
    "undo(|| x)",
    "undoable(|| x.isolate(#{ sensor_id: \"a\" }))",
    "fn on_error(input, e) ",
    "fn on_cancel(input) ",
    "ask(#{ message: \"a\" })",
    "call_playbook(\"a\", x)",
    "now()",
    "sleep(\"1s\")",
    "log(\"a\")",
    ".map(|y| y)",
    ".sort(|a, b| a - b)",
    "import \"a\" as b;",
    "const C = 1;",
    "global::C",
    "this",
    "eval(\"1\")",
    "Fn(\"f\")",
    "x.call(1)",
    "switch x { 1 => 2, _ => 3 }",
    "/* ",
    "*/",
    "// ",
    "//! d\n",
    "..",
    "in",
    "??",
    "?.",
    "\u{1F600}",
    "\\",
    "\"",
    "`",
    "default",
    "9223372036854775807",
    "1e400",
    "'c'",
    "timestamp(0)",
    "secret(\"s\")",
    "fail(\"x\")",
];

fn small() -> Limits {
    Limits {
        operations: 20_000,
        steps: 200,
        computing: Duration::from_secs(2),
        ..Limits::default()
    }
}

/// Reads and runs a script; a defect of the engine is the only end that is not allowed.
fn survive(text: &str) -> Result<(), TestCaseError> {
    let Ok(playbook) = compile(text) else {
        return Ok(());
    };
    let Ok(bindings) =
        bind(&playbook).or_else(|_| playbook.bind(&Default::default()).map(Arc::new))
    else {
        return Ok(());
    };
    let result = playbook.run(
        &Default::default(),
        &bindings,
        Arc::new(World::silent()),
        &small(),
    );
    prop_assert!(
        !matches!(result, Err(RunError::Defect { .. })),
        "{text}: {result:?}"
    );
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,200}") {
        survive(&text)?;
        survive(&script(&text))?;
    }

    #[test]
    fn any_order_of_pieces_is_read_and_run_or_refused(pieces in prop::collection::vec(prop::sample::select(PIECES), 0..25)) {
        let body = pieces.concat();
        survive(&script(&format!("fn run(input) {{ let x = 1;\n{body}\n}}")))?;
        survive(&script(&body))?;
    }

    #[test]
    fn any_header_is_read_or_refused(pieces in prop::collection::vec(prop::sample::select(PIECES), 0..8), key in "[a-z]{1,6}") {
        let value = pieces.concat();
        survive(&format!("const PLAYBOOK = #{{ inputs: #{{ {key}: {value} }} }}; fn run(input) {{ 1 }}"))?;
        survive(&format!("const PLAYBOOK = #{{ {key}: {value} }}; fn run(input) {{ 1 }}"))?;
    }
}

#[test]
fn nesting_in_the_text_is_bounded_before_it_overflows_a_stack() {
    for (open, close) in [
        ("(", ")"),
        ("[", "]"),
        ("{", "}"),
        ("#{ a: ", "}"),
        ("if true { ", "}"),
        ("f(", ")"),
        ("|x| ", ""),
        ("-", ""),
        ("!", ""),
        ("x.", "x"),
        ("1+", "1"),
        ("`${", "}`"),
        ("x[", "]"),
        ("|| {", "}"),
        ("try {", "} catch {}"),
    ] {
        for depth in [50, 1_000, 20_000] {
            let text = script(&format!(
                "fn run(input) {{ let x = 1; {}1{} }}",
                open.repeat(depth),
                close.repeat(depth)
            ));
            survive(&text).unwrap();
        }
    }
}
