//! The hosts that a node begins with: an agent on every computer of the estate, so that every
//! documented difference between hosts occurs (§4.1).

use jiff::Timestamp;
use uuid::Uuid;

use crate::estate::{Computer, Estate, OsFamily, WINDOWS_SERVER as UNLICENSED};

use super::entity::{Host, capability};

/// `host4`, the workstation of the vendor's examples.
pub const HOST4: &str = "DF64838B-B518-414B-B769-2B8BE341A2F0";
/// `HOST4`, another computer: the name filter minds the case.
pub const HOST4_UPPER: &str = "5A0E7B1C-3D52-4C7E-9E0A-6B1F2C8D4E11";
/// `ws-design-11`, which has the address that `laptop-sales-03` had when it was last seen.
pub const WORKSTATION: &str = "8C41D0F3-7A26-4E9B-B0C5-1D7E3F9A2B22";
/// `srv-files-01`, whose licence has expired.
pub const WINDOWS_SERVER: &str = "B27F6E94-05D8-4A31-8F6C-E4C0A9D17B33";
/// `web-linux-01`, which cannot have prevention rules.
pub const LINUX_SERVER: &str = "3E9A5C70-61BF-47D2-A8E3-90F4B6D25C44";
/// `laptop-sales-03`, which is offline.
pub const LAPTOP_OFFLINE: &str = "F10B8D26-C943-4B65-9D7A-2A8E5F61C055";

/// How long the offline laptop has not been heard of, in seconds.
const OFFLINE_FOR_S: i64 = 3 * 24 * 3600;

const WINDOWS: [&str; 3] = [
    capability::ISOLATION,
    capability::PREVENTION,
    capability::RUN,
];
const LINUX: [&str; 2] = [capability::ISOLATION, capability::RUN];

const WORKSTATION_OS: &str = "Windows 10 22H2 Enterprise x64";

/// A Windows workstation that is online and in order.
pub(super) fn workstation(sensor_id: &str, name: &str, ip: &str, now: Timestamp) -> Host {
    Host {
        sensor_id: sensor_id.to_owned(),
        name: name.to_owned(),
        ip: ip.to_owned(),
        os_family: OsFamily::Windows.name().to_owned(),
        os_name: WORKSTATION_OS.to_owned(),
        agent_version: "12.4.0.467".to_owned(),
        self_defense: true,
        license_status: "ok".to_owned(),
        capabilities: WINDOWS.map(str::to_owned).to_vec(),
        online: true,
        last_access: now,
    }
}

/// The computers of the estate as the node knows them, in their order.
pub(super) fn hosts(now: Timestamp, estate: &Estate) -> impl Iterator<Item = (Uuid, Host)> {
    let computers = estate.computers.iter();
    computers.map(move |computer| (computer.id, host(computer, now)))
}

fn host(computer: &Computer, now: Timestamp) -> Host {
    let capabilities: &[&str] = match computer.os_family {
        OsFamily::Windows => &WINDOWS,
        OsFamily::Linux => &LINUX,
    };
    let licensed = computer.id != UNLICENSED;
    let offline_since = Timestamp::from_second(now.as_second() - OFFLINE_FOR_S).unwrap_or(now);
    Host {
        sensor_id: computer.id.to_string().to_uppercase(),
        name: computer.name.clone(),
        ip: computer.address.to_string(),
        os_family: computer.os_family.name().to_owned(),
        os_name: computer.os_name.clone(),
        agent_version: computer.agent_version.clone(),
        self_defense: licensed,
        license_status: if licensed { "ok" } else { "expired" }.to_owned(),
        capabilities: capabilities.iter().map(ToString::to_string).collect(),
        online: computer.online,
        last_access: if computer.online { now } else { offline_since },
    }
}
