//! What the SDK does with requests and answers, seen from a connector.

use std::time::Duration;

use cordon_sdk::harness::{Harness, delete, get, post};
use cordon_sdk::http::{self, FailureKind, Json, Value};
use cordon_sdk::log::Level;
use cordon_sdk::secret::credential;
use cordon_sdk::{Connector, ErrorKind};
use serde_json::json;

struct Product;

cordon_sdk::connector!(Product, wit: "examples/smallest.wit");

impl Connector for Product {}

impl wit::greetings::Actions for Product {
    fn greet(name: String) -> cordon_sdk::Result<String> {
        Ok(name)
    }
}

fn harness() -> Harness {
    Harness::of::<Product>()
}

#[test]
fn secrets_stand_in_slots_and_are_never_seen() {
    harness().run(
        [
            get("/me")
                .header("authorization", "Bearer <api_token>")
                .answers_empty(200),
            get("/me")
                .header("authorization", "Basic base64(cordon:<password>)")
                .answers_empty(200),
            get("/me").query("key", "<api_token>").answers_empty(200),
            post("/login")
                .json(json!({"user": "a\"b", "password": "<password>", "tags": ["<api_token>"]}))
                .answers_empty(200),
            post("/form")
                .text("percent(user)=percent(a b)&percent(pw)=percent(<password>)")
                .answers_empty(200),
        ],
        || {
            http::get(["me"])
                .bearer(credential("api_token"))
                .send()
                .expect("an answer");
            http::get(["me"])
                .basic("cordon", credential("password"))
                .send()
                .expect("an answer");
            http::get(["me"])
                .query("key", credential("api_token"))
                .send()
                .expect("an answer");
            let login = Json::object([
                ("user", "a\"b".into()),
                ("password", credential("password").into()),
                ("tags", Json::array([credential("api_token").into()])),
            ]);
            http::post(["login"])
                .json_with_secrets(login)
                .send()
                .expect("an answer");
            let fields = [
                ("user", Value::from("a b")),
                ("pw", credential("password").into()),
            ];
            http::post(["form"]).form(fields).send().expect("an answer");
        },
    );
}

#[test]
fn a_read_is_tried_five_times_with_growing_pauses() {
    let harness = harness();
    let outcome = harness.run(
        [
            get("/a").answers_empty(500),
            get("/a").answers_html(502, "<h1>Bad Gateway</h1>"),
            get("/a").fails(FailureKind::Broken),
            get("/a").is_not_sent(),
            get("/a").answers_html(503, "<h1>Maintenance</h1>"),
        ],
        || http::get(["a"]).send()?.success(),
    );
    let error = outcome.expect_err("five failures are a failure");
    assert_eq!(
        (error.kind, error.status),
        (ErrorKind::Unavailable, Some(503))
    );
    assert_eq!(error.message, "`GET /a` answered 503: Maintenance");
    let pauses = harness.pauses();
    assert_eq!(pauses.len(), 4);
    assert!(
        pauses[0] >= Duration::from_secs(1) && pauses.is_sorted(),
        "{pauses:?}"
    );
    assert_eq!(harness.log(Level::Debug).len(), 4);
}

#[test]
fn a_write_is_repeated_only_where_the_product_cannot_have_acted_or_the_author_says_that_it_is_safe()
{
    let harness = harness();
    let lost = harness.run([post("/a").fails(FailureKind::Timeout)], || {
        http::post(["a"]).send()
    });
    assert_eq!(
        lost.map(|_| ()).map_err(|error| error.kind),
        Err(ErrorKind::Timeout)
    );
    let refused = harness.run([post("/a").answers_empty(503)], || http::post(["a"]).send());
    assert_eq!(refused.map(|response| response.status()), Ok(503));

    let unsent = harness.run(
        [
            post("/a").is_not_sent(),
            post("/a").answers_empty(429),
            post("/a").answers_empty(201),
        ],
        || http::post(["a"]).send(),
    );
    assert_eq!(unsent.map(|response| response.status()), Ok(201));

    let safe = harness.run(
        [
            delete("/a").fails(FailureKind::Timeout),
            delete("/a").answers_empty(500),
            delete("/a").answers_empty(204),
        ],
        || http::delete(["a"]).safe_to_repeat().send(),
    );
    assert_eq!(safe.map(|response| response.status()), Ok(204));
}

