//! What the commands about runs show and refuse, over a store that was made by hand.
#![allow(clippy::unwrap_used, reason = "what goes wrong here is a failed test")]

mod support;

use std::collections::BTreeMap;
use std::time::Duration;

use cordon_contract::step::{Approval, Composite, Question, Step};
use cordon_contract::value::Map;
use cordon_contract::{BlobReference, Delivery, Effect, ErrorKind, Failure, StepKey, Value};
use cordon_journal::record::Recorded;
use cordon_journal::run::{Binding, End, Order, Outcome, Reason, Status, Waiting};
use cordon_journal::sqlite::{Access, Options, STORE_FILE, SqliteStore};
use cordon_journal::{Change, Durability, Moment, Record, Run, RunId, State, Store as _, What};
use support::{Output, Place};

/// 2026-03-14T09:21:37Z
const START: i64 = 1_773_480_097_000;

const ENDED: &str = "1a2b3c4d-0000-4000-8000-000000000001";
const ASKING: &str = "2b3c4d5e-0000-4000-8000-000000000002";
const DOUBTED: &str = "2b3c9999-0000-4000-8000-000000000003";
const DIGEST: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

fn at(seconds: i64) -> Moment {
    Moment(START + seconds * 1000)
}

fn order(playbook: &str) -> Order {
    let binding = Binding {
        connection: "kata-hq".to_owned(),
        connector: "kata".to_owned(),
        digest: DIGEST.to_owned(),
    };
    Order {
        playbook: playbook.to_owned(),
        version: DIGEST.to_owned(),
        input: Map::from([("host".to_owned(), Value::text("srv-01\x1b[2J"))]),
        bindings: BTreeMap::from([("edr".to_owned(), vec![binding])]),
        started_by: "alice".to_owned(),
        created: at(0),
        deadline: Moment(START + 3_155_760_000_000),
        tags: vec!["case-17".to_owned()],
        parent: None,
        depth: 0,
        retry_of: None,
        slot: None,
        journal_bytes_max: 1 << 20,
        journal_records_max: 1000,
    }
}

fn status(state: State, waits: Vec<Waiting>) -> Status {
    Status {
        state,
        due: None,
        waits,
        seq: 100,
        records: 0,
        bytes: 0,
        end: None,
    }
}

fn action(name: &str) -> Step {
    Step::Action {
        connection: "kata-hq".to_owned(),
        action: name.to_owned(),
        arguments: Map::from([("sensor_id".to_owned(), Value::text("DF64838B"))]),
        undoable: false,
    }
}

fn lost() -> Box<Failure> {
    let failure = Failure {
        delivery: Delivery::Unknown,
        ..Failure::new(ErrorKind::Timeout, "no answer in 30s")
    };
    Box::new(failure.of("kata-hq", "isolate"))
}

fn outcome(step: Option<Step>, value: Value) -> What {
    What::Outcome {
        step,
        answer: Recorded::Done(value),
        took: Duration::from_millis(32),
    }
}

