//! Requests to the Central Node: `/kata/response_api/v1/{external_system_id}/…`.
//!
//! Every operation of this API may be repeated: reads, deletions, settings, which replace what was
//! there, and tasks, whose id the caller chooses. So all are tried again after a 5xx, a 429 or a
//! broken connection; 400, 401, 404 and 409 never are.

use cordon_sdk::http::{Method, Request, Response};
use cordon_sdk::{Error, Result, settings};

use crate::access;

/// What the query parameter `settings_type` may be.
#[derive(Clone, Copy)]
pub enum SettingsType {
    NetworkIsolation,
    Prevention,
}

/// `…/sensors`
pub fn sensors() -> Result<Request> {
    request(Method::Get, &["sensors"])
}

/// `…/settings` of a host, or of the scope `all`.
pub fn settings_of(method: Method, sensor_id: &str, r#type: SettingsType) -> Result<Request> {
    let r#type = match r#type {
        SettingsType::NetworkIsolation => "network_isolation",
        SettingsType::Prevention => "prevention",
    };
    Ok(request(method, &["settings"])?
        .query("sensor_id", given("sensor_id", sensor_id)?)
        .query("settings_type", r#type))
}

/// `…/tasks/{task_id}`
pub fn task(method: Method, task_id: &str) -> Result<Request> {
    request(method, &["tasks", given("task_id", task_id)?])
}

/// Sends a request. An answer of 200, or one whose 400, 404 or 409 the operation has to
/// interpret, is a response.
pub fn send(request: Request) -> Result<Response> {
    let response = request.send()?;
    match response.status() {
        401 => Err(access::not_accepted(&response)),
        400 if access::asks_for_certificate(&response) => {
            Err(access::certificate_not_received(&response))
        }
        400 | 404 | 409 => Ok(response),
        _ => response.success(),
    }
}

/// Sends one of the two reads whose documentation has 400 and 401 exchanged, in all versions and
/// languages. Before a first success a 400 may mean either, so the list of all hosts is asked for,
/// a request without parameters: if that succeeds, it was the parameters.
pub fn send_read(request: Request) -> Result<Response> {
    let response = send(request)?;
    if response.status() != 400 {
        return Ok(response);
    }
    let known = send_without_parameters(sensors()?).is_ok();
    Err(if known {
        response.error()
    } else {
        access::not_accepted(&response)
    })
}

/// Sends a request that has no parameters to be wrong: a 400 means that KATA does not know who asks.
pub fn send_without_parameters(request: Request) -> Result<Response> {
    let response = send(request)?;
    match response.status() {
        400 => Err(access::not_accepted(&response)),
        _ => response.success(),
    }
}

/// The id of this external system, exactly as configured.
pub fn external_system_id() -> Result<String> {
    let id = settings::text("external_system_id")?;
    if id.trim().is_empty() || id.contains('/') {
        return Err(Error::invalid_input(
            "the setting `external_system_id` must be an id without `/`, usually a UUID",
        ));
    }
    Ok(id)
}

fn request(method: Method, resource: &[&str]) -> Result<Request> {
    let id = external_system_id()?;
    let base = ["kata", "response_api", "v1", &id];
    let name = match method {
        Method::Post => "POST",
        Method::Delete => "DELETE",
        _ => "GET",
    };
    // Messages name the resource without the id, which is half of what lets a caller in.
    Ok(Request::new(method, base.iter().chain(resource))
        .named(format!("{name} {}", resource.join("/")))
        .safe_to_repeat())
}

fn given<'a>(name: &str, id: &'a str) -> Result<&'a str> {
    if id.trim().is_empty() {
        Err(Error::invalid_input(format!("`{name}` is empty")))
    } else {
        Ok(id)
    }
}
