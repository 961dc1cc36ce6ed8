//! The real program and its real file, treated as machines and people treat them: killed at any moment,
//! a damaged or unwritable file, a disk that fails, a clock that is set back. What was done to the product
//! is read from the lab, which shares no code with Cordon.
#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "what goes wrong here is a failed test"
)]

use std::collections::BTreeMap;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use cordon_end_to_end::adversity::{Chance, kill};
use cordon_end_to_end::{Automation, Lab, Program};
use serde_json::{Value, json};

const HOST: &str = "ws-design-11";

/// How long the killing goes on.
const KILLING: Duration = Duration::from_secs(60);

/// How many kills there must have been at least, and how many of them with work under way.
const KILLS_MIN: usize = 20;

/// The job, with a poll that is fast enough for a test.
const JOB: &str = r#"
const PLAYBOOK = #{
    title: "Contain, looking often",
    inputs: #{ host: "string", number: "integer" },
    uses: #{ edr: "kata" },
};

fn run(input) {
    let edr = connection("edr");
    let sensors = edr.list_sensors(#{ host: input.host });
    let id = sensors[0].sensor_id;
    note("began", input.number);
    edr.isolate(#{ sensor_id: id, duration: "2h" });
    let task = edr.create_run_task(#{ sensor_id: id, command: `collect-${input.number}.exe` });
    sleep("300ms");
    let done = poll(|| edr.get_task(#{ task_id: task.task_id }), |task| task != () && task.finished, #{ every: "200ms", timeout: "10m" });
    #{ number: input.number, state: done.state, task: task.task_id }
}
"#;

fn automation(lab: &Lab) -> Automation {
    let automation = lab.automation();
    automation.write("playbooks/job.rhai", JOB);
    automation
}

fn begin(automation: &Automation, number: usize) -> String {
    let output = automation
        .cordon(["run", "job", "--detach", "--json"])
        .args(["--input", &format!("host={HOST}")])
        .args(["--input", &format!("number={number}")])
        .run();
    output.expect_code(0);
    output.json()["run"].as_str().unwrap().to_owned()
}

fn resume(automation: &Automation) -> Program {
    automation.cordon(["runs", "resume", "--all"])
}

fn spawn(program: Program) -> Child {
    program
        .into_command()
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Every run by its id.
fn runs(automation: &Automation) -> BTreeMap<String, Value> {
    let output = automation
        .cordon(["runs", "list", "--json", "--limit", "1000"])
        .run();
    output.expect_code(0);
    let document = output.json();
    let runs = document["runs"].as_array().unwrap();
    runs.iter()
        .map(|run| (run["run"].as_str().unwrap().to_owned(), run.clone()))
        .collect()
}

fn open(automation: &Automation) -> usize {
    runs(automation)
        .values()
        .filter(|run| run["state"] != "ended")
        .count()
}

/// Executes until every run has ended.
fn finish(automation: &Automation) {
    let patience = Instant::now() + Duration::from_secs(120);
    while open(automation) > 0 {
        assert!(
            Instant::now() < patience,
            "runs that do not end: {:#?}",
            runs(automation)
        );
        let output = resume(automation).run();
        assert!(matches!(output.code, Some(0 | 6)), "{output:?}");
        std::thread::sleep(Duration::from_millis(200));
    }
}

#[test]
fn killed_at_any_moment_every_run_ends_and_nothing_is_done_twice() {
    let seed = std::env::var("CORDON_TORTURE_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok())
        .unwrap_or(1);
    println!("seed {seed}; CORDON_TORTURE_SEED sets another");
    let mut chance = Chance::new(seed);
    let lab = Lab::up();
    lab.post(
        "switches",
        &json!({ "task_run_time_ms": 700, "task_start_delay_ms": 100 }),
    );
    let automation = automation(&lab);

    let mut begun = Vec::new();
    let (mut kills, mut in_the_middle) = (0, 0);
    let until = Instant::now() + KILLING;
    while Instant::now() < until {
        for _ in 0..=chance.below(3) {
            begun.push(begin(&automation, begun.len()));
        }
        adversity(&lab, &mut chance);
        let process = spawn(resume(&automation));
        std::thread::sleep(Duration::from_millis(60 + chance.below(900)));
        kill(process);
        kills += 1;
        in_the_middle += usize::from(open(&automation) > 0);
    }
    clear(&lab);
    finish(&automation);

    assert!(kills >= KILLS_MIN, "{kills} kills are no torture");
    assert!(
        in_the_middle >= KILLS_MIN / 2,
        "{in_the_middle} kills with work under way"
    );
    let runs = runs(&automation);
    let mut by_command: BTreeMap<String, usize> = BTreeMap::new();
    for task in lab.get("tasks").as_array().unwrap() {
        let command = task["settings"]["exec_command"]
            .as_str()
            .unwrap()
            .to_owned();
        *by_command.entry(command).or_default() += 1;
    }
    for (number, id) in begun.iter().enumerate() {
        let run = &runs[id];
        assert_eq!(run["outcome"], "succeeded", "run {number}: {run:#}");
        let command = format!("collect-{number}.exe");
        assert_eq!(
            by_command.remove(&command),
            Some(1),
            "run {number} has not exactly one task in the product"
        );
    }
    assert!(by_command.is_empty(), "tasks of no run: {by_command:?}");
    assert!(lab.is_isolated(HOST));
    automation.cordon(["store", "check"]).run().expect_code(0);
    println!(
        "{} runs, {kills} kills, {in_the_middle} with work under way",
        begun.len()
    );
}

/// What the product does to requests that come next.
fn adversity(lab: &Lab, chance: &mut Chance) {
    let faults = [
        json!({ "kind": "drop-after" }),
        json!({ "kind": "drop-before" }),
        json!({ "kind": "delay", "delay_ms": 150 }),
        json!({ "kind": "half-body" }),
        json!({ "kind": "status", "status": 503 }),
    ];
    let routes = ["set-isolation", "create-task", "read-task", "list-hosts"];
    let pick = |chance: &mut Chance, count: usize| chance.below(count as u64) as usize;
    let (fault, route) = (pick(chance, faults.len()), pick(chance, routes.len()));
    lab.post(
        "faults",
        &json!({ "route": routes[route], "times": 1, "fault": faults[fault] }),
    );
}

fn clear(lab: &Lab) {
    lab.delete("faults");
}

#[test]
fn a_damaged_file_is_told_and_what_is_whole_of_it_goes_on() {
    let lab = Lab::up();
    let automation = automation(&lab);
    for number in 0..6 {
        begin(&automation, number);
    }
    finish(&automation);
    let path = automation.root().join("data/cordon.db");
    let whole = std::fs::read(&path).unwrap();
    let mut chance = Chance::new(7);
    let mut told = 0;
    for _ in 0..25 {
        let mut damaged = whole.clone();
        for _ in 0..=chance.below(4) {
            let place = chance.below(damaged.len() as u64) as usize;
            damaged[place] ^= 1 << chance.below(8);
        }
        if chance.below(5) == 0 {
            damaged.truncate(chance.below(damaged.len() as u64) as usize);
        }
        std::fs::write(&path, &damaged).unwrap();
        for stray in ["cordon.db-wal", "cordon.db-shm"] {
            let _ = std::fs::remove_file(automation.root().join("data").join(stray));
        }
        let check = automation.cordon(["store", "check"]).run();
        assert!(matches!(check.code, Some(0 | 1)), "{check:?}");
        told += usize::from(check.code == Some(1));
        let list = automation.cordon(["runs", "list", "--json"]).run();
        assert!(matches!(list.code, Some(0 | 1)), "{list:?}");
        let resumed = resume(&automation).run();
        assert!(matches!(resumed.code, Some(0 | 1 | 6)), "{resumed:?}");
    }
    assert!(told >= 10, "{told} of 25 damaged files were told");
    let tasks = lab.get("tasks");
    assert_eq!(
        tasks.as_array().unwrap().len(),
        6,
        "a damaged file did something: {tasks:#}"
    );
}

#[test]
fn a_store_that_cannot_be_written_starts_nothing_and_says_so() {
    let lab = Lab::up();
    let automation = automation(&lab);
    begin(&automation, 0);
    let refused = automation.root().join("sync-fails");
    std::fs::write(&refused, "").unwrap();
    let output = automation
        .cordon([
            "run",
            "job",
            "--input",
            &format!("host={HOST}"),
            "--input",
            "number=1",
        ])
        .failing_to_sync_while(&refused)
        .run();
    output.expect_code(1).expect("cannot be read or written");
    assert_eq!(lab.get("tasks").as_array().unwrap().len(), 0);

    std::fs::remove_file(&refused).unwrap();
    finish(&automation);
    let tasks = lab.get("tasks");
    assert!(!tasks.as_array().unwrap().is_empty(), "{tasks:#}");
}

#[test]
fn a_store_that_is_read_only_executes_nothing_says_so_and_can_still_be_read() {
    let lab = Lab::up();
    let automation = automation(&lab);
    let run = begin(&automation, 0);
    let data = automation.root().join("data");
    let output = resume(&automation).with_read_only(&data).run();
    output.expect_code(1).expect("Read-only file system");
    assert_eq!(lab.get("tasks").as_array().unwrap().len(), 0);
    let listed = automation
        .cordon(["runs", "list"])
        .with_read_only(&data)
        .run();
    listed.expect_code(0).expect(&run[..8]);

    finish(&automation);
    assert_eq!(lab.get("tasks").as_array().unwrap().len(), 1);
}

#[test]
fn a_disk_that_fails_in_the_middle_stops_the_process_and_loses_no_run() {
    let lab = Lab::up();
    let automation = automation(&lab);
    for number in 0..4 {
        begin(&automation, number);
    }
    let refused = automation.root().join("sync-fails");
    let process = spawn(resume(&automation).failing_to_sync_while(&refused));
    std::thread::sleep(Duration::from_millis(250));
    std::fs::write(&refused, "").unwrap();
    let mut process = process;
    let patience = Instant::now() + Duration::from_secs(30);
    while process.try_wait().unwrap().is_none() {
        assert!(Instant::now() < patience, "it goes on without a disk");
        std::thread::sleep(Duration::from_millis(50));
    }
    std::fs::remove_file(&refused).unwrap();
    finish(&automation);
    for run in runs(&automation).values() {
        assert_eq!(run["outcome"], "succeeded", "{run:#}");
    }
    assert_eq!(lab.get("tasks").as_array().unwrap().len(), 4);
}

#[test]
fn a_clock_that_is_set_back_a_day_delays_no_wait() {
    let lab = Lab::up();
    let automation = automation(&lab);
    begin(&automation, 0);
    let process = spawn(resume(&automation));
    std::thread::sleep(Duration::from_millis(350));
    kill(process);

    let began = Instant::now();
    while open(&automation) > 0 {
        assert!(
            began.elapsed() < Duration::from_secs(60),
            "{:#?}",
            runs(&automation)
        );
        let output = resume(&automation).with_clock_off_by(-24 * 3600).run();
        assert!(matches!(output.code, Some(0 | 6)), "{output:?}");
        std::thread::sleep(Duration::from_millis(200));
    }
    let runs = runs(&automation);
    assert!(
        runs.values().all(|run| run["outcome"] == "succeeded"),
        "{runs:#?}"
    );
}
