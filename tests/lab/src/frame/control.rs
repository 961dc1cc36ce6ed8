//! The control surface: plain HTTP on a second loopback port, for people with a browser or curl
//! and for tests in other processes. Everything on it is JSON, the overview apart.
//!
//! | call | does |
//! | --- | --- |
//! | `GET /`, `GET /PRODUCT` | the overview: HTML for browsers, else text |
//! | `GET /PRODUCT/clock` | the lab's time |
//! | `POST /PRODUCT/clock/advance` | `{"by": "2h"}` |
//! | `GET`, `POST`, `DELETE /PRODUCT/faults` | show, add, end faults |
//! | `GET`, `DELETE /PRODUCT/requests` | the request log; `?route=NAME` for one route |
//! | `POST /PRODUCT/reset` | the first state again |
//! | `/PRODUCT/…` | the product's own part |

use std::sync::Arc;

use bytes::Bytes;
use http::header::ACCEPT;
use http::{Method, Response, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use super::clock::parse_duration;
use super::content::{Closed, Content};
use super::exchange::{Reply, Request};
use super::faults::FaultRule;
use super::overview::{Section, as_html, as_text};
use super::server::Handler;
use super::simulator::{Product, REQUEST_BYTES_MAX, Simulator};

/// How many of the latest requests the overview shows.
const REQUESTS_SHOWN: usize = 10;

/// A call to a product's own part of the control surface.
#[derive(Debug)]
pub struct ControlCall {
    /// The method.
    pub method: Method,
    /// The path's segments after the product's name, decoded.
    pub path: Vec<String>,
    /// The query, decoded.
    pub query: Vec<(String, String)>,
    /// The whole body.
    pub body: Bytes,
}

impl ControlCall {
    /// The body as JSON of the expected shape; an empty one counts as `{}`.
    ///
    /// # Errors
    /// When it has another shape.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, ControlError> {
        let body: &[u8] = if self.body.is_empty() {
            b"{}"
        } else {
            &self.body
        };
        serde_json::from_slice(body).map_err(|error| ControlError::Invalid(error.to_string()))
    }
}

/// Why a call to the control surface was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ControlError {
    /// What is spoken of does not exist.
    #[error("there is no {0}")]
    Missing(String),
    /// What is asked for makes no sense.
    #[error("{0}")]
    Invalid(String),
    /// What is asked for contradicts what there is.
    #[error("{0}")]
    Conflict(String),
}

impl ControlError {
    fn reply(&self) -> Reply {
        let status = match self {
            Self::Missing(_) => StatusCode::NOT_FOUND,
            Self::Invalid(_) => StatusCode::BAD_REQUEST,
            Self::Conflict(_) => StatusCode::CONFLICT,
        };
        Reply::error(status, &self.to_string())
    }
}

/// The control surface of all simulators of one lab.
pub(crate) struct ControlSurface(pub Vec<Arc<Simulator<dyn Product>>>);

impl Handler for ControlSurface {
    fn request_bytes_max(&self) -> usize {
        REQUEST_BYTES_MAX
    }

    async fn handle(self: Arc<Self>, request: Request) -> Result<Response<Content>, Closed> {
        let reply = self.answer(request).unwrap_or_else(|error| error.reply());
        Ok(Content::whole(reply))
    }
}

