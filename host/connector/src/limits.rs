//! All limits of the sandbox, in one table.
//!
//! Code, settings (`[limits]` of `cordon.toml`) and the reference page read the same rows, so that
//! none of them can say anything else than what holds. Every limit that ends a call does so with a
//! [`LimitReached`] that names its row.

use std::fmt;
use std::time::Duration;

use cordon_contract::conform::JSON_DEPTH_MAX;
use cordon_contract::{name, units};

/// A row of [`TABLE`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "each is described by its row")]
pub enum Limit {
    ComponentSize,
    Memory,
    TableElements,
    Instances,
    CallTime,
    Transfer,
    HostCalls,
    HttpRequests,
    HttpBytes,
    LogLines,
    OutputSize,
    JsonSize,
    JsonDepth,
}

/// What the number of a limit counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Bytes; written as `"256MiB"`.
    Bytes,
    /// Milliseconds; written as `"2m"`.
    Time,
    /// Things; written as a number.
    Count,
}

/// One limit and all that is to be said about it.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// Which.
    pub limit: Limit,
    /// Its name in `[limits]` and in messages.
    pub name: &'static str,
    /// What its number counts.
    pub unit: Unit,
    /// The number that holds unless a setting says otherwise.
    pub default: u64,
    /// The smallest and the largest number that can be set.
    pub range: (u64, u64),
    /// What it bounds.
    pub bounds: &'static str,
    /// What a larger number costs.
    pub price: &'static str,
    /// What it does not protect from.
    pub not_protected: &'static str,
}

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;
const SECOND: u64 = 1_000;
const MINUTE: u64 = 60 * SECOND;

