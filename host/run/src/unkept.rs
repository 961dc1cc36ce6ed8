//! A store that keeps nothing: for a single call, which ends with the process that makes it.

use std::sync::atomic::{AtomicU64, Ordering};

use cordon_journal::store::Filter;
use cordon_journal::{
    Change, Durability, Entry, Moment, Run, RunId, Store, StoreError, Ticket, Wish,
};

/// Keeps nothing.
#[derive(Debug, Default)]
pub struct Unkept(AtomicU64);

impl Store for Unkept {
    fn submit(&self, _: Vec<Change>, _: Durability) -> Result<Ticket, StoreError> {
        Ok(Ticket(self.0.fetch_add(1, Ordering::Relaxed) + 1))
    }

    fn settle(&self, _: Ticket) -> Result<(), StoreError> {
        Ok(())
    }

    fn run(&self, _: RunId) -> Result<Option<Run>, StoreError> {
        Ok(None)
    }

    fn journal(&self, _: RunId, _: u64) -> Result<Vec<Entry>, StoreError> {
        Ok(Vec::new())
    }

    fn due(&self, _: Moment, _: usize) -> Result<Vec<RunId>, StoreError> {
        Ok(Vec::new())
    }

    fn next_due(&self, _: Moment) -> Result<Option<Moment>, StoreError> {
        Ok(None)
    }

    fn find(&self, _: &Filter) -> Result<Vec<Run>, StoreError> {
        Ok(Vec::new())
    }

    fn open_children(&self, _: RunId) -> Result<Vec<RunId>, StoreError> {
        Ok(Vec::new())
    }

    fn holders(&self, _: &str) -> Result<u32, StoreError> {
        Ok(0)
    }

    fn first_queued(&self, _: &str) -> Result<Option<RunId>, StoreError> {
        Ok(None)
    }

    fn wishes(&self) -> Result<Vec<(i64, Wish)>, StoreError> {
        Ok(Vec::new())
    }

    fn changed_elsewhere(&self) -> Result<bool, StoreError> {
        Ok(false)
    }

    fn blob(&self, _: &str) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(None)
    }

    fn has_blob(&self, _: &str) -> Result<bool, StoreError> {
        Ok(true)
    }

    fn latest(&self) -> Result<Option<Moment>, StoreError> {
        Ok(None)
    }
}
