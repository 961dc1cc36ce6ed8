//! Parts of a request as text, with each secret shown by the name of its slot.

use crate::bindings::cordon::connector::http::{Encoding, Part, PlainPart, SecretSource, Slot};

pub(super) fn parts(parts: &[Part]) -> String {
    parts
        .iter()
        .map(|part| match part {
            Part::Text(text) => text.clone(),
            Part::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            Part::Secret(secret) => slot(secret),
            Part::Joined(joined) => {
                encoded(joined.encoding, joined.parts.iter().map(plain).collect())
            }
        })
        .collect()
}

fn plain(part: &PlainPart) -> String {
    match part {
        PlainPart::Text(text) => text.clone(),
        PlainPart::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        PlainPart::Secret(secret) => slot(secret),
    }
}

fn slot(slot: &Slot) -> String {
    let name = match &slot.source {
        SecretSource::Credential(name) => name,
        SecretSource::Argument(secret) => &secret.reference,
        SecretSource::Sealed(name) => &format!("sealed {name}"),
    };
    let shown = format!("<{name}>");
    // Inside of JSON the script says the text that stands there in the end.
    if slot.encoding == Encoding::JsonString {
        shown
    } else {
        encoded(slot.encoding, shown)
    }
}

fn encoded(encoding: Encoding, text: String) -> String {
    match encoding {
        Encoding::None => text,
        Encoding::Base64 => format!("base64({text})"),
        Encoding::Base64url => format!("base64url({text})"),
        Encoding::Percent => format!("percent({text})"),
        Encoding::JsonString => format!("json({text})"),
        Encoding::XmlText => format!("xml({text})"),
    }
}
