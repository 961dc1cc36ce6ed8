use cordon_kata::Kata;
use cordon_kata::wit::prevention::Actions as _;
use cordon_sdk::ErrorKind;
use cordon_sdk::harness::{Exchange, Expected, delete, get, post};
use serde_json::{Value, json};

use crate::{SENSOR, kata, kind, knows_no_sensor, knows_sensor, not_found, path};

const SHA: &str = "830195824b742ee59390bc5b9302688c778fc95a64e7d597e28a74c03a04dd63";
const MD5: &str = "d8e577bf078c45954f4531885478d5a9";
const OTHER: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

fn of(scope: &str, request: Expected) -> Expected {
    request
        .query("sensor_id", scope)
        .query("settings_type", "prevention")
}

fn reads(scope: &str) -> Expected {
    of(scope, get(&path("settings")))
}

fn files(hashes: &[&str]) -> Value {
    let file = |hash: &&str| match hash.len() {
        64 => json!({"file": {"sha256": hash}}),
        _ => json!({"file": {"md5": hash}}),
    };
    hashes.iter().map(file).collect()
}

/// The list is read and has these hashes.
fn finds(hashes: &[&str]) -> Exchange {
    if hashes.is_empty() {
        reads(SENSOR).answers(404, not_found())
    } else {
        reads(SENSOR).answers(200, files(hashes))
    }
}

fn orders(scope: &str, hashes: &[&str]) -> Expected {
    of(scope, post(&path("settings"))).json(json!({"settings": {"objects": files(hashes)}}))
}

/// These hashes are written, and KATA takes them.
fn takes(hashes: &[&str]) -> Exchange {
    orders(SENSOR, hashes).answers(200, files(hashes))
}

fn texts(hashes: &[&str]) -> Vec<String> {
    hashes.iter().map(|hash| (*hash).to_owned()).collect()
}

fn scope() -> String {
    SENSOR.to_owned()
}

#[test]
fn the_rules_are_read_in_every_shape_that_servers_answer_with() {
    let list = || files(&[SHA, MD5]);
    for shape in [
        list(),
        json!({"objects": list()}),
        json!({"settings": {"objects": list()}}),
        json!([{"settings": {"objects": list()}}]),
        json!([{"objects": list()}]),
        json!([{"file": {"sha256": SHA.to_uppercase(), "name": "evil.exe"}}, {"file": {"md5": MD5}}]),
    ] {
        let rules = kata().run([reads(SENSOR).answers(200, shape)], || {
            Kata::get_prevention_rules(scope())
        });
        assert_eq!(rules, Ok(texts(&[SHA, MD5])));
    }
}

#[test]
fn no_rules_are_an_empty_list_for_a_known_host_and_for_all_and_an_error_for_an_unknown_host() {
    let read = || Kata::get_prevention_rules(scope());
    assert_eq!(kata().run([finds(&[]), knows_sensor()], read), Ok(vec![]));
    assert_eq!(
        kind(kata().run([finds(&[]), knows_no_sensor()], read)),
        ErrorKind::NotFound
    );
    let all = reads("all").answers(404, not_found());
    assert_eq!(
        kata().run([all], || Kata::get_prevention_rules("all".to_owned())),
        Ok(vec![])
    );
}

#[test]
fn setting_replaces_the_list_and_reads_it_again() {
    let set = || Kata::set_prevention_rules(scope(), texts(&[&SHA.to_uppercase(), MD5, SHA]));
    let rules = kata().run([takes(&[SHA, MD5]), finds(&[MD5, SHA])], set);
    assert_eq!(rules.map(|rules| rules.hashes), Ok(texts(&[MD5, SHA])));
}

#[test]
fn an_empty_list_never_deletes_anything() {
    let none: fn() -> Vec<String> = Vec::new;
    let set = kata().run([], || Kata::set_prevention_rules(scope(), none()));
    let added = kata().run([], || Kata::add_prevention_hashes(scope(), none()));
    let removed = kata().run([], || Kata::remove_prevention_hashes(scope(), none()));
    for error in [set.map(|_| ()), added.map(|_| ()), removed.map(|_| ())]
        .map(|outcome| outcome.expect_err("refused"))
    {
        assert_eq!(error.kind, ErrorKind::InvalidInput);
        assert!(
            error.message.contains("delete_all_prevention_rules"),
            "{}",
            error.message
        );
    }
}

#[test]
fn what_is_no_hash_is_refused_with_its_place() {
    for wrong in ["", "evil.exe", &SHA[..63], &format!("{}g", &SHA[..63])] {
        let error = kata()
            .run([], || {
                Kata::add_prevention_hashes(scope(), texts(&[SHA, wrong]))
            })
            .expect_err("not a hash");
        assert_eq!(error.kind, ErrorKind::InvalidInput);
        assert!(error.message.starts_with("hashes[1]"), "{}", error.message);
    }
}

#[test]
fn adding_keeps_what_others_have_forbidden() {
    let add = || Kata::add_prevention_hashes(scope(), texts(&[SHA, MD5]));
    let script = [
        finds(&[OTHER, MD5]),
        takes(&[OTHER, MD5, SHA]),
        finds(&[OTHER, MD5, SHA]),
    ];
    let added = kata().run(script, add).expect("added");
    assert_eq!(
        (added.added, added.hashes),
        (texts(&[SHA]), texts(&[OTHER, MD5, SHA]))
    );

    let added = kata()
        .run([finds(&[MD5, SHA])], add)
        .expect("nothing to do");
    assert_eq!(
        (added.added, added.hashes),
        (texts(&[]), texts(&[MD5, SHA]))
    );
}

