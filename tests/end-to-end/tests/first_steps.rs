//! The way of somebody new: a directory, a connection, a look at the server's certificate, a test,
//! a call. Every command as the help writes it.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "what goes wrong here is a failed test"
)]

use std::path::Path;

use cordon_end_to_end::{Lab, Output, Program, built};

fn cordon(folder: &Path, arguments: &[&str]) -> Output {
    Program::new("cordon")
        .current_dir(folder)
        .args(arguments)
        .run()
}

#[test]
fn from_an_empty_folder_to_a_contained_host() {
    let lab = Lab::up();
    let folder = tempfile::tempdir().unwrap();
    let connector = built("connectors/kata");

    cordon(
        folder.path(),
        &["init", "soc", "--with", connector.to_str().unwrap()],
    )
    .expect_code(0);
    let soc = folder.path().join("soc");
    assert!(
        soc.join("cordon.toml").is_file(),
        "the directory is made where it was said"
    );
    cordon(folder.path(), &["-C", "soc", "connector", "list"])
        .expect_code(0)
        .expect("kata");

    cordon(&soc, &["connection", "new", "edr", "--connector", "kata"])
        .expect_code(0)
        .expect("fingerprint");
    let file = soc.join("connections/edr.toml");
    fill_in(&file, &lab);

    // The server's certificate is its own; nobody vouches for it until somebody has looked at it.
    cordon(&soc, &["connection", "test", "edr"])
        .expect_code(3)
        .expect("cordon connection trust edr");
    let shown = lab.description()["products"]["kata"]["ca_sha256"]
        .as_str()
        .unwrap()
        .to_owned();
    let trusted = cordon(&soc, &["connection", "trust", "edr", "--yes"]);
    trusted.expect_code(0);
    let plain = trusted.all().replace(':', "").to_lowercase();
    assert!(
        plain.contains(&shown),
        "another certificate is shown:\n{}",
        trusted.all()
    );

    // The product does not know the new certificate; its administrator accepts it.
    cordon(&soc, &["connection", "test", "edr"])
        .expect_code(3)
        .expect("An administrator accepts it");
    let id = external_system_id(&lab);
    let systems = lab.get("external-systems");
    let pending = systems
        .as_array()
        .unwrap()
        .iter()
        .find(|system| system["approval"] == "pending");
    let sha256 =
        pending.unwrap_or_else(|| panic!("nothing waits in {systems:#}"))["certificate_sha256"]
            .clone();
    lab.post(
        &format!("external-systems/{id}/accept"),
        &serde_json::json!({ "certificate_sha256": sha256 }),
    );
    cordon(&soc, &["connection", "test", "edr"]).expect_code(0);
    cordon(&soc, &["connection", "list"])
        .expect_code(0)
        .expect("edr");

    let sensors = cordon(&soc, &["call", "edr", "list_sensors", "--format", "json"]);
    assert_eq!(sensors.expect_code(0).json().as_array().unwrap().len(), 6);
    cordon(
        &soc,
        &[
            "call",
            "edr",
            "isolate",
            &format!(
                "sensor_id={}",
                sensors.json()[0]["sensor_id"].as_str().unwrap()
            ),
        ],
    )
    .expect_code(0);
    assert!(lab.is_isolated("host4"));
}

/// What a person does in an editor.
fn fill_in(file: &Path, lab: &Lab) {
    let url = lab.description()["products"]["kata"]["url"]
        .as_str()
        .unwrap()
        .to_owned();
    let filled: Vec<String> = std::fs::read_to_string(file)
        .unwrap()
        .lines()
        .map(
            |line| match line.trim_start_matches(['#', ' ']).split_once(" =") {
                Some(("url", _)) => format!("url = \"{url}\""),
                Some(("external_system_id", _)) => {
                    format!("external_system_id = \"{}\"", external_system_id(lab))
                }
                _ => line.to_owned(),
            },
        )
        .collect();
    std::fs::write(file, filled.join("\n")).unwrap();
}

fn external_system_id(lab: &Lab) -> String {
    let kata = &lab.description()["products"]["kata"];
    kata["credentials"]["external_system_id"]
        .as_str()
        .unwrap()
        .to_owned()
}
