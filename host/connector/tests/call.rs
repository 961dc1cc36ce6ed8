//! One call: what reaches the connector, what comes back, and how every way of misbehaving ends.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "what goes wrong here is a failed test"
)]

mod support;

use std::sync::Mutex;
use std::time::Duration;

use cordon_connector::limits::Limit;
use cordon_connector::{Call, Limits};
use cordon_contract::value::Map;
use cordon_contract::{Delivery, ErrorKind, Value};
use support::calls::{NOWHERE, TOKIO, act, acting, call, delivery, load, load_with, runs};
use support::product::{connection, ok_answer, product};
use support::{Body, err, guest, manifest, ok, read, request, with};
use uuid::Uuid;

#[test]
fn arguments_are_checked_before_the_connector_is_entered() {
    let connector = load(&guest(
        "isolate: func(sensor-id: string, within: option<duration>) -> result<_, error>;",
    ));
    let connection = connection(&connector, NOWHERE, "");
    let refused = |action: &str, arguments: Value| {
        let failure = TOKIO
            .block_on(call(&connector, &connection, action, arguments))
            .unwrap_err();
        assert_eq!(
            (failure.kind, failure.delivery),
            (ErrorKind::InvalidInput, Delivery::NotSent)
        );
        (failure.code.clone().unwrap(), failure.to_string())
    };
    let sensor = |name: &str| Value::map([(name, Value::text("s-1"))]);
    assert_eq!(
        refused("isolate", Value::Null),
        (
            "action.argument".to_owned(),
            "lab.isolate: sensor_id: is missing; it needs text (invalid_input)".to_owned()
        )
    );
    assert!(
        refused(
            "isolate",
            Value::map([
                ("sensor_id", Value::text("s-1")),
                ("withn", Value::from(1_u64))
            ])
        )
        .1
        .contains("did you mean `within`?")
    );
    assert!(
        refused("isolate", Value::map([("sensor-id", Value::from(7_u64))]))
            .1
            .contains("sensor_id: needs text, got 7")
    );
    let (code, message) = refused("isolat", sensor("sensor_id"));
    assert_eq!(code, "action.unknown");
    assert_eq!(
        message,
        "lab.isolat: the connector `test` has no action `isolat`; did you mean `isolate`? (invalid_input)"
    );
}

#[test]
fn a_trap_ends_its_own_call_only() {
    let connector = load(&acting(runs("unreachable")));
    let failure = act(&connector).unwrap_err();
    assert_eq!(
        (failure.kind, failure.code.as_deref()),
        (ErrorKind::Internal, Some("action.broken"))
    );
    assert_eq!(
        failure.message,
        "the connector broke down (wasm trap: wasm `unreachable` instruction executed)"
    );
    let connection = connection(&connector, NOWHERE, "");
    assert_eq!(
        TOKIO.block_on(call(&connector, &connection, "still_works", Value::Null)),
        Ok(Value::text("fine"))
    );
}

#[test]
fn a_loop_ends_when_its_time_is_over_and_holds_nobody_up() {
    let connector = load(&acting(runs("(loop (br 0)) unreachable")));
    let connection = connection(&connector, NOWHERE, "");
    // One thread for both: a loop that did not yield would never let the other call begin.
    let tokio = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let order = Mutex::new(Vec::new());
    tokio.block_on(async {
        let looping = async {
            let arguments = Map::new();
            let timeout = Some(Duration::from_millis(300));
            let call = Call {
                connection: &connection,
                action: "act",
                arguments: &arguments,
                idempotency_key: Uuid::nil(),
                timeout,
            };
            let failure = connector.call(call).await.unwrap_err();
            assert_eq!(
                (failure.kind, failure.code.as_deref()),
                (ErrorKind::Timeout, Some("action.timeout"))
            );
            assert_eq!(
                failure.message,
                "the action took longer than 300ms and was ended"
            );
            order.lock().unwrap().push("loop");
        };
        let other = async {
            assert_eq!(
                call(&connector, &connection, "still_works", Value::Null).await,
                Ok(Value::text("fine"))
            );
            order.lock().unwrap().push("other");
        };
        futures::join!(looping, other);
    });
    assert_eq!(*order.lock().unwrap(), ["other", "loop"]);
}

