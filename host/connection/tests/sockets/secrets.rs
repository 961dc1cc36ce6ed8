//! Secrets: filled in outside the connector, and never seen again.

use std::sync::{Arc, Mutex};

use cordon_connection::{
    Connection, Encoding, Exchange, ExchangeOptions, Header, Joined, Method, Observer, Outcome,
    Part, PlainPart, QueryParameter, Request, Secret, SecretSource, Secrets, Slot,
};
use cordon_contract::SecretReference;

use crate::fixture::{Received, Reply, Server, Setup, answer};

/// With characters that every encoding has to write in its own way.
const CANARY: &str = "c4n\"ary<&> s%e/c+r\\et";

const ENCODINGS: [Encoding; 6] = [
    Encoding::None,
    Encoding::Base64,
    Encoding::Base64Url,
    Encoding::Percent,
    Encoding::JsonString,
    Encoding::XmlText,
];

fn slot(encoding: Encoding) -> Slot {
    Slot {
        source: SecretSource::Credential("token".to_owned()),
        encoding,
    }
}

fn basic(encoding: Encoding) -> Part {
    let parts = vec![
        PlainPart::Text("user:".to_owned()),
        PlainPart::Secret(slot(Encoding::None)),
    ];
    Part::Joined(Joined { parts, encoding })
}

fn with_secret_everywhere(encoding: Encoding) -> Request {
    Request {
        query: vec![QueryParameter {
            name: "key".to_owned(),
            value: vec![Part::Secret(slot(encoding))],
        }],
        headers: vec![Header {
            name: "Authorization".to_owned(),
            value: vec![Part::Text("Basic ".to_owned()), basic(encoding)],
        }],
        body: Some(vec![
            Part::Text("{\"password\":\"".to_owned()),
            Part::Secret(slot(encoding)),
            Part::Text("\"}".to_owned()),
        ]),
        ..Request::new(Method::Post, "/login")
    }
}

/// Repeats what it got: in a header, in text, and amid bytes that are no text.
fn echo(received: &Received) -> Reply {
    let mut body = b"\xff\xfe you sent ".to_vec();
    body.extend(&received.body);
    body.extend(received.target.as_bytes());
    answer(
        400,
        &[
            ("x-echo", &received.headers["authorization"]),
            ("x-target", &received.target),
        ],
        body,
    )
}

#[derive(Default)]
struct Watcher(Mutex<Vec<Exchange>>);

impl Observer for Watcher {
    fn exchanged(&self, exchange: &Exchange) {
        self.0.lock().unwrap().push(exchange.clone());
    }
}

fn connect(server: &Server) -> Arc<Connection> {
    Setup::to_server(server).with_secret("token", CANARY).open()
}

fn contains(haystack: &str, needle: &str) -> bool {
    haystack.contains(needle)
}

/// Every spelling in which the canary could have come back.
fn spellings() -> Vec<String> {
    use base64::Engine as _;
    use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

    let mut spellings = vec![
        CANARY.to_owned(),
        "c4n%22ary".to_owned(),
        "c4n\\\"ary".to_owned(),
        "c4n&quot;ary".to_owned(),
    ];
    for before in ["", "user:"] {
        let plain = format!("{before}{CANARY}");
        // Apart from the digits that the part before shares with it.
        spellings.push(STANDARD_NO_PAD.encode(&plain)[8..].to_owned());
        spellings.push(URL_SAFE_NO_PAD.encode(&plain)[8..].to_owned());
    }
    spellings
}

#[tokio::test]
async fn a_secret_reaches_the_product_in_each_encoding_and_its_echo_reaches_nobody() {
    for encoding in ENCODINGS {
        let server = Server::plain(echo).await;
        let watcher = Arc::new(Watcher::default());
        let options = ExchangeOptions {
            observer: Some(watcher.clone()),
            ..ExchangeOptions::default()
        };
        let response = connect(&server)
            .exchange(&with_secret_everywhere(encoding), &options)
            .await
            .unwrap();

        let seen = format!(
            "{:?} {:?} {:?}",
            response.headers,
            String::from_utf8_lossy(&response.body),
            watcher.0.lock().unwrap()
        );
        assert!(contains(&seen, "[secret token]"), "{seen}");
        for spelling in spellings() {
            assert!(
                !contains(&seen, &spelling),
                "{encoding:?}: {spelling} in {seen}"
            );
        }
        let received = &server.received()[0];
        assert!(received.target.len() > "/login?key=".len() + CANARY.len() - 1);
        assert!(
            response
                .body
                .starts_with(b"\xff\xfe you sent {\"password\":\""),
            "the rest stays as it was"
        );
    }
}

