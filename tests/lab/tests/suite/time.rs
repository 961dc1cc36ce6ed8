//! What the passing of time does, and that nothing ever goes backwards (§4.3).

use std::time::Duration;

use cordon_lab::kata::{HOST4, LAPTOP_OFFLINE, Task, TaskState};
use proptest::prelude::*;
use serde_json::json;

use crate::support::{Caller, accepted, begin, isolation, lab, new_task, node, seconds};

const TASK: &str = "0F8FAD5B-D9CB-469F-A165-70867728950E";

async fn create(caller: &Caller, sensor: &str, command: &str, start_now: bool) {
    let body = json!({ "task": {
        "schedule": { "startNow": start_now }, "execCommand": command } });
    caller
        .post(&new_task(TASK, sensor), &body)
        .await
        .expect(200);
}

#[tokio::test]
async fn setting_isolation_again_starts_its_period_anew() {
    let (lab, caller) = accepted().await;
    let body = json!({ "settings": { "autoTurnoffTimeoutInSec": 3600 } });
    caller.post(&isolation(HOST4), &body).await.expect(200);
    seconds(&lab, 3000);
    assert_eq!(
        node(&lab).isolated_for(HOST4),
        Some(Duration::from_secs(600))
    );
    caller.post(&isolation(HOST4), &body).await.expect(200);
    assert_eq!(
        node(&lab).isolated_for(HOST4),
        Some(Duration::from_secs(3600))
    );
    seconds(&lab, 3600);
    assert_eq!(node(&lab).isolated_for(HOST4), None);
}

#[tokio::test]
async fn a_command_that_is_meant_to_fail_ends_in_error() {
    let (lab, caller) = accepted().await;
    create(&caller, HOST4, "C:\\Will-FAIL.exe", true).await;
    seconds(&lab, 3);
    assert_eq!(node(&lab).task(TASK).unwrap().state, TaskState::Error);
}

#[tokio::test]
async fn a_task_that_is_not_to_start_now_never_does() {
    let (lab, caller) = accepted().await;
    create(&caller, HOST4, "a.exe", false).await;
    seconds(&lab, 100_000);
    let task = node(&lab).task(TASK).unwrap();
    assert_eq!((task.state, task.latest_start), (TaskState::Pending, None));
}

#[tokio::test]
async fn a_task_waits_until_its_host_is_online() {
    let (lab, caller) = accepted().await;
    create(&caller, LAPTOP_OFFLINE, "a.exe", true).await;
    seconds(&lab, 100_000);
    assert_eq!(node(&lab).task(TASK).unwrap().state, TaskState::Pending);
    node(&lab).set_online(LAPTOP_OFFLINE, true).unwrap();
    assert_eq!(node(&lab).task(TASK).unwrap().state, TaskState::Pending);
    seconds(&lab, 1);
    assert_eq!(node(&lab).task(TASK).unwrap().state, TaskState::Processing);
}

#[tokio::test]
async fn a_host_that_goes_offline_reports_its_task_when_it_is_back() {
    let (lab, caller) = accepted().await;
    create(&caller, HOST4, "a.exe", true).await;
    seconds(&lab, 1);
    node(&lab).set_online(HOST4, false).unwrap();
    seconds(&lab, 60);
    assert_eq!(node(&lab).task(TASK).unwrap().state, TaskState::Processing);
    node(&lab).set_online(HOST4, true).unwrap();
    assert_eq!(node(&lab).task(TASK).unwrap().state, TaskState::Completed);
}

#[tokio::test]
async fn deleting_a_task_works_in_every_state() {
    let (lab, caller) = accepted().await;
    for passed in [0, 1, 3] {
        create(&caller, HOST4, "a.exe", true).await;
        seconds(&lab, passed);
        caller.delete(&format!("tasks/{TASK}")).await.expect(200);
    }
}

#[tokio::test]
async fn resetting_the_node_does_not_turn_the_clock_back() {
    let (lab, caller) = accepted().await;
    create(&caller, HOST4, "a.exe", true).await;
    seconds(&lab, 60);
    lab.kata.reset();
    assert_eq!(lab.clock.now().as_second(), begin().as_second() + 60);
    assert!(node(&lab).tasks().is_empty());
    assert!(lab.kata.requests.all().is_empty());
    caller.get("sensors").await.expect(200);
}

/// What can happen to a node between two looks at a task.
#[derive(Debug, Clone)]
enum Event {
    Pass(u64),
    Online(bool),
    StartDelay(u64),
    RunTime(u64),
    FailurePattern(&'static str),
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        (0u64..4000).prop_map(Event::Pass),
        any::<bool>().prop_map(Event::Online),
        (0u64..5000).prop_map(Event::StartDelay),
        (0u64..5000).prop_map(Event::RunTime),
        prop_oneof![Just(""), Just("exe"), Just("fail")].prop_map(Event::FailurePattern),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever happens to host, switches and clock, no later look shows an earlier state.
    #[test]
    fn states_never_go_backwards(events in prop::collection::vec(event(), 1..24)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let lab = lab().await;
            create(&Caller::accepted(&lab), HOST4, "a.exe", true).await;
            let mut before: Task = node(&lab).task(TASK).unwrap();
            for event in events {
                match event {
                    Event::Pass(milliseconds) => {
                        lab.clock.advance(Duration::from_millis(milliseconds));
                    }
                    Event::Online(online) => {
                        node(&lab).set_online(HOST4, online).unwrap();
                    }
                    Event::StartDelay(milliseconds) => {
                        node(&lab).switch(|all| all.task_start_delay_ms = milliseconds).unwrap();
                    }
                    Event::RunTime(milliseconds) => {
                        node(&lab).switch(|all| all.task_run_time_ms = milliseconds).unwrap();
                    }
                    Event::FailurePattern(pattern) => {
                        node(&lab).switch(|all| all.task_failure_pattern = pattern.into()).unwrap();
                    }
                }
                let after = node(&lab).task(TASK).unwrap();
                assert!(after.state >= before.state, "{before:?} then {after:?}");
                assert!(!before.finished() || after.state == before.state);
                assert!(before.latest_start.is_none() || after.latest_start == before.latest_start);
                assert!(after.latest_start.is_none_or(|start| start <= lab.clock.now()));
                before = after;
            }
        });
    }
}
