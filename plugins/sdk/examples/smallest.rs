//! The smallest connector: one struct, one macro, one action.

use cordon_sdk::{Connector, Result};

struct Smallest;

cordon_sdk::connector!(Smallest, wit: "examples/smallest.wit");

impl Connector for Smallest {}

impl wit::greetings::Actions for Smallest {
    fn greet(name: String) -> Result<String> {
        Ok(format!("Hello, {name}."))
    }
}
