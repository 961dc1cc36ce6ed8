//! Which operation a request is, and what its query says (§2; steps 3 and 5 of §4.2).

use http::Method;
use uuid::Uuid;

use crate::frame::Request;

use super::entity::Scope;
use super::refusal::Refusal;

/// Names of all operations, as faults and the request log speak of them.
pub(super) const ROUTES: [&str; 12] = [
    "list-hosts",
    "read-isolation",
    "set-isolation",
    "delete-isolation",
    "read-prevention",
    "set-prevention",
    "delete-prevention",
    "read-task",
    "create-task",
    "delete-task",
    "scan-state",
    "unknown",
];

/// The word for all hosts of the node.
pub(super) const ALL: &str = "all";

/// What the path names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Resource {
    Hosts,
    Settings,
    Task(String),
    /// Of the sibling scan API: what external systems call to introduce themselves (§1.3).
    ScanState,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    Read,
    Write,
    Delete,
}

/// A path and method that exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    pub external_system: String,
    pub resource: Resource,
    pub verb: Verb,
}

impl Target {
    pub(super) fn of(request: &Request) -> Result<Self, Refusal> {
        let path = request.segments().ok_or(Refusal::NotFound)?;
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        let (id, resource) = match path.as_slice() {
            ["kata", "response_api", "v1", id, "sensors"] => (id, Resource::Hosts),
            ["kata", "response_api", "v1", id, "settings"] => (id, Resource::Settings),
            ["kata", "response_api", "v1", id, "tasks", task] if !task.is_empty() => {
                (id, Resource::Task((*task).to_owned()))
            }
            ["kata", "scanner", "v1", "sensors", id, "scans", "state"] => (id, Resource::ScanState),
            _ => return Err(Refusal::NotFound),
        };
        if id.is_empty() {
            return Err(Refusal::NotFound);
        }
        let read_only = matches!(resource, Resource::Hosts | Resource::ScanState);
        let verb = match request.method {
            Method::GET => Verb::Read,
            Method::POST if !read_only => Verb::Write,
            Method::DELETE if !read_only => Verb::Delete,
            _ if read_only => return Err(Refusal::Method("GET")),
            _ => return Err(Refusal::Method("GET, POST, DELETE")),
        };
        Ok(Self {
            external_system: (*id).to_owned(),
            resource,
            verb,
        })
    }
}

pub(super) fn route(request: &Request) -> &'static str {
    let Ok(target) = Target::of(request) else {
        return "unknown";
    };
    let kind = Query::of(request).settings_type().ok();
    match (target.resource, target.verb, kind) {
        (Resource::Hosts, ..) => "list-hosts",
        (Resource::ScanState, ..) => "scan-state",
        (Resource::Task(_), Verb::Read, _) => "read-task",
        (Resource::Task(_), Verb::Write, _) => "create-task",
        (Resource::Task(_), Verb::Delete, _) => "delete-task",
        (Resource::Settings, Verb::Read, Some(Kind::Isolation)) => "read-isolation",
        (Resource::Settings, Verb::Write, Some(Kind::Isolation)) => "set-isolation",
        (Resource::Settings, Verb::Delete, Some(Kind::Isolation)) => "delete-isolation",
        (Resource::Settings, Verb::Read, Some(Kind::Prevention)) => "read-prevention",
        (Resource::Settings, Verb::Write, Some(Kind::Prevention)) => "set-prevention",
        (Resource::Settings, Verb::Delete, Some(Kind::Prevention)) => "delete-prevention",
        (Resource::Settings, _, None) => "unknown",
    }
}

/// The two kinds of settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Isolation,
    Prevention,
}

/// The query by names. Names that an operation does not have are ignored (§3.13).
#[derive(Debug)]
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    pub(super) fn of(request: &Request) -> Self {
        Self(request.query_pairs())
    }

    /// A parameter that may be left out; an empty value counts as left out \[inferred\].
    pub(super) fn optional(&self, name: &str) -> Result<Option<&str>, Refusal> {
        let mut found = self.0.iter().filter(|(known, _)| known == name);
        let value = found.next().map(|(_, value)| value.as_str());
        if found.next().is_some() {
            return Err(Refusal::Parameters(format!("{name} is given twice")));
        }
        Ok(value.filter(|value| !value.is_empty()))
    }

    pub(super) fn required(&self, name: &str) -> Result<&str, Refusal> {
        self.optional(name)?
            .ok_or_else(|| Refusal::Parameters(format!("{name} is missing")))
    }

    pub(super) fn settings_type(&self) -> Result<Kind, Refusal> {
        match self.required("settings_type")? {
            "network_isolation" => Ok(Kind::Isolation),
            "prevention" => Ok(Kind::Prevention),
            _ => Err(Refusal::Parameters(
                "settings_type must be network_isolation or prevention".to_owned(),
            )),
        }
    }

    /// `sensor_id` where only one host can be meant; `all` is not offered there \[seed\].
    pub(super) fn one_host(&self) -> Result<Uuid, Refusal> {
        uuid("sensor_id", self.required("sensor_id")?)
    }

    /// `sensor_id` where it may be `all`.
    pub(super) fn scope(&self) -> Result<Scope, Refusal> {
        match self.required("sensor_id")? {
            ALL => Ok(Scope::All),
            id => uuid("sensor_id", id).map(Scope::Host),
        }
    }

    /// A parameter that is `true`, `false` or left out, which means `false` \[inferred\] (§2.8).
    pub(super) fn flag(&self, name: &str) -> Result<bool, Refusal> {
        match self.optional(name)? {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(_) => Err(Refusal::Parameters(format!("{name} must be true or false"))),
        }
    }
}

/// A UUID in its usual form with four hyphens, in either case.
pub(super) fn uuid(name: &str, text: &str) -> Result<Uuid, Refusal> {
    Uuid::try_parse(text)
        .ok()
        .filter(|_| text.len() == 36)
        .ok_or_else(|| Refusal::Parameters(format!("{name} must be a UUID")))
}
