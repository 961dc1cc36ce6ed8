use cordon_kata::Kata;
use cordon_kata::wit::tasks::{Actions as _, Task, TaskSettings};
use cordon_sdk::harness::{Expected, delete, get, post};
use cordon_sdk::http::FailureKind;
use cordon_sdk::{ErrorKind, Result};
use serde_json::{Value, json};

use crate::{KEY, SENSOR, kata, kind, knows_no_sensor, not_found, path};

const FOLDER: &str = r"C:\Windows\System32\";

fn task_path() -> String {
    path(&format!("tasks/{KEY}"))
}

fn settings() -> Value {
    json!({
        "schedule": {"startNow": true},
        "execCommand": "Example.exe",
        "cmdLineParameters": "/all",
        "workingDirectory": FOLDER,
    })
}

fn creates() -> Expected {
    post(&task_path())
        .query("sensor_id", SENSOR)
        .query("task_type", "run_process")
        .json(json!({"task": settings()}))
}

fn reads(settings: bool) -> Expected {
    get(&task_path()).query("settings", if settings { "true" } else { "false" })
}

fn in_state(state: &str) -> Value {
    json!({"state": state, "task": settings()})
}

fn create() -> Result<Task> {
    Kata::create_run_task(
        SENSOR.to_owned(),
        "Example.exe".to_owned(),
        Some("/all".to_owned()),
        Some(FOLDER.to_owned()),
        None,
    )
}

fn expected() -> Task {
    Task {
        task_id: KEY.to_owned(),
        state: "pending".to_owned(),
        finished: false,
        succeeded: false,
        latest_start: None,
        settings: Some(TaskSettings {
            command: Some("Example.exe".to_owned()),
            arguments: Some("/all".to_owned()),
            working_directory: Some(FOLDER.to_owned()),
            start_now: Some(true),
        }),
    }
}

#[test]
fn a_task_has_the_key_of_its_step_as_its_id() {
    let task = kata().run([creates().answers(200, in_state("pending"))], create);
    assert_eq!(task, Ok(expected()));
}

#[test]
fn backslashes_are_escaped_once() {
    // Two backslashes in this text are one in the folder's name.
    let sent = r#"{"task":{"schedule":{"startNow":true},"execCommand":"C:\\a.exe"}}"#;
    let request = post(&task_path())
        .query("sensor_id", SENSOR)
        .query("task_type", "run_process");
    let script = [request
        .json(serde_json::from_str(sent).expect("JSON"))
        .answers(200, json!({"state": "pending"}))];
    let task = kata().run(script, || {
        Kata::create_run_task(SENSOR.to_owned(), r"C:\a.exe".to_owned(), None, None, None)
    });
    assert!(task.is_ok(), "{task:?}");
}

#[test]
fn a_task_that_exists_already_and_runs_the_same_is_the_one_of_an_earlier_try() {
    let script = [
        creates().answers(409, json!({"error": "Conflict"})),
        reads(true).answers(200, in_state("pending")),
    ];
    assert_eq!(kata().run(script, create), Ok(expected()));
}

#[test]
fn a_lost_answer_is_followed_by_the_same_request_and_finds_its_own_task() {
    let script = [
        creates().fails(FailureKind::Timeout),
        creates().answers_html(502, "<h1>Bad Gateway</h1>"),
        creates().answers(409, json!({"error": "Conflict"})),
        reads(true).answers(200, in_state("pending")),
    ];
    assert_eq!(kata().run(script, create), Ok(expected()));
}

#[test]
fn a_task_that_exists_already_and_runs_something_else_is_a_conflict() {
    let with = |field: &str, value: Value| {
        let mut task = in_state("pending");
        task["task"][field] = value;
        task
    };
    for other in [
        with("execCommand", json!("Other.exe")),
        with("cmdLineParameters", json!("/none")),
        with("workingDirectory", json!("C:\\")),
        json!({"state": "pending"}),
    ] {
        let script = [
            creates().answers(409, json!({"error": "Conflict"})),
            reads(true).answers(200, other),
        ];
        assert_eq!(kind(kata().run(script, create)), ErrorKind::Conflict);
    }
    let hidden = [
        creates().answers(409, json!({"error": "Conflict"})),
        reads(true).answers(404, not_found()),
    ];
    assert_eq!(kind(kata().run(hidden, create)), ErrorKind::Conflict);
}

#[test]
fn a_server_that_repeats_only_the_command_is_believed() {
    let only_command = json!({"state": "pending", "task": {"execCommand": "Example.exe"}});
    let script = [
        creates().answers(409, json!({"error": "Conflict"})),
        reads(true).answers(200, only_command),
    ];
    assert!(kata().run(script, create).is_ok());
}

