//! A product for the tests of what the frame does with any product.

use http::StatusCode;
use serde_json::json;

use super::{
    ClientCertificate, Connection, ControlCall, ControlError, Product, Reply, Request, Secret,
    Section,
};

/// Answers with the number of the connection and the length of the body, and knows callers as the
/// test says.
#[derive(Debug, Default, Clone)]
pub(crate) struct Toy {
    pub compresses: bool,
    pub request_bytes_max: usize,
    pub certificate: Option<&'static str>,
    pub settings: &'static str,
    pub password: &'static str,
    pub password_kept: bool,
}

impl Product for Toy {
    fn name(&self) -> &'static str {
        "toy"
    }

    fn routes(&self) -> &'static [&'static str] {
        &["all"]
    }

    fn route(&self, _: &Request) -> &'static str {
        "all"
    }

    fn answer(&self, request: &Request) -> Reply {
        if request.path == "/nothing" {
            return Reply::empty(StatusCode::OK);
        }
        let answer = json!({
            "connection": request.caller.connection,
            "length": request.body.len(),
            "filler": "x".repeat(10_000),
        });
        Reply::json(StatusCode::OK, &answer)
    }

    fn control(&self, _: &ControlCall) -> Result<Reply, ControlError> {
        Err(ControlError::Missing("control of a toy".to_owned()))
    }

    fn overview(&self) -> Vec<Section> {
        Vec::new()
    }

    fn connection(&self) -> Connection {
        let password = if self.password_kept {
            Secret::kept("toy.password", self.password)
        } else {
            Secret::renewed("toy.password", self.password)
        };
        let certificate = |name| ClientCertificate::make(name).unwrap();
        Connection {
            description: "Toy",
            settings: self.settings.to_owned(),
            credentials: "password = \"file:credentials/toy.password\"\n".to_owned(),
            client_certificate: self.certificate.map(certificate),
            secrets: vec![password],
            told: [("user".to_owned(), "player".to_owned())].into(),
        }
    }

    fn request_bytes_max(&self) -> usize {
        self.request_bytes_max
    }

    fn compresses(&self) -> bool {
        self.compresses
    }

    fn reset(&self) {}
}
