//! Injected faults, and that each says truly whether the change was applied (§4.5).

use std::time::Duration;

use cordon_lab::Lab;
use cordon_lab::frame::{ErrorBody, Fault, FaultRule};
use cordon_lab::kata::HOST4;
use futures::StreamExt;
use reqwest::Method;
use serde_json::json;

use crate::support::{Answer, Caller, accepted, isolation, new_task, node};

const TASK: &str = "0F8FAD5B-D9CB-469F-A165-70867728950E";

fn strike(lab: &Lab, route: &str, fault: Fault) {
    lab.kata.faults.add(FaultRule::next(route, fault)).unwrap();
}

async fn try_create(caller: &Caller) -> Result<Answer, reqwest::Error> {
    let body = json!({ "task": { "schedule": { "startNow": true }, "execCommand": "a.exe" } });
    let url = caller.url(&new_task(TASK, HOST4));
    caller
        .try_send(Method::POST, url, Some(body.to_string()))
        .await
}

#[tokio::test]
async fn every_status_that_is_worth_a_retry_comes_as_json_or_as_a_page() {
    let (lab, caller) = accepted().await;
    for status in [429, 500, 502, 503, 504] {
        for body in [ErrorBody::Json, ErrorBody::Html] {
            let fault = Fault::Status {
                status,
                body,
                retry_after_s: Some(7),
                applied: false,
            };
            strike(&lab, "list-hosts", fault);
            let response = caller.http.get(caller.url("sensors")).send().await.unwrap();
            assert_eq!(response.status().as_u16(), status);
            assert_eq!(response.headers()["retry-after"], "7");
            let expected = match body {
                ErrorBody::Json => "application/json",
                ErrorBody::Html => "text/html",
            };
            assert_eq!(response.headers()["content-type"], expected);
            caller.get("sensors").await.expect(200);
        }
    }
}

#[tokio::test]
async fn a_gateway_may_give_up_on_a_request_that_takes_effect() {
    let (lab, caller) = accepted().await;
    for (applied, then) in [(false, 200), (true, 409)] {
        let fault = Fault::Status {
            status: 504,
            body: ErrorBody::Html,
            retry_after_s: None,
            applied,
        };
        strike(&lab, "create-task", fault);
        try_create(&caller).await.unwrap().expect(504);
        assert_eq!(node(&lab).task(TASK).is_some(), applied);
        try_create(&caller).await.unwrap().expect(then);
        lab.kata.reset();
    }
}

#[tokio::test]
async fn a_connection_dropped_before_applying_leaves_nothing_done() {
    let (lab, caller) = accepted().await;
    strike(&lab, "create-task", Fault::DropBefore);
    assert!(try_create(&caller).await.is_err());
    assert_eq!(node(&lab).task(TASK), None);
    let record = &lab.kata.requests.of_route("create-task")[0];
    assert_eq!((record.status, record.applied), (None, false));
    try_create(&caller).await.unwrap().expect(200);
}

#[tokio::test]
async fn a_connection_dropped_after_applying_leaves_the_change_done() {
    let (lab, caller) = accepted().await;
    strike(&lab, "create-task", Fault::DropAfter);
    assert!(try_create(&caller).await.is_err());
    assert!(node(&lab).task(TASK).is_some());
    let record = &lab.kata.requests.of_route("create-task")[0];
    assert_eq!((record.status, record.applied), (None, true));
    assert_eq!(record.fault.as_deref(), Some("dropped after applying"));
    try_create(&caller).await.unwrap().expect(409);
    assert_eq!(lab.kata.requests.applied("create-task"), 1);
}

#[tokio::test]
async fn half_a_body_arrives_and_then_the_connection_breaks() {
    let (lab, caller) = accepted().await;
    strike(&lab, "list-hosts", Fault::HalfBody);
    let response = caller.http.get(caller.url("sensors")).send().await.unwrap();
    assert_eq!(response.status().as_u16(), 200);
    let promised = response.content_length().unwrap();
    let mut received = Vec::new();
    let mut stream = response.bytes_stream();
    let mut broken = false;
    while let Some(chunk) = stream.next().await {
        match chunk {
            Ok(chunk) => received.extend_from_slice(&chunk),
            Err(_) => broken = true,
        }
    }
    assert!(broken);
    assert_eq!(received.len() as u64, promised / 2);
    assert!(received.starts_with(br#"{"server""#));
}

#[tokio::test]
async fn half_of_an_empty_body_breaks_too() {
    let (lab, caller) = accepted().await;
    let body = json!({ "settings": { "autoTurnoffTimeoutInSec": 7200 } });
    caller.post(&isolation(HOST4), &body).await.expect(200);
    strike(&lab, "delete-isolation", Fault::HalfBody);
    let url = caller.url(&isolation(HOST4));
    assert!(caller.try_send(Method::DELETE, url, None).await.is_err());
    assert_eq!(node(&lab).host(HOST4).unwrap().isolation, None);
}

#[tokio::test]
async fn a_huge_body_goes_on_as_long_as_was_asked_for() {
    let (lab, caller) = accepted().await;
    let size_bytes = 8 * 1024 * 1024;
    strike(&lab, "list-hosts", Fault::HugeBody { size_bytes });
    let answer = caller.get("sensors").await.expect(200);
    assert_eq!(
        answer.text.len() as u64,
        size_bytes + r#"{"flood":""#.len() as u64
    );

    let size_bytes = 10 * 1024 * 1024 * 1024;
    strike(&lab, "list-hosts", Fault::HugeBody { size_bytes });
    let response = caller.http.get(caller.url("sensors")).send().await.unwrap();
    let first = response.bytes_stream().next().await.unwrap().unwrap();
    assert!(
        !first.is_empty(),
        "a caller may hang up after the first bytes"
    );
    caller.get("sensors").await.expect(200);
}

#[tokio::test]
async fn a_redirect_leads_where_it_says() {
    let (lab, caller) = accepted().await;
    let location = "https://elsewhere.example/".to_owned();
    strike(
        &lab,
        "list-hosts",
        Fault::Redirect {
            location: location.clone(),
        },
    );
    let response = caller.http.get(caller.url("sensors")).send().await.unwrap();
    assert_eq!(response.status().as_u16(), 302);
    assert_eq!(response.headers()["location"], location);
}

#[tokio::test]
async fn a_delayed_request_takes_effect_although_its_caller_has_gone() {
    let (lab, caller) = accepted().await;
    strike(&lab, "create-task", Fault::Delay { delay_ms: 150 });
    let impatient = tokio::time::timeout(Duration::from_millis(50), try_create(&caller)).await;
    assert!(impatient.is_err());
    let applied = async {
        while node(&lab).task(TASK).is_none() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), applied)
        .await
        .unwrap();
    try_create(&caller).await.unwrap().expect(409);
}

#[tokio::test]
async fn a_fault_without_a_route_strikes_everything_until_it_is_cleared() {
    let (lab, caller) = accepted().await;
    let rule = FaultRule {
        route: None,
        skip: 0,
        times: None,
        fault: Fault::Status {
            status: 503,
            body: ErrorBody::Json,
            retry_after_s: None,
            applied: false,
        },
    };
    lab.kata.faults.add(rule).unwrap();
    for path in ["sensors", "tasks/x", "nonsense"] {
        caller.get(path).await.expect(503);
    }
    lab.kata.faults.clear();
    caller.get("sensors").await.expect(200);
}
