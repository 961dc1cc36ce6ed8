//! Network isolation of one host (§2.2 to §2.5).

use std::net::{Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use http::StatusCode;
use serde::Serialize;
use serde_json::json;

use crate::frame::{BodyError, Fields, Reply, Request, later};

use super::entity::{Direction, ExcludedRule, IsolationRule, PortRange, capability};
use super::operation::Query;
use super::refusal::Refusal;
use super::state::State;
use super::switches::{ResponseShape, Switches};
use super::vendor::Warnings;

/// One hour: the documents give 1 to 9999 hours, the field counts seconds \[seed\].
pub const TIMEOUT_S_MIN: u64 = 3600;
/// 9999 hours.
pub const TIMEOUT_S_MAX: u64 = 9999 * 3600;

const TIMEOUT: &str = "autoTurnoffTimeoutInSec";
const RULES: &str = "excludedRules";
const DIRECTION: &str = "direction";
const PROTOCOL: &str = "protocol";
const IPV4: &str = "remoteIpv4Address";
const IPV6: &str = "remoteIpv6Address";
const LOCAL_PORTS: &str = "localPortRange";
const REMOTE_PORTS: &str = "remotePortRange";

pub(super) fn read(state: &State, query: &Query) -> Result<Reply, Refusal> {
    let id = query.one_host()?;
    state.able_host(id, capability::ISOLATION)?;
    let rule = state.isolation.get(&id).ok_or(Refusal::NotFound)?;
    Ok(show(rule, &state.switches))
}

/// Sets the rule as a whole and starts its period anew \[inferred\].
pub(super) fn set(
    state: &mut State,
    query: &Query,
    request: &Request,
    warnings: &mut Warnings,
) -> Result<Reply, Refusal> {
    let id = query.one_host()?;
    let wanted = Settings::parse(&request.body, &state.switches, warnings)?;
    state.able_host(id, capability::ISOLATION)?;
    let rule = IsolationRule {
        created_at: state.now,
        ends_at: later(state.now, Duration::from_secs(wanted.timeout_s)),
        timeout_s: wanted.timeout_s,
        excluded_rules: wanted.excluded_rules,
    };
    let reply = show(&rule, &state.switches).applied();
    state.isolation.insert(id, rule);
    Ok(reply)
}

/// Without a rule there is nothing to delete, which is 404 \[inferred\].
pub(super) fn delete(state: &mut State, query: &Query) -> Result<Reply, Refusal> {
    let id = query.one_host()?;
    state.able_host(id, capability::ISOLATION)?;
    state.isolation.remove(&id).ok_or(Refusal::NotFound)?;
    Ok(super::deleted(state.switches.delete_body).applied())
}

/// What the API calls settings. Exclusions are left out when there are none \[inferred\].
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown<'a> {
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    excluded_rules: &'a [ExcludedRule],
    auto_turnoff_timeout_in_sec: u64,
}

fn show(rule: &IsolationRule, switches: &Switches) -> Reply {
    let settings = Shown {
        excluded_rules: &rule.excluded_rules,
        auto_turnoff_timeout_in_sec: rule.timeout_s,
    };
    match switches.response_shape {
        ResponseShape::Array => Reply::json(StatusCode::OK, &[settings]),
        ResponseShape::Wrapped => Reply::json(StatusCode::OK, &json!({ "settings": settings })),
    }
}

struct Settings {
    timeout_s: u64,
    excluded_rules: Vec<ExcludedRule>,
}

impl Settings {
    fn parse(body: &[u8], switches: &Switches, warnings: &mut Warnings) -> Result<Self, BodyError> {
        let body = Fields::parse(body)?;
        let settings = body.object("settings")?;
        ignore(&body, &["settings"], warnings);
        ignore(&settings, &[TIMEOUT, RULES], warnings);
        let timeout_s = settings.integer(TIMEOUT, TIMEOUT_S_MIN, TIMEOUT_S_MAX)?;
        let excluded_rules = if settings.has(RULES) {
            let rules = settings.objects(RULES)?;
            let parse = |rule| exclusion(rule, switches, warnings);
            rules.iter().map(parse).collect::<Result<_, _>>()?
        } else {
            Vec::new()
        };
        Ok(Self {
            timeout_s,
            excluded_rules,
        })
    }
}

