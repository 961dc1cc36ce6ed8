//! How a run ended, for people and for programs.

use std::collections::BTreeMap;

use cordon_contract::step::Afterwards;
use cordon_contract::{Failure, Value, name};
use cordon_journal::run::{End, Outcome};
use cordon_journal::{Run, RunId, State, Store, StoreError};
use cordon_playbook::RunError;
use cordon_playbook::step::StopReason;
use cordon_run::executor::journal;
use cordon_run::live::Link;
use cordon_run::report::{Report, Write};
use serde::Serialize;

use crate::commands::lost;
use crate::exit::Exit;
use crate::output::time::took;
use crate::output::{Look, Screen, Tone, json, neutral, paint, value};
use crate::problem::Problem;
use crate::problem::playbook::{self as script, failure_of};

/// What there is to say about a run that ended, or that stands where it is.
pub struct Ended {
    /// The run.
    pub run: Run,
    /// What it did.
    pub report: Report,
    /// Why it gave no result, as the script's engine says it.
    error: Option<RunError>,
    /// Why it gave no result, for people.
    problems: Vec<Problem>,
}

/// The one document that `--json` prints.
#[derive(Serialize)]
pub struct Document<'a> {
    run: RunId,
    playbook: &'a str,
    state: &'static str,
    outcome: Option<&'static str>,
    result: Option<&'a Value>,
    message: Option<&'a str>,
    error: Option<ErrorDocument<'a>>,
    notes: Vec<NoteDocument<'a>>,
    writes: Vec<WriteDocument<'a>>,
    reads: usize,
    in_doubt: Vec<DoubtDocument<'a>>,
    artifacts: BTreeMap<&'a str, ArtifactDocument<'a>>,
    took_ms: u64,
}

#[derive(Serialize)]
struct ErrorDocument<'a> {
    message: String,
    code: Option<&'a str>,
    place: Option<String>,
    failure: Option<&'a Failure>,
}

#[derive(Serialize)]
struct NoteDocument<'a> {
    title: &'a str,
    value: &'a Value,
}

#[derive(Serialize)]
struct WriteDocument<'a> {
    step: String,
    connection: &'a str,
    action: String,
    effect: &'static str,
    arguments: Value,
    attempts: u32,
    outcome: &'static str,
    error: Option<&'a Failure>,
}

#[derive(Serialize)]
struct DoubtDocument<'a> {
    step: String,
    connection: &'a str,
    action: String,
    arguments: Value,
    message: &'a str,
}

#[derive(Serialize)]
struct ArtifactDocument<'a> {
    digest: &'a str,
    bytes: u64,
}

impl Ended {
    /// Reads what a run did. `links` are its connections, as far as they are known here.
    pub fn read(
        store: &dyn Store,
        run: Run,
        links: &BTreeMap<String, Link>,
    ) -> Result<Self, StoreError> {
        let entries = journal::read(store, run.id)?;
        let report = Report::of(&run, &entries);
        let written = run.status.end.as_ref().and_then(|end| end.error.clone());
        let error = written.and_then(|error| serde_json::from_value::<RunError>(error).ok());
        let problems = problems(&run, &report, error.as_ref(), links);
        Ok(Self {
            run,
            report,
            error,
            problems,
        })
    }

    fn end(&self) -> Option<&End> {
        self.run.status.end.as_ref()
    }

    /// The findings or the document on standard output; why and how it ended on standard error.
    pub fn show(&self, as_json: bool, screen: &Screen) {
        if as_json {
            screen.print(&json::render(&self.document()));
        } else {
            let findings = self.findings(screen.stdout());
            if !findings.is_empty() {
                screen.print(&findings);
            }
        }
        let look = screen.stderr();
        for problem in &self.problems {
            screen.note(&problem.render(look));
        }
        screen.note(&self.ending(look));
    }

    /// What the process ends with. A lost write outweighs everything else that happened.
    pub fn exit(&self) -> Exit {
        if !self.report.in_doubt.is_empty() {
            return Exit::LostWrite;
        }
        match self.end().map(|end| end.outcome) {
            None if self.run.status.state == State::InDoubt => Exit::LostWrite,
            None => Exit::Unfinished,
            Some(Outcome::Succeeded | Outcome::Partially | Outcome::Skipped) => Exit::Done,
            Some(Outcome::InDoubt) => Exit::LostWrite,
            Some(Outcome::Cancelled) => Exit::Failed,
            Some(Outcome::Failed) => self.problems.first().map_or(Exit::Failed, Problem::exit),
        }
    }

