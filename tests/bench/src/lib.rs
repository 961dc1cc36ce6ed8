//! What the benchmarks share: figures with their budgets, and how they are printed – a table for
//! people and one last line of JSON for programs.

pub mod central_node;
pub mod figure;
pub mod model;
pub mod process;
pub mod product;

pub use figure::{Bound, Report};

/// Why a benchmark could not be run.
pub type Failed = Box<dyn std::error::Error + Send + Sync>;
