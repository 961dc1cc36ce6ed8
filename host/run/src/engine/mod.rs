//! The engine: what each step of a run means, decided without doing anything.
//!
//! Events go in ([`Event`]: the script asks for a step, a call came back, a wait is over), commands come
//! out ([`Reaction`]: record this, then call, wait, answer). Clock and randomness are handed in
//! ([`Senses`]), records are written by whoever drives the machine, and a machine that is made from
//! those records goes on exactly where this one was. So a simulation drives the same code as the
//! real thing, and can let it die between any two of its steps.

mod composite;
mod describe;
mod machine;
mod memory;
mod people;
mod reaction;
mod settle;
#[cfg(test)]
mod tests;
mod waits;
mod weight;

pub use describe::digest;
pub use machine::{Divergence, Machine};
pub use memory::Facts;
pub use people::Refusal;
pub use reaction::{Event, Next, Reaction, Senses};
pub use settle::{ATTEMPTS_MAX, Verdict, after_failure, found_not_done};
