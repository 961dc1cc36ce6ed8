//! Concurrency and pace, as the product sees them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use cordon_connection::{Delivery, ExchangeOptions, FailureKind, Method, Request};

use crate::fixture::{Reply, Server, Setup, answer, get};

#[tokio::test]
async fn a_request_that_only_waited_for_its_turn_was_not_sent() {
    let server = Server::plain(|_| Reply::Silence).await;
    let connection = Setup::to_server(&server)
        .with("[limits]\nconcurrency = 1\ntimeout = \"10s\"")
        .open();
    let hanging = tokio::spawn({
        let connection = connection.clone();
        async move { get(&connection, "/hangs").await }
    });
    while server.received().is_empty() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let request = Request {
        timeout: Some(Duration::from_millis(100)),
        ..Request::new(Method::Post, "/")
    };
    let failure = connection
        .exchange(&request, &ExchangeOptions::default())
        .await
        .unwrap_err();
    assert_eq!(
        (failure.kind, failure.delivery),
        (FailureKind::Timeout, Delivery::NotSent)
    );
    assert!(failure.message.contains("waited for its turn"), "{failure}");
    hanging.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_product_never_sees_more_requests_at_once_than_allowed() {
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (here, peak) = (now.clone(), most.clone());
    let server = Server::plain(move |_| {
        peak.fetch_max(here.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        std::thread::sleep(Duration::from_millis(2));
        here.fetch_sub(1, Ordering::SeqCst);
        answer(200, &[], "ok")
    })
    .await;
    let connection = Setup::to_server(&server)
        .with("[limits]\nconcurrency = 2")
        .open();
    let calls: Vec<_> = (0..20)
        .map(|_| {
            let connection = connection.clone();
            tokio::spawn(async move { get(&connection, "/").await.unwrap() })
        })
        .collect();
    for call in calls {
        call.await.unwrap();
    }
    assert_eq!(server.received().len(), 20);
    assert!(most.load(Ordering::SeqCst) <= 2);
    assert!(server.connections() < 20, "connections are kept");
}

#[tokio::test]
async fn a_pace_that_leaves_no_time_is_a_timeout_of_what_was_not_sent() {
    let server = Server::plain(|_| answer(200, &[], "ok")).await;
    let connection = Setup::to_server(&server)
        .with("[limits]\nrate_per_second = 0.01\ntimeout = \"500ms\"")
        .open();
    get(&connection, "/").await.unwrap();
    let failure = get(&connection, "/").await.unwrap_err();
    assert_eq!(
        (failure.kind, failure.delivery),
        (FailureKind::Timeout, Delivery::NotSent)
    );
    assert_eq!(server.received().len(), 1);
}
