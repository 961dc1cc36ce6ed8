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

/// What must have happened at least so often in a thousand seeds.
pub const FLOORS: [(&str, u64); 0] = [];
