//! Several base URLs: in order for reads and for what was not sent.

use cordon_connection::{Delivery, FailureKind};

use crate::fixture::{Reply, Server, Setup, answer, get, post};

async fn dead() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

#[tokio::test]
async fn what_was_not_sent_goes_to_the_next_one_and_stays_there() {
    let server = Server::plain(|_| answer(200, &[], "ok")).await;
    let connection = Setup::to(dead().await).or(server.url()).open();
    assert_eq!(post(&connection, "/").await.unwrap().status, 200);
    assert_eq!(post(&connection, "/").await.unwrap().status, 200);
    assert_eq!(server.received().len(), 2);
}

#[tokio::test]
async fn a_read_goes_to_the_next_one_also_when_it_was_sent_but_a_write_does_not() {
    let first = Server::plain(|_| Reply::Then(Vec::new())).await;
    let second = Server::plain(|_| answer(200, &[], "ok")).await;
    let connection = Setup::to_server(&first).or(second.url()).open();
    let failure = post(&connection, "/").await.unwrap_err();
    assert_eq!(
        (failure.kind, failure.delivery),
        (FailureKind::Broken, Delivery::Unknown)
    );
    assert_eq!(second.connections(), 0);
    assert_eq!(get(&connection, "/").await.unwrap().status, 200);
}

#[tokio::test]
async fn an_answer_is_an_answer_whatever_its_status() {
    let first = Server::plain(|_| answer(503, &[], "later")).await;
    let second = Server::plain(|_| answer(200, &[], "ok")).await;
    let connection = Setup::to_server(&first).or(second.url()).open();
    assert_eq!(get(&connection, "/").await.unwrap().status, 503);
    assert_eq!(second.connections(), 0);
}

#[tokio::test]
async fn when_none_answers_each_is_named_with_its_reason() {
    let (first, second) = (dead().await, dead().await);
    let failure = post(&Setup::to(&first).or(&second).open(), "/")
        .await
        .unwrap_err();
    assert_eq!(
        (failure.kind, failure.delivery),
        (FailureKind::Connect, Delivery::NotSent)
    );
    assert!(
        failure.message.contains(&first) && failure.message.contains(&second),
        "{failure}"
    );
}
