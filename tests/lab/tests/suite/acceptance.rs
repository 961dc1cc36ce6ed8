//! The thirteen rows of the sheet's acceptance list (§4.7), one test each.

use cordon_lab::frame::ClientCertificate;
use cordon_lab::kata::{
    Approval, HOST4, HOST4_UPPER, Origin, TIMEOUT_S_MAX, TIMEOUT_S_MIN, WINDOWS_SERVER, WebRule,
};
use serde_json::{Value, json};

use crate::support::{Caller, accepted, isolation, lab, new_task, node, prevention, seconds};

const X: &str = "830195824b742ee59390bc5b9302688c778fc95a64e7d597e28a74c03a04dd63";
const Y: &str = "d8e577bf078c45954f4531885478d5a9";
const Z: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const TASK: &str = "0F8FAD5B-D9CB-469F-A165-70867728950E";

/// The one error body that the vendor prints, byte for byte.
const NOT_FOUND: &str = r#"{"error":"Not Found"}"#;

fn objects(hashes: &[&str]) -> Value {
    let objects: Vec<Value> = hashes.iter().map(|hash| object(hash)).collect();
    json!({ "settings": { "objects": objects } })
}

fn object(hash: &str) -> Value {
    match hash.len() {
        32 => json!({ "file": { "md5": hash } }),
        _ => json!({ "file": { "sha256": hash } }),
    }
}

fn for_two_hours() -> Value {
    json!({ "settings": { "autoTurnoffTimeoutInSec": 7200 } })
}

fn run(command: &str) -> Value {
    json!({ "task": { "schedule": { "startNow": true }, "execCommand": command } })
}

#[tokio::test]
async fn row_01_a_new_system_waits_for_the_administrator_and_follows_his_word() {
    let lab = lab().await;
    let certificate = ClientCertificate::make("newcomer").unwrap();
    let caller = Caller::with(&lab, Some(&certificate)).named("0A1B2C3D4E5F");

    let refused = caller.get("sensors").await.expect(401);
    assert_eq!(refused.json(), json!({ "error": "Unauthorized" }));
    caller.get(&isolation(HOST4)).await.expect(401);
    caller
        .post(&new_task(TASK, HOST4), &run("a.exe"))
        .await
        .expect(401);
    let systems = node(&lab).external_systems();
    let system = systems.iter().find(|one| one.id == "0A1B2C3D4E5F").unwrap();
    assert_eq!(system.approval, Approval::Pending);
    assert_eq!(system.certificate_sha256, certificate.sha256());

    node(&lab).accept("0a1b2c3d4e5f", None).unwrap();
    caller.get("sensors").await.expect(200);

    node(&lab).reject("0A1B2C3D4E5F", None).unwrap();
    caller.get("sensors").await.expect(401);
    assert!(
        node(&lab).tasks().is_empty(),
        "what was refused did nothing"
    );
}

#[tokio::test]
async fn row_02_the_right_id_with_another_certificate_is_refused() {
    let (lab, caller) = accepted().await;
    let other = ClientCertificate::make("somebody else").unwrap();
    Caller::with(&lab, Some(&other))
        .get("sensors")
        .await
        .expect(401);
    caller.get("sensors").await.expect(200);
    let approvals: Vec<_> = node(&lab)
        .external_systems()
        .into_iter()
        .map(|system| system.approval)
        .collect();
    assert_eq!(approvals, [Approval::Accepted, Approval::Pending]);
}

#[tokio::test]
async fn row_03_the_name_filter_minds_the_case_and_filters_are_combined() {
    let (_lab, caller) = accepted().await;
    let ids = async |query: &str| -> Vec<String> {
        let answer = caller
            .get(&format!("sensors?{query}"))
            .await
            .expect(200)
            .json();
        let sensors = answer["sensors"].as_array().unwrap();
        let id = |sensor: &Value| sensor["sensorId"].as_str().unwrap().to_owned();
        sensors.iter().map(id).collect()
    };
    assert_eq!(ids("host=host4").await, [HOST4]);
    assert_eq!(ids("host=HOST4").await, [HOST4_UPPER]);
    assert_eq!(ids("host=Host4").await, [""; 0]);
    assert_eq!(ids("host=host4&ip=10.16.40.243").await, [HOST4]);
    assert_eq!(ids("host=host4&ip=10.16.40.244").await, [""; 0]);
    let id = HOST4.to_lowercase();
    assert_eq!(ids(&format!("sensor_id={id}&host=host4")).await, [HOST4]);
    assert_eq!(
        ids("ip=10.16.40.61").await.len(),
        2,
        "an address used twice"
    );
}

