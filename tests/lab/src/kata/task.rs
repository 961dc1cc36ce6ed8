//! Tasks that run a program on a host (§2.8 to §2.10).

use http::StatusCode;
use serde_json::{Map, Value, json};

use crate::frame::{BodyError, Fields, Reply, Request};

use super::entity::{Task, TaskSettings, TaskState, capability};
use super::isolation::ignore;
use super::operation::{Query, uuid};
use super::refusal::Refusal;
use super::state::State;
use super::switches::Switches;
use super::vendor::Warnings;

/// The only documented type; others are refused \[inferred\].
const RUN_PROCESS: &str = "run_process";

const SCHEDULE: &str = "schedule";
/// The misspelling in one block of the documents, taken and never answered (§3.2).
const SCHEDULE_MISSPELT: &str = "shedule";
const START_NOW: &str = "startNow";
const COMMAND: &str = "execCommand";
const ARGUMENTS: &str = "cmdLineParameters";
const DIRECTORY: &str = "workingDirectory";

pub(super) fn read(state: &mut State, id: &str, query: &Query) -> Result<Reply, Refusal> {
    let with_settings = query.flag("settings")?;
    let id = uuid("task_id", id)?;
    let switches = state.switches.clone();
    let task = state.task(id).ok_or(Refusal::NotFound)?;
    Ok(show(task, with_settings, &switches))
}

pub(super) fn create(
    state: &mut State,
    owner: &str,
    id_text: &str,
    query: &Query,
    request: &Request,
    warnings: &mut Warnings,
) -> Result<Reply, Refusal> {
    let id = uuid("task_id", id_text)?;
    if query.required("task_type")? != RUN_PROCESS {
        let text = format!("task_type must be {RUN_PROCESS}");
        return Err(Refusal::Parameters(text));
    }
    let host = query.one_host()?;
    let settings = parse(&request.body, warnings)?;
    let sensor_id = state.able_host(host, capability::RUN)?.sensor_id.clone();
    if state.tasks.contains_key(&id) {
        return Err(Refusal::TaskExists);
    }
    let task = Task {
        task_id: id_text.to_owned(),
        external_system_id: owner.to_owned(),
        sensor_id,
        settings,
        state: TaskState::Pending,
        created_at: state.now,
        ready_since: state.now,
        latest_start: None,
    };
    state.tasks.insert(id, task);
    let switches = state.switches.clone();
    let task = state.task(id).ok_or(Refusal::NotFound)?;
    Ok(show(task, true, &switches).applied())
}

/// Works in every state; a program that runs already goes on \[inferred\].
pub(super) fn delete(state: &mut State, id: &str) -> Result<Reply, Refusal> {
    let id = uuid("task_id", id)?;
    state.tasks.remove(&id).ok_or(Refusal::NotFound)?;
    Ok(super::deleted(state.switches.delete_body).applied())
}

/// The start is absent before it happened \[inferred\]; the creation time, which the documents
/// promise, has no field (§2.8).
fn show(task: &Task, with_settings: bool, switches: &Switches) -> Reply {
    let mut answer = Map::new();
    answer.insert("state".to_owned(), json!(task.state));
    if let Some(start) = task.latest_start {
        answer.insert(
            "latestStartDateTime".to_owned(),
            json!(format!("{start:.0}")),
        );
    }
    if with_settings {
        answer.insert("task".to_owned(), show_settings(&task.settings, switches));
    }
    Reply::json(StatusCode::OK, &answer)
}

fn show_settings(settings: &TaskSettings, switches: &Switches) -> Value {
    let mut schedule = Map::new();
    let mut shown = Map::new();
    schedule.insert(START_NOW.to_owned(), json!(settings.start_now));
    let place = if switches.exec_command_in_schedule {
        &mut schedule
    } else {
        &mut shown
    };
    place.insert(COMMAND.to_owned(), json!(settings.exec_command));
    shown.insert(SCHEDULE.to_owned(), Value::Object(schedule));
    for (name, value) in [
        (ARGUMENTS, &settings.cmd_line_parameters),
        (DIRECTORY, &settings.working_directory),
    ] {
        if let Some(value) = value {
            shown.insert(name.to_owned(), json!(value));
        }
    }
    Value::Object(shown)
}

fn parse(body: &[u8], warnings: &mut Warnings) -> Result<TaskSettings, BodyError> {
    let body = Fields::parse(body)?;
    let task = body.object("task")?;
    ignore(&body, &["task"], warnings);
    let known = [SCHEDULE, SCHEDULE_MISSPELT, COMMAND, ARGUMENTS, DIRECTORY];
    ignore(&task, &known, warnings);
    let schedule = if task.has(SCHEDULE_MISSPELT) && !task.has(SCHEDULE) {
        let place = task.place(SCHEDULE_MISSPELT);
        warnings.push(format!("{place} was taken for {SCHEDULE}"));
        task.object(SCHEDULE_MISSPELT)?
    } else {
        task.object(SCHEDULE)?
    };
    ignore(&schedule, &[START_NOW], warnings);
    let exec_command = task.string(COMMAND)?;
    if exec_command.is_empty() {
        return Err(task.refuse(COMMAND, "must not be empty"));
    }
    Ok(TaskSettings {
        start_now: schedule.boolean(START_NOW)?,
        exec_command,
        cmd_line_parameters: task.optional_string(ARGUMENTS)?,
        working_directory: task.optional_string(DIRECTORY)?,
    })
}
