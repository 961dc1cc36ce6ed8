//! One request that the script expects, and what the product makes of it.

use std::fmt;

use serde_json::Value;

use crate::bindings::cordon::connector::http::{
    Delivery, Failure, FailureKind, Method, Request, Response,
};
use crate::harness::render;
use crate::http::word;

/// A request that is expected.
#[derive(Debug, Clone)]
#[must_use = "say what it is answered with"]
pub struct Expected {
    method: Method,
    path: String,
    query: Vec<(String, String)>,
    headers: Vec<(String, String)>,
    body: Recipe,
}

/// A body that is expected.
#[derive(Debug, Clone, PartialEq)]
pub enum Recipe {
    /// None.
    Nothing,
    /// This JSON.
    Json(Value),
    /// This text.
    Text(String),
}

/// An expected request and its answer.
#[derive(Debug, Clone)]
pub struct Exchange {
    pub(super) expected: Expected,
    pub(super) answer: Result<Response, Failure>,
    /// What came of a download before it broke.
    pub(super) came: Vec<u8>,
}

/// Expects `GET` of this path, percent-encoded as it is sent.
pub fn get(path: &str) -> Expected {
    Expected::new(Method::Get, path)
}

/// Expects `HEAD` of this path.
pub fn head(path: &str) -> Expected {
    Expected::new(Method::Head, path)
}

/// Expects `POST` to this path.
pub fn post(path: &str) -> Expected {
    Expected::new(Method::Post, path)
}

/// Expects `PUT` to this path.
pub fn put(path: &str) -> Expected {
    Expected::new(Method::Put, path)
}

/// Expects `PATCH` of this path.
pub fn patch(path: &str) -> Expected {
    Expected::new(Method::Patch, path)
}

/// Expects `DELETE` of this path.
pub fn delete(path: &str) -> Expected {
    Expected::new(Method::Delete, path)
}

impl Expected {
    fn new(method: Method, path: &str) -> Self {
        Self {
            method,
            path: path.to_owned(),
            query: Vec::new(),
            headers: Vec::new(),
            body: Recipe::Nothing,
        }
    }

    /// With this query parameter; what is not named here must not come.
    pub fn query(mut self, name: &str, value: &str) -> Self {
        self.query.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With this header; others may come.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With this JSON body.
    pub fn json(mut self, body: Value) -> Self {
        self.body = Recipe::Json(body);
        self
    }

    /// With this body.
    pub fn text(mut self, body: &str) -> Self {
        self.body = Recipe::Text(body.to_owned());
        self
    }

    /// Answered with JSON.
    pub fn answers(self, status: u16, body: Value) -> Exchange {
        self.answers_with(
            status,
            &[("content-type", "application/json")],
            body.to_string(),
        )
    }

    /// Answered with an empty body.
    pub fn answers_empty(self, status: u16) -> Exchange {
        self.answers_with(status, &[], "")
    }

    /// Answered with an HTML page.
    pub fn answers_html(self, status: u16, page: &str) -> Exchange {
        self.answers_with(status, &[("content-type", "text/html")], page)
    }

    /// Answered with these headers and bytes.
    pub fn answers_with(
        self,
        status: u16,
        headers: &[(&str, &str)],
        body: impl Into<Vec<u8>>,
    ) -> Exchange {
        let headers = headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        Exchange {
            expected: self,
            answer: Ok(Response {
                status,
                headers,
                body: body.into(),
                sealed: Vec::new(),
            }),
            came: Vec::new(),
        }
    }

    /// Gets no whole answer, and the product may have acted.
    pub fn fails(self, kind: FailureKind) -> Exchange {
        self.fails_with(kind, Delivery::Unknown)
    }

    /// A download that breaks after these bytes came.
    pub fn breaks_after(self, bytes: impl Into<Vec<u8>>) -> Exchange {
        Exchange {
            came: bytes.into(),
            ..self.fails(FailureKind::Broken)
        }
    }

    /// Does not reach the product.
    pub fn is_not_sent(self) -> Exchange {
        self.fails_with(FailureKind::Connect, Delivery::NotSent)
    }

    fn fails_with(self, kind: FailureKind, delivery: Delivery) -> Exchange {
        Exchange {
            expected: self,
            answer: Err(Failure {
                kind,
                delivery,
                message: format!("scripted failure: {kind:?}"),
            }),
            came: Vec::new(),
        }
    }

    /// What is wrong with the request, if something is.
    pub(super) fn difference(&self, request: &Request) -> Option<String> {
        let came = Self::of(request);
        let mut queries = (self.query.clone(), came.query.clone());
        queries.0.sort();
        queries.1.sort();
        if (self.method, &self.path) != (came.method, &came.path) || queries.0 != queries.1 {
            return Some(format!("expected: {self}\ncame:     {came}"));
        }
        if let Some((name, value)) = self
            .headers
            .iter()
            .find(|header| !came.headers.contains(header))
        {
            let headers = came
                .headers
                .iter()
                .map(|(name, value)| format!("  {name}: {value}\n"))
                .collect::<String>();
            return Some(format!(
                "expected the header `{name}: {value}` in: {came}\nbut it has:\n{headers}"
            ));
        }
        if !self.body.matches(&came.body) {
            return Some(format!(
                "expected the body: {}\nin: {self}\ncame: {}",
                self.body, came.body
            ));
        }
        None
    }

    /// The request as the script would have it.
    pub(super) fn of(request: &Request) -> Self {
        let body = request.body.as_deref().map(render::parts);
        Self {
            method: request.method,
            path: request.path.clone(),
            query: request
                .query
                .iter()
                .map(|query| (query.name.clone(), render::parts(&query.value)))
                .collect(),
            headers: request
                .headers
                .iter()
                .map(|header| {
                    (
                        header.name.to_ascii_lowercase(),
                        render::parts(&header.value),
                    )
                })
                .collect(),
            body: body.map_or(Recipe::Nothing, Recipe::Text),
        }
    }
}

impl Recipe {
    fn matches(&self, came: &Self) -> bool {
        match (self, came) {
            (Self::Json(expected), Self::Text(text)) => {
                serde_json::from_str::<Value>(text).is_ok_and(|json| json == *expected)
            }
            _ => self == came,
        }
    }
}

impl fmt::Display for Recipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("(none)"),
            Self::Json(json) => json.fmt(f),
            Self::Text(text) => f.write_str(text),
        }
    }
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", word(self.method), self.path)?;
        for (index, (name, value)) in self.query.iter().enumerate() {
            write!(f, "{}{name}={value}", if index == 0 { '?' } else { '&' })?;
        }
        Ok(())
    }
}
