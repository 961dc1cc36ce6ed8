//! Takes all the memory there is, or all the stack.

use cordon_sdk::{Connector, Result};

struct Hoard;

cordon_sdk::connector!(Hoard, inline: "
    package guests:hoard@0.1.0;

    interface memory {
        use cordon:connector/errors@0.1.0.{error};
        use cordon:connector/types@0.1.0.{size};

        /// Allocates this much, writes to each page of it, and says how much it was.
        take: func(bytes: size) -> result<size, error>;
        /// Calls itself so many times.
        dive: func(depth: u32) -> result<u32, error>;
    }

    world hoard {
        include cordon:connector/connector@0.1.0;
        export memory;
    }
");

impl Connector for Hoard {}

impl wit::memory::Actions for Hoard {
    fn take(bytes: u64) -> Result<u64> {
        const PART: u64 = 1 << 20;
        let mut kept: Vec<Vec<u8>> = Vec::new();
        let mut taken = 0;
        while taken < bytes {
            let part = PART.min(bytes - taken);
            kept.push(std::hint::black_box(vec![
                1;
                usize::try_from(part).unwrap_or(0)
            ]));
            taken += part;
        }
        Ok(kept.iter().map(|part| part.len() as u64).sum())
    }

    fn dive(depth: u32) -> Result<u32> {
        #[inline(never)]
        fn further(depth: u32) -> u32 {
            let frame = std::hint::black_box([depth; 16]);
            if depth == 0 {
                0
            } else {
                1 + further(depth - 1) + (frame[0] - depth)
            }
        }
        Ok(further(depth))
    }
}
