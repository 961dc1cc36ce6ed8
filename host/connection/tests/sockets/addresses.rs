//! Names that lead to this machine, and addresses that the operator wrote out.

use cordon_connection::{Delivery, FailureKind};

use crate::fixture::{Server, Setup, answer, get, post};

#[tokio::test]
async fn a_name_of_this_machine_is_refused_with_the_lines_that_would_allow_it() {
    let server = Server::plain(|_| answer(200, &[], "ok")).await;
    let connection = Setup::to(format!("http://localhost:{}", server.port)).open();
    let failure = post(&connection, "/").await.unwrap_err();
    assert_eq!(
        (failure.kind, failure.delivery),
        (FailureKind::Refused, Delivery::NotSent),
        "{failure}"
    );
    assert!(
        failure.message.contains("`localhost` resolves to "),
        "{failure}"
    );
    assert!(
        failure.message.contains("[network]\nallow_addresses = [\""),
        "{failure}"
    );
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn an_allowed_address_is_reached_by_its_name() {
    let server = Server::plain(|_| answer(200, &[], "ok")).await;
    let setup = Setup::to(format!("http://localhost:{}", server.port));
    let connection = setup
        .with("[network]\nallow_addresses = [\"127.0.0.1\"]")
        .open();
    assert_eq!(get(&connection, "/").await.unwrap().status, 200);
}

#[tokio::test]
async fn an_address_as_the_base_url_is_the_operators_own_word() {
    let server = Server::plain(|_| answer(200, &[], "ok")).await;
    assert_eq!(
        get(&Setup::to_server(&server).open(), "/")
            .await
            .unwrap()
            .status,
        200
    );
}
