//! The pages behind the codes of this crate's messages.

use cordon_contract::codes::Code;

macro_rules! pages {
    ($($code:literal),+ $(,)?) => {
        /// Every code that a message of this crate can carry, with its page.
        pub const CODES: &[Code] = &[$(Code { code: $code, page: include_str!(concat!("../codes/", $code, ".md")) }),+];
    };
}

pages![
    "playbook.action",
    "playbook.action-failed",
    "playbook.alias",
    "playbook.binding",
    "playbook.captured",
    "playbook.defect",
    "playbook.fail",
    "playbook.header",
    "playbook.hides",
    "playbook.import",
    "playbook.input",
    "playbook.limit",
    "playbook.parallel",
    "playbook.poll-timeout",
    "playbook.script",
    "playbook.stopped",
    "playbook.syntax",
    "playbook.thrown",
    "playbook.unreadable",
];
