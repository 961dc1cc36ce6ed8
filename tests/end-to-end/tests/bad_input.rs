//! Whatever is wrong – an argument, a file, a certificate, a server, a script – gets one clear
//! message that says what, where and what to do, and the right exit code; and nothing is half-done.
#![allow(clippy::unwrap_used, reason = "what goes wrong here is a failed test")]

use cordon_end_to_end::{Automation, Lab, Output};
use serde_json::json;

const WRONG_USE: i32 = 2;
const FAILED: i32 = 1;
const NOT_USABLE: i32 = 3;

#[track_caller]
fn refused(output: &Output, code: i32, says: &[&str]) {
    output.expect_code(code);
    for text in says {
        output.expect(text);
    }
    assert!(!output.all().contains("panicked"), "{}", output.all());
}

fn call(automation: &Automation, arguments: &[&str]) -> Output {
    automation.cordon(["call"]).args(arguments).run()
}

#[test]
fn a_wrong_call_is_refused_before_anything_is_sent() {
    let lab = Lab::up();
    let automation = lab.automation();
    let id = lab.host("host4")["sensor_id"].as_str().unwrap().to_owned();
    let sensor = format!("sensor_id={id}");

    refused(
        &call(&automation, &["kata", "list_sensors", "hots=x"]),
        WRONG_USE,
        &["hots", "`host`"],
    );
    refused(
        &call(&automation, &["kata", "list_sensor"]),
        WRONG_USE,
        &["list_sensor", "`list_sensors`"],
    );
    refused(
        &call(&automation, &["kta", "list_sensors"]),
        NOT_USABLE,
        &["kta", "`kata`"],
    );
    refused(
        &call(&automation, &["kata", "isolate", &sensor, "duration=soon"]),
        WRONG_USE,
        &["duration", "soon", "2h"],
    );
    refused(
        &call(&automation, &["kata", "isolate", "duration=2h"]),
        WRONG_USE,
        &["sensor_id", "missing"],
    );
    refused(
        &call(&automation, &["kata", "isolate", &sensor, "duration"]),
        WRONG_USE,
        &["duration"],
    );
    let exclusions =
        r#"exclusions=[{"direction":"inbound","remote_address":"10.0.0.1","protocol":300}]"#;
    refused(
        &call(
            &automation,
            &["kata", "isolate", &sensor, "duration=2h", exclusions],
        ),
        WRONG_USE,
        &["exclusions[0].protocol: 300 is not in 0..=255"],
    );
    assert_eq!(lab.get("requests"), json!([]), "something was sent");
}

#[test]
fn a_wrong_run_is_refused_before_anything_is_sent() {
    let lab = Lab::up();
    let automation = lab.automation();
    let run = |arguments: &[&str]| automation.cordon(["run"]).args(arguments).run();

    refused(&run(&["contain_host"]), WRONG_USE, &["host", "missing"]);
    refused(
        &run(&["contain_host", "--input", "hots=x"]),
        WRONG_USE,
        &["hots", "`host`"],
    );
    refused(
        &run(&[
            "contain_host",
            "--input",
            "host=x",
            "--input",
            "isolate_for=soon",
        ]),
        WRONG_USE,
        &["isolate_for", "soon"],
    );
    refused(
        &run(&["contain_hots", "--input", "host=x"]),
        WRONG_USE,
        &["contain_hots", "contain_host"],
    );
    refused(
        &run(&[
            "contain_host",
            "--input",
            "host=x",
            "--connect",
            "edr=nowhere",
        ]),
        NOT_USABLE,
        &["nowhere"],
    );
    assert_eq!(lab.get("requests"), json!([]), "something was sent");
}

#[test]
fn a_connection_that_is_not_usable_says_why_and_what_to_do() {
    let lab = Lab::up();
    let automation = lab.automation();
    let file = "connections/kata.toml";
    let good = automation.read(file);
    let list = || call(&automation, &["kata", "list_sensors"]);
    let with = |from: &str, to: &str| {
        automation.write(file, &good);
        automation.replace(file, from, to);
        list()
    };

    refused(
        &with(
            "connector = \"kata\"",
            "connector = \"kata\"\nenabled = false",
        ),
        NOT_USABLE,
        &["disabled", "enabled"],
    );
    refused(
        &with("connector = \"kata\"", "connector = \"ksc\""),
        NOT_USABLE,
        &["ksc"],
    );
    refused(
        &with("connector = \"kata\"", "conector = \"kata\""),
        NOT_USABLE,
        &["conector", "connector", "kata.toml"],
    );
    refused(&with("[settings]", "[settings"), NOT_USABLE, &["kata.toml"]);
    refused(
        &with("kata.key", "nowhere.key"),
        NOT_USABLE,
        &["nowhere.key"],
    );
    refused(&with("kata.pem", "kata.key"), NOT_USABLE, &["certificate"]);

    automation.write(file, &good);
    list().expect_code(0);
}

#[test]
fn a_certificate_that_nobody_accepted_yet_is_told_from_a_wrong_one() {
    let lab = Lab::up_with(&["--accept", "false"]);
    let test = lab
        .automation()
        .cordon(["connection", "test", "kata"])
        .run();
    let fingerprint = lab.get("external-systems")[0]["certificate_sha256"]
        .as_str()
        .unwrap()
        .to_owned();
    refused(&test, NOT_USABLE, &["accept", &fingerprint]);
}

