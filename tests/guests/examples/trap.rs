//! Ends in the middle, with and without having sent something.

#![allow(clippy::panic, reason = "a guest that panics is what this is")]

use cordon_sdk::{Connector, Result, http};

struct Trap;

cordon_sdk::connector!(Trap, inline: "
    package guests:trap@0.1.0;

    interface work {
        use cordon:connector/errors@0.1.0.{error};

        /// Divides; panics where the divisor is 0.
        divide: func(number: u32, by: u32) -> result<u32, error>;
        /// Sends a write, hears the answer, and panics.
        write-and-panic: func() -> result<u32, error>;
        /// Sends a read, hears the answer, and panics.
        read-and-panic: func() -> result<u32, error>;
    }

    world trap {
        include cordon:connector/connector@0.1.0;
        export work;
    }
");

impl Connector for Trap {}

impl wit::work::Actions for Trap {
    fn divide(number: u32, by: u32) -> Result<u32> {
        Ok(number / by)
    }

    fn write_and_panic() -> Result<u32> {
        http::post(["write"]).send()?;
        panic!("after writing");
    }

    fn read_and_panic() -> Result<u32> {
        http::get(["read"]).send()?;
        panic!("after reading");
    }
}
