//! The exit codes of `cordon`: one table, read by the code, the help and its test.

/// How an invocation ended, as scripts around Cordon see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Exit {
    /// All was done.
    Done = 0,
    /// The playbook or the action failed, or was stopped by the person who started it.
    Failed = 1,
    /// What was asked for cannot be done as it was asked for; nothing was sent anywhere.
    Usage = 2,
    /// A connection cannot be used as it is configured, or its product is not there.
    Connection = 3,
    /// Cordon itself has a defect.
    Defect = 4,
    /// A request that changes something was sent and its answer was lost.
    LostWrite = 5,
    /// The run is not over, and is not executed here any more.
    Unfinished = 6,
}

/// Every exit code with what it means, in the words of the help.
pub const TABLE: [(Exit, &str); 7] = [
    (Exit::Done, "done"),
    (
        Exit::Failed,
        "the playbook or the action failed, or was cancelled or stopped",
    ),
    (
        Exit::Usage,
        "wrong use: a bad argument, an unknown name, a missing input, a script that does not compile",
    ),
    (
        Exit::Connection,
        "a connection is not usable: unknown, disabled, no or a refused credential, TLS, not reachable",
    ),
    (Exit::Defect, "a bug of Cordon"),
    (
        Exit::LostWrite,
        "a write was sent and its answer was lost: it may have happened",
    ),
    (
        Exit::Unfinished,
        "the run is not over: it waits or was left, and goes on with `cordon runs resume`",
    ),
];

impl Exit {
    /// The number that the process ends with.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }
}

/// The table as the help shows it.
#[must_use]
pub fn help() -> String {
    let mut text = String::from("Exit codes:");
    for (exit, meaning) in TABLE {
        text.push_str(&format!("\n  {}  {meaning}", exit.code()));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_counts_from_zero_without_a_gap() {
        for (index, (exit, meaning)) in TABLE.iter().enumerate() {
            assert_eq!(usize::from(exit.code()), index, "{meaning}");
        }
    }
}
