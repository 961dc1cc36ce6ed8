//! The node's part of the control surface: [`handle`](super::handle) over HTTP.
//!
//! | call under `/kata` | does |
//! | --- | --- |
//! | `GET /external-systems` | who has called, and the administrator's word |
//! | `POST /external-systems/ID/accept`, `…/reject` | `{}` or `{"certificate_sha256": "…"}` |
//! | `DELETE /external-systems/ID` | forgets the row |
//! | `GET /hosts`, `GET /hosts/SENSOR` | hosts with their true isolation and rules |
//! | `POST /hosts` | `{"name": "…", "ip": "…", "details": {…}}` |
//! | `PATCH /hosts/SENSOR` | any of a host's fields |
//! | `POST /hosts/SENSOR/offline`, `…/online` | |
//! | `GET /tasks` | all tasks |
//! | `GET /prevention/SCOPE` | the rules of `all` or of a host, with their origin |
//! | `POST /prevention` | a web-interface rule: `{"scope": "all", "hash": "…"}` |
//! | `GET /switches`, `PATCH /switches` | how the node behaves; `POST` changes them as well |

use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::frame::{ControlCall, ControlError, Reply};

use super::handle::no_host;
use super::{Kata, Switches};

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Named {
    certificate_sha256: Option<String>,
}

pub(super) fn answer(kata: &Kata, call: &ControlCall) -> Result<Reply, ControlError> {
    let path: Vec<&str> = call.path.iter().map(String::as_str).collect();
    match (call.method.as_str(), path.as_slice()) {
        ("GET", ["external-systems"]) => shown(&kata.external_systems()),
        ("POST", ["external-systems", id, "accept"]) => {
            let named: Named = call.json()?;
            shown(&kata.accept(id, named.certificate_sha256.as_deref())?)
        }
        ("POST", ["external-systems", id, "reject"]) => {
            let named: Named = call.json()?;
            shown(&kata.reject(id, named.certificate_sha256.as_deref())?)
        }
        ("DELETE", ["external-systems", id]) => {
            let named: Named = call.json()?;
            kata.forget(id, named.certificate_sha256.as_deref())?;
            shown(&json!({}))
        }
        ("GET", ["hosts"]) => shown(&kata.hosts()),
        ("POST", ["hosts"]) => shown(&kata.add_host(call.json()?)?),
        ("GET", ["hosts", id]) => shown(&kata.host(id).ok_or_else(|| no_host(id))?),
        ("PATCH", ["hosts", id]) => shown(&kata.edit_host(id, call.json()?)?),
        ("POST", ["hosts", id, "offline"]) => shown(&kata.set_online(id, false)?),
        ("POST", ["hosts", id, "online"]) => shown(&kata.set_online(id, true)?),
        ("GET", ["tasks"]) => shown(&kata.tasks()),
        ("GET", ["prevention", scope]) => shown(&kata.prevention(scope)),
        ("POST", ["prevention"]) => shown(&kata.add_web_rule(&call.json()?)?),
        ("GET", ["switches"]) => shown(&kata.switches()),
        ("PATCH" | "POST", ["switches"]) => {
            let change: Map<String, Value> = call.json()?;
            let changed = merged(&kata.switches(), change)?;
            shown(&kata.switch(|switches| *switches = changed)?)
        }
        (method, _) => Err(ControlError::Missing(format!(
            "`{method} /kata/{}` on the control surface",
            call.path.join("/")
        ))),
    }
}

fn shown(value: &impl Serialize) -> Result<Reply, ControlError> {
    Ok(Reply::json(StatusCode::OK, value))
}

fn merged(switches: &Switches, change: Map<String, Value>) -> Result<Switches, ControlError> {
    let invalid = |error: serde_json::Error| ControlError::Invalid(error.to_string());
    let mut all = serde_json::to_value(switches).map_err(invalid)?;
    if let Value::Object(fields) = &mut all {
        fields.extend(change);
    }
    serde_json::from_value(all).map_err(invalid)
}