#[tokio::test]
async fn basic_authentication_arrives_whole() {
    use base64::Engine as _;

    let server = Server::plain(|_| answer(200, &[], "")).await;
    let headers = vec![Header {
        name: "Authorization".to_owned(),
        value: vec![Part::Text("Basic ".to_owned()), basic(Encoding::Base64)],
    }];
    let request = Request {
        headers,
        ..Request::new(Method::Get, "/")
    };
    connect(&server)
        .exchange(&request, &ExchangeOptions::default())
        .await
        .unwrap();
    let expected = base64::engine::general_purpose::STANDARD.encode(format!("user:{CANARY}"));
    assert_eq!(
        server.received()[0].headers["authorization"],
        format!("Basic {expected}")
    );
}

#[tokio::test]
async fn text_that_looks_like_a_slot_is_text() {
    let server = Server::plain(|_| answer(200, &[], "")).await;
    let body = "{{token}} ${token} [secret token] secret(\"token\")".to_owned();
    let request = Request {
        body: Some(vec![Part::Text(body.clone())]),
        ..Request::new(Method::Post, "/")
    };
    connect(&server)
        .exchange(&request, &ExchangeOptions::default())
        .await
        .unwrap();
    assert_eq!(server.received()[0].body, body.as_bytes());
}

#[tokio::test]
async fn a_secret_argument_is_filled_in_and_scrubbed_like_a_credential() {
    let server = Server::plain(|received| answer(200, &[], &received.body)).await;
    let mut arguments = Secrets::none();
    arguments.insert("new_password", Secret::new(b"pa55word!".to_vec()));
    let source = SecretSource::Argument(SecretReference::new("new_password"));
    let request = Request {
        body: Some(vec![Part::Secret(Slot {
            source,
            encoding: Encoding::None,
        })]),
        ..Request::new(Method::Post, "/")
    };
    let connection = connect(&server);
    let options = ExchangeOptions {
        arguments,
        ..ExchangeOptions::default()
    };
    let response = connection.exchange(&request, &options).await.unwrap();
    assert_eq!(server.received()[0].body, b"pa55word!");
    assert_eq!(response.body, b"[secret new_password]");

    // Another call of the same connection does not have it.
    let failure = connection
        .exchange(&request, &ExchangeOptions::default())
        .await
        .unwrap_err();
    assert!(failure.message.contains("`new_password`"), "{failure}");
}

#[tokio::test]
async fn a_credential_that_the_connection_does_not_have_is_refused_with_the_nearest_one() {
    let server = Server::plain(|_| answer(200, &[], "")).await;
    let source = SecretSource::Credential("tokn".to_owned());
    let request = Request {
        body: Some(vec![Part::Secret(Slot {
            source,
            encoding: Encoding::None,
        })]),
        ..Request::new(Method::Post, "/")
    };
    let failure = connect(&server)
        .exchange(&request, &ExchangeOptions::default())
        .await
        .unwrap_err();
    assert!(
        failure
            .message
            .contains("`tokn`, which this connection does not have; it has `token`"),
        "{failure}"
    );
}

#[tokio::test]
async fn a_secret_that_would_break_a_header_is_refused_without_being_shown() {
    let server = Server::plain(|_| answer(200, &[], "")).await;
    let connection = Setup::to_server(&server)
        .with_secret("token", "c4nary\r\nX-Evil: 1")
        .open();
    let headers = vec![Header {
        name: "X-Token".to_owned(),
        value: vec![Part::Secret(slot(Encoding::None))],
    }];
    let request = Request {
        headers,
        ..Request::new(Method::Get, "/")
    };
    let failure = connection
        .exchange(&request, &ExchangeOptions::default())
        .await
        .unwrap_err();
    assert!(
        failure.message.contains("control character") && !failure.message.contains("c4nary"),
        "{failure}"
    );
}

#[tokio::test]
async fn a_broken_exchange_is_traced_without_secrets_too() {
    let server = Server::plain(|_| Reply::Then(Vec::new())).await;
    let watcher = Arc::new(Watcher::default());
    let options = ExchangeOptions {
        observer: Some(watcher.clone()),
        ..ExchangeOptions::default()
    };
    connect(&server)
        .exchange(&with_secret_everywhere(Encoding::Percent), &options)
        .await
        .unwrap_err();
    let seen = watcher.0.lock().unwrap();
    assert!(matches!(seen[0].outcome, Outcome::Failed(_)));
    let text = format!("{seen:?}");
    assert!(
        spellings()
            .iter()
            .all(|spelling| !contains(&text, spelling)),
        "{text}"
    );
}

#[tokio::test]
async fn nothing_of_a_connection_prints_its_secrets() {
    let server = Server::plain(|_| answer(200, &[], "")).await;
    let connection = connect(&server);
    assert!(!format!("{connection:?}").contains("c4n"));
    assert_eq!(
        connection.scrub(&format!("said {CANARY}")),
        "said [secret token]"
    );
}
