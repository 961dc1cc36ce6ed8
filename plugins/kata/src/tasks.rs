//! Running a program on a host.

use cordon_sdk::http::{Method, Response};
use cordon_sdk::{Error, Result, call, log, settings};

use crate::central_node;
use crate::wire::tasks::{Answer, NewSchedule, NewTask, Order};
use crate::wit::tasks::{Actions, Task, TaskDeleted, TaskSettings};
use crate::{Kata, sensors};

/// What a task runs.
pub struct Program {
    pub command: String,
    pub arguments: Option<String>,
    pub working_directory: Option<String>,
    pub start_now: bool,
}

impl Actions for Kata {
    fn create_run_task(
        sensor_id: String,
        command: String,
        arguments: Option<String>,
        working_directory: Option<String>,
        start_now: Option<bool>,
    ) -> Result<Task> {
        let start_now = start_now.unwrap_or(true);
        create(
            &sensor_id,
            &Program {
                command,
                arguments,
                working_directory,
                start_now,
            },
        )
    }

    fn get_task(task_id: String, settings: Option<bool>) -> Result<Option<Task>> {
        get(&task_id, settings.unwrap_or(false))
    }

    fn delete_task(task_id: String) -> Result<TaskDeleted> {
        let response = central_node::send(central_node::task(Method::Delete, &task_id)?)?;
        let already_absent = response.status() == 404;
        if !already_absent {
            response.success()?;
        }
        Ok(TaskDeleted {
            task_id,
            already_absent,
        })
    }
}

/// Creates the task of this step. The caller chooses its id, which is the step's idempotency key: a
/// task that exists already under it was created by an earlier try, if it runs the same program.
pub fn create(sensor_id: &str, program: &Program) -> Result<Task> {
    if program.command.trim().is_empty() {
        return Err(Error::invalid_input("`command` is empty"));
    }
    if sensor_id.trim().is_empty() {
        return Err(Error::invalid_input("`sensor_id` is empty"));
    }
    let task_id = call::idempotency_key();
    let order = Order {
        task: NewTask {
            schedule: NewSchedule {
                start_now: program.start_now,
            },
            exec_command: &program.command,
            cmd_line_parameters: program.arguments.as_deref(),
            working_directory: program.working_directory.as_deref(),
        },
    };
    let request = central_node::task(Method::Post, &task_id)?
        .query("sensor_id", sensor_id)
        .query("task_type", "run_process")
        .json(&order);
    let response = central_node::send(request)?;
    match response.status() {
        409 => created_before(&task_id, program)?.ok_or_else(|| {
            response.error().message(format!(
                "KATA says that the task {task_id} exists already, but does not show it"
            ))
        }),
        404 => {
            sensors::must_exist(sensor_id)?;
            Err(response.error())
        }
        _ => created(&task_id, program, &response.success()?),
    }
}

/// The task that KATA has taken, whatever its answer looks like.
fn created(task_id: &str, program: &Program, response: &Response) -> Result<Task> {
    let unreadable = match task(task_id, response) {
        Ok(task) => return Ok(task),
        Err(unreadable) => unreadable,
    };
    log::warn!(
        "the task {task_id} is created and read back: {}",
        unreadable.message
    );
    created_before(task_id, program)?.ok_or(unreadable)
}

/// The task, if KATA has it.
pub fn get(task_id: &str, settings: bool) -> Result<Option<Task>> {
    let request = central_node::task(Method::Get, task_id)?.query("settings", settings);
    let response = central_node::send(request)?;
    if response.status() == 404 {
        return Ok(None);
    }
    task(task_id, &response.success()?).map(Some)
}

/// The task under this id, if it exists and runs this program.
///
/// # Errors
/// `conflict` if it runs another program.
pub fn created_before(task_id: &str, program: &Program) -> Result<Option<Task>> {
    let Some(task) = get(task_id, true)? else {
        return Ok(None);
    };
    let same = task
        .settings
        .as_ref()
        .is_some_and(|settings| is(settings, program));
    if same {
        return Ok(Some(task));
    }
    Err(Error::conflict(format!(
        "there is a task {task_id} already, and it runs another program"
    ))
    .status(409))
}

/// KATA always repeats the command; arguments and directory only where it cares to.
fn is(settings: &TaskSettings, program: &Program) -> bool {
    let agrees = |kept: &Option<String>, ordered: &Option<String>| {
        kept.as_ref()
            .is_none_or(|kept| kept == ordered.as_deref().unwrap_or_default())
    };
    settings.command.as_ref() == Some(&program.command)
        && agrees(&settings.arguments, &program.arguments)
        && agrees(&settings.working_directory, &program.working_directory)
}

fn task(task_id: &str, response: &Response) -> Result<Task> {
    let answer: Answer = response.json()?;
    let is_one_of = |setting: &str| -> Result<bool> {
        Ok(settings::texts(setting)?
            .iter()
            .any(|state| state.eq_ignore_ascii_case(answer.state.trim())))
    };
    let succeeded = is_one_of("task_states_succeeded")?;
    let failed = is_one_of("task_states_failed")?;
    let settings = answer.task.map(|task| {
        let program = task.program();
        TaskSettings {
            command: program.exec_command,
            arguments: program.cmd_line_parameters,
            working_directory: program.working_directory,
            start_now: task.schedule.and_then(|schedule| schedule.start_now),
        }
    });
    Ok(Task {
        task_id: task_id.to_owned(),
        finished: succeeded || failed,
        succeeded,
        latest_start: answer.latest_start,
        settings,
        state: answer.state,
    })
}
