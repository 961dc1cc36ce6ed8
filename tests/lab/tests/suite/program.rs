//! `cordon-lab` as a program: what it leaves on disk, and what it says.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Output, Stdio};

use cordon_lab::PRODUCTS;
use cordon_lab::directory::Summary;
use cordon_lab::frame::{ClientCertificate, ServerCertificate};
use cordon_lab::kata::HOST4;
use tempfile::TempDir;

use crate::support::{Caller, exactly, http_client};

fn cordon_lab(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cordon-lab"));
    command.args(arguments).env("CORDON_LAB_LOG", "error");
    command
}

fn run(arguments: &[&str]) -> Output {
    cordon_lab(arguments).output().unwrap()
}

/// A running `cordon-lab up`.
struct Up {
    child: Child,
    out: BufReader<ChildStdout>,
    ready: String,
    dir: PathBuf,
}

impl Up {
    fn start(dir: &Path, more: &[&str]) -> Self {
        let mut arguments = vec!["up", dir.to_str().unwrap()];
        arguments.extend(more);
        let mut child = cordon_lab(&arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut ready = String::new();
        out.read_line(&mut ready).unwrap();
        Self {
            child,
            out,
            ready,
            dir: dir.to_owned(),
        }
    }

    fn summary(&self) -> Summary {
        cordon_lab::directory::find(&self.dir).unwrap()
    }

    fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.dir.join(path)).unwrap()
    }

    /// A caller made of nothing but what `lab.json` says.
    fn caller(&self) -> Caller {
        let summary = self.summary();
        let kata = &summary.products["kata"];
        let text = |path: &Path| std::fs::read_to_string(path).unwrap();
        let own = ClientCertificate::from_pem(
            &text(kata.client_certificate.as_ref().unwrap()),
            &text(kata.client_key.as_ref().unwrap()),
        )
        .unwrap();
        let server = ServerCertificate::from_pem(
            &text(kata.ca.as_ref().unwrap()),
            &self.read("server/server.key"),
        )
        .unwrap();
        assert_eq!(Some(server.sha256()), kata.ca_sha256);
        assert_eq!(Some(own.sha256()), kata.client_certificate_sha256);
        Caller {
            http: http_client(exactly(&server), Some(&own)),
            origin: kata.url.clone(),
            id: kata.credentials["external_system_id"].clone(),
        }
    }

    /// Ends it by a signal and returns what it printed after its first line.
    fn stop(mut self, signal: &str) -> String {
        let process = self.child.id().to_string();
        let sent = Command::new("kill")
            .args([signal, &process])
            .status()
            .unwrap();
        assert!(sent.success());
        assert!(self.child.wait().unwrap().success());
        let mut rest = String::new();
        self.out.read_to_string(&mut rest).unwrap();
        rest
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// Folders with one connector and one playbook each.
fn sources(folder: &TempDir) -> (String, String) {
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (connectors, playbooks) = (path("from-c"), path("from-p"));
    std::fs::create_dir_all(&connectors).unwrap();
    std::fs::create_dir_all(&playbooks).unwrap();
    std::fs::write(format!("{connectors}/kata.wasm"), b"\0asm first").unwrap();
    std::fs::write(format!("{connectors}/README.md"), b"not copied").unwrap();
    std::fs::write(format!("{playbooks}/contain.rhai"), b"// first").unwrap();
    (connectors, playbooks)
}

#[tokio::test]
async fn it_says_one_line_serves_and_stops_on_either_signal() {
    let folder = folder();
    for signal in ["-INT", "-TERM"] {
        let up = Up::start(folder.path(), &[]);
        let root = folder.path().canonicalize().unwrap();
        let summary = up.summary();
        assert!(
            up.ready
                .starts_with(&format!("lab ready: {} ", root.join("lab.json").display()))
        );
        assert!(up.ready.contains(&summary.control_url), "{}", up.ready);
        up.caller().get("sensors").await.expect(200);
        assert_eq!(up.stop(signal), "", "nothing after the one line");
        assert!(!folder.path().join("lab.json").exists());
    }
}

#[tokio::test]
async fn the_automation_directory_is_ready_for_use() {
    let folder = folder();
    let (connectors, playbooks) = sources(&folder);
    let dir = folder.path().join("lab");
    let up = Up::start(
        &dir,
        &["--connectors", &connectors, "--playbooks", &playbooks],
    );
    let connection: toml::Table = up.read("automation/connections/kata.toml").parse().unwrap();
    assert_eq!(connection["connector"].as_str(), Some("kata"));
    assert_eq!(
        connection["url"].as_str(),
        Some(up.summary().products["kata"].url.as_str())
    );
    let credentials = connection["credentials"].as_table().unwrap();
    for reference in [
        &credentials["client_certificate"]["certificate"],
        &credentials["client_certificate"]["key"],
        &connection["tls"]["ca"],
    ] {
        let path = reference.as_str().unwrap().strip_prefix("file:").unwrap();
        assert!(
            up.read(&format!("automation/{path}"))
                .contains("-----BEGIN"),
            "{path}"
        );
    }
    up.read("automation/cordon.toml")
        .parse::<toml::Table>()
        .unwrap();
    assert_eq!(up.read("automation/connectors/kata.wasm"), "\0asm first");
    assert!(!dir.join("automation/connectors/README.md").exists());
    assert_eq!(up.read("automation/playbooks/contain.rhai"), "// first");
}

#[cfg(unix)]
#[tokio::test]
async fn keys_are_readable_by_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = folder();
    let up = Up::start(folder.path(), &[]);
    for key in ["automation/credentials/kata.key", "server/server.key"] {
        let mode = std::fs::metadata(up.dir.join(key))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{key}");
    }
}

