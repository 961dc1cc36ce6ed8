//! The executor and its engine under everything that can happen to them, from a seed.
//!
//! The code is the one that runs playbooks; around it, all on one thread, a store that forgets what a
//! store may forget, clocks that jump, a product that loses answers, people who are wrong, and
//! processes that die at any write. After each seed the [`drive`] checks what was promised, and a seed
//! gives the same simulation every time. `tests/README.md` says how to use it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "support of tests: what goes wrong here is a failed test"
)]

pub mod catalogue;
pub mod drive;
pub mod people;
pub mod plan;
pub mod product;
pub mod rng;
pub mod script;
pub mod seed;
pub mod store;
pub mod tally;
pub mod world;
