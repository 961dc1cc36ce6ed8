//! What a person at the node's web interface, or somebody who walks up to a host, can do and see.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::frame::ControlError;

use super::approval::{Approval, ExternalSystem};
use super::entity::{
    Host, IsolationRule, Origin, PreventedFile, PreventionObject, Scope, Task, TaskState,
};
use super::operation::ALL;
use super::prevention::refuse_conflicts;
use super::refusal::Refusal;
use super::seed;
use super::state::State;
use super::{Kata, Switches};

/// A host with the true state of its rules, which the vendor's API never shows whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostView {
    /// The host.
    #[serde(flatten)]
    pub host: Host,
    /// Its isolation rule, which may have ended.
    pub isolation: Option<IsolationView>,
    /// Its own prevention rules; those for all hosts are not repeated.
    pub prevention: Vec<PreventionObject>,
}

/// An isolation rule and whether it still has an effect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IsolationView {
    /// Whether the host is cut off from the network at this moment.
    pub active: bool,
    /// The rule.
    #[serde(flatten)]
    pub rule: IsolationRule,
}

impl HostView {
    /// Whether the host is cut off from the network at this moment.
    pub fn isolated(&self) -> bool {
        self.isolation.as_ref().is_some_and(|found| found.active)
    }
}

/// A host to be added; what is left out is as on the seed's Windows workstation.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewHost {
    /// Its name.
    pub name: String,
    /// Its address.
    pub ip: String,
    /// Its id; a random one when left out.
    #[serde(default)]
    pub sensor_id: Option<String>,
    /// Everything else.
    #[serde(default)]
    pub details: HostEdit,
}

/// What of a host is to change; what is left out stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HostEdit {
    /// See [`Host::name`].
    pub name: Option<String>,
    /// See [`Host::ip`].
    pub ip: Option<String>,
    /// See [`Host::os_family`].
    pub os_family: Option<String>,
    /// See [`Host::os_name`].
    pub os_name: Option<String>,
    /// See [`Host::agent_version`].
    pub agent_version: Option<String>,
    /// See [`Host::self_defense`].
    pub self_defense: Option<bool>,
    /// See [`Host::license_status`].
    pub license_status: Option<String>,
    /// See [`Host::capabilities`].
    pub capabilities: Option<Vec<String>>,
    /// See [`Host::online`].
    pub online: Option<bool>,
}

/// A prevention rule made in the web interface; it joins the rules that its scope has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebRule {
    /// A sensor id or `all`.
    pub scope: String,
    /// SHA-256 or MD5 in hex digits.
    pub hash: String,
}

/// Seeing.
impl Kata {
    /// All external systems that have ever called.
    pub fn external_systems(&self) -> Vec<ExternalSystem> {
        self.with_state(|state| state.external_systems.clone())
    }

    /// All hosts.
    pub fn hosts(&self) -> Vec<HostView> {
        self.with_state(|state| {
            state
                .hosts
                .keys()
                .filter_map(|id| view(state, *id))
                .collect()
        })
    }

    /// One host by its id.
    pub fn host(&self, sensor_id: &str) -> Option<HostView> {
        let id = Uuid::try_parse(sensor_id).ok()?;
        self.with_state(|state| view(state, id))
    }

    /// All tasks, in the order of their creation.
    pub fn tasks(&self) -> Vec<Task> {
        let mut tasks: Vec<Task> = self.with_state(|state| {
            state.catch_up_all();
            state.tasks.values().cloned().collect()
        });
        tasks.sort_by_key(|task| task.created_at);
        tasks
    }

    /// One task by its id.
    pub fn task(&self, task_id: &str) -> Option<Task> {
        let id = Uuid::try_parse(task_id).ok()?;
        self.with_state(|state| state.task(id).cloned())
    }

    /// The prevention rules of a scope: a sensor id or `all`.
    pub fn prevention(&self, scope: &str) -> Vec<PreventionObject> {
        let Ok(scope) = read_scope(scope) else {
            return Vec::new();
        };
        self.with_state(|state| state.prevention.get(&scope).cloned().unwrap_or_default())
    }

