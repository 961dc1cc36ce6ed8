//! The durable record of runs.
//!
//! - [`record`]: what is recorded of a step;
//! - [`run`]: the row that every run has, whether it goes on, waits or has ended;
//! - [`wish`]: what other processes leave for the one that executes;
//! - [`store`]: the seam to what keeps all this, and what it promises;
//! - [`sqlite`]: the store that a single file is;
//! - [`lock`]: one process executes at a time.
//!
//! This crate knows no engine: it does not decide what a record means, and it starts nothing.

pub mod lock;
pub mod moment;
pub mod record;
pub mod run;
pub mod sqlite;
pub mod store;
pub mod wish;

mod codes;

pub use codes::CODES;
pub use moment::Moment;
pub use record::{Entry, Record, What};
pub use run::{Run, RunId, State};
pub use store::{Change, Durability, Store, StoreError, Ticket};
pub use wish::{Wish, WishKind};
