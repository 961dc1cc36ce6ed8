//! Pages of [`cordon_contract::codes`] and doc comments on a terminal: headings and names stand out,
//! the rest is as it was written.

use super::neutral;
use super::paint::{Look, Tone};

/// A page as text.
#[must_use]
pub fn render(page: &str, look: Look) -> String {
    let mut code_block = false;
    let lines: Vec<String> = neutral::lines(page)
        .lines()
        .filter_map(|line| {
            if line.trim_start().starts_with("```") {
                code_block = !code_block;
                return None;
            }
            Some(if code_block {
                format!("    {line}")
            } else if line.starts_with('#') {
                look.paint(Tone::Strong, line.trim_start_matches('#').trim_start())
            } else {
                names(line, look)
            })
        })
        .collect();
    lines.join("\n").trim_end().to_owned()
}

/// The first sentence of a page or a doc comment, in one line.
#[must_use]
pub fn first_sentence(page: &str) -> String {
    let paragraph = page.trim_start().split("\n\n").next().unwrap_or_default();
    let line = paragraph.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.split_once(". ") {
        Some((sentence, _)) => format!("{sentence}."),
        None => line,
    }
}

/// Paints what stands between backticks, and leaves the backticks: they say what can be typed.
fn names(line: &str, look: Look) -> String {
    let parts: Vec<&str> = line.split('`').collect();
    if parts.len().is_multiple_of(2) {
        return line.to_owned();
    }
    parts
        .iter()
        .enumerate()
        .map(|(index, part)| {
            if index % 2 == 1 {
                look.paint(Tone::Name, &format!("`{part}`"))
            } else {
                (*part).to_owned()
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_is_the_first_sentence_however_its_lines_are_broken() {
        assert_eq!(
            first_sentence("Creates a task\n that runs. On any host.\n"),
            "Creates a task that runs."
        );
        assert_eq!(
            first_sentence("No full stop\n\nAnother paragraph."),
            "No full stop"
        );
        assert_eq!(first_sentence(""), "");
    }

    #[test]
    fn a_page_loses_its_marks_and_keeps_what_can_be_typed() {
        let page = "# A title\n\nRun `cordon connection test`:\n\n```sh\ncordon connection test kata\n```\n";
        insta::assert_snapshot!(render(page, Look::PLAIN), @r"
        A title

        Run `cordon connection test`:

            cordon connection test kata
        ");
        assert!(
            render(
                page,
                Look {
                    colour: true,
                    width: None
                }
            )
            .contains("\x1b[36m`cordon connection test`\x1b[0m")
        );
    }
}
