//! Whatever bytes come in, a documented status goes out, and many callers at once do no harm.

use std::net::SocketAddr;
use std::sync::OnceLock;

use cordon_lab::frame::{Caller as Sender, Product, Request};
use cordon_lab::kata::{EXTERNAL_SYSTEM_ID, HOST4, Kata};
use cordon_lab::{Lab, Options};
use http::{HeaderMap, Method};
use proptest::prelude::*;
use reqwest::Method as Verb;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use uuid::Uuid;

use crate::support::{accepted, isolation, new_task, node};

/// All that the documents and the order of checks allow.
const STATUSES: [u16; 6] = [200, 400, 401, 404, 405, 409];

/// One node for all cases: its state is part of what they meet.
fn shared() -> &'static Kata {
    static LAB: OnceLock<Lab> = OnceLock::new();
    let lab = LAB.get_or_init(|| Lab::start_blocking(Options::new().unwrap()).unwrap());
    &lab.kata.product
}

fn ask(method: Method, path: String, query: Option<String>, body: Vec<u8>) -> (u16, String) {
    let node = shared();
    let request = Request {
        method,
        path,
        query,
        headers: HeaderMap::new(),
        body: body.into(),
        caller: Sender {
            connection: 0,
            address: SocketAddr::from(([127, 0, 0, 1], 1)),
            certificate_sha256: Some(node.credentials().certificate.sha256()),
        },
    };
    assert!(node.routes().contains(&node.route(&request)));
    let reply = node.answer(&request);
    let text = String::from_utf8(reply.body.to_vec()).unwrap();
    (reply.status.as_u16(), text)
}

/// An answer is a documented status, and a refusal says why in JSON.
fn check((status, text): (u16, String)) {
    assert!(STATUSES.contains(&status), "{status} {text}");
    if status != 200 {
        let error: Value = serde_json::from_str(&text).unwrap();
        assert!(!error["error"].as_str().unwrap().is_empty());
    }
}

fn method() -> impl Strategy<Value = Method> {
    prop_oneof![
        Just(Method::GET),
        Just(Method::POST),
        Just(Method::DELETE),
        Just(Method::PUT),
        Just(Method::HEAD),
    ]
}

fn base(rest: &str) -> String {
    format!("/kata/response_api/v1/{EXTERNAL_SYSTEM_ID}/{rest}")
}

/// JSON of any shape.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 5, |inner| {
        let name = prop_oneof![
            Just("settings".to_owned()),
            Just("objects".to_owned()),
            Just("file".to_owned()),
            Just("excludedRules".to_owned()),
            Just("autoTurnoffTimeoutInSec".to_owned()),
            Just("task".to_owned()),
            Just("schedule".to_owned()),
            ".{0,8}",
        ];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((name, inner), 0..5)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

/// A right body of each kind, to be spoilt in one place.
fn right_bodies() -> Vec<(String, String, Value)> {
    let id = Uuid::nil();
    let query = |kind: &str| format!("sensor_id={HOST4}&settings_type={kind}");
    vec![
        (
            base("settings"),
            query("network_isolation"),
            json!({ "settings": { "autoTurnoffTimeoutInSec": 7200, "excludedRules": [
                { "direction": "inbound", "protocol": 6, "remoteIpv4Address": "10.16.41.0",
                  "localPortRange": { "fromPort": 1, "toPort": 2 } }] } }),
        ),
        (
            base("settings"),
            query("prevention"),
            json!({ "settings": { "objects": [{ "file": { "md5": "0".repeat(32) } }] } }),
        ),
        (
            base(&format!("tasks/{id}")),
            format!("sensor_id={HOST4}&task_type=run_process"),
            json!({ "task": { "schedule": { "startNow": true }, "execCommand": "a",
                "cmdLineParameters": "b", "workingDirectory": "c" } }),
        ),
    ]
}

