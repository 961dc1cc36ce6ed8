//! The order of checks (§4.2): of several things wrong with a request, the answer tells the first.

use cordon_lab::frame::{ErrorBody, Fault, FaultRule};
use cordon_lab::kata::{HOST4, LINUX_SERVER};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Caller, accepted, isolation, lab, new_task, node, prevention};

const NOBODY: &str = "00000000-0000-4000-8000-000000000000";
const TASK: &str = "0F8FAD5B-D9CB-469F-A165-70867728950E";

fn right() -> Value {
    json!({ "settings": { "autoTurnoffTimeoutInSec": 7200 } })
}

#[tokio::test]
async fn a_fault_comes_before_everything() {
    let lab = lab().await;
    let busy = Fault::Status {
        status: 503,
        body: ErrorBody::Json,
        retry_after_s: None,
        applied: false,
    };
    lab.kata
        .faults
        .add(FaultRule::next("unknown", busy))
        .unwrap();
    let nobody = Caller::with(&lab, None);
    nobody.get("nonsense").await.expect(503);
    nobody.get("nonsense").await.expect(404);
}

#[tokio::test]
async fn path_and_method_come_before_the_caller() {
    let lab = lab().await;
    let nobody = Caller::with(&lab, None);
    for path in [
        "",
        "sensor",
        "sensors/",
        "tasks",
        "tasks/",
        "tasks/a/b",
        "settings/x",
    ] {
        nobody.get(path).await.expect(404);
    }
    for (method, path, allowed) in [
        (Method::POST, "sensors", "GET"),
        (Method::DELETE, "sensors", "GET"),
        (Method::PUT, "settings", "GET, POST, DELETE"),
        (Method::PATCH, "tasks/x", "GET, POST, DELETE"),
    ] {
        let response = nobody
            .http
            .request(method, nobody.url(path))
            .send()
            .await
            .unwrap();
        assert_eq!(response.status().as_u16(), 405, "{path}");
        assert_eq!(response.headers()["allow"], allowed, "{path}");
    }
    assert_eq!(
        node(&lab).external_systems().len(),
        1,
        "no integration request"
    );
}

#[tokio::test]
async fn the_caller_comes_before_query_and_body() {
    let lab = lab().await;
    let nobody = Caller::with(&lab, None);
    nobody.get("settings").await.expect(401);
    let twice = "sensors?sensor_id=4&sensor_id=5";
    nobody.get(twice).await.expect(401);
    nobody
        .post_text(&isolation(HOST4), "nonsense")
        .await
        .expect(401);
}

#[tokio::test]
async fn the_query_comes_before_the_body_and_the_body_before_the_host() {
    let (_lab, caller) = accepted().await;
    let says = async |rest: &str, body: &str, status: u16, text: &str| {
        let answer = caller.post_text(rest, body).await.expect(status);
        let error = answer.json()["error"].as_str().unwrap().to_owned();
        assert!(error.contains(text), "{rest}: {error}");
    };
    let right = right().to_string();
    says("settings?settings_type=x", "nonsense", 400, "settings_type").await;
    says(
        "settings?settings_type=prevention",
        "nonsense",
        400,
        "sensor_id",
    )
    .await;
    says(&isolation("all"), "nonsense", 400, "sensor_id").await;
    says(&isolation(NOBODY), "nonsense", 400, "not JSON").await;
    says(&isolation(NOBODY), "[]", 400, "must be an object").await;
    says(&isolation(NOBODY), &right, 404, "Not Found").await;
    says(
        &prevention(NOBODY),
        r#"{"settings":{}}"#,
        400,
        "settings.objects",
    )
    .await;
    says(
        "tasks/x?sensor_id=y&task_type=z",
        "nonsense",
        400,
        "task_id",
    )
    .await;
    says(
        &format!("tasks/{TASK}?sensor_id={HOST4}&task_type=z"),
        "nonsense",
        400,
        "task_type",
    )
    .await;
    says(&new_task(TASK, "all"), "nonsense", 400, "sensor_id").await;
    says(&new_task(TASK, HOST4), "nonsense", 400, "not JSON").await;
}

#[tokio::test]
async fn the_host_comes_before_what_it_cannot_do_and_that_before_conflicts() {
    let (_lab, caller) = accepted().await;
    let objects = json!({ "settings": { "objects": [{ "file": { "md5": "d8e577bf078c45954f4531885478d5a9" } }] } });
    caller.post(&prevention("all"), &objects).await.expect(200);
    caller.post(&prevention(NOBODY), &objects).await.expect(404);
    caller
        .post(&prevention(LINUX_SERVER), &objects)
        .await
        .expect(400);
    caller.post(&prevention(HOST4), &objects).await.expect(409);

    let task = json!({ "task": { "schedule": { "startNow": true }, "execCommand": "a" } });
    caller.post(&new_task(TASK, HOST4), &task).await.expect(200);
    caller
        .post(&new_task(TASK, NOBODY), &task)
        .await
        .expect(404);
    caller
        .post(&new_task(TASK, LINUX_SERVER), &task)
        .await
        .expect(409);
}

#[tokio::test]
async fn linux_hosts_can_be_isolated_and_run_programs() {
    let (_lab, caller) = accepted().await;
    caller
        .post(&isolation(LINUX_SERVER), &right())
        .await
        .expect(200);
    let task = json!({ "task": { "schedule": { "startNow": true }, "execCommand": "a" } });
    caller
        .post(&new_task(TASK, LINUX_SERVER), &task)
        .await
        .expect(200);
}

