//! KATA through the product-neutral capabilities: hosts, isolation, programs.

use cordon_sdk::{ErrorKind, Result};

use crate::Kata;
use crate::tasks::{self, Program};
use crate::wit::capability::hosts::{Actions as Hosts, Host};
use crate::wit::capability::isolation::{Actions as Isolation, IsolationState};
use crate::wit::capability::programs::{Actions as Programs, Program as Started, Progress};
use crate::wit::isolation::Actions as KataIsolation;
use crate::wit::sensors::{Actions as _, Sensor};
use crate::wit::tasks::Task;

impl Hosts for Kata {
    fn find(name: Option<String>, address: Option<String>) -> Result<Vec<Host>> {
        let sensors = Self::list_sensors(address, name.clone(), None)?;
        // KATA compares names exactly, so a host that was found by its name has that name.
        Ok(sensors
            .into_iter()
            .map(|sensor| host(sensor, name.clone()))
            .collect())
    }

    fn get(id: String) -> Result<Option<Host>> {
        Ok(Self::get_sensor(id)?.map(|sensor| host(sensor, None)))
    }
}

impl Isolation for Kata {
    fn isolate(host: String, duration: Option<u64>) -> Result<IsolationState> {
        let isolated = <Self as KataIsolation>::isolate(host, duration, None, None)?;
        Ok(IsolationState {
            ordered: true,
            active: None,
            ends: Some(isolated.ends),
        })
    }

    fn release(host: String) -> Result<IsolationState> {
        <Self as KataIsolation>::release(host)?;
        Ok(state_of(false))
    }

    fn state(host: String) -> Result<Option<IsolationState>> {
        match Self::get_isolation(host) {
            Ok(rule) => Ok(Some(state_of(rule.is_some()))),
            Err(error) if error.is(ErrorKind::NotFound) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl Programs for Kata {
    fn run(
        host: String,
        command: String,
        arguments: Option<String>,
        working_directory: Option<String>,
    ) -> Result<Started> {
        let program = Program {
            command,
            arguments,
            working_directory,
            start_now: true,
        };
        tasks::create(&host, &program).map(started)
    }

    fn status(id: String) -> Result<Option<Started>> {
        Ok(tasks::get(&id, false)?.map(started))
    }
}

/// Without a rule the host is not isolated by KATA. With one it may be, or its time may be over:
/// KATA keeps the rule and does not say.
fn state_of(ordered: bool) -> IsolationState {
    IsolationState {
        ordered,
        active: (!ordered).then_some(false),
        ends: None,
    }
}

fn host(sensor: Sensor, name: Option<String>) -> Host {
    Host {
        id: sensor.sensor_id,
        name: sensor.host.or(name),
        addresses: sensor.ip.into_iter().collect(),
        os: sensor.os_name.or(sensor.os_family),
        last_seen: sensor.last_access,
    }
}

fn started(task: Task) -> Started {
    let progress = match (task.finished, task.succeeded, task.latest_start) {
        (true, true, _) => Progress::Finished,
        (true, false, _) => Progress::Failed,
        (false, _, Some(_)) => Progress::Running,
        (false, _, None) => Progress::Waiting,
    };
    Started {
        id: task.task_id,
        progress,
        state: task.state,
    }
}