#[test]
fn adding_the_first_hash_begins_with_an_empty_list() {
    let script = [finds(&[]), knows_sensor(), takes(&[SHA]), finds(&[SHA])];
    let added = kata().run(script, || {
        Kata::add_prevention_hashes(scope(), texts(&[SHA]))
    });
    assert_eq!(added.map(|added| added.added), Ok(texts(&[SHA])));
}

#[test]
fn removing_keeps_the_others_and_deletes_the_list_only_with_its_last_hash() {
    let remove = || Kata::remove_prevention_hashes(scope(), texts(&[SHA]));
    let removed = kata()
        .run(
            [finds(&[OTHER, SHA]), takes(&[OTHER]), finds(&[OTHER])],
            remove,
        )
        .expect("removed");
    assert_eq!(
        (removed.removed, removed.hashes),
        (texts(&[SHA]), texts(&[OTHER]))
    );

    let deletes = of(SENSOR, delete(&path("settings"))).answers_empty(200);
    let removed = kata()
        .run([finds(&[SHA]), deletes, finds(&[]), knows_sensor()], remove)
        .expect("removed");
    assert_eq!(
        (removed.removed, removed.hashes),
        (texts(&[SHA]), texts(&[]))
    );

    let removed = kata()
        .run([finds(&[OTHER])], remove)
        .expect("nothing to do");
    assert_eq!(
        (removed.removed, removed.hashes),
        (texts(&[]), texts(&[OTHER]))
    );
}

#[test]
fn a_list_that_is_known_in_part_is_never_written_back() {
    let strange = reads(SENSOR).answers(
        200,
        json!([{"file": {"sha256": SHA}}, {"process": {"sha1": "00"}}]),
    );
    let outcome = kata().run([strange], || {
        Kata::add_prevention_hashes(scope(), texts(&[MD5]))
    });
    assert_eq!(kind(outcome), ErrorKind::Protocol);
}

#[test]
fn a_list_that_shows_the_change_late_is_read_again() {
    let harness = kata();
    let script = [
        finds(&[OTHER]),
        takes(&[OTHER, SHA]),
        finds(&[OTHER]),
        finds(&[OTHER, SHA]),
    ];
    assert!(
        harness
            .run(script, || Kata::add_prevention_hashes(
                scope(),
                texts(&[SHA])
            ))
            .is_ok()
    );
    assert_eq!(harness.pauses().len(), 1);
}

#[test]
fn a_list_that_somebody_else_wrote_at_the_same_time_is_a_conflict() {
    let others = || finds(&[MD5]);
    let script = [
        finds(&[OTHER]),
        takes(&[OTHER, SHA]),
        others(),
        others(),
        others(),
    ];
    let error = kata()
        .run(script, || {
            Kata::add_prevention_hashes(scope(), texts(&[SHA]))
        })
        .expect_err("the hash is not there");
    assert_eq!(error.kind, ErrorKind::Conflict);
    assert_eq!(error.details, Some(json!({"hashes": [MD5]}).to_string()));
}

#[test]
fn a_conflict_of_scopes_hands_on_the_hosts_and_the_whole_answer() {
    for status in [409, 400] {
        let answer = json!({"error": "Prevention rule already exists", "file": {"sha256": SHA}, "sensors": [SENSOR]});
        let script = [orders("all", &[SHA]).answers(status, answer.clone())];
        let error = kata()
            .run(script, || {
                Kata::set_prevention_rules("all".to_owned(), texts(&[SHA]))
            })
            .expect_err("a host has a rule for the file");
        assert_eq!(
            (error.kind, error.status),
            (ErrorKind::Conflict, Some(status))
        );
        assert!(
            error.message.contains(SENSOR) && error.message.contains(SHA),
            "{}",
            error.message
        );
        let details: Value = serde_json::from_str(&error.details.expect("details")).expect("JSON");
        assert_eq!(details, answer);
    }
}

#[test]
fn a_400_without_hosts_is_wrong_input_and_a_409_without_a_body_still_a_conflict() {
    let set = || Kata::set_prevention_rules(scope(), texts(&[SHA]));
    let unsupported =
        orders(SENSOR, &[SHA]).answers(400, json!({"error": "Unsupported on this host"}));
    assert_eq!(
        kind(kata().run([unsupported], set)),
        ErrorKind::InvalidInput
    );
    assert_eq!(
        kind(kata().run([orders(SENSOR, &[SHA]).answers_empty(409)], set)),
        ErrorKind::Conflict
    );
}

#[test]
fn deleting_all_is_its_own_action_and_may_find_nothing() {
    let deletes = || of(SENSOR, delete(&path("settings")));
    let delete_all =
        || Kata::delete_all_prevention_rules(scope()).map(|deleted| deleted.already_absent);
    assert_eq!(
        kata().run([deletes().answers_empty(200)], delete_all),
        Ok(false)
    );
    assert_eq!(
        kata().run(
            [deletes().answers(404, not_found()), knows_sensor()],
            delete_all
        ),
        Ok(true)
    );
    let unknown = kata().run(
        [deletes().answers(404, not_found()), knows_no_sensor()],
        delete_all,
    );
    assert_eq!(kind(unknown), ErrorKind::NotFound);
    let all = of("all", delete(&path("settings"))).answers(404, not_found());
    assert!(
        kata()
            .run([all], || Kata::delete_all_prevention_rules(
                "all".to_owned()
            ))
            .is_ok()
    );
}
