//! The ways in which one character can be written: as it is, percent-encoded, escaped for a JSON
//! string, or as an XML reference.

use zeroize::{Zeroize, Zeroizing};

/// A character of a secret, or a byte of one that is not text.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Character(char),
    Byte(u8),
}

impl Zeroize for Unit {
    fn zeroize(&mut self) {
        *self = Self::Byte(0);
    }
}

/// The units of a secret.
pub(super) fn units(value: &[u8]) -> Zeroizing<Vec<Unit>> {
    Zeroizing::new(match std::str::from_utf8(value) {
        Ok(text) => text.chars().map(Unit::Character).collect(),
        Err(_) => value.iter().copied().map(Unit::Byte).collect(),
    })
}

impl Unit {
    /// The first byte of the unit as it is.
    pub(super) fn first_byte(self) -> u8 {
        match self {
            Self::Character(character) => first_byte(character),
            Self::Byte(byte) => byte,
        }
    }

    /// How many bytes of `text` spell this unit: as it is, and in an escape.
    pub(super) fn spellings(self, text: &[u8]) -> (Option<usize>, Option<usize>) {
        let mut buffer = [0; 4];
        let plain = match self {
            Self::Character(character) => character.encode_utf8(&mut buffer).as_bytes(),
            Self::Byte(byte) => {
                buffer[0] = byte;
                &buffer[..1]
            }
        };
        let escaped = match (escape(text), self) {
            (Some((Escape::Byte(_), _)), _) => percent_encoded(text, plain),
            (Some((Escape::Character(written), length)), Self::Character(character)) => {
                (written == character).then_some(length)
            }
            _ => None,
        };
        (text.starts_with(plain).then_some(plain.len()), escaped)
    }
}

/// The first byte of what an escape at the beginning of `text` stands for.
pub(super) fn escaped_first_byte(text: &[u8]) -> Option<u8> {
    match escape(text)? {
        (Escape::Byte(byte), _) => Some(byte),
        (Escape::Character(character), _) => Some(first_byte(character)),
    }
}

/// What every escape begins with.
pub(super) const ESCAPES: [u8; 4] = *b"%\\&+";

/// What an escape stands for.
enum Escape {
    /// Percent-encoding writes bytes.
    Byte(u8),
    Character(char),
}

/// The escape at the beginning of `text`, with its length.
fn escape(text: &[u8]) -> Option<(Escape, usize)> {
    match text.first()? {
        b'%' => percent(text).map(|byte| (Escape::Byte(byte), 3)),
        b'\\' => json(text).map(|(character, length)| (Escape::Character(character), length)),
        b'&' => xml(text).map(|(character, length)| (Escape::Character(character), length)),
        b'+' => Some((Escape::Character(' '), 1)),
        _ => None,
    }
}

fn percent(text: &[u8]) -> Option<u8> {
    let [b'%', digits @ ..] = text.get(..3)? else {
        return None;
    };
    u8::try_from(number(digits, 16)?).ok()
}

/// The length of `plain` with every byte percent-encoded, if `text` begins with that.
fn percent_encoded(text: &[u8], plain: &[u8]) -> Option<usize> {
    let is_spelled = plain
        .iter()
        .enumerate()
        .all(|(index, byte)| text.get(3 * index..).and_then(percent) == Some(*byte));
    is_spelled.then_some(3 * plain.len())
}

fn json(text: &[u8]) -> Option<(char, usize)> {
    let character = match text.get(1)? {
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'u' => return json_utf16(text),
        character @ (b'"' | b'\\' | b'/') => char::from(*character),
        _ => return None,
    };
    Some((character, 2))
}

/// `\u00e4`, or two of them for a character beyond 16 bits.
fn json_utf16(text: &[u8]) -> Option<(char, usize)> {
    let unit = |at: usize| match text.get(at..at + 6)? {
        [b'\\', b'u', digits @ ..] => u16::try_from(number(digits, 16)?).ok(),
        _ => None,
    };
    let first = unit(0)?;
    if let Some(character) = char::from_u32(first.into()) {
        return Some((character, 6));
    }
    let character = char::decode_utf16([first, unit(6)?]).next()?.ok()?;
    Some((character, 12))
}

fn xml(text: &[u8]) -> Option<(char, usize)> {
    /// Leading zeros are allowed; nobody writes more of them than this.
    const REFERENCE_BYTES_MAX: usize = 12;

    let end = text
        .iter()
        .take(REFERENCE_BYTES_MAX)
        .position(|byte| *byte == b';')?;
    let character = match &text[1..end] {
        b"amp" => '&',
        b"lt" => '<',
        b"gt" => '>',
        b"quot" => '"',
        b"apos" => '\'',
        [b'#', b'x' | b'X', digits @ ..] => char::from_u32(number(digits, 16)?)?,
        [b'#', digits @ ..] => char::from_u32(number(digits, 10)?)?,
        _ => return None,
    };
    Some((character, end + 1))
}

fn number(digits: &[u8], radix: u32) -> Option<u32> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_u32, |number, digit| {
        let digit = char::from(*digit).to_digit(radix)?;
        number.checked_mul(radix)?.checked_add(digit)
    })
}

fn first_byte(character: char) -> u8 {
    let mut buffer = [0; 4];
    character.encode_utf8(&mut buffer);
    buffer[0]
}
