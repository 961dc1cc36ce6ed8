//! Steps that people, other playbooks and readers of the result take part in: what they are asked,
//! and what is refused before anybody is.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests, which fail this way"
)]

mod support;

use cordon_contract::Value;
use cordon_playbook::Given;
use cordon_playbook::input::accept_answer;
use cordon_playbook::step::{Approval, Question, Step};
use support::{World, json, run_in};

fn asked(body: &str) -> Step {
    let (result, world) = run_in(World::silent(), body);
    result.unwrap_or_else(|error| panic!("{body}: {error}"));
    let mut steps = world.steps.lock().unwrap();
    steps.pop().unwrap().1
}

fn refused(body: &str) -> String {
    let (result, world) = run_in(World::silent(), body);
    assert!(world.keys().is_empty(), "{body}");
    result.unwrap_err().to_string()
}

#[test]
fn an_approval_says_what_it_is_about_and_who_may() {
    let plain = Approval {
        message: "Go?".to_owned(),
        role: None,
        expires_ms: None,
        approvers: 1,
        four_eyes: false,
    };
    assert_eq!(
        asked("approve(#{ message: \"Go?\" })"),
        Step::Approve(plain.clone())
    );
    let full = Approval {
        role: Some("approver".to_owned()),
        expires_ms: Some(14_400_000),
        approvers: 2,
        four_eyes: true,
        ..plain
    };
    assert_eq!(
        asked(
            "approve(#{ message: \"Go?\", role: \"approver\", expires: \"4h\", approvers: 2, four_eyes: true })"
        ),
        Step::Approve(full)
    );
}

#[test]
fn an_approval_that_nobody_could_understand_or_give_is_refused() {
    for (options, message) in [
        ("#{}", "`request` of `approve` needs `message`, text"),
        (
            "#{ message: \" \" }",
            "`message` of `approve` is empty, and a person must know what it is about",
        ),
        (
            "#{ message: \"a\", approvers: 0 }",
            "`approvers` of `approve`: 0 is not in 1..=100",
        ),
        (
            "#{ message: \"a\", four_eyes: 1 }",
            "the option `four_eyes` in `request` of `approve` needs `true` or `false`, got a whole number",
        ),
        (
            "#{ message: \"a\", expires: \"soon\" }",
            "`soon` is not a duration; write one like \"90s\", \"2h\" or \"1h30m\"",
        ),
        (
            "#{ message: \"a\", rol: \"b\" }",
            "`rol` is no option in `request` of `approve`",
        ),
    ] {
        assert_eq!(refused(&format!("approve({options})")), message);
    }
}

#[test]
fn a_question_has_choices_or_a_type_and_a_default_that_fits() {
    let plain = Question {
        message: "How?".to_owned(),
        choices: Vec::new(),
        takes: None,
        expires_ms: None,
        default: None,
    };
    assert_eq!(
        asked("ask(#{ message: \"How?\" })"),
        Step::Ask(plain.clone())
    );
    let chosen = Question {
        choices: vec!["soft".to_owned(), "hard".to_owned()],
        expires_ms: Some(3_600_000),
        default: Some(Value::text("hard")),
        ..plain.clone()
    };
    assert_eq!(
        asked(
            "ask(#{ message: \"How?\", choices: [\"soft\", \"hard\"], expires: \"1h\", default: \"hard\" })"
        ),
        Step::Ask(chosen)
    );
    let typed = Question {
        takes: Some("duration".to_owned()),
        default: Some(Value::text("1h30m")),
        ..plain
    };
    assert_eq!(
        asked("ask(#{ message: \"How?\", type: \"duration\", default: \"90m\" })"),
        Step::Ask(typed)
    );
}

