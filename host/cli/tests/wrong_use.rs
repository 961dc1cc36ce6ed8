//! Wrong input: each gets one clear message and the right exit code, and no panic.

mod support;

use support::{Output, Place, cordon, run};

const WRONG_USE: i32 = 2;
const FAILED: i32 = 1;
const NOT_USABLE: i32 = 3;

#[track_caller]
fn refused(output: &Output, code: i32, says: &[&str]) {
    let plain = output
        .stderr
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    assert_eq!(output.code, code, "{}{}", output.stdout, output.stderr);
    for text in says {
        assert!(
            plain.contains(text),
            "`{text}` is not said in\n{}",
            output.stderr
        );
    }
    assert!(
        !output.stderr.contains("panicked") && !output.stderr.contains('\x1b'),
        "{}",
        output.stderr
    );
    assert_eq!(
        output.stdout, "",
        "what was asked for is not there, so nothing belongs on standard output"
    );
}

#[test]
fn a_wrong_command_line_is_wrong_use() {
    for (arguments, says) in [
        (&["rum"][..], &["rum", "run"][..]),
        (&["run"], &["PLAYBOOK"]),
        (&["call", "kata"], &["ACTION"]),
        (
            &["call", "kata", "x", "--format", "xml"],
            &["xml", "table, csv, json"],
        ),
        (&["connection", "new", "kata"], &["--connector"]),
        (
            &["explain", "conection.tls"],
            &["conection.tls", "did you mean `connection.tls`?"],
        ),
        (&["--colour", "never", "explain"], &["--colour", "--color"]),
        (&["playbook", "functions", "pol"], &["did you mean `poll`?"]),
    ] {
        refused(&run(cordon().args(arguments)), WRONG_USE, says);
    }
}

#[test]
fn a_folder_that_is_no_automation_directory_says_how_to_make_one() {
    let place = Place::empty();
    for arguments in [
        &["connection", "list"][..],
        &["connector", "list"],
        &["playbook", "list"],
        &["playbook", "check"],
        &["call", "kata", "list_sensors"],
        &["run", "contain_host"],
    ] {
        refused(
            &place.cordon(arguments),
            WRONG_USE,
            &["cordon.toml", "cordon init", "directory.missing"],
        );
    }
}

#[test]
fn a_mistake_in_the_settings_is_shown_at_its_place() {
    let place = Place::automation().with("cordon.toml", "[limits]\nmemroy = \"1GiB\"\n");
    refused(
        &place.cordon(&["connector", "list"]),
        WRONG_USE,
        &["cordon.toml:2:1", "did you mean `memory`?"],
    );
}

#[test]
fn names_that_are_not_there_are_answered_with_the_nearest() {
    let place = Place::automation()
        .with(
            "connections/kata.toml",
            "connector = \"kata\"\nurl = \"https://kata.example\"\n",
        )
        .with("playbooks/contain_host.rhai", PLAYBOOK);
    for (arguments, code, says) in [
        (
            &["call", "kta", "list_sensors"][..],
            NOT_USABLE,
            &["there is no connection `kta`", "`kata`"][..],
        ),
        (
            &["call", "kata", "list_sensors"],
            NOT_USABLE,
            &["needs the connector `kata`", "connector list"],
        ),
        (&["connection", "show", "kta"], NOT_USABLE, &["`kata`"]),
        (&["connection", "test", "kta"], NOT_USABLE, &["`kata`"]),
        (&["connection", "trust", "kta"], NOT_USABLE, &["`kata`"]),
        (
            &["connector", "show", "kata"],
            WRONG_USE,
            &["there is no connector `kata`"],
        ),
        (
            &["connection", "new", "x", "--connector", "kata"],
            WRONG_USE,
            &["there is no connector `kata`"],
        ),
        (
            &["run", "contain_hots"],
            WRONG_USE,
            &["contain_hots", "did you mean `contain_host`?"],
        ),
        (
            &["playbook", "show", "contain_hots"],
            WRONG_USE,
            &["did you mean `contain_host`?"],
        ),
        (
            &["playbook", "check", "contain_hots"],
            WRONG_USE,
            &["did you mean `contain_host`?"],
        ),
        (
            &["init", "x", "--with", "nothing-like-it"],
            WRONG_USE,
            &["nothing-like-it", ".wasm"],
        ),
    ] {
        refused(&place.cordon(arguments), code, says);
    }
}

