//! The playbook language: a header constant and a `run` function in Rhai.

pub mod step;
