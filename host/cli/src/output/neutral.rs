//! Makes text from products, scripts and files harmless to a terminal.
//!
//! A host name or an error page can hold escape sequences that move the cursor, rename the window or
//! rewrite what stands above, and direction marks that show text in another order than it has. What
//! is replaced stays visible: an escape character becomes `␛`.

/// Whether a terminal would obey this character instead of showing it.
#[must_use]
pub fn is_command(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{061c}' | '\u{200e}' | '\u{200f}' // direction marks
            | '\u{2028}'..='\u{202e}'            // line and paragraph separators, direction embeddings
            | '\u{2066}'..='\u{2069}') // direction isolates
}

/// The picture of a character that a terminal would obey.
fn picture(c: char) -> char {
    match c {
        '\0'..='\x1f' => {
            char::from_u32(0x2400 + u32::from(c)).unwrap_or(char::REPLACEMENT_CHARACTER)
        }
        '\x7f' => '\u{2421}',
        _ => char::REPLACEMENT_CHARACTER,
    }
}

/// One line: line ends become pictures too.
#[must_use]
pub fn line(text: &str) -> String {
    text.chars()
        .map(|c| if is_command(c) { picture(c) } else { c })
        .collect()
}

/// Text of several lines; a tab becomes spaces, since its width is the terminal's affair.
#[must_use]
pub fn lines(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\n' => clean.push('\n'),
            '\r' if rest.peek() == Some(&'\n') => {}
            '\t' => clean.push_str("    "),
            c if is_command(c) => clean.push(picture(c)),
            c => clean.push(c),
        }
    }
    clean
}

/// Source text of which places are shown: as long in bytes as before, so that the places still hold.
#[must_use]
pub fn source(text: &str) -> String {
    text.chars()
        .map(|c| match (is_command(c), c.len_utf8()) {
            (false, _) => c,
            (true, _) if matches!(c, '\n' | '\t' | '\r') => c,
            (true, 1) => '?',
            (true, 2) => '¿',
            (true, _) => char::REPLACEMENT_CHARACTER,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn escape_sequences_stay_visible_and_lose_their_power() {
        assert_eq!(
            line("a\x1b[31mb\x07\r\n\u{9b}2Jc\x7f"),
            "a␛[31mb␇␍␊\u{fffd}2Jc␡"
        );
        assert_eq!(lines("one\r\n\ttwo\rthree\x1b"), "one\n    two␍three␛");
        assert_eq!(line("invoice\u{202e}fdp.exe"), "invoice\u{fffd}fdp.exe");
        assert_eq!(line("Zürich 東京 🚀"), "Zürich 東京 🚀");
    }

    proptest! {
        #[test]
        fn nothing_that_a_terminal_obeys_is_left(text: String) {
            prop_assert!(!line(&text).chars().any(is_command));
            prop_assert!(!lines(&text).chars().any(|c| c != '\n' && is_command(c)));
        }

        #[test]
        fn places_in_source_text_still_hold(text: String) {
            let clean = source(&text);
            prop_assert_eq!(clean.len(), text.len());
            prop_assert!(!clean.chars().any(|c| !matches!(c, '\n' | '\t' | '\r') && is_command(c)));
        }
    }
}
