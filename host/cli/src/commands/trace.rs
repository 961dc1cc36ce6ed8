//! `--trace`: each HTTP exchange on standard error, with every secret replaced.

use std::sync::Arc;

use cordon_connection::{Connection, Excerpt, Exchange, Observer, Outcome};

use crate::output::time::took;
use crate::output::{Look, Screen, Tone, neutral};

/// Shows every exchange of a connection from now on.
pub fn begin(connection: &Connection, screen: &Arc<Screen>) {
    connection.observe(Arc::new(Trace(Arc::clone(screen))));
}

struct Trace(Arc<Screen>);

impl Observer for Trace {
    fn exchanged(&self, exchange: &Exchange) {
        self.0.note(&text(exchange, self.0.stderr()));
    }
}

/// Like `curl -v`: what was sent behind `>`, what came behind `<`.
fn text(exchange: &Exchange, look: Look) -> String {
    let mut lines = vec![look.paint(
        Tone::Name,
        &format!(
            "> {} {}",
            exchange.method.name(),
            neutral::line(&exchange.url)
        ),
    )];
    lines.extend(headers('>', &exchange.headers));
    lines.extend(exchange.body.as_ref().map(|excerpt| body('>', excerpt)));
    match &exchange.outcome {
        Outcome::Answered {
            status,
            headers: of_answer,
            body: answer,
        } => {
            let tone = if (200..400).contains(status) {
                Tone::Good
            } else {
                Tone::Bad
            };
            lines.push(look.paint(
                tone,
                &format!("< {status} after {}", took(exchange.duration)),
            ));
            lines.extend(headers('<', of_answer));
            lines.push(body('<', answer));
        }
        Outcome::Failed(failure) => {
            let message = format!(
                "< no answer after {}: {}",
                took(exchange.duration),
                neutral::line(&failure.message)
            );
            lines.push(look.paint(Tone::Bad, &message));
        }
    }
    lines.retain(|line| !line.is_empty());
    lines.join("\n")
}

fn headers(mark: char, headers: &[(String, String)]) -> impl Iterator<Item = String> {
    headers
        .iter()
        .map(move |(name, value)| neutral::line(&format!("{mark} {name}: {value}")))
}

fn body(mark: char, excerpt: &Excerpt) -> String {
    let text = neutral::lines(&excerpt.text);
    let mut lines: Vec<String> = text
        .lines()
        .map(|line| format!("{mark} {line}").trim_end().to_owned())
        .collect();
    if excerpt.length > excerpt.text.len() {
        lines.push(format!("{mark} … {} bytes in all", excerpt.length));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use cordon_connection::Method;

    use super::*;

    #[test]
    fn an_exchange_reads_like_a_conversation_and_commands_no_terminal() {
        let exchange = Exchange {
            connection: "kata".to_owned(),
            method: Method::Post,
            url: "https://kata.example/a?b=c".to_owned(),
            headers: vec![(
                "authorization".to_owned(),
                "Bearer [secret token]".to_owned(),
            )],
            body: Some(Excerpt {
                text: "{\n  \"a\": 1\n}".to_owned(),
                length: 12,
            }),
            outcome: Outcome::Answered {
                status: 502,
                headers: vec![("server".to_owned(), "x\x1b[2J".to_owned())],
                body: Excerpt {
                    text: "<html>".to_owned(),
                    length: 9000,
                },
            },
            duration: Duration::from_millis(12),
        };
        insta::assert_snapshot!(text(&exchange, Look::PLAIN), @r#"
        > POST https://kata.example/a?b=c
        > authorization: Bearer [secret token]
        > {
        >   "a": 1
        > }
        < 502 after 12ms
        < server: x␛[2J
        < <html>
        < … 9000 bytes in all
        "#);
    }
}
