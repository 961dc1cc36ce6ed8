//! The product's own words, out of whatever body it sent: JSON, an HTML page of some proxy, text,
//! half a document, nothing.

use serde_json::Value;

/// Longest excerpt of a body in a message.
const WORDS_MAX: usize = 300;

/// Bodies above this size are cut before anything is looked for in them.
const BODY_MAX: usize = 64 * 1024;

/// Where products put the sentence for people, the likeliest first.
const SENTENCES: [&str; 9] = [
    "error_description",
    "message",
    "error",
    "detail",
    "description",
    "errorMessage",
    "title",
    "reason",
    "errors",
];

/// What the body says, in one line; none if it says nothing.
pub(super) fn words(body: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(&body[..body.len().min(BODY_MAX)]);
    let text = text.trim();
    let words = match serde_json::from_str::<Value>(text) {
        Ok(json) => sentence(&json).unwrap_or_else(|| text.to_owned()),
        Err(_) if text.starts_with('<') => without_tags(text),
        Err(_) => text.to_owned(),
    };
    let line = one_line(&words);
    (!line.is_empty() && line != "{}" && line != "[]" && line != "null").then_some(line)
}

/// The text in one line without control characters, cut to a length fit for a message.
pub(super) fn one_line(text: &str) -> String {
    let plain: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    let line = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(WORDS_MAX) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

fn sentence(json: &Value) -> Option<String> {
    match json {
        Value::String(text) => Some(text.clone()),
        Value::Object(fields) => SENTENCES
            .iter()
            .find_map(|name| sentence(fields.get(*name)?)),
        Value::Array(values) => values.first().and_then(sentence),
        _ => None,
    }
}

/// What a page says to people: neither its tags nor what scripts and styles hold.
fn without_tags(html: &str) -> String {
    let lower = html.to_ascii_lowercase();
    let mut text = String::new();
    let mut at = 0;
    while let Some(tag) = html[at..].find('<').map(|open| at + open) {
        text.push_str(&html[at..tag]);
        text.push(' ');
        let hidden = ["script", "style"]
            .into_iter()
            .find(|name| lower[tag + 1..].starts_with(name));
        let last = hidden.map_or(Some(tag), |name| {
            lower[tag..]
                .find(&format!("</{name}"))
                .map(|close| tag + close)
        });
        match last.and_then(|last| html[last..].find('>').map(|end| last + end + 1)) {
            Some(after) => at = after,
            None => return decoded(&text),
        }
    }
    text.push_str(&html[at..]);
    decoded(&text)
}

fn decoded(text: &str) -> String {
    text.replace("&nbsp;", " ")
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sentence_is_found_wherever_a_product_puts_it() {
        for (body, expected) in [
            (r#"{"error":"Not Found"}"#, "Not Found"),
            (
                r#"{"error":{"code":7,"message":"quota exceeded"}}"#,
                "quota exceeded",
            ),
            (r#"{"errors":[{"detail":"no such host"}]}"#, "no such host"),
            (
                r#"{"error":"invalid_grant","error_description":"the token has expired"}"#,
                "the token has expired",
            ),
            ("Service\r\n  unavailable", "Service unavailable"),
            (r#"{"code":7}"#, r#"{"code":7}"#),
        ] {
            assert_eq!(words(body.as_bytes()).as_deref(), Some(expected), "{body}");
        }
    }

    #[test]
    fn an_html_page_speaks_without_its_tags() {
        let page = "<html><head><title>400 Bad Request</title><style>h1 { color: red }</style></head>\
                    <body><h1>400 Bad Request</h1>No required SSL certificate was sent &amp; more</body></html>";
        assert_eq!(
            words(page.as_bytes()).as_deref(),
            Some("400 Bad Request 400 Bad Request No required SSL certificate was sent & more")
        );
    }

    #[test]
    fn a_broken_or_empty_or_endless_body_is_no_trouble() {
        assert_eq!(words(b""), None);
        assert_eq!(words(b"  {} "), None);
        assert_eq!(
            words(br#"{"error":"Not Fo"#).as_deref(),
            Some(r#"{"error":"Not Fo"#)
        );
        assert_eq!(words(b"<html><body"), None);
        assert_eq!(words(b"<script>alert(1)"), None);
        assert_eq!(
            words(&[0xff, 0xfe, b'x']).as_deref(),
            Some("\u{fffd}\u{fffd}x")
        );
        let endless = words(&vec![b'a'; 10 * 1024 * 1024]).expect("words");
        assert_eq!(endless.chars().count(), WORDS_MAX + 1);
    }

    proptest::proptest! {
        #[test]
        fn whatever_a_server_sends_is_one_short_line_or_nothing(body in "(<[a-z/!]{0,8}>?|script|style|[\\PC\n\r\t]|[{}\\[\\]\":,])*") {
            if let Some(line) = words(body.as_bytes()) {
                assert!(!line.is_empty() && line.chars().count() <= WORDS_MAX + 1);
                assert!(!line.chars().any(char::is_control), "{line:?}");
            }
        }

        #[test]
        fn bytes_that_are_no_text_are_no_trouble(body: Vec<u8>) {
            let _ = words(&body);
        }
    }
}