#[test]
fn each_limit_ends_the_call_with_its_name() {
    let mut limits = Limits::default();
    for (limit, number) in [
        (Limit::Memory, 4 << 20),
        (Limit::Transfer, 1 << 20),
        (Limit::HostCalls, 200),
    ] {
        limits.set(limit, number).unwrap();
    }
    let hoard = "(loop (drop (memory.grow (i32.const 1))) (br 0)) unreachable";
    // `ok` of a text of 2 MiB.
    let giant = "(local $r i32) (local.set $r (call $alloc (i32.const 8) (i32.const 128)))
                 (i32.store offset=8 (local.get $r) (call $alloc (i32.const 1) (i32.const 2097152)))
                 (i32.store offset=12 (local.get $r) (i32.const 2097152)) (local.get $r)";
    let nagging = "(loop (drop (call $now)) (br 0)) unreachable";
    let now = r#"(import "cordon:connector/call@0.1.0" "now" (func $now (result i64)))"#;
    for (body, message) in [
        (hoard, "the limit `memory` (4MiB) was reached"),
        (giant, "the limit `transfer` (1MiB) was reached"),
        (nagging, "the limit `host_calls` (200) was reached"),
    ] {
        let connector = load_with(limits.clone(), &acting(runs(body)).import(now));
        let failure = act(&connector).unwrap_err();
        assert_eq!(
            (failure.kind, failure.code.as_deref()),
            (ErrorKind::Internal, Some("action.limit")),
            "{failure}"
        );
        assert!(failure.message.contains(message), "{failure}");
    }
}

#[test]
fn more_calls_than_instances_wait_for_their_turn() {
    let mut limits = Limits::default();
    limits.set(Limit::Instances, 1).unwrap();
    let connector = load_with(limits, &acting(runs("(loop (br 0)) unreachable")));
    let connection = connection(&connector, NOWHERE, "");
    let arguments = Map::new();
    let looping = |timeout| {
        let timeout = Some(Duration::from_millis(timeout));
        connector.call(Call {
            connection: &connection,
            action: "act",
            arguments: &arguments,
            idempotency_key: Uuid::nil(),
            timeout,
        })
    };
    let (first, second, third) = TOKIO.block_on(async {
        futures::join!(
            looping(400),
            looping(100),
            call(&connector, &connection, "still_works", Value::Null)
        )
    });
    assert_eq!(first.unwrap_err().code.as_deref(), Some("action.timeout"));
    let second = second.unwrap_err();
    assert_eq!(
        (second.kind, second.delivery),
        (ErrorKind::Unavailable, Delivery::NotSent)
    );
    assert!(
        second
            .message
            .contains("the limit `instances` (1) was reached"),
        "{second}"
    );
    assert_eq!(third, Ok(Value::text("fine")));
}

