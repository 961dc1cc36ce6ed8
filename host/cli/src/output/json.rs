//! JSON for programs, exact and safe to print: what a terminal would obey is written as `\u…`, which
//! is the same JSON.

use std::io;

use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::{Formatter, PrettyFormatter};

use super::neutral;

/// Indented JSON.
#[must_use]
pub fn render(value: &impl Serialize) -> String {
    let mut bytes = Vec::new();
    let formatter = Ascii(PrettyFormatter::new());
    let written = value.serialize(&mut Serializer::with_formatter(&mut bytes, formatter));
    match written {
        Ok(()) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(error) => format!("{{\"error\": {:?}}}", error.to_string()),
    }
}

/// Pretty-printing that escapes more than JSON demands.
struct Ascii(PrettyFormatter<'static>);

impl Formatter for Ascii {
    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        for c in fragment.chars() {
            if neutral::is_command(c) {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    write!(writer, "\\u{unit:04x}")?;
                }
            } else {
                writer.write_all(c.encode_utf8(&mut [0; 4]).as_bytes())?;
            }
        }
        Ok(())
    }

    fn begin_array<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_array(writer)
    }

    fn end_array<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array(writer)
    }

    fn begin_array_value<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        self.0.begin_array_value(writer, first)
    }

    fn end_array_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array_value(writer)
    }

    fn begin_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object(writer)
    }

    fn end_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object(writer)
    }

    fn begin_object_key<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        self.0.begin_object_key(writer, first)
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object_value(writer)
    }

    fn end_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object_value(writer)
    }
}

#[cfg(test)]
mod tests {
    use cordon_contract::Value;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_a_terminal_obeys_is_escaped() {
        let hostile = Value::text("a\x1b[2J\u{9b}1m\x7f\u{202e}é");
        assert_eq!(render(&hostile), r#""a\u001b[2J\u009b1m\u007f\u202eé""#);
    }

    proptest! {
        #[test]
        fn any_text_reads_back_as_it_was(text: String) {
            let value = Value::List(vec![Value::text(text)]);
            prop_assert_eq!(Value::from_json(&render(&value)).unwrap(), value);
        }
    }
}