/// Replaces the value at the `place`-th leaf or branch, counted in order of walking.
fn spoil(value: &mut Value, place: &mut usize, by: &Value) {
    if *place == 0 {
        *value = by.clone();
    }
    *place = place.wrapping_sub(1);
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| spoil(item, place, by)),
        Value::Object(fields) => fields.values_mut().for_each(|item| spoil(item, place, by)),
        _ => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_path_gets_a_documented_answer(
        method in method(),
        path in "/?(kata|response_api|v1|sensors|settings|tasks|%[0-9a-fA-F]{2}|.|/){0,10}",
        query in prop::option::of(".{0,40}"),
    ) {
        check(ask(method, path, query, Vec::new()));
    }

    #[test]
    fn any_query_gets_a_documented_answer(
        method in method(),
        rest in prop_oneof![Just("sensors"), Just("settings"), Just("tasks/%ff"), Just("tasks/x")],
        names in prop::collection::vec(
            (prop_oneof![Just("sensor_id"), Just("settings_type"), Just("task_type"),
                Just("settings"), Just("host"), Just("ip")],
             prop_oneof![Just(HOST4.to_owned()), Just("all".to_owned()),
                Just("prevention".to_owned()), Just("network_isolation".to_owned()),
                Just("run_process".to_owned()), ".{0,10}"]), 0..5),
    ) {
        let query: Vec<String> = names.iter().map(|(name, value)| format!("{name}={value}")).collect();
        check(ask(method, base(rest), Some(query.join("&")), b"{}".to_vec()));
    }

    #[test]
    fn any_bytes_as_a_body_get_a_documented_answer(
        which in 0usize..3,
        body in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let (path, query, _) = right_bodies().swap_remove(which);
        check(ask(Method::POST, path, Some(query), body));
    }

    #[test]
    fn any_json_as_a_body_gets_a_documented_answer(which in 0usize..3, body in any_json()) {
        let (path, query, _) = right_bodies().swap_remove(which);
        check(ask(Method::POST, path, Some(query), body.to_string().into_bytes()));
    }

    #[test]
    fn a_right_body_spoilt_in_one_place_gets_a_documented_answer(
        which in 0usize..3,
        place in 0usize..16,
        by in any_json(),
    ) {
        let (path, query, mut body) = right_bodies().swap_remove(which);
        spoil(&mut body, &mut { place }, &by);
        check(ask(Method::POST, path, Some(query), body.to_string().into_bytes()));
    }
}

#[test]
fn the_bodies_that_are_spoilt_above_are_right() {
    for (path, query, body) in right_bodies() {
        let (status, text) = ask(
            Method::POST,
            path,
            Some(query),
            body.to_string().into_bytes(),
        );
        // A task of this id may be there from a case before.
        assert!([200, 409].contains(&status), "{status} {text}");
    }
}

#[tokio::test]
async fn a_deeply_nested_body_is_refused() {
    let (_lab, caller) = accepted().await;
    let body = "[".repeat(100_000);
    caller.post_text(&isolation(HOST4), &body).await.expect(400);
}

#[tokio::test]
async fn an_overlong_body_is_refused() {
    let (_lab, caller) = accepted().await;
    let url = caller.url(&isolation(HOST4));
    let body = "x".repeat(5 * 1024 * 1024);
    let answer = caller.try_send(Verb::POST, url, Some(body)).await;
    // The server need not read to the end before it answers and closes.
    assert!(answer.is_err() || answer.unwrap().status == 413);
    caller.get("sensors").await.expect(200);
}

#[tokio::test]
async fn bytes_that_are_no_tls_and_no_http_do_no_harm() {
    let (lab, caller) = accepted().await;
    let servers = [lab.kata.url.as_str(), lab.control_url()];
    for server in servers {
        let address = server.split("//").nth(1).unwrap();
        for bytes in [
            &b"\0\xff\x16\x03\x01\xff\xff"[..],
            b"GET\r\n\r\n",
            &[b'A'; 70_000],
        ] {
            let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
            // Either side may be the first to close.
            let _ = stream.write_all(bytes).await;
            let _ = stream.shutdown().await;
            let mut answer = Vec::new();
            let _ = stream.read_to_end(&mut answer).await;
        }
    }
    caller.get("sensors").await.expect(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_callers_with_one_task_id_exactly_one_creates_it() {
    let (lab, caller) = accepted().await;
    let ids: Vec<String> = (0..8)
        .map(|number| Uuid::from_u128(number).to_string())
        .collect();
    let body = json!({ "task": { "schedule": { "startNow": true }, "execCommand": "a" } });
    let mut calls = Vec::new();
    for number in 0..64 {
        let (caller, body) = (caller.clone(), body.clone());
        let path = new_task(&ids[number % ids.len()], HOST4);
        calls.push(tokio::spawn(async move {
            caller.post(&path, &body).await.status
        }));
    }
    let mut statuses = Vec::new();
    for call in calls {
        statuses.push(call.await.unwrap());
    }
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 8);
    assert_eq!(statuses.iter().filter(|status| **status == 409).count(), 56);
    assert_eq!(lab.kata.requests.applied("create-task"), 8);
    let numbers: Vec<u64> = lab
        .kata
        .requests
        .all()
        .iter()
        .map(|one| one.number)
        .collect();
    assert_eq!(numbers, (1..=64).collect::<Vec<_>>());
    assert_eq!(node(&lab).tasks().len(), 8);
}
