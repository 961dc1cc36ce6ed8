//! What an observer of exchanges sees: everything, with every secret replaced.

use std::time::Duration;

use super::failure::HttpFailure;
use super::request::Method;

/// Is told about each exchange after it ended, on the task that made it.
pub trait Observer: Send + Sync {
    /// One exchange ended.
    fn exchanged(&self, exchange: &Exchange);
}

/// One request and what came of it. Holds no secret.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// The connection.
    pub connection: String,
    /// The method.
    pub method: Method,
    /// The URL with its query.
    pub url: String,
    /// The headers that the connector set.
    pub headers: Vec<(String, String)>,
    /// The body that was sent, cut to [`Exchange::EXCERPT_BYTES_MAX`].
    pub body: Option<Excerpt>,
    /// What came of it.
    pub outcome: Outcome,
    /// From the first try to open a connection to the end of the answer.
    pub duration: Duration,
}

/// The beginning of a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excerpt {
    /// As text; what is no text is replaced.
    pub text: String,
    /// Bytes of the whole body.
    pub length: usize,
}

/// How an exchange ended.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// With a whole answer.
    Answered {
        /// The status.
        status: u16,
        /// The headers of the answer.
        headers: Vec<(String, String)>,
        /// The body of the answer, cut.
        body: Excerpt,
    },
    /// Without one.
    Failed(HttpFailure),
}

impl Exchange {
    /// How much of a body an observer sees.
    pub const EXCERPT_BYTES_MAX: usize = 4096;
}

impl Excerpt {
    /// Of a body in which no secret is left.
    pub(crate) fn of(clean: &[u8], length: usize) -> Self {
        let cut = &clean[..clean.len().min(Exchange::EXCERPT_BYTES_MAX)];
        Self {
            text: String::from_utf8_lossy(cut).into_owned(),
            length,
        }
    }
}
