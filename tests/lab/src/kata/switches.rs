//! Where the documents leave room, or say two things: one switch for each.

use serde::{Deserialize, Serialize};

/// How the node behaves where the documents leave room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Switches {
    /// The shape in which settings are answered (§2.2).
    pub response_shape: ResponseShape,
    /// Whether the list of hosts has `hostName`, which is not among the documented fields
    /// \[inferred\] (§2.1).
    pub emit_host_name: bool,
    /// How the list of hosts writes `lastAccessTimestamp`, whose type is not documented
    /// \[inferred\] (§2.1).
    pub timestamp_form: TimestampForm,
    /// Status of a conflict between prevention rules, which is in no table \[inferred\] (§2.6).
    pub prevention_conflict_status: u16,
    /// Whether an exclusion may name `remoteIpv6Address` \[inferred\] (§3.14).
    pub legacy_ipv6: bool,
    /// Status of "authorization required": 401, or 400 as two tables have it (§3.1).
    pub auth_code: u16,
    /// What a caller without a client certificate gets \[inferred\] (§1.3).
    pub missing_certificate: MissingCertificate,
    /// Whether new external systems need no administrator.
    pub auto_accept: bool,
    /// Body of a DELETE that worked \[inferred\] (§2.4).
    pub delete_body: DeleteBody,
    /// Whether a task's answer has `execCommand` inside `schedule`, as the braces of the printed
    /// structure say (§3.8).
    pub exec_command_in_schedule: bool,
    /// From the creation of a task to its start on a host that is online \[inferred\] (§4.3).
    pub task_start_delay_ms: u64,
    /// From the start of a task to its end \[inferred\] (§4.3).
    pub task_run_time_ms: u64,
    /// A task fails when its command contains this, in whatever case; never when it is empty
    /// \[inferred\] (§4.3).
    pub task_failure_pattern: String,
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            response_shape: ResponseShape::Array,
            emit_host_name: false,
            timestamp_form: TimestampForm::Text,
            prevention_conflict_status: 409,
            legacy_ipv6: false,
            auth_code: 401,
            missing_certificate: MissingCertificate::Unauthorized,
            auto_accept: false,
            delete_body: DeleteBody::Empty,
            exec_command_in_schedule: false,
            task_start_delay_ms: 1000,
            task_run_time_ms: 2000,
            task_failure_pattern: "fail".to_owned(),
        }
    }
}

impl Switches {
    /// Refuses statuses that cannot stand for what they are meant to say.
    ///
    /// # Errors
    /// A sentence that names the switch.
    pub fn check(&self) -> Result<(), String> {
        if ![400, 401].contains(&self.auth_code) {
            return Err(format!("auth_code is 401 or 400, not {}", self.auth_code));
        }
        if !(400..=499).contains(&self.prevention_conflict_status) {
            return Err(format!(
                "prevention_conflict_status is from 400 to 499, not {}",
                self.prevention_conflict_status
            ));
        }
        Ok(())
    }
}

/// The shape of answered settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ResponseShape {
    /// An array, as documented.
    Array,
    /// `{"settings": …}`, as a client of a real server reads it.
    Wrapped,
}

/// How a moment is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TimestampForm {
    /// RFC 3339 in UTC.
    Text,
    /// Seconds since 1970.
    Seconds,
    /// Milliseconds since 1970.
    Milliseconds,
    /// Not at all.
    Absent,
}

/// What a caller without a client certificate gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MissingCertificate {
    /// The same as one that is not accepted.
    Unauthorized,
    /// 400 and an HTML page, as of a web server in front that demands a certificate.
    HtmlPage,
}

/// Body of a DELETE that worked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeleteBody {
    /// Nothing.
    Empty,
    /// `{}`.
    Object,
}
