//! Loading and calling in one line.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use cordon_connection::Connection;
use cordon_connector::{Call, Connector, Limits, Runtime, RuntimeOptions};
use cordon_contract::{Failure, Value};
use uuid::Uuid;

use super::product::{connection, ok_answer, product};
use super::{Body, Guest, guest, ok};

pub static TOKIO: LazyLock<tokio::runtime::Runtime> =
    LazyLock::new(|| tokio::runtime::Runtime::new().unwrap());

/// Nobody listens here.
pub const NOWHERE: &str = "http://127.0.0.1:9";

pub fn load_with(limits: Limits, guest: &Guest) -> Arc<Connector> {
    let runtime = Runtime::new(RuntimeOptions {
        cache_dir: None,
        limits,
    })
    .unwrap();
    TOKIO
        .block_on(runtime.load_bytes("test.wasm", guest.build()))
        .unwrap()
}

pub fn load(guest: &Guest) -> Arc<Connector> {
    static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
        Runtime::new(RuntimeOptions {
            cache_dir: None,
            limits: Limits::default(),
        })
        .unwrap()
    });
    TOKIO
        .block_on(RUNTIME.load_bytes("test.wasm", guest.build()))
        .unwrap()
}

pub async fn call(
    connector: &Connector,
    connection: &Arc<Connection>,
    action: &str,
    arguments: Value,
) -> Result<Value, Failure> {
    let arguments = arguments.as_map().cloned().unwrap_or_default();
    let timeout = Some(Duration::from_secs(20));
    connector
        .call(Call {
            connection,
            action,
            arguments: &arguments,
            idempotency_key: Uuid::nil(),
            timeout,
        })
        .await
}

/// Calls without arguments on a connection to nowhere.
pub fn act(connector: &Connector) -> Result<Value, Failure> {
    TOKIO.block_on(call(
        connector,
        &connection(connector, NOWHERE, ""),
        "act",
        Value::Null,
    ))
}

pub fn acting(body: Body) -> Guest {
    guest("act: func() -> result<string, error>; still-works: func() -> result<string, error>;")
        .with("act", body)
        .with("still-works", Body::Returns(ok(Value::text("fine"))))
}

pub fn runs(text: &str) -> Body {
    Body::Runs(text.to_owned())
}

/// What a failed call says about a product that answers `/ok`, breaks off at `/lost` and is not there
/// at all for others.
pub fn delivery(requests: Vec<Value>, then: Body) -> Failure {
    let connector = load(&acting(Body::Sends(requests, Box::new(then))));
    let url = product(&[
        ("/ok", &ok_answer("{}")),
        ("/lost", "HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{"),
    ]);
    TOKIO
        .block_on(call(
            &connector,
            &connection(&connector, &url, ""),
            "act",
            Value::Null,
        ))
        .unwrap_err()
}

/// So many parameters that all of them are passed in memory.
pub const PADDING: &str =
    "padding: tuple<u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8, u8>";
