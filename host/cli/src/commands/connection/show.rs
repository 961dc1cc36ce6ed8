//! `cordon connection show`: a connection as it will be used, without its secrets.

use cordon_connection::file::{CredentialReference, RawSetting};
use cordon_connection::{Connection, ConnectionFile};
use cordon_contract::units;

use crate::context::Context;
use crate::exit::Exit;
use crate::output::{Look, Tone, certificate, neutral, paint};
use crate::problem::Problem;

/// Show a connection as it is used: settings, credentials by reference, whom it trusts, limits
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The name of a connection: see `cordon connection list`
    name: String,
}

/// Shows the file and what comes of it; what is wrong with it is shown after what could be read.
pub async fn run(arguments: &Arguments, context: &Context) -> Result<Exit, Problem> {
    let inventory = context.inventory().await?;
    let file = inventory.connection_file(&arguments.name)?;
    let look = context.screen.stdout();
    let mut lines = of_file(&file);
    let link = inventory.link(&arguments.name);
    if let Ok(link) = &link {
        lines.extend(of_connection(&link.connection));
    }
    context.screen.print(&block(&lines, look));
    let link = link?;
    if let Some(info) = link.connection.client_certificate() {
        let title = look.paint(Tone::Strong, "Client certificate");
        context.screen.print(&format!(
            "\n{title}\n{}",
            certificate::block(info, certificate::now(), look)
        ));
    }
    Ok(Exit::Done)
}

type Line = (String, String);

fn of_file(file: &ConnectionFile) -> Vec<Line> {
    let line = |label: &str, text: String| (label.to_owned(), text);
    let urls: Vec<&str> = file
        .urls
        .iter()
        .map(|url| url.as_str().trim_end_matches('/'))
        .collect();
    let mut lines = vec![
        line("connection", file.name.clone()),
        line("file", file.path.display().to_string()),
        line("connector", file.connector.value.clone()),
        line(
            "enabled",
            if file.enabled { "yes" } else { "no" }.to_owned(),
        ),
        line("description", file.description.clone()),
        line("url", urls.join(", ")),
        line("tags", file.tags.join(", ")),
        line("realm", file.realm.clone()),
    ];
    lines.extend(
        file.settings
            .iter()
            .map(|(name, located)| line(name, setting(&located.value))),
    );
    lines.extend(
        file.credentials
            .iter()
            .map(|(name, located)| line(name, reference(&located.value))),
    );
    lines.push(line("trusts", trusts(file)));
    if let Some(proxy) = &file.network.proxy {
        lines.push(line("proxy", proxy.uri.to_string()));
    }
    lines
}

fn of_connection(connection: &Connection) -> Vec<Line> {
    let limits = connection.limits();
    let time = |time: std::time::Duration| {
        units::format_duration(u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
    };
    let rate = limits.rate_per_second.map_or_else(
        || "as fast as it answers".to_owned(),
        |rate| format!("{rate} a second"),
    );
    vec![
        (
            "limits".to_owned(),
            format!(
                "{} an exchange, {} to connect, answers up to {}",
                time(limits.timeout),
                time(limits.connect_timeout),
                units::format_size(limits.answer_size)
            ),
        ),
        (
            "pace".to_owned(),
            format!("{rate}, {} at a time", limits.concurrency),
        ),
    ]
}

fn setting(value: &RawSetting) -> String {
    match value {
        RawSetting::Text(text) => text.clone(),
        RawSetting::Integer(number) => number.to_string(),
        RawSetting::Number(number) => number.to_string(),
        RawSetting::Boolean(yes) => yes.to_string(),
        RawSetting::Texts(texts) => texts.join(", "),
        RawSetting::Other(kind) => format!("a {kind}"),
    }
}

fn reference(reference: &CredentialReference) -> String {
    match reference {
        CredentialReference::Single(one) => one.to_string(),
        CredentialReference::Certificate { certificate, key } => {
            format!("{certificate}, key {key}")
        }
    }
}

fn trusts(file: &ConnectionFile) -> String {
    let pin = file.tls.pin_sha256.map(|pin| {
        let digits: String = pin.iter().map(|byte| format!("{byte:02x}")).collect();
        format!(
            "the certificate with the fingerprint {}",
            certificate::fingerprint(&digits)
        )
    });
    match (&file.tls.ca, pin) {
        _ if file.tls.insecure => "everybody: `insecure = true`".to_owned(),
        (Some(ca), Some(pin)) => format!("{pin}, issued by {}", ca.value),
        (Some(ca), None) => ca.value.to_string(),
        (None, Some(pin)) => pin,
        (None, None) => "the authorities of this machine".to_owned(),
    }
}

fn block(lines: &[Line], look: Look) -> String {
    let shown: Vec<&Line> = lines.iter().filter(|(_, text)| !text.is_empty()).collect();
    let width = shown
        .iter()
        .map(|(label, _)| paint::width(label))
        .max()
        .unwrap_or(0)
        + 2;
    let lines: Vec<String> = shown
        .iter()
        .map(|(label, text)| {
            format!(
                "{}{}",
                look.paint(Tone::Faint, &paint::pad(&neutral::line(label), width)),
                neutral::line(text)
            )
        })
        .collect();
    lines.join("\n")
}
