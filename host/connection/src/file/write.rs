//! Writes a connection file from a connector's manifest: everything that it can say, with the
//! help of the manifest, and commented out where a default holds.

use std::fmt::Write as _;

use cordon_contract::Manifest;
use cordon_contract::manifest::{Credential, CredentialKind, Setting, SettingType};

/// What is known about a connection that is about to be written.
#[derive(Debug, Clone, Default)]
pub struct NewConnection<'a> {
    /// Its name.
    pub name: &'a str,
    /// The product's base URL, where the caller knows it.
    pub url: Option<&'a str>,
    /// Settings that the caller knows, as text in the way of the manifest's defaults.
    pub settings: &'a [(&'a str, &'a str)],
}

/// The text of a connection file for the connector of this manifest.
///
/// What must still be filled in stands there commented out and says so; opening the connection
/// then names it.
#[must_use]
pub fn write(manifest: &Manifest, new: &NewConnection<'_>) -> String {
    let mut text = String::new();
    let title = one_line(&manifest.title);
    // Writing to a String cannot fail.
    let _ = writeln!(
        text,
        "# {title}, by the connector {} {}.",
        manifest.name,
        one_line(&manifest.version)
    );
    comment(&mut text, &manifest.description);
    let _ = writeln!(text, "\nconnector = {}", quoted(&manifest.name));
    let _ = match new.url {
        Some(url) => writeln!(text, "url = {}", quoted(url)),
        None => writeln!(
            text,
            "# The product's base URL. Or several, tried in order: urls = [\"https://a\", \"https://b\"]\nurl = \"https://{}.example\"",
            manifest.name
        ),
    };
    text.push_str("# enabled = true\n# description = \"\"\n# tags = []\n# realm = \"default\"\n");

    if !manifest.settings.is_empty() {
        text.push_str("\n[settings]\n");
        for setting in &manifest.settings {
            write_setting(&mut text, setting, new);
        }
    }
    if !manifest.credentials.is_empty() {
        text.push_str("\n# References only: \"env:NAME\" or \"file:PATH\", never a secret itself.\n[credentials]\n");
        for credential in &manifest.credentials {
            write_credential(&mut text, credential, new.name);
        }
    }
    write_rest(&mut text, manifest);
    text
}

fn write_setting(text: &mut String, setting: &Setting, new: &NewConnection<'_>) {
    comment(text, &setting.help);
    if let SettingType::Choice(words) = &setting.r#type {
        let words: Vec<_> = words.iter().map(|word| quoted(word)).collect();
        let _ = writeln!(text, "# One of {}.", words.join(", "));
    }
    let given = new
        .settings
        .iter()
        .find(|(name, _)| *name == setting.name)
        .map(|(_, value)| *value);
    let _ = match (given, &setting.default) {
        (Some(value), _) => writeln!(
            text,
            "{} = {}",
            setting.name,
            literal(value, &setting.r#type)
        ),
        (None, Some(default)) => writeln!(
            text,
            "# {} = {}",
            setting.name,
            literal(default, &setting.r#type)
        ),
        (None, None) => {
            let need = if setting.required {
                "required: fill in and remove the `#`"
            } else {
                "optional"
            };
            writeln!(
                text,
                "# {} = {}  # {need}",
                setting.name,
                example(&setting.r#type)
            )
        }
    };
}

fn write_credential(text: &mut String, credential: &Credential, connection: &str) {
    comment(text, &credential.help);
    let mark = if credential.required { "" } else { "# " };
    let _ = match credential.kind {
        CredentialKind::Secret => {
            let variable: String = format!("{connection}_{}", credential.name)
                .chars()
                .map(|c| {
                    if c.is_ascii_alphanumeric() {
                        c.to_ascii_uppercase()
                    } else {
                        '_'
                    }
                })
                .collect();
            writeln!(text, "{mark}{} = \"env:{variable}\"", credential.name)
        }
        CredentialKind::ClientCertificate => writeln!(
            text,
            "{mark}{} = {{ certificate = \"file:credentials/{connection}.pem\", key = \
             \"file:credentials/{connection}.key\" }}",
            credential.name
        ),
    };
}

fn write_rest(text: &mut String, manifest: &Manifest) {
    let limits = super::LimitOverrides::default().over(manifest);
    let duration = |duration: std::time::Duration| {
        cordon_contract::units::format_duration(
            u64::try_from(duration.as_millis()).unwrap_or(u64::MAX),
        )
    };
    text.push_str(
        "\n[tls]\n# A bundle of CAs, or the server's own certificate. Without it, the CAs of this machine.\n\
         # ca = \"file:credentials/ca.pem\"\n\
         # The one certificate to trust, by its SHA-256: `cordon connection trust` writes it here.\n\
         # pin_sha256 = \"\"\n\n[limits]\n",
    );
    let _ = writeln!(
        text,
        "# One exchange, waiting for a place included.\n# timeout = \"{}\"",
        duration(limits.timeout)
    );
    let _ = writeln!(
        text,
        "# connect_timeout = \"{}\"",
        duration(limits.connect_timeout)
    );
    let _ = writeln!(
        text,
        "# answer_size = \"{}\"",
        cordon_contract::units::format_size(limits.answer_size)
    );
    let _ = match limits.rate_per_second {
        Some(rate) => writeln!(text, "# rate_per_second = {rate:?}"),
        None => writeln!(
            text,
            "# rate_per_second = 10.0  # without it, as fast as the product answers"
        ),
    };
    let _ = writeln!(text, "# concurrency = {}", limits.concurrency);
    text.push_str(
        "\n[network]\n# proxy = \"http://proxy.example:3128\"\n\
         # Addresses of this machine or its links that the host of `url` may resolve to.\n\
         # allow_addresses = []\n",
    );
}

fn comment(text: &mut String, help: &str) {
    for line in help.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let _ = writeln!(text, "# {}", one_line(line));
    }
}

/// Nothing that could end a comment.
fn one_line(text: &str) -> String {
    text.chars()
        .map(|character| {
            if character.is_control() {
                ' '
            } else {
                character
            }
        })
        .collect()
}

/// One line, whatever the text: a line break in it would end a comment.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            control if control.is_control() => {
                let _ = write!(quoted, "\\u{:04X}", u32::from(control));
            }
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

/// A manifest's default, which has text without quotes, as the file has it.
fn literal(text: &str, r#type: &SettingType) -> String {
    match r#type {
        SettingType::Text | SettingType::Duration | SettingType::Size | SettingType::Choice(_) => {
            quoted(text)
        }
        SettingType::Integer | SettingType::Number | SettingType::Boolean | SettingType::Texts => {
            one_line(text)
        }
    }
}

fn example(r#type: &SettingType) -> String {
    match r#type {
        SettingType::Text => "\"\"".to_owned(),
        SettingType::Integer => "0".to_owned(),
        SettingType::Number => "0.0".to_owned(),
        SettingType::Boolean => "false".to_owned(),
        SettingType::Texts => "[]".to_owned(),
        SettingType::Duration => "\"30s\"".to_owned(),
        SettingType::Size => "\"1MiB\"".to_owned(),
        SettingType::Choice(words) => quoted(words.first().map_or("", String::as_str)),
    }
}