/// The limits, in the order of a connector's life.
pub const TABLE: [Row; 13] = [
    Row {
        limit: Limit::ComponentSize,
        name: "component_size",
        unit: Unit::Bytes,
        default: 64 * MIB,
        range: (KIB, GIB),
        bounds: "The size of a connector's file.",
        price: "Compiling takes time and memory in proportion to it: about a second and 30 MB for each MiB of it, once for each version of the file.",
        not_protected: "A small file that is slow to compile. At most two are compiled at a time.",
    },
    Row {
        limit: Limit::Memory,
        name: "memory",
        unit: Unit::Bytes,
        default: 256 * MIB,
        range: (MIB, 4 * GIB - 64 * KIB),
        bounds: "The linear memory of one call, over all memories of the component.",
        price: "That much resident memory for each call that really uses it.",
        not_protected: "Many calls at once that each stay below it; `instances` bounds those.",
    },
    Row {
        limit: Limit::TableElements,
        name: "table_elements",
        unit: Unit::Count,
        default: 100_000,
        range: (100, 10_000_000),
        bounds: "The entries of one table of the component: its indirect functions.",
        price: "Eight bytes of address space for each entry, table and instance.",
        not_protected: "Nothing else; real connectors have some thousands.",
    },
    Row {
        limit: Limit::Instances,
        name: "instances",
        unit: Unit::Count,
        default: 200,
        range: (1, 1_000),
        bounds: "Calls inside a connector at the same moment, over all connections and runs.",
        price: "6 GiB of address space each, reserved at the start and not resident. Where the system refuses \
                that much, instances are allocated one by one and a call costs about four times as much.",
        not_protected: "One connection that takes them all; `concurrency` of the connection bounds that. Further \
                        calls wait, and their waiting counts as time of the call.",
    },
    Row {
        limit: Limit::CallTime,
        name: "call_time",
        unit: Unit::Time,
        default: 2 * MINUTE,
        range: (SECOND, 24 * 60 * MINUTE),
        bounds: "The time of one call from the moment it is made, waiting for a free instance and for the product \
                 included, for an action whose manifest and caller name no time.",
        price: "A hanging call holds an instance for so long.",
        not_protected: "What the product does with a request that was sent before the time was over.",
    },
    Row {
        limit: Limit::Transfer,
        name: "transfer",
        unit: Unit::Bytes,
        default: 64 * MIB,
        range: (64 * KIB, GIB),
        bounds: "Memory outside the sandbox for one value that a connector hands out: the result of an action, or \
                 the request of one `http.send`. Text counts as it is; each element of a list, field of a record \
                 and byte of a `list<u8>` in a result counts about 40 bytes more.",
        price: "That much memory for each call at the same moment.",
        not_protected: "Values going in: their size is the caller's.",
    },
    Row {
        limit: Limit::HostCalls,
        name: "host_calls",
        unit: Unit::Count,
        default: 1_000_000,
        range: (100, 1_000_000_000),
        bounds: "Calls of the contract's functions (`http`, `settings`, `log`, `call`) by one call of an action.",
        price: "About a tenth of a microsecond each.",
        not_protected: "Calls of WASI (clock, random numbers, output), which only the time bounds.",
    },
    Row {
        limit: Limit::HttpRequests,
        name: "http_requests",
        unit: Unit::Count,
        default: 1_000,
        range: (1, 1_000_000),
        bounds: "Requests that one call may send.",
        price: "The product's patience; the connection's rate still holds.",
        not_protected: "A playbook that makes many calls; its own limits bound those.",
    },
    Row {
        limit: Limit::HttpBytes,
        name: "http_bytes",
        unit: Unit::Bytes,
        default: 512 * MIB,
        range: (KIB, 1024 * GIB),
        bounds: "Bytes of all bodies, sent and received, of one call, and of the blobs that it writes.",
        price: "None by itself; one answer is bounded by the connection's `answer_size`.",
        not_protected: "Header lines and TLS, which are not counted.",
    },
    Row {
        limit: Limit::LogLines,
        name: "log_lines",
        unit: Unit::Count,
        default: 1_000,
        range: (0, 1_000_000),
        bounds: "Lines that one call may log. Further ones are dropped, and a last line says so; the call goes on. \
                 A line is cut at 8 KiB.",
        price: "The space of the log.",
        not_protected: "A flood of calls to `log`, which `host_calls` ends.",
    },
    Row {
        limit: Limit::OutputSize,
        name: "output_size",
        unit: Unit::Bytes,
        default: 64 * KIB,
        range: (0, 16 * MIB),
        bounds: "What is kept of a call's standard output and error, for the log and for the message of a panic. \
                 The rest is dropped; the call goes on.",
        price: "That much memory for each call at the same moment.",
        not_protected: "The time spent on writing what is dropped.",
    },
    Row {
        limit: Limit::JsonSize,
        name: "json_size",
        unit: Unit::Bytes,
        default: 16 * MIB,
        range: (KIB, GIB),
        bounds: "The text of one `json` value, in or out.",
        price: "Maps and arrays take about ten times the memory of their text.",
        not_protected: "Many such values in one result; `transfer` bounds those.",
    },
    Row {
        limit: Limit::JsonDepth,
        name: "json_depth",
        unit: Unit::Count,
        default: JSON_DEPTH_MAX as u64,
        range: (1, JSON_DEPTH_MAX as u64),
        bounds: "How deep maps and arrays of one `json` value are nested.",
        price: "Stack, wherever such a value is read, shown or compared.",
        not_protected: "Nothing else.",
    },
];

impl Limit {
    /// The row of the table.
    #[must_use]
    pub const fn row(self) -> &'static Row {
        // The table is in the order of the enum; a test holds it to that.
        &TABLE[self as usize]
    }
}

impl Row {
    /// A number of this limit as people write it.
    #[must_use]
    pub fn show(&self, number: u64) -> String {
        match self.unit {
            Unit::Bytes => units::format_size(number),
            Unit::Time => units::format_duration(number),
            Unit::Count => number.to_string(),
        }
    }
}

/// The numbers that hold. Made from the defaults, changed by [`Limits::set`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits([u64; TABLE.len()]);

impl Default for Limits {
    fn default() -> Self {
        Self(TABLE.map(|row| row.default))
    }
}

impl Limits {
    /// The number of a limit.
    #[must_use]
    pub const fn get(&self, limit: Limit) -> u64 {
        self.0[limit as usize]
    }

    /// The number as a size in memory.
    #[must_use]
    pub fn size(&self, limit: Limit) -> usize {
        usize::try_from(self.get(limit)).unwrap_or(usize::MAX)
    }

    /// The number as a length of time.
    #[must_use]
    pub const fn time(&self, limit: Limit) -> Duration {
        Duration::from_millis(self.get(limit))
    }