fn with_runs() -> Place {
    let place = Place::automation();
    let path = place.path().join("data").join(STORE_FILE);
    let store = SqliteStore::open(&path, Options::new(Access::Execute)).unwrap();
    let key = |text: &str| text.parse::<StepKey>().unwrap();
    let create = |id: &str, order: Order, status: Status, records: Vec<(i64, &str, What)>| {
        let run: RunId = id.parse().unwrap();
        let created = Run {
            id: run,
            order,
            status: status.clone(),
        };
        let mut changes = vec![Change::Create(Box::new(created))];
        for (seq, (seconds, step, what)) in (1..).zip(records) {
            let record = Record {
                at: at(seconds),
                key: key(step),
                what,
            };
            changes.push(Change::Append { run, seq, record });
        }
        let status = Box::new(status);
        changes.push(Change::Status { run, status });
        store.commit(changes, Durability::Now).unwrap();
    };

    let artifact = cordon_contract::value::exact::to_json(&Value::text("what was found"));
    let digest = cordon_run::engine::digest(artifact.as_bytes());
    let bytes = artifact.into_bytes();
    let kept = Step::Artifact {
        name: "report".to_owned(),
        value: Value::Blob(BlobReference {
            reference: digest.clone(),
            length: bytes.len() as u64,
        }),
    };
    let put = Change::PutBlob { digest, bytes };
    store.commit(vec![put], Durability::Now).unwrap();
    let approval = Step::Approve(Approval {
        message: "isolate srv-01?".to_owned(),
        role: Some("duty".to_owned()),
        expires_ms: None,
        approvers: 1,
        four_eyes: false,
    });
    let poll = Composite::Poll {
        every: Duration::from_secs(5),
        timeout: Duration::from_secs(60),
    };
    let ended = Status {
        end: Some(End {
            outcome: Outcome::Succeeded,
            at: at(75),
            result: Value::map([("contained", Value::Bool(true))]),
            error: None,
            message: None,
        }),
        ..status(State::Ended, Vec::new())
    };
    let records = vec![
        (1, "0", outcome(Some(action("list-sensors")), Value::Null)),
        (
            2,
            "1",
            What::Asked {
                step: approval.clone(),
                until: None,
            },
        ),
        (
            20,
            "1",
            What::Decided {
                by: "bob".to_owned(),
                allow: true,
                comment: Some("go on".to_owned()),
            },
        ),
        (20, "1", outcome(None, approved())),
        (
            21,
            "2",
            What::Intent {
                step: action("isolate"),
                effect: Effect::Reversible,
            },
        ),
        (
            51,
            "2",
            What::Deferred {
                failure: lost(),
                then: cordon_journal::record::Settling::Resend,
                until: at(52),
                asked: 0,
            },
        ),
        (52, "2", What::Attempt { number: 2 }),
        (
            53,
            "2",
            outcome(None, Value::map([("ends", Value::text("11:21"))])),
        ),
        (53, "3", What::Entered { composite: poll }),
        (58, "3", What::Iterated { iteration: 1 }),
        (
            58,
            "3.1.0",
            outcome(Some(action("get-task")), Value::Bool(true)),
        ),
        (
            58,
            "3",
            What::Left {
                answer: Recorded::Done(Value::Bool(true)),
                items: None,
            },
        ),
        (59, "4", outcome(Some(kept), Value::Null)),
    ];
    create(ENDED, order("contain_host"), ended, records);

    let waits = |step: &str, reason| Waiting {
        step: Some(key(step)),
        reason,
        since: at(2),
        until: None,
    };
    let asks = vec![
        waits(
            "1",
            Reason::Approval {
                message: "isolate srv-01?".to_owned(),
                role: Some("duty".to_owned()),
                wanted: 1,
                given: Vec::new(),
            },
        ),
        waits(
            "2.0.0",
            Reason::Answer {
                message: "for how long?".to_owned(),
                choices: vec!["2h".to_owned(), "8h".to_owned()],
            },
        ),
    ];
    let question = Step::Ask(Question {
        message: "for how long?".to_owned(),
        choices: vec!["2h".to_owned(), "8h".to_owned()],
        takes: None,
        expires_ms: None,
        default: None,
    });
    let records = vec![
        (
            2,
            "1",
            What::Asked {
                step: approval,
                until: None,
            },
        ),
        (
            2,
            "2.0.0",
            What::Asked {
                step: question,
                until: None,
            },
        ),
    ];
    create(
        ASKING,
        order("ask_first"),
        status(State::Waiting, asks),
        records,
    );

    let doubt = vec![waits(
        "0",
        Reason::Resolve {
            action: "kata-hq.isolate".to_owned(),
            message: "no answer in 30s".to_owned(),
        },
    )];
    let records = vec![
        (
            1,
            "0",
            What::Intent {
                step: action("isolate"),
                effect: Effect::Irreversible,
            },
        ),
        (31, "0", What::Doubt { failure: lost() }),
    ];
    create(
        DOUBTED,
        order("wipe_host"),
        status(State::InDoubt, doubt),
        records,
    );
    store.close().unwrap();
    place
}

fn approved() -> Value {
    let bob = Value::map([("who", Value::text("bob")), ("allow", Value::Bool(true))]);
    Value::map([("approved_by", Value::List(vec![bob]))])
}

/// Without what depends on the time of the test.
fn undated(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('(') {
        let (inside, behind) = after.split_once(')').unwrap_or((after, ""));
        let dated = inside.ends_with(" ago") || inside.starts_with("in ");
        let inside = if dated { "DISTANCE" } else { inside };
        plain.push_str(&format!("{before}({inside})"));
        rest = behind;
    }
    plain.push_str(rest);
    plain
}

