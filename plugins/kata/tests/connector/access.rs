use std::time::Duration;

use cordon_kata::Kata;
use cordon_kata::wit::isolation::Actions as _;
use cordon_kata::wit::sensors::Actions as _;
use cordon_sdk::harness::{Harness, get, post};
use cordon_sdk::http::FailureKind;
use cordon_sdk::{Connector as _, Error, ErrorKind};
use serde_json::{Value, json};

use crate::{FINGERPRINT, SENSOR, SYSTEM, kata, path};

const NGINX: &str = "<html><head><title>400 No required SSL certificate was sent</title></head>\
                     <body><h1>400 Bad Request</h1></body></html>";

fn reason(error: &Error) -> Value {
    let details: Value =
        serde_json::from_str(error.details.as_deref().expect("details")).expect("JSON");
    details["reason"].clone()
}

#[test]
fn a_working_connection_tells_version_and_hosts() {
    let answer = json!({"server": {"version": "7.0.0.532"}, "sensors": [{"sensorId": "A"}, {"sensorId": "B"}]});
    let summary = kata().run(
        [get(&path("sensors")).answers(200, answer)],
        Kata::test_connection,
    );
    assert_eq!(
        summary,
        Ok("KATA Central Node 7.0.0.532, 2 hosts".to_owned())
    );
}

#[test]
fn a_401_needs_a_person_and_shows_what_to_accept() {
    for status in [401, 400] {
        let refusal = get(&path("sensors")).answers(status, json!({"error": "Unauthorized"}));
        let error = kata()
            .run([refusal], Kata::test_connection)
            .expect_err("not accepted");
        assert_eq!(
            (error.kind, error.status),
            (ErrorKind::Unauthorized, Some(status))
        );
        assert_eq!(reason(&error), "not_accepted");
        assert!(error.message.contains(FINGERPRINT), "{}", error.message);
        assert!(
            error.message.contains("External systems"),
            "{}",
            error.message
        );
        assert_eq!(
            error.retry_after,
            Some(60_000),
            "a person is not asked more often than once a minute"
        );
    }
}

#[test]
fn the_id_is_shown_in_short_form_only() {
    let refusal = get(&path("sensors")).answers(401, json!({"error": "Unauthorized"}));
    let error = kata()
        .run([refusal], Kata::test_connection)
        .expect_err("not accepted");
    assert!(error.message.contains("`15301050…`"), "{}", error.message);
    let broken = kata()
        .run(
            [get(&path("sensors")).answers(200, json!(7))],
            Kata::test_connection,
        )
        .expect_err("no list");
    for error in [error, broken] {
        assert!(!format!("{error:?}").contains(SYSTEM), "{error:?}");
    }
}

#[test]
fn a_missing_or_expired_or_undelivered_certificate_is_told_from_a_pending_approval() {
    let without = Harness::of::<Kata>().setting("external_system_id", SYSTEM);
    let error = without
        .run([], Kata::test_connection)
        .expect_err("no certificate");
    assert_eq!(
        (error.kind, reason(&error)),
        (ErrorKind::Unauthorized, json!("no_certificate"))
    );

    let expired = kata().now(i64::MAX / 2);
    let error = expired.run([], Kata::test_connection).expect_err("expired");
    assert_eq!(
        (error.kind, reason(&error)),
        (ErrorKind::Unauthorized, json!("certificate_expired"))
    );

    let page = get(&path("sensors")).answers_html(400, NGINX);
    let error = kata()
        .run([page], Kata::test_connection)
        .expect_err("the front-end got no certificate");
    assert_eq!(
        (error.kind, reason(&error)),
        (ErrorKind::Unauthorized, json!("certificate_not_received"))
    );
    assert!(
        error
            .message
            .contains("No required SSL certificate was sent"),
        "{}",
        error.message
    );

    let handshake = get(&path("sensors")).fails(FailureKind::Tls);
    let error = kata()
        .run([handshake], Kata::test_connection)
        .expect_err("no TLS");
    assert_eq!((error.kind, error.status), (ErrorKind::Unauthorized, None));
}

