use cordon_kata::Kata;
use cordon_kata::wit::sensors::{Actions as _, Sensor};
use cordon_sdk::ErrorKind;
use cordon_sdk::harness::{Exchange, get};
use serde_json::{Value, json};

use crate::{SENSOR, asks_for_sensor, kata, kind, knows_no_sensor, path};

fn documented() -> Value {
    json!({
        "sensorId": SENSOR,
        "hostIp": "10.16.40.243",
        "lastAccessTimestamp": "2025-03-14T09:21:37Z",
        "version": "12.4.0.467",
        "selfDefenseState": true,
        "licenseStatus": "ok",
        "osFamily": "Windows",
        "osName": "Windows 10 22H2 Enterprise x64",
        "capabilities": ["network_isolation", "prevention", "run_process"],
        "aFieldOfTomorrow": {"nested": [1, 2]},
    })
}

fn lists(sensors: Value) -> Exchange {
    get(&path("sensors")).answers(
        200,
        json!({"server": {"version": "7.0.0.532"}, "sensors": sensors}),
    )
}

fn list(sensors: Value) -> Vec<Sensor> {
    kata()
        .run([lists(sensors)], || Kata::list_sensors(None, None, None))
        .expect("a list")
}

#[test]
fn the_documented_answer_is_understood_and_unknown_fields_are_ignored() {
    let expected = Sensor {
        sensor_id: SENSOR.to_owned(),
        host: None,
        ip: Some("10.16.40.243".to_owned()),
        last_access: Some(1_741_944_097_000),
        version: Some("12.4.0.467".to_owned()),
        self_defense: Some(true),
        license_status: Some("ok".to_owned()),
        os_family: Some("Windows".to_owned()),
        os_name: Some("Windows 10 22H2 Enterprise x64".to_owned()),
        capabilities: ["network_isolation", "prevention", "run_process"]
            .map(str::to_owned)
            .to_vec(),
    };
    assert_eq!(list(json!([documented()])), [expected]);
}

#[test]
fn criteria_are_sent_as_they_are_with_their_case() {
    let request = get(&path("sensors"))
        .query("ip", "10.16.40.243")
        .query("host", "HOST4")
        .query("sensor_id", SENSOR);
    let found = kata().run([request.answers(200, json!({"sensors": []}))], || {
        Kata::list_sensors(
            Some("10.16.40.243".to_owned()),
            Some("HOST4".to_owned()),
            Some(SENSOR.to_owned()),
        )
    });
    assert_eq!(
        found,
        Ok(vec![]),
        "a name that is not found is not tried in another case"
    );
}

#[test]
fn the_host_name_is_read_where_kata_tells_it() {
    for field in ["hostName", "host"] {
        assert_eq!(
            list(json!([{"sensorId": SENSOR, field: "host4"}]))[0]
                .host
                .as_deref(),
            Some("host4")
        );
    }
}

#[test]
fn the_last_access_is_read_in_three_forms_and_may_be_absent_or_strange() {
    for (form, expected) in [
        (json!("2025-03-14T09:21:37Z"), Some(1_741_944_097_000)),
        (json!(1_741_944_097), Some(1_741_944_097_000)),
        (json!(1_741_944_097_000_i64), Some(1_741_944_097_000)),
        (json!(null), None),
        (json!("never"), None),
    ] {
        let sensors = list(json!([{"sensorId": SENSOR, "lastAccessTimestamp": form}]));
        assert_eq!(sensors[0].last_access, expected, "{form}");
    }
}

#[test]
fn one_odd_field_does_not_hide_the_hosts() {
    let sensors = list(
        json!([{"sensorId": "A", "selfDefenseState": "yes", "capabilities": null}, {"sensorId": "B"}]),
    );
    assert_eq!(
        sensors
            .iter()
            .map(|sensor| sensor.sensor_id.as_str())
            .collect::<Vec<_>>(),
        ["A", "B"]
    );
}

#[test]
fn more_than_one_host_may_match_and_all_are_returned() {
    let request = get(&path("sensors")).query("ip", "10.0.0.1");
    let answer = request.answers(
        200,
        json!({"sensors": [{"sensorId": "A"}, {"sensorId": "B"}]}),
    );
    let found = kata().run([answer], || {
        Kata::list_sensors(Some("10.0.0.1".to_owned()), None, None)
    });
    assert_eq!(found.map(|found| found.len()), Ok(2));
}

#[test]
fn a_host_is_read_by_its_id_in_any_case_and_is_none_if_unknown() {
    let lower = SENSOR.to_lowercase();
    let request = get(&path("sensors")).query("sensor_id", &lower);
    let found = kata().run(
        [request.answers(200, json!({"sensors": [{"sensorId": SENSOR}]}))],
        || Kata::get_sensor(lower.clone()),
    );
    assert_eq!(
        found.expect("an answer").map(|sensor| sensor.sensor_id),
        Some(SENSOR.to_owned())
    );

    assert_eq!(
        kata().run([knows_no_sensor()], || Kata::get_sensor(SENSOR.to_owned())),
        Ok(None)
    );
    let ignored = asks_for_sensor().answers(200, json!({"sensors": [{"sensorId": "another"}]}));
    assert_eq!(
        kata().run([ignored], || Kata::get_sensor(SENSOR.to_owned())),
        Ok(None),
        "a server that ignores the filter does not put another host in its place"
    );
}

#[test]
fn the_search_reads_all_hosts_and_ignores_case() {
    let all = || {
        lists(
            json!([{"sensorId": "A", "hostName": "HOST4"}, {"sensorId": "B", "hostIp": "10.0.0.44"}, {"sensorId": "C"}]),
        )
    };
    let ids = |text: &str| {
        let found = kata()
            .run([all()], || Kata::search_sensors(text.to_owned()))
            .expect("a list");
        found
            .into_iter()
            .map(|sensor| sensor.sensor_id)
            .collect::<Vec<_>>()
    };
    assert_eq!(ids("host4"), ["A"]);
    assert_eq!(ids("4"), ["A", "B"]);
    assert_eq!(ids("nobody"), Vec::<String>::new());
}

#[test]
fn a_search_by_name_says_so_where_kata_tells_no_names() {
    let nameless = lists(json!([{"sensorId": "A", "hostIp": "10.0.0.1"}]));
    assert_eq!(
        kind(kata().run([nameless], || Kata::search_sensors("host4".to_owned()))),
        ErrorKind::Unsupported
    );
    assert_eq!(
        kind(kata().run([], || Kata::search_sensors(" ".to_owned()))),
        ErrorKind::InvalidInput
    );
}
