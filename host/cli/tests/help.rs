//! What `cordon` says about itself: every help text as it stands.

mod support;

use support::{cordon, run};

const COMMANDS: [&str; 36] = [
    "",
    "init",
    "connection",
    "connection new",
    "connection list",
    "connection show",
    "connection test",
    "connection trust",
    "connector",
    "connector list",
    "connector show",
    "call",
    "run",
    "playbook",
    "playbook list",
    "playbook show",
    "playbook check",
    "playbook functions",
    "runs",
    "runs list",
    "runs show",
    "runs watch",
    "runs why",
    "runs resume",
    "runs cancel",
    "runs retry",
    "runs resolve",
    "runs artifact",
    "runs export",
    "approve",
    "answer",
    "store",
    "store check",
    "store compact",
    "store backup",
    "store export",
];

#[test]
fn every_command_explains_itself_to_a_stranger() {
    for command in COMMANDS.into_iter().chain(["explain"]) {
        let output = run(cordon().args(command.split_whitespace()).arg("--help"));
        assert_eq!(output.code, 0, "{command}");
        insta::assert_snapshot!(
            format!("help {command}").trim().replace(' ', "_"),
            output.stdout
        );
    }
}

#[test]
fn every_command_is_among_those_whose_help_is_looked_at() {
    let top = run(cordon().arg("--help")).stdout;
    let listed = top
        .lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| !line.is_empty());
    let names: Vec<&str> = listed
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert!(names.len() >= 7, "{names:?}");
    for name in names {
        assert!(COMMANDS.contains(&name) || name == "explain", "{name}");
    }
}

#[test]
fn without_anything_to_do_the_help_is_shown_and_it_is_wrong_use() {
    let output = run(&mut cordon());
    assert_eq!(output.code, 2);
    assert!(output.stderr.contains("Usage: cordon"), "{}", output.stderr);
}

#[test]
fn colour_is_for_terminals_and_for_those_who_ask() {
    for (arguments, coloured) in [
        (&["explain"][..], false),
        (&["--color", "always", "explain"], true),
        (&["--color=never", "explain"], false),
        (&["--color", "always", "--help"], true),
        (&["--help"], false),
    ] {
        let output = run(cordon().args(arguments));
        assert_eq!(output.stdout.contains('\x1b'), coloured, "{arguments:?}");
    }
}

#[test]
fn a_reader_that_goes_away_is_no_panic() {
    use std::process::Stdio;
    let mut child = cordon()
        .arg("explain")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert_eq!(output.status.code(), Some(0));
}

#[cfg(target_os = "linux")]
#[test]
fn output_that_cannot_be_written_is_said() {
    let full = std::fs::OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .unwrap();
    let output = cordon().arg("explain").stdout(full).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(
        stderr.contains("the output could not be written"),
        "{stderr}"
    );
}
