//! `GET …/sensors`

use cordon_sdk::timestamp;
use serde::Deserialize;

use super::lenient;

#[derive(Debug, Deserialize)]
pub struct Answer {
    #[serde(default, deserialize_with = "lenient")]
    pub server: Option<Server>,
    pub sensors: Vec<Sensor>,
}

#[derive(Debug, Deserialize)]
pub struct Server {
    #[serde(default, deserialize_with = "lenient")]
    pub version: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Sensor {
    pub sensor_id: String,
    #[serde(default, deserialize_with = "lenient")]
    pub host_ip: Option<String>,
    /// Not documented, although hosts can be filtered by name.
    #[serde(default, deserialize_with = "lenient")]
    pub host_name: Option<String>,
    /// Another spelling of the same.
    #[serde(default, deserialize_with = "lenient")]
    pub host: Option<String>,
    /// Of no documented form.
    #[serde(
        default,
        deserialize_with = "timestamp::optional",
        rename = "lastAccessTimestamp"
    )]
    pub last_access: Option<i64>,
    #[serde(default, deserialize_with = "lenient")]
    pub version: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub self_defense_state: Option<bool>,
    #[serde(default, deserialize_with = "lenient")]
    pub license_status: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub os_family: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub os_name: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub capabilities: Option<Vec<String>>,
}
