//! All that the node remembers, and what the passing of time does to it (§4.3).
//!
//! Nothing happens by itself here: a rule knows when it ends, and a task catches up with the clock
//! when somebody looks at it or changes what it depends on. So a node with a hundred thousand tasks
//! answers as fast as an empty one, and time can be skipped.

use std::collections::BTreeMap;
use std::time::Duration;

use indexmap::IndexMap;
use jiff::Timestamp;
use uuid::Uuid;

use crate::estate::Estate;
use crate::frame::later;

use super::approval::{Approval, ExternalSystem};
use super::entity::{Host, IsolationRule, PreventionObject, Scope, Task, TaskState};
use super::refusal::Refusal;
use super::switches::Switches;
use super::{Options, seed};

#[derive(Debug)]
pub(super) struct State {
    /// The moment that the rest is looked at.
    pub now: Timestamp,
    pub switches: Switches,
    pub external_systems: Vec<ExternalSystem>,
    /// In the order in which they are listed.
    pub hosts: IndexMap<Uuid, Host>,
    /// At most one rule per host \[inferred\] (§2.3).
    pub isolation: BTreeMap<Uuid, IsolationRule>,
    /// No entry is empty: a scope without rules has none.
    pub prevention: BTreeMap<Scope, Vec<PreventionObject>>,
    /// Ids are unique on the node, not per external system \[inferred\] (§4.1).
    pub tasks: BTreeMap<Uuid, Task>,
}

impl State {
    pub(super) fn begin(options: &Options, estate: &Estate, now: Timestamp) -> Self {
        let mut external_systems = Vec::new();
        if options.accepted {
            external_systems.push(ExternalSystem {
                id: options.credentials.external_system_id.clone(),
                certificate_sha256: options.credentials.certificate.sha256(),
                approval: Approval::Accepted,
                first_seen: now,
                remote_address: None,
            });
        }
        Self {
            now,
            switches: options.switches.clone(),
            external_systems,
            hosts: seed::hosts(now, estate).collect(),
            isolation: BTreeMap::new(),
            prevention: BTreeMap::new(),
            tasks: BTreeMap::new(),
        }
    }

    /// A host, in whatever case its id was written.
    pub(super) fn host(&self, id: Uuid) -> Result<&Host, Refusal> {
        self.hosts.get(&id).ok_or(Refusal::NotFound)
    }

    /// A host that can do what is asked of it.
    pub(super) fn able_host(&self, id: Uuid, capability: &str) -> Result<&Host, Refusal> {
        let host = self.host(id)?;
        if host.can(capability) {
            Ok(host)
        } else {
            Err(Refusal::Parameters(format!(
                "{capability} is not supported on this host"
            )))
        }
    }

    /// When a host was heard of last: at this moment, while it is online.
    pub(super) fn last_access(&self, host: &Host) -> Timestamp {
        if host.online {
            self.now
        } else {
            host.last_access
        }
    }

    /// A task as it stands at this moment.
    pub(super) fn task(&mut self, id: Uuid) -> Option<&Task> {
        let task = self.tasks.get_mut(&id)?;
        catch_up(task, &self.hosts, &self.switches, self.now);
        Some(task)
    }

    /// Brings all tasks up to this moment: to be done before anything changes that they depend on.
    pub(super) fn catch_up_all(&mut self) {
        for task in self.tasks.values_mut() {
            catch_up(task, &self.hosts, &self.switches, self.now);
        }
    }

    /// Connects or disconnects a host.
    pub(super) fn set_online(&mut self, id: Uuid, online: bool) -> Result<(), Refusal> {
        self.catch_up_all();
        let now = self.now;
        let host = self.hosts.get_mut(&id).ok_or(Refusal::NotFound)?;
        if host.online == online {
            return Ok(());
        }
        host.online = online;
        host.last_access = now;
        if online {
            for task in self.tasks.values_mut() {
                if task.state == TaskState::Pending && task.sensor_id == host.sensor_id {
                    task.ready_since = now;
                }
            }
        }
        Ok(())
    }
}

/// Steps forward only, whatever the switches were when earlier steps were made. What an
/// unreachable host does is not known before it is back.
fn catch_up(task: &mut Task, hosts: &IndexMap<Uuid, Host>, switches: &Switches, now: Timestamp) {
    if task.state >= TaskState::Completed {
        return;
    }
    let host = Uuid::try_parse(&task.sensor_id)
        .ok()
        .and_then(|id| hosts.get(&id));
    if !host.is_some_and(|host| host.online) {
        return;
    }
    if task.state == TaskState::Pending && task.settings.start_now {
        let delay = Duration::from_millis(switches.task_start_delay_ms);
        let start = later(task.ready_since, delay);
        if now >= start {
            task.state = TaskState::Processing;
            task.latest_start = Some(start);
        }
    }
    let run_time = Duration::from_millis(switches.task_run_time_ms);
    if let (TaskState::Processing, Some(start)) = (task.state, task.latest_start)
        && now >= later(start, run_time)
    {
        let failed = fails(&task.settings.exec_command, &switches.task_failure_pattern);
        task.state = if failed {
            TaskState::Error
        } else {
            TaskState::Completed
        };
    }
}

fn fails(command: &str, pattern: &str) -> bool {
    !pattern.is_empty() && command.to_lowercase().contains(&pattern.to_lowercase())
}