#[test]
fn a_400_on_the_two_reads_with_exchanged_codes_is_told_apart_by_a_request_without_parameters() {
    let list = || {
        get(&path("sensors"))
            .query("sensor_id", "no uuid")
            .answers(400, json!({"error": "Bad Request"}))
    };
    let call = || Kata::list_sensors(None, None, Some("no uuid".to_owned()));

    let accepted = get(&path("sensors")).answers(200, json!({"sensors": []}));
    let error = kata()
        .run([list(), accepted], call)
        .expect_err("bad parameters");
    assert_eq!(
        (error.kind, error.status),
        (ErrorKind::InvalidInput, Some(400))
    );

    let refused = get(&path("sensors")).answers(400, json!({"error": "Bad Request"}));
    let error = kata()
        .run([list(), refused], call)
        .expect_err("not accepted");
    assert_eq!(
        (error.kind, reason(&error)),
        (ErrorKind::Unauthorized, json!("not_accepted"))
    );
}

#[test]
fn a_page_of_html_on_any_status_is_no_trouble() {
    let page = "<html><body><h1>Maintenance</h1><p>Come back later.</p></body></html>";
    for (status, kind) in [
        (200, ErrorKind::Protocol),
        (403, ErrorKind::Forbidden),
        (302, ErrorKind::Protocol),
    ] {
        let error = kata()
            .run([get(&path("sensors")).answers_html(status, page)], || {
                Kata::list_sensors(None, None, None)
            })
            .expect_err("a page is no list");
        assert_eq!((error.kind, error.status), (kind, Some(status)));
        assert!(
            error.message.contains("Come back later."),
            "{}",
            error.message
        );
    }
    let endless = "<p>".to_owned() + &"x".repeat(1_000_000);
    let error = kata()
        .run([get(&path("sensors")).answers_html(404, &endless)], || {
            Kata::list_sensors(None, None, None)
        })
        .expect_err("a page is no list");
    assert!(error.message.len() < 1000, "{}", error.message.len());
}

#[test]
fn every_operation_is_tried_five_times_with_growing_pauses_and_never_after_4xx() {
    let isolate = || {
        post(&path("settings"))
            .query("sensor_id", SENSOR)
            .query("settings_type", "network_isolation")
            .json(json!({"settings": {"autoTurnoffTimeoutInSec": 7200}}))
    };
    let call = || Kata::isolate(SENSOR.to_owned(), Some(7_200_000), None, None);
    let harness = kata();
    let outcome = harness.run(
        [
            isolate().answers(500, json!({"error": "Internal"})),
            isolate().answers_html(502, "<h1>Bad Gateway</h1>"),
            isolate().fails(FailureKind::Broken),
            isolate().answers_empty(429),
            isolate().answers(200, json!([{"autoTurnoffTimeoutInSec": 7200}])),
        ],
        call,
    );
    assert!(outcome.is_ok(), "{outcome:?}");
    assert_eq!(harness.pauses().len(), 4);
    assert!(harness.pauses()[0] >= Duration::from_secs(1) && harness.pauses().is_sorted());

    let error = kata()
        .run(
            [isolate().answers(400, json!({"error": "Bad Request"}))],
            call,
        )
        .expect_err("once is enough");
    assert_eq!(error.kind, ErrorKind::InvalidInput);
}

#[test]
fn an_id_that_would_be_another_path_is_refused_before_anything_is_sent() {
    for id in ["", " ", "a/b"] {
        let harness = Harness::of::<Kata>()
            .setting("external_system_id", id)
            .client_certificate(FINGERPRINT);
        let error = harness
            .run([], Kata::test_connection)
            .expect_err("no such path");
        assert_eq!(error.kind, ErrorKind::InvalidInput);
    }
    let short = Harness::of::<Kata>()
        .setting("external_system_id", "0050568a1b2c")
        .client_certificate(FINGERPRINT);
    let list =
        get("/kata/response_api/v1/0050568a1b2c/sensors").answers(200, json!({"sensors": []}));
    assert_eq!(
        short.run([list], || Kata::list_sensors(None, None, None)),
        Ok(vec![])
    );
}