#[test]
fn runs_are_listed_shown_and_explained() {
    let place = with_runs();
    for arguments in [
        &["runs", "list"][..],
        &["runs", "list", "--open"],
        &["runs", "list", "--outcome", "succeeded", "--json"],
        &["runs", "show", "1a2b"],
        &["-v", "runs", "show", "1a2b"],
        &["runs", "show", "2b3c4"],
        &["runs", "show", "2b3c9"],
        &["runs", "why", "1a2b"],
        &["runs", "why", "2b3c4"],
        &["runs", "why", "2b3c9"],
        &["runs", "artifact", "1a2b"],
        &["runs", "artifact", "1a2b", "report"],
    ] {
        let output = place.cordon(arguments);
        assert_eq!(output.code, 0, "{arguments:?}: {}", output.stderr);
        insta::assert_snapshot!(
            arguments.join("_").replace("--", ""),
            undated(&place.plain(&output.stdout))
        );
        assert!(!output.stdout.contains('\x1b'), "{}", output.stdout);
    }
    let filtered = place.cordon(&["runs", "list", "--tag", "nothing-like-it"]);
    assert_eq!((filtered.code, filtered.stdout.as_str()), (0, ""));
}

#[test]
fn an_export_of_a_run_has_all_of_it_in_one_document() {
    let place = with_runs();
    let file = place.path().join("run.json");
    let output = place.cordon(&["runs", "export", "1a2b", "--output", file.to_str().unwrap()]);
    assert_eq!(output.code, 0, "{}", output.stderr);
    let text = std::fs::read_to_string(file).unwrap();
    let document: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(document["journal"].as_array().unwrap().len(), 13);
    assert_eq!(document["artifacts"]["report"]["value"], "what was found");
    assert_eq!(document["report"]["outcome"], "succeeded");
    assert_eq!(document["run"]["order"]["started_by"], "alice");
}

#[test]
fn the_store_is_checked_copied_written_out_and_made_smaller() {
    let place = with_runs();
    let check = place.cordon(&["store", "check"]);
    assert_eq!(check.code, 0, "{}{}", check.stdout, check.stderr);
    assert!(check.stdout.contains("3 runs"), "{}", check.stdout);
    let copy = place.path().join("copy.db");
    let copy = copy.to_str().unwrap();
    assert_eq!(place.cordon(&["store", "backup", copy]).code, 0);
    refused(
        &place.cordon(&["store", "backup", copy]),
        2,
        &["is there already"],
    );
    let lines = place.cordon(&["store", "export", "-"]);
    assert_eq!(lines.stdout.lines().count(), 3, "{}", lines.stderr);

    let place = place.with("cordon.toml", "[retention]\nsucceeded = \"1ms\"\n");
    let compacted = place.cordon(&["store", "compact", "--json"]);
    let document: serde_json::Value = serde_json::from_str(&compacted.stdout).unwrap();
    assert_eq!(document["runs"], 1, "{document:#}");
    assert_eq!(place.cordon(&["runs", "show", "2b3c4"]).code, 0);
    refused(
        &place.cordon(&["runs", "show", "1a2b"]),
        2,
        &["no run `1a2b`"],
    );
}

#[test]
fn what_people_say_is_kept_for_whoever_executes_next() {
    let place = with_runs();
    for arguments in [
        &["approve", "2b3c4", "--comment", "fine"][..],
        &["answer", "2b3c4", "2h"],
        &["runs", "cancel", "2b3c4", "--why", "a false alarm"],
        &["runs", "resolve", "2b3c9", "0", "--done"],
        &[
            "runs",
            "resolve",
            "2b3c9",
            "0",
            "--done",
            "{\"ends\": \"x\"}",
        ],
    ] {
        let output = place.cordon(arguments);
        assert_eq!(output.code, 0, "{arguments:?}: {}", output.stderr);
        assert!(
            output.stderr.contains("`cordon runs resume 2b3c"),
            "{}",
            output.stderr
        );
    }
}

#[track_caller]
fn refused(output: &Output, code: i32, says: &[&str]) {
    let plain = output.stderr.split_whitespace();
    let plain = plain.collect::<Vec<_>>().join(" ");
    assert_eq!(output.code, code, "{}{}", output.stdout, output.stderr);
    for text in says {
        assert!(
            plain.contains(text),
            "`{text}` is not said in\n{}",
            output.stderr
        );
    }
    assert_eq!(output.stdout, "");
}