#[tokio::test]
async fn a_body_says_where_it_is_wrong() {
    let (lab, caller) = accepted().await;
    let rule = |rule: Value| json!({ "settings": { "autoTurnoffTimeoutInSec": 7200, "excludedRules": [rule] } });
    let address = "10.16.41.0";
    let cases = [
        (json!({}), "settings is missing"),
        (
            json!({ "settings": [right()["settings"]] }),
            "settings must be an object",
        ),
        (
            json!({ "settings": {} }),
            "settings.autoTurnoffTimeoutInSec is missing",
        ),
        (
            rule(json!({})),
            "excludedRules[0].remoteIpv4Address is missing",
        ),
        (
            rule(json!({ "remoteIpv4Address": "10.16.41.0/24" })),
            "must be one IPv4 address",
        ),
        (
            rule(json!({ "remoteIpv4Address": address, "protocol": 256 })),
            "from 0 to 255",
        ),
        (
            rule(json!({ "remoteIpv4Address": address, "protocol": "TCP" })),
            "protocol must be",
        ),
        (
            rule(json!({ "remoteIpv4Address": address, "direction": "in" })),
            "direction must be",
        ),
        (
            rule(json!({ "remoteIpv4Address": address, "direction": ["inbound"] })),
            "a string",
        ),
        (
            rule(
                json!({ "remoteIpv4Address": address, "direction": "inbound",
                "localPortRange": { "fromPort": 0, "toPort": 1 } }),
            ),
            "excludedRules[0].localPortRange.fromPort must be an integer from 1 to 65535, not 0",
        ),
        (
            rule(
                json!({ "remoteIpv4Address": address, "direction": "inbound",
                "localPortRange": { "fromPort": 2, "toPort": 1 } }),
            ),
            "must not be above toPort",
        ),
        (
            rule(
                json!({ "remoteIpv4Address": address, "direction": "inbound",
                "localPortRange": "3389" }),
            ),
            "localPortRange must be an object",
        ),
        (
            rule(json!({ "remoteIpv6Address": "fe80::1" })),
            "remoteIpv6Address is not supported",
        ),
    ];
    for (body, text) in cases {
        let answer = caller
            .post(&isolation(HOST4), &body)
            .await
            .expect(400)
            .json();
        let error = answer["error"].as_str().unwrap();
        assert!(error.contains(text), "{body}: {error}");
    }
    assert_eq!(node(&lab).host(HOST4).unwrap().isolation, None);
}

#[tokio::test]
async fn a_prevention_object_is_one_file_by_one_hash() {
    let (lab, caller) = accepted().await;
    let md5 = "D8E577BF078C45954F4531885478D5A9";
    let cases = [
        (json!({}), "file is missing"),
        (json!({ "path": "a" }), "not a kind of object"),
        (json!({ "file": {} }), "sha256 is missing"),
        (json!({ "file": { "sha256": md5 } }), "64 hex digits"),
        (
            json!({ "file": { "md5": "g".repeat(32) } }),
            "32 hex digits",
        ),
        (json!({ "file": { "md5": 5 } }), "must be a string"),
        (
            json!({ "file": { "md5": md5, "sha256": "0".repeat(64) } }),
            "must not stand beside",
        ),
    ];
    for (object, text) in cases {
        let body = json!({ "settings": { "objects": [object] } });
        let answer = caller
            .post(&prevention(HOST4), &body)
            .await
            .expect(400)
            .json();
        let error = answer["error"].as_str().unwrap();
        assert!(error.contains(text), "{body}: {error}");
    }
    let named = json!({ "file": { "md5": md5, "name": "evil.exe" } });
    let body = json!({ "settings": { "objects": [named, named] } });
    let answer = caller
        .post(&prevention(HOST4), &body)
        .await
        .expect(200)
        .json();
    assert_eq!(answer, json!([{ "file": { "md5": md5.to_lowercase() } }]));
    let records = lab.kata.requests.of_route("set-prevention");
    let warnings = &records.last().unwrap().warnings;
    assert_eq!(warnings[0], "settings.objects[0].file.name was ignored");
}

#[tokio::test]
async fn a_parameter_given_twice_is_wrong_and_an_unknown_one_is_ignored() {
    let (_lab, caller) = accepted().await;
    caller
        .get("sensors?host=host4&host=HOST4")
        .await
        .expect(400);
    caller.get("sensors?sensor_id=4").await.expect(400);
    caller
        .get(&format!("sensors?sensor_id={}", HOST4.replace('-', "")))
        .await
        .expect(400);
    let all = caller
        .get("sensors?ip=&host=&sensor_id=&colour=red")
        .await
        .expect(200);
    assert_eq!(all.json()["sensors"].as_array().unwrap().len(), 6);
}

#[tokio::test]
async fn rules_of_all_hosts_and_of_one_are_deleted_apart() {
    let (_lab, caller) = accepted().await;
    let objects = |digit: &str| json!({ "settings": { "objects": [{ "file": { "md5": digit.repeat(32) } }] } });
    caller
        .post(&prevention("all"), &objects("1"))
        .await
        .expect(200);
    caller
        .post(&prevention(HOST4), &objects("2"))
        .await
        .expect(200);
    caller.delete(&prevention("all")).await.expect(200);
    caller.get(&prevention("all")).await.expect(404);
    caller.get(&prevention(HOST4)).await.expect(200);
}