    /// How the node behaves at present.
    pub fn switches(&self) -> Switches {
        self.with_state(|state| state.switches.clone())
    }
}

/// Doing.
impl Kata {
    /// Accepts an external system. One that has not called yet cannot be accepted.
    ///
    /// # Errors
    /// When none has this id, or several have and no certificate says which.
    pub fn accept(
        &self,
        id: &str,
        certificate: Option<&str>,
    ) -> Result<ExternalSystem, ControlError> {
        self.approve(id, certificate, Approval::Accepted)
    }

    /// Rejects an external system, also one that was accepted before.
    ///
    /// # Errors
    /// When none has this id, or several have and no certificate says which.
    pub fn reject(
        &self,
        id: &str,
        certificate: Option<&str>,
    ) -> Result<ExternalSystem, ControlError> {
        self.approve(id, certificate, Approval::Rejected)
    }

    /// Takes back the administrator's word: the system's row is forgotten.
    ///
    /// # Errors
    /// When none has this id, or several have and no certificate says which.
    pub fn forget(&self, id: &str, certificate: Option<&str>) -> Result<(), ControlError> {
        self.with_state(|state| {
            let position = find_system(state, id, certificate, None)?;
            state.external_systems.remove(position);
            Ok(())
        })
    }

    fn approve(
        &self,
        id: &str,
        certificate: Option<&str>,
        approval: Approval,
    ) -> Result<ExternalSystem, ControlError> {
        self.with_state(|state| {
            let position = find_system(state, id, certificate, Some(approval))?;
            let system = &mut state.external_systems[position];
            system.approval = approval;
            Ok(system.clone())
        })
    }

    /// Adds a host.
    ///
    /// # Errors
    /// When its id is no UUID or is taken.
    pub fn add_host(&self, new: NewHost) -> Result<HostView, ControlError> {
        let sensor_id = new
            .sensor_id
            .unwrap_or_else(|| Uuid::new_v4().to_string().to_uppercase());
        let id = read_id(&sensor_id)?;
        self.with_state(|state| {
            if state.hosts.contains_key(&id) {
                return Err(ControlError::Conflict(format!(
                    "there is a host {sensor_id} already"
                )));
            }
            let host = seed::workstation(&sensor_id, &new.name, &new.ip, state.now);
            state.hosts.insert(id, host);
            edit(state, id, new.details)
        })
    }

    /// Changes a host.
    ///
    /// # Errors
    /// When there is no such host.
    pub fn edit_host(&self, sensor_id: &str, change: HostEdit) -> Result<HostView, ControlError> {
        let id = read_id(sensor_id)?;
        self.with_state(|state| edit(state, id, change))
    }

    /// Connects a host or takes it off the network.
    ///
    /// # Errors
    /// When there is no such host.
    pub fn set_online(&self, sensor_id: &str, online: bool) -> Result<HostView, ControlError> {
        let change = HostEdit {
            online: Some(online),
            ..HostEdit::default()
        };
        self.edit_host(sensor_id, change)
    }

    /// Makes a prevention rule as a person does in the web interface.
    ///
    /// # Errors
    /// When the scope or hash is none, or another scope has a rule for the file.
    pub fn add_web_rule(&self, rule: &WebRule) -> Result<Vec<PreventionObject>, ControlError> {
        let scope = read_scope(&rule.scope)?;
        let file = PreventedFile::from_hash(&rule.hash).ok_or_else(|| {
            ControlError::Invalid(format!("`{}` is no SHA-256 and no MD5", rule.hash))
        })?;
        self.with_state(|state| {
            if let Scope::Host(id) = scope {
                state.host(id).map_err(|_| no_host(&rule.scope))?;
            }
            if let Err(Refusal::Prevention { sensors, .. }) =
                refuse_conflicts(state, scope, std::slice::from_ref(&file))
            {
                let sensors = sensors.join(", ");
                return Err(ControlError::Conflict(format!(
                    "a rule for this file exists already on {sensors}"
                )));
            }
            let objects = state.prevention.entry(scope).or_default();
            if objects.iter().all(|known| known.file != file) {
                objects.push(PreventionObject {
                    file,
                    origin: Origin::Web,
                });
            }
            Ok(objects.clone())
        })
    }

