//! Forbidding files to run, by their hash.
//!
//! KATA replaces the whole list of a scope at every write and gives it no version. Adding and
//! removing therefore read, merge, write and read again; an empty list is written only by the
//! action that says so, or when the last hash was named for removal.

use std::time::Duration;

use cordon_sdk::http::{Method, Response};
use cordon_sdk::{Error, ErrorKind, Result, call};
use serde_json::json;

use crate::central_node::{self, SettingsType};
use crate::manifest::ALL;
use crate::wire::prevention as wire;
use crate::wit::prevention::{Actions, HashesAdded, HashesRemoved, PreventionRules, RulesDeleted};
use crate::{Kata, sensors};

/// How often, and how long after another, a list is read until it shows what was written: behind
/// one name there may be several nodes, and the next request may ask another. Inferred.
const LOOKS: u32 = 3;
const BETWEEN_LOOKS: Duration = Duration::from_secs(1);

impl Actions for Kata {
    fn get_prevention_rules(sensor_id: String) -> Result<Vec<String>> {
        read(&sensor_id)
    }

    fn set_prevention_rules(sensor_id: String, hashes: Vec<String>) -> Result<PreventionRules> {
        let hashes = checked(hashes)?;
        write(&sensor_id, &hashes)?;
        let hashes = read_until(&sensor_id, |found| same(found, &hashes))?;
        Ok(PreventionRules { sensor_id, hashes })
    }

    fn add_prevention_hashes(sensor_id: String, hashes: Vec<String>) -> Result<HashesAdded> {
        let wanted = checked(hashes)?;
        let before = read(&sensor_id)?;
        let added = without(&wanted, &before);
        if added.is_empty() {
            return Ok(HashesAdded {
                sensor_id,
                added,
                hashes: before,
            });
        }
        let after = [before, added.clone()].concat();
        write(&sensor_id, &after)?;
        let hashes = read_until(&sensor_id, |found| without(&after, found).is_empty())?;
        Ok(HashesAdded {
            sensor_id,
            added,
            hashes,
        })
    }

    fn remove_prevention_hashes(sensor_id: String, hashes: Vec<String>) -> Result<HashesRemoved> {
        let unwanted = checked(hashes)?;
        let before = read(&sensor_id)?;
        let after = without(&before, &unwanted);
        let removed = without(&before, &after);
        if removed.is_empty() {
            return Ok(HashesRemoved {
                sensor_id,
                removed,
                hashes: before,
            });
        }
        if after.is_empty() {
            delete(&sensor_id)?;
        } else {
            write(&sensor_id, &after)?;
        }
        let hashes = read_until(&sensor_id, |found| {
            without(&after, found).is_empty() && without(&unwanted, found).len() == unwanted.len()
        })?;
        Ok(HashesRemoved {
            sensor_id,
            removed,
            hashes,
        })
    }

    fn delete_all_prevention_rules(sensor_id: String) -> Result<RulesDeleted> {
        let already_absent = delete(&sensor_id)?;
        Ok(RulesDeleted {
            sensor_id,
            already_absent,
        })
    }
}

/// The hashes of a scope.
pub fn read(scope: &str) -> Result<Vec<String>> {
    let request = central_node::settings_of(Method::Get, scope, SettingsType::Prevention)?;
    let response = central_node::send_read(request)?;
    if response.status() == 404 {
        return must_exist(scope).map(|()| Vec::new());
    }
    let response = response.success()?;
    wire::hashes(&response.json()?).ok_or_else(|| {
        let body = String::from_utf8_lossy(response.body())
            .chars()
            .take(200)
            .collect::<String>();
        Error::protocol(format!(
            "KATA's list of prevention rules has one that cannot be read; left as it is: {body}"
        ))
    })
}

/// The hashes as they are compared and sent: in lower case and each once.
///
/// # Errors
/// For an empty list and for what is no hash. An empty list would delete every rule of the scope.
pub fn checked(hashes: Vec<String>) -> Result<Vec<String>> {
    if hashes.is_empty() {
        return Err(Error::invalid_input(
            "`hashes` is empty; to delete every rule of the scope call `delete_all_prevention_rules`",
        ));
    }
    let mut known = Vec::with_capacity(hashes.len());
    for (index, hash) in hashes.iter().enumerate() {
        let hash = hash.trim().to_ascii_lowercase();
        if !matches!(hash.len(), 32 | 64) || !hash.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(Error::invalid_input(format!(
                "hashes[{index}]: `{hash}` is neither a SHA-256 (64 hex digits) nor an MD5 (32)"
            )));
        }
        if !known.contains(&hash) {
            known.push(hash);
        }
    }
    Ok(known)
}

/// Whether the two lists have the same hashes.
pub fn same(left: &[String], right: &[String]) -> bool {
    without(left, right).is_empty() && without(right, left).is_empty()
}

/// What is in the first list and not in the second.
pub fn without(list: &[String], others: &[String]) -> Vec<String> {
    list.iter()
        .filter(|hash| !others.contains(hash))
        .cloned()
        .collect()
}

fn write(scope: &str, hashes: &[String]) -> Result<()> {
    let request = central_node::settings_of(Method::Post, scope, SettingsType::Prevention)?
        .json(&wire::order(hashes));
    let response = central_node::send(request)?;
    match response.status() {
        404 => must_exist(scope)?,
        400 | 409 => {
            if let Some(conflict) = conflict(&response) {
                return Err(conflict);
            }
        }
        _ => {}
    }
    response.success().map(|_| ())
}

/// Whether there was nothing to delete.
fn delete(scope: &str) -> Result<bool> {
    let request = central_node::settings_of(Method::Delete, scope, SettingsType::Prevention)?;
    let response = central_node::send(request)?;
    if response.status() == 404 {
        return must_exist(scope).map(|()| true);
    }
    response.success().map(|_| false)
}

/// A file may have a rule for all hosts or rules for single hosts, not both. The status of the
/// refusal is in no table: 409, or a 400 that lists hosts. The answer goes on whole as details.
fn conflict(response: &Response) -> Option<Error> {
    let answer = response.try_json().unwrap_or_default();
    let hosts = wire::hosts_in_the_way(&answer);
    if response.status() == 400 && hosts.is_empty() {
        return None;
    }
    let error = response.error().kind(ErrorKind::Conflict);
    let file = wire::file_in_the_way(&answer)
        .map_or_else(String::new, |hash| format!(" for the file {hash}"));
    let hosts = if hosts.is_empty() {
        String::new()
    } else {
        format!(", on {}", hosts.join(", "))
    };
    let message = format!(
        "there is a prevention rule{file} already{hosts}; a file has a rule for all hosts or for single ones, not both. {}",
        error.message
    );
    Some(error.message(message))
}

/// Reads the list until it shows what was written.
fn read_until(scope: &str, shows: impl Fn(&[String]) -> bool) -> Result<Vec<String>> {
    let mut looks = 1;
    loop {
        let found = read(scope)?;
        if shows(&found) {
            return Ok(found);
        }
        if looks == LOOKS || !call::wait(BETWEEN_LOOKS) {
            return Err(Error::conflict(
                "KATA took the prevention rules, but the list is another now: somebody else wrote it at the same time. \
                 Read it and decide again",
            )
            .details(&json!({ "hashes": found })));
        }
        looks += 1;
    }
}

fn must_exist(scope: &str) -> Result<()> {
    if scope == ALL {
        Ok(())
    } else {
        sensors::must_exist(scope)
    }
}
