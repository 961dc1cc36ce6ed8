//! Approvals and questions: what counts as agreed, who may say so, what is answered.

use cordon_contract::step::{Answer, Approval, Question, Step};
use cordon_contract::{ErrorKind, Failure, Value};
use cordon_journal::Moment;
use cordon_journal::run::Reason;

use super::memory::{Asked, Decision};

/// Why what a person said does not count. Nothing is recorded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The run does not ask for that.
    #[error("the run asks for no {what} {}", at(step.as_deref()))]
    NotAsked {
        /// An approval, or an answer.
        what: &'static str,
        /// The step that was named.
        step: Option<String>,
    },
    /// It asks in several places.
    #[error("the run asks in several places: name one of the steps {}", steps.join(", "))]
    Several {
        /// The steps.
        steps: Vec<String>,
    },
    /// The same person again.
    #[error("{by} has decided already; another person is wanted")]
    Again {
        /// Who.
        by: String,
    },
    /// The person who started the run.
    #[error("{by} started the run, and this approval wants other eyes")]
    FourEyes {
        /// Who.
        by: String,
    },
    /// Not one of those who may.
    #[error("{by} is not among those who may: the approval wants the role `{role}`")]
    Role {
        /// Who.
        by: String,
        /// The role.
        role: String,
    },
    /// Too late.
    #[error("the time to decide was over at {at}")]
    Expired {
        /// When.
        at: Moment,
    },
    /// The answer does not fit the question.
    #[error("{problem}")]
    Answer {
        /// Why.
        problem: String,
    },
    /// No write of that step is in doubt.
    #[error("step {step} is not in doubt")]
    NotInDoubt {
        /// The step.
        step: String,
    },
    /// The run has ended.
    #[error("the run has ended")]
    Ended,
}

fn at(step: Option<&str>) -> String {
    step.map_or_else(String::new, |step| format!("at step {step}"))
        .trim_end()
        .to_owned()
}

impl Refusal {
    /// The page that explains it.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        "run.refused"
    }
}

/// Whether a decision of this person would count.
pub(super) fn may_decide(
    asked: &Asked,
    by: &str,
    started_by: &str,
    has_role: impl Fn(&str) -> bool,
    now: Moment,
) -> Result<(), Refusal> {
    let Step::Approve(approval) = &asked.step else {
        return Err(Refusal::NotAsked {
            what: "approval",
            step: None,
        });
    };
    if let Some(until) = asked.until.filter(|until| *until <= now) {
        return Err(Refusal::Expired { at: until });
    }
    let by = by.to_owned();
    if asked.decisions.iter().any(|decision| decision.by == by) {
        return Err(Refusal::Again { by });
    }
    if approval.four_eyes && by == started_by {
        return Err(Refusal::FourEyes { by });
    }
    match &approval.role {
        Some(role) if !has_role(role) => Err(Refusal::Role {
            by,
            role: role.clone(),
        }),
        _ => Ok(()),
    }
}

/// Whether nobody needs to say anything more.
pub(super) fn is_decided(asked: &Asked) -> bool {
    match &asked.step {
        Step::Approve(approval) => {
            asked.decisions.iter().any(|decision| !decision.allow)
                || agreed(asked) >= approval.approvers as usize
        }
        _ => asked.given.is_some(),
    }
}

fn agreed(asked: &Asked) -> usize {
    asked
        .decisions
        .iter()
        .filter(|decision| decision.allow)
        .count()
}

/// What came of asking, if that is known at this moment.
pub(super) fn outcome(asked: &Asked, now: Moment) -> Option<Answer> {
    let expired = asked.until.filter(|until| *until <= now);
    match &asked.step {
        Step::Approve(approval) => approved(approval, asked, expired),
        Step::Ask(question) => match &asked.given {
            Some((_, value)) => Some(Answer::Done(value.clone())),
            None => expired.map(|until| unanswered(question, until)),
        },
        _ => None,
    }
}

fn approved(approval: &Approval, asked: &Asked, expired: Option<Moment>) -> Option<Answer> {
    if let Some(refused) = asked.decisions.iter().find(|decision| !decision.allow) {
        let comment = refused.comment.as_deref();
        let because = comment.map_or_else(String::new, |comment| format!(": {comment}"));
        let message = format!("{} refused to approve{because}", refused.by);
        return Some(failed(
            Failure {
                details: Value::map([("decisions", decisions(&asked.decisions))]),
                ..Failure::new(ErrorKind::Forbidden, message)
            },
            "run.not-approved",
        ));
    }
    if agreed(asked) >= approval.approvers as usize {
        let by = decisions(&asked.decisions);
        return Some(Answer::Done(Value::map([("approved_by", by)])));
    }
    expired.map(|until| {
        let message = format!(
            "nobody approved by {until}: {} of {} agreed to \"{}\"",
            agreed(asked),
            approval.approvers,
            approval.message
        );
        failed(
            Failure::new(ErrorKind::Timeout, message),
            "run.not-approved",
        )
    })
}

fn unanswered(question: &Question, until: Moment) -> Answer {
    match &question.default {
        Some(default) => Answer::Done(default.clone()),
        None => {
            let message = format!("nobody answered \"{}\" by {until}", question.message);
            failed(
                Failure::new(ErrorKind::Timeout, message),
                "run.not-answered",
            )
        }
    }
}

fn failed(failure: Failure, code: &str) -> Answer {
    Answer::Failed(Box::new(failure.with_code(code)))
}

fn decisions(decisions: &[Decision]) -> Value {
    let decision = |decision: &Decision| {
        Value::map([
            ("who", Value::text(decision.by.clone())),
            ("at", Value::text(decision.at.to_string())),
            ("allow", Value::Bool(decision.allow)),
            (
                "comment",
                decision.comment.clone().map_or(Value::Null, Value::Text),
            ),
        ])
    };
    Value::List(decisions.iter().map(decision).collect())
}

/// What is told about it while it waits.
pub(super) fn reason(asked: &Asked) -> Reason {
    match &asked.step {
        Step::Approve(approval) => Reason::Approval {
            message: approval.message.clone(),
            role: approval.role.clone(),
            wanted: approval.approvers,
            given: asked
                .decisions
                .iter()
                .filter(|decision| decision.allow)
                .map(|decision| decision.by.clone())
                .collect(),
        },
        Step::Ask(question) => Reason::Answer {
            message: question.message.clone(),
            choices: question.choices.clone(),
        },
        _ => Reason::Sleep,
    }
}
