use cordon_kata::Kata;
use cordon_kata::wit::isolation::{
    Actions as _, Direction, Exclusion, Isolated, IsolationRule, PortRange, Released,
};
use cordon_sdk::harness::{Expected, delete, get, post};
use cordon_sdk::{ErrorKind, Result};
use serde_json::{Value, json};

use crate::{SENSOR, kata, kind, knows_no_sensor, knows_sensor, not_found, path};

const HOUR: u64 = 3_600_000;

fn of_host(request: Expected) -> Expected {
    request
        .query("sensor_id", SENSOR)
        .query("settings_type", "network_isolation")
}

fn reads() -> Expected {
    of_host(get(&path("settings")))
}

fn deletes() -> Expected {
    of_host(delete(&path("settings")))
}

fn orders(settings: Value) -> Expected {
    of_host(post(&path("settings"))).json(json!({"settings": settings}))
}

fn exclusion() -> Exclusion {
    Exclusion {
        direction: None,
        protocol: None,
        remote_address: "10.16.41.2".to_owned(),
        local_port_range: None,
        remote_port_range: None,
    }
}

fn isolate(duration: Option<u64>, hours: Option<u16>) -> Result<Isolated> {
    Kata::isolate(SENSOR.to_owned(), duration, hours, None)
}

fn documented() -> Value {
    json!({
        "excludedRules": [
            {"direction": "inbound", "protocol": 6, "remoteIpv4Address": "10.16.41.0",
             "localPortRange": {"fromPort": 3389, "toPort": 3389}},
            {"direction": "outbound", "remoteIpv4Address": "10.16.41.1",
             "remotePortRange": {"fromPort": 13957, "toPort": 55409}},
            {"direction": "both", "protocol": 6, "remoteIpv4Address": "10.16.41.2"},
        ],
        "autoTurnoffTimeoutInSec": 7200,
    })
}

fn documented_exclusions() -> Vec<Exclusion> {
    let rdp = PortRange {
        from_port: 3389,
        to_port: 3389,
    };
    let high = PortRange {
        from_port: 13957,
        to_port: 55409,
    };
    vec![
        Exclusion {
            direction: Some(Direction::Inbound),
            protocol: Some(6),
            remote_address: "10.16.41.0".to_owned(),
            local_port_range: Some(rdp),
            ..exclusion()
        },
        Exclusion {
            direction: Some(Direction::Outbound),
            remote_address: "10.16.41.1".to_owned(),
            remote_port_range: Some(high),
            ..exclusion()
        },
        Exclusion {
            direction: Some(Direction::Both),
            protocol: Some(6),
            ..exclusion()
        },
    ]
}

#[test]
fn a_rule_is_read_in_every_shape_that_servers_answer_with() {
    let expected = IsolationRule {
        duration: Some(2 * HOUR),
        exclusions: documented_exclusions(),
    };
    for shape in [
        json!([documented()]),
        json!([{"settings": documented()}]),
        json!({"settings": documented()}),
        documented(),
    ] {
        let rule = kata().run([reads().answers(200, shape)], || {
            Kata::get_isolation(SENSOR.to_owned())
        });
        assert_eq!(rule, Ok(Some(expected.clone())));
    }
}

#[test]
fn a_404_is_no_rule_for_a_known_host_and_an_error_for_an_unknown_one() {
    let get = || Kata::get_isolation(SENSOR.to_owned());
    assert_eq!(
        kata().run([reads().answers(404, not_found()), knows_sensor()], get),
        Ok(None)
    );
    assert_eq!(
        kind(kata().run([reads().answers(404, not_found()), knows_no_sensor()], get)),
        ErrorKind::NotFound
    );
}

#[test]
fn an_answer_that_holds_no_settings_is_an_error_and_not_a_host_without_a_rule() {
    for answer in [json!([]), json!({}), json!({"settings": 7}), json!("ok")] {
        let outcome = kata().run([reads().answers(200, answer)], || {
            Kata::get_isolation(SENSOR.to_owned())
        });
        assert_eq!(kind(outcome), ErrorKind::Protocol);
    }
}

#[test]
fn kata_counts_in_seconds_and_is_told_the_end_once() {
    let answer = json!([{"autoTurnoffTimeoutInSec": 7200}]);
    for (duration, hours) in [(Some(2 * HOUR), None), (None, Some(2))] {
        let order = orders(json!({"autoTurnoffTimeoutInSec": 7200})).answers(200, answer.clone());
        let isolated = kata()
            .now(1_000_000)
            .run([order], || isolate(duration, hours))
            .expect("accepted");
        assert_eq!(
            (isolated.duration, isolated.ends),
            (2 * HOUR, 1_000_000 + 7_200_000)
        );
    }
}

#[test]
fn without_a_duration_the_setting_holds() {
    let order =
        |seconds: u64| orders(json!({"autoTurnoffTimeoutInSec": seconds})).answers_empty(200);
    assert!(
        kata()
            .run([order(8 * 3600)], || isolate(None, None))
            .is_ok()
    );
    let configured = kata().setting("isolation_default", std::time::Duration::from_secs(3600));
    assert!(
        configured
            .run([order(3600)], || isolate(None, None))
            .is_ok()
    );
}

#[test]
fn durations_outside_of_katas_range_are_refused_before_anything_is_sent() {
    for (duration, hours) in [
        (Some(100), None),
        (Some(3_599_000), None),
        (Some(35_996_401_000), None),
        (Some(u64::MAX), None),
        (Some(HOUR + 1), None),
        (None, Some(0)),
        (None, Some(10_000)),
        (Some(HOUR), Some(1)),
    ] {
        assert_eq!(
            kind(kata().run([], || isolate(duration, hours))),
            ErrorKind::InvalidInput,
            "{duration:?} {hours:?}"
        );
    }
    for (seconds, hours) in [(3600, 1), (35_996_400, 9999)] {
        let order = orders(json!({"autoTurnoffTimeoutInSec": seconds})).answers_empty(200);
        assert!(kata().run([order], || isolate(None, Some(hours))).is_ok());
    }
}