#[test]
fn a_question_without_a_possible_answer_is_refused() {
    for (options, message) in [
        (
            "choices: [\"a\"], type: \"string\"",
            "`ask` takes `choices` or `type`, not both",
        ),
        ("choices: []", "`choices` of `ask`: there is none"),
        (
            "choices: [1]",
            "`choices` of `ask`: a whole number is no text",
        ),
        (
            "choices: [\"soft\"], default: \"sofd\"",
            "`default` of `ask`: \"sofd\" is no choice; did you mean \"soft\"?",
        ),
        (
            "type: \"duratoin\"",
            "`type` of `ask`: \"duratoin\" is no type",
        ),
        (
            "type: \"integer\", default: \"many\"",
            "`default` of `ask`: needs a whole number, got \"many\"",
        ),
    ] {
        let said = refused(&format!("ask(#{{ message: \"How?\", {options} }})"));
        assert!(
            said == message || said.starts_with(message.split(", got").next().unwrap()),
            "{said}"
        );
    }
}

#[test]
fn an_answer_is_converted_as_an_input_would_be() {
    let question = |choices: &[&str], takes: Option<&str>| Question {
        message: "How?".to_owned(),
        choices: choices.iter().map(ToString::to_string).collect(),
        takes: takes.map(str::to_owned),
        expires_ms: None,
        default: None,
    };
    let text = |text: &str| Given::Text(text.to_owned());
    assert_eq!(
        accept_answer(&question(&[], None), text("12")),
        Ok(Value::text("12"))
    );
    assert_eq!(
        accept_answer(&question(&[], Some("integer")), text("12")),
        Ok(Value::from(12_i64))
    );
    assert_eq!(
        accept_answer(
            &question(&[], Some("list of string")),
            Given::Value(json(r#"["a"]"#))
        ),
        Ok(json(r#"["a"]"#))
    );
    let chosen = question(&["soft", "hard"], None);
    assert_eq!(
        accept_answer(&chosen, text("soft")),
        Ok(Value::text("soft"))
    );
    assert_eq!(
        accept_answer(&chosen, text("x")),
        Err("\"x\" is no choice; it is one of \"soft\", \"hard\"".to_owned())
    );
}

#[test]
fn another_playbook_gets_its_inputs_and_connections() {
    let playbook = |input: &str, connect: &[(&str, &[&str])]| Step::Playbook {
        name: "release_host".to_owned(),
        input: json(input).as_map().unwrap().clone(),
        connect: connect
            .iter()
            .map(|(alias, names)| {
                let names = names.iter().map(ToString::to_string).collect();
                ((*alias).to_owned(), names)
            })
            .collect(),
    };
    assert_eq!(
        asked("call_playbook(\"release_host\")"),
        playbook("{}", &[])
    );
    let body = "call_playbook(\"release_host\", #{ host: \"a\" }, #{ connect: #{ edr: \"kata-1\", one: connection(\"edr\"), all: connections(\"edrs\") } })";
    assert_eq!(
        asked(body),
        playbook(
            r#"{"host": "a"}"#,
            &[
                ("all", &["kata-1", "kata-2"]),
                ("edr", &["kata-1"]),
                ("one", &["kata-1"])
            ]
        )
    );
    assert!(
        refused("call_playbook(\"x\", #{}, #{ connect: #{ edr: 1 } })")
            .starts_with("`connect` of `call_playbook`: `edr` needs the name of a connection")
    );
    assert!(
        refused("call_playbook(\"x\", #{ f: || 1 })")
            .starts_with("`input` of `call_playbook`: f: a function")
    );
}

#[test]
fn an_artifact_has_a_name_that_a_file_could_have() {
    let step = asked("artifact(\"report-1.2_b.json\", #{ a: 1 })");
    let expected = Step::Artifact {
        name: "report-1.2_b.json".to_owned(),
        value: json(r#"{"a": 1}"#),
    };
    assert_eq!(step, expected);
    let long = "a".repeat(101);
    for name in ["", "a/b", "a b", "..", ".a", "größe", &long] {
        assert_eq!(
            refused(&format!("artifact(\"{name}\", 1)")),
            format!("\"{name}\" is no name of an artifact")
        );
    }
}
