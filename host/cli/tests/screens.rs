//! What commands print when all is well.

mod support;

use support::{Place, cordon, run};

const PLAYBOOK: &str = r#"//! Greets a host, and shows what a run prints.
const PLAYBOOK = #{
    title: "Greet a host",
    inputs: #{
        host: #{ type: "string", help: "The host's name" },
        times: #{ type: "integer", default: 2 },
        tone: #{ type: "choice", choices: ["kind", "stern"], default: "kind" },
    },
    uses: #{ },
};
fn run(input) {
    log("about to greet");
    progress("greeting", 50);
    note("mood", input.tone);
    [#{ host: input.host, greeting: "hello\x1b[2J" }, #{ host: "other", greeting: () }]
}
"#;

fn greeter() -> Place {
    Place::automation().with("playbooks/greet_host.rhai", PLAYBOOK)
}

#[test]
fn a_run_shows_its_steps_on_standard_error_and_its_findings_on_standard_output() {
    let output = greeter().cordon(&["run", "greet-host", "--input", "host=srv-01"]);
    assert_eq!(output.code, 0, "{}", output.stderr);
    insta::assert_snapshot!(output.stdout);
    let steps: Vec<&str> = output
        .stderr
        .lines()
        .filter(|line| !line.starts_with("greet_host") && !line.starts_with("run "))
        .collect();
    insta::assert_snapshot!(steps.join("\n"));
    assert!(
        output.stderr.contains("greet_host succeeded after"),
        "{}",
        output.stderr
    );
}

#[test]
fn asked_for_json_a_run_prints_one_document_and_nothing_else() {
    let output = greeter().cordon(&["run", "greet_host", "--json", "--input", "host=srv-01"]);
    let mut document: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
    assert!(
        document["run"].is_string() && document["took_ms"].is_u64(),
        "{document:#}"
    );
    document["run"] = "RUN".into();
    document["took_ms"] = 0.into();
    insta::assert_snapshot!(serde_json::to_string_pretty(&document).unwrap());
    assert!(!output.stdout.contains('\x1b'), "{}", output.stdout);
}

#[test]
fn inputs_come_from_a_file_too_and_the_command_line_wins() {
    let place = greeter().with("in.toml", "host = \"from-file\"\ntimes = 7\n");
    let file = place.path().join("in.toml");
    let file = file.to_str().unwrap();
    let output = place.cordon(&["run", "greet_host", "--json", "--input-file", file]);
    assert!(
        output.stdout.contains("from-file"),
        "{}{}",
        output.stdout,
        output.stderr
    );
    let output = place.cordon(&[
        "run",
        "greet_host",
        "--json",
        "--input-file",
        file,
        "-i",
        "host=typed",
    ]);
    assert!(
        output.stdout.contains("typed") && !output.stdout.contains("from-file"),
        "{}",
        output.stdout
    );
}

#[test]
fn playbooks_are_listed_shown_and_checked() {
    let place = greeter();
    let screens = [
        &["playbook", "list"][..],
        &["playbook", "show", "greet_host"],
        &["playbook", "check"],
    ];
    for arguments in screens {
        let output = place.cordon(arguments);
        assert_eq!(output.code, 0, "{}", output.stderr);
        insta::assert_snapshot!(arguments.join("_"), place.plain(&output.stdout));
    }
}

#[test]
fn the_functions_of_the_language_are_listed_and_explained() {
    let list = run(cordon().args(["playbook", "functions"]));
    assert_eq!(list.code, 0, "{}", list.stderr);
    assert!(list.stdout.contains("poll("), "{}", list.stdout);
    let one = run(cordon().args(["playbook", "functions", "poll"]));
    assert!(
        one.stdout.contains("poll(") && one.stdout.contains("timeout"),
        "{}",
        one.stdout
    );
}

#[test]
fn an_automation_directory_is_made_once_and_never_overwritten() {
    let place = Place::empty();
    let made = place.cordon(&["init", "automation"]);
    assert_eq!(made.code, 0, "{}", made.stderr);
    insta::assert_snapshot!("init", place.plain(&made.stdout));
    assert_eq!(
        place.cordon(&["connector", "list"]).code,
        0,
        "what was made is an automation directory"
    );

    let place = place.with("cordon.toml", "# mine\n");
    std::fs::remove_dir(place.path().join("playbooks")).unwrap();
    let again = place.cordon(&["init", "."]);
    assert!(
        again.stdout.contains("playbooks/") && !again.stdout.contains("cordon.toml,"),
        "{}",
        again.stdout
    );
    assert_eq!(
        std::fs::read_to_string(place.path().join("cordon.toml")).unwrap(),
        "# mine\n"
    );
    assert!(
        place
            .cordon(&["init", "."])
            .stdout
            .contains("nothing was missing")
    );
}

#[cfg(unix)]
#[test]
fn the_folder_of_credentials_is_nobody_elses() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = Place::empty();
    place.cordon(&["init", "automation"]);
    let mode = std::fs::metadata(place.path().join("credentials"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o700);
}

#[test]
fn a_code_is_explained_and_all_codes_are_listed() {
    let page = run(cordon().args(["explain", "cli.argument"]));
    assert_eq!(page.code, 0);
    insta::assert_snapshot!("explain", page.stdout);
    let list = run(cordon().arg("explain")).stdout;
    for code in [
        "cli.argument",
        "connection.tls",
        "directory.missing",
        "playbook.syntax",
        "run.in-doubt",
    ] {
        assert!(
            list.lines()
                .any(|line| line.starts_with(&format!("{code} "))),
            "{code} is not in\n{list}"
        );
    }
}

#[test]
fn an_empty_directory_says_what_to_do_first() {
    let place = Place::automation();
    for (arguments, says) in [
        (&["connection", "list"][..], "cordon connection new"),
        (&["connector", "list"], "connectors/"),
        (&["playbook", "list"], "playbooks/"),
    ] {
        let output = place.cordon(arguments);
        assert_eq!(
            (output.code, output.stdout.as_str()),
            (0, ""),
            "{}",
            output.stderr
        );
        assert!(output.stderr.contains(says), "{}", output.stderr);
    }
}