#[test]
fn exclusions_are_sent_as_documented() {
    let order = orders(documented()).answers(200, json!([documented()]));
    let isolated = kata().run([order], || {
        Kata::isolate(
            SENSOR.to_owned(),
            Some(2 * HOUR),
            None,
            Some(documented_exclusions()),
        )
    });
    assert_eq!(
        isolated.map(|isolated| isolated.exclusions),
        Ok(documented_exclusions())
    );
}

#[test]
fn port_ranges_go_with_their_direction_only() {
    let range = Some(PortRange {
        from_port: 80,
        to_port: 81,
    });
    let (inbound, outbound, both) = (
        Some(Direction::Inbound),
        Some(Direction::Outbound),
        Some(Direction::Both),
    );
    for (direction, local, remote, allowed) in [
        (inbound, range, None, true),
        (inbound, None, range, false),
        (inbound, None, None, true),
        (inbound, range, range, false),
        (outbound, range, None, false),
        (outbound, None, range, true),
        (outbound, None, None, true),
        (outbound, range, range, false),
        (both, range, None, false),
        (both, None, range, false),
        (both, None, None, true),
        (both, range, range, false),
        (None, range, None, false),
        (None, None, range, false),
        (None, None, None, true),
        (None, range, range, false),
    ] {
        let exclusion = Exclusion {
            direction,
            local_port_range: local,
            remote_port_range: remote,
            ..exclusion()
        };
        let rule = cordon_kata::wit::isolation::Exclusion::clone(&exclusion);
        let isolate = || Kata::isolate(SENSOR.to_owned(), Some(HOUR), None, Some(vec![rule]));
        if allowed {
            let mut expected = json!({"remoteIpv4Address": "10.16.41.2"});
            let ports = json!({"fromPort": 80, "toPort": 81});
            match direction {
                Some(Direction::Inbound) => expected["direction"] = json!("inbound"),
                Some(Direction::Outbound) => expected["direction"] = json!("outbound"),
                Some(Direction::Both) => expected["direction"] = json!("both"),
                None => {}
            }
            if local.is_some() {
                expected["localPortRange"] = ports.clone();
            }
            if remote.is_some() {
                expected["remotePortRange"] = ports;
            }
            let order =
                orders(json!({"autoTurnoffTimeoutInSec": 3600, "excludedRules": [expected]}));
            assert!(
                kata().run([order.answers_empty(200)], isolate).is_ok(),
                "{exclusion:?}"
            );
        } else {
            assert_eq!(
                kind(kata().run([], isolate)),
                ErrorKind::InvalidInput,
                "{exclusion:?}"
            );
        }
    }
}

#[test]
fn what_is_no_ipv4_address_or_port_range_is_refused_with_its_place() {
    let ports = |from_port, to_port| Exclusion {
        direction: Some(Direction::Inbound),
        local_port_range: Some(PortRange { from_port, to_port }),
        ..exclusion()
    };
    let address = |text: &str| Exclusion {
        remote_address: text.to_owned(),
        ..exclusion()
    };
    for wrong in [
        address("10.16.41.0/24"),
        address("fe80::1"),
        address("host4"),
        address(""),
        ports(0, 80),
        ports(81, 80),
    ] {
        let isolate = || {
            Kata::isolate(
                SENSOR.to_owned(),
                Some(HOUR),
                None,
                Some(vec![exclusion(), wrong]),
            )
        };
        let error = kata().run([], isolate).expect_err("not possible");
        assert_eq!(error.kind, ErrorKind::InvalidInput);
        assert!(
            error.message.starts_with("exclusions[1]"),
            "{}",
            error.message
        );
    }
}

#[test]
fn isolating_an_unknown_host_is_not_found() {
    let order = orders(json!({"autoTurnoffTimeoutInSec": 3600})).answers(404, not_found());
    let outcome = kata().run([order, knows_no_sensor()], || isolate(Some(HOUR), None));
    assert_eq!(kind(outcome), ErrorKind::NotFound);
}

#[test]
fn what_kata_refuses_is_told_in_its_words() {
    let order = orders(json!({"autoTurnoffTimeoutInSec": 3600}))
        .answers(400, json!({"error": "Unsupported host"}));
    let error = kata()
        .run([order], || isolate(Some(HOUR), None))
        .expect_err("refused");
    assert_eq!(
        (error.kind, error.status),
        (ErrorKind::InvalidInput, Some(400))
    );
    assert!(
        error.message.ends_with("Unsupported host"),
        "{}",
        error.message
    );
}

#[test]
fn ending_an_isolation_that_is_not_there_is_a_success_for_a_known_host_only() {
    let release = || Kata::release(SENSOR.to_owned());
    let released = |already_absent| {
        Ok(Released {
            sensor_id: SENSOR.to_owned(),
            already_absent,
        })
    };
    assert_eq!(
        kata().run([deletes().answers_empty(200)], release),
        released(false)
    );
    assert_eq!(
        kata().run([deletes().answers(200, json!({}))], release),
        released(false)
    );
    assert_eq!(
        kata().run(
            [deletes().answers(404, not_found()), knows_sensor()],
            release
        ),
        released(true)
    );
    let unknown = kata().run(
        [deletes().answers(404, not_found()), knows_no_sensor()],
        release,
    );
    assert_eq!(kind(unknown), ErrorKind::NotFound);
}
