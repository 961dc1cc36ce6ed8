use cordon_kata::Kata;
use cordon_kata::wit::capability::hosts::{Actions as Hosts, Host};
use cordon_kata::wit::capability::isolation::{Actions as Isolation, IsolationState};
use cordon_kata::wit::capability::programs::{Actions as Programs, Progress};
use cordon_sdk::harness::{delete, get, post};
use serde_json::json;

use crate::{KEY, SENSOR, kata, knows_no_sensor, knows_sensor, not_found, path};

#[test]
fn a_host_that_was_found_by_its_name_has_that_name() {
    let request = get(&path("sensors")).query("host", "host4");
    let sensor = json!({
        "sensorId": SENSOR, "hostIp": "10.16.40.243", "osFamily": "Windows", "osName": "Windows 10",
        "lastAccessTimestamp": 1_741_944_097,
    });
    let found = kata().run([request.answers(200, json!({"sensors": [sensor]}))], || {
        <Kata as Hosts>::find(Some("host4".to_owned()), None)
    });
    let expected = Host {
        id: SENSOR.to_owned(),
        name: Some("host4".to_owned()),
        addresses: vec!["10.16.40.243".to_owned()],
        os: Some("Windows 10".to_owned()),
        last_seen: Some(1_741_944_097_000),
    };
    assert_eq!(found, Ok(vec![expected]));
}

#[test]
fn a_host_is_known_by_its_id_or_none() {
    let known = kata().run([knows_sensor()], || <Kata as Hosts>::get(SENSOR.to_owned()));
    assert_eq!(
        known.expect("an answer").map(|host| (host.id, host.name)),
        Some((SENSOR.to_owned(), None))
    );
    assert_eq!(
        kata().run([knows_no_sensor()], || <Kata as Hosts>::get(
            SENSOR.to_owned()
        )),
        Ok(None)
    );
}

#[test]
fn whether_an_ordered_isolation_is_active_kata_cannot_say() {
    let settings = |request: cordon_sdk::harness::Expected| {
        request
            .query("sensor_id", SENSOR)
            .query("settings_type", "network_isolation")
    };
    let host = || SENSOR.to_owned();
    let order = settings(post(&path("settings")))
        .json(json!({"settings": {"autoTurnoffTimeoutInSec": 3600}}));
    let ordered = kata().now(0).run([order.answers_empty(200)], || {
        <Kata as Isolation>::isolate(host(), Some(3_600_000))
    });
    assert_eq!(
        ordered,
        Ok(IsolationState {
            ordered: true,
            active: None,
            ends: Some(3_600_000)
        })
    );

    let rule =
        settings(get(&path("settings"))).answers(200, json!([{"autoTurnoffTimeoutInSec": 3600}]));
    let state = kata().run([rule], || <Kata as Isolation>::state(host()));
    assert_eq!(
        state,
        Ok(Some(IsolationState {
            ordered: true,
            active: None,
            ends: None
        }))
    );

    let free = IsolationState {
        ordered: false,
        active: Some(false),
        ends: None,
    };
    let no_rule = || settings(get(&path("settings"))).answers(404, not_found());
    assert_eq!(
        kata().run([no_rule(), knows_sensor()], || <Kata as Isolation>::state(
            host()
        )),
        Ok(Some(free))
    );
    assert_eq!(
        kata().run([no_rule(), knows_no_sensor()], || {
            <Kata as Isolation>::state(host())
        }),
        Ok(None)
    );

    let release = settings(delete(&path("settings"))).answers(404, not_found());
    assert_eq!(
        kata().run([release, knows_sensor()], || <Kata as Isolation>::release(
            host()
        )),
        Ok(free)
    );
}

#[test]
fn a_program_waits_runs_and_finishes_or_fails() {
    let order = post(&path(&format!("tasks/{KEY}")))
        .query("sensor_id", SENSOR)
        .query("task_type", "run_process")
        .json(json!({"task": {"schedule": {"startNow": true}, "execCommand": "collect.exe"}}));
    let started = kata().run([order.answers(200, json!({"state": "pending"}))], || {
        <Kata as Programs>::run(SENSOR.to_owned(), "collect.exe".to_owned(), None, None)
    });
    let started = started.expect("accepted");
    assert_eq!(
        (
            started.id.as_str(),
            started.progress,
            started.state.as_str()
        ),
        (KEY, Progress::Waiting, "pending")
    );

    for (state, start, progress) in [
        ("pending", json!(null), Progress::Waiting),
        (
            "processing",
            json!("2025-03-14T09:25:02Z"),
            Progress::Running,
        ),
        (
            "completed",
            json!("2025-03-14T09:25:02Z"),
            Progress::Finished,
        ),
        ("error", json!(null), Progress::Failed),
    ] {
        let look = get(&path(&format!("tasks/{KEY}"))).query("settings", "false");
        let answer = look.answers(200, json!({"state": state, "latestStartDateTime": start}));
        let program = kata().run([answer], || <Kata as Programs>::status(KEY.to_owned()));
        assert_eq!(
            program.expect("an answer").map(|program| program.progress),
            Some(progress),
            "{state}"
        );
    }
    let unknown = get(&path(&format!("tasks/{KEY}")))
        .query("settings", "false")
        .answers(404, not_found());
    assert_eq!(
        kata().run([unknown], || <Kata as Programs>::status(KEY.to_owned())),
        Ok(None)
    );
}
