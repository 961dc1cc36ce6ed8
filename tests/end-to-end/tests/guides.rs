//! What the guides name is there: the tests that hold the promise, the files that are linked or to be
//! opened.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "what goes wrong here is a failed test"
)]

use std::path::{Path, PathBuf};

const GUIDES: [&str; 7] = [
    "README.md",
    "host/README.md",
    "host/journal/README.md",
    "playbooks/README.md",
    "plugins/README.md",
    "tests/README.md",
    "wit/README.md",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// All Rust files below.
fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && path.file_name().is_some_and(|name| name != "target") {
            sources(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
}

/// What stands between backticks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

#[test]
fn every_test_that_the_promise_names_is_there() {
    let mut files = Vec::new();
    sources(&root().join("host"), &mut files);
    sources(&root().join("tests"), &mut files);
    let is_test = |file: &str, test: &str| {
        let mut named = files
            .iter()
            .filter(|path| path.file_stem().unwrap() == file);
        named.any(|path| {
            let text = read(path);
            text.split("#[test]").skip(1).any(|after| {
                let name = after.split_once("fn ").map(|(_, rest)| rest);
                name.is_some_and(|name| name.starts_with(&format!("{test}(")))
            })
        })
    };
    let simulation = root().join("tests/simulation/src");
    let is_check = |check: &str| {
        let mut of_simulation = files.iter().filter(|path| path.starts_with(&simulation));
        of_simulation.any(|path| {
            let text = read(path);
            text.contains(&format!("[{check}]")) || text.contains(&format!("\"{check}\""))
        })
    };

    let guide = read(&root().join("host/README.md"));
    let promise = guide.split("## The promise").nth(1).unwrap();
    let rows: Vec<&str> = promise
        .lines()
        .filter(|line| {
            line.starts_with("| ") && !line.starts_with("| promise") && !line.starts_with("| ---")
        })
        .collect();
    assert!(rows.len() > 20, "{rows:#?}");
    for row in rows {
        let held_by = row.trim_end_matches(" |").rsplit(" | ").next().unwrap();
        let names: Vec<&str> = quoted(held_by).collect();
        assert!(!names.is_empty(), "nothing holds {row}");
        for name in names {
            let there = match (name.strip_prefix("sim: "), name.split_once("::")) {
                (Some(check), _) => is_check(check),
                (None, Some((file, test))) => is_test(file, test),
                (None, None) => false,
            };
            assert!(there, "`{name}` is nowhere, and is said to hold {row}");
        }
    }
}

#[test]
fn every_path_that_a_guide_links_is_there() {
    let mut count = 0;
    for guide in GUIDES {
        let path = root().join(guide);
        let text = read(&path);
        for link in text.split("](").skip(1) {
            let target = link.split(')').next().unwrap();
            let target = target.split('#').next().unwrap();
            if target.is_empty() || target.contains("://") {
                continue;
            }
            let there = path.parent().unwrap().join(target);
            assert!(there.exists(), "{guide} links {target}");
            count += 1;
        }
    }
    assert!(count > 20, "{count} links");
}

#[test]
fn every_path_of_the_table_of_changes_is_there() {
    let guide = read(&root().join("host/README.md"));
    let table = guide.split("## To change X, open Y").nth(1).unwrap();
    let table = table.split("\n## ").next().unwrap();
    let mut count = 0;
    for row in table.lines().filter(|line| line.starts_with("| ")).skip(2) {
        let open = row.trim_end_matches(" |").rsplit(" | ").next().unwrap();
        for path in quoted(open).filter(|path| path.contains('/')) {
            let there = root().join("host").join(path);
            assert!(there.exists(), "{path}, to change {row}");
            count += 1;
        }
    }
    assert!(count > 20, "{count} paths");
}
