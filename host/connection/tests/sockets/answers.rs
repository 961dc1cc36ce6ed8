//! Answers as they come, and those that are too large or no answers at all.

use cordon_connection::{Delivery, FailureKind};

use crate::fixture::{Reply, Server, Setup, answer, get, post};

#[tokio::test]
async fn any_status_and_any_content_is_an_answer() {
    for (status, body) in [
        (200, "{}"),
        (204, ""),
        (404, "{\"error\":\"Not Found\"}"),
        (502, "<html>Bad Gateway</html>"),
    ] {
        let server =
            Server::plain(move |_| answer(status, &[("content-type", "text/html")], body)).await;
        let response = get(&Setup::to_server(&server).open(), "/sensors")
            .await
            .unwrap();
        assert_eq!(
            (response.status, response.body.as_slice()),
            (status, body.as_bytes())
        );
    }
}

#[tokio::test]
async fn headers_keep_their_order_and_may_repeat() {
    let headers = [
        ("Set-Cookie", "a=1"),
        ("X-Name", "Grüße"),
        ("Set-Cookie", "b=2"),
    ];
    let server = Server::plain(move |_| answer(200, &headers, "")).await;
    let response = get(&Setup::to_server(&server).open(), "/").await.unwrap();
    let cookies: Vec<_> = response
        .headers
        .iter()
        .filter(|(name, _)| name == "set-cookie")
        .map(|(_, value)| value.as_str())
        .collect();
    assert_eq!(cookies, ["a=1", "b=2"]);
    assert!(
        response
            .headers
            .contains(&("x-name".to_owned(), "Grüße".to_owned()))
    );
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_is_not_followed() {
    let elsewhere = Server::plain(|_| answer(200, &[], "stolen")).await;
    let to = elsewhere.url();
    let server = Server::plain(move |_| answer(307, &[("location", &to)], "")).await;
    let response = get(&Setup::to_server(&server).open(), "/").await.unwrap();
    assert_eq!(response.status, 307);
    assert!(
        response
            .headers
            .contains(&("location".to_owned(), elsewhere.url()))
    );
    assert_eq!(elsewhere.connections(), 0);
}

#[tokio::test]
async fn a_compressed_answer_is_not_asked_for_and_stays_as_it_is() {
    let server =
        Server::plain(|_| answer(200, &[("content-encoding", "gzip")], b"\x1f\x8b\x08")).await;
    let response = get(&Setup::to_server(&server).open(), "/").await.unwrap();
    assert_eq!(response.body, b"\x1f\x8b\x08");
    assert!(!server.received()[0].headers.contains_key("accept-encoding"));
}

#[tokio::test]
async fn an_answer_without_end_is_stopped_at_the_limit() {
    for head in [
        // Announced, chunked, and until the connection closes.
        "HTTP/1.1 200 OK\r\ncontent-length: 10000000000\r\n\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nfffffff\r\n",
        "HTTP/1.1 200 OK\r\n\r\n",
    ] {
        let server = Server::plain(move |_| Reply::Flood(head.into())).await;
        let connection = Setup::to_server(&server)
            .with("[limits]\nanswer_size = \"1MiB\"")
            .open();
        let failure = post(&connection, "/").await.unwrap_err();
        assert_eq!(
            (failure.kind, failure.delivery),
            (FailureKind::TooLarge, Delivery::Unknown),
            "{head:?}: {failure}"
        );
        assert!(failure.message.contains("larger than 1MiB"), "{failure}");
    }
}

#[tokio::test]
async fn an_answer_of_exactly_the_limit_is_taken() {
    let server = Server::plain(|_| answer(200, &[], [b'x'; 1024])).await;
    let at_limit = Setup::to_server(&server)
        .with("[limits]\nanswer_size = \"1KiB\"")
        .open();
    assert_eq!(get(&at_limit, "/").await.unwrap().body.len(), 1024);
    let below = Setup::to_server(&server)
        .with("[limits]\nanswer_size = \"1023B\"")
        .open();
    assert_eq!(
        get(&below, "/").await.unwrap_err().kind,
        FailureKind::TooLarge
    );
}

#[tokio::test]
async fn what_is_not_http_is_said_to_be_so() {
    let server = Server::plain(|_| Reply::Then(b"SSH-2.0-OpenSSH_9.9\r\n".to_vec())).await;
    let failure = get(&Setup::to_server(&server).open(), "/")
        .await
        .unwrap_err();
    assert_eq!(failure.kind, FailureKind::Broken);
    assert!(failure.message.contains("does not speak HTTP"), "{failure}");
}

#[tokio::test]
async fn a_kept_connection_is_used_again() {
    let server = Server::plain(|_| answer(200, &[], "ok")).await;
    let connection = Setup::to_server(&server).open();
    for _ in 0..5 {
        get(&connection, "/").await.unwrap();
    }
    assert_eq!((server.connections(), server.received().len()), (1, 5));
}
