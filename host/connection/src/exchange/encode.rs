//! The closed set of encodings that a value in a slot can have.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

use super::request::Encoding;

/// What a value cannot be written as, and why; reads well after "cannot be written as".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unwritable {
    pub(crate) encoding: &'static str,
    pub(crate) problem: &'static str,
}

/// `bytes` in this encoding.
///
/// # Errors
/// Where the encoding is one of text and the bytes are none, or hold what XML has no way to write.
pub(crate) fn encode(bytes: &[u8], encoding: Encoding) -> Result<Zeroizing<Vec<u8>>, Unwritable> {
    let encoded = match encoding {
        Encoding::None => bytes.to_vec(),
        Encoding::Base64 => STANDARD.encode(bytes).into_bytes(),
        Encoding::Base64Url => URL_SAFE_NO_PAD.encode(bytes).into_bytes(),
        Encoding::Percent => percent(bytes),
        Encoding::JsonString => json_string(text(bytes, "a JSON string")?),
        Encoding::XmlText => xml_text(text(bytes, "XML text")?)?,
    };
    Ok(Zeroizing::new(encoded))
}

/// Everything but the unreserved characters of RFC 3986 as `%XX`.
pub(crate) fn percent(bytes: &[u8]) -> Vec<u8> {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";

    let mut out = Vec::with_capacity(bytes.len());
    for &byte in bytes {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(byte);
        } else {
            out.extend([
                b'%',
                DIGITS[usize::from(byte >> 4)],
                DIGITS[usize::from(byte & 15)],
            ]);
        }
    }
    out
}

fn text<'a>(bytes: &'a [u8], encoding: &'static str) -> Result<&'a str, Unwritable> {
    std::str::from_utf8(bytes).map_err(|_| Unwritable {
        encoding,
        problem: "it is not UTF-8 text",
    })
}

fn json_string(text: &str) -> Vec<u8> {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '"' | '\\' => out.extend(['\\', character]),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            control if control < ' ' => out.push_str(&format!("\\u{:04x}", u32::from(control))),
            other => out.push(other),
        }
    }
    out.into_bytes()
}

/// Line breaks and tabs are written as references, so that they survive in attribute values.
fn xml_text(text: &str) -> Result<Vec<u8>, Unwritable> {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\t' | '\n' | '\r' => out.push_str(&format!("&#{};", u32::from(character))),
            control if control < ' ' || matches!(control, '\u{fffe}' | '\u{ffff}') => {
                return Err(Unwritable {
                    encoding: "XML text",
                    problem: "it holds a control character, which XML cannot carry",
                });
            }
            other => out.push(other),
        }
    }
    Ok(out.into_bytes())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn as_text(bytes: &[u8], encoding: Encoding) -> String {
        String::from_utf8(encode(bytes, encoding).unwrap().to_vec()).unwrap()
    }

    #[test]
    fn each_encoding_writes_what_its_receiver_reads_back() {
        let value = b"p\xc3\xa4ss \"<&>'\\/+%\n";
        assert_eq!(as_text(value, Encoding::Base64), "cMOkc3MgIjwmPidcLyslCg==");
        assert_eq!(
            as_text(value, Encoding::Base64Url),
            "cMOkc3MgIjwmPidcLyslCg"
        );
        assert_eq!(
            as_text(value, Encoding::Percent),
            "p%C3%A4ss%20%22%3C%26%3E%27%5C%2F%2B%25%0A"
        );
        assert_eq!(
            as_text(value, Encoding::JsonString),
            "päss \\\"<&>'\\\\/+%\\n"
        );
        assert_eq!(
            as_text(value, Encoding::XmlText),
            "päss &quot;&lt;&amp;&gt;&#39;\\/+%&#10;"
        );
    }

    #[test]
    fn bytes_that_are_no_text_are_refused_where_only_text_can_stand() {
        for encoding in [Encoding::JsonString, Encoding::XmlText] {
            assert!(encode(b"\xff\xfe", encoding).is_err());
        }
        assert!(encode(b"a\x00b", Encoding::XmlText).is_err());
    }

    proptest! {
        #[test]
        fn a_json_string_reads_back_as_it_was(value: String) {
            let json = format!("\"{}\"", as_text(value.as_bytes(), Encoding::JsonString));
            prop_assert_eq!(serde_json::from_str::<String>(&json).unwrap(), value);
        }

        #[test]
        fn a_percent_encoded_value_reads_back_as_it_was_and_needs_no_further_escape(value: Vec<u8>) {
            let encoded = percent(&value);
            prop_assert!(encoded.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-._~%".contains(byte)));
            let query = String::from_utf8(encoded).unwrap();
            let mut back = Vec::new();
            let mut bytes = query.bytes();
            while let Some(byte) = bytes.next() {
                if byte == b'%' {
                    let digits: String = [bytes.next().unwrap(), bytes.next().unwrap()].iter().map(|b| char::from(*b)).collect();
                    back.push(u8::from_str_radix(&digits, 16).unwrap());
                } else {
                    back.push(byte);
                }
            }
            prop_assert_eq!(back, value);
        }
    }
}