#[test]
fn the_connectors_error_is_passed_on_with_all_it_says() {
    let mut error = err("not-found", "no such host");
    if let Some(Value::Map(fields)) = match &mut error {
        Value::Map(map) => map.get_mut("err"),
        _ => None,
    } {
        fields.insert("status".to_owned(), Value::from(404_u64));
        fields.insert("retry-after".to_owned(), Value::from(1_500_u64));
        fields.insert("details".to_owned(), Value::text(r#"{"id": 7}"#));
    }
    let failure = act(&load(&acting(Body::Returns(error)))).unwrap_err();
    assert_eq!(
        failure.to_string(),
        "lab.act: no such host (not_found, HTTP 404)"
    );
    assert_eq!(
        (failure.retry_after_ms, failure.details),
        (Some(1_500), Value::map([("id", Value::from(7_u64))]))
    );
}

#[test]
fn json_that_is_none_is_not_passed_on() {
    let guest = guest("act: func() -> result<json, error>;")
        .with("act", Body::Returns(ok(Value::text("{oops"))));
    let failure = act(&load(&guest)).unwrap_err();
    assert_eq!(
        (failure.kind, failure.code.as_deref()),
        (ErrorKind::Internal, Some("action.result"))
    );
    assert!(
        failure
            .message
            .contains("its result is not JSON: key must be a string"),
        "{failure}"
    );
}

#[test]
fn a_failure_says_what_the_product_may_have_seen() {
    let error = || Body::Returns(err("protocol", "odd answer"));
    let trap = || runs("unreachable");
    let (get, post) = (request("get", "/ok"), request("post", "/ok"));
    assert_eq!(delivery(Vec::new(), error()).delivery, Delivery::NotSent);
    assert_eq!(
        delivery(vec![get.clone()], error()).delivery,
        Delivery::Answered
    );
    assert_eq!(delivery(vec![get], trap()).delivery, Delivery::Answered);
    assert_eq!(
        delivery(vec![post.clone()], error()).delivery,
        Delivery::Answered
    );
    assert_eq!(delivery(vec![post], trap()).delivery, Delivery::Unknown);
    assert_eq!(
        delivery(vec![request("get", "/lost")], error()).delivery,
        Delivery::NotSent
    );
    let lost = delivery(vec![request("delete", "/lost")], error());
    assert_eq!(
        (lost.delivery, lost.code.as_deref()),
        (Delivery::Unknown, Some("connection.broken"))
    );
    let refused = delivery(vec![request("post", "/../up")], error());
    assert_eq!(
        (refused.delivery, refused.code.as_deref()),
        (Delivery::NotSent, Some("connection.request"))
    );
}

#[test]
fn requests_beyond_the_limit_are_refused_and_the_failure_says_so() {
    let mut limits = Limits::default();
    limits.set(Limit::HttpRequests, 2).unwrap();
    let requests = vec![request("get", "/ok"); 3];
    let guest = acting(Body::Sends(
        requests,
        Box::new(Body::Returns(err("unavailable", "gave up"))),
    ));
    let connector = load_with(limits, &guest);
    let url = product(&[("/ok", &ok_answer("{}"))]);
    let failure = TOKIO
        .block_on(call(
            &connector,
            &connection(&connector, &url, ""),
            "act",
            Value::Null,
        ))
        .unwrap_err();
    assert_eq!(
        failure.message,
        "gave up (the limit `http_requests` (2) was reached)"
    );
    assert_eq!(failure.code.as_deref(), Some("action.limit"));
}

#[test]
fn a_companion_answers_whether_it_happened() {
    let said = with(
        with(read("act"), "effect", Value::text("irreversible")),
        "reconcile",
        Value::text("acted"),
    );
    let asked = |answer: Value| {
        let guest = guest(
            "act: func() -> result<json, error>; acted: func() -> result<option<json>, error>;",
        )
        .with(
            "describe",
            Body::Returns(manifest("test", vec![said.clone()])),
        )
        .with("acted", Body::Returns(answer));
        let connector = load(&guest);
        let connection = connection(&connector, NOWHERE, "");
        let arguments = Map::new();
        let call = Call {
            connection: &connection,
            action: "acted",
            arguments: &arguments,
            idempotency_key: Uuid::nil(),
            timeout: None,
        };
        TOKIO.block_on(connector.reconcile(call))
    };
    assert_eq!(asked(ok(Value::Null)), Ok(None));
    assert_eq!(asked(ok(Value::text("null"))), Ok(Some(Value::Null)));
    assert_eq!(
        asked(ok(Value::text("[7]"))),
        Ok(Some(Value::List(vec![Value::from(7_u64)])))
    );
    assert_eq!(
        asked(err("unavailable", "down")).unwrap_err().kind,
        ErrorKind::Unavailable
    );
}

#[test]
fn testing_a_connection_gives_the_products_words_or_the_failure() {
    let works = load(&acting(runs("unreachable")));
    let connection_of = |connector| connection(connector, NOWHERE, "");
    assert_eq!(
        TOKIO.block_on(works.test_connection(&connection_of(&works))),
        Ok("Test 1.0".to_owned())
    );
    let pending = acting(runs("unreachable")).with(
        "test-connection",
        Body::Returns(err("unauthorized", "approve it first")),
    );
    let pending = load(&pending);
    let failure = TOKIO
        .block_on(pending.test_connection(&connection_of(&pending)))
        .unwrap_err();
    assert_eq!(
        failure.to_string(),
        "lab.test_connection: approve it first (unauthorized)"
    );
}
