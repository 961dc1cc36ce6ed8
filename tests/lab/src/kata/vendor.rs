//! One request to the vendor's API, through the checks in their order (§4.2): path and method,
//! external system, query, body, host, conflicts; only then anything is applied.

use http::StatusCode;

use crate::frame::{Reply, Request};

use super::operation::{Kind, Query, Resource, Target, Verb};
use super::refusal::Refusal;
use super::state::State;
use super::{hosts, isolation, prevention, task};

/// What was tolerated on the way, for the request log.
pub(super) type Warnings = Vec<String>;

pub(super) fn answer(state: &mut State, request: &Request) -> Reply {
    let mut warnings = Warnings::new();
    let mut reply = decide(state, request, &mut warnings).unwrap_or_else(|refusal| refusal.reply());
    reply.warnings = warnings;
    reply
}

fn decide(state: &mut State, request: &Request, warnings: &mut Warnings) -> Result<Reply, Refusal> {
    let target = Target::of(request)?;
    state.admit(&target.external_system, &request.caller)?;
    note_form(request, target.verb, warnings);
    let query = Query::of(request);
    match (&target.resource, target.verb) {
        (Resource::Hosts, _) => hosts::list(state, &query),
        (Resource::ScanState, _) => Ok(Reply::empty(StatusCode::NO_CONTENT)),
        (Resource::Settings, verb) => match (query.settings_type()?, verb) {
            (Kind::Isolation, Verb::Read) => isolation::read(state, &query),
            (Kind::Isolation, Verb::Write) => isolation::set(state, &query, request, warnings),
            (Kind::Isolation, Verb::Delete) => isolation::delete(state, &query),
            (Kind::Prevention, Verb::Read) => prevention::read(state, &query),
            (Kind::Prevention, Verb::Write) => prevention::set(state, &query, request, warnings),
            (Kind::Prevention, Verb::Delete) => prevention::delete(state, &query),
        },
        (Resource::Task(id), Verb::Read) => task::read(state, id, &query),
        (Resource::Task(id), Verb::Write) => {
            let owner = &target.external_system;
            task::create(state, owner, id, &query, request, warnings)
        }
        (Resource::Task(id), Verb::Delete) => task::delete(state, id),
    }
}

/// The documents want JSON to be called JSON and no body where there is nothing to say; neither is
/// known to be enforced \[inferred\].
fn note_form(request: &Request, verb: Verb, warnings: &mut Warnings) {
    let content_type = request.headers.get(http::header::CONTENT_TYPE);
    let is_json = content_type
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.to_ascii_lowercase().starts_with("application/json"));
    if verb == Verb::Write && !is_json {
        warnings.push("the body is not declared as application/json".to_owned());
    }
    if verb != Verb::Write && !request.body.is_empty() {
        warnings.push(format!("{} has no body", request.method));
    }
}
