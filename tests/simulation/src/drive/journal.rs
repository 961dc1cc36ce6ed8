//! Journals as people read them, for the report of a failure.

use std::fmt::Write as _;

use cordon_journal::{Run, RunId};
use serde_json::to_string;

use crate::store::entries;
use crate::world::World;

/// A run with its records, one a line.
#[must_use]
pub fn journal(world: &World, id: RunId) -> String {
    world.disk.visible(|image| {
        let mut text = String::new();
        let Some(Run { order, status, .. }) = image.run(id) else {
            return format!("run {id} is not there\n");
        };
        let _ = writeln!(
            text,
            "run {id} of {} {} by {}, until {}\n  {}",
            order.playbook,
            to_string(&order.input).unwrap_or_default(),
            order.started_by,
            order.deadline,
            to_string(&status).unwrap_or_default()
        );
        for entry in entries(image, id, 0) {
            let what = to_string(&entry.record.what).unwrap_or_default();
            let short: String = what.chars().take(400).collect();
            let _ = writeln!(
                text,
                "  {:>4} {} {:<10} {short}",
                entry.seq,
                entry.record.at,
                entry.record.key.to_string()
            );
        }
        text
    })
}
