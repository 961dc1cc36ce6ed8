//! `…/tasks/{task_id}`

use cordon_sdk::timestamp;
use serde::{Deserialize, Serialize};

use super::lenient;

/// The body of a POST.
#[derive(Debug, Serialize)]
pub struct Order<'a> {
    pub task: NewTask<'a>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NewTask<'a> {
    /// Spelt with its `c`; the syntax block of the documents lacks it.
    pub schedule: NewSchedule,
    pub exec_command: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cmd_line_parameters: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub working_directory: Option<&'a str>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NewSchedule {
    pub start_now: bool,
}

#[derive(Debug, Deserialize)]
pub struct Answer {
    pub state: String,
    #[serde(
        default,
        deserialize_with = "timestamp::optional",
        rename = "latestStartDateTime"
    )]
    pub latest_start: Option<i64>,
    /// Only with `settings=true`.
    #[serde(default, deserialize_with = "lenient")]
    pub task: Option<Task>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Task {
    #[serde(default, deserialize_with = "lenient")]
    pub schedule: Option<Schedule>,
    #[serde(flatten)]
    program: Program,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Schedule {
    #[serde(default, deserialize_with = "lenient")]
    pub start_now: Option<bool>,
    /// The braces of the documented answer put the program here.
    #[serde(flatten)]
    program: Program,
}

#[derive(Debug, Default, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Program {
    #[serde(default, deserialize_with = "lenient")]
    pub exec_command: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub cmd_line_parameters: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub working_directory: Option<String>,
}

impl Task {
    /// The program, wherever it stands.
    pub fn program(&self) -> Program {
        let nested = self
            .schedule
            .as_ref()
            .map(|schedule| schedule.program.clone())
            .unwrap_or_default();
        Program {
            exec_command: self.program.exec_command.clone().or(nested.exec_command),
            cmd_line_parameters: self
                .program
                .cmd_line_parameters
                .clone()
                .or(nested.cmd_line_parameters),
            working_directory: self
                .program
                .working_directory
                .clone()
                .or(nested.working_directory),
        }
    }
}
