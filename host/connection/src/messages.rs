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
    "blob",
    "broken",
    "client-certificate",
    "connect",
    "credential",
    "disabled",
    "file",
    "request",
    "state",
    "timeout",
    "tls",
    "too-large",
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_has_a_title_and_says_what_to_do() {
        for code in CODES {
            assert!(
                code.page.starts_with("# ") && !code.title().is_empty(),
                "{}",
                code.code
            );
            assert!(code.page.lines().count() > 4, "{}", code.code);
        }
    }

    #[test]
    fn every_code_that_the_sources_name_has_a_page() {
        let sources = [
            include_str!("blob/mod.rs"),
            include_str!("connection.rs"),
            include_str!("trust.rs"),
            include_str!("file/error.rs"),
            include_str!("exchange/client.rs"),
            include_str!("exchange/failure.rs"),
            include_str!("exchange/send.rs"),
            include_str!("vault/error.rs"),
            include_str!("tls/explain.rs"),
        ];
        for name in sources
            .iter()
            .flat_map(|source| source.split("\"connection.").skip(1))
        {
            let code = format!("connection.{}", name.split('"').next().unwrap());
            assert!(CODES.iter().any(|known| known.code == code), "{code}");
        }
    }
}
