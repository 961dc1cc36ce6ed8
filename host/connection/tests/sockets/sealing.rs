//! Secrets that come in answers: kept before anyone sees the answer, used by their name, gone when
//! what they came from was changed.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use cordon_connection::{
    AnswerPlace, Connection, Delivery, Encoding, ExchangeOptions, Expiry, FailureKind, Header,
    Method, Part, Request, Response, Seal, SecretSource, Slot, Vault,
};
use tokio::sync::Semaphore;
use tokio::time::Instant;

use crate::fixture::{Reply, Server, Setup, answer};

/// `{"exp":1742544000}` in the middle.
const ACCESS: &str = "e30.eyJleHAiOjE3NDI1NDQwMDB9.access";

fn tokens(number: usize) -> String {
    format!(r#"{{"access_token":"{ACCESS}{number}","refresh_token":"refresh-{number}"}}"#)
}

/// Every confirm hands out the next pair; everything else says what it was authorized with.
async fn rotating() -> Server {
    let confirmed = AtomicUsize::new(0);
    Server::plain(move |received| match received.target.as_str() {
        "/confirm" => answer(
            200,
            &[],
            tokens(confirmed.fetch_add(1, Ordering::Relaxed) + 1),
        ),
        _ => answer(200, &[], &received.headers["authorization"]),
    })
    .await
}

fn setup(server: &Server, credential: &str) -> Setup {
    Setup::to_server(server).with_secret("refresh_token", credential)
}

fn open(setup: &Setup, folder: &Path) -> Arc<Connection> {
    let connection = setup.open();
    connection.keep_in(Arc::new(Vault::at(folder)));
    connection
}

fn seal(pointer: &str, name: &str) -> Seal {
    Seal {
        place: AnswerPlace::JsonPointer(pointer.to_owned()),
        name: name.to_owned(),
        expiry: Expiry::Jwt,
    }
}

fn slot(source: SecretSource) -> Part {
    Part::Secret(Slot {
        source,
        encoding: Encoding::JsonString,
    })
}

fn confirm_with(source: SecretSource) -> Request {
    Request {
        body: Some(vec![slot(source)]),
        seals: vec![
            seal("/access_token", "access"),
            seal("/refresh_token", "refresh"),
        ],
        ..Request::new(Method::Post, "/confirm")
    }
}

fn confirm() -> Request {
    confirm_with(SecretSource::Credential("refresh_token".to_owned()))
}

fn with_access() -> Request {
    Request {
        headers: vec![Header {
            name: "authorization".to_owned(),
            value: vec![slot(SecretSource::Sealed("access".to_owned()))],
        }],
        ..Request::new(Method::Post, "/list")
    }
}

async fn send(connection: &Arc<Connection>, request: &Request) -> Response {
    let options = ExchangeOptions::default();
    let sent = connection.exchange(request, &options).await;
    sent.unwrap_or_else(|failure| panic!("{failure}"))
}

#[tokio::test]
async fn the_secrets_of_an_answer_are_replaced_in_it_and_used_by_their_names() {
    let (server, folder) = (rotating().await, tempfile::tempdir().unwrap());
    let connection = open(&setup(&server, "first-token"), folder.path());

    let response = send(&connection, &confirm()).await;

    let body = String::from_utf8(response.body).unwrap();
    assert_eq!(
        body,
        r#"{"access_token":"[secret access]","refresh_token":"[secret refresh]"}"#
    );
    let names: Vec<_> = response
        .sealed
        .iter()
        .map(|sealed| (sealed.name.as_str(), sealed.expires))
        .collect();
    assert_eq!(
        names,
        [("access", Some(1_742_544_000_000)), ("refresh", None)]
    );
    let echoed = send(&connection, &with_access()).await;
    assert_eq!(
        server.received()[1].headers["authorization"],
        format!("{ACCESS}1")
    );
    assert_eq!(echoed.body, b"[secret access]");
    assert_eq!(
        connection.scrub(&format!("refresh-1 {ACCESS}1")),
        "[secret refresh] [secret access]"
    );
}

#[tokio::test]
async fn another_process_finds_what_was_sealed_and_replaces_it_too() {
    let (server, folder) = (rotating().await, tempfile::tempdir().unwrap());
    let setup = setup(&server, "first-token");
    send(&open(&setup, folder.path()), &confirm()).await;

    let other = open(&setup, folder.path());

    assert_eq!(send(&other, &with_access()).await.body, b"[secret access]");
    let rotated = confirm_with(SecretSource::Sealed("refresh".to_owned()));
    send(&other, &rotated).await;
    assert_eq!(server.received()[2].body, b"refresh-1");
}

#[tokio::test]
async fn no_file_of_the_vault_holds_a_secret_in_the_clear() {
    let (server, folder) = (rotating().await, tempfile::tempdir().unwrap());
    send(
        &open(&setup(&server, "first-token"), folder.path()),
        &confirm(),
    )
    .await;
    let mut files = 0;
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            files += 1;
            let bytes = std::fs::read(&path).unwrap();
            for secret in ["refresh-1", "first-token", ACCESS] {
                let found = bytes
                    .windows(secret.len())
                    .any(|window| window == secret.as_bytes());
                assert!(!found, "{} holds {secret}", path.display());
            }
        }
    }
    assert!(files >= 2);
}

