//! The pages of this crate's messages.

use cordon_contract::codes::Code;

macro_rules! pages {
    ($($code:literal),* $(,)?) => {
        /// What `cordon explain` prints for this crate's codes.
        pub const CODES: &[Code] = &[$(Code {
            code: $code,
            page: include_str!(concat!("../codes/", $code, ".md")),
        }),*];
    };
}

pages![
    "connection.connector",
    "connection.unknown",
    "directory.missing",
    "directory.settings",
    "directory.unreadable",
    "playbook.unknown",
    "run.ambiguous",
    "run.child",
    "run.diverged",
    "run.in-doubt",
    "run.not-answered",
    "run.not-approved",
    "run.refused",
    "run.unfinished",
    "run.unknown",
];
