//! Hosts with an Endpoint Agent.

use cordon_sdk::{Error, Result};

use crate::wire;
use crate::wit::sensors::{Actions, Sensor};
use crate::{Kata, central_node};

impl Actions for Kata {
    fn list_sensors(
        ip: Option<String>,
        host: Option<String>,
        sensor_id: Option<String>,
    ) -> Result<Vec<Sensor>> {
        let request = central_node::sensors()?;
        if ip.is_none() && host.is_none() && sensor_id.is_none() {
            return Ok(all()?.sensors.into_iter().map(Sensor::from).collect());
        }
        let request = request
            .query_if_some("ip", ip)
            .query_if_some("host", host)
            .query_if_some("sensor_id", sensor_id);
        let answer: wire::sensors::Answer = central_node::send_read(request)?.success()?.json()?;
        Ok(answer.sensors.into_iter().map(Sensor::from).collect())
    }

    fn get_sensor(sensor_id: String) -> Result<Option<Sensor>> {
        if sensor_id.trim().is_empty() {
            return Err(Error::invalid_input("`sensor_id` is empty"));
        }
        let sensors = Self::list_sensors(None, None, Some(sensor_id.clone()))?;
        Ok(sensors
            .into_iter()
            .find(|sensor| sensor.sensor_id.eq_ignore_ascii_case(&sensor_id)))
    }

    fn search_sensors(text: String) -> Result<Vec<Sensor>> {
        let wanted = text.trim().to_lowercase();
        if wanted.is_empty() {
            return Err(Error::invalid_input(
                "`text` is empty; `list_sensors` without arguments lists all hosts",
            ));
        }
        let sensors: Vec<Sensor> = all()?.sensors.into_iter().map(Sensor::from).collect();
        let nameless = sensors.iter().all(|sensor| sensor.host.is_none());
        let contains = |value: &Option<String>| {
            value
                .as_ref()
                .is_some_and(|value| value.to_lowercase().contains(&wanted))
        };
        let found: Vec<Sensor> = sensors
            .into_iter()
            .filter(|sensor| contains(&sensor.host) || contains(&sensor.ip))
            .collect();
        if found.is_empty() && nameless {
            return Err(Error::unsupported(
                "this KATA does not tell the names of hosts, so they cannot be searched; \
                 `list_sensors` finds a host by its exact name",
            ));
        }
        Ok(found)
    }
}

/// The list of all hosts, by the request that has no parameters.
pub fn all() -> Result<wire::sensors::Answer> {
    central_node::send_without_parameters(central_node::sensors()?)?.json()
}

/// For an answer of 404, which means an unknown host as well as one that has nothing to show.
pub fn must_exist(sensor_id: &str) -> Result<()> {
    match Kata::get_sensor(sensor_id.to_owned())? {
        Some(_) => Ok(()),
        None => Err(Error::not_found(format!(
            "KATA knows no host with the sensor id `{sensor_id}`"
        ))
        .status(404)),
    }
}

impl From<wire::sensors::Sensor> for Sensor {
    fn from(sensor: wire::sensors::Sensor) -> Self {
        Self {
            sensor_id: sensor.sensor_id,
            host: sensor.host_name.or(sensor.host),
            ip: sensor.host_ip,
            last_access: sensor.last_access,
            version: sensor.version,
            self_defense: sensor.self_defense_state,
            license_status: sensor.license_status,
            os_family: sensor.os_family,
            os_name: sensor.os_name,
            capabilities: sensor.capabilities.unwrap_or_default(),
        }
    }
}