impl ControlSurface {
    fn answer(&self, request: Request) -> Result<Reply, ControlError> {
        let unknown = || ControlError::Missing(format!("`{}` here", request.path));
        let mut path = request.segments().ok_or_else(unknown)?;
        path.retain(|segment| !segment.is_empty());
        if path.is_empty() {
            return self.overview(&request, &self.0);
        }
        let name = path.remove(0);
        let simulator = self.0.iter().find(|one| one.product.name() == name);
        let simulator = simulator.ok_or_else(unknown)?;
        let call = ControlCall {
            method: request.method.clone(),
            path,
            query: request.query_pairs(),
            body: request.body.clone(),
        };
        let path: Vec<&str> = call.path.iter().map(String::as_str).collect();
        match (call.method.as_str(), path.as_slice()) {
            (_, []) => self.overview(&request, std::slice::from_ref(simulator)),
            ("GET", ["clock"]) => Ok(clock(simulator)),
            ("POST", ["clock", "advance"]) => {
                let Advance { by } = call.json()?;
                let by = parse_duration(&by).map_err(ControlError::Invalid)?;
                simulator.clock.advance(by);
                Ok(clock(simulator))
            }
            ("GET", ["faults"]) => Ok(faults(simulator)),
            ("POST", ["faults"]) => {
                let rule: FaultRule = call.json()?;
                simulator.faults.add(rule).map_err(ControlError::Invalid)?;
                Ok(faults(simulator))
            }
            ("DELETE", ["faults"]) => {
                simulator.faults.clear();
                Ok(faults(simulator))
            }
            ("GET", ["requests"]) => {
                let route = call.query.iter().find(|(name, _)| name == "route");
                let found = match route {
                    Some((_, route)) => simulator.requests.of_route(route),
                    None => simulator.requests.all(),
                };
                Ok(Reply::json(StatusCode::OK, &found))
            }
            ("DELETE", ["requests"]) => {
                simulator.requests.clear();
                Ok(Reply::json(StatusCode::OK, &json!([])))
            }
            ("POST", ["reset"]) => {
                simulator.reset();
                Ok(Reply::json(StatusCode::OK, &json!({})))
            }
            _ => simulator.product.control(&call),
        }
    }

    fn overview(
        &self,
        request: &Request,
        shown: &[Arc<Simulator<dyn Product>>],
    ) -> Result<Reply, ControlError> {
        if request.method != Method::GET {
            return Err(ControlError::Invalid(
                "the overview is only read".to_owned(),
            ));
        }
        let sections: Vec<Section> = shown.iter().flat_map(|one| sections(one)).collect();
        let accept = request
            .headers
            .get(ACCEPT)
            .and_then(|value| value.to_str().ok());
        let title = "Cordon lab";
        Ok(if accept.is_some_and(|types| types.contains("text/html")) {
            let page = as_html(title, &sections);
            Reply::text(StatusCode::OK, "text/html; charset=utf-8", page)
        } else {
            let text = as_text(title, &sections);
            Reply::text(StatusCode::OK, "text/plain; charset=utf-8", text)
        })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    by: String,
}

fn clock(simulator: &Simulator<dyn Product>) -> Reply {
    Reply::json(StatusCode::OK, &json!({ "now": simulator.clock.now() }))
}

fn faults(simulator: &Simulator<dyn Product>) -> Reply {
    Reply::json(StatusCode::OK, &simulator.faults.in_force())
}

fn sections(simulator: &Simulator<dyn Product>) -> Vec<Section> {
    let name = simulator.product.name();
    let now = simulator.clock.now();
    let mut sections = vec![Section {
        title: format!("{name}: server"),
        columns: vec!["url", "certificate (SHA-256)", "lab time", "clock"],
        rows: vec![vec![
            simulator.url.clone(),
            simulator
                .certificate
                .as_ref()
                .map_or_else(|| "none: plain HTTP".to_owned(), |found| found.sha256()),
            format!("{now:.0}"),
            simulator
                .clock
                .speed()
                .map_or_else(|| "stands still".to_owned(), |speed| speed.to_string()),
        ]],
    }];
    sections.extend(simulator.product.overview());
    let records = simulator.requests.all();
    sections.push(Section {
        title: format!("{name}: latest requests"),
        columns: vec![
            "number", "route", "method", "status", "changed", "fault", "warnings",
        ],
        rows: records[records.len().saturating_sub(REQUESTS_SHOWN)..]
            .iter()
            .map(|record| {
                vec![
                    record.number.to_string(),
                    record.route.clone(),
                    record.method.clone(),
                    record
                        .status
                        .map_or_else(|| "-".to_owned(), |status| status.to_string()),
                    if record.applied { "yes" } else { "no" }.to_owned(),
                    record.fault.clone().unwrap_or_default(),
                    record.warnings.join("; "),
                ]
            })
            .collect(),
    });
    sections
}
