//! A KATA Central Node, as far as its Threat Response API reaches.
//!
//! The behaviour follows the fact sheet of that API and keeps its tags: what is marked *\[inferred\]*
//! is stated in no vendor document, so it is a switch ([`Switches`]) or a named constant here and
//! never hidden in a condition.
//!
//! ```text
//! vendor     the order of checks of one request            → approval, operation, isolation, …
//! state      all entities behind one lock, and what time does to them
//! handle     what a person at the web interface can do     → control (the same over HTTP)
//! ```

mod approval;
mod control;
mod entity;
mod handle;
mod hosts;
mod isolation;
mod operation;
mod overview;
mod prevention;
mod refusal;
mod seed;
mod state;
mod switches;
mod task;
mod vendor;

use std::collections::BTreeMap;
use std::sync::Mutex;

use http::StatusCode;

use crate::estate::Estate;
use crate::frame::{
    CertificateError, ClientCertificate, Clock, Connection, ControlCall, ControlError, Product,
    Reply, Request, Section, lock,
};

pub use approval::{Approval, ExternalSystem};
pub use entity::{
    Direction, ExcludedRule, Host, IsolationRule, Origin, PortRange, PreventedFile,
    PreventionObject, Scope, Task, TaskSettings, TaskState,
};
pub use handle::{HostEdit, HostView, IsolationView, NewHost, WebRule};
pub use isolation::{TIMEOUT_S_MAX, TIMEOUT_S_MIN};
pub use seed::{HOST4, HOST4_UPPER, LAPTOP_OFFLINE, LINUX_SERVER, WINDOWS_SERVER, WORKSTATION};
pub use switches::{DeleteBody, MissingCertificate, ResponseShape, Switches, TimestampForm};

use state::State;

/// The product's short name.
pub const NAME: &str = "kata";

/// The id of the external system that a lab registers for its callers: the one that the vendor's
/// examples use \[seed\].
pub const EXTERNAL_SYSTEM_ID: &str = "15301050-0490-4A41-81EA-B0391CF21EF3";

/// How a simulated Central Node begins.
#[derive(Debug, Clone)]
pub struct Options {
    /// The external system that callers of this lab will be.
    pub credentials: Credentials,
    /// Whether the administrator has already accepted it.
    pub accepted: bool,
    /// How the node behaves where the documents leave room.
    pub switches: Switches,
}

impl Options {
    /// The defaults, with a new client certificate.
    ///
    /// # Errors
    /// When the certificate cannot be made.
    pub fn new() -> Result<Self, CertificateError> {
        Ok(Self {
            credentials: Credentials {
                external_system_id: EXTERNAL_SYSTEM_ID.to_owned(),
                certificate: ClientCertificate::make("Cordon lab external system")?,
            },
            accepted: true,
            switches: Switches::default(),
        })
    }
}

/// Who a caller of the node is.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// The id in the path.
    pub external_system_id: String,
    /// The client certificate and key.
    pub certificate: ClientCertificate,
}

/// A simulated Central Node.
#[derive(Debug)]
pub struct Kata {
    options: Options,
    estate: Estate,
    clock: Clock,
    state: Mutex<State>,
}

impl Kata {
    /// A node with an agent on every computer of the estate.
    pub fn new(options: Options, estate: &Estate, clock: Clock) -> Self {
        let state = State::begin(&options, estate, clock.now());
        Self {
            options,
            estate: estate.clone(),
            clock,
            state: Mutex::new(state),
        }
    }

    /// The external system that was made for callers of this lab.
    pub fn credentials(&self) -> &Credentials {
        &self.options.credentials
    }

    /// Looks at or changes the state as it is at this moment.
    fn with_state<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        let mut state = lock(&self.state);
        // The clock is read under the lock, so that no request sees an earlier moment than the
        // one before it.
        state.now = self.clock.now();
        act(&mut state)
    }
}

impl Product for Kata {
    fn name(&self) -> &'static str {
        NAME
    }

    fn routes(&self) -> &'static [&'static str] {
        &operation::ROUTES
    }

    fn route(&self, request: &Request) -> &'static str {
        operation::route(request)
    }

    fn answer(&self, request: &Request) -> Reply {
        self.with_state(|state| vendor::answer(state, request))
    }

    fn control(&self, call: &ControlCall) -> Result<Reply, ControlError> {
        control::answer(self, call)
    }

    fn overview(&self) -> Vec<Section> {
        overview::sections(self)
    }

    fn connection(&self) -> Connection {
        let Credentials {
            external_system_id,
            certificate,
        } = self.credentials();
        Connection {
            description: "KATA Central Node",
            settings: format!("external_system_id = \"{external_system_id}\"\n"),
            client_certificate: Some(certificate.clone()),
            told: BTreeMap::from([("external_system_id".to_owned(), external_system_id.clone())]),
            ..Connection::default()
        }
    }

    fn reset(&self) {
        let begin = State::begin(&self.options, &self.estate, self.clock.now());
        *lock(&self.state) = begin;
    }
}

/// The empty answer of a DELETE that worked.
fn deleted(form: DeleteBody) -> Reply {
    match form {
        DeleteBody::Empty => Reply::empty(StatusCode::OK),
        DeleteBody::Object => Reply::json(StatusCode::OK, &serde_json::json!({})),
    }
}
