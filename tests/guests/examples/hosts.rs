//! Behaves: lists hosts as a connector does, for the benchmarks.

use cordon_sdk::manifest::{Action, Manifest};
use cordon_sdk::{Connector, Result, http};
use serde::Deserialize;

struct Hosts;

cordon_sdk::connector!(Hosts, inline: "
    package guests:hosts@0.1.0;

    interface inventory {
        use cordon:connector/errors@0.1.0.{error};

        record host {
            id: string,
            ip: string,
            os: string,
            version: string,
            defended: bool,
            capabilities: list<string>,
        }

        /// All hosts.
        list-hosts: func() -> result<list<host>, error>;
    }

    world hosts {
        include cordon:connector/connector@0.1.0;
        export inventory;
    }
");

impl Connector for Hosts {
    fn manifest() -> Manifest {
        Manifest::of::<Self>().action(Action::read("list-hosts"))
    }
}

#[derive(Deserialize)]
struct Answer {
    sensors: Vec<Sensor>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Sensor {
    sensor_id: String,
    host_ip: String,
    os_name: String,
    version: String,
    self_defense_state: bool,
    capabilities: Vec<String>,
}

impl wit::inventory::Actions for Hosts {
    fn list_hosts() -> Result<Vec<wit::inventory::Host>> {
        let answer: Answer = http::get(["sensors"]).send()?.success()?.json()?;
        Ok(answer
            .sensors
            .into_iter()
            .map(|sensor| wit::inventory::Host {
                id: sensor.sensor_id,
                ip: sensor.host_ip,
                os: sensor.os_name,
                version: sensor.version,
                defended: sensor.self_defense_state,
                capabilities: sensor.capabilities,
            })
            .collect())
    }
}
