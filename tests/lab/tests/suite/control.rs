//! The control surface over HTTP (§4.4): all that a test in another process can do.

use cordon_lab::Lab;
use cordon_lab::frame::Product;
use cordon_lab::kata::{EXTERNAL_SYSTEM_ID, HOST4, HostView, LAPTOP_OFFLINE};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Caller, accepted, isolation, lab_with, new_task, node, prevention};

const TASK: &str = "0F8FAD5B-D9CB-469F-A165-70867728950E";
const MD5: &str = "d8e577bf078c45954f4531885478d5a9";

struct Control {
    caller: Caller,
    url: String,
}

impl Control {
    fn of(lab: &Lab) -> Self {
        Self {
            caller: Caller::accepted(lab),
            url: lab.control_url_of(node(lab)),
        }
    }

    async fn call(&self, method: Method, path: &str, body: Value) -> Answer {
        let url = format!("{}{path}", self.url);
        let body = (!body.is_null()).then(|| body.to_string());
        self.caller.try_send(method, url, body).await.unwrap()
    }

    async fn get(&self, path: &str) -> Value {
        self.call(Method::GET, path, Value::Null)
            .await
            .expect(200)
            .json()
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        self.call(Method::POST, path, body).await.expect(200).json()
    }
}

#[tokio::test]
async fn an_administrator_accepts_rejects_and_forgets_over_http() {
    let lab = lab_with(|options| options.kata.accepted = false).await;
    let (control, caller) = (Control::of(&lab), Caller::accepted(&lab));
    assert_eq!(control.get("/external-systems").await, json!([]));
    caller.get("sensors").await.expect(401);
    let waiting = control.get("/external-systems").await;
    assert_eq!(waiting[0]["approval"], "pending");
    assert_eq!(waiting[0]["remote_address"], "127.0.0.1");

    let path = format!("/external-systems/{EXTERNAL_SYSTEM_ID}");
    control.post(&format!("{path}/accept"), Value::Null).await;
    caller.get("sensors").await.expect(200);
    let certificate = waiting[0]["certificate_sha256"].clone();
    let named = json!({ "certificate_sha256": certificate });
    control.post(&format!("{path}/reject"), named).await;
    caller.get("sensors").await.expect(401);
    control
        .call(Method::DELETE, &path, Value::Null)
        .await
        .expect(200);
    assert_eq!(control.get("/external-systems").await, json!([]));
    let unknown = control
        .call(Method::POST, &format!("{path}/accept"), Value::Null)
        .await;
    assert!(unknown.expect(404).text.contains("external system"));
}

#[tokio::test]
async fn the_true_isolation_of_a_host_is_seen_and_time_is_moved() {
    let (lab, caller) = accepted().await;
    let control = Control::of(&lab);
    let body = json!({ "settings": { "autoTurnoffTimeoutInSec": 7200 } });
    caller.post(&isolation(HOST4), &body).await.expect(200);
    let path = format!("/hosts/{HOST4}");
    let view: HostView = serde_json::from_value(control.get(&path).await).unwrap();
    assert!(view.isolated());
    assert_eq!(
        view.isolation.unwrap().rule.ends_at.to_string(),
        "2025-03-14T11:00:00Z"
    );

    let now = control.post("/clock/advance", json!({ "by": "2h" })).await;
    assert_eq!(now, json!({ "now": "2025-03-14T11:00:00Z" }));
    assert_eq!(control.get("/clock").await, now);
    let view = control.get(&path).await;
    assert_eq!(view["isolation"]["active"], false);
    assert_eq!(view["isolation"]["timeout_s"], 7200);
    let wrong = control
        .call(Method::POST, "/clock/advance", json!({ "by": "2" }))
        .await;
    assert!(wrong.expect(400).text.contains("2h"));
}

