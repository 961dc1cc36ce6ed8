//! What the end-to-end tests share: the built programs, a lab of one's own, and an automation
//! directory to break. Everything is a real process on real files and sockets.
//!
//! Every output of a program passes through [`Program::run`], which looks for the [`CANARY`] in it
//! and keeps it under `target/suite`, where `cargo xtask test` looks once more when all is over.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "support of tests: what goes wrong here is a failed test"
)]

pub mod adversity;

mod automation;
mod lab;
mod program;
mod server;

pub use automation::Automation;
pub use lab::Lab;
pub use program::{Output, Program, built};
pub use server::{Asked, Server};

/// A secret that no output, log, error or file may ever show. Tests use it, or text that holds it,
/// wherever a product wants a secret.
pub const CANARY: &str = "canary-7c1f0e93-do-not-print";
