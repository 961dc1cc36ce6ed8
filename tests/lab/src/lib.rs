//! Simulators of the products that Cordon works with: stateful, over real TLS sockets, with a
//! clock that can be advanced and faults that can be ordered.
//!
//! The lab knows nothing of Cordon. It is written from the products' fact sheets alone and shares
//! no code with any connector, so that an error in one is not an error in both.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use cordon_lab::frame::{Fault, FaultRule};
//! use cordon_lab::{Lab, Options};
//!
//! let lab = Lab::start(Options::new()?).await?;
//! lab.kata.faults.add(FaultRule::next("create-task", Fault::DropAfter))?;
//! // … let a caller with `lab.kata.product.credentials()` work against `lab.kata.url` …
//! lab.clock.advance(std::time::Duration::from_secs(7200));
//! assert_eq!(lab.kata.requests.applied("create-task"), 1);
//! # Ok(())
//! # }
//! ```

pub mod directory;
pub mod estate;
pub mod frame;
pub mod kata;
mod lab;
mod place;

pub use lab::{Lab, Options, PRODUCTS, StartError};
pub use place::Place;