#[tokio::test]
async fn row_04_isolation_lasts_from_one_to_9999_hours_given_in_seconds() {
    let (lab, caller) = accepted().await;
    let isolate = async |timeout: Value| {
        let body = json!({ "settings": { "autoTurnoffTimeoutInSec": timeout } });
        caller.post(&isolation(HOST4), &body).await.status
    };
    assert_eq!((TIMEOUT_S_MIN, TIMEOUT_S_MAX), (3600, 35_996_400));
    for wrong in [
        json!(3599),
        json!(35_996_401),
        json!("7200"),
        json!(7200.5),
        json!(null),
    ] {
        assert_eq!(isolate(wrong.clone()).await, 400, "{wrong}");
    }
    assert!(!node(&lab).host(HOST4).unwrap().isolated());
    for right in [3600, 3601, 35_996_400] {
        assert_eq!(isolate(json!(right)).await, 200, "{right}");
        assert!(node(&lab).host(HOST4).unwrap().isolated());
    }
}

#[tokio::test]
async fn row_05_isolation_ends_by_itself_while_its_rule_stays_until_it_is_deleted() {
    let (lab, caller) = accepted().await;
    let state = |what: &str| {
        let host = node(&lab).host(HOST4).unwrap();
        assert!(host.isolation.is_some(), "{what}");
        host.isolated()
    };
    caller
        .post(&isolation(HOST4), &for_two_hours())
        .await
        .expect(200);
    let set = caller.get(&isolation(HOST4)).await.expect(200);
    assert_eq!(set.json(), json!([{ "autoTurnoffTimeoutInSec": 7200 }]));
    seconds(&lab, 7199);
    assert!(state("just before the end"));

    seconds(&lab, 1);
    assert!(!state("at the end"));
    assert_eq!(
        caller.get(&isolation(HOST4)).await,
        set,
        "the answer does not show it"
    );

    caller.delete(&isolation(HOST4)).await.expect(200);
    let gone = caller.get(&isolation(HOST4)).await.expect(404);
    assert_eq!(gone.text, NOT_FOUND);
    let again = caller.delete(&isolation(HOST4)).await.expect(404);
    assert_eq!(again.text, NOT_FOUND);
}

#[tokio::test]
async fn row_06_each_direction_takes_only_its_own_port_range() {
    let (_lab, caller) = accepted().await;
    let ports = json!({ "fromPort": 3389, "toPort": 3389 });
    // direction; then with local ports, remote ports, neither, both
    let table = [
        (Some("inbound"), [200, 400, 200, 400]),
        (Some("outbound"), [400, 200, 200, 400]),
        (Some("both"), [400, 400, 200, 400]),
        (None, [400, 400, 200, 400]),
    ];
    let columns: [&[&str]; 4] = [
        &["localPortRange"],
        &["remotePortRange"],
        &[],
        &["localPortRange", "remotePortRange"],
    ];
    for (direction, expected) in table {
        for (ranges, status) in columns.iter().zip(expected) {
            let mut rule = json!({ "remoteIpv4Address": "10.16.41.0" });
            if let Some(direction) = direction {
                rule["direction"] = json!(direction);
            }
            for range in *ranges {
                rule[*range] = ports.clone();
            }
            let body = json!({ "settings": {
                "excludedRules": [rule], "autoTurnoffTimeoutInSec": 7200 } });
            let answer = caller.post(&isolation(HOST4), &body).await;
            assert_eq!(answer.status, status, "{body}: {}", answer.text);
            if status == 200 {
                let shown = direction.unwrap_or("both");
                assert_eq!(answer.json()[0]["excludedRules"][0]["direction"], shown);
            }
        }
    }
}

