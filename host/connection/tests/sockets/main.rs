//! What a connection does over real sockets: every promise of the crate beside what breaks it.
//!
//! The servers are written by hand, byte by byte where it matters, because no well-behaved server
//! hangs up in the middle of an answer.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "what a fixture cannot do ends the test"
)]

mod addresses;
mod answers;
mod bases;
mod client_certificates;
mod delivery;
mod downloads;
mod fixture;
mod http2;
mod limits;
mod proxies;
mod requests;
mod sealing;
mod secrets;
mod server_certificates;
mod trusting;
