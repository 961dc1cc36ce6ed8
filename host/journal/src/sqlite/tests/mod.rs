//! What the store promises, promise by promise.

mod crash;
mod damage;
mod maintenance;
mod promises;
mod round_trip;
mod support;
mod trouble;
mod versions;
