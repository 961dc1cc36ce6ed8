//! Looking for runs.

use rusqlite::Connection;
use rusqlite::types::Value;

use super::error::Place;
use super::rows::{self, Flaw, RUN_COLUMNS, RUN_TABLES};
use crate::run::Run;
use crate::store::{Filter, StoreError};

/// The runs that fit, the latest first, and those that are damaged. What is searched by is searched by an
/// index; connections and tags are looked at run by run, since few ask for them.
///
/// # Errors
/// Where the file cannot be read.
pub(super) fn find(
    connection: &Connection,
    place: &Place,
    filter: &Filter,
    mut each: impl FnMut(Result<Run, Flaw>) -> bool,
) -> Result<(), StoreError> {
    let wrong = |error| place.error(error);
    let Some((conditions, values)) = conditions(filter) else {
        return Ok(());
    };
    let mut statement = connection
        .prepare(&format!(
            "SELECT {RUN_COLUMNS} FROM {RUN_TABLES} {conditions} \
             ORDER BY run.created DESC, run.number DESC"
        ))
        .map_err(wrong)?;
    let mut answer = statement
        .query(rusqlite::params_from_iter(values))
        .map_err(wrong)?;
    let mut left = filter.limit.unwrap_or(usize::MAX);
    while left > 0
        && let Some(row) = answer.next().map_err(wrong)?
    {
        let run = rows::run(row);
        if matches!(&run, Ok(run) if !fits(run, filter)) {
            continue;
        }
        if run.is_ok() {
            left -= 1;
        }
        if !each(run) {
            break;
        }
    }
    Ok(())
}

/// What no column says.
fn fits(run: &Run, filter: &Filter) -> bool {
    let used = |connection: &String| {
        let bindings = run.order.bindings.values().flatten();
        bindings
            .into_iter()
            .any(|binding| binding.connection == *connection)
    };
    filter.connection.as_ref().is_none_or(used)
        && filter
            .tag
            .as_ref()
            .is_none_or(|tag| run.order.tags.contains(tag))
}

/// The conditions with their values; none where nothing can fit.
fn conditions(filter: &Filter) -> Option<(String, Vec<Value>)> {
    let mut all: Vec<String> = Vec::new();
    let mut values: Vec<Value> = Vec::new();
    let mut add = |condition: &str, value: Value| {
        values.push(value);
        all.push(condition.replace('?', &format!("?{}", values.len())));
    };
    if let Some(playbook) = &filter.playbook {
        add("run.playbook = ?", Value::Text(playbook.clone()));
    }
    if let Some(since) = filter.since {
        add("run.created >= ?", Value::Integer(since.0));
    }
    if let Some(before) = filter.before {
        add("run.created < ?", Value::Integer(before.0));
    }
    if let Some(before) = filter.ended_before {
        add("run.ended < ?", Value::Integer(before.0));
    }
    if let Some(parent) = filter.parent {
        add("run.parent = ?", Value::Blob(parent.0.as_bytes().to_vec()));
    }
    if let Some(prefix) = &filter.id_prefix {
        let (least, most) = range(prefix)?;
        add("run.id >= ?", Value::Blob(least));
        add("run.id <= ?", Value::Blob(most));
    }
    // Words of this crate, so that they need no places.
    let list = |names: Vec<&str>| format!("('{}')", names.join("', '"));
    if !filter.states.is_empty() {
        let names = filter.states.iter().map(|state| state.name()).collect();
        all.push(format!("run.state IN {}", list(names)));
    }
    if !filter.outcomes.is_empty() {
        let names = filter.outcomes.iter().map(|end| end.name()).collect();
        all.push(format!("run.outcome IN {}", list(names)));
    }
    if all.is_empty() {
        return Some((String::new(), values));
    }
    Some((format!("WHERE {}", all.join(" AND ")), values))
}

/// The least and the greatest identity that begins so; none where no identity does.
fn range(prefix: &str) -> Option<(Vec<u8>, Vec<u8>)> {
    let digits: String = prefix.chars().filter(|c| *c != '-').collect();
    if digits.len() > 32 || !digits.chars().all(|c| c.is_ascii_hexdigit()) {
        return None;
    }
    let least = hex::decode(format!("{digits:0<32}")).ok()?;
    let most = hex::decode(format!("{digits:f<32}")).ok()?;
    Some((least, most))
}
