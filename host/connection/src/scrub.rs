//! Replaces secrets in what comes back from a product or leaves Cordon.
//!
//! Servers echo: an error page repeats the header that it did not like. So every answer, message
//! and trace is searched for the connection's secrets before anyone sees it. A secret is found as
//! it is, with any of its characters percent-encoded, escaped for JSON or XML, in any mixture, and
//! inside base64 of either alphabet at any alignment, since what stood before it shifts the digits.
//!
//! Not found is what was encrypted, hashed, compressed, or encoded twice in ways no slot offers.

use std::borrow::Cow;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

use crate::secret::Secrets;

mod spelling;

use spelling::Unit;

/// Knows what to look for. Cheap to clone.
#[derive(Clone)]
pub struct Scrubber(Arc<Patterns>);

struct Patterns {
    patterns: Vec<Pattern>,
    /// For each byte, the patterns whose first character begins with it when written as it is.
    starts: Vec<Vec<usize>>,
    /// For each byte, whether a pattern can begin there at all, in an escape or without.
    may_begin: Vec<bool>,
}

struct Pattern {
    name: String,
    units: Zeroizing<Vec<Unit>>,
    /// Base64: line breaks may stand between the digits, and the digits beside the match hold
    /// some bits of the secret too.
    base64: Option<Edges>,
}

/// Whether the digit before or after a base64 match mixes bits of the secret with its neighbours'.
#[derive(Clone, Copy)]
struct Edges {
    before: bool,
    after: bool,
}

impl Scrubber {
    /// Looks for all of these.
    #[must_use]
    pub fn new<'a>(secrets: impl IntoIterator<Item = &'a Secrets>) -> Self {
        let mut patterns = Vec::new();
        for (name, secret) in secrets.into_iter().flat_map(Secrets::iter) {
            let value = secret.reveal();
            patterns.push(Pattern {
                name: name.to_owned(),
                units: spelling::units(value),
                base64: None,
            });
            patterns.extend(base64_patterns(name, value));
        }
        let mut starts = vec![Vec::new(); 256];
        for (index, pattern) in patterns.iter().enumerate() {
            if let Some(first) = pattern.units.first() {
                starts[usize::from(first.first_byte())].push(index);
            }
        }
        let may_begin = (0..=255_u8)
            .map(|byte| !starts[usize::from(byte)].is_empty() || spelling::ESCAPES.contains(&byte))
            .collect();
        Self(Arc::new(Patterns {
            patterns,
            starts,
            may_begin,
        }))
    }

    /// More bytes than any spelling of a secret has, with what is replaced beside it.
    fn longest(&self) -> usize {
        /// The longest escape of one character; line breaks between digits of base64 are beside it.
        const ESCAPE_BYTES_MAX: usize = 12;

        let patterns = self.0.patterns.iter();
        patterns
            .map(|pattern| pattern.units.len() * ESCAPE_BYTES_MAX + 2)
            .max()
            .unwrap_or(0)
    }

    /// The text with every secret replaced by `[secret NAME]`.
    #[must_use]
    pub fn scrub<'a>(&self, text: &'a str) -> Cow<'a, str> {
        match self.scrub_bytes(text.as_bytes()) {
            Cow::Borrowed(_) => Cow::Borrowed(text),
            Cow::Owned(bytes) => Cow::Owned(String::from_utf8_lossy(&bytes).into_owned()),
        }
    }

    /// The bytes with every secret replaced by `[secret NAME]`.
    #[must_use]
    pub fn scrub_bytes<'a>(&self, bytes: &'a [u8]) -> Cow<'a, [u8]> {
        let (clean, copied) = self.replace(bytes, bytes.len());
        if copied == 0 {
            return Cow::Borrowed(bytes);
        }
        let mut clean = clean;
        clean.extend_from_slice(&bytes[copied..]);
        Cow::Owned(clean)
    }

    /// As much of the beginning as no byte that is still to come can change, with every secret
    /// replaced, and how many bytes that was.
    pub(crate) fn scrub_beginning(&self, bytes: &[u8]) -> (Vec<u8>, usize) {
        let certain = bytes.len().saturating_sub(self.longest());
        // A match that begins right there takes the digit before it along: that is not written yet.
        let (mut clean, copied) = self.replace(bytes, certain + 1);
        if copied < certain {
            clean.extend_from_slice(&bytes[copied..certain]);
        }
        (clean, copied.max(certain))
    }

    /// Replaces the secrets that begin before `before`; says how far the result stands for.
    fn replace(&self, bytes: &[u8], before: usize) -> (Vec<u8>, usize) {
        let mut clean = Vec::new();
        let mut copied = 0;
        let mut at = 0;
        while let Some((found, end, pattern)) = self.0.find(bytes, at) {
            if found >= before {
                break;
            }
            let (found, end) = pattern.widened(bytes, found, end, copied);
            clean.extend_from_slice(&bytes[copied..found]);
            clean.extend_from_slice(b"[secret ");
            clean.extend_from_slice(pattern.name.as_bytes());
            clean.push(b']');
            copied = end;
            at = end;
        }
        (clean, copied)
    }
}

