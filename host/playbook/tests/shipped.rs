//! The shipped playbooks: they load, they fit the connector's actions, and they do what they say, also
//! when the product does not.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests, which fail this way"
)]

mod support;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use cordon_contract::{Effect, ErrorKind, Failure, Value};
use cordon_playbook::step::Step;
use cordon_playbook::{Given, Library, Limits, Offer, Playbook, RunError};
use support::{World, json, wit};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn load(name: &str) -> Playbook {
    let folder = root().join("playbooks");
    Playbook::load(&folder.join(name), &Library::folder(&folder))
        .unwrap_or_else(|error| panic!("{error}"))
}

/// Runs a shipped playbook on a connection whose actions are those of the connector's WIT.
fn run(name: &str, inputs: &[(&str, &str)], world: World) -> (Result<Value, RunError>, Arc<World>) {
    let playbook = load(name);
    let mut model = (*wit::model("kata", &root().join("plugins/kata/wit"))).clone();
    for action in &mut model.actions {
        if action.name == "isolate" {
            action.manifest.effect = Effect::Reversible;
            action.manifest.inverse = Some("release".to_owned());
        }
    }
    let offer = Offer {
        name: "kata-1".to_owned(),
        model: Arc::new(model),
    };
    let bindings = playbook
        .bind(&[("edr".to_owned(), vec![offer])].into())
        .unwrap_or_else(|error| panic!("{error}"));
    let given: BTreeMap<_, _> = inputs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), Given::Text((*value).to_owned())))
        .collect();
    let input = playbook
        .header()
        .convert_input(&given)
        .unwrap_or_else(|errors| panic!("{errors:?}"));
    let world = Arc::new(world);
    (
        playbook.run(
            &input,
            &Arc::new(bindings),
            world.clone(),
            &Limits::default(),
        ),
        world,
    )
}

fn notes(world: &World) -> Vec<String> {
    let steps = world.steps.lock().unwrap();
    let notes = steps.iter().filter_map(|(_, step)| match step {
        Step::Note { title, .. } => Some(title.clone()),
        _ => None,
    });
    notes.collect()
}

const SENSOR: &str = r#"{"sensor_id": "S-1", "ip": "10.0.0.1"}"#;
const ISOLATED: &str =
    r#"{"sensor_id": "S-1", "duration": "8h", "ends": "2026-03-14T17:21:37Z", "exclusions": []}"#;

/// A Central Node with one host, whose task takes three looks.
fn node(sensors: &'static str, rule: &'static str) -> World {
    let looks = AtomicUsize::new(0);
    World::new(move |_, action, _| {
        Ok(match action {
            "list-sensors" => json(sensors),
            "get-isolation" => json(rule),
            "isolate" => json(ISOLATED),
            "create-run-task" => json(
                r#"{"task_id": "T-1", "state": "pending", "finished": false, "succeeded": false}"#,
            ),
            "get-task" => match looks.fetch_add(1, Ordering::SeqCst) {
                0 => Value::Null,
                1 => json(
                    r#"{"task_id": "T-1", "state": "processing", "finished": false, "succeeded": false}"#,
                ),
                _ => json(
                    r#"{"task_id": "T-1", "state": "completed", "finished": true, "succeeded": true, "latest_start": null}"#,
                ),
            },
            other => panic!("{other}"),
        })
    })
}

#[test]
fn every_shipped_playbook_loads_and_has_a_title_a_description_and_help_for_every_input() {
    let mut count = 0;
    for entry in std::fs::read_dir(root().join("playbooks")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if name.ends_with(".rhai") {
            let playbook = load(&name);
            let header = playbook.header();
            assert!(
                !header.title.is_empty() && !header.description.is_empty(),
                "{name}"
            );
            assert!(
                header.inputs.iter().all(|input| !input.help.is_empty()),
                "{name}"
            );
            count += 1;
        }
    }
    assert_eq!(count, 4);
}

