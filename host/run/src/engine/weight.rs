//! About how many bytes a record takes: what a run has used of its journal must be known with each
//! step, so it is estimated, not written out.

use cordon_contract::Value;
use cordon_contract::step::Step;
use cordon_contract::value::Map;
use cordon_journal::What;
use cordon_journal::record::Recorded;

/// About how many bytes a record takes.
pub(super) fn weight(what: &What) -> u64 {
    const RECORD: u64 = 96;
    let step = |step: &Step| match step {
        Step::Action { arguments, .. } => map_weight(arguments),
        Step::Playbook { input, .. } => map_weight(input),
        Step::Artifact { value, .. } | Step::Note { value, .. } => value_weight(value),
        Step::Log { message, .. } | Step::Progress { message, .. } => message.len() as u64,
        Step::Approve(approval) => approval.message.len() as u64,
        Step::Ask(question) => question.message.len() as u64,
        Step::Now | Step::Uuid | Step::Sleep { .. } | Step::Again { .. } | Step::Undo => 0,
    };
    let recorded = |recorded: &Recorded| match recorded {
        Recorded::Done(value) => value_weight(value),
        Recorded::Failed(failure) => failure.message.len() as u64 + value_weight(&failure.details),
        Recorded::Large { length, .. } => *length,
    };
    let content = match what {
        What::Intent { step: of, .. }
        | What::Wait { step: of, .. }
        | What::Asked { step: of, .. }
        | What::Child { step: of, .. } => step(of),
        What::Outcome {
            step: of, answer, ..
        } => of.as_ref().map_or(0, step) + recorded(answer),
        What::Branch { answer, .. } | What::Left { answer, .. } => recorded(answer),
        What::Deferred { failure, .. } | What::Doubt { failure } => failure.message.len() as u64,
        What::Given { value, .. } | What::Resolved { value, .. } => value_weight(value),
        _ => 0,
    };
    RECORD + content
}

fn map_weight(map: &Map) -> u64 {
    map.iter()
        .map(|(name, value)| name.len() as u64 + 4 + value_weight(value))
        .sum()
}

pub(super) fn value_weight(value: &Value) -> u64 {
    match value {
        Value::Text(text) => text.len() as u64 + 3,
        Value::Bytes(bytes) => bytes.len() as u64 * 4 / 3 + 16,
        Value::List(list) => list.iter().map(value_weight).sum::<u64>() + 2,
        Value::Map(map) => map_weight(map) + 2,
        _ => 8,
    }
}
