//! The shapes of answers that the documents leave open, one switch each (§2).

use cordon_lab::kata::{
    DeleteBody, HOST4, LAPTOP_OFFLINE, LINUX_SERVER, ResponseShape, TimestampForm,
};
use serde_json::{Value, json};

use crate::support::{BEGIN, accepted, begin, isolation, new_task, node, prevention};

const MD5: &str = "d8e577bf078c45954f4531885478d5a9";

#[tokio::test]
async fn a_host_is_listed_with_the_documented_fields_and_no_others() {
    let (_lab, caller) = accepted().await;
    let answer = caller
        .get(&format!("sensors?sensor_id={HOST4}"))
        .await
        .expect(200);
    assert_eq!(answer.content_type, "application/json");
    assert_eq!(
        answer.json(),
        json!({
            "server": { "version": "7.0.0.532" },
            "sensors": [{
                "sensorId": HOST4,
                "hostIp": "10.16.40.243",
                "lastAccessTimestamp": BEGIN,
                "version": "12.4.0.467",
                "selfDefenseState": true,
                "licenseStatus": "ok",
                "osFamily": "Windows",
                "osName": "Windows 10 22H2 Enterprise x64",
                "capabilities": ["network_isolation", "prevention", "run_process"],
            }],
        })
    );
    let linux = caller
        .get(&format!("sensors?sensor_id={LINUX_SERVER}"))
        .await
        .json();
    let capabilities = &linux["sensors"][0]["capabilities"];
    assert_eq!(capabilities, &json!(["network_isolation", "run_process"]));
}

#[tokio::test]
async fn names_and_times_of_hosts_are_shown_as_the_switches_say() {
    let (lab, caller) = accepted().await;
    let first = async || {
        let answer = caller.get("sensors?host=host4").await.expect(200).json();
        answer["sensors"][0].clone()
    };
    assert_eq!(first().await.get("hostName"), None);
    node(&lab)
        .switch(|switches| switches.emit_host_name = true)
        .unwrap();
    assert_eq!(first().await["hostName"], "host4");
    let second = begin().as_second();
    for (form, expected) in [
        (TimestampForm::Text, json!(BEGIN)),
        (TimestampForm::Seconds, json!(second)),
        (TimestampForm::Milliseconds, json!(second * 1000)),
        (TimestampForm::Absent, Value::Null),
    ] {
        node(&lab)
            .switch(|switches| switches.timestamp_form = form)
            .unwrap();
        assert_eq!(first().await["lastAccessTimestamp"], expected, "{form:?}");
    }
}

#[tokio::test]
async fn an_offline_host_was_heard_of_last_some_time_ago() {
    let (_lab, caller) = accepted().await;
    let answer = caller
        .get(&format!("sensors?sensor_id={LAPTOP_OFFLINE}"))
        .await
        .json();
    let last = &answer["sensors"][0]["lastAccessTimestamp"];
    assert_eq!(last, "2025-03-11T09:00:00Z");
}

#[tokio::test]
async fn settings_come_bare_in_an_array_or_wrapped() {
    let (lab, caller) = accepted().await;
    let settings = json!({ "autoTurnoffTimeoutInSec": 7200,
        "excludedRules": [{ "direction": "both", "remoteIpv4Address": "10.0.0.1" }] });
    let objects = json!([{ "file": { "md5": MD5 } }]);
    for (shape, isolated, prevented) in [
        (ResponseShape::Array, json!([settings]), objects.clone()),
        (
            ResponseShape::Wrapped,
            json!({ "settings": settings }),
            json!({ "settings": { "objects": objects } }),
        ),
    ] {
        node(&lab)
            .switch(|switches| switches.response_shape = shape)
            .unwrap();
        let set = caller
            .post(&isolation(HOST4), &json!({ "settings": settings }))
            .await;
        assert_eq!(set.expect(200).json(), isolated, "{shape:?}");
        let read = caller.get(&isolation(HOST4)).await.expect(200);
        assert_eq!(read.json(), isolated, "{shape:?}");
        let body = json!({ "settings": { "objects": objects } });
        let set = caller.post(&prevention(HOST4), &body).await;
        assert_eq!(set.expect(200).json(), prevented, "{shape:?}");
        let read = caller.get(&prevention(HOST4)).await.expect(200);
        assert_eq!(read.json(), prevented, "{shape:?}");
    }
}

#[tokio::test]
async fn a_delete_answers_nothing_or_an_empty_object() {
    let (lab, caller) = accepted().await;
    let body = json!({ "settings": { "autoTurnoffTimeoutInSec": 7200 } });
    for (form, text) in [(DeleteBody::Empty, ""), (DeleteBody::Object, "{}")] {
        node(&lab)
            .switch(|switches| switches.delete_body = form)
            .unwrap();
        caller.post(&isolation(HOST4), &body).await.expect(200);
        assert_eq!(
            caller.delete(&isolation(HOST4)).await.expect(200).text,
            text
        );
    }
}

#[tokio::test]
async fn the_command_of_a_task_stands_beside_the_schedule_or_inside() {
    let (lab, caller) = accepted().await;
    let id = "0F8FAD5B-D9CB-469F-A165-70867728950E";
    let task = json!({ "schedule": { "startNow": false }, "execCommand": "a.exe" });
    let created = caller
        .post(&new_task(id, HOST4), &json!({ "task": task }))
        .await;
    assert_eq!(created.expect(200).json()["task"], task);
    node(&lab)
        .switch(|switches| switches.exec_command_in_schedule = true)
        .unwrap();
    let read = caller
        .get(&format!("tasks/{id}?settings=true"))
        .await
        .expect(200);
    let inside = json!({ "schedule": { "startNow": false, "execCommand": "a.exe" } });
    assert_eq!(read.json()["task"], inside);
}

#[tokio::test]
async fn the_older_form_of_exclusions_is_taken_with_its_switch_only() {
    let (lab, caller) = accepted().await;
    let body = json!({ "settings": { "autoTurnoffTimeoutInSec": 7200,
        "excludedRules": [{ "direction": "both", "remoteIpv6Address": "fe80::1" }] } });
    caller.post(&isolation(HOST4), &body).await.expect(400);
    node(&lab)
        .switch(|switches| switches.legacy_ipv6 = true)
        .unwrap();
    let set = caller
        .post(&isolation(HOST4), &body)
        .await
        .expect(200)
        .json();
    assert_eq!(set, json!([body["settings"]]));
}
