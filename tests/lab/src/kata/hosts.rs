//! The list of hosts (§2.1).

use http::StatusCode;
use serde::Serialize;
use serde_json::{Value, json};

use crate::frame::Reply;

use super::entity::Host;
use super::operation::{Query, uuid};
use super::refusal::Refusal;
use super::state::State;
use super::switches::TimestampForm;

/// \[inferred\] from the name of the printed structure.
const SERVER_VERSION: &str = "7.0.0.532";

#[derive(Serialize)]
struct Answer {
    server: Server,
    sensors: Vec<Sensor>,
}

#[derive(Serialize)]
struct Server {
    version: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Sensor {
    sensor_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    host_name: Option<String>,
    host_ip: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_access_timestamp: Option<Value>,
    version: String,
    self_defense_state: bool,
    license_status: String,
    os_family: String,
    os_name: String,
    capabilities: Vec<String>,
}

/// The hosts that match all filters; none is an empty list, not an error \[inferred\].
pub(super) fn list(state: &State, query: &Query) -> Result<Reply, Refusal> {
    let ip = query.optional("ip")?;
    let name = query.optional("host")?;
    let id = query.optional("sensor_id")?;
    let id = id.map(|id| uuid("sensor_id", id)).transpose()?;
    let matches = |host: &Host| {
        ip.is_none_or(|ip| host.ip == ip) && name.is_none_or(|name| host.name == name)
    };
    let sensors = state
        .hosts
        .iter()
        .filter(|(known, host)| id.is_none_or(|id| id == **known) && matches(host))
        .map(|(_, host)| show(state, host))
        .collect();
    let server = Server {
        version: SERVER_VERSION,
    };
    Ok(Reply::json(StatusCode::OK, &Answer { server, sensors }))
}

fn show(state: &State, host: &Host) -> Sensor {
    let moment = state.last_access(host);
    Sensor {
        sensor_id: host.sensor_id.clone(),
        host_name: state.switches.emit_host_name.then(|| host.name.clone()),
        host_ip: host.ip.clone(),
        last_access_timestamp: match state.switches.timestamp_form {
            TimestampForm::Text => Some(json!(format!("{moment:.0}"))),
            TimestampForm::Seconds => Some(json!(moment.as_second())),
            TimestampForm::Milliseconds => Some(json!(moment.as_millisecond())),
            TimestampForm::Absent => None,
        },
        version: host.agent_version.clone(),
        self_defense_state: host.self_defense,
        license_status: host.license_status.clone(),
        os_family: host.os_family.clone(),
        os_name: host.os_name.clone(),
        capabilities: host.capabilities.clone(),
    }
}
