//! The playbook language: a header constant and a `run` function in Rhai.
//!
//! A [`Playbook`] is read from a file without running anything of it, bound to connections and checked
//! against what these can do ([`Playbook::bind`]), and run ([`Playbook::run`]). Everything in it that is
//! not a pure computation goes through [`step::Performer`], the one way out of a script; this crate
//! knows no connection beyond its name and its connector's model, no clock, and no file but scripts.

pub mod bind;
pub mod functions;
pub mod header;
pub mod input;
pub mod limits;
pub mod place;
pub mod problem;
pub mod stack;
pub mod step;
pub mod value;
pub mod words;

mod action;
mod afterwards;
mod check;
mod closure;
mod codes;
mod engine;
mod error;
mod execution;
mod inverse;
mod library;
mod parked;
mod playbook;
mod run;
mod scope;
mod syntax;
mod thrown;
mod timestamp;
mod undo;

pub use bind::{Bindings, Offer};
pub use codes::CODES;
pub use error::RunError;
pub use header::{Concurrency, Header, OnConflict};
pub use input::{Given, InputError};
pub use library::Library;
pub use limits::{Limit, Limits};
pub use place::{Place, Source};
pub use playbook::{Bundle, Playbook};
pub use problem::{PlaybookError, Problem, ProblemKind};