#[tokio::test]
async fn a_restart_keeps_keys_and_changes_and_renews_the_rest_even_in_a_folder_that_was_moved() {
    let folder = folder();
    let (connectors, playbooks) = sources(&folder);
    let dir = folder.path().join("lab");
    let more = ["--connectors", &connectors, "--playbooks", &playbooks];
    let first = Up::start(&dir, &more);
    let before = first.summary();
    first.stop("-TERM");
    let connection = dir.join("automation/connections/kata.toml");
    let text = std::fs::read_to_string(&connection).unwrap();
    std::fs::write(&connection, format!("{text}\n[limits]\nconcurrency = 2\n")).unwrap();
    let playbook = dir.join("automation/playbooks/contain.rhai");
    std::fs::write(&playbook, "// mine").unwrap();
    std::fs::write(format!("{connectors}/kata.wasm"), b"\0asm second").unwrap();
    std::fs::write(format!("{playbooks}/contain.rhai"), b"// second").unwrap();

    let moved = folder.path().join("moved");
    std::fs::rename(&dir, &moved).unwrap();
    let (connection, playbook) = (
        moved.join("automation/connections/kata.toml"),
        moved.join("automation/playbooks/contain.rhai"),
    );
    let second = Up::start(&moved, &more);
    let after = second.summary();
    let identity = |summary: &Summary| {
        let kata = &summary.products["kata"];
        (
            kata.ca_sha256.clone(),
            kata.client_certificate_sha256.clone(),
        )
    };
    assert_eq!(identity(&before), identity(&after));
    second.caller().get("sensors").await.expect(200);
    let table: toml::Table = std::fs::read_to_string(&connection)
        .unwrap()
        .parse()
        .unwrap();
    assert_eq!(
        table["url"].as_str(),
        Some(after.products["kata"].url.as_str())
    );
    assert_eq!(table["limits"]["concurrency"].as_integer(), Some(2));
    assert_eq!(std::fs::read_to_string(&playbook).unwrap(), "// mine");
    assert_eq!(
        second.read("automation/connectors/kata.wasm"),
        "\0asm second"
    );
}

#[tokio::test]
async fn a_lab_that_was_killed_does_not_stand_in_the_way_of_the_next() {
    let folder = folder();
    let mut killed = Up::start(folder.path(), &[]);
    killed.child.kill().unwrap();
    killed.child.wait().unwrap();
    let shown = run(&["show", folder.path().to_str().unwrap()]);
    assert_eq!(shown.status.code(), Some(1));
    let said = String::from_utf8(shown.stderr).unwrap();
    assert!(said.contains("does not answer"), "{said}");
    let next = Up::start(folder.path(), &[]);
    next.caller().get("sensors").await.expect(200);
}

#[test]
fn a_second_lab_in_the_same_folder_is_refused() {
    let folder = folder();
    let first = Up::start(folder.path(), &[]);
    let second = run(&["up", folder.path().to_str().unwrap()]);
    assert_eq!(second.status.code(), Some(1));
    let said = String::from_utf8(second.stderr).unwrap();
    assert!(
        said.contains("running in") && said.contains("already"),
        "{said}"
    );
    assert_eq!(
        first.summary().process,
        first.child.id(),
        "the first goes on"
    );
}

#[test]
fn nonsense_is_refused_in_plain_words() {
    let folder = folder();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    std::fs::write(path("file"), "").unwrap();
    std::fs::create_dir_all(path("other/automation")).unwrap();
    std::fs::create_dir_all(path("empty")).unwrap();
    let check = |arguments: &[&str], code: i32, expected: &str| {
        let output = run(arguments);
        let said = String::from_utf8(output.stderr).unwrap();
        // Lines are wrapped to the width of a terminal.
        let said = said.replace(['│', '\n'], " ");
        let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(output.status.code(), Some(code), "{said}");
        assert!(said.contains(expected), "{arguments:?}: {said}");
        assert!(!said.contains("panicked"), "{said}");
    };
    check(&["up"], 2, "<DIR>");
    check(&["up", &path("a"), "--accept", "maybe"], 2, "--accept");
    check(&["up", &path("a"), "--scale", "many"], 2, "--scale");
    check(&["up", &path("a"), "--scale", "200001"], 2, "200000");
    check(&["up", &path("a"), "--hosts", "3"], 2, "--hosts");
    check(&["up", &path("a"), "--speed", "0"], 2, "is not a speed");
    let known = PRODUCTS.join(", ");
    check(&["up", &path("a"), "--only", "kata,kato"], 2, &known);
    check(&["up", &path("a"), "--only", ""], 2, &known);
    assert!(!folder.path().join("a").exists());
    check(&["up", &path("a"), "--certificate", "round"], 2, "no-names");
    check(&["up", &path("file")], 1, "is not a folder");
    check(&["up", &path("other")], 1, "was not made by a lab");
    check(
        &["up", &path("b"), "--connectors", &path("none")],
        1,
        "cannot read",
    );
    check(
        &["up", &path("c"), "--connectors", &path("empty")],
        1,
        "holds no `.wasm` file",
    );
    check(&["show", &path("none")], 1, "no lab is running");
    check(&["accept", &path("none")], 1, "cordon-lab up");
}

