//! Steps as they are compared and told: whether the script asks for what its journal holds, and what
//! either is called where they differ.

use cordon_contract::step::{Composite, Step};
use cordon_contract::value::exact;
use cordon_contract::{BlobReference, Value, name};

use super::memory::Stage;

/// Whether the script asks for what the journal holds. Numbers that are equal to nothing, not even to
/// themselves, are compared as they are written.
pub(super) fn is_same(held: &Step, asked: &Step) -> bool {
    held == asked || written(held) == written(asked)
}

/// What an artifact holds goes into the store by its digest; the step has the digest in its place.
pub(super) fn kept_apart(step: Step) -> (Step, Option<(String, Vec<u8>)>) {
    let Step::Artifact { name, value } = step else {
        return (step, None);
    };
    let bytes = exact::to_json(&value).into_bytes();
    let digest = digest(&bytes);
    let value = Value::Blob(BlobReference {
        reference: digest.clone(),
        length: bytes.len() as u64,
    });
    (Step::Artifact { name, value }, Some((digest, bytes)))
}

/// SHA-256 in lower-case hex: what names bytes in the store.
#[must_use]
pub fn digest(bytes: &[u8]) -> String {
    use sha2::{Digest as _, Sha256};
    hex::encode(Sha256::digest(bytes))
}

fn written(step: &Step) -> Option<String> {
    serde_json::to_string(step).ok()
}

pub(super) fn describe_step(step: &Step) -> String {
    match step {
        Step::Action {
            connection,
            action,
            arguments,
            ..
        } => format!(
            "`{connection}.{}` with {}",
            name::snake(action),
            exact::to_json(&Value::Map(arguments.clone()))
        ),
        other => format!("`{}`", written(other).unwrap_or_default()),
    }
}

pub(super) fn describe(stage: &Stage) -> String {
    match stage {
        Stage::Composite(whole) => whole
            .composite
            .map_or_else(|| "nothing".to_owned(), describe_composite),
        other => other
            .step()
            .map_or_else(|| "nothing".to_owned(), describe_step),
    }
}

pub(super) fn describe_composite(composite: Composite) -> String {
    match composite {
        Composite::Poll { .. } => "`poll`".to_owned(),
        Composite::Retry { attempts } => format!("`retry` with {attempts} attempts"),
        Composite::Parallel { branches, max } => {
            format!("`parallel` over {branches} values, {max} at a time")
        }
    }
}
