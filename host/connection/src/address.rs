//! Which addresses a connection may reach.
//!
//! A name is data from outside: whoever controls its DNS could point it at this machine, at the
//! metadata service of a cloud, or at a neighbour on the link. So what a name resolves to is
//! checked where the connection is opened. An address that the operator wrote out as the base URL
//! is his own word and passes.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

/// What is wrong with an address that names may not lead to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Special {
    /// This machine.
    Loopback,
    /// A neighbour on the link; cloud metadata services live here.
    LinkLocal,
    /// Many receivers.
    Multicast,
    /// No address at all; most systems connect to themselves.
    Unspecified,
}

impl fmt::Display for Special {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Loopback => "a loopback address",
            Self::LinkLocal => "a link-local address",
            Self::Multicast => "a multicast address",
            Self::Unspecified => "an unspecified address",
        })
    }
}

/// A name that leads to addresses which it may not lead to, and to no other.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{host}` resolves to {address}, which is {special}; if the product really is there, add to the connection's \
     file:\n[network]\nallow_addresses = [\"{address}\"]"
)]
pub struct Refused {
    /// The name.
    pub host: String,
    /// The first address that it resolved to.
    pub address: IpAddr,
    /// What that address is.
    pub special: Special,
}

/// What the operator allowed beyond the rule.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    /// Networks that names may lead to although they are special.
    pub allow: Vec<IpNet>,
}

impl Policy {
    /// The addresses of `host` that may be connected to, in the order given.
    ///
    /// # Errors
    /// Where there are addresses but not one that is allowed.
    pub fn select<A: Copy>(
        &self,
        host: &str,
        addresses: impl IntoIterator<Item = A>,
        address_of: impl Fn(A) -> IpAddr,
    ) -> Result<Vec<A>, Refused> {
        let mut allowed = Vec::new();
        let mut refused = None;
        for candidate in addresses {
            match self.objection(address_of(candidate)) {
                None => allowed.push(candidate),
                Some((address, special)) => {
                    refused.get_or_insert_with(|| Refused {
                        host: host.to_owned(),
                        address,
                        special,
                    });
                }
            }
        }
        match refused {
            Some(refused) if allowed.is_empty() => Err(refused),
            _ => Ok(allowed),
        }
    }

    /// Why a name may not lead to `address`: the address that is really meant, and what it is.
    #[must_use]
    pub fn objection(&self, address: IpAddr) -> Option<(IpAddr, Special)> {
        let is_allowed =
            |address: &IpAddr| self.allow.iter().any(|network| network.contains(address));
        if is_allowed(&address) {
            return None;
        }
        meanings(address)
            .into_iter()
            .flatten()
            .filter(|meant| !is_allowed(meant))
            .find_map(|meant| special(meant).map(|special| (meant, special)))
    }
}

/// The address itself, and the IPv4 address that it stands for: gateways and systems deliver
/// mapped, translated and tunnelled forms to the IPv4 address inside.
fn meanings(address: IpAddr) -> [Option<IpAddr>; 2] {
    let inner = match address {
        IpAddr::V4(_) => None,
        IpAddr::V6(address) => embedded(address).map(IpAddr::V4),
    };
    [Some(address), inner]
}

fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let [a, b, c, d, e, f, g, h] = address.segments();
    let from = |high: u16, low: u16| {
        let [first, second] = high.to_be_bytes();
        let [third, fourth] = low.to_be_bytes();
        Some(Ipv4Addr::new(first, second, third, fourth))
    };
    match (a, b) {
        // IPv4-compatible (deprecated), apart from `::` and `::1`; IPv4-mapped; IPv4-translated.
        (0, 0) if [c, d, e, f] == [0; 4] && (g, h) > (0, 1) => from(g, h),
        (0, 0) if [c, d, e, f] == [0, 0, 0, 0xffff] || [c, d, e, f] == [0, 0, 0xffff, 0] => {
            from(g, h)
        }
        // NAT64: the well-known prefix and the local-use one, in its /96 form.
        (0x64, 0xff9b) if [c, d, e, f] == [0; 4] || c == 1 => from(g, h),
        // 6to4.
        (0x2002, _) => from(b, c),
        // Teredo: the client's address is stored inverted.
        (0x2001, 0) => from(!g, !h),
        _ => None,
    }
}

fn special(address: IpAddr) -> Option<Special> {
    match address {
        IpAddr::V4(address) => match address.octets() {
            [0, ..] => Some(Special::Unspecified),
            [127, ..] => Some(Special::Loopback),
            [169, 254, ..] => Some(Special::LinkLocal),
            [224..=239, ..] | [255, 255, 255, 255] => Some(Special::Multicast),
            _ => None,
        },
        IpAddr::V6(address) => match address.segments() {
            [0, 0, 0, 0, 0, 0, 0, 0] => Some(Special::Unspecified),
            [0, 0, 0, 0, 0, 0, 0, 1] => Some(Special::Loopback),
            [0xfe80..=0xfebf, ..] => Some(Special::LinkLocal),
            [0xff00..=0xffff, ..] => Some(Special::Multicast),
            _ => None,
        },
    }
}

