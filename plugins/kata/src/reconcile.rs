//! Asking KATA whether an action whose answer was lost has happened.

use cordon_sdk::{Error, Result, call};

use crate::Kata;
use crate::tasks::{self, Program};
use crate::wit::isolation::Actions as _;
use crate::wit::reconcile::{
    Actions, Exclusion, HashesAdded, HashesRemoved, Isolated, PreventionRules, Released,
    RulesDeleted, Task, TaskDeleted,
};
use crate::{isolation, prevention};

impl Actions for Kata {
    fn isolation_ordered(
        sensor_id: String,
        duration: Option<u64>,
        hours: Option<u16>,
        exclusions: Option<Vec<Exclusion>>,
    ) -> Result<Option<Isolated>> {
        let ordered = isolation::order(duration, hours, &exclusions.unwrap_or_default())?;
        match Self::get_isolation(sensor_id.clone())? {
            Some(rule) if rule.duration == ordered.duration() => Err(Error::unsupported(format!(
                "the host {sensor_id} has an isolation rule of this length, but KATA does not say since when: it may be an \
                 older one whose time is over. Isolating again is safe and restarts the time"
            ))),
            _ => Ok(None),
        }
    }

    fn isolation_ended(sensor_id: String) -> Result<Option<Released>> {
        let rule = Self::get_isolation(sensor_id.clone())?;
        Ok(rule.is_none().then_some(Released {
            sensor_id,
            already_absent: false,
        }))
    }

    fn prevention_rules_set(
        sensor_id: String,
        hashes: Vec<String>,
    ) -> Result<Option<PreventionRules>> {
        let wanted = prevention::checked(hashes)?;
        let hashes = prevention::read(&sensor_id)?;
        Ok(prevention::same(&hashes, &wanted).then_some(PreventionRules { sensor_id, hashes }))
    }

    fn prevention_hashes_added(
        sensor_id: String,
        hashes: Vec<String>,
    ) -> Result<Option<HashesAdded>> {
        let added = prevention::checked(hashes)?;
        let hashes = prevention::read(&sensor_id)?;
        let all_there = prevention::without(&added, &hashes).is_empty();
        Ok(all_there.then_some(HashesAdded {
            sensor_id,
            added,
            hashes,
        }))
    }

    fn prevention_hashes_removed(
        sensor_id: String,
        hashes: Vec<String>,
    ) -> Result<Option<HashesRemoved>> {
        let removed = prevention::checked(hashes)?;
        let hashes = prevention::read(&sensor_id)?;
        let none_there = prevention::without(&removed, &hashes).len() == removed.len();
        Ok(none_there.then_some(HashesRemoved {
            sensor_id,
            removed,
            hashes,
        }))
    }

    fn prevention_rules_deleted(sensor_id: String) -> Result<Option<RulesDeleted>> {
        let hashes = prevention::read(&sensor_id)?;
        Ok(hashes.is_empty().then_some(RulesDeleted {
            sensor_id,
            already_absent: false,
        }))
    }

    fn run_task_created(
        _sensor_id: String,
        command: String,
        arguments: Option<String>,
        working_directory: Option<String>,
        start_now: Option<bool>,
    ) -> Result<Option<Task>> {
        let program = Program {
            command,
            arguments,
            working_directory,
            start_now: start_now.unwrap_or(true),
        };
        tasks::created_before(&call::idempotency_key(), &program)
    }

    fn run_task_deleted(task_id: String) -> Result<Option<TaskDeleted>> {
        let task = tasks::get(&task_id, false)?;
        Ok(task.is_none().then_some(TaskDeleted {
            task_id,
            already_absent: false,
        }))
    }
}
