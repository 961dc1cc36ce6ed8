//! Runs: a playbook over live connections, or a single call of an action, by the same seam.
//!
//! - [`directory`], [`settings`], [`inventory`]: the automation directory and what is in it;
//! - [`bind`]: which connections the aliases of a playbook stand for;
//! - [`check`]: what can be known to be wrong with a playbook before any connection;
//! - [`execution`]: one run, or one call, from start to report;
//! - [`live`]: performs steps for real;
//! - [`settle`]: what a lost answer means;
//! - [`event`]: what somebody who watches sees.

pub mod bind;
pub mod check;
pub mod codes;
pub mod directory;
pub mod event;
pub mod execution;
pub mod inventory;
pub mod live;
pub mod settings;
pub mod settle;

pub use codes::CODES;