#[test]
fn the_command_is_read_inside_of_the_schedule_too() {
    let nested = json!({"state": "pending", "task": {"schedule": {"startNow": true, "execCommand": "Example.exe"}}});
    let task = kata().run([reads(true).answers(200, nested)], || {
        Kata::get_task(KEY.to_owned(), Some(true))
    });
    let settings = task
        .expect("an answer")
        .expect("a task")
        .settings
        .expect("settings");
    assert_eq!(
        (settings.command.as_deref(), settings.start_now),
        (Some("Example.exe"), Some(true))
    );
}

#[test]
fn a_task_that_was_taken_with_an_unreadable_answer_is_read_back() {
    let script = [
        creates().answers_empty(200),
        reads(true).answers(200, in_state("pending")),
    ];
    assert_eq!(kata().run(script, create), Ok(expected()));
}

#[test]
fn a_task_for_an_unknown_host_is_not_found_and_an_empty_command_is_not_sent() {
    let script = [creates().answers(404, not_found()), knows_no_sensor()];
    assert_eq!(kind(kata().run(script, create)), ErrorKind::NotFound);
    let empty = kata().run([], || {
        Kata::create_run_task(SENSOR.to_owned(), " ".to_owned(), None, None, None)
    });
    assert_eq!(kind(empty), ErrorKind::InvalidInput);
}

#[test]
fn states_are_sorted_by_two_lists_whatever_their_case_and_unknown_ones_go_on() {
    let look = |state: &str| {
        let answer = json!({"state": state, "latestStartDateTime": "2025-03-14T09:25:02Z"});
        let task = kata().run([reads(false).answers(200, answer)], || {
            Kata::get_task(KEY.to_owned(), None)
        });
        let task = task.expect("an answer").expect("a task");
        assert_eq!(
            (task.state.as_str(), task.latest_start, task.settings),
            (state, Some(1_741_944_302_000), None)
        );
        (task.finished, task.succeeded)
    };
    for state in ["completed", "Complete", "FINISHED", "done", "success"] {
        assert_eq!(look(state), (true, true), "{state}");
    }
    for state in [
        "error",
        "Failed",
        "failure",
        "timeout",
        "expired",
        "canceled",
        "cancelled",
        "rejected",
    ] {
        assert_eq!(look(state), (true, false), "{state}");
    }
    for state in ["pending", "processing", "queued", ""] {
        assert_eq!(look(state), (false, false), "{state}");
    }
}

#[test]
fn the_lists_of_states_are_settings() {
    let look = || {
        Kata::get_task(KEY.to_owned(), None)
            .map(|task| task.map(|task| (task.finished, task.succeeded)))
    };
    let harness = kata()
        .setting("task_states_succeeded", ["erledigt"])
        .setting("task_states_failed", []);
    let state = |state: &str| [reads(false).answers(200, json!({"state": state}))];
    assert_eq!(harness.run(state("Erledigt"), look), Ok(Some((true, true))));
    assert_eq!(harness.run(state("error"), look), Ok(Some((false, false))));
}

#[test]
fn a_start_time_may_be_null_absent_or_a_number() {
    for (answer, expected) in [
        (
            json!({"state": "pending", "latestStartDateTime": null}),
            None,
        ),
        (json!({"state": "pending"}), None),
        (
            json!({"state": "processing", "latestStartDateTime": 1_741_944_302}),
            Some(1_741_944_302_000),
        ),
        (
            json!({"state": "processing", "latestStartDateTime": 1_741_944_302_000_i64}),
            Some(1_741_944_302_000),
        ),
    ] {
        let task = kata().run([reads(false).answers(200, answer)], || {
            Kata::get_task(KEY.to_owned(), Some(false))
        });
        assert_eq!(
            task.expect("an answer").expect("a task").latest_start,
            expected
        );
    }
}

#[test]
fn an_unknown_task_is_none_when_read_and_a_success_when_deleted() {
    let read = kata().run([reads(false).answers(404, not_found())], || {
        Kata::get_task(KEY.to_owned(), None)
    });
    assert_eq!(read, Ok(None));
    let delete_task = || Kata::delete_task(KEY.to_owned()).map(|deleted| deleted.already_absent);
    assert_eq!(
        kata().run([delete(&task_path()).answers_empty(200)], delete_task),
        Ok(false)
    );
    assert_eq!(
        kata().run(
            [delete(&task_path()).answers(404, not_found())],
            delete_task
        ),
        Ok(true)
    );
}

#[test]
fn an_id_cannot_become_another_path() {
    let read = kata().run(
        [get(&path("tasks/..%2Fsensors"))
            .query("settings", "false")
            .answers(404, not_found())],
        || Kata::get_task("../sensors".to_owned(), None),
    );
    assert_eq!(read, Ok(None));
    assert_eq!(
        kind(kata().run([], || Kata::delete_task("..".to_owned()))),
        ErrorKind::InvalidInput
    );
    assert_eq!(
        kind(kata().run([], || Kata::delete_task(String::new()))),
        ErrorKind::InvalidInput
    );
}
