//! Runs outlive the process that began them: left, killed, taken over, moved by people in other
//! processes, and never sent twice.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "what goes wrong here is a failed test"
)]

use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use cordon_end_to_end::{Automation, CANARY, Lab, Output, Server};
use serde_json::{Value, json};

const HOST: &str = "ws-design-11";
const WRONG_USE: i32 = 2;
const ANSWER_LOST: i32 = 5;
const UNFINISHED: i32 = 6;

/// Waits for something that another process does.
#[track_caller]
fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "{what}: never");
        std::thread::sleep(Duration::from_millis(30));
    }
}

/// A `cordon` that goes on in the background; killed when dropped.
struct Background {
    child: Child,
    file: tempfile::NamedTempFile,
}

impl Background {
    fn start(automation: &Automation, arguments: &[&str]) -> Self {
        let file = tempfile::NamedTempFile::new().unwrap();
        let child = automation
            .cordon(arguments)
            .into_command()
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(file.reopen().unwrap())
            .spawn()
            .unwrap();
        Self { child, file }
    }

    fn said(&self) -> String {
        std::fs::read_to_string(self.file.path()).unwrap()
    }

    /// The run that it wrote down.
    fn run(&self) -> String {
        until("the run is written down", || {
            let said = self.said();
            let line = said.lines().find_map(|line| line.strip_prefix("run "))?;
            Some(line.to_owned())
        })
    }

    fn says(&self, text: &str) {
        until(text, || self.said().contains(text).then_some(()));
    }