#[test]
fn contain_isolates_the_host_runs_the_program_and_waits_for_it() {
    let (result, world) = run(
        "contain_host.rhai",
        &[("host", "host4"), ("command", "collect.exe")],
        node("[{\"sensor_id\": \"S-1\", \"ip\": \"10.0.0.1\"}]", "null"),
    );
    let expected = r#"{"host": "host4", "contained": [{"sensor_id": "S-1", "isolated_until": "2026-03-14T17:21:37Z",
        "task": {"task_id": "T-1", "state": "completed", "succeeded": true}}]}"#;
    assert_eq!(result.unwrap(), json(expected));
    assert_eq!(
        world.called(),
        [
            r#"list-sensors {"host":"host4"}"#,
            r#"get-isolation {"sensor_id":"S-1"}"#,
            r#"isolate {"duration":"8h","sensor_id":"S-1"}"#,
            r#"create-run-task {"arguments":null,"command":"collect.exe","sensor_id":"S-1"}"#,
            r#"get-task {"task_id":"T-1"}"#,
            r#"get-task {"task_id":"T-1"}"#,
            r#"get-task {"task_id":"T-1"}"#,
        ]
    );
}

#[test]
fn contain_keeps_the_exclusions_of_an_earlier_rule() {
    let rule = r#"{"duration": "1h", "exclusions": [{"remote_address": "10.0.0.9"}]}"#;
    let (result, world) = run(
        "contain_host.rhai",
        &[("host", "host4"), ("isolate_for", "2h")],
        node("[{\"sensor_id\": \"S-1\"}]", rule),
    );
    result.unwrap();
    let isolate = r#"isolate {"duration":"2h","exclusions":[{"remote_address":"10.0.0.9"}],"sensor_id":"S-1"}"#;
    assert_eq!(world.called()[2], isolate);
}

#[test]
fn contain_touches_nothing_where_no_host_or_more_than_one_matches() {
    let (result, world) = run("contain_host.rhai", &[("host", "gone")], node("[]", "null"));
    assert_eq!(
        result.unwrap_err().to_string(),
        "KATA knows no host named gone; names are compared with their case"
    );
    assert_eq!(world.calls(), 1);

    let two = "[{\"sensor_id\": \"S-1\", \"ip\": null}, {\"sensor_id\": \"S-2\", \"ip\": null}]";
    let (result, world) = run("contain_host.rhai", &[("host", "host4")], node(two, "null"));
    assert_eq!(
        result.unwrap_err().to_string(),
        "2 hosts are named host4; set every_match to contain them all"
    );
    assert_eq!(world.calls(), 1);

    let (result, world) = run(
        "contain_host.rhai",
        &[("host", "host4"), ("every_match", "true")],
        node(two, "null"),
    );
    assert!(result.is_ok());
    assert_eq!(
        world
            .called()
            .iter()
            .filter(|call| call.starts_with("isolate"))
            .count(),
        2
    );
}

#[test]
fn contain_says_that_the_host_is_isolated_when_the_program_could_not_be_started() {
    let world = World::new(|_, action, _| match action {
        "list-sensors" => Ok(Value::List(vec![json(SENSOR)])),
        "get-isolation" => Ok(Value::Null),
        "isolate" => Ok(json(ISOLATED)),
        _ => Err(Failure::new(
            ErrorKind::InvalidInput,
            "not supported on this host",
        )),
    });
    let (result, world) = run(
        "contain_host.rhai",
        &[("host", "host4"), ("command", "collect.exe")],
        world,
    );
    assert_eq!(
        result.unwrap_err().to_string(),
        "collect.exe did not run: not supported on this host; the host stays isolated until 2026-03-14T17:21:37Z"
    );
    assert_eq!(
        notes(&world),
        ["S-1 is isolated, but collect.exe did not run"]
    );
}

