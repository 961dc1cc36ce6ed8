//! The lines of a run, event by event.

use std::time::Duration;

use cordon_contract::{Delivery, ErrorKind, Failure, Value};
use cordon_playbook::step::Pause;

use super::*;

/// The lines of a run in which every kind of step ends once.
fn lines(verbose: bool) -> Vec<String> {
    let mut state = State::default();
    let mut lines = Vec::new();
    let mut see =
        |state: &mut State, event: Event<'_>| lines.extend(state.see(&event, Look::PLAIN, verbose));
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
        Look::PLAIN,
        verbose,
    );
    step(
        &mut state,
        "4.0.0",
        action("get-task", &[]),
        Some(Effect::Read),
        json(r#"{"state": "running"}"#),
    );
    step(&mut state, "4.0.1", sleep(Pause::Poll), None, json("null"));
    state.see(
        &Event::Iterated {
            key: &poll,
            iteration: 1,
        },
        Look::PLAIN,
        verbose,
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
        Look::PLAIN,
        verbose,
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
    assert_eq!((state.reads, state.going_on.len()), (3, 0));
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
