//! Runs: a playbook over live connections that survives the end of the process, or a single call of an
//! action, by the same seam.
//!
//! - [`directory`], [`settings`], [`inventory`]: the automation directory and what is in it;
//! - [`bind`]: which connections the aliases of a playbook stand for;
//! - [`check`]: what can be known to be wrong with a playbook before any connection;
//! - [`engine`]: what each step means, decided without doing anything;
//! - [`performer`]: asks the engine, records, and does it;
//! - [`world`]: what a run reaches, handed in; [`live`]: the real one;
//! - [`executor`]: takes up the runs that are due; [`service`]: the threads around it;
//! - [`order`]: what a run is a run of; [`report`]: what it did;
//! - [`client`]: what commands beside the executor share; [`follow`]: a run that another process executes;
//!   [`timeline`]: a journal, step by step;
//! - [`execution`]: a single call;
//! - [`event`]: what somebody who watches sees.

pub mod bind;
pub mod check;
pub mod client;
pub mod codes;
pub mod directory;
pub mod engine;
pub mod event;
pub mod execution;
pub mod executor;
pub mod follow;
pub mod inventory;
pub mod live;
pub mod order;
pub mod performer;
pub mod report;
pub mod service;
pub mod settings;
pub mod stopper;
pub mod timeline;
pub mod world;

mod unkept;
mod workers;

pub use codes::CODES;
