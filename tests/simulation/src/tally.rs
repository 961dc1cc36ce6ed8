//! How often what happened: a simulation in which nothing goes wrong, or nothing gets done, proves
//! nothing.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// Counts by name.
#[derive(Debug, Default)]
pub struct Tally(Mutex<BTreeMap<&'static str, u64>>);

impl Tally {
    /// So many more.
    pub fn add(&self, what: &'static str, count: u64) {
        *self.lock().entry(what).or_default() += count;
    }

    /// Everything that was counted.
    pub fn counts(&self) -> BTreeMap<&'static str, u64> {
        self.lock().clone()
    }

    /// Adds what another one counted.
    pub fn merge(&self, other: &Self) {
        for (what, count) in other.counts() {
            self.add(what, count);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<&'static str, u64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What must have happened at least so often in a thousand seeds: about half of what usually does.
pub const FLOORS: [(&str, u64); 29] = [
    ("answers of people", 250),
    ("answers: failed in passing", 600),
    ("answers: garbled", 150),
    ("answers: lost after it was done", 150),
    ("answers: lost before it was done", 150),
    ("answers: lost, and done late", 150),
    ("answers: none in time, and done", 150),
    ("answers: none in time, and not done", 150),
    ("answers: sent twice by the network", 100),
    ("approvals and refusals", 800),
    ("cancels", 200),
    ("clock jumps", 600),
    ("connections not usable for a while", 350),
    ("crashes after a write", 1_300),
    ("crashes before a write", 1_300),
    ("crashes before a write was settled", 1_300),
    ("crashes during a call", 150),
    ("effects", 3_500),
    ("full disks", 450),
    ("processes ended in an orderly way", 20),
    ("reads", 5_000),
    ("runs ended", 1_800),
    ("runs executed inside of another", 150),
    ("runs held to one without faults", 1_200),
    ("submissions lost", 2_500),
    ("the product was asked", 700),
    ("writes done", 3_000),
    ("writes in doubt that a person settled", 200),
    ("wrong words", 300),
];

/// What happened so rarely in so many seeds that they prove nothing.
#[must_use]
pub fn too_little(total: &Tally, seeds: u64) -> Vec<String> {
    let counts = total.counts();
    let low = FLOORS.iter().filter_map(|(what, floor)| {
        let wanted = floor * seeds / 1000;
        let count = counts.get(what).copied().unwrap_or(0);
        (count < wanted).then(|| format!("only {count} {what}, and {wanted} are the least"))
    });
    low.collect()
}
