//! The connector that `plugins/README.md` builds from an empty folder: its files are taken from the
//! guide, its tests run, and its component is built.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "what fails here fails the test"
)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const GUIDE: &str = include_str!("../../README.md");

/// The files of the guide: a line with the name and a colon, then the content in a fence.
fn files() -> Vec<(&'static str, String)> {
    let mut files = Vec::new();
    let mut lines = GUIDE.lines();
    while let Some(line) = lines.next() {
        let Some(name) = line
            .strip_prefix('`')
            .and_then(|line| line.strip_suffix("`:"))
        else {
            continue;
        };
        let content = lines
            .by_ref()
            .skip_while(|line| !line.starts_with("```"))
            .skip(1);
        let content: Vec<&str> = content
            .take_while(|line| !line.starts_with("```"))
            .collect();
        files.push((name, content.join("\n") + "\n"));
    }
    files
}

fn cargo(folder: &Path, arguments: &[&str]) -> Output {
    // Beside the artifacts of this test, so that what is the same is not built again.
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("guide");
    Command::new(env!("CARGO"))
        .args(arguments)
        .arg("--offline")
        .current_dir(folder)
        .env("CARGO_TARGET_DIR", target)
        .output()
        .expect("cargo runs")
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[test]
fn the_guides_connector_is_built_and_its_tests_print_what_the_guide_shows() {
    let sdk = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let folder = tempfile::tempdir().expect("a folder");
    for (name, content) in files() {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        std::fs::write(
            path,
            content.replace("../cordon/plugins/sdk", &sdk.display().to_string()),
        )
        .expect("a file");
    }
    // The versions that this repository is tested with, so that nothing is downloaded.
    std::fs::copy(
        sdk.join("../../Cargo.lock"),
        folder.path().join("Cargo.lock"),
    )
    .expect("the lock file");

    let tested = cargo(folder.path(), &["test"]);
    assert!(tested.status.success(), "{}", text(&tested));
    let said = text(&tested);
    let shown = GUIDE
        .split("$ cargo test\n")
        .nth(1)
        .and_then(|rest| rest.split("```").next())
        .expect("the output");
    for line in shown.lines() {
        assert!(
            said.contains(line),
            "the guide shows `{line}`, but cargo said:\n{said}"
        );
    }

    let built = cargo(
        folder.path(),
        &["build", "--release", "--target", "wasm32-wasip2"],
    );
    assert!(built.status.success(), "{}", text(&built));
    let component =
        Path::new(env!("CARGO_TARGET_TMPDIR")).join("guide/wasm32-wasip2/release/watchtower.wasm");
    wit_component::decode(&std::fs::read(component).expect("the component"))
        .expect("it is a component");
}