impl Patterns {
    /// The first match at or after `from`, the longest one there.
    fn find(&self, bytes: &[u8], from: usize) -> Option<(usize, usize, &Pattern)> {
        if self.patterns.is_empty() {
            return None;
        }
        let mut at = from;
        loop {
            at += bytes
                .get(at..)?
                .iter()
                .position(|byte| self.may_begin[usize::from(*byte)])?;
            let plain = &self.starts[usize::from(bytes[at])];
            let escaped = spelling::escaped_first_byte(&bytes[at..])
                .map(|byte| &self.starts[usize::from(byte)]);
            let longest = plain
                .iter()
                .chain(escaped.into_iter().flatten())
                .map(|&index| &self.patterns[index])
                .filter_map(|pattern| pattern.end_at(bytes, at).map(|end| (end, pattern)))
                .max_by_key(|(end, _)| *end);
            if let Some((end, pattern)) = longest {
                return Some((at, end, pattern));
            }
            at += 1;
        }
    }
}

impl std::fmt::Debug for Scrubber {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Scrubber({} patterns)", self.0.patterns.len())
    }
}

impl Pattern {
    /// Where a match that begins at `at` ends.
    fn end_at(&self, bytes: &[u8], at: usize) -> Option<usize> {
        let mut end = at;
        for index in 0..self.units.len() {
            match self.ends_of_unit(bytes, index, end) {
                (Some(only), None) => end = only,
                (Some(first), Some(second)) => {
                    return self.last_end(bytes, index + 1, vec![first, second]);
                }
                (None, _) => return None,
            }
        }
        Some(end)
    }

    /// Once a character could have been spelled in two ways, all ends that are still possible are
    /// followed; they stay few, and no text can make the search take longer than its length.
    fn last_end(&self, bytes: &[u8], from: usize, mut ends: Vec<usize>) -> Option<usize> {
        for index in from..self.units.len() {
            let mut next = Vec::new();
            for end in ends {
                let (first, second) = self.ends_of_unit(bytes, index, end);
                next.extend(first);
                next.extend(second);
            }
            next.sort_unstable();
            next.dedup();
            ends = next;
        }
        ends.pop()
    }

    /// A character can be spelled as it is and, at the same place, in one escape.
    fn ends_of_unit(
        &self,
        bytes: &[u8],
        index: usize,
        at: usize,
    ) -> (Option<usize>, Option<usize>) {
        let at = if self.base64.is_some() && index > 0 {
            after_line_break(bytes, at)
        } else {
            at
        };
        let (plain, escaped) = self.units[index].spellings(&bytes[at..]);
        match (plain, escaped) {
            (None, escaped) => (escaped.map(|length| at + length), None),
            (plain, escaped) => (
                plain.map(|length| at + length),
                escaped.map(|length| at + length),
            ),
        }
    }

    fn widened(&self, bytes: &[u8], found: usize, end: usize, copied: usize) -> (usize, usize) {
        let is_digit = |at: usize| {
            bytes
                .get(at)
                .is_some_and(|byte| byte.is_ascii_alphanumeric() || b"+/-_".contains(byte))
        };
        let Some(edges) = self.base64 else {
            return (found, end);
        };
        let before = edges.before && found > copied && is_digit(found - 1);
        let after = edges.after && is_digit(end);
        (found - usize::from(before), end + usize::from(after))
    }
}

fn after_line_break(bytes: &[u8], mut at: usize) -> usize {
    while matches!(bytes.get(at), Some(b'\r' | b'\n')) {
        at += 1;
    }
    at
}

/// The base64 digits that come from the secret alone, for each of the three ways in which it can
/// lie across groups of three bytes.
fn base64_patterns(name: &str, value: &[u8]) -> Vec<Pattern> {
    let mut patterns: Vec<Pattern> = Vec::new();
    for offset in 0..3 {
        let mut shifted = Zeroizing::new(vec![0; offset]);
        shifted.extend_from_slice(value);
        let first = (8 * offset).div_ceil(6);
        let bits = 8 * shifted.len();
        let edges = Edges {
            before: offset > 0,
            after: bits % 6 > 0,
        };
        for encoded in [
            STANDARD_NO_PAD.encode(&*shifted),
            URL_SAFE_NO_PAD.encode(&*shifted),
        ] {
            let encoded = Zeroizing::new(encoded);
            let units = spelling::units(&encoded.as_bytes()[first..bits / 6]);
            if !patterns.iter().any(|known| *known.units == *units) {
                patterns.push(Pattern {
                    name: name.to_owned(),
                    units,
                    base64: Some(edges),
                });
            }
        }
    }
    patterns
}

#[cfg(test)]
mod tests;
