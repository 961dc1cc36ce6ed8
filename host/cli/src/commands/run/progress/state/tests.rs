//! The lines of a run, event by event.

use std::time::Duration;

use cordon_contract::step::Pause;
use cordon_contract::{Delivery, ErrorKind, Failure, Value};

use super::*;

/// The lines of a run in which every kind of step ends once.
fn lines(verbose: bool) -> Vec<String> {
    let manner = Manner {
        look: Look::PLAIN,
        everything: verbose,
        of: "",
    };
    let mut state = State::default();
    let mut lines = Vec::new();
    let mut see = |state: &mut State, event: Event<'_>| lines.extend(state.see(&event, manner));
    let mut step =
        |state: &mut State, key: &str, step: Step, effect: Option<Effect>, answer: Answer| {
            let key: StepKey = key.parse().unwrap();
            see(
                state,
                Event::Started {
                    key: &key,
                    step: &step,
                    effect,
                },
            );
            see(
                state,
                Event::Finished {
                    key: &key,
                    step: &step,
                    answer: &answer,
                    took: Duration::from_millis(32),
                },
            );
        };
    let action = |action: &str, arguments: &[(&str, &str)]| Step::Action {
        connection: "kata".to_owned(),
        action: action.to_owned(),
        arguments: arguments
            .iter()
            .map(|(name, value)| ((*name).to_owned(), Value::text(*value)))
            .collect(),
        undoable: false,
    };
    let json = |text: &str| Answer::Done(Value::from_json(text).unwrap());
    let sleep = |reason| Step::Sleep {
        duration: Duration::from_secs(5),
        reason,
    };

    step(
        &mut state,
        "0",
        Step::Progress {
            message: "looking\x1b[2J".to_owned(),
            percent: Some(10),
        },
        None,
        json("null"),
    );
    step(
        &mut state,
        "1",
        action("list-sensors", &[("host", "srv-01")]),
        Some(Effect::Read),
        json(r#"[{"a": 1}, {"a": 2}]"#),
    );
    step(
        &mut state,
        "2",
        action("isolate", &[("sensor_id", "DF64")]),
        Some(Effect::Reversible),
        json("null"),
    );
    step(
        &mut state,
        "3",
        Step::Now,
        None,
        json(r#""2026-03-14T09:21:37Z""#),
    );
    let poll = "4".parse().unwrap();
    let composite = Composite::Poll {
        every: Duration::from_secs(5),
        timeout: Duration::from_secs(60),
    };
    state.see(
        &Event::Entered {
            key: &poll,
            composite,
        },
        manner,
    );
    step(
        &mut state,
        "4.0.0",
        action("get-task", &[]),
        Some(Effect::Read),
        json(r#"{"state": "running"}"#),
    );
    let again = Step::Again {
        every: Duration::from_secs(5),
        timeout: Duration::from_secs(60),
    };
    step(&mut state, "4.0.1", again, None, json("true"));
    state.see(
        &Event::Iterated {
            key: &poll,
            iteration: 1,
        },
        manner,
    );
    let refused = Failure {
        status: Some(502),
        delivery: Delivery::Answered,
        ..Failure::new(ErrorKind::Unavailable, "<html>\nbad gateway")
    };
    step(
        &mut state,
        "4.1.0",
        action("get-task", &[]),
        Some(Effect::Read),
        Answer::Failed(Box::new(refused)),
    );
    let done = json(r#"{"state": "done"}"#);
    let left = state.see(
        &Event::Left {
            key: &poll,
            answer: &done,
            took: Duration::from_secs(75),
        },
        manner,
    );
    step(
        &mut state,
        "5",
        Step::Note {
            title: "found".to_owned(),
            value: Value::text("x"),
        },
        None,
        json("null"),
    );
    step(&mut state, "6", sleep(Pause::Sleep), None, Answer::Stopped);
    assert!(state.going_on.is_empty());
    lines.extend(left);
    lines
}

#[test]
fn each_step_is_a_line_and_the_looks_of_a_poll_are_one() {
    insta::assert_snapshot!(lines(false).join("\n"));
}

#[test]
fn asked_for_more_every_look_shows() {
    insta::assert_snapshot!(lines(true).join("\n"));
}

fn waiting(reason: cordon_journal::run::Reason) -> Status {
    Status {
        state: cordon_journal::State::Waiting,
        due: None,
        waits: vec![Waiting {
            step: Some(StepKey::root(4)),
            reason,
            since: cordon_journal::Moment(0),
            until: None,
        }],
        seq: 0,
        records: 0,
        bytes: 0,
        end: None,
    }
}

#[test]
fn a_run_that_waits_for_people_says_so_once_and_shows_it_while_it_does() {
    let status = waiting(cordon_journal::run::Reason::Approval {
        message: "isolate it?".to_owned(),
        role: None,
        wanted: 1,
        given: Vec::new(),
    });
    let run = Run {
        id: "3a3e3d17-64d9-4ad6-a264-fa1c258cf086".parse().unwrap(),
        order: cordon_journal::run::Order {
            playbook: "contain".to_owned(),
            version: String::new(),
            input: cordon_contract::value::Map::new(),
            bindings: std::collections::BTreeMap::new(),
            started_by: "alice".to_owned(),
            created: cordon_journal::Moment(0),
            deadline: cordon_journal::Moment(0),
            tags: Vec::new(),
            parent: None,
            depth: 0,
            retry_of: None,
            slot: None,
            journal_bytes_max: 0,
            journal_records_max: 0,
        },
        status: status.clone(),
    };
    let manner = Manner {
        look: Look::PLAIN,
        everything: false,
        of: "contain",
    };
    let mut state = State::default();
    state.see(&Event::TakenUp { run: &run }, manner);
    let first = state.see(&Event::PutAside { status: &status }, manner);
    assert_eq!(
        first,
        [
            "waits            contain: for approval of \"isolate it?\": `cordon approve 3a3e3d17`, or with `--deny` to \
             refuse"
        ]
    );
    assert!(
        state
            .see(&Event::PutAside { status: &status }, manner)
            .is_empty()
    );
    let (active, now) = state.now().unwrap();
    assert!(!active && now.contains("cordon approve 3a3e3d17"), "{now}");
    state.see(&Event::TakenUp { run: &run }, manner);
    assert_eq!(state.now(), None);
}
