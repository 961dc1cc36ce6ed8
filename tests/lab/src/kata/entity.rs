//! What a Central Node knows about (§4.1), apart from its external systems.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The words in a host's `capabilities`, which are not documented \[inferred\] (§2.1).
pub(super) mod capability {
    pub const ISOLATION: &str = "network_isolation";
    pub const PREVENTION: &str = "prevention";
    pub const RUN: &str = "run_process";
}

/// A computer with an agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Host {
    /// The id in the form in which it is stored and echoed.
    pub sensor_id: String,
    /// The name that the `host` filter compares, case and all.
    pub name: String,
    /// One IPv4 address; several hosts may claim the same.
    pub ip: String,
    /// `Windows` or `Linux` \[inferred\].
    pub os_family: String,
    /// Free text.
    pub os_name: String,
    /// The agent's version.
    pub agent_version: String,
    /// Whether the agent protects itself.
    pub self_defense: bool,
    /// `ok`, `expired` or `absent` \[inferred\].
    pub license_status: String,
    /// What the agent can be asked to do.
    pub capabilities: Vec<String>,
    /// Whether the agent can be reached.
    pub online: bool,
    /// When it was last heard of.
    pub last_access: Timestamp,
}

impl Host {
    pub(super) fn can(&self, capability: &str) -> bool {
        self.capabilities.iter().any(|known| known == capability)
    }
}

/// Which traffic an exclusion allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// Towards the host.
    Inbound,
    /// From the host.
    Outbound,
    /// Either way.
    Both,
}

/// Ports, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PortRange {
    /// The first.
    pub from_port: u16,
    /// The last.
    pub to_port: u16,
}

/// Traffic that stays allowed while a host is isolated, in the vendor's field names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ExcludedRule {
    /// The direction; answered also when it was left out \[inferred\].
    pub direction: Direction,
    /// IANA number; none means all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protocol: Option<u8>,
    /// The other end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remote_ipv4_address: Option<String>,
    /// The other end, with the switch `legacy_ipv6` only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remote_ipv6_address: Option<String>,
    /// Ports of the host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub local_port_range: Option<PortRange>,
    /// Ports of the other end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remote_port_range: Option<PortRange>,
}

/// The isolation rule of one host. It outlives its own effect: the host is isolated until
/// `ends_at`, the rule stays until somebody deletes it (§2.3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IsolationRule {
    /// When the rule was set last.
    pub created_at: Timestamp,
    /// When isolation ends by itself.
    pub ends_at: Timestamp,
    /// The period asked for, in seconds.
    pub timeout_s: u64,
    /// Traffic that stays allowed.
    pub excluded_rules: Vec<ExcludedRule>,
}

/// Where prevention rules hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// On every host of the node.
    All,
    /// On one host.
    Host(Uuid),
}

/// A file that may not run, by its hash in lower case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PreventedFile {
    /// 64 hex digits.
    Sha256(String),
    /// 32 hex digits.
    Md5(String),
}

/// Who made a prevention rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// A caller of this API.
    Api,
    /// A person at the web interface.
    Web,
}

/// One prevention rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreventionObject {
    /// What may not run.
    pub file: PreventedFile,
    /// Who made the rule.
    pub origin: Origin,
}

/// Where a task stands; the words are enumerated nowhere \[inferred\] (§2.9).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TaskState {
    /// Not started.
    Pending,
    /// Started on the host.
    Processing,
    /// Ran; whether with success is not visible.
    Completed,
    /// Did not run to its end.
    Error,
}

/// What a task was created with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskSettings {
    /// Whether it starts by itself; nothing starts it later.
    pub start_now: bool,
    /// Name or path of the program.
    pub exec_command: String,
    /// Its arguments.
    pub cmd_line_parameters: Option<String>,
    /// Where it runs.
    pub working_directory: Option<String>,
}

/// A task that runs a program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// The id that the caller chose, as it was written.
    pub task_id: String,
    /// Who created it.
    pub external_system_id: String,
    /// On which host, in the stored form.
    pub sensor_id: String,
    /// What it does.
    pub settings: TaskSettings,
    /// Where it stands.
    pub state: TaskState,
    /// When it was created.
    pub created_at: Timestamp,
    /// Since when it could have started: creation, or the host coming online.
    pub ready_since: Timestamp,
    /// When it started.
    pub latest_start: Option<Timestamp>,
}