    /// Sets a limit.
    ///
    /// # Errors
    /// Where the number is outside the limit's range.
    pub fn set(&mut self, limit: Limit, number: u64) -> Result<(), LimitError> {
        let row = limit.row();
        let (smallest, largest) = row.range;
        if !(smallest..=largest).contains(&number) {
            return Err(LimitError::Range {
                name: row.name,
                given: row.show(number),
                smallest: row.show(smallest),
                largest: row.show(largest),
            });
        }
        self.0[limit as usize] = number;
        Ok(())
    }

    /// Sets a limit as the settings file names and writes it.
    ///
    /// # Errors
    /// Where there is no such limit, or the text is not a number in its range.
    pub fn set_text(&mut self, name: &str, text: &str) -> Result<(), LimitError> {
        let Some(row) = TABLE.iter().find(|row| name::same(row.name, name)) else {
            let near = name::nearest(name, TABLE.iter().map(|row| row.name));
            return Err(LimitError::Unknown {
                name: name.to_owned(),
                hint: near
                    .map(|near| format!("; did you mean `{near}`?"))
                    .unwrap_or_default(),
            });
        };
        let number = text.parse::<u64>().or_else(|_| match row.unit {
            Unit::Bytes => units::parse_size(text).map_err(|error| error.to_string()),
            Unit::Time => units::parse_duration(text).map_err(|error| error.to_string()),
            Unit::Count => Err(format!("`{text}` is not a whole number")),
        });
        match number {
            Ok(number) => self.set(row.limit, number),
            Err(problem) => Err(LimitError::Text {
                name: row.name,
                problem,
            }),
        }
    }
}

/// A limit that cannot be set so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LimitError {
    /// No limit of this name.
    #[error("there is no limit `{name}`{hint}")]
    Unknown {
        /// What was written.
        name: String,
        /// The nearest right name.
        hint: String,
    },
    /// Not a number of the limit's unit.
    #[error("limit `{name}`: {problem}")]
    Text {
        /// The limit.
        name: &'static str,
        /// What is wrong.
        problem: String,
    },
    /// Too small or too large.
    #[error("limit `{name}`: {given} is not between {smallest} and {largest}")]
    Range {
        /// The limit.
        name: &'static str,
        /// What was written.
        given: String,
        /// The smallest number.
        smallest: String,
        /// The largest number.
        largest: String,
    },
}

/// A call that ran into a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LimitReached {
    /// Which.
    pub limit: Limit,
    /// The number that held.
    pub allowed: u64,
}

/// ``the limit `memory` (256MiB) was reached``
impl fmt::Display for LimitReached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let row = self.limit.row();
        write!(
            f,
            "the limit `{}` ({}) was reached",
            row.name,
            row.show(self.allowed)
        )
    }
}

impl std::error::Error for LimitReached {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_row_stands_at_its_place_with_a_default_in_its_range() {
        for (index, row) in TABLE.iter().enumerate() {
            assert_eq!(row.limit as usize, index, "{}", row.name);
            assert_eq!(
                Limits::default().set(row.limit, row.default),
                Ok(()),
                "{}",
                row.name
            );
        }
    }

    #[test]
    fn an_element_costs_about_as_much_as_the_table_says() {
        let size = size_of::<wasmtime::component::Val>();
        assert!((32..=48).contains(&size), "{size} bytes");
    }

    #[test]
    fn a_limit_is_set_as_people_write_it_and_a_wrong_one_says_what_would_be_right() {
        let mut limits = Limits::default();
        assert_eq!(limits.set_text("memory", "64MiB"), Ok(()));
        assert_eq!(limits.get(Limit::Memory), 64 * MIB);
        assert_eq!(limits.set_text("call-time", "90s"), Ok(()));
        assert_eq!(limits.time(Limit::CallTime), Duration::from_secs(90));
        let message = |result: Result<(), LimitError>| result.unwrap_err().to_string();
        assert_eq!(
            message(limits.set_text("memroy", "1MiB")),
            "there is no limit `memroy`; did you mean `memory`?"
        );
        assert_eq!(
            message(limits.set_text("memory", "5GiB")),
            "limit `memory`: 5GiB is not between 1MiB and 4194240KiB"
        );
        assert_eq!(
            message(limits.set_text("instances", "many")),
            "limit `instances`: `many` is not a whole number"
        );
    }
}
