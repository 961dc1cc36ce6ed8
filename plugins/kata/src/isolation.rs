//! Cutting a host off the network, and letting it back.

use std::ops::RangeInclusive;

use cordon_sdk::http::{Method, Response};
use cordon_sdk::{Error, Result, call, log, settings};

use crate::central_node::{self, SettingsType};
use crate::wire::isolation::{self as wire, Order, Settings};
use crate::wit::isolation::{Actions, Exclusion, Isolated, IsolationRule, Released};
use crate::{Kata, exclusions, sensors};

/// KATA counts in seconds and allows 1 to 9999 hours. A known mistake is to pass hours on as seconds.
const SECONDS: RangeInclusive<u64> = 3_600..=35_996_400;

impl Actions for Kata {
    fn get_isolation(sensor_id: String) -> Result<Option<IsolationRule>> {
        let request =
            central_node::settings_of(Method::Get, &sensor_id, SettingsType::NetworkIsolation)?;
        let response = central_node::send_read(request)?;
        if response.status() == 404 {
            return sensors::must_exist(&sensor_id).map(|()| None);
        }
        let response = response.success()?;
        let settings = wire::settings(&response.json()?).ok_or_else(|| not_settings(&response))?;
        IsolationRule::try_from(settings).map(Some)
    }

    fn isolate(
        sensor_id: String,
        duration: Option<u64>,
        hours: Option<u16>,
        exclusions: Option<Vec<Exclusion>>,
    ) -> Result<Isolated> {
        let exclusions = exclusions.unwrap_or_default();
        let settings = order(duration, hours, &exclusions)?;
        let request =
            central_node::settings_of(Method::Post, &sensor_id, SettingsType::NetworkIsolation)?
                .json(&Order {
                    settings: &settings,
                });
        let response = central_node::send(request)?;
        if response.status() == 404 {
            sensors::must_exist(&sensor_id)?;
        }
        let response = response.success()?;
        // KATA answers with the rule as it is now. It was accepted whatever the answer looks like.
        match response.try_json().as_ref().and_then(wire::settings) {
            Some(kept) if kept.auto_turnoff_timeout == settings.auto_turnoff_timeout => {}
            _ => log::warn!(
                "KATA's answer does not repeat the isolation of {sensor_id} as it was ordered"
            ),
        }
        Ok(isolated(sensor_id, &settings, exclusions))
    }

    fn release(sensor_id: String) -> Result<Released> {
        let request =
            central_node::settings_of(Method::Delete, &sensor_id, SettingsType::NetworkIsolation)?;
        let response = central_node::send(request)?;
        let already_absent = response.status() == 404;
        if already_absent {
            sensors::must_exist(&sensor_id)?;
        } else {
            response.success()?;
        }
        Ok(Released {
            sensor_id,
            already_absent,
        })
    }
}

/// What KATA is ordered to do.
pub fn order(
    duration: Option<u64>,
    hours: Option<u16>,
    exclusions: &[Exclusion],
) -> Result<Settings> {
    let milliseconds = match (duration, hours) {
        (Some(_), Some(_)) => {
            return Err(Error::invalid_input("give `duration` or `hours`, not both"));
        }
        (Some(duration), None) => duration,
        (None, Some(hours)) => u64::from(hours) * 3_600_000,
        (None, None) => call::milliseconds(settings::duration("isolation_default")?),
    };
    let seconds = milliseconds / 1000;
    if !SECONDS.contains(&seconds) || milliseconds % 1000 != 0 {
        return Err(Error::invalid_input(format!(
            "KATA isolates a host for 1 to 9999 hours, in whole seconds, and not for {} s; write for example \"2h\"",
            milliseconds as f64 / 1000.0
        )));
    }
    let rule = |(place, exclusion)| exclusions::rule(exclusion, place);
    let excluded_rules = exclusions
        .iter()
        .enumerate()
        .map(rule)
        .collect::<Result<_>>()?;
    Ok(Settings {
        excluded_rules,
        auto_turnoff_timeout: Some(seconds),
    })
}

/// What was ordered just now.
pub fn isolated(sensor_id: String, settings: &Settings, exclusions: Vec<Exclusion>) -> Isolated {
    let duration = settings.duration().unwrap_or_default();
    let ends = call::now().saturating_add_unsigned(duration);
    Isolated {
        sensor_id,
        duration,
        ends,
        exclusions,
    }
}

fn not_settings(response: &Response) -> Error {
    let body = String::from_utf8_lossy(response.body())
        .chars()
        .take(200)
        .collect::<String>();
    Error::protocol(format!("KATA's answer has no isolation settings: {body}"))
        .status(response.status())
}

impl TryFrom<Settings> for IsolationRule {
    type Error = Error;

    fn try_from(settings: Settings) -> Result<Self> {
        Ok(Self {
            duration: settings.duration(),
            exclusions: settings
                .excluded_rules
                .into_iter()
                .map(exclusions::exclusion)
                .collect::<Result<_>>()?,
        })
    }
}
