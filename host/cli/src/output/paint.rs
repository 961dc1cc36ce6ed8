//! How output looks: colour or none, how wide, which characters. Meaning is never carried by colour
//! alone.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// What one of the two outputs can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// Colours may be used.
    pub colour: bool,
    /// The columns of the terminal; none when the output is no terminal, and nothing is cut then.
    pub width: Option<usize>,
}

/// What a piece of text is, for choosing its colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// A heading.
    Strong,
    /// Of second rank.
    Faint,
    /// The name of a connection, an action, a command.
    Name,
    /// Went well.
    Good,
    /// Needs attention.
    Careful,
    /// Went wrong.
    Bad,
}

impl Tone {
    const fn escape(self) -> &'static str {
        match self {
            Self::Strong => "\x1b[1m",
            Self::Faint => "\x1b[2m",
            Self::Name => "\x1b[36m",
            Self::Good => "\x1b[32m",
            Self::Careful => "\x1b[33m",
            Self::Bad => "\x1b[1;31m",
        }
    }
}

impl Look {
    /// Neither colour nor a width: files, pipes, tests.
    #[cfg(test)]
    pub const PLAIN: Self = Self {
        colour: false,
        width: None,
    };

    /// The text in the colour of its tone.
    #[must_use]
    pub fn paint(&self, tone: Tone, text: &str) -> String {
        if self.colour && !text.is_empty() {
            format!("{}{text}\x1b[0m", tone.escape())
        } else {
            text.to_owned()
        }
    }
}

/// The columns that a text takes.
#[must_use]
pub fn width(text: &str) -> usize {
    text.width()
}

/// The text in at most `columns` columns, with `…` where something was cut.
#[must_use]
pub fn cut(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let mut kept = String::new();
    let mut used = 0;
    for c in text.chars() {
        let wide = c.width().unwrap_or(0);
        if used + wide + 1 > columns {
            break;
        }
        kept.push(c);
        used += wide;
    }
    kept.push('…');
    kept
}

/// The text filled up with spaces to `columns` columns.
#[must_use]
pub fn pad(text: &str, columns: usize) -> String {
    let mut text = text.to_owned();
    let used = width(&text);
    text.extend(std::iter::repeat_n(' ', columns.saturating_sub(used)));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_cut_by_the_columns_it_takes_and_not_by_its_characters() {
        assert_eq!(cut("sensor", 6), "sensor");
        assert_eq!(cut("sensors", 6), "senso…");
        assert_eq!(cut("東京タワー", 5), "東京…");
        assert_eq!(pad("東京", 6), "東京  ");
    }
}