/// Reads `10.0.0.0/8` or a single address.
#[must_use]
pub fn parse_network(text: &str) -> Option<IpNet> {
    text.parse::<IpNet>()
        .ok()
        .or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn policy(allow: &[&str]) -> Policy {
        Policy {
            allow: allow
                .iter()
                .map(|text| parse_network(text).unwrap())
                .collect(),
        }
    }

    fn check(address: &str, expected: Option<Special>) {
        let found = policy(&[])
            .objection(address.parse().unwrap())
            .map(|(_, special)| special);
        assert_eq!(found, expected, "{address}");
    }

    #[test]
    fn nothing_special_is_allowed_in_any_of_its_forms() {
        use Special::{LinkLocal, Loopback, Multicast, Unspecified};

        for (address, expected) in [
            ("127.0.0.1", Loopback),
            ("127.255.0.9", Loopback),
            ("::1", Loopback),
            ("::ffff:127.0.0.1", Loopback),
            ("::ffff:0:127.0.0.1", Loopback),
            ("::127.0.0.1", Loopback),
            ("64:ff9b::127.0.0.1", Loopback),
            ("64:ff9b:1::127.0.0.1", Loopback),
            ("2002:7f00:1::", Loopback),
            ("2001:0:1:2:3:4:80ff:fffe", Loopback),
            ("169.254.169.254", LinkLocal),
            ("::ffff:a9fe:a9fe", LinkLocal),
            ("fe80::1", LinkLocal),
            ("febf::1", LinkLocal),
            ("224.0.0.1", Multicast),
            ("255.255.255.255", Multicast),
            ("ff02::1", Multicast),
            ("0.0.0.0", Unspecified),
            ("0.1.2.3", Unspecified),
            ("::", Unspecified),
            ("::ffff:0.0.0.0", Unspecified),
        ] {
            check(address, Some(expected));
        }
    }

    #[test]
    fn addresses_of_products_are_not_special() {
        for address in [
            "10.1.2.3",
            "192.168.0.1",
            "172.16.0.1",
            "93.184.216.34",
            "100.64.0.1",
            "fd00::1",
            "2a00::1",
            "::ffff:10.0.0.1",
            "2002:a00:1::",
        ] {
            check(address, None);
        }
    }

    #[test]
    fn what_is_listed_is_allowed_and_nothing_beside_it() {
        let policy = policy(&["127.0.0.1", "169.254.0.0/16", "::1"]);
        for allowed in ["127.0.0.1", "::ffff:127.0.0.1", "169.254.1.1", "::1"] {
            assert_eq!(
                policy.objection(allowed.parse().unwrap()),
                None,
                "{allowed}"
            );
        }
        for refused in ["127.0.0.2", "fe80::1", "0.0.0.0"] {
            assert!(
                policy.objection(refused.parse().unwrap()).is_some(),
                "{refused}"
            );
        }
    }

    #[test]
    fn a_name_with_one_good_address_is_reached_there_and_only_there() {
        let mixed: [IpAddr; 3] =
            ["127.0.0.1", "10.0.0.1", "fe80::1"].map(|text| text.parse().unwrap());
        assert_eq!(
            policy(&[]).select("kata", mixed, |address| address),
            Ok(vec![mixed[1]])
        );
    }

    #[test]
    fn a_refusal_prints_the_lines_that_would_allow_it() {
        let address: IpAddr = "::ffff:127.0.0.1".parse().unwrap();
        let refused = policy(&[])
            .select("localhost", [address], |address| address)
            .unwrap_err();
        assert_eq!(
            refused.to_string(),
            "`localhost` resolves to 127.0.0.1, which is a loopback address; if the product really is there, add to \
             the connection's file:\n[network]\nallow_addresses = [\"127.0.0.1\"]"
        );
    }

    proptest! {
        #[test]
        fn an_ipv4_address_is_judged_alike_in_every_form(bits: u32) {
            let plain = Ipv4Addr::from(bits);
            let [high, low] = [(bits >> 16) as u16, bits as u16];
            let expected = policy(&[]).objection(plain.into());
            for form in [
                plain.to_ipv6_mapped(),
                Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, high, low),
                Ipv6Addr::new(0x2002, high, low, 0, 0, 0, 0, 0),
                Ipv6Addr::new(0x2001, 0, 7, 7, 7, 7, !high, !low),
            ] {
                prop_assert_eq!(policy(&[]).objection(form.into()), expected, "{}", form);
            }
        }

        #[test]
        fn allowing_exactly_what_the_refusal_names_lifts_it(bits: u128) {
            let address = IpAddr::V6(Ipv6Addr::from(bits));
            if let Some((meant, _)) = policy(&[]).objection(address) {
                prop_assert_eq!(policy(&[&meant.to_string()]).objection(address), None);
            }
        }
    }
}