#[test]
fn contain_releases_the_host_after_a_failure_only_where_that_was_wanted_and_nobody_isolated_it_before()
 {
    let released = |inputs: &[(&str, &str)], rule: &'static str| {
        let world = World::new(move |_, action, _| match action {
            "list-sensors" => Ok(Value::List(vec![json(SENSOR)])),
            "get-isolation" => Ok(json(rule)),
            "isolate" => Ok(json(ISOLATED)),
            "create-run-task" => Err(Failure::new(ErrorKind::Forbidden, "no")),
            _ => Ok(Value::Null),
        });
        let always = [("host", "host4"), ("command", "collect.exe")];
        let inputs: Vec<_> = always.iter().chain(inputs).copied().collect();
        let (result, world) = run("contain_host.rhai", &inputs, world);
        let release = r#"release {"sensor_id":"S-1"}"#;
        let is_released = world.called().last().unwrap() == release;
        (is_released, result.unwrap_err().to_string())
    };
    let wanted = [("release_on_failure", "true")];
    let (is_released, message) = released(&wanted, "null");
    assert!(is_released);
    assert_eq!(
        message,
        "collect.exe did not run: no; the host is released again"
    );
    let stays = "collect.exe did not run: no; the host stays isolated until 2026-03-14T17:21:37Z";
    let before = r#"{"duration": "1h", "exclusions": []}"#;
    for (inputs, rule) in [(&[][..], "null"), (&wanted, before)] {
        assert_eq!(released(inputs, rule), (false, stays.to_owned()));
    }
}

