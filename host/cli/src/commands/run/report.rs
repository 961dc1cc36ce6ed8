//! How a run ended, for people and for programs.

use cordon_contract::{Failure, Value, name};
use cordon_run::execution::{Outcome, Report};
use cordon_run::live::Write;
use serde::Serialize;
use uuid::Uuid;

use crate::output::time::took;
use crate::output::{Look, Tone, neutral, paint, value};
use crate::problem::Problem;
use crate::problem::playbook::failure_of;

/// What there is to say about a run that ended.
pub struct Ended<'a> {
    /// The playbook's name.
    pub playbook: &'a str,
    /// How it ended and what it did.
    pub report: &'a Report,
    /// Why it gave no result, for people.
    pub problems: &'a [Problem],
    /// How many reads it made.
    pub reads: usize,
}

/// The one document that `--json` prints.
#[derive(Serialize)]
struct Document<'a> {
    run: Uuid,
    playbook: &'a str,
    outcome: &'static str,
    result: Option<&'a Value>,
    error: Option<ErrorDocument<'a>>,
    notes: Vec<NoteDocument<'a>>,
    writes: Vec<WriteDocument<'a>>,
    reads: usize,
    in_doubt: Vec<DoubtDocument<'a>>,
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

/// The document that `--json` prints.
pub fn document<'a>(ended: &Ended<'a>) -> impl Serialize + 'a {
    let report = ended.report;
    let error = ended.problems.first().map(|problem| ErrorDocument {
        message: problem.message().to_owned(),
        code: problem.explained_by(),
        place: problem.place(),
        failure: match &report.outcome {
            Outcome::Failed(error) => failure_of(error),
            _ => None,
        },
    });
    let (outcome, result) = match &report.outcome {
        Outcome::Done(result) => ("done", Some(result)),
        Outcome::Failed(_) => ("failed", None),
        Outcome::Cancelled => ("cancelled", None),
        Outcome::InDoubt => ("in_doubt", None),
    };
    Document {
        run: report.run,
        playbook: ended.playbook,
        outcome,
        result,
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
        reads: ended.reads,
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
        took_ms: u64::try_from(report.took.as_millis()).unwrap_or(u64::MAX),
    }
}

fn write_document(write: &Write) -> WriteDocument<'_> {
    WriteDocument {
        step: write.step.to_string(),
        connection: &write.connection,
        action: name::snake(&write.action),
        effect: write.effect.name(),
        arguments: Value::Map(write.arguments.clone()),
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

/// What the playbook found out: its notes and its result.
#[must_use]
pub fn findings(report: &Report, look: Look) -> String {
    let mut parts: Vec<String> = report
        .notes
        .iter()
        .map(|note| {
            let title = look.paint(Tone::Strong, &neutral::line(&note.title));
            format!("{title}\n{}", value::show(&note.value, None, look))
        })
        .collect();
    if let Outcome::Done(result) = &report.outcome
        && !result.is_null()
    {
        parts.push(value::show(result, None, look));
    }
    parts.join("\n\n")
}

/// How it ended, in a line, and after a failure what had been done by then.
#[must_use]
pub fn ending(ended: &Ended<'_>, look: Look) -> String {
    let report = ended.report;
    let (word, tone) = match report.outcome {
        Outcome::Done(_) => ("done", Tone::Good),
        Outcome::Failed(_) => ("failed", Tone::Bad),
        Outcome::Cancelled => ("stopped", Tone::Careful),
        Outcome::InDoubt => ("in doubt", Tone::Bad),
    };
    let done: Vec<&Write> = report
        .writes
        .iter()
        .filter(|write| matches!(write.outcome, Some(Ok(()))))
        .collect();
    let reads = counted(ended.reads, "read", "reads");
    let changes = counted(done.len(), "change", "changes");
    let mut text = format!(
        "{} {} after {}: {reads}, {changes}",
        neutral::line(ended.playbook),
        look.paint(tone, word),
        took(report.took)
    );
    match (&report.outcome, done.as_slice()) {
        (Outcome::Done(_), _) => {}
        (Outcome::InDoubt, []) => text.push_str("\nNothing else was changed."),
        (_, []) => text.push_str("\nNothing was changed."),
        (_, done) => {
            text.push_str("\nThis was changed before, and stays:");
            for write in done {
                let arguments = paint::cut(&value::arguments(&write.arguments), ARGUMENTS);
                let name = format!("{}.{}", write.connection, name::snake(&write.action));
                text.push_str(&format!("\n  {}  {arguments}", neutral::line(&name)));
            }
        }
    }
    text
}

/// Arguments of a change are cut here; `--json` has them whole.
const ARGUMENTS: usize = 100;

fn counted(count: usize, one: &str, many: &str) -> String {
    match count {
        0 => format!("no {many}"),
        1 => format!("1 {one}"),
        _ => format!("{count} {many}"),
    }
}
