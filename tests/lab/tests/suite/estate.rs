//! The computers that the products of one lab share.

use std::collections::HashSet;

use cordon_lab::estate::{self, Estate, OsFamily, SCALE_MAX};
use cordon_lab::kata;
use uuid::Uuid;

use crate::support::{lab_with, node};

#[test]
fn the_six_computers_of_every_lab_have_the_ids_that_kata_writes() {
    let written = [
        (estate::HOST4, kata::HOST4),
        (estate::HOST4_UPPER, kata::HOST4_UPPER),
        (estate::WORKSTATION, kata::WORKSTATION),
        (estate::WINDOWS_SERVER, kata::WINDOWS_SERVER),
        (estate::LINUX_SERVER, kata::LINUX_SERVER),
        (estate::LAPTOP_OFFLINE, kata::LAPTOP_OFFLINE),
    ];
    let computers = Estate::of(0).computers;
    assert_eq!(computers.len(), written.len());
    for (computer, (id, text)) in computers.iter().zip(written) {
        assert_eq!(computer.id, id);
        assert_eq!(id, Uuid::try_parse(text).unwrap());
    }
}

#[test]
fn the_smallest_estate_has_a_linux_an_offline_computer_and_a_name_in_two_cases() {
    let computers = Estate::of(0).computers;
    let names = |keep: fn(&estate::Computer) -> bool| {
        let kept = computers.iter().filter(|one| keep(one));
        kept.map(|one| one.name.as_str()).collect::<Vec<_>>()
    };
    assert_eq!(
        names(|one| one.os_family == OsFamily::Linux),
        ["web-linux-01"]
    );
    assert_eq!(names(|one| !one.online), ["laptop-sales-03"]);
    assert_eq!(
        names(|one| one.name.eq_ignore_ascii_case("host4")),
        ["host4", "HOST4"]
    );
}

#[test]
fn further_computers_are_all_different_up_to_the_greatest_scale() {
    let computers = Estate::of(SCALE_MAX).computers;
    assert_eq!(computers.len(), SCALE_MAX + 6);
    let ids: HashSet<_> = computers.iter().map(|one| one.id).collect();
    let names: HashSet<_> = computers.iter().map(|one| &one.name).collect();
    let macs: HashSet<_> = computers.iter().map(|one| one.mac).collect();
    let addresses: HashSet<_> = computers.iter().map(|one| one.address).collect();
    let all = computers.len();
    assert_eq!((ids.len(), names.len(), macs.len()), (all, all, all));
    assert_eq!(
        addresses.len(),
        all - 1,
        "the laptop's last address is the workstation's now"
    );
}

#[test]
fn a_greater_estate_begins_with_a_smaller_one() {
    let (small, great) = (Estate::of(3).computers, Estate::of(700).computers);
    assert_eq!(small, great[..small.len()]);
    let last = &great[6 + 699];
    assert_eq!(
        (last.name.as_str(), last.address.to_string().as_str()),
        ("ws-0700", "10.20.2.201")
    );
}

#[tokio::test]
async fn kata_has_an_agent_on_every_computer_of_the_estate() {
    let lab = lab_with(|options| options.scale = 300).await;
    let computers = Estate::of(300).computers;
    let hosts = node(&lab).hosts();
    assert_eq!(hosts.len(), computers.len());
    for (computer, view) in computers.iter().zip(hosts) {
        let host = view.host;
        assert_eq!(host.sensor_id, computer.id.to_string().to_uppercase());
        assert_eq!(
            (host.name, host.ip, host.online),
            (
                computer.name.clone(),
                computer.address.to_string(),
                computer.online
            )
        );
    }
    let host = node(&lab).host(kata::WINDOWS_SERVER).unwrap().host;
    assert_eq!(host.license_status, "expired");
}
