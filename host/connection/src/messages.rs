//! The pages of this crate's codes, as `cordon explain CODE` prints them.

use cordon_contract::codes::Code;

macro_rules! pages {
    ($($name:literal),* $(,)?) => {
        /// Every code that this crate's errors carry.
        pub const CODES: &[Code] = &[
            $(Code { code: concat!("connection.", $name), page: include_str!(concat!("../codes/", $name, ".md")) },)*
        ];
    };
}

pages!(
    "address",
    "broken",
    "client-certificate",
    "connect",
    "credential",
    "disabled",
    "file",
    "request",
    "timeout",
    "tls",
    "too-large",
);