#[test]
fn what_a_person_must_mend_is_not_tried_again() {
    for status in [301, 400, 401, 403, 404, 409] {
        let answer = harness().run([get("/a").answers_empty(status)], || {
            http::get(["a"]).send()
        });
        assert_eq!(answer.map(|response| response.status()), Ok(status));
    }
    for kind in [
        FailureKind::Tls,
        FailureKind::Refused,
        FailureKind::TooLarge,
        FailureKind::Limit,
    ] {
        let answer = harness().run([get("/a").fails(kind)], || http::get(["a"]).send());
        assert!(answer.is_err_and(|error| !matches!(
            error.kind,
            ErrorKind::Unavailable | ErrorKind::Timeout
        )));
    }
}

#[test]
fn the_product_may_say_how_long_to_wait_and_the_call_may_not_have_that_time() {
    let busy = || get("/a").answers_with(429, &[("Retry-After", "20")], "");
    let patient = harness();
    let answer = patient.run([busy(), get("/a").answers_empty(200)], || {
        http::get(["a"]).send()
    });
    assert_eq!(answer.map(|response| response.status()), Ok(200));
    assert_eq!(patient.pauses(), [Duration::from_secs(20)]);

    let hurried = harness().time_limit(Duration::from_secs(10));
    let error = hurried
        .run([busy()], || http::get(["a"]).send()?.success())
        .expect_err("no time for a second try");
    assert_eq!(
        (error.kind, error.retry_after),
        (ErrorKind::RateLimited, Some(20_000))
    );
    assert_eq!(hurried.pauses(), [Duration::ZERO; 0]);
}

#[test]
fn a_date_in_retry_after_counts_from_now() {
    let harness = harness().now(1_741_944_090_000);
    let answer =
        get("/a").answers_with(403, &[("retry-after", "Fri, 14 Mar 2025 09:21:37 GMT")], "");
    let error = harness
        .run([answer], || http::get(["a"]).send()?.success())
        .expect_err("forbidden");
    assert_eq!(error.retry_after, Some(7000));
}

#[test]
fn a_body_that_is_not_the_documented_json_is_an_error_with_its_beginning() {
    for (body, said) in [
        ("<html><body><p>Sign in</p></body></html>", "Sign in"),
        (r#"{"names": ["a", "b"#, r#"{"names": ["a", "b"#),
        (r#"{"names": 7}"#, r#"{"names":7}"#),
        ("", "nothing"),
    ] {
        let outcome = harness().run([get("/names").answers_with(200, &[], body)], || {
            http::get(["names"])
                .send()?
                .success()?
                .json::<std::collections::BTreeMap<String, Vec<String>>>()
        });
        let error = outcome.expect_err("not the documented shape");
        assert_eq!((error.kind, error.status), (ErrorKind::Protocol, Some(200)));
        assert!(
            error
                .message
                .replace(' ', "")
                .ends_with(&said.replace(' ', "")),
            "{}",
            error.message
        );
    }
}

#[test]
fn a_refusal_keeps_the_products_words_and_its_whole_json() {
    let answer = post("/rules").answers(
        409,
        json!({"error": "exists already", "sensors": ["A", "B"]}),
    );
    let error = harness()
        .run([answer], || http::post(["rules"]).send()?.success())
        .expect_err("a conflict");
    assert_eq!(error.message, "`POST /rules` answered 409: exists already");
    let details: serde_json::Value =
        serde_json::from_str(&error.details.expect("details")).expect("JSON");
    assert_eq!(details["sensors"], json!(["A", "B"]));
}

#[test]
fn a_segment_that_would_be_another_path_is_never_sent() {
    let error = harness()
        .run([], || http::get(["hosts", ".."]).send())
        .expect_err("no such segment");
    assert_eq!(error.kind, ErrorKind::InvalidInput);
}

#[test]
#[should_panic(expected = "came:     GET /b?x=1")]
fn a_request_that_the_script_does_not_have_fails_the_test() {
    let _ = harness().run([get("/a").answers_empty(200)], || {
        http::get(["b"]).query("x", 1_i64).send()
    });
}

#[test]
#[should_panic(expected = "the action did not send:\n  GET /never")]
fn a_request_that_is_missing_fails_the_test() {
    harness().run([get("/never").answers_empty(200)], || ());
}
