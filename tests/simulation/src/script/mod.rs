//! Playbooks that a seed writes: every kind of step, inside of one another, with results that depend on
//! nothing but the results of the steps, so that a run that was crashed can be held to one that was not.

pub mod fixed;
mod parts;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::rng::Rng;
use parts::Writer;

/// How a playbook is written.
struct Shape {
    /// Short deadlines, places that are shared.
    header: &'static str,
    /// Which playbooks it may call.
    calls: &'static [&'static str],
    /// How many statements it has.
    statements: (u64, u64),
}

/// The playbooks that runs are started of.
pub const MAIN: [&str; 2] = ["first", "second"];

/// The playbooks of a seed by name: two that are started, and two that these call.
#[must_use]
pub fn playbooks(seed: u64) -> BTreeMap<String, String> {
    let mut rng = Rng::new(seed, "script");
    let shapes = [
        ("first", &["child", "leaf"][..], (2, 7)),
        ("second", &["child"][..], (1, 5)),
        ("child", &["leaf"][..], (1, 3)),
        ("leaf", &[][..], (1, 2)),
    ];
    shapes
        .into_iter()
        .map(|(name, calls, statements)| {
            let header = header(&mut rng);
            let shape = Shape {
                header,
                calls,
                statements,
            };
            (name.to_owned(), playbook(&mut rng, name, &shape))
        })
        .collect()
}

fn header(rng: &mut Rng) -> &'static str {
    match rng.below(20) {
        0 => ", deadline: \"20s\"",
        1 => ", deadline: \"3h\"",
        2 | 3 => ", concurrency: #{ key: \"group\" }",
        4 => ", concurrency: #{ key: \"group\", max: 2 }",
        5 => ", concurrency: #{ key: \"group\", on_conflict: \"skip\" }",
        _ => "",
    }
}

fn playbook(rng: &mut Rng, name: &str, shape: &Shape) -> String {
    let mut text = format!(
        "const PLAYBOOK = #{{ title: \"{name}\", inputs: #{{ run: \"string\", group: \"string\" }}, \
         uses: #{{ a: \"box\", b: \"box\" }}{} }};\n",
        shape.header
    );
    let mut writer = Writer::new(rng, name, shape.calls);
    text.push_str("fn run(input) {\n    let a = connection(\"a\");\n    let b = connection(\"b\");\n    let out = [];\n");
    let (from, to) = shape.statements;
    for _ in 0..writer.rng.between(from, to) {
        let value = writer.value(3);
        let _ = writeln!(text, "    out.push({value});");
    }
    if writer.rng.permille(250) {
        text.push_str("    fail(\"as written\");\n");
    }
    text.push_str("    out\n}\n");
    if writer.rng.permille(400) {
        let value = writer.afterwards();
        let _ = write!(
            text,
            "fn on_error(input, error) {{\n    let a = connection(\"a\");\n    let b = connection(\"b\");\n    {value};\n}}\n"
        );
    }
    if writer.rng.permille(400) {
        let value = writer.afterwards();
        let _ = write!(
            text,
            "fn on_cancel(input) {{\n    let a = connection(\"a\");\n    let b = connection(\"b\");\n    {value};\n}}\n"
        );
    }
    for function in writer.functions {
        text.push_str(&function);
    }
    text
}