#[test]
fn contain_reports_a_program_that_is_still_waiting_as_unfinished() {
    let world = World::new(|_, action, _| {
        Ok(match action {
            "list-sensors" => Value::List(vec![json(SENSOR)]),
            "isolate" => json(ISOLATED),
            "create-run-task" | "get-task" => json(
                r#"{"task_id": "T-1", "state": "pending", "finished": false, "succeeded": false}"#,
            ),
            _ => Value::Null,
        })
    });
    let (result, world) = run(
        "contain_host.rhai",
        &[
            ("host", "host4"),
            ("command", "collect.exe"),
            ("wait", "30s"),
        ],
        world,
    );
    let task = result.unwrap().get("contained").unwrap().as_list().unwrap()[0]
        .get("task")
        .unwrap()
        .clone();
    assert_eq!(
        task,
        json(r#"{"task_id": "T-1", "state": "unfinished", "succeeded": false}"#)
    );
    assert_eq!(
        notes(&world),
        ["collect.exe is still waiting or running on S-1"]
    );
}

#[test]
fn release_ends_the_isolation_and_sees_that_it_is_gone() {
    for absent in [false, true] {
        let world = World::new(move |_, action, _| {
            Ok(match action {
                "list-sensors" => Value::List(vec![json(SENSOR)]),
                "release" => Value::map([("already_absent", Value::Bool(absent))]),
                _ => Value::Null,
            })
        });
        let (result, world) = run("release_host.rhai", &[("host", "host4")], world);
        assert_eq!(result.unwrap().get("released"), Some(&Value::Bool(!absent)));
        assert_eq!(
            world.called().last().unwrap(),
            r#"get-isolation {"sensor_id":"S-1"}"#
        );
    }
    let (result, world) = run("release_host.rhai", &[], World::silent());
    assert_eq!(
        result.unwrap_err().to_string(),
        "say which host: by host or by sensor_id"
    );
    assert_eq!(world.calls(), 0);
}

const SHA: &str = "830195824B742EE59390BC5B9302688C778FC95A64E7D597E28A74C03A04DD63";
const MD5: &str = "d8e577bf078c45954f4531885478d5a9";

/// A Central Node where the host `S-1` has rules of its own for these hashes.
fn with_host_rules(hashes: &[&str]) -> World {
    let rules = Mutex::new(
        hashes
            .iter()
            .map(|hash| hash.to_lowercase())
            .collect::<Vec<_>>(),
    );
    World::new(move |_, action, arguments| {
        let mut rules = rules.lock().unwrap();
        let named: Vec<String> = arguments["hashes"]
            .as_list()
            .unwrap()
            .iter()
            .map(|hash| hash.as_text().unwrap().to_owned())
            .collect();
        if action == "remove-prevention-hashes" {
            rules.retain(|rule| !named.contains(rule));
            return Ok(Value::Null);
        }
        match rules.iter().find(|rule| named.contains(rule)) {
            None => Ok(Value::map([("added", arguments["hashes"].clone())])),
            Some(rule) => {
                let kind = if rule.len() == 64 { "sha256" } else { "md5" };
                let file = Value::map([(kind, Value::text(rule.clone()))]);
                let sensors = Value::List(vec![Value::text("S-1")]);
                let details = Value::map([("file", file), ("sensors", sensors)]);
                Err(Failure {
                    details,
                    ..Failure::new(ErrorKind::Conflict, "there is a rule")
                })
            }
        }
    })
}

#[test]
fn block_forbids_the_hashes_once_each_and_in_lower_case() {
    let hashes = format!("{SHA},{MD5},{}", SHA.to_lowercase());
    let (result, world) = run(
        "block_hash.rhai",
        &[("hashes", &hashes)],
        with_host_rules(&[]),
    );
    assert_eq!(
        result.unwrap().get("already_blocked"),
        Some(&Value::from(0_i64))
    );
    let expected = format!(
        r#"add-prevention-hashes {{"hashes":["{}","{MD5}"],"sensor_id":"all"}}"#,
        SHA.to_lowercase()
    );
    assert_eq!(world.called(), [expected]);
}

#[test]
fn block_sends_nothing_when_one_of_the_hashes_is_none() {
    for (hashes, message) in [
        ("abc", "abc is no SHA-256 and no MD5: it has 3 digits"),
        (
            "d8e577bf078c45954f4531885478d5ag",
            "is no hash: \"g\" is no hex digit",
        ),
        ("", "name at least one hash"),
    ] {
        let (result, world) = run(
            "block_hash.rhai",
            &[("hashes", hashes)],
            with_host_rules(&[]),
        );
        assert!(
            result.unwrap_err().to_string().contains(message),
            "{hashes}"
        );
        assert_eq!(world.calls(), 0);
    }
}

#[test]
fn block_lets_rules_of_single_hosts_stand_unless_told_to_replace_them() {
    let hashes = format!("{SHA},{MD5}");
    let (result, world) = run(
        "block_hash.rhai",
        &[("hashes", &hashes)],
        with_host_rules(&[SHA, MD5]),
    );
    assert!(
        matches!(result, Err(RunError::Failed { failure, .. }) if failure.kind == ErrorKind::Conflict)
    );
    assert_eq!(world.calls(), 1);

    let inputs = [("hashes", hashes.as_str()), ("replace_host_rules", "yes")];
    let (result, world) = run("block_hash.rhai", &inputs, with_host_rules(&[SHA, MD5]));
    assert_eq!(
        result
            .unwrap()
            .get("replaced")
            .unwrap()
            .as_list()
            .unwrap()
            .len(),
        2
    );
    assert_eq!(world.calls(), 5);
    assert_eq!(notes(&world).len(), 2);
}

#[test]
fn collect_tries_every_host_and_says_which_failed() {
    let world = World::new(|_, action, arguments| {
        Ok(match action {
            "list-sensors" if arguments["host"] == Value::text("b") => json("[]"),
            "list-sensors" => {
                Value::List(vec![Value::map([("sensor_id", arguments["host"].clone())])])
            }
            "create-run-task" => Value::map([("task_id", arguments["sensor_id"].clone())]),
            _ => json(
                r#"{"task_id": "T", "state": "completed", "finished": true, "succeeded": true, "latest_start": null}"#,
            ),
        })
    });
    let (result, world) = run(
        "collect_from_hosts.rhai",
        &[("hosts", "a,b,c"), ("command", "collect.exe")],
        world,
    );
    let report = result.unwrap();
    let collected: Vec<_> = report
        .get("collected")
        .unwrap()
        .as_list()
        .unwrap()
        .iter()
        .map(|host| host.get("host").unwrap().clone())
        .collect();
    assert_eq!(collected, [Value::text("a"), Value::text("c")]);
    assert_eq!(
        report.get("failed"),
        Some(&json(r#"[{"host": "b", "why": "0 hosts are named b"}]"#))
    );
    assert_eq!(notes(&world), ["not collected from"]);

    let (result, _) = run(
        "collect_from_hosts.rhai",
        &[("hosts", "b"), ("command", "x")],
        World::new(|_, _, _| Ok(json("[]"))),
    );
    assert_eq!(
        result.unwrap_err().to_string(),
        "none of 1 hosts was collected from"
    );
}
