//! Exclusions from isolation: what KATA allows, checked before it is sent.

use std::net::Ipv4Addr;

use cordon_sdk::{Error, Result};

use crate::wire::isolation::{self as wire, ExcludedRule};
use crate::wit::isolation::{Direction, Exclusion, PortRange};

/// The rule that KATA takes for an exclusion. `place` says in messages which one it is.
pub fn rule(exclusion: &Exclusion, place: usize) -> Result<ExcludedRule> {
    let refuse = |what: String| Err(Error::invalid_input(format!("exclusions[{place}]{what}")));
    let direction = exclusion.direction.unwrap_or(Direction::Both);
    if exclusion.local_port_range.is_some() && direction != Direction::Inbound {
        return refuse(format!(
            ": `local_port_range` needs the direction `inbound`, not `{}`",
            word(direction)
        ));
    }
    if exclusion.remote_port_range.is_some() && direction != Direction::Outbound {
        return refuse(format!(
            ": `remote_port_range` needs the direction `outbound`, not `{}`",
            word(direction)
        ));
    }
    if exclusion.remote_address.parse::<Ipv4Addr>().is_err() {
        return refuse(format!(
            ".remote_address: `{}` is not one IPv4 address; names, networks and IPv6 are not possible",
            exclusion.remote_address
        ));
    }
    for (name, range) in [
        ("local", exclusion.local_port_range),
        ("remote", exclusion.remote_port_range),
    ] {
        let Some(PortRange { from_port, to_port }) = range else {
            continue;
        };
        if from_port == 0 || from_port > to_port {
            return refuse(format!(
                ".{name}_port_range: {from_port} to {to_port} is no range within 1 to 65535"
            ));
        }
    }
    Ok(ExcludedRule {
        direction: exclusion
            .direction
            .map(|direction| word(direction).to_owned()),
        protocol: exclusion.protocol,
        remote_address: exclusion.remote_address.clone(),
        local_port_range: exclusion.local_port_range.map(wire::PortRange::from),
        remote_port_range: exclusion.remote_port_range.map(wire::PortRange::from),
    })
}

/// What a rule of KATA excludes.
pub fn exclusion(rule: ExcludedRule) -> Result<Exclusion> {
    let direction = match rule.direction.as_deref() {
        None => None,
        Some(word) if word.eq_ignore_ascii_case("inbound") => Some(Direction::Inbound),
        Some(word) if word.eq_ignore_ascii_case("outbound") => Some(Direction::Outbound),
        Some(word) if word.eq_ignore_ascii_case("both") => Some(Direction::Both),
        Some(other) => {
            return Err(Error::protocol(format!(
                "KATA names an unknown direction of an exclusion: `{other}`"
            )));
        }
    };
    Ok(Exclusion {
        direction,
        protocol: rule.protocol,
        remote_address: rule.remote_address,
        local_port_range: rule.local_port_range.map(PortRange::from),
        remote_port_range: rule.remote_port_range.map(PortRange::from),
    })
}

fn word(direction: Direction) -> &'static str {
    match direction {
        Direction::Inbound => "inbound",
        Direction::Outbound => "outbound",
        Direction::Both => "both",
    }
}

impl From<PortRange> for wire::PortRange {
    fn from(range: PortRange) -> Self {
        Self {
            from_port: range.from_port,
            to_port: range.to_port,
        }
    }
}

impl From<wire::PortRange> for PortRange {
    fn from(range: wire::PortRange) -> Self {
        Self {
            from_port: range.from_port,
            to_port: range.to_port,
        }
    }
}
