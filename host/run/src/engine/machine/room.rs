//! How much of its journal's limits a run has used: when it is warned, and when it ends.

use cordon_journal::record::Stop;
use cordon_playbook::step::StopReason;

use super::Machine;

/// The share of a limit at which a warning is given.
const WARN_AT_PERCENT: u64 = 80;

impl Machine {
    /// Whether 80 % of the journal's limits are used, once.
    pub fn warn(&mut self) -> Option<String> {
        let near = |used: u64, max: u64| used >= max - max / 100 * (100 - WARN_AT_PERCENT);
        let order = &self.order;
        if self.warned
            || !(near(self.records(), order.journal_records_max)
                || near(self.bytes, order.journal_bytes_max))
        {
            return None;
        }
        self.warned = true;
        Some(format!(
            "its journal is filling up: {} of {} records, {} of {} bytes",
            self.records(),
            order.journal_records_max,
            self.bytes,
            order.journal_bytes_max
        ))
    }

    pub(super) fn records(&self) -> u64 {
        self.weights.len() as u64
    }

    /// These records are dropped.
    pub(in crate::engine) fn dropped(&mut self, seqs: &[u64]) {
        for seq in seqs {
            let weight = self.weights.remove(seq).unwrap_or(0);
            self.bytes = self.bytes.saturating_sub(weight);
        }
    }

    /// The limit of the journal that was reached.
    pub(in crate::engine) fn journal_limit(&self) -> Option<&Stop> {
        self.full.as_ref()
    }

    /// Whether the journal is full.
    pub(super) fn fill(&mut self) -> Option<StopReason> {
        let order = &self.order;
        // What is done after the script may go a tenth further: taking back must not fail for space.
        let room = |max: u64| match self.memory.unwinding {
            true => max.saturating_add(max / 10),
            false => max,
        };
        let (name, allowed) = if self.records() >= room(order.journal_records_max) {
            (
                "journal_records",
                format!("{} records", order.journal_records_max),
            )
        } else if self.bytes >= room(order.journal_bytes_max) {
            (
                "journal_size",
                cordon_contract::units::format_size(order.journal_bytes_max),
            )
        } else {
            return None;
        };
        self.full = Some(Stop::Limit {
            name: name.to_owned(),
            allowed: format!("{allowed} in the journal of one run"),
        });
        Some(StopReason::Limit)
    }
}