#[test]
fn a_connection_file_is_shown_at_its_mistake() {
    let file = "connector = \"kata\"\nurl = \"https://kata.example\"\ndecription = \"\"\n";
    let place = Place::automation().with("connections/kata.toml", file);
    refused(
        &place.cordon(&["connection", "show", "kata"]),
        NOT_USABLE,
        &[
            "kata.toml:3:1",
            "`decription`",
            "`description`",
            "connection.file",
        ],
    );
}

const PLAYBOOK: &str = r#"
const PLAYBOOK = #{
    title: "Contain a host",
    inputs: #{ host: #{ type: "string", help: "The host's name" }, isolate_for: #{ type: "duration", default: "2h" } },
    uses: #{ },
};
fn run(input) { #{ host: input.host, time: input.isolate_for } }
"#;

#[test]
fn inputs_are_checked_before_anything_runs() {
    let place = Place::automation().with("playbooks/contain_host.rhai", PLAYBOOK);
    for (arguments, says) in [
        (
            &[][..],
            &["`host` is missing", "The host's name", "--input host=…"][..],
        ),
        (&["--input", "hots=x"], &["`hots`", "did you mean `host`?"]),
        (&["--input", "host"], &["`--input host` has no value"]),
        (
            &["--input", "host=a", "--input", "host=b"],
            &["given twice"],
        ),
        (
            &["--input", "host=a", "--input", "isolate_for=soon"],
            &["isolate_for", "soon", "2h"],
        ),
        (&["--input", "host=@/no/such/file"], &["/no/such/file"]),
        (&["--input-file", "/no/such/file"], &["/no/such/file"]),
        (
            &["--input", "host=a", "--connect", "edr=kata"],
            &["no alias `edr`"],
        ),
    ] {
        let mut all = vec!["run", "contain_host"];
        all.extend(arguments);
        refused(&place.cordon(&all), WRONG_USE, says);
    }
}

#[test]
fn a_script_that_does_not_compile_is_shown_at_its_place_by_every_command_that_reads_it() {
    let broken = "const PLAYBOOK = #{ title: \"t\" };\nfn run(input) { let x = ; }\n";
    let place = Place::automation().with("playbooks/broken.rhai", broken);
    for arguments in [
        &["run", "broken"][..],
        &["playbook", "check"],
        &["playbook", "show", "broken"],
    ] {
        refused(
            &place.cordon(arguments),
            WRONG_USE,
            &["broken.rhai:2:25", "playbook.syntax"],
        );
    }
    let list = place.cordon(&["playbook", "list"]);
    assert_eq!(list.code, 0, "{}", list.stderr);
    assert!(
        list.stdout
            .contains("wrong: see `cordon playbook check broken`"),
        "{}",
        list.stdout
    );
}

#[test]
fn a_playbook_that_fails_says_where_and_that_nothing_was_changed() {
    let script =
        "const PLAYBOOK = #{ title: \"t\" };\nfn run(input) { fail(\"the moon is full\"); }\n";
    let place = Place::automation().with("playbooks/moon.rhai", script);
    refused(
        &place.cordon(&["run", "moon"]),
        FAILED,
        &["the moon is full", "moon.rhai:2:", "Nothing was changed."],
    );
}

#[test]
fn what_is_no_connector_is_said_for_each_file() {
    let place = Place::automation();
    for (name, bytes) in [
        ("empty", &b""[..]),
        ("prefix", &[0x00, 0x61, 0x73, 0x6d, 0x0d, 0x00, 0x01, 0x00]),
        ("random", b"this is no WebAssembly at all"),
    ] {
        std::fs::write(place.path().join(format!("connectors/{name}.wasm")), bytes).unwrap();
    }
    refused(
        &place.cordon(&["connector", "list"]),
        WRONG_USE,
        &["empty.wasm", "prefix.wasm", "random.wasm"],
    );
    refused(
        &place.cordon(&["connector", "show", "random"]),
        WRONG_USE,
        &["random.wasm"],
    );
}