#[tokio::test]
async fn hosts_are_added_changed_and_taken_off_the_network() {
    let (lab, caller) = accepted().await;
    let control = Control::of(&lab);
    let new = json!({ "name": "kiosk-1", "ip": "10.9.9.9",
        "details": { "os_family": "Linux", "capabilities": ["network_isolation"] } });
    let added = control.post("/hosts", new).await;
    let id = added["sensor_id"].as_str().unwrap();
    let listed = caller.get("sensors?host=kiosk-1").await.expect(200).json();
    assert_eq!(listed["sensors"][0]["sensorId"], id);
    assert_eq!(listed["sensors"][0]["osFamily"], "Linux");
    caller.get(&prevention(id)).await.expect(400);

    let path = format!("/hosts/{id}");
    let change = json!({ "ip": "10.9.9.10", "license_status": "expired" });
    let changed = control.call(Method::PATCH, &path, change).await.expect(200);
    assert_eq!(changed.json()["ip"], "10.9.9.10");
    assert_eq!(
        control.post(&format!("{path}/offline"), Value::Null).await["online"],
        false
    );
    assert_eq!(
        control.post(&format!("{path}/online"), Value::Null).await["online"],
        true
    );

    let taken = json!({ "name": "x", "ip": "y", "sensor_id": HOST4.to_lowercase() });
    control
        .call(Method::POST, "/hosts", taken)
        .await
        .expect(409);
    let unknown = json!({ "colour": "red" });
    control
        .call(Method::PATCH, &path, unknown)
        .await
        .expect(400);
    let nobody = "/hosts/00000000-0000-4000-8000-000000000000";
    control
        .call(Method::GET, nobody, Value::Null)
        .await
        .expect(404);
    assert_eq!(control.get("/hosts").await.as_array().unwrap().len(), 7);
}

#[tokio::test]
async fn rules_made_by_hand_are_seen_with_their_origin() {
    let (lab, caller) = accepted().await;
    let control = Control::of(&lab);
    let rules = control
        .post("/prevention", json!({ "scope": "all", "hash": MD5 }))
        .await;
    assert_eq!(rules, json!([{ "file": { "md5": MD5 }, "origin": "web" }]));
    assert_eq!(control.get("/prevention/all").await, rules);
    caller.get(&prevention("all")).await.expect(200);
    let meets = json!({ "scope": HOST4, "hash": MD5 });
    control
        .call(Method::POST, "/prevention", meets)
        .await
        .expect(409);
    let no_hash = json!({ "scope": HOST4, "hash": "abc" });
    control
        .call(Method::POST, "/prevention", no_hash)
        .await
        .expect(400);
}

#[tokio::test]
async fn switches_change_one_by_one_and_nonsense_changes_none() {
    let (lab, _) = accepted().await;
    let control = Control::of(&lab);
    let change = json!({ "response_shape": "wrapped", "emit_host_name": true });
    let changed = control
        .call(Method::PATCH, "/switches", change)
        .await
        .expect(200)
        .json();
    assert_eq!(changed["response_shape"], "wrapped");
    assert_eq!(changed["auth_code"], 401);
    for wrong in [
        json!({ "response_shape": "round" }),
        json!({ "auth_code": 500 }),
        json!({ "prevention_conflict_status": 200 }),
        json!({ "emit_host_names": true }),
    ] {
        control
            .call(Method::PATCH, "/switches", wrong)
            .await
            .expect(400);
    }
    assert_eq!(control.get("/switches").await, changed);
}

#[tokio::test]
async fn faults_are_ordered_seen_and_ended() {
    let (lab, caller) = accepted().await;
    let control = Control::of(&lab);
    let rule = json!({ "route": "list-hosts", "times": 2,
        "fault": { "kind": "status", "status": 503, "body": "html" } });
    let rules = control.post("/faults", rule).await;
    assert_eq!(rules[0]["times"], 2);
    assert_eq!(
        caller.get("sensors").await.expect(503).content_type,
        "text/html"
    );
    assert_eq!(control.get("/faults").await[0]["times"], 1);
    control
        .call(Method::DELETE, "/faults", Value::Null)
        .await
        .expect(200);
    caller.get("sensors").await.expect(200);

    let wrong = json!({ "route": "list-host", "fault": { "kind": "drop-after" } });
    let refused = control
        .call(Method::POST, "/faults", wrong)
        .await
        .expect(400);
    assert!(refused.text.contains("list-hosts"), "{}", refused.text);
    let wrong = json!({ "fault": { "kind": "status", "status": 101 } });
    control
        .call(Method::POST, "/faults", wrong)
        .await
        .expect(400);
    let wrong = json!({ "fault": { "kind": "redirect", "location": "a\nb" } });
    control
        .call(Method::POST, "/faults", wrong)
        .await
        .expect(400);
}