#[test]
fn a_product_that_fails_is_reported_in_its_own_words_with_its_status() {
    let lab = Lab::up();
    let automation = lab.automation();
    let fault = |fault: serde_json::Value| {
        lab.post("reset", &json!({}));
        lab.post("faults", &json!({ "times": null, "fault": fault }));
        call(
            &automation,
            &[
                "kata",
                "get_task",
                "task_id=8C41D0F3-7A26-4E9B-B0C5-1D7E3F9A2B22",
            ],
        )
    };

    refused(
        &fault(json!({ "kind": "redirect", "location": "https://127.0.0.1:1/" })),
        FAILED,
        &["302"],
    );
    refused(
        &fault(json!({ "kind": "half-body" })),
        FAILED,
        &["kata.get_task"],
    );
    refused(
        &fault(json!({ "kind": "huge-body", "size_bytes": 10_000_000_000_u64 })),
        FAILED,
        &["larger"],
    );
    refused(
        &fault(json!({ "kind": "status", "status": 400, "body": "html" })),
        FAILED,
        &["400"],
    );
}

#[test]
fn a_server_that_is_down_or_shows_another_certificate_is_a_connection_that_is_not_usable() {
    let lab = Lab::up();
    let automation = lab.automation();
    let file = "connections/kata.toml";
    let good = automation.read(file);
    let url = lab.description()["products"]["kata"]["url"]
        .as_str()
        .unwrap()
        .to_owned();

    automation.replace(file, &url, "https://127.0.0.1:9");
    refused(
        &call(&automation, &["kata", "list_sensors"]),
        NOT_USABLE,
        &["127.0.0.1:9"],
    );

    automation.write(
        file,
        good.replace(
            "[tls]",
            &format!("[tls]\npin_sha256 = \"{}\"", "0".repeat(64)),
        ),
    );
    refused(
        &call(&automation, &["kata", "list_sensors"]),
        NOT_USABLE,
        &["pin", "cordon connection trust kata"],
    );
}

#[test]
fn a_script_that_is_wrong_says_where() {
    let lab = Lab::up();
    let automation = lab.automation();
    let header = "const PLAYBOOK = #{ title: \"t\", uses: #{ edr: \"kata\" } };\n";
    let run = |body: &str| {
        automation.write("playbooks/wrong.rhai", format!("{header}{body}"));
        automation.cordon(["run", "wrong"]).run()
    };

    refused(
        &run("fn run(input) { let x = ; }"),
        WRONG_USE,
        &["wrong.rhai", "2:25"],
    );
    refused(
        &run("fn run(input) { run(input) }"),
        FAILED,
        &["call_depth"],
    );
    refused(
        &run("fn run(input) { let n = 0; loop { n += 1 } }"),
        FAILED,
        &["operations"],
    );
    refused(
        &run(
            "fn run(input) {\n    let edr = connection(\"edr\");\n    edr.list_sensors(#{ hots: 1 })\n}",
        ),
        WRONG_USE,
        &["wrong.rhai", "4:", "hots"],
    );
    refused(
        &run("fn run(input) { fail(\"the moon is full\") }"),
        FAILED,
        &["the moon is full"],
    );
    refused(&run("fn start(input) { 1 }"), WRONG_USE, &["fn run(input)"]);
    assert_eq!(lab.get("requests"), json!([]), "something was sent");
}

#[test]
fn every_reserved_word_is_an_ordinary_argument_name_or_gets_a_clear_message() {
    let lab = Lab::up();
    let automation = lab.automation();
    for word in [
        "default",
        "new",
        "match",
        "case",
        "with",
        "use",
        "is",
        "shared",
        "static",
        "public",
        "package",
        "thread",
        "spawn",
        "sync",
        "async",
        "await",
        "yield",
        "void",
        "null",
        "nil",
        "var",
        "super",
        "protected",
        "goto",
        "exit",
    ] {
        let script = format!(
            "const PLAYBOOK = #{{ title: \"t\", uses: #{{ edr: \"kata\" }} }};\n\
             fn run(input) {{ connection(\"edr\").list_sensors(#{{ {word}: 1 }}) }}"
        );
        automation.write("playbooks/word.rhai", script);
        let output = automation.cordon(["run", "word"]).run();
        refused(&output, WRONG_USE, &["word.rhai", word]);
    }
}

#[test]
fn what_is_no_connector_is_refused_and_the_others_go_on_working() {
    let lab = Lab::up();
    let automation = lab.automation();
    let good = std::fs::read(cordon_end_to_end::built("connectors/kata")).unwrap();
    let component = [0x00, 0x61, 0x73, 0x6d, 0x0d, 0x00, 0x01, 0x00];
    for (name, bytes) in [
        ("empty", Vec::new()),
        ("prefix", component.to_vec()),
        ("truncated", good[..good.len() / 2].to_vec()),
        (
            "random",
            (0..4096_u32)
                .map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8)
                .collect(),
        ),
        (
            "module",
            [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00].to_vec(),
        ),
    ] {
        automation.write(&format!("connectors/{name}.wasm"), bytes);
    }
    let list = automation.cordon(["connector", "list"]).run();
    for name in ["empty", "prefix", "truncated", "random", "module"] {
        list.expect(&format!("{name}.wasm"));
    }
    list.expect("kata");
    call(&automation, &["kata", "list_sensors"]).expect_code(0);
}

#[test]
fn a_folder_that_is_no_automation_directory_says_how_to_make_one() {
    let folder = tempfile::tempdir().unwrap();
    let output = Automation::at(folder.path().to_owned())
        .cordon(["connection", "list"])
        .run();
    refused(&output, WRONG_USE, &["cordon init"]);
}
