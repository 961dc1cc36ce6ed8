//! Whatever a server, or a proxy before it, sends: an action succeeds or fails, and never traps.

use cordon_kata::Kata;
use cordon_kata::wit::isolation::Actions as _;
use cordon_kata::wit::prevention::Actions as _;
use cordon_kata::wit::sensors::Actions as _;
use cordon_kata::wit::tasks::Actions as _;
use cordon_sdk::harness::get;
use proptest::prelude::*;
use serde_json::{Map, Value};

use crate::{KEY, SENSOR, kata, path};

/// JSON made of the words that KATA uses, in places where they may not belong.
fn json() -> impl Strategy<Value = Value> {
    const WORDS: [&str; 14] = [
        "settings",
        "objects",
        "file",
        "sha256",
        "md5",
        "excludedRules",
        "autoTurnoffTimeoutInSec",
        "direction",
        "remoteIpv4Address",
        "sensors",
        "sensorId",
        "state",
        "task",
        "schedule",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,8}".prop_map(Value::from),
        prop::sample::select(&WORDS[..]).prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 40, 5, |inner| {
        let field = (
            prop::sample::select(&WORDS[..]).prop_map(str::to_owned),
            inner.clone(),
        );
        prop_oneof![
            prop::collection::vec(inner, 0..4).prop_map(Value::from),
            prop::collection::vec(field, 0..4)
                .prop_map(|fields| Value::Object(Map::from_iter(fields))),
        ]
    })
}

fn bodies() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        json().prop_map(|json| json.to_string().into_bytes()),
        json().prop_map(|json| json
            .to_string()
            .into_bytes()
            .split_last()
            .map(|(_, half)| half.to_vec())
            .unwrap_or_default()),
        any::<Vec<u8>>(),
    ]
}

proptest! {
    #[test]
    fn no_answer_makes_a_read_trap(body in bodies()) {
        let settings = |r#type: &str| get(&path("settings")).query("sensor_id", SENSOR).query("settings_type", r#type);
        let task = get(&path(&format!("tasks/{KEY}"))).query("settings", "true");
        let answers = |request: cordon_sdk::harness::Expected| [request.answers_with(200, &[], body.clone())];
        let _ = kata().run(answers(get(&path("sensors"))), || Kata::list_sensors(None, None, None));
        let _ = kata().run(answers(settings("network_isolation")), || Kata::get_isolation(SENSOR.to_owned()));
        let _ = kata().run(answers(settings("prevention")), || Kata::get_prevention_rules(SENSOR.to_owned()));
        let _ = kata().run(answers(task), || Kata::get_task(KEY.to_owned(), Some(true)));
    }
}