#[test]
fn wrong_use_of_every_command_about_runs_is_one_clear_message() {
    let place = with_runs();
    let several = &[
        "several runs begin with `2b3c`",
        "ask_first",
        "run.ambiguous",
    ][..];
    let unknown = &["no run `1a2c`", "did you mean `1a2b`?", "run.unknown"][..];
    for command in [
        &["runs", "show"][..],
        &["runs", "watch"],
        &["runs", "why"],
        &["runs", "resume"],
        &["runs", "cancel"],
        &["runs", "artifact"],
        &["runs", "export"],
        &["approve"],
    ] {
        for (run, says) in [("2b3c", several), ("1a2c", unknown)] {
            let arguments: Vec<&str> = command.iter().copied().chain([run]).collect();
            refused(&place.cordon(&arguments), 2, says);
        }
    }
    for (arguments, says) in [
        (
            &["approve", "1a2b"][..],
            &["the run has ended", "run.refused"][..],
        ),
        (&["approve", "2b3c9"], &["asks for no approval"]),
        (
            &["approve", "2b3c4", "--step", "7"],
            &["no approval at step 7"],
        ),
        (
            &["approve", "2b3c4", "--step", "4.2"],
            &["4.2", "steps look like"],
        ),
        (&["answer", "2b3c4"], &["VALUE"]),
        (&["answer", "2b3c4", "3h"], &["does not fit", "run.refused"]),
        (&["answer", "1a2b", "x"], &["the run has ended"]),
        (&["answer", "2b3c9", "x"], &["asks for no answer"]),
        (&["runs", "cancel", "1a2b"], &["the run has ended"]),
        (&["runs", "cancel"], &["RUN"]),
        (&["runs", "resume"], &["RUN", "--all"]),
        (&["runs", "resume", "2b3c4", "--all"], &["--all"]),
        (
            &["runs", "retry", "2b3c4", "--from", "1"],
            &["is not over", "run.unfinished"],
        ),
        (&["runs", "retry", "1a2b", "--from", "17"], &["no step 17"]),
        (
            &["runs", "retry", "1a2b", "--from", "undo.0.1"],
            &["no step undo.0.1"],
        ),
        (&["runs", "retry", "1a2b"], &["--from"]),
        (
            &["runs", "resolve", "2b3c9", "0"],
            &["--done", "--not-done", "--abort"],
        ),
        (
            &["runs", "resolve", "2b3c9", "4", "--abort"],
            &["step 4 is not in doubt"],
        ),
        (
            &["runs", "resolve", "2b3c9", "0", "--abort", "--not-done"],
            &["--not-done"],
        ),
        (
            &["runs", "resolve", "1a2b", "0", "--abort"],
            &["the run has ended"],
        ),
        (
            &["runs", "artifact", "1a2b", "raport"],
            &["did you mean `report`?"],
        ),
        (
            &["runs", "list", "--state", "wating"],
            &["wating", "waiting"],
        ),
        (&["runs", "list", "--outcome", "well"], &["succeeded"]),
        (&["runs", "list", "--since", "soon"], &["2d"]),
        (&["store", "backup"], &["FILE"]),
    ] {
        refused(&place.cordon(arguments), 2, says);
    }
}

#[test]
fn a_directory_in_which_nothing_was_run_says_so() {
    let place = Place::automation();
    for arguments in [
        &["runs", "list"][..],
        &["runs", "resume", "--all"],
        &["store", "check"],
        &["store", "compact"],
        &["store", "backup", "x"],
    ] {
        let output = place.cordon(arguments);
        assert_eq!(
            (output.code, output.stdout.as_str()),
            (0, ""),
            "{arguments:?}: {}",
            output.stderr
        );
        assert!(
            output.stderr.contains("no run was started"),
            "{}",
            output.stderr
        );
    }
    assert!(!place.path().join("data").exists(), "looking makes nothing");
    for arguments in [
        &["runs", "show", "1a"][..],
        &["runs", "resume", "1a"],
        &["runs", "retry", "1a", "--from", "0"],
        &["approve", "1a"],
        &["answer", "1a", "x"],
    ] {
        refused(
            &place.cordon(arguments),
            2,
            &["no run was started here yet"],
        );
    }
}