    /// The document that `--json` prints.
    pub fn document(&self) -> Document<'_> {
        let report = &self.report;
        let end = self.end();
        let error = self.problems.first().map(|problem| ErrorDocument {
            message: problem.message().to_owned(),
            code: problem.explained_by(),
            place: problem.place(),
            failure: self.error.as_ref().and_then(failure_of),
        });
        let gave_result =
            |end: &&End| matches!(end.outcome, Outcome::Succeeded | Outcome::Partially);
        Document {
            run: self.run.id,
            playbook: &self.run.order.playbook,
            state: self.run.status.state.name(),
            outcome: end.map(|end| end.outcome.name()),
            result: end.filter(gave_result).map(|end| &end.result),
            message: end.and_then(|end| end.message.as_deref()),
            error,
            notes: report
                .notes
                .iter()
                .map(|note| NoteDocument {
                    title: &note.title,
                    value: &note.value,
                })
                .collect(),
            writes: report.writes.iter().map(write_document).collect(),
            reads: report.reads,
            in_doubt: report
                .in_doubt
                .iter()
                .map(|doubt| DoubtDocument {
                    step: doubt.step.to_string(),
                    connection: &doubt.failure.connection,
                    action: name::snake(&doubt.failure.action),
                    arguments: Value::Map(doubt.arguments.clone()),
                    message: &doubt.failure.message,
                })
                .collect(),
            artifacts: report
                .artifacts
                .iter()
                .map(|(name, (digest, bytes))| {
                    let bytes = *bytes;
                    (name.as_str(), ArtifactDocument { digest, bytes })
                })
                .collect(),
            took_ms: u64::try_from(report.took.as_millis()).unwrap_or(u64::MAX),
        }
    }

    /// What the playbook found out: its notes and its result.
    fn findings(&self, look: Look) -> String {
        let mut parts: Vec<String> = self
            .report
            .notes
            .iter()
            .map(|note| {
                let title = look.paint(Tone::Strong, &neutral::line(&note.title));
                format!("{title}\n{}", value::show(&note.value, None, look))
            })
            .collect();
        if let Some(end) = self.end()
            && !end.result.is_null()
        {
            parts.push(value::show(&end.result, None, look));
        }
        parts.join("\n\n")
    }

    /// How it ended, in a line, and after a failure what had been done by then.
    fn ending(&self, look: Look) -> String {
        let report = &self.report;
        let outcome = self.end().map(|end| end.outcome);
        let (word, tone) = match outcome {
            Some(outcome) => ended(outcome),
            None if self.run.status.state == State::InDoubt => ("is in doubt", Tone::Bad),
            None => ("is not over", Tone::Careful),
        };
        let done: Vec<&Write> = report
            .writes
            .iter()
            .filter(|write| matches!(write.outcome, Some(Ok(()))))
            .collect();
        let reads = counted(report.reads, "read", "reads");
        let changes = counted(done.len(), "change", "changes");
        let mut text = format!(
            "{} {} after {}: {reads}, {changes}",
            neutral::line(&self.run.order.playbook),
            look.paint(tone, word),
            took(report.took)
        );
        let message = self.end().and_then(|end| end.message.as_deref());
        if let (Some(Outcome::Cancelled | Outcome::Skipped | Outcome::InDoubt), Some(message)) =
            (outcome, message)
        {
            text.push_str(&format!("\n{}.", neutral::line(message)));
        }
        let stays = match outcome {
            Some(Outcome::Succeeded | Outcome::Partially | Outcome::Skipped) | None => return text,
            Some(outcome) => outcome,
        };
        if done.is_empty() {
            text.push_str(match stays {
                Outcome::InDoubt => "\nNothing else was changed.",
                _ => "\nNothing was changed.",
            });
            return text;
        }
        let undone = |write: &Write| write.step.afterwards() == Some(Afterwards::Undo);
        text.push_str(match done.iter().any(|write| undone(write)) {
            true => "\nThis was changed, and taken back as far as it says so:",
            false => "\nThis was changed before, and stays:",
        });
        for write in done {
            let arguments = paint::cut(&value::arguments(&write.arguments), ARGUMENTS);
            let name = format!("{}.{}", write.connection, name::snake(&write.action));
            let back = if undone(write) { "taking back: " } else { "" };
            text.push_str(&format!("\n  {back}{}  {arguments}", neutral::line(&name)));
        }
        text
    }
}

/// How it ended, in words, with their colour.
#[must_use]
pub const fn ended(outcome: Outcome) -> (&'static str, Tone) {
    match outcome {
        Outcome::Succeeded => ("succeeded", Tone::Good),
        Outcome::Partially => ("succeeded partially", Tone::Careful),
        Outcome::Failed => ("failed", Tone::Bad),
        Outcome::InDoubt => ("ended in doubt", Tone::Bad),
        Outcome::Cancelled => ("cancelled", Tone::Careful),
        Outcome::Skipped => ("skipped", Tone::Careful),
    }
}

fn write_document(write: &Write) -> WriteDocument<'_> {
    WriteDocument {
        step: write.step.to_string(),
        connection: &write.connection,
        action: name::snake(&write.action),
        effect: write.effect.name(),
        arguments: Value::Map(write.arguments.clone()),
        attempts: write.attempts,
        outcome: match &write.outcome {
            Some(Ok(())) => "done",
            Some(Err(_)) => "failed",
            None => "unknown",
        },
        error: write
            .outcome
            .as_ref()
            .and_then(|outcome| outcome.as_ref().err()),
    }
}

