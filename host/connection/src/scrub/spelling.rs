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
    /// The bytes that a spelling can begin with.
    pub(super) fn first_bytes(self) -> impl Iterator<Item = u8> {
        let plain = match self {
            Self::Character(character) => {
                let mut buffer = [0; 4];
                character.encode_utf8(&mut buffer);
                buffer[0]
            }
            Self::Byte(byte) => byte,
        };
        [
            Some(plain),
            Some(b'%'),
            Some(b'\\'),
            Some(b'&'),
            (plain == b' ').then_some(b'+'),
        ]
        .into_iter()
        .flatten()
    }

    /// Calls `found` with the length of each spelling that `text` begins with.
    pub(super) fn spellings(self, text: &[u8], mut found: impl FnMut(usize)) {
        let mut buffer = [0; 4];
        let plain = match self {
            Self::Character(character) => character.encode_utf8(&mut buffer).as_bytes(),
            Self::Byte(byte) => {
                buffer[0] = byte;
                &buffer[..1]
            }
        };
        if text.starts_with(plain) {
            found(plain.len());
        }
        match (text.first(), self) {
            (Some(b'%'), _) => percent(text, plain, found),
            (Some(b'\\'), Self::Character(character)) => json(text, character, found),
            (Some(b'&'), Self::Character(character)) => xml(text, character, found),
            (Some(b'+'), Self::Character(' ')) => found(1),
            _ => {}
        }
    }
}

fn percent(text: &[u8], plain: &[u8], mut found: impl FnMut(usize)) {
    let matches = plain.iter().enumerate().all(|(index, byte)| {
        matches!(text.get(3 * index..3 * index + 3), Some([b'%', digits @ ..]) if hexadecimal(digits) == Some(u32::from(*byte)))
    });
    if matches {
        found(3 * plain.len());
    }
}

fn json(text: &[u8], character: char, mut found: impl FnMut(usize)) {
    let short = match character {
        '\u{8}' => b'b',
        '\u{c}' => b'f',
        '\n' => b'n',
        '\r' => b'r',
        '\t' => b't',
        '"' => b'"',
        '\\' => b'\\',
        '/' => b'/',
        _ => 0,
    };
    if short != 0 && text.get(1) == Some(&short) {
        found(2);
    }
    let mut buffer = [0; 2];
    let utf16 = character.encode_utf16(&mut buffer);
    let matches = utf16.iter().enumerate().all(|(index, unit)| {
        matches!(text.get(6 * index..6 * index + 6), Some([b'\\', b'u', digits @ ..]) if hexadecimal(digits) == Some(u32::from(*unit)))
    });
    if matches {
        found(6 * utf16.len());
    }
}

fn xml(text: &[u8], character: char, mut found: impl FnMut(usize)) {
    /// Leading zeros are allowed; nobody writes more of them than this.
    const REFERENCE_BYTES_MAX: usize = 12;

    let Some(end) = text
        .iter()
        .take(REFERENCE_BYTES_MAX)
        .position(|byte| *byte == b';')
    else {
        return;
    };
    let matches = match &text[1..end] {
        b"amp" => character == '&',
        b"lt" => character == '<',
        b"gt" => character == '>',
        b"quot" => character == '"',
        b"apos" => character == '\'',
        [b'#', b'x' | b'X', digits @ ..] => hexadecimal(digits) == Some(u32::from(character)),
        [b'#', digits @ ..] if digits.iter().all(u8::is_ascii_digit) => {
            std::str::from_utf8(digits)
                .ok()
                .and_then(|digits| digits.parse().ok())
                == Some(u32::from(character))
        }
        _ => false,
    };
    if matches {
        found(end + 1);
    }
}

fn hexadecimal(digits: &[u8]) -> Option<u32> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_u32, |number, digit| {
        let digit = char::from(*digit).to_digit(16)?;
        number.checked_mul(16)?.checked_add(digit)
    })
}