    /// As a machine that loses power ends it: nothing is done any more.
    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    #[track_caller]
    fn ends(mut self, code: i32) -> String {
        let status = until("it ends", || self.child.try_wait().unwrap());
        assert_eq!(status.code(), Some(code), "{}", self.said());
        self.said()
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn cordon(automation: &Automation, arguments: &[&str]) -> Output {
    automation.cordon(arguments).run()
}

fn state(automation: &Automation, run: &str) -> Value {
    let list = cordon(automation, &["runs", "list", "--json"]).json();
    let runs = list["runs"].as_array().unwrap();
    let found = runs.iter().find(|line| line["run"] == run);
    found.unwrap_or_else(|| panic!("{run} in {list:#}")).clone()
}

/// How often the product did this.
fn applied(lab: &Lab, route: &str) -> usize {
    let requests = lab.get(&format!("requests?route={route}"));
    let requests = requests.as_array().unwrap();
    requests
        .iter()
        .filter(|request| request["applied"] == true)
        .count()
}

fn asked(lab: &Lab, route: &str) -> usize {
    lab.get(&format!("requests?route={route}"))
        .as_array()
        .unwrap()
        .len()
}

fn contain(extra: &[&'static str]) -> Vec<&'static str> {
    let mut arguments = vec!["run", "contain_host", "--input", "host=ws-design-11"];
    arguments.extend([
        "--input",
        "isolate_for=2h",
        "--input",
        "command=collect.exe",
    ]);
    arguments.extend(extra);
    arguments
}

const NAP: &str = r#"
const PLAYBOOK = #{ title: "Nap", inputs: #{ time: #{ type: "duration", default: "1s" } }, uses: #{ } };
fn run(input) { progress("napping"); sleep(input.time); artifact("dream", "sheep"); "rested" }
"#;

const ASK: &str = r#"
const PLAYBOOK = #{ title: "Ask first", uses: #{ } };
fn run(input) {
    approve(#{ message: "shall I?", expires: "1h" });
    ask(#{ message: "how?", choices: ["kindly", "sternly"], expires: "1h" })
}
"#;

#[test]
fn a_run_that_was_only_written_down_is_gone_on_with_later() {
    let automation = Automation::empty();
    automation.write("playbooks/nap.rhai", NAP);
    let started = cordon(&automation, &["run", "nap", "--detach", "--tag", "night"]);
    started.expect_code(0).expect("cordon runs resume");
    let run = started.stdout.trim();
    assert_eq!(state(&automation, run)["state"], "going");
    cordon(&automation, &["runs", "why", run])
        .expect_code(0)
        .expect("nobody executes");

    let resumed = cordon(&automation, &["runs", "resume", run, "--json"]);
    resumed.expect_code(0);
    assert_eq!(resumed.json()["result"], "rested");
    assert_eq!(resumed.json()["run"], run);
    assert_eq!(state(&automation, run)["tags"], json!(["night"]));
    cordon(&automation, &["runs", "artifact", run, "dream"])
        .expect_code(0)
        .expect("sheep");
    let export = cordon(&automation, &["runs", "export", run]);
    export.expect_code(0);
    assert_eq!(export.json()["artifacts"]["dream"]["value"], "sheep");
    cordon(&automation, &["runs", "resume", run])
        .expect_code(0)
        .expect("rested");
}

#[test]
fn a_run_that_waits_for_long_is_told_with_the_time_when_it_goes_on() {
    let automation = Automation::empty();
    automation.write("playbooks/nap.rhai", NAP);
    let arguments = ["run", "nap", "--detach", "--input", "time=5h"];
    let started = cordon(&automation, &arguments);
    let run = started.stdout.trim();
    cordon(&automation, &["runs", "resume", run])
        .expect_code(UNFINISHED)
        .expect("The run stays");
    cordon(&automation, &["runs", "why", run])
        .expect_code(0)
        .expect("the end of a sleep")
        .expect("in 4h59m");
    cordon(&automation, &["runs", "resume", "--all"])
        .expect_code(0)
        .expect("nothing was due");
}

#[test]
fn a_process_that_is_killed_in_the_middle_of_a_poll_leaves_a_run_that_sends_nothing_twice() {
    let lab = Lab::up();
    lab.post("switches", &json!({ "task_run_time_ms": 4000 }));
    let automation = lab.automation();
    let mut began = Background::start(&automation, &contain(&[]));
    let run = began.run();
    until("the poll looks", || {
        (asked(&lab, "read-task") > 0).then_some(())
    });
    began.kill();

    let read = asked(&lab, "list-hosts");
    cordon(&automation, &["runs", "resume", &run])
        .expect_code(0)
        .expect("contain_host succeeded");
    assert!(lab.is_isolated(HOST));
    for route in ["set-isolation", "create-task"] {
        assert_eq!(
            (applied(&lab, route), asked(&lab, route)),
            (1, 1),
            "{route}"
        );
    }
    assert_eq!(
        asked(&lab, "list-hosts"),
        read,
        "a read that is recorded is not made again"
    );
    let shown = cordon(&automation, &["runs", "show", &run]);
    shown
        .expect("kata.isolate")
        .expect("[reversible]")
        .expect("succeeded");
}

#[test]
fn a_second_run_is_executed_by_the_first_process_and_taken_over_when_that_goes_away() {
    let automation = Automation::empty();
    automation.write("playbooks/nap.rhai", NAP);
    let mut first = Background::start(&automation, &["run", "nap", "--input", "time=5m"]);
    let left = first.run();
    let second = cordon(&automation, &["run", "nap", "--input", "time=300ms"]);
    second
        .expect_code(0)
        .expect("it goes on in `cordon run nap`")
        .expect("napping")
        .expect("rested");
    cordon(&automation, &["runs", "resume", "--all"])
        .expect_code(WRONG_USE)
        .expect("another process executes")
        .expect(&format!("process {}", first.child.id()));

    let third = Background::start(&automation, &["run", "nap", "--input", "time=2s"]);
    third.says("it goes on in");
    first.kill();
    let said = third.ends(0);
    assert!(said.contains("this one goes on with it"), "{said}");
    assert!(said.contains("nap succeeded"), "{said}");
    assert!(said.contains("another run is not over"), "{said}");
    assert_eq!(state(&automation, &left)["state"], "waiting");
}

#[test]
fn people_approve_and_answer_from_other_processes_within_a_second() {
    let automation = Automation::empty();
    automation.write("playbooks/ask_first.rhai", ASK);
    let began = Background::start(&automation, &["run", "ask_first"]);
    let run = began.run();
    began.says("cordon approve");
    let at = Instant::now();
    cordon(&automation, &["approve", &run[..8], "--comment", "go"])
        .expect_code(0)
        .expect("approved");
    began.says("cordon answer");
    cordon(&automation, &["answer", &run[..8], "loudly"])
        .expect_code(WRONG_USE)
        .expect("does not fit");
    cordon(&automation, &["answer", &run[..8], "kindly"])
        .expect_code(0)
        .expect("answered");
    began.ends(0);
    assert!(at.elapsed() < Duration::from_secs(3), "{:?}", at.elapsed());
    cordon(&automation, &["runs", "show", &run])
        .expect("approved by")
        .expect("answered by");

    let refused = Background::start(&automation, &["run", "ask_first"]);
    let run = refused.run();
    refused.says("cordon approve");
    cordon(&automation, &["approve", &run, "--deny"]).expect_code(0);
    let said = refused.ends(1);
    assert!(said.contains("refused to approve"), "{said}");
}

#[test]
fn a_cancelled_run_releases_the_host_that_it_isolated() {
    let lab = Lab::up();
    lab.post("switches", &json!({ "task_run_time_ms": 600_000 }));
    let automation = lab.automation();
    let began = Background::start(
        &automation,
        &contain(&["--input", "release_on_failure=true"]),
    );
    let run = began.run();
    until("the poll looks", || {
        (asked(&lab, "read-task") > 0).then_some(())
    });
    assert!(lab.is_isolated(HOST));
    cordon(
        &automation,
        &["runs", "cancel", &run, "--why", "a false alarm"],
    )
    .expect_code(0);
    let said = began.ends(1);
    assert!(said.contains("contain_host cancelled"), "{said}");
    assert!(said.contains("a false alarm"), "{said}");
    assert!(!lab.is_isolated(HOST), "{said}");
    let shown = cordon(&automation, &["runs", "show", &run]);
    shown
        .expect("undo.0")
        .expect("kata.release")
        .expect("a false alarm");
}

/// A directory in which `lose` makes a write whose answer is lost and that may never be repeated.
fn loser(server: &Server) -> Automation {
    let automation = Automation::empty();
    automation.with_connector("guests/trap");
    let connection = format!("connector = \"trap\"\nurl = \"{}\"\n", server.url());
    automation.write("connections/guest.toml", connection);
    let script = r#"
const PLAYBOOK = #{ title: "Lose an answer", uses: #{ guest: "trap" } };
fn run(input) {
    log("before");
    connection("guest").write_and_panic();
    note("after", "gone on");
    "over"
}
"#;
    automation.write("playbooks/lose.rhai", script);
    automation
}

fn written(server: &Server) -> usize {
    let asked = server.asked();
    let posts = asked.iter().filter(|asked| asked.line.starts_with("POST"));
    posts.count()
}

#[test]
fn a_lost_write_waits_for_a_persons_word_and_is_never_sent_again() {
    let server = Server::start(|_| String::new());
    let automation = loser(&server);
    for (number, (how, code, says)) in [
        ("--done", 0, "over"),
        ("--not-done", 1, "write_and_panic"),
        ("--abort", ANSWER_LOST, "ended in doubt"),
    ]
    .into_iter()
    .enumerate()
    {
        let lost = Background::start(&automation, &["run", "lose"]);
        let run = lost.run();
        let said = lost.ends(ANSWER_LOST);
        let command = format!("cordon runs resolve {} 1 --done", &run[..8]);
        assert!(said.contains(&command), "{said}");
        assert_eq!(state(&automation, &run)["state"], "in_doubt");
        cordon(&automation, &["runs", "why", &run]).expect(&command);
        cordon(&automation, &["runs", "resolve", &run, "0", how]).expect_code(WRONG_USE);
        cordon(&automation, &["runs", "resolve", &run, "1", how])
            .expect_code(0)
            .expect("cordon runs resume");
        cordon(&automation, &["runs", "resume", &run])
            .expect_code(code)
            .expect(says);
        assert_eq!(written(&server), number + 1, "{how}");
    }
}

#[test]
fn a_retry_keeps_what_was_done_before_the_step_and_does_the_rest_anew() {
    let lab = Lab::up();
    let automation = lab.automation();
    let script = r#"
const PLAYBOOK = #{ title: "Needs a rule", inputs: #{ host: #{ type: "string" } }, uses: #{ edr: "kata" } };
fn run(input) {
    let edr = connection("edr");
    let id = edr.list_sensors(#{ host: input.host })[0].sensor_id;
    if edr.get_isolation(#{ sensor_id: id }) == () { fail("there is no rule yet"); }
    id
}
"#;
    automation.write("playbooks/needs_rule.rhai", script);
    let failed = cordon(
        &automation,
        &[
            "run",
            "needs_rule",
            "--json",
            "--input",
            "host=ws-design-11",
        ],
    );
    failed.expect_code(1).expect("there is no rule yet");
    let run = failed.json()["run"].as_str().unwrap().to_owned();
    let id = lab.host(HOST)["sensor_id"].as_str().map(str::to_owned);
    let id = id.unwrap_or_else(|| lab.host(HOST)["id"].as_str().unwrap().to_owned());
    let sensor = format!("sensor_id={id}");
    cordon(
        &automation,
        &["call", "kata", "isolate", &sensor, "duration=2h"],
    )
    .expect_code(0);

    let read = asked(&lab, "list-hosts");
    let again = cordon(
        &automation,
        &["runs", "retry", &run, "--from", "1", "--json"],
    );
    again.expect_code(0);
    assert_ne!(again.json()["run"], run.as_str());
    assert_eq!(
        asked(&lab, "list-hosts"),
        read,
        "what was done before is kept"
    );
    let new = again.json()["run"].as_str().unwrap().to_owned();
    cordon(&automation, &["runs", "show", &new]).expect(&format!("run {} from step 1", &run[..8]));
    cordon(&automation, &["runs", "retry", &run, "--from", "9"]).expect_code(WRONG_USE);
}

#[test]
fn a_run_is_watched_from_another_process_until_it_ends() {
    let automation = Automation::empty();
    automation.write("playbooks/nap.rhai", NAP);
    let began = Background::start(&automation, &["run", "nap", "--input", "time=2s"]);
    let run = began.run();
    cordon(&automation, &["runs", "watch", &run])
        .expect_code(0)
        .expect("napping")
        .expect("nap succeeded")
        .expect("rested");
    began.ends(0);
}

#[test]
fn a_run_keeps_the_playbook_and_the_connector_that_it_began_with() {
    let server = Server::start(|_| String::new());
    let automation = Automation::empty();
    automation.with_connector("guests/trap");
    let connection = format!("connector = \"trap\"\nurl = \"{}\"\n", server.url());
    automation.write("connections/guest.toml", connection);
    let script = r#"
const PLAYBOOK = #{ title: "Divide", uses: #{ guest: "trap" } };
fn run(input) {
    let half = connection("guest").divide(#{ number: 6, by: 2 });
    sleep("400ms");
    `the first version, ${half}`
}
"#;
    automation.write("playbooks/divide.rhai", script);
    let started = cordon(&automation, &["run", "divide", "--detach"]);
    let run = started.expect_code(0).stdout.trim().to_owned();

    automation.replace("playbooks/divide.rhai", "the first", "another");
    std::fs::remove_file(automation.root().join("connectors/trap.wasm")).unwrap();
    let resumed = cordon(&automation, &["runs", "resume", &run, "--json"]);
    resumed.expect_code(0);
    assert_eq!(resumed.json()["result"], "the first version, 3");
}

#[test]
fn a_damaged_record_is_told_and_keeps_no_other_run_from_going_on() {
    let automation = Automation::empty();
    let nap = NAP.replace("napping", "napping in the hay");
    automation.write("playbooks/nap.rhai", NAP);
    automation.write("playbooks/spoilt.rhai", nap);
    let begin = |playbook: &str| {
        let arguments = ["run", playbook, "--detach", "--input", "time=5s"];
        let started = cordon(&automation, &arguments);
        started.expect_code(0).stdout.trim().to_owned()
    };
    let spoilt = begin("spoilt");
    let mut process = Background::start(&automation, &["runs", "resume", &spoilt]);
    process.says("napping in the hay");
    until("it waits", || {
        (state(&automation, &spoilt)["state"] == "waiting").then_some(())
    });
    process.kill();
    let sound = begin("nap");
    cordon(&automation, &["store", "compact"]).expect_code(0);

    // The record of the step, not the playbook, in which the same words stand.
    let path = automation.root().join("data/cordon.db");
    let mut bytes = std::fs::read(&path).unwrap();
    let (words, bad) = (b"napping in the hay", b"napping in the bay");
    let places: Vec<usize> = (0..bytes.len() - words.len())
        .filter(|at| bytes[*at..].starts_with(words))
        .filter(|at| {
            bytes[at.saturating_sub(80)..*at]
                .windows(8)
                .any(|near| near == b"progress")
        })
        .collect();
    assert!(!places.is_empty(), "the record is in the file");
    for at in places {
        bytes[at..at + bad.len()].copy_from_slice(bad);
    }
    std::fs::write(&path, bytes).unwrap();

    cordon(&automation, &["runs", "resume", "--all"]).expect("nap");
    assert_eq!(state(&automation, &sound)["outcome"], "succeeded");
    cordon(&automation, &["runs", "show", &spoilt])
        .expect_code(1)
        .expect("damaged");
    cordon(&automation, &["store", "check"])
        .expect_code(1)
        .expect(&spoilt[..8]);
}

#[test]
fn no_secret_is_in_what_is_kept_of_a_run_that_the_product_sent_it_back_to() {
    let server = Server::mirror();
    let automation = Automation::empty();
    automation.with_connector("guests/echo");
    let connection = format!(
        "connector = \"echo\"\nurl = \"{}\"\n[credentials]\ntoken = \"file:credentials/token\"\n",
        server.url()
    );
    automation.write("connections/guest.toml", connection);
    automation.write("credentials/token", CANARY);
    let token = automation.root().join("credentials/token");
    #[cfg(unix)]
    std::fs::set_permissions(&token, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let script = r#"
const PLAYBOOK = #{ title: "Hear it back", uses: #{ guest: "echo" } };
fn run(input) {
    let guest = connection("guest");
    let heard = [to_json(guest.authorized()), to_json(guest.pass(#{ value: secret("token") }))];
    try { guest.fail(); } catch (e) { heard.push(e.message); }
    note("heard", heard);
    artifact("heard", heard);
    heard
}
"#;
    automation.write("playbooks/hear.rhai", script);
    let heard = cordon(&automation, &["run", "hear", "--json"]);
    heard.expect_code(0).expect("[secret token]");
    let sent = server.asked();
    let sent = sent.iter().flat_map(|asked| &asked.headers);
    assert!(sent.into_iter().any(|line| line.contains(CANARY)));

    let has = |bytes: &[u8], text: &str| {
        bytes
            .windows(text.len())
            .any(|part| part == text.as_bytes())
    };
    let files = std::fs::read_dir(automation.root().join("data")).unwrap();
    let files: Vec<Vec<u8>> = files
        .map(|file| std::fs::read(file.unwrap().path()).unwrap())
        .collect();
    assert!(files.iter().any(|bytes| has(bytes, "[secret token]")));
    assert!(!files.iter().any(|bytes| has(bytes, CANARY)));
}

#[test]
fn the_playbook_of_the_tour_waits_for_approval_and_releases_the_host_where_it_is_refused() {
    let readme = concat!(env!("CARGO_MANIFEST_DIR"), "/../../README.md");
    let readme = std::fs::read_to_string(readme).unwrap();
    let script = readme.split("```rhai\n").nth(1).unwrap();
    let script = script.split("```").next().unwrap();
    let lab = Lab::up();
    let automation = lab.automation();
    automation.write("playbooks/keep_isolated.rhai", script);
    for (word, code, isolated) in [("--deny", 1, false), ("--comment=seen", 0, true)] {
        let input = format!("host={HOST}");
        let began = Background::start(&automation, &["run", "keep_isolated", "--input", &input]);
        let run = began.run();
        began.says("cordon approve");
        assert!(lab.is_isolated(HOST));
        cordon(&automation, &["approve", &run, word]).expect_code(0);
        began.ends(code);
        assert_eq!(lab.is_isolated(HOST), isolated, "{word}");
    }
}

#[test]
fn a_backup_that_is_put_in_the_place_of_the_store_has_the_runs_as_they_were() {
    let automation = Automation::empty();
    automation.write("playbooks/nap.rhai", NAP);
    let arguments = ["run", "nap", "--detach", "--input", "time=300ms"];
    let started = cordon(&automation, &arguments);
    let run = started.expect_code(0).stdout.trim().to_owned();
    let copy = automation.root().join("copy.db");
    cordon(&automation, &["store", "backup", copy.to_str().unwrap()]).expect_code(0);
    cordon(&automation, &["runs", "resume", &run]).expect_code(0);
    assert_eq!(state(&automation, &run)["state"], "ended");

    let data = automation.root().join("data");
    for beside in ["cordon.db-wal", "cordon.db-shm"] {
        let _ = std::fs::remove_file(data.join(beside));
    }
    std::fs::copy(&copy, data.join("cordon.db")).unwrap();
    assert_eq!(state(&automation, &run)["state"], "going");
    cordon(&automation, &["runs", "resume", &run])
        .expect_code(0)
        .expect("rested");
    cordon(&automation, &["store", "check"]).expect_code(0);
}
