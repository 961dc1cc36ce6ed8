//! Hands out more than anybody asked for: results, log lines, requests.

use cordon_sdk::{Connector, Result, http, log};

struct Flood;

cordon_sdk::connector!(Flood, inline: "
    package guests:flood@0.1.0;

    interface water {
        use cordon:connector/errors@0.1.0.{error};
        use cordon:connector/types@0.1.0.{size, json};

        /// So much text.
        text: func(length: size) -> result<string, error>;
        /// So many numbers.
        numbers: func(count: u32) -> result<list<u32>, error>;
        /// JSON that is nested so deep.
        nested: func(depth: u32) -> result<json, error>;
        /// Writes so many lines to the log, each of this length, and says how many.
        lines: func(count: u32, length: size) -> result<u32, error>;
        /// Prints so many lines, and says how many.
        chatter: func(count: u32) -> result<u32, error>;
        /// Makes so many requests, and says how many were answered.
        requests: func(count: u32) -> result<u32, error>;
        /// Fails, in so many words.
        complain: func(length: size) -> result<u32, error>;
    }

    world flood {
        include cordon:connector/connector@0.1.0;
        export water;
    }
");

impl Connector for Flood {}

fn text_of(length: u64) -> String {
    "x".repeat(usize::try_from(length).unwrap_or(usize::MAX))
}

impl wit::water::Actions for Flood {
    fn text(length: u64) -> Result<String> {
        Ok(text_of(length))
    }

    fn numbers(count: u32) -> Result<Vec<u32>> {
        Ok((0..count).collect())
    }

    fn nested(depth: u32) -> Result<String> {
        let depth = depth as usize;
        Ok(format!("{}{}", "[".repeat(depth), "]".repeat(depth)))
    }

    fn lines(count: u32, length: u64) -> Result<u32> {
        let line = text_of(length);
        for _ in 0..count {
            log::info!("{line}");
        }
        Ok(count)
    }

    fn chatter(count: u32) -> Result<u32> {
        for number in 0..count {
            println!("line {number} with \u{1b}[31mcolour");
            eprintln!("line {number}");
        }
        Ok(count)
    }

    fn requests(count: u32) -> Result<u32> {
        for _ in 0..count {
            http::get(["hosts"]).send()?;
        }
        Ok(count)
    }

    fn complain(length: u64) -> Result<u32> {
        Err(cordon_sdk::Error::internal(text_of(length)))
    }
}
