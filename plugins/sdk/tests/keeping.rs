//! What a connector keeps: state, sealed secrets, blobs.

#![allow(clippy::expect_used, reason = "what fails here fails the test")]

use cordon_sdk::harness::{Harness, get, post};
use cordon_sdk::http::{self, Expiry, FailureKind};
use cordon_sdk::secret::{credential, sealed};
use cordon_sdk::{Connector, Error, ErrorKind, Result, blob, state};
use serde_json::json;

struct Product;

cordon_sdk::connector!(Product, wit: "examples/smallest.wit");

impl Connector for Product {}

impl wit::greetings::Actions for Product {
    fn greet(name: String) -> Result<String> {
        Ok(name)
    }
}

fn harness() -> Harness {
    Harness::of::<Product>()
}

/// A token that a product gives once, renewed under its lock.
fn renew() -> Result<bool> {
    let _lock = state::acquire("token")?;
    let response = http::post(["token"])
        .bearer(credential("first"))
        .seal("/token", "token", Expiry::Jwt)
        .send()?;
    Ok(response.is_sealed())
}

/// `{"exp":1742544000}`
const TOKEN: &str = "e30.eyJleHAiOjE3NDI1NDQwMDB9.c2ln";

#[test]
fn a_sealed_secret_is_used_by_its_name_and_known_with_its_expiry() {
    let harness = harness();
    let answer = post("/token").header("authorization", "Bearer <first>");
    let renewed = harness.run([answer.answers(200, json!({"token": TOKEN}))], renew);
    assert_eq!(renewed, Ok(true));
    let token = harness.sealed_as("token").expect("it is sealed");
    assert_eq!(token.expires, Some(1_742_544_000_000));
    let used = get("/me").header("authorization", "Bearer <sealed token>");
    harness.run([used.answers_empty(200)], || {
        let known = state::sealed("token").expect("state").expect("a token");
        assert_eq!(known.version, token.version);
        http::get(["me"])
            .bearer(sealed("token"))
            .send()
            .expect("an answer");
    });
}

#[test]
fn an_answer_without_the_secret_seals_nothing_and_what_is_there_is_not_shown() {
    let harness = harness();
    for (status, body) in [
        (200, json!({"error": "no"})),
        (403, json!({"token": TOKEN})),
    ] {
        let answer = post("/token").answers(status, body);
        let shown = harness.run([answer], || {
            let _lock = state::acquire("token").expect("the lock");
            let request = http::post(["token"]).seal("/token", "token", Expiry::Jwt);
            let response = request.send().expect("an answer");
            assert!(!response.is_sealed());
            String::from_utf8_lossy(response.body()).into_owned()
        });
        assert!(!shown.contains(TOKEN), "{shown}");
        assert_eq!(harness.sealed_as("token"), None);
    }
}

#[test]
fn a_lost_answer_is_seen_by_the_next_call() {
    let harness = harness();
    let lost = harness.run([post("/token").fails(FailureKind::Timeout)], renew);
    assert_eq!(lost.map_err(|error| error.kind), Err(ErrorKind::Timeout));
    let since = harness.run([], || state::sealing_since("token"));
    assert_eq!(since, Ok(Some(1_750_000_000_000)));
}

#[test]
#[should_panic(expected = "two calls could send this at once")]
fn a_secret_is_not_asked_for_without_a_lock() {
    harness().run([post("/token").answers_empty(200)], || {
        let _ = http::post(["token"])
            .seal("/token", "token", Expiry::Jwt)
            .send();
    });
}

#[test]
fn what_another_call_has_changed_is_not_overwritten() {
    let harness = harness().state("cursor", "1");
    harness.run([], || {
        let entry = state::get("cursor").expect("state").expect("an entry");
        assert_eq!(entry.value, b"1");
        let version = state::compare_and_set("cursor", Some(entry.version), Some(b"2"));
        assert!(version.is_ok_and(|version| version.is_some()));
        let stale = state::compare_and_set("cursor", Some(entry.version), Some(b"3"));
        assert_eq!(stale.map_err(|error| error.kind), Err(ErrorKind::Conflict));
    });
    assert_eq!(harness.kept("cursor"), Some(b"2".to_vec()));
}

#[test]
fn a_download_that_breaks_goes_on_and_is_kept_whole() {
    let harness = harness();
    let kept = harness.run(
        [
            get("/report").breaks_after("host;st"),
            get("/report").header("range", "bytes=7-").answers_with(
                206,
                &[("content-range", "bytes 7-11/12")],
                "ate\n1",
            ),
        ],
        || {
            let mut draft = blob::begin()?;
            http::get(["report"]).download(&mut draft)?.success()?;
            draft.finish()
        },
    );
    let kept = kept.expect("a blob");
    assert_eq!(harness.blob(&kept), b"host;state\n1");
    let part = harness.run([], || blob::read(&kept, 5, 5));
    assert_eq!(part, Ok(b"state".to_vec()));
}

#[test]
fn a_refusal_in_place_of_a_download_is_an_answer_like_any_other() {
    let refused: Result<()> = harness().run(
        [get("/report").answers(404, json!({"error": "expired"}))],
        || {
            let mut draft = blob::begin()?;
            http::get(["report"]).download(&mut draft)?.success()?;
            Err(Error::internal("it was no report"))
        },
    );
    let refused = refused.expect_err("there is no report");
    assert_eq!(refused.kind, ErrorKind::NotFound);
    assert!(refused.message.contains("expired"), "{}", refused.message);
}