#[tokio::test]
async fn row_07_setting_isolation_again_without_exclusions_drops_them() {
    let (_lab, caller) = accepted().await;
    let mut body = for_two_hours();
    body["settings"]["excludedRules"] = json!([
        { "direction": "inbound", "protocol": 6, "remoteIpv4Address": "10.16.41.0",
          "localPortRange": { "fromPort": 3389, "toPort": 3389 } },
        { "direction": "outbound", "remoteIpv4Address": "10.16.41.1",
          "remotePortRange": { "fromPort": 13957, "toPort": 55409 } },
        { "direction": "both", "protocol": 6, "remoteIpv4Address": "10.16.41.2" },
    ]);
    caller.post(&isolation(HOST4), &body).await.expect(200);
    let shown = caller.get(&isolation(HOST4)).await.expect(200).json();
    assert_eq!(shown, json!([body["settings"]]));

    caller
        .post(&isolation(HOST4), &for_two_hours())
        .await
        .expect(200);
    let shown = caller.get(&isolation(HOST4)).await.expect(200).json();
    assert_eq!(shown, json!([{ "autoTurnoffTimeoutInSec": 7200 }]));
}

#[tokio::test]
async fn row_08_prevention_rules_of_a_host_are_replaced_whoever_made_them() {
    let (lab, caller) = accepted().await;
    let answer = caller
        .post(&prevention(HOST4), &objects(&[X, Y]))
        .await
        .expect(200);
    assert_eq!(answer.json(), json!([object(X), object(Y)]));
    caller
        .post(&prevention(HOST4), &objects(&[Z]))
        .await
        .expect(200);
    let shown = caller.get(&prevention(HOST4)).await.expect(200).json();
    assert_eq!(shown, json!([object(Z)]));

    let by_hand = WebRule {
        scope: HOST4.to_owned(),
        hash: Y.to_owned(),
    };
    let rules = node(&lab).add_web_rule(&by_hand).unwrap();
    assert_eq!(rules[1].origin, Origin::Web);
    let shown = caller.get(&prevention(HOST4)).await.expect(200).json();
    assert_eq!(shown, json!([object(Z), object(Y)]));
    caller
        .post(&prevention(HOST4), &objects(&[X]))
        .await
        .expect(200);
    let shown = caller.get(&prevention(HOST4)).await.expect(200).json();
    assert_eq!(shown, json!([object(X)]));
}

#[tokio::test]
async fn row_09_a_file_has_rules_for_all_hosts_or_for_single_ones_but_not_both() {
    let (lab, caller) = accepted().await;
    caller
        .post(&prevention(HOST4), &objects(&[X, Y]))
        .await
        .expect(200);

    let conflict = caller
        .post(&prevention("all"), &objects(&[Z, Y, X]))
        .await
        .expect(409);
    assert_eq!(conflict.json()["sensors"], json!([HOST4]));
    assert_eq!(
        conflict.json()["file"],
        json!({ "md5": Y }),
        "only the first in the request"
    );
    caller.get(&prevention("all")).await.expect(404);
    node(&lab)
        .switch(|switches| switches.prevention_conflict_status = 400)
        .unwrap();
    caller
        .post(&prevention("all"), &objects(&[X]))
        .await
        .expect(400);
    node(&lab)
        .switch(|switches| switches.prevention_conflict_status = 409)
        .unwrap();

    caller.delete(&prevention(HOST4)).await.expect(200);
    caller
        .post(&prevention("all"), &objects(&[X, Y]))
        .await
        .expect(200);
    let conflict = caller
        .post(&prevention(HOST4), &objects(&[Z, X]))
        .await
        .expect(409);
    assert_eq!(conflict.json()["file"], json!({ "sha256": X }));
    let sensors = conflict.json()["sensors"].as_array().unwrap().clone();
    assert!(sensors.contains(&json!(HOST4)), "{sensors:?}");
    caller.get(&prevention(HOST4)).await.expect(404);
    caller
        .post(&prevention("all"), &objects(&[X]))
        .await
        .expect(200);
    let shown = caller.get(&prevention("all")).await.expect(200).json();
    assert_eq!(
        shown,
        json!([object(X)]),
        "a scope never conflicts with itself"
    );
}