    /// Changes how the node behaves from now on; what tasks have done already stays done.
    ///
    /// # Errors
    /// When the result makes no sense; nothing is changed then.
    pub fn switch(&self, change: impl FnOnce(&mut Switches)) -> Result<Switches, ControlError> {
        self.with_state(|state| {
            let mut changed = state.switches.clone();
            change(&mut changed);
            changed.check().map_err(ControlError::Invalid)?;
            state.catch_up_all();
            state.switches.clone_from(&changed);
            Ok(changed)
        })
    }

    /// How long an isolation lasts from this moment; none when the host is not isolated.
    pub fn isolated_for(&self, sensor_id: &str) -> Option<Duration> {
        let found = self.host(sensor_id)?.isolation;
        let ends_at = found.filter(|found| found.active)?.rule.ends_at;
        Duration::try_from(ends_at.duration_since(self.clock.now())).ok()
    }
}

impl IsolationRule {
    /// Whether it still isolates the host.
    pub fn active(&self, now: Timestamp) -> bool {
        now < self.ends_at
    }
}

impl Task {
    /// Whether it will not change any more.
    pub fn finished(&self) -> bool {
        self.state >= TaskState::Completed
    }
}

fn view(state: &State, id: Uuid) -> Option<HostView> {
    let mut host = state.hosts.get(&id)?.clone();
    host.last_access = state.last_access(&host);
    let isolation = state.isolation.get(&id).cloned();
    Some(HostView {
        host,
        isolation: isolation.map(|rule| IsolationView {
            active: rule.active(state.now),
            rule,
        }),
        prevention: state
            .prevention
            .get(&Scope::Host(id))
            .cloned()
            .unwrap_or_default(),
    })
}

fn edit(state: &mut State, id: Uuid, change: HostEdit) -> Result<HostView, ControlError> {
    let missing = || no_host(&id.to_string());
    if let Some(online) = change.online {
        state.set_online(id, online).map_err(|_| missing())?;
    }
    let host = state.hosts.get_mut(&id).ok_or_else(missing)?;
    fn replace<T>(field: &mut T, by: Option<T>) {
        if let Some(value) = by {
            *field = value;
        }
    }
    replace(&mut host.name, change.name);
    replace(&mut host.ip, change.ip);
    replace(&mut host.os_family, change.os_family);
    replace(&mut host.os_name, change.os_name);
    replace(&mut host.agent_version, change.agent_version);
    replace(&mut host.self_defense, change.self_defense);
    replace(&mut host.license_status, change.license_status);
    replace(&mut host.capabilities, change.capabilities);
    view(state, id).ok_or_else(missing)
}

/// The row that an administrator means: by id, by certificate where several have the id, and else
/// the one that does not have the wanted approval yet.
fn find_system(
    state: &State,
    id: &str,
    certificate: Option<&str>,
    wanted: Option<Approval>,
) -> Result<usize, ControlError> {
    let systems = &state.external_systems;
    let is_meant = |system: &ExternalSystem| {
        system.has_id(id)
            && certificate.is_none_or(|one| system.certificate_sha256.eq_ignore_ascii_case(one))
    };
    let mut found: Vec<usize> = (0..systems.len())
        .filter(|position| is_meant(&systems[*position]))
        .collect();
    if found.len() > 1 && wanted.is_some() {
        found.retain(|position| Some(systems[*position].approval) != wanted);
    }
    match found.as_slice() {
        [] => Err(ControlError::Missing(format!("external system `{id}`"))),
        [one] => Ok(*one),
        _ => Err(ControlError::Conflict(format!(
            "several external systems have the id `{id}`: name the certificate by its SHA-256"
        ))),
    }
}

fn read_id(text: &str) -> Result<Uuid, ControlError> {
    Uuid::try_parse(text).map_err(|_| ControlError::Invalid(format!("`{text}` is no UUID")))
}

fn read_scope(text: &str) -> Result<Scope, ControlError> {
    if text == ALL {
        return Ok(Scope::All);
    }
    read_id(text).map(Scope::Host)
}

pub(super) fn no_host(id: &str) -> ControlError {
    ControlError::Missing(format!("host `{id}`"))
}
