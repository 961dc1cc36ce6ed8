//! What reaches the product: exactly what the connector asked for, and nothing that could lead
//! the request elsewhere.

use cordon_connection::{
    Delivery, ExchangeOptions, FailureKind, Header, HttpFailure, Method, Part, QueryParameter,
    Request, Response,
};

use crate::fixture::{Received, Server, Setup, answer};

async fn send(url_path: &str, request: &Request) -> (Result<Response, HttpFailure>, Vec<Received>) {
    let server = Server::plain(|_| answer(200, &[], "")).await;
    let connection = Setup::to(format!("{}{url_path}", server.url())).open();
    (
        connection
            .exchange(request, &ExchangeOptions::default())
            .await,
        server.received(),
    )
}

fn text(text: &str) -> Vec<Part> {
    vec![Part::Text(text.to_owned())]
}

#[tokio::test]
async fn method_path_query_headers_and_body_arrive_as_they_were_asked_for() {
    let request = Request {
        query: vec![
            QueryParameter {
                name: "host".to_owned(),
                value: text("WS 1&x=ä"),
            },
            QueryParameter {
                name: "a b".to_owned(),
                value: vec![],
            },
        ],
        headers: vec![Header {
            name: "Content-Type".to_owned(),
            value: text("application/json"),
        }],
        body: Some(vec![
            Part::Text("{\"a\":".to_owned()),
            Part::Bytes(b"1}".to_vec()),
        ]),
        ..Request::new(Method::Put, "/v1/sensors/a%2Fb")
    };
    let (outcome, received) = send("/kata/api/", &request).await;
    outcome.unwrap();
    let received = &received[0];
    assert_eq!(received.method, "PUT");
    assert_eq!(
        received.target,
        "/kata/api/v1/sensors/a%2Fb?host=WS%201%26x%3D%C3%A4&a%20b="
    );
    assert_eq!(received.headers["content-type"], "application/json");
    assert!(received.headers["user-agent"].starts_with("cordon/"));
    assert_eq!(received.body, b"{\"a\":1}");
}

async fn refused(request: Request, reason: &str) {
    let (outcome, received) = send("", &request).await;
    let failure = outcome.unwrap_err();
    assert_eq!(
        (failure.kind, failure.delivery),
        (FailureKind::Refused, Delivery::NotSent),
        "{failure}"
    );
    assert!(failure.message.contains(reason), "{failure}");
    assert!(received.is_empty());
}

#[tokio::test]
async fn a_path_that_could_lead_elsewhere_is_refused() {
    for path in [
        "",
        "sensors",
        "@evil.test/",
        "/a/../b",
        "/a/%2e%2E/b",
        "/a/.",
        "/a?b",
        "/a#b",
        "/a b",
        "/a\r\nX: y",
        "/ä",
        "/%",
        "/%zz",
        "/a\\b",
    ] {
        refused(Request::new(Method::Get, path), "the path").await;
    }
}

#[tokio::test]
async fn headers_that_say_where_a_message_goes_or_ends_are_refused() {
    for name in [
        "Host",
        "content-length",
        "Transfer-Encoding",
        "CONNECTION",
        "te",
        "Proxy-Authorization",
        "accept-encoding",
    ] {
        let headers = vec![Header {
            name: name.to_owned(),
            value: text("x"),
        }];
        refused(
            Request {
                headers,
                ..Request::new(Method::Get, "/")
            },
            "Cordon's to set",
        )
        .await;
    }
}

#[tokio::test]
async fn a_header_cannot_smuggle_another() {
    for value in ["a\r\nX-Evil: 1", "a\nb", "a\0b"] {
        let headers = vec![Header {
            name: "X-Name".to_owned(),
            value: text(value),
        }];
        refused(
            Request {
                headers,
                ..Request::new(Method::Get, "/")
            },
            "control character",
        )
        .await;
    }
    let headers = vec![Header {
        name: "X Name:".to_owned(),
        value: text("a"),
    }];
    refused(
        Request {
            headers,
            ..Request::new(Method::Get, "/")
        },
        "is not the name of a header",
    )
    .await;
}

#[tokio::test]
async fn a_url_beyond_all_measure_is_refused() {
    refused(
        Request::new(Method::Get, format!("/{}", "a".repeat(40_000))),
        "longer than 32768",
    )
    .await;
}
