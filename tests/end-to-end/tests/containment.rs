//! The main job: a host is contained on KATA through the sandboxed connector and a playbook, over
//! real TLS sockets, and what was done is what the product shows.
#![allow(clippy::unwrap_used, reason = "what goes wrong here is a failed test")]

use cordon_end_to_end::Lab;
use serde_json::json;

const HOST: &str = "ws-design-11";

fn contain(lab: &Lab) -> cordon_end_to_end::Output {
    lab.automation()
        .cordon(["run", "contain_host", "--json"])
        .args(["--input", &format!("host={HOST}")])
        .args(["--input", "isolate_for=2h"])
        .args(["--input", "command=collect.exe"])
        .run()
}

#[test]
fn a_contained_host_is_isolated_in_the_products_own_view_and_its_task_has_run() {
    let lab = Lab::up();
    assert!(!lab.is_isolated(HOST));

    let output = contain(&lab);
    output.expect_code(0);
    assert_eq!(output.json()["outcome"], "succeeded", "{}", output.stdout);

    assert!(lab.is_isolated(HOST));
    let tasks = lab.get("tasks");
    assert_eq!(tasks.as_array().unwrap().len(), 1, "{tasks:#}");
    assert_eq!(tasks[0]["state"], "completed");
}

#[test]
fn a_released_host_is_reachable_again_and_releasing_it_twice_is_no_failure() {
    let lab = Lab::up();
    contain(&lab).expect_code(0);

    for _ in 0..2 {
        let released = lab
            .automation()
            .cordon(["run", "release_host", "--input", &format!("host={HOST}")])
            .run();
        released.expect_code(0);
        assert!(!lab.is_isolated(HOST));
    }
}

#[test]
fn each_step_is_shown_as_it_happens_with_connection_action_arguments_and_result() {
    let lab = Lab::up();
    let output = lab
        .automation()
        .cordon(["run", "contain_host", "--input", &format!("host={HOST}")])
        .run();
    output
        .expect_code(0)
        .expect("kata.list_sensors")
        .expect("kata.isolate")
        .expect("isolated_until");
    assert!(
        !output.all().contains('\u{1b}'),
        "escape codes in a pipe:\n{}",
        output.all()
    );
}

#[test]
fn both_shapes_of_answers_that_the_product_is_known_to_give_are_understood() {
    let lab = Lab::up();
    lab.post("switches", &json!({ "response_shape": "wrapped" }));
    contain(&lab).expect_code(0);
    assert!(lab.is_isolated(HOST));
}

#[test]
fn an_answer_lost_after_the_product_acted_leads_to_one_isolation_and_one_task() {
    let lab = Lab::up();
    for route in ["set-isolation", "create-task"] {
        lab.post(
            "faults",
            &json!({ "route": route, "fault": { "kind": "drop-after" } }),
        );
    }
    contain(&lab).expect_code(0);
    assert!(lab.is_isolated(HOST));
    assert_eq!(lab.get("tasks").as_array().unwrap().len(), 1);
}

#[test]
fn a_host_that_is_not_there_fails_the_playbook_and_changes_nothing() {
    let lab = Lab::up();
    let output = lab
        .automation()
        .cordon(["run", "contain_host", "--input", "host=no-such-host"])
        .run();
    output.expect_code(1).expect("no-such-host");
    let changed = lab
        .get("requests")
        .as_array()
        .unwrap()
        .iter()
        .any(|request| request["method"] != "GET");
    assert!(!changed, "{:#}", lab.get("requests"));
}

#[test]
fn a_hash_is_blocked_on_all_hosts_at_once() {
    let lab = Lab::up();
    let hash = "830195824b742ee59390bc5b9302688c778fc95a64e7d597e28a74c03a04dd63";
    let output = lab
        .automation()
        .cordon(["run", "block_hash", "--input", &format!("hashes={hash}")])
        .run();
    output.expect_code(0);
    assert!(lab.get("prevention/all").to_string().contains(hash));
}

#[test]
fn many_hosts_are_collected_from_side_by_side_and_each_is_reported() {
    let lab = Lab::up();
    let output = lab
        .automation()
        .cordon(["run", "collect_from_hosts", "--json"])
        .args([
            "--input",
            "hosts=[\"host4\", \"ws-design-11\", \"srv-files-01\"]",
            "--input",
            "command=collect.exe",
        ])
        .run();
    output.expect_code(0);
    assert_eq!(lab.get("tasks").as_array().unwrap().len(), 3);
}