/// Why a run gave no result: its error, and each write of which nobody knows.
fn problems(
    run: &Run,
    report: &Report,
    error: Option<&RunError>,
    links: &BTreeMap<String, Link>,
) -> Vec<Problem> {
    let end = run.status.end.as_ref();
    let failed = end.filter(|end| end.outcome == Outcome::Failed);
    let failed = failed.map(|end| failure(end, error));
    let open = end.is_none().then_some(run.id);
    let doubts = report
        .in_doubt
        .iter()
        .map(|doubt| lost::problem(doubt, links.get(&doubt.failure.connection), open));
    failed.into_iter().chain(doubts).collect()
}

fn failure(end: &End, error: Option<&RunError>) -> Problem {
    let message = || {
        end.message
            .clone()
            .unwrap_or_else(|| "it failed".to_owned())
    };
    match error {
        None => Problem::new(Exit::Failed, message()),
        Some(RunError::Stopped { reason }) => {
            let problem = Problem::new(Exit::Failed, message());
            match reason {
                StopReason::Diverged => problem.code("run.diverged"),
                StopReason::Limit => problem.code("playbook.limit"),
                _ => problem.code("playbook.stopped"),
            }
        }
        Some(error) => script::ended(error),
    }
}

/// Arguments of a change are cut here; `--json` has them whole.
const ARGUMENTS: usize = 100;

/// `no reads`, `1 read`, `7 reads`.
#[must_use]
pub fn counted(count: usize, one: &str, many: &str) -> String {
    match count {
        0 => format!("no {many}"),
        1 => format!("1 {one}"),
        _ => format!("{count} {many}"),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use cordon_contract::{Effect, StepKey};
    use cordon_journal::Moment;
    use cordon_journal::run::{Order, Status};

    use super::*;

    fn write(step: StepKey, action: &str) -> Write {
        Write {
            step,
            connection: "kata".to_owned(),
            action: action.to_owned(),
            arguments: [("sensor_id".to_owned(), Value::text("DF64"))].into(),
            effect: Effect::Reversible,
            attempts: 1,
            outcome: Some(Ok(())),
        }
    }

    fn ended(outcome: Option<Outcome>, message: &str, writes: Vec<Write>) -> Ended {
        let run = Run {
            id: RunId::default(),
            order: Order {
                playbook: "contain".to_owned(),
                version: String::new(),
                input: cordon_contract::value::Map::new(),
                bindings: BTreeMap::new(),
                started_by: "alice".to_owned(),
                created: Moment(0),
                deadline: Moment(0),
                tags: Vec::new(),
                parent: None,
                depth: 0,
                retry_of: None,
                slot: None,
                journal_bytes_max: 0,
                journal_records_max: 0,
            },
            status: Status {
                state: outcome.map_or(State::Waiting, |_| State::Ended),
                due: None,
                waits: Vec::new(),
                seq: 0,
                records: 0,
                bytes: 0,
                end: outcome.map(|outcome| End {
                    outcome,
                    at: Moment(5000),
                    result: Value::Null,
                    error: None,
                    message: Some(message.to_owned()),
                }),
            },
        };
        let report = Report {
            writes,
            took: Duration::from_secs(5),
            ..Report::default()
        };
        let problems = problems(&run, &report, None, &BTreeMap::new());
        Ended {
            run,
            report,
            error: None,
            problems,
        }
    }

    #[test]
    fn a_run_that_was_cancelled_says_by_whom_and_what_was_taken_back() {
        let writes = vec![
            write(StepKey::root(4), "isolate"),
            write(Afterwards::Undo.key().child(0, 0), "release"),
        ];
        let ended = ended(
            Some(Outcome::Cancelled),
            "cancelled by bob: a false alarm",
            writes,
        );
        insta::assert_snapshot!(ended.ending(Look::PLAIN), @r"
        contain cancelled after 5.0s: no reads, 2 changes
        cancelled by bob: a false alarm.
        This was changed, and taken back as far as it says so:
          kata.isolate  sensor_id=DF64
          taking back: kata.release  sensor_id=DF64
        ");
        assert_eq!(ended.exit(), Exit::Failed);
    }

    #[test]
    fn what_the_process_ends_with_follows_how_the_run_stands() {
        for (outcome, exit) in [
            (None, Exit::Unfinished),
            (Some(Outcome::Succeeded), Exit::Done),
            (Some(Outcome::Partially), Exit::Done),
            (Some(Outcome::Skipped), Exit::Done),
            (Some(Outcome::Failed), Exit::Failed),
            (Some(Outcome::InDoubt), Exit::LostWrite),
        ] {
            assert_eq!(ended(outcome, "so it is", Vec::new()).exit(), exit);
        }
        let failed = ended(Some(Outcome::Failed), "the moon is full", Vec::new());
        assert_eq!(failed.problems[0].message(), "the moon is full");
        let document = serde_json::to_value(failed.document()).unwrap();
        assert_eq!(document["outcome"], "failed");
        assert_eq!(document["error"]["message"], "the moon is full");
    }
}
