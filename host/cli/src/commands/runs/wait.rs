//! What a run waits for, in words: what for, until when, and who can move it by which command.

use cordon_journal::run::{Reason, Waiting};
use cordon_journal::{Moment, Run};
use cordon_run::client::short;

use crate::output::time::{distance, moment};
use crate::output::{neutral, paint};

/// Messages of scripts take at most this much of a line.
const MESSAGE: usize = 100;

/// What it waits for, without the time.
#[must_use]
pub fn what(waiting: &Waiting) -> String {
    let quoted = |message: &str| format!("\"{}\"", paint::cut(&neutral::line(message), MESSAGE));
    match &waiting.reason {
        Reason::Sleep => "the end of a sleep".to_owned(),
        Reason::Poll => "the next look of a poll".to_owned(),
        Reason::Retry => "the next try".to_owned(),
        Reason::Approval {
            message,
            role,
            wanted,
            given,
        } => {
            let mut facts = Vec::new();
            if *wanted > 1 {
                facts.push(format!("{} of {wanted} agreed", given.len()));
            }
            if !given.is_empty() {
                facts.push(format!("so far {}", neutral::line(&given.join(", "))));
            }
            facts.extend(
                role.iter()
                    .map(|role| format!("by the role {}", neutral::line(role))),
            );
            let facts = match facts.is_empty() {
                true => String::new(),
                false => format!(" ({})", facts.join(", ")),
            };
            format!("approval of {}{facts}", quoted(message))
        }
        Reason::Answer { message, choices } => {
            let choices = match choices.is_empty() {
                true => String::new(),
                false => format!(" ({})", neutral::line(&choices.join(", "))),
            };
            format!("an answer to {}{choices}", quoted(message))
        }
        Reason::Child { run, playbook } => format!(
            "the end of run {} of {}",
            short(*run),
            neutral::line(playbook)
        ),
        Reason::Resend { action } => format!("the moment to send {} again", neutral::line(action)),
        Reason::Reconcile { action } => format!(
            "the moment to ask the product about {}",
            neutral::line(action)
        ),
        Reason::Resolve { action, message } => format!(
            "a person's word on whether {} has happened: {}",
            neutral::line(action),
            paint::cut(&neutral::line(message), MESSAGE)
        ),
        Reason::Blocked { message } => {
            format!("something that is not usable: {}", neutral::line(message))
        }
        Reason::Slot { key } => format!("a place among runs of {}", neutral::line(key)),
    }
}

/// The same in a word or two, for a table.
#[must_use]
pub fn word(waiting: &Waiting) -> String {
    match &waiting.reason {
        Reason::Sleep => "sleep".to_owned(),
        Reason::Poll => "poll".to_owned(),
        Reason::Retry => "retry".to_owned(),
        Reason::Approval { message, .. } => format!("approval: {message}"),
        Reason::Answer { message, .. } => format!("answer: {message}"),
        Reason::Child { run, playbook } => format!("run {} of {playbook}", short(*run)),
        Reason::Resend { action } => format!("sending {action} again"),
        Reason::Reconcile { action } => format!("asking about {action}"),
        Reason::Resolve { action, .. } => format!("what came of {action}"),
        Reason::Blocked { message } => message.clone(),
        Reason::Slot { key } => format!("a place: {key}"),
    }
}

/// Who can move it, and by which command; none where only time does.
#[must_use]
pub fn how(waiting: &Waiting, run: &Run) -> Option<String> {
    let id = short(run.id);
    let several = run.status.waits.len() > 1;
    let step = match &waiting.step {
        Some(step) if several => format!(" --step {step}"),
        _ => String::new(),
    };
    Some(match &waiting.reason {
        Reason::Approval { .. } => {
            format!("`cordon approve {id}{step}`, or with `--deny` to refuse")
        }
        Reason::Answer { .. } => format!("`cordon answer {id} VALUE{step}`"),
        Reason::Resolve { .. } => {
            let step = waiting.step.as_ref().map(ToString::to_string);
            let step = step.unwrap_or_default();
            format!(
                "`cordon runs resolve {id} {step} --done`, `--not-done`, or `--abort` where nobody will know"
            )
        }
        Reason::Child { run, .. } => {
            format!("`cordon runs why {}` says what that waits for", short(*run))
        }
        Reason::Blocked { .. } => {
            "put it right; `cordon connection test` says whether it is".to_owned()
        }
        Reason::Slot { .. }
        | Reason::Sleep
        | Reason::Poll
        | Reason::Retry
        | Reason::Resend { .. }
        | Reason::Reconcile { .. } => return None,
    })
}

/// Whether it is people who must do something.
#[must_use]
pub fn is_for_people(waiting: &Waiting) -> bool {
    matches!(
        waiting.reason,
        Reason::Approval { .. }
            | Reason::Answer { .. }
            | Reason::Blocked { .. }
            | Reason::Slot { .. }
    )
}

/// `until 2026-03-14T09:21:37Z (in 2h00m)`; none where there is no end.
#[must_use]
pub fn until(waiting: &Waiting, now: Moment) -> Option<String> {
    let until = waiting.until?;
    Some(format!(
        "until {} ({})",
        moment(until),
        distance(until, now)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_approval_says_what_is_to_be_approved_and_what_is_missing() {
        let waiting = Waiting {
            step: Some(cordon_contract::StepKey::root(3)),
            reason: Reason::Approval {
                message: "isolate 3 hosts\x1b?".to_owned(),
                role: Some("duty".to_owned()),
                wanted: 2,
                given: vec!["alice".to_owned()],
            },
            since: Moment(0),
            until: Some(Moment(7_200_000)),
        };
        assert_eq!(
            what(&waiting),
            "approval of \"isolate 3 hosts␛?\" (1 of 2 agreed, so far alice, by the role duty)"
        );
        assert_eq!(
            until(&waiting, Moment(0)).unwrap(),
            "until 1970-01-01T02:00:00Z (in 2h00m)"
        );
    }
}
