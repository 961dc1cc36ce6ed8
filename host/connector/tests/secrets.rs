//! Secrets: none comes out of a connector, whatever it says, and it can get hold of none.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "what goes wrong here is a failed test"
)]

mod support;

use std::sync::{Arc, Mutex};

use cordon_connection::Connection;
use cordon_connector::limits::Limit;
use cordon_connector::{Connector, Limits};
use cordon_contract::{Delivery, SecretReference, Value};
use support::calls::{NOWHERE, PADDING, TOKIO, act, acting, call, delivery, load, load_with, runs};
use support::product::connection;
use support::{Body, Guest, err, guest, manifest, ok, request, with};

/// A connector with the credential `token`, whose value the guest knows: the worst that can happen.
fn leaking(body: Body) -> (Arc<Connector>, Arc<Connection>, tempfile::TempDir) {
    leaking_with(Limits::default(), acting(body))
}

fn leaking_with(
    limits: Limits,
    guest: Guest,
) -> (Arc<Connector>, Arc<Connection>, tempfile::TempDir) {
    use std::os::unix::fs::PermissionsExt as _;
    let credential = Value::map([
        ("name", Value::text("token")),
        ("kind", Value::text("secret")),
        ("required", Value::Bool(true)),
        ("self-made", Value::Bool(false)),
        ("help", Value::text("")),
    ]);
    let manifest = with(
        manifest("test", Vec::new()),
        "credentials",
        Value::List(vec![credential]),
    );
    let connector = load_with(limits, &guest.with("describe", Body::Returns(manifest)));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, CANARY).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    let more = format!("[credentials]\ntoken = \"file:{}\"", file.display());
    let connection = connection(&connector, NOWHERE, &more);
    (connector, connection, folder)
}

const CANARY: &str = "canary-6f1c0e";

#[test]
fn a_secret_that_a_connector_says_does_not_come_out() {
    let said = format!("the token is {CANARY}");
    let (connector, connection, _folder) = leaking(Body::Returns(ok(Value::text(&*said))));
    let result = TOKIO.block_on(call(&connector, &connection, "act", Value::Null));
    assert_eq!(result, Ok(Value::text("the token is [secret token]")));
    let (connector, connection, _folder) = leaking(Body::Returns(err(
        "internal",
        &format!("{said}\n\u{1b}[2J"),
    )));
    let failure = TOKIO
        .block_on(call(&connector, &connection, "act", Value::Null))
        .unwrap_err();
    assert_eq!(failure.message, "the token is [secret token]  [2J");
}

#[test]
fn a_connector_cannot_make_up_a_secret() {
    let made_up = guest("act: func() -> result<secret, error>;").with(
        "act",
        Body::Returns(ok(Value::map([(
            "reference",
            Value::text("admin-password"),
        )]))),
    );
    let failure = act(&load(&made_up)).unwrap_err();
    assert!(
        failure
            .message
            .contains("its result is a secret that was not passed to this call"),
        "{failure}"
    );

    let slot = Value::map([
        (
            "source",
            Value::map([(
                "argument",
                Value::map([("reference", Value::text("admin-password"))]),
            )]),
        ),
        ("encoding", Value::text("none")),
    ]);
    let with_slot = with(
        request("post", "/ok"),
        "body",
        Value::List(vec![Value::map([("secret", slot)])]),
    );
    let failure = delivery(vec![with_slot], Body::Returns(err("internal", "not sent")));
    assert_eq!(failure.delivery, Delivery::NotSent);
}

#[test]
fn a_secret_passes_through_as_a_reference() {
    let echo = guest(&format!(
        "act: func(v: secret, {PADDING}) -> result<secret, error>;"
    ))
    .with("act", Body::Echoes);
    let connector = load(&echo);
    let connection = connection(&connector, NOWHERE, "");
    let secret = Value::Secret(SecretReference::new("admin-password"));
    let arguments = Value::map([
        ("v", secret.clone()),
        ("padding", Value::List(vec![Value::from(0_u64); 17])),
    ]);
    assert_eq!(
        TOKIO.block_on(call(&connector, &connection, "act", arguments)),
        Ok(secret)
    );
}

#[test]
fn lines_of_the_log_are_scrubbed_and_bounded() {
    let mut limits = Limits::default();
    limits.set(Limit::LogLines, 2).unwrap();
    // Five times the same line, which holds the secret, a line break and an escape sequence.
    let guest = acting(runs(
        "(local $n i32)
         (loop (call $write (i32.const 1) (i32.const 16) (i32.const 24))
               (local.set $n (i32.add (local.get $n) (i32.const 1)))
               (br_if 0 (i32.lt_u (local.get $n) (i32.const 5))))
         unreachable",
    ))
    .import(
        r#"(import "cordon:connector/log@0.1.0" "write" (func $write (param i32 i32 i32)))
           (data (i32.const 16) "it is canary-6f1c0e\n\1b[2J")"#,
    );
    let (connector, connection, _folder) = leaking_with(limits, guest);
    let lines = Lines::default();
    let subscriber = tracing_subscriber::fmt()
        .with_writer(lines.clone())
        .with_ansi(false)
        .without_time()
        .finish();
    let failure = tracing::subscriber::with_default(subscriber, || {
        TOKIO
            .block_on(call(&connector, &connection, "act", Value::Null))
            .unwrap_err()
    });
    assert_eq!(failure.code.as_deref(), Some("action.broken"));
    let place = "connector=\"test\" connection=\"lab\" action=\"act\"";
    assert_eq!(
        lines.text(),
        [
            format!("INFO cordon_connector::sandbox::log: it is [secret token]  [2J {place}"),
            format!("INFO cordon_connector::sandbox::log: it is [secret token]  [2J {place}"),
            format!(
                "WARN cordon_connector::sandbox::log: further lines of this call are dropped: the limit `log_lines` (2) was reached {place}"
            ),
        ]
    );
}

/// What was logged.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Lines {
    fn text(&self) -> Vec<String> {
        let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        text.lines().map(|line| line.trim().to_owned()).collect()
    }
}

impl std::io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl tracing_subscriber::fmt::MakeWriter<'_> for Lines {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}
