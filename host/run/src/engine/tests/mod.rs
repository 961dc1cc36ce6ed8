//! What the engine promises, one sentence a test.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests, which fail this way"
)]

mod composites;
mod endings;
mod people;
mod rebuilt;
mod support;
mod waits;
mod writes;