#[test]
fn a_broken_file_is_named_and_not_overwritten() {
    let folder = folder();
    Up::start(folder.path(), &[]).stop("-TERM");
    let connection = folder.path().join("automation/connections/kata.toml");
    std::fs::write(&connection, "url = ").unwrap();
    let output = run(&["up", folder.path().to_str().unwrap()]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(said.contains("kata.toml"), "{said}");
    assert_eq!(std::fs::read_to_string(&connection).unwrap(), "url = ");
}

#[tokio::test]
async fn approval_can_be_left_to_a_person() {
    let folder = folder();
    let dir = folder.path().to_str().unwrap();
    let up = Up::start(folder.path(), &["--accept", "false"]);
    let caller = up.caller();
    let nothing = String::from_utf8(run(&["accept", dir]).stdout).unwrap();
    assert!(nothing.contains("nothing waits"), "{nothing}");
    caller.get("sensors").await.expect(401);
    let strange = caller.clone().named("a%2Bb%20c");
    strange.get("sensors").await.expect(401);
    let accepted = String::from_utf8(run(&["accept", dir]).stdout).unwrap();
    assert_eq!(accepted.lines().count(), 2, "{accepted}");
    assert!(
        accepted.contains(&format!("accepted {} ", caller.id)),
        "{accepted}"
    );
    caller.get("sensors").await.expect(200);
    strange.get("sensors").await.expect(200);
}

#[tokio::test]
async fn a_person_sees_the_isolation_that_a_caller_asked_for_and_its_end() {
    let folder = folder();
    let dir = folder.path().to_str().unwrap();
    let up = Up::start(folder.path(), &["--scale", "3"]);
    let path = crate::support::isolation(HOST4);
    let body = serde_json::json!({ "settings": { "autoTurnoffTimeoutInSec": 3600 } });
    up.caller().post(&path, &body).await.expect(200);
    let line = || {
        let shown = String::from_utf8(run(&["show", dir]).stdout).unwrap();
        assert!(shown.contains("ws-0003"), "{shown}");
        shown
            .lines()
            .find(|line| line.contains(HOST4))
            .unwrap()
            .to_owned()
    };
    assert!(line().contains("ISOLATED until"), "{}", line());
    let advanced = run(&["advance", dir, "1h"]);
    assert!(advanced.status.success());
    assert!(line().contains("rule stays"), "{}", line());
    let refused = run(&["advance", dir, "soon"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        String::from_utf8(refused.stderr)
            .unwrap()
            .contains("`soon`")
    );
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let folder = folder();
    let _up = Up::start(folder.path(), &["--scale", "2000"]);
    let mut show = cordon_lab(&["show", folder.path().to_str().unwrap()])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(show.stdout.take());
    let output = show.wait_with_output().unwrap();
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
    assert!(output.status.success());
}

#[tokio::test]
async fn plain_http_is_served_only_when_asked_for() {
    let folder = folder();
    let up = Up::start(folder.path(), &["--plain-http"]);
    let summary = up.summary();
    let kata = &summary.products["kata"];
    assert!(kata.url.starts_with("http://"), "{}", kata.url);
    assert_eq!(kata.ca, None);
    let connection: toml::Table = up.read("automation/connections/kata.toml").parse().unwrap();
    assert!(!connection.contains_key("tls"));
}

#[test]
fn only_the_products_asked_for_are_started_and_announced() {
    let folder = folder();
    let up = Up::start(folder.path(), &["--only", "kata"]);
    let products = up.summary().products;
    assert_eq!(products.keys().collect::<Vec<_>>(), ["kata"]);
    let announced = format!("(kata {}, control ", products["kata"].url);
    assert!(up.ready.contains(&announced), "{}", up.ready);
}

#[test]
fn the_overview_shows_how_fast_the_labs_clock_runs() {
    let folder = folder();
    let dir = folder.path().to_str().unwrap();
    for (arguments, shown) in [
        (&["--speed", "3600"][..], "3600 times real time"),
        (&[], "real time"),
    ] {
        let up = Up::start(folder.path(), arguments);
        let overview = String::from_utf8(run(&["show", dir]).stdout).unwrap();
        assert!(overview.contains(&format!("  {shown}\n")), "{overview}");
        drop(up);
    }
}
