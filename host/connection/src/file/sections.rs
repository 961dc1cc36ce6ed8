//! The sections of a connection file that mean the same for every connector: `[tls]`, `[limits]`,
//! `[network]`.

use cordon_contract::units;
use url::Url;

use super::error::{FileError, FileProblem};
use super::table::{Document, Table};
use super::{LimitOverrides, Located, Network, Proxy, Tls};
use crate::address;
use crate::reference::Reference;

const TLS_KEYS: [&str; 3] = ["ca", "pin_sha256", "insecure"];
const LIMIT_KEYS: [&str; 5] = [
    "timeout",
    "connect_timeout",
    "answer_size",
    "rate_per_second",
    "concurrency",
];
const NETWORK_KEYS: [&str; 2] = ["proxy", "allow_addresses"];

/// A longer limit would be none.
const TIME_MS_MAX: u64 = 24 * 60 * 60 * 1000;

/// More than a 32-bit connector could take.
const ANSWER_BYTES_MAX: u64 = 4 << 30;

pub(super) fn tls(root: &Table<'_>, document: Document<'_>) -> Result<Tls, FileError> {
    let section = root.section("tls", &TLS_KEYS)?;
    let ca = match section.text("ca")? {
        Some(text) => {
            let reference = section.value("ca", &text, |text| {
                Reference::parse(text)
                    .ok_or("write it as \"file:credentials/ca.pem\" or \"env:NAME\"")
            })?;
            Some(Located {
                value: reference,
                key: text.key,
                span: text.span,
            })
        }
        None => None,
    };
    let pin_sha256 = section.parsed("pin_sha256", parse_pin)?;
    let insecure = section
        .boolean("insecure")?
        .filter(|insecure| insecure.value);
    if let Some(insecure) = &insecure
        && (ca.is_some() || pin_sha256.is_some())
    {
        let other = if ca.is_some() { "ca" } else { "pin_sha256" };
        let help = "with `insecure` any server would be trusted";
        return Err(document.error(
            insecure.key.clone(),
            FileProblem::Conflict {
                key: "insecure",
                other,
                help,
            },
        ));
    }
    Ok(Tls {
        ca,
        pin_sha256,
        insecure: insecure.is_some(),
    })
}

/// 64 hex digits, with colons as browsers show them or without.
fn parse_pin(text: &str) -> Result<[u8; 32], &'static str> {
    let digits: String = text.chars().filter(|character| *character != ':').collect();
    let bytes = hex::decode(digits)
        .ok()
        .and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
    bytes.ok_or("a pin is the SHA-256 of the server's certificate: 64 hex digits")
}

pub(super) fn limits(root: &Table<'_>) -> Result<LimitOverrides, FileError> {
    let section = root.section("limits", &LIMIT_KEYS)?;
    let within = |number: u64, max: u64, most: &str| match number {
        0 => Err("it must be more than nothing".to_owned()),
        number if number > max => Err(format!("it must be at most {most}")),
        number => Ok(number),
    };
    let duration = |text: &str| {
        let milliseconds = units::parse_duration(text).map_err(|error| error.to_string())?;
        within(milliseconds, TIME_MS_MAX, "24h")
    };
    let size = |text: &str| {
        let bytes = units::parse_size(text).map_err(|error| error.to_string())?;
        within(
            bytes,
            ANSWER_BYTES_MAX,
            "4GiB, since answers are held in memory",
        )
    };
    let rate = section.number("rate_per_second")?;
    let concurrency = section.integer("concurrency")?;
    Ok(LimitOverrides {
        timeout_ms: section.parsed("timeout", duration)?,
        connect_timeout_ms: section.parsed("connect_timeout", duration)?,
        answer_size: section.parsed("answer_size", size)?,
        rate_per_second: rate
            .map(|rate| {
                section.value("rate_per_second", &rate, |rate| {
                    if *rate > 0.0 && rate.is_finite() {
                        Ok(*rate)
                    } else {
                        Err("it must be more than 0")
                    }
                })
            })
            .transpose()?,
        concurrency: concurrency
            .map(|count| {
                section.value("concurrency", &count, |count| {
                    u32::try_from(*count)
                        .ok()
                        .filter(|count| (1..=10_000).contains(count))
                        .ok_or("it must be in 1..=10000")
                })
            })
            .transpose()?,
    })
}

pub(super) fn network(root: &Table<'_>) -> Result<Network, FileError> {
    let section = root.section("network", &NETWORK_KEYS)?;
    let allow_addresses = match section.texts("allow_addresses")? {
        None => Vec::new(),
        Some(texts) => section.value("allow_addresses", &texts, |texts| {
            texts
                .iter()
                .map(|text| {
                    address::parse_network(text).ok_or_else(|| {
                        format!(
                            "`{text}` is no address; write one like \"127.0.0.1\" or \"10.0.0.0/8\""
                        )
                    })
                })
                .collect::<Result<_, _>>()
        })?,
    };
    Ok(Network {
        proxy: section.parsed("proxy", proxy)?,
        allow_addresses,
    })
}

fn proxy(text: &str) -> Result<Proxy, String> {
    let url = Url::parse(text).map_err(|error| format!("`{text}` is no URL: {error}"))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err("Cordon sends no user name or password to a proxy".to_owned());
    }
    let (is_socks, default_port) = match url.scheme() {
        "http" => (false, 80),
        "socks5h" => (true, 1080),
        "socks5" => return Err("write socks5h: the proxy resolves the product's name".to_owned()),
        other => {
            return Err(format!(
                "`{other}` is no proxy that Cordon knows; use http:// or socks5h://"
            ));
        }
    };
    let host = url
        .host_str()
        .filter(|host| !host.is_empty())
        .ok_or_else(|| format!("`{text}` names no host"))?;
    let uri = format!("http://{host}:{}", url.port().unwrap_or(default_port));
    let uri = uri
        .parse()
        .map_err(|_| format!("`{text}` cannot be used as a proxy"))?;
    Ok(Proxy {
        uri,
        host: host.to_owned(),
        is_socks,
    })
}
