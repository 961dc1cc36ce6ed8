//! How much memory a guest may have. Reaching the limit ends the call with an error that names it;
//! a guest that is only told "no" aborts in a way that looks like any other defect.

use std::sync::Arc;

use wasmtime::ResourceLimiter;

use crate::limits::{Limit, LimitReached, Limits};

/// What the memories and tables of one call may grow to.
pub(super) struct Allocation {
    limits: Arc<Limits>,
    memory_left: u64,
}

impl Allocation {
    pub fn new(limits: &Arc<Limits>) -> Self {
        Self {
            limits: limits.clone(),
            memory_left: limits.get(Limit::Memory),
        }
    }

    fn reached(&self, limit: Limit) -> wasmtime::Error {
        LimitReached {
            limit,
            allowed: self.limits.get(limit),
        }
        .into()
    }
}

impl ResourceLimiter for Allocation {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let more = desired.saturating_sub(current) as u64;
        self.memory_left = self
            .memory_left
            .checked_sub(more)
            .ok_or_else(|| self.reached(Limit::Memory))?;
        Ok(true)
    }

    fn memory_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
        Err(error)
    }

    fn table_growing(
        &mut self,
        _: usize,
        desired: usize,
        _: Option<usize>,
    ) -> wasmtime::Result<bool> {
        if desired as u64 > self.limits.get(Limit::TableElements) {
            return Err(self.reached(Limit::TableElements));
        }
        Ok(true)
    }

    fn table_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
        Err(error)
    }
}
