//! The pages of this crate's codes, as `cordon explain CODE` prints them.

use cordon_contract::codes::Code;

macro_rules! pages {
    ($($code:literal),* $(,)?) => {
        /// Every code that this crate's errors carry.
        pub const CODES: &[Code] = &[
            $(Code { code: $code, page: include_str!(concat!("../codes/", $code, ".md")) },)*
        ];
    };
}

pages!(
    "action.broken",
    "action.limit",
    "action.result",
    "action.timeout",
    "action.unknown",
    "connector.action",
    "connector.capability",
    "connector.contract",
    "connector.engine",
    "connector.file",
    "connector.imports",
    "connector.manifest",
    "connector.name-taken",
    "connector.no-component",
    "connector.start",
);