#[tokio::test]
async fn row_10_an_empty_list_and_delete_are_equal() {
    let (_lab, caller) = accepted().await;
    for scope in [HOST4, "all"] {
        let mut answers = Vec::new();
        for empty_list in [true, false] {
            caller
                .post(&prevention(scope), &objects(&[X]))
                .await
                .expect(200);
            for _ in 0..2 {
                answers.push(if empty_list {
                    caller.post(&prevention(scope), &objects(&[])).await
                } else {
                    caller.delete(&prevention(scope)).await
                });
                let gone = caller.get(&prevention(scope)).await.expect(404);
                assert_eq!(gone.text, NOT_FOUND);
            }
        }
        assert_eq!(answers[0].status, 200);
        assert_eq!(answers[..2], answers[2..], "{scope}");
    }
}

#[tokio::test]
async fn row_11_a_task_lives_from_its_creation_through_its_states_to_its_deletion() {
    let (lab, caller) = accepted().await;
    let path = format!("tasks/{TASK}");
    let mut body = run("Example.exe");
    body["task"]["cmdLineParameters"] = json!("/all");
    body["task"]["workingDirectory"] = json!("C:\\Windows\\System32\\");
    let created = caller
        .post(&new_task(TASK, HOST4), &body)
        .await
        .expect(200)
        .json();
    assert_eq!(created, json!({ "state": "pending", "task": body["task"] }));
    assert_eq!(
        caller.get(&path).await.expect(200).json(),
        json!({ "state": "pending" })
    );
    seconds(&lab, 1);
    let start = "2025-03-14T09:00:01Z";
    assert_eq!(
        caller.get(&path).await.expect(200).json(),
        json!({ "state": "processing", "latestStartDateTime": start })
    );
    seconds(&lab, 2);
    assert_eq!(
        caller
            .get(&format!("{path}?settings=true"))
            .await
            .expect(200)
            .json(),
        json!({ "state": "completed", "latestStartDateTime": start, "task": body["task"] })
    );

    let other = run("Other.exe");
    caller
        .post(&new_task(TASK, WINDOWS_SERVER), &other)
        .await
        .expect(409);
    caller
        .post(&new_task(&TASK.to_lowercase(), HOST4), &other)
        .await
        .expect(409);
    assert_eq!(
        node(&lab).task(TASK).unwrap().settings.exec_command,
        "Example.exe"
    );

    caller.delete(&path).await.expect(200);
    assert_eq!(caller.get(&path).await.expect(404).text, NOT_FOUND);
    assert_eq!(caller.delete(&path).await.expect(404).text, NOT_FOUND);
}

#[tokio::test]
async fn row_12_a_task_read_without_settings_has_none() {
    let (_lab, caller) = accepted().await;
    caller
        .post(&new_task(TASK, HOST4), &run("a.exe"))
        .await
        .expect(200);
    let task = async |query: &str| {
        let answer = caller
            .get(&format!("tasks/{TASK}{query}"))
            .await
            .expect(200)
            .json();
        answer.as_object().unwrap().contains_key("task")
    };
    assert!(!task("").await);
    assert!(!task("?settings=false").await);
    assert!(task("?settings=true").await);
    caller
        .get(&format!("tasks/{TASK}?settings=yes"))
        .await
        .expect(400);
}

#[tokio::test]
async fn row_13_one_misspelling_of_the_documents_is_taken_with_a_warning_the_other_refused() {
    let (lab, caller) = accepted().await;
    let body = json!({ "task": { "shedule": { "startNow": true }, "execCommand": "a.exe" } });
    let created = caller
        .post(&new_task(TASK, HOST4), &body)
        .await
        .expect(200)
        .json();
    assert_eq!(created["task"]["schedule"], json!({ "startNow": true }));
    let records = lab.kata.requests.of_route("create-task");
    assert_eq!(records[0].warnings, ["task.shedule was taken for schedule"]);

    let path = format!("settings?sensor_id={HOST4}&settings_type=network_izolation");
    caller.post(&path, &for_two_hours()).await.expect(400);
    assert_eq!(node(&lab).host(HOST4).unwrap().isolation, None);
}
