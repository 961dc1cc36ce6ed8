//! Never comes back.

use cordon_sdk::{Connector, Result};

struct Endless;

cordon_sdk::connector!(Endless, inline: "
    package guests:endless@0.1.0;

    interface work {
        use cordon:connector/errors@0.1.0.{error};

        /// Counts, and comes back.
        count: func(to: u64) -> result<u64, error>;
        /// Counts for ever.
        forever: func() -> result<u64, error>;
    }

    world endless {
        include cordon:connector/connector@0.1.0;
        export work;
    }
");

impl Connector for Endless {}

impl wit::work::Actions for Endless {
    fn count(to: u64) -> Result<u64> {
        Ok((0..to).fold(0, |sum, number| sum ^ std::hint::black_box(number)))
    }

    fn forever() -> Result<u64> {
        let mut sum: u64 = 0;
        loop {
            sum = std::hint::black_box(sum.wrapping_add(1));
        }
    }
}
