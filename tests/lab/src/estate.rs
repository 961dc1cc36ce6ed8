//! The computers of the lab's company, which several products know.
//!
//! Each product makes of them what its own interface tells: a host with an agent, a managed device,
//! an asset. The ids are the same everywhere, so that what one product says about a computer can be
//! carried to another.

use std::net::Ipv4Addr;

use uuid::{Uuid, uuid};

/// `host4`, the workstation of the vendor's examples.
pub const HOST4: Uuid = uuid!("df64838b-b518-414b-b769-2b8be341a2f0");
/// `HOST4`, another computer: some products mind the case of names, some do not.
pub const HOST4_UPPER: Uuid = uuid!("5a0e7b1c-3d52-4c7e-9e0a-6b1f2c8d4e11");
/// `ws-design-11`, which has the address that `laptop-sales-03` had when it was last seen.
pub const WORKSTATION: Uuid = uuid!("8c41d0f3-7a26-4e9b-b0c5-1d7e3f9a2b22");
/// `srv-files-01`, a Windows server.
pub const WINDOWS_SERVER: Uuid = uuid!("b27f6e94-05d8-4a31-8f6c-e4c0a9d17b33");
/// `web-linux-01`, the only Linux.
pub const LINUX_SERVER: Uuid = uuid!("3e9a5c70-61bf-47d2-a8e3-90f4b6d25c44");
/// `laptop-sales-03`, which is offline.
pub const LAPTOP_OFFLINE: Uuid = uuid!("f10b8d26-c943-4b65-9d7a-2a8e5f61c055");

/// How many further computers there can be at most.
pub const SCALE_MAX: usize = 200_000;

const DOMAIN: &str = "corp.example";
const WORKSTATION_OS: &str = "Windows 10 22H2 Enterprise x64";
const AGENT: &str = "12.4.0.467";
const LINUX_AGENT: &str = "12.1.0.1297";

/// What kind of system a computer runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OsFamily {
    /// Any Windows.
    Windows,
    /// Any Linux.
    Linux,
}

impl OsFamily {
    /// Its name as people write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Windows => "Windows",
            Self::Linux => "Linux",
        }
    }
}

/// One computer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Computer {
    /// Its id in KATA (`sensorId`) and in KSC (`KLHST_WKS_HOSTNAME`); MDR's `ksc_host_id`.
    pub id: Uuid,
    /// Its name without the domain.
    pub name: String,
    /// Its domain.
    pub domain: String,
    /// Its address, or the last one it was seen with; two computers may claim the same.
    pub address: Ipv4Addr,
    /// The hardware address of its network adapter.
    pub mac: [u8; 6],
    /// What kind of system it runs.
    pub os_family: OsFamily,
    /// The system's full name.
    pub os_name: String,
    /// The version of the agent on it.
    pub agent_version: String,
    /// Whether it is connected when the lab starts.
    pub online: bool,
}

/// All of them.
#[derive(Debug, Clone)]
pub struct Estate {
    /// In a fixed order: the six that every lab has, then further workstations.
    pub computers: Vec<Computer>,
}

impl Estate {
    /// The smallest set in which every documented difference between computers occurs, and `scale`
    /// further workstations named `ws-0001` and so on.
    pub fn of(scale: usize) -> Self {
        let mut computers = vec![
            windows(1, HOST4, "host4", [10, 16, 40, 243]),
            Computer {
                os_name: "Windows 11 23H2 Pro x64".to_owned(),
                ..windows(2, HOST4_UPPER, "HOST4", [10, 16, 40, 244])
            },
            windows(3, WORKSTATION, "ws-design-11", [10, 16, 40, 61]),
            Computer {
                os_name: "Windows Server 2019 Standard x64".to_owned(),
                ..windows(4, WINDOWS_SERVER, "srv-files-01", [10, 16, 40, 10])
            },
            Computer {
                os_family: OsFamily::Linux,
                os_name: "Ubuntu 22.04.4 LTS x86_64".to_owned(),
                agent_version: LINUX_AGENT.to_owned(),
                ..windows(5, LINUX_SERVER, "web-linux-01", [10, 16, 41, 20])
            },
            Computer {
                online: false,
                ..windows(6, LAPTOP_OFFLINE, "laptop-sales-03", [10, 16, 40, 61])
            },
        ];
        let first = computers.len();
        computers.extend((1..=scale).map(|number| {
            let id = Uuid::new_v5(&Uuid::NAMESPACE_URL, format!("ws-{number}").as_bytes());
            windows(
                first + number,
                id,
                &format!("ws-{number:04}"),
                further_address(number),
            )
        }));
        Self { computers }
    }
}

/// 250 addresses to a network, 250 networks to a block.
fn further_address(number: usize) -> [u8; 4] {
    let digit = |value: usize| u8::try_from(value % 250).unwrap_or_default();
    [
        10,
        20 + digit(number / 62_500),
        digit(number / 250),
        digit(number) + 1,
    ]
}

fn windows(number: usize, id: Uuid, name: &str, address: [u8; 4]) -> Computer {
    // The bit that marks addresses nobody was assigned, then the computer's number.
    let [.., a, b, c, d] = number.to_be_bytes();
    Computer {
        id,
        name: name.to_owned(),
        domain: DOMAIN.to_owned(),
        address: Ipv4Addr::from(address),
        mac: [0x02, 0, a, b, c, d],
        os_family: OsFamily::Windows,
        os_name: WORKSTATION_OS.to_owned(),
        agent_version: AGENT.to_owned(),
        online: true,
    }
}
