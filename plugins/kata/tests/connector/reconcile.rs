use cordon_kata::Kata;
use cordon_kata::wit::reconcile::Actions as _;
use cordon_sdk::ErrorKind;
use cordon_sdk::harness::{Expected, get};
use serde_json::json;

use crate::{KEY, SENSOR, kata, kind, knows_no_sensor, knows_sensor, not_found, path};

const SHA: &str = "830195824b742ee59390bc5b9302688c778fc95a64e7d597e28a74c03a04dd63";
const MD5: &str = "d8e577bf078c45954f4531885478d5a9";

fn reads(r#type: &str) -> Expected {
    get(&path("settings"))
        .query("sensor_id", SENSOR)
        .query("settings_type", r#type)
}

fn reads_task(settings: bool) -> Expected {
    get(&path(&format!("tasks/{KEY}"))).query("settings", if settings { "true" } else { "false" })
}

#[test]
fn an_isolation_did_not_happen_where_the_rule_is_missing_or_another() {
    let ask = || Kata::isolation_ordered(SENSOR.to_owned(), Some(7_200_000), None, None);
    let rule = |seconds: u64| {
        reads("network_isolation").answers(200, json!([{"autoTurnoffTimeoutInSec": seconds}]))
    };
    let missing = [
        reads("network_isolation").answers(404, not_found()),
        knows_sensor(),
    ];
    assert_eq!(kata().run(missing, ask), Ok(None));
    assert_eq!(kata().run([rule(3600)], ask), Ok(None));
    assert_eq!(
        kind(kata().run([rule(7200)], ask)),
        ErrorKind::Unsupported,
        "a rule that was there before looks the same, and its time may be over"
    );
}

#[test]
fn an_isolation_has_ended_where_a_known_host_has_no_rule() {
    let ask = || Kata::isolation_ended(SENSOR.to_owned()).map(|released| released.is_some());
    let missing = || reads("network_isolation").answers(404, not_found());
    assert_eq!(kata().run([missing(), knows_sensor()], ask), Ok(true));
    assert_eq!(
        kind(kata().run([missing(), knows_no_sensor()], ask)),
        ErrorKind::NotFound
    );
    let there = reads("network_isolation").answers(200, json!([{"autoTurnoffTimeoutInSec": 3600}]));
    assert_eq!(kata().run([there], ask), Ok(false));
}

#[test]
fn prevention_rules_are_compared_with_what_was_wanted() {
    let found = || {
        reads("prevention").answers(
            200,
            json!([{"file": {"sha256": SHA}}, {"file": {"md5": MD5}}]),
        )
    };
    let (sensor, one, both) = (
        SENSOR.to_owned(),
        vec![SHA.to_owned()],
        vec![MD5.to_owned(), SHA.to_uppercase()],
    );
    let other = vec!["00".repeat(32)];
    let set = |hashes: &[String]| {
        kata().run([found()], || {
            Kata::prevention_rules_set(sensor.clone(), hashes.to_vec()).map(|set| set.is_some())
        })
    };
    let added = |hashes: &[String]| {
        kata().run([found()], || {
            Kata::prevention_hashes_added(sensor.clone(), hashes.to_vec()).map(|set| set.is_some())
        })
    };
    let removed = |hashes: &[String]| {
        kata().run([found()], || {
            Kata::prevention_hashes_removed(sensor.clone(), hashes.to_vec())
                .map(|set| set.is_some())
        })
    };
    assert_eq!((set(&both), set(&one)), (Ok(true), Ok(false)));
    assert_eq!(
        (added(&both), added(&one), added(&other)),
        (Ok(true), Ok(true), Ok(false))
    );
    assert_eq!((removed(&other), removed(&one)), (Ok(true), Ok(false)));
    assert_eq!(
        kata().run([found()], || Kata::prevention_rules_deleted(sensor.clone())),
        Ok(None)
    );
    let missing = [
        reads("prevention").answers(404, not_found()),
        knows_sensor(),
    ];
    assert!(
        kata()
            .run(missing, || Kata::prevention_rules_deleted(sensor.clone()))
            .is_ok_and(|deleted| deleted.is_some())
    );
}

#[test]
fn a_task_was_created_if_the_one_under_the_steps_key_runs_the_same() {
    let ask = || Kata::run_task_created(SENSOR.to_owned(), "a.exe".to_owned(), None, None, None);
    let task = |command: &str| {
        reads_task(true).answers(
            200,
            json!({"state": "pending", "task": {"execCommand": command}}),
        )
    };
    let created = kata()
        .run([task("a.exe")], ask)
        .expect("an answer")
        .expect("a task");
    assert_eq!(
        (created.task_id.as_str(), created.state.as_str()),
        (KEY, "pending")
    );
    assert_eq!(kind(kata().run([task("b.exe")], ask)), ErrorKind::Conflict);
    assert_eq!(
        kata().run([reads_task(true).answers(404, not_found())], ask),
        Ok(None)
    );
}

#[test]
fn a_task_was_deleted_if_it_is_not_there() {
    let ask = || Kata::run_task_deleted(KEY.to_owned()).map(|deleted| deleted.is_some());
    assert_eq!(
        kata().run([reads_task(false).answers(404, not_found())], ask),
        Ok(true)
    );
    assert_eq!(
        kata().run(
            [reads_task(false).answers(200, json!({"state": "error"}))],
            ask
        ),
        Ok(false)
    );
}
