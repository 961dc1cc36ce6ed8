//! Ctrl-C leaves a run in order, and says how to go on with it.
#![cfg(unix)]

mod support;

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Command, Stdio};

use support::{Place, cordon};

#[test]
fn an_interrupted_run_stays_at_its_wait_and_says_how_to_go_on() {
    let script = r#"
        const PLAYBOOK = #{ title: "t" };
        fn run(input) { progress("waiting"); sleep("10m"); note("never", "reached"); }
    "#;
    let place = Place::automation().with("playbooks/wait.rhai", script);
    let mut child = cordon()
        .arg("-C")
        .arg(place.path())
        .args(["run", "wait"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    stderr.read_line(&mut line).unwrap();
    assert!(line.starts_with("run "), "{line}");
    stderr.read_line(&mut line).unwrap();
    assert!(line.contains("waiting"), "{line}");

    let sent = Command::new("kill")
        .arg("-INT")
        .arg(child.id().to_string())
        .status()
        .unwrap();
    assert!(sent.success());

    let mut rest = String::new();
    stderr.read_to_string(&mut rest).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(6), "{rest}");
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "");
    for text in [
        "stopping: nothing more is begun",
        "wait is not over",
        "The run stays: `cordon runs resume ",
    ] {
        assert!(rest.contains(text), "`{text}` is not said in\n{rest}");
    }
    assert!(!rest.contains("never"), "{rest}");

    let list = place.cordon(&["runs", "list", "--open"]);
    assert!(list.stdout.contains("waiting"), "{}", list.stdout);
}
