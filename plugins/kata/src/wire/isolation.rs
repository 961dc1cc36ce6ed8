//! `…/settings?settings_type=network_isolation`
//!
//! Documented as an array of settings; a server in use wraps such answers in `settings`. Both are
//! read, and a bare object too.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::lenient;

/// The body of a POST.
#[derive(Debug, Serialize)]
pub struct Order<'a> {
    pub settings: &'a Settings,
}

#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Settings {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub excluded_rules: Vec<ExcludedRule>,
    /// In seconds.
    #[serde(
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none",
        rename = "autoTurnoffTimeoutInSec"
    )]
    pub auto_turnoff_timeout: Option<u64>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ExcludedRule {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub direction: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocol: Option<u8>,
    /// The IPv6 spelling is a remnant of older versions; only read, never sent.
    #[serde(rename = "remoteIpv4Address", alias = "remoteIpv6Address")]
    pub remote_address: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub local_port_range: Option<PortRange>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote_port_range: Option<PortRange>,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PortRange {
    pub from_port: u16,
    pub to_port: u16,
}

impl Settings {
    /// How long the isolation lasts, in milliseconds.
    pub fn duration(&self) -> Option<u64> {
        self.auto_turnoff_timeout
            .map(|seconds| seconds.saturating_mul(1000))
    }
}

/// The settings in an answer of any known shape; none if it has no settings.
pub fn settings(answer: &Value) -> Option<Settings> {
    match answer {
        Value::Array(values) => values.first().and_then(settings),
        Value::Object(fields) => match fields.get("settings") {
            Some(inner) => settings(inner),
            None if fields.contains_key("autoTurnoffTimeoutInSec")
                || fields.contains_key("excludedRules") =>
            {
                serde_json::from_value(answer.clone()).ok()
            }
            None => None,
        },
        _ => None,
    }
}
