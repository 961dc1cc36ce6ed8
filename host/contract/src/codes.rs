//! Codes of messages, each with a page that `cordon explain CODE` prints: what happened, the likely
//! cause, the command that shows more. Each crate lists its own, compiled in so that none is lost.

/// A code and its page.
#[derive(Debug, Clone, Copy)]
pub struct Code {
    /// Lower-case words: the room, a dot, what is wrong: `action.argument`.
    pub code: &'static str,
    /// Markdown; the first line is the title, `# …`.
    pub page: &'static str,
}

impl Code {
    /// The first line of the page without its mark.
    #[must_use]
    pub fn title(&self) -> &'static str {
        self.page
            .lines()
            .next()
            .unwrap_or_default()
            .trim_start_matches('#')
            .trim()
    }
}

/// The codes that more than one crate's messages carry.
pub const CODES: &[Code] = &[Code {
    code: "action.argument",
    page: include_str!("../codes/action.argument.md"),
}];
