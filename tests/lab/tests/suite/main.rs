//! The lab as its callers meet it: over real TLS sockets, as a program, and through its control
//! surface.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a helper of a test fails as a test does"
)]

mod acceptance;
mod approval;
mod checks;
mod control;
mod edges;
mod estate;
mod faults;
mod products;
mod program;
mod shapes;
mod support;
mod time;
mod transport;
