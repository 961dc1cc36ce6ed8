//! Takes secrets out of whatever a connector says: results, errors, lines of the log.

use std::sync::Arc;

use cordon_connection::{Connection, Scrubber, Secrets};
use cordon_contract::value::Map;
use cordon_contract::{Failure, Value};

/// A longer line of text is cut where it leaves Cordon as a message or a line of the log.
const LINE_BYTES_MAX: usize = 8 << 10;

/// Knows the secrets of one call: those of its connection, and those that were passed to it.
#[derive(Clone)]
pub(crate) struct Scrub {
    connection: Option<Arc<Connection>>,
    /// Made only for a call that has secrets among its arguments.
    with_arguments: Option<Arc<Scrubber>>,
}

impl Scrub {
    /// For a call with these secrets among its arguments.
    pub fn new(connection: Option<&Arc<Connection>>, arguments: &Secrets) -> Self {
        let with_arguments = connection
            .filter(|_| !arguments.is_empty())
            .map(|connection| Arc::new(connection.scrubber_with(arguments)));
        Self {
            connection: connection.cloned(),
            with_arguments,
        }
    }

    /// The name of the connection, for the log.
    pub fn connection_name(&self) -> &str {
        self.connection.as_deref().map_or("", Connection::name)
    }

    /// The text without secrets.
    pub fn text(&self, text: &str) -> String {
        match (&self.with_arguments, &self.connection) {
            (Some(scrubber), _) => scrubber.scrub(text).into_owned(),
            (None, Some(connection)) => connection.scrub(text),
            (None, None) => text.to_owned(),
        }
    }

    /// The text as one line without secrets and control characters: it can neither forge another
    /// line nor move a terminal's cursor.
    pub fn line(&self, text: &str) -> String {
        // Scrubbed whole: of a secret that the cut goes through, a part would be left.
        let scrubbed = self.text(text);
        let end = scrubbed.floor_char_boundary(LINE_BYTES_MAX);
        let mut line: String = scrubbed[..end]
            .trim_end()
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        if end < scrubbed.len() {
            line.push('…');
        }
        line
    }

    /// The value without secrets, wherever in it a product or a connector may have put one.
    pub fn value(&self, value: Value) -> Value {
        match value {
            Value::Text(text) => Value::Text(self.text(&text)),
            Value::Bytes(bytes) => Value::Bytes(self.bytes(bytes)),
            Value::List(values) => {
                Value::List(values.into_iter().map(|value| self.value(value)).collect())
            }
            Value::Map(values) => Value::Map(
                values
                    .into_iter()
                    .map(|(name, value)| (self.text(&name), self.value(value)))
                    .collect::<Map>(),
            ),
            other => other,
        }
    }

    /// The failure without secrets.
    pub fn failure(&self, mut failure: Failure) -> Failure {
        failure.message = self.line(&failure.message);
        failure.details = self.value(failure.details);
        failure
    }

    fn bytes(&self, bytes: Vec<u8>) -> Vec<u8> {
        match (&self.with_arguments, &self.connection) {
            (Some(scrubber), _) => scrubber.scrub_bytes(&bytes).into_owned(),
            (None, Some(connection)) => connection
                .scrubber_with(&Secrets::none())
                .scrub_bytes(&bytes)
                .into_owned(),
            (None, None) => bytes,
        }
    }
}
