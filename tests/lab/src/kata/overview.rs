//! What people want to see of a node: above all, which hosts are isolated at this moment.

use jiff::Timestamp;
use serde::Serialize;

use crate::frame::Section;

use super::Kata;
use super::entity::{PreventedFile, PreventionObject};
use super::handle::HostView;
use super::operation::ALL;

/// How much of a fingerprint or hash is shown: enough to tell them apart.
const DIGITS_SHOWN: usize = 16;

/// How many tasks are shown, the latest.
const TASKS_SHOWN: usize = 20;

/// How many hosts are shown; further ones are counted.
const HOSTS_SHOWN: usize = 50;

pub(super) fn sections(kata: &Kata) -> Vec<Section> {
    vec![
        external_systems(kata),
        hosts(kata),
        rules_for_all(kata),
        tasks(kata),
    ]
}

fn external_systems(kata: &Kata) -> Section {
    Section {
        title: "kata: external systems".to_owned(),
        columns: vec!["id", "certificate", "approval", "first seen"],
        rows: kata
            .external_systems()
            .into_iter()
            .map(|system| {
                vec![
                    system.id,
                    shortened(&system.certificate_sha256),
                    word(&system.approval),
                    second(system.first_seen),
                ]
            })
            .collect(),
    }
}

fn hosts(kata: &Kata) -> Section {
    let all = kata.hosts();
    let count = all.len();
    Section {
        title: if count > HOSTS_SHOWN {
            format!("kata: hosts (the first {HOSTS_SHOWN} of {count})")
        } else {
            "kata: hosts".to_owned()
        },
        columns: vec![
            "name",
            "sensor id",
            "ip",
            "system",
            "online",
            "isolation",
            "prevention",
        ],
        rows: all.into_iter().take(HOSTS_SHOWN).map(host).collect(),
    }
}

fn host(view: HostView) -> Vec<String> {
    let isolation = match &view.isolation {
        Some(found) if found.active => format!("ISOLATED until {}", second(found.rule.ends_at)),
        Some(found) => format!("ended {}, rule stays", second(found.rule.ends_at)),
        None => "no".to_owned(),
    };
    vec![
        view.host.name,
        view.host.sensor_id,
        view.host.ip,
        view.host.os_family,
        if view.host.online { "yes" } else { "no" }.to_owned(),
        isolation,
        rules(&view.prevention),
    ]
}

fn rules_for_all(kata: &Kata) -> Section {
    Section {
        title: "kata: prevention on all hosts".to_owned(),
        columns: vec!["file", "origin"],
        rows: kata
            .prevention(ALL)
            .iter()
            .map(|object| vec![file(object), word(&object.origin)])
            .collect(),
    }
}

fn tasks(kata: &Kata) -> Section {
    let all = kata.tasks();
    Section {
        title: "kata: tasks".to_owned(),
        columns: vec!["task id", "sensor id", "command", "state", "started"],
        rows: all[all.len().saturating_sub(TASKS_SHOWN)..]
            .iter()
            .map(|task| {
                vec![
                    task.task_id.clone(),
                    task.sensor_id.clone(),
                    task.settings.exec_command.clone(),
                    word(&task.state),
                    task.latest_start.map(second).unwrap_or_default(),
                ]
            })
            .collect(),
    }
}

fn rules(objects: &[PreventionObject]) -> String {
    let files: Vec<String> = objects.iter().map(file).collect();
    files.join(", ")
}

fn file(object: &PreventionObject) -> String {
    match &object.file {
        PreventedFile::Sha256(hash) | PreventedFile::Md5(hash) => shortened(hash),
    }
}

fn shortened(digits: &str) -> String {
    let mut text: String = digits.chars().take(DIGITS_SHOWN).collect();
    text.push('…');
    text
}

fn second(moment: Timestamp) -> String {
    format!("{moment:.0}")
}

/// The word that the control surface uses for a value of a closed set.
fn word(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(text)) => text,
        _ => String::new(),
    }
}
