//! Whether the product can have seen a request that got no answer.

use std::time::Duration;

use cordon_connection::{Delivery, ExchangeOptions, FailureKind, HttpFailure, Method, Request};
use tokio::net::TcpListener;

use crate::fixture::{Certified, Kind, Reply, Server, Setup, Tls, answer, get, post};

#[track_caller]
fn check(failure: &HttpFailure, kind: FailureKind, delivery: Delivery) {
    assert_eq!(
        (failure.kind, failure.delivery),
        (kind, delivery),
        "{failure}"
    );
}

/// A port on which nobody listens.
async fn dead_port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

#[tokio::test]
async fn nothing_was_sent_where_nobody_listens() {
    let connection = Setup::to(format!("https://127.0.0.1:{}", dead_port().await)).open();
    let failure = post(&connection, "/tasks").await.unwrap_err();
    check(&failure, FailureKind::Connect, Delivery::NotSent);
    assert!(failure.message.contains("refused"), "{failure}");
}

#[tokio::test]
async fn nothing_was_sent_where_the_name_does_not_resolve() {
    let connection = Setup::to("https://kata.invalid").open();
    let failure = post(&connection, "/tasks").await.unwrap_err();
    check(&failure, FailureKind::Connect, Delivery::NotSent);
    assert!(
        failure
            .message
            .contains("`kata.invalid` cannot be resolved"),
        "{failure}"
    );
}

#[tokio::test]
async fn nothing_was_sent_where_the_handshake_never_ends() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());

    let connection = Setup::to(&url)
        .with("[limits]\nconnect_timeout = \"100ms\"")
        .open();
    check(
        &post(&connection, "/tasks").await.unwrap_err(),
        FailureKind::Connect,
        Delivery::NotSent,
    );

    // The call's own time is over before the time for connecting is.
    let connection = Setup::to(&url).open();
    let request = Request {
        timeout: Some(Duration::from_millis(100)),
        ..Request::new(Method::Post, "/tasks")
    };
    let failure = connection
        .exchange(&request, &ExchangeOptions::default())
        .await
        .unwrap_err();
    check(&failure, FailureKind::Timeout, Delivery::NotSent);
    drop(listener);
}

#[tokio::test]
async fn nothing_was_sent_where_the_certificate_is_not_trusted() {
    let server = Server::start(
        Some(Tls::with(Certified::self_signed(&Kind::server()))),
        |_| answer(200, &[], ""),
    )
    .await;
    let failure = post(&Setup::to_server(&server).open(), "/tasks")
        .await
        .unwrap_err();
    check(&failure, FailureKind::Tls, Delivery::NotSent);
    assert!(server.received().is_empty());
}

#[tokio::test]
async fn a_server_that_hangs_up_after_it_read_the_request_may_have_acted() {
    let server = Server::plain(|_| Reply::Then(Vec::new())).await;
    let failure = post(&Setup::to_server(&server).open(), "/tasks")
        .await
        .unwrap_err();
    check(&failure, FailureKind::Broken, Delivery::Unknown);
    assert_eq!(server.received().len(), 1, "a write is never sent twice");
}

#[tokio::test]
async fn a_server_that_hangs_up_in_the_middle_of_the_answer_may_have_acted() {
    for half in [
        "HTTP/1.1 200 OK\r\ncontent-le",
        "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"task\":",
    ] {
        let server = Server::plain(move |_| Reply::Then(half.into())).await;
        let failure = post(&Setup::to_server(&server).open(), "/tasks")
            .await
            .unwrap_err();
        check(&failure, FailureKind::Broken, Delivery::Unknown);
        assert_eq!(server.received().len(), 1);
    }
}

#[tokio::test]
async fn a_server_that_says_nothing_may_have_acted() {
    let server = Server::plain(|_| Reply::Silence).await;
    let connection = Setup::to_server(&server)
        .with("[limits]\ntimeout = \"200ms\"")
        .open();
    let failure = post(&connection, "/tasks").await.unwrap_err();
    check(&failure, FailureKind::Timeout, Delivery::Unknown);
    assert!(failure.message.contains("may have acted"), "{failure}");
}

#[tokio::test]
async fn a_server_that_drips_its_answer_is_stopped_by_the_time_for_the_whole_exchange() {
    let head = b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n".to_vec();
    let server = Server::plain(move |_| Reply::Drip(head.clone(), Duration::from_millis(20))).await;
    let connection = Setup::to_server(&server)
        .with("[limits]\ntimeout = \"300ms\"")
        .open();
    check(
        &get(&connection, "/").await.unwrap_err(),
        FailureKind::Timeout,
        Delivery::Unknown,
    );
}

#[tokio::test]
async fn a_connection_that_the_server_closed_while_idle_is_replaced_without_a_word() {
    let server = Server::plain(|_| match answer(200, &[], "ok") {
        // The client is not told that the server will hang up.
        Reply::Bytes(bytes) => Reply::Then(bytes),
        other => other,
    })
    .await;
    let connection = Setup::to_server(&server).open();
    for _ in 0..3 {
        assert_eq!(post(&connection, "/tasks").await.unwrap().status, 200);
        // The hang-up arrives; a request that crosses it would count as perhaps received.
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!((server.connections(), server.received().len()), (3, 3));
}

#[tokio::test]
async fn a_write_on_a_kept_connection_that_breaks_is_not_repeated_on_another() {
    let server = Server::plain(|received| match received.target.as_str() {
        "/break" => Reply::Then(Vec::new()),
        _ => answer(200, &[], "ok"),
    })
    .await;
    let connection = Setup::to_server(&server).open();
    post(&connection, "/").await.unwrap();
    check(
        &post(&connection, "/break").await.unwrap_err(),
        FailureKind::Broken,
        Delivery::Unknown,
    );
    check(
        &get(&connection, "/break").await.unwrap_err(),
        FailureKind::Broken,
        Delivery::Unknown,
    );
    assert_eq!(server.received().len(), 3);
}