fn exclusion(
    rule: &Fields,
    switches: &Switches,
    warnings: &mut Warnings,
) -> Result<ExcludedRule, BodyError> {
    let known = [DIRECTION, PROTOCOL, IPV4, IPV6, LOCAL_PORTS, REMOTE_PORTS];
    ignore(rule, &known, warnings);
    let direction = match rule.optional_string(DIRECTION)?.as_deref() {
        None | Some("both") => Direction::Both,
        Some("inbound") => Direction::Inbound,
        Some("outbound") => Direction::Outbound,
        Some(_) => return Err(rule.refuse(DIRECTION, "must be inbound, outbound or both")),
    };
    let protocol = rule.has(PROTOCOL).then(|| rule.integer(PROTOCOL, 0, 255));
    let local_port_range = ports(rule, LOCAL_PORTS)?;
    let remote_port_range = ports(rule, REMOTE_PORTS)?;
    // The table of combinations (§2.5): local ports are those of inbound traffic, remote ports
    // those of outbound traffic, and traffic both ways has neither.
    if local_port_range.is_some() && direction != Direction::Inbound {
        return Err(rule.refuse(LOCAL_PORTS, "needs direction inbound"));
    }
    if remote_port_range.is_some() && direction != Direction::Outbound {
        return Err(rule.refuse(REMOTE_PORTS, "needs direction outbound"));
    }
    let (remote_ipv4_address, remote_ipv6_address) = addresses(rule, switches)?;
    Ok(ExcludedRule {
        direction,
        protocol: protocol
            .transpose()?
            .and_then(|number| u8::try_from(number).ok()),
        remote_ipv4_address,
        remote_ipv6_address,
        local_port_range,
        remote_port_range,
    })
}

/// The other end is required \[inferred\]; an IPv6 one can stand for it only in the form of older
/// pages (§3.14).
fn addresses(
    rule: &Fields,
    switches: &Switches,
) -> Result<(Option<String>, Option<String>), BodyError> {
    if rule.has(IPV6) && !switches.legacy_ipv6 {
        return Err(rule.refuse(IPV6, "is not supported"));
    }
    let ipv6 = rule.optional_string(IPV6)?;
    if ipv6
        .as_ref()
        .is_some_and(|text| text.parse::<Ipv6Addr>().is_err())
    {
        return Err(rule.refuse(IPV6, "must be one IPv6 address"));
    }
    let ipv4 = if ipv6.is_some() {
        rule.optional_string(IPV4)?
    } else {
        Some(rule.string(IPV4)?)
    };
    if ipv4
        .as_ref()
        .is_some_and(|text| text.parse::<Ipv4Addr>().is_err())
    {
        return Err(rule.refuse(IPV4, "must be one IPv4 address"));
    }
    Ok((ipv4, ipv6))
}

fn ports(rule: &Fields, name: &str) -> Result<Option<PortRange>, BodyError> {
    let Some(range) = rule.optional_object(name)? else {
        return Ok(None);
    };
    let port = |name: &str| -> Result<u16, BodyError> {
        let number = range.integer(name, 1, 65535)?;
        u16::try_from(number).map_err(|_| range.refuse(name, "is no port"))
    };
    let (from_port, to_port) = (port("fromPort")?, port("toPort")?);
    if from_port > to_port {
        return Err(range.refuse("fromPort", "must not be above toPort"));
    }
    Ok(Some(PortRange { from_port, to_port }))
}

/// Unknown fields are dropped \[inferred\], which is worth a warning: they are mostly misspelt.
pub(super) fn ignore(fields: &Fields, known: &[&str], warnings: &mut Warnings) {
    let unknown = fields.unknown(known);
    warnings.extend(unknown.iter().map(|place| format!("{place} was ignored")));
}