#[tokio::test]
async fn what_came_from_a_credential_is_dropped_when_the_operator_changes_it() {
    let (server, folder) = (rotating().await, tempfile::tempdir().unwrap());
    let before = open(&setup(&server, "first-token"), folder.path());
    send(&before, &confirm()).await;
    // What was sealed with the help of something sealed comes from the same credential.
    send(
        &before,
        &confirm_with(SecretSource::Sealed("refresh".to_owned())),
    )
    .await;
    assert!(before.sealed("access").unwrap().is_some());

    let after = open(&setup(&server, "second-token"), folder.path());

    assert!(after.sealed("access").unwrap().is_none());
    let refused = after
        .exchange(&with_access(), &ExchangeOptions::default())
        .await
        .unwrap_err();
    assert_eq!(
        refused.to_string(),
        "the request was not sent: nothing is sealed as `access`: no answer has brought it yet, or the credential \
         that it came from was changed"
    );
}

#[tokio::test]
async fn an_answer_without_one_of_its_secrets_keeps_none_and_shows_none() {
    for (status, body) in [
        (200, r#"{"refresh_token":"refresh-9","error":"half"}"#),
        (
            403,
            r#"{"access_token":"access-9","refresh_token":"refresh-9"}"#,
        ),
    ] {
        let server = Server::plain(move |_| answer(status, &[], body)).await;
        let folder = tempfile::tempdir().unwrap();
        let connection = open(&setup(&server, "first-token"), folder.path());
        let response = send(&connection, &confirm()).await;
        assert_eq!(response.status, status);
        assert_eq!(response.sealed, []);
        let text = String::from_utf8(response.body).unwrap();
        assert!(text.contains("[secret refresh]"), "{text}");
        assert!(!text.contains("refresh-9"), "{text}");
        assert!(connection.sealed("refresh").unwrap().is_none());
        assert_eq!(connection.keep().unwrap().pending("refresh").unwrap(), None);
    }
}

#[tokio::test]
async fn a_lost_answer_is_remembered_until_the_next_one_comes_whole() {
    let lost = Arc::new(AtomicUsize::new(1));
    let server = {
        let lost = Arc::clone(&lost);
        Server::plain(move |_| match lost.swap(0, Ordering::Relaxed) {
            1 => Reply::Then(Vec::new()),
            _ => answer(200, &[], tokens(1)),
        })
        .await
    };
    let folder = tempfile::tempdir().unwrap();
    let setup = setup(&server, "first-token");
    let connection = open(&setup, folder.path());

    let failure = connection
        .exchange(&confirm(), &ExchangeOptions::default())
        .await
        .unwrap_err();
    assert_eq!(failure.delivery, Delivery::Unknown);

    // As seen by the process that comes after.
    let connection = open(&setup, folder.path());
    let since = connection.keep().unwrap().pending("refresh").unwrap();
    assert!(since.is_some_and(|since| since > 1_700_000_000_000));
    send(&connection, &confirm()).await;
    assert_eq!(connection.keep().unwrap().pending("refresh").unwrap(), None);
}

#[tokio::test]
async fn nothing_is_sent_whose_secrets_could_not_be_kept() {
    let server = rotating().await;
    let folder = tempfile::tempdir().unwrap();
    let in_the_way = folder.path().join("state");
    std::fs::write(&in_the_way, "a file").unwrap();
    let connection = open(&setup(&server, "first-token"), &in_the_way);
    let failure = connection
        .exchange(&confirm(), &ExchangeOptions::default())
        .await
        .unwrap_err();
    assert_eq!(
        (failure.kind, failure.delivery, failure.code),
        (FailureKind::NotKept, Delivery::NotSent, "connection.state")
    );
    let nowhere = setup(&server, "first-token").open();
    let failure = nowhere
        .exchange(&confirm(), &ExchangeOptions::default())
        .await
        .unwrap_err();
    assert_eq!(failure.delivery, Delivery::NotSent);
    assert_eq!(server.received().len(), 0);
}

#[tokio::test]
async fn an_answer_is_kept_although_the_call_that_waits_for_it_was_ended_and_its_lock_is_held_until_then()
 {
    let may_answer = Arc::new(Semaphore::new(0));
    let slow = {
        let may_answer = Arc::clone(&may_answer);
        Server::plain(move |_| match answer(200, &[], tokens(1)) {
            Reply::Bytes(bytes) => Reply::Once(Arc::clone(&may_answer), bytes),
            other => other,
        })
        .await
    };
    let folder = tempfile::tempdir().unwrap();
    let connection = open(&setup(&slow, "first-token"), folder.path());
    let keep = connection.keep().unwrap().clone();
    let soon = |time| Instant::now() + Duration::from_millis(time);
    let held = keep.acquire("refresh", soon(1_000)).await.unwrap().unwrap();
    let options = ExchangeOptions {
        locks: vec![Arc::new(held)],
        ..ExchangeOptions::default()
    };

    let request = confirm();
    let ended = tokio::time::timeout(
        Duration::from_millis(50),
        connection.exchange(&request, &options),
    )
    .await;
    drop(options);

    assert!(ended.is_err(), "the call was ended before the answer came");
    assert!(keep.acquire("refresh", soon(20)).await.unwrap().is_none());
    may_answer.add_permits(1);
    let next = keep.acquire("refresh", soon(20_000)).await.unwrap();
    assert!(next.is_some());
    assert!(connection.sealed("access").unwrap().is_some());
}