#[tokio::test]
async fn the_request_log_shows_what_was_asked_and_what_was_done() {
    let (lab, caller) = accepted().await;
    let control = Control::of(&lab);
    caller.get("sensors?host=host4").await.expect(200);
    let body = json!({ "task": { "schedule": { "startNow": true }, "execCommand": "a.exe" } });
    caller
        .post(&new_task(TASK, LAPTOP_OFFLINE), &body)
        .await
        .expect(200);
    let log = control.get("/requests").await;
    assert_eq!(log[0]["route"], "list-hosts");
    assert_eq!(log[0]["applied"], false);
    assert!(
        log[0]["target"]
            .as_str()
            .unwrap()
            .ends_with("/sensors?host=host4")
    );
    let created = control.get("/requests?route=create-task").await;
    assert_eq!(created.as_array().unwrap().len(), 1);
    assert_eq!(created[0]["number"], 2);
    assert_eq!(created[0]["applied"], true);
    assert_eq!(created[0]["status"], 200);
    assert_eq!(created[0]["body"], body.to_string());
    assert_eq!(control.get("/tasks").await[0]["state"], "pending");

    control
        .call(Method::DELETE, "/requests", Value::Null)
        .await
        .expect(200);
    assert_eq!(control.get("/requests").await, json!([]));
    control.post("/reset", Value::Null).await;
    assert_eq!(control.get("/tasks").await, json!([]));
}

#[tokio::test]
async fn the_overview_is_a_page_for_browsers_and_text_for_terminals() {
    let (lab, caller) = accepted().await;
    let body = json!({ "settings": { "autoTurnoffTimeoutInSec": 7200 } });
    caller.post(&isolation(HOST4), &body).await.expect(200);
    node(&lab)
        .edit_host(
            LAPTOP_OFFLINE,
            cordon_lab::kata::HostEdit {
                name: Some("<script>alert(1)</script>".to_owned()),
                ..Default::default()
            },
        )
        .unwrap();
    for url in [
        format!("{}/", lab.control_url()),
        lab.control_url_of(node(&lab)),
    ] {
        let text = caller
            .try_send(Method::GET, url.clone(), None)
            .await
            .unwrap();
        let line = text.text.lines().find(|line| line.contains(HOST4)).unwrap();
        assert!(
            line.contains("ISOLATED until 2025-03-14T11:00:00Z"),
            "{line}"
        );
        let page = caller
            .http
            .get(url)
            .header("accept", "text/html,*/*")
            .send()
            .await
            .unwrap();
        assert_eq!(page.headers()["content-type"], "text/html; charset=utf-8");
        let page = page.text().await.unwrap();
        assert!(page.contains("ISOLATED"), "{page}");
        assert!(!page.contains("<script>"), "{page}");
    }
}

#[tokio::test]
async fn what_is_not_there_is_said_so() {
    let (lab, caller) = accepted().await;
    for path in [
        "/nonsense",
        "/kata/nonsense",
        "/kata/%ff",
        "/kata/hosts/x/y",
    ] {
        let url = format!("{}{path}", lab.control_url());
        let answer = caller
            .try_send(Method::GET, url, None)
            .await
            .unwrap()
            .expect(404);
        assert!(answer.json()["error"].is_string(), "{path}");
    }
}

/// Names stand in backticks or quotes there; a prefix of another name does not count.
#[test]
fn the_guide_names_every_route_and_switch() {
    let lab = Lab::start_blocking(cordon_lab::Options::new().unwrap()).unwrap();
    let guide = include_str!("../../../README.md");
    let switches = serde_json::to_value(node(&lab).switches()).unwrap();
    let switches = switches.as_object().unwrap().keys().map(String::as_str);
    for name in node(&lab).routes().iter().copied().chain(switches) {
        assert!(guide.contains(&format!("`{name}`")), "{name}");
    }
}
